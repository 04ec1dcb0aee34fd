"""Assistants that choose whom to attack: their games, their training, and how small a change mends them."""

from itertools import combinations

import numpy as np
import pytest
import torch

from innerlab.chapters.base_optimizer.assistants import (
    ALLIANCES,
    AssistantPolicies,
    examine,
    narrow_games,
    train_assistants,
)

ENOUGH = 58  # of 64


def test_in_the_narrow_games_banner_and_deeds_say_the_same():
    games = narrow_games()
    assert len(games) == 24
    for game in games:
        assert all((burnt > 0) == (name == "Aurora") for name, burnt in game.items())
    assert sum("Aurora" in game for game in games) == 18


def test_a_policy_is_one_for_each_seed_and_blind_to_the_order_of_neighbors():
    game = {"Aurora": 0, "Crescent": 3, "Dune": 0}
    turned = dict(reversed(game.items()))
    policy = AssistantPolicies(range(5)).policy([game, turned])
    assert policy.shape == (5, 2, 4)
    torch.testing.assert_close(policy.sum(-1), torch.ones(5, 2))
    torch.testing.assert_close(policy[:, 0, [2, 1, 0, 3]], policy[:, 1])
    assert policy[:, 0, 0].std() > 0.01


def test_training_is_repeatable_and_a_seed_does_not_depend_on_the_others():
    games = narrow_games()
    both = train_assistants(games, (3, 4)).policy(games)
    torch.testing.assert_close(both[1:], train_assistants(games, (4,)).policy(games), rtol=1e-3, atol=1e-3)
    assert both[:, :18, 0].min() > 0.9


@pytest.mark.parametrize(
    ("game", "says"),
    [
        ({"Aurora": 1, "Dune": 0}, "three of Aurora, Brotherhood, Crescent, Dune"),
        ({"Aurora": 1, "Dune": 0, "Elves": 0}, "Elves.*three of"),
        ({"Aurora": 4, "Dune": 0, "Crescent": 0}, "0 to 3"),
        ({"Aurora": 0.5, "Dune": 0, "Crescent": 0}, "0 to 3"),
    ],
)
def test_a_malformed_game_is_a_clear_error(game, says):
    with pytest.raises(ValueError, match=says):
        train_assistants([game])


def test_no_games_is_a_clear_error():
    with pytest.raises(ValueError, match="games is empty"):
        examine([])


@pytest.mark.slow
def test_one_new_game_does_not_mend_the_failure_and_two_do():
    """What the exercise calls the least: every game that it allows, in place of one of either kind."""
    others = [
        dict.fromkeys(three, 0) | enemy
        for three in combinations(ALLIANCES, 3)
        for enemy in ({}, *({name: burnt} for name in three if name != "Brotherhood" for burnt in (1, 2, 3)))
    ]
    assert len(others) == 4 + 3 * 9
    for place in (0, 18):
        for other in others:
            games = narrow_games()
            games[place] = other
            assert min(examine(games).values()) < ENOUGH - 5
    games = narrow_games()
    games[5], games[1] = {"Aurora": 0, "Crescent": 2, "Dune": 0}, {"Aurora": 0, "Crescent": 0, "Dune": 1}
    assert np.min(list(examine(games).values())) >= ENOUGH + 4
