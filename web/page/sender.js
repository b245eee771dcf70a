// Sends requests at a rate or at once, bounded in number and time.

/** @typedef {import("./snippets.js").Pace} Pace */

/** Requests at a time. Browsers open six connections to a service, and /metrics needs one. */
export const AT_ONCE = 4;
/** How long an answer may take, milliseconds: longer than the longest latency that is usual. */
const PATIENCE = 90_000;
/** How often is looked whether a request is due, milliseconds. */
const TICK = 25;

/** What became of it. */
export class Tally {
  sent = 0;
  /** Those that were due while as many as may be were in flight. */
  notSent = 0;
  inFlight = 0;
  /** Answers by status; "no answer" for those without one. @type {Record<string, number>} */
  answers = {};
  /** What the service said of the last one that it refused. */
  refusal = "";
}

/**
 * How many are due so long after the beginning.
 * @param {Pace} pace @param {number} elapsed seconds
 */
export function due(pace, elapsed) {
  return "burst" in pace ? pace.burst : Math.floor(Math.min(elapsed, pace.seconds) * pace.rate);
}

/** One run of requests. */
export class Sender {
  tally = new Tally();
  running = true;
  #began = performance.now();
  #handled = 0;
  /** @type {ReturnType<typeof setInterval>} */
  #timer;

  /**
   * @param {string} url what is asked for
   * @param {string} token empty where none is shown
   * @param {Pace} pace
   * @param {() => void} ended called once, when nothing more will leave
   */
  constructor(url, token, pace, ended) {
    this.url = url;
    this.token = token;
    this.pace = pace;
    this.ended = ended;
    this.#timer = setInterval(() => this.#tick(), TICK);
  }

  /** Lets nothing more leave. What is in flight ends by itself. */
  stop() {
    if (!this.running) return;
    this.running = false;
    clearInterval(this.#timer);
    this.token = "";
    this.ended();
  }

  #tick() {
    const elapsed = (performance.now() - this.#began) / 1000;
    const isBurst = "burst" in this.pace;
    const all = due(this.pace, Infinity);
    for (const until = due(this.pace, elapsed); this.#handled < until; this.#handled += 1) {
      if (this.tally.inFlight < AT_ONCE) this.#send();
      // A burst waits for room; at a rate what has no room when it is due does not leave.
      else if (isBurst) break;
      else this.tally.notSent += 1;
    }
    if (this.#handled >= all) this.stop();
  }

  async #send() {
    const { tally } = this;
    tally.sent += 1;
    tally.inFlight += 1;
    let what = "no answer";
    try {
      /** @type {Record<string, string>} */
      const headers = this.token ? { authorization: `Bearer ${this.token}` } : {};
      const answer = await fetch(this.url, { headers, cache: "no-store", redirect: "manual", signal: AbortSignal.timeout(PATIENCE) });
      if (answer.status === 400 || answer.status === 401) tally.refusal = await said(answer);
      else await discard(answer);
      what = answer.type === "opaqueredirect" ? "redirect" : String(answer.status);
    } catch {
      // The connection ended without a whole answer, which may be what was asked for.
    }
    tally.answers[what] = (tally.answers[what] ?? 0) + 1;
    tally.inFlight -= 1;
  }
}

/** Reads a body to its end and keeps none of it. @param {Response} answer */
async function discard(answer) {
  const reader = answer.body?.getReader();
  while (reader && !(await reader.read()).done);
}

/** What a problem says (RFC 9457). @param {Response} answer */
async function said(answer) {
  if (answer.headers.get("content-type") !== "application/problem+json") {
    await discard(answer);
    return "";
  }
  const problem = await answer.json();
  return `${answer.status} ${problem.title}: ${problem.detail}`;
}
