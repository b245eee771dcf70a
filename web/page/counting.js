// What one scrape says, as the charts need it.

import { parse } from "./exposition.js";

/**
 * Counters are totals since the process began; a share or a rate comes from two of them.
 * @typedef {object} Reading
 * @property {number} start when the process began, seconds since 1970; 0 where it does not say
 * @property {number} requests to /work that have ended
 * @property {number} errors among them, by the service's own account; who hangs up is none
 * @property {Record<string, number>} byWorkload requests to /work that have ended
 * @property {number[]} edges upper edges of the latency buckets, seconds, the last one infinite
 * @property {number[]} buckets how many requests took at most that long
 * @property {number} cpu seconds, of the process
 * @property {number} memory resident bytes
 * @property {number} active requests being served, the scrape itself included
 * @property {number} working requests that hold a place for work
 * @property {number} injectedRequests
 * @property {number} injectedErrors
 * @property {number} injectedLatency seconds
 * @property {number} injectedCpu seconds
 * @property {number} held bytes
 * @property {number} shed requests that were rejected
 */

const DURATION = "http_server_request_duration_seconds";
/** Metrics that are sums over all of their labels. @type {Record<string, keyof Reading>} */
const SUMS = {
  process_start_time_seconds: "start",
  process_cpu_seconds_total: "cpu",
  process_resident_memory_bytes: "memory",
  http_server_active_requests: "active",
  firedrill_work_in_flight: "working",
  firedrill_injected_requests_total: "injectedRequests",
  firedrill_injected_errors_total: "injectedErrors",
  firedrill_injected_latency_seconds_total: "injectedLatency",
  firedrill_injected_cpu_seconds_total: "injectedCpu",
  firedrill_memory_held_bytes: "held",
  firedrill_shed_requests_total: "shed",
};
const WANTED = new Set([`${DURATION}_bucket`, `${DURATION}_count`, ...Object.keys(SUMS)]);

/**
 * Reads an exposition. Throws where it is not one of this service's.
 * @param {string} text
 * @returns {Reading}
 */
export function read(text) {
  /** @type {Record<string, any>} */
  const reading = { requests: 0, errors: 0, byWorkload: {}, edges: [], buckets: [] };
  for (const key of Object.values(SUMS)) reading[key] = 0;
  /** @type {Map<number, number>} */
  const buckets = new Map();
  let known = false;
  for (const { name, labels, value } of parse(text, WANTED)) {
    if (name in SUMS) {
      reading[SUMS[name]] += value;
    } else if (labels.http_route !== "/work") {
      known = true;
    } else if (name.endsWith("_bucket")) {
      const edge = labels.le === "+Inf" ? Infinity : Number(labels.le);
      buckets.set(edge, (buckets.get(edge) ?? 0) + value);
    } else {
      reading.requests += value;
      if (labels.error_type && labels.error_type !== "disconnected") reading.errors += value;
      const workload = labels.workload ?? "";
      reading.byWorkload[workload] = (reading.byWorkload[workload] ?? 0) + value;
    }
  }
  if (!known && buckets.size === 0) throw new Error(`the answer has no ${DURATION}, so it is not this service's`);
  reading.edges = [...buckets.keys()].sort((a, b) => a - b);
  reading.buckets = reading.edges.map((/** @type {number} */ edge) => buckets.get(edge));
  return /** @type {Reading} */ (reading);
}

/**
 * Whether a counter went down, which no counter of one process does.
 * @param {Reading} before @param {Reading} after
 */
export function wentDown(before, after) {
  return after.requests < before.requests || after.injectedRequests < before.injectedRequests || after.cpu < before.cpu;
}
