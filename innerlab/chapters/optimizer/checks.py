"""The exercises on what an optimizer is: what is asked, and what judges the answers."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np

from innerlab.chapters.optimizer.robots import (
    CHANGES,
    FIELDS,
    VIEWS,
    arrives,
    changes,
    fourth_robot,
    look_up,
    planner,
    read_text,
    rule,
    sealed_robots,
    training_mazes,
    view,
)
from innerlab.checks.judging import Case, Exercise, Lesson
from innerlab.checks.values import Array, Choice, Fields, Items, Misfit, Number, Text
from innerlab.systems.mazes import AS_LABELED, REVERSED, Maze, Walker, breadth_first, draw_mazes, walk

THREE_ROBOTS = "Three robots"
FOUR_CHANGES = "Four changes"
WHO_PAYS = "Who pays, and when"
IMPOSTORS = "Two impostors, and an honest failure"
MECHANISM = "The verdict comes from the mechanism"
BITS = "Optimization in bits"
SEARCHING = "What searching is like"
WHAT_IT_SHOWS = "What this shows, and what it does not"


def _tensor(array: Any) -> dict:
    return {"tensor": np.asarray(array, dtype=float).tolist(), "dtype": "float64"}


# Predict three more changes

WALKERS = ("table", "rule", "full table", "planner")
MORE_CHANGES = ("mirrored", "turned", "no walls")
TURNED = (3, 2, 0, 1)  # what buttons do a quarter-turn clockwise from their labels


def _changed_otherwise(maze: Maze) -> dict[str, Maze]:
    """The maze under each of the three changes."""

    def mirrored(cell: int) -> int:
        return cell // maze.width * maze.width + maze.width - 1 - cell % maze.width

    wall = np.asarray(maze.wall).reshape(maze.width, maze.width)[:, ::-1].reshape(-1).copy()
    return {
        "mirrored": replace(maze, wall=wall, start=mirrored(maze.start), target=mirrored(maze.target)),
        "turned": replace(maze, buttons=TURNED),
        "no walls": replace(maze, wall=np.zeros_like(maze.wall)),
    }


@cache
def _arriving() -> dict[str, dict[str, float]]:
    """The share of the 32 mazes in which each robot arrives, by change; robots that press at random get 50 tries."""
    mazes, random = training_mazes(), np.random.default_rng(5)
    table = {(maze.name, cell): planner(maze, cell) for maze in mazes for cell in walk(planner, maze, 60)[:-1]}
    domain = {case.wall.tobytes() for maze in mazes for case in (maze, *changes(maze)["new wall"])}

    def table_robot(maze: Maze, cell: int) -> int:
        return table.get((maze.name, cell), int(random.integers(4)))

    def full_table(maze: Maze, cell: int) -> int:
        known = maze.wall.tobytes() in domain and maze.buttons in (AS_LABELED, REVERSED)
        return planner(maze, cell) if known else int(random.integers(4))

    tries = {"table": (table_robot, 50), "rule": (rule, 1), "full table": (full_table, 50), "planner": (planner, 1)}
    changed = [_changed_otherwise(maze) for maze in mazes]
    return {
        name: {
            change: float(np.mean([arrives(robot, each[change]) for each in changed for _ in range(times)]))
            for change in MORE_CHANGES
        }
        for name, (robot, times) in tries.items()
    }


def _judge_prediction(case: Case, value: dict) -> Lesson | None:
    for change in MORE_CHANGES:
        if value["planner"][change] < 1:
            return Lesson(
                "a-search-that-misses",
                f"{change}: the planner arrives in a share of {value['planner'][change]:g} only.",
                "Its sheet is true, a way is left, and its search ends when it has met the target. What could go "
                "wrong, and would it be wrong with the search or with the sheet?",
                THREE_ROBOTS,
            )
    return None


def _compare_prediction(values: list) -> str:
    lines = []
    for robot, shares in _arriving().items():
        beside = ", ".join(
            f"{change} {share:.2f} (you: {values[0][robot][change]:g})" for change, share in shares.items()
        )
        lines.append(f"{robot}: {beside}")
    return "\n".join(lines)


# What a thrifty search pays


FARTHEST = 7  # steps to a target: even a search that goes in circles comes to an end
TELLING = 45  # the seed of a maze in which every mistake that has a lesson counts something else


def _deepening(
    next_cell: list[list[int]],
    start: int,
    target: int,
    *,
    keeps_off: str = "way",
    first_limit: int = 1,
    counts: str = "expansions",
) -> int:
    """The expansions of iterative deepening until it meets the target, or the count that a mistake gives.

    Args:
        next_cell: where each button leads from each cell.
        start: the first cell.
        target: the cell to meet.
        keeps_off: the cells that a way must not enter: those of the "way" itself, "all" met so far, or "nothing".
        first_limit: the depth of the first search.
        counts: "expansions" in all, those of the "last" search, or the last "limits".
    """
    total, last = 0, 0

    def sees(cell: int, known: list[int], left: int) -> bool:
        nonlocal total, last
        total, last = total + 1, last + 1
        for there in next_cell[cell]:
            if there == target:
                return True
            if left > 1 and (keeps_off == "nothing" or there not in known):
                if keeps_off == "all":
                    known.append(there)
                if sees(there, known if keeps_off == "all" else [*known, there], left - 1):
                    return True
        return False

    limit = first_limit
    while start != target and limit < len(next_cell) + 2:
        last = 0
        if sees(start, [start], limit):
            break
        limit += 1
    return {"expansions": total, "last": last, "limits": limit}[counts]


def _expansions_cases(seed: int) -> list[Case]:
    random = np.random.default_rng(seed)
    corridor = [[max(cell - 1, 0), min(cell + 1, 5), cell, cell] for cell in range(6)]
    one_way = [[0, 1, 0, 2], [1, 3, 1, 1], [2, 2, 4, 2], [3, 0, 3, 5], [4, 4, 4, 3], [5, 5, 5, 5]]
    open_field = Maze(0, 3, np.zeros(9, dtype=bool), 0, 8).next_cell
    telling = draw_mazes(1, 7, 4, TELLING)[0]
    kinds = [
        ("a maze of 7 by 7 cells with 4 holes", telling.next_cell, telling.start, telling.target),
        ("a corridor, the target at its far end", corridor, 0, 5),
        ("a corridor, start and target the same", corridor, 2, 2),
        ("a corridor, the target one step off", corridor, 3, 4),
        ("six cells with ways that lead in one direction only", one_way, 0, 5),
        ("three by three cells without walls", open_field, 0, 8),
        ("three by three cells without walls, the target in the middle of a side", open_field, 0, 5),
    ]
    for size, holes in ((5, 1), (5, 3), (7, 0), (7, 4)):
        maze = next(
            maze
            for maze in draw_mazes(60, size, holes, int(random.integers(2**31)))
            if 4 <= _steps(maze.next_cell, maze.start, maze.target)[2] <= FARTHEST
        )
        kinds.append((f"a maze of {size} by {size} cells with {holes} holes", maze.next_cell, maze.start, maze.target))
    return [
        Case(
            {"next_cell": next_cell, "start": start, "target": target},
            f"{shown}; start {start}, target {target}",
            facts=(next_cell, start, target),
        )
        for shown, next_cell, start, target in kinds
    ]


def _steps(next_cell: list[list[int]], start: int, target: int) -> tuple[int, int, int]:
    """Breadth-first search: cells expanded, cells met, and steps of a shortest way."""
    distance, todo, expanded = {start: 0}, [start], 0
    while todo and target not in distance:
        cell = todo.pop(0)
        expanded += 1
        for there in next_cell[cell]:
            if there not in distance:
                distance[there] = distance[cell] + 1
                todo.append(there)
    return expanded, len(distance), distance[target]


def _judge_expansions(case: Case, value: int) -> Lesson | None:
    _, start, target = case.facts
    if value == _deepening(*case.facts):
        return None
    wrong_number = f"It says {value}; that is not the number of cells expanded."
    if start == target:
        return Lesson("nothing-to-do", wrong_number, "The start is the target. Is anything left to look for?", WHO_PAYS)
    expanded, met, steps = _steps(*case.facts)
    for name, wrong, suggests in (
        (
            "breadth-first",
            expanded,
            "This is what breadth-first search expands. Iterative deepening forgets, and expands the same cell again.",
        ),
        ("cells-met", met, "This is how many cells breadth-first search meets. Count what is *taken up*."),
        (
            "last-limit-only",
            _deepening(*case.facts, counts="last"),
            "The limits that came to nothing were paid for, too.",
        ),
        ("length-of-way", steps, "This is how long the way is, not what it took to find it."),
        (
            "never-back",
            _deepening(*case.facts, keeps_off="all"),
            "It keeps off cells that it has met on other ways. To know those it would have to remember them.",
        ),
        (
            "in-circles",
            _deepening(*case.facts, keeps_off="nothing"),
            "It steps onto cells of its present way again: against a wall one stays, and back is a step, too.",
        ),
        (
            "one-too-many",
            _deepening(*case.facts, first_limit=0),
            "The target is seen, but never taken up; and the first limit is 1, with which the start alone is expanded.",
        ),
        (
            "one-limit-off",
            _deepening(*case.facts, first_limit=2),
            "The first limit is 1: it expands the start, and nothing else.",
        ),
    ):
        if value == wrong:
            return Lesson(name, wrong_number, suggests, WHO_PAYS)
    return Lesson(
        "another-count",
        wrong_number,
        "Work the corridor by hand: limit after limit, which cells are taken up?",
        WHO_PAYS,
    )


# Bits, where outcomes tie


def _kept_bits(values: np.ndarray, chance: np.ndarray, n: int, bits: Callable[[float], float]) -> float:
    """The expectation of a function of the value of the best of n draws."""
    total = 0.0
    for value in np.unique(values[chance > 0]):
        worse, at_most = chance[values < value].sum(), chance[values <= value].sum()
        total += (at_most**n - worse**n) * bits(value)
    return float(total)


def _tied_bits(values: np.ndarray, chance: np.ndarray, n: int) -> float:
    return _kept_bits(values, chance, n, lambda value: -np.log2(chance[values >= value].sum()))


def _bits_cases(seed: int) -> list[Case]:
    random = np.random.default_rng(seed)
    kinds: list[tuple[list[float], list[float], int]] = [
        ([3, 3, 3], [1, 2, 3], 5),
        ([0, 1], [1, 1], 1),
        ([1, 0], [1, 3], 2),
        ([2, -1, 2, 0.5], [2, 1, 2, 3], 3),
        ([0, 1, 2], [3, 1, 0], 4),  # the best never happens
        ([0, 1, 2, 3], [0, 1, 1, 0], 2),
        ([-4, -2, -2, -7], [0.1, 0.2, 0.3, 0.15], 1),
    ]
    for _ in range(5):
        many = int(random.integers(4, 30))
        values = random.integers(-5, 6, many)
        kinds.append((values.tolist(), random.integers(1, 9, many).tolist(), int(random.integers(1, 12))))
    distinct = random.permutation(8)
    kinds.append((distinct.tolist(), [1] * 8, int(random.integers(2, 6))))
    return [
        Case(
            {"values": values, "weights": weights, "n": n},
            f"{len(values)} outcomes, {len(set(values))} different worths, n {n}",
            facts=(np.array(values, dtype=float), np.array(weights, dtype=float) / np.sum(weights), n),
        )
        for values, weights, n in kinds
    ]


def _judge_bits(case: Case, value: float) -> Lesson | None:
    values, chance, n = case.facts
    right = _tied_bits(values, chance, n)
    if np.isclose(value, right, rtol=1e-6, atol=1e-8):
        return None
    even = np.where(chance >= 0, 1 / len(chance), 0)
    order = np.argsort(values, kind="stable")
    apart = np.empty(len(values))
    apart[order] = np.arange(len(values))

    def share(value: float) -> float:
        return chance[values >= value].sum()

    with np.errstate(divide="ignore", invalid="ignore"):
        strictly = _kept_bits(values, chance, n, lambda value: -np.log2(chance[values > value].sum() or 1.0))
        found = {
            "other-way-round": (
                _kept_bits(values, chance, n, lambda value: -np.log2(chance[values <= value].sum())),
                "More is better: a rare *good* outcome has many bits. Which tail is being counted?",
            ),
            "worst-kept": (_tied_worst(values, chance, n), "Who draws n times keeps the best of them."),
            "weights-ignored": (_tied_bits(values, even, n), "Not all outcomes are equally likely here."),
            "n-ignored": (_tied_bits(values, chance, 1), "This is what one draw has. The best of n is better."),
            "n-times-one": (n * _tied_bits(values, chance, 1), "Bits of n draws do not add up: one of them is kept."),
            "ties-broken": (
                _tied_bits(apart, chance, n),
                "Outcomes of the same worth are each as good as the other; it has taken one to be better.",
            ),
            "natural-logarithm": (right * np.log(2), "Bits are logarithms to base 2."),
            "bits-of-the-mean": (
                -np.log2(_kept_bits(values, chance, n, share)),
                "The logarithm of a mean is not the mean of the logarithms. Average the bits, not the shares.",
            ),
            "continuum": (
                sum(1 / k for k in range(1, n + 1)) / np.log(2),
                "The chapter's formula is for outcomes so many that they never tie.",
            ),
        }
    for name, (wrong, suggests) in found.items():
        if np.isfinite(wrong) and np.isclose(value, wrong, rtol=1e-6, atol=1e-8):
            return Lesson(name, "These are not the expected bits of what is kept.", suggests, BITS)
    if np.isclose(value, strictly, rtol=1e-6, atol=1e-8):
        return Lesson(
            "ties-left-out",
            "These are not the expected bits of what is kept.",
            "As good *or* better: what ties with the result counts, and so does the result itself.",
            BITS,
        )
    if abs(value - right) < 0.03 * (1 + right):
        return Lesson(
            "nearly",
            "It is near, but not exact.",
            "Were draws simulated? The chance that the best of n is worth just so much can be written down.",
            BITS,
        )
    return Lesson(
        "another-number",
        "These are not the expected bits of what is kept.",
        "Two outcomes, one worth 0 and one worth 1, equally likely, n = 1: 0 bits half of the time, and 1 bit else.",
        BITS,
    )


def _tied_worst(values: np.ndarray, chance: np.ndarray, n: int) -> float:
    """The expected bits of the worst of n draws."""
    total = 0.0
    for value in np.unique(values[chance > 0]):
        at_least, better = chance[values >= value].sum(), chance[values > value].sum()
        total -= (at_least**n - better**n) * np.log2(at_least)
    return float(total)


# Down a ravine


def _descent(matrix, start, rate: float, momentum: float, steps: int, *, kind: str = "heavy ball") -> np.ndarray:
    """The path of gradient descent with momentum, or with the mistake ``kind``, ``(steps + 1, dimensions)``."""
    path, velocity = [start], np.zeros_like(start)
    for _ in range(steps):
        at = path[-1] + momentum * velocity if kind == "nesterov" else path[-1]
        slope = matrix @ at
        before = velocity
        velocity = momentum * velocity - (1 - momentum if kind == "dampened" else 1) * rate * slope
        path.append(path[-1] + (before if kind == "late" else velocity))
    return np.array(path)


def _descend_cases(seed: int) -> list[Case]:
    random = np.random.default_rng(seed)
    kinds = [
        (np.diag([1.0, 25.0]), np.array([5.0, 1.0]), 0.05, 0.6, 12),
        (np.diag([1.0, 25.0]), np.array([5.0, 1.0]), 0.05, 0.0, 4),
        (np.diag([2.0, 1.0]), np.array([1.0, -2.0]), 0.1, 0.9, 0),
        (np.array([[3.0]]), np.array([-2.0]), 0.2, 0.5, 5),
        (np.array([[1.0, 0.5], [0.5, -1.0]]), np.array([1.0, 0.1]), 0.1, 1.0, 6),  # a saddle: it need not go down
    ]
    for _ in range(3):
        dimensions = int(random.integers(2, 5))
        turn = np.linalg.qr(random.normal(size=(dimensions, dimensions)))[0]
        matrix = turn @ np.diag(random.uniform(0.5, 10, dimensions)) @ turn.T
        rate, momentum = float(random.uniform(0.03, 0.15)), float(random.uniform(0.3, 0.9))
        kinds.append(
            ((matrix + matrix.T) / 2, random.normal(size=dimensions), rate, momentum, int(random.integers(4, 9)))
        )
    return [
        Case(
            {"matrix": _tensor(matrix), "start": _tensor(start), "rate": rate, "momentum": momentum, "steps": steps},
            f"{len(start)} dimensions, rate {rate:.3g}, momentum {momentum:.3g}, {steps} steps",
            Array((steps + 1, len(start))),
            (matrix, start, rate, momentum, steps),
        )
        for matrix, start, rate, momentum, steps in kinds
    ]


def _judge_descend(case: Case, value: np.ndarray) -> Lesson | None:
    matrix, start, rate, momentum, steps = case.facts
    if np.allclose(value, _descent(*case.facts), rtol=1e-6, atol=1e-8):
        return None
    what = "The path is another one."
    if not np.allclose(value[0], start):
        return Lesson("start-missing", "The path does not begin at the start.", "", SEARCHING)
    wrongs = {
        "uphill": (_descent(matrix, start, -rate, momentum, steps), "It goes up the slope."),
        "no-momentum": (_descent(matrix, start, rate, 0.0, steps), "The momentum changes nothing."),
        "never-moves": (_descent(matrix, start, 0.0, 0.0, steps), "It stays where it began."),
        "nesterov": (
            _descent(*case.facts, kind="nesterov"),
            "This is Nesterov's rule, which takes the slope ahead of where it stands. Asked for is the slope at x.",
        ),
        "dampened": (
            _descent(*case.facts, kind="dampened"),
            "The slope is weighed by 1 - momentum, as in a moving average. Here it counts in full.",
        ),
        "old-velocity": (
            _descent(*case.facts, kind="late"),
            "It moves by the velocity of the step before: the new one is to be used at once.",
        ),
        "twice-the-slope": (_descent(2 * matrix, start, rate, momentum, steps), "The loss has a factor of one half."),
        "half-the-slope": (
            _descent(matrix / 2, start, rate, momentum, steps),
            "The slope of x A x / 2, with a symmetric A, is A x and not half of it.",
        ),
    }
    for name, (wrong, suggests) in wrongs.items():
        if np.allclose(value, wrong, rtol=1e-6, atol=1e-8):
            return Lesson(name, what, suggests, SEARCHING)
    off = int((~np.isclose(value, _descent(*case.facts), rtol=1e-6, atol=1e-8)).any(1).argmax())
    return Lesson(
        "another-path", f"{what} It leaves at step {off}.", "Work two steps in one dimension by hand.", SEARCHING
    )


# Tune it

RAVINE, RAVINE_STEPS, ENOUGH = np.array([1.0, 100.0]), 60, 1e-5


def _left_over(rate: float, momentum: float, curvatures: np.ndarray) -> float:
    """The largest remaining share of the loss over many starts; inf if the loss diverges."""
    angle = np.linspace(0, np.pi, 180, endpoint=False)
    x = np.stack([np.cos(angle), np.sin(angle)], 1) / np.sqrt(curvatures)
    velocity, first = np.zeros_like(x), (curvatures * x**2).sum(1)
    with np.errstate(over="ignore", invalid="ignore"):
        for _ in range(RAVINE_STEPS):
            velocity = momentum * velocity - rate * curvatures * x
            x = x + velocity
        left = ((curvatures * x**2).sum(1) / first).max()
    return float(left) if np.isfinite(left) else np.inf


def _judge_tuned(case: Case, value: dict) -> Lesson | None:
    rate, momentum = value["rate"], value["momentum"]
    left = _left_over(rate, momentum, RAVINE)
    if left <= ENOUGH:
        return None
    said = (
        f"Of some starts, a share of {left:.1e} of the loss is left."
        if left < 1
        else "From some starts the loss grows."
    )
    if left >= 1:
        return Lesson(
            "diverges",
            said,
            "Across the ravine the slope is a hundred times as steep as along it. How long may a step be there?",
            SEARCHING,
        )
    if momentum < 0.05:
        return Lesson(
            "without-momentum",
            said,
            "A rate that is short enough for the steep direction hardly moves along the floor. What adds up there?",
            SEARCHING,
        )
    along, across = (_left_over(rate, momentum, np.array([curvature] * 2)) for curvature in RAVINE)
    if along > across:
        return Lesson(
            "slow-along-the-floor",
            f"{said} What is left lies along the floor.",
            "Either it crawls, or it has run so fast that it swings about the bottom. Watch that direction alone.",
            SEARCHING,
        )
    return Lesson(
        "swings-across",
        f"{said} What is left swings across the ravine.",
        "A large momentum forgets slowly: each swing takes many steps to die.",
        SEARCHING,
    )


# Climbing out

Point = tuple[int, int]
BESIDE = ((-1, 0), (1, 0), (0, -1), (0, 1))
DIAGONAL = ((-1, -1), (-1, 1), (1, -1), (1, 1))


def _climbs(loss: np.ndarray, starts: list, budget: int, *, kind: str = "") -> list[Point]:
    """The points that hill climbing with restarts looks at, in order, or those that the mistake ``kind`` gives."""
    rows, columns = loss.shape
    looked: list[Point] = []
    sides = {"diagonal": BESIDE + DIAGONAL, "other order": ((0, -1), (0, 1), (-1, 0), (1, 0))}.get(kind, BESIDE)

    def look(point: Point) -> None:
        if point not in looked:
            looked.append(point)

    for row, column in starts[:1] if kind == "one climb" else starts:
        here = row, column
        if kind == "known starts left out" and here in looked:
            continue
        look(here)
        stood = {here}
        while len(looked) < budget or kind == "to the end":
            near = [(here[0] + down, here[1] + right) for down, right in sides]
            if kind == "around":
                near = [(r % rows, c % columns) for r, c in near]
            near = [(r, c) for r, c in near if 0 <= r < rows and 0 <= c < columns]
            fresh = [point for point in near if point not in looked]
            for point in near:
                look(point)
                if kind == "first lower" and loss[point] < loss[here]:
                    break
            if kind == "new only":
                near = fresh
            if kind == "first lower":
                near = [point for point in near if loss[point] < loss[here]][:1]
            if not near:
                break
            lowest = (max if kind == "up" else min)(near, key=lambda point: loss[point])
            better = loss[lowest] > loss[here] if kind == "up" else loss[lowest] < loss[here]
            if kind == "sideways":
                better = loss[lowest] <= loss[here] and lowest not in stood
            if not better:
                break
            here = lowest
            stood.add(here)
    return looked[:budget] if kind != "to the end" else looked


def _escape_cases(seed: int) -> list[Case]:
    random = np.random.default_rng(seed)
    level, wave = np.zeros((3, 4)), np.add.outer(np.cos(np.arange(9) * 2.1), np.cos(np.arange(8) * 1.9))
    bowl = np.add.outer((np.arange(6) - 3.0) ** 2, (np.arange(6) - 3.0) ** 2)
    rim = np.array([[0.0, 5, 4, 1], [3, 6, 7, 5], [2, 8, 9, 6]])  # who steps off the edge comes out at a lower place
    kinds = [
        ("one point", np.array([[2.0]]), [[0, 0], [0, 0]], 3),
        ("one row", np.array([[3.0, 2, 5, 1, 0, 4]]), [[0, 0], [0, 5], [0, 2]], 20),
        ("one column, a budget of 1", np.array([[3.0], [2], [1]]), [[0, 0]], 1),
        ("level ground", level, [[1, 1], [0, 3]], 9),
        ("a bowl, a start twice", bowl, [[0, 0], [0, 0], [5, 5]], 40),
        ("a bowl, more budget than points", bowl, [[5, 0], [0, 5]], 100),
        ("a bowl, a budget that ends on the way", bowl, [[0, 0], [5, 5]], 11),
        ("low at the edges", rim, [[1, 1], [0, 0], [0, 3], [2, 0], [2, 3]], 30),
        ("waves", wave, [[0, 0], [8, 7], [4, 4], [2, 6]], 45),
    ]
    for _ in range(4):
        shape = tuple(int(n) for n in random.integers(4, 9, 2))
        loss = random.integers(0, 12, shape) if random.random() < 0.5 else random.normal(size=shape).round(3)
        starts = [[int(random.integers(n)) for n in shape] for _ in range(6)]
        kinds.append(("at random", loss.astype(float), starts, int(random.integers(12, 40))))
    return [
        Case(
            {"loss": _tensor(loss), "starts": starts, "budget": budget},
            f"{shown}: {loss.shape[0]} rows, {loss.shape[1]} columns, {len(starts)} starts, budget {budget}",
            facts=(loss, starts, budget),
        )
        for shown, loss, starts, budget in kinds
    ]


def _judge_escape(case: Case, value: list) -> Lesson | None:
    loss, _, budget = case.facts
    points = [tuple(point) for point in value]
    right = _climbs(*case.facts)
    if points == right:
        return None
    if len(set(points)) < len(points):
        again = next(point for number, point in enumerate(points) if point in points[:number])
        return Lesson(
            "paid-twice",
            f"It looks at {list(again)} twice.",
            "What has been looked at is remembered. A budget is spent on what is not known yet.",
            SEARCHING,
        )
    if len(points) > budget:
        return Lesson("over-budget", f"It looks {len(points)} times; the budget is {budget}.", "", SEARCHING)
    outside = [point for point in points if not all(0 <= at < size for at, size in zip(point, loss.shape, strict=True))]
    if outside:
        return Lesson(
            "off-the-table",
            f"It looks at {list(outside[0])}, which is not in the table.",
            "At the edge there are fewer neighbors.",
            SEARCHING,
        )
    if points == _climbs(*case.facts, kind="one climb"):
        return Lesson(
            "stays-stuck",
            f"It stops after {len(points)} looks, in the first dent; the budget is {budget}.",
            "When a climb is over there are more starts.",
            SEARCHING,
        )
    for name, kind, suggests in (
        ("uphill", "up", "Lower is better: these are losses."),
        (
            "sideways",
            "sideways",
            "A neighbor that is just as low is no reason to move; on level ground that has no end.",
        ),
        (
            "first-lower",
            "first lower",
            "It goes to the first neighbor that is lower. Asked for is the lowest of all four.",
        ),
        ("diagonal", "diagonal", "Neighbors are above, below, to the left and to the right."),
        (
            "around-the-edge",
            "around",
            "Who steps off one edge does not come in at the other: `loss[-1, 0]` is no neighbor.",
        ),
        ("order-of-looks", "other order", "The neighbors are looked at in the order up, down, left, right."),
        (
            "leaves-out-a-start",
            "known starts left out",
            "A start that was looked at before costs nothing, but a climb from it may lead somewhere new.",
        ),
        (
            "forgets-the-known",
            "new only",
            "A neighbor that was looked at before costs nothing, but may still be the lowest, and the place to go.",
        ),
    ):
        if points == _climbs(*case.facts, kind=kind):
            return Lesson(name, _parting(points, right), suggests, SEARCHING)
    if points == right[: len(points)]:
        return Lesson(
            "stops-early",
            f"It stops after {len(points)} looks, though budget is left and not all starts have been climbed from.",
            "Is each start climbed from, to the end?",
            SEARCHING,
        )
    return Lesson(
        "looks-elsewhere",
        _parting(points, right),
        "Follow one climb by hand: where do you stand when it looks there?",
        SEARCHING,
    )


def _parting(points: list[Point], right: list[Point]) -> str:
    at = next((n for n, (one, other) in enumerate(zip(points, right, strict=False)) if one != other), len(right))
    if at < len(points):
        return f"Look number {at + 1} goes to {list(points[at])}, which the rules do not allow there."
    return "It looks at other points than the rules say."


# Evolution in ten lines


def _egg_crate(x: np.ndarray, lowest: np.ndarray) -> np.ndarray:
    z = x - lowest
    return (z**2 + 10 * (1 - np.cos(2 * np.pi * z))).sum(-1)


def _evolution(start, lowest, noise, parents: int, size: float, growth: float, *, kind: str = "") -> np.ndarray:
    """The means of the evolution strategy, or with the mistake ``kind``, ``(generations + 1, dimensions)``."""
    means, best_so_far = [start], _egg_crate(start, lowest)
    for luck in noise:
        children = (start if kind == "from the start" else means[-1]) + size * luck
        loss = _egg_crate(children, lowest)
        order = loss.argsort(kind="stable")
        chosen = {"highest": order[::-1][:parents], "all": order, "best": order[:1]}.get(kind, order[:parents])
        mean = children[chosen].mean(0)
        now, new = _egg_crate(means[-1], lowest), _egg_crate(mean, lowest)
        success = {"new mean": loss.min() < new, "record": loss.min() < best_so_far, "means": new < now}.get(
            kind, loss.min() < now
        )
        best_so_far = min(best_so_far, loss.min())
        if kind != "fixed":
            size = size * growth if success != (kind == "other way") else size / growth
        if kind == "shrinks" and not success:
            size = size * growth
        means.append(means[-1] if kind == "elitist" and new >= now else mean)
    return np.array(means)


def _evolve_cases(seed: int) -> list[Case]:
    random = np.random.default_rng(seed)
    cases = []
    for generations, children, dimensions, parents, size in (
        (15, 10, int(random.integers(2, 5)), int(random.integers(2, 9)), float(random.uniform(0.2, 1.5))),
        (15, 12, int(random.integers(2, 5)), int(random.integers(2, 9)), float(random.uniform(0.2, 1.5))),
        (1, 4, 2, 2, 1.0),
        (5, 1, 2, 1, 0.5),
        (6, 6, 1, 2, 0.8),
        (6, 5, 3, 5, 0.4),
        (12, 10, 2, 3, 0.6),
        (12, 8, int(random.integers(2, 5)), 1, 0.3),
    ):
        start, lowest = random.uniform(-4, 4, dimensions), random.uniform(-2, 2, dimensions)
        noise, growth = random.normal(size=(generations, children, dimensions)), float(random.uniform(1.1, 1.6))
        arguments = {"start": _tensor(start), "lowest": _tensor(lowest), "noise": _tensor(noise)}
        cases.append(
            Case(
                arguments | {"parents": parents, "size": size, "growth": growth},
                f"{generations} generations of {children} in {dimensions} dimensions, {parents} parents, "
                f"size {size:.2f}, growth {growth:.2f}",
                Array((generations + 1, dimensions)),
                (start, lowest, noise, parents, size, growth),
            )
        )
    return cases


def _judge_evolve(case: Case, value: np.ndarray) -> Lesson | None:
    right = _evolution(*case.facts)

    def is_near(wrong: np.ndarray) -> bool:
        return bool(np.allclose(value, wrong, rtol=1e-6, atol=1e-8))

    if is_near(right):
        return None
    if not np.allclose(value[0], case.facts[0]):
        return Lesson("start-missing", "The first of the means is not the start.", "", SEARCHING)
    what = "The means are other ones."
    for name, kind, suggests in (
        ("selects-the-worst", "highest", "Lower is better: these are losses."),
        ("no-selection", "all", "All children are parents here. Nothing is selected, so nothing is searched."),
        ("only-the-best", "best", "The new mean is the average of several, not the best child alone."),
        ("size-never-changes", "fixed", "The step size is to change after every generation."),
        (
            "size-wrong-way",
            "other way",
            "Success makes steps longer, and failure shorter. Here it is the other way round.",
        ),
        ("size-only-grows", "shrinks", "After a generation without success the size is divided by growth."),
        ("elitist", "elitist", "A worse mean is accepted, too: the old one dies with its generation."),
        ("all-from-the-start", "from the start", "Children are born around the present mean, not around the start."),
        (
            "compared-with-the-new",
            "new mean",
            "The best child is compared with the mean that it comes from, the old one.",
        ),
        ("compared-with-the-record", "record", "The best child is compared with the old mean, not with the best ever."),
        ("compared-means", "means", "The best *child* is compared with the old mean, not the new mean."),
    ):
        if is_near(_evolution(*case.facts, kind=kind)):
            return Lesson(name, what, suggests, SEARCHING)
    off = int((~np.isclose(value, right, rtol=1e-6, atol=1e-8)).any(1).argmax())
    where = (
        "Look at how the children are made and who is chosen."
        if off <= 1
        else "The first generations are right; look at what happens to the step size."
    )
    return Lesson("another-path", f"{what} They part from the rules at number {off}, counted from 0.", where, SEARCHING)


# Distil, and find where it fails


@cache
def _seen() -> np.ndarray:
    """How often the planner pressed each button at each view, in all training mazes, ``(views, buttons)``."""
    counts = np.zeros((VIEWS, 4), dtype=int)
    for maze in training_mazes():
        for cell in maze.open_cells:
            if cell != maze.target:
                counts[view(maze, cell), planner(maze, cell)] += 1
    return counts


def _judge_distilled(case: Case, value: dict) -> Lesson | None:
    counts, table = _seen(), np.array(value["table"])
    known = counts.any(1)
    if (table[~known] >= 0).any():
        return Lesson(
            "knows-the-unseen",
            f"View {int((~known & (table >= 0)).argmax())} never occurs in training, but has a button in the table.",
            "A table knows what was put into it. Where nothing was, there is -1.",
            THREE_ROBOTS,
        )
    if (table[known] < 0).any():
        return Lesson(
            "leaves-out-views",
            f"View {int((known & (table < 0)).argmax())} occurs in training, but the table has no button for it.",
            "Ask the planner on every open cell, not only on the cells of its way from the start.",
            THREE_ROBOTS,
        )
    at = np.arange(VIEWS)
    off = known & (counts[at, table] < counts.max(1))
    if off.any():
        worst = int(off.argmax())
        return Lesson(
            "not-the-majority",
            f"For view {worst} the planner presses another button more often than {table[worst]}.",
            "The same view occurs in many places, and the planner does not press the same everywhere. Count.",
            THREE_ROBOTS,
        )
    try:
        maze = read_text(value["maze"])
    except ValueError as problem:
        return Lesson("unreadable", f"The maze cannot be read: {problem!s:.200}")
    if maze.width != 7:
        return Lesson("not-a-training-maze", f"The maze has {maze.width} rows; those of training have 7.")
    apart = [int((old.wall != maze.wall).sum()) for old in _standing_alike(maze)]
    if 1 not in apart:
        said = f"the nearest has {min(apart)} cells that differ" if apart else "none has this start and this target"
        return Lesson(
            "not-one-cell",
            f"It is no training maze with one cell changed: {said}.",
            "Change as little as can be: then there is little else that could explain the failure.",
            FOUR_CHANGES,
        )
    shortest = breadth_first(maze, maze.start).buttons
    if not shortest:
        return Lesson(
            "no-way-left",
            "No way leads from the start to the target.",
            "There the planner fails as well.",
            FOUR_CHANGES,
        )
    way = [maze.start]
    while maze.target not in way and len(way) <= 100 and table[view(maze, way[-1])] >= 0:
        way.append(maze.next_cell[way[-1]][table[view(maze, way[-1])]])
    if way[-1] == maze.target:
        return Lesson(
            "arrives-after-all",
            f"The table arrives, after {len(way) - 1} steps; a shortest way has {len(shortest)}.",
            "Without memory, a robot that comes back to a cell goes round for ever. Where could that happen?",
            FOUR_CHANGES,
        )
    if len(way) <= 100:
        return Lesson(
            "a-new-view",
            f"It comes to cell {way[-1]}, whose view was never in training.",
            "That a table fails at what it has never seen is no news. Find one that fails at what it knows.",
            FOUR_CHANGES,
        )
    return None


def _standing_alike(maze: Maze) -> list[Maze]:
    return [old for old in training_mazes() if (old.start, old.target) == (maze.start, maze.target)]


# Ten systems

KINDS = ("optimizer", "amortized", "control", "optimized for", "none", "cannot tell")
SYSTEMS = {
    "1": ("optimizer", "What are the sequences that it tries, and by what is one of them chosen?"),
    "2": ("amortized", "Who searched, and when? Does anybody search while the booklet is read?"),
    "3": ("control", "How many throttles does it compare before it acts?"),
    "4": ("optimized for", "What did the selecting, and where: in the burr, or among its ancestors?"),
    "5": ("cannot tell", "What is said about its inside? Which robots of the chapter would look the same?"),
    "6": ("optimizer", "What are the words that it makes, and what is the score for?"),
    "7": ("none", "Water goes downhill at each place. Which other way did it consider, or who chose it among rivers?"),
    "8": ("optimizer", "It fails. Is failing a fact about its search, or about its map?"),
    "9": ("amortized", "Whose work does it give back? And what is computed when it is asked?"),
    "10": ("control", "It acts on one difference. Are there candidates?"),
}
MISTAKES = {
    ("optimizer", "amortized"): ("search-missed", "It does its search when it is asked."),
    ("optimizer", "control"): ("search-missed", "It compares candidates before it acts."),
    ("optimizer", "cannot tell"): ("inside-told", "What happens inside is told in the description."),
    ("amortized", "optimizer"): ("stored-answers-taken-for-search", "The search is over when this begins."),
    ("control", "optimizer"): ("purpose-taken-for-search", "A purpose that is written inside does not make a search."),
    ("optimized for", "optimizer"): (
        "optimized-taken-for-optimizer",
        "Being the result of a selection is not selecting.",
    ),
    ("cannot tell", "optimizer"): ("success-taken-for-search", "Doing well is behavior."),
    ("none", "optimizer"): ("going-somewhere-taken-for-search", "Ending up somewhere is not choosing it."),
    ("none", "optimized for"): ("going-somewhere-taken-for-search", "Nobody chose this one among others."),
    ("none", "control"): ("going-somewhere-taken-for-search", "There is no set point that it acts on."),
}


def _judge_systems(case: Case, value: dict) -> Lesson | None:
    for number, (right, question) in SYSTEMS.items():
        if value[number] == right:
            continue
        said = f"System {number} is not well labeled: {value[number]!r}."
        if number == "8" and value[number] != "optimizer":
            return Lesson("failure-taken-for-no-search", said, question, IMPOSTORS)
        name, suggests = MISTAKES.get((right, value[number]), (f"system-{number}", ""))
        return Lesson(name, said, f"{suggests} {question}".strip(), MECHANISM if right != "cannot tell" else IMPOSTORS)
    return None


# Build the impostor

BUDGET, MOST_TABLES, TO_IMITATE = 900, 6, 3
MOST_TO_READ = 20_000


@dataclass(frozen=True)
class Entries:
    """A dict from words to buttons.

    Attributes:
        most: how many entries are read at all.
    """

    most: int = MOST_TO_READ

    def read(self, value: Any) -> dict[str, int]:
        """The dict; raises :class:`Misfit`."""
        if type(value) is not dict:
            raise Misfit("wrong-type", "Entries are to be a dict from text to buttons.")
        if len(value) > self.most:
            raise Misfit("out-of-range", f"A table has {len(value):,} entries; no more than {self.most:,} are read.")
        button = Number(0, 3, whole=True)
        read = {}
        for words, pressed in value.items():
            try:
                read[words] = int(button.read(pressed))
            except Misfit as problem:
                raise Misfit(problem.lesson, f"For {words[:60]!r}: {problem}") from None
        return read


def _impostor_robot(policy: list[dict]) -> Walker:
    return lambda maze, cell: look_up(policy, maze, cell)


def _judge_impostor(case: Case, value: list) -> Lesson | None:
    entries = sum(len(table["entries"]) for table in value)
    for table in value:
        widths = {len(words.split(" ")) for words in table["entries"]}
        if widths - {len(table["reads"])}:
            return Lesson(
                "words-do-not-fit",
                f"A table reads {len(table['reads'])} fields; an entry is for {min(widths - {len(table['reads'])})}.",
                "An entry's key holds one word for each field that is read, joined by single blanks.",
            )
    if entries > BUDGET:
        return Lesson(
            "too-much-memory",
            f"It has {entries:,} entries; the budget is {BUDGET}.",
            "Which places does a robot come to in these cases, and which fields decide what it presses there? All "
            "else need not be stored.",
            WHO_PAYS,
        )
    robot, mazes = _impostor_robot(value), training_mazes(TO_IMITATE)
    lessons = {
        "as trained": ("fails-as-trained", "It is to know the planner's way, to begin with."),
        "new wall": (
            "new-wall",
            "The same place, the same target, another button: what on the sheet tells the two apart?",
        ),
        "new target": ("new-target", "Does the button depend on where the target is, for your robot?"),
        "new start": (
            "new-start",
            "There is no need to read where it began; but has it an entry for all places on the way?",
        ),
        "reversed buttons": ("reversed", "The walls are the same, and the target. What is not?"),
    }
    for change, (name, suggests) in lessons.items():
        cases = mazes if change == "as trained" else [each for maze in mazes for each in changes(maze)[change]]
        failed = [each for each in cases if not arrives(robot, each)]
        if failed:
            one = failed[0]
            return Lesson(
                name,
                f"{change}: it does not arrive in {len(failed)} of {len(cases)} cases, for one in maze {one.name} from "
                f"{one.start} to {one.target}.",
                suggests,
                IMPOSTORS,
            )
    return None


def _remark_on_impostor(values: list) -> str:
    robot, mazes = _impostor_robot(values[0]), training_mazes(TO_IMITATE)
    cases = [changes(maze) for maze in mazes]
    walled = [
        replace(wall, start=moved.start)
        for each in cases
        for wall in each["new wall"]
        for moved in each["new start"]
        if not wall.wall[moved.start] and breadth_first(wall, moved.start).buttons
    ]
    turned = [replace(moved, buttons=REVERSED) for each in cases for moved in each["new target"]]
    unseen = training_mazes()[TO_IMITATE:]
    shares = [np.mean([arrives(robot, case) for case in group]) for group in (walled, turned, unseen)]
    entries = sum(len(table["entries"]) for table in values[0])
    return (
        f"{entries} entries. Two changes at once: with a new wall and a new start it arrives in {shares[0]:.2f} of "
        f"{len(walled)} cases, with a new target and reversed buttons in {shares[1]:.2f} of {len(turned)}; and in the "
        f"other {len(unseen)} training mazes in {shares[2]:.2f}. (A planner: in all.)"
    )


# Opened

OPENED = ("without search", "without memory", "without either")
VERDICTS = ("planner", "impostor", "both")
TO_OPEN = 8


@cache
def _instruments() -> dict[str, dict[str, float]]:
    """The share of cases in which each sealed robot arrives, by what is switched off."""
    mazes = training_mazes(TO_OPEN)
    cases = [case for maze in mazes for each in changes(maze).values() for case in each]
    off = ({"most": 0}, {"memory": False}, {"most": 0, "memory": False})

    def arriving(robot, switches) -> float:
        return float(np.mean([arrives(lambda m, c: robot.decide(m, c, **switches).button, case) for case in cases]))

    return {
        name: {what: arriving(robot, switches) for what, switches in zip(OPENED, off, strict=True)}
        for name, robot in sealed_robots(mazes).items()
    }


def _judge_opened(case: Case, value: dict) -> Lesson | None:
    for name, measured in _instruments().items():
        given = value[name]
        for what in OPENED:
            if abs(given[what] - measured[what]) > 0.02:
                return Lesson(
                    "not-what-we-find",
                    f"{name}, {what}: we find another share than your {given[what]:.3g}.",
                    "`most=0` takes away the search, `memory=False` what is stored; the share is of all `tests`.",
                    MECHANISM,
                )
        needs_search, needs_memory = measured["without search"] < 0.5, measured["without memory"] < 0.5
        right = "planner" if needs_search else "impostor" if needs_memory else "both"
        if given["verdict"] == right:
            continue
        said = f"Your verdict on {name} is {given['verdict']!r}; that is not what your own numbers say."
        if right == "impostor" and name == "A":
            return Lesson(
                "work-is-not-the-cause",
                said,
                "It works hard at every step. Does what it presses depend on that work?",
                MECHANISM,
            )
        if right == "planner":
            return Lesson(
                "stored-is-not-used",
                said,
                "It stores many answers. Does what it presses depend on them?",
                MECHANISM,
            )
        if right == "both":
            return Lesson(
                "one-switch-at-a-time",
                said,
                "Taking away one thing changed nothing, and so did taking away the other. Taking away both did.",
                MECHANISM,
            )
        return Lesson("not-what-the-numbers-say", said, "Which switch made it fail?", MECHANISM)
    return None


# A fourth robot

EXPLANATIONS = ("remembers", "reacts", "old map", "old target")


@cache
def _fourth() -> tuple[dict[str, float], dict[str, float]]:
    """The share of cases in which the fourth robot arrives, by change; and each robot's visits to the old target."""
    mazes = training_mazes()
    robot, old = fourth_robot(mazes), {maze.name: maze.target for maze in mazes}
    cases = {change: [case for maze in mazes for case in changes(maze)[change]] for change in CHANGES}

    def visits(walker: Walker) -> float:
        return float(np.mean([old[case.name] in walk(walker, case, 60) for case in cases["new target"]]))

    arriving = {change: float(np.mean([arrives(robot, case) for case in cases[change]])) for change in CHANGES}
    return arriving, {"fourth": visits(robot), "planner": visits(planner)}


def _judge_diagnosis(case: Case, value: dict) -> Lesson | None:
    arriving, visits = _fourth()
    for change in CHANGES:
        if abs(value["arrives"][change] - arriving[change]) > 0.03:
            return Lesson(
                "not-what-we-find",
                f"{change}: we find another share than your {value['arrives'][change]:.3g}.",
                "All cases of a change in all 32 mazes count alike, and arriving is what `arrives` says.",
                FOUR_CHANGES,
            )
    for who, tolerance in (("fourth", 0.05), ("planner", 0.06)):
        if abs(value["visits"][who] - visits[who]) > tolerance:
            return Lesson(
                "another-place",
                f"visits, {who}: your {value['visits'][who]:.3g} is not the share for the place that we mean.",
                "A place that both visit alike says nothing about the fourth robot. Draw one of these cases, and its "
                "way, beside the maze as it was in training.",
                FOUR_CHANGES,
            )
    lessons = {
        "remembers": (
            "memory-would-have-failed",
            "What would buttons that are remembered by place have done behind a new wall, and when they are reversed?",
        ),
        "reacts": (
            "a-rule-would-have-failed",
            "Compare with the chapter's rule behind a new wall. And does what stands next to it say where the old "
            "target was?",
        ),
        "old map": (
            "an-old-map-would-have-failed",
            "Whose map is old runs against the new wall. Did it?",
        ),
    }
    if value["explanation"] != "old target":
        name, suggests = lessons[value["explanation"]]
        return Lesson(
            name, f"The explanation {value['explanation']!r} does not fit your numbers.", suggests, FOUR_CHANGES
        )
    if value["search"] == "yes":
        return Lesson(
            "behavior-taken-for-search",
            "You say that a search inside has been shown.",
            "Everything that you saw was behavior. What did the chapter build that passes such tests without a search?",
            IMPOSTORS,
        )
    if value["search"] == "no":
        return Lesson(
            "failure-taken-for-no-search",
            "You say that it has been shown that there is no search inside.",
            "It misses the new target. Which robot of the chapter failed, and searched all the same?",
            IMPOSTORS,
        )
    return None


def _remark_on_diagnosis(values: list) -> str:
    return (
        "You may open it now: it is `fourth_robot` in innerlab/chapters/optimizer/robots.py. It does search, on the "
        "true map and with the true buttons; and a table of answers for the old targets would have done all that "
        "you saw."
    )


_SHARES = {change: Number(0, 1) for change in MORE_CHANGES}
EXERCISES = {
    asked.name.partition("/")[2]: asked
    for asked in (
        Exercise(
            "optimizer/prediction",
            Fields({robot: Fields(_SHARES) for robot in WALKERS}),
            _judge_prediction,
            remark=_compare_prediction,
        ),
        Exercise("optimizer/expansions", Number(0, 10**9, whole=True), _judge_expansions, _expansions_cases),
        Exercise("optimizer/tied_bits", Number(), _judge_bits, _bits_cases),
        Exercise("optimizer/descend", None, _judge_descend, _descend_cases),
        Exercise("optimizer/tuned", Fields({"rate": Number(), "momentum": Number()}), _judge_tuned),
        Exercise("optimizer/escape", Items(Items(Number(whole=True), 2, 2), 1), _judge_escape, _escape_cases),
        Exercise("optimizer/evolve", None, _judge_evolve, _evolve_cases),
        Exercise(
            "optimizer/distilled",
            Fields({"table": Items(Number(-1, 3, whole=True), VIEWS, VIEWS), "maze": Text(1000)}),
            _judge_distilled,
        ),
        Exercise("optimizer/systems", Fields({number: Choice(KINDS) for number in SYSTEMS}), _judge_systems),
        Exercise(
            "optimizer/impostor",
            Items(Fields({"reads": Items(Choice(FIELDS), 1, len(FIELDS)), "entries": Entries()}), 1, MOST_TABLES),
            _judge_impostor,
            remark=_remark_on_impostor,
        ),
        Exercise(
            "optimizer/opened",
            Fields(
                {
                    name: Fields({what: Number(0, 1) for what in OPENED} | {"verdict": Choice(VERDICTS)})
                    for name in "ABCD"
                }
            ),
            _judge_opened,
        ),
        Exercise(
            "optimizer/diagnosis",
            Fields(
                {
                    "arrives": Fields({change: Number(0, 1) for change in CHANGES}),
                    "visits": Fields({"fourth": Number(0, 1), "planner": Number(0, 1)}),
                    "explanation": Choice(EXPLANATIONS),
                    "search": Choice(("yes", "no", "open")),
                }
            ),
            _judge_diagnosis,
            remark=_remark_on_diagnosis,
        ),
    )
}
WRITTEN = ("defend",)
