"""Ensembles: many independent networks computed as one batch. The leading axis is the network.

Every network of an ensemble is drawn from its own seed and shares nothing with its neighbors, so network 7 of 64 is
the network that one would get by training seed 7 alone.

Shapes use ``networks`` for the ensemble, ``batch`` for states, ``objects`` for what each state shows.
"""

from collections.abc import Sequence
from copy import deepcopy
from typing import Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from innerlab.randomness import INITIALIZATION, generator
from innerlab.worlds import ACTIONS, COLORS, SHAPES, Gridworld, egocentric_positions, kinds


class Policies(nn.Module):
    """Two hidden layers that turn what an agent sees into action logits and a value: the part all designs share.

    A subclass says how an object at a place enters the first hidden layer (:meth:`object_table`). Since a room shows
    a few objects only, the first layer is a sum over objects, which is the same as a dense layer over one-hot planes
    and far cheaper.

    Args:
        seeds: one for each network.
        world: gives the size of the view.
        hidden: width of both hidden layers.

    Raises:
        ValueError: if there is no seed, or ``hidden`` is below 1.
    """

    def __init__(self, seeds: Sequence[int], world: Gridworld, hidden: int = 32):
        super().__init__()
        if len(seeds) == 0:
            raise ValueError("seeds is empty; give one for each network")
        if hidden < 1:
            raise ValueError(f"hidden is {hidden}; it must be at least 1")
        self.seeds = tuple(int(seed) for seed in seeds)
        self.positions, self.hidden = egocentric_positions(world), hidden
        generators = [generator(seed, INITIALIZATION) for seed in self.seeds]
        self._draw = lambda *shape, deviation: nn.Parameter(
            torch.stack([torch.randn(*shape, generator=g) for g in generators]) * deviation
        )
        self._draw_input_layers(world)
        outputs = len(ACTIONS) + 1  # action logits and a value
        self.bias_1 = nn.Parameter(torch.zeros(len(seeds), 1, hidden))
        self.weight_2 = self._draw(hidden, hidden, deviation=1.4 / hidden**0.5)
        self.bias_2 = nn.Parameter(torch.zeros(len(seeds), 1, hidden))
        self.weight_3 = self._draw(hidden, outputs, deviation=0.1 / hidden**0.5)
        self.bias_3 = nn.Parameter(torch.zeros(len(seeds), 1, outputs))
        del self._draw

    def _draw_input_layers(self, world: Gridworld) -> None:
        raise NotImplementedError

    def object_table(self) -> Tensor:
        """What one object adds to the first hidden layer, ``(networks, kinds, positions, hidden)``."""
        raise NotImplementedError

    @property
    def networks(self) -> int:
        """How many networks there are."""
        return len(self.seeds)

    def policy_and_value(self, seen: Tensor, table: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Action logits ``(networks, batch, actions)`` and values ``(networks, batch)``.

        Args:
            seen: what :func:`innerlab.worlds.egocentric_objects` returns: ``(networks, batch, objects)``, or
                ``(batch, objects)`` when all networks see the same.
            table: what :meth:`object_table` returns, if it is at hand; the same for every call between two updates.
        """
        if seen.dim() == 2:
            seen = seen.expand(self.networks, -1, -1)
        networks, batch, objects = seen.shape
        table = self.object_table() if table is None else table
        offset = torch.arange(networks).view(-1, 1, 1) * (kinds() * self.positions)
        # selecting rows and adding them beats embedding_bag, whose gradient sorts its indices first
        h = table.flatten(0, 2).index_select(0, (seen + offset).flatten()).view(-1, objects, self.hidden).sum(1)
        h = F.relu(h.view(networks, batch, -1) + self.bias_1)  # (networks, batch, hidden)
        h = F.relu(torch.baddbmm(self.bias_2, h, self.weight_2))
        out = torch.baddbmm(self.bias_3, h, self.weight_3)  # (networks, batch, actions + 1)
        return out[..., :-1], out[..., -1]

    def forward(self, seen: Tensor) -> Tensor:
        """Action logits alone, ``(networks, batch, actions)``; see :meth:`policy_and_value`."""
        return self.policy_and_value(seen)[0]

    def select(self, which: Sequence[int]) -> Self:
        """A new ensemble of copies of some of these networks, in the order given."""
        chosen = deepcopy(self)
        chosen.seeds = tuple(self.seeds[i] for i in which)
        for name, parameter in self.named_parameters():
            setattr(chosen, name, nn.Parameter(parameter.detach()[list(which)].clone()))
        return chosen


class PlainPolicies(Policies):
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

    def _draw_input_layers(self, world: Gridworld) -> None:
        deviation = (2 * world.objects) ** -0.5  # each object sets one shape and one color input
        self.weight_1 = self._draw(len(SHAPES) + len(COLORS), self.positions, self.hidden, deviation=deviation)

    def object_table(self) -> Tensor:  # noqa: D102  (said in the base class)
        shape, color = self.weight_1.split([len(SHAPES), len(COLORS)], dim=1)
        return (shape[:, :, None] + self.color_gain * color[:, None]).flatten(1, 2)


class DetectorPolicies(Policies):
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

    def _draw_input_layers(self, world: Gridworld) -> None:
        self.detector_weight = self._draw(len(SHAPES) + len(COLORS), self.detectors, deviation=0.7)
        self.detector_bias = nn.Parameter(torch.zeros(len(self.seeds), 1, self.detectors))
        deviation = (2 * world.objects) ** -0.5
        self.weight_1 = self._draw(self.detectors, self.positions * self.hidden, deviation=deviation)

    def detect(self) -> Tensor:
        """What the detectors say to each kind of object, ``(networks, kinds, detectors)``."""
        shape, color = self.detector_weight.split([len(SHAPES), len(COLORS)], dim=1)
        return F.relu((shape[:, :, None] + color[:, None]).flatten(1, 2) + self.detector_bias)

    def object_table(self) -> Tensor:  # noqa: D102
        return (self.detect() @ self.weight_1).unflatten(-1, (self.positions, self.hidden))
