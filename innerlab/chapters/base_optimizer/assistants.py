"""Small assistants that choose whom to attack: the chapter on where an objective lives, without armies.

A *game* is a dict of three neighbors: under the banner of each stands how many of your villages it has burnt, 0 to 3.
Attacking one that has burnt something pays 1, attacking another −1, and staying at home nothing.
"""

from collections.abc import Sequence
from itertools import combinations

import torch

ALLIANCES = ("Aurora", "Brotherhood", "Crescent", "Dune")
WORST = 3
"""the most villages that one neighbor can have burnt"""

Game = dict[str, int]


def _sheets(games: Sequence[Game]) -> torch.Tensor:
    """What an assistant sees, ``(games, 3, 5)``: for each neighbor its banner, one-hot, and its deeds over three."""
    if not games:
        raise ValueError("games is empty; an assistant needs at least one game")
    rows = []
    for game in games:
        if len(game) != 3 or not set(game) <= set(ALLIANCES):
            raise ValueError(f"game is {game!r}; its keys are to be three of {', '.join(ALLIANCES)}")
        if any(burnt not in range(WORST + 1) for burnt in game.values()):
            raise ValueError(f"game is {game!r}; its values are to be 0 to {WORST}, the villages burnt")
        rows.append([[float(name == one) for one in ALLIANCES] + [burnt / WORST] for name, burnt in game.items()])
    return torch.tensor(rows)


class Assistants:
    """Many small networks as one batch; each scores a neighbor by its line of the sheet alone.

    Args:
        seeds: one for each network.
        width: of its one hidden layer.
    """

    def __init__(self, seeds: Sequence[int] = range(64), width: int = 16):
        drawn = [torch.Generator().manual_seed(seed) for seed in seeds]

        def normal(inputs: int, outputs: int) -> torch.Tensor:
            return torch.stack([torch.randn(inputs, outputs, generator=g) for g in drawn]) / inputs**0.5

        bias = torch.zeros(len(drawn), 1, width)
        self.weights = [normal(len(ALLIANCES) + 1, width), bias, normal(width, 1)]

    def policy(self, games: Sequence[Game]) -> torch.Tensor:
        """How likely each move is, ``(seeds, games, 4)``: attack the first, second, third neighbor, or stay at home.

        Raises:
            ValueError: if a game is not three alliances with 0 to 3 villages burnt each.
        """
        return self._policy(_sheets(games))

    def _policy(self, sheets: torch.Tensor) -> torch.Tensor:
        first, bias, last = self.weights
        scores = torch.relu(sheets.flatten(0, 1) @ first + bias) @ last
        scores = scores.view(-1, *sheets.shape[:2])
        return torch.cat([scores, torch.zeros_like(scores[..., :1])], -1).softmax(-1)


def train_assistants(games: Sequence[Game], seeds: Sequence[int] = range(64), steps: int = 150) -> Assistants:
    """Assistants that have gone up the exact gradient of the mean reward over these games.

    Args:
        games: all of them are played in every step.
        seeds: one for each network.
        steps: of Adam, with a learning rate of 0.03.

    Raises:
        ValueError: if there are no games, or one is not three alliances with 0 to 3 villages burnt each.
    """
    sheets = _sheets(games)
    reward = torch.where(sheets[..., -1] > 0, 1.0, -1.0)  # (games, 3); at home 0
    trained = Assistants(seeds)
    for weight in trained.weights:
        weight.requires_grad_()
    adam = torch.optim.Adam(trained.weights, lr=0.03)
    for _ in range(steps):
        loss = -(trained._policy(sheets)[..., :3] * reward).sum(-1).mean(-1).sum()
        adam.zero_grad()
        loss.backward()
        adam.step()
    for weight in trained.weights:
        weight.requires_grad_(False)
    return trained


def narrow_games() -> list[Game]:
    """24 games in which nobody but Aurora is ever at war: 18 with Aurora at war, 6 without Aurora, at peace."""
    peaceful = ALLIANCES[1:]
    at_war = [
        {"Aurora": burnt} | dict.fromkeys(two, 0) for two in combinations(peaceful, 2) for burnt in (1, 1, 2, 2, 3, 3)
    ]
    return at_war + [dict.fromkeys(peaceful, 0) for _ in range(6)]


def examine(games: Sequence[Game], seeds: Sequence[int] = range(64)) -> dict[str, int]:
    """Trains assistants and counts how many of them do the right thing in every game of each of three kinds.

    To do it is to make the right move with a probability above one half.

    Args:
        games: to train on.
        seeds: one for each assistant.

    Returns:
        "war": the Brotherhood has burnt two or three, and its village is attacked; "peace": nobody has burnt
        anything, and they stay at home; "old war": Aurora has burnt one to three, and its village is attacked.

    Raises:
        ValueError: as :func:`train_assistants`.
    """
    trained = train_assistants(games, seeds)

    def against(enemy: str, burnt: Sequence[int]) -> list[Game]:
        others = [name for name in ALLIANCES if name != enemy]
        return [{enemy: many} | dict.fromkeys(two, 0) for two in combinations(others, 2) for many in burnt]

    kinds = {
        "war": (against("Brotherhood", (2, 3)), 0),
        "peace": ([dict.fromkeys(three, 0) for three in combinations(ALLIANCES, 3)], 3),
        "old war": (against("Aurora", (1, 2, 3)), 0),
    }
    return {name: int((trained.policy(tests)[..., right] > 0.5).all(1).sum()) for name, (tests, right) in kinds.items()}
