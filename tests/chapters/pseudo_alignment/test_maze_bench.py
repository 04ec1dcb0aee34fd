"""The maze bench without a browser: the page's arithmetic against torch, what rounding costs, what can be broken."""

import json

import pytest
import torch
from nodejs import node

from innerlab.chapters.pseudo_alignment.maze_bench import MazeBench, packed, rounded
from innerlab.ensembles.policies import ScentPolicies
from innerlab.evaluation import outcome_probabilities
from innerlab.store import stored
from innerlab.worlds.layouts import from_text, to_text
from innerlab.worlds.mazes import RedDoorMazes
from innerlab.worlds.red_doors import OUTCOMES, door_reward
from innerlab.worlds.scents import FADES

ALT = "A maze that one paints, and the agents that walk in it."
ROOM = "A  .  bD\n.  .  .\nrK .  yO"


@pytest.fixture(scope="module")
def agents():
    """The chapter's sixty-four, from the store."""
    return stored("red_doors/mazes")


def on_the_page(policies, texts, max_steps=60):
    """How episodes end by the page's own code, float (networks, mazes, outcomes)."""
    state = {"packed": packed(policies), "fades": FADES, "max_steps": max_steps, "mazes": texts}
    done = node("tests/chapters/pseudo_alignment/front/outcomes.mjs", input=json.dumps(state))
    assert done.returncode == 0, done.stderr
    return torch.tensor(json.loads(done.stdout)).transpose(0, 1)


def test_page_and_torch_agree_on_a_thousand_mazes(agents):
    kinds = [
        {"swapped_share": 0.5},
        {"swapped_share": 1.0, "holes": 16},
        {"swapped_share": 1.0, "holes": 0, "objects": 2},
        {"swapped_share": 0.5, "holes": 10, "objects": 6},
        {"swapped_share": 1.0, "lone_cue": "door"},
    ]
    copy, worst = rounded(agents), 0.0
    for seed, kind in enumerate(kinds):
        mazes = RedDoorMazes(**kind).sample(200, seed)
        page = on_the_page(agents, [to_text(mazes, i) for i in range(200)], mazes.max_steps)
        worst = max(worst, float((page - outcome_probabilities(copy, mazes)).abs().max()))
    assert worst < 1e-4


def test_rounding_the_weights_changes_little_of_what_agents_do(agents):
    mazes = RedDoorMazes(swapped_share=0.5).sample(100, 9)
    full, eight_bits = (outcome_probabilities(one, mazes).mean(1) for one in (agents, rounded(agents)))
    assert float((full - eight_bits).abs().max()) < 0.02


def test_rounded_weights_are_whole_multiples_and_travel_in_few_bytes(agents):
    full = agents.state_dict()
    for name, weight in rounded(agents).state_dict().items():
        steps = weight / (full[name].abs().amax((1, 2), keepdim=True) / 127)
        assert float((steps - steps.round()).abs().max()) < 1e-3
        assert float((weight - full[name]).abs().max()) <= float(full[name].abs().max()) / 250
    assert len(json.dumps(packed(agents))) < 45_000


def corridor(red, agent, door):
    """One long corridor in nine by nine cells, with things so many steps from its upper end."""
    rows = [["." if y % 2 == 0 else "#"] * 9 for y in range(9)]
    path = []
    for turn, y in enumerate(range(0, 9, 2)):
        path += [(y, x) for x in (range(9) if turn % 2 == 0 else range(8, -1, -1))]
        if y < 8:
            path.append((y + 1, 8 if turn % 2 == 0 else 0))
            rows[y + 1][path[-1][1]] = "."
    for at, word in ((red, "rK"), (agent, "A"), (door, "bD")):
        rows[path[at][0]][path[at][1]] = word
    return "\n".join(" ".join(row) for row in rows)


@pytest.mark.parametrize(
    ("places", "least"),
    [
        ((0, 4, 44), {"red": 56}),
        ((0, 40, 44), {"door": 56}),
        ((0, 1, 5), {"none": 56}),
        ((0, 20, 40), {"door": 20, "red": 20}),
    ],
)
def test_the_agents_can_be_broken_in_each_way(agents, places, least):
    ends = outcome_probabilities(rounded(agents), from_text([corridor(*places)], reward=door_reward))[:, 0]
    counts = dict(zip(OUTCOMES, torch.bincount(ends.argmax(1), minlength=4).tolist(), strict=True))
    assert all(counts[name] >= count for name, count in least.items()), counts


def bench(**changes):
    policies = ScentPolicies(range(3))
    options = {"presets": {"a room": ROOM}, "ends": torch.full((3, 4), 0.25), "alt": ALT}
    return MazeBench(policies, **(options | changes))


def test_state_holds_the_agents_in_the_order_of_their_red_share():
    ends = torch.tensor([[0, 0.1, 0.9, 0], [0, 0.9, 0.1, 0], [1, 0, 0, 0]])
    state = bench(ends=ends, challenges={"All go nowhere.": {"none": 3}}).state()
    assert state["order"] == [1, 2, 0]
    assert state["agent"] == 0
    assert state["maze"] == state["presets"][0]["maze"] == to_text(from_text([ROOM], reward=door_reward), 0)
    assert state["challenges"] == [{"text": "All go nowhere.", "least": [3, 0, 0, 0]}]
    assert "layout" not in state


def test_bench_gives_the_same_bytes_and_words_twice():
    assert bench().html() == bench().html()
    assert "3 none" in bench(ends=torch.tensor([[1.0, 0, 0, 0]] * 3)).picture()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"ends": torch.zeros(2, 4)}, r"shape \(2, 4\)"),
        ({"presets": {"a room": "A . ?"}}, "allowed"),
        ({"challenges": {"Fly.": {"up": 1}}}, "can be asked for"),
        ({"challenges": {"Too many.": {"door": 2, "red": 2}}}, "up to 3 agents"),
    ],
)
def test_bench_says_what_is_wrong(changes, message):
    with pytest.raises(ValueError, match=message):
        bench(**changes)
