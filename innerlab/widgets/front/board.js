/** A maze as a grid of cells for pointer, keyboard and screen reader, over a drawing of what lies and goes there. */

import { h, svg } from "./dom.js";

export const CELL = 40;

/** The middle of a cell in a drawing. */
export const middle = (cell, width) => [((cell % width) + 0.5) * CELL, (Math.floor(cell / width) + 0.5) * CELL];

/** The ground of a cell. */
export function ground(cell, { wall, width }) {
  const [x, y] = middle(cell, width);
  return svg("rect", { class: wall[cell] ? "il-wall" : "il-floor", x: x - CELL / 2, y: y - CELL / 2, width: CELL, height: CELL });
}

/** The way over some cells, as a path. */
export const trail = (cells, width) => cells.map((cell, i) => `${i ? "L" : "M"}${middle(cell, width).join(" ")}`).join("");

/** A triangle for who walks. */
export function agent(cell, width) {
  const [x, y] = middle(cell, width);
  return svg("path", { class: "il-agent", d: `M${x} ${y - 12}l10 22h-20z` });
}

/**
 * A board on which cells can be painted.
 * @param {(cell: number) => void} paint is called for the cell that was clicked, dragged over or chosen by keyboard
 * @param {(cell: number, maze: object, ...more: any[]) => string} named what is in a cell and goes on there
 * @param {(maze: object, ...more: any[]) => Element[]} drawn
 * @returns {{el: HTMLElement, show: (maze: {height: number, width: number, start: number}, ...more: any[]) => void}}
 */
export function board(paint, named, drawn) {
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

  function show(maze, ...more) {
    cells(maze);
    for (const box of grid.querySelectorAll("[data-cell]")) {
      const cell = Number(box.dataset.cell);
      box.setAttribute("aria-label", `row ${Math.floor(cell / width) + 1}, column ${(cell % width) + 1}: ${named(cell, maze, ...more)}`);
      box.tabIndex = cell === focused ? 0 : -1;
    }
    drawing.setAttribute("viewBox", `0 0 ${width * CELL} ${height * CELL}`);
    drawing.replaceChildren(...drawn(maze, ...more));
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
