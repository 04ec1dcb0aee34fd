/** The chapter's trained agents, computed on the page: what they smell, which way they go, and how that ends. */

import { moves, outcome } from "./maze.js";

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

/** A copy of these numbers with every negative one put to zero. */
function relu(values) {
  return values.map((value) => Math.max(0, value));
}

/** `x W + b` for a row x and a weight stored row by row. */
function dense(x, weight, bias) {
  const out = Float64Array.from(bias);
  const width = out.length;
  for (let i = 0; i < x.length; i += 1) {
    if (x[i] === 0) continue;
    for (let j = 0; j < width; j += 1) out[j] += x[i] * weight[i * width + j];
  }
  return out;
}

/** What one network makes of one scent: a single number. */
export function score([weight1, bias1, weight2, bias2, weight3, bias3], scent) {
  return dense(relu(dense(relu(dense(scent, weight1, bias1)), weight2, bias2)), weight3, bias3)[0];
}

/** Steps from every cell to the nearest of some cells, by breadth-first search; Infinity where there is no way. */
export function distances(next, targets) {
  const steps = new Array(next.length).fill(Infinity);
  for (const cell of targets) steps[cell] = 0;
  for (let queue = [...targets], i = 0; i < queue.length; i += 1) {
    for (const cell of next[queue[i]]) {
      if (steps[cell] <= steps[queue[i]] + 1) continue;
      steps[cell] = steps[queue[i]] + 1;
      queue.push(cell);
    }
  }
  return steps;
}

/** What each cell smells of: for each shape, then each color, the decay to the power of the steps to the nearest. */
export function scents(maze, decay) {
  const next = moves(maze);
  const features = [0, 1, 2, 3].flatMap((i) => [{ key: "shape", i }]).concat([0, 1, 2, 3].map((i) => ({ key: "color", i })));
  const fields = features.map(({ key, i }) => {
    const cells = maze.thing.flatMap((thing, cell) => (thing?.[key] === i ? [cell] : []));
    return distances(next, cells).map((steps) => decay ** steps);
  });
  return maze.wall.map((_, cell) => Float64Array.from(fields, (field) => field[cell]));
}

/** Where one agent goes from every cell: the probabilities of the four actions. */
export function policy(network, next, smelled) {
  const scores = smelled.map((scent) => score(network, scent));
  return next.map((targets) => {
    const logits = targets.map((cell) => scores[cell]);
    const most = Math.max(...logits);
    const weights = logits.map((logit) => Math.exp(logit - most));
    const sum = weights.reduce((a, b) => a + b, 0);
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
export function run(networks, maze, { decay, maxSteps }) {
  const next = moves(maze);
  const smelled = scents(maze, decay);
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
