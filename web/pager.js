// Asks for the page again and shows what changed. Where the pager does not answer, what it said last stays
// on the screen, with the word that it is old: a pager that is gone must not look like one where nothing rang.

/** Between two askings, milliseconds; and how long an answer may take. */
const EVERY = 10_000;
const PATIENCE = 5_000;

const reached = /** @type {HTMLElement} */ (document.getElementById("reached"));
const clock = () => new Date().toTimeString().slice(0, 8);
let since = "";

async function again() {
  try {
    const answer = await fetch(location.href, { cache: "no-store", signal: AbortSignal.timeout(PATIENCE) });
    if (!answer.ok) throw new Error(`It answered ${answer.status}.`);
    show(new DOMParser().parseFromString(await answer.text(), "text/html"));
    since = "";
    say("", `As of ${clock()}.`);
  } catch (error) {
    since ||= clock();
    const why = error instanceof TypeError ? "" : error instanceof DOMException ? " It took too long." : ` ${/** @type {Error} */ (error).message}`;
    say("lost", `The pager does not answer since ${since}: below is what it said before.${why} Trying again every ${EVERY / 1000} s.`);
  }
}

/** Read aloud when it is lost, and not every ten seconds while all is well. @param {"" | "lost"} state @param {string} text */
function say(state, text) {
  reached.ariaLive = state ? "polite" : "off";
  reached.className = state;
  reached.textContent = text;
}

/** Whoever goes through the links by keyboard keeps their place. @param {Document} fresh */
function show(fresh) {
  const [old, now] = [document, fresh].map((page) => page.getElementById("rang"));
  if (!old || !now) return;
  const links = [...old.querySelectorAll("a")];
  const focused = links.findIndex((link) => link === document.activeElement);
  old.replaceChildren(...now.childNodes);
  if (focused >= 0) old.querySelectorAll("a")[focused]?.focus();
}

say("", `As of ${clock()}.`);
setInterval(() => {
  if (!document.hidden) again();
}, EVERY);
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) again();
});
