import assert from "node:assert/strict";
import { test } from "node:test";
import { index, scaled } from "../../innerlab/widgets/front/explore.js";
import { fits, said } from "../../innerlab/widgets/front/predict.js";
import { keep, recall } from "../../innerlab/widgets/front/store.js";

const asker = (traits) => (name) => traits[name];

test("only what answers the question as it is now counts as an answer", () => {
  const choice = asker({ kind: "choice", options: ["a", "b"] });
  assert.deepEqual([0, 1, 2, -1, 0.5, "1", null].map((answer) => fits(choice, answer)), [true, true, false, false, false, false, false]);
  const number = asker({ kind: "number", low: 0, high: 10 });
  assert.deepEqual([0, 10, 11, "3", [3]].map((answer) => fits(number, answer)), [true, true, false, false, false]);
  const curve = asker({ kind: "curve", low: 0, high: 1, points: ["a", "b"] });
  assert.deepEqual([[0, 1], [0], [0, 2], 1].map((answer) => fits(curve, answer)), [true, false, false, false]);
});

test("what was said is said back", () => {
  assert.equal(said(asker({ kind: "choice", options: ["a", "b"] }), 1), "You chose “b”.");
  assert.equal(said(asker({ kind: "number", unit: "seeds" }), 3), "You said 3 seeds.");
  assert.equal(said(asker({ kind: "curve", truth: [0, 0.5], points: ["p", "q"] }), [0.1, 1]), "Your line is off by at most 0.50, at q.");
  assert.equal(said(asker({ kind: "number" }), null), "");
});

test("without storage an answer is remembered until the page is left", () => {
  assert.equal(recall("x"), null);
  assert.equal(keep("x", { answer: 2 }), false);
  assert.deepEqual(recall("x"), { answer: 2 });
  keep("x", null);
  assert.equal(recall("x"), null);
});

test("with storage it is kept under the book's own prefix, and what cannot be read counts as nothing", () => {
  const kept = new Map();
  globalThis.localStorage = {
    getItem: (name) => kept.get(name) ?? null,
    setItem: (name, value) => kept.set(name, value),
    removeItem: (name) => kept.delete(name),
  };
  assert.equal(keep("y", { answer: 1 }), true);
  assert.deepEqual([...kept], [["innerlab/y", '{"answer":1}']]);
  kept.set("innerlab/z", "{");
  assert.equal(recall("z"), null);
  delete globalThis.localStorage;
});

test("positions are counted with the last setting fastest", () => {
  const counts = [3, 4];
  const seen = [];
  for (let a = 0; a < 3; a += 1) for (let b = 0; b < 4; b += 1) seen.push(index(counts, [a, b]));
  assert.deepEqual(seen, Array.from({ length: 12 }, (_, i) => i));
});

test("whole numbers become what they stand for", () => {
  assert.deepEqual(scaled([[500, 1000], [0, 250]], 1000), [[0.5, 1], [0, 0.25]]);
});
