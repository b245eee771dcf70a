import assert from "node:assert/strict";
import { test } from "node:test";
import { contradiction, costly, limit, problem } from "./bounds.js";
import { due } from "./sender.js";
import { curl, drill, query } from "./snippets.js";

/** @param {string} name @param {Record<string, any>} schema */
const parameter = (name, schema) => ({ name, schema, description: "" });
const PARAMETERS = {
  latency: parameter("latency", { type: "string", "x-maximum-seconds": 60 }),
  cpu: parameter("cpu", { type: "string", "x-maximum-seconds": 10 }),
  memory: parameter("memory", { type: ["string", "integer"], "x-maximum-bytes": 256 * 1024 ** 2 }),
  status: parameter("status", { type: "integer", enum: [200, 404, 511] }),
  error_rate: parameter("error_rate", { type: "number", minimum: 0, maximum: 1 }),
  abort: parameter("abort", { type: "string", enum: ["reset", "truncate", "panic"] }),
  exit: parameter("exit", { type: "integer", minimum: 0, maximum: 255 }),
};

test("what the service would refuse is refused, with what is right", () => {
  for (const [name, text, expected] of /** @type {const} */ ([
    ["cpu", "soon", "a duration such as"],
    ["cpu", "11s", "at most 10 s"],
    ["latency", "p50=40ms,p99=2m", "at most 1 min"],
    ["latency", "soon", "a duration such as"],
    ["memory", "1GiB", "at most 256 MiB"],
    ["memory", "lots", "a size such as"],
    ["status", "99", "registered status from 200 to 511"],
    ["error_rate", "2", "a share from 0 to 1"],
    ["abort", "loudly", "one of reset, truncate, panic"],
    ["exit", "-1", "a whole number from 0 to 255"],
  ]))
    assert.match(problem(PARAMETERS[name], text), new RegExp(`^${name}: expected .*${expected}`), `${name}=${text}`);
});

test("what the service takes is let through", () => {
  for (const [name, text] of /** @type {const} */ ([
    ["cpu", "0"], ["cpu", "1.5s"], ["latency", "0"], ["latency", "uniform(10ms,50ms)"], ["latency", "p50=40ms,p99=900ms"],
    ["memory", "512"], ["memory", "64MiB"], ["status", "404"], ["error_rate", "0.33"], ["abort", "reset"], ["exit", "255"],
  ]))
    assert.equal(problem(PARAMETERS[name], text), "", `${name}=${text}`);
});

test("values that cannot be asked for together are told apart from those that can", () => {
  assert.match(contradiction({ hold: "5s" }), /together with memory/);
  assert.match(contradiction({ exit: "1", abort: "reset" }), /without abort/);
  assert.equal(contradiction({ hold: "5s", memory: "1MiB" }), "");
});

test("a bound is said in a few words", () => {
  assert.deepEqual(Object.values(PARAMETERS).map(limit), ["≤ 1 min", "≤ 10 s", "≤ 256 MiB", "200–511", "0–1", "", "0–255"]);
});

test("what needs the token is named", () => {
  const open = { latency_seconds: 5, body_bytes: 1024 ** 2 };
  assert.deepEqual(costly({ latency: "6s", body: "2MiB", cpu: "1ms", exit: "0" }, open), ["latency", "body", "cpu", "exit"]);
  assert.deepEqual(costly({ latency: "5s", body: "1MiB", cpu: "0", status: "503" }, open), []);
});

test("the curl line holds every value, safe in a shell, and never the token", () => {
  assert.equal(query({ latency: "p50=40ms,p99=900ms", workload: "a'b &c" }), "latency=p50=40ms,p99=900ms&workload=a%27b%20%26c");
  assert.equal(curl("http://x/work", {}, false), "curl 'http://x/work'");
  assert.equal(curl("http://x/work", { cpu: "1s" }, true), `curl --header "Authorization: Bearer $FIREDRILL_TOKEN" 'http://x/work?cpu=1s'`);
});

test("the lines for a drill file say the same traffic", () => {
  const values = { latency: "p50=40ms,p99=900ms", error_rate: "0.33", workload: "web" };
  assert.equal(
    drill("slow", values, { rate: 10, seconds: 30 }),
    `workload: web\nphases:\n  slow: { for: 30s, rate: 10/s, work: { latency: "p50=40ms,p99=900ms", error_rate: 0.33 } }`,
  );
  assert.equal(
    drill("again", { seed: "7", n: "3" }, { rate: 1, seconds: 5 }),
    "# A drill numbers its requests itself: n is left out.\nseed: 7\nphases:\n  again: { for: 5s, rate: 1/s, work: {} }",
  );
  assert.equal(drill("burst", {}, { burst: 20 }), "phases:\n  burst: { for: 1s, rate: 20/s, work: {} }");
});

test("requests are due by the clock, and no more of them than were asked for", () => {
  assert.deepEqual([0, 0.25, 1, 99].map((elapsed) => due({ rate: 10, seconds: 3 }, elapsed)), [0, 2, 10, 30]);
  assert.equal(due({ burst: 7 }, 0), 7);
});
