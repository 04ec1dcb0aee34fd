import assert from "node:assert/strict";
import { test } from "node:test";
import { distances, ends, policy, run, scents, unpack, walk } from "../../innerlab/widgets/front/agents.js";
import { format, moves, named, outcome, painted, parse } from "../../innerlab/widgets/front/maze.js";
import { doorInReach, likeliest, met, tally } from "../../innerlab/widgets/front/maze_bench.js";

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

test("a walk follows the probabilities and stops at the first thing", () => {
  const maze = parse(TEXT);
  const right = maze.wall.map(() => [0, 0, 0, 1]);
  assert.deepEqual(walk(maze, right, 60), { cells: [0, 1, 2], touched: true });
  const down = maze.wall.map(() => [0, 1, 0, 0]);
  assert.deepEqual(walk(maze, down, 1), { cells: [0, 3], touched: false });
});

test("a challenge needs a door in reach, and is met by many agents or by one", () => {
  const maze = parse(TEXT);
  const blocked = parse(["A  rK rD", "#  #  .", "bK .  yO"].join("\n"));
  assert.deepEqual([doorInReach(maze), doorInReach(blocked)], [true, false]);
  const found = [[0.05, 0.95, 0, 0], [0, 0.2, 0.8, 0], [0.1, 0, 0.9, 0]];
  assert.deepEqual(tally(found), [0, 1, 2, 0]);
  assert.equal(likeliest([0.2, 0.5, 0.5]), 1);
  assert.equal(met({ outcome: 2, agents: 2 }, maze, found), true);
  assert.equal(met({ outcome: 2, agents: 3 }, maze, found), false);
  assert.equal(met({ outcome: 2, agents: 2 }, blocked, found), false);
  assert.equal(met({ outcome: 2, agent: 1 }, maze, found), false);
  assert.equal(met({ outcome: 2, agent: 2 }, maze, found), true);
});
