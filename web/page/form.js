// The form for /work: its bounds, what is wrong with what it holds, and what it comes to.

import { contradiction, costly, limit, problem } from "./bounds.js";
import { curl, drill } from "./snippets.js";

/** @typedef {import("./bounds.js").Parameter} Parameter */
/** @typedef {import("./snippets.js").Pace} Pace */
/** @typedef {{ version: string, token_needed: boolean, open: import("./bounds.js").Open, workloads: string[] }} Settings */

/** @type {Record<string, { values: Record<string, string>, pace: Pace }>} */
const PRESETS = {
  "slow-tail": { values: { latency: "p50=40ms,p99=900ms" }, pace: { rate: 10, seconds: 60 } },
  "one-in-three-fails": { values: { error_rate: "0.33" }, pace: { rate: 10, seconds: 60 } },
  "eat-a-core": { values: { cpu: "500ms", latency: "1ms" }, pace: { rate: 2, seconds: 60 } },
  leak: { values: { memory: "48MiB", hold: "20s", latency: "1ms" }, pace: { rate: 1, seconds: 20 } },
  crash: { values: { exit: "1" }, pace: { burst: 1 } },
  clear: { values: {}, pace: { rate: 10, seconds: 30 } },
};

/** @template {HTMLElement} T @param {string} id @returns {T} */
const element = (id) => /** @type {T} */ (document.getElementById(id));

/** The form, as what it holds. */
export class Form {
  #form = /** @type {HTMLFormElement} */ (element("work"));
  /** @type {Parameter[]} */
  #parameters = [];
  /** @type {Settings | undefined} */
  #settings;
  /** What was chosen last, which names the phase of a drill. */
  #name = "sending";

  constructor() {
    this.#form.addEventListener("input", (event) => {
      if (event.target !== element("token")) this.#name = "sending";
      this.show();
    });
    for (const button of this.#form.querySelectorAll("[data-preset]"))
      button.addEventListener("click", () => this.#choose(/** @type {HTMLElement} */ (button).dataset.preset ?? "clear"));
    for (const button of this.#form.querySelectorAll("[data-copy]"))
      button.addEventListener("click", () => copy(/** @type {HTMLElement} */ (button).dataset.copy ?? ""));
    this.show();
  }

  /** Takes the bounds that are in force. @param {Parameter[]} parameters @param {Settings} settings */
  know(parameters, settings) {
    this.#parameters = parameters;
    this.#settings = settings;
    for (const parameter of parameters) {
      const field = this.#field(parameter.name);
      if (!field) continue;
      field.title = parameter.description;
      element(`l-${parameter.name}`).textContent = limit(parameter);
      if (field instanceof HTMLSelectElement) {
        const words = parameter.name === "workload" ? settings.workloads : parameter.schema.enum;
        const chosen = field.value || (parameter.name === "workload" && words.includes("web") ? "web" : "");
        field.length = 1;
        for (const word of words) field.add(new Option(word, word));
        field.value = chosen;
      }
    }
    this.show();
  }

  /** What is given, by name, in the order of the service's table. @returns {Record<string, string>} */
  get values() {
    const names = this.#parameters.length > 0 ? this.#parameters.map(({ name }) => name) : [...new FormData(this.#form).keys()];
    /** @type {Record<string, string>} */
    const values = {};
    for (const name of names) {
      const text = name === "pace" ? "" : this.#field(name)?.value.trim();
      if (text) values[name] = text;
    }
    return values;
  }

  /** @returns {Pace} */
  get pace() {
    const of = (/** @type {string} */ id) => Number(/** @type {HTMLInputElement} */ (element(id)).value);
    return new FormData(this.#form).get("pace") === "burst" ? { burst: of("burst") } : { rate: of("rate"), seconds: of("seconds") };
  }

  get token() {
    return /** @type {HTMLInputElement} */ (element("token")).value.trim();
  }

  /** What the service would refuse, or an empty text. Marks the fields that it is about. */
  problem() {
    const { values } = this;
    let first = "";
    for (const parameter of this.#parameters) {
      const wrong = parameter.name in values ? problem(parameter, values[parameter.name]) : "";
      this.#field(parameter.name)?.setAttribute("aria-invalid", String(wrong !== ""));
      first ||= wrong;
    }
    for (const id of Object.keys(this.pace)) {
      const input = /** @type {HTMLInputElement} */ (element(id));
      const wrong = !input.validity.valid || !Number.isInteger(input.valueAsNumber);
      input.setAttribute("aria-invalid", String(wrong));
      if (wrong) first ||= `${input.getAttribute("aria-label")}: expected a whole number from ${input.min} to ${input.max}`;
    }
    return first || contradiction(values);
  }

  /** Says what the fields come to. */
  show() {
    const { values } = this;
    const wishes = this.#settings ? costly(values, this.#settings.open) : [];
    const needs = element("needs");
    const isNeeded = Boolean(this.#settings?.token_needed && wishes.length > 0);
    needs.className = isNeeded && !this.token ? "needed" : "";
    needs.textContent = !this.#settings
      ? "Asking the service…"
      : !this.#settings.token_needed
        ? "This service has none: everything is open."
        : wishes.length === 0
          ? "Nothing here needs it."
          : `${wishes.join(", ")} ${wishes.length > 1 ? "need" : "needs"} it. It is not stored.`;
    element("problem").textContent = this.problem();
    element("curl").textContent = curl(new URL("work", location.href).href, values, isNeeded);
    element("drill").textContent = drill(this.#name, values, this.pace);
  }

  /** @param {string} name */
  #choose(name) {
    const { values, pace } = PRESETS[name];
    for (const { name } of this.#parameters) {
      const field = this.#field(name);
      if (field && name !== "workload") field.value = values[name] ?? "";
    }
    const isBurst = "burst" in pace;
    /** @type {HTMLInputElement} */ (this.#form.querySelector(`[name=pace][value=${isBurst ? "burst" : "steady"}]`)).checked = true;
    for (const [id, value] of Object.entries(pace)) /** @type {HTMLInputElement} */ (element(id)).value = String(value);
    this.#name = name === "clear" ? "sending" : name;
    this.show();
  }

  /** @param {string} name @returns {HTMLInputElement | HTMLSelectElement | null} */
  #field(name) {
    return document.querySelector(`#f-${name}`);
  }
}

/** @param {string} id */
async function copy(id) {
  const said = element("copied");
  try {
    await navigator.clipboard.writeText(element(id).textContent ?? "");
    said.textContent = "Copied.";
  } catch {
    // Browsers grant the clipboard to https and to localhost alone.
    getSelection()?.selectAllChildren(element(id));
    said.textContent = "The browser does not allow that here. It is selected: press Ctrl+C.";
  }
}
