"""Training policies: by the exact gradient of the expected return, or from sampled episodes.

Each network maximizes its own return, on layouts drawn from its own seed.
"""

from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Generator, Tensor

from innerlab.ensembles.base import check_checkpoints, train
from innerlab.ensembles.policies import ObjectPolicies, Policies
from innerlab.seeds import ACTING, DATA
from innerlab.worlds.gridworld import ACTIONS, Gridworld, State, free_cells, reset, step
from innerlab.worlds.shifts import move_weights, on_objects, total

Measure = Callable[[Policies], Tensor]
"""A measurement to take during training: maps an ensemble to a tensor ``(networks, ...)``."""


@dataclass(frozen=True)
class TrainingRun:
    """The result of a training.

    Attributes:
        policies: the trained ensemble.
        iterations: after how many iterations each measurement was taken, ascending.
        curves: the measurements, ``(checkpoints, networks, ...)``; no checkpoints if nothing was measured.
        settings: of the training.
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
    """how many layouts each network gets in a step, drawn with replacement"""
    learning_rate: float = 1e-2
    """of Adam"""
    discount: float = 0.95
    """of the return, per step; gamma"""
    sweeps: int = 12
    """over how many steps of the future the return is summed"""
    ent_coef: float = 0.01
    """weight of the policy's entropy, in nats, as the mean over free cells"""

    def __post_init__(self) -> None:
        _check_settings(self, counts=("iterations", "layouts", "sweeps"))


@dataclass(frozen=True)
class SampledActorCritic:
    """Settings of :func:`train_from_samples`: advantage actor-critic, as in Mnih et al. 2016 (arXiv:1602.01783)."""

    iterations: int = 300
    """gradient steps"""
    num_envs: int = 32
    """how many episodes each network plays side by side"""
    num_steps: int = 12
    """how many steps of each episode lie between two gradient steps"""
    learning_rate: float = 1e-2
    """of Adam"""
    discount: float = 0.95
    """of the return, per step; gamma"""
    gae_lambda: float = 0.95
    """lambda of generalized advantage estimation (Schulman et al. 2016, arXiv:1506.02438)"""
    vf_coef: float = 0.5
    """weight of the value loss"""
    ent_coef: float = 0.02
    """weight of the policy's entropy, in nats"""

    def __post_init__(self) -> None:
        _check_settings(self, counts=("iterations", "num_envs", "num_steps"))


def _check_settings(settings: "ExactGradient | SampledActorCritic", counts: tuple[str, ...]) -> None:
    for name in counts:
        if getattr(settings, name) < 1:
            raise ValueError(f"{name} is {getattr(settings, name)}; it must be at least 1")
    if not settings.learning_rate > 0:
        raise ValueError(f"learning_rate is {settings.learning_rate}; it must be positive")
    if not 0 < settings.discount <= 1:
        raise ValueError(f"discount is {settings.discount}; it must lie above 0 and at most at 1")


def values(probabilities: Tensor, world: Gridworld, layout: Tensor, discount: float, sweeps: int) -> Tensor:
    r"""The value of each cell: the expected return of a policy from there, over a number of steps.

    Computed by sweeps of the Bellman equation for a fixed policy (Sutton and Barto 2018, equation 4.5),

    .. math:: V(s) \leftarrow \sum_a \pi(a \mid s) \, [ r(s, a) + \gamma V(s') ],

    from V = 0; touching an object ends the sum. Differentiable in the probabilities.

    The reward of an object is put on its cell, as if standing there paid it. With W the moves of the policy, one sweep
    is then V = W (pay + γ V). From V = 0, the sweeps give the sum pay + γ W pay + (γ W)² pay + ... less its first term
    and over γ.

    Args:
        probabilities: of the actions, float ``(actions, cells, ...)``.
        world: the tables.
        layout: long ``(...)``.
        discount: per step, above 0 and at most 1.
        sweeps: over how many steps of the future the return is summed.

    Returns:
        float ``(cells, ...)``; 0 on objects and walls.
    """
    pay = on_objects(world.object_reward.to(probabilities.dtype), world, layout)  # (cells, ...)
    weights = discount * move_weights(probabilities, world, layout)  # (moves, cells, ...)
    return (total(weights, pay, world.width, sweeps + 1) - pay) / discount


def mean_over_free_cells(table: Tensor, world: Gridworld, layout: Tensor) -> Tensor:
    """The mean of a table over the free cells of layouts, float ``(networks,)``.

    Args:
        table: float ``(cells, networks, layouts)``.
        world: the tables.
        layout: long ``(networks, layouts)``.
    """
    free = free_cells(world, layout).movedim(-1, 0)  # (cells, networks, layouts)
    free = free.to(table.dtype, memory_format=torch.contiguous_format)
    return (table * free).sum((0, 2)) / free.sum((0, 2))


def objective(policies: Policies, world: Gridworld, layout: Tensor, settings: ExactGradient) -> Tensor:
    """The objective of :func:`train_exactly`: value plus weighted entropy, as the mean over free cells.

    Args:
        policies: the ensemble.
        world: the tables, on the ensemble's device.
        layout: of the worlds, long ``(networks, layouts)``.
        settings: give the discount, the sweeps and the weight of entropy.

    Returns:
        float ``(networks,)``, differentiable in the ensemble's parameters.
    """
    log_probabilities = policies.everywhere(world, layout).log_softmax(0)  # (actions, cells, networks, layouts)
    probabilities = log_probabilities.exp()
    value = values(probabilities, world, layout, settings.discount, settings.sweeps)  # (cells, networks, layouts)
    entropy = -(probabilities * log_probabilities).sum(0)  # (cells, networks, layouts)
    return mean_over_free_cells(value + settings.ent_coef * entropy, world, layout)


def train_exactly(
    policies: Policies,
    world: Gridworld,
    settings: ExactGradient = ExactGradient(),
    measure: Measure | None = None,
    every: int = 10,
    at: Sequence[int] = (),
    device: torch.device | str = "cpu",
) -> TrainingRun:
    """Train policies by the exact gradient of the expected return.

    The worlds are small enough to list every state, so that the return itself can be computed and differentiated: no
    action is sampled, there is no critic, and the only noise is which layouts are drawn. The gradient is that of the
    policy gradient theorem (Sutton and Barto 2018, section 13.2), summed over all actions, here with a discount and a
    weight on entropy.

    Args:
        policies: the ensemble to start from; it is copied, not changed.
        world: where to draw layouts from.
        settings: see :class:`ExactGradient`.
        measure: taken before the first step, after every ``every`` steps, and after the last.
        every: how many steps lie between two measurements.
        at: after which steps to measure instead, ascending; 0 for before the first.
        device: where to train, such as "cuda". Random numbers are the same on every device; measurements are taken of
            a copy on the CPU, and the trained ensemble is moved there.

    Raises:
        ValueError: if ``every`` is below 1, or ``at`` is not ascending or holds a step that is never taken.
    """
    policies, world = deepcopy(policies).to(device), world.to(device)
    layouts = _draw_layouts(policies, world, settings.iterations, settings.layouts).to(device)
    recorder = _Recorder(policies, measure, at or _checkpoints(every, settings.iterations), settings.iterations)

    def loss(step: int) -> Tensor:
        return -objective(policies, world, layouts[step], settings)  # (networks,)

    train(policies, loss, settings.iterations, settings.learning_rate, after=recorder.after, eps=1e-5)
    return recorder.run(settings)


def train_from_samples(
    policies: ObjectPolicies,
    world: Gridworld,
    settings: SampledActorCritic = SampledActorCritic(),
    measure: Measure | None = None,
    every: int = 25,
    device: torch.device | str = "cpu",
) -> TrainingRun:
    """Train policies from sampled episodes, by advantage actor-critic.

    Args:
        policies: the ensemble to start from; it is copied, not changed.
        world: where to draw layouts from.
        settings: see :class:`SampledActorCritic`.
        measure: taken before the first gradient step, after every ``every`` of them, and after the last.
        every: how many gradient steps lie between two measurements.
        device: see :func:`train_exactly`.

    Raises:
        ValueError: if ``every`` is below 1.
    """
    policies, world = deepcopy(policies).to(device), world.to(device)
    recorder = _Recorder(policies, measure, _checkpoints(every, settings.iterations), settings.iterations)
    rollouts = _rollouts(policies, world, settings)

    def loss(step: int) -> Tensor:
        played = next(rollouts)
        advantage = _advantages(played, settings)  # (steps, networks, envs)
        target = advantage + played.value
        advantage = advantage - advantage.mean((0, 2), keepdim=True)
        advantage = advantage / (advantage.std((0, 2), keepdim=True) + 1e-3)
        obs = played.obs.transpose(0, 1).flatten(1, 2)  # (networks, steps * envs, objects)
        logits, value = policies.policy_and_value(obs)
        log_probabilities = logits.log_softmax(-1)  # (networks, steps * envs, actions)
        chosen = log_probabilities.gather(-1, _by_network(played.action)[..., None])[..., 0]
        entropy = -(log_probabilities.exp() * log_probabilities).sum(-1)
        losses = (
            -chosen * _by_network(advantage)
            + settings.vf_coef * (value - _by_network(target)) ** 2
            - settings.ent_coef * entropy
        )  # (networks, steps * envs)
        return losses.mean(1)

    train(policies, loss, settings.iterations, settings.learning_rate, after=recorder.after, eps=1e-5)
    return recorder.run(settings)


def _by_network(table: Tensor) -> Tensor:
    """From ``(steps, networks, envs)`` to ``(networks, steps * envs)``."""
    return table.transpose(0, 1).flatten(1)


def _draw_layouts(policies: Policies, world: Gridworld, times: int, layouts: int) -> Tensor:
    """Layouts for each network from its own seed, long ``(times, networks, layouts)``."""
    return torch.stack(
        [torch.randint(world.layouts, (times, layouts), generator=g) for g in policies.generators(DATA)], 1
    )


class _Rollout(NamedTuple):
    """Steps that all networks have played, ``(steps, networks, envs, ...)`` each."""

    obs: Tensor
    value: Tensor
    action: Tensor
    reward: Tensor
    terminated: Tensor
    over: Tensor  # terminated or truncated
    next_value: Tensor


def _rollouts(policies: ObjectPolicies, world: Gridworld, settings: SampledActorCritic) -> Iterator[_Rollout]:
    """Play ``num_steps`` steps of each episode before every gradient step; finished episodes begin anew."""
    times = 1 + settings.iterations * settings.num_steps
    layouts = iter(_draw_layouts(policies, world, times, settings.num_envs).to(world.device))
    generators = policies.generators(ACTING)
    state = reset(world, next(layouts))
    while True:
        state, played = _play(policies, world, state, layouts, generators, settings.num_steps)
        yield played


@torch.no_grad()
def _play(
    policies: ObjectPolicies,
    world: Gridworld,
    state: State,
    layouts: Iterator[Tensor],
    generators: Sequence[Generator],
    steps: int,
) -> tuple[State, _Rollout]:
    """Play some steps of each episode; the state after them, and what happened."""
    shape = (steps, *state.cell.shape[1:], len(ACTIONS))
    noise = torch.stack([torch.empty(shape).exponential_(generator=g) for g in generators], 1).to(world.device)
    rows = []
    for t in range(steps):
        obs = policies.observe(world, state.layout, state.cell)  # (networks, envs, objects)
        logits, value = policies.policy_and_value(obs)
        action = (logits - noise[t].log()).argmax(-1)  # (networks, envs), by the Gumbel-max trick
        new = step(world, state, action)
        over = new.terminated | new.truncated
        next_obs = policies.observe(world, new.state.layout, new.state.cell)
        rows.append((obs, value, action, new.reward, new.terminated, over, next_obs))
        fresh = reset(world, next(layouts))
        state = State(*(torch.where(over, begun, old) for begun, old in zip(fresh, new.state, strict=True)))
    # (steps, networks, envs, ...) each
    obs, value, action, reward, terminated, over, next_obs = (torch.stack(column) for column in zip(*rows, strict=True))
    # an episode that the clock cut off would have gone on: the value of its last state stands in for the rest
    next_value = policies.policy_and_value(next_obs.transpose(0, 1).flatten(1, 2))[1]  # (networks, steps * envs)
    next_value = next_value.unflatten(1, (steps, -1)).transpose(0, 1)  # (steps, networks, envs)
    return state, _Rollout(obs, value, action, reward, terminated, over, next_value)


def _advantages(played: _Rollout, settings: SampledActorCritic) -> Tensor:
    """Generalized advantage estimation, equation 16 of Schulman et al. 2016: ``(steps, networks, envs)``."""
    advantage = torch.zeros_like(played.value)
    following = torch.zeros_like(advantage[0])  # (networks, envs)
    for t in reversed(range(len(advantage))):
        # delta_t = r_t + gamma V(s_{t+1}) - V(s_t)
        delta = played.reward[t] + settings.discount * played.next_value[t] * ~played.terminated[t]
        delta = delta - played.value[t]
        # A_t = delta_t + gamma lambda A_{t+1}, within one episode
        following = delta + settings.discount * settings.gae_lambda * following * ~played.over[t]
        advantage[t] = following
    return advantage


def _checkpoints(every: int, last: int) -> tuple[int, ...]:
    """Steps after which to measure: none, each multiple of ``every``, and all."""
    if every < 1:
        raise ValueError(f"every is {every}; it must be at least 1")
    return tuple(sorted({*range(0, last, every), last}))


class _Recorder:
    """Takes measurements during training and makes the :class:`TrainingRun`."""

    def __init__(self, policies: Policies, measure: Measure | None, at: Sequence[int], last: int):
        check_checkpoints(at, last)
        self.policies, self.measure, self.at = policies, measure, tuple(at)
        self.iterations: list[int] = []
        self.curves: list[Tensor] = []
        self.after(0)

    def after(self, iteration: int) -> None:
        """Measure, if it is time to, a copy of the ensemble on the CPU."""
        if self.measure is not None and iteration in self.at:
            with torch.no_grad():
                self.curves.append(self.measure(deepcopy(self.policies).cpu()).clone())
            self.iterations.append(iteration)

    def run(self, settings: ExactGradient | SampledActorCritic) -> TrainingRun:
        """The result of the training."""
        curves = torch.stack(self.curves) if self.curves else torch.empty(0, self.policies.networks)
        return TrainingRun(self.policies.cpu(), tuple(self.iterations), curves, settings)
