"""Small assistants that choose whom to attack: the chapter on where an objective lives, without armies.

A *game* is a dict of three neighbors: under the banner of each stands how many of your villages it has burnt, 0 to 3.
Attacking one that has burnt something pays 1, attacking another −1, and staying at home nothing.
"""

from collections.abc import Sequence
from functools import partial
from itertools import combinations

import torch
from torch import Tensor, nn

from innerlab.ensembles.base import Ensemble, standard_normal, train
from innerlab.seeds import torch_generator

ALLIANCES = ("Aurora", "Brotherhood", "Crescent", "Dune")
WORST = 3
"""the most villages that one neighbor can have burnt"""

Game = dict[str, int]


def _sheets(games: Sequence[Game]) -> Tensor:
    """Observations, float ``(games, 3, 5)``: for each neighbor its banner, one-hot, and its deeds over three."""
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


class AssistantPolicies(Ensemble):
    """Small networks that score each neighbor by its line of the sheet alone.

    Args:
        seeds: one for each network.
        hidden: width of the one hidden layer.

    Raises:
        ValueError: if there is no seed, or one is negative.
    """

    def __init__(self, seeds: Sequence[int] = range(64), hidden: int = 16):
        super().__init__(seeds)
        draw = partial(standard_normal, [torch_generator(seed) for seed in self.seeds])
        inputs = len(ALLIANCES) + 1
        self.weight_1 = nn.Parameter(draw(inputs, hidden) / inputs**0.5)
        self.bias_1 = nn.Parameter(torch.zeros(self.networks, 1, hidden))
        self.weight_2 = nn.Parameter(draw(hidden, 1) / hidden**0.5)

    @torch.no_grad()
    def policy(self, games: Sequence[Game]) -> Tensor:
        """The probability of each move, float ``(networks, games, 4)``.

        The moves are to attack the first, the second or the third neighbor, and to stay at home.

        Raises:
            ValueError: if a game is not three alliances with 0 to 3 villages burnt each.
        """
        return self(_sheets(games))

    def forward(self, sheets: Tensor) -> Tensor:
        """The probability of each move, float ``(networks, games, 4)``, from sheets ``(games, 3, inputs)``."""
        lines = sheets.flatten(0, 1)  # (games * 3, inputs)
        h = torch.relu(lines @ self.weight_1 + self.bias_1)  # (networks, games * 3, hidden)
        scores = (h @ self.weight_2).view(-1, *sheets.shape[:2])  # (networks, games, 3)
        return torch.cat([scores, torch.zeros_like(scores[..., :1])], -1).softmax(-1)


def train_assistants(games: Sequence[Game], seeds: Sequence[int] = range(64), steps: int = 150) -> AssistantPolicies:
    """Train assistants by the exact gradient of the mean reward over games.

    Args:
        games: all of them are played in every step.
        seeds: one for each network.
        steps: of Adam, with a learning rate of 0.03.

    Raises:
        ValueError: if there are no games, or one is not three alliances with 0 to 3 villages burnt each.
    """
    sheets = _sheets(games)
    reward = torch.where(sheets[..., -1] > 0, 1.0, -1.0)  # (games, 3); staying at home pays 0
    assistants = AssistantPolicies(seeds)

    def loss(step: int) -> Tensor:
        return -(assistants(sheets)[..., :3] * reward).sum(-1).mean(-1)  # (networks,)

    train(assistants, loss, steps, 0.03, fused=False)
    return assistants


def narrow_games() -> list[Game]:
    """24 games in which nobody but Aurora is ever at war: 18 with Aurora at war, 6 without Aurora, at peace."""
    peaceful = ALLIANCES[1:]
    at_war = [
        {"Aurora": burnt} | dict.fromkeys(two, 0) for two in combinations(peaceful, 2) for burnt in (1, 1, 2, 2, 3, 3)
    ]
    return at_war + [dict.fromkeys(peaceful, 0) for _ in range(6)]


def examine(games: Sequence[Game], seeds: Sequence[int] = range(64)) -> dict[str, int]:
    """Train assistants and count how many of them do the right thing in every game of each of three kinds.

    The right thing is done if the right move has a probability above one half.

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
