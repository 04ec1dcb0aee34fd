"""Agents trained on red doors, as the chapter on pseudo-alignment trains them, by design: 64 seeds each."""

from collections.abc import Callable

from innerlab.ensembles.policies import DetectorPolicies, PlainPolicies, Policies, ScentPolicies
from innerlab.store import Recipe
from innerlab.training import ExactGradient, train_exactly
from innerlab.worlds.mazes import RedDoorMazes
from innerlab.worlds.red_doors import RedDoors

_ROOMS, _TOLD_APART = RedDoors(), RedDoors(swapped_share=0.25)


def in_rooms(
    design: Callable[..., Policies], steps: int, rooms: RedDoors = _ROOMS, rooms_seed: int = 1, **options: float
) -> Recipe:
    """A recipe for sixty-four seeds of a design, trained in rooms.

    Args:
        design: makes the networks from seeds, a world and options, such as the class ``PlainPolicies``.
        steps: gradient steps.
        rooms: the kind of rooms to train in.
        rooms_seed: from which the rooms are drawn.
        options: of the design.
    """

    def untrained() -> Policies:
        return design(range(64), rooms.sample(1, rooms_seed), **options)  # of the world, only the size counts

    def train(policies: Policies) -> Policies:
        return train_exactly(policies, rooms.sample(20_000, rooms_seed), ExactGradient(steps)).policies

    return Recipe(untrained, train)


def in_mazes(steps: int, swapped_share: float = 0.0, mazes_seed: int = 6) -> Recipe:
    """A recipe for sixty-four seeds of :class:`ScentPolicies`, trained in mazes.

    Args:
        steps: gradient steps.
        swapped_share: the share of mazes in which door and key trade colors.
        mazes_seed: from which the mazes are drawn.
    """

    def train(policies: Policies) -> Policies:
        settings = ExactGradient(steps, layouts=4, learning_rate=2e-2, sweeps=20)
        mazes = RedDoorMazes(swapped_share=swapped_share).sample(3_000, mazes_seed)
        return train_exactly(policies, mazes, settings).policies

    return Recipe(lambda: ScentPolicies(range(64)), train)


RECIPES = {
    "plain": in_rooms(PlainPolicies, 100),
    "salient": in_rooms(PlainPolicies, 100, color_gain=1.5),
    "detectors": in_rooms(DetectorPolicies, 200),
    "plain-told-apart": in_rooms(PlainPolicies, 100, _TOLD_APART, rooms_seed=6),
    "detectors-told-apart": in_rooms(DetectorPolicies, 200, _TOLD_APART, rooms_seed=6),
    "mazes": in_mazes(200),
}
