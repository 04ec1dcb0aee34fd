"""Training an ensemble: by the exact gradient of its expected return, or from sampled episodes.

Each network climbs its own return, on layouts drawn with its own seed; the sum over networks in the losses below
only lets one backward pass serve them all.
"""

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass

import torch
from torch import Tensor

from innerlab.ensembles.policies import ObjectPolicies, Policies
from innerlab.seeds import ACTING, DATA, generator
from innerlab.worlds.gridworld import ACTIONS, Gridworld, State, free_cells, reset, step
from innerlab.worlds.shifts import move_weights, on_objects, total

Measure = Callable[[Policies], Tensor]
"""Anything worth following during training: maps an ensemble to a tensor whose first axis is the network."""


@dataclass(frozen=True)
class TrainingRun:
    """What training gives back.

    Attributes:
        policies: the trained ensemble.
        iterations: after how many iterations each measurement was taken, ascending, 0 first.
        curves: the measurements, ``(checkpoints, networks, ...)``; no checkpoints if nothing was measured.
        settings: what was asked for.
    """

    policies: Policies
    iterations: tuple[int, ...]
    curves: Tensor
    settings: "ExactGradient | SampledActorCritic"


@dataclass(frozen=True)
class ExactGradient:
    """Settings of :func:`train_exactly`."""

    iterations: int = 100
    """gradient steps"""
    layouts: int = 8
    """how many layouts each network sees in a step, drawn with replacement"""
    learning_rate: float = 1e-2
    """of Adam"""
    discount: float = 0.95
    """of the return, a step"""
    sweeps: int = 12
    """over how many steps of the future the return is summed"""
    entropy_bonus: float = 0.01
    """how much one nat of randomness in the policy is worth, as the mean over all cells"""

    def __post_init__(self):
        _check_settings(self, counts=("iterations", "layouts", "sweeps"))


@dataclass(frozen=True)
class SampledActorCritic:
    """Settings of :func:`train_from_samples`: advantage actor-critic, as in Mnih et al. 2016 (arXiv:1602.01783)."""

    iterations: int = 300
    """gradient steps"""
    worlds: int = 32
    """how many episodes each network plays side by side"""
    steps: int = 12
    """how many steps it takes in each of them between two updates"""
    learning_rate: float = 1e-2
    """of Adam"""
    discount: float = 0.95
    """of the return, a step"""
    trace_decay: float = 0.95
    """the lambda of generalized advantage estimation (Schulman et al. 2016, arXiv:1506.02438)"""
    value_weight: float = 0.5
    """weight of the value loss"""
    entropy_bonus: float = 0.02
    """weight of the policy's entropy"""

    def __post_init__(self):
        _check_settings(self, counts=("iterations", "worlds", "steps"))


def _check_settings(settings, counts: tuple[str, ...]) -> None:
    for name in counts:
        if getattr(settings, name) < 1:
            raise ValueError(f"{name} is {getattr(settings, name)}; it must be at least 1")
    if not settings.learning_rate > 0:
        raise ValueError(f"learning_rate is {settings.learning_rate}; it must be positive")
    if not 0 < settings.discount <= 1:
        raise ValueError(f"discount is {settings.discount}; it must lie above 0 and at most at 1")


def values(probabilities: Tensor, world: Gridworld, layout: Tensor, discount: float, sweeps: int) -> Tensor:
    r"""What a policy can expect to be paid from each cell, over so many steps.

    Sweeps of the Bellman equation for a fixed policy (Sutton and Barto 2018, equation 4.5),

    .. math:: V(s) \leftarrow \sum_a \pi(a \mid s) \, [ r(s, a) + \gamma V(s') ],

    from V = 0; touching an object ends the sum. Differentiable in the probabilities.

    What an object pays is put on its cell, as if it were worth that much to stand there. With W the moves of the
    policy, one sweep is then V = W (pay + γ V), and so many of them are pay + γ W pay + (γ W)² pay + ... but for the
    first term and a factor of γ.

    Args:
        probabilities: of the actions, float ``(actions, cells, ...)``.
        world: the tables.
        layout: long ``(...)``.
        discount: a step, above 0 and at most 1.
        sweeps: how many steps ahead to look.

    Returns:
        float ``(cells, ...)``; 0 on objects and walls.
    """
    pay = on_objects(world.object_reward.to(probabilities.dtype), world, layout)
    weights = discount * move_weights(probabilities, world, layout)
    return (total(weights, pay, world.width, sweeps + 1) - pay) / discount


def mean_over_free_cells(table: Tensor, world: Gridworld, layout: Tensor) -> Tensor:
    """The mean of a table ``(cells, networks, layouts)`` over where one can stand in these layouts, ``(networks,)``."""
    free = free_cells(world, layout).movedim(-1, 0).to(table.dtype, memory_format=torch.contiguous_format)
    return (table * free).sum((0, 2)) / free.sum((0, 2))


def objective(policies: Policies, world: Gridworld, layout: Tensor, settings: ExactGradient) -> Tensor:
    """What :func:`train_exactly` climbs, ``(networks,)``: value and bonus for entropy, as the mean over free cells.

    Args:
        policies: the ensemble; differentiable in its parameters.
        world: the tables, on the ensemble's device.
        layout: in which, long ``(networks, layouts)``.
        settings: says how far to look ahead and what entropy is worth.
    """
    log_probabilities = policies.everywhere(world, layout).log_softmax(0)  # (actions, cells, networks, layouts)
    probabilities = log_probabilities.exp()
    value = values(probabilities, world, layout, settings.discount, settings.sweeps)
    entropy = -(probabilities * log_probabilities).sum(0)  # (cells, networks, layouts)
    return mean_over_free_cells(value + settings.entropy_bonus * entropy, world, layout)


def train_exactly(
    policies: Policies,
    world: Gridworld,
    settings: ExactGradient = ExactGradient(),
    measure: Measure | None = None,
    every: int = 10,
    at: Sequence[int] = (),
    device: torch.device | str = "cpu",
) -> TrainingRun:
    """Climbs the exact gradient of the expected return: no sampled actions, no critic, no noise but the layouts'.

    The worlds are small enough to list every state, so the return itself can be computed and differentiated. The
    gradient is of the kind that the policy gradient theorem describes (Sutton and Barto 2018, section 13.2), summed
    over all actions, here with a discount and a bonus for entropy.

    Args:
        policies: the ensemble to start from; it is copied, not changed.
        world: where to draw layouts from.
        settings: see :class:`ExactGradient`.
        measure: what to follow, taken before the first step, after every so many, and after the last.
        every: how many steps lie between two measurements.
        at: after which steps to measure instead of all that, ascending; 0 for before the first.
        device: where to train, such as "cuda". What is drawn is the same everywhere; measurements are taken of a copy
            on the CPU, and the trained ensemble lies there too.

    Raises:
        ValueError: if ``every`` is below 1, or ``at`` is not ascending or holds a step that is never taken.
    """
    policies, world = deepcopy(policies).to(device), world.to(device)
    optimizer = torch.optim.Adam(policies.parameters(), lr=settings.learning_rate, eps=1e-5, fused=True)
    drawn = _draw_layouts(policies, world, settings.iterations, settings.layouts).to(device)
    recorder = _Recorder(policies, measure, at or _moments(every, settings.iterations), settings.iterations)
    for iteration in range(settings.iterations):
        optimizer.zero_grad(set_to_none=True)
        (-objective(policies, world, drawn[iteration], settings).sum()).backward()
        optimizer.step()
        recorder.after(iteration + 1)
    return recorder.run(settings)


def train_from_samples(
    policies: ObjectPolicies,
    world: Gridworld,
    settings: SampledActorCritic = SampledActorCritic(),
    measure: Measure | None = None,
    every: int = 25,
    device: torch.device | str = "cpu",
) -> TrainingRun:
    """Trains from episodes that the agents play, as most of reinforcement learning does.

    Args:
        policies: the ensemble to start from; it is copied, not changed.
        world: where to draw layouts from.
        settings: see :class:`SampledActorCritic`.
        measure: what to follow, taken before the first step, after every so many, and after the last.
        every: how many steps lie between two measurements.
        device: see :func:`train_exactly`.
    """
    policies, world = deepcopy(policies).to(device), world.to(device)
    optimizer = torch.optim.Adam(policies.parameters(), lr=settings.learning_rate, eps=1e-5, fused=True)
    dice = [generator(seed, ACTING) for seed in policies.seeds]
    recorder = _Recorder(policies, measure, _moments(every, settings.iterations), settings.iterations)
    drawn = _draw_layouts(policies, world, 1 + settings.iterations * settings.steps, settings.worlds)
    draws = iter(drawn.to(device))
    state = reset(world, next(draws))
    for iteration in range(settings.iterations):
        state, played = _play(policies, world, state, draws, dice, settings.steps)
        advantage = _advantages(played, settings)  # (steps, networks, worlds)
        target = advantage + played["value"]
        advantage = advantage - advantage.mean((0, 2), keepdim=True)
        advantage = advantage / (advantage.std((0, 2), keepdim=True) + 1e-3)
        seen = played["seen"].transpose(0, 1).flatten(1, 2)  # (networks, steps * worlds, objects)
        logits, value = policies.policy_and_value(seen)
        log_probabilities = logits.log_softmax(-1)
        chosen = log_probabilities.gather(-1, _by_network(played["action"])[..., None])[..., 0]
        entropy = -(log_probabilities.exp() * log_probabilities).sum(-1)
        loss = (
            -chosen * _by_network(advantage)
            + settings.value_weight * (value - _by_network(target)) ** 2
            - settings.entropy_bonus * entropy
        )
        optimizer.zero_grad(set_to_none=True)
        loss.mean(1).sum().backward()
        optimizer.step()
        recorder.after(iteration + 1)
    return recorder.run(settings)


def _by_network(table: Tensor) -> Tensor:
    """From ``(steps, networks, worlds)`` to ``(networks, steps * worlds)``."""
    return table.transpose(0, 1).flatten(1)


def _draw_layouts(policies: Policies, world: Gridworld, times: int, layouts: int) -> Tensor:
    """Layouts for every network from its own seed, long ``(times, networks, layouts)``."""
    own = [torch.randint(world.layouts, (times, layouts), generator=generator(s, DATA)) for s in policies.seeds]
    return torch.stack(own, 1)


@torch.no_grad()
def _play(policies, world, state: State, draws, dice, steps: int) -> tuple[State, dict[str, Tensor]]:
    """Plays some steps; finished episodes begin anew. Each table is ``(steps, networks, worlds, ...)``."""
    shape = (steps, *state.cell.shape[1:], len(ACTIONS))
    noise = torch.stack([torch.empty(shape).exponential_(generator=g) for g in dice], 1).to(world.device)
    names = ("seen", "value", "action", "reward", "terminated", "over", "seen_next")
    rows: list[tuple[Tensor, ...]] = []
    for t in range(steps):
        seen = policies.see(world, state.layout, state.cell)
        logits, value = policies.policy_and_value(seen)
        action = (logits - noise[t].log()).argmax(-1)  # the Gumbel-max trick
        new = step(world, state, action)
        over = new.terminated | new.truncated
        seen_next = policies.see(world, new.state.layout, new.state.cell)
        rows.append((seen, value, action, new.reward, new.terminated, over, seen_next))
        fresh = reset(world, next(draws))
        state = State(*(torch.where(over, begun, old) for begun, old in zip(fresh, new.state, strict=True)))
    played = {name: torch.stack(column) for name, column in zip(names, zip(*rows, strict=True), strict=True)}
    # an episode cut off by the clock would have gone on: the value of its last state stands in for the rest
    next_value = policies.policy_and_value(played.pop("seen_next").transpose(0, 1).flatten(1, 2))[1]
    played["next_value"] = next_value.unflatten(1, (steps, -1)).transpose(0, 1)
    return state, played


def _advantages(played: dict[str, Tensor], settings: SampledActorCritic) -> Tensor:
    """Generalized advantage estimation, equation 16 of Schulman et al. 2016: ``(steps, networks, worlds)``."""
    advantage = torch.zeros_like(played["value"])
    following = torch.zeros_like(advantage[0])
    for t in reversed(range(len(advantage))):
        # delta_t = r_t + gamma V(s_{t+1}) - V(s_t)
        delta = played["reward"][t] + settings.discount * played["next_value"][t] * ~played["terminated"][t]
        delta = delta - played["value"][t]
        # A_t = delta_t + gamma lambda A_{t+1}, within one episode
        following = delta + settings.discount * settings.trace_decay * following * ~played["over"][t]
        advantage[t] = following
    return advantage


def _moments(every: int, last: int) -> tuple[int, ...]:
    """After how many steps to measure: none, every so many, and all."""
    if every < 1:
        raise ValueError(f"every is {every}; it must be at least 1")
    return tuple(sorted({*range(0, last, every), last}))


class _Recorder:
    """Takes measurements at the right times and makes the :class:`TrainingRun`."""

    def __init__(self, policies: Policies, measure: Measure | None, at: Sequence[int], last: int):
        if list(at) != sorted({step for step in at if 0 <= step <= last}):
            raise ValueError(f"at is {tuple(at)}; ascending steps from 0 to {last} were expected")
        self.policies, self.measure, self.at = policies, measure, tuple(at)
        self.iterations: list[int] = []
        self.curves: list[Tensor] = []
        self.after(0)

    def after(self, iteration: int) -> None:
        if self.measure is not None and iteration in self.at:
            with torch.no_grad():
                self.curves.append(self.measure(deepcopy(self.policies).cpu()).clone())
            self.iterations.append(iteration)

    def run(self, settings: ExactGradient | SampledActorCritic) -> TrainingRun:
        curves = torch.stack(self.curves) if self.curves else torch.empty(0, self.policies.networks)
        return TrainingRun(self.policies.cpu(), tuple(self.iterations), curves, settings)
