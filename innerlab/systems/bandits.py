"""Bernoulli bandits with few pulls, solved exactly: every history that an agent can come upon is listed.

A *bandit* has some arms. Each pull of an arm pays 1 with a chance that belongs to the arm, and 0 otherwise. A *task* is
one set of such chances, and an agent plays each task for the same number of pulls, without knowing the chances.

After ``t`` pulls there are ``(2 * arms) ** t`` *histories*: history ``h``, followed by arm ``a`` and reward ``r``, is
history ``h * 2 * arms + 2 * a + r`` of the next pull. Two kinds of table say what matters about them,
one tensor a pull:

*beliefs* ``(..., histories, arms)``: the probability that each arm pays next, given the history;
*policy* ``(..., histories, arms)``: the probability that an agent pulls each arm next.

Leading axes are networks, or anything else that is computed as one batch.
"""

from collections.abc import Sequence
from functools import cache

import numpy as np
import torch
from scipy.special import betainc, betaln
from torch import Tensor

Table = list[Tensor]

LARGEST = 10**6
"""the most histories that may be listed for one pull"""


def histories(arms: int, pulls: int) -> list[tuple[Tensor, Tensor]]:
    """How often each arm has paid and has not paid, in every history.

    Args:
        arms: number of arms, at least 1.
        pulls: pulls a task, at least 1.

    Returns:
        For each pull two float tensors ``(histories, arms)``: rewards of 1, and rewards of 0, before this pull.

    Raises:
        ValueError: if there is no arm or pull, or there are more than ``LARGEST`` histories.
    """
    _check(arms, pulls)
    if (2 * arms) ** (pulls - 1) > LARGEST:
        raise ValueError(f"pulls is {pulls}; with {arms} arms, that is more than {LARGEST:,} histories")
    # what each arm and reward adds, in the order of the histories that follow
    one = torch.eye(arms).repeat_interleave(2, 0)
    pays = torch.arange(2 * arms)[:, None] % 2
    paid = unpaid = torch.zeros(1, arms)
    listed = [(paid, unpaid)]
    for _ in range(pulls - 1):
        paid = (paid[:, None] + one * pays).flatten(0, 1)
        unpaid = (unpaid[:, None] + one * (1 - pays)).flatten(0, 1)
        listed.append((paid, unpaid))
    return listed


def _check(arms: int, pulls: int) -> None:
    if arms < 1:
        raise ValueError(f"arms is {arms}; it must be at least 1")
    if pulls < 1:
        raise ValueError(f"pulls is {pulls}; it must be at least 1")


def beta_beliefs(pulls: int, successes: Tensor, failures: Tensor) -> Table:
    """Beliefs under a Beta prior for each arm's chance.

    Args:
        pulls: at least 1.
        successes: the first parameter of each arm's prior, float ``(..., arms)``, positive. 1 for all is uniform.
        failures: the second parameter of each arm's prior, float, of the same shape as ``successes``, positive. Two
            infinite parameters stand for an arm known to pay half the time.

    Returns:
        A table of beliefs: for each pull, float ``(..., histories, arms)``.

    Raises:
        ValueError: if a parameter is not positive, shapes differ, there is no pull, or there are more than ``LARGEST``
            histories.
    """
    if successes.shape != failures.shape:
        raise ValueError(f"successes has shape {tuple(successes.shape)}, failures {tuple(failures.shape)}")
    if not (bool((successes > 0).all()) and bool((failures > 0).all())):
        raise ValueError("successes and failures must be positive")
    beliefs = []
    for paid, unpaid in histories(successes.shape[-1], pulls):
        for_it, against = paid + successes[..., None, :], unpaid + failures[..., None, :]
        known = for_it.isinf() & against.isinf()
        beliefs.append(torch.where(known, 0.5, for_it / (for_it + against)))
    return beliefs


def task_beliefs(pulls: int, tasks: Tensor) -> Table:
    """Beliefs under a uniform prior over a list of tasks.

    After a history that no task of the list allows, all of them stay equally likely.

    Args:
        pulls: at least 1.
        tasks: the chance of each arm in each task, float ``(..., tasks, arms)``, in 0 to 1.

    Returns:
        A table of beliefs: for each pull, float32 ``(..., histories, arms)``.

    Raises:
        ValueError: if a chance lies outside 0 to 1, there is no pull, or there are more than ``LARGEST`` histories.
    """
    if not bool(((tasks >= 0) & (tasks <= 1)).all()):
        raise ValueError(f"tasks runs from {float(tasks.min())} to {float(tasks.max())}; 0 to 1 is allowed")
    tasks = tasks.double()
    beliefs = []
    for paid, unpaid in histories(tasks.shape[-1], pulls):
        chances = tasks[..., None, :, :]  # (..., 1, tasks, arms)
        likely = (chances ** paid[:, None] * (1 - chances) ** unpaid[:, None]).prod(-1)  # (..., histories, tasks)
        total = likely.sum(-1, keepdim=True)
        share = torch.where(total > 0, likely / total.clamp(min=1e-300), 1 / tasks.shape[-2])
        beliefs.append((share @ tasks).float())
    return beliefs


def history_chances(policy: Sequence[Tensor], beliefs: Sequence[Tensor]) -> Table:
    """The probability of each history under a policy, differentiable with respect to policy and beliefs.

    Args:
        policy: the probability of each arm at each pull, a table of float ``(..., histories, arms)``.
        beliefs: in the world in which the policy acts, a table of float ``(..., histories, arms)``. Leading axes of
            both tables are broadcast.

    Returns:
        For each pull, the probability of each history before this pull, float ``(..., histories)``.

    Raises:
        ValueError: if ``policy`` and ``beliefs`` differ in pulls.
    """
    if len(policy) != len(beliefs):
        raise ValueError(f"policy has {len(policy)} pulls, beliefs {len(beliefs)}")
    chances = [torch.ones(1)]
    for choice, belief in zip(policy[:-1], beliefs[:-1], strict=True):
        pulled = chances[-1][..., None] * choice
        chances.append(torch.stack([pulled * (1 - belief), pulled * belief], -1).flatten(-3))
    return chances


def reward_per_pull(policy: Sequence[Tensor], beliefs: Sequence[Tensor]) -> Tensor:
    """The expected reward of a policy at each pull: exact, and differentiable.

    Args:
        policy: a table, as in :func:`history_chances`.
        beliefs: a table, as in :func:`history_chances`.

    Returns:
        Expected rewards, float ``(..., pulls)``, each in 0 to 1.

    Raises:
        ValueError: if ``policy`` and ``beliefs`` differ in pulls.
    """
    chances = history_chances(policy, beliefs)
    each = zip(chances, policy, beliefs, strict=True)
    rewards = [(chance[..., None] * choice * belief).sum((-2, -1)) for chance, choice, belief in each]
    return torch.stack(torch.broadcast_tensors(*rewards), -1)


def entropy_per_pull(policy: Sequence[Tensor], beliefs: Sequence[Tensor]) -> Tensor:
    """The mean entropy of a policy at each pull, over the histories that the policy comes upon; differentiable.

    Args:
        policy: a table, as in :func:`history_chances`.
        beliefs: a table, as in :func:`history_chances`.

    Returns:
        Entropies in nats, float ``(..., pulls)``.

    Raises:
        ValueError: if ``policy`` and ``beliefs`` differ in pulls.
    """
    chances = history_chances(policy, beliefs)
    entropies = [
        (chance * -torch.xlogy(choice, choice.clamp(min=1e-30)).sum(-1)).sum(-1)
        for chance, choice in zip(chances, policy, strict=True)
    ]
    return torch.stack(torch.broadcast_tensors(*entropies), -1)


def bayes_optimal(beliefs: Sequence[Tensor]) -> tuple[Tensor, Table]:
    """The highest expected total reward under beliefs, and a policy that attains this reward.

    Backward induction over all histories, from the last pull. The policy pulls arms that are equally good equally
    often.

    Args:
        beliefs: a table of float ``(..., histories, arms)``, for at least one pull.

    Returns:
        The expected total reward, not discounted, float ``(...)``, and the policy, a table of float
        ``(..., histories, arms)``.
    """
    policy: Table = []
    later = torch.zeros(())
    for belief in reversed(beliefs):
        worth = belief
        if policy:
            unpaid, paid = later.unflatten(-1, (*belief.shape[-2:], 2)).unbind(-1)
            worth = belief * (1 + paid) + (1 - belief) * unpaid
        policy.append(among_best(worth))
        later = worth.amax(-1)
    return later[..., 0], policy[::-1]


def among_best(score: Tensor) -> Tensor:
    """A policy that pulls the arms with the highest score equally often.

    Args:
        score: of each arm, float ``(..., arms)``. Scores within 1e-6 of the highest count as equal to the highest.

    Returns:
        The probability of each arm, float32 ``(..., arms)``.
    """
    best = (score >= score.amax(-1, keepdim=True) - 1e-6).float()
    return best / best.sum(-1, keepdim=True)


def bayes_optimal_bandit(arms: int, pulls: int) -> tuple[float, dict[tuple[int, ...], tuple[int, ...]]]:
    """The Bayes-optimal value and choices for arms whose chances are uniform on 0 to 1, for long episodes too.

    The chances have Beta(1, 1) priors, so that the counts of rewards of 1 and of 0 of each arm are a sufficient
    statistic. The backward induction runs over these counts, of which there are far fewer than histories.

    Args:
        arms: number of arms, at least 1.
        pulls: pulls a task, at least 1.

    Returns:
        The expected total reward, not discounted, and for each state of the counts (rewards of 1 and of 0 of the
        first arm, then of the second, and so on) all arms, from 0, that are best to pull next.

    Raises:
        ValueError: if there is no arm or pull.
    """
    _check(arms, pulls)
    best: dict[tuple[int, ...], tuple[int, ...]] = {}
    value = dict.fromkeys(_counts(2 * arms, pulls), 0.0)
    for made in reversed(range(pulls)):
        next_value, value = value, {}
        for state in _counts(2 * arms, made):
            worth = []
            for arm in range(arms):
                paid, unpaid = ((*state[:at], state[at] + 1, *state[at + 1 :]) for at in (2 * arm, 2 * arm + 1))
                chance = (state[2 * arm] + 1) / (state[2 * arm] + state[2 * arm + 1] + 2)
                worth.append(chance * (1 + next_value[paid]) + (1 - chance) * next_value[unpaid])
            value[state] = max(worth)
            best[state] = tuple(arm for arm in range(arms) if worth[arm] > value[state] - 1e-9)
    return value[(0,) * 2 * arms], best


@cache
def _counts(places: int, total: int) -> tuple[tuple[int, ...], ...]:
    """Every way to write a total as a sum of so many whole numbers."""
    if places == 1:
        return ((total,),)
    return tuple((first, *rest) for first in range(total + 1) for rest in _counts(places - 1, total - first))


def uniform(arms: int, pulls: int) -> Table:
    """The policy that pulls every arm equally often, whatever the history.

    Args:
        arms: number of arms, at least 1.
        pulls: pulls a task, at least 1.

    Returns:
        A table of float ``(histories, arms)``.

    Raises:
        ValueError: if there is no arm or pull, or there are more than ``LARGEST`` histories.
    """
    return [torch.full((len(paid), arms), 1 / arms) for paid, _ in histories(arms, pulls)]


def thompson_sampling(arms: int, pulls: int) -> Table:
    """Thompson sampling with uniform priors: an arm is pulled with the posterior probability that it is the best.

    After Thompson 1933, *Biometrika* 25. That probability is an integral of a polynomial, which Gauss-Legendre
    quadrature with enough nodes gives exactly.

    Args:
        arms: number of arms, at least 1.
        pulls: pulls a task, at least 1.

    Returns:
        A table of float32 ``(histories, arms)``.

    Raises:
        ValueError: if there is no arm or pull, or there are more than ``LARGEST`` histories.
    """
    nodes, weights = np.polynomial.legendre.leggauss(arms * (pulls + 1) // 2 + 1)
    x, weights = (nodes + 1) / 2, weights / 2
    policy = []
    for paid, unpaid in histories(arms, pulls):
        a, b = (1 + count.double().numpy()[..., None] for count in (paid, unpaid))  # (histories, arms, 1)
        density = np.exp((a - 1) * np.log(x) + (b - 1) * np.log1p(-x) - betaln(a, b))
        below = betainc(a, b, x)  # (histories, arms, nodes)
        others = np.stack([np.delete(below, arm, 1).prod(1) for arm in range(arms)], 1)
        policy.append(torch.tensor((density * others) @ weights).float())
    return policy


def ucb(arms: int, pulls: int) -> Table:
    """UCB1: the arm with the highest mean reward plus a bonus of √(2 ln t / n) for having been pulled n of t times.

    The rule of Auer, Cesa-Bianchi and Fischer (2002), as textbooks give it. Arms never pulled come first.

    Args:
        arms: number of arms, at least 1.
        pulls: pulls a task, at least 1.

    Returns:
        A table of float32 ``(histories, arms)``.

    Raises:
        ValueError: if there is no arm or pull, or there are more than ``LARGEST`` histories.
    """
    policy = []
    for made, (paid, unpaid) in enumerate(histories(arms, pulls)):
        n = paid + unpaid
        index = paid / n.clamp(min=1) + (2 * np.log(max(made, 1)) / n.clamp(min=1)).sqrt()
        policy.append(among_best(torch.where(n == 0, 1e3, index)))
    return policy
