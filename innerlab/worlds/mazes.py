"""Red doors in mazes: what :class:`RedDoors` puts into rooms, behind walls."""

from dataclasses import dataclass

import torch
from scipy.sparse import coo_array
from scipy.sparse.csgraph import minimum_spanning_tree
from torch import Tensor

from innerlab.worlds.red_doors import RedDoors


@dataclass(frozen=True)
class RedDoorMazes(RedDoors):
    """A distribution of mazes that hold what the rooms of :class:`RedDoors` hold; :meth:`sample` draws from it.

    Every other cell of every other row is open. Which of the walls between neighbors among these are open, too, is a
    random spanning tree, so that one way leads from anywhere to anywhere, and a few more holes, so that some places
    have two.

    Attributes:
        size: rows and columns; odd.
        holes: how many walls are open besides the tree's.
    """

    size: int = 9
    holes: int = 4

    def __post_init__(self):
        super().__post_init__()
        if self.size % 2 == 0:
            raise ValueError(f"size is {self.size}; a maze has an odd number of rows")
        most = (self.size // 2) ** 2
        if not 0 <= self.holes <= most:
            raise ValueError(f"holes is {self.holes}; a maze of size {self.size} has 0 to {most} to spare")
        room = 2 * (self.size // 2 + 1) ** 2 - 2 + self.holes  # beside the start
        if self.objects > room:
            raise ValueError(
                f"objects is {self.objects}; a maze of size {self.size} with {self.holes} holes has room for 2 "
                f"to {room}"
            )

    def _draw_walls(self, layouts: int, generator: torch.Generator) -> Tensor:
        """A maze for each layout, bool ``(layouts, cells)``."""
        side = self.size // 2 + 1
        junction = (2 * torch.arange(side)[:, None] * self.size + 2 * torch.arange(side)).flatten()  # their cells
        number = torch.arange(side**2).view(side, side)
        one = torch.cat([number[:, :-1].flatten(), number[:-1].flatten()])  # a wall stands between these two
        other = torch.cat([number[:, 1:].flatten(), number[1:].flatten()])
        between = (junction[one] + junction[other]) // 2
        order = torch.rand(layouts, len(between), generator=generator).argsort(1)
        # all mazes at once, as one graph that falls into so many parts
        apart = torch.arange(layouts)[:, None] * side**2
        ends = (one + apart).flatten().numpy(), (other + apart).flatten().numpy()
        graph = coo_array(((order + 1).flatten().numpy(), ends), (layouts * side**2, layouts * side**2))
        tree = minimum_spanning_tree(graph).tocoo()
        first = torch.zeros(order.shape, dtype=torch.bool)  # whether the wall with this place in the order is open
        first[tree.row // side**2, tree.data.astype(int) - 1] = True
        open_ = first.gather(1, order)
        holes = torch.rand(order.shape, generator=generator).masked_fill(open_, 1).argsort(1)[:, : self.holes]
        open_.scatter_(1, holes, True)
        wall = torch.ones(layouts, self.size**2, dtype=torch.bool)
        wall[:, junction] = False
        wall[:, between] = ~open_
        return wall
