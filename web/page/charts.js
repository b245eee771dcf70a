// The six charts, on one time axis, with what was caused marked on each.

import { SPAN } from "./history.js";

/** @typedef {import("./history.js").History} History */
/** @typedef {import("./history.js").Column} Column */
/**
 * Something that lasted, or a moment.
 * @typedef {{ kind: "sending" | "restart" | "down" | "hidden", from: number, to: number | null, text: string }} Mark
 */
/** @typedef {{ id: string, columns: [Column, Column], say: (value: number) => string, least: number, most?: number, heat?: boolean }} Chart */

/** @param {number} value */
const short = (value) => (value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2));
/** @param {number} seconds */
export const saySeconds = (seconds) => (seconds < 1 ? `${+(seconds * 1000).toPrecision(3)} ms` : `${+seconds.toPrecision(3)} s`);
/** @param {number} bytes */
export const sayBytes = (bytes) => (bytes < 1024 ** 2 ? `${(bytes / 1024).toFixed(0)} KiB` : `${(bytes / 1024 ** 2).toFixed(bytes < 100 * 1024 ** 2 ? 1 : 0)} MiB`);
/** @param {number} count */
const whole = (count) => count.toFixed(0);

/** `least` is the smallest upper end of the y axis, so that noise does not fill a chart. @type {Chart[]} */
export const CHARTS = [
  { id: "rate", columns: ["rate", "sent"], say: (value) => `${short(value)}/s`, least: 5 },
  { id: "errors", columns: ["errors", "injectedErrors"], say: (share) => `${short(share * 100)} %`, least: 0.05, most: 1 },
  { id: "latency", columns: ["p50", "p99"], say: saySeconds, least: 20, heat: true },
  { id: "cpu", columns: ["cpu", "injectedCpu"], say: (cores) => `${cores.toFixed(2)}`, least: 0.25 },
  { id: "memory", columns: ["memory", "held"], say: sayBytes, least: 32 * 1024 ** 2 },
  { id: "flight", columns: ["active", "working"], say: whole, least: 4 },
];

/** What latencies the log axis spans, seconds. */
const FASTEST = 0.002;
const SLOWEST = 20;

/** The colours in force, as the style sheets resolve them. */
function palette() {
  const probe = document.createElement("i");
  document.body.append(probe);
  const of = (/** @type {string} */ name) => {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  };
  const colours = { ink: of("ink"), faint: of("faint"), line: of("line"), truth: of("truth"), seen: of("seen"), bad: of("bad"), unknown: of("unknown") };
  probe.remove();
  return colours;
}

/** All charts, redrawn together. */
export class Charts {
  #colours = palette();
  /** @type {{ chart: Chart, plot: uPlot, now: HTMLElement[] }[]} */
  #all;

  /** @param {History} history @param {Mark[]} marks */
  constructor(history, marks) {
    this.history = history;
    this.marks = marks;
    this.#all = CHARTS.map((chart) => this.#make(chart));
    const resized = new ResizeObserver((entries) => {
      for (const { target } of entries) {
        const plot = this.#all.find(({ plot }) => plot.root.parentElement === target)?.plot;
        if (plot) plot.setSize({ width: target.clientWidth, height: target.clientHeight });
      }
    });
    for (const { plot } of this.#all) if (plot.root.parentElement) resized.observe(plot.root.parentElement);
    for (const query of ["(prefers-color-scheme: dark)"])
      matchMedia(query).addEventListener("change", () => {
        this.#colours = palette();
        for (const { plot } of this.#all) plot.redraw();
      });
  }

  /** Shows what the history has now. */
  draw() {
    for (const { chart, plot, now } of this.#all) {
      plot.setData(this.#data(chart));
      this.#say(chart, now, plot.cursor.idx ?? SPAN - 1);
    }
  }

  /** @param {Chart} chart @param {HTMLElement[]} now @param {number} at */
  #say(chart, now, at) {
    chart.columns.forEach((column, i) => {
      const value = this.history.columns[column][at];
      const text = value === null || value === undefined ? "–" : chart.say(value);
      if (now[i].textContent !== text) now[i].textContent = text;
    });
  }

  /** @param {Chart} chart @returns {uPlot.AlignedData} */
  #data(chart) {
    const { times, columns } = this.history;
    return [times, columns[chart.columns[0]], columns[chart.columns[1]]];
  }

  /** @param {Chart} chart */
  #make(chart) {
    const figure = /** @type {HTMLElement} */ (document.getElementById(`chart-${chart.id}`));
    const box = /** @type {HTMLElement} */ (figure.querySelector(".plot"));
    const now = /** @type {HTMLElement[]} */ ([...figure.querySelectorAll("[data-now]")]);
    const axis = { stroke: () => this.#colours.faint, ticks: { show: false }, grid: { stroke: () => this.#colours.line, width: 1 }, font: "11px system-ui, sans-serif" };
    const options = /** @type {uPlot.Options} */ ({
      width: box.clientWidth,
      height: box.clientHeight,
      legend: { show: false },
      cursor: { sync: { key: "time" }, drag: { x: false, y: false }, y: false, points: { size: 5 } },
      scales: {
        x: { time: true },
        y: chart.heat
          ? { distr: 3, range: [FASTEST, SLOWEST] }
          : { range: (/** @type {uPlot} */ _, /** @type {number} */ __, /** @type {number | null} */ max) => [0, Math.min(chart.most ?? Infinity, Math.max(chart.least, (max ?? 0) * 1.1))] },
      },
      axes: [
        { ...axis, space: 40, incrs: [60], values: "{HH}:{mm}", size: 26 },
        chart.heat
          ? { ...axis, size: 56, splits: () => [0.01, 0.1, 1, 10], filter: (/** @type {uPlot} */ _, /** @type {number[]} */ splits) => splits, values: (/** @type {uPlot} */ _, /** @type {number[]} */ splits) => splits.map(chart.say) }
          : { ...axis, size: 56, space: 36, incrs: chart.id === "memory" ? [1, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 4096].map((mib) => mib * 1024 ** 2) : undefined, values: (/** @type {uPlot} */ _, /** @type {number[]} */ splits) => splits.map(chart.say) },
      ],
      series: [
        {},
        { stroke: () => (chart.heat ? this.#colours.ink : this.#colours.truth), width: 1.75, points: { show: false } },
        { stroke: () => this.#colours.seen, width: 2, dash: [6, 3], points: { show: false } },
      ],
      hooks: {
        drawClear: [(/** @type {uPlot} */ plot) => this.#under(plot, chart)],
        setCursor: [(/** @type {uPlot} */ plot) => this.#say(chart, now, plot.cursor.idx ?? SPAN - 1)],
      },
    });
    return { chart, plot: new uPlot(options, this.#data(chart), box), now };
  }

  /** What stands behind the lines: the heat map, and the marks. @param {uPlot} plot @param {Chart} chart */
  #under(plot, chart) {
    const { ctx, bbox } = plot;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    for (const mark of this.marks) this.#mark(plot, mark);
    if (chart.heat) this.#heat(plot);
    ctx.restore();
  }

  /** @param {uPlot} plot @param {Mark} mark */
  #mark({ ctx, bbox, valToPos }, mark) {
    const { times } = this.history;
    const end = mark.to ?? times[SPAN - 1];
    if (end < times[0]) return;
    const from = valToPos(Math.max(mark.from, times[0]), "x", true);
    const to = Math.max(valToPos(end, "x", true), from + devicePixelRatio);
    const colour = { sending: this.#colours.seen, restart: this.#colours.bad, down: this.#colours.bad, hidden: this.#colours.faint }[mark.kind];
    ctx.fillStyle = colour;
    ctx.globalAlpha = mark.kind === "down" ? 0.22 : 0.13;
    ctx.fillRect(from, bbox.top, to - from, bbox.height);
    ctx.globalAlpha = 1;
    // An edge at each end, since a band alone may be too faint; a restart has its own dash.
    ctx.setLineDash(mark.kind === "restart" ? [3 * devicePixelRatio, 3 * devicePixelRatio] : []);
    ctx.strokeStyle = colour;
    ctx.lineWidth = devicePixelRatio;
    for (const x of mark.to === null || mark.kind === "restart" ? [from] : [from, to]) {
      ctx.beginPath();
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
    }
    ctx.setLineDash([]);
  }

  /** Each second is a column, each bucket a cell, as dark as its share of that second. @param {uPlot} plot */
  #heat({ ctx, valToPos }) {
    const { times, heat, edges } = this.history;
    ctx.fillStyle = this.#colours.truth;
    for (let i = 0; i < SPAN; i += 1) {
      const counts = heat[i];
      if (!counts) continue;
      const total = counts.reduce((sum, count) => sum + count, 0);
      if (total <= 0) continue;
      const from = valToPos(times[i] - 1, "x", true);
      const width = valToPos(times[i], "x", true) - from;
      for (let bucket = 0; bucket < counts.length; bucket += 1) {
        if (counts[bucket] <= 0) continue;
        const top = valToPos(Math.min(edges[bucket], SLOWEST), "y", true);
        const bottom = valToPos(bucket === 0 ? FASTEST : edges[bucket - 1], "y", true);
        ctx.globalAlpha = 0.15 + 0.65 * (counts[bucket] / total);
        ctx.fillRect(from, top, width, bottom - top);
      }
    }
    ctx.globalAlpha = 1;
  }
}
