// Reads starts and planners as JSON and writes the path from each, at the steps that are asked for, computed as on the page.
import { readFileSync } from "node:fs";
import { conserved, deceptive, descended } from "../../../../innerlab/chapters/deceptive_alignment/front/descent.js";

process.stdout.write(JSON.stringify(JSON.parse(readFileSync(0, "utf8")).map(({ start, looks, planner }) => {
  const way = descended(start, looks[looks.length - 1], planner);
  return { path: looks.map((step) => way[step]), deceptive: deceptive(start, planner), conserved: conserved(start, planner) };
})));
