/** The chapter's landscapes, and four of its ways of searching them, in any number of dimensions. */

import { normal } from "../../../widgets/front/random.js";

const sum = (numbers) => numbers.reduce((a, b) => a + b, 0);

/** What a point costs, by the name of the landscape; all are lowest, at zero, in one place. */
export const LANDSCAPES = {
  bowl: (x, lowest) => sum(x.map((value, i) => (value - lowest[i]) * (value - lowest[i]))),
  valley: (x, lowest) => {
    const z = x.map((value, i) => (value - lowest[i]) / 2 + 1);
    return sum(z.slice(1).map((after, i) => 100 * (after - z[i] * z[i]) * (after - z[i] * z[i]) + (1 - z[i]) * (1 - z[i])));
  },
  "egg crate": (x, lowest) => sum(x.map((value, i) => {
    const z = value - lowest[i];
    return z * z + 10 * (1 - Math.cos(2 * Math.PI * z));
  })),
  terraces: (x, lowest) => sum(x.map((value, i) => Math.floor(Math.abs(value - lowest[i]) / 0.5))),
};

/**
 * @typedef {object} Moment
 * @property {number} spent evaluations so far
 * @property {number[]} at where the search stands
 * @property {number} best the lowest loss that it counts as found
 * @property {number[][]} [tried] the points that it has just tried, where they are scattered
 */

/**
 * @typedef {object} Task
 * @property {(x: number[]) => number} loss
 * @property {number[]} start
 * @property {number} budget how many evaluations there are
 * @property {number} box coordinates run from minus this to this
 * @property {() => number} random
 */

/** @type {Record<string, (task: Task) => Generator<Moment>>} */
export const SEARCHES = { "random search": randomSearch, "hill climbing": hillClimbing, "gradient descent": gradientDescent, "evolution strategy": evolution };

const clipped = (x, box) => x.map((value) => Math.min(Math.max(value, -box), box));

function* randomSearch({ loss, start, budget, box, random }) {
  let [at, best] = [start, loss(start)];
  yield { spent: 1, at, best };
  for (let spent = 2; spent <= budget; spent += 1) {
    const guess = start.map(() => -box + 2 * box * random());
    const its = loss(guess);
    if (its < best) [at, best] = [guess, its];
    yield { spent, at, best, tried: [guess] };
  }
}

function* hillClimbing({ loss, start, budget, box, random }) {
  let [at, best] = [start, loss(start)];
  yield { spent: 1, at, best };
  for (let spent = 2; spent <= budget; spent += 1) {
    const near = clipped(at.map((value) => value + 0.5 * normal(random)), box);
    const its = loss(near);
    if (its <= best) [at, best] = [near, its];
    yield { spent, at, best };
  }
}

/** How much higher it is a little further along each axis. */
export function slopes(loss, x, here) {
  return x.map((_, axis) => loss(x.map((value, i) => (i === axis ? value + 1e-4 : value))) - here);
}

function* gradientDescent({ loss, start, budget, box }) {
  let [at, best, stride] = [start, loss(start), 1];
  yield { spent: 1, at, best };
  for (let spent = 2 + at.length; spent <= budget; spent += 1 + at.length) {
    const slope = slopes(loss, at, best);
    const steep = Math.max(Math.sqrt(sum(slope.map((value) => value * value))), 1e-30);
    const next = clipped(at.map((value, i) => value - (stride * slope[i]) / steep), box);
    const its = loss(next);
    stride *= its < best ? 1.5 : 0.5;
    if (its < best) [at, best] = [next, its];
    yield { spent, at, best };
  }
}

const FAMILY = 10, PARENTS = 3;

function* evolution({ loss, start, budget, box, random }) {
  let [at, best, size] = [start, loss(start), 1];
  yield { spent: 1, at, best };
  const mean = (numbers) => sum(numbers) / numbers.length;
  for (let spent = 1 + FAMILY; spent <= budget; spent += FAMILY) {
    const sizes = Array.from({ length: FAMILY }, () => size * Math.exp(normal(random) / Math.sqrt(2 * at.length)));
    const young = sizes.map((one) => clipped(at.map((value) => value + one * normal(random)), box));
    const its = young.map(loss);
    const fittest = its.map((_, i) => i).sort((a, b) => its[a] - its[b]).slice(0, PARENTS);
    at = at.map((_, axis) => mean(fittest.map((i) => young[i][axis])));
    size = Math.exp(mean(fittest.map((i) => Math.log(sizes[i]))));
    best = Math.min(best, ...its);
    yield { spent, at, best, tried: young };
  }
}
