import assert from "node:assert/strict";
import { test } from "node:test";
import { standIn } from "../../innerlab/widgets/front/mount.js";

test("a trait that changes tells its listeners, once, and one that stays the same tells nobody", () => {
  const model = standIn({ a: [1, 2], b: 0 });
  const heard = [];
  model.on("change:a", () => heard.push(model.get("a")));
  model.set("a", [1, 2]);
  model.set("b", 5);
  model.set("a", [1, 3]);
  model.save_changes();
  assert.deepEqual(heard, [[1, 3]]);
  assert.equal(model.get("b"), 5);
});

test("listeners can leave: one, all of an event, or all", () => {
  const model = standIn({ a: 0 });
  let count = 0;
  const listener = () => (count += 1);
  for (const leave of [() => model.off("change:a", listener), () => model.off("change:a"), () => model.off()]) {
    model.on("change:a", listener);
    model.set("a", model.get("a") + 1);
    leave();
    model.set("a", model.get("a") + 1);
  }
  assert.equal(count, 3);
});

test("two models made from one state share nothing that is set", () => {
  const state = { a: 0 };
  const [one, other] = [standIn(state), standIn(state)];
  one.set("a", 1);
  assert.equal(other.get("a"), 0);
});
