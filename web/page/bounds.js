// What /work would refuse, as far as /openapi.json says it. The service remains the authority.

/**
 * A parameter of the document.
 * @typedef {object} Parameter
 * @property {string} name
 * @property {string} description
 * @property {Record<string, any>} schema
 */
/** What anybody may ask for without the token. @typedef {{ latency_seconds: number, body_bytes: number }} Open */

/** @type {Record<string, number>} */
const SECONDS = { ns: 1e-9, us: 1e-6, "µs": 1e-6, ms: 1e-3, s: 1, m: 60, h: 3600 };
/** @type {Record<string, number>} */
const BYTES = { "": 1, B: 1, KB: 1e3, MB: 1e6, GB: 1e9, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 };
const NEEDS = { hold: "memory", error_status: "error_rate", n: "seed" };
const EXCLUDES = [["exit", "abort"], ["outage", "abort"], ["outage", "exit"]];

/** @param {string} text @param {Record<string, number>} units */
function scaled(text, units) {
  const match = /^(\d+(?:\.\d+)?)([A-Za-zµ]*)$/.exec(text);
  return match && match[2] in units ? Number(match[1]) * units[match[2]] : undefined;
}

/** Seconds, or `undefined` where it is no duration. @param {string} text */
export function duration(text) {
  return text === "0" ? 0 : scaled(text, SECONDS);
}

/** Bytes, or `undefined` where it is no size. @param {string} text */
export function size(text) {
  return scaled(text, BYTES);
}

/** The durations that a latency names, in seconds. @param {string} text */
function named(text) {
  return (text.match(/[\d.]+(?:ns|us|µs|ms|s|m|h)\b/g) ?? []).map((part) => duration(part) ?? Infinity);
}

/** @param {number} seconds */
const sayDuration = (seconds) => (seconds >= 60 && seconds % 60 === 0 ? `${seconds / 60} min` : `${seconds} s`);
/** @param {number} bytes */
function saySize(bytes) {
  for (const unit of ["GiB", "MiB", "KiB"]) if (bytes >= BYTES[unit]) return `${+(bytes / BYTES[unit]).toFixed(1)} ${unit}`;
  return `${bytes} B`;
}

/** The bound in a few words. @param {Parameter} parameter */
export function limit({ schema }) {
  if ("x-maximum-seconds" in schema) return `≤ ${sayDuration(schema["x-maximum-seconds"])}`;
  if ("x-maximum-bytes" in schema) return `≤ ${saySize(schema["x-maximum-bytes"])}`;
  if (schema.enum) return schema.type === "integer" ? `${schema.enum[0]}–${schema.enum.at(-1)}` : "";
  if ("maximum" in schema && schema.maximum < 1e6) return `${schema.minimum}–${schema.maximum}`;
  return "";
}

/**
 * What is wrong with a value, or an empty text.
 * @param {Parameter} parameter @param {string} text
 */
export function problem({ name, schema }, text) {
  if ("x-maximum-seconds" in schema) {
    const most = schema["x-maximum-seconds"];
    const given = name === "latency" ? named(text) : [duration(text)].filter((value) => value !== undefined);
    if (given.length === 0 && !(name === "latency" && text === "0")) return `${name}: expected a duration such as 250ms or 1.5s`;
    if (given.some((value) => value > most)) return `${name}: expected at most ${sayDuration(most)}`;
  } else if ("x-maximum-bytes" in schema) {
    const bytes = size(text);
    if (bytes === undefined) return `${name}: expected a size such as 512, 64KiB or 1MB`;
    if (bytes > schema["x-maximum-bytes"]) return `${name}: expected at most ${saySize(schema["x-maximum-bytes"])}`;
  } else if (schema.enum) {
    if (!schema.enum.map(String).includes(text)) {
      const words = schema.type === "integer" ? `a registered status from ${schema.enum[0]} to ${schema.enum.at(-1)}` : `one of ${schema.enum.join(", ")}`;
      return `${name}: expected ${words}`;
    }
  } else if (schema.type === "integer" || schema.type === "number") {
    const shape = schema.type === "integer" ? /^\d+$/ : /^\d*\.?\d+$/;
    if (!shape.test(text) || Number(text) < schema.minimum || Number(text) > schema.maximum)
      return `${name}: expected ${schema.type === "integer" ? "a whole number" : "a share"} from ${schema.minimum} to ${schema.maximum}`;
  } else if (schema.maxLength !== undefined && text.length > schema.maxLength) {
    return `${name}: expected at most ${schema.maxLength} characters`;
  }
  return "";
}

/**
 * What cannot be asked for together, or an empty text.
 * @param {Readonly<Record<string, string>>} values those that are given
 */
export function contradiction(values) {
  for (const [name, needed] of Object.entries(NEEDS)) if (name in values && !(needed in values)) return `${name}: only together with ${needed}`;
  for (const [name, other] of EXCLUDES) if (name in values && other in values) return `${name}: only without ${other}`;
  return "";
}

/**
 * The names of what needs the token, where the service has one. Of a distribution the service alone knows the
 * longest latency, so that one near the bound may be refused all the same.
 * @param {Readonly<Record<string, string>>} values @param {Open} open
 */
export function costly(values, open) {
  return Object.keys(values).filter((name) => {
    const text = values[name];
    if (["exit", "abort", "memory"].includes(name)) return true;
    if (name === "outage" || name === "cpu") return duration(text) !== 0;
    if (name === "body") return (size(text) ?? 0) > open.body_bytes;
    return name === "latency" && named(text).some((value) => value > open.latency_seconds);
  });
}
