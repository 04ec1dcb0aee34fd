"""The exercises on what makes a learner appear: what is asked, and what judges the answers."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np

from innerlab.checks.judging import Case, Exercise, Lesson
from innerlab.checks.values import Array, Choice, Fields, Items, Number
from innerlab.systems.bandits import bayes_optimal_bandit

PULLS = "Six pulls"
NETWORK = "A network that is told its rewards"
INGREDIENTS = "Three ingredients, and a fourth"
MANY = "How many tasks?"
PAYS = "When does learning pay?"
OPTIMIZER = "Is it an optimizer?"
AFTER = "What is it after?"


def _tensor(array: Any, dtype: str = "float64") -> dict:
    return {"tensor": np.asarray(array, dtype=dtype).tolist(), "dtype": dtype}


def _near(value: Any, other: Any) -> bool:
    return bool(np.allclose(value, other, rtol=1e-5, atol=1e-6))


# What is left?

LEFT = ("no reward", "no action", "wiped", "one task", "turned")
CLOSE = 0.02


@cache
def _left() -> dict[str, float]:
    best = bayes_optimal_bandit(2, 4)[0]
    chance = 4 / 2
    second = bayes_optimal_bandit(2, 2)[0] - 1 / 2
    return {"no reward": chance, "no action": best, "wiped": second, "one task": chance, "turned": 4 - best}


def _judge_left(case: Case, value: dict) -> Lesson | None:
    best, second = _left()["no action"], _left()["wiped"]
    likely = {
        "no reward": (
            "nothing-told-nothing-learned",
            "Could anything that it does depend on which arm is the better one?",
            INGREDIENTS,
        ),
        "no action": (
            "knows-what-it-does",
            "It cannot be told what it did, but could it know? The best agent may choose without any chance in it.",
            INGREDIENTS,
        ),
        "wiped": (
            "last-pull-is-all-there-is",
            "Before the second pull, how much is there to forget? How likely is an arm to pay that has just paid, "
            "and one that has never been pulled?",
            PULLS,
        ),
        "one task": (
            "habit",
            "What is the best that can be done in its one task? On a new task, which of the two arms is that?",
            INGREDIENTS,
        ),
        "turned": (
            "told-is-not-paid",
            "In the world that it is told of, its arms are drawn evenly from 0 to 1 as well. How well does it do "
            "there, and what does each of its pulls pay here?",
            AFTER,
        ),
    }
    for name, (lesson, suggests, see) in likely.items():
        if abs(value[name] - _left()[name]) <= CLOSE:
            continue
        violates = f"{value[name]:g} is not what is left with {name!r}."
        if name == "wiped" and abs(value[name] - (1 / 2 + second)) <= CLOSE:
            return Lesson(
                "second-pull-alone", violates, "Asked for is the second pull alone, not the first two.", PULLS
            )
        if name == "one task" and abs(value[name] - 4 * 0.9) <= CLOSE:
            return Lesson("on-new-tasks", violates, "That is what it earns on the task of its training.", INGREDIENTS)
        if name == "turned" and abs(value[name] - best) <= CLOSE:
            return Lesson(
                "follows-what-it-is-told",
                violates,
                "It does as well as ever by what it is told. What is paid is the opposite of that.",
                AFTER,
            )
        return Lesson(lesson, violates, suggests, see)
    return None


# Frozen, and learning


def _frozen_case(shown: str, choose: Any, change: Any, chances: Any, pulls: int) -> Case:
    choose, change, chances = np.asarray(choose, float), np.asarray(change), np.asarray(chances, float)
    arguments = {
        "choose": _tensor(choose),
        "change": _tensor(change, "int64"),
        "chances": _tensor(chances),
        "pulls": pulls,
    }
    return Case(arguments, shown, Array((pulls,)), (choose, change, chances, pulls))


def _frozen_cases(seed: int) -> list[Case]:
    random = np.random.default_rng(seed)
    cases = []
    for _ in range(4):
        states, arms, pulls = int(random.integers(3, 5)), int(random.integers(2, 4)), int(random.integers(3, 7))
        change = random.integers(states, size=(states, arms, 2))
        change[0] = [2, 1]  # something happens at the first pull
        cases.append(
            _frozen_case(
                f"{states} states, {arms} arms, {pulls} pulls",
                random.dirichlet(np.ones(arms), states),
                change,
                random.uniform(0.05, 0.95, arms),
                pulls,
            )
        )
    reflex = [[[1, 0], [0, 1]], [[1, 0], [0, 1]]]
    return [
        *cases,
        _frozen_case("one state, two arms", [[0.25, 0.75]], [[[0, 0], [0, 0]]], [0.1, 0.9], 3),
        _frozen_case("win-stay, lose-shift: two states, two arms", [[1, 0], [0, 1]], reflex, [0.3, 0.8], 4),
        _frozen_case("one pull", [[0.5, 0.5], [0, 1]], random.integers(2, size=(2, 2, 2)), [0.2, 0.6], 1),
    ]


def _run_states(
    choose: np.ndarray, change: np.ndarray, chances: np.ndarray, pulls: int, start: np.ndarray, paid: np.ndarray
) -> np.ndarray:
    """The probability that each pull pays; for the next state, a reward counts as 1 with the probability ``paid``."""
    where, rewards = start, []
    for _ in range(pulls):
        pulled = where[:, None] * choose
        rewards.append((pulled * chances).sum())
        where = np.zeros(len(choose))
        np.add.at(where, change[..., 1], pulled * paid)
        np.add.at(where, change[..., 0], pulled * (1 - paid))
    return np.array(rewards)


def _judge_frozen(case: Case, value: np.ndarray) -> Lesson | None:
    choose, change, chances, pulls = case.facts
    states, arms = choose.shape
    first = np.eye(states)[0]
    right = _run_states(choose, change, chances, pulls, first, chances)
    if _near(value, right):
        return None
    likeliest = np.eye(arms)[choose.argmax(1)]
    wrongs: tuple[tuple[str, np.ndarray, str], ...] = (
        (
            "begins-anywhere",
            _run_states(choose, change, chances, pulls, np.full(states, 1 / states), chances),
            "It begins in state 0, not in any state alike.",
        ),
        (
            "never-changes-state",
            np.full(pulls, right[0]),
            "All pulls pay alike in this. The tables are frozen, but the state is not: it is where the learning is.",
        ),
        (
            "rewards-exchanged",
            _run_states(choose, change, chances, pulls, first, 1 - chances),
            "The last index of `change` is the reward: 0 for none, 1 for one.",
        ),
        (
            "reward-not-looked-at",
            _run_states(choose, change, chances, pulls, first, np.full(arms, 0.5)),
            "Both next states of an arm are taken to be as likely. How likely is it that this arm pays?",
        ),
        ("always-paid", _run_states(choose, change, chances, pulls, first, np.ones(arms)), "Not every pull pays."),
        (
            "likeliest-arm-only",
            _run_states(likeliest, change, chances, pulls, first, chances),
            "An arm that is pulled less often than another is still pulled, and leads somewhere.",
        ),
        ("added-up", right.cumsum(), "Asked for is each pull by itself, not what has come together so far."),
        (
            "one-pull-late",
            _run_states(choose, change, chances, pulls + 1, first, chances)[1:],
            "This begins with the second pull. The first is made in state 0.",
        ),
    )
    for name, wrong, suggests in wrongs:
        if _near(value, wrong) and not _near(wrong, right):
            return Lesson(name, "These are not the chances that its pulls pay.", suggests, NETWORK)
    return Lesson(
        "other-chances",
        "These are not the chances that its pulls pay.",
        "Do two pulls by hand, with two states: how likely is each state before the second?",
        NETWORK,
    )


# What it is worth to find out


def _worth_cases(seed: int) -> list[Case]:
    random = np.random.default_rng(seed)
    settings = []
    for _ in range(4):
        arms, pulls = int(random.integers(2, 4)), int(random.integers(3, 5))
        successes, failures = random.uniform(0.2, 4, (2, arms)).tolist()
        settings.append((f"{arms} arms, {pulls} pulls", successes, failures, pulls, float(random.uniform(0.5, 0.95))))
    settings += [
        ("an arm well known and one hardly known, three pulls", [50.0, 0.4], [50.0, 0.6], 3, 1.0),
        ("two even arms, two pulls, no discount", [1.0, 1.0], [1.0, 1.0], 2, 1.0),
        ("one arm, three pulls", [2.0], [1.0], 3, 0.5),
        ("two arms, no pull left", [1.0, 3.0], [2.0, 1.0], 0, 0.9),
        ("two arms, a discount of 0", [1.0, 3.0], [2.0, 1.0], 3, 0.0),
    ]
    return [
        Case(
            {"successes": _tensor(s), "failures": _tensor(f), "pulls": pulls, "discount": d},
            shown,
            facts=(s, f, pulls, d),
        )
        for shown, s, f, pulls, d in settings
    ]


def _worth(
    successes: Sequence[float],
    failures: Sequence[float],
    pulls: int,
    discount: float,
    *,
    choice: Callable[[list[float], list[float]], float] = lambda values, chances: max(values),
    by: tuple[int, int] = (1, 1),
) -> float:
    """The value of a bandit by backward induction, or the one that a mistake gives.

    Args:
        successes: prior counts of each arm.
        failures: likewise.
        pulls: how many are left.
        discount: of each pull.
        choice: maps the arms' values and probabilities of paying to the value of the state.
        by: added to the successes of an arm that paid, and to the failures of one that did not.
    """
    if pulls == 0:
        return 0.0
    values, chances = [], []
    for arm, (s, f) in enumerate(zip(successes, failures, strict=True)):
        chance = s / (s + f)
        more, fewer = list(successes), list(failures)
        more[arm] += by[0]
        fewer[arm] += by[1]
        paid = 1 + discount * _worth(more, failures, pulls - 1, discount, choice=choice, by=by)
        unpaid = discount * _worth(successes, fewer, pulls - 1, discount, choice=choice, by=by)
        values.append(chance * paid + (1 - chance) * unpaid)
        chances.append(chance)
    return choice(values, chances)


def _judge_worth(case: Case, value: float) -> Lesson | None:
    successes, failures, pulls, discount = case.facts
    right = _worth(*case.facts)
    if _near(value, right):
        return None
    ones = [1.0] * len(successes)
    lengths = np.power(discount, np.arange(pulls)).sum()
    wrongs: tuple[tuple[str, float, str], ...] = (
        (
            "greedy",
            _worth(*case.facts, choice=lambda values, chances: values[int(np.argmax(chances))]),
            "This agent pulls what is more likely to pay now. An arm may be worth more for what it says.",
        ),
        (
            "nothing-learned",
            max(s / (s + f) for s, f in zip(successes, failures, strict=True)) * lengths,
            "This is the worth of one arm for ever. After a pull one knows more.",
        ),
        (
            "arms-at-random",
            _worth(*case.facts, choice=lambda values, chances: float(np.mean(values))),
            "The best agent takes the best arm at each pull, not the mean of all.",
        ),
        ("not-discounted", _worth(successes, failures, pulls, 1.0), "Later rewards count less."),
        ("first-reward-discounted", discount * right, "The first reward counts in full."),
        ("prior-left-out", _worth(ones, ones, pulls, discount), "The arms are not alike to begin with."),
        ("failures-not-counted", _worth(*case.facts, by=(1, 0)), "A pull that does not pay says something as well."),
        ("successes-not-counted", _worth(*case.facts, by=(0, 1)), "A pull that pays says something about its arm."),
        ("one-pull-too-many", _worth(successes, failures, pulls + 1, discount), "That is one pull too many."),
        ("one-pull-too-few", _worth(successes, failures, max(pulls - 1, 0), discount), "That is one pull too few."),
    )
    for name, wrong, suggests in wrongs:
        if _near(value, wrong) and not _near(wrong, right):
            return Lesson(name, "The best agent is to expect something else.", suggests, PULLS)
    return Lesson(
        "another-worth",
        "The best agent is to expect something else.",
        "Do two pulls by hand with two even arms: a half, and then the better of what is known after either reward.",
        PULLS,
    )


# Tell the learner from three impostors

History = Sequence[tuple[int, int]]
MOST_PULLS = 6


def _learner(history: History) -> int:
    means = []
    for arm in (0, 1):
        paid = [reward for pulled, reward in history if pulled == arm]
        means.append((1 + sum(paid)) / (2 + len(paid)))
    return int(means[1] > means[0])


def _reflex(history: History) -> int:
    if not history:
        return 0
    arm, reward = history[-1]
    return arm if reward else 1 - arm


def _habit(history: History) -> int:
    return int(2 * sum(arm for arm, _ in history) > len(history))


def _routine(history: History) -> int:
    return len(history) // 2 % 2


IMPOSTORS = {
    "reflex": (
        _reflex,
        "It looks at the last pull alone. When does a good arm look bad in a single pull, or a bad one good?",
    ),
    "habit": (_habit, "Make the learner pull one arm more often, and then have good reason to prefer the other."),
    "routine": (_routine, "It goes by the number of the pull alone. A pull more or less would tell."),
}


def _judge_tell(case: Case, value: list[list[int]]) -> Lesson | None:
    history = [(arm, reward) for arm, reward in value]
    for number, (arm, _) in enumerate(history):
        if _learner(history[:number]) != arm:
            return Lesson(
                "not-what-it-would-do",
                f"Pull {number + 1} of the history is of arm {arm}; the learner would have pulled the other there.",
                "You decide what is paid; the learner decides what it pulls. Where both means are equal, it is arm 0.",
                INGREDIENTS,
            )
    if len(history) > MOST_PULLS:
        return Lesson("too-long", f"The history has {len(history)} pulls; {MOST_PULLS} are allowed.")
    chosen = _learner(history)
    for name, (impostor, suggests) in IMPOSTORS.items():
        if impostor(history) == chosen:
            return Lesson(
                f"{name}-not-caught",
                f"After this history the {name} pulls arm {chosen}, and so does the learner.",
                suggests,
                INGREDIENTS,
            )
    return None


# Bits to spend


def _bits_cases(seed: int) -> list[Case]:
    random = np.random.default_rng(seed)
    settings = [("prices that rise as squares", 6, 50.0, [1.1 * k**2 for k in range(12)])]
    for _ in range(5):
        prices = [0.0, *np.sort(random.uniform(1, 60, int(random.integers(3, 12)))).tolist()]
        power, instances = float(random.integers(5, 60)), int(random.integers(1, 12))
        settings.append((f"{instances} instances, {power:g} bits, {len(prices)} prices", instances, power, prices))
    settings += [
        ("one instance, a price of 1 for each bit: all equally good", 1, 5.0, [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0]),
        ("one instance, cheap bits", 1, 5.0, [0.0, 0.5, 1.0, 1.5, 2.0]),
        ("no power, and bits that cost something", 8, 0.0, [0.0, 1.0, 2.0]),
        ("a price that takes all of the power", 4, 6.0, [0.0, 6.0, 6.0, 7.0]),
        ("a dear start", 2, 100.0, [0.0, *(90.0 + k for k in range(12))]),
        ("a price that falls again", 3, 10.0, [0.0, 11.0, 4.0, 12.0, 9.0, 15.0]),
        ("bits for nothing", 2, 3.0, [0.0, 0.0, 0.0]),
        ("one bit for all of a small power", 5, 2.0, [0.0, 2.0]),
        ("only the first price", 3, 2.0, [0.0]),
        ("a price far beyond the power", 50, 10.0, [float(k**3) for k in range(12)]),
    ]
    return [
        Case({"instances": n, "power": p, "prices": prices}, shown, facts=(n, p, np.array(prices)))
        for shown, n, p, prices in settings
    ]


def _judge_bits(case: Case, value: int) -> Lesson | None:
    instances, power, prices = case.facts
    x = np.arange(len(prices))
    each = (power - prices) / instances + x
    allowed = np.flatnonzero(prices <= power)
    most = each[allowed].max()
    best = allowed[each[allowed] >= most - 1e-9]
    if value == best[0]:
        return None
    if not 0 <= value < len(prices):
        return Lesson("no-such-number", f"There are prices for 0 to {len(prices) - 1} bits.")
    violates = f"{value} is not x*."
    if value in best:
        return Lesson("ties", violates, "Several numbers are equally good; the smallest is asked for.", MANY)
    if prices[value] > power:
        return Lesson("cannot-be-paid", violates, "That costs more bits than training has.", MANY)
    if value == allowed[-1]:
        return Lesson("as-many-as-can-be", violates, "What is paid for x is missing from each instance.", MANY)
    if value == 0:
        return Lesson(
            "nothing-bought", violates, "What is left is shared by the instances, while x comes to each in full.", MANY
        )
    return Lesson(
        "not-the-most",
        violates,
        "Write down, for each x that can be paid, what an instance gets in all, and look for the largest.",
        MANY,
    )


# Learned or designed, search or control

KINDS = ("learned search", "designed search", "learned control", "designed control")
SYSTEMS = {
    "1": ("designed control", "Who decided on 19 and 21 degrees? And does it compare anything before it acts?"),
    "2": ("learned control", "Who wrote what it does with its state? What candidates is it known to go through?"),
    "3": ("designed search", "Who decided that there is to be a tree? What it is searched with is another matter."),
    "4": ("designed search", "It was written, and it goes through what may follow."),
    "5": ("learned search", "What did taking it apart show, and had anybody built it in?"),
    "6": ("learned control", "Evolution found it. Does it try directions out without consequence, or swim them?"),
}  # fmt: skip


def _judge_place(case: Case, value: dict) -> Lesson | None:
    for number, (kind, question) in SYSTEMS.items():
        given = value[number]
        if given == kind:
            continue
        violates = f"System {number} is not {given!r}."
        if number == "2" and given == "learned search":
            return Lesson(
                "doing-well-is-not-searching",
                violates,
                "A good choice may come from a search, or from what training has left behind. Which is shown here?",
                OPTIMIZER,
            )
        if number == "3" and given == "learned search":
            return Lesson(
                "searched-with-is-not-the-search", violates, question, "What this shows, and what it does not"
            )
        if number == "6" and given.endswith("search"):
            return Lesson("acts-are-not-candidates", violates, question, OPTIMIZER)
        return Lesson(f"system-{number}", violates, question, OPTIMIZER)
    return None


EXERCISES = {
    asked.name.partition("/")[2]: asked
    for asked in (
        Exercise("learned_learners/left", Fields(dict.fromkeys(LEFT, Number(0, 4))), _judge_left),
        Exercise("learned_learners/frozen", None, _judge_frozen, _frozen_cases),
        Exercise("learned_learners/worth", Number(), _judge_worth, _worth_cases),
        Exercise("learned_learners/tell", Items(Items(Number(0, 1, whole=True), 2, 2), 0, 50), _judge_tell),
        Exercise("learned_learners/bits", Number(whole=True), _judge_bits, _bits_cases),
        Exercise("learned_learners/place", Fields(dict.fromkeys(SYSTEMS, Choice(KINDS))), _judge_place),
    )
}
WRITTEN = ()
