"""Scents: how near the nearest object of each shape and each color is, ways around walls included."""

from functools import lru_cache

import torch
from torch import Tensor

from innerlab.worlds.gridworld import COLORS, SHAPES, Gridworld, free_cells

FADES = 0.9
"""What is left of a scent one step farther off."""


@lru_cache(maxsize=4)
def scents(world: Gridworld) -> Tensor:
    """What an agent smells on each cell: 0.9 to the power of the steps to the nearest object with each feature.

    It is 1 on such an object itself and 0 where no way leads to one. The result is cached for each world.

    Returns:
        float ``(layouts, cells, features)``, the features as in ``SHAPES + COLORS``.
    """
    steps = steps_to_objects(world)
    nearness = (FADES**steps) * (steps < world.cells)
    scent = torch.zeros(world.layouts, world.cells, len(SHAPES) + len(COLORS), device=world.device)
    for feature in (world.object_shape, len(SHAPES) + world.object_color):  # (layouts, objects)
        scent.scatter_reduce_(2, feature[:, None].expand_as(nearness), nearness, "amax")
    return scent


def steps_to_objects(world: Gridworld) -> Tensor:
    """How many steps it takes from each cell to touch each object without touching another one.

    Returns:
        int16 ``(layouts, cells, objects)``; where no way leads, as on walls and other objects, ``world.cells``.
    """
    far, shape = world.cells, (world.height, world.width, world.layouts, world.objects)
    own = (
        world.object_cell == torch.arange(world.cells, device=world.device)[:, None, None]
    )  # (cells, layouts, objects)
    closed = ~own & ~free_cells(world, torch.arange(world.layouts, device=world.device)).T[..., None]
    least = (far * closed).to(torch.int16).view(shape)
    rimmed = (world.height + 2, world.width + 2, *shape[2:])
    steps = torch.full(rimmed, far, dtype=torch.int16, device=world.device)
    inner = steps[1:-1, 1:-1]
    inner.masked_fill_(own.view(shape), 0)
    while True:
        beside = torch.minimum(steps[:-2, 1:-1], steps[2:, 1:-1])
        beside = torch.minimum(beside, torch.minimum(steps[1:-1, :-2], steps[1:-1, 2:]))
        nearer = torch.maximum(torch.minimum(inner, beside + 1), least)
        if torch.equal(nearer, inner):
            return inner.flatten(0, 1).movedim(0, 1)
        inner.copy_(nearer)
