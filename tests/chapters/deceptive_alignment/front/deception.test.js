import assert from "node:assert/strict";
import { test } from "node:test";
import { complianceEpisodes, compliesOnCue, cueGain, cueThreshold, gain, intact, policy, threshold } from "../../../../innerlab/chapters/deceptive_alignment/front/deception.js";
import { runs, told } from "../../../../innerlab/chapters/deceptive_alignment/front/deception_plane.js";
import { generator } from "../../../../innerlab/widgets/front/random.js";

const BASE = { train: 20, deploy: 40, discount: 0.95, threat: 0.2, mistaken: 0, hazard: 0, stake: 1 };

function* settings(count, longest = 30) {
  const random = generator(1);
  for (let i = 0; i < count; i += 1) {
    const [rarely, often] = [random() < 0.5, random()];
    yield { train: 1 + Math.floor(random() * longest), deploy: Math.floor(random() * longest), discount: often < 0.1 ? 0 : 0.3 + 0.69 * random(), threat: random(), mistaken: rarely ? 0 : random() / 2, hazard: rarely ? 0 : random() / 2, stake: 0.1 + 4 * random() };
  }
}

/** What one policy is worth, summed over what can happen. */
function worth(complies, { train, discount, threat, mistaken, hazard, stake }) {
  let [total, weight] = [0, 1]; // of an episode: its discount times the chance that the goal is still there
  complies.forEach((comply, episode) => {
    const training = episode < train;
    if (!comply) total += weight * (training ? 1 : stake);
    weight *= discount * (1 - (comply ? (training ? mistaken : 0) : training ? threat : hazard));
  });
  return total;
}

test("dynamic programming and closed form agree on thousands of settings", () => {
  let some = 0;
  for (const setting of settings(5000)) {
    const complies = policy(setting);
    const k = complianceEpisodes(setting);
    assert.deepEqual(complies, Array.from({ length: setting.train + setting.deploy }, (_, i) => i >= setting.train - k && i < setting.train), JSON.stringify(setting));
    some += k > 0;
  }
  assert.ok(some > 500 && some < 4500);
});

test("no policy at all is worth more", () => {
  for (const setting of settings(150, 5)) {
    const episodes = setting.train + setting.deploy;
    const all = Array.from({ length: 2 ** episodes }, (_, i) => Array.from({ length: episodes }, (_, k) => Boolean((i >> k) & 1)));
    assert.ok(Math.max(...all.map((one) => worth(one, setting))) <= worth(policy(setting), setting) + 1e-9, JSON.stringify(setting));
  }
});

test("each of the three conditions is needed, and the goal arrives as often as it is spared", () => {
  assert.equal(complianceEpisodes(BASE), 20);
  for (const without of [{ discount: 0 }, { threat: 0 }, { mistaken: 0.2 }, { deploy: 0 }]) assert.equal(complianceEpisodes({ ...BASE, ...without }), 0);
  assert.equal(intact(BASE), 1);
  assert.ok(Math.abs(intact({ ...BASE, deploy: 0 }) - 0.8 ** 20) < 1e-12);
});

test("boundaries of the map lie where the policy changes", () => {
  for (const setting of settings(500)) {
    for (const episodes of [1, setting.train]) {
      const threat = threshold(setting, episodes);
      if (!(threat < 1)) continue;
      assert.ok(complianceEpisodes({ ...setting, threat: threat + 1e-6 }) >= episodes);
      assert.ok(complianceEpisodes({ ...setting, threat: threat - 1e-6 }) < episodes);
    }
    assert.equal(gain(setting) >= 1, setting.threat >= threshold(setting, 1));
  }
});

test("where training never ends, the cue's value and its boundary are those that value iteration finds", () => {
  const random = generator(2);
  let some = 0;
  for (let i = 0; i < 200; i += 1) {
    const cue = { share: 0.05 + 0.9 * random(), accuracy: 0.5 + random() / 2, discount: 0.5 + 0.45 * random(), threat: random() };
    const training = { training: cue.share * cue.accuracy, deployment: cue.share * (1 - cue.accuracy) };
    const says = { training: training.training + (1 - cue.share) * (1 - cue.accuracy), deployment: training.deployment + (1 - cue.share) * cue.accuracy };
    let value = 0;
    const worths = (kind) => [cue.discount * value, 1 + cue.discount * value * (1 - (cue.threat * training[kind]) / says[kind])];
    for (let step = 0; step < 1000; step += 1) value = says.training * Math.max(...worths("training")) + says.deployment * Math.max(...worths("deployment"));
    const complies = worths("training")[0] >= worths("training")[1];
    assert.equal(compliesOnCue(cue), complies, JSON.stringify(cue));
    assert.ok(worths("deployment")[0] < worths("deployment")[1]);
    assert.equal(compliesOnCue(cue), cue.threat >= cueThreshold(cue));
    assert.equal(cueGain(cue) >= 1, complies);
    some += complies;
  }
  assert.ok(some > 10 && some < 190);
});

test("a policy is told by its runs", () => {
  assert.deepEqual(runs([true, true, false]), [[true, 0, 1], [false, 2, 2]]);
  assert.equal(told(policy({ ...BASE, train: 25 }), 25), "In training it defects in episode 1 and complies in episodes 2 to 25. In deployment it defects in every episode.");
  assert.equal(told([false, true], 1), "In training it defects in the only episode. In deployment it complies in the only episode.");
  assert.equal(told([false, false, true], 3), "In training it defects in episodes 1 to 2 and complies in episode 3. There is no deployment.");
});
