/** The chapter's trained agents, computed on the page: what they smell, which way they go, and how that ends. */

import { COLORS, moves, outcome, SHAPES } from "./maze.js";

/**
 * Weights as they travel: whole numbers from -127 to 127, one scale for each network and tensor.
 * @param {{weights: string, scales: string, shapes: number[][], networks: number}} packed in base64
 * @returns {Float64Array[][]} for each network its tensors
 */
export function unpack({ weights, scales, shapes, networks }) {
  const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const whole = new Int8Array(bytes(weights).buffer);
  const scale = new DataView(bytes(scales).buffer);
  let at = 0;
  const sizes = shapes.map((shape) => shape.reduce((a, b) => a * b, 1));
  return Array.from({ length: networks }, (_, network) => sizes.map((size, tensor) => {
    const by = scale.getFloat32(4 * (network * sizes.length + tensor), true);
    const values = Float64Array.from(whole.subarray(at, at + size), (value) => value * by);
    at += size;
    return values;
  }));
}

/** `x W + b` for a row x, a weight stored row by row and a bias; what is negative is put to zero where it says so. */
function dense(x, weight, bias, positive = true) {
  const out = Float64Array.from(bias);
  const width = out.length;
  for (let i = 0; i < x.length; i += 1) {
    const value = x[i];
    if (value === 0) continue;
    for (let j = 0, at = i * width; j < width; j += 1, at += 1) out[j] += value * weight[at];
  }
  if (positive) for (let j = 0; j < width; j += 1) if (out[j] < 0) out[j] = 0;
  return out;
}

const NO_BIAS = [0];

/** What one network thinks of one scent: a single number. */
export function rate([weight1, bias1, weight2, bias2, weight3], scent) {
  return dense(dense(dense(scent, weight1, bias1), weight2, bias2), weight3, NO_BIAS, false)[0];
}

/**
 * Steps from every cell to touch the nearest of some things without touching another thing before, by breadth-first
 * search; Infinity where no way leads, as from the cells of other things.
 */
export function steps({ thing }, next, targets) {
  const found = new Array(next.length).fill(Infinity);
  for (const cell of targets) found[cell] = 0;
  for (let queue = [...targets], i = 0; i < queue.length; i += 1) {
    for (const cell of next[queue[i]]) {
      if (thing[cell] || found[cell] <= found[queue[i]] + 1) continue;
      found[cell] = found[queue[i]] + 1;
      queue.push(cell);
    }
  }
  return found;
}

/** What each cell smells of: for each shape, then each color, how far a scent fades over the steps to the nearest. */
export function scents(maze, next, fades) {
  const field = (feature, value) => {
    const cells = maze.thing.flatMap((thing, cell) => (thing?.[feature] === value ? [cell] : []));
    return steps(maze, next, cells).map((far) => fades ** far);
  };
  const fields = [...SHAPES.map((_, shape) => field("shape", shape)), ...COLORS.map((_, color) => field("color", color))];
  return maze.wall.map((_, cell) => Float64Array.from(fields, (values) => values[cell]));
}

/** Where one agent goes from every cell: the probabilities of the four actions, each rated by where it leads. */
export function policy(network, next, smelled) {
  const ratings = smelled.map((scent) => rate(network, scent));
  return next.map(([up, down, left, right]) => {
    const [a, b, c, d] = [ratings[up], ratings[down], ratings[left], ratings[right]];
    const most = Math.max(a, b, c, d);
    const weights = [Math.exp(a - most), Math.exp(b - most), Math.exp(c - most), Math.exp(d - most)];
    const sum = weights[0] + weights[1] + weights[2] + weights[3];
    return weights.map((weight) => weight / sum);
  });
}

/**
 * How an episode ends, exactly: the distribution over cells is carried forward, and nothing is sampled.
 * @returns {number[]} nothing, door, red, other
 */
export function ends(maze, next, probabilities, maxSteps) {
  const totals = [0, 0, 0, 0];
  let here = new Float64Array(next.length);
  here[maze.start] = 1;
  for (let step = 0; step < maxSteps; step += 1) {
    const there = new Float64Array(next.length);
    for (let cell = 0; cell < next.length; cell += 1) {
      if (here[cell] === 0) continue;
      for (let action = 0; action < 4; action += 1) {
        const target = next[cell][action];
        const flow = here[cell] * probabilities[cell][action];
        if (maze.thing[target]) totals[outcome(maze.thing[target])] += flow;
        else there[target] += flow;
      }
    }
    here = there;
  }
  totals[0] = here.reduce((a, b) => a + b, 0);
  return totals;
}

/** All agents in one maze: what each does in every cell, and how its episodes end. */
export function run(networks, maze, { fades, maxSteps }) {
  const next = moves(maze);
  const smelled = scents(maze, next, fades);
  return networks.map((network) => {
    const probabilities = policy(network, next, smelled);
    return { probabilities, ends: ends(maze, next, probabilities, maxSteps) };
  });
}

/**
 * One episode, drawn with the help of `random`.
 * @returns {{cells: number[], touched: boolean}} the cells stood on, the last of them the one touched
 */
export function walk(maze, probabilities, maxSteps, random = Math.random) {
  const next = moves(maze);
  const cells = [maze.start];
  while (cells.length <= maxSteps) {
    const cell = cells[cells.length - 1];
    let left = random();
    const action = probabilities[cell].findIndex((p) => (left -= p) < 0);
    const target = next[cell][action < 0 ? 3 : action];
    cells.push(target);
    if (maze.thing[target]) return { cells, touched: true };
  }
  return { cells, touched: false };
}
