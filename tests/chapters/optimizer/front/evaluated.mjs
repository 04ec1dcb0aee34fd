// Reads searches as JSON and writes all points that each evaluates, what they cost, and the slopes at some points.
import { readFileSync } from "node:fs";
import { generator } from "../../../../innerlab/widgets/front/random.js";
import { LANDSCAPES, SEARCHES, slopes } from "../../../../innerlab/chapters/optimizer/front/search.js";

const runs = JSON.parse(readFileSync(0, "utf8"));
process.stdout.write(JSON.stringify(runs.map(({ landscape, lowest, search, start, budget, box, seed, points }) => {
  const loss = (x) => LANDSCAPES[landscape](x, lowest);
  if (points) return { values: points.map(loss), slopes: points.map((x) => slopes(loss, x, loss(x))) };
  const evaluated = [];
  const noted = (x) => {
    evaluated.push(x);
    return loss(x);
  };
  const moments = [...SEARCHES[search]({ loss: noted, start, budget, box, random: generator(seed) })];
  return { evaluated, best: moments[moments.length - 1].best, spent: moments.map((moment) => moment.spent) };
})));
