"""Worlds: batched, table-driven, each with the reward trained on and the reward intended."""

from innerlab.worlds.gridworld import (
    ACTIONS,
    COLORS,
    SHAPES,
    Gridworld,
    State,
    Successors,
    Transition,
    egocentric_objects,
    egocentric_planes,
    egocentric_positions,
    egocentric_walls,
    free_cells,
    gridworld,
    kinds,
    repainted,
    reset,
    step,
    successors,
)
from innerlab.worlds.layouts import from_text, to_text
from innerlab.worlds.mazes import RedDoorMazes
from innerlab.worlds.red_doors import OUTCOMES, RedDoors, door_reward, outcome_of_objects
from innerlab.worlds.scents import scents

__all__ = [
    "ACTIONS",
    "COLORS",
    "OUTCOMES",
    "SHAPES",
    "Gridworld",
    "RedDoorMazes",
    "RedDoors",
    "State",
    "Successors",
    "Transition",
    "door_reward",
    "egocentric_objects",
    "egocentric_planes",
    "egocentric_positions",
    "egocentric_walls",
    "free_cells",
    "from_text",
    "gridworld",
    "kinds",
    "outcome_of_objects",
    "repainted",
    "reset",
    "scents",
    "step",
    "successors",
    "to_text",
]
