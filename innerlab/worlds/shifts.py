"""Moves in a grid as shifts of whole arrays: one move from every cell of many layouts, without an index.

A move leads one row or one column on, or leaves an agent where it is. With cells as the first axis, what lies one
move ahead of every cell is therefore the same array, begun a few rows earlier or later. At the edge of the grid such
a slice holds cells of another row, or the zeros put around them; nobody moves there, so their weight is zero.

Arrays have shape ``(cells, ...)`` and weights ``(moves, cells, ...)``, in the order up, down, left, right, stay.
The weights are a linear map W over the cells: ``(W x)(s)`` is the sum of ``W(m, s) x(s + m)`` over the moves m.
"""

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

from innerlab.worlds.gridworld import Gridworld

BACK = (1, 0, 3, 2, 4)
"""For each move, the one that leads back."""


def cells_first(table: Tensor) -> Tensor:
    """From ``(..., cells, actions)`` to ``(actions, cells, ...)``."""
    return table.movedim((-1, -2), (0, 1)).contiguous()


def move_weights(probabilities: Tensor, world: Gridworld, layout: Tensor) -> Tensor:
    """How likely a policy makes each move from each cell; none from an object, where the episode is over.

    Args:
        probabilities: of the actions, float ``(actions, cells, ...)``.
        world: the tables.
        layout: long ``(...)``, or broadcastable to it.

    Returns:
        float ``(moves, cells, ...)``; differentiable in the probabilities.
    """
    leads_on = world.next_cell[world.map_index[layout]] != torch.arange(world.cells)[:, None]
    going_on = (world.object_at[layout] == 0)[..., None]
    leaving = probabilities * cells_first(leads_on & going_on)
    staying = (probabilities * cells_first(~leads_on & going_on)).sum(0, keepdim=True)
    return torch.cat([leaving, staying])


def on_objects(amount: Tensor, world: Gridworld, layout: Tensor) -> Tensor:
    """Puts an amount for each object (``(layouts, objects)``) on its cell and zero elsewhere, ``(cells, ...)``."""
    table = amount.new_zeros(world.cells, *layout.shape)
    return table.scatter_(0, world.object_cell[layout].movedim(-1, 0), amount[layout].movedim(-1, 0))


def transposed(weights: Tensor, width: int) -> Tensor:
    """The transpose of the map: each move made backwards, as likely as it was made from where it began.

    Args:
        weights: float ``(moves, cells, ...)``.
        width: of the grid.
    """
    padded = weights.new_zeros(len(weights), weights.shape[1] + 2 * width, *weights.shape[2:])
    padded[:, width:-width] = weights
    return torch.stack([ahead[back] for ahead, back in zip(_ahead(padded, width), BACK, strict=True)])


def powers(weights: Tensor, start: Tensor, width: int, number: int) -> Tensor:
    """What an array becomes by no move, one, two and so on: ``x, W x, W W x, ...``, so many of them.

    Args:
        weights: W, float ``(moves, cells, ...)``.
        start: x, float ``(cells, ...)``.
        width: of the grid.
        number: at least 1.

    Returns:
        float ``(number, width + cells + width, ...)``, zeros around the cells.
    """
    padded = start.new_zeros(number, len(start) + 2 * width, *start.shape[1:])
    cells, ahead = padded[:, width:-width].unbind(), zip(*_ahead(padded, width), strict=True)
    weights = weights.unbind()
    cells[0].copy_(start)
    for moved, values in zip(cells[1:], ahead, strict=False):
        for weight, value in zip(weights, values, strict=True):
            moved.addcmul_(weight, value)
    return padded


def _ahead(padded: Tensor, width: int) -> list[tuple[Tensor, ...]]:
    """What lies one move ahead of each cell, for each of the five moves.

    Args:
        padded: float ``(number, width + cells + width, ...)``.
        width: of the grid.

    Returns:
        for each move, ``number`` views ``(cells, ...)``.
    """
    cells = padded.shape[1] - 2 * width
    return [padded[:, width + by : width + by + cells].unbind() for by in (-width, width, -1, 1, 0)]


class _Total(Function):
    """See :func:`total`."""

    @staticmethod
    def forward(ctx, weights: Tensor, start: Tensor, width: int, number: int) -> Tensor:
        terms = powers(weights, start, width, number)
        ctx.save_for_backward(weights, terms)
        ctx.width = width
        return terms[:, width:-width].sum(0)

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, Tensor, None, None]:
        weights, terms = ctx.saved_tensors
        width = ctx.width
        back = powers(transposed(weights, width), gradient, width, len(terms))[:, width:-width]  # back[i]: (W^T)^i g
        sums = terms[:-1].cumsum(0)  # sums[j]: x + ... + W^j x
        by_weights = torch.zeros_like(weights)
        for by_move, values in zip(by_weights, _ahead(sums, width), strict=True):
            for one, value in zip(back, reversed(values), strict=False):
                by_move.addcmul_(one, value)
        return by_weights, back.sum(0), None, None


def total(weights: Tensor, start: Tensor, width: int, number: int) -> Tensor:
    r"""The sum of :func:`powers`, ``x + W x + W W x + ...``, ``(cells, ...)``, with its derivative by hand.

    If g is the gradient of a loss by this sum of n terms, then that by x is :math:`\sum_{i<n} (W^T)^i g`, and that by
    W is :math:`\sum_{i+j<n-1} (W^T)^i g \, (W^j x)^T`, of which only the entries for the five moves are needed.
    """
    return _Total.apply(weights, start, width, number)
