/** What lies in a maze and which way an agent goes there, drawn and in words. */

import { agent, ground, middle, trail } from "./board.js";
import { svg } from "./dom.js";
import { ACTIONS, named, SHAPES } from "./maze.js";

/** A share in percent. */
export const percent = (share) => `${Math.round(100 * share)}\u00a0%`;

/** What a cell holds, and which way the agent goes from it. */
export function described(cell, maze, probabilities) {
  const goes = maze.wall[cell] || maze.thing[cell] ? "" : `; the agent goes ${moving(probabilities[cell])}`;
  return named(maze, cell) + goes;
}

/** Probabilities of the four moves in words, the likely ones only. */
function moving(probabilities) {
  const likely = ACTIONS.map((name, action) => [probabilities[action], name]).filter(([p]) => p >= 0.05);
  return likely.sort((a, b) => b[0] - a[0]).map(([p, name]) => `${name} ${percent(p)}`).join(", ");
}

/** A maze with its things, four arrows in every cell, and the way that was walked. */
export function drawn(maze, probabilities, walked) {
  const { wall, thing, start, width } = maze;
  const parts = wall.map((solid, cell) => {
    const [x, y] = middle(cell, width);
    if (thing[cell]) return svg("g", {}, ground(cell, maze), object(thing[cell], x, y));
    return solid ? ground(cell, maze) : svg("g", {}, ground(cell, maze), svg("path", { class: "il-arrows", d: arrows(probabilities[cell], x, y) }));
  });
  const way = walked ? walked.cells.slice(0, walked.at + 1) : [start];
  return [...parts, svg("path", { class: "il-trail", d: trail(way, width) }), agent(way[way.length - 1], width)];
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
export function object({ shape, color }, x, y) {
  const filled = { class: `il-color-${color}` };
  const outlined = { class: `il-stroke-${color}` };
  if (SHAPES[shape] === "door") return svg("g", {}, svg("rect", { ...filled, x: x - 9, y: y - 15, width: 18, height: 30 }), svg("circle", { class: "il-knob", cx: x + 4.5, cy: y, r: 2 }));
  if (SHAPES[shape] === "key") return svg("g", {}, svg("circle", { ...outlined, cx: x - 7, cy: y, r: 6 }), svg("path", { ...outlined, d: `M${x - 1} ${y}h15v6m-6 -6v5` }));
  if (SHAPES[shape] === "ball") return svg("circle", { ...filled, cx: x, cy: y, r: 11 });
  return svg("rect", { ...filled, x: x - 11, y: y - 11, width: 22, height: 22 });
}
