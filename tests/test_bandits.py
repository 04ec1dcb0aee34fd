"""Bandits against brute force, closed forms and simulation."""

from itertools import product
from math import prod

import numpy as np
import pytest
import torch
from scipy.special import beta as beta_function

from innerlab.systems.bandits import (
    among_best,
    bayes_optimal,
    bayes_optimal_bandit,
    beta_beliefs,
    entropy_per_pull,
    histories,
    history_chances,
    reward_per_pull,
    task_beliefs,
    thompson_sampling,
    ucb,
    uniform,
)


def uniform_beliefs(arms, pulls):
    return beta_beliefs(pulls, torch.ones(arms), torch.ones(arms))


def steps_of(history, arms, pull):
    """The arms and rewards that a history's number stands for."""
    steps = []
    for _ in range(pull):
        history, last = divmod(history, 2 * arms)
        steps.append(divmod(last, 2))
    return steps[::-1]


@pytest.mark.parametrize(("arms", "pulls"), [(1, 4), (2, 4), (3, 3)])
def test_counts_are_those_of_the_history_that_the_number_stands_for(arms, pulls):
    for pull, (paid, unpaid) in enumerate(histories(arms, pulls)):
        assert paid.shape == unpaid.shape == ((2 * arms) ** pull, arms)
        for h in range(len(paid)):
            steps = steps_of(h, arms, pull)
            for arm in range(arms):
                assert paid[h, arm] == steps.count((arm, 1))
                assert unpaid[h, arm] == steps.count((arm, 0))


def random_policy(arms, pulls, seed, *lead):
    g = torch.Generator().manual_seed(seed)
    return [torch.rand(*lead, (2 * arms) ** t, arms, generator=g).softmax(-1) for t in range(pulls)]


def test_reward_of_a_policy_is_what_a_sum_over_tasks_and_histories_gives():
    tasks = [(0.3, 0.8), (0.9, 0.1), (0.5, 0.6)]
    policy = random_policy(2, 3, 0)
    expected = np.zeros(3)
    for task, steps in product(tasks, product(product(range(2), range(2)), repeat=3)):
        weight, h = 1 / len(tasks), 0
        for pull, (arm, reward) in enumerate(steps):
            weight *= float(policy[pull][h, arm]) * (task[arm] if reward else 1 - task[arm])
            h = h * 4 + 2 * arm + reward
        expected += weight * np.array([reward for _, reward in steps])
    found = reward_per_pull(policy, task_beliefs(3, torch.tensor(tasks)))
    assert torch.allclose(found, torch.tensor(expected).float(), atol=1e-6)


def test_uniform_priors_are_the_limit_of_many_tasks():
    grid = (torch.arange(60) + 0.5) / 60
    tasks = torch.cartesian_prod(grid, grid)
    for many, exact in zip(task_beliefs(4, tasks), uniform_beliefs(2, 4), strict=True):
        assert torch.allclose(many, exact, atol=2e-3)


def test_a_policy_is_rewarded_as_in_simulation():
    policy, pulls, episodes = thompson_sampling(2, 4), 4, 200_000
    g = torch.Generator().manual_seed(1)
    tasks = torch.rand(episodes, 2, generator=g)
    h, rewards = torch.zeros(episodes, dtype=torch.long), []
    for pull in range(pulls):
        arm = (torch.rand(episodes, generator=g) < policy[pull][h, 1]).long()
        reward = (torch.rand(episodes, generator=g) < tasks[torch.arange(episodes), arm]).long()
        h = h * 4 + 2 * arm + reward
        rewards.append(reward.float().mean())
    found = reward_per_pull(policy, uniform_beliefs(2, pulls))
    assert torch.allclose(found, torch.stack(rewards), atol=5 * 0.5 / episodes**0.5)


def test_gradient_is_that_of_finite_differences():
    beliefs = uniform_beliefs(2, 3)
    logits = [torch.randn(4**t, 2, generator=torch.Generator().manual_seed(t), dtype=torch.double) for t in range(3)]
    for one in logits:
        one.requires_grad_()

    def total(*logits):
        return reward_per_pull([one.softmax(-1) for one in logits], [b.double() for b in beliefs]).sum()

    assert torch.autograd.gradcheck(total, logits)


def test_histories_are_certain_together_and_entropy_is_that_of_the_choices():
    beliefs, policy = uniform_beliefs(2, 4), random_policy(2, 4, 5)
    chances = history_chances(policy, beliefs)
    assert all(float(chance.sum()) == pytest.approx(1, abs=1e-5) for chance in chances)
    assert torch.allclose(entropy_per_pull(uniform(2, 4), beliefs), torch.full((4,), 2.0).log())
    certain = [among_best(torch.rand(4**t, 2)) for t in range(4)]
    assert (entropy_per_pull(certain, beliefs) == 0).all()
    by_hand = sum(-p * np.log(p) for p in policy[0][0].tolist())
    assert float(entropy_per_pull(policy, beliefs)[0]) == pytest.approx(by_hand, abs=1e-5)


@pytest.mark.parametrize(("arms", "pulls"), [(2, 1), (2, 2), (2, 3), (3, 2)])
def test_no_deterministic_policy_beats_the_bayes_optimal_one(arms, pulls):
    beliefs = uniform_beliefs(arms, pulls)
    sizes = [(2 * arms) ** t for t in range(pulls)]
    everything = (
        product(range(arms), repeat=sum(sizes)) if arms ** sum(sizes) < 5000 else
        np.random.default_rng(0).integers(arms, size=(3000, sum(sizes)))
    )  # fmt: skip
    one_hot = torch.eye(arms)
    best = max(
        float(reward_per_pull(one_hot[torch.tensor(choices)].split(sizes), beliefs).sum())
        for choices in map(list, everything)
    )
    value, policy = bayes_optimal(beliefs)
    assert float(reward_per_pull(policy, beliefs).sum()) == pytest.approx(float(value), abs=1e-6)
    assert value >= best - 1e-6
    if arms ** sum(sizes) < 5000:
        assert value == pytest.approx(best, abs=1e-6)
    assert bayes_optimal_bandit(arms, pulls)[0] == pytest.approx(float(value), abs=1e-6)


@pytest.mark.parametrize(("arms", "pulls"), [(1, 5), (2, 6), (3, 4)])
def test_counts_and_histories_lead_to_the_same_choices(arms, pulls):
    value, policy = bayes_optimal(uniform_beliefs(arms, pulls))
    by_counts, best = bayes_optimal_bandit(arms, pulls)
    assert by_counts == pytest.approx(float(value), abs=1e-5)
    for choice, (paid, unpaid) in zip(policy, histories(arms, pulls), strict=True):
        states = torch.stack([paid, unpaid], -1).flatten(1).int().tolist()
        for h, state in enumerate(states):
            assert tuple(choice[h].nonzero().flatten().tolist()) == best[tuple(state)]


def test_two_pulls_by_hand():
    value, best = bayes_optimal_bandit(2, 2)  # a half; then two thirds after a reward, a half after none
    assert value == pytest.approx(1 / 2 + (2 / 3 + 1 / 2) / 2)
    assert best[(0, 0, 0, 0)] == (0, 1)
    assert best[(1, 0, 0, 0)] == (0,)
    assert best[(0, 1, 0, 0)] == (1,)


def test_longer_episodes_are_worth_more_a_pull():
    values = [bayes_optimal_bandit(2, pulls)[0] / pulls for pulls in (1, 3, 9, 20)]
    assert values == sorted(values)
    assert values[-1] < 2 / 3  # the better of two uniform chances, on average


def test_with_one_task_nothing_is_to_be_learned():
    value, policy = bayes_optimal(task_beliefs(4, torch.tensor([[0.2, 0.7]])))
    assert float(value) == pytest.approx(4 * 0.7)
    assert all((choice[:, 1] == 1).all() for choice in policy)


def test_thompson_sampling_pulls_an_arm_as_often_as_it_is_best():
    for pull, (choice, (paid, unpaid)) in enumerate(zip(thompson_sampling(2, 4), histories(2, 4), strict=True)):
        assert torch.allclose(choice.sum(-1), torch.ones(len(choice)), atol=1e-6)
        for h in range(0, len(choice), 7 ** (pull // 2)):
            (a, c), (b, d) = ((1 + count[h]).tolist() for count in (paid, unpaid))
            # P(second > first), with whole numbers for parameters
            second = sum(
                beta_function(a + j, b + d) / ((d + j) * beta_function(1 + j, d) * beta_function(a, b))
                for j in range(int(c))
            )
            assert float(choice[h, 1]) == pytest.approx(second, abs=1e-6)


def test_thompson_sampling_with_three_arms_agrees_with_drawing():
    g = np.random.default_rng(0)
    choice, (paid, unpaid) = thompson_sampling(3, 3)[2], histories(3, 3)[2]
    for h in (0, 8, 21, 35):
        drawn = g.beta(1 + paid[h].numpy(), 1 + unpaid[h].numpy(), size=(40_000, 3)).argmax(1)
        assert np.bincount(drawn, minlength=3) / 40_000 == pytest.approx(choice[h].numpy(), abs=0.012)


def test_ucb_tries_every_arm_first():
    policy = ucb(3, 4)
    for pull in range(3):
        paid, unpaid = histories(3, 4)[pull]
        fresh = paid + unpaid == 0
        distinct = fresh.sum(-1) == 3 - pull
        assert torch.equal(policy[pull][distinct] > 0, fresh[distinct])
    h = (0 * 6 + 0 + 1) * 36 + (2 + 0) * 6 + 4  # first arm paid, the other two did not
    assert policy[3][h].tolist() == [1, 0, 0]


def test_designed_agents_stand_in_their_order():
    beliefs = uniform_beliefs(2, 6)
    optimal = float(bayes_optimal(beliefs)[0])
    totals = [float(reward_per_pull(agent(2, 6), beliefs).sum()) for agent in (uniform, ucb, thompson_sampling)]
    assert totals[0] == pytest.approx(3)
    assert all(3 < total < optimal - 0.01 for total in totals[1:])


def test_mirror_world_pays_what_the_world_does_not():
    beliefs = uniform_beliefs(2, 4)
    mirror = [  # rewards exchanged in what the agent sees: 1 for 0 in every step of the history
        policy[[sum((d ^ 1) * 4**k for k, d in enumerate(digits(h, t))) for h in range(4**t)]]
        for t, policy in enumerate(thompson_sampling(2, 4))
    ]
    total = float(reward_per_pull(thompson_sampling(2, 4), beliefs).sum())
    assert float(reward_per_pull(mirror, beliefs).sum()) == pytest.approx(4 - total, abs=1e-5)


def digits(h, many):
    return [h // 4**k % 4 for k in range(many)]


def test_leading_axes_are_computed_as_one_by_one():
    policy = random_policy(2, 4, 3, 5)
    tasks = torch.rand(5, 3, 2, generator=torch.Generator().manual_seed(4))
    together = reward_per_pull(policy, task_beliefs(4, tasks))
    for k in range(5):
        alone = reward_per_pull([one[k] for one in policy], task_beliefs(4, tasks[k]))
        assert torch.allclose(together[k], alone, atol=1e-6)
    value, best = bayes_optimal(task_beliefs(4, tasks))
    assert torch.allclose(reward_per_pull(best, task_beliefs(4, tasks)).sum(-1), value, atol=1e-5)


def test_beliefs_are_martingales():
    """What one will believe after a pull is, on average, what one believes before it."""
    for before, after in zip(uniform_beliefs(2, 4), uniform_beliefs(2, 4)[1:], strict=False):
        after = after.unflatten(0, (len(before), 2, 2))  # (histories, arm pulled, reward, arms)
        mean = before[..., None] * after[:, :, 1] + (1 - before[..., None]) * after[:, :, 0]
        assert torch.allclose(mean, before[:, None].expand_as(mean), atol=1e-6)


def test_a_known_arm_teaches_nothing():
    infinite = torch.tensor([torch.inf, 1.0])
    for belief, (paid, unpaid) in zip(beta_beliefs(3, infinite, infinite), histories(2, 3), strict=True):
        assert (belief[:, 0] == 0.5).all()
        assert torch.allclose(belief[:, 1], (1 + paid[:, 1]) / (2 + paid[:, 1] + unpaid[:, 1]))


def test_an_impossible_history_leaves_every_task_possible():
    beliefs = task_beliefs(2, torch.tensor([[1.0, 0.0], [1.0, 0.5]]))
    assert torch.allclose(beliefs[1][0], torch.tensor([1.0, 0.25]))  # the first arm did not pay
    assert prod(beliefs[1].shape) == 8


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: histories(0, 3), "arms is 0"),
        (lambda: histories(2, 0), "pulls is 0"),
        (lambda: histories(2, 12), "pulls is 12"),
        (lambda: bayes_optimal_bandit(0, 3), "arms is 0"),
        (lambda: bayes_optimal_bandit(2, 0), "pulls is 0"),
        (lambda: beta_beliefs(2, torch.zeros(2), torch.ones(2)), "positive"),
        (lambda: beta_beliefs(2, torch.ones(2), torch.ones(3)), "shape"),
        (lambda: task_beliefs(2, torch.tensor([[0.5, 1.5]])), "1.5"),
        (lambda: reward_per_pull(uniform(2, 2), uniform_beliefs(2, 3)), "policy has 2"),
    ],
)
def test_bad_input_is_named(call, said):
    with pytest.raises(ValueError, match=said):
        call()
