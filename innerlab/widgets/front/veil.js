/** Hides figures until those who ask about them have been answered. On paper and without scripts nothing is hidden. */

import { button, h } from "./dom.js";

/** @type {Map<string, Set<() => void>>} for each veiled figure, how to end the questions that it waits for */
const waiting = new Map();

/**
 * Veil a figure until `unveil` is called for the same question.
 * @param {string} name the figure's id; one that the page lacks, or that the address points at, stays in view
 * @param {() => void} end ends the question
 */
export function veil(name, end) {
  const figure = document.getElementById(name);
  if (!figure || location.hash === "#" + name) return;
  if (!waiting.has(name)) waiting.set(name, new Set());
  waiting.get(name).add(end);
  if (figure.classList.contains("il-veiled")) return;
  figure.classList.add("il-veiled");
  const show = button("Show it without predicting", () => [...waiting.get(name)].forEach((reveal) => reveal()));
  figure.prepend(h("div", { class: "il-veil" }, h("p", {}, "Veiled until you have made your prediction above."), show));
}

/** Take back what `veil` did for one question; the figure shows when it waits for no other. */
export function unveil(name, end) {
  const questions = waiting.get(name);
  if (!questions?.delete(end) || questions.size) return;
  const figure = document.getElementById(name);
  figure.classList.remove("il-veiled");
  figure.querySelector(".il-veil").remove();
}
