import assert from "node:assert/strict";
import { test } from "node:test";
import { bits, counted, surveyed, traces, within } from "../../../../innerlab/chapters/optimizer/front/landscape.js";
import { generator, normal } from "../../../../innerlab/widgets/front/random.js";
import { LANDSCAPES, SEARCHES } from "../../../../innerlab/chapters/optimizer/front/search.js";

const LOWEST = [1.7, -2.2];
const task = (changes = {}) => ({ start: [-3, 3], budget: 300, box: 5, seed: 1, ...changes });
const on = (name) => (x) => LANDSCAPES[name](x, LOWEST);

test("a seed gives the same numbers again, and another seed others", () => {
  const draw = (seed) => Array.from({ length: 5 }, generator(seed));
  assert.deepEqual(draw(7), draw(7));
  assert.notDeepEqual(draw(7), draw(8));
});

test("numbers are spread evenly, and normal ones have mean 0 and variance 1", () => {
  const random = generator(3);
  const even = Array.from({ length: 40_000 }, random);
  const shares = Array.from({ length: 10 }, (_, i) => even.filter((u) => u >= i / 10 && u < (i + 1) / 10).length / even.length);
  assert.ok(Math.max(...shares.map((share) => Math.abs(share - 0.1))) < 0.008, String(shares));
  const drawn = Array.from({ length: 40_000 }, () => normal(random));
  const mean = drawn.reduce((a, b) => a + b) / drawn.length;
  assert.ok(Math.abs(mean) < 0.02);
  assert.ok(Math.abs(drawn.reduce((a, b) => a + b * b, 0) / drawn.length - 1) < 0.04);
});

test("every landscape is lowest, at zero, in one place", () => {
  for (const name of Object.keys(LANDSCAPES)) {
    assert.equal(on(name)(LOWEST), 0);
    assert.ok(surveyed(on(name), 5).sorted[0] >= 0);
  }
});

test("bits count what is as good or better", () => {
  assert.equal(counted([1, 2, 2, 3], 2), 3);
  assert.deepEqual([0, 1, 2, 3].map((value) => bits([1, 2, 2, 3], value)), [2, 2, Math.log2(4 / 3), 0]);
  const { sorted } = surveyed(on("terraces"), 5);
  assert.ok(Math.abs(bits(sorted, 0) - Math.log2(100)) < 0.1); // the lowest terrace has a side of one in ten
});

test("same seed, same ways; another seed changes all but gradient descent; none goes over its budget or out of the box", () => {
  for (const name of Object.keys(LANDSCAPES)) {
    const [once, again, other] = [1, 1, 2].map((seed) => traces(on(name), task({ seed })));
    assert.deepEqual(once, again);
    Object.keys(SEARCHES).forEach((search, i) => {
      assert[search === "gradient descent" ? "deepEqual" : "notDeepEqual"](once[i], other[i]);
      assert.ok(once[i].every(({ spent, at }) => spent <= 300 && at.every((value) => Math.abs(value) <= 5)));
      assert.ok(once[i].every(({ best }, k) => k === 0 || best <= once[i][k - 1].best));
    });
  }
});

test("gradient descent finds the bottom of the bowl and never moves on terraces", () => {
  const last = (name) => traces(on(name), task())[2].at(-1);
  assert.ok(last("bowl").best < 1e-6);
  assert.deepEqual(last("terraces").at, [-3, 3]);
});

test("within tells how much of a way so many evaluations have paid for", () => {
  const trace = [{ spent: 1 }, { spent: 4 }, { spent: 7 }];
  assert.deepEqual([1, 3, 4, 100].map((spent) => within(trace, spent)), [1, 1, 2, 3]);
});
