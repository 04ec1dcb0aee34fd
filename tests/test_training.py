"""Training: the gradient is the one the theory names, and the same seeds give the same numbers."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from innerlab.ensembles.policies import DetectorPolicies, PlainPolicies, ScentPolicies
from innerlab.evaluation import outcome_probabilities
from innerlab.training import (
    ExactGradient,
    SampledActorCritic,
    mean_over_free_cells,
    train_exactly,
    train_from_samples,
    values,
)
from innerlab.worlds.gridworld import State, free_cells, step, successors
from innerlab.worlds.mazes import RedDoorMazes
from innerlab.worlds.red_doors import OUTCOMES, RedDoors
from innerlab.worlds.shifts import total

WORLD = RedDoors().sample(500, 0)
MAZES = RedDoorMazes(size=5, swapped_share=0.5).sample(100, 0)
DOOR = OUTCOMES.index("door")
few = settings(max_examples=10, deadline=None)
worlds = st.sampled_from([WORLD, MAZES])


def small_case(seed, world=WORLD, networks=2, layouts=3, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    layout = torch.randint(world.layouts, (networks, layouts), generator=generator)
    logits = torch.randn(4, 25, networks, layouts, generator=generator, dtype=dtype)
    return layout, logits


def plain_values(policy, model, discount, sweeps):
    """Values by look-up, move by move, as the equation is written: ``(..., cells)`` for ``(..., cells, actions)``."""
    value = torch.zeros_like(policy[..., 0])
    for _ in range(sweeps):
        onward = value.gather(-1, model.cell.flatten(-2)).view(policy.shape) * (model.touched == 0)
        value = (policy * (model.reward + discount * onward)).sum(-1)
    return value


def cells_last(table):
    """From ``(actions, cells, ...)`` to ``(..., cells, actions)``."""
    return table.movedim((1, 0), (-2, -1))


def mean_value(policy, world, layout, discount, sweeps):
    return mean_over_free_cells(values(policy, world, layout, discount, sweeps), world, layout)


@few
@given(st.integers(0, 2**20), worlds, st.integers(1, 15))
def test_sweeps_by_shifts_are_sweeps_by_look_up_and_so_are_their_gradients(seed, world, sweeps):
    layout, logits = small_case(seed, world)
    logits.requires_grad_()
    policy, model = logits.softmax(0), successors(world, layout)
    by_shifts = values(policy, world, layout, 0.9, sweeps).movedim(0, -1) * model.free
    by_look_up = plain_values(cells_last(policy), model, 0.9, sweeps) * model.free
    assert torch.allclose(by_shifts, by_look_up)
    outer = torch.randn(by_shifts.shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    (one,), (other,) = (
        torch.autograd.grad((v * outer).sum(), logits, retain_graph=True) for v in (by_shifts, by_look_up)
    )
    assert torch.allclose(one, other)


@few
@given(st.integers(0, 2**20), worlds)
def test_values_solve_the_bellman_equation(seed, world):
    layout, logits = small_case(seed, world, networks=1, layouts=1)
    model, policy = successors(world, layout[0, 0]), cells_last(logits.softmax(0))[0, 0]
    found = values(logits.softmax(0), world, layout, 0.9, sweeps=400)[:, 0, 0]
    carried = torch.zeros(25, 25, dtype=torch.float64)  # the transition matrix, discounted and sub-stochastic
    carried.scatter_add_(1, model.cell, policy * 0.9 * (model.touched == 0))
    solved = torch.linalg.solve(torch.eye(25, dtype=torch.float64) - carried, (policy * model.reward).sum(-1))
    assert torch.allclose(found[model.free], solved[model.free])
    assert not found[world.object_cell[layout[0, 0]]].any()


@few
@given(st.integers(0, 2**20), worlds)
def test_the_gradient_is_that_of_the_policy_gradient_theorem(seed, world):
    """The derivative by hand against sum over s of d(s) sum over a of grad pi(a|s) Q(s, a)."""
    layout, logits = small_case(seed, world)
    logits.requires_grad_()
    (found,) = torch.autograd.grad(mean_value(logits.softmax(0), world, layout, 0.9, 400).sum(), logits)
    with torch.no_grad():
        model, policy = successors(world, layout), cells_last(logits.softmax(0))
        flat, kept = model.cell.flatten(-2), 0.9 * (model.touched == 0)
        value = plain_values(policy, model, 0.9, 400)
        q = model.reward + kept * value.gather(-1, flat).view(kept.shape)
        start = model.free / model.free.sum((1, 2), keepdim=True).double()
        visits = start.clone()
        for _ in range(400):
            visits = start + torch.zeros_like(start).scatter_add(
                -1, flat, ((policy * kept) * visits[..., None]).flatten(-2)
            )
        by_theorem = visits[..., None] * policy * (q - (policy * q).sum(-1, keepdim=True))
    assert torch.allclose(cells_last(found), by_theorem, atol=1e-9)


@pytest.mark.parametrize("world", [WORLD, MAZES])
def test_the_gradient_agrees_with_finite_differences(world):
    layout, logits = small_case(5, world, networks=1, layouts=1)
    assert torch.autograd.gradcheck(
        lambda z: mean_value(z.softmax(0), world, layout, 0.95, 12), logits.requires_grad_(), atol=1e-7
    )


def test_a_sum_of_moves_is_differentiated_by_weights_and_start():
    generator = torch.Generator().manual_seed(0)
    weights, start = (torch.rand(shape, generator=generator, dtype=torch.float64) for shape in ((5, 6, 2), (6, 2)))
    inside = torch.ones(5, 6, 1, dtype=torch.float64)
    for move, edge in enumerate((slice(0, 3), slice(3, 6), slice(0, 6, 3), slice(2, 6, 3))):
        inside[move, edge] = 0  # nobody leaves a grid of two by three
    inputs = weights.requires_grad_(), start.requires_grad_()
    assert torch.autograd.gradcheck(lambda w, x: total(w * inside, x, 3, 5), inputs)


def test_values_predict_what_episodes_are_paid():
    """Monte Carlo, with the standard error of the mean as its measure."""
    layout, logits = small_case(3, networks=1, layouts=1, dtype=torch.float32)
    policy, generator = logits.softmax(0), torch.Generator().manual_seed(0)
    cell = int(free_cells(WORLD, layout[0, 0]).nonzero()[7])
    many = 20_000
    state = State(layout.view(1).expand(many), torch.full((many,), cell), torch.zeros(many, dtype=torch.long))
    paid, alive = torch.zeros(many), torch.ones(many, dtype=torch.bool)
    for t in range(12):
        action = torch.multinomial(policy[:, state.cell, 0, 0].T, 1, generator=generator)[:, 0]
        new = step(WORLD, state, action)
        paid += 0.95**t * new.reward * alive
        alive &= ~new.terminated
        state = State(state.layout, torch.where(alive, new.state.cell, state.cell), new.state.time)
    expected = float(values(policy, WORLD, layout, 0.95, 12)[cell, 0, 0])
    assert abs(paid.mean().item() - expected) < 4 * paid.std().item() / many**0.5


@pytest.mark.parametrize("design", [PlainPolicies, DetectorPolicies])
def test_exact_training_learns_and_leaves_its_input_alone(design):
    policies = design(range(4), WORLD)
    before = {name: p.detach().clone() for name, p in policies.named_parameters()}
    run = train_exactly(
        policies, WORLD, ExactGradient(120), lambda p: outcome_probabilities(p, held_out()).mean(1), every=50
    )
    assert all(torch.equal(before[name], p) for name, p in policies.named_parameters())
    assert run.iterations == (0, 50, 100, 120)
    assert run.curves.shape == (4, 4, 4)
    assert run.curves[0, :, DOOR].max() < 0.6
    assert run.curves[-1, :, DOOR].median() > 0.9


def held_out():
    return RedDoors().sample(40, 1)


def test_agents_that_smell_learn_mazes():
    mazes, unseen = RedDoorMazes().sample(500, 0), RedDoorMazes().sample(40, 1)
    settings_ = ExactGradient(80, layouts=4, learning_rate=2e-2, sweeps=20)
    run = train_exactly(ScentPolicies(range(4)), mazes, settings_)
    assert outcome_probabilities(run.policies, unseen)[..., DOOR].mean(1).min() > 0.95


def test_sampled_training_learns():
    run = train_from_samples(PlainPolicies(range(4), WORLD), WORLD, SampledActorCritic(200))
    assert run.curves.shape == (0, 4)
    assert outcome_probabilities(run.policies, held_out())[..., DOOR].mean(1).min() > 0.8


@pytest.mark.parametrize(
    ("train", "settings_"), [(train_exactly, ExactGradient(5)), (train_from_samples, SampledActorCritic(5))]
)
def test_same_seeds_same_numbers_and_permuted_seeds_permuted_numbers(train, settings_):
    def weights(seeds):
        return [p.detach() for p in train(PlainPolicies(seeds, WORLD), WORLD, settings_).policies.parameters()]

    torch.manual_seed(1)
    first = weights([4, 5, 6])
    torch.manual_seed(2)  # global state must not matter
    assert all(torch.equal(a, b) for a, b in zip(first, weights([4, 5, 6]), strict=True))
    assert all(torch.allclose(a[[2, 0, 1]], b, atol=1e-5) for a, b in zip(first, weights([6, 4, 5]), strict=True))
    assert all(torch.allclose(a[[1]], b, atol=1e-5) for a, b in zip(first, weights([5]), strict=True))


def test_senseless_settings_are_refused():
    for make, message in (
        (lambda: ExactGradient(iterations=0), "iterations is 0"),
        (lambda: ExactGradient(learning_rate=0.0), "learning_rate is 0.0"),
        (lambda: ExactGradient(discount=1.5), "discount is 1.5"),
        (lambda: ExactGradient(discount=0.0), "discount is 0.0"),
        (lambda: SampledActorCritic(num_envs=0), "num_envs is 0"),
        (lambda: train_exactly(PlainPolicies([0], WORLD), WORLD, ExactGradient(1), every=0), "every is 0"),
    ):
        with pytest.raises(ValueError, match=message):
            make()


def test_measurements_are_taken_when_asked_for():
    rooms = RedDoors().sample(10, seed=0)
    policies = PlainPolicies([1, 2], rooms, hidden=4)
    settings = ExactGradient(6, layouts=2)

    def run(**when):
        return train_exactly(policies, rooms, settings, lambda p: p.bias_3[:, 0, 0], **when)

    assert run(every=4).iterations == (0, 4, 6)
    assert run(at=(2, 5)).iterations == (2, 5)
    assert torch.equal(run(at=(4, 6)).curves, run(every=4).curves[1:])
    for wrong, message in (
        ({"every": 0}, "every is 0"),
        ({"at": (7,)}, r"at is \(7,\)"),
        ({"at": (3, 2)}, "ascending"),
    ):
        with pytest.raises(ValueError, match=message):
            run(**wrong)
