"""Mazes with one target, planners that count their operations, and tables of all their answers.

A maze consists of walls, a start, a target, and what each button does. Walkers are given all of that, so that they
differ only in how they choose buttons.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from innerlab.worlds.gridworld import ACTIONS, moves
from innerlab.worlds.mazes import RedDoorMazes

AS_LABELED = tuple(range(len(ACTIONS)))
REVERSED = (1, 0, 3, 2)
"""What buttons do when up is down and left is right."""


@dataclass(frozen=True, eq=False)
class Maze:
    """A task: get from the start to the target. :func:`dataclasses.replace` makes a changed copy.

    Attributes:
        name: tells one maze from another; a changed copy keeps it.
        width: columns, and as many rows.
        wall: bool ``(cells,)``, row by row from the upper left.
        start: the cell from which to go.
        target: the cell to get to.
        buttons: the direction, as an index into ``ACTIONS``, in which each button moves.

    Raises:
        ValueError: if a size does not fit, start or target is no open cell, or the buttons are no permutation.
    """

    name: int
    width: int
    wall: np.ndarray
    start: int
    target: int
    buttons: tuple[int, ...] = AS_LABELED

    def __post_init__(self) -> None:
        if np.shape(self.wall) != (self.width**2,):
            raise ValueError(f"wall has shape {np.shape(self.wall)}; ({self.width**2},) was expected")
        for what, cell in (("start", self.start), ("target", self.target)):
            if not 0 <= cell < self.width**2 or self.wall[cell]:
                raise ValueError(f"{what} is {cell}; an open cell from 0 to {self.width**2 - 1} was expected")
        if sorted(self.buttons) != list(AS_LABELED):
            raise ValueError(f"buttons is {self.buttons}; each of {AS_LABELED} once was expected")

    @cached_property
    def next_cell(self) -> list[list[int]]:
        """Where each button leads from each cell, ``(cells, actions)``; a wall or the edge leaves you in place."""
        there = moves(self.width, self.width, torch.from_numpy(np.asarray(self.wall))[None])[0]
        return there[:, list(self.buttons)].tolist()

    @cached_property
    def open_cells(self) -> list[int]:
        """The cells one can stand on, in order."""
        return np.flatnonzero(~np.asarray(self.wall)).tolist()


Walker = Callable[[Maze, int], int]
"""A policy: maps a maze and the current cell to the button to press."""


def draw_mazes(count: int, size: int, holes: int, seed: int) -> list[Maze]:
    """Draw mazes like :class:`~innerlab.worlds.mazes.RedDoorMazes`, with nothing but a target where the door would be.

    Args:
        count: how many.
        size: rows and columns; odd.
        holes: how many walls are open besides those of a spanning tree.
        seed: the same seed gives the same mazes, named 0, 1, 2 and so on.

    Raises:
        ValueError: if ``count`` is below 1 or a maze of this kind cannot be drawn.
    """
    world = RedDoorMazes(size=size, holes=holes, objects=2).sample(count, seed)
    walls = world.wall[world.map_index].numpy()
    ends = zip(world.start.tolist(), world.object_cell[:, 0].tolist(), strict=True)
    return [Maze(i, size, walls[i], start, target) for i, (start, target) in enumerate(ends)]


def walk(walker: Walker, maze: Maze, steps: int) -> list[int]:
    """The cells that a walker visits, the start first; it stops at the target, or after so many steps.

    Raises:
        ValueError: if ``steps`` is negative.
    """
    if steps < 0:
        raise ValueError(f"steps is {steps}; it must not be negative")
    route = [maze.start]
    while route[-1] != maze.target and len(route) <= steps:
        route.append(maze.next_cell[route[-1]][walker(maze, route[-1])])
    return route


class Plan(NamedTuple):
    """The result of a search and its cost.

    Attributes:
        buttons: to press, one after another; empty where the target cannot be reached within the search.
        expansions: how many cells were expanded: all four successors computed.
        seen: the cells in the order in which they were discovered, the start first.
    """

    buttons: list[int]
    expansions: int
    seen: list[int]


def breadth_first(maze: Maze, cell: int, most: int | None = None) -> Plan:
    """Breadth-first search for a shortest way to the target.

    Among ways equally short, the one whose buttons come first in order.

    Args:
        maze: known in full.
        cell: where the way begins.
        most: how many expansions are allowed; None for as many as it takes.

    Raises:
        ValueError: if the cell is not open or ``most`` is negative.
    """
    if not 0 <= cell < maze.width**2 or maze.wall[cell]:
        raise ValueError(f"cell is {cell}; an open cell was expected")
    if most is not None and most < 0:
        raise ValueError(f"most is {most}; it must not be negative")
    came_by: dict[int, tuple[int, int] | None] = {cell: None}  # the button, and from where
    todo, expansions = deque([cell]), 0
    while todo and maze.target not in came_by and expansions != most:
        here = todo.popleft()
        expansions += 1
        for button, there in enumerate(maze.next_cell[here]):
            if there not in came_by:
                came_by[there] = button, here
                todo.append(there)
    buttons, back = [], came_by.get(maze.target)
    while back is not None:
        buttons.append(back[0])
        back = came_by[back[1]]
    return Plan(buttons[::-1], expansions, list(came_by))


class Sweeps(NamedTuple):
    """The result of value iteration and its cost.

    Attributes:
        button: the best one on each cell, the first in order among equals, ``(cells,)``.
        value: of each cell, ``(cells,)``: ``discount`` to the power of the steps to the target.
        sweeps: how many times all cells were updated.
        backups: how many updates of a single cell that makes, to be compared with a search's expansions.
    """

    button: np.ndarray
    value: np.ndarray
    sweeps: int
    backups: int


def value_iteration(maze: Maze, discount: float = 0.95) -> Sweeps:
    """Value iteration until nothing changes (Sutton and Barto 2018, section 4.4); reaching the target pays 1.

    Args:
        maze: known in full.
        discount: a step, above 0 and below 1.

    Raises:
        ValueError: if the discount is out of range.
    """
    if not 0 < discount < 1:
        raise ValueError(f"discount is {discount}; it must lie between 0 and 1")
    next_cell = np.array(maze.next_cell)
    value, sweeps = np.zeros(len(next_cell)), 0
    value[maze.target] = 1.0
    while True:
        better = discount * value[next_cell].max(1)
        better[maze.target] = 1.0
        sweeps += 1
        if np.array_equal(better, value):
            return Sweeps(value[next_cell].argmax(1), value, sweeps, sweeps * len(maze.open_cells))
        value = better


def first_moves(next_cell: Tensor) -> Tensor:
    """The first button of a shortest path from every cell to every cell: a table of all answers of a planner.

    Args:
        next_cell: of one or more mazes, long ``(mazes, cells, actions)``.

    Returns:
        int8 ``(mazes, targets, cells)``: the first in order among equals; -1 on the target itself and where no way
        leads to it.

    Raises:
        ValueError: if the shape does not fit.
    """
    if next_cell.dim() != 3:
        raise ValueError(f"next_cell has shape {tuple(next_cell.shape)}; (mazes, cells, actions) was expected")
    mazes, cells, actions = next_cell.shape
    # distances, in sweeps as breadth-first search goes, all targets at once
    far = torch.full((mazes, cells, cells), 127, dtype=torch.int8)  # (mazes, cells, targets): a row is a cell
    far[:, torch.arange(cells), torch.arange(cells)] = 0
    flat = next_cell.flatten(1)[:, :, None].expand(-1, -1, cells)
    while True:
        onward = far.gather(1, flat).view(mazes, cells, actions, cells)
        nearer = torch.minimum(far, onward.amin(2).clamp(max=126) + 1)
        if torch.equal(nearer, far):
            break
        far = nearer
    first = onward.argmin(2).to(torch.int8)  # the first of the smallest
    nowhere = (far == 127) | (far == 0)
    return first.masked_fill(nowhere, -1).transpose(1, 2).contiguous()
