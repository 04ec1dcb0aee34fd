// Reads mazes as they travel and changed ones as JSON, and writes how each robot walks there, computed as on the page.
import { readFileSync } from "node:fs";
import { generator } from "../../../../innerlab/widgets/front/random.js";
import { read, robots, walk, written } from "../../../../innerlab/chapters/optimizer/front/robots.js";

const { mazes, changed } = JSON.parse(readFileSync(0, "utf8"));
const all = robots(mazes);
process.stdout.write(JSON.stringify(changed.map(({ maze, reversed, preset, steps }) => {
  const sheet = read(maze, reversed, preset);
  if (written(sheet) !== maze) throw new Error(`${maze} is written as ${written(sheet)}`);
  return Object.fromEntries(Object.entries(all).map(([name, robot]) => [name, walk(robot, sheet, steps, generator(1))]));
})));
