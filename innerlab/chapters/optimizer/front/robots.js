/** The chapter's robots: each is shown a sheet and the cell it stands on, and presses a button. */

import { moves } from "../../../widgets/front/maze.js";

const AS_LABELED = [0, 1, 2, 3], REVERSED = [1, 0, 3, 2];

/**
 * What every robot is shown before every move.
 * @typedef {object} Sheet
 * @property {number} name which maze this is, however much has been changed in it
 * @property {number} width
 * @property {number} height
 * @property {boolean[]} wall
 * @property {number} start
 * @property {number} target
 * @property {boolean} reversed whether up is down and left is right
 */

/** @returns {Sheet} */
export function read(text, reversed = false, name = 0) {
  const rows = text.split("\n");
  const signs = [...rows.join("")];
  return { name, width: rows[0].length, height: rows.length, wall: signs.map((sign) => sign === "#"), start: signs.indexOf("A"), target: signs.indexOf("T"), reversed };
}

/** The text of a sheet's maze. */
export function written({ wall, start, target, width, height }) {
  const sign = (cell) => (cell === start ? "A" : cell === target ? "T" : wall[cell] ? "#" : ".");
  return Array.from({ length: height }, (_, y) => Array.from({ length: width }, (_, x) => sign(y * width + x)).join("")).join("\n");
}

/** Where each button leads from each cell. */
export function leads(sheet) {
  const buttons = sheet.reversed ? REVERSED : AS_LABELED;
  return moves(sheet).map((there) => buttons.map((direction) => there[direction]));
}

/**
 * Breadth-first search for a shortest way to the target.
 * @returns {{buttons: number[], expansions: number}} no buttons where no way leads there
 */
export function search(next, cell, target) {
  const cameBy = new Map([[cell, null]]);
  const todo = [cell];
  let expansions = 0;
  while (expansions < todo.length && !cameBy.has(target)) {
    const here = todo[expansions];
    expansions += 1;
    next[here].forEach((there, button) => {
      if (cameBy.has(there)) return;
      cameBy.set(there, [button, here]);
      todo.push(there);
    });
  }
  const buttons = [];
  for (let back = cameBy.get(target); back; back = cameBy.get(back[1])) buttons.unshift(back[0]);
  return { buttons, expansions };
}

/** The rule: the first button whose label points closer to the target, where no wall stands on that side. */
export function rule({ wall, width, target }, cell) {
  const [row, column] = [Math.floor(cell / width), cell % width];
  const [toRow, toColumn] = [Math.floor(target / width), target % width];
  const closer = [toRow < row, toRow > row, toColumn < column, toColumn > column];
  const beside = [cell - width, cell + width, cell - 1, cell + 1];
  return Math.max(0, AS_LABELED.findIndex((button) => closer[button] && !wall[beside[button]]));
}

/**
 * Answers as they travel: runs of one button along the variants of a maze, for every cell under every target.
 * @param {string} runs each letter is a button (4 for none) and a length
 */
export function unrolled(runs) {
  return [...runs].flatMap((letter) => {
    const code = letter.charCodeAt(0) - 35;
    return new Array((code % 18) + 1).fill(Math.floor(code / 18));
  });
}

const key = (wall, reversed) => wall.map(Number).join("") + Number(reversed);

/** The full table: looks up an answer by walls, buttons, target and cell; undefined where it has none. */
export function fullTable(mazes) {
  const places = new Map();
  for (const { maze, variants, answers } of mazes) {
    const { wall } = read(maze);
    const rank = wall.map((_, cell) => wall.slice(0, cell).filter((solid) => !solid).length); // among the open cells
    const open = wall.filter((solid) => !solid).length;
    const buttons = unrolled(answers);
    variants.forEach(({ closed, reversed }, which) => {
      const answer = (target, cell) => buttons[(rank[target] * open + rank[cell]) * variants.length + which];
      places.set(key(wall.map((solid, cell) => solid || closed.includes(cell)), reversed), answer);
    });
  }
  return ({ wall, reversed, target }, cell) => places.get(key(wall, reversed))?.(target, cell);
}

/**
 * All robots by name: what each presses, undefined for any button at random, and how many cells it expanded for that.
 * @param {{maze: string, table: Record<string, number>, variants: object[], answers: string}[]} mazes as in training
 * @returns {Record<string, (sheet: Sheet, cell: number) => {button: number | undefined, expansions: number}>}
 */
export function robots(mazes) {
  const full = fullTable(mazes);
  const glance = (button) => ({ button, expansions: 0 });
  const planned = (next, cell, target) => {
    const { buttons, expansions } = search(next, cell, target);
    return { button: buttons[0], expansions };
  };
  return {
    table: ({ name }, cell) => glance(mazes[name].table[cell]),
    rule: (sheet, cell) => glance(rule(sheet, cell)),
    planner: (sheet, cell) => planned(leads(sheet), cell, sheet.target),
    "full table": (sheet, cell) => glance(full(sheet, cell)),
    "stale planner": ({ name, target }, cell) => planned(leads(read(mazes[name].maze)), cell, target),
  };
}

/**
 * A walk to the target, or for so many steps.
 * @returns {{cells: number[], arrived: boolean, expansions: number, strayed: number}} strayed: buttons pressed at random
 */
export function walk(robot, sheet, steps, random) {
  const next = leads(sheet);
  const cells = [sheet.start];
  let [expansions, strayed] = [0, 0];
  while (cells[cells.length - 1] !== sheet.target && cells.length <= steps) {
    const cell = cells[cells.length - 1];
    const { button, expansions: more } = robot(sheet, cell);
    if (button === undefined) strayed += 1;
    expansions += more;
    cells.push(next[cell][button ?? Math.floor(4 * random())]);
  }
  return { cells, arrived: cells[cells.length - 1] === sheet.target, expansions, strayed };
}

/** A sheet with wall, floor, the target or the start put into one cell, or a sentence that says why that cannot be. */
export function edited(sheet, cell, brush) {
  if (cell === sheet[brush]) return sheet;
  if (cell === sheet.start || cell === sheet.target) return "Start and target keep their cells. Move them elsewhere first.";
  if (brush === "wall" || brush === "floor") return { ...sheet, wall: sheet.wall.map((solid, other) => (other === cell ? brush === "wall" : solid)) };
  return sheet.wall[cell] ? "There is a wall. Put floor there first." : { ...sheet, [brush]: cell };
}

/** Whether a challenge is met: those that are to arrive do, and those that are to fail do not. */
export const met = ({ arrive, fail }, arrived) => arrive.every((name) => arrived[name]) && fail.every((name) => arrived[name] === false);
