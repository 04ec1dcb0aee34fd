"""The exercises on mesa-optimizers: what is asked, and what judges the answers."""

from dataclasses import dataclass
from functools import cache
from itertools import permutations
from typing import Any

import numpy as np

from innerlab.chapters.mesa_optimizer.linear_attention import train_two_channels
from innerlab.checks.judging import Case, Exercise, Lesson
from innerlab.checks.values import Array, Choice, Fields, Number

LAYER = "A layer that reads examples"
TRAINED = "Training finds the step"
WEIGHTS = "The weights themselves"
FAILS = "Where the step fails"
LOOKUP = "Learner or lookup?"
CHANNELS = "A mesa-objective that is measurably wrong"
NAMES = "What to call it"


def _tensor(array: Any) -> dict:
    return {"tensor": np.asarray(array, dtype=float).tolist(), "dtype": "float64"}


def _near(value: Any, other: Any) -> bool:
    return bool(np.allclose(value, other, rtol=1e-4, atol=1e-7))


def _first(value: Any, wrongs: tuple, violates: str, see: str) -> Lesson | None:
    """The lesson of the first of ``wrongs``, as (name, wrong value, suggestion), whose value is near the given one."""
    for name, wrong, suggests in wrongs:
        if np.all(np.isfinite(wrong)) and _near(value, wrong):
            return Lesson(name, violates, suggests, see)
    return None


# Predict the objective

TRAININGS: dict[str, dict[str, Any]] = {
    "noisy label": {"noise_true": 0.5, "noise_proxy": 0.0, "decoupled": 0.0},
    "loose proxy": {"noise_true": 0.0, "noise_proxy": 0.0, "decoupled": 0.2},
    "alike": {"noise_true": 1.0, "noise_proxy": 1.0, "decoupled": 0.0},
}


@cache
def _trained_weights() -> dict[str, np.ndarray]:
    """The mean weights of both channels over eight trained layers, by training."""
    return {
        name: train_two_channels(range(8), 5, 10, **noises).weights().mean(0).numpy()
        for name, noises in TRAININGS.items()
    }


def _judge_prediction(case: Case, value: dict) -> Lesson | None:
    alike = value["alike"]
    if abs(alike["a"] - alike["b"]) > 0.03:
        return Lesson(
            "symmetry",
            "Where the channels are alike, you take more of one than of the other.",
            "Both show the same label with as much noise. What would tell the layer which is which?",
            CHANNELS,
        )
    return None


def _compare_prediction(values: list) -> str:
    return "\n".join(
        f"{name}: trained layers take a = {a:.2f} and b = {b:.2f}; you said {values[0][name]['a']:.2f} and "
        f"{values[0][name]['b']:.2f}"
        for name, (a, b) in _trained_weights().items()
    )


# The best step for inputs of different size


def _best_step_cases(seed: int) -> list[Case]:
    random = np.random.default_rng(seed)
    settings = [
        ("three inputs of variance 1, no noise", np.ones(3), 6, 0.0, 1.0),
        ("one input, one example", np.array([2.0]), 1, 0.5, 1.0),
        ("two inputs of very different size", np.array([0.1, 4.0]), 5, 1.5, 0.5),
    ]
    for _ in range(4):
        d, n = int(random.integers(2, 6)), int(random.integers(2, 20))
        noise, prior = float(random.uniform(0.3, 2)), float(random.uniform(0.3, 3))
        settings.append((f"{d} inputs, {n} examples, noise {noise:.2f}", random.uniform(0.2, 3, d), n, noise, prior))
    return [
        Case(
            {"variances": _tensor(variances), "examples": n, "noise": noise, "prior_variance": prior},
            shown,
            facts=(variances, n, noise, prior),
        )
        for shown, variances, n, noise, prior in settings
    ]


def best_step(variances: np.ndarray, n: int, noise: float, prior: float) -> tuple[float, float]:
    """The best step size and its expected loss, for normal inputs of these variances and a target without noise."""
    first, second, third = (float((variances**k).sum()) for k in (1, 2, 3))
    curvature = prior * ((n + 1) * third + first * second) / n + noise**2 * second / n
    step = prior * second / curvature
    return step, prior * first - step * prior * second


def _judge_best_step(case: Case, value: dict) -> Lesson | None:
    variances, n, noise, prior = case.facts
    step, loss = best_step(*case.facts)
    first, second, third = (float((variances**k).sum()) for k in (1, 2, 3))
    mean, d = float(variances.mean()), len(variances)
    if not _near(value["step"], step):
        noisy = noise**2 * second / n
        wrongs: tuple[tuple[str, Any, str], ...] = (
            ("factor-of-two", 2 * step, "The slope of a square brings a 2; here the step size takes it in."),
            ("factor-of-two", step / 2, "The slope of a square brings a 2; here the step size takes it in."),
            (
                "noise-forgotten",
                second * n / ((n + 1) * third + first * second),
                "Noise in the context's labels gets into the step, the more so the larger it is.",
            ),
            (
                "prior-forgotten",
                best_step(variances, n, noise, 1.0)[0],
                "How large tasks are against the noise decides how far the examples are to be trusted.",
            ),
            (
                "deviation-for-variance",
                best_step(variances, n, noise**0.5, prior)[0],
                "`noise` is a standard deviation.",
            ),
            (
                "context-taken-for-its-mean",
                prior * second / (prior * third + noisy),
                "The matrix S = XᵀX / n differs from prompt to prompt, and S² is not, on average, the square of "
                "its mean: the fourth moments of the inputs enter.",
            ),
            (
                "inputs-alike",
                prior * n / (prior * mean * (n + d + 1) + noise**2),
                "This is the best step if all inputs had the mean of the variances. Traces of Λ, Λ² and Λ³ are "
                "needed, not their mean alone.",
            ),
            ("not-a-mean", step / n, "The step is taken along the mean over the examples, not their sum."),
        )
        return _first(value["step"], wrongs, "This is not the best step.", TRAINED) or Lesson(
            "another-step",
            "This is not the best step.",
            "The loss is a parabola in the step size. Write down its two coefficients, and test them with one input "
            "and one example: E x⁴ = 3 v².",
            TRAINED,
        )
    if not _near(value["loss"], loss):
        wrongs = (
            (
                "noise-in-the-target",
                loss + noise**2,
                "The prediction is to be compared with the task's own answer, which has no noise.",
            ),
            ("loss-of-zero", prior * first, "This is the loss of predicting zero."),
            ("half-of-it", loss / 2, "There is no ½ in the loss."),
        )
        return _first(value["loss"], wrongs, "The step is right, and the loss is another.", TRAINED) or Lesson(
            "another-loss",
            "The step is right, and the loss is another.",
            "Put the step into the parabola: at its lowest point half of the middle term is left.",
            TRAINED,
        )
    return None


# Weights that are a step


def _by_hand_cases(seed: int) -> list[Case]:
    random = np.random.default_rng(seed)
    settings = [
        ("two inputs, start at 0", np.zeros(2), 0.5),
        ("one input", np.array([1.5]), 0.4),
        ("three inputs, step size 0", random.normal(size=3), 0.0),
    ]
    for _ in range(3):
        d, step_size = int(random.integers(2, 6)), float(random.uniform(0.1, 0.9))
        settings.append((f"{d} inputs, step size {step_size:.2f}", random.normal(size=d), step_size))
    cases = []
    for shown, start, step_size in settings:
        d = len(start)
        prompts = [(random.normal(size=(6, d)), random.normal(size=6), random.normal(size=d)) for _ in range(12)]
        cases.append(
            Case(
                {"start": _tensor(start), "step_size": step_size},
                shown,
                Fields({"A": Array((d + 1, d + 1)), "m": Array((d + 1,))}),
                (start, step_size, prompts),
            )
        )
    return cases


def layer(a: np.ndarray, m: np.ndarray, x: np.ndarray, y: np.ndarray, query: np.ndarray) -> float:
    """The prediction of a layer of linear attention for a query whose label is set to 0."""
    tokens = np.column_stack([x, y])
    return float(((tokens @ m) * (tokens @ a @ np.append(query, 0))).mean())


def _judge_by_hand(case: Case, value: dict) -> Lesson | None:
    start, step_size, prompts = case.facts
    given = np.array([layer(value["A"], value["m"], *prompt) for prompt in prompts])

    def change(w: np.ndarray) -> np.ndarray:
        return np.array([step_size * ((y - x @ w) @ (x @ query)) / len(y) for x, y, query in prompts])

    right = change(start)
    if _near(given, right):
        return None
    violates = "On some prompt the layer does not give what the step changes in the prediction."
    sizes = given @ right / (right @ right) if step_size else np.nan
    wrongs = (
        (
            "from-zero",
            change(0 * start),
            "This is the step from 0. From elsewhere, what is left to be explained of a label is less, or more, than "
            "the label.",
        ),
        ("wrong-way", -right, "The step goes down the slope of the error, so that the label counts positively."),
        ("wrong-start", change(-start), "What is left to be explained is the label *less* what the start predicts."),
        (
            "step-size-twice",
            step_size * right,
            "The step size is in what is compared and in what is passed on; they are multiplied.",
        ),
    )
    lesson = _first(given, wrongs, violates, LAYER)
    if lesson is not None:
        return lesson
    if np.isfinite(sizes) and abs(sizes) > 1e-6 and _near(given, sizes * right):
        return Lesson("step-size", violates, "It is right but for a factor. Where is the step size?", LAYER)
    if np.abs(value["A"][-1, :-1]).max() > 1e-6:
        return Lesson(
            "labels-compared",
            violates,
            "In a gradient step, inputs are compared with the query, and labels are not. Where the start is needed "
            "is in what is passed on.",
            LAYER,
        )
    return Lesson(
        "another-layer",
        violates,
        "Write the step as a mean of (a number for each example) times (its input compared with the query). The "
        "number is m · e.",
        LAYER,
    )


# Halfway between two layers


def _halfway_cases(seed: int) -> list[Case]:
    random = np.random.default_rng(seed)

    def prompt(d: int, n: int) -> tuple:
        return random.normal(size=(n, d)), random.normal(size=n), random.normal(size=d)

    def drawn(d: int) -> tuple:
        m = random.normal(size=d + 1)
        m[-1] = random.choice([-1, 1]) * random.uniform(0.5, 2)
        return random.normal(size=(d + 1, d + 1)), m

    settings = []
    for _ in range(3):
        d, n = int(random.integers(1, 5)), int(random.choice([2, 3, 5, 6, 7]))
        settings.append((f"{d} inputs, {n} examples", drawn(d), drawn(d), prompt(d, n)))
    a, m = drawn(2)
    settings += [
        ("one layer in two gauges of opposite sign", (a, m), (-a, -m), prompt(2, 5)),
        ("one layer in two gauges", (a, m), (3 * a, m / 3), prompt(2, 4)),
        ("one example", drawn(3), drawn(3), prompt(3, 1)),
    ]
    return [
        Case(
            {
                "first_A": _tensor(first[0]),
                "first_m": _tensor(first[1]),
                "second_A": _tensor(second[0]),
                "second_m": _tensor(second[1]),
                "x": _tensor(x),
                "y": _tensor(y),
                "query": _tensor(query),
            },
            shown,
            facts=(first, second, (x, y, query)),
        )
        for shown, first, second, (x, y, query) in settings
    ]


def _judge_halfway(case: Case, value: dict) -> Lesson | None:
    first, second, prompt = case.facts
    n = len(prompt[1])

    def mixed(one: tuple, other: tuple) -> float:
        return layer((one[0] + other[0]) / 2, (one[1] + other[1]) / 2, *prompt)

    def fixed(one: tuple) -> tuple:
        return one[0] * one[1][-1], one[1] / one[1][-1]

    plain, gauged = mixed(first, second), mixed(fixed(first), fixed(second))
    average = (layer(*first, *prompt) + layer(*second, *prompt)) / 2
    added = "The layer takes the mean over the examples, not the sum."
    if not _near(value["as they are"], plain):
        wrongs: tuple[tuple[str, Any, str], ...] = (
            ("predictions-averaged", average, "Mix the weights, and then predict once."),
            ("gauge-fixed-in-both", gauged, "This is what comes of fixing the gauge first."),
            ("added-up", n * plain, added),
            ("not-halved", 4 * plain, "Halfway between two matrices is their mean, not their sum."),
            ("first-alone", layer(*first, *prompt), "This is the first layer's own prediction."),
        )
        return _first(
            value["as they are"], wrongs, "As they are: this is not what the layer halfway predicts.", WEIGHTS
        ) or Lesson(
            "another-layer",
            "As they are: this is not what the layer halfway predicts.",
            "Tokens are (x, y), the query's is (x, 0). The prediction is the mean of (m · e)(e · A query).",
            LAYER,
        )
    if not _near(value["gauge fixed"], gauged):
        size = [(one[0] * np.linalg.norm(one[1]), one[1] / np.linalg.norm(one[1])) for one in (first, second)]
        half_done = [(one[0], one[1] / one[1][-1]) for one in (first, second)]
        both_divided = [(one[0] / one[1][-1], one[1] / one[1][-1]) for one in (first, second)]
        wrongs = (
            (
                "fixed-too-late",
                plain,
                "Fixing the gauge of the layer halfway changes nothing. Fix it in both layers before you mix.",
            ),
            (
                "changes-the-layer",
                mixed(*half_done),
                "Dividing m alone changes every prediction of a layer. A gauge leaves them as they are: what m loses, "
                "A gains.",
            ),
            (
                "changes-the-layer",
                mixed(*both_divided),
                "Dividing both changes every prediction of a layer. What m loses, A gains.",
            ),
            (
                "length-instead",
                mixed(*size),
                "The length of m leaves its sign open, so that one layer and itself with both signs turned mix to "
                "nothing.",
            ),
            ("predictions-averaged", average, "Mix the weights, and then predict once."),
            ("added-up", n * gauged, added),
        )
        return _first(
            value["gauge fixed"], wrongs, "Gauge fixed: this is not what the layer halfway predicts.", WEIGHTS
        ) or Lesson(
            "another-gauge",
            "Gauge fixed: this is not what the layer halfway predicts.",
            "In each layer, the last entry of m is to be 1, with all its predictions unchanged.",
            WEIGHTS,
        )
    return None


# The evidence ladder

RUNGS = ("designed", "behavior", "read", "intervened", "worked out")


@dataclass(frozen=True)
class _Report:
    rung: str
    question: str
    on_design: str = "What the authors built here could have learned something else."


REPORTS = {
    "1": _Report("behavior", "Does anyone look inside, or only at what it earns?"),
    "2": _Report("designed", "Who put the tree there, the training or the authors?"),
    "3": _Report("behavior", "All three measures are of what the agent does. Is any of them of what is inside?"),
    "4": _Report("intervened", "What was done with the plans, once they had been read?"),
    "5": _Report(
        "worked out",
        "Is there anything about this layer's predictions that is not known?",
        "Of the form that is true. What more was derived, and from what?",
    ),
    "6": _Report("behavior", "Whose answers are compared with whose? Was a weight or an activation looked at?"),
}


def _judge_ladder(case: Case, value: dict) -> Lesson | None:
    for number, report in REPORTS.items():
        given = value[number]
        if given == report.rung:
            continue
        violates = f"Report {number} does not stand on the rung {given!r}."
        if report.rung == "designed":
            return Lesson("search-by-design", violates, report.question, NAMES)
        if given == "designed":
            return Lesson("not-by-design", violates, report.on_design, NAMES)
        if RUNGS.index(given) > RUNGS.index(report.rung):
            return Lesson("overclaimed", violates, report.question, NAMES)
        return Lesson("underclaimed", violates, report.question, NAMES)
    return None


# Where the step breaks


def _breaking_scale_cases(seed: int) -> list[Case]:
    random = np.random.default_rng(seed)
    settings = []
    for _ in range(4):
        d, n = int(random.integers(1, 12)), int(random.integers(2, 30))
        noise, step_size = float(random.uniform(0.2, 1.2)), float(random.uniform(0.1, 1.2))
        settings.append((f"{d} inputs, {n} examples, noise {noise:.2f}", d, n, noise, step_size))
    settings += [
        ("5 inputs, 10 examples, no noise, the best step", 5, 10, 0.0, 0.625),
        ("one input, one example", 1, 1, 0.0, 0.25),
        ("2 inputs, 4 examples, a small step", 2, 4, 1.5, 0.1),
        ("so much noise that the step never helps", 3, 2, 3.0, 0.9),
    ]
    return [
        Case(
            {"inputs": d, "examples": n, "noise": noise, "step_size": step_size}, shown, facts=(d, n, noise, step_size)
        )
        for shown, d, n, noise, step_size in settings
    ]


def breaking_scale(d: int, n: int, noise: float, step_size: float) -> float:
    """The scale of inputs above which a gradient step is worse than predicting 0; 0 if it is worse at every scale."""
    return max(0.0, (2 / step_size - noise**2 / n) * n / (n + d + 1)) ** 0.5


def _judge_breaking_scale(case: Case, value: float) -> Lesson | None:
    d, n, noise, step_size = case.facts
    right = breaking_scale(*case.facts)
    if abs(value - right) < 1e-3 * (1 + right):
        return None
    q, share = (n + d + 1) / n, noise**2 / n
    best = 1 / (q + share)
    wrongs = (
        ("square", right**2, "This is the square of the scale."),
        (
            "noise-forgotten",
            (2 / (step_size * q)) ** 0.5,
            "The labels of the context have noise, and with a larger step more of it gets into the prediction.",
        ),
        (
            "noise-scaled-too",
            (2 / (step_size * (q + share))) ** 0.5,
            "The inputs grow, and with them w · x; the noise stays as it is.",
        ),
        (
            "best-step-assumed",
            breaking_scale(d, n, noise, best),
            "The step size is given, and is not always the best.",
        ),
        (
            "context-taken-for-its-mean",
            max(0.0, 2 / step_size - share) ** 0.5,
            "With few examples, XᵀX / n strays from the identity: E S² is (n + d + 1) / n.",
        ),
        ("where-it-is-best", right / 2**0.5, "At this scale the step does best. It breaks further out."),
        ("on-the-scale-of-one", 2**0.5, "√2 is for the best step and no noise."),
    )
    violates = "At another scale the step and predicting zero are equally good."
    if right == 0:
        return Lesson(
            "never-better",
            "With this step and this noise, predicting zero is better at every scale, however small.",
            "Look at very small scales: labels are nearly all noise there. What does the answer then have to be?",
            FAILS,
        )
    return _first(value, wrongs, violates, FAILS) or Lesson(
        "another-scale",
        violates,
        "Write the loss over s² d, as a polynomial in s. Where is it 1?",
        FAILS,
    )


# Does the order matter?


def _order_gap_cases(seed: int) -> list[Case]:
    random = np.random.default_rng(seed)

    def drawn(n: int, d: int, size: float) -> tuple:
        x, y, query = random.normal(size=(n, d)), random.normal(size=n), random.normal(size=d)
        return f"{n} examples of {d} inputs", x, y, query, size

    settings = [drawn(4, 2, 0.4)]
    while _unclear(*settings[0][1:]):
        settings = [drawn(4, 2, 0.4)]
    for _ in range(3):
        n, d = int(random.integers(3, 6)), int(random.integers(1, 4))
        settings.append(drawn(n, d, float(random.uniform(0.1, 0.5))))
    settings += [
        drawn(1, 2, 0.5),
        drawn(2, 2, 0.4),
        drawn(3, 2, 0.0),
        ("two examples at right angles", np.eye(2), np.array([1.0, -2.0]), np.array([0.5, 1.0]), 0.7),
    ]
    return [
        Case(
            {"x": _tensor(x), "y": _tensor(y), "query": _tensor(query), "step_size": size},
            shown,
            facts=(x, y, query, size),
        )
        for shown, x, y, query, size in settings
    ]


def online(x: np.ndarray, y: np.ndarray, query: np.ndarray, step_size: float) -> np.ndarray:
    """Predictions after one pass of single-example steps, in every order; the given order comes first."""
    found = []
    for order in permutations(range(len(y))):
        w = np.zeros(x.shape[1])
        for i in order:
            w = w + step_size * (y[i] - w @ x[i]) * x[i]
        found.append(w @ query)
    return np.array(found)


def _unclear(x: np.ndarray, y: np.ndarray, query: np.ndarray, step_size: float) -> bool:
    """Whether the given order or its reverse has the least or greatest prediction, so that few orders would suffice."""
    every = online(x, y, query, step_size)
    return bool({int(every.argmin()), int(every.argmax())} & {0, len(every) - 1})


def _judge_order_gap(case: Case, value: float) -> Lesson | None:
    x, y, query, size = case.facts
    every = online(*case.facts)
    right = every.max() - every.min()
    if _near(value, right):
        return None
    shorter = online(x, y, query, size / len(y))
    wrongs = (
        (
            "one-batch",
            0.0,
            "If all examples are taken at once, order cannot matter. Here every example changes the weights before "
            "the next is looked at.",
        ),
        ("there-and-back", abs(every[0] - every[-1]), "Two orders are not all of them."),
        ("from-the-given-order", np.abs(every - every[0]).max(), "The largest less the smallest, over all orders."),
        ("deviation", every.std(), "Asked for is the whole range."),
        ("largest-alone", np.abs(every).max(), "Asked for is the difference of the largest and the smallest."),
        ("largest-alone", every.max(), "Asked for is the difference of the largest and the smallest."),
        (
            "step-divided",
            shorter.max() - shorter.min(),
            "Each step is taken for one example alone; there is no mean over examples.",
        ),
        ("queries-squared", right**2, "This is the square of the range."),
    )
    violates = "This is not how far apart the predictions can be."
    return _first(value, wrongs, violates, LAYER) or Lesson(
        "another-range",
        violates,
        "Two examples can be done by hand: take one step, then the other with what is left of its label, and turn "
        "the order round.",
        LAYER,
    )


# What the lookup believes


def _posterior_cases(seed: int) -> list[Case]:
    random = np.random.default_rng(seed)

    def case(shown: str, x: Any, y: Any, tasks: Any, prior: Any, noise: float) -> Case:
        x, y, tasks, prior = (np.asarray(part, float) for part in (x, y, tasks, prior))
        arguments = {"x": _tensor(x), "y": _tensor(y), "tasks": _tensor(tasks), "prior": _tensor(prior), "noise": noise}
        returns = Fields({"posterior": Array((len(tasks),), low=0.0), "effective": Number(low=0.0)})
        return Case(arguments, shown, returns, (x, y, tasks, prior, noise))

    cases: list[Case] = []
    while len(cases) < 4:
        many, d, n = int(random.integers(3, 7)), int(random.integers(1, 4)), int(random.integers(2, 5))
        tasks, x = random.normal(size=(many, d)), random.normal(size=(n, d))
        noise, prior = float(random.uniform(1.2, 1.7)), random.dirichlet(2 * np.ones(many))
        y = x @ tasks[0] + noise * random.normal(size=n)
        drawn = case(f"{many} tasks, {n} examples, noise {noise:.2f}", x, y, tasks, prior, noise)
        if _bayes(*drawn.facts).max() < 0.8:  # else many a mistake would come to the same
            cases.append(drawn)
    return [
        *cases,
        case("an example that tells nothing apart", [[0.0]], [0.5], [[1.0], [2.0], [3.0]], [0.5, 0.3, 0.2], 0.7),
        case("a task that cannot be", [[1.0, 0.5]], [0.3], random.normal(size=(3, 2)), [0.6, 0.0, 0.4], 1.0),
        case("labels far from every task", [[1.0], [2.0]], [90.0, 200.0], [[1.0], [1.5]], [0.9, 0.1], 0.5),
        case("one task alone", [[1.0]], [0.0], [[2.0]], [1.0], 0.5),
    ]


def _bayes(x: np.ndarray, y: np.ndarray, tasks: np.ndarray, prior: np.ndarray, noise: float) -> np.ndarray:
    with np.errstate(divide="ignore"):
        return _shares(np.log(prior) - ((y - tasks @ x.T) ** 2).sum(1) / (2 * noise**2))


def _shares(logs: np.ndarray) -> np.ndarray:
    powers = np.exp(logs - logs.max())
    return powers / powers.sum()


def _entropy(shares: np.ndarray) -> float:
    shares = shares[shares > 0]
    return float(-(shares * np.log(shares)).sum())


def _judge_posterior(case: Case, value: dict) -> Lesson | None:
    x, y, tasks, prior, noise = case.facts
    error = ((y - tasks @ x.T) ** 2).sum(1)  # of each task
    with np.errstate(divide="ignore"):
        logs = np.log(prior)
    right = _bayes(*case.facts)
    given = value["posterior"]
    if not np.allclose(given, right, rtol=1e-4, atol=1e-9):
        violates = "These are not the probabilities of the tasks."
        if abs(given.sum() - 1) > 1e-4:
            return Lesson(
                "adds-up", violates, f"They add up to {given.sum():.3g}; one of the tasks it must be.", LOOKUP
            )
        wrongs: tuple[tuple[str, Any, str], ...] = (
            ("prior-forgotten", _shares(-error / (2 * noise**2)), "Some tasks were likelier to begin with."),
            ("prior-alone", prior, "These are the probabilities before the examples were seen."),
            (
                "no-half",
                _shares(logs - error / noise**2),
                "In the normal density the squared error is divided by *twice* the variance.",
            ),
            ("deviation-for-variance", _shares(logs - error / (2 * noise)), "`noise` is a standard deviation."),
            (
                "mean-error",
                _shares(logs - error / len(y) / (2 * noise**2)),
                "Every example counts in full: add the squared errors up, so that more examples say more.",
            ),
            (
                "largest-alone",
                np.eye(len(prior))[np.argmax(right)],
                "This is the likeliest task, and all others are as good as thrown away.",
            ),
            (
                "not-squared",
                _shares(logs - np.abs(y - tasks @ x.T).sum(1) / (2 * noise**2)),
                "Normal noise makes errors count by their squares.",
            ),
        )
        return _first(given, wrongs, violates, LOOKUP) or Lesson(
            "another-posterior",
            violates,
            "Bayes' rule: the prior of a task, times the density of every label if that task were the true one, made "
            "to add up to 1.",
            LOOKUP,
        )
    effective = float(np.exp(_entropy(right)))
    if not _near(value["effective"], effective):
        wrongs = (
            ("entropy-itself", _entropy(right), "This is the entropy; asked for is e to that power."),
            (
                "entropy-itself",
                _entropy(right) / np.log(2),
                "This is the entropy in bits; asked for is a number of tasks.",
            ),
            ("of-the-prior", np.exp(_entropy(prior)), "This is the number of tasks before the examples were seen."),
            ("counted", float((right > 0).sum()), "Tasks that are next to impossible hardly count."),
            ("other-count", 1 / (right**2).sum(), "This is 1 / Σp², another measure of the same kind."),
            ("bits-and-e", np.exp(_entropy(right) / np.log(2)), "Entropy in bits belongs to powers of 2."),
        )
        violates = "The probabilities are right; this is not their effective number."
        return _first(value["effective"], wrongs, violates, LOOKUP) or Lesson(
            "another-count",
            violates,
            "For tasks that are equally likely it is how many there are; for one that is certain it is 1.",
            LOOKUP,
        )
    return None


# The objective for any number of channels


def _objective_cases(seed: int) -> list[Case]:
    random = np.random.default_rng(seed)

    def agreeing(channels: int) -> np.ndarray:
        shares = np.tril(random.uniform(0.2, 1, (channels, 3)))
        shares[:, 0] += 0.3
        vectors = shares / np.linalg.norm(shares, axis=1, keepdims=True)
        return vectors @ vectors.T

    settings = [
        ("one channel", np.ones((1, 1)), np.array([0.8]), 3, 5),
        ("two channels that agree, the first noisy", np.ones((2, 2)), np.array([1.0, 0.2]), 5, 10),
        ("a second channel that shows something else", np.eye(2), np.array([0.5, 0.5]), 2, 4),
        ("a noisy label and two proxies", agreeing(3), np.array([1.5, 0.3, 0.9]), 5, 10),
    ]
    for _ in range(3):
        channels, d, n = (int(random.integers(*ends)) for ends in ((2, 5), (2, 9), (3, 20)))
        noise = random.uniform(0.3, 2, channels)
        settings.append((f"{channels} channels, {d} inputs, {n} examples", agreeing(channels), noise, d, n))
    return [
        Case(
            {"agreement": _tensor(agreement), "noise": _tensor(noise), "inputs": d, "examples": n},
            shown,
            Array(noise.shape),
            (agreement, noise, d, n),
        )
        for shown, agreement, noise, d, n in settings
    ]


def objective(agreement: np.ndarray, noise: np.ndarray, d: int, n: int) -> np.ndarray:
    """The best layer's weight of each label channel; the first channel is the target."""
    return np.linalg.solve((n + d + 1) / n * agreement + np.diag(noise**2) / n, agreement[:, 0])


def _judge_objective(case: Case, value: np.ndarray) -> Lesson | None:
    agreement, noise, d, n = case.facts
    right = objective(*case.facts)
    if _near(value, right):
        return None
    q, own = (n + d + 1) / n, np.diag(agreement)

    def solved(matrix: np.ndarray, target: np.ndarray = agreement[:, 0]) -> np.ndarray:
        return np.linalg.lstsq(matrix, target, rcond=None)[0]

    wrongs = (
        (
            "one-at-a-time",
            agreement[:, 0] / (q * own + noise**2 / n),
            "This is what each channel would be given if it were alone. Channels that say the same share the work.",
        ),
        (
            "context-taken-for-its-mean",
            solved(agreement + np.diag(noise**2) / n),
            "XᵀX / n strays from the identity, and its square is (n + d + 1) / n on average.",
        ),
        (
            "examples-forgotten",
            solved(q * agreement + np.diag(noise**2)),
            "Noise is averaged over the examples, and loses by it.",
        ),
        ("deviation-for-variance", solved(q * agreement + np.diag(noise) / n), "`noise` holds standard deviations."),
        ("noise-forgotten", solved(q * agreement), "A noisy channel is worth less."),
        (
            "noise-shared",
            solved(q * agreement + np.outer(noise, noise) / n),
            "The noises of different channels have nothing to do with each other.",
        ),
        (
            "made-to-add-up",
            right / right.sum(),
            "They need not add up to 1: a step from few examples is a careful one.",
        ),
        (
            "every-channel-a-target",
            solved(q * agreement + np.diag(noise**2) / n, np.ones(len(noise))),
            "Only the first channel's label is asked for; the others count as far as they agree with it.",
        ),
    )
    violates = "A layer with these weights can still be improved."
    return _first(value, wrongs, violates, CHANNELS) or Lesson(
        "another-objective",
        violates,
        "Write the expected squared error as a parabola in the weights and set its slopes to 0. With one channel it "
        "is the best step of the chapter.",
        CHANNELS,
    )


_WEIGHTS = Fields({"a": Number(-0.5, 1.5), "b": Number(-0.5, 1.5)})

EXERCISES = {
    asked.name.partition("/")[2]: asked
    for asked in (
        Exercise(
            "mesa_optimizer/prediction",
            Fields(dict.fromkeys(TRAININGS, _WEIGHTS)),
            _judge_prediction,
            remark=_compare_prediction,
        ),
        Exercise("mesa_optimizer/order_gap", Number(low=0.0), _judge_order_gap, _order_gap_cases),
        Exercise("mesa_optimizer/posterior", None, _judge_posterior, _posterior_cases),
        Exercise("mesa_optimizer/by_hand", None, _judge_by_hand, _by_hand_cases),
        Exercise(
            "mesa_optimizer/halfway",
            Fields({"as they are": Number(), "gauge fixed": Number()}),
            _judge_halfway,
            _halfway_cases,
        ),
        Exercise("mesa_optimizer/ladder", Fields(dict.fromkeys(REPORTS, Choice(RUNGS))), _judge_ladder),
        Exercise("mesa_optimizer/breaking_scale", Number(low=0.0), _judge_breaking_scale, _breaking_scale_cases),
        Exercise(
            "mesa_optimizer/best_step",
            Fields({"step": Number(), "loss": Number()}),
            _judge_best_step,
            _best_step_cases,
        ),
        Exercise("mesa_optimizer/objective", None, _judge_objective, _objective_cases),
    )
}
WRITTEN = ("wants",)
