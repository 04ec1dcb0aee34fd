import assert from "node:assert/strict";
import { test } from "node:test";
import { heaps, median, path, scale, ticks } from "../../innerlab/widgets/front/chart.js";

test("ticks are round, ordered and inside", () => {
  assert.deepEqual(ticks(0, 1), [0, 0.2, 0.4, 0.6, 0.8, 1]);
  assert.deepEqual(ticks(0, 64), [0, 20, 40, 60]);
  for (const [low, high] of [[0, 7], [-3, 2], [0.1, 0.13], [0, 1e6]]) {
    const found = ticks(low, high);
    assert.ok(found.length >= 2 && found.length <= 12, String(found));
    assert.ok(found[0] >= low && found.at(-1) <= high);
    assert.deepEqual(found, [...found].sort((a, b) => a - b));
  }
});

test("a scale maps ends onto ends", () => {
  const map = scale([2, 4], [100, 0]);
  assert.deepEqual([2, 3, 4].map(map), [100, 50, 0]);
});

test("every dot has a place of its own in the bin of its value", () => {
  const values = Array.from({ length: 64 }, (_, i) => (i % 7) / 6);
  const places = heaps(values);
  assert.equal(new Set(places.map(({ bin, place }) => `${bin} ${place}`)).size, 64);
  places.forEach(({ bin }, i) => assert.ok(values[i] >= bin / 20 - 1e-9 && values[i] <= (bin + 1) / 20 + 1e-9));
  assert.equal(heaps([1])[0].bin, 19);
});

test("medians and paths", () => {
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([4, 1, 2, 3]), 2.5);
  assert.equal(path([0, 1], [2, 3]), "M0.0 2.0L1.0 3.0");
});
