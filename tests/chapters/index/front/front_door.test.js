import assert from "node:assert/strict";
import { test } from "node:test";
import { average, strides, tally, unpackMoves, walks, ways } from "../../../../innerlab/chapters/index/front/front_door.js";
import { parse } from "../../../../innerlab/widgets/front/maze.js";

const TRADED = parse("A  .  bD\n.  .  .\nrK .  yO");
const TRAINING = parse("A  .  rD\n.  .  .\nbK .  yO");

test("three bytes become four probabilities that add up to one", () => {
  const text = btoa(String.fromCharCode(255, 0, 0, 51, 51, 51, 0, 0, 0, 128, 128, 0));
  const tables = unpackMoves(text, { groups: 2, layouts: 1, agents: 1, cells: 2 });
  assert.deepEqual(tables[0][0][0], [[1, 0, 0, 0], [0.2, 0.2, 0.2, 0.4]]);
  assert.deepEqual(tables[1][0][0], [[0, 0, 0, 1], [0.5, 0.5, 0, 0]]);
});

test("what can be touched is named by the way in which it ends an episode", () => {
  assert.deepEqual(ways(TRADED), [[1, "blue door"], [2, "red key"], [3, "yellow ball"], [0, "nowhere"]]);
  assert.deepEqual(ways(TRAINING), [[1, "red door"], [3, "blue key or yellow ball"], [0, "nowhere"]]);
});

test("every walk is counted once, where it ends", () => {
  const to = (action) => TRADED.wall.map(() => [0, 1, 2, 3].map((other) => Number(other === action)));
  const walked = walks(TRADED, [to(3), to(1), to(0), to(3)], 60, 7);
  assert.deepEqual(walked.map(({ cells }) => cells.length - 1), [2, 2, 60, 2]);
  assert.deepEqual(tally(TRADED, walked), [1, 2, 1, 0]);
  assert.deepEqual(tally(TRAINING, walked), [1, 2, 0, 1]);
});

test("the same walk has the same numbers, and the next one others", () => {
  const even = [TRADED.wall.map(() => [0.25, 0.25, 0.25, 0.25])];
  assert.deepEqual(walks(TRADED, even, 60, 5), walks(TRADED, even, 60, 5));
  assert.notDeepEqual(walks(TRADED, even, 60, 5), walks(TRADED, even, 60, 6));
});

test("sixty steps are over in under five seconds, which is when motion needs a way to stop it", () => {
  for (let time = 0; time < 5000; time += 10) assert.ok(strides(time + 10) > strides(time));
  assert.ok(strides(4999) > 60);
  assert.ok(strides(1000) < 10);
});

test("shares are averaged over agents and put in words", () => {
  assert.equal(average([[500, 500, 0, 0], [0, 0, 900, 100]]), "25\u00a0% at the door, 45\u00a0% at the red key, 5\u00a0% elsewhere, 25\u00a0% nowhere");
});
