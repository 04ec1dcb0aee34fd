"""Ensembles: many independent networks computed as one batch. The leading axis is the network.

Every network of an ensemble is drawn from its own seed and shares nothing with its neighbors, so network 7 of 64 is
the network that one would get by training seed 7 alone.

Shapes use ``networks`` for the ensemble, ``batch`` for states, ``objects`` for what each state shows.
"""

from collections.abc import Callable, Sequence
from copy import deepcopy
from typing import Self

import numpy as np
import torch
import torch.nn.functional as F
from scipy.sparse import csc_array
from torch import Tensor, nn
from torch.autograd import Function
from torch.autograd.function import once_differentiable

from innerlab.seeds import INITIALIZATION, generator
from innerlab.worlds.gridworld import (
    ACTIONS,
    COLORS,
    SHAPES,
    Gridworld,
    egocentric_objects,
    egocentric_positions,
    entries,
    kinds,
)
from innerlab.worlds.scents import scents
from innerlab.worlds.shifts import after_moves, cells_first


class Policies(nn.Module):
    """Networks that turn what an agent sees into action logits: what all designs share.

    A subclass says what its agents see (:meth:`see`) and what they make of it (:meth:`forward`).

    Args:
        seeds: one for each network.

    Raises:
        ValueError: if there is no seed, or one is negative.
    """

    def __init__(self, seeds: Sequence[int]):
        super().__init__()
        if len(seeds) == 0:
            raise ValueError("seeds is empty; give one for each network")
        self.seeds = tuple(int(seed) for seed in seeds)

    def see(self, world: Gridworld, layout: Tensor, cell: Tensor) -> Tensor:
        """What agents see from these cells of these layouts (long, broadcastable to ``(...)``): ``(..., *seen)``."""
        raise NotImplementedError

    def forward(self, seen: Tensor) -> Tensor:
        """Action logits ``(networks, batch, actions)`` for what is seen, ``(networks, batch, *seen)``.

        Where all networks see the same, ``(1, batch, *seen)`` or ``(batch, *seen)`` will do.
        """
        raise NotImplementedError

    def everywhere(self, world: Gridworld, layout: Tensor) -> Tensor:
        """Action logits from every cell of some layouts, ``(actions, cells, networks, layouts)``.

        Args:
            world: the tables.
            layout: long ``(networks, layouts)``, or ``(1, layouts)`` when all networks are to be in the same.
        """
        cell = torch.arange(world.cells, device=world.device)
        logits = self(self.see(world, layout[..., None], cell).flatten(1, 2))
        return cells_first(logits.unflatten(1, (-1, world.cells)))

    @property
    def networks(self) -> int:
        """How many networks there are."""
        return len(self.seeds)

    def select(self, which: Sequence[int]) -> Self:
        """A new ensemble of copies of some of these networks, in the order given."""
        chosen = deepcopy(self)
        chosen.seeds = tuple(self.seeds[i] for i in which)
        for name, parameter in self.named_parameters():
            setattr(chosen, name, nn.Parameter(parameter.detach()[list(which)].clone()))
        return chosen


Draw = Callable[..., nn.Parameter]
"""Draws a parameter of a given shape for each network, normal with the deviation given."""


def _first_weights(seeds: Sequence[int]) -> Draw:
    generators = [generator(seed, INITIALIZATION) for seed in seeds]

    def draw(*shape: int, deviation: float) -> nn.Parameter:
        return nn.Parameter(torch.stack([torch.randn(*shape, generator=g) for g in generators]) * deviation)

    return draw


def _check_hidden(hidden: int) -> None:
    if hidden < 1:
        raise ValueError(f"hidden is {hidden}; it must be at least 1")


class ObjectPolicies(Policies):
    """Two hidden layers over what lies where, seen from the agent; action logits and a value.

    A subclass says how what is seen enters the first hidden layer (:meth:`first_layer`). Since a room shows a few
    objects only, that is a sum over objects, the same as a dense layer over one-hot planes and far cheaper.

    Args:
        seeds: one for each network.
        world: gives the size of the view.
        hidden: width of both hidden layers.

    Raises:
        ValueError: if there is no seed, or ``hidden`` is below 1.
    """

    def __init__(self, seeds: Sequence[int], world: Gridworld, hidden: int = 32):
        super().__init__(seeds)
        _check_hidden(hidden)
        self.positions, self.hidden = egocentric_positions(world), hidden
        draw = _first_weights(self.seeds)
        self._draw_input_layers(world, draw)
        outputs = len(ACTIONS) + 1  # action logits and a value
        self.bias_1 = nn.Parameter(torch.zeros(len(seeds), 1, hidden))
        self.weight_2 = draw(hidden, hidden, deviation=1.4 / hidden**0.5)
        self.bias_2 = nn.Parameter(torch.zeros(len(seeds), 1, hidden))
        self.weight_3 = draw(hidden, outputs, deviation=0.1 / hidden**0.5)
        self.bias_3 = nn.Parameter(torch.zeros(len(seeds), 1, outputs))

    def _draw_input_layers(self, world: Gridworld, draw: Draw) -> None:
        raise NotImplementedError

    def first_layer(self, seen: Tensor) -> Tensor:
        """What the objects seen (long ``(networks, batch, objects)``) add up to, ``(networks, batch, hidden)``."""
        raise NotImplementedError

    @property
    def kinds_and_positions(self) -> tuple[Tensor, Tensor]:
        """Which kind of object and which position each number means that can be seen, both long ``(numbers,)``."""
        number = torch.arange(kinds() * self.positions, device=self.bias_1.device)
        return number // self.positions, number % self.positions

    def see(self, world: Gridworld, layout: Tensor, cell: Tensor) -> Tensor:
        """See :class:`Policies` and :func:`innerlab.worlds.gridworld.egocentric_objects`: long ``(..., objects)``."""
        return egocentric_objects(world, layout, cell)

    def policy_and_value(self, seen: Tensor) -> tuple[Tensor, Tensor]:
        """Action logits ``(networks, batch, actions)`` and values ``(networks, batch)``.

        Args:
            seen: as :meth:`see` gives it, ``(networks, batch, objects)``; see :meth:`Policies.forward`.
        """
        seen = seen.expand(self.networks, *seen.shape[-2:])
        h = F.relu(self.first_layer(seen) + self.bias_1, inplace=True)  # (networks, batch, hidden)
        h = F.relu(torch.baddbmm(self.bias_2, h, self.weight_2), inplace=True)
        out = few_outputs(h, self.weight_3) + self.bias_3.mT  # (networks, actions + 1, batch)
        return out[:, :-1].mT, out[:, -1]

    def forward(self, seen: Tensor) -> Tensor:
        """Action logits alone, ``(networks, batch, actions)``; see :meth:`policy_and_value`."""
        return self.policy_and_value(seen)[0]


class _FewOutputs(Function):
    """See :func:`few_outputs`."""

    @staticmethod
    def forward(ctx, state: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(state, weight)
        return torch.bmm(weight.mT, state.mT)

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, Tensor]:
        state, weight = ctx.saved_tensors
        return torch.bmm(gradient.mT, weight.mT), torch.bmm(gradient, state).mT


def few_outputs(state: Tensor, weight: Tensor) -> Tensor:
    """The transpose of ``state @ weight``, for a weight with few columns.

    Products of matrices whose last axis is short are slow, about five times on a CPU. Here the short axis is never
    the last one, neither forward nor backward.

    Args:
        state: float ``(networks, batch, width)``.
        weight: float ``(networks, width, outputs)``.

    Returns:
        float ``(networks, outputs, batch)``.
    """
    return _FewOutputs.apply(state, weight)


class _SumsOfRows(Function):
    """Sums of rows of a table (float ``(rows, hidden)``), which rows each (int32 ``(sums, summands)``).

    The gradient of a row is the sum of the gradients of the sums that it went into: a sparse matrix of ones times the
    gradient. SciPy multiplies by columns, one column a sum, where ``embedding_bag`` would first sort all the rows.
    """

    @staticmethod
    def forward(ctx, table: Tensor, rows: Tensor) -> Tensor:
        ctx.save_for_backward(rows)
        ctx.height = len(table)
        return F.embedding_bag(rows, table, mode="sum")

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, None]:
        (rows,) = ctx.saved_tensors
        gradient, rows = gradient.numpy(), rows.numpy()
        ends = np.arange(0, rows.size + 1, rows.shape[1], dtype=rows.dtype)
        ones = np.ones(rows.size, gradient.dtype)
        return torch.from_numpy(csc_array((ones, rows.ravel(), ends), (ctx.height, len(rows))) @ gradient), None


def _sum_of_rows(table: Tensor, rows: Tensor) -> Tensor:
    """For each network, sums of rows of its own table: ``(networks, batch, hidden)``.

    Args:
        table: ``(networks, rows, hidden)``.
        rows: int32 ``(networks, batch, summands)``; there are fewer than two billion of all tables together.
    """
    first = torch.arange(len(table), dtype=torch.int32, device=table.device) * table.shape[1]
    table, of_all = table.flatten(0, 1), (rows + first.view(-1, 1, 1)).flatten(0, 1)
    on_cpu = table.device.type == "cpu"
    sums = _SumsOfRows.apply(table, of_all) if on_cpu else F.embedding_bag(of_all, table, mode="sum")
    return sums.view(*rows.shape[:2], -1)


class PlainPolicies(ObjectPolicies):
    """A separate first-layer weight for every feature at every place, so that shape and color simply add.

    Args:
        seeds: one for each network.
        world: gives the size of the view.
        hidden: width of both hidden layers.
        color_gain: what the color inputs are multiplied by; 1 shows shape and color equally strongly, more makes
            color the more salient of the two.
    """

    def __init__(self, seeds: Sequence[int], world: Gridworld, hidden: int = 32, color_gain: float = 1.0):
        if not color_gain >= 0:
            raise ValueError(f"color_gain is {color_gain}; it must not be negative")
        super().__init__(seeds, world, hidden)
        self.color_gain = color_gain

    def _draw_input_layers(self, world: Gridworld, draw: Draw) -> None:
        deviation = (2 * world.objects) ** -0.5  # each object sets one shape and one color input
        self.weight_1 = draw(len(SHAPES) + len(COLORS), self.positions, self.hidden, deviation=deviation)

    def first_layer(self, seen: Tensor) -> Tensor:
        """See :class:`ObjectPolicies`: one row for the shape and one for the color of each object."""
        kind, position = self.kinds_and_positions
        shape = kind // len(COLORS) * self.positions + position
        color = (len(SHAPES) + kind % len(COLORS)) * self.positions + position
        rows = entries(torch.stack([shape, color], -1).int(), seen).flatten(-2)
        weight = self.weight_1
        if self.color_gain != 1.0:
            weight = torch.cat([weight[:, : len(SHAPES)], self.color_gain * weight[:, len(SHAPES) :]], 1)
        return _sum_of_rows(weight.flatten(1, 2), rows)


class DetectorPolicies(ObjectPolicies):
    """The same few detectors look at the object at every place, and only then does place matter.

    A detector maps the shape and color of one object to a number, as a 1×1 convolution over the planes would, but
    for objects only: an empty cell adds nothing. Everything the network knows of what an object *is* must pass
    through them.

    Args:
        seeds: one for each network.
        world: gives the size of the view.
        hidden: width of both hidden layers.
        detectors: how many detectors each network has.
    """

    def __init__(self, seeds: Sequence[int], world: Gridworld, hidden: int = 32, detectors: int = 8):
        if detectors < 1:
            raise ValueError(f"detectors is {detectors}; it must be at least 1")
        self.detectors = detectors
        super().__init__(seeds, world, hidden)

    def _draw_input_layers(self, world: Gridworld, draw: Draw) -> None:
        self.detector_weight = draw(len(SHAPES) + len(COLORS), self.detectors, deviation=0.7)
        self.detector_bias = nn.Parameter(torch.zeros(len(self.seeds), 1, self.detectors))
        deviation = (2 * world.objects) ** -0.5
        self.weight_1 = draw(self.detectors, self.positions * self.hidden, deviation=deviation)

    def detect(self) -> Tensor:
        """What the detectors say to each kind of object, ``(networks, kinds, detectors)``."""
        shape, color = self.detector_weight.split([len(SHAPES), len(COLORS)], dim=1)
        return F.relu((shape[:, :, None] + color[:, None]).flatten(1, 2) + self.detector_bias)

    def first_layer(self, seen: Tensor) -> Tensor:
        """See :class:`ObjectPolicies`: what the detectors say to each kind that occurs, at each place, as one row."""
        kind, position = self.kinds_and_positions
        occurs = seen.flatten().bincount(minlength=len(kind)).view(kinds(), -1).any(1)
        table = self.detect()[:, occurs] @ self.weight_1  # (networks, kinds that occur, positions * hidden)
        number = occurs.cumsum(0) - 1
        rows = entries((number[kind] * self.positions + position).int(), seen)
        return _sum_of_rows(table.view(self.networks, -1, self.hidden), rows)


class ScentPolicies(Policies):
    """One small network that rates a scent, the same for all four moves: the likeliest move leads to the best scent.

    What an agent smells after a move says how near the nearest object of each shape and of each color would be
    (``innerlab.worlds.scents``). Ways around walls are thereby found for it; the network has only to say what is
    worth approaching.

    Args:
        seeds: one for each network.
        hidden: width of both hidden layers.

    Raises:
        ValueError: if there is no seed, or ``hidden`` is below 1.
    """

    def __init__(self, seeds: Sequence[int], hidden: int = 16):
        super().__init__(seeds)
        _check_hidden(hidden)
        draw, features = _first_weights(self.seeds), len(SHAPES) + len(COLORS)
        self.weight_1 = draw(features, hidden, deviation=2.0 / features**0.5)
        self.bias_1 = nn.Parameter(torch.zeros(len(seeds), 1, hidden))
        self.weight_2 = draw(hidden, hidden, deviation=1.4 / hidden**0.5)
        self.bias_2 = nn.Parameter(torch.zeros(len(seeds), 1, hidden))
        self.weight_3 = draw(hidden, 1, deviation=0.3 / hidden**0.5)

    def see(self, world: Gridworld, layout: Tensor, cell: Tensor) -> Tensor:
        """See :class:`Policies`: the scent after each move, float ``(..., actions, features)``."""
        return scents(world)[layout[..., None], world.next_cell[world.map_index[layout], cell]]

    def rate(self, scent: Tensor) -> Tensor:
        """What each network thinks of scents, float ``(networks, batch, features)``: ``(networks, batch)``."""
        h = F.relu(torch.baddbmm(self.bias_1, scent, self.weight_1), inplace=True)  # (networks, batch, hidden)
        h = F.relu(torch.baddbmm(self.bias_2, h, self.weight_2), inplace=True)
        return few_outputs(h, self.weight_3)[:, 0]

    def forward(self, seen: Tensor) -> Tensor:
        """See :class:`Policies`; the logit of a move is the rating of the scent that it leads to."""
        seen = seen.expand(self.networks, *seen.shape[-3:])
        return self.rate(seen.flatten(1, 2)).unflatten(1, (-1, len(ACTIONS)))

    def everywhere(self, world: Gridworld, layout: Tensor) -> Tensor:
        """See :class:`Policies`. Every cell is rated once, whichever move leads to it."""
        scent = scents(world)[layout].expand(self.networks, -1, -1, -1)  # (networks, layouts, cells, features)
        rating = self.rate(scent.flatten(1, 2)).unflatten(1, (-1, world.cells))
        return after_moves(rating.movedim(-1, 0), world, layout)
