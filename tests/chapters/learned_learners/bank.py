"""Answers to the exercises on what makes a learner appear."""

import numpy as np
from banks import Bank, tensor

LEFT = {"no reward": 2, "no action": 2.28, "wiped": 0.58, "one task": 2, "turned": 1.72}


def left(**changed):
    """The right totals but for some, named with underscores."""
    return f"left = {LEFT | {name.replace('_', ' '): value for name, value in changed.items()}}"


FROZEN = """
def frozen(choose, change, chances, pulls):
    choose, change, chances = choose.numpy(), change.numpy(), chances.numpy()
    likely = [0.0] * len(choose)
    likely[0] = 1.0
    found = []
    for _ in range(pulls):
        following, pays = [0.0] * len(choose), 0.0
        for s in range(len(choose)):
            for a in range(len(chances)):
                for r in (0, 1):
                    part = likely[s] * choose[s, a] * (chances[a] if r else 1 - chances[a])
                    following[change[s, a, r]] += part
                    pays += part * r
        likely = following
        found.append(pays)
    return found
"""

WORTH = """
def worth(successes, failures, pulls, discount):
    successes, failures = successes.tolist(), failures.tolist()

    def best(paid, unpaid, left):
        if left == 0:
            return 0.0
        values = []
        for arm in range(len(successes)):
            a, b = successes[arm] + paid[arm], failures[arm] + unpaid[arm]
            up = tuple(n + (k == arm) for k, n in enumerate(paid))
            down = tuple(n + (k == arm) for k, n in enumerate(unpaid))
            after = (a * best(up, unpaid, left - 1) + b * best(paid, down, left - 1)) / (a + b)
            values.append(a / (a + b) + discount * after)
        return max(values)

    none = (0,) * len(successes)
    return best(none, none, pulls)
"""

BITS = """
def bits(instances, power, prices):
    payable = [x for x in range(len(prices)) if prices[x] <= power]
    return max(payable, key=lambda x: ((power - prices[x]) / instances + x, -x))
"""

PLACE = {
    "1": "designed control",
    "2": "learned control",
    "3": "designed search",
    "4": "designed search",
    "5": "learned search",
    "6": "learned control",
}


def place(**changed):
    """The right places but for these systems, written as s1, s2 and so on."""
    return f"place = {PLACE | {name[1:]: kind for name, kind in changed.items()}}"


BANKS = {
    "left": Bank(
        right=(left(), left(turned=31 / 18, wiped=7 / 12)),
        wrong=(
            ("nothing-told-nothing-learned", left(no_reward=2.1)),
            ("nothing-told-nothing-learned", left(no_reward=0)),
            ("knows-what-it-does", left(no_action=2)),
            ("knows-what-it-does", left(no_action=2.17)),
            ("last-pull-is-all-there-is", left(wiped=0.5)),
            ("last-pull-is-all-there-is", left(wiped=0.67)),
            ("second-pull-alone", left(wiped=1.08)),
            ("on-new-tasks", left(one_task=3.6)),
            ("habit", left(one_task=2.28)),
            ("habit", left(one_task=2.2)),
            ("told-is-not-paid", left(turned=2)),
            ("follows-what-it-is-told", left(turned=2.28)),
            ("out-of-range", left(turned=-2.28)),
            ("wrong-type", "left = {'no reward': 2.0}"),
        ),
    ),
    "frozen": Bank(
        right=(
            FROZEN,
            """
            def frozen(choose, change, chances, pulls):
                n = len(choose)
                step = torch.zeros(n, n, dtype=torch.float64)
                for s in range(n):
                    for a, p in enumerate(chances):
                        step[s, change[s, a, 1]] += choose[s, a] * p
                        step[s, change[s, a, 0]] += choose[s, a] * (1 - p)
                pays = choose @ chances
                return torch.stack([torch.linalg.matrix_power(step, k)[0] @ pays for k in range(pulls)])
            """,
        ),
        wrong=(
            (
                "begins-anywhere",
                FROZEN.replace("[0.0] * len(choose)\n    likely[0] = 1.0", "[1 / len(choose)] * len(choose)"),
            ),
            ("never-changes-state", FROZEN.replace("likely = following", "pass")),
            ("rewards-exchanged", FROZEN.replace("change[s, a, r]", "change[s, a, 1 - r]")),
            (
                "reward-not-looked-at",
                FROZEN.replace("[change[s, a, r]] += part", "[change[s, a, r]] += likely[s] * choose[s, a] / 2"),
            ),
            (
                "always-paid",
                FROZEN.replace("[change[s, a, r]] += part", "[change[s, a, 1]] += part"),
            ),
            (
                "likeliest-arm-only",
                FROZEN.replace("found = []", "found = []\n    choose = np.eye(len(chances))[choose.argmax(1)]"),
            ),
            ("added-up", FROZEN.replace("return found", "return np.cumsum(found)")),
            (
                "one-pull-late",
                FROZEN.replace("range(pulls)", "range(pulls + 1)").replace("return found", "return found[1:]"),
            ),
            ("other-chances", FROZEN.replace("[change[s, a, r]] += part", "[change[s, a, r]] += choose[s, a] * part")),
            ("wrong-shape", FROZEN.replace("return found", "return sum(found)")),
            ("wrong-shape", FROZEN.replace("return found", "return found[1:]")),
            ("changed-input", FROZEN.replace("found = []", "found = []\n    choose[0] = choose[0, ::-1].copy()")),
        ),
    ),
    "worth": Bank(
        right=(
            WORTH,
            """
            def worth(successes, failures, pulls, discount):
                from functools import cache

                @cache
                def ahead(state, left):
                    if not left:
                        return 0.0
                    best = -1.0
                    for k in range(0, len(state), 2):
                        chance = state[k] / (state[k] + state[k + 1])
                        after = [ahead(state[:j] + (state[j] + 1,) + state[j + 1:], left - 1) for j in (k, k + 1)]
                        best = max(best, chance + discount * (chance * after[0] + (1 - chance) * after[1]))
                    return best

                return ahead(tuple(torch.stack([successes, failures], 1).flatten().tolist()), pulls)
            """,
        ),
        wrong=(
            (
                "greedy",
                WORTH.replace(
                    "return max(values)",
                    "now = [(successes[k] + paid[k]) / (successes[k] + paid[k] + failures[k] + unpaid[k])"
                    " for k in range(len(values))]\n        return values[now.index(max(now))]",
                ),
            ),
            (
                "nothing-learned",
                """
                def worth(successes, failures, pulls, discount):
                    chance = (successes / (successes + failures)).max().item()
                    return chance * sum(discount**k for k in range(pulls))
                """,
            ),
            ("arms-at-random", WORTH.replace("return max(values)", "return sum(values) / len(values)")),
            ("not-discounted", WORTH.replace("+ discount * after", "+ after")),
            ("first-reward-discounted", WORTH.replace("return best(none", "return discount * best(none")),
            (
                "prior-left-out",
                WORTH.replace("successes[arm] + paid", "1 + paid").replace("failures[arm] + unpaid", "1 + unpaid"),
            ),
            ("failures-not-counted", WORTH.replace("best(paid, down, left - 1)", "best(paid, unpaid, left - 1)")),
            ("successes-not-counted", WORTH.replace("best(up, unpaid, left - 1)", "best(paid, unpaid, left - 1)")),
            ("one-pull-too-many", WORTH.replace("none, pulls)", "none, pulls + 1)")),
            ("one-pull-too-few", WORTH.replace("left == 0", "left <= 1")),
            (
                "another-worth",
                WORTH.replace("discount * after", "discount**2 * after").replace("left == 0", "left < 0"),
            ),
            ("wrong-type", "def worth(successes, failures, pulls, discount):\n    return None"),
            (
                "changed-input",
                WORTH.replace("    successes, failures =", "    failures += 0.5\n    successes, failures ="),
            ),
        ),
    ),
    "tell": Bank(
        right=("tell = [(0, 1), (0, 0), (0, 0), (1, 1), (1, 0)]",),
        wrong=(
            ("not-what-it-would-do", "tell = [[1, 1]]"),
            ("not-what-it-would-do", "tell = [[0, 0], [0, 1]]"),
            ("reflex-not-caught", "tell = []"),
            ("reflex-not-caught", "tell = [[0, 1], [0, 1]]"),
            ("reflex-not-caught", "tell = [[0, 1], [0, 0], [0, 0]]"),
            ("habit-not-caught", "tell = [[0, 1], [0, 1], [0, 0]]"),
            ("too-long", "tell = [[0, 1]] * 7"),
            ("out-of-range", "tell = [[0, 2]]"),
            ("wrong-shape", "tell = [[0, 1, 1]]"),
            ("wrong-type", "tell = [0, 1]"),
        ),
    ),
    "bits": Bank(
        right=(
            BITS,
            """
            def bits(instances, power, prices):
                prices = np.array(prices)
                each = np.where(prices <= power, (power - prices) / instances + np.arange(len(prices)), -np.inf)
                return int(each.argmax())
            """,
        ),
        wrong=(
            ("ties", BITS.replace(", -x)", ", x)")),
            ("cannot-be-paid", BITS.replace(" if prices[x] <= power", "")),
            (
                "as-many-as-can-be",
                """
                def bits(instances, power, prices):
                    return max(x for x in range(len(prices)) if prices[x] <= power)
                """,
            ),
            ("nothing-bought", "def bits(instances, power, prices):\n    return 0"),
            ("nothing-bought", BITS.replace("+ x, -x)", "+ x / instances, -x)").replace("instances +", "1 +")),
            ("no-such-number", BITS.replace("return max(", "return 1000 + max(")),
            ("wrong-type", BITS.replace("return max(", "return 0.5 + max(")),
        ),
    ),
    "place": Bank(
        right=(place(),),
        wrong=(
            ("doing-well-is-not-searching", place(s2="learned search")),
            ("searched-with-is-not-the-search", place(s3="learned search")),
            ("acts-are-not-candidates", place(s6="learned search")),
            ("system-1", place(s1="designed search")),
            ("system-2", place(s2="designed control")),
            ("system-4", place(s4="designed control")),
            ("system-5", place(s5="learned control")),
            ("system-6", place(s6="designed control")),
            ("wrong-type", place(s6="control")),
        ),
    ),
}


# Inputs for the mutants that do not come from the checks


def fresh_frozen(random):
    states, arms = int(random.integers(1, 6)), int(random.integers(1, 5))
    choose = random.dirichlet(np.full(arms, 0.5), states)
    return {
        "choose": tensor(choose if random.random() < 0.7 else np.eye(arms)[choose.argmax(1)]),
        "change": tensor(random.integers(states, size=(states, arms, 2)), "int64"),
        "chances": tensor(random.choice([0.0, 1.0, random.random()], size=arms)),
        "pulls": int(random.integers(1, 8)),
    }


def fresh_worth(random):
    arms = int(random.integers(1, 4))
    return {
        "successes": tensor(random.uniform(0.1, 6, arms)),
        "failures": tensor(random.uniform(0.1, 6, arms)),
        "pulls": int(random.integers(0, 4)),
        "discount": float(random.choice([0.0, 1.0, random.random()])),
    }


def fresh_bits(random):
    prices = random.integers(0, 12, int(random.integers(1, 9)))
    return {
        "instances": int(random.integers(1, 8)),
        "power": float(random.integers(0, 12)),
        "prices": [0.0, *prices.astype(float).tolist()],
    }


FRESH = {
    "frozen": fresh_frozen,
    "worth": fresh_worth,
    "bits": fresh_bits,
}
