"""The least that a training iteration could take on this machine, at its own rates of arithmetic and of memory.

The bound is that of the roofline model (Williams, Waterman and Patterson 2009, https://doi.org/10.1145/1498765.1498785):
arithmetic and traffic may overlap, so that the slower of the two is the least.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks
from torch.utils.flop_counter import FlopCounterMode

FLOAT = 4
"""bytes"""
EDGE = 1024
"""of the square matrices by whose product arithmetic is measured"""
COPIED = 2**26
"""floats that are copied to measure memory: many times what caches hold"""
PER_PARAMETER = 9
"""times that an iteration must move each parameter: read once, its gradient written and read, and by Adam the
parameter and both of its moments read and written"""


@dataclass(frozen=True)
class Work:
    """The arithmetic and the memory traffic of a computation.

    Attributes:
        operations: on floats, in products of matrices; additions elsewhere are not counted.
        traffic: bytes that it must read or write if nothing stays in a cache from one use to the next.
    """

    operations: int
    traffic: int

    def bound(self, operations_a_second: float, bytes_a_second: float) -> float:
        """The least seconds that this work takes at these rates."""
        return max(self.operations / operations_a_second, self.traffic / bytes_a_second)


def work_of(step: Callable[[], object], parameters: int) -> Work:
    """Counts the work of one training step while it runs.

    Args:
        step: takes one step, forward and backward, and lets Adam move the parameters.
        parameters: how many there are.

    Returns:
        the operations that PyTorch counts, and the traffic: what is kept for the way back is written once and read
        once, each parameter is moved as often as :data:`PER_PARAMETER` says.
    """
    with FlopCounterMode(display=False) as counter, _counting() as kept:
        step()
    return Work(counter.get_total_flops(), 2 * sum(kept.values()) + PER_PARAMETER * FLOAT * parameters)


@contextmanager
def _counting() -> Iterator[dict[tuple[int, int], int]]:
    """Collects the bytes of all tensors saved for the backward pass, each once, parameters excluded."""
    kept: dict[tuple[int, int], int] = {}

    def keep(tensor: Tensor) -> Tensor:
        if not (tensor.is_leaf and tensor.requires_grad):
            size = tensor.numel() * tensor.element_size()
            kept[tensor.data_ptr(), size] = size
        return tensor

    with saved_tensors_hooks(keep, lambda tensor: tensor):
        yield kept


def multiply() -> Callable[[], object]:
    """A job of :data:`MULTIPLIED` operations."""
    generator = torch.Generator().manual_seed(0)
    one, other = (torch.randn(EDGE, EDGE, generator=generator) for _ in range(2))
    out = torch.empty(EDGE, EDGE)
    return lambda: torch.mm(one, other, out=out)


MULTIPLIED = 2 * EDGE**3


def copy() -> Callable[[], object]:
    """A job that reads and writes :data:`MOVED` bytes."""
    source, target = torch.ones(COPIED), torch.empty(COPIED)
    return lambda: target.copy_(source)


MOVED = 2 * FLOAT * COPIED
