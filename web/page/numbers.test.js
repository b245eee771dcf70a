import assert from "node:assert/strict";
import { test } from "node:test";
import { read, wentDown } from "./counting.js";
import { parse } from "./exposition.js";
import { History, SPAN, between } from "./history.js";
import { quantile } from "./quantile.js";
import { Replicas } from "./watch.js";

/** An exposition of a service that has answered so much. @param {{ start?: number, fast?: number, slow?: number, errors?: number }} of */
function exposition({ start = 100, fast = 0, slow = 0, errors = 0 }) {
  const duration = "http_server_request_duration_seconds";
  const labels = `http_route="/work",workload="web",error_type=""`;
  const failed = `http_route="/work",workload="web",error_type="500"`;
  return `# TYPE process_start_time_seconds gauge
process_start_time_seconds ${start}
process_cpu_seconds_total 1.5
${duration}_bucket{le="0.1",${labels}} ${fast}
${duration}_bucket{le="+Inf",${labels}} ${fast + slow}
${duration}_count{${labels}} ${fast + slow}
${duration}_bucket{le="0.1",${failed}} ${errors}
${duration}_bucket{le="+Inf",${failed}} ${errors}
${duration}_count{${failed}} ${errors}
${duration}_count{http_route="/metrics",workload="",error_type=""} 900
firedrill_injected_requests_total{workload="web"} ${fast + slow + errors}
firedrill_injected_errors_total{workload="web",error_type="500"} ${errors}
`;
}

test("labels keep what is escaped in them, and other metrics are not read", () => {
  const text = `a{b="x\\"y\\\\z\\n",c="{,} 1"} 2 1700000000\nnonsense that is no sample\na +Inf`;
  assert.deepEqual(parse(text, new Set(["a"])), [
    { name: "a", labels: { b: 'x"y\\z\n', c: "{,} 1" }, value: 2 },
    { name: "a", labels: {}, value: Infinity },
  ]);
});

test("a malformed sample is an error and no number", () => {
  for (const line of ["a{b=1} 2", "a many", "a{b=\"c\"", "a "]) assert.throws(() => parse(line, new Set(["a"])), /a: found/, line);
});

test("only requests for work are counted, and whose they are", () => {
  const reading = read(exposition({ fast: 3, slow: 1, errors: 2 }));
  assert.equal(reading.requests, 6);
  assert.equal(reading.errors, 2);
  assert.deepEqual(reading.byWorkload, { web: 6 });
  assert.deepEqual(reading.edges, [0.1, Infinity]);
  assert.deepEqual(reading.buckets, [5, 6]);
});

test("what is no exposition of the service is refused", () => {
  assert.throws(() => read("<html>another program</html>"), /not this service's/);
});

test("rates and shares come from what happened between two readings", () => {
  const row = between(read(exposition({ fast: 10 })), read(exposition({ fast: 20, slow: 5, errors: 5 })), 2);
  assert.equal(row.rate, 10);
  assert.equal(row.errors, 0.25);
  assert.equal(row.injectedErrors, 0.25);
  assert.deepEqual(row.heat, [15, 5]);
});

test("without requests there is no share and no quantile, rather than zero", () => {
  const reading = read(exposition({ fast: 10 }));
  const row = between(reading, reading, 1);
  assert.deepEqual([row.rate, row.errors, row.p99], [0, null, null]);
});

test("a quantile lies where Prometheus' histogram_quantile puts it", () => {
  const edges = [0.1, 0.5, 1, Infinity];
  assert.equal(quantile(0.5, edges, [0, 10, 10, 10]), 0.1 + 0.4 * 0.5);
  assert.equal(quantile(0.5, edges, [10, 10, 10, 10]), 0.05);
  assert.equal(quantile(0.99, edges, [0, 0, 0, 10]), 1);
  assert.equal(quantile(0.5, edges, [0, 0, 0, 0]), null);
});

test("history keeps its length and the same arrays for ever", () => {
  const history = new History(1000);
  const { times, columns, heat } = history;
  const { rate } = columns;
  for (let second = 1; second <= 10 * SPAN; second += 1) history.push(1000 + second, second % 2 ? { rate: second } : {});
  assert.ok(history.times === times && history.columns.rate === rate && history.heat === heat);
  assert.equal(times.length, SPAN);
  assert.equal(times[SPAN - 1], 1000 + 10 * SPAN);
  assert.deepEqual(rate.slice(-2), [10 * SPAN - 1, null]);
});

test("a process that began since the last answer is a restart, and nothing is compared across it", () => {
  const replicas = new Replicas();
  assert.equal(replicas.see(read(exposition({ start: 100, fast: 9 })), 500, 500).who, "first");
  assert.equal(replicas.see(read(exposition({ start: 100, fast: 9 })), 501, 501).who, "same");
  const after = replicas.see(read(exposition({ start: 503 })), 505, 505);
  assert.deepEqual(after, { who: "restarted", before: undefined });
  assert.equal(replicas.count, 1);
});

test("counters that went down are a restart, where the process does not say when it began", () => {
  const replicas = new Replicas();
  const [before, after] = [read(exposition({ start: 0, fast: 9 })), read(exposition({ start: 0, fast: 1 }))];
  assert.ok(wentDown(before, after) && !wentDown(after, before));
  replicas.see(before, 1, 1);
  assert.equal(replicas.see(after, 2, 2).who, "restarted");
});

test("processes that answer by turns are replicas, each compared with itself", () => {
  const replicas = new Replicas();
  replicas.see(read(exposition({ start: 100, fast: 1 })), 500, 500);
  assert.equal(replicas.see(read(exposition({ start: 200, fast: 7 })), 501, 501).who, "another");
  const back = replicas.see(read(exposition({ start: 100, fast: 3 })), 502, 502);
  assert.equal(back.who, "another");
  assert.equal(back.before?.reading.requests, 1);
  assert.equal(replicas.count, 2);
});

test("no more processes are remembered than a few", () => {
  const replicas = new Replicas();
  for (let start = 1; start <= 100; start += 1) replicas.see(read(exposition({ start })), 10_000, 10_000);
  assert.equal(replicas.count, 16);
});
