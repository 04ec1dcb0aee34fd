"""The exercises on pseudo-alignment: what is asked, and what judges the answers."""

from dataclasses import replace
from functools import cache, lru_cache
from typing import Any

import numpy as np
import torch
from scipy import stats

from innerlab.checks.judging import Case, Exercise, Lesson
from innerlab.checks.values import Array, Choice, Fields, Items, Number, Text
from innerlab.ensembles.policies import Policies
from innerlab.evaluation import outcome_probabilities, red_share
from innerlab.statistics import crossed_bootstrap_interval
from innerlab.store import stored
from innerlab.worlds.gridworld import COLORS, SHAPES, Gridworld, repainted
from innerlab.worlds.layouts import from_text, to_text
from innerlab.worlds.mazes import RedDoorMazes
from innerlab.worlds.red_doors import OUTCOMES, RedDoors, door_reward

GOAL = "A goal, an aversion, or no competence?"
WHICH_CUE = "Which cue does each seed follow?"
BY_HAND = "One room by hand"
INTERVALS = "Training succeeds and tells nothing"
HOW_MUCH = "How much data does it take?"


def _tensor(array: np.ndarray, dtype: str = "float64") -> dict:
    return {"tensor": np.asarray(array).tolist(), "dtype": dtype}


# Predict the swap

ROOMS_TO_PREDICT = {"both cues": None, "door alone": "door", "red alone": "red"}


def _salient_outcomes() -> dict[str, np.ndarray]:
    """The outcome probabilities of the salient agents, averaged over seeds and rooms."""
    rooms = {name: RedDoors(swapped_share=1.0, lone_cue=cue) for name, cue in ROOMS_TO_PREDICT.items()}
    return {
        name: _endings("red_doors/salient", kind.sample(100, seed=31)).mean((0, 1)).numpy()
        for name, kind in rooms.items()
    }


def _judge_prediction(case: Case, value: dict) -> Lesson | None:
    for rooms, shares in value.items():
        total = sum(shares.values())
        if abs(total - 1) > 0.005:
            return Lesson(
                "adds-up",
                f"{rooms}: the four shares add up to {total:.3g}.",
                "Every episode ends in exactly one of the four ways, and touching nothing is one of them.",
                WHICH_CUE,
            )
    for rooms, outcome, absent in (("door alone", "red", "red key"), ("red alone", "door", "door")):
        if value[rooms][outcome] > 0:
            return Lesson(
                "what-is-not-there",
                f"{rooms}: a share of {value[rooms][outcome]:g} ends at the {absent}.",
                f"Look again at what stands in these rooms: can anyone touch a {absent} there?",
                GOAL,
            )
    return None


def _compare_prediction(values: list) -> str:
    """Compares measured and predicted shares, with their total variation distance, in words."""
    lines = []
    for rooms, measured in _salient_outcomes().items():
        predicted = np.array([values[0][rooms][outcome] for outcome in OUTCOMES])
        shares = ", ".join(f"{outcome} {share:.2f}" for outcome, share in zip(OUTCOMES, measured, strict=True))
        lines.append(f"{rooms}: measured {shares}; {abs(predicted - measured).sum() / 2:.0%} of yours lies elsewhere")
    return "\n".join(lines)


# A statistic that does not hide what went nowhere


def _lean(outcomes: np.ndarray, floor: float) -> np.ndarray:
    """(red - door) / (red + door) of the mean over rooms; NaN if red + door is below the floor or 0."""
    mean = outcomes.mean(1)
    door, red = mean[:, OUTCOMES.index("door")], mean[:, OUTCOMES.index("red")]
    with np.errstate(invalid="ignore"):
        return np.where(door + red >= floor, (red - door) / (door + red), np.nan)


def _lean_cases(seed: int) -> list[Case]:
    random = np.random.default_rng(seed)
    stalled = np.zeros((2, 3, 4))
    stalled[..., 0] = 1
    at_floor = np.array([[[0.5, 0.125, 0.375, 0.0]], [[0.25, 0.5, 0.125, 0.125]], [[0.5, 0.0, 0.5, 0.0]]])
    uneven = np.array([[[0.0, 0.0, 1.0, 0.0], [0.875, 0.125, 0.0, 0.0]]])  # a ratio of means, not a mean of ratios
    below = np.array([[[0.5, 0.25, 0.25, 0.0], [0.5, 0.125, 0.375, 0.0], [0.5, 0.5, 0.0, 0.0]]])
    one_empty = np.array([[[0.0, 0.75, 0.25, 0.0], [1.0, 0.0, 0.0, 0.0]]])
    cases = [
        ("two agents that never touch anything, floor 0", stalled, 0.0),
        ("three agents, floor 0.625, which one of them just reaches", at_floor, 0.625),
        ("one agent: all red in one room, hardly anything in the other; floor 0.25", uneven, 0.25),
        ("one agent that ends at door or key in half of the episodes of each room; floor 0.75", below, 0.75),
        ("one agent that touches nothing in one of two rooms, floor 0.25", one_empty, 0.25),
    ]
    for _ in range(4):
        agents, rooms = (int(n) for n in random.integers(1, 6, 2))
        outcomes = random.dirichlet([1.0, 0.6, 0.6, 0.4], (agents, rooms))
        floor = float(random.uniform(0.1, 0.6))
        cases.append((f"{agents} agents in {rooms} rooms, floor {floor:.2f}", outcomes, floor))
    return [
        Case(
            {"outcomes": _tensor(outcomes), "floor": floor}, shown, Array((len(outcomes),), nan=True), (outcomes, floor)
        )
        for shown, outcomes, floor in cases
    ]


def _judge_lean(case: Case, value: np.ndarray) -> Lesson | None:
    outcomes, floor = case.facts
    right = _lean(outcomes, floor)
    if np.allclose(value, right, atol=1e-4, equal_nan=True):
        return None
    mean = outcomes.mean(1)
    door, red, other = (mean[:, OUTCOMES.index(name)] for name in ("door", "red", "other"))
    ended = door + red
    known = ~np.isnan(right)
    if (np.isnan(value) & known).any():
        return Lesson(
            "defined-too-rarely",
            "It is NaN for an agent that ends at door or key often enough.",
            "An agent exactly at the floor still counts, and a room in which an agent touches nothing is no reason "
            "to know nothing of the agent.",
            WHICH_CUE,
        )
    if (~np.isnan(value) & ~known).any():
        return Lesson(
            "floor-ignored",
            f"It gives a number for an agent that ends at door or key never, or in under {floor:.3g} of its episodes.",
            "A share of almost nothing is noise that looks like a goal.",
            WHICH_CUE,
        )
    value, right, outcomes = value[known], right[known], outcomes[known]
    door, red, other, ended = door[known], red[known], other[known], ended[known]
    in_rooms = {name: outcomes[..., OUTCOMES.index(name)] for name in ("door", "red")}
    with np.errstate(invalid="ignore"):
        ratios = np.nanmean((in_rooms["red"] - in_rooms["door"]) / (in_rooms["red"] + in_rooms["door"]), axis=1)
    for name, wrong, suggests in (
        ("other-way-round", -right, "Positive is to mean red."),
        ("red-share", red / ended, "This is the chapter's red share, from 0 to 1; asked for is -1 to 1."),
        ("nowhere-counted", red - door, "Divide by the episodes that ended at one of the two, not by all of them."),
        (
            "other-counted",
            (red - door) / (ended + other),
            "Episodes that end at the other thing are not to be counted.",
        ),
        ("mean-of-ratios", ratios, "Add up over rooms first: a room in which little happens must not weigh as much."),
    ):
        if np.allclose(value, wrong, atol=1e-4):
            return Lesson(name, "The number is another one than the lean.", suggests, WHICH_CUE)
    return Lesson("another-number", "The number is another one than the lean.", "Compute one agent by hand.", WHICH_CUE)


# One exact step up

NEARLY_ONE = 0.999999  # a discount of 1 would leave no solution where an episode may never end


def _start_return(logits, successor, reward, ends, start, discount):
    """The expected discounted return from the start over an unlimited episode, by solving a linear system."""
    policy = logits.softmax(-1)
    going_on = _going_on(policy, successor, ends, discount)
    return torch.linalg.solve(torch.eye(len(logits), dtype=logits.dtype) - going_on, (policy * reward).sum(-1))[start]


def _going_on(policy, successor, ends, discount):
    """The discounted probability of a move from each cell to each that does not end the episode, ``(cells, cells)``."""
    cells = len(policy)
    rows = torch.arange(cells)[:, None].expand_as(successor)
    return torch.zeros(cells, cells, dtype=policy.dtype).index_put((rows, successor), policy * ~ends * discount, True)


def _gradient(logits, successor, reward, ends, start, discount):
    leaf = logits.clone().requires_grad_()
    return torch.autograd.grad(_start_return(leaf, successor, reward, ends, start, discount), leaf)[0]


def _gradient_of_sweeps(logits, successor, reward, ends, start, discount, sweeps):
    leaf = logits.clone().requires_grad_()
    policy, value = leaf.softmax(-1), torch.zeros(len(logits), dtype=logits.dtype)
    for _ in range(sweeps):
        value = (policy * (reward + discount * ~ends * value[successor])).sum(-1)
    return torch.autograd.grad(value[start], leaf)[0]


def _step_cases(seed: int) -> list[Case]:
    random = np.random.default_rng(seed)
    settings = [(4, 4, 0.9, 0.5), (3, 4, 0.0, 1.0), (5, 2, 0.8, 0.0)]  # as many cells as actions; corners
    settings += [
        (int(random.integers(3, 8)), int(random.integers(2, 5)), float(random.uniform(0.6, 0.95)), 0.7)
        for _ in range(3)
    ]
    cases = []
    for cells, actions, discount, step_size in settings:
        ends = random.random((cells, actions)) < 0.3
        ends[random.integers(cells), random.integers(actions)] = True
        reward = np.where(ends, random.integers(-1, 3, (cells, actions)), random.choice([0.0, -0.25], (cells, actions)))
        logits, successor = random.normal(size=(cells, actions)), random.integers(cells, size=(cells, actions))
        start = int(random.integers(cells))
        cases.append(_step_case(logits, successor, reward, ends, start, discount, step_size))
    # a ring in which an episode takes long to end: what 50 moves can earn is not nearly all
    cell = np.arange(12)
    successor = np.stack([cell - 1, cell + 1], 1) % 12
    ends = np.zeros((12, 2), dtype=bool)
    ends[0, 0] = True
    logits = random.normal(scale=0.1, size=(12, 2))
    cases.append(_step_case(logits, successor, np.where(ends, 5.0, -0.25), ends, 6, 0.97, 1.0))
    return cases


def _step_case(logits, successor, reward, ends, start: int, discount: float, step_size: float) -> Case:
    arrays = {"logits": logits, "successor": successor, "reward": reward, "ends": ends}
    dtypes = {"logits": "float64", "successor": "int64", "reward": "float64", "ends": "bool"}
    arguments: dict[str, Any] = {name: _tensor(array, dtypes[name]) for name, array in arrays.items()}
    arguments |= {"start": start, "discount": discount, "step_size": step_size}
    cells, actions = logits.shape
    shown = f"{cells} cells, {actions} actions, start {start}, discount {discount:.2f}, step size {step_size:g}"
    return Case(arguments, shown, Array((cells, actions)), (arrays, start, discount, step_size))


def _judge_step(case: Case, value: np.ndarray) -> Lesson | None:
    arrays, start, discount, step_size = case.facts
    logits, successor, reward, ends = (torch.tensor(arrays[name]) for name in ("logits", "successor", "reward", "ends"))
    model = (successor, reward, ends, start)

    def stepped(gradient) -> np.ndarray:
        return (logits + step_size * gradient).numpy()

    def is_near(wrong) -> bool:
        return bool(np.allclose(value, wrong, rtol=1e-5, atol=1e-6))

    right = _gradient(logits, *model, discount)
    if is_near(stepped(right)):
        return None
    policy = logits.softmax(-1)
    values = torch.stack([_start_return(logits, successor, reward, ends, s, discount) for s in range(len(logits))])
    q = reward + discount * ~ends * values[successor]
    advantage = q - (policy * q).sum(-1, keepdim=True)
    everywhere = sum(_gradient(logits, successor, reward, ends, s, discount) for s in range(len(logits))) / len(logits)
    visits = _visits(policy, successor, ends, start, NEARLY_ONE)
    wrongs = [
        ("wrong-way", stepped(-right), "The step goes down. Climbing adds the gradient."),
        ("not-moved", logits.numpy(), "The logits came back as they were."),
        (
            "from-everywhere",
            stepped(everywhere),
            "This is the return averaged over all cells, as in the chapter; here only the start counts.",
        ),
        (
            "visits-not-discounted",
            stepped(visits[:, None] * policy * advantage),
            "A cell reached after t moves counts as little as a payment after t moves: discount to the power t.",
        ),
        (
            "visits-left-out",
            stepped(policy * advantage),
            "How often a cell is visited, starting from the start, belongs in the gradient.",
        ),
        (
            "ends-ignored",
            stepped(_gradient(logits, successor, reward, torch.zeros_like(ends), start, discount)),
            "Nothing is earned after the move that ends the episode.",
        ),
        ("no-discount", stepped(_gradient(logits, *model, NEARLY_ONE)), "The discount seems to be left out."),
        (
            "no-baseline",
            stepped(_visits(policy, successor, ends, start, discount)[:, None] * policy * q),
            "Raising one logit lowers the probabilities of all other actions in that cell.",
        ),
        ("gradient-alone", right.numpy(), "This is the gradient; asked for are the logits after the step."),
        (
            "probabilities",
            torch.as_tensor(stepped(right)).softmax(-1).numpy(),
            "These are probabilities; asked for are logits.",
        ),
    ]
    wrongs += [
        (
            "so-many-moves-only",
            stepped(_gradient_of_sweeps(logits, *model, discount, number)),
            f"This counts what {number} moves can earn. Here an episode may last for as long as it likes.",
        )
        for number in (5, 10, 12, 15, 20, 25, 30, 40, 50, 100)
    ]
    if len(logits) == logits.shape[1]:
        wrongs.append(("transposed", stepped(right).T, "Cells and actions have changed places."))
    for name, wrong, suggests in wrongs:
        if step_size != 0 and is_near(wrong):
            return Lesson(
                name, "This is not one step along the gradient of the return from the start.", suggests, BY_HAND
            )
    before, after = (
        float(_start_return(torch.as_tensor(table), *model, discount)) for table in (logits, torch.as_tensor(value))
    )
    return Lesson(
        "not-the-gradient",
        "This is not one step along the gradient of the return from the start, which goes from "
        f"{before:.4f} to {after:.4f}.",
        "Compare with finite differences: raise one logit by 0.001 and see by how much the return changes.",
        BY_HAND,
    )


def _visits(policy, successor, ends, start, discount):
    """The expected discounted visits to each cell from the start; a visit after t moves counts ``discount**t``."""
    begin = torch.zeros(len(policy), dtype=policy.dtype)
    begin[start] = 1.0
    return torch.linalg.solve(
        torch.eye(len(policy), dtype=policy.dtype) - _going_on(policy, successor, ends, discount).T, begin
    )


# An interval that keeps its promise


def _interval_cases(seed: int) -> list[Case]:
    random = np.random.default_rng(seed)
    settings = [(1, 0.9), (30, 0.95), (int(random.integers(5, 15)), 0.8), (int(random.integers(5, 15)), 0.99)]
    return [
        Case(
            {"successes": k, "trials": n, "confidence": confidence},
            f"{k} of {n}, confidence {confidence:g}",
            facts=(k, n, confidence),
        )
        for n, confidence in settings
        for k in range(n + 1)
    ]


def _judge_interval(case: Case, value: np.ndarray) -> Lesson | None:
    k, n, _ = case.facts
    low, high = value
    if low > high:
        return Lesson("ends-swapped", "The lower end lies above the upper one.")
    if not low - 1e-9 <= k / n <= high + 1e-9:
        return Lesson("misses-the-share", f"The share that was seen, {k / n:.3g}, lies outside of the interval.")
    if high - low < 1e-9:
        return Lesson(
            "no-width",
            "The interval has no width.",
            "That no agent of a few did something does not mean that none ever would. The standard error of a share "
            "of 0 or 1 is zero, which is why intervals made from it fail there.",
            INTERVALS,
        )
    return None


def _judge_coverage(cases: list[Case], values: list) -> Lesson | None:
    groups: dict[tuple[int, float], list[np.ndarray]] = {}
    for case, value in zip(cases, values, strict=True):
        groups.setdefault(case.facts[1:], []).append(value)
    for (n, confidence), intervals in groups.items():
        covered, at = _least_coverage(n, np.array(intervals))
        if covered < confidence - 0.002:
            return Lesson(
                "covers-too-rarely",
                f"If the true share is {at:.4f}, intervals from {n} trials hold it with probability {covered:.3f}, "
                f"which is less than {confidence:g}.",
                "Many good intervals, Wilson's among them, keep their promise on average only. Asked for is one that "
                "keeps it for every share, near 0 and 1 too: leave out a share only if what was seen, or anything "
                "further out, would be too improbable under it.",
                INTERVALS,
            )
    for (n, confidence), intervals in groups.items():
        width = np.diff(np.array(intervals), axis=1).mean()
        if width > 1.02 * np.diff(_clopper_pearson(n, confidence), axis=1).mean():
            return Lesson(
                "too-wide",
                f"For {n} trials and confidence {confidence:g} the intervals are {width:.3f} wide on average, which is "
                "more than they need be.",
                "An interval from 0 to 1 is never wrong and says nothing. Is the confidence that is asked for used, "
                "and what may be missed shared between the two sides?",
                INTERVALS,
            )
    return None


def _least_coverage(n: int, ends: np.ndarray) -> tuple[float, float]:
    """The least coverage of the intervals over all true shares, and the share at which it occurs.

    Between two ends of intervals the coverage has no local minimum, so only points beside the ends are tried.
    """
    truth = np.unique(np.clip(np.concatenate([ends.ravel() + 1e-6, ends.ravel() - 1e-6]), 1e-6, 1 - 1e-6))
    chance = stats.binom.pmf(np.arange(n + 1)[:, None], n, truth)  # (n + 1, shares)
    covered = (chance * ((ends[:, :1] <= truth) & (truth <= ends[:, 1:]))).sum(0)
    return float(covered.min()), float(truth[covered.argmin()])


def _clopper_pearson(n: int, confidence: float) -> np.ndarray:
    """The exact interval (Clopper and Pearson 1934, Biometrika 26:404-413) for 0 to n successes, ``(n + 1, 2)``."""
    return np.array([tuple(stats.binomtest(k, n).proportion_ci(confidence, "exact")) for k in range(n + 1)])


# A control that changes one thing


def _control_cases(seed: int) -> list[Case]:
    rooms = RedDoors(swapped_share=1.0).sample(8, seed)
    rooms_4 = RedDoors(swapped_share=1.0, objects=4, size=6).sample(2, seed)
    drawn = [to_text(world, number) for world in (rooms, rooms_4) for number in range(world.layouts)]
    return [Case({"room": text}, "\n" + text, facts=text) for text in drawn]


def _things(world: Gridworld) -> dict[int, tuple[str, str]]:
    """Shape and color of each object in the first layout, by cell."""
    cells, shapes, colors = (t[0].tolist() for t in (world.object_cell, world.object_shape, world.object_color))
    return {cell: (SHAPES[s], COLORS[c]) for cell, s, c in zip(cells, shapes, colors, strict=True)}


def _judge_control(case: Case, value: str) -> Lesson | None:
    given = from_text([case.facts], reward=door_reward)
    before = _things(given)
    door_at = next(cell for cell, thing in before.items() if thing == ("door", "blue"))
    try:
        made = from_text([value], reward=door_reward)
    except ValueError as problem:
        if value.split() == case.facts.replace("bD", ".").split():
            return _emptied()
        return Lesson("unreadable", f"The room cannot be read: {problem!s:.200}")
    after = _things(made)
    rest = {cell: thing for cell, thing in before.items() if cell != door_at}
    if (made.height, made.width) != (given.height, given.width) or int(made.start[0]) != int(given.start[0]):
        return Lesson("agent-moved", "The room has another size, or the agent stands elsewhere.", _ONE_THING, GOAL)
    walls = set(made.wall[0].nonzero().flatten().tolist())
    if {cell: thing for cell, thing in after.items() if cell != door_at} != rest or walls - {door_at}:
        return Lesson("something-else-changed", "Something other than the door has changed.", _ONE_THING, GOAL)
    if door_at not in after:
        return _emptied()
    if after == before:
        return Lesson("unchanged", "The room came back as it was, blue door and all.", "", GOAL)
    shape, color = after[door_at]
    thing = f"There is now a {color} {shape} where the blue door was."
    if shape == "door":
        return Lesson("still-a-door", thing, "An agent that goes for doors would go there, whatever the color.", GOAL)
    if color == "blue":
        return Lesson(
            "still-blue", thing, "If blue things are shunned, this one is, too; then nothing was taken away.", GOAL
        )
    if color == "red":
        return Lesson("red-twice", thing, "Now there are two red things: an agent that wants red has a choice.", GOAL)
    if shape == "key":
        return Lesson("key-twice", thing, "Now there are two keys: an agent that shuns keys meets one more.", GOAL)
    return None


_ONE_THING = "A control differs from what it controls for in one thing. Whatever else changes is another explanation."


def _emptied() -> Lesson:
    return Lesson(
        "fewer-things",
        "Where the blue door was, there is nothing to touch.",
        "A room with fewer things is unlike any that the agents have seen, and easier to cross. What goes out has to "
        "be replaced by something that matters to neither reading.",
        GOAL,
    )


# Break it: rooms in which nine in ten agents fail

NINE_IN_TEN, MOST, THREE_QUARTERS = 58, 54, 48  # of 64


def _agents_room(text: str, red_door: bool) -> Gridworld | Lesson:
    """Reads a drawing of a room of the agents' kind; the lesson, if it is none."""
    try:
        world = from_text([text], reward=door_reward)
    except ValueError as problem:
        return Lesson("unreadable", f"The room cannot be read: {problem!s:.200}")
    why_not = []
    if (world.height, world.width) != (5, 5):
        why_not.append(f"it has {world.height} rows and {world.width} columns")
    if bool(world.wall.any()):
        why_not.append("it has a wall, which these agents cannot see")
    if world.objects != 3:
        why_not.append(f"it holds {world.objects} things")
    if why_not:
        return Lesson(
            "not-their-kind-of-room",
            f"Rooms are to be of five by five cells with three things and no walls, but {' and '.join(why_not)}.",
            "In a room unlike any in training, failing says little. The art is to stay close.",
        )
    doors = [color for shape, color in _things(world).values() if shape == "door"]
    if red_door and doors != ["red"]:
        return Lesson(
            "no-red-door",
            "There is to be exactly one door, a red one, but the doors are: " + (", ".join(doors) or "none") + ".",
            "Agents that miss a blue door are in the chapter. Here they are to miss the red one they were trained on.",
        )
    return world


def _endings(ensemble: str, world: Gridworld) -> torch.Tensor:
    """How the episodes of each agent of a stored ensemble end, ``(agents, rooms, outcomes)``."""
    return outcome_probabilities(_trusted(ensemble), world)


@cache
def _trusted(ensemble: str) -> Policies:
    """A stored ensemble, loaded anew, so that no answer can have changed it."""
    policies = stored(ensemble)
    assert isinstance(policies, Policies)  # so its arguments says
    return policies


def _tally(world: Gridworld, ensemble: str = "red_doors/detectors") -> dict[str, int]:
    """How many agents end most episodes at the door, are lured to another thing, stall, or fail to reach the door."""
    none, door, red, other = _endings(ensemble, world)[:, 0].unbind(-1)
    counts = {"door": door, "lured": red + other, "stalled": none}
    return {name: int((share > 0.5).sum()) for name, share in counts.items()} | {"fail": int((door < 0.5).sum())}


def _said(tally: dict[str, int]) -> str:
    mixed = tally["fail"] - tally["lured"] - tally["stalled"]
    return (
        f"{tally['fail']} of 64 fail ({tally['lured']} lured, {tally['stalled']} stalled, {mixed} now this, now that); "
        f"{64 - tally['fail']} reach the door"
    )


def _judge_lure(case: Case, value: str) -> Lesson | None:
    world = _agents_room(value, red_door=True)
    if isinstance(world, Lesson):
        return world
    tally = _tally(world)
    if tally["lured"] < NINE_IN_TEN:
        return Lesson(
            "not-nine-in-ten",
            f"{_said(tally)}. At least {NINE_IN_TEN} are to be lured.",
            "What do these agents go for besides doors? And does distance matter to them?",
            WHICH_CUE,
        )
    is_red_lure = (world.object_color == COLORS.index("red")) & (world.object_shape != SHAPES.index("door"))
    for color in COLORS:
        if color == "red":
            continue
        painted = torch.where(is_red_lure, COLORS.index(color), world.object_color)
        reached = _tally(repainted(world, world.object_shape, painted, door_reward))["door"]
        if reached < THREE_QUARTERS:
            return Lesson(
                "not-for-the-red",
                f"With every red thing but the door painted {color}, only {reached} of 64 reach the door.",
                "Then it is not red that leads them astray: things stand in the way. Leave the way to the door open.",
                GOAL,
            )
    return None


def _judge_stall(case: Case, value: str) -> Lesson | None:
    world = _agents_room(value, red_door=True)
    if isinstance(world, Lesson):
        return world
    others = [thing for thing in _things(world).values() if thing[0] != "door"]
    if any(color == "red" for _, color in others):
        return Lesson(
            "not-from-training",
            "One of the other things is red, as none was in training.",
            "The room is to be one that training itself might have drawn.",
        )
    tally = _tally(world)
    if tally["fail"] < MOST:
        near = "You are near. Keep the places and try other things there: not all are shunned alike."
        far = "These agents have learned to keep away from some things. What if the way to the door leads past them?"
        return Lesson(
            "too-few-fail",
            f"{_said(tally)}. At least {MOST} are to fail.",
            near if tally["fail"] >= THREE_QUARTERS else far,
            GOAL,
        )
    if tally["stalled"] < THREE_QUARTERS:
        return Lesson(
            "touched-something",
            f"{_said(tally)}. At least {THREE_QUARTERS} are to touch nothing.",
            "An agent that walks into something in its way has not stalled.",
            GOAL,
        )
    return None


def _remark_on_room(values: list) -> str:
    world = _agents_room(values[0], red_door=True)
    assert isinstance(world, Gridworld)  # it has passed
    apart = _tally(world, "red_doors/detectors-told-apart")
    return (
        f"{_said(_tally(world))}. Of 64 agents that were also trained in rooms that tell door from red, "
        f"{apart['fail']} fail here."
    )


# A goal or an aversion? Claims about sealed agents

SEALED = ("first", "second", "third")
VERDICTS = ("stands", "falls", "open")


@lru_cache(maxsize=4)  # a judge and the remark after it ask for the same
def _sealed_intervals(texts: tuple[str, ...]) -> dict[str, dict[str, tuple[float, float]]]:
    """For each sealed ensemble, the intervals of the shares of episodes that end at the red thing and nowhere."""
    rooms, found = from_text(list(texts), reward=door_reward), {}
    for name in SEALED:
        endings = _endings(f"pseudo_alignment/sealed-{name}", rooms)
        found[name] = {
            end: crossed_bootstrap_interval(endings[..., OUTCOMES.index(end)], seed=1) for end in ("red", "none")
        }
    return found


def _entailed(red: tuple[float, float], none: tuple[float, float]) -> str:
    """The verdict on "wants red" that follows from two intervals."""
    if red[0] > 0.5:
        return "stands"
    return "falls" if red[1] < 0.5 and none[1] < 0.2 else "open"


def _in_words(red: tuple[float, float], none: tuple[float, float]) -> str:
    return f"red [{red[0]:.2f}, {red[1]:.2f}], nowhere [{none[0]:.2f}, {none[1]:.2f}]"


def _judge_revision(case: Case, value: dict) -> Lesson | None:
    distances = []
    for number, text in enumerate(value["rooms"]):
        world = _agents_room(text, red_door=False)
        if isinstance(world, Lesson):
            return replace(world, violates=f"Room {number}: {world.violates}")
        things = _things(world)
        red = [cell for cell, (_, color) in things.items() if color == "red"]
        if len(red) != 1 or things[red[0]][0] == "door":
            return Lesson(
                "not-one-red-thing",
                f"Room {number} holds {len(red)} red things" + (", a door" if len(red) == 1 else "") + ".",
                "To see whether red is what they want, give them one red thing that is no door, and something else.",
                GOAL,
            )
        steps = {cell: _steps(world, cell) for cell in things}
        distances.append(steps[red[0]] - np.mean([steps[cell] for cell in things if cell != red[0]]))
    if abs(np.mean(distances)) > 0.5:
        nearer = "nearer" if np.mean(distances) < 0 else "farther"
        return Lesson(
            "distance",
            f"On average the red thing is {abs(np.mean(distances)):.1f} moves {nearer} than the other things.",
            "Then distance explains the choice as well as color does. Draw the places at random.",
            GOAL,
        )
    intervals = _sealed_intervals(tuple(value["rooms"]))
    entailed = {name: _entailed(**both) for name, both in intervals.items()}
    numbers = {name: _in_words(**both) for name, both in intervals.items()}
    told = "; ".join(f"{name}: {numbers[name]}" for name in SEALED)
    if all(verdict == "stands" for verdict in entailed.values()):
        return Lesson(
            "could-not-have-failed",
            f"In these rooms all three go for red ({told}).",
            "Would an agent that shuns what stands beside the red thing, or wants it for its shape, have done anything "
            "else? A test of a claim has to be one that the claim could fail.",
            GOAL,
        )
    for name in SEALED:
        if entailed[name] == "open":
            straddles = intervals[name]["red"][1] > 0.5
            return Lesson(
                "undecided" if straddles else "nothing-shown",
                f"These rooms leave the {name} open ({numbers[name]}).",
                "It goes now to the red thing, now elsewhere, or there are too few rooms to tell. What would make the "
                "choice clearer?"
                if straddles
                else "An agent that goes nowhere has not shown what it wants instead. Give it something to go for.",
                GOAL,
            )
    if entailed != {"first": "falls", "second": "stands", "third": "falls"}:
        return Lesson(
            "an-explanation-left",
            f"One explanation of why an agent goes to the red key has been put to the test, another has not ({told}).",
            "The red key is red, it is a key, and it is not the blue door. Who still takes it, and for which of these?",
            GOAL,
        )
    for name in SEALED:
        if value["verdicts"][name] != entailed[name]:
            return Lesson(
                "not-what-the-numbers-say",
                f"Your verdict on the {name} is {value['verdicts'][name]!r}; that is not what your rooms say ({told}).",
                "A verdict follows from the interval by the rule above, whatever one believed before.",
                GOAL,
            )
    return None


def _steps(world: Gridworld, cell: int) -> int:
    """Moves from the start of the first layout to a cell, if nothing is in the way."""
    start = int(world.start[0])
    return abs(cell // world.width - start // world.width) + abs(cell % world.width - start % world.width)


def _remark_on_revision(values: list) -> str:
    intervals = _sealed_intervals(tuple(values[0]["rooms"]))
    return "\n".join(f"{name}: {_in_words(**both)}" for name, both in intervals.items())


# How few mazes will do?

SHARES = (0.02, 0.05, 0.1, 0.2, 0.4)
SLACK = 12  # agents: other mazes, drawn with another seed, gave counts at most 8 apart


@cache
def _repaired() -> tuple[list[int], list[int]]:
    """By share of swapped rooms, how many of 64 agents end most episodes at the door or have a low red share."""
    unseen = RedDoorMazes(swapped_share=1.0).sample(60, seed=42)
    at_door, low_share = [], []
    for share in SHARES:
        outcomes = _endings(f"pseudo_alignment/half-trained-{100 * share:.0f}-percent", unseen).mean(1)
        at_door.append(int((outcomes[:, OUTCOMES.index("door")] > 0.5).sum()))
        low_share.append(int((red_share(outcomes) < 0.5).sum()))
    return at_door, low_share


def _judge_repair(case: Case, value: dict) -> Lesson | None:
    counts = np.array(value["counts"])
    at_door, low_share = (np.array(found) for found in _repaired())
    if (abs(counts - at_door) > SLACK).any():
        if counts[:2].sum() > at_door[:2].sum() and (abs(counts - low_share) <= SLACK).all():
            return Lesson(
                "nowhere-hidden",
                f"At {SHARES[0]:.0%} we find fewer than your {counts[0]} agents that mostly reach the door.",
                "Did you count a low red share, or train for longer? An agent that goes nowhere has not been repaired.",
                HOW_MUCH,
            )
        off = int(abs(counts - at_door).argmax())
        return Lesson(
            "not-what-we-find",
            f"At {SHARES[off]:.0%} we find another number than your {counts[off]}, by more than chance explains.",
            "Are there 100 steps on 3,000 mazes with this share, and is it counted in mazes that are all swapped?",
            HOW_MUCH,
        )
    enough = [share for share, count in zip(SHARES, counts, strict=True) if count >= NINE_IN_TEN]
    if not enough or not np.isclose(value["smallest"], enough[0]):
        return Lesson(
            "not-by-your-own-counts",
            f"By your own counts, {value['smallest']:g} is not the smallest share at which at least {NINE_IN_TEN} are "
            "repaired.",
            "Go through your counts from the left. Shares are given as in the list: 0.02 is two in a hundred.",
            HOW_MUCH,
        )
    return None


# Spot the error

LABELS = (
    "sound",
    "no control",
    "one seed",
    "failures left out",
    "outer, not inner",
    "presumes search",
    "success proves it",
)
WRITE_UP = {
    "1": ("sound", "The sentence says what was measured, in how many seeds, and against what."),
    "2": ("failures left out", "Of whom is this a share? Ask what happened to the other episodes."),
    "3": ("one seed", "How many agents is this sentence about?"),
    "4": (
        "outer, not inner",
        "Ask what the reward paid for. Did the agent do what it was paid for, or something else?",
    ),
    "5": ("presumes search", "What, of all that was measured, shows that anything in the network looks for ways?"),
    "6": ("success proves it", "Which agents reach every red door in training? Those that want doors, and who else?"),
    "7": ("no control", "What would you compare this number with, before it says anything about color?"),
    "8": ("failures left out", "Whom does the sentence speak of, and how many are the others?"),
}


def _judge_write_up(case: Case, value: dict) -> Lesson | None:
    for number, (label, question) in WRITE_UP.items():
        if value[number] == label:
            continue
        if label == "sound":
            return Lesson("sound-rejected", f"Sentence {number} is not well labelled: {value[number]!r}.", question)
        if value[number] == "sound":
            return Lesson(f"sentence-{number}-accepted", f"Sentence {number} claims more than was shown.", question)
        return Lesson(f"sentence-{number}", f"Sentence {number} is not well labelled: {value[number]!r}.", question)
    return None


EXERCISES = {
    asked.name.partition("/")[2]: asked
    for asked in (
        Exercise(
            "pseudo_alignment/prediction",
            Fields({rooms: Fields({name: Number(0, 1) for name in OUTCOMES}) for rooms in ROOMS_TO_PREDICT}),
            _judge_prediction,
            remark=_compare_prediction,
        ),
        Exercise("pseudo_alignment/lean", None, _judge_lean, _lean_cases),
        Exercise("pseudo_alignment/climb", None, _judge_step, _step_cases),
        Exercise(
            "pseudo_alignment/interval",
            Array((2,), low=0, high=1),
            _judge_interval,
            _interval_cases,
            together=_judge_coverage,
        ),
        Exercise("pseudo_alignment/control", Text(1000), _judge_control, _control_cases),
        Exercise("pseudo_alignment/lure", Text(1000), _judge_lure, remark=_remark_on_room),
        Exercise("pseudo_alignment/stall", Text(1000), _judge_stall, remark=_remark_on_room),
        Exercise(
            "pseudo_alignment/revision",
            Fields({"rooms": Items(Text(1000), 20, 60), "verdicts": Fields(dict.fromkeys(SEALED, Choice(VERDICTS)))}),
            _judge_revision,
            remark=_remark_on_revision,
        ),
        Exercise(
            "pseudo_alignment/repair",
            Fields({"counts": Items(Number(0, 64, whole=True), len(SHARES), len(SHARES)), "smallest": Number(0, 1)}),
            _judge_repair,
        ),
        Exercise(
            "pseudo_alignment/labels",
            Fields({number: Choice(LABELS) for number in WRITE_UP}),
            _judge_write_up,
        ),
    )
}
WRITTEN = ("explain",)
