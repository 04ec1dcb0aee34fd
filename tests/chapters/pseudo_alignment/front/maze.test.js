import assert from "node:assert/strict";
import { test } from "node:test";
import { ends, policy, rate, run, scents, steps, unpack, walk } from "../../../../innerlab/widgets/front/agents.js";
import { format, moves, named, outcome, painted, parse } from "../../../../innerlab/widgets/front/maze.js";
import { cuesInReach, likeliest, met, tally } from "../../../../innerlab/chapters/pseudo_alignment/front/maze_bench.js";

const TEXT = ["A  .  rD", ".  #  .", "bK .  yO"].join("\n");

test("a maze is read and written back", () => {
  assert.equal(format(parse(TEXT)), TEXT);
  const maze = parse(TEXT);
  assert.deepEqual([maze.height, maze.width, maze.start], [3, 3, 0]);
  assert.deepEqual([0, 1, 2, 4, 6, 8].map((cell) => named(maze, cell)), ["agent's start", "floor", "red door", "wall", "blue key", "yellow ball"]);
  assert.deepEqual([2, 6, 8].map((cell) => outcome(maze.thing[cell])), [1, 3, 3]);
  assert.equal(outcome({ shape: 1, color: 0 }), 2);
});

test("edges and walls leave one in place", () => {
  const next = moves(parse(TEXT));
  assert.deepEqual(next[0], [0, 3, 0, 1]);
  assert.deepEqual(next[1], [1, 1, 0, 2]);
});

test("painting changes one cell of a copy, and never the cell under the agent", () => {
  const maze = parse(TEXT);
  assert.match(painted(maze, 0, "wall"), /starts here/);
  const walled = painted(maze, 1, "wall");
  assert.equal(format(walled), TEXT.replace("A  .", "A  #"));
  assert.equal(format(maze), TEXT);
  assert.equal(named(painted(maze, 8, "floor"), 8), "floor");
  assert.equal(named(painted(walled, 1, { shape: 3, color: 2 }), 1), "green box");
  const moved = painted(maze, 8, "agent");
  assert.deepEqual([moved.start, named(moved, 0), named(moved, 8)], [8, "floor", "agent's start"]);
});

test("episodes add up and end where they are led", () => {
  const maze = parse(TEXT);
  const right = maze.wall.map(() => [0, 0, 0, 1]);
  assert.deepEqual(ends(maze, moves(maze), right, 1), [1, 0, 0, 0]);
  assert.deepEqual(ends(maze, moves(maze), right, 2), [0, 1, 0, 0]);
  const even = maze.wall.map(() => [0.25, 0.25, 0.25, 0.25]);
  const found = ends(maze, moves(maze), even, 60);
  assert.ok(Math.abs(found.reduce((a, b) => a + b) - 1) < 1e-12);
  assert.ok(found[1] > 0.4 && found[3] > 0.4);
});

test("steps go around walls and never through another thing", () => {
  const maze = parse(["A  .  rD", ".  #  .", "bK .  yO"].join("\n"));
  const next = moves(maze);
  assert.deepEqual(steps(maze, next, [2]), [2, 1, 0, 3, Infinity, 1, Infinity, Infinity, Infinity]);
  const smelled = scents(maze, next, 0.9);
  assert.deepEqual([...smelled[1]], [0.9, 0.9 ** 3, 0, 0, 0.9, 0.9 ** 3, 0, 0]);
  assert.deepEqual([...smelled[2]], [1, 0, 0, 0, 1, 0, 0, 0]);
  assert.deepEqual([...smelled[7]], [0, 0.9, 0.9, 0, 0, 0.9, 0, 0.9]);
});

/** Networks that like one feature by so much, packed as they travel. */
function liking(...likes) {
  const shapes = [[8, 1], [1, 1], [1, 1], [1, 1], [1, 1]];
  const whole = likes.flatMap(({ feature }) => [...Array.from({ length: 8 }, (_, i) => (i === feature ? 127 : 0)), 0, 127, 0, 127]);
  const scales = new Float32Array(likes.flatMap(({ by }) => [1 / 127, 1, 1 / 127, 1, by / 127]));
  const text = (bytes) => btoa(String.fromCharCode(...bytes));
  const weights = text(new Uint8Array(new Int8Array(whole).buffer));
  return unpack({ weights, scales: text(new Uint8Array(scales.buffer)), shapes, networks: likes.length });
}

test("weights travel, and networks go where they like it", () => {
  const maze = parse(TEXT);
  const networks = liking({ feature: 0, by: 200 }, { feature: 1, by: 200 }, { feature: 4, by: 0 });
  assert.ok(Math.abs(rate(networks[0], [0.5, 0, 0, 0, 0, 0, 0, 0]) - 100) < 1e-4);
  const found = run(networks, maze, { fades: 0.9, maxSteps: 60 });
  assert.ok(found[0].ends[1] > 0.999, String(found[0].ends));
  assert.ok(found[1].ends[3] > 0.999, String(found[1].ends));
  assert.deepEqual(found[2].probabilities[0], [0.25, 0.25, 0.25, 0.25]);
  const next = moves(maze);
  assert.deepEqual(policy(networks[0], next, scents(maze, next, 0.9)), found[0].probabilities);
});

test("a walk follows the probabilities and stops at the first thing", () => {
  const maze = parse(TEXT);
  const right = maze.wall.map(() => [0, 0, 0, 1]);
  assert.deepEqual(walk(maze, right, 60), { cells: [0, 1, 2], touched: true });
  const down = maze.wall.map(() => [0, 1, 0, 0]);
  assert.deepEqual(walk(maze, down, 1), { cells: [0, 3], touched: false });
});

test("a challenge needs both cues in reach and enough agents for every way that it names", () => {
  const free = parse(["A  .  bD", ".  #  .", "rK .  yO"].join("\n"));
  const blocked = parse(["A  rK bD", "#  #  .", ".  .  yO"].join("\n"));
  const redDoor = parse(["A  .  rD", ".  #  .", "rK .  yO"].join("\n"));
  assert.deepEqual([free, blocked, redDoor].map(cuesInReach), [true, false, false]);
  const found = [[0.05, 0.95, 0, 0], [0, 0.2, 0.8, 0], [0.1, 0, 0.9, 0]];
  assert.deepEqual(tally(found), [0, 1, 2, 0]);
  assert.equal(likeliest([0.2, 0.5, 0.5]), 1);
  assert.equal(met({ least: [0, 0, 2, 0] }, free, found), true);
  assert.equal(met({ least: [0, 1, 2, 0] }, free, found), true);
  assert.equal(met({ least: [0, 0, 3, 0] }, free, found), false);
  assert.equal(met({ least: [0, 0, 2, 0] }, blocked, found), false);
});
