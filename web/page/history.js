// The last minutes: one row a second, in columns of a fixed length.

import { quantile } from "./quantile.js";

/** @typedef {import("./counting.js").Reading} Reading */
/** Seconds that are kept. */
export const SPAN = 180;

/** What is drawn, in the order in which a row has it. */
export const COLUMNS = /** @type {const} */ ([
  "rate", "sent", "errors", "injectedErrors", "p50", "p99", "cpu", "injectedCpu", "memory", "held", "active", "working",
]);

/** @typedef {(typeof COLUMNS)[number]} Column */
/** @typedef {Partial<Record<Column, number | null>> & { heat?: number[] }} Row */

/**
 * What happened between two readings of one process.
 * @param {Reading} before @param {Reading} after @param {number} seconds between them
 * @returns {Row}
 */
export function between(before, after, seconds) {
  const rate = (/** @type {number} */ from, /** @type {number} */ to) => (to - from) / seconds;
  const counts = after.buckets.map((count, i) => count - (before.buckets[i] ?? 0));
  const requests = after.requests - before.requests;
  const taken = after.injectedRequests - before.injectedRequests;
  return {
    rate: requests / seconds,
    errors: requests > 0 ? (after.errors - before.errors) / requests : null,
    injectedErrors: taken > 0 ? (after.injectedErrors - before.injectedErrors) / taken : null,
    p50: quantile(0.5, after.edges, counts),
    p99: quantile(0.99, after.edges, counts),
    cpu: rate(before.cpu, after.cpu),
    injectedCpu: rate(before.injectedCpu, after.injectedCpu),
    memory: after.memory,
    held: after.held,
    // The scrape itself is being served.
    active: Math.max(0, after.active - 1),
    working: after.working,
    heat: counts.map((count, i) => count - (i > 0 ? counts[i - 1] : 0)),
  };
}

/** Fixed arrays that are shifted, so that an hour takes no more memory than a minute. */
export class History {
  /** @param {number} now seconds since 1970 */
  constructor(now) {
    /** @type {number[]} */
    this.times = Array.from({ length: SPAN }, (_, i) => now - SPAN + 1 + i);
    /** @type {Record<Column, (number | null)[]>} */
    this.columns = /** @type {any} */ ({});
    for (const column of COLUMNS) this.columns[column] = new Array(SPAN).fill(null);
    /** Requests by latency bucket; `null` where nothing was read. @type {(number[] | null)[]} */
    this.heat = new Array(SPAN).fill(null);
    /** @type {readonly number[]} */
    this.edges = [];
  }

  /** @param {number} time @param {Row} row what it leaves out is a gap */
  push(time, row) {
    const last = SPAN - 1;
    this.times.copyWithin(0, 1);
    this.times[last] = time;
    for (const column of COLUMNS) {
      const values = this.columns[column];
      values.copyWithin(0, 1);
      values[last] = row[column] ?? null;
    }
    this.heat.copyWithin(0, 1);
    this.heat[last] = row.heat ?? null;
  }
}
