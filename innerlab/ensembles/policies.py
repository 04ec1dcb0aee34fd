"""Ensembles of policies for gridworlds: networks that map observations to action logits.

Shapes use ``networks`` for the ensemble, ``batch`` for observations, ``objects`` for the objects in each.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from scipy.sparse import csc_array
from torch import Tensor, nn
from torch.autograd import Function
from torch.autograd.function import once_differentiable

from innerlab.ensembles.base import Ensemble, standard_normal
from innerlab.seeds import INITIALIZATION
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


class Policies(Ensemble):
    """Networks that map observations to action logits: what all designs share.

    A subclass says what its agents observe (:meth:`observe`) and how logits follow from that (:meth:`forward`).

    Args:
        seeds: one for each network.

    Raises:
        ValueError: if there is no seed, or one is negative.
    """

    def observe(self, world: Gridworld, layout: Tensor, cell: Tensor) -> Tensor:
        """Observations from cells of layouts, ``(..., *obs)``.

        Args:
            world: the tables.
            layout: long, broadcastable to ``(...)``.
            cell: long, broadcastable to ``(...)``.
        """
        raise NotImplementedError

    def forward(self, obs: Tensor) -> Tensor:
        """Action logits, float ``(networks, batch, actions)``.

        Args:
            obs: ``(networks, batch, *obs)``, or ``(1, batch, *obs)`` or ``(batch, *obs)`` if all networks get the same.
        """
        raise NotImplementedError

    def everywhere(self, world: Gridworld, layout: Tensor) -> Tensor:
        """Action logits from every cell of some layouts, ``(actions, cells, networks, layouts)``.

        Args:
            world: the tables.
            layout: long ``(networks, layouts)``, or ``(1, layouts)`` when all networks are to be in the same.
        """
        cell = torch.arange(world.cells, device=world.device)
        obs = self.observe(world, layout[..., None], cell)  # (networks, layouts, cells, *obs)
        logits = self(obs.flatten(1, 2))  # (networks, layouts * cells, actions)
        return cells_first(logits.unflatten(1, (-1, world.cells)))


def _check_hidden(hidden: int) -> None:
    if hidden < 1:
        raise ValueError(f"hidden is {hidden}; it must be at least 1")


class ObjectPolicies(Policies):
    """Policies and values from objects at egocentric positions, by two hidden layers.

    A subclass says how objects enter the first hidden layer (:meth:`first_layer`). A room holds only a few objects, so
    that layer is a sum over objects: the same as a dense layer over one-hot planes, and far cheaper.

    Args:
        seeds: one for each network.
        world: gives the size of the view.
        hidden: width of both hidden layers.

    Raises:
        ValueError: if there is no seed, one is negative, or ``hidden`` is below 1.
    """

    def __init__(self, seeds: Sequence[int], world: Gridworld, hidden: int = 32):
        super().__init__(seeds)
        _check_hidden(hidden)
        self.positions, self.hidden = egocentric_positions(world), hidden
        draw = partial(standard_normal, self.generators(INITIALIZATION))  # draw(*shape): (networks, *shape)
        self._init_first_layer(world, draw)
        outputs = len(ACTIONS) + 1  # action logits and a value
        self.bias_1 = nn.Parameter(torch.zeros(self.networks, 1, hidden))
        self.weight_2 = nn.Parameter(1.4 / hidden**0.5 * draw(hidden, hidden))
        self.bias_2 = nn.Parameter(torch.zeros(self.networks, 1, hidden))
        self.weight_3 = nn.Parameter(0.1 / hidden**0.5 * draw(hidden, outputs))
        self.bias_3 = nn.Parameter(torch.zeros(self.networks, 1, outputs))

    def _init_first_layer(self, world: Gridworld, draw: Callable[..., Tensor]) -> None:
        """Make the parameters of :meth:`first_layer`; ``draw(*shape)`` is standard normal, ``(networks, *shape)``."""
        raise NotImplementedError

    def first_layer(self, obs: Tensor) -> Tensor:
        """The first hidden layer before bias and ReLU, ``(networks, batch, hidden)``.

        Args:
            obs: long ``(networks, batch, objects)``.
        """
        raise NotImplementedError

    @property
    def kinds_and_positions(self) -> tuple[Tensor, Tensor]:
        """The kind and the position that each object number in an observation stands for, both long ``(numbers,)``."""
        number = torch.arange(kinds() * self.positions, device=self.bias_1.device)
        return number // self.positions, number % self.positions

    def observe(self, world: Gridworld, layout: Tensor, cell: Tensor) -> Tensor:
        """Observations as :func:`innerlab.worlds.gridworld.egocentric_objects` gives them: long ``(..., objects)``."""
        return egocentric_objects(world, layout, cell)

    def policy_and_value(self, obs: Tensor) -> tuple[Tensor, Tensor]:
        """Action logits ``(networks, batch, actions)`` and values ``(networks, batch)``.

        Args:
            obs: long ``(networks, batch, objects)``; see :meth:`Policies.forward`.
        """
        obs = obs.expand(self.networks, *obs.shape[-2:])  # (networks, batch, objects)
        h = F.relu(self.first_layer(obs) + self.bias_1, inplace=True)  # (networks, batch, hidden)
        h = F.relu(torch.baddbmm(self.bias_2, h, self.weight_2), inplace=True)  # (networks, batch, hidden)
        out = few_outputs(h, self.weight_3) + self.bias_3.mT  # (networks, actions + 1, batch)
        return out[:, :-1].mT, out[:, -1]

    def forward(self, obs: Tensor) -> Tensor:
        """Action logits alone, ``(networks, batch, actions)``; see :meth:`policy_and_value`."""
        return self.policy_and_value(obs)[0]


class _FewOutputs(Function):
    """See :func:`few_outputs`."""

    @staticmethod
    def forward(ctx: Any, state: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(state, weight)
        return torch.bmm(weight.mT, state.mT)  # (networks, outputs, batch)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor]:
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
    """Sums of rows of a table, as ``embedding_bag`` computes them, with a faster gradient on a CPU.

    The table is float ``(rows, hidden)``; int32 ``(sums, summands)`` says which of its rows make up each sum.

    The gradient of a row is the sum of the gradients of the sums that hold it: a sparse matrix of ones, ``(rows,
    sums)``, times the gradient. SciPy takes that matrix by columns, one column a sum; ``embedding_bag`` would first
    sort all the rows.
    """

    @staticmethod
    def forward(ctx: Any, table: Tensor, rows: Tensor) -> Tensor:
        ctx.save_for_backward(rows)
        ctx.height = len(table)
        return F.embedding_bag(rows, table, mode="sum")  # (sums, hidden)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        (rows,) = (saved.numpy() for saved in ctx.saved_tensors)  # (sums, summands)
        ends = np.arange(0, rows.size + 1, rows.shape[1], dtype=rows.dtype)  # of the columns
        slope = gradient.numpy()  # (sums, hidden)
        ones = np.ones(rows.size, slope.dtype)
        holds = csc_array((ones, rows.ravel(), ends), (ctx.height, len(rows)))  # (rows, sums)
        return torch.from_numpy(holds @ slope), None


def _sum_of_rows(table: Tensor, rows: Tensor) -> Tensor:
    """Sums of rows of each network's own table, float ``(networks, batch, hidden)``.

    Args:
        table: float ``(networks, rows, hidden)``, with fewer than two billion rows in all.
        rows: which rows make up each sum, int32 ``(networks, batch, summands)``.
    """
    first = torch.arange(len(table), dtype=torch.int32, device=table.device) * table.shape[1]  # (networks,)
    table = table.flatten(0, 1)  # (networks * rows, hidden)
    of_all = (rows + first.view(-1, 1, 1)).flatten(0, 1)  # (networks * batch, summands)
    on_cpu = table.device.type == "cpu"
    sums = _SumsOfRows.apply(table, of_all) if on_cpu else F.embedding_bag(of_all, table, mode="sum")
    return sums.view(*rows.shape[:2], -1)


class PlainPolicies(ObjectPolicies):
    """Policies with a first-layer weight for every feature at every position, so that shape and color add.

    Args:
        seeds: one for each network.
        world: gives the size of the view.
        hidden: width of both hidden layers.
        color_gain: factor of the color inputs; at 1 shape and color enter equally, above 1 color is more salient.

    Raises:
        ValueError: if there is no seed, one is negative, ``hidden`` is below 1, or ``color_gain`` is negative.
    """

    def __init__(self, seeds: Sequence[int], world: Gridworld, hidden: int = 32, color_gain: float = 1.0):
        if not color_gain >= 0:
            raise ValueError(f"color_gain is {color_gain}; it must not be negative")
        super().__init__(seeds, world, hidden)
        self.color_gain = color_gain

    def _init_first_layer(self, world: Gridworld, draw: Callable[..., Tensor]) -> None:
        std = (2 * world.objects) ** -0.5  # each object sets one shape and one color input
        self.weight_1 = nn.Parameter(std * draw(len(SHAPES) + len(COLORS), self.positions, self.hidden))

    def first_layer(self, obs: Tensor) -> Tensor:
        """See :class:`ObjectPolicies`: one row for the shape and one for the color of each object."""
        kind, position = self.kinds_and_positions  # (numbers,)
        shape = kind // len(COLORS) * self.positions + position  # (numbers,)
        color = (len(SHAPES) + kind % len(COLORS)) * self.positions + position  # (numbers,)
        rows = entries(torch.stack([shape, color], -1).int(), obs).flatten(-2)  # (networks, batch, 2 * objects)
        weight: Tensor = self.weight_1  # (networks, features, positions, hidden)
        if self.color_gain != 1.0:
            weight = torch.cat([weight[:, : len(SHAPES)], self.color_gain * weight[:, len(SHAPES) :]], 1)
        return _sum_of_rows(weight.flatten(1, 2), rows)


class DetectorPolicies(ObjectPolicies):
    """Policies whose first layer sees objects through a few detectors, the same at every position.

    A detector maps the shape and color of one object to a number, as a 1×1 convolution over one-hot planes would, but
    for objects only: an empty cell adds nothing. All that a network can tell of what an object *is* passes through
    its detectors; the weights after them tell positions apart.

    Args:
        seeds: one for each network.
        world: gives the size of the view.
        hidden: width of both hidden layers.
        detectors: how many detectors each network has.

    Raises:
        ValueError: if there is no seed, one is negative, or ``hidden`` or ``detectors`` is below 1.
    """

    def __init__(self, seeds: Sequence[int], world: Gridworld, hidden: int = 32, detectors: int = 8):
        if detectors < 1:
            raise ValueError(f"detectors is {detectors}; it must be at least 1")
        self.detectors = detectors
        super().__init__(seeds, world, hidden)

    def _init_first_layer(self, world: Gridworld, draw: Callable[..., Tensor]) -> None:
        self.detector_weight = nn.Parameter(0.7 * draw(len(SHAPES) + len(COLORS), self.detectors))
        self.detector_bias = nn.Parameter(torch.zeros(self.networks, 1, self.detectors))
        std = (2 * world.objects) ** -0.5
        self.weight_1 = nn.Parameter(std * draw(self.detectors, self.positions * self.hidden))

    def detect(self) -> Tensor:
        """Activations of the detectors for each kind of object, ``(networks, kinds, detectors)``."""
        shape, color = self.detector_weight.split([len(SHAPES), len(COLORS)], dim=1)  # (networks, features, detectors)
        return F.relu((shape[:, :, None] + color[:, None]).flatten(1, 2) + self.detector_bias)

    def first_layer(self, obs: Tensor) -> Tensor:
        """See :class:`ObjectPolicies`: one row for each object, of its kind's activations times its position's weights.

        Rows are computed only for kinds that occur in ``obs``.
        """
        kind, position = self.kinds_and_positions  # (numbers,)
        occurs = obs.flatten().bincount(minlength=len(kind)).view(kinds(), -1).any(1)  # (kinds,)
        table = self.detect()[:, occurs] @ self.weight_1  # (networks, kinds that occur, positions * hidden)
        number = occurs.cumsum(0) - 1  # (kinds,), counts those that occur
        rows = entries((number[kind] * self.positions + position).int(), obs)  # (networks, batch, objects)
        return _sum_of_rows(table.view(self.networks, -1, self.hidden), rows)


class ScentPolicies(Policies):
    """Policies that rate the scent after each move, by one small network for all four moves.

    The scent after a move says how near the nearest object of each shape and of each color would be
    (:mod:`innerlab.worlds.scents`), ways around walls included. The network has only to learn what is worth
    approaching: the logit of a move is the rating of the scent after it.

    Args:
        seeds: one for each network.
        hidden: width of both hidden layers.

    Raises:
        ValueError: if there is no seed, one is negative, or ``hidden`` is below 1.
    """

    def __init__(self, seeds: Sequence[int], hidden: int = 16):
        super().__init__(seeds)
        _check_hidden(hidden)
        draw = partial(standard_normal, self.generators(INITIALIZATION))  # draw(*shape): (networks, *shape)
        features = len(SHAPES) + len(COLORS)
        self.weight_1 = nn.Parameter(2.0 / features**0.5 * draw(features, hidden))
        self.bias_1 = nn.Parameter(torch.zeros(self.networks, 1, hidden))
        self.weight_2 = nn.Parameter(1.4 / hidden**0.5 * draw(hidden, hidden))
        self.bias_2 = nn.Parameter(torch.zeros(self.networks, 1, hidden))
        self.weight_3 = nn.Parameter(0.3 / hidden**0.5 * draw(hidden, 1))

    def observe(self, world: Gridworld, layout: Tensor, cell: Tensor) -> Tensor:
        """See :class:`Policies`: the scent after each move, float ``(..., actions, features)``."""
        return scents(world)[layout[..., None], world.next_cell[world.map_index[layout], cell]]

    def rating(self, scent: Tensor) -> Tensor:
        """Ratings of scents, float ``(networks, batch)``.

        Args:
            scent: float ``(networks, batch, features)``.
        """
        h = F.relu(torch.baddbmm(self.bias_1, scent, self.weight_1), inplace=True)  # (networks, batch, hidden)
        h = F.relu(torch.baddbmm(self.bias_2, h, self.weight_2), inplace=True)  # (networks, batch, hidden)
        return few_outputs(h, self.weight_3)[:, 0]

    def forward(self, obs: Tensor) -> Tensor:
        """See :class:`Policies`; ``obs`` is float ``(networks, batch, actions, features)``."""
        obs = obs.expand(self.networks, *obs.shape[-3:])  # (networks, batch, actions, features)
        return self.rating(obs.flatten(1, 2)).unflatten(1, (-1, len(ACTIONS)))

    def everywhere(self, world: Gridworld, layout: Tensor) -> Tensor:
        """See :class:`Policies`. The scent of each cell is rated once, whichever moves lead to that cell."""
        scent = scents(world)[layout].expand(self.networks, -1, -1, -1)  # (networks, layouts, cells, features)
        rating = self.rating(scent.flatten(1, 2)).unflatten(1, (-1, world.cells))  # (networks, layouts, cells)
        return after_moves(rating.movedim(-1, 0), world, layout)
