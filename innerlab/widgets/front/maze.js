/** Mazes as text, as `innerlab.worlds.layouts.from_text` reads them, and as the tables that agents walk on. */

export const SHAPES = ["door", "key", "ball", "box"];
export const COLORS = ["red", "blue", "green", "yellow"];
export const ACTIONS = ["up", "down", "left", "right"];
const MARKS = ["D", "K", "O", "X"];
const STEPS = [[-1, 0], [1, 0], [0, -1], [0, 1]];

/**
 * @typedef {object} Maze
 * @property {number} height
 * @property {number} width
 * @property {boolean[]} wall
 * @property {number} start the cell in which the agent begins
 * @property {({shape: number, color: number} | null)[]} thing what lies in each cell
 */

/** @returns {Maze} */
export function parse(text) {
  const rows = text.trim().split("\n").map((line) => line.trim().split(/\s+/));
  const words = rows.flat();
  return {
    height: rows.length,
    width: rows[0].length,
    wall: words.map((word) => word === "#"),
    start: words.indexOf("A"),
    thing: words.map((word) => {
      const shape = MARKS.indexOf(word[1]);
      return shape < 0 ? null : { shape, color: COLORS.findIndex((color) => color[0] === word[0]) };
    }),
  };
}

/** The text of a maze. */
export function format({ height, width, wall, start, thing }) {
  const word = (cell) => {
    if (cell === start) return "A";
    if (thing[cell]) return COLORS[thing[cell].color][0] + MARKS[thing[cell].shape];
    return wall[cell] ? "#" : ".";
  };
  const row = (y) => Array.from({ length: width }, (_, x) => word(y * width + x).padEnd(2)).join(" ").trimEnd();
  return Array.from({ length: height }, (_, y) => row(y)).join("\n");
}

/** What a cell holds, in words. */
export function named({ wall, start, thing }, cell) {
  if (cell === start) return "agent's start";
  if (thing[cell]) return `${COLORS[thing[cell].color]} ${SHAPES[thing[cell].shape]}`;
  return wall[cell] ? "wall" : "floor";
}

/** Where each action leads from each cell; a wall or the edge leaves one in place. */
export function moves({ height, width, wall }) {
  return wall.map((_, cell) => {
    const [row, column] = [Math.floor(cell / width), cell % width];
    return STEPS.map(([down, right]) => {
      const [y, x] = [row + down, column + right];
      const inside = y >= 0 && y < height && x >= 0 && x < width;
      return inside && !wall[y * width + x] ? y * width + x : cell;
    });
  });
}

/** How an episode that touches a thing ends: 1 for a door, 2 for another red thing, 3 for any other thing. */
export function outcome({ shape, color }) {
  if (shape === 0) return 1;
  return color === 0 ? 2 : 3;
}

/** A copy of a maze in which one cell holds something else, or a sentence that says why it cannot. */
export function painted(maze, cell, brush) {
  if (cell === maze.start && brush !== "agent") return "The agent starts here. Put it elsewhere first.";
  const copy = { ...maze, wall: [...maze.wall], thing: [...maze.thing] };
  copy.wall[cell] = brush === "wall";
  copy.thing[cell] = typeof brush === "object" ? { ...brush } : null;
  if (brush === "agent") copy.start = cell;
  return copy;
}
