"""The exercises on playing along: what is asked, and what judges the answers."""

import math
from functools import cache
from typing import Any

import numpy as np

from innerlab.chapters.deceptive_alignment.decision import compliance_episodes, deployment_value
from innerlab.checks.judging import Case, Exercise, Lesson
from innerlab.checks.values import Choice, Fields, Items, Number

GENERAL = "The general problem"
CONDITIONS = "Three conditions"
BLIND = "Blind to the episode"
LIFETIMES = "Learned over lifetimes"
PLANNER = "When the loss never sees deployment"
KNOWN = "What is known in 2026"


def _near(value: Any, other: Any) -> bool:
    return bool(np.allclose(value, other, rtol=1e-4, atol=1e-6))


def _tensor(values: Any) -> dict:
    return {"tensor": np.asarray(values, dtype=float).tolist(), "dtype": "float64"}


# Predict what each change does

USUAL: dict[str, Any] = {"train": 20, "deploy": 40, "discount": 0.98, "threat": 0.2}
CHANGES: dict[str, dict[str, Any]] = {
    "as it is": {},
    "each episode for itself": {"discount": 0.0},
    "blamed like a defector": {"mistaken": 0.2},
    "deployment as dangerous": {"hazard": 0.2},
    "stake of 3, deployment as dangerous": {"stake": 3.0, "hazard": 0.2},
    "a hundred training episodes": {"train": 100},
    "less patient": {"discount": 0.9},
}


def _complies(change: dict) -> int:
    return compliance_episodes(**USUAL | change)


def _judge_prediction(case: Case, value: dict) -> Lesson | None:
    for name, change in CHANGES.items():
        most = (USUAL | change)["train"]
        if value[name] > most:
            return Lesson(
                "more-than-there-are",
                f"{name}: {value[name]} episodes, but training has {most}.",
                "Asked for is in how many training episodes it complies, of those that there are.",
                GENERAL,
            )
    return None


def _compare_prediction(values: list) -> str:
    lines = [f"{name}: {_complies(change)} (you said {values[0][name]})" for name, change in CHANGES.items()]
    return "In so many training episodes the best policy complies. " + "; ".join(lines) + "."


# The discount threshold


def _surplus(discount: float, train: int, deploy: int, threat: float) -> float:
    """The gain, less the cost, of complying in the first training episode for an agent that complies in all others."""
    return threat * discount**train * deployment_value(deploy, discount) - 1


def _root(gain: Any) -> float:
    """The discount at which an increasing function becomes positive; NaN if it is negative at 1."""
    if gain(1.0) < 0:
        return math.nan
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if gain(middle) >= 0 else (middle, high)
    return high


def _patience_case(train: int, deploy: int, threat: float) -> Case:
    arguments = {"train": train, "deploy": deploy, "threat": threat}
    return Case(arguments, f"train={train}, deploy={deploy}, threat={threat:.3g}", facts=(train, deploy, threat))


def _patience_cases(seed: int) -> list[Case]:
    random = np.random.default_rng(seed)
    cases = [
        _patience_case(4, 9, 0.5),
        _patience_case(2, 3, 1.0),
        _patience_case(5, 3, 0.3),
        _patience_case(4, 2, 0.25),
        _patience_case(4, 2, 0.5),  # nothing less than 1
        _patience_case(1, 6, 0.3),
    ]
    for _ in range(5):
        train, deploy = int(random.integers(2, 30)), int(random.integers(4, 60))
        cases.append(_patience_case(train, deploy, float(random.uniform(1.2 / deploy, 1))))
    return cases


def _same(value: float, other: float) -> bool:
    """Whether two numbers agree, where -1 stands for "none"."""
    return abs(value - (-1 if math.isnan(other) else other)) < 2e-4


def _judge_patience(case: Case, value: float) -> Lesson | None:
    train, deploy, threat = case.facts
    if _same(value, _root(lambda g: _surplus(g, train, deploy, threat))):
        return None
    if value != -1 and threat * deploy < 1 - 1e-9:
        return Lesson(
            "nothing-is-enough",
            "No discount is enough here, not even 1.",
            "At a discount of 1 complying pays if the threat times the length of deployment is at least 1.",
            GENERAL,
        )
    wrongs = (
        (
            _root(lambda g: _surplus(g, 1, deploy, threat)),
            "only-the-last-episode",
            "That is enough to comply in the last training episode. In the first, the end is further away.",
        ),
        (
            _root(lambda g: _surplus(g, train - 1, deploy, threat)),
            "one-episode-short",
            "Deployment begins after all training episodes. How many discounts lie between the first of them and it?",
        ),
        (
            _root(lambda g: _surplus(g, train + 1, deploy, threat)),
            "one-episode-too-many",
            "Both sides of the comparison begin in the first training episode, which is not discounted.",
        ),
        (
            _root(lambda g: _surplus(g, train, deploy, 1.0)),
            "threat-left-out",
            "A defector keeps its goal with a probability of 1 minus the threat.",
        ),
        (
            _root(lambda g: threat * g**train * deploy - 1),
            "deployment-undiscounted",
            "Later deployment episodes are discounted as well.",
        ),
    )
    for wrong, name, suggests in wrongs:
        if _same(value, wrong):
            return Lesson(name, "This is not the least discount.", suggests, GENERAL)
    return Lesson(
        "another-threshold",
        "This is not the least discount at which it complies throughout training.",
        "Two training and three deployment episodes with a threat of 1 are the chapter's grid: 0.682.",
        GENERAL,
    )


# The best gamble of the blind


def _gamble_case(train: int, deploy: int) -> Case:
    return Case({"train": train, "deploy": deploy}, f"train={train}, deploy={deploy}", facts=(train, deploy))


def _gamble_cases(seed: int) -> list[Case]:
    random = np.random.default_rng(seed)
    cases = [_gamble_case(*pair) for pair in ((2, 3), (1, 5), (4, 2), (3, 1), (0, 4), (3, 0))]
    return cases + [_gamble_case(*map(int, random.integers(1, 30, 2))) for _ in range(6)]


def _visits(p: float, train: int, deploy: int) -> float:
    through = (1 - p) ** train
    return 1 - through + deploy * p * through


def _judge_gamble(case: Case, value: float) -> Lesson | None:
    train, deploy = case.facts
    right = (train + deploy) / (deploy * (train + 1)) if deploy else 1.0  # where the slope of the visits is 0
    missing = _visits(right, train, deploy) - _visits(value, train, deploy)
    if missing < 1e-9 or abs(value - right) < 1e-4:
        return None
    grid = np.linspace(0, 1, 2001)
    through = (1 - grid) ** train
    wrongs = (
        (
            0.61,
            "as-printed",
            "That is the number in the paper. Derive the expectation, and see whether you can reproduce it.",
        ),
        (
            math.nan if case.facts == (2, 3) else 5 / 9,
            "one-example",
            "That is the answer for two training and three deployment episodes.",
        ),
        (
            grid[(deploy * grid * through).argmax()],
            "training-visit-forgotten",
            "A model that defects in training is modified, but it did reach B once.",
        ),
        (
            grid[(1 - through + through * (1 - (1 - grid) ** deploy)).argmax()],
            "once-is-enough",
            "It wants B in as many episodes as possible, not once.",
        ),
        (
            grid[(grid * train * (1 - grid) + deploy * grid * through).argmax()],
            "modified-too-late",
            "After its first defection in training it never reaches B again: exactly one visit.",
        ),
        (
            deploy / (train + deploy),
            "share-of-deployment",
            "The share of episodes that are deployment is not the best probability. Write down the expectation.",
        ),
    )
    for wrong, name, suggests in wrongs:
        if abs(value - wrong) < 2e-3:
            return Lesson(name, f"Another probability reaches {missing:.2g} visits more.", suggests, BLIND)
    return Lesson(
        "another-gamble",
        f"Another probability reaches {missing:.2g} visits more.",
        "Either it gets through training, or it reaches B exactly once.",
        BLIND,
    )


# Who has been seen is watched


def _watched(train: int, deploy: int, discount: float, seen: np.ndarray, memory: bool = True) -> tuple:
    """The optimal policy of a watched agent.

    Returns:
        Its value; for each training episode 1 if it defects while no defection has been seen, else 0; and the
        smallest difference between the values of its two choices.
    """
    worth = np.full(train + 1, deployment_value(deploy, discount))  # by how often it has defected
    choices, closest = [], math.inf
    for episode in reversed(range(train)):
        risk = seen[: episode + 1] if memory else np.full(episode + 1, seen[0])
        comply = discount * worth[: episode + 1]
        defect = 1 + (1 - risk) * discount * worth[1 : episode + 2]
        choices.append(defect > comply)
        closest = min(closest, float(np.abs(comply - defect).min()))
        worth = np.maximum(comply, defect)
    way: list[int] = []
    for defects in reversed(choices):
        way.append(int(defects[sum(way)]))
    return float(worth[0]), way, closest


def _watched_case(train: int, deploy: int, discount: float, seen: Any) -> Case | None:
    seen = np.asarray(seen, dtype=float)
    if _watched(train, deploy, discount, seen)[2] < 1e-4:
        return None  # a tie
    arguments = {"train": train, "deploy": deploy, "discount": discount, "seen": _tensor(seen)}
    shown = f"train={train}, deploy={deploy}, discount={discount:.3g}, seen={np.round(seen, 2).tolist()}"
    returns = Fields({"worth": Number(0), "defects": Items(Number(0, 1, whole=True), train, train)})
    return Case(arguments, shown, returns, (train, deploy, discount, seen))


def _watched_cases(seed: int) -> list[Case]:
    random = np.random.default_rng(seed)
    fixed = [
        _watched_case(0, 4, 0.9, []),
        _watched_case(1, 3, 0.9, [0.6]),
        _watched_case(3, 0, 0.9, [0.2, 0.5, 0.9]),
        _watched_case(4, 6, 0.95, [0.0, 0.9, 1.0, 1.0]),
        _watched_case(5, 9, 0.97, [0.05, 0.1, 0.5, 0.9, 1.0]),
        _watched_case(4, 5, 1.0, [0.7, 0.3, 0.1, 0.0]),
        _watched_case(3, 2, 0.97, [0.5, 0.4, 0.0]),
        _watched_case(2, 7, 0.96, [0.2, 0.1]),  # one defection pays for the sake of the next
        _watched_case(3, 3, 0.99, [0.5, 0.1, 0.0]),
    ]
    cases = [case for case in fixed if case is not None]
    while len(cases) < 14:
        train, deploy = int(random.integers(2, 9)), int(random.integers(1, 12))
        seen = np.sort(random.uniform(size=train) ** 2)
        tires = random.uniform() < 0.3  # the watcher
        drawn = _watched_case(train, deploy, float(random.uniform(0.7, 1)), seen[::-1] if tires else seen)
        cases += [drawn] if drawn else []
    return cases


def _judge_watched(case: Case, value: dict) -> Lesson | None:
    train, deploy, discount, seen = case.facts
    worth, way, _ = _watched(train, deploy, discount, seen)
    if value["defects"] == way and _near(value["worth"], worth):
        return None
    blind_worth = _watched(train, deploy, discount, seen, memory=False)[0] if train else worth
    if _near(value["worth"], blind_worth) and not _near(worth, blind_worth):
        return Lesson(
            "no-memory",
            "This is the worth if every defection is seen as likely as the first.",
            "How often it has defected decides how likely the next time is seen: it belongs to the state.",
            GENERAL,
        )
    if _near(value["worth"], worth) and [1 - defects for defects in value["defects"]] == way:
        return Lesson("other-way-round", "1 stands for defecting and 0 for complying.", "", GENERAL)
    if _near(value["worth"], worth):
        return Lesson(
            "not-the-way-taken",
            "The worth is right, and the choices are not those on the way where nothing is seen.",
            "Go forward through training, and count the defections so far.",
            GENERAL,
        )
    if value["worth"] > worth:
        return Lesson(
            "worth-too-much",
            "No policy is worth that much.",
            "Once a defection is seen, nothing that comes later is worth anything. And what comes later is discounted.",
            GENERAL,
        )
    return Lesson(
        "not-the-best",
        "There is a policy that is worth more.",
        "Go backward from deployment, and compare the two choices for each number of defections so far.",
        GENERAL,
    )


# The conserved quantity as a test

PASSES, FAILS = "passes", "fails"


def _conserved(theta: np.ndarray, lam: np.ndarray, kappa: float, ratio: float) -> np.ndarray:
    return (lam - 1 / kappa) ** 2 / ratio - theta**2


def _flow_path(random: np.random.Generator, kappa: float, ratio: float) -> tuple[np.ndarray, np.ndarray]:
    """Six points of one path below theta = 0."""
    steps = np.linspace(-1, 1, 6) + random.uniform(-0.1, 0.1, 6)
    return -np.sqrt(steps**2 + random.uniform(0.3, 1)), 1 / kappa + np.sqrt(ratio) * steps


def _flow_case(shown: str, theta: Any, lam: Any, kappa: float, ratio: float, is_one: bool) -> Case:
    arguments = {"theta": _tensor(theta), "lam": _tensor(lam), "kappa": kappa, "ratio": ratio}
    return Case(arguments, f"{shown}; κ = {kappa:.3g}, r = {ratio:.3g}", facts=(theta, lam, kappa, ratio, is_one))


def _flow_cases(seed: int) -> list[Case]:
    random = np.random.default_rng(seed)
    cases = []
    for kappa, ratio in ((1.0, 1.0), (2.0, 1.0), (1.0, 0.25), (0.5, 3.0), (float(random.uniform(0.7, 2)), 0.4)):
        theta, lam = _flow_path(random, kappa, ratio)
        moved = theta.copy()
        moved[int(random.integers(1, 5))] *= 1.05
        integrated = theta * (1 + 2e-5 * random.choice([-1, 1], 6) * random.uniform(0.5, 1, 6))
        steeper, wider = _flow_path(random, kappa, 2 * ratio), _flow_path(random, 1.4 * kappa, ratio)
        cases += [
            _flow_case("six points of a path", theta, lam, kappa, ratio, True),
            _flow_case("the same with small errors of integration", integrated, lam, kappa, ratio, True),
            _flow_case("the same, a point in the middle moved by 5 %", moved, lam, kappa, ratio, False),
            _flow_case("points of a path for twice this r", *steeper, kappa, ratio, False),
            _flow_case("points of a path for another κ", *wider, kappa, ratio, False),
        ]
    theta, lam = _flow_path(random, 1.0, 1.0)
    small, large = 0.02, 30.0  # the quantity scales with the square
    off = theta * np.where(np.arange(6) == 3, 1.05, 1)
    exact = theta * (1 + 2e-5 * random.choice([-1, 1], 6))
    cases += [
        _flow_case("a small path, a point moved by 5 %", small * off, 1 + small * (lam - 1), 1.0, 1.0, False),
        _flow_case("a large path, with small errors", large * exact, 1 + large * (lam - 1), 1.0, 1.0, True),
    ]
    theta, lam = _flow_path(random, 1.5, 0.6)
    return [*cases, _flow_case("one point alone", theta[:1], lam[:1], 1.5, 0.6, True)]


def _judge_flow(case: Case, value: str) -> Lesson | None:
    theta, lam, kappa, ratio, is_one = case.facts
    if (value == PASSES) == is_one:
        return None
    if is_one:
        exact = _conserved(theta, lam, kappa, ratio)
        if np.ptp(exact) > 1e-9:
            return Lesson(
                "no-tolerance",
                "This is a path, up to errors of integration of some hundred-thousandths.",
                "A test of numbers from a computer needs a tolerance; one part in a thousand is ample here.",
                PLANNER,
            )
        return Lesson(
            "a-path-refused",
            "These points do lie on one path.",
            "Compute the conserved expression at each point, with this κ and this r: where are they in it?",
            PLANNER,
        )
    return Lesson(
        "not-a-path-let-through",
        "These points do not lie on one path of gradient descent.",
        "A test that cannot fail tests nothing. All points must have the same value, for this κ and this r.",
        PLANNER,
    )


# What is claimed, and what it is

KINDS = (
    "deceptively aligned",
    "paid for it",
    "deceptive, not deceptively aligned",
    "planted back door",
    "misgeneralizes",
    "cannot be told",
)
REPORTS = {
    "1": ("paid for it", "What was its reward in deployment?"),
    "2": ("planted back door", "Who made it behave so when it sees the word, and has it a reason?"),
    "3": (
        "deceptive, not deceptively aligned",
        "Does it behave well in training in order not to be modified? It does what its reward pays for, in the open.",
    ),
    "4": ("misgeneralizes", "Does it expect anything of its training?"),
    "5": ("cannot be told", "Which of the other words would predict another test result?"),
    "6": ("deceptively aligned", "Go through the three conditions, and ask whether it is pseudo-aligned."),
    "7": ("deceptive, not deceptively aligned", "Where did the goal come from, and was anything being trained?"),
}


def _judge_reports(case: Case, value: dict) -> Lesson | None:
    for number, (kind, question) in REPORTS.items():
        given = value[number]
        if given == kind:
            continue
        violates = f"Report {number} does not show what {given!r} says."
        if given == "deceptively aligned" and kind == "paid for it":
            return Lesson(
                "its-own-base-objective",
                violates,
                "A model that is paid for defecting in deployment pursues its base objective when it defects.",
                LIFETIMES,
            )
        if given == "deceptively aligned" and kind == "planted back door":
            return Lesson("planted-is-not-waiting", violates, "A rule that was put in needs no goal behind it.", KNOWN)
        if given == "deceptively aligned" and kind.startswith("deceptive,"):
            return Lesson(
                "lying-is-not-it",
                violates,
                "Saying what is false is one thing; doing well in training so as not to be modified is another.",
                "Words that are mixed up",
            )
        if kind == "cannot be told":
            return Lesson("verdict-without-a-test", violates, question, "What this shows, and what it does not")
        return Lesson(f"report-{number}", violates, question, KNOWN)
    return None


# Flip the headline

SCOPES = ("A", "B", "C", "none of them")
HEADLINES = {
    "the threat never ends": "Try a stake above 1 in deployment.",
    "the honest are blamed": "Draw some settings, and raise the blame in each.",
    "it must guess among nine": "One guess among nine leaves a ninth of the threat. What can make up for it?",
    "longer training": "Take a setting in which it complies throughout, and one more episode. Then many more.",
    "no cue": "What else than a cue says how far a life has got?",
}


def _settings(number: int, seed: int) -> list[dict]:
    random = np.random.default_rng(seed)
    return [
        {
            "train": int(random.integers(1, 40)),
            "deploy": int(random.integers(1, 120)),
            "discount": float(random.uniform(0.5, 0.99)),
            "threat": float(random.uniform(0.02, 0.99)),
            "stake": float(random.uniform(0.2, 4)),
        }
        for _ in range(number)
    ]


def _parts_phases(counts: bool) -> bool:
    """Whether complying in the first nine episodes, or with one probability, differs between training and deployment.

    Over lives of 4 to 12 training and 8 deployment episodes.
    """
    lengths = np.arange(4, 13)
    complies = np.arange(20) < 9 if counts else np.full(20, 0.5)
    training = np.arange(20) < lengths[:, None]
    deployment = ~training & (np.arange(20) < lengths[:, None] + 8)
    return not math.isclose(
        (complies * training).sum() / training.sum(), (complies * deployment).sum() / deployment.sum()
    )


@cache
def _truths() -> dict[str, tuple[bool, bool, bool]]:
    """By change, whether each of the statements A, B and C holds in all settings tried."""
    drawn = _settings(800, 1)
    usual = [USUAL | {"threat": float(mu)} for mu in np.linspace(0.01, 0.99, 50)]

    def none(settings: list[dict], change: Any) -> bool:
        return not any(compliance_episodes(**setting | change(setting)) for setting in settings)

    def endless(setting: dict) -> dict:
        return {"hazard": setting["threat"]}

    def guessing(setting: dict) -> dict:
        return {"mistaken": setting["threat"] * 8 / 9}

    def blamed_more(settings: list[dict]) -> bool:
        shares = np.linspace(0, 1, 9)
        counts = [[compliance_episodes(**s, mistaken=s["threat"] * share) for share in shares] for s in settings]
        return bool((np.diff(counts) <= 0).all())

    def even(setting: dict) -> dict:
        return setting | {"stake": 1.0}

    return {
        "the threat never ends": (
            none(drawn, endless),
            none([s for s in drawn if s["stake"] <= 1], endless),
            none(usual, endless),
        ),
        "the honest are blamed": (
            blamed_more(drawn),
            blamed_more([s for s in drawn if s["stake"] <= 1]),
            blamed_more(usual),
        ),
        "it must guess among nine": (
            none(drawn, guessing),
            none([even(s) for s in drawn], guessing),
            none(usual, guessing),
        ),
        "longer training": (
            all(compliance_episodes(**s | {"train": s["train"] + 1}) == compliance_episodes(**s) for s in drawn),
            all(compliance_episodes(**s | {"train": 5000}) < 5000 for s in drawn),
            all(compliance_episodes(**s | {"train": 5000}) < 5000 for s in usual),
        ),
        "no cue": (not _parts_phases(counts=True), not _parts_phases(counts=True), not _parts_phases(counts=False)),
    }


def _widest(name: str) -> str:
    truths = _truths()[name]
    return SCOPES[truths.index(True)] if any(truths) else SCOPES[-1]


def _judge_scope(case: Case, value: dict) -> Lesson | None:
    for name, question in HEADLINES.items():
        given, right = SCOPES.index(value[name]), SCOPES.index(_widest(name))
        if given < right:
            return Lesson(
                "too-wide", f"{name}: statement {value[name]} does not hold wherever it says.", question, CONDITIONS
            )
        if given > right:
            return Lesson(
                "narrower-than-need-be",
                f"{name}: a wider statement holds as well.",
                "Say as much as holds: try the statements from the widest on.",
                CONDITIONS,
            )
    return None


# Zero failures


def _bound_case(trials: int, confidence: float) -> Case:
    shown = f"no failure in {trials} trials, confidence {confidence:.3g}"
    return Case({"trials": trials, "confidence": confidence}, shown, facts=(trials, confidence))


def _bound_cases(seed: int) -> list[Case]:
    random = np.random.default_rng(seed)
    cases = [_bound_case(*pair) for pair in ((100, 0.95), (1, 0.95), (1, 0.5), (10, 0.9), (0, 0.95), (30_000, 0.95))]
    return cases + [_bound_case(int(random.integers(2, 300)), float(random.uniform(0.6, 0.99))) for _ in range(5)]


def _judge_bound(case: Case, value: float) -> Lesson | None:
    trials, confidence = case.facts
    right = 1 - (1 - confidence) ** (1 / trials) if trials else 1.0
    if _near(value, right):
        return None
    n = max(trials, 1)
    wrongs = (
        (
            0.0,
            "none-is-not-never",
            "That none was seen does not make the rate 0. Which rates often give none?",
        ),
        (min(3 / n, 1), "rule-of-thumb", "3 over n is for a confidence of 0.95 and many trials. Solve it exactly."),
        (
            1 - confidence ** (1 / n),
            "confidence-reversed",
            "This rate would give no failure with a probability of the confidence, that is, nearly always.",
        ),
        (1 / (trials + 2), "best-guess", "This is an estimate; asked for is what cannot be excluded."),
        ((1 - confidence) ** (1 / n), "rate-of-success", "This is the probability of no failure in one trial."),
        (
            1 - ((1 - confidence) / 2) ** (1 / n),
            "two-sided",
            "With no failure seen there is only one side: the rate cannot be below 0.",
        ),
    )
    for wrong, name, suggests in wrongs:
        if _near(value, wrong):
            return Lesson(name, "This is not the largest rate that is still compatible.", suggests, KNOWN)
    return Lesson(
        "another-bound",
        "This is not the largest rate that is still compatible.",
        "A rate p gives no failure in n trials with a probability of (1 - p) to the n. When is that too unlikely?",
        KNOWN,
    )


EXERCISES = {
    asked.name.partition("/")[2]: asked
    for asked in (
        Exercise(
            "deceptive_alignment/prediction",
            Fields(dict.fromkeys(CHANGES, Number(0, 100, whole=True))),
            _judge_prediction,
            remark=_compare_prediction,
        ),
        Exercise("deceptive_alignment/patience", Number(-1, 1), _judge_patience, _patience_cases),
        Exercise("deceptive_alignment/gamble", Number(0, 1), _judge_gamble, _gamble_cases),
        Exercise("deceptive_alignment/watched", None, _judge_watched, _watched_cases),
        Exercise("deceptive_alignment/one_path", Choice((PASSES, FAILS)), _judge_flow, _flow_cases),
        Exercise("deceptive_alignment/reports", Fields(dict.fromkeys(REPORTS, Choice(KINDS))), _judge_reports),
        Exercise("deceptive_alignment/scope", Fields(dict.fromkeys(HEADLINES, Choice(SCOPES))), _judge_scope),
        Exercise("deceptive_alignment/bound", Number(0, 1), _judge_bound, _bound_cases),
    )
}
WRITTEN = ("evidence",)
