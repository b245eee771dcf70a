// Reads /metrics once a second, and tells a restart from another replica.

import { read, wentDown } from "./counting.js";

/** @typedef {import("./counting.js").Reading} Reading */
/** @typedef {{ reading: Reading, at: number }} Seen */
/** @typedef {"first" | "same" | "restarted" | "another"} Who */

/** Replicas that are remembered. */
const MOST = 16;

/** The processes that have answered, each known by when it began. */
export class Replicas {
  /** @type {Map<number, Seen>} */
  #seen = new Map();
  /** @type {Seen | undefined} */
  #last;

  /** How many answer here. */
  get count() {
    return this.#seen.size;
  }

  /**
   * Takes a reading; who it is of, and the one of the same process before it.
   * @param {Reading} reading
   * @param {number} at seconds since 1970, by this browser
   * @param {number} serverNow the same, by the service
   * @returns {{ who: Who, before?: Seen }}
   */
  see(reading, at, serverNow) {
    const last = this.#last;
    const before = this.#seen.get(reading.start);
    /** @type {Who} */
    let who = !last ? "first" : last.reading.start === reading.start ? "same" : "another";
    if (before && wentDown(before.reading, reading)) {
      who = "restarted";
    } else if (!before && last && reading.start > last.reading.start) {
      // Began since the last answer, as far as the service's clock, which counts whole seconds, can say.
      if (serverNow - reading.start <= at - last.at + 0.5) who = "restarted";
    }
    if (who === "restarted" && last) this.#seen.delete(last.reading.start);
    this.#last = { reading, at };
    this.#seen.delete(reading.start);
    this.#seen.set(reading.start, this.#last);
    if (this.#seen.size > MOST) this.#seen.delete(/** @type {number} */ (this.#seen.keys().next().value));
    return { who, before: who === "restarted" ? undefined : before };
  }
}

/**
 * One scrape. Throws, with a sentence for people, where there is none to be had.
 * @param {number} milliseconds to wait for it
 * @returns {Promise<{ reading: Reading, serverNow: number }>}
 */
export async function scrape(milliseconds) {
  let answer;
  let text;
  try {
    answer = await fetch("metrics", { cache: "no-store", signal: AbortSignal.timeout(milliseconds) });
    text = await answer.text();
  } catch (error) {
    const late = error instanceof DOMException && error.name === "TimeoutError";
    throw new Error(late ? `The service did not answer within ${milliseconds / 1000} s.` : "The service cannot be reached.");
  }
  if (answer.status === 404 || answer.status === 403)
    throw new Error(`/metrics is not public here (it answered ${answer.status}), so there is nothing to draw. The form works.`);
  if (!answer.ok) throw new Error(`/metrics answered ${answer.status}.`);
  const date = Date.parse(answer.headers.get("date") ?? "");
  return { reading: read(text), serverNow: (Number.isNaN(date) ? Date.now() : date) / 1000 };
}
