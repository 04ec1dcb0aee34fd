"""The exercises on where the objective lives: what is asked, and what judges the answers."""

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from innerlab.chapters.base_optimizer.assistants import ALLIANCES, WORST, Game, examine, narrow_games, train_assistants
from innerlab.checks.judging import Case, Exercise, Lesson
from innerlab.checks.values import Array, Choice, Fields, Items, Misfit, Number

REWARD = "Where the reward is"
FAILURES = "Two failures"
LEARNED = "What was learned?"
EVOLUTION = "Evolution, an analogy"
GOODHART = "Goodhart's law, with three slopes"


def _tensor(array: Any, dtype: str = "float64") -> dict:
    return {"tensor": np.asarray(array, dtype=dtype).tolist(), "dtype": dtype}


def _near(value: Any, other: Any) -> bool:
    return bool(np.allclose(value, other, rtol=1e-4, atol=1e-5, equal_nan=True))


def _softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


# Predict before each intervention

HOME = "home"
PREDICTED: dict[str, Game] = {
    "old and new enemy": {"Aurora": 1, "Brotherhood": 3, "Crescent": 0},
    "two new enemies": {"Brotherhood": 3, "Crescent": 3, "Dune": 0},
    "a stranger at peace": {"Brotherhood": 0, "Crescent": 0, "Dune": 0},
}


@cache
def _predicted() -> dict[str, np.ndarray]:
    """The assistants' mean probability of each move in the games of the prediction."""
    known = train_assistants(narrow_games())
    stranger = train_assistants([game for game in narrow_games() if "Brotherhood" not in game])
    return {
        name: (stranger if "stranger" in name else known).policy([game])[:, 0].mean(0).numpy()
        for name, game in PREDICTED.items()
    }


def _judge_prediction(case: Case, value: dict) -> Lesson | None:
    for name, shares in value.items():
        total = sum(shares.values())
        if abs(total - 1) > 0.005:
            return Lesson(
                "adds-up",
                f"{name}: the four shares add up to {total:.3g}.",
                "An assistant makes exactly one of the four moves, and staying at home is one of them.",
                LEARNED,
            )
    return None


def _compare_prediction(values: list) -> str:
    lines = []
    for name, measured in _predicted().items():
        guessed = np.array(list(values[0][name].values()))
        shares = ", ".join(f"{move} {share:.2f}" for move, share in zip(values[0][name], measured, strict=True))
        lines.append(f"{name}: measured {shares}; {abs(guessed - measured).sum() / 2:.0%} of yours lies elsewhere")
    return "\n".join(lines)


# Which reward did this?


def _possible_case(shown: str, rewards: Any, moves: Any, trained: Any) -> Case:
    arguments = {"rewards": _tensor(rewards), "moves": _tensor(moves, "int64"), "trained": _tensor(trained, "bool")}
    return Case(arguments, shown, facts=tuple(map(np.asarray, (rewards, moves, trained))))


def _possible_cases(seed: int) -> list[Case]:
    random = np.random.default_rng(seed)
    cases = [
        _possible_case(
            "two rewards, one training game in which the first pays both moves alike",
            [[[1, 1]], [[0, 1]]],
            [1],
            [True],
        ),
        _possible_case("one reward that pays two moves alike, one training game", [[[2, 0, 2]]], [2], [True]),
        _possible_case(
            "two rewards; what was done outside of training suits the second",
            [[[1, 0], [1, 0], [1, 0]], [[0, 1], [0, 1], [0, 1]]],
            [0, 1, 1],
            [True, False, False],
        ),
        _possible_case(
            "two rewards that differ outside of training only",
            [[[1, 0], [1, 0]], [[1, 0], [0, 1]]],
            [0, 1],
            [True, False],
        ),
        _possible_case(
            "two rewards, of which the second pays more in all, but not the most in each game",
            [[[1, 0], [0, 1]], [[9, 0], [5, 4]]],
            [0, 1],
            [True, True],
        ),
        _possible_case("no training game at all", random.integers(-1, 2, (3, 2, 3)), [0, 2], [False, False]),
        _possible_case("two rewards, neither of which fits", [[[0, 3, 4]], [[-2, 1, 3]]], [1], [True]),
    ]
    for _ in range(5):
        games, options = int(random.integers(3, 7)), int(random.integers(2, 5))
        true = random.integers(-2, 3, (games, options))
        trained = random.permutation(np.arange(games) < random.integers(1, games))
        best = [int(random.choice(np.flatnonzero(pays == pays.max()))) for pays in true]
        moves = np.where(trained, best, random.integers(options, size=games))
        elsewhere = np.where(trained[:, None], true, random.integers(-2, 3, (games, options)))
        shifted = true + random.integers(-3, 4, (games, 1))
        flat = np.where(trained[:, None], 1, random.integers(-2, 3, (games, options)))
        other = random.integers(-2, 3, (2, games, options))
        candidates = random.permutation(np.stack([true, elsewhere, shifted, flat, *other, -true]))
        shown = f"{len(candidates)} rewards, {games} games, {trained.sum()} of them in training"
        cases.append(_possible_case(shown, candidates, moves, trained))
    return cases


def _judge_possible(case: Case, value: list) -> Lesson | None:
    rewards, moves, trained = case.facts
    most = rewards.max(-1)
    paid = rewards[:, np.arange(len(moves)), moves]
    is_best = paid == most
    right = {int(k) for k in np.flatnonzero(is_best[:, trained].all(-1))}
    given = set(value)
    if given == right and len(value) == len(right):
        return None
    if len(given) < len(value) or not given <= set(range(len(rewards))):
        return Lesson(
            "no-such-reward",
            f"There are rewards 0 to {len(rewards) - 1}, each to be named once at most.",
            "Asked for are the numbers of the rewards, not what they pay.",
        )
    firsts = rewards.argmax(-1) == moves
    totals = paid[:, trained].sum(-1)
    wrongs = (
        (
            is_best.all(-1),
            "deployment-counted",
            "What was done outside of training was never paid for, by any of them. It shows what was learned, and "
            "nothing about the reward.",
            FAILURES,
        ),
        (
            is_best[:, ~trained].all(-1),
            "wrong-games",
            "You seem to look at the games outside of training. Where does a reward enter?",
            REWARD,
        ),
        (
            firsts[:, trained].all(-1),
            "ties",
            "Where a reward pays two moves alike, either of them earns the most.",
            FAILURES,
        ),
        (
            totals == totals.max(),
            "pays-most",
            "That one reward pays more for these moves than another says nothing: rewards have no common unit. Ask of "
            "each whether another move would have earned more by that same reward.",
            FAILURES,
        ),
    )
    for possible, name, suggests, see in wrongs:
        nothing_elsewhere = name == "wrong-games" and trained.all()
        if given == {int(k) for k in np.flatnonzero(possible)} and not nothing_elsewhere:
            return Lesson(name, "These are not the rewards that could have trained it.", suggests, see)
    if given < right:
        return Lesson(
            "settled-too-soon",
            "There is another reward that could have trained it.",
            "If the training games do not tell two rewards apart, the honest answer holds both.",
            FAILURES,
        )
    return Lesson(
        "not-the-best-move",
        "There is a reward among them that could not have trained it, or one that could is missing.",
        "Go through the training games one by one: by this reward, did any other move pay more?",
        FAILURES,
    )


# The reward enters the update


def _update_case(shown: str, logits: Any, games: Any, moves: Any, rewards: Any, step_size: float) -> Case:
    logits, games, moves, rewards = map(np.asarray, (logits, games, moves, rewards))
    arguments = {
        "logits": _tensor(logits),
        "games": _tensor(games, "int64"),
        "moves": _tensor(moves, "int64"),
        "rewards": _tensor(rewards),
        "step_size": step_size,
    }
    return Case(arguments, shown, Array(logits.shape), (logits, games, moves, rewards, step_size))


def _update_cases(seed: int) -> list[Case]:
    random = np.random.default_rng(seed)
    cases = [
        _update_case(
            "2 games, 3 moves, 4 plays",
            random.normal(size=(2, 3)),
            [0, 1, 1, 0],
            [2, 0, 1, 0],
            [1, -1, 0.5, 3],
            0.5,
        ),
        _update_case("one play alone", random.normal(size=(1, 2)), [0], [1], [2.0], 0.5),
        _update_case("every play is paid 3", random.normal(size=(2, 2)), [0, 1, 0], [1, 0, 0], [3, 3, 3], 0.5),
        _update_case("step size 0", random.normal(size=(2, 4)), [0, 1], [3, 0], [1, 0], 0.0),
    ]
    for _ in range(4):
        kinds, options, plays = int(random.integers(2, 5)), int(random.integers(2, 5)), int(random.integers(2, 9))
        cases.append(
            _update_case(
                f"{kinds} games, {options} moves, {plays} plays",
                random.normal(size=(kinds, options)),
                random.integers(kinds, size=plays),
                random.integers(options, size=plays),
                random.normal(1, 2, size=plays),
                float(random.uniform(0.1, 1)),
            )
        )
    return cases


def _pushes(logits: np.ndarray, games: np.ndarray, moves: np.ndarray) -> np.ndarray:
    """The gradient of the logarithm of each play's probability, ``(plays, games, moves)``."""
    pushes = np.zeros((len(games), *logits.shape))
    for play, (game, move) in enumerate(zip(games, moves, strict=True)):
        pushes[play, game] = -_softmax(logits[game])
        pushes[play, game, move] += 1
    return pushes


def _judge_update(case: Case, value: np.ndarray) -> Lesson | None:
    logits, games, moves, rewards, step_size = case.facts
    plays = len(rewards)
    pushes = _pushes(logits, games, moves)
    others = (rewards.sum() - rewards) / max(plays - 1, 1)

    def stepped(factors: np.ndarray, along: np.ndarray = pushes) -> np.ndarray:
        return logits + step_size * np.einsum("p,pgm->gm", factors, along) / plays

    right = stepped(rewards - others)
    if _near(value, right):
        return None
    same_game = games[:, None] == games
    np.fill_diagonal(same_game, False)
    per_game = (same_game * rewards).sum(1) / np.maximum(same_game.sum(1), 1)
    chosen = np.zeros_like(pushes)
    chosen[np.arange(plays), games, moves] = 1
    chances = _softmax(logits)[games, moves]
    moved = logits.copy()
    for play, factor in enumerate(rewards - others):
        moved = moved + step_size * factor * _pushes(moved, games, moves)[play] / plays
    wrongs = (
        ("wrong-way", stepped(others - rewards), "A play that paid more than the others is to become more likely."),
        ("not-moved", logits, "The logits came back as they were."),
        (
            "no-baseline",
            stepped(rewards),
            "Take the mean of the others' rewards off first. Where all are paid alike, nothing is to be learned.",
        ),
        (
            "own-reward-in-baseline",
            stepped(rewards - rewards.mean()),
            "The baseline of a play is the mean over the other plays. With its own reward in it, a play is compared "
            "with itself, and every step comes out too short.",
        ),
        ("other-games-left-out", stepped(rewards - per_game), "All other plays of the batch count, of whatever game."),
        ("added-up", stepped(plays * (rewards - others)), "Take the mean over plays, not the sum."),
        (
            "only-the-move-made",
            stepped(rewards - others, chosen),
            "Raising one move's logit makes the other moves of that game less likely: the slope of ln softmax, taken "
            "over the moves of one game, has two parts.",
        ),
        (
            "probability-not-its-logarithm",
            stepped(chances * (rewards - others)),
            "This is the slope of the probability; the update has that of its logarithm.",
        ),
        (
            "one-after-another",
            moved,
            "All plays were made with the same logits, so all slopes belong to those.",
        ),
        ("gradient-alone", right - logits, "This is the step; asked for are the logits after it."),
        ("probabilities", _softmax(right), "These are probabilities; asked for are logits."),
    )
    for name, wrong, suggests in wrongs:
        if step_size != 0 and _near(value, wrong):
            return Lesson(name, "These are not the logits after one update.", suggests, REWARD)
    return Lesson(
        "another-step",
        "These are not the logits after one update.",
        "Compute one play by hand: two moves, both logits 0, a baseline of 0. A reward of 1 moves them by half of the "
        "step size, one up and one down.",
        REWARD,
    )


# What is left of a constant


def _left_over_cases(seed: int) -> list[Case]:
    random = np.random.default_rng(seed)
    settings = [
        ("two moves, paid 1 and 0, constant 0", np.array([0.0, 1.0]), np.array([1.0, 0.0]), 0.0),
        ("three moves, paid nothing but a constant of 2", random.normal(size=3), np.zeros(3), 2.0),
        ("one move", random.normal(size=1), np.array([1.5]), -1.0),
    ]
    for _ in range(4):
        options, constant = int(random.integers(2, 6)), float(random.normal(0, 3))
        logits, reward = 1.5 * random.normal(size=options), random.normal(size=options)
        settings.append((f"{options} moves, constant {constant:.2f}", logits, reward, constant))
    return [
        Case(
            {"logits": _tensor(logits), "rewards": _tensor(reward), "constant": constant},
            shown,
            Fields({"mean": Array(logits.shape), "spread": Number()}),
            (logits, reward, constant),
        )
        for shown, logits, reward, constant in settings
    ]


def _judge_left_over(case: Case, value: dict) -> Lesson | None:
    logits, reward, constant = case.facts
    chance = _softmax(logits)
    pushes = np.eye(len(chance)) - chance
    updates = (reward + constant)[:, None] * pushes
    mean = chance @ updates
    if not _near(value["mean"], mean):
        wrongs: tuple[tuple[str, Any, str], ...] = (
            (
                "constant-in-the-mean",
                chance * (reward + constant),
                "A constant pushes every move up, and the slopes of ln π take it all back: weighted by how likely the "
                "moves are, they cancel.",
            ),
            (
                "moves-not-weighted",
                updates.mean(0),
                "Moves are not equally likely: weight each by its probability.",
            ),
            ("added-up", updates.sum(0), "Weight each move by its probability."),
            ("wrong-way", -mean, "The step goes up."),
        )
        for name, wrong, suggests in wrongs:
            if _near(value["mean"], wrong):
                return Lesson(name, "The mean is not that of the step.", suggests, REWARD)
        return Lesson(
            "another-mean",
            "The mean is not that of the step.",
            "Write down the step for each move that could be made, one line a move, and weight the lines.",
            REWARD,
        )
    squares = (updates**2).sum(1)
    right = float(chance @ ((updates - mean) ** 2).sum(1))
    if _near(value["spread"], right):
        return None
    wrongs = (
        (
            "distance-from-zero",
            float(chance @ squares),
            "That is the mean squared length of a step. Asked for is how far steps lie from their mean.",
        ),
        (
            "constant-left-out",
            float(chance @ (((reward[:, None] * pushes) - mean) ** 2).sum(1)),
            "The constant does not move the mean, but every single step has it as a factor.",
        ),
        ("moves-not-weighted", float(((updates - mean) ** 2).sum(1).mean()), "Moves are not equally likely."),
        ("root-taken", right**0.5, "Asked for is the squared distance, without a root."),
        (
            "mean-over-numbers",
            right / len(chance),
            "A squared distance adds up the squares over all logits.",
        ),
    )
    for name, wrong, suggests in wrongs:
        if _near(value["spread"], wrong):
            return Lesson(name, "The spread is another one.", suggests, REWARD)
    return Lesson(
        "another-spread",
        "The spread is another one.",
        "For each move: the step that it would lead to, less the mean step; its numbers squared and added up.",
        REWARD,
    )


# An evolution scorecard


def _scorecard_case(shown: str, born: Any, lived: Any, newborn: Any, parent: Any) -> Case:
    born, lived, newborn, parent = map(np.asarray, (born, lived, newborn, parent))
    traits = Array((born.shape[1],))
    return Case(
        {
            "born": _tensor(born),
            "lived": _tensor(lived),
            "newborn": _tensor(newborn),
            "parent": _tensor(parent, "int64"),
        },
        shown,
        Fields({"fitness": Array((len(born),)), "favored": traits, "selected": traits, "mutated": traits}),
        (born, lived, newborn, parent),
    )


def _scorecard_cases(seed: int) -> list[Case]:
    random = np.random.default_rng(seed)
    cases = [
        _scorecard_case(
            "two animals, one of which has all three young; what it learned is not passed on",
            [[0.0, 1.0], [1.0, 3.0]],
            [[2.0, 1.0], [1.0, 7.0]],
            [[1.0, 4.0], [2.0, 3.0], [1.0, 3.0]],
            [1, 1, 1],
        ),
        _scorecard_case(
            "three animals, the last without young, no learning",
            [[1.0], [2.0], [6.0]],
            [[1.0], [2.0], [6.0]],
            [[2.0], [1.5], [2.5]],
            [1, 0, 1],
        ),
    ]
    for _ in range(4):
        animals, traits, young = int(random.integers(3, 8)), int(random.integers(1, 4)), int(random.integers(2, 10))
        born = random.normal(size=(animals, traits))
        lived = born + random.normal(0.5, 1, size=born.shape)
        parent = random.integers(animals - 1, size=young)  # the last has none
        newborn = born[parent] + 0.3 * random.normal(size=(young, traits))
        shown = f"{animals} animals, {traits} traits, {young} young"
        cases.append(_scorecard_case(shown, born, lived, newborn, parent))
    return cases


def _judge_scorecard(case: Case, value: dict) -> Lesson | None:
    born, lived, newborn, parent = case.facts
    fitness = np.bincount(parent, minlength=len(born))
    if not _near(value["fitness"], fitness):
        return Lesson(
            "fitness",
            "The fitness of an animal is another number.",
            "Here it is how many young an animal has, those without young included.",
            EVOLUTION,
        )
    share = fitness / fitness.sum()
    breeds = fitness > 0

    def differentials(traits: np.ndarray) -> list[tuple[str, np.ndarray, str]]:
        return [
            (
                "breeders-alike",
                traits[breeds].mean(0) - traits.mean(0),
                "An animal with three young counts three times as much as one with one.",
            ),
            (
                "childless-left-out",
                share @ traits - traits[breeds].mean(0),
                "Compare with all animals that lived. Those without young are what selection has removed.",
            ),
            ("not-compared", share @ traits, "This is what the parents are like. Compare it with all animals."),
            ("not-by-the-mean-fitness", fitness @ (traits - traits.mean(0)), "Divide by how many young there are."),
            ("wrong-way", traits.mean(0) - share @ traits, "Positive is to mean that there is more of it."),
        ]

    right = {
        "favored": share @ lived - lived.mean(0),
        "selected": share @ born - born.mean(0),
        "mutated": newborn.mean(0) - share @ born,
    }
    mixed_up = {
        "favored": [
            (
                "genome-for-the-animal",
                right["selected"],
                "Selection meets the animal as it lived, with all that it had learned, and never reads its genome.",
            ),
            *differentials(lived),
        ],
        "selected": [
            (
                "animal-for-the-genome",
                right["favored"],
                "Only what an animal was born with is in the genome; what it learned dies with it.",
            ),
            (
                "mutation-counted-as-selection",
                newborn.mean(0) - born.mean(0),
                "That the young differ from their parents is not selection. Look at the parents.",
            ),
            *differentials(born),
        ],
        "mutated": [
            (
                "learning-passed-on",
                newborn.mean(0) - share @ lived,
                "The young get their parents' genome. Compare them with what their parents were born with.",
            ),
            (
                "all-change-is-mutation",
                newborn.mean(0) - born.mean(0),
                "Part of this comes from who had young. Compare each of the young with its own parent.",
            ),
            ("wrong-way", -right["mutated"], "Positive is to mean that the young have more of it."),
        ],
    }
    for field, wanted in right.items():
        if _near(value[field], wanted):
            continue
        for name, wrong, suggests in mixed_up[field]:
            if _near(value[field], wrong):
                return Lesson(name, f"What is under {field!r} is something else.", suggests, EVOLUTION)
        return Lesson(
            f"another-{field}",
            f"What is under {field!r} is another number.",
            "Work out two animals by hand, of which one has all the young.",
            EVOLUTION,
        )
    return None


# Selection has no foresight


def _breed_case(shown: str, shares, before, after, change: int, generations: int, mutation: float) -> Case:
    shares, before, after = (np.asarray(a, dtype=float) for a in (shares, before, after))
    arguments = {
        "shares": _tensor(shares),
        "before": _tensor(before),
        "after": _tensor(after),
        "change": change,
        "generations": generations,
        "mutation": mutation,
    }
    return Case(
        arguments,
        shown,
        Array((generations + 1, len(shares))),
        (shares, before, after, change, generations, mutation),
    )


def _breed_cases(seed: int) -> list[Case]:
    random = np.random.default_rng(seed)
    cases = [
        _breed_case("no generation", [0.25, 0.75], [1, 2], [2, 1], 0, 0, 0.1),
        _breed_case("2 genomes, no mutation, no change in time", [0.5, 0.5], [1, 3], [1, 1], 5, 2, 0.0),
        _breed_case("2 genomes, the world changes after 2 of 4", [0.5, 0.5], [1, 3], [4, 1], 2, 4, 0.0),
        _breed_case("3 genomes, mutation 0.3, one generation", [0.5, 0.25, 0.25], [1, 2, 0], [1, 1, 1], 1, 1, 0.3),
        _breed_case("3 genomes, changed from the start", [0.2, 0.8, 0.0], [1, 1, 1], [2, 1, 5], 0, 3, 0.1),
    ]
    for _ in range(3):
        genomes, many = int(random.integers(2, 6)), int(random.integers(3, 9))
        change, mutation = int(random.integers(1, many)), float(random.uniform(0.02, 0.4))
        shares = random.dirichlet(np.ones(genomes))
        before, after = random.uniform(0.2, 3, (2, genomes))
        shown = f"{genomes} genomes, {many} generations, change after {change}, mutation {mutation:.2f}"
        cases.append(_breed_case(shown, shares, before, after, change, many, mutation))
    return cases


def _bred(shares, before, after, change, generations, mutation, *, kind="") -> np.ndarray:
    """The shares of genomes by generation, or those that the mistake ``kind`` gives, ``(generations + 1, genomes)``."""
    genomes = len(shares)
    history = [shares]
    change += {"late": 1, "early": -1}.get(kind, 0)
    for generation in range(generations):
        young = before if generation < change else after
        old = history[-1]
        if kind == "mutation-first":
            old = (1 - mutation) * old + mutation * (old.sum() - old) / (genomes - 1)
        bred = old * young
        if kind == "fitness-added":
            bred = old + young
        if kind == "not-shares":
            pass
        elif kind == "not-weighted":
            bred = young / young.sum()
        else:
            bred = bred / bred.sum()
        rest = (bred.sum() - bred) / (genomes - 1)
        if kind == "mutation-to-itself":
            rest = bred.sum() / genomes
        if kind == "mutation-left-out" or kind == "mutation-first":
            history.append(bred)
        else:
            history.append((1 - mutation) * bred + mutation * rest)
    return np.array(history)


def _judge_breed(case: Case, value: np.ndarray) -> Lesson | None:
    if _near(value, _bred(*case.facts)):
        return None
    shares, _, after, change, generations, mutation = case.facts
    if not _near(value[0], shares):
        return Lesson("start-left-out", "The first row is not what the lineage began with.", "", EVOLUTION)
    wrongs = (
        ("late", "The old world's counts are used once more after the world has changed."),
        ("early", "One generation too many is bred by the new world: selection cannot know what is to come."),
        ("not-shares", "The rows are to be shares and add up to 1: only how many young others have makes it many."),
        ("not-weighted", "A genome's young are as many as there are animals with it, times what each of them has."),
        ("fitness-added", "A genome's young are as many as there are animals with it, times what each of them has."),
        ("mutation-left-out", "Some of the young have another genome than their parent."),
        ("mutation-to-itself", "A young that mutates gets one of the other genomes, never its parent's."),
        ("mutation-first", "First the young are counted, then some of them mutate."),
    )
    for name, suggests in wrongs:
        with np.errstate(all="ignore"):
            wrong = _bred(*case.facts, kind=name)
        if _near(value, wrong):
            return Lesson(name, "The shares are others.", suggests, EVOLUTION)
    if generations > change > 0 and _near(value, _bred(shares, after, after, change, generations, mutation)):
        return Lesson(
            "foresight",
            "The shares are others.",
            "Before the change, only the old world's counts can tell.",
            EVOLUTION,
        )
    return Lesson(
        "other-shares",
        "The shares are others.",
        "Work out one generation by hand, without mutation and then with it.",
        EVOLUTION,
    )


# Goodhart on a causal model


def _slopes_case(shown: str, arrows: Any, noise: Any, proxy: int, goal: int, lever: int) -> Case:
    arrows, noise = np.asarray(arrows, dtype=float), np.asarray(noise, dtype=float)
    arguments = {"arrows": _tensor(arrows), "noise": _tensor(noise), "proxy": proxy, "goal": goal, "lever": lever}
    return Case(
        arguments,
        shown,
        Fields({"select": Number(), "raise": Array((), nan=True)}),
        (arrows, noise, proxy, goal, lever),
    )


def _model(size: int, *arrows: tuple[int, int, float]) -> np.ndarray:
    table = np.zeros((size, size))
    for start, end, strength in arrows:
        table[start, end] = strength
    return table


def _slopes_cases(seed: int) -> list[Case]:
    random = np.random.default_rng(seed)
    common = _model(3, (0, 1, 2.0), (0, 2, 3.0))  # cause, goal, proxy
    cases = [
        _slopes_case("a cause of goal and proxy; the cause is raised", common, [1, 0.5, 2], 2, 1, 0),
        _slopes_case("a cause of goal and proxy; the proxy itself is written", common, [1, 0.5, 2], 2, 1, 2),
        _slopes_case("a cause of goal and proxy; the goal is raised", common, [1, 0.5, 2], 2, 1, 1),
        _slopes_case(
            "a chain: cause, goal, proxy; the goal is raised", _model(3, (0, 1, 2.0), (1, 2, 1.5)), [1, 1, 1], 2, 1, 1
        ),
        _slopes_case(
            "a chain: cause, proxy, something between, goal; the proxy is written",
            _model(4, (0, 1, 1.5), (1, 2, 2.0), (2, 3, -0.5)),
            [1, 1, 1, 0],
            1,
            3,
            1,
        ),
        _slopes_case(
            "lever, means, proxy, goal: the means serve both, and the lever harms the goal",
            _model(4, (0, 1, 2.0), (1, 2, 1.0), (1, 3, 1.0), (0, 3, -3.0)),
            [0.5, 1, 1, 1],
            2,
            3,
            0,
        ),
    ]
    while len(cases) < 10:
        size = int(random.integers(3, 7))
        arrows = np.triu(random.normal(size=(size, size)), 1) * (random.random((size, size)) < 0.7)
        proxy, goal = (int(k) for k in random.choice(size, 2, replace=False))
        lever = int(random.integers(size))
        moved = np.linalg.inv(np.eye(size) - arrows)[lever, proxy]
        if 0 < abs(moved) < 0.05:
            continue  # chains that nearly cancel: rounding would decide
        shown = f"{size} variables, proxy {proxy}, goal {goal}, lever {lever}"
        cases.append(_slopes_case(shown, arrows, random.uniform(0.3, 2, size), proxy, goal, lever))
    return cases


def _judge_slopes(case: Case, value: dict) -> Lesson | None:
    arrows, noise, proxy, goal, lever = case.facts
    size = len(noise)

    def slopes(arrows: np.ndarray, variance: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        total = np.linalg.inv(np.eye(size) - arrows)
        covariance = total.T @ np.diag(variance) @ total
        return covariance[proxy, goal] / covariance[proxy, proxy], total, covariance

    select, total, covariance = slopes(arrows, noise**2)
    moves_proxy = bool(np.linalg.matrix_power(np.eye(size) + (arrows != 0), size)[lever, proxy])
    with np.errstate(all="ignore"):
        raised = float(total[lever, goal] / total[lever, proxy]) if moves_proxy else np.nan
        if not _near(value["select"], select):
            wrongs: tuple[tuple[str, Any, str], ...] = (
                (
                    "deviation-for-variance",
                    slopes(arrows, noise)[0],
                    "The noise is given by its standard deviation; variances are its square.",
                ),
                (
                    "divided-by-the-goals-variance",
                    covariance[proxy, goal] / covariance[goal, goal],
                    "This guesses the proxy from the goal. What is seen is the proxy.",
                ),
                (
                    "correlation",
                    covariance[proxy, goal] / np.sqrt(covariance[proxy, proxy] * covariance[goal, goal]),
                    "This is the correlation. A slope says how many units of the goal come with one of the proxy.",
                ),
                ("covariance-alone", covariance[proxy, goal], "Divide by how much the proxy varies."),
                (
                    "selecting-taken-for-writing",
                    total[proxy, goal],
                    "This is what writing the proxy does. Selected cases have a large proxy for some reason.",
                ),
                (
                    "selecting-taken-for-raising",
                    raised,
                    "This is what raising the lever does. Selection also takes cases whose proxy is large by luck.",
                ),
                ("arrows-turned", slopes(arrows.T, noise**2)[0], "arrows[i, j] leads from i to j."),
            )
            for name, wrong, suggests in wrongs:
                if _near(value["select"], wrong):
                    return Lesson(name, "The slope under 'select' is another one.", suggests, GOODHART)
            return Lesson(
                "another-selection",
                "The slope under 'select' is another one.",
                "Write each variable as a sum of all noises: how strongly does each of them arrive there? Causes work "
                "through others, too.",
                GOODHART,
            )
    if _near(value["raise"], raised):
        return None
    if np.isnan(raised):
        return Lesson(
            "lever-does-nothing",
            "It gives a number, though the lever does not move the proxy at all.",
            "No arrow leads from the lever to the proxy, nor any chain of them.",
            GOODHART,
        )
    if np.isnan(value["raise"]):
        return Lesson(
            "defined-too-rarely",
            "It gives NaN, though the lever does move the proxy.",
            "A variable moves itself, and others through chains of arrows.",
            GOODHART,
        )
    if lever == goal and value["raise"] == 0:
        return Lesson(
            "goal-has-not-risen",
            "It gives 0, though the goal itself is raised.",
            "What is raised has risen, too.",
            GOODHART,
        )
    with np.errstate(all="ignore"):
        wrongs = (
            (
                "one-arrow-only",
                arrows[lever, goal] / arrows[lever, proxy],
                "Effects travel along chains of arrows, too, and add up over all chains.",
            ),
            (
                "one-arrow-only",
                arrows[lever, goal] / total[lever, proxy],
                "Effects travel along chains of arrows, too, and add up over all chains.",
            ),
            (
                "not-per-unit-of-proxy",
                total[lever, goal],
                "This is for one unit of the lever. Raise it until the proxy has risen by one.",
            ),
            (
                "upside-down",
                total[lever, proxy] / total[lever, goal],
                "This is how the proxy rises with the goal.",
            ),
            (
                "raising-taken-for-selecting",
                select,
                "This is what selection does. Raised from outside, a variable moves only what follows from it.",
            ),
            (
                "raising-taken-for-selecting",
                covariance[lever, goal] / covariance[lever, proxy],
                "This is what goes along with the lever. Raised from outside, it moves only what follows from it.",
            ),
        )
    for name, wrong, suggests in wrongs:
        if _near(value["raise"], wrong):
            return Lesson(name, "The slope under 'raise' is another one.", suggests, GOODHART)
    return Lesson(
        "another-effect",
        "The slope under 'raise' is another one.",
        "Follow every chain of arrows from the lever: multiply along a chain, add over chains. What lies before the "
        "lever stays as it was.",
        GOODHART,
    )


# The smallest change

ENOUGH = 58  # of 64
MOST_CHANGED = 2  # of 24: any one change, at any place, leaves the least of the three counts at 48 or below


@dataclass(frozen=True)
class _Game:
    """Three alliances, and how many villages each has burnt."""

    def read(self, value: Any) -> Game:
        if type(value) is not dict:
            raise Misfit("wrong-type", "A game is to be a dict such as {'Aurora': 1, 'Crescent': 0, 'Dune': 0}.")
        if len(value) != 3 or not set(value) <= set(ALLIANCES):
            raise Misfit("wrong-type", f"A game's keys are to be three of {', '.join(ALLIANCES)}.")
        return {name: int(Number(0, WORST, whole=True).read(burnt)) for name, burnt in value.items()}


@cache
def _examined(games: tuple[tuple[tuple[str, int], ...], ...]) -> dict[str, int]:
    return examine([dict(game) for game in games])


def _counts(games: list[Game]) -> dict[str, int]:
    return _examined(tuple(tuple(game.items()) for game in games))


def _in_counts(counts: dict[str, int]) -> str:
    return (
        f"Of 64, {counts['war']} fight the Brotherhood in every war, {counts['peace']} stay at home in every peace, "
        f"{counts['old war']} fight Aurora in every old war"
    )


def _judge_repair(case: Case, value: list) -> Lesson | None:
    for game in value:
        if game.get("Brotherhood", 0) > 0:
            return Lesson(
                "war-foreseen",
                f"The Brotherhood is at war in {game}.",
                "That war has not begun when you train. Which other games would teach what it takes to win it?",
                FAILURES,
            )
        if sum(burnt > 0 for burnt in game.values()) > 1:
            return Lesson("two-wars", f"More than one neighbor is at war in {game}.", "", FAILURES)
    left = narrow_games()
    changed = 0
    for game in value:
        if game in left:
            left.remove(game)
        else:
            changed += 1
    if changed > MOST_CHANGED:
        return Lesson(
            "too-many-changed",
            f"{changed} games are others than before; it can be done with fewer.",
            "Which reading of the training games has to be made wrong? One game that it gets wrong counts for more "
            "than ten that it gets right.",
            LEARNED,
        )
    counts = _counts(value)
    if min(counts.values()) >= ENOUGH:
        return None
    violates = f"{_in_counts(counts)}. At least {ENOUGH} are to do each."
    if counts["old war"] < ENOUGH:
        return Lesson("old-war-lost", violates, "The old enemy is still to be fought when it attacks.", LEARNED)
    if counts["peace"] < ENOUGH:
        return Lesson(
            "banner-is-enough",
            violates,
            "In every game that they were trained on, the banner alone still says whom to attack, or they have not "
            "learned well enough that it does not.",
            LEARNED,
        )
    return Lesson(
        "deeds-are-not-enough",
        violates,
        "They leave Aurora in peace now. But that a banner is no reason to attack does not yet say that deeds are, "
        "whoever did them.",
        LEARNED,
    )


def _remark_on_repair(values: list) -> str:
    return (
        f"{_in_counts(_counts(values[0]))}. Trained on the {len(values[0])} games as they were: "
        + ", ".join(str(count) for count in _counts(narrow_games()).values())
        + "."
    )


# Which level?

LEVELS = ("what we want", "base objective", "base optimizer", "learned algorithm", "mesa-objective")
SENTENCES = {
    "1": ("base optimizer", "Is this something that is scored, or the process that chooses by scores?"),
    "2": ("base objective", "What are animals chosen by here? Do they see it?"),
    "3": ("mesa-objective", "Who adds this up, the lineage or the animal? And does it compare anything by it?"),
    "4": ("learned algorithm", "Is this a score, or what came out of being selected by one?"),
    "5": ("what we want", "Is this written down in the training process, or in the model? Where else can it be?"),
    "6": ("base objective", "That it is the wrong one does not change where it stands."),
    "7": ("learned algorithm", "What would have to be shown before one may call it an objective of the network?"),
    "8": ("base optimizer", "Is this something that is scored, or the process that changes what is scored?"),
    "9": ("mesa-objective", "Is there a search in this program? By what does it choose?"),
}


def _judge_levels(case: Case, value: dict) -> Lesson | None:
    for number, (level, question) in SENTENCES.items():
        given = value[number]
        if given == level:
            continue
        violates = f"Phrase {number} is not at the level {given!r}."
        if given == "mesa-objective" and level == "learned algorithm":
            return Lesson(
                "presumes-search",
                violates,
                "A mesa-objective belongs to a learned algorithm that searches by it. Does the phrase say so?",
                "What this shows, and what it does not",
            )
        if given == "base objective" and level == "mesa-objective":
            return Lesson(
                "optimized-for-is-not-optimizes-for",
                violates,
                "What the outer process selects by, and what its product searches by, may differ.",
                REWARD,
            )
        if given == "mesa-objective" and level == "base objective":
            return Lesson(
                "objective-moved-inside", violates, "Nobody inside needs to know what he is chosen by.", REWARD
            )
        return Lesson(f"phrase-{number}", violates, question, REWARD)
    return None


EXERCISES = {
    asked.name.partition("/")[2]: asked
    for asked in (
        Exercise(
            "base_optimizer/prediction",
            Fields({name: Fields(dict.fromkeys((*game, HOME), Number(0, 1))) for name, game in PREDICTED.items()}),
            _judge_prediction,
            remark=_compare_prediction,
        ),
        Exercise("base_optimizer/possible", Items(Number(whole=True)), _judge_possible, _possible_cases),
        Exercise("base_optimizer/update", None, _judge_update, _update_cases),
        Exercise("base_optimizer/left_over", None, _judge_left_over, _left_over_cases),
        Exercise(
            "base_optimizer/repair",
            Items(_Game(), len(narrow_games()), len(narrow_games())),
            _judge_repair,
            remark=_remark_on_repair,
        ),
        Exercise(
            "base_optimizer/levels",
            Fields(dict.fromkeys(SENTENCES, Choice(LEVELS))),
            _judge_levels,
        ),
        Exercise("base_optimizer/scorecard", None, _judge_scorecard, _scorecard_cases),
        Exercise("base_optimizer/breed", None, _judge_breed, _breed_cases),
        Exercise("base_optimizer/slopes", None, _judge_slopes, _slopes_cases),
    )
}
WRITTEN = ("argue",)
