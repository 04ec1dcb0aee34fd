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

from innerlab.worlds.gridworld import Gridworld, entries, free_cells

BACK = (1, 0, 3, 2, 4)
"""For each move, the one that leads back."""


def cells_first(table: Tensor) -> Tensor:
    """From ``(..., cells, actions)`` to ``(actions, cells, ...)``."""
    return table.movedim((-1, -2), (0, 1)).contiguous()


def move_weights(probabilities: Tensor, world: Gridworld, layout: Tensor) -> Tensor:
    """The probability of each move from each cell under a policy; 0 on objects, which end an episode, and on walls.

    Args:
        probabilities: of the actions, float ``(actions, cells, ...)``.
        world: the tables.
        layout: long ``(...)``, or broadcastable to it.

    Returns:
        float ``(moves, cells, ...)``; differentiable in the probabilities.
    """

    def number(table: Tensor) -> Tensor:  # since a product with a truth value first turns it into one, each time
        return table.to(probabilities.dtype, memory_format=torch.contiguous_format)

    going_on = number(free_cells(world, layout).movedim(-1, 0))  # (cells, ...)
    leads_on = entries(world.leads_on, entries(world.map_index, layout)).movedim((-1, -2), (0, 1))
    leaving = number(leads_on) * going_on  # (actions, cells, ...)
    staying = going_on - leaving
    return torch.cat([probabilities * leaving, (probabilities * staying).sum(0, keepdim=True)])


def after_moves(table: Tensor, world: Gridworld, layout: Tensor) -> Tensor:
    """The table's entry at the cell that each action leads to, ``(actions, cells, ...)``.

    Args:
        table: float ``(cells, ...)``; the result is differentiable in it.
        world: the tables.
        layout: long ``(...)``, or broadcastable to it.
    """
    zeros = table.new_zeros(world.width, *table.shape[1:])
    ahead = _ahead(torch.cat([zeros, table, zeros])[None], world.width)
    leads_on = cells_first(entries(world.leads_on, entries(world.map_index, layout)))
    return torch.where(leads_on, torch.cat(ahead[:-1]), table)


def on_objects(amount: Tensor, world: Gridworld, layout: Tensor) -> Tensor:
    """Puts an amount for each object (``(layouts, objects)``) on its cell and zero elsewhere, ``(cells, ...)``."""
    table = amount.new_zeros(world.cells, *layout.shape)
    cell, amount = (entries(of_layout, layout).movedim(-1, 0) for of_layout in (world.object_cell, amount))
    return table.scatter_(0, cell, amount)


def transposed(weights: Tensor, width: int) -> Tensor:
    """The weights of the transposed map: each move backwards, with the weight that it has at the cell it came from.

    Args:
        weights: float ``(moves, cells, ...)``.
        width: of the grid.
    """
    padded = weights.new_zeros(len(weights), weights.shape[1] + 2 * width, *weights.shape[2:])
    padded[:, width:-width] = weights
    return torch.stack([ahead[back] for ahead, back in zip(_ahead(padded, width), BACK, strict=True)])


def powers(weights: Tensor, start: Tensor, width: int, number: int) -> Tensor:
    """The array after 0, 1, 2, ... moves: ``x, W x, W W x, ...``.

    Args:
        weights: W, float ``(moves, cells, ...)``.
        start: x, float ``(cells, ...)``.
        width: of the grid.
        number: how many terms, at least 1.

    Returns:
        float ``(number, cells, ...)``.
    """
    return _repeated(weights, start, None, width, number)[:, width:-width]


def _repeated(weights: Tensor, start: Tensor, added: Tensor | None, width: int, number: int) -> Tensor:
    """``x_0 = start`` and ``x_k = added + W x_{k-1}``, with zeros around: ``(number, width + cells + width, ...)``."""
    padded = start.new_empty(number, len(start) + 2 * width, *start.shape[1:])
    padded[:, :width] = padded[:, -width:] = 0
    cells = padded[:, width:-width].unbind()
    ahead = zip(*(views.unbind() for views in _ahead(padded, width)), strict=True)
    first, *others = weights.unbind()
    cells[0].copy_(start)
    for moved, (value, *values) in zip(cells[1:], ahead, strict=False):
        if added is None:
            torch.mul(first, value, out=moved)
        else:
            torch.addcmul(added, first, value, out=moved)
        for weight, value in zip(others, values, strict=True):
            moved.addcmul_(weight, value)
    return padded


def _ahead(padded: Tensor, width: int) -> list[Tensor]:
    """The entries one move ahead of each cell, for each of the five moves.

    Args:
        padded: float ``(number, width + cells + width, ...)``.
        width: of the grid.

    Returns:
        for each move, a view ``(number, cells, ...)``.
    """
    cells = padded.shape[1] - 2 * width
    return [padded[:, width + by : width + by + cells] for by in (-width, width, -1, 1, 0)]


class _Total(Function):
    """See :func:`total`."""

    @staticmethod
    def forward(ctx, weights: Tensor, start: Tensor, width: int, number: int) -> Tensor:
        sums = _repeated(weights, start, start, width, number)  # sums[j]: x + ... + W^j x
        ctx.save_for_backward(weights, sums)
        ctx.width = width
        return sums[-1, width:-width].clone()

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, Tensor | None, None, None]:
        weights, sums = ctx.saved_tensors
        back = powers(transposed(weights, ctx.width), gradient, ctx.width, len(sums))  # back[i]: (W^T)^i g
        last_first, by_weights = back[:-1].flip(0), torch.empty_like(weights)
        for by_move, values in zip(by_weights, _ahead(sums[:-1], ctx.width), strict=True):
            torch.sum(last_first * values, 0, out=by_move)
        return by_weights, back.sum(0) if ctx.needs_input_grad[1] else None, None, None


def total(weights: Tensor, start: Tensor, width: int, number: int) -> Tensor:
    r"""The sum of :func:`powers`, ``x + W x + W W x + ...``, ``(cells, ...)``, with its derivative by hand.

    If g is the gradient of a loss by this sum of n terms, then that by x is :math:`\sum_{i<n} (W^T)^i g`, and that by
    W is :math:`\sum_{i+j<n-1} (W^T)^i g \, (W^j x)^T`, of which only the entries for the five moves are needed.
    """
    return _Total.apply(weights, start, width, number)
