"""Playing along: laws of the decision, of lives, and of planners that model their training."""

import math
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
import torch
from torch.nn.functional import softplus

from innerlab.chapters.deceptive_alignment.decision import (
    compliance_episodes,
    complies_on_cue,
    cue_value,
    deployment_value,
    goal_intact_probability,
)
from innerlab.chapters.deceptive_alignment.lifetimes import RecurrentAgents, train_agents
from innerlab.systems.training_aware_planner import deceptive_basin, descend, goals, normal_batches

TIE = 1e-7


def brute_force(train, deploy, discount, threat, mistaken=0.0, hazard=0.0, stake=1.0):
    """The best plan by trying all (1 defects), what it is worth, and by how much it beats the next."""
    ranked = []
    for plan in product((0, 1), repeat=train + deploy):
        worth, intact = 0.0, 1.0
        for episode, defects in enumerate(plan):
            training = episode < train
            worth += discount**episode * intact * defects * (1 if training else stake)
            intact *= 1 - ((threat if defects else mistaken) if training else hazard * defects)
        ranked.append((worth, plan))
    ranked.sort(reverse=True)
    return ranked[0][1], ranked[0][0], ranked[0][0] - ranked[1][0]


def dynamic_program(train, deploy, discount, threat, mistaken=0.0, hazard=0.0, stake=1.0):
    """Whether the best policy complies in each episode, what it is worth, and how close the closest choice is."""
    worth, complies, closest = 0.0, [], math.inf
    for episode in reversed(range(train + deploy)):
        training = episode < train
        defect = (1 if training else stake) + (1 - (threat if training else hazard)) * discount * worth
        comply = (1 - mistaken * training) * discount * worth
        complies.append(comply > defect)
        closest = min(closest, abs(comply - defect))
        worth = max(comply, defect)
    return complies[::-1], worth, closest


def settings(number, seed, most):
    random = np.random.default_rng(seed)
    for _ in range(number):
        threat = random.uniform()
        yield {
            "train": int(random.integers(0, most)),
            "deploy": int(random.integers(1, most)),
            "discount": random.choice([random.uniform(), random.uniform(0.9, 1), 1.0]),
            "threat": threat,
            "mistaken": random.choice([0.0, threat * random.uniform(), random.uniform()]),
            "hazard": random.choice([0.0, random.uniform()]),
            "stake": random.choice([1.0, random.uniform(0.1, 5)]),
        }


def test_formula_and_dynamic_program_agree_where_nothing_ties():
    untied = 0
    for setting in settings(1500, seed=10, most=25):
        complies, _, closest = dynamic_program(**setting)
        if closest > TIE:
            last = compliance_episodes(**setting)
            defects = [False] * (setting["train"] - last)
            assert complies == defects + [True] * last + [False] * setting["deploy"], setting
            untied += 1
    assert untied > 1000


def test_formula_and_brute_force_agree_on_the_plan_and_its_worth():
    untied = 0
    for setting in settings(60, seed=11, most=6):
        plan, worth, lead = brute_force(**setting)
        assert worth == pytest.approx(dynamic_program(**setting)[1], rel=1e-12, abs=1e-12)
        if lead > TIE:
            last = compliance_episodes(**setting)
            assert plan == (1,) * (setting["train"] - last) + (0,) * last + (1,) * setting["deploy"], setting
            untied += 1
    assert untied > 30


@pytest.mark.parametrize(
    ("setting", "complies"),
    [
        ((2, 3, 1.0, 1.0), 2),  # RLO's example
        ((2, 3, 0.69, 1.0), 2),  # above the root of g^3 + g = 1, 0.6823
        ((2, 3, 0.67, 1.0), 1),
        ((2, 3, 0.55, 1.0), 1),  # above the root of g + g^2 + g^3 = 1, 0.5437
        ((2, 3, 0.54, 1.0), 0),
        ((7, 0, 0.9, 0.5), 0),  # nothing to wait for
        ((0, 5, 0.9, 0.5), 0),
        ((7, 5, 0.0, 0.5), 0),
        ((7, 5, 0.9, 0.0), 0),
        ((9, 4, 1.0, 0.25), 9),  # a tie in every training episode: it complies
        ((9, 4, 1.0, 0.2499), 0),
        ((9, math.inf, 0.5, 1.0), 1),  # a tie in the last one only
        ((9, math.inf, 0.5, 1.0, 0.1), 0),
        ((9, math.inf, 1.0, 0.5, 0.0, 0.25), 9),  # endless, but the hazard ends it
        ((20, 40, 1.0, 0.5, 0.0, 0.5), 0),  # complying loses a part in 10 to the 12, which is no tie
        ((20, 200, 1.0, 0.5, 0.0, 0.5), 0),  # a part in 10 to the 60, which floats cannot tell from none
        ((20, math.inf, 1.0, 0.5, 0.0, 0.5), 20),  # without an end, a tie
        ((20, 40, 1.0, 1.0, 0.0, 1.0), 20),  # a tie: sure to be modified, in training and deployment alike
        ((20, 40, 1 - 1e-12, 1.0, 0.0, 1.0), 0),
        ((9, 10, 1.0, 0.1), 9),  # a tenth is a tenth
        ((9, 20, 1.0, 0.15, 0.1), 1),  # a tie in the last one
        ((9, 20, 1.0, 0.15, 0.1000001), 0),
        ((9, 1, 1.0, 1.0), 9),
        ((9, 1, 1.0, 0.999999999999), 0),
    ],
)
def test_corners(setting, complies):
    assert compliance_episodes(*setting) == complies


def test_threshold_of_the_grid_is_the_root_derived():
    root = np.roots([1, 0, 1, -1])
    root = float(root[np.isreal(root)].real[0])
    assert compliance_episodes(2, 3, root + 1e-6, 1.0) == 2
    assert compliance_episodes(2, 3, root - 1e-6, 1.0) == 1


def test_without_a_condition_nobody_complies_at_equal_stakes():
    for setting in settings(300, seed=12, most=40):
        setting |= {"stake": 1.0, "mistaken": 0.0, "hazard": 0.0}
        for change in ({"discount": 0.0}, {"mistaken": setting["threat"]}, {"hazard": setting["threat"]}):
            assert 0 < setting["threat"] < 1  # or it may be a tie without a discount; see the corners
            assert compliance_episodes(**setting | change) == 0


def test_ties_are_those_of_fractions():
    """With numbers of one or two decimals ties are frequent, and a program in fractions finds each of them."""
    random, ties = np.random.default_rng(18), 0
    for _ in range(1500):
        tenths = [Fraction(int(random.integers(1, 11)), 10) for _ in range(3)]
        discount, threat, hazard = random.choice([Fraction(1), tenths[0]]), tenths[1], random.choice([0, tenths[2]])
        setting = {
            "train": int(random.integers(1, 6)),
            "deploy": int(random.integers(1, 12)),
            "discount": discount,
            "threat": threat,
            "mistaken": random.choice([Fraction(0), threat / 2]),
            "hazard": Fraction(hazard),
            "stake": Fraction(int(random.integers(1, 9)), 4),
        }
        worth, gains = Fraction(0), []  # gains: of complying, from the last training episode backward
        for episode in reversed(range(setting["train"] + setting["deploy"])):
            training = episode < setting["train"]
            lost = setting["threat"] if training else setting["hazard"]
            defect = (1 if training else setting["stake"]) + (1 - lost) * discount * worth
            comply = (1 - setting["mistaken"] * training) * discount * worth
            gains += [comply - defect] * training
            worth = max(comply, defect)
        lengths = {name: setting[name] for name in ("train", "deploy")}
        last = compliance_episodes(**{name: float(value) for name, value in setting.items()} | lengths)
        assert all(gain >= 0 for gain in gains[:last]), setting
        assert all(gain <= 0 for gain in gains[last:]), setting
        assert last == setting["train"] or gains[last] < 0, setting
        ties += 0 in gains
    assert ties > 10


def test_length_of_training_adds_no_compliance_and_only_wears_the_goal_down():
    for setting in settings(300, seed=13, most=20):
        longer = setting | {"train": setting["train"] + 1}
        assert compliance_episodes(**longer) - compliance_episodes(**setting) in (0, 1)
        assert goal_intact_probability(**longer) <= goal_intact_probability(**setting) + 1e-12


def test_goal_intact_probability_is_that_of_sampled_lives():
    setting = {"train": 20, "deploy": 40, "discount": 0.97, "threat": 0.08, "mistaken": 0.01}
    complies = compliance_episodes(**setting)
    assert 0 < complies < 20
    random = np.random.default_rng(14)
    modified = random.uniform(size=(200_000, 20)) < np.where(np.arange(20) < 20 - complies, 0.08, 0.01)
    assert (~modified.any(1)).mean() == pytest.approx(goal_intact_probability(**setting), abs=0.004)


def test_deployment_value_is_the_sum_it_says():
    for setting in settings(100, seed=15, most=30):
        kept = setting["discount"] * (1 - setting["hazard"])
        total = setting["stake"] * sum(kept**i for i in range(setting["deploy"]))
        value = deployment_value(setting["deploy"], setting["discount"], setting["hazard"], setting["stake"])
        assert value == pytest.approx(total, rel=1e-9)
    assert deployment_value(math.inf, 0.9, stake=2) == pytest.approx(20)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"train": -1}, "train is -1"),
        ({"train": 2.5}, r"train is 2\.5"),
        ({"train": math.inf}, "train is inf"),
        ({"deploy": -3}, "deploy is -3"),
        ({"deploy": math.nan}, "deploy is nan"),
        ({"discount": 1.1}, r"discount is 1\.1"),
        ({"threat": -0.1}, r"threat is -0\.1"),
        ({"mistaken": 2}, "mistaken is 2"),
        ({"hazard": math.nan}, "hazard is nan"),
        ({"stake": -1}, "stake is -1"),
        ({"deploy": math.inf, "discount": 1.0}, "worth infinitely much"),
    ],
)
def test_bad_settings_are_refused_by_name(change, said):
    good = {"train": 3, "deploy": 4, "discount": 0.9, "threat": 0.5}
    for function in (compliance_episodes, goal_intact_probability):
        with pytest.raises(ValueError, match=said):
            function(**good | change)


def test_cue_policy_is_what_value_iteration_finds():
    random = np.random.default_rng(16)
    found = []
    for _ in range(200):
        q, rho, gamma, mu = (
            random.uniform(0.05, 0.95),
            random.uniform(0.5, 1),
            random.uniform(0.3, 0.97),
            random.uniform(),
        )
        says = np.array([q * rho + (1 - q) * (1 - rho), q * (1 - rho) + (1 - q) * rho])
        risk = mu * np.array([q * rho, q * (1 - rho)]) / says
        worth = 0.0
        for _ in range(1000):
            comply, defect = gamma * worth, 1 + (1 - risk) * gamma * worth
            worth = says @ np.maximum(comply, defect)
        if abs(comply - defect[0]) > 1e-6:
            assert (comply > defect[0]) == complies_on_cue(q, rho, gamma, mu)
            assert comply < defect[1]
            found.append(comply > defect[0])
            if found[-1]:
                assert worth == pytest.approx(cue_value(q, rho, gamma, mu), rel=1e-6)
    assert 20 < sum(found) < 180


def test_a_tie_on_the_cue_is_exact():
    assert complies_on_cue(0.5, 1.0, 0.8, 0.5)  # 0.5 * 0.8 is twice 1 - 0.8
    assert not complies_on_cue(0.5, 1.0, 0.8, 0.499999999999)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((0.0, 0.9, 0.9, 0.5), "share is 0"),
        ((0.5, 0.4, 0.9, 0.5), r"accuracy is 0\.4"),
        ((0.5, 0.9, 1.0, 0.5), r"discount is 1\.0"),
        ((0.5, 0.9, 0.9, 1.5), r"threat is 1\.5"),
    ],
)
def test_bad_cues_are_refused_by_name(arguments, said):
    with pytest.raises(ValueError, match=said):
        complies_on_cue(*arguments)


def planner_loss(kappa):
    return lambda theta, lam: softplus(-(theta + lam * kappa * torch.clamp(-theta, min=0)))


def conserved(theta, lam, kappa, ratio):
    return (lam - 1 / kappa) ** 2 / ratio - theta**2


@pytest.mark.parametrize(("kappa", "ratio"), [(0.7, 0.5), (3.0, 2.0), (1.3, 0.05)])  # none of these is the chapter's
def test_conserved_quantity_drifts_only_by_the_integrator_error(kappa, ratio):
    theta, lam = np.array([-1.5, -0.8, -2.5]), np.array([1 / kappa, 1 / kappa + 0.3, 1 / kappa + 1])  # all stay below 0
    drift = []
    for rate, steps in ((0.04, 500), (0.02, 1000), (0.01, 2000)):  # the same stretch of time
        path = descend(planner_loss(kappa), theta, lam, at=[0, steps], rate=rate, rate_ratio=ratio)
        values = conserved(*path, kappa, ratio)
        drift.append(np.abs(values[1] - values[0]))
    assert (drift[-1] < 0.05).all()
    # first order: half the step, half the error
    assert np.stack(drift[:-1]) / np.stack(drift[1:]) == pytest.approx(2, rel=0.15)


@pytest.mark.parametrize(("kappa", "ratio"), [(0.7, 0.5), (3.0, 2.0), (1.3, 0.05)])
def test_separatrix_parts_the_starts(kappa, ratio):
    random = np.random.default_rng(17)
    theta, lam = random.uniform(-2, 0.5, 400), random.uniform(-0.5, 2 / kappa, 400)
    away = np.abs(np.sqrt(ratio) * -theta - (1 / kappa - lam)) > 0.05
    ends, _ = descend(planner_loss(kappa), theta, lam, at=[4000], rate=0.02, rate_ratio=ratio)
    assert away.sum() > 300
    assert ((ends[0] < 0) == deceptive_basin(theta, lam, kappa, ratio))[away].all()


def test_path_does_not_depend_on_the_loss():
    theta, lam, ratio = np.array([-1.0, -0.4]), np.array([0.4, 0.1]), 0.8
    for slope in (1.0, 3.0):  # two losses that fall with the training logit
        ends, _ = descend(
            lambda t, la, slope=slope: torch.exp(-slope * (t + la * torch.clamp(-t, min=0))),
            theta, lam, at=[6000], rate=0.005, rate_ratio=ratio,
        )  # fmt: skip
        assert ((ends[0] < 0) == deceptive_basin(theta, lam, 1.0, ratio)).all()


def test_basin_on_and_beside_its_edge():
    assert not deceptive_basin(-1.0, 0.0, 1.0, 1.0)
    assert deceptive_basin(-1.0, 1e-9, 1.0, 1.0)
    assert not deceptive_basin([0.0, 0.5], 5.0, 1.0, 1.0).any()
    assert deceptive_basin(np.full((2, 1), -1.0), np.ones(3), 2.0, 1.0).shape == (2, 3)


@pytest.mark.parametrize("arguments", [(0.0, 1.0), (1.0, -1.0), (math.inf, 1.0), (1.0, math.nan)])
def test_basin_refuses_what_is_not_positive(arguments):
    with pytest.raises(ValueError, match="must be positive"):
        deceptive_basin(-1.0, 0.0, *arguments)


def test_descend_looks_where_it_is_told_and_keeps_what_is_not_trained():
    theta, lam = descend(planner_loss(1.0), [-1.0, 0.5], [0.2, 0.2], at=[0, 1, 7], rate=0.1, rate_ratio=0)
    assert theta.shape == lam.shape == (3, 2)
    assert (lam == 0.2).all()
    assert theta[0].tolist() == [-1.0, 0.5]
    one = theta[0] + 0.1 / (1 + np.exp([-0.8, 0.5])) * [0.8, 1.0]  # the slope by hand
    assert theta[1] == pytest.approx(one)


@pytest.mark.parametrize(
    ("change", "said"), [({"at": [3, 1]}, "at is"), ({"at": []}, "at is"), ({"rate": 0.0}, "rate is")]
)
def test_descend_refuses_what_makes_no_sense(change, said):
    with pytest.raises(ValueError, match=said):
        descend(planner_loss(1.0), [-1.0], [0.0], **{"at": [1]} | change)


def test_goals_have_the_cosine_asked_for_and_depend_on_their_seed_alone():
    wanted, own, unrelated = goals(range(5), 8, 0.3)
    assert torch.allclose((wanted * own).sum(1), torch.full((5,), 0.3), atol=1e-6)
    assert torch.allclose(torch.stack([wanted, own, unrelated]).norm(dim=-1), torch.ones(3, 5), atol=1e-6)
    assert torch.equal(goals([3], 8, 0.3)[1][0], own[3])
    assert torch.equal(goals([4, 3], 8, [-0.5, 0.3])[1][1], own[3])
    with pytest.raises(ValueError, match=r"cosine 1\.5"):
        goals([1], 8, 1.5)


def test_batches_depend_on_their_seed_alone():
    first = [batch for batch, _ in zip(normal_batches([4, 5], 2, 3), range(70), strict=False)]
    again = [batch for batch, _ in zip(normal_batches([5], 2, 3), range(70), strict=False)]
    assert all(torch.equal(a[1], b[0]) for a, b in zip(first, again, strict=True))


def worth_of_complying(obs):
    return lambda agents: agents(obs).mean((1, 2))


def test_agents_of_an_ensemble_are_those_of_their_seeds_before_and_after_training():
    obs = torch.randn(1, 3, 5, 2, generator=torch.Generator().manual_seed(1))
    together, alone = RecurrentAgents([2, 9], inputs=2), RecurrentAgents([9], inputs=2)
    assert torch.allclose(together(obs)[1], alone(obs)[0], atol=1e-6)
    before = together(obs).detach()
    trained = train_agents(together, worth_of_complying(obs), steps=20)
    assert torch.equal(together(obs).detach(), before)
    assert (trained(obs).mean((1, 2)) > before.mean((1, 2))).all()
    assert torch.allclose(trained(obs)[1], train_agents(alone, worth_of_complying(obs), steps=20)(obs)[0], atol=1e-4)


def test_recurrence_is_torchs_own():
    agents = RecurrentAgents([3], inputs=2, hidden=4)
    unit = torch.nn.GRU(2, 4, batch_first=True)
    order = [1, 0, 2]  # PyTorch has the reset gate first
    with torch.no_grad():
        for name, weight in (("ih", agents.weight_ih), ("hh", agents.weight_hh)):
            blocks = weight[0].T.chunk(3)
            getattr(unit, f"weight_{name}_l0").copy_(torch.cat([blocks[i] for i in order]))
        unit.bias_ih_l0.zero_()
        unit.bias_hh_l0.zero_()
    obs = torch.randn(6, 9, 2, generator=torch.Generator().manual_seed(2))
    logits = unit(obs)[0] @ agents.weight_out[0]
    assert torch.allclose(agents(obs[None])[0], torch.sigmoid(logits[..., 0]), atol=1e-6)


def test_without_memory_an_episode_is_judged_by_its_observation():
    agents = RecurrentAgents(range(3), inputs=2)
    obs = torch.randn(1, 4, 6, 2, generator=torch.Generator().manual_seed(3))
    shuffled = obs[:, :, [3, 0, 5, 1, 2, 4]]
    assert torch.allclose(agents(obs, 0.0)[:, :, [3, 0, 5, 1, 2, 4]], agents(shuffled, 0.0), atol=1e-6)
    assert not torch.allclose(agents(obs)[:, :, [3, 0, 5, 1, 2, 4]], agents(shuffled), atol=1e-3)


def test_copies_are_equal_and_share_nothing():
    agents = RecurrentAgents([1, 2], inputs=1)
    twice = agents.select([0, 1, 0, 1])
    assert twice.seeds == (1, 2, 1, 2)
    assert all(torch.equal(weight[:2], weight[2:]) for weight in twice.parameters())
    train_agents(twice, lambda a: a(torch.ones(1, 1, 2, 1)).mean((1, 2)), steps=1)
    assert all(torch.equal(a, b[:2]) for a, b in zip(agents.parameters(), twice.parameters(), strict=True))


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: RecurrentAgents([], 2), "seeds is empty"),
        (lambda: RecurrentAgents([1], 0), "inputs is 0"),
        (lambda: RecurrentAgents([-1], 2), "seed is -1"),
        (lambda: train_agents(RecurrentAgents([1], 2), lambda a: None, steps=0), "steps is 0"),
    ],
)
def test_agents_that_cannot_be_are_refused(make, said):
    with pytest.raises(ValueError, match=said):
        make()
