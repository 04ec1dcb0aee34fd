"""Gridworlds as tables: many layouts of one size, stepped together by look-up.

A layout is a map of walls, a start cell and a few objects. Touching an object ends the episode. Everything that a
step needs stands in tables made beforehand, so that a step is a few look-ups, for one state or for a million.

Cells are numbered row by row from the upper left. Tensors are written with their shape, as in
``(layouts, objects)``; ``...`` stands for any leading shape.

The two rewards follow Leike et al. (2017), *AI Safety Gridworlds*, arXiv:1711.09883: the one the agent is trained
on, and the one its designer meant.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

ACTIONS = ("up", "down", "left", "right")
SHAPES = ("door", "key", "ball", "box")
COLORS = ("red", "blue", "green", "yellow")

RewardRule = Callable[[Tensor, Tensor], Tensor]
"""Maps the shapes and colors of objects (two long tensors of one shape) to what touching each one pays."""


class State(NamedTuple):
    """Where many agents stand, one entry each.

    Attributes:
        layout: which layout each agent is in, long ``(...)``.
        cell: the cell each stands on, long ``(...)``.
        time: steps taken in this episode, long ``(...)``.
    """

    layout: Tensor
    cell: Tensor
    time: Tensor


class Transition(NamedTuple):
    """What one step led to. All fields have the shape of the state's fields.

    Attributes:
        state: the state after the step.
        reward: what training pays for it, float.
        intended_reward: what the designer would have paid for it, float.
        touched: 0 for nothing, k + 1 for object k, long.
        terminated: an object was touched and the episode is over, bool.
        truncated: nothing was touched and the time is up, bool. Never true together with ``terminated``.
    """

    state: State
    reward: Tensor
    intended_reward: Tensor
    touched: Tensor
    terminated: Tensor
    truncated: Tensor


@dataclass(frozen=True)
class Gridworld:
    """The parameters of a world: L layouts of one size, over M maps, with K objects each.

    Make one with :func:`gridworld`, which checks its input and derives the last four tables.

    Attributes:
        height: rows.
        width: columns.
        max_steps: steps after which an episode is truncated.
        wall: bool ``(maps, cells)``.
        map_index: the map of each layout, long ``(layouts,)``.
        start: the start cell, long ``(layouts,)``.
        object_cell: long ``(layouts, objects)``.
        object_shape: index into ``SHAPES``, long ``(layouts, objects)``.
        object_color: index into ``COLORS``, long ``(layouts, objects)``.
        object_reward: what training pays for touching each object, float ``(layouts, objects)``.
        object_intended_reward: what the designer would pay, float ``(layouts, objects)``.
        next_cell: the cell an action leads to, long ``(maps, cells, actions)``; a wall or the edge leaves you in place.
        object_at: 0 for none, k + 1 for object k, long ``(layouts, cells)``.
    """

    height: int
    width: int
    max_steps: int
    wall: Tensor
    map_index: Tensor
    start: Tensor
    object_cell: Tensor
    object_shape: Tensor
    object_color: Tensor
    object_reward: Tensor
    object_intended_reward: Tensor
    next_cell: Tensor
    object_at: Tensor

    @cached_property
    def leads_on(self) -> Tensor:
        """Whether an action leads to another cell, bool ``(maps, cells, actions)``."""
        return self.next_cell != torch.arange(self.cells, device=self.device)[:, None]

    @cached_property
    def free(self) -> Tensor:
        """The cells without wall or object, on which an episode goes on, bool ``(layouts, cells)``."""
        return (self.object_at == 0) & ~self.wall[self.map_index]

    @cached_property
    def pay(self) -> tuple[Tensor, Tensor]:
        """Trained and intended reward for touching nothing (index 0) or object k (index k + 1).

        Both are float ``(layouts, 1 + objects)``.
        """
        return F.pad(self.object_reward, (1, 0)), F.pad(self.object_intended_reward, (1, 0))

    @cached_property
    def seen_from_corner(self) -> Tensor:
        """Each object as an agent on the upper left cell sees it, long ``(layouts, objects)``.

        The numbers are those of :func:`egocentric_objects`.
        """
        across = 2 * self.width - 1
        kind = self.object_shape * len(COLORS) + self.object_color
        positions = egocentric_positions(self)
        position = self.object_cell // self.width * across + self.object_cell % self.width + positions // 2
        return kind * positions + position

    @property
    def device(self) -> torch.device:
        """The device of the tables."""
        return self.start.device

    def to(self, device: torch.device | str) -> "Gridworld":
        """The same world with its tables on another device; itself, if they are there."""
        if torch.device(device) == self.device:
            return self
        tables = {field.name: getattr(self, field.name) for field in fields(self)}
        moved: dict[str, Any] = {name: t.to(device) for name, t in tables.items() if isinstance(t, Tensor)}
        return replace(self, **moved)

    @property
    def layouts(self) -> int:
        """How many layouts there are."""
        return self.start.shape[0]

    @property
    def objects(self) -> int:
        """How many objects each layout holds."""
        return self.object_cell.shape[1]

    @property
    def cells(self) -> int:
        """How many cells a layout has, walls included."""
        return self.height * self.width


def entries(table: Tensor, *index: Tensor) -> Tensor:
    """The entries ``table[index]``, several times faster, for indices of one shape into the leading axes.

    Args:
        table: ``(*sizes, ...)``.
        index: long, one for each of the sizes. An index that exceeds its own size but not the table is not detected.

    Returns:
        ``(*shape of the index, ...)``.
    """
    flat = index[0]
    for size, further in zip(table.shape[1:], index[1:], strict=False):
        flat = flat * size + further
    if len(index) > 1:
        table = table.flatten(0, len(index) - 1)
    return table.index_select(0, flat.flatten()).view(flat.shape + table.shape[1:])


def gridworld(
    *,
    height: int,
    width: int,
    wall: Tensor,
    map_index: Tensor,
    start: Tensor,
    object_cell: Tensor,
    object_shape: Tensor,
    object_color: Tensor,
    reward: RewardRule,
    intended_reward: RewardRule,
    max_steps: int,
) -> Gridworld:
    """Builds a world from its tables; arguments as the attributes of :class:`Gridworld`.

    Raises:
        ValueError: if a shape or an index does not fit, if something stands on a wall or on something else, or if
            an object cannot be reached from the start without touching another one first.
    """
    cells = height * width
    _check_shapes(cells, wall, map_index, start, object_cell, object_shape, object_color)
    if max_steps < 1:
        raise ValueError(f"max_steps is {max_steps}; an episode needs at least one step")
    layouts = start.shape[0]
    object_at = torch.zeros(layouts, cells, dtype=torch.long)
    object_at.scatter_(1, object_cell, torch.arange(1, object_cell.shape[1] + 1).expand_as(object_cell))
    occupied = torch.cat([start[:, None], object_cell], 1)
    if wall[map_index].gather(1, occupied).any():
        layout = int(wall[map_index].gather(1, occupied).any(1).nonzero()[0])
        raise ValueError(f"layout {layout} puts the start or an object on a wall")
    crowded = (occupied.sort(1).values.diff(dim=1) == 0).any(1)
    if crowded.any():
        raise ValueError(f"layout {int(crowded.nonzero()[0])} puts two things on one cell")
    next_cell = moves(height, width, wall)
    stranded = ~reachable_objects(height, width, wall[map_index], start, object_cell)
    if stranded.any():
        layout, which = stranded.nonzero()[0].tolist()
        row, column = divmod(int(object_cell[layout, which]), width)
        name = f"{COLORS[object_color[layout, which]]} {SHAPES[object_shape[layout, which]]}"
        raise ValueError(
            f"layout {layout}, row {row}: the {name} in column {column} cannot be reached from the start "
            "without touching another object first"
        )
    return Gridworld(
        height=height,
        width=width,
        max_steps=max_steps,
        wall=wall,
        map_index=map_index,
        start=start,
        object_cell=object_cell,
        object_shape=object_shape,
        object_color=object_color,
        object_reward=reward(object_shape, object_color).float(),
        object_intended_reward=intended_reward(object_shape, object_color).float(),
        next_cell=next_cell,
        object_at=object_at,
    )


def repainted(
    world: Gridworld,
    shape: Tensor,
    color: Tensor,
    reward: RewardRule,
    intended_reward: RewardRule | None = None,
) -> Gridworld:
    """A copy of a world whose objects have other shapes, colors and rewards, in the same places.

    Args:
        world: left unchanged.
        shape: of the objects, long, ``(layouts, objects)`` or anything that broadcasts to it.
        color: likewise.
        reward: what training pays for touching an object.
        intended_reward: what the designer would pay; the same, unless given.

    Raises:
        ValueError: if there is no such shape or color.
    """
    for name, table, kinds_of in (("shape", shape, SHAPES), ("color", color, COLORS)):
        if not 0 <= int(table.min()) <= int(table.max()) < len(kinds_of):
            raise ValueError(f"{name} runs from {int(table.min())} to {int(table.max())}; 0 to {len(kinds_of) - 1}")
    shape, color = shape.expand_as(world.object_shape), color.expand_as(world.object_color)
    return replace(
        world,
        object_shape=shape,
        object_color=color,
        object_reward=reward(shape, color).float(),
        object_intended_reward=(intended_reward or reward)(shape, color).float(),
    )


def _check_shapes(cells, wall, map_index, start, object_cell, object_shape, object_color) -> None:
    layouts = start.shape[0]
    if wall.dim() != 2 or wall.shape[1] != cells:
        raise ValueError(f"wall has shape {tuple(wall.shape)}; (maps, {cells}) was expected")
    objects = object_cell.shape[-1]
    for name, table, shape, bound in (
        ("map_index", map_index, (layouts,), wall.shape[0]),
        ("start", start, (layouts,), cells),
        ("object_cell", object_cell, (layouts, objects), cells),
        ("object_shape", object_shape, (layouts, objects), len(SHAPES)),
        ("object_color", object_color, (layouts, objects), len(COLORS)),
    ):
        if tuple(table.shape) != shape:
            raise ValueError(f"{name} has shape {tuple(table.shape)}; {shape} was expected")
        if table.numel() and not 0 <= int(table.min()) <= int(table.max()) < bound:
            raise ValueError(f"{name} runs from {int(table.min())} to {int(table.max())}; 0 to {bound - 1} is allowed")


def moves(height: int, width: int, wall: Tensor) -> Tensor:
    """The cell that each action leads to, long ``(maps, cells, actions)``, for walls bool ``(maps, cells)``."""
    row, column = torch.arange(height * width) // width, torch.arange(height * width) % width
    steps = torch.tensor([[-1, 0], [1, 0], [0, -1], [0, 1]])  # in the order of ACTIONS
    row = (row[:, None] + steps[:, 0]).clamp(0, height - 1)
    column = (column[:, None] + steps[:, 1]).clamp(0, width - 1)
    target = (row * width + column).expand(wall.shape[0], -1, -1)  # (maps, cells, actions)
    here = torch.arange(height * width)[None, :, None]
    blocked = wall.gather(1, target.flatten(1)).view_as(target)
    return torch.where(blocked, here, target).contiguous()


def reachable_objects(height: int, width: int, wall: Tensor, start: Tensor, object_cell: Tensor) -> Tensor:
    """Which objects can be reached from the start without touching another object first, by flood fill.

    Args:
        height: rows.
        width: columns.
        wall: bool ``(layouts, cells)``.
        start: long ``(layouts,)``.
        object_cell: long ``(layouts, objects)``.

    Returns:
        bool ``(layouts, objects)``.
    """

    def grid(table: Tensor) -> Tensor:  # (layouts, cells) -> (height, width, layouts): whole rows move at once
        return table.T.reshape(height, width, -1)

    open_, passable = grid(~wall), grid((~wall).scatter(1, object_cell, False))
    reached = grid(torch.zeros_like(wall).scatter_(1, start[:, None], True))
    onward = torch.zeros(height + 2, width + 2, len(wall), dtype=torch.bool)  # with a rim around
    while True:
        onward[1:-1, 1:-1] = reached & passable
        beside = onward[:-2, 1:-1] | onward[2:, 1:-1] | onward[1:-1, :-2] | onward[1:-1, 2:]
        grown = reached | beside & open_
        if torch.equal(grown, reached):
            return reached.flatten(0, 1).T.gather(1, object_cell)
        reached = grown


def reset(world: Gridworld, layout: Tensor) -> State:
    """The states in which episodes on these layouts (long ``(...)``) begin."""
    return State(layout, world.start[layout], torch.zeros_like(layout))


def step(world: Gridworld, state: State, action: Tensor) -> Transition:
    """Moves every agent once. Pure: nothing that is passed in changes.

    Args:
        world: the tables.
        state: where the agents stand, fields of shape ``(...)``.
        action: index into ``ACTIONS``, long ``(...)``.

    Returns:
        The transition. Whoever calls must not step an episode that has ended (see :func:`reset`).

    Raises:
        ValueError: if there is no such action.
    """
    lowest, highest = map(int, action.aminmax()) if action.numel() else (0, 0)
    if lowest < 0 or highest >= len(ACTIONS):
        raise ValueError(f"action runs from {lowest} to {highest}; 0 to {len(ACTIONS) - 1} is allowed")
    cell = entries(world.next_cell, entries(world.map_index, state.layout), state.cell, action)
    time = state.time + 1
    touched = entries(world.object_at, state.layout, cell)
    terminated = touched > 0
    reward, intended_reward = (entries(table, state.layout, touched) for table in world.pay)
    return Transition(
        state=State(state.layout, cell, time),
        reward=reward,
        intended_reward=intended_reward,
        touched=touched,
        terminated=terminated,
        truncated=(time >= world.max_steps) & ~terminated,
    )


class Successors(NamedTuple):
    """The result of every action on every cell of some layouts: the model behind :func:`step`.

    Attributes:
        cell: the cell an action leads to, long ``(..., cells, actions)``.
        touched: 0 for nothing, k + 1 for object k, long ``(..., cells, actions)``.
        reward: what training pays, float ``(..., cells, actions)``.
        intended_reward: what the designer would pay, float ``(..., cells, actions)``.
        free: whether the cell has neither wall nor object, so that the episode goes on, bool ``(..., cells)``.
    """

    cell: Tensor
    touched: Tensor
    reward: Tensor
    intended_reward: Tensor
    free: Tensor


def successors(world: Gridworld, layout: Tensor) -> Successors:
    """The successors in these layouts (long ``(...)``), all cells and actions at once."""
    cell = entries(world.next_cell, entries(world.map_index, layout))
    object_at = entries(world.object_at, layout)

    def at_successor(table: Tensor) -> Tensor:  # (..., cells) -> (..., cells, actions)
        return table.gather(-1, cell.flatten(-2)).view(cell.shape)

    reward, intended_reward = (at_successor(entries(table, layout).gather(-1, object_at)) for table in world.pay)
    return Successors(
        cell=cell,
        touched=at_successor(object_at),
        reward=reward,
        intended_reward=intended_reward,
        free=free_cells(world, layout),
    )


def free_cells(world: Gridworld, layout: Tensor) -> Tensor:
    """The cells without wall or object in these layouts (long ``(...)``), bool ``(..., cells)``."""
    return entries(world.free, layout)


def kinds() -> int:
    """The number of kinds of objects: shapes times colors."""
    return len(SHAPES) * len(COLORS)


def egocentric_positions(world: Gridworld) -> int:
    """The number of positions of an object relative to the agent: ``(2 height - 1) (2 width - 1)``."""
    return (2 * world.height - 1) * (2 * world.width - 1)


def egocentric_objects(world: Gridworld, layout: Tensor, cell: Tensor) -> Tensor:
    """What an agent sees, as one number for each object that encodes its kind and its position relative to the agent.

    The number is ``kind * positions + position``, with ``kind = shape * len(COLORS) + color`` and the position
    counted row by row over the window of all possible offsets, the agent in its middle. It holds the same as
    :func:`egocentric_planes`, which is far larger.

    Args:
        world: the tables.
        layout: long ``(...)``.
        cell: the agent's cell, long, broadcastable with ``layout``.

    Returns:
        long ``(..., objects)``.
    """
    across = 2 * world.width - 1
    moved = cell // world.width * across + cell % world.width
    return entries(world.seen_from_corner, layout) - moved[..., None]


def egocentric_planes(world: Gridworld, layout: Tensor, cell: Tensor) -> Tensor:
    """The same view as one-hot planes, one for each shape and one for each color.

    Args:
        world: the tables.
        layout: long ``(...)``.
        cell: the agent's cell, long, broadcastable with ``layout``.

    Returns:
        float ``(..., shapes + colors, positions)``; each object sets one entry among the shapes and one among the
        colors.
    """
    seen = egocentric_objects(world, layout, cell)
    positions = egocentric_positions(world)
    kind, position = seen // positions, seen % positions
    planes = torch.zeros(*seen.shape[:-1], (len(SHAPES) + len(COLORS)) * positions)
    planes.scatter_(-1, (kind // len(COLORS)) * positions + position, 1.0)
    planes.scatter_(-1, (len(SHAPES) + kind % len(COLORS)) * positions + position, 1.0)
    return planes.unflatten(-1, (-1, positions))


def egocentric_walls(world: Gridworld, layout: Tensor, cell: Tensor) -> Tensor:
    """Walls, and everything outside of the grid, in the window of :func:`egocentric_planes`.

    Args:
        world: the tables.
        layout: long ``(...)``.
        cell: the agent's cell, long, of the same shape.

    Returns:
        bool ``(..., positions)``.
    """
    across, position = 2 * world.width - 1, torch.arange(egocentric_positions(world))
    row = (cell // world.width)[..., None] + position // across - (world.height - 1)
    column = (cell % world.width)[..., None] + position % across - (world.width - 1)
    outside = (row < 0) | (row >= world.height) | (column < 0) | (column >= world.width)
    there = (row * world.width + column).masked_fill(outside, 0)
    return outside | entries(world.wall, entries(world.map_index, layout)).gather(-1, there)
