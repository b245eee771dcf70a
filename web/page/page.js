// The page: reads once a second, draws, and sends what the form says.

import { Charts, sayBytes, saySeconds } from "./charts.js";
import { Form } from "./form.js";
import { History, between } from "./history.js";
import { Sender } from "./sender.js";
import { query } from "./snippets.js";
import { Replicas, scrape } from "./watch.js";

/** @typedef {import("./charts.js").Mark} Mark */
/** @typedef {import("./counting.js").Reading} Reading */

/** @template {HTMLElement} T @param {string} id @returns {T} */
const element = (id) => /** @type {T} */ (document.getElementById(id));
const now = () => Date.now() / 1000;
/** @param {number} time */
const clock = (time) => new Date(time * 1000).toTimeString().slice(0, 8);

/** Between two scrapes, milliseconds; and how long one may take. */
const EVERY = 1000;
const PATIENCE = 3000;
/** Longer between two readings, and a rate over it would say little: a gap, seconds. */
const GAP = 5;
/** Marks that are kept. */
const MARKS = 50;

// The first paint does not wait for charts; in a tab that nobody sees, nothing begins.
await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));

const history = new History(Math.floor(now()));
/** @type {Mark[]} */
const marks = [];
const charts = new Charts(history, marks);
const form = new Form();
const replicas = new Replicas();

/** @type {Reading | undefined} */
let last;
/** @type {Mark | undefined} */
let down;
/** @type {Sender | undefined} */
let sender;
/** @type {{ mark: Mark, workload: string, before: number | undefined } | undefined} */
let run;
let sentBefore = 0;
let isKnown = false;

/** @param {Mark["kind"]} kind @param {string} text @param {number | null} [to] @param {number} [from] @returns {Mark} */
function mark(kind, text, to = null, from = now()) {
  const made = { kind, from, to, text };
  marks.push(made);
  if (marks.length > MARKS) marks.shift();
  showMarks();
  return made;
}

/** The newest first. */
function showMarks() {
  const items = marks.slice(-12).reverse().map(({ from, to, text }) => {
    const item = document.createElement("li");
    const time = document.createElement("time");
    time.textContent = clock(from);
    item.append(time, to !== null && to - from >= 1 ? `${text}, for ${Math.round(to - from)} s` : text);
    return item;
  });
  element("marks").replaceChildren(...items);
}

/** @param {"up" | "down" | "waiting"} state @param {string} text */
function say(state, text) {
  const line = element("state");
  line.className = state;
  if (line.textContent !== text) line.textContent = text;
}

/** The bounds, again after a restart: another build may have others. */
async function learn() {
  const ask = async (/** @type {string} */ path) => {
    const answer = await fetch(path, { signal: AbortSignal.timeout(PATIENCE) });
    if (!answer.ok) throw new Error(`${path} answered ${answer.status}`);
    return answer.json();
  };
  const [document_, settings] = await Promise.all([ask("openapi.json"), ask("page/settings.json")]);
  form.know(document_.paths["/work"].get.parameters, settings);
  element("version").textContent = settings.version;
  isKnown = true;
}

async function second() {
  const sentNow = sender?.tally.sent ?? 0;
  // How much left from here since the last second.
  const sent = Math.max(0, sentNow - sentBefore);
  sentBefore = sentNow;
  try {
    // Where it fails, the scrape says why, or the form works without its bounds until the next second.
    if (!isKnown) await learn().catch(() => undefined);
    const { reading, serverNow } = await scrape(PATIENCE);
    took(reading, serverNow, sent);
  } catch (error) {
    const at = now();
    down ??= mark("down", "no scrape");
    isKnown = false;
    history.push(at, { sent });
    say("down", `${error instanceof Error ? error.message : error} Since ${clock(down.from)}; trying again each second.`);
    showInjected(undefined, undefined, 1);
  }
  charts.draw();
  showTally();
}

/** @param {Reading} reading @param {number} serverNow @param {number} sent */
function took(reading, serverNow, sent) {
  const at = now();
  const { who, before } = replicas.see(reading, at, serverNow);
  if (down) {
    down.to = at;
    down = undefined;
    showMarks();
  }
  if (who === "restarted") {
    mark("restart", "the service restarted, so its counters began anew", at);
    isKnown = false;
  }
  const seconds = before ? at - before.at : 0;
  const usable = before && seconds <= GAP && seconds > 0;
  history.edges = reading.edges;
  history.push(at, usable ? { ...between(before.reading, reading, seconds), sent } : { memory: reading.memory, held: reading.held, active: Math.max(0, reading.active - 1), working: reading.working, sent });
  showInjected(usable ? before.reading : undefined, reading, seconds);
  last = reading;
  const since = reading.start > 0 ? `, up since ${clock(reading.start)}` : "";
  say("up", `The service answers${since}.`);
  element("replicas").textContent =
    replicas.count > 1
      ? `${replicas.count} replicas answer at this address, and a scrape shows one of them: each value is of the one that answered just then. Prometheus scrapes each.`
      : "Rates are over the last second.";
}

/** @param {Reading | undefined} before @param {Reading | undefined} after @param {number} seconds */
function showInjected(before, after, seconds) {
  const rate = (/** @type {keyof Reading} */ key) => (before && after ? (Number(after[key]) - Number(before[key])) / seconds : undefined);
  const a = (/** @type {number | undefined} */ value, /** @type {(value: number) => string} */ how) => (value === undefined ? "–" : how(value));
  const perSecond = (/** @type {number} */ value) => `${value.toFixed(1)}/s`;
  const texts = [
    a(rate("injectedRequests"), perSecond),
    a(rate("injectedErrors"), perSecond),
    a(rate("injectedLatency"), (value) => `${saySeconds(value)}/s`),
    a(rate("injectedCpu"), (value) => `${value.toFixed(2)} cores`),
    a(after?.held, sayBytes),
    a(rate("shed"), perSecond),
  ];
  element("injected").querySelectorAll("dd").forEach((cell, i) => (cell.textContent = texts[i]));
}

function send() {
  const wrong = form.problem();
  element("problem").textContent = wrong;
  if (wrong || sender?.running) return;
  const { values, pace, token } = form;
  const asked = query(values);
  const much = "burst" in pace ? `${pace.burst} at once` : `${pace.rate}/s for ${pace.seconds} s`;
  const workload = values.workload ?? "other";
  run = { mark: mark("sending", `${much}: ${asked || "plain work"}`), workload, before: last?.byWorkload[workload] };
  sentBefore = 0;
  buttons(true);
  sender = new Sender(`work${asked ? `?${asked}` : ""}`, token, pace, () => {
    if (run) run.mark.to = now();
    showMarks();
    showTally();
    buttons(false);
  });
}

/** @param {boolean} isSending */
function buttons(isSending) {
  const [go, stop] = [element("send"), element("stop")].map((button) => /** @type {HTMLButtonElement} */ (button));
  const focused = document.activeElement;
  go.disabled = isSending;
  stop.disabled = !isSending;
  // A button that is switched off loses the focus, and whoever uses the keyboard their place.
  if (focused === go && isSending) stop.focus();
  if (focused === stop && !isSending) go.focus();
}

/** What came back, beside what the service counted. */
function showTally() {
  if (!sender || !run) return;
  const { sent, notSent, inFlight, answers, refusal } = sender.tally;
  const came = Object.entries(answers).map(([what, count]) => `${count} × ${what}`).join(", ");
  const counted = last && run.before !== undefined ? (last.byWorkload[run.workload] ?? 0) - run.before : undefined;
  const parts = [`Sent ${sent}`, came && `came back: ${came}`, inFlight > 0 && `${inFlight} in flight`];
  if (notSent > 0) parts.push(`${notSent} not sent, since four were in flight`);
  const own = counted === undefined || counted < 0 ? "the service's count began anew" : `the service counted ${counted} of workload ${run.workload}, whoever sent them`;
  const text = `${parts.filter(Boolean).join("; ")}. Meanwhile ${own}.`;
  const line = element("tally");
  if (line.textContent !== text) line.textContent = text;
  if (refusal) element("problem").textContent = refusal;
}

element("work").addEventListener("submit", (event) => {
  event.preventDefault();
  send();
});
element("stop").addEventListener("click", () => sender?.stop());

// A tab in the background neither sends nor reads: its timers are late, and nobody watches.
/** @type {Mark | undefined} */
let hidden;
document.addEventListener("visibilitychange", () => {
  if (document.hidden) {
    sender?.stop();
    hidden ??= mark("hidden", "this tab was in the background");
  } else if (hidden) {
    hidden.to = now();
    hidden = undefined;
    showMarks();
  }
});

async function watch() {
  for (;;) {
    const began = performance.now();
    if (!document.hidden) await second();
    await new Promise((done) => setTimeout(done, Math.max(50, EVERY - (performance.now() - began))));
  }
}
watch();
