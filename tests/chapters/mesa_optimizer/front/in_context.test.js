import assert from "node:assert/strict";
import { test } from "node:test";
import { drawn, oneStep, placed, ridge, slopes, verdict, weights } from "../../../../innerlab/chapters/mesa_optimizer/front/in_context.js";

const task = (changes = {}) => drawn({ seed: 1, count: 8, box: [2.5, 4], noise: [0, 0], apart: false, ...changes });
const onLine = (tokens, label) => Math.max(...tokens.map((token) => Math.abs(token[label] - token[0] * ridge(tokens, label, 0))));

test("a seed draws the same task again, another seed another, and all points lie in the box", () => {
  assert.deepEqual(task(), task());
  assert.notDeepEqual(task(), task({ seed: 2 }));
  for (let seed = 0; seed < 200; seed += 1) {
    for (const [x, label, proxy] of task({ seed, noise: [2, 0], apart: true })) assert.ok(Math.abs(x) <= 2.5 && Math.abs(label) <= 4 && Math.abs(proxy) <= 4);
  }
});

test("without noise labels lie on a line; proxies on the same one, or on another when they are apart", () => {
  const [same, apart, noisy] = [task(), task({ apart: true }), task({ noise: [1, 0] })];
  for (const tokens of [same, apart]) for (const label of [1, 2]) assert.ok(onLine(tokens, label) < 0.03);
  assert.ok(same.every(([, label, proxy]) => label === proxy));
  assert.ok(Math.abs(ridge(apart, 1, 0) - ridge(apart, 2, 0)) > 0.1);
  assert.ok(onLine(noisy, 1) > 0.3 && onLine(noisy, 2) < 0.03);
});

test("drawn lines have mean 0 and variance 1, but for those that leave the box", () => {
  const lines = Array.from({ length: 1000 }, (_, seed) => ridge(task({ seed, box: [9, 99] }), 1, 0));
  assert.ok(Math.abs(lines.reduce((a, b) => a + b) / 1000) < 0.1);
  assert.ok(Math.abs(lines.reduce((a, b) => a + b * b, 0) / 1000 - 1) < 0.15);
});

test("a layer made by hand is one step, on the label that it reads", () => {
  const tokens = task({ apart: true });
  for (const label of [1, 2]) {
    const made = { key: [[0.8, 0, 0]], value: [[0, 0, 0].map((_, i) => Number(i === label))] };
    assert.ok(Math.abs(slopes(made, tokens)[0] - oneStep(tokens, label, 0.8)) < 1e-12);
    assert.deepEqual(weights(made), [label === 1 ? [0.8, 0] : [0, 0.8]]);
  }
});

test("weights are what changes sign with the labels", () => {
  const layers = { key: [[0.3, -0.7, 0.5]], value: [[0.2, 0.9, -0.4]] };
  const tokens = task({ apart: true, noise: [1, 0.5] });
  const flipped = tokens.map(([x, label, proxy]) => [x, -label, -proxy]);
  const odd = (slopes(layers, tokens)[0] - slopes(layers, flipped)[0]) / 2;
  const [[a, b]] = weights(layers);
  assert.ok(Math.abs(odd - oneStep(tokens, 1, a) - oneStep(tokens, 2, b)) < 1e-12);
});

test("ridge has the least penalized errors, and says zero where nothing is known", () => {
  const tokens = task({ noise: [1, 0] });
  const cost = (slope, penalty) => penalty * slope * slope + tokens.reduce((sum, [x, label]) => sum + (label - slope * x) ** 2, 0);
  for (const penalty of [0, 1, 5]) {
    const best = ridge(tokens, 1, penalty);
    assert.ok(cost(best, penalty) < Math.min(cost(best + 0.01, penalty), cost(best - 0.01, penalty)));
  }
  assert.equal(ridge([[0, 2, 2]], 1, 0), 0);
});

test("places are cut to the box and to two decimals, without a minus zero", () => {
  assert.deepEqual(placed([3, -5, 0.123], [2.5, 4]), [2.5, -4, 0.12]);
  assert.ok(placed([-0.001, -0.001, 0], [2.5, 4]).every((value) => Object.is(value, 0)));
});

test("verdicts follow from the weights", () => {
  assert.equal(verdict([[0.02, 0.78], [0.05, 0.75]]), "The layers put 94 to 98 % of their weight on the proxy: they follow the proxy.");
  assert.match(verdict([[0.75, 0.02], [0.8, -0.01]]), /put -1 to 3 % .* they follow the intended label/);
  assert.match(verdict([[0.26, 0.49], [0.28, 0.5]]), /: a blend of the two/);
  assert.match(verdict([[0.1, 0.7], [0.02, -0.01]]), /put 88 % .* 1 of 2 layers read neither label/);
  assert.equal(verdict([[0, 0]]), "1 of 1 layers read neither label.");
  assert.match(verdict([[0.1, 0.7], [0.6, 0.2]]), /each blends the two in its own way/);
});
