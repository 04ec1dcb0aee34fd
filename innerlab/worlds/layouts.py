"""Layouts as text, to be read and written by people.

Each cell is one word and words are separated by blanks::

    #   #   #   #
    #   A   rD  #
    #   .   bK  #
    #   #   #   #

``#`` is a wall, ``.`` is floor, ``A`` is where the agent starts. An object is its color's first letter in lower case
and its shape's mark in upper case: ``D`` door, ``K`` key, ``O`` ball, ``X`` box.
"""

from collections.abc import Sequence

import torch

from innerlab.worlds.gridworld import COLORS, SHAPES, Gridworld, RewardRule, gridworld

MARKS = ("D", "K", "O", "X")  # in the order of SHAPES
assert len(MARKS) == len(SHAPES)
_OBJECTS = {
    color[0] + mark: (shape_index, color_index)
    for shape_index, mark in enumerate(MARKS)
    for color_index, color in enumerate(COLORS)
}


def from_text(
    texts: Sequence[str],
    *,
    reward: RewardRule,
    intended_reward: RewardRule | None = None,
    max_steps: int = 60,
) -> Gridworld:
    """Reads layouts of one size and one number of objects.

    Args:
        texts: one drawing a layout, as in the module's description; blank lines around it do not count.
        reward: what training pays for touching an object.
        intended_reward: what the designer would pay; the same, unless given.
        max_steps: steps until an episode is truncated.

    Raises:
        ValueError: if there is none, or a drawing is wrong; the message shows the offending row.
    """
    if isinstance(texts, str) or not texts:
        raise ValueError(f"texts is {texts!r}; a list of drawings was expected")
    read = [_read(text, number) for number, text in enumerate(texts)]
    height, width = len(read[0][0]), len(read[0][0][0])
    for number, (rows, _, objects) in enumerate(read):
        if (len(rows), len(rows[0])) != (height, width):
            raise ValueError(f"layout {number} is {len(rows)} by {len(rows[0])}, but layout 0 is {height} by {width}")
        if len(objects) != len(read[0][2]):
            raise ValueError(f"layout {number} has {len(objects)} objects, but layout 0 has {len(read[0][2])}")
    things = torch.tensor([objects for _, _, objects in read], dtype=torch.long).view(len(read), -1, 3)
    return gridworld(
        height=height,
        width=width,
        wall=torch.tensor([[word == "#" for row in rows for word in row] for rows, _, _ in read]),
        map_index=torch.arange(len(read)),
        start=torch.tensor([start for _, start, _ in read]),
        object_cell=things[..., 0],
        object_shape=things[..., 1],
        object_color=things[..., 2],
        reward=reward,
        intended_reward=intended_reward or reward,
        max_steps=max_steps,
    )


def _read(text: str, number: int) -> tuple[list[list[str]], int, list[tuple[int, int, int]]]:
    """One drawing: its rows of words, the start cell, and (cell, shape, color) of each object."""
    rows = [line.split() for line in text.strip("\n").splitlines() if line.strip()]
    if not rows:
        raise ValueError(f"layout {number} is empty")
    starts, objects = [], []
    for y, row in enumerate(rows):
        shown = f"layout {number}, row {y}: {' '.join(row)!r}"
        if len(row) != len(rows[0]):
            raise ValueError(f"{shown} has {len(row)} cells, but row 0 has {len(rows[0])}")
        for x, word in enumerate(row):
            if word == "A":
                starts.append((y * len(row) + x, shown))
            elif word in _OBJECTS:
                objects.append((y * len(row) + x, *_OBJECTS[word]))
            elif word not in ("#", "."):
                raise ValueError(f"{shown} has {word!r}; '#', '.', 'A' or a color and a shape such as 'rD' is allowed")
    if not starts:
        raise ValueError(f"layout {number} has no start 'A':\n{text}")
    if len(starts) > 1:
        raise ValueError(f"{starts[1][1]} has a second start 'A'")
    if not objects:
        raise ValueError(f"layout {number} has no object:\n{text}")
    return rows, starts[0][0], objects


def to_text(world: Gridworld, layout: int) -> str:
    """Draws one layout, so that ``from_text`` reads it back."""
    if not 0 <= layout < world.layouts:
        raise ValueError(f"layout is {layout}; this world has layouts 0 to {world.layouts - 1}")
    words = ["#" if wall else "." for wall in world.wall[world.map_index[layout]].tolist()]
    words[world.start[layout]] = "A"
    for cell, shape, color in zip(
        world.object_cell[layout].tolist(),
        world.object_shape[layout].tolist(),
        world.object_color[layout].tolist(),
        strict=True,
    ):
        words[cell] = COLORS[color][0] + MARKS[shape]
    rows = [words[y * world.width : (y + 1) * world.width] for y in range(world.height)]
    return "\n".join(" ".join(f"{word:<2}" for word in row).rstrip() for row in rows)
