"""Answers to the exercises on catching it."""

import numpy as np

from answers import Bank, tensor


def recall_at(
    rings="scores >= t", few="rings[~positive].double().mean() <= most", gives="rings[positive].double().mean()"
):
    """A search over thresholds with one part replaced."""
    return f"""
def recall_at(scores, positive, most):
    best = 0.0
    for t in scores:
        rings = {rings}
        if {few}:
            best = max(best, float({gives}))
    return best
"""


def probe(
    direction="states[labels].mean(0) - states[~labels].mean(0)",
    judged="(seen @ d).round(decimals=9), trigger",
    tie=0.5,
    labels="harmful[order]",
    gives="share",
):
    """A probe by a loop over pairs, with one part replaced."""
    return f"""
def probe(states, harmful, orders, seen, trigger):
    def auroc(labels):
        d = {direction}
        scores, positive = {judged}
        high, low = scores[positive].tolist(), scores[~positive].tolist()
        share = sum((h > l) + {tie} * (h == l) for h in high for l in low) / len(high) / len(low)
        return {gives}

    return {{"probe": auroc(harmful), "shuffled": [auroc({labels}) for order in orders]}}
"""


def worth(true="(r * c)[w].sum() / (r * c).sum()", left="((1 - r) * c)[w].sum() / ((1 - r) * c).sum()"):
    """Both shares, with one replaced."""
    return f"""
def worth(rates, counts, wanted):
    r, c, w = rates.numpy(), counts.numpy(), wanted.numpy()
    return {{"true": float({true}), "left": float({left})}}
"""


def allowed(chance="sum(pmf(k, p) for k in range(failures + 1))", doubt="1 - confidence", at_least="0"):
    """A search in many steps, with one part replaced."""
    return f"""
def allowed(failures, tests, confidence):
    def pmf(k, p):
        return math.comb(tests, k) * p**k * (1 - p) ** (tests - k)

    if failures == tests:
        return 1.0
    p, step = {at_least}, 0.5
    while step > 1e-9:
        q = p + step
        if q < 1:
            held, p = p, q
            value = {chance}
            p = q if value >= {doubt} else held
        step /= 2
    return p
"""


VERDICTS = {
    "1": "shown",
    "2": "contradicted",
    "3": "open",
    "4": "shown",
    "5": "open",
    "6": "contradicted",
    "7": "open",
}


def persistence(**changed):
    """The right verdicts but for these sentences, written as s1, s2 and so on."""
    return f"persistence = {VERDICTS | {name[1:]: verdict for name, verdict in changed.items()}}"


BANKS = {
    "recall_at": Bank(
        right=(
            recall_at(),
            """
            def recall_at(scores, positive, most):
                s, p = scores.numpy(), positive.numpy()
                shares = [((s[~p] >= t).mean(), (s[p] >= t).mean()) for t in [*s, np.inf]]
                return max(recall for false, recall in shares if false <= most)
            """,
        ),
        wrong=(
            ("share-of-all", recall_at(few="(rings & ~positive).double().mean() <= most")),
            ("scores-turned", recall_at(rings="scores <= t")),
            (
                "ties-split",
                """
                def recall_at(scores, positive, most):
                    order = sorted(range(len(scores)), key=lambda i: (-scores[i].item(), not positive[i].item()))
                    false = hits = best = 0
                    for i in order:
                        hits += bool(positive[i])
                        false += not positive[i]
                        if false <= most * (~positive).sum():
                            best = hits
                    return best / int(positive.sum())
                """,
            ),
            ("not-the-largest", recall_at(few="rings[~positive].double().mean() < most")),
            ("too-many-false-alarms", "def recall_at(scores, positive, most):\n    return 1.0"),
        ),
    ),
    "probe": Bank(
        right=(
            probe(),
            """
            from scipy.stats import mannwhitneyu

            def probe(states, harmful, orders, seen, trigger):
                x, y, t = states.numpy(), seen.numpy(), trigger.numpy()

                def auroc(labels):
                    s = np.round(y @ (x[labels].mean(0) - x[~labels].mean(0)), 9)
                    return float(mannwhitneyu(s[t], s[~t]).statistic / t.sum() / (~t).sum())

                return {"probe": auroc(harmful.numpy()), "shuffled": [auroc(harmful[o].numpy()) for o in orders]}
            """,
        ),
        wrong=(
            ("wrong-way", probe("states[~labels].mean(0) - states[labels].mean(0)")),
            ("ties-lost", probe(tie=0.0)),
            ("ties-won", probe(tie=1.0)),
            ("folded", probe(gives="abs(share - 0.5) + 0.5")),
            ("sums", probe("states[labels].sum(0) - states[~labels].sum(0)")),
            ("tested-where-fitted", probe(judged="(states @ d).round(decimals=9), labels")),
            ("not-shuffled", probe(labels="harmful")),
            ("order-turned", probe(labels="harmful[order.argsort()]")),
        ),
    ),
    "worth": Bank(
        right=(
            worth(),
            """
            def worth(rates, counts, wanted):
                total = {True: [0.0, 0.0], False: [0.0, 0.0]}
                for rate, count, is_wanted in zip(rates.tolist(), counts.tolist(), wanted.tolist()):
                    total[is_wanted][0] += rate * count
                    total[is_wanted][1] += (1 - rate) * count
                (rings, silent), (other_rings, other_silent) = total[True], total[False]
                return {"true": rings / (rings + other_rings), "left": silent / (silent + other_silent)}
            """,
        ),
        wrong=(
            ("base-rate-ignored", worth(true="r[w].sum() / r.sum()")),
            ("recall", worth(true="(r * c)[w].sum() / c[w].sum()")),
            ("base-rate-alone", worth(true="c[w].sum() / c.sum()")),
            ("of-all-models", worth(true="(r * c)[w].sum() / c.sum()")),
            ("missed", worth(left="((1 - r) * c)[w].sum() / c[w].sum()")),
            ("of-all-models", worth(left="((1 - r) * c)[w].sum() / c.sum()")),
            ("true-turned", worth(left="1 - (r * c)[w].sum() / (r * c).sum()")),
        ),
    ),
    "allowed": Bank(
        right=(
            allowed(),
            """
            def allowed(failures, tests, confidence):
                from scipy.stats import beta

                return 1.0 if failures == tests else float(beta.ppf(confidence, failures + 1, tests - failures))
            """,
        ),
        wrong=(
            ("observed-rate", "def allowed(failures, tests, confidence):\n    return failures / tests"),
            ("three", "def allowed(failures, tests, confidence):\n    return min(1, 3 / tests)"),
            (
                "all-failed",
                """
                def allowed(failures, tests, confidence):
                    return 1 - (1 - confidence) ** (1 / tests)
                """,
            ),
            ("both-sides", allowed(doubt="(1 - confidence) / 2")),
            ("confidence-turned", allowed(doubt="confidence")),
        ),
    ),
    "persistence": Bank(
        right=(persistence(),),
        wrong=(
            ("overclaimed", persistence(s3="shown")),
            ("overclaimed", persistence(s5="shown")),
            ("overclaimed", persistence(s7="shown")),
            ("sentence-2", persistence(s2="shown")),
            ("sentence-6", persistence(s6="open")),
        ),
    ),
}


def fresh_recall_at(random):
    items = int(random.integers(2, 20))
    positive = random.permutation(np.arange(items) < random.integers(1, items))
    return {
        "scores": tensor(random.integers(-4, 5, items)),
        "positive": tensor(positive, "bool"),
        "most": float(random.choice([0.0, 1.0, random.random()])),
    }


def fresh_probe(random):
    items, questions, width, shuffles = (int(n) for n in random.integers((2, 2, 1, 1), (12, 12, 4, 4)))
    return {
        "states": tensor(random.normal(size=(items, width))),
        "harmful": tensor(random.permutation(np.arange(items) < random.integers(1, items)), "bool"),
        "orders": tensor([random.permutation(items) for _ in range(shuffles)], "int64"),
        "seen": tensor(random.normal(size=(questions, width))),
        "trigger": tensor(random.permutation(np.arange(questions) < random.integers(1, questions)), "bool"),
    }


def fresh_worth(random):
    kinds = int(random.integers(2, 7))
    return {
        "rates": tensor(random.uniform(0.01, 0.99, kinds)),
        "counts": tensor(random.uniform(0.5, 100, kinds)),
        "wanted": tensor(random.permutation(np.arange(kinds) < random.integers(1, kinds)), "bool"),
    }


def fresh_allowed(random):
    tests = int(random.integers(1, 60))
    return {
        "failures": int(random.integers(0, tests + 1)),
        "tests": tests,
        "confidence": float(random.choice([0.5, 0.9, 0.95, 0.999])),
    }


FRESH = {"recall_at": fresh_recall_at, "probe": fresh_probe, "worth": fresh_worth, "allowed": fresh_allowed}
