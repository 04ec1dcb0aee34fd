"""Playing along: as a decision, as something learned over lifetimes, and in a planner that models its training."""

from innerlab.deception.decision import (
    compliance_episodes,
    complies_on_cue,
    cue_value,
    deployment_value,
    goal_intact_probability,
)
from innerlab.deception.lifetimes import RecurrentAgents, climb
from innerlab.deception.planner import deceptive_basin, descend, goals, normal_batches

__all__ = [
    "RecurrentAgents",
    "climb",
    "compliance_episodes",
    "complies_on_cue",
    "cue_value",
    "deceptive_basin",
    "deployment_value",
    "descend",
    "goal_intact_probability",
    "goals",
    "normal_batches",
]
