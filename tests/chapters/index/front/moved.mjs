// Reads a front door's state as JSON and writes, for each group and layout, how each agent's episodes end and what
// share of many walks ends in each way, computed as on the page.
import { readFileSync } from "node:fs";
import { endings, tally, unpackMoves, walks } from "../../../../innerlab/chapters/index/front/front_door.js";
import { parse } from "../../../../innerlab/widgets/front/maze.js";

const { packed, rooms, agents, max_steps, draws } = JSON.parse(readFileSync(0, "utf8"));
const mazes = rooms.flat().map(parse);
const tables = unpackMoves(packed, { groups: 2, layouts: mazes.length, agents, cells: mazes[0].wall.length });
const share = (maze, moves) => {
  const totals = [0, 0, 0, 0];
  for (let seed = 0; seed < draws; seed += 1) tally(maze, walks(maze, moves, max_steps, seed)).forEach((count, way) => (totals[way] += count));
  return totals.map((total) => total / draws / agents);
};
process.stdout.write(JSON.stringify({
  ends: tables.map((layouts) => layouts.map((moves, i) => endings(mazes[i], moves, max_steps))),
  walked: tables.map((layouts) => layouts.map((moves, i) => share(mazes[i], moves))),
}));
