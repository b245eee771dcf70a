// The same from a terminal and from a drill file.

/** What is sent: so many at once, or at a rate for a while. @typedef {{ burst: number } | { rate: number, seconds: number }} Pace */

/** The query of these values, legible where that is allowed. @param {Readonly<Record<string, string>>} values */
export function query(values) {
  const legible = (/** @type {string} */ text) => encodeURIComponent(text).replace(/%3D/g, "=").replace(/%2C/g, ",").replace(/'/g, "%27");
  return Object.entries(values).map(([name, value]) => `${name}=${legible(value)}`).join("&");
}

/**
 * One request as a line for a shell. The token itself is never in it.
 * @param {string} work the address of /work @param {Readonly<Record<string, string>>} values @param {boolean} needsToken
 */
export function curl(work, values, needsToken) {
  const header = needsToken ? `--header "Authorization: Bearer $FIREDRILL_TOKEN" ` : "";
  const asked = query(values);
  return `curl ${header}'${work}${asked ? `?${asked}` : ""}'`;
}

/**
 * All of it as lines of a drill file. A burst is that many in a second, since drills send at a rate.
 * @param {string} name of the phase @param {Readonly<Record<string, string>>} values @param {Pace} pace
 */
export function drill(name, values, pace) {
  // A drill has one seed for all of it, and numbers its requests itself.
  const { workload, seed, n, ...work } = values;
  const scalar = (/** @type {string} */ text) => (/^(0|[1-9]\d*)(\.\d+)?$/.test(text) && Number.isSafeInteger(Math.floor(Number(text))) ? text : JSON.stringify(text));
  const members = Object.entries(work).map(([key, value]) => `${key}: ${scalar(value)}`).join(", ");
  const [seconds, rate] = "burst" in pace ? [1, pace.burst] : [pace.seconds, pace.rate];
  const phase = `  ${name}: { for: ${seconds}s, rate: ${rate}/s, work: {${members ? ` ${members} ` : ""}} }`;
  const head = [n && "# A drill numbers its requests itself: n is left out.", workload && `workload: ${workload}`, seed && `seed: ${seed}`];
  return `${head.filter(Boolean).map((line) => `${line}\n`).join("")}phases:\n${phase}`;
}
