"""Exact outcomes and exact solutions, against sampling and against search."""

import math
from collections import deque

import numpy as np
import pytest
import scipy.optimize
import torch
import torch.nn.functional as F

from innerlab.ensembles.policies import PlainPolicies, ScentPolicies
from innerlab.evaluation import maximum_entropy_irl, optimal_values, outcome_probabilities, red_share
from innerlab.seeds import torch_generator
from innerlab.worlds.gridworld import State, reset, step, successors
from innerlab.worlds.mazes import RedDoorMazes
from innerlab.worlds.red_doors import OUTCOMES, RedDoors, outcome_of_objects
from innerlab.worlds.shifts import cells_first

WORLD = RedDoors(swapped_share=0.5, max_steps=20).sample(30, 0)
MAZES = RedDoorMazes(size=5, swapped_share=0.5, max_steps=20).sample(30, 0)


def policies_with_opinions(seeds):
    policies = PlainPolicies(seeds, WORLD)
    with torch.no_grad():
        policies.weight_3 *= 40  # far from uniform, so that a wrong table would show
    return policies


def test_outcomes_sum_to_one():
    for greedy in (False, True):
        outcomes = outcome_probabilities(policies_with_opinions(range(3)), WORLD, greedy=greedy)
        assert outcomes.shape == (3, 30, len(OUTCOMES))
        assert torch.allclose(outcomes.sum(-1), torch.ones(3, 30), atol=1e-5)
        assert outcomes.min() > -1e-6


def smellers(seeds):
    policies = ScentPolicies(seeds)
    with torch.no_grad():
        policies.weight_3 *= 20
    return policies


@pytest.mark.parametrize("greedy", [False, True])
@pytest.mark.parametrize(
    ("design", "world"), [(policies_with_opinions, WORLD), (policies_with_opinions, MAZES), (smellers, MAZES)]
)
def test_outcomes_are_what_playing_gives(design, world, greedy):
    policies = design(range(2))
    exact = outcome_probabilities(policies, world, greedy=greedy)
    plays = 1 if greedy else 2000
    layout = torch.arange(30).repeat_interleave(plays)
    generator = torch.Generator().manual_seed(0)
    kind = F.pad(outcome_of_objects(world), (1, 0))
    for network in range(2):
        state, ended = reset(world, layout), torch.zeros(len(layout), dtype=torch.long)
        for _ in range(world.max_steps):
            logits = policies(policies.observe(world, state.layout, state.cell)).detach()[network]
            noise = (
                torch.zeros_like(logits)
                if greedy
                else -torch.empty_like(logits).exponential_(generator=generator).log()
            )
            new = step(world, state, (logits + noise).argmax(-1))
            found = kind[layout, new.touched]
            ended = torch.where(ended == 0, found, ended)
            state = State(layout, torch.where(ended == 0, new.state.cell, state.cell), new.state.time)
        played = F.one_hot(ended, len(OUTCOMES)).float().view(30, plays, -1).mean(1)
        tolerance = 1e-5 if greedy else 5 * 0.5 / plays**0.5
        assert (played - exact[network]).abs().max() < tolerance


def test_value_iteration_is_a_fixed_point_and_finds_shortest_paths():
    best = optimal_values(WORLD, 0.9)
    for i in range(WORLD.layouts):
        door = int(WORLD.object_cell[i, 0])
        steps, todo = {door: 0}, deque([door])
        while todo:  # breadth first from the door, through free cells
            cell = todo.popleft()
            for near in WORLD.next_cell[0, cell].tolist():
                if near not in steps and WORLD.object_at[i, near] == 0:
                    steps[near] = steps[cell] + 1
                    todo.append(near)
        for cell, distance in steps.items():
            if cell != door:
                assert best[i, cell].item() == pytest.approx(0.9 ** (distance - 1), abs=1e-6)


def test_red_share_counts_door_and_red_only():
    outcomes = torch.tensor([[0.5, 0.3, 0.1, 0.1], [0.0, 0.0, 1.0, 0.0], [1.0, 0.0, 0.0, 0.0]])
    share = red_share(outcomes)
    assert share[0].item() == pytest.approx(0.25)
    assert share[1].item() == 1.0
    assert share[2].isnan()


def test_senseless_discounts_are_refused():
    for discount in (-0.1, 1.0):
        with pytest.raises(ValueError, match=f"discount is {discount}"):
            optimal_values(WORLD, discount)


def door_red_other(world):
    door, red = world.object_shape == 0, world.object_color == 0
    return torch.stack([door, red, ~(door | red)], -1).float()


class Seekers:
    """Agents that maximize given pays plus entropy: what inverse reinforcement learning takes agents to be."""

    def __init__(self, world, pays):
        self.world, self.pays, self.networks = world, pays, len(pays)

    def everywhere(self, world, layout):
        model = successors(world, layout[0])
        which = (model.touched - 1).clamp(min=0)
        features = door_red_other(self.world)[torch.arange(self.world.layouts)[:, None, None], which]
        value = torch.zeros(self.networks, self.world.layouts, self.world.cells)
        for _ in range(20):
            onward = value[:, torch.arange(self.world.layouts)[:, None, None], model.cell]
            q = torch.where(model.touched > 0, torch.einsum("lcaf,nf->nlca", features, self.pays), 0.95 * onward)
            value = q.logsumexp(-1) - math.log(4)
        return cells_first(q)


def test_irl_finds_the_pays_where_rooms_identify_them():
    world = RedDoors(swapped_share=0.5).sample(20, 0)
    pays = torch.tensor([[20.0, 16.0, 15.0], [6.0, 10.0, 1.0]])
    found, divergence = maximum_entropy_irl(Seekers(world, pays), world, door_red_other(world), torch.zeros(3))
    torch.testing.assert_close(found, pays, atol=1e-2, rtol=0)
    assert (divergence.abs() < 1e-8).all()


def test_irl_leaves_what_training_rooms_do_not_identify_where_it_began():
    world = RedDoors().sample(10, 0)
    agents = Seekers(world, torch.tensor([[20.0, 4.0, 8.0]]))
    for begin in ((0.0, 0.0, 0.0), (5.0, 0.0, 0.0)):
        found, _ = maximum_entropy_irl(agents, world, door_red_other(world), torch.tensor(begin))
        assert (found[0, 0] - found[0, 1]).item() == pytest.approx(begin[0], abs=1e-4)
        assert (found[0, 0] + found[0, 1]).item() == pytest.approx(24.0, abs=1e-2)


class Wanderers:
    """Agents that no reward explains: their moves are drawn anew for every cell. The first moves evenly."""

    networks = 6

    def everywhere(self, world, layout):
        logits = torch.randn(self.networks, world.layouts, world.cells, 4, generator=torch_generator(3))
        return cells_first(logits * torch.arange(self.networks)[:, None, None, None])


def divergence_of(moves, world, weights, sweeps):
    """How far the model is from an agent's moves ``(layouts, cells, actions)``: written apart, move by move."""
    model, pays = successors(world, torch.arange(world.layouts)), door_red_other(world).double() @ weights
    total = []
    for n in range(world.layouts):
        value = weights.new_zeros(world.cells)
        for _ in range(sweeps):
            rows = []
            for touched, onward in zip(model.touched[n].tolist(), model.cell[n].tolist(), strict=True):
                moves_of = zip(touched, onward, strict=True)
                rows.append([pays[n, thing - 1] if thing else 0.95 * value[cell] for thing, cell in moves_of])
            q = torch.stack([torch.stack(row) for row in rows])
            value = q.exp().mean(1).log()
        gap = torch.xlogy(moves[n], moves[n]) - moves[n] * q.log_softmax(1)
        total.append(gap.sum(1)[model.free[n]])
    return torch.cat(total).mean()


def test_irl_ends_where_an_independent_optimizer_does():
    """SciPy's BFGS, on a model written apart, for agents that no reward explains."""
    world = RedDoors(swapped_share=0.5).sample(2, 5)
    agents = Wanderers()
    logits = agents.everywhere(world, torch.arange(2)[None])  # (actions, cells, networks, layouts)
    moves = logits.softmax(0).permute(2, 3, 1, 0).double()

    def misfit(weights, n):
        weights = torch.tensor(weights, requires_grad=True)
        found = divergence_of(moves[n], world, weights, sweeps=5)
        found.backward()
        return found.item(), weights.grad.numpy()

    found, divergence = maximum_entropy_irl(agents, world, door_red_other(world), torch.zeros(3), sweeps=5)
    for n in (0, 2, 5):
        best = scipy.optimize.minimize(misfit, np.zeros(3), args=(n,), jac=True, method="BFGS", tol=1e-7)
        assert divergence[n].item() == pytest.approx(best.fun, abs=1e-5)
        np.testing.assert_allclose(found[n], best.x, atol=1e-2)
    assert found[0].abs().max() < 1e-4  # to wander evenly is worth nothing
    assert divergence[5] > 0.1  # what no reward explains stays unexplained


def test_irl_says_when_it_has_not_ended():
    world = RedDoors(swapped_share=0.5).sample(2, 5)
    with pytest.raises(RuntimeError, match="not ended after 1 step"):
        maximum_entropy_irl(Wanderers(), world, door_red_other(world), torch.full((3,), 5.0), steps=1)
