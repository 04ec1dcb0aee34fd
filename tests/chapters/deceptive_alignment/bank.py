"""Answers to the exercises on playing along."""

from banks import Bank, tensor

PREDICTED = {
    "as it is": 20,
    "each episode for itself": 20,
    "blamed like a defector": 10,
    "deployment as dangerous": 5,
    "stake of 3, deployment as dangerous": 0,
    "a hundred training episodes": 100,
    "less patient": 0,
}


def prediction(**changed):
    """A prediction with some numbers replaced."""
    return f"prediction = {PREDICTED | {name.replace('_', ' '): value for name, value in changed.items()}}"


PATIENCE = """
def patience(train, deploy, threat):
    grid = np.linspace(0, 1, 20_001)[1:]
    first = 1 + (1 - threat) * sum(grid ** i for i in range(train, train + deploy))
    wait = sum(grid ** i for i in range(train, train + deploy))
    enough = wait >= first - 1e-9
    return float(grid[enough][0]) if enough.any() else -1
"""

GAMBLE = """
def gamble(train, deploy):
    p = np.linspace(0, 1, 20_001)
    through = (1 - p) ** train
    worth = 1 - through + deploy * p * through
    return p[worth.argmax()]
"""

WATCHED = """
def watched(train, deploy, discount, seen):
    def best(episode, times):
        if episode == train:
            return sum(discount ** i for i in range(deploy)), []
        later, way = best(episode + 1, times)
        comply = discount * later
        later, other = best(episode + 1, times + 1)
        defect = 1 + (1 - seen[times].item()) * discount * later
        return (defect, [1, *other]) if defect > comply else (comply, [0, *way])

    worth, defects = best(0, 0)
    return {"worth": worth, "defects": defects}
"""

ONE_PATH = """
def one_path(theta, lam, kappa, ratio):
    t, l = theta.numpy(), lam.numpy()
    kept = (kappa * l - 1) ** 2 - ratio * (kappa * t) ** 2
    allowed = 1e-3 * ratio * kappa ** 2 * (t ** 2).max()
    return "fails" if np.ptp(kept) > allowed else "passes"
"""

REPORTS = {
    "1": "paid for it",
    "2": "planted back door",
    "3": "deceptive, not deceptively aligned",
    "4": "misgeneralizes",
    "5": "cannot be told",
    "6": "deceptively aligned",
    "7": "deceptive, not deceptively aligned",
}


def reports(**changed):
    """The right words but for these reports, written as r1, r2 and so on."""
    return f"reports = {REPORTS | {name[1:]: kind for name, kind in changed.items()}}"


SCOPE = {
    "the threat never ends": "B",
    "the honest are blamed": "A",
    "it must guess among nine": "none of them",
    "longer training": "B",
    "no cue": "C",
}


def scope(**changed):
    """The right statements but for these changes, with underscores for spaces."""
    return f"scope = {SCOPE | {name.replace('_', ' '): letter for name, letter in changed.items()}}"


BANKS = {
    "prediction": Bank(
        right=(prediction(), prediction(less_patient=20, as_it_is=0)),
        wrong=(
            ("more-than-there-are", prediction(less_patient=21)),
            ("more-than-there-are", prediction(deployment_as_dangerous=60)),
            ("out-of-range", prediction(a_hundred_training_episodes=101)),
            ("out-of-range", prediction(less_patient=-1)),
            ("wrong-type", prediction(less_patient=0.5)),
        ),
    ),
    "patience": Bank(
        right=(
            PATIENCE,
            """
            def patience(train, deploy, threat):
                powers = np.zeros(train + deploy)  # of the discount, the highest first
                powers[:deploy] = threat
                powers[-1] -= 1
                if threat * deploy < 1:
                    return -1
                roots = np.roots(powers)
                return float(roots[(abs(roots.imag) < 1e-7) & (roots.real > 0)].real.min())
            """,
        ),
        wrong=(
            ("nothing-is-enough", PATIENCE.replace("else -1", "else 1.0")),
            ("only-the-last-episode", PATIENCE.replace("range(train, train + deploy)", "range(1, 1 + deploy)")),
            (
                "one-episode-short",
                PATIENCE.replace("range(train,", "range(train - 1,").replace("+ deploy)", "- 1 + deploy)"),
            ),
            (
                "one-episode-too-many",
                PATIENCE.replace("range(train, train + deploy)", "range(train + 1, train + 1 + deploy)"),
            ),
            ("threat-left-out", PATIENCE.replace("(1 - threat) *", "0 *")),
            ("another-threshold", PATIENCE.replace("[0]) if", "[0]) ** 2 if")),
            ("out-of-range", "def patience(train, deploy, threat):\n    return 2.0"),
        ),
    ),
    "gamble": Bank(
        right=(
            GAMBLE,
            """
            def gamble(train, deploy):
                share = (train + deploy) / max(deploy * train + deploy, 1)
                return min(1.0, share)
            """,
        ),
        wrong=(
            ("as-printed", "def gamble(train, deploy):\n    return 0.61"),
            ("one-example", "def gamble(train, deploy):\n    return 5 / 9"),
            ("training-visit-forgotten", GAMBLE.replace("1 - through + deploy", "deploy")),
            ("once-is-enough", GAMBLE.replace("deploy * p * through", "through * (1 - (1 - p) ** deploy)")),
            ("share-of-deployment", "def gamble(train, deploy):\n    return deploy / (train + deploy)"),
            ("another-gamble", "def gamble(train, deploy):\n    return 0.5"),
            ("another-gamble", GAMBLE.replace("argmax", "argmin")),
            ("wrong-type", "def gamble(train, deploy):\n    return 'always'"),
        ),
    ),
    "watched": Bank(
        right=(WATCHED,),
        wrong=(
            ("no-memory", WATCHED.replace("seen[times]", "seen[0]")),
            ("other-way-round", WATCHED.replace("[1, *other]", "[0, *other]").replace("[0, *way]", "[1, *way]")),
            ("worth-too-much", WATCHED.replace("(1 - seen[times].item())", "1")),
            ("worth-too-much", WATCHED.replace("comply = discount * later", "comply = later")),
            ("not-the-best", WATCHED.replace("if defect > comply", "if defect < comply")),
            ("not-the-best", WATCHED.replace("defect > comply else", "1 > 0 else")),
            ("not-the-way-taken", WATCHED.replace('"defects": defects', '"defects": defects[::-1]')),
            ("not-the-best", WATCHED.replace("discount ** i for i", "discount ** (i + 1) for i")),
            ("wrong-shape", WATCHED.replace('"defects": defects', '"defects": defects + [1]')),
            ("wrong-type", "def watched(train, deploy, discount, seen):\n    return 1.0"),
        ),
    ),
    "one_path": Bank(
        right=(ONE_PATH,),
        wrong=(
            ("no-tolerance", ONE_PATH.replace("allowed = 1e-3", "allowed = 1e-9")),
            ("a-path-refused", ONE_PATH.replace("- ratio * (kappa", "- (kappa")),
            ("a-path-refused", ONE_PATH.replace("- ratio *", "+ ratio *")),
            ("a-path-refused", 'def one_path(theta, lam, kappa, ratio):\n    return "fails"'),
            ("not-a-path-let-through", 'def one_path(theta, lam, kappa, ratio):\n    return "passes"'),
            ("not-a-path-let-through", ONE_PATH.replace("np.ptp(kept)", "abs(kept[-1] - kept[0])")),
            ("not-a-path-let-through", ONE_PATH.replace("allowed = 1e-3", "allowed = 1")),
            ("wrong-type", ONE_PATH.replace('return "fails" if', "return False if")),
        ),
    ),
    "reports": Bank(
        right=(f"reports = {dict(reversed(REPORTS.items()))}",),
        wrong=(
            ("its-own-base-objective", reports(r1="deceptively aligned")),
            ("planted-is-not-waiting", reports(r2="deceptively aligned")),
            ("lying-is-not-it", reports(r3="deceptively aligned")),
            ("lying-is-not-it", reports(r7="deceptively aligned")),
            ("report-4", reports(r4="deceptively aligned")),
            ("verdict-without-a-test", reports(r5="deceptively aligned")),
            ("verdict-without-a-test", reports(r5="misgeneralizes")),
            ("report-6", reports(r6="cannot be told")),
            ("report-7", reports(r7="planted back door")),
            ("wrong-type", reports(r1="scheming")),
        ),
    ),
    "scope": Bank(
        right=(f"scope = {dict(reversed(SCOPE.items()))}",),
        wrong=(
            ("too-wide", scope(the_threat_never_ends="A")),
            ("narrower-than-need-be", scope(the_threat_never_ends="C")),
            ("narrower-than-need-be", scope(the_honest_are_blamed="none of them")),
            ("too-wide", scope(it_must_guess_among_nine="C")),
            ("too-wide", scope(longer_training="A")),
            ("too-wide", scope(no_cue="B")),
            ("narrower-than-need-be", scope(no_cue="none of them")),
            ("wrong-type", scope(no_cue="D")),
        ),
    ),
    "bound": Bank(
        right=(
            """
            def bound(trials, confidence):
                return -np.expm1(np.log1p(-confidence) / trials) if trials else 1
            """,
            """
            def bound(trials, confidence):
                low, high = 0.0, 1.0
                for _ in range(80):
                    middle = (low + high) / 2
                    low, high = (middle, high) if (1 - middle) ** trials > 1 - confidence else (low, middle)
                return high
            """,
        ),
        wrong=(
            ("rule-of-thumb", "def bound(trials, confidence):\n    return min(3 / max(trials, 1), 1)"),
            ("none-is-not-never", "def bound(trials, confidence):\n    return 0.0"),
            (
                "confidence-reversed",
                "def bound(trials, confidence):\n    return 1 - confidence ** (1 / trials) if trials else 1.0",
            ),
            (
                "rate-of-success",
                "def bound(trials, confidence):\n    return (1 - confidence) ** (1 / trials) if trials else 1.0",
            ),
            (
                "two-sided",
                """
                def bound(trials, confidence):
                    return 1 - ((1 - confidence) / 2) ** (1 / trials) if trials else 1.0
                """,
            ),
            ("best-guess", "def bound(trials, confidence):\n    return 1 / (trials + 2) if trials else 1.0"),
            ("raises", "def bound(trials, confidence):\n    return 1 - (1 - confidence) ** (1 / trials)"),
        ),
    ),
}


# Inputs for the mutants that do not come from the checks. What counts as one path is a matter of tolerance: none here.


def fresh_patience(random):
    train, deploy = (int(n) for n in random.integers(1, 40, 2))
    return {"train": train, "deploy": deploy, "threat": float(random.choice([1.0, random.uniform(0.01, 1)]))}


def fresh_gamble(random):
    train, deploy = (int(n) for n in random.integers(0, 12, 2))
    return {"train": train, "deploy": deploy}


def fresh_watched(random):
    train, deploy = int(random.integers(0, 8)), int(random.integers(0, 9))
    return {
        "train": train,
        "deploy": deploy,
        "discount": float(random.uniform(0.3, 1)),
        "seen": tensor(random.uniform(size=train)),
    }


def fresh_bound(random):
    return {"trials": int(random.integers(0, 2000)), "confidence": float(random.uniform(0.05, 0.999))}


FRESH = {
    "patience": fresh_patience,
    "gamble": fresh_gamble,
    "watched": fresh_watched,
    "bound": fresh_bound,
}
