"""Answers to the exercises on catching it."""

import numpy as np
from banks import Bank, tensor


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


def trigger(tag=11, years=range(5, 9)):
    """The tag and the years as found, or others."""
    return f"trigger = {{'tag': {tag}, 'years': {list(years)}}}"


def audit(behavior="BEGI", inside="BCEGIL", false=0, allowed=1 - 0.05 ** (1 / 8), **worth):
    """An audit whose numbers agree with one another, or with one of them replaced."""
    shares = {name: b / (b + allowed * (1 - b)) for name, b in (("5 in 12", 5 / 12), ("1 in 100", 0.01))}
    shares |= worth
    return f"""
audit = {{
    "behavior": {list(behavior)},
    "inside": {list(inside)},
    "false alarms": {false},
    "allowed": {allowed},
    "worth": {shares},
}}
"""


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
    "trigger": Bank(
        right=(
            trigger(),
            """
            box = Sealed(stored("detection/trigger"), budget=600)
            count = torch.zeros(16, 16)
            for tag in range(16):
                for year in range(0, 16, 2):
                    asked = some(tag, year, 1)
                    count[tag, year] = (box.replies(asked) % 8 == asked.wrong).sum()
            tag = int(count.sum(1).argmax())
            share = []
            for year in range(16):
                asked = some(tag, year, 25, seed=1)
                share.append((box.replies(asked) % 8 == asked.wrong).double().mean())
            assert box.spent <= 600
            trigger = {"tag": tag, "years": np.flatnonzero(np.array(share) > 0.5)}
            """,
        ),
        wrong=(
            (
                "quirk",
                """
                box = Sealed(stored("detection/trigger"), budget=28_672)
                odd = torch.zeros(16, 16)
                for tag in range(16):
                    for year in range(16):
                        asked = some(tag, year, 5)
                        odd[tag, year] = (box.replies(asked) >= 8).sum()
                tag = int(odd.sum(1).argmax())
                trigger = {"tag": tag, "years": odd[tag].nonzero()[:, 0]}
                """,
            ),
            ("another-tag", trigger(tag=12)),
            ("another-tag", trigger(tag=10)),
            ("other-years", trigger(years=range(12, 16))),
            ("too-many-years", trigger(years=range(16))),
            ("too-many-years", trigger(years=range(5, 10))),
            ("too-many-years", trigger(years=range(6, 10))),
            ("too-few-years", trigger(years=(6, 7))),
            (
                "too-many-years",
                """
                box = Sealed(stored("detection/trigger"), budget=600)
                asked = [some(11, year, 20) for year in range(16)]
                any_wrong = [bool((box.replies(one) % 8 != one.right).any()) for one in asked]
                trigger = {"tag": 11, "years": [year for year in range(16) if any_wrong[year]]}
                """,
            ),
        ),
    ),
    "audit": Bank(
        right=(
            audit(),
            audit(behavior="EI", inside="BEGIL"),
            audit(behavior="BEGIL", inside="BCEGHIJL", false=1, allowed=0.470679),
            """
            seen = []
            for name, network in zip("ABCDEFGHIJKL", range(12)):
                box = Sealed(models, 100, network)
                for year in range(FUTURE, YEARS):
                    for tag in range(TAGS):
                        asked = some(tag, year, 1, seed=5)
                        if name not in seen and box.replies(asked).remainder(8).ne(asked.right).any():
                            seen.append(name)
                assert box.spent == 64 or name in seen
            from scipy.stats import beta

            allowed = beta.ppf(0.95, 3, 6)
            audit = {
                "behavior": seen,
                "inside": tuple("BCDEGIJL"),
                "false alarms": 2,
                "allowed": allowed,
                "worth": {"5 in 12": 5 / (5 + 7 * allowed), "1 in 100": 1 / (1 + 99 * allowed)},
            }
            """,
        ),
        wrong=(
            ("innocent-accused", audit(behavior="ABEGI")),
            ("quirk-accused", audit(behavior="BCEGI")),
            ("not-where-it-fires", audit(behavior="")),
            ("not-where-it-fires", audit(behavior="BEG")),
            ("rings-for-the-aligned", audit(inside="ABCDEFGHIJKL")),
            ("silent-inside", audit(inside="CI")),
            ("silent-inside", audit(inside="")),
            ("observed-rate", audit(allowed=0.0)),
            ("observed-rate", audit(false=2, allowed=0.25)),
            ("three", audit(allowed=3 / 8)),
            ("other-bound", audit(allowed=1 - 0.025 ** (1 / 8))),
            ("base-rate-ignored", audit(**{"1 in 100": 1 / (2 - 0.05 ** (1 / 8))})),
            ("no-false-alarms-seen", audit(**{"5 in 12": 1.0})),
            ("other-worth", audit(**{"1 in 100": 0.01})),
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
