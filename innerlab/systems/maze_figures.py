"""Drawings of mazes with one target."""

from collections.abc import Sequence

import numpy as np
from matplotlib import patches
from matplotlib.axes import Axes

from innerlab.figures import BLUE, GRAY, GREEN, INK, RED
from innerlab.systems.mazes import Maze


def draw_maze(
    axes: Axes, maze: Maze, numbers: dict[int, int] | None = None, marked: Sequence[int] = (), route: Sequence[int] = ()
) -> None:
    """Draw a maze: walls filled, the start as a triangle, the target as a star.

    Args:
        axes: where to draw.
        maze: what to draw.
        numbers: to write into cells, by cell.
        marked: cells to cross out, such as those of new walls.
        route: cells that a line joins, one after another.
    """
    for cell in range(maze.width**2):
        row, column = divmod(cell, maze.width)
        face = GRAY if maze.wall[cell] else "none"
        axes.add_patch(patches.Rectangle((column, row), 1, 1, facecolor=face, edgecolor=GRAY, linewidth=0.5))
    for cell in marked:
        row, column = divmod(cell, maze.width)
        axes.plot(column + 0.5, row + 0.5, marker="X", markersize=11, color=RED)
    if route:
        rows, columns = np.divmod(np.array(route), maze.width)
        axes.plot(columns + 0.5, rows + 0.5, color=BLUE, linewidth=2.2)
    for cell, marker, color in ((maze.start, "^", INK), (maze.target, "*", GREEN)):
        row, column = divmod(cell, maze.width)
        axes.plot(column + 0.5, row + 0.5, marker=marker, markersize=11, color=color)
    for cell, number in (numbers or {}).items():
        row, column = divmod(cell, maze.width)
        axes.text(column + 0.5, row + 0.52, str(number), ha="center", va="center", fontsize=9)
    axes.set(xlim=(-0.05, maze.width + 0.05), ylim=(maze.width + 0.05, -0.05), aspect="equal")
    axes.set_axis_off()
