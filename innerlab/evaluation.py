"""What is best in a world, and what an agent does in it: computed from the tables, without sampling."""

import torch
import torch.nn.functional as F
from torch import Tensor

from innerlab.ensembles.policies import Policies
from innerlab.worlds.gridworld import Gridworld, free_cells, successors
from innerlab.worlds.red_doors import OUTCOMES, outcome_of_objects
from innerlab.worlds.shifts import move_weights, powers, transposed


def optimal_values(world: Gridworld, discount: float) -> Tensor:
    """Value iteration to its fixed point (Sutton and Barto 2018, section 4.4), for the reward trained on.

    Args:
        world: all its layouts are solved at once.
        discount: a step; at least 0 and below 1.

    Returns:
        float ``(layouts, cells)``: what the best policy is paid from each cell. Exactly unchanged by another sweep,
        which these worlds reach after as many sweeps as their longest shortest path.

    Raises:
        ValueError: if the discount is out of range.
    """
    if not 0 <= discount < 1:
        raise ValueError(f"discount is {discount}; it must lie in 0 to below 1")
    model = successors(world, torch.arange(world.layouts))
    kept, flat = discount * (model.touched == 0), model.cell.flatten(-2)
    value = torch.zeros(world.layouts, world.cells)
    while True:
        improved = (model.reward + kept * value.gather(-1, flat).view(kept.shape)).amax(-1)
        if torch.equal(improved, value):
            return value
        value = improved


@torch.no_grad()
def outcome_probabilities(policies: Policies, world: Gridworld, greedy: bool = False) -> Tensor:
    """How an episode from the start of each layout ends, as exact probabilities.

    The distribution over cells is carried forward for ``world.max_steps`` steps, so there is no sampling error: a
    spread over networks is a spread of the networks.

    Args:
        policies: the agents.
        world: where they are put down, each in every layout.
        greedy: take the likeliest action each time; otherwise act by the policy's own probabilities.

    Returns:
        float ``(networks, layouts, outcomes)``, outcomes as in ``red_doors.OUTCOMES``; sums to one over
        the last axis.
    """
    parts = torch.arange(world.layouts).split(_LAYOUTS_AT_ONCE)
    return torch.cat([_outcomes_in(policies, world, layout, greedy) for layout in parts], 1)


_LAYOUTS_AT_ONCE = 16  # what they need then stays in the processor's cache


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
    steps: int = 100,
    learning_rate: float = 1.0,
) -> tuple[Tensor, Tensor]:
    r"""Inverse reinforcement learning: the reward that makes each agent's moves most likely.

    The agent is taken to maximize reward plus the entropy of its moves (Ziebart, Bagnell and Dey 2010, *Modeling
    Interaction via the Principle of Maximum Causal Entropy*), so that

    .. math:: \pi(a \mid s) = \exp(Q(s, a) - V(s)), \quad V(s) = \log \sum_a \exp Q(s, a),

    with Q(s, a) = w · features of what is touched, or γ V(s') if nothing is. The weights w climb the mean
    log-likelihood of the agent's own move probabilities, from every free cell of every layout alike.

    Args:
        policies: whose moves are to be explained.
        world: the layouts in which they are watched; a few are enough.
        features: of each object, float ``(layouts, objects, features)``.
        start: the weights from which to climb, float ``(features,)`` or ``(networks, features)``.
        discount: a step, in 0 to below 1.
        sweeps: how many steps ahead V looks, from zero.
        steps: of Adam.
        learning_rate: of Adam.

    Returns:
        The weights, float ``(networks, features)``, and how far the explanation is from the agent's moves, float
        ``(networks,)``: the mean Kullback-Leibler divergence of a move, in nats, 0 for a perfect explanation.
    """
    layout = torch.arange(world.layouts)
    model = successors(world, layout)
    with torch.no_grad():
        moves = policies.everywhere(world, layout[None]).softmax(0)  # (actions, cells, networks, layouts)
        moves = moves.movedim(1, -1).contiguous()  # (actions, networks, layouts, cells)
    successor = model.cell.movedim(-1, 0)[:, None].expand_as(moves).contiguous()
    ends = (model.touched > 0).movedim(-1, 0)[:, None]
    which = (model.touched.movedim(-1, 0) - 1).clamp(min=0)  # (actions, layouts, cells)
    touched_features = features[layout[:, None], which]  # (actions, layouts, cells, features)
    weights = start.expand(policies.networks, -1).clone().requires_grad_()
    optimizer = torch.optim.Adam([weights], lr=learning_rate)
    for step in range(steps + 1):
        pays = torch.einsum("alcf,nf->anlc", touched_features, weights)
        value = torch.zeros_like(moves[0])
        for _ in range(sweeps):
            q = torch.where(ends, pays, discount * value.expand_as(moves).gather(-1, successor))
            value = q.logsumexp(0)
        likelihood = (moves * (q - value)).sum(0)[:, model.free].mean(1)  # (networks,)
        if step < steps:
            optimizer.zero_grad(set_to_none=True)
            (-likelihood.sum()).backward()
            optimizer.step()
    entropy = -(moves * moves.clamp(min=1e-30).log()).sum(0)[:, model.free].mean(1)
    return weights.detach(), -entropy - likelihood.detach()


def red_share(outcomes: Tensor) -> Tensor:
    """Of the episodes that end at the door or at the red thing, the share that ends at the red thing.

    Args:
        outcomes: probabilities, float ``(..., outcomes)``.

    Returns:
        float ``(...)`` in 0 (always the door) to 1 (always red); NaN where neither is ever touched. Says nothing of
        how often the agent gets anywhere: always give ``none`` beside it.
    """
    door, red = outcomes[..., OUTCOMES.index("door")], outcomes[..., OUTCOMES.index("red")]
    return red / (door + red)
