/** A maze as a grid of cells for pointer, keyboard and screen reader, over a drawing of what lies and goes there. */

import { h, svg } from "./dom.js";
import { ACTIONS, named, SHAPES } from "./maze.js";

const CELL = 40;

/** A share in percent. */
export const percent = (share) => `${Math.round(100 * share)}\u00a0%`;

/**
 * A board on which cells can be painted.
 * @param {(cell: number) => void} paint is called for the cell that was clicked, dragged over or chosen by keyboard
 * @returns {{el: HTMLElement, show: (maze: import("./maze.js").Maze, probabilities: number[][],
 *   trail: {cells: number[], at: number} | null) => void}}
 */
export function board(paint) {
  const drawing = svg("svg", { "aria-hidden": "true" });
  const grid = h("div", { class: "il-grid", role: "grid", "aria-label": "Maze. Arrow keys move, Enter or space paints." });
  let [height, width, focused] = [0, 0, 0];

  function cells(maze) {
    if (maze.height === height && maze.width === width) return;
    [height, width, focused] = [maze.height, maze.width, maze.start];
    grid.replaceChildren(...Array.from({ length: height }, (_, y) => h("div", { role: "row" },
      ...Array.from({ length: width }, (_, x) => h("div", { role: "gridcell", "data-cell": y * width + x })))));
    grid.style.setProperty("--columns", width);
  }

  function show(maze, probabilities, trail) {
    cells(maze);
    for (const box of grid.querySelectorAll("[data-cell]")) {
      const cell = Number(box.dataset.cell);
      const place = `row ${Math.floor(cell / width) + 1}, column ${(cell % width) + 1}: ${named(maze, cell)}`;
      const goes = maze.wall[cell] || maze.thing[cell] ? "" : `; the agent goes ${moving(probabilities[cell])}`;
      box.setAttribute("aria-label", place + goes);
      box.tabIndex = cell === focused ? 0 : -1;
    }
    drawing.setAttribute("viewBox", `0 0 ${width * CELL} ${height * CELL}`);
    drawing.replaceChildren(...drawn(maze, probabilities, trail));
  }

  function focus(cell) {
    grid.querySelector(`[data-cell="${focused}"]`).tabIndex = -1;
    focused = cell;
    const box = grid.querySelector(`[data-cell="${focused}"]`);
    box.tabIndex = 0;
    box.focus();
  }
  const under = (event) => event.target.closest("[data-cell]");
  grid.addEventListener("click", (event) => {
    if (!under(event)) return;
    focus(Number(under(event).dataset.cell));
    paint(focused);
  });
  grid.addEventListener("pointerdown", (event) => {
    const box = under(event);
    if (box && event.pointerType === "mouse" && event.button === 0) paint(Number(box.dataset.cell)); // a drag begins here
  });
  grid.addEventListener("pointerover", (event) => {
    const box = under(event);
    if (box && event.pointerType === "mouse" && event.buttons === 1) paint(Number(box.dataset.cell));
  });
  grid.addEventListener("keydown", (event) => {
    const step = { ArrowUp: -width, ArrowDown: width, ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const chosen = event.key === "Enter" || event.key === " ";
    if (!chosen && step === undefined) return;
    event.preventDefault();
    if (chosen) paint(focused);
    else if (Math.abs(step) > 1 ? focused + step >= 0 && focused + step < height * width : inRow(step)) focus(focused + step);
  });
  const inRow = (step) => (step < 0 ? focused % width > 0 : focused % width < width - 1);

  return { el: h("div", { class: "il-board" }, drawing, grid), show };
}

/** Probabilities of the four moves in words, the likely ones only. */
function moving(probabilities) {
  const likely = ACTIONS.map((name, action) => [probabilities[action], name]).filter(([p]) => p >= 0.05);
  return likely.sort((a, b) => b[0] - a[0]).map(([p, name]) => `${name} ${percent(p)}`).join(", ");
}

function drawn({ wall, thing, start, width }, probabilities, trail) {
  const middle = (cell) => [((cell % width) + 0.5) * CELL, (Math.floor(cell / width) + 0.5) * CELL];
  const parts = wall.map((solid, cell) => {
    const [x, y] = middle(cell);
    const ground = svg("rect", { class: solid ? "il-wall" : "il-floor", x: x - CELL / 2, y: y - CELL / 2, width: CELL, height: CELL });
    if (thing[cell]) return svg("g", {}, ground, object(thing[cell], x, y));
    return solid ? ground : svg("g", {}, ground, svg("path", { class: "il-arrows", d: arrows(probabilities[cell], x, y) }));
  });
  const walked = trail ? trail.cells.slice(0, trail.at + 1) : [start];
  const line = walked.map((cell, i) => `${i ? "L" : "M"}${middle(cell).join(" ")}`).join("");
  const [x, y] = middle(walked[walked.length - 1]);
  return [...parts, svg("path", { class: "il-trail", d: line }), svg("path", { class: "il-agent", d: `M${x} ${y - 12}l10 22h-20z` })];
}

/** Four arrowheads, as long as their moves are likely. */
function arrows(probabilities, x, y) {
  const [UP, DOWN, LEFT, RIGHT] = [[0, -1], [0, 1], [-1, 0], [1, 0]];
  return [UP, DOWN, LEFT, RIGHT].map(([dx, dy], action) => {
    const long = 17 * probabilities[action];
    if (long < 0.7) return "";
    const wide = 1.5 + 3.5 * probabilities[action];
    const tip = [x + dx * (2 + long), y + dy * (2 + long)];
    const side = (sign) => [x + dx * 2 + sign * dy * wide, y + dy * 2 + sign * dx * wide];
    return `M${tip}L${side(1)}L${side(-1)}Z`;
  }).join("");
}

/** One thing, drawn as in the book's figures. */
function object({ shape, color }, x, y) {
  const filled = { class: `il-color-${color}` };
  const outlined = { class: `il-stroke-${color}` };
  if (SHAPES[shape] === "door") return svg("g", {}, svg("rect", { ...filled, x: x - 9, y: y - 15, width: 18, height: 30 }), svg("circle", { class: "il-knob", cx: x + 4.5, cy: y, r: 2 }));
  if (SHAPES[shape] === "key") return svg("g", {}, svg("circle", { ...outlined, cx: x - 7, cy: y, r: 6 }), svg("path", { ...outlined, d: `M${x - 1} ${y}h15v6m-6 -6v5` }));
  if (SHAPES[shape] === "ball") return svg("circle", { ...filled, cx: x, cy: y, r: 11 });
  return svg("rect", { ...filled, x: x - 11, y: y - 11, width: 22, height: 22 });
}
