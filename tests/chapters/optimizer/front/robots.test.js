import assert from "node:assert/strict";
import { test } from "node:test";
import { edited, fullTable, leads, met, read, robots, rule, search, unrolled, walk, written } from "../../../../innerlab/chapters/optimizer/front/robots.js";

const MAZE = ["A.T", ".#.", "..."].join("\n");
const RUNS = (button, length) => String.fromCharCode(35 + button * 18 + length - 1);

test("a maze is read and written back", () => {
  const sheet = read(MAZE);
  assert.deepEqual([sheet.width, sheet.start, sheet.target, sheet.wall.indexOf(true)], [3, 0, 2, 4]);
  assert.equal(written(sheet), MAZE);
});

test("reversed buttons lead the other way", () => {
  assert.deepEqual(leads(read(MAZE))[0], [0, 3, 0, 1]);
  assert.deepEqual(leads(read(MAZE, true))[0], [3, 0, 1, 0]);
});

test("the search finds a shortest way, counts what it expands, and says when there is none", () => {
  assert.deepEqual(search(leads(read(MAZE)), 0, 2), { buttons: [3, 3], expansions: 3 });
  assert.deepEqual(search(leads(read("A#T\n.#.\n.#.")), 0, 2), { buttons: [], expansions: 3 });
  assert.deepEqual(search(leads(read(MAZE)), 2, 2), { buttons: [], expansions: 0 });
});

test("the rule goes by labels and looks only at the cells beside it", () => {
  assert.equal(rule(read(MAZE), 0), 3);
  assert.equal(rule(read(MAZE), 8), 0);
  assert.equal(rule(read("A#T\n...\n..."), 0), 0);
});

test("runs become answers, and the full table has one for each target and cell of each variant", () => {
  assert.deepEqual(unrolled(RUNS(3, 2) + RUNS(4, 1)), [3, 3, 4]);
  const open = 8; // two variants of every target and cell: the first says down, the second up
  const full = fullTable([{ maze: MAZE, variants: [{ closed: [], reversed: false }, { closed: [1], reversed: true }], answers: (RUNS(1, 1) + RUNS(0, 1)).repeat(open * open) }]);
  assert.equal(full(read(MAZE), 0), 1);
  assert.equal(full(read("A#T\n.#.\n...", true), 0), 0);
  assert.equal(full(read("A#T\n.#.\n..."), 0), undefined);
});

test("who has no answer presses at random, and the stale planner walks by the maze as it was", () => {
  const mazes = [{ maze: MAZE, table: { 0: 3 }, variants: [], answers: "" }];
  const all = robots(mazes);
  const blocked = read("A#T\n.#.\n...");
  const go = (name, sheet = blocked) => walk(all[name], sheet, 12, () => 0.3);
  assert.deepEqual(go("planner"), { cells: [0, 3, 6, 7, 8, 5, 2], arrived: true, expansions: 6 + 6 + 6 + 5 + 2 + 1, strayed: 0 });
  assert.deepEqual([go("table").arrived, go("table").cells.length, go("table").strayed], [false, 13, 0]);
  assert.equal(go("full table").strayed, 12);
  assert.deepEqual([go("stale planner").arrived, go("stale planner").expansions], [false, 12 * 3]);
  assert.equal(go("table", read(MAZE)).strayed, 11);
});

test("edits change one thing, or say why not", () => {
  const sheet = read(MAZE);
  assert.match(edited(sheet, 0, "wall"), /keep their cells/);
  assert.match(edited(sheet, 2, "start"), /keep their cells/);
  assert.match(edited(sheet, 4, "target"), /There is a wall/);
  const made = (cell, brush) => written(edited(sheet, cell, brush));
  assert.equal(made(1, "wall"), "A#T\n.#.\n...");
  assert.equal(made(4, "floor"), "A.T\n...\n...");
  assert.equal(made(8, "target"), "A..\n.#.\n..T");
  assert.equal(made(8, "start"), "..T\n.#.\n..A");
  for (const [cell, brush] of [[0, "start"], [2, "target"], [4, "wall"], [1, "floor"]]) assert.equal(made(cell, brush), MAZE); // nothing new
});

test("a challenge wants some to arrive and others to fail, and nothing counts where no way leads", () => {
  const challenge = { arrive: ["planner"], fail: ["table"] };
  assert.equal(met(challenge, { planner: true, table: false }), true);
  assert.equal(met(challenge, { planner: true, table: true }), false);
  assert.equal(met(challenge, {}), false);
  assert.equal(met({ arrive: [], fail: ["table"] }, {}), false);
});
