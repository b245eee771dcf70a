// Reads Prometheus' text format 0.0.4
// (https://prometheus.io/docs/instrumenting/exposition_formats/).

/** @typedef {{ name: string, labels: Record<string, string>, value: number }} Sample */

const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)",?/y;

/**
 * The samples of these metrics; all others are skipped unread, which is most of an exposition.
 * Throws where a line of one of them is malformed.
 * @param {string} text
 * @param {ReadonlySet<string>} wanted
 * @returns {Sample[]}
 */
export function parse(text, wanted) {
  const samples = [];
  for (let from = 0; from < text.length; ) {
    let end = text.indexOf("\n", from);
    if (end < 0) end = text.length;
    const name = nameAt(text, from, end);
    if (wanted.has(name)) samples.push(sample(name, text.slice(from + name.length, end)));
    from = end + 1;
  }
  return samples;
}

/** @param {string} text @param {number} from @param {number} end */
function nameAt(text, from, end) {
  let at = from;
  while (at < end && text[at] !== "{" && text[at] !== " ") at += 1;
  return text.slice(from, at);
}

/** @param {string} name @param {string} rest @returns {Sample} */
function sample(name, rest) {
  /** @type {Record<string, string>} */
  const labels = {};
  let at = 0;
  if (rest.startsWith("{")) {
    LABEL.lastIndex = 1;
    for (let match = LABEL.exec(rest); match; match = LABEL.exec(rest)) {
      labels[match[1]] = match[2].replace(/\\(.)/g, (_, c) => (c === "n" ? "\n" : c));
      at = LABEL.lastIndex;
    }
    at = Math.max(at, 1);
    if (rest[at] !== "}") throw new Error(`${name}: found ${rest}, expected labels and a value`);
    at += 1;
  }
  const value = number(rest.slice(at).trim().split(" ")[0]);
  if (value === undefined) throw new Error(`${name}: found ${rest}, expected a number`);
  return { name, labels, value };
}

/** @param {string} text @returns {number | undefined} */
function number(text) {
  if (text === "NaN") return NaN;
  if (/^[+-]?Inf$/.test(text)) return text.startsWith("-") ? -Infinity : Infinity;
  const value = Number(text);
  return text === "" || Number.isNaN(value) ? undefined : value;
}
