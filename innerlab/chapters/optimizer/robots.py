"""Robots that walk mazes, the four changes that try them, and some that are sealed until they are opened.

All of them are planted. The chapter on what an optimizer is shows planner, rule and changes as they stand here; its
exercises use them too, and open those robots that the chapter does not name.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import NamedTuple

import numpy as np
import torch

from innerlab.systems.mazes import REVERSED, Maze, Walker, breadth_first, draw_mazes, first_moves, walk

CHANGES = ("new wall", "new target", "new start", "reversed buttons")


# The functions above passages() are listed on the chapter's page, where a line holds 80 characters.


def planner(maze: Maze, cell: int) -> int:
    """The first button of a shortest way; "up" if there is none to go."""
    return (breadth_first(maze, cell).buttons or [0])[0]


def rule(maze: Maze, cell: int) -> int:
    """The first button whose label points closer, no wall beside; else "up"."""
    row, column = divmod(cell, maze.width)
    target_row, target_column = divmod(maze.target, maze.width)
    closer = (
        target_row < row,
        target_row > row,
        target_column < column,
        target_column > column,
    )
    beside = (cell - maze.width, cell + maze.width, cell - 1, cell + 1)
    for button in range(4):
        if closer[button] and not maze.wall[beside[button]]:
            return button
    return 0


def arrives(robot: Walker, maze: Maze) -> bool:
    """Whether a robot reaches the target within twice the shortest way."""
    shortest = len(breadth_first(maze, maze.start).buttons)
    return walk(robot, maze, 2 * shortest)[-1] == maze.target


def changes(maze: Maze) -> dict[str, list[Maze]]:
    """Every case of the four changes to a maze, by the names in ``CHANGES``."""
    route = walk(planner, maze, 4 * maze.width**2)
    off = [cell for cell in maze.open_cells if cell not in route]
    return {
        "new wall": new_walls(maze),
        "new target": [replace(maze, target=cell) for cell in off],
        "new start": [replace(maze, start=cell) for cell in off],
        "reversed buttons": [replace(maze, buttons=REVERSED)],
    }


def new_walls(maze: Maze) -> list[Maze]:
    """Copies with a passage on the planner's way closed and a detour left."""
    route = walk(planner, maze, 4 * maze.width**2)
    on_the_way = [cell for cell in passages(maze) if cell in route[1:-1]]
    closed = [with_wall(maze, cell) for cell in on_the_way]
    return [case for case in closed if breadth_first(case, case.start).buttons]


def fit_for_training(maze: Maze) -> bool:
    """Whether the rule solves a maze of six steps or more that has detours."""
    steps = len(breadth_first(maze, maze.start).buttons)
    return arrives(rule, maze) and steps >= 6 and bool(new_walls(maze))


def passages(maze: Maze) -> list[int]:
    """The open cells between two crossings, in order."""
    return [cell for cell in maze.open_cells if cell // maze.width % 2 != cell % maze.width % 2]


def with_wall(maze: Maze, cell: int) -> Maze:
    """A copy of the maze with one more wall.

    Raises:
        ValueError: if the cell is the start or the target.
    """
    wall = maze.wall.copy()
    wall[cell] = True
    return replace(maze, wall=wall)


def training_mazes(count: int = 32) -> list[Maze]:
    """The first of the chapter's 32 training mazes, chosen by :func:`fit_for_training` from 600.

    Raises:
        ValueError: if ``count`` is not 1 to 32.
    """
    if not 1 <= count <= 32:
        raise ValueError(f"count is {count}; 1 to 32 was expected")
    return list(_all_training_mazes()[:count])


@cache
def _all_training_mazes() -> tuple[Maze, ...]:
    drawn = draw_mazes(600, size=7, holes=4, seed=1)
    return tuple([maze for maze in drawn if fit_for_training(maze)][:32])


# Mazes as text, and what a robot sees that has no map


def draw_text(maze: Maze) -> str:
    """A maze as rows of text: ``#`` a wall, ``.`` an open cell, ``A`` the start and ``T`` the target."""
    signs = ["#" if is_wall else "." for is_wall in maze.wall]
    signs[maze.start], signs[maze.target] = "A", "T"
    return "\n".join("".join(signs[row : row + maze.width]) for row in range(0, len(signs), maze.width))


def read_text(text: str, name: int = 0) -> Maze:
    """The maze in a text like those of :func:`draw_text`; empty lines, and blanks around a row, do not count.

    Raises:
        ValueError: if it is not square, holds another sign, or not exactly one start and one target.
    """
    rows = [line.strip() for line in text.splitlines() if line.strip()]
    if not rows or any(len(row) != len(rows) for row in rows):
        raise ValueError(f"the rows have {', '.join(str(len(row)) for row in rows) or 'no'} signs; a square is wanted")
    signs = "".join(rows)
    if set(signs) - set("#.AT") or signs.count("A") != 1 or signs.count("T") != 1:
        raise ValueError("of the signs # . A T one A and one T are wanted, and no others")
    return Maze(name, len(rows), np.array([sign == "#" for sign in signs]), signs.index("A"), signs.index("T"))


VIEWS = 144


def view(maze: Maze, cell: int) -> int:
    """The view of a robot without a map, encoded as a number below ``VIEWS``.

    It sees on which of the four sides there is no way on (a wall, or the edge), and whether the target lies in an
    upper, the same or a lower row, and in a column to the left, the same or to the right.
    """
    row, column = divmod(cell, maze.width)
    beside = ((row - 1, column), (row + 1, column), (row, column - 1), (row, column + 1))
    inside = range(maze.width)
    shut = [r not in inside or c not in inside or bool(maze.wall[r * maze.width + c]) for r, c in beside]
    target_row, target_column = divmod(maze.target, maze.width)
    up_or_down, left_or_right = int(np.sign(target_row - row)), int(np.sign(target_column - column))
    return 9 * sum(is_shut << side for side, is_shut in enumerate(shut)) + 3 * (up_or_down + 1) + left_or_right + 1


# A policy that can do nothing but look things up


def sheet(maze: Maze, cell: int) -> dict[str, str]:
    """The sheet that every robot is shown before a move, as words by the names in ``FIELDS``.

    The walls are the whole map, as a number to base 16 whose bits are the cells.
    """
    walls = sum(1 << place for place, is_wall in enumerate(maze.wall) if is_wall)
    return {
        "maze": str(maze.name),
        "walls": f"{walls:x}",
        "buttons": "".join(map(str, maze.buttons)),
        "start": str(maze.start),
        "target": str(maze.target),
        "cell": str(cell),
    }


FIELDS = ("maze", "walls", "buttons", "start", "target", "cell")


def look_up(policy: Sequence[Mapping], maze: Maze, cell: int) -> int:
    """The button that a policy of tables presses, found by one look-up in each table.

    Args:
        policy: tables, each with ``reads``, the fields of the sheet that it is indexed by, and ``entries``, a button
            for each combination of their words, joined by blanks. The first table that has an entry decides; where
            none has, it presses "up".
        maze: as on the sheet.
        cell: where the robot stands.
    """
    shown = sheet(maze, cell)
    for table in policy:
        button = table["entries"].get(" ".join(shown[field] for field in table["reads"]))
        if button is not None:
            return button
    return 0


# Sealed robots. An exercise is to find out what they are: read on when you have done it.


class Decision(NamedTuple):
    """A robot's decision and its cost.

    Attributes:
        button: the one pressed.
        expansions: how many cells its search expanded, that is, took up to see where each button leads.
    """

    button: int
    expansions: int


@dataclass(frozen=True)
class SealedRobot:
    """A robot with instruments: how much it keeps, how hard it works, and switches for both.

    Attributes:
        searches: whether it runs a search.
        listens: whether the result of the search is used.
        answers: remembered buttons, by walls, buttons, target and cell.
        reads: whether the remembered buttons are used.
    """

    searches: bool
    listens: bool
    answers: Mapping[tuple, int]
    reads: bool

    @property
    def stored(self) -> int:
        """How many remembered buttons it keeps."""
        return len(self.answers)

    def decide(self, maze: Maze, cell: int, most: int | None = None, memory: bool = True) -> Decision:
        """Decides which button to press.

        Args:
            maze: as on the sheet.
            cell: on which the robot stands.
            most: how many cells the search may expand; None for no limit.
            memory: whether the robot has its remembered buttons.
        """
        known = self.answers.get(_question(maze, cell)) if memory and self.reads else None
        plan = breadth_first(maze, cell, most) if self.searches and (known is None or not self.listens) else None
        found = plan.buttons[0] if plan and plan.buttons and self.listens else None
        button = next((button for button in (known, found) if button is not None), 0)
        return Decision(button, plan.expansions if plan else 0)


def _question(maze: Maze, cell: int) -> tuple:
    return maze.wall.tobytes(), maze.buttons, maze.target, cell


def _remembered(mazes: Iterable[Maze]) -> dict[tuple, int]:
    """The first button of a shortest way, for these mazes under all four changes, every target and every cell."""
    cases = [case for maze in mazes for each in ([maze], *changes(maze).values()) for case in each]
    maps = list({(case.wall.tobytes(), case.buttons): case for case in cases}.values())
    buttons = first_moves(torch.tensor([case.next_cell for case in maps])).tolist()  # (maps, targets, cells)
    return {
        (case.wall.tobytes(), case.buttons, target, cell): buttons[number][target][cell]
        for number, case in enumerate(maps)
        for target in case.open_cells
        for cell in case.open_cells
        if buttons[number][target][cell] >= 0
    }


def sealed_robots(mazes: Sequence[Maze]) -> dict[str, SealedRobot]:
    """Four sealed robots by letter, made for these mazes and their changes; an exercise is to tell them apart."""
    answers = _remembered(mazes)
    return {
        "A": SealedRobot(searches=True, listens=False, answers=answers, reads=True),
        "B": SealedRobot(searches=True, listens=True, answers=answers, reads=False),
        "C": SealedRobot(searches=True, listens=True, answers=answers, reads=True),
        "D": SealedRobot(searches=False, listens=False, answers=answers, reads=True),
    }


def fourth_robot(mazes: Sequence[Maze]) -> Walker:
    """A robot that the chapter does not name, made for these mazes; an exercise is to find out what it wants."""
    meant = {maze.name: maze.target for maze in mazes}

    @lru_cache(maxsize=1000)
    def as_meant(maze: Maze) -> Maze:
        return replace(maze, target=meant[maze.name])

    return lambda maze, cell: planner(as_meant(maze), cell)
