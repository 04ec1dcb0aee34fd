"""Optimal values, outcome probabilities and inverse reinforcement learning, from the tables, without sampling."""

from math import log

import torch
import torch.nn.functional as F
from torch import Tensor

from innerlab.ensembles.policies import Policies
from innerlab.worlds.gridworld import Gridworld, free_cells, successors
from innerlab.worlds.red_doors import OUTCOMES, outcome_of_objects
from innerlab.worlds.shifts import move_weights, powers, transposed


def optimal_values(world: Gridworld, discount: float) -> Tensor:
    """The value of each cell under the best policy, for the reward trained on.

    Value iteration (Sutton and Barto 2018, section 4.4) until a sweep changes nothing. In these worlds that takes as
    many sweeps as the longest of all shortest paths has steps.

    Args:
        world: all its layouts are solved at once.
        discount: per step; at least 0 and below 1.

    Returns:
        float ``(layouts, cells)``.

    Raises:
        ValueError: if the discount is out of range.
    """
    if not 0 <= discount < 1:
        raise ValueError(f"discount is {discount}; it must lie in 0 to below 1")
    model = successors(world, torch.arange(world.layouts))
    kept, flat = discount * (model.touched == 0), model.cell.flatten(-2)
    value = torch.zeros(world.layouts, world.cells)
    while True:
        # V(s) <- max_a r(s, a) + gamma V(s')
        improved = (model.reward + kept * value.gather(-1, flat).view(kept.shape)).amax(-1)  # (layouts, cells)
        if torch.equal(improved, value):
            return value
        value = improved


@torch.no_grad()
def outcome_probabilities(policies: Policies, world: Gridworld, greedy: bool = False) -> Tensor:
    """The exact probabilities of the ways in which an episode from the start of each layout can end.

    The distribution over cells is propagated for ``world.max_steps`` steps. There is no sampling error: differences
    between networks are differences of their policies.

    Args:
        policies: the agents.
        world: the layouts; every agent plays each of them.
        greedy: take the likeliest action at each step instead of sampling from the policy.

    Returns:
        float ``(networks, layouts, outcomes)``, outcomes as in ``red_doors.OUTCOMES``; sums to 1 over the last axis.
    """
    parts = torch.arange(world.layouts).split(_LAYOUTS_AT_ONCE)
    return torch.cat([_outcomes_in(policies, world, layout, greedy) for layout in parts], 1)


_LAYOUTS_AT_ONCE = 16  # few enough for the processor's cache


def _outcomes_in(policies: Policies, world: Gridworld, layout: Tensor, greedy: bool) -> Tensor:
    """The outcome probabilities in these layouts, long ``(layouts,)``."""
    logits = policies.everywhere(world, layout[None])  # (actions, cells, networks, layouts)
    probabilities = F.one_hot(logits.argmax(0), len(logits)).movedim(-1, 0).float() if greedy else logits.softmax(0)
    weights = move_weights(probabilities, world, layout[None])
    start = torch.zeros(weights.shape[1:])  # (cells, networks, layouts)
    start[world.start[layout], :, torch.arange(len(layout))] = 1.0
    # (steps + 1, cells, networks, layouts)
    where = powers(transposed(weights, world.width), start, world.width, world.max_steps + 1)
    # nobody leaves an object, so that each episode that ends is counted once
    ended = where.sum(0)[world.object_cell[layout], :, torch.arange(len(layout))[:, None]]
    counted = F.one_hot(outcome_of_objects(world)[layout], len(OUTCOMES)).float()
    outcomes = torch.einsum("lkn,lko->nlo", ended, counted)
    outcomes[..., 0] = (where[-1] * free_cells(world, layout).T[:, None]).sum(0)
    return outcomes


def maximum_entropy_irl(
    policies: Policies,
    world: Gridworld,
    features: Tensor,
    start: Tensor,
    discount: float = 0.95,
    sweeps: int = 20,
    steps: int = 200,
    tolerance: float = 1e-6,
) -> tuple[Tensor, Tensor]:
    r"""Maximum causal entropy inverse reinforcement learning: the reward that makes each agent's moves most likely.

    The model is an agent that maximizes reward plus the entropy of its moves (Ziebart, Bagnell and Dey 2010, *Modeling
    Interaction via the Principle of Maximum Causal Entropy*). Entropy is counted against uniform moves, so that to
    wander is worth 0 (else it were worth ln 4 a step, and any pay would be a pay for giving that up):

    .. math:: \pi(a \mid s) = \tfrac14 \exp(Q(s, a) - V(s)), \quad V(s) = \log \tfrac14 \sum_a \exp Q(s, a),

    with Q(s, a) = w · features of the object that is touched, or γ V(s') if none is. Fisher scoring with Levenberg's
    damping maximizes, in w, the mean log-likelihood of the agent's move probabilities over all free cells of all
    layouts. The likelihood can have several maxima: begin in more than one place.

    Args:
        policies: the agents.
        world: the layouts in which their moves are observed; a few are enough.
        features: of each object, float ``(layouts, objects, features)``.
        start: of the weights, float ``(features,)`` or ``(networks, features)``.
        discount: per step, in 0 to below 1.
        sweeps: over how many steps of the future V sums.
        steps: at most.
        tolerance: a network's fit ends where no component of the likelihood's gradient is larger, in nats per unit.

    Returns:
        The weights w, float ``(networks, features)``, and the mean Kullback-Leibler divergence between the agent's
        moves and the model's, float ``(networks,)``, in nats.

    Raises:
        RuntimeError: if a network's fit has not ended after so many steps.
    """
    layout = torch.arange(world.layouts)
    model = successors(world, layout)
    with torch.no_grad():
        moves = policies.everywhere(world, layout[None]).softmax(0)  # (actions, cells, networks, layouts)
    moves = moves.movedim(1, -1)[..., model.free].double()  # (actions, networks, free cells of all layouts)
    number = torch.zeros(model.free.shape, dtype=torch.long)  # of each free cell among all of them
    number[model.free] = torch.arange(int(model.free.sum()))
    successor = number[layout[:, None, None], model.cell][model.free].T  # (actions, free cells)
    ends = (model.touched > 0)[model.free].T
    which = (model.touched - 1).clamp(min=0)  # (layouts, cells, actions)
    touched = features[layout[:, None, None], which][model.free].movedim(1, 0).double()
    surprise = torch.xlogy(moves, moves).sum(0).mean(-1)  # what the best model would reach

    def fit(weights: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Divergence ``(networks,)``, its gradient ``(networks, features)`` and the Fisher information."""
        pays = torch.einsum("acf,nf->anc", touched, weights)
        value = torch.zeros_like(pays[0])  # (networks, free cells)
        slope = torch.zeros(*value.shape, weights.shape[-1], dtype=pays.dtype)  # of the value, by each weight
        for _ in range(sweeps):
            q = torch.where(ends[:, None], pays, discount * value[:, successor].movedim(1, 0))
            dq = torch.where(
                ends[:, None, :, None], touched[:, None], discount * slope[:, successor].movedim(1, 0)
            )  # (actions, networks, free cells, features)
            chance = q.softmax(0)
            value = q.logsumexp(0) - log(len(q))
            slope = (chance[..., None] * dq).sum(0)
        divergence = surprise - (moves * q.log_softmax(0)).sum(0).mean(-1)
        apart = dq - slope
        gradient = -(moves[..., None] * apart).sum(0).mean(1)
        information = torch.einsum("anc,ancf,ancg->nfg", chance, apart, apart) / moves.shape[-1]
        return divergence, gradient, information

    weights = start.double().expand(policies.networks, -1).clone()
    damping = torch.full((policies.networks, 1, 1), 1e-3, dtype=weights.dtype)
    divergence, gradient, information = fit(weights)
    identity = torch.eye(weights.shape[-1], dtype=weights.dtype)
    for _ in range(steps):
        if bool((gradient.abs().amax(1) <= tolerance).all()):
            return weights.float(), divergence.float()
        proposed = weights - torch.linalg.solve(information + damping * identity, gradient)
        outcome = fit(proposed)
        better = outcome[0] <= divergence
        weights = torch.where(better[:, None], proposed, weights)
        divergence = torch.where(better, outcome[0], divergence)
        gradient = torch.where(better[:, None], outcome[1], gradient)
        information = torch.where(better[:, None, None], outcome[2], information)
        damping = torch.where(better[:, None, None], damping / 4, damping * 8).clamp(1e-9, 1e6)
    raise RuntimeError(f"a fit has not ended after {steps} steps: gradient {float(gradient.abs().max()):.1e}")


def red_share(outcomes: Tensor) -> Tensor:
    """The share of episodes ending at the red thing, among those that end at the door or at the red thing.

    The share says nothing of how often an agent reaches either: report the outcome ``none`` beside it.

    Args:
        outcomes: probabilities, float ``(..., outcomes)``.

    Returns:
        float ``(...)``, from 0 (always the door) to 1 (always red); NaN where neither is ever touched.
    """
    door, red = outcomes[..., OUTCOMES.index("door")], outcomes[..., OUTCOMES.index("red")]
    return red / (door + red)
