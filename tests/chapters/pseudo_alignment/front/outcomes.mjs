// Reads agents and mazes as JSON and writes how the agents' episodes end there, computed as on the page.
import { readFileSync } from "node:fs";
import { run, unpack } from "../../../../innerlab/widgets/front/agents.js";
import { parse } from "../../../../innerlab/widgets/front/maze.js";

const { packed, fades, max_steps, mazes } = JSON.parse(readFileSync(0, "utf8"));
const networks = unpack(packed);
const ends = (text) => run(networks, parse(text), { fades, maxSteps: max_steps }).map((one) => one.ends);
process.stdout.write(JSON.stringify(mazes.map(ends)));
