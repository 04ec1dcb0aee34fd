"""How fast worlds step and ensembles learn, as ratios against the usual way on the same machine."""

import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import gymnasium
import minigrid  # noqa: F401  (registers its environments)
import numpy as np
import torch
from torch import nn

from bench import rival, roofline
from bench.numbers import Number, in_turns, number
from innerlab.ensembles.policies import PlainPolicies, Policies
from innerlab.evaluation import outcome_probabilities
from innerlab.training import ExactGradient, train_exactly
from innerlab.worlds import environments
from innerlab.worlds.gridworld import ACTIONS, COLORS, SHAPES, Gridworld, egocentric_objects, reset, step
from innerlab.worlds.red_doors import OUTCOMES, RedDoors

PEER = "MiniGrid-Empty-5x5-v0"
PEER_ACTIONS = 3  # turn left, turn right, go forward: all that does anything in an empty room


@dataclass(frozen=True)
class Extent:
    """The sizes of all measurements; the tests use smaller ones."""

    repetitions: int = 5
    shortest: float = 0.2
    """CPU seconds that a measurement takes at least"""
    rooms: int = 20_000
    """in which agents train and worlds step"""
    batch: int = 16_384
    """states that step together"""
    vector: int = 1_024
    """copies in the vector environment"""
    steps: int = 50
    """in a row"""
    agents: int = 64
    iterations: int = 20
    """gradient steps of which the cost is compared"""
    learning: ExactGradient = field(default_factory=ExactGradient)
    """of the run that must reach the door; as in the chapter on pseudo-alignment"""
    unseen: int = 200
    """rooms in which that is tested"""
    every: int = 5
    """gradient steps between two tests"""
    rivals: int = 3
    """agents of Stable-Baselines3 that learn the same"""
    rival_steps: int = 200_000
    """steps of the world that each of them may take"""
    shares: tuple[float, ...] = (0.0, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5)
    """of swapped rooms in training: the points of a decorrelation curve"""


def measure(extent: Extent) -> Iterator[Number]:
    """Yield every number about the laboratory."""
    rooms = RedDoors().sample(extent.rooms, seed=1)
    yield from stepping(extent, rooms)
    yield from ensembles(extent, rooms)
    yield bounded(extent, rooms)
    yield from learning(extent, rooms)
    yield curve(extent)
    yield importing(extent)


# Stepping


def stepping(extent: Extent, rooms: Gridworld) -> Iterator[Number]:
    """Yield the two ratios against MiniGrid."""
    batch, vector, peer = step_batch(extent, rooms), step_vector(extent, rooms), step_peer(extent)
    seconds = in_turns(extent.repetitions, extent.shortest, batch, vector, peer)
    ours = [extent.batch * extent.steps / row[0] for row in seconds]
    seen = [extent.vector * extent.steps / row[1] for row in seconds]
    theirs = [extent.steps / row[2] for row in seconds]
    yield number(
        "minigrid_ratio",
        [a / b for a, b in zip(ours, theirs, strict=True)],
        "×",
        f"world steps a CPU second: gridworld.step on {extent.batch:,} states at once over {PEER} on one, "
        "stepping alone (MiniGrid's step also makes its observation, ours does not)",
    )
    yield number(
        "minigrid_ratio_vector",
        [a / b for a, b in zip(seen, theirs, strict=True)],
        "×",
        f"the same through Gymnasium's interface: {extent.vector:,} copies of innerlab/RedDoors-v0, observations and "
        f"resets included, over {PEER}",
    )
    yield number("world_steps", ours, "/s", "innerlab.worlds.gridworld.step, steps a CPU second")
    yield number("minigrid_steps", theirs, "/s", f"{PEER}, steps a CPU second")


def step_batch(extent: Extent, rooms: Gridworld):
    """A job that steps a batch of states, by actions drawn beforehand."""
    generator = torch.Generator().manual_seed(0)
    begin = reset(rooms, torch.randint(rooms.layouts, (extent.batch,), generator=generator))
    actions = torch.randint(len(ACTIONS), (extent.steps, extent.batch), generator=generator)

    def job() -> None:
        state = begin
        for action in actions:
            state = step(rooms, state, action).state

    return job


def step_vector(extent: Extent, rooms: Gridworld):
    """A job that steps the vector environment."""
    copies = environments.GridworldVectorEnv(extent.vector, rooms)
    copies.reset(seed=0)
    actions = np.random.default_rng(0).integers(len(ACTIONS), size=(extent.steps, extent.vector))

    def job() -> None:
        for action in actions:
            copies.step(action)

    return job


def step_peer(extent: Extent):
    """A job that steps MiniGrid's environment without wrappers, which is its fastest."""
    peer = gymnasium.make(PEER).unwrapped
    peer.reset(seed=0)
    actions = np.random.default_rng(0).integers(PEER_ACTIONS, size=extent.steps).tolist()

    def job() -> None:
        for action in actions:
            peer.step(action)

    return job


# Learning


def ensembles(extent: Extent, rooms: Gridworld) -> Iterator[Number]:
    """Yield the time of an ensemble over that of one agent, and over that of as many agents trained one by one."""
    settings = ExactGradient(extent.iterations)
    many, one = (PlainPolicies(range(agents), rooms) for agents in (extent.agents, 1))
    separate = [Separate(many, which) for which in range(extent.agents)]

    def one_after_another() -> None:
        for module in separate:
            train_exactly(module, rooms, settings)

    seconds = in_turns(
        extent.repetitions,
        extent.shortest,
        lambda: train_exactly(many, rooms, settings),
        lambda: train_exactly(one, rooms, settings),
        one_after_another,
    )
    yield number(
        f"ensemble_cost_{extent.agents}",
        [row[0] / row[1] for row in seconds],
        "×",
        f"CPU time of {extent.iterations} gradient steps of {extent.agents} agents as one batch over that of one agent "
        f"({extent.agents} would be no gain)",
    )
    yield number(
        "loop_ratio",
        [row[2] / row[0] for row in seconds],
        "×",
        f"CPU time of {extent.agents} separate torch modules of the same network, trained one after another with the "
        "same settings, over that of one batch",
    )


class Separate(Policies):
    """One network of an ensemble of plain policies, written as a module of its own with the same weights."""

    def __init__(self, policies: PlainPolicies, which: int):
        super().__init__([policies.seeds[which]])
        self.positions = policies.positions
        weights = {name: table[which].detach() for name, table in policies.named_parameters()}
        self.first = nn.EmbeddingBag.from_pretrained(weights["weight_1"].flatten(0, 1).clone(), False, mode="sum")
        self.first_bias = nn.Parameter(weights["bias_1"].clone())
        self.second, self.third = (nn.Linear(*weights[f"weight_{layer}"].shape) for layer in (2, 3))
        with torch.no_grad():
            for layer, linear in ((2, self.second), (3, self.third)):
                linear.weight.copy_(weights[f"weight_{layer}"].T)
                linear.bias.copy_(weights[f"bias_{layer}"][0])

    def observe(self, world: Gridworld, layout: torch.Tensor, cell: torch.Tensor) -> torch.Tensor:
        """The agents' observations, long (..., objects)."""
        return egocentric_objects(world, layout, cell)

    def forward(self, obs: torch.Tensor) -> torch.Tensor:
        """Action logits, (1, batch, actions)."""
        kind, position = obs[0] // self.positions, obs[0] % self.positions  # (batch, objects)
        shape, color = kind // len(COLORS), len(SHAPES) + kind % len(COLORS)
        features = torch.cat([shape * self.positions + position, color * self.positions + position], -1)
        hidden = torch.relu(self.first(features) + self.first_bias)
        return self.third(torch.relu(self.second(hidden)))[None, :, : len(ACTIONS)]


def bounded(extent: Extent, rooms: Gridworld) -> Number:
    """Measure an iteration of training against the least time that this machine's roofline allows."""
    policies = PlainPolicies(range(extent.agents), rooms)
    once, several = (ExactGradient(count) for count in (1, extent.iterations + 1))
    parameters = sum(table.numel() for table in policies.parameters())
    work = roofline.work_of(lambda: train_exactly(policies, rooms, once), parameters)
    seconds = in_turns(
        extent.repetitions,
        extent.shortest,
        lambda: train_exactly(policies, rooms, several),
        lambda: train_exactly(policies, rooms, once),
        roofline.multiply(),
        roofline.copy(),
    )
    return number(
        "iteration_over_bound",
        [
            (row[0] - row[1]) / extent.iterations / work.bound(roofline.MULTIPLIED / row[2], roofline.MOVED / row[3])
            for row in seconds
        ],
        "×",
        f"CPU time of one gradient step of {extent.agents} plain agents over the least that its products "
        f"({work.operations / 1e6:,.0f} million operations) and its traffic ({work.traffic / 1e6:,.0f} MB) could take "
        "at the rates of a large product of matrices and of a large copy, measured in turns with it",
        aim=1.3,
        ceiling=2,
    )


class Reached(Exception):
    """Raised to end a training run whose agents have learned enough."""


def learning(extent: Extent, rooms: Gridworld) -> Iterator[Number]:
    """Yield the time until all but a few agents have learned, and its ratio to that of another library's agents."""
    unseen = RedDoors().sample(extent.unseen, seed=2)
    runs = [seconds_to_learn(extent, rooms, unseen) for _ in range(extent.repetitions)]
    ours = number(
        f"seconds_{extent.agents}_to_95",
        [seconds for seconds in runs if seconds is not None],
        "s",
        f"CPU time of training alone until 95 % of {extent.agents} plain agents reach the door in at least 95 % of "
        f"{extent.unseen} unseen rooms, as the chapter trains them; tested every {extent.every} gradient steps",
    )
    yield ours
    theirs = [rival.seconds_to_learn(seed, extent.rival_steps, extent.unseen) for seed in range(extent.rivals)]
    yield number(
        "rival_ratio",
        [extent.agents * seconds / ours.value for seconds in theirs if seconds is not None and ours.value],
        "×",
        f"CPU time of {extent.agents} single agents of Stable-Baselines3's PPO ({extent.agents} times each of "
        f"{extent.rivals}), until they reach the door as often in the same world, over that. PPO samples episodes; "
        "ours climb the exact gradient, which a world this small allows",
    )


def curve(extent: Extent) -> Number:
    """Measure how long it takes to draw how the choice of cue depends on the share of swapped rooms."""
    swapped = RedDoors(swapped_share=1.0).sample(extent.unseen, seed=3)

    def job() -> None:
        for share in extent.shares:
            rooms = RedDoors(swapped_share=share).sample(extent.rooms, seed=6)
            policies = PlainPolicies(range(extent.agents), rooms)
            outcome_probabilities(train_exactly(policies, rooms, extent.learning).policies, swapped)

    return number(
        "decorrelation_seconds",
        [row[0] for row in in_turns(min(extent.repetitions, 3), 0, job)],
        "s",
        f"CPU time of {len(extent.shares)} shares of swapped rooms times {extent.agents} plain agents: drawing rooms, "
        f"{extent.learning.iterations} gradient steps, and what each agent does in {extent.unseen} swapped rooms",
        aim=5,
        ceiling=12,
    )


def importing(extent: Extent) -> Number:
    """Measure what importing the laboratory costs beyond PyTorch."""
    code = "import time, {}; print(time.process_time())"

    def seconds(module: str) -> float:
        done = subprocess.run([sys.executable, "-c", code.format(module)], capture_output=True, check=True)
        return float(done.stdout)

    for module in ("torch", "innerlab"):
        seconds(module)  # the first time reads files
    return number(
        "import_ratio",
        [seconds("innerlab") / seconds("torch") for _ in range(extent.repetitions)],
        "×",
        "CPU time of `import innerlab` over that of `import torch`, each in a Python of its own",
        aim=1.02,
        ceiling=1.1,
    )


def seconds_to_learn(extent: Extent, rooms: Gridworld, unseen: Gridworld) -> float | None:
    """Train once and return the CPU seconds without the tests; None when it is not learned in time."""
    door, testing = OUTCOMES.index("door"), 0.0

    def test(policies):
        nonlocal testing
        begun = time.process_time()
        reached = outcome_probabilities(policies, unseen)[..., door].mean(1)  # (agents,)
        if (reached >= 0.95).float().mean() >= 0.95:
            raise Reached(begun - started - testing)
        testing += time.process_time() - begun
        return reached

    policies = PlainPolicies(range(extent.agents), rooms)
    started = time.process_time()
    try:
        train_exactly(policies, rooms, extent.learning, test, extent.every)
    except Reached as learned:
        return learned.args[0]
    return None
