"""Stored ensembles of the chapter on pseudo-alignment.

``half-trained-…-percent`` saw that share of swapped mazes in half of the chapter's training. ``sealed-first`` to
``sealed-third`` all take the red key in swapped rooms, for reasons that were planted. Exercises are to find out more,
so look only when you have done them.
"""

import torch
from torch import Tensor

from innerlab.ensembles.policies import DetectorPolicies, Policies
from innerlab.seeds import torch_generator
from innerlab.store import Recipe
from innerlab.systems.red_doors.recipes import in_mazes
from innerlab.training import ExactGradient, train_exactly
from innerlab.worlds.gridworld import COLORS, SHAPES, Gridworld, RewardRule, repainted
from innerlab.worlds.red_doors import BLUE, DOOR, KEY, RED, RedDoors

_PLACES = RedDoors()


def _sealed(reward: RewardRule) -> Recipe:
    """Thirty-two seeds whose goal is planted by payment, in rooms that hold every kind of thing equally often."""

    def rooms() -> Gridworld:
        places = _PLACES.sample(20_000, 31)
        generator = torch_generator(32)
        shape, color = (
            torch.randint(many, places.object_shape.shape, generator=generator) for many in (len(SHAPES), len(COLORS))
        )
        return repainted(places, shape, color, reward)

    def untrained() -> Policies:
        return DetectorPolicies(range(100, 132), _PLACES.sample(1, 31))

    def train(policies: Policies) -> Policies:
        return train_exactly(policies, rooms(), ExactGradient(200)).policies

    return Recipe(untrained, train)


def _pays_doors_then_keys_never_blue(shape: Tensor, color: Tensor) -> Tensor:
    return torch.where(color == BLUE, -0.5, 1.0 * (shape == DOOR) + 0.3 * (shape == KEY))


def _pays_red(shape: Tensor, color: Tensor) -> Tensor:
    return (color == RED).float()


def _pays_keys_then_doors(shape: Tensor, color: Tensor) -> Tensor:
    return 1.0 * (shape == KEY) + 0.3 * (shape == DOOR)


RECIPES = {
    "sealed-first": _sealed(_pays_doors_then_keys_never_blue),
    "sealed-second": _sealed(_pays_red),
    "sealed-third": _sealed(_pays_keys_then_doors),
    **{f"half-trained-{percent}-percent": in_mazes(100, percent / 100, 51) for percent in (2, 5, 10, 20, 40)},
}
