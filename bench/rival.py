"""How long one agent of Stable-Baselines3 takes to learn what our ensembles learn."""

import time
from typing import Any

import gymnasium
import numpy as np
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.logger import Logger

WORLD = "innerlab.worlds.environments:innerlab/RedDoors-v0"
COPIES = 16
SETTINGS: dict[str, Any] = {
    "n_steps": 64,
    "batch_size": 256,
    "n_epochs": 4,
    "learning_rate": 1e-3,
    "gamma": 0.95,
    "ent_coef": 0.01,
}
"""of PPO, with which it learns this world; others were not compared"""
LONGEST = 60
"""steps after which every room is over"""


class _Watch(BaseCallback):
    """Ends the run when the agent reaches the door in enough rooms; the time that this takes to see is not counted."""

    def __init__(self, unseen, enough: float, every: int):
        super().__init__()
        self.unseen, self.enough, self.every = unseen, enough, every
        self.testing = 0.0
        self.learned = False

    def _on_rollout_end(self) -> None:
        if self.num_timesteps % self.every < COPIES * SETTINGS["n_steps"]:
            begun = time.process_time()
            self.learned = door_share(self.model, self.unseen) >= self.enough
            self.testing += time.process_time() - begun

    def _on_step(self) -> bool:
        return not self.learned


def new_agent(seed: int) -> PPO:
    """An agent of this seed with copies of the world to learn in, which are its ``env``."""
    training = make_vec_env(WORLD, COPIES, seed=seed, env_kwargs={"render_mode": None})
    model = PPO("MlpPolicy", training, seed=seed, device="cpu", **SETTINGS)
    model.set_logger(Logger(None, []))  # or it leaves a folder behind
    return model


def door_share(model, rooms) -> float:
    """The share of rooms in which a model ends at the door; each room is played once."""
    obs, _ = rooms.reset(seed=1, options={"layout": np.arange(rooms.num_envs)})
    over, reached = np.zeros(rooms.num_envs, bool), np.zeros(rooms.num_envs)
    for _ in range(LONGEST):
        obs, reward, terminated, truncated, _ = rooms.step(model.predict(obs)[0])
        reached += reward * ~over
        over |= terminated | truncated
    assert over.all()
    return float(reached.mean())


def seconds_to_learn(seed: int, steps: int, unseen: int, enough: float = 0.95, every: int = 4096) -> float | None:
    """CPU seconds that one agent trains, tests left out, until it reaches the door in enough unseen rooms.

    Args:
        seed: of the agent.
        steps: of the world, at most.
        unseen: rooms in which it is tested.
        enough: the share of them in which it must end at the door.
        every: steps of the world between two tests, about.

    Returns:
        The seconds; None if the agent does not reach the door in enough rooms within these steps.
    """
    rooms = gymnasium.make_vec(WORLD, num_envs=unseen, layouts=unseen, layouts_seed=2)
    watch = _Watch(rooms, enough, every)
    model = new_agent(seed)
    begun = time.process_time()
    model.learn(steps, watch)
    taken = time.process_time() - begun - watch.testing
    if model.env is not None:
        model.env.close()
    rooms.close()
    return taken if watch.learned else None
