"""A maze that the reader changes, and the robots of the chapter on optimizers, which walk in it on the page."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from types import MappingProxyType

import numpy as np
from torch import Tensor
from traitlets import Bool, Dict, Int, List, Unicode

from innerlab import figures
from innerlab.systems.maze_figures import draw_maze
from innerlab.systems.mazes import AS_LABELED, Maze
from innerlab.widgets.widget import Widget

ROBOTS = ("table", "rule", "planner", "full table", "stale planner")
"""Who walks, by name and in the order in which they are shown."""

_LONGEST = 18  # a run, as one letter can tell it


class ThreeRobots(Widget):
    """Table, rule and planner, with a full table and a planner whose map is stale, in a maze that the reader changes.

    The tables are the chapter's own: its cell passes the very dictionary and answers that its robots look up, and of
    those travel the entries of the mazes shown. Rule and search have no data; the page has them as code
    (``front/robots.js``), and a test has each robot press the same buttons as the chapter's. Where a robot has no
    answer it presses at random, the same way every time. The stale planner's map is the maze as it was. The chapter's
    network does not walk here: even at 8 bits its weights would take 189 kB.

    Args:
        mazes: to begin with, by the name that the reader sees; those that are not in ``table`` or ``domain`` are
            unknown to the tables.
        table: the button for a maze's name and a cell.
        domain: the mazes that the full table knows; those of one name differ by closed cells and reversed buttons.
        answers: its entries, int8 ``(domain, targets, cells)``, as ``mazes.first_moves`` gives them.
        alt: what the widget shows.
        kept: what a robot keeps, in words, by its name; "nothing" where none are given.
        challenges: what to bring about by changing a maze: for each, in words, which robots are to arrive and which
            are not, by name.

    Attributes:
        preset: which maze the reader began with, counted from 0.
        maze: the present one, row by row: ``#`` wall, ``.`` floor, ``A`` start, ``T`` target.
        reversed: whether the buttons are reversed.

    Raises:
        ValueError: if ``answers`` does not fit ``domain``, a maze of the domain lacks a wall of the one shown, or a
            robot is not known.
    """

    front = "three_robots"
    mazes, challenges = List(Dict()).tag(sync=True), List(Dict()).tag(sync=True)
    kept = Dict().tag(sync=True)
    preset, maze, reversed = Int(0).tag(sync=True), Unicode().tag(sync=True), Bool(False).tag(sync=True)

    def __init__(
        self,
        mazes: Mapping[str, Maze],
        table: Mapping[tuple[int, int], int],
        domain: Sequence[Maze],
        answers: Tensor,
        *,
        alt: str,
        kept: Mapping[str, str] = MappingProxyType({}),
        challenges: Mapping[str, Mapping[str, bool]] = MappingProxyType({}),
    ):
        if answers.dim() != 3 or len(answers) != len(domain):
            raise ValueError(f"answers has shape {tuple(answers.shape)}; ({len(domain)}, cells, cells) was expected")
        for name in [*kept, *(name for ends in challenges.values() for name in ends)]:
            if name not in ROBOTS:
                raise ValueError(f"robot is {name!r}; one of {', '.join(ROBOTS)} was expected")
        self._mazes = dict(mazes)
        super().__init__(
            alt=alt,
            mazes=[
                {
                    "name": name,
                    "maze": text(maze),
                    "table": {str(cell): button for (which, cell), button in table.items() if which == maze.name},
                    **_full(maze, domain, answers),
                }
                for name, maze in mazes.items()
            ],
            maze=text(next(iter(mazes.values()))),
            kept=dict(kept),
            challenges=[
                {
                    "text": words,
                    "arrive": [name for name, arrives in ends.items() if arrives],
                    "fail": [name for name, arrives in ends.items() if not arrives],
                }
                for words, ends in challenges.items()
            ],
        )  # fmt: skip

    def picture(self) -> str:
        """The mazes as they were."""
        figure, axes = figures.panels(len(self._mazes), width=6.4, height=2.5)
        for ax, maze in zip(np.ravel(axes), self._mazes.values(), strict=True):
            draw_maze(ax, maze)
        figures.label_panels(np.ravel(axes), list(self._mazes))
        return figures.Shown(figure, f"{self.alt} A triangle marks the start, a star the target.").html()


def text(maze: Maze) -> str:
    """A maze as the front end takes it."""
    signs = np.where(maze.wall, "#", ".")
    signs[maze.start], signs[maze.target] = "A", "T"
    return "\n".join("".join(row) for row in signs.reshape(maze.width, maze.width))


def _full(maze: Maze, domain: Sequence[Maze], answers: Tensor) -> dict:
    """What the full table knows of one maze: its variants, and their answers in runs along the variants."""
    which = [i for i, known in enumerate(domain) if known.name == maze.name]
    which.sort(key=lambda i: domain[i].buttons != AS_LABELED)  # keeps runs long
    for i in which:
        if (maze.wall & ~domain[i].wall).any():
            raise ValueError(f"domain has maze {maze.name} without a wall that it has where it is shown")
    entries = answers[which][:, maze.open_cells][:, :, maze.open_cells].permute(1, 2, 0)  # (targets, cells, variants)
    return {
        "variants": [
            {
                "closed": np.flatnonzero(domain[i].wall & ~maze.wall).tolist(),
                "reversed": domain[i].buttons != AS_LABELED,
            }
            for i in which
        ],
        "answers": _runs(entries.flatten().tolist()),
    }


def _runs(buttons: list[int]) -> str:
    """Buttons as letters, each of which is a button (4 for none) and how often it stands in a row."""
    letters = []
    for button, run in groupby(buttons):
        length = len(list(run))
        for done in range(0, length, _LONGEST):
            letters.append(chr(35 + button % 5 * _LONGEST + min(_LONGEST, length - done) - 1))
    return "".join(letters)
