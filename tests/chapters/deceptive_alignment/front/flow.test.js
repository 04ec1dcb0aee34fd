import assert from "node:assert/strict";
import { test } from "node:test";
import { conserved, deceptive, descended, regret, trainingLogit } from "../../../../innerlab/chapters/deceptive_alignment/front/descent.js";
import { kind, within } from "../../../../innerlab/chapters/deceptive_alignment/front/flow.js";
import { generator } from "../../../../innerlab/widgets/front/random.js";

const planner = (changes = {}) => ({ kappa: 1, ratio: 1, rate: 0.04, capped: false, ...changes });

function* starts(count, changes = {}) {
  const random = generator(1);
  for (let i = 0; i < count; i += 1) yield { start: [-2 * random(), 1.5 * random()], its: planner({ kappa: 1 + Math.floor(2 * random()), ratio: 0.1 + 3 * random(), ...changes }) };
}

test("a step goes down the loss's gradient, as finite differences have it", () => {
  const loss = (point, its) => Math.log1p(Math.exp(-trainingLogit(point, its)));
  for (const capped of [false, true]) {
    for (const { start, its } of starts(50, { capped })) {
      const [, next] = descended(start, 1, its);
      const slopes = [0, 1].map((axis) => (loss(start.map((value, i) => value + 1e-6 * (i === axis)), its) - loss(start.map((value, i) => value - 1e-6 * (i === axis)), its)) / 2e-6);
      assert.ok(Math.abs(next[0] - start[0] + its.rate * slopes[0]) < 1e-9);
      assert.ok(Math.abs(next[1] - start[1] + its.rate * its.ratio * slopes[1]) < 1e-9);
    }
  }
});

test("small steps conserve what they should, and large ones less so", () => {
  for (const { start, its } of starts(20)) {
    const drift = (rate) => {
      const way = descended(start, Math.round(40 / rate), { ...its, rate });
      const below = way.filter(([theta]) => theta < 0);
      return Math.max(...below.map((point) => Math.abs(conserved(point, its) - conserved(start, its))));
    };
    assert.ok(drift(0.002) < 0.02);
    assert.ok(drift(0.002) < drift(0.04));
  }
});

test("the separatrix parts starts by where they end", () => {
  let agree = 0;
  let clear = 0;
  for (const { start, its } of starts(300)) {
    const margin = 1 / its.kappa - start[1] + Math.sqrt(its.ratio) * start[0];
    if (Math.abs(margin) < 0.05) continue;
    clear += 1;
    agree += (kind(descended(start, 4000, its).at(-1), its) === "deceptive") === deceptive(start, its);
  }
  assert.ok(clear > 200);
  assert.equal(agree, clear);
});

test("regret is none with the wanted goal, and at most 1 under a cap", () => {
  for (const capped of [false, true]) assert.equal(regret(0.5, capped), 0);
  assert.equal(regret(-3, false), 3);
  assert.ok(regret(-30, true) <= 1 && regret(-30, true) > 0.999);
});

test("a path is drawn as far as it stays inside", () => {
  assert.deepEqual(within([[0, 0], [1, 1], [3, 1], [1, 1]], [0, 2], [0, 2]), [[0, 0], [1, 1]]);
  assert.deepEqual(within([[0, 0], [1, 1]], [0, 2], [0, 2]), [[0, 0], [1, 1]]);
});

test("what a planner is follows from what it does", () => {
  assert.equal(kind([0.1, 0], planner()), "aligned");
  assert.equal(kind([-1, 2], planner()), "deceptive");
  assert.equal(kind([-1, 0.5], planner()), "openly misaligned");
});
