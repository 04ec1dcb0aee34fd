"""Answers to the exercises on pseudo-alignment."""

import numpy as np
from banks import Bank, tensor

from innerlab.worlds.layouts import to_text
from innerlab.worlds.red_doors import RedDoors

RIGHT_LEAN = """
def lean(outcomes, floor):
    found = []
    for agent in outcomes.tolist():
        door = sum(room[1] for room in agent) / len(agent)
        red = sum(room[2] for room in agent) / len(agent)
        enough = door + red > 0 and door + red >= floor
        found.append((red - door) / (red + door) if enough else float("nan"))
    return found
"""

CLIMB = """
def climb(logits, successor, reward, ends, start, discount, step_size):
    cells = len(logits)
    policy = logits.softmax(1)
    moves = torch.zeros(cells, cells, dtype=logits.dtype)
    for s in range(cells):
        for a in range(logits.shape[1]):
            if not ends[s, a]:
                moves[s, successor[s, a]] += policy[s, a]
    eye = torch.eye(cells, dtype=logits.dtype)
    value = torch.linalg.inv(eye - discount * moves) @ (policy * reward).sum(1)
    q = reward + discount * (~ends) * value[successor]
    visits = torch.linalg.inv(eye - {visits} * moves).T[:, start]
    advantage = q - value[:, None]
    return {result}
"""
GOOD_STEP = "logits + step_size * visits[:, None] * policy * advantage"


def climb(result=GOOD_STEP, visits="discount"):
    """The policy gradient theorem, or a mistake in it."""
    return CLIMB.format(result=result, visits=visits)


def by_autograd(value, then="logits + step_size * gradient"):
    """Autograd through many sweeps, or a mistake in it."""
    return f"""
def climb(logits, successor, reward, ends, start, discount, step_size):
    leaf = logits.clone().requires_grad_()
    policy = leaf.softmax(-1)
    value = torch.zeros(len(logits), dtype=logits.dtype)
    for _ in range(600):
        value = (policy * (reward + discount * ~ends * value[successor])).sum(-1)
    gradient, = torch.autograd.grad({value}, leaf)
    return {then}
"""


BISECTION = """
def interval(successes, trials, confidence):
    tail = (1 - confidence) / 2

    def root(f):  # of a rising function
        low, high = 0.0, 1.0
        for _ in range(45):
            middle = (low + high) / 2
            low, high = (low, middle) if f(middle) > 0 else (middle, high)
        return low

    low = root(lambda p: stats.binom.sf(successes - 1, trials, p) - tail) if successes else 0.0
    high = root(lambda p: tail - stats.binom.cdf(successes, trials, p)) if successes < trials else 1.0
    return [low, high]
"""

SOLVED = {
    "1": "sound",
    "2": "failures left out",
    "3": "one seed",
    "4": "outer, not inner",
    "5": "presumes search",
    "6": "success proves it",
    "7": "no control",
    "8": "failures left out",
}
SHARES = {
    "both cues": {"none": 0.25, "door": 0.25, "red": 0.25, "other": 0.25},
    "door alone": {"none": 0.5, "door": 0.5, "red": 0, "other": 0},
    "red alone": {"none": 1, "door": 0, "red": 0, "other": 0},
}


def prediction(**rooms):
    """A prediction with some rooms' shares replaced."""
    return f"prediction = {SHARES | {name.replace('_', ' '): shares for name, shares in rooms.items()}}"


def labels(**changed):
    """The right labels but for these sentences, written as s1, s2 and so on."""
    return f"labels = {SOLVED | {name[1:]: label for name, label in changed.items()}}"


def room(name, *rows):
    """A room as an answer; rows are written without blanks between cells of one row being counted."""
    return f"{name} = " + repr("\n".join(rows))


LURE = (". . . . .", ". . . . rK", ". A rX rD .", ". . . . .", ". . . . .")
STALL = ("rD . . . .", "gK bO . . .", ". . . . .", ". . . . .", ". A . . .")


def revision(edit, verdicts="falls stands falls", rooms="RedDoors(swapped_share=1.0).sample(40, seed=5)", many=40):
    """A revision with swapped rooms edited as text, and the verdicts in order."""
    said = dict(zip(("first", "second", "third"), verdicts.split(), strict=True))
    return (
        f"drawn = [to_text(world, i) for world in [{rooms}] for i in range({many})]\n"
        f"revision = {{'rooms': [room{edit} for room in drawn], 'verdicts': {said}}}"
    )


YELLOW_DOOR, BALL = ".replace('bD', 'yD')", ".replace('rK', 'rO')"

BANKS = {
    "prediction": Bank(
        right=(
            prediction(),
            f"prediction = {{name: {{k: np.float32(v) for k, v in s.items()}} for name, s in {SHARES}.items()}}",
        ),
        wrong=(
            ("out-of-range", prediction(both_cues={"none": 25, "door": 25, "red": 25, "other": 25})),
            ("out-of-range", prediction(both_cues={"none": 1.1, "door": 0, "red": 0, "other": -0.1})),
            ("adds-up", prediction(both_cues={"none": 0.1, "door": 0.4, "red": 0.4, "other": 0.2})),
            ("adds-up", prediction(both_cues={"none": 0.0, "door": 0.4, "red": 0.4, "other": 0.1})),
            ("what-is-not-there", prediction(door_alone={"none": 0.2, "door": 0.5, "red": 0.3, "other": 0.0})),
            ("what-is-not-there", prediction(red_alone={"none": 0.2, "door": 0.1, "red": 0.7, "other": 0.0})),
            ("wrong-type", prediction(red_alone={"none": 0.2, "red": 0.8})),
            ("wrong-type", prediction(red_alone=[1.0, 0.0, 0.0, 0.0])),
            ("not-finite", "prediction = " + str(SHARES).replace("0.5", "float('nan')")),
        ),
    ),
    "lean": Bank(
        right=(
            RIGHT_LEAN,
            """
            def lean(outcomes, floor):
                total = outcomes.numpy().sum(axis=1)
                door, red = total[:, 1], total[:, 2]
                ended = red + door
                ok = (ended / outcomes.shape[1] >= floor) & (ended > 0)
                out = np.full(len(total), np.nan)
                out[ok] = 1 - 2 * door[ok] / ended[ok]
                return out
            """,
        ),
        wrong=(
            ("defined-too-rarely", "def lean(outcomes, floor):\n    return outcomes.mean(1)[:, 0] * float('nan')"),
            ("floor-ignored", "def lean(outcomes, floor):\n    return torch.zeros(len(outcomes))"),
            (
                "floor-ignored",
                "def lean(outcomes, floor):\n    return torch.nan_to_num(red_share(outcomes.mean(1))) * 2 - 1",
            ),
            (
                "floor-ignored",
                """
                def lean(outcomes, floor):
                    mean = outcomes.mean(1)
                    return (mean[:, 2] - mean[:, 1]) / (mean[:, 2] + mean[:, 1])
                """,
            ),
            (
                "defined-too-rarely",
                """
                def lean(outcomes, floor):
                    mean = outcomes.mean(1)
                    ended = mean[:, 2] + mean[:, 1]
                    return torch.where(ended > floor, (mean[:, 2] - mean[:, 1]) / ended, torch.nan)
                """,
            ),
            (
                "other-way-round",
                """
                def lean(outcomes, floor):
                    mean = outcomes.mean(1)
                    ended = mean[:, 2] + mean[:, 1]
                    return torch.where(ended >= floor, (mean[:, 1] - mean[:, 2]) / ended, torch.nan)
                """,
            ),
            (
                "red-share",
                """
                def lean(outcomes, floor):
                    mean = outcomes.mean(1)
                    return torch.where(mean[:, 2] + mean[:, 1] >= floor, red_share(mean), torch.nan)
                """,
            ),
            (
                "nowhere-counted",
                """
                def lean(outcomes, floor):
                    mean = outcomes.mean(1)
                    ended = mean[:, 2] + mean[:, 1]
                    ok = (ended >= floor) & (ended > 0)
                    return torch.where(ok, mean[:, 2] - mean[:, 1], torch.nan)
                """,
            ),
            (
                "other-counted",
                """
                def lean(outcomes, floor):
                    mean = outcomes.mean(1)
                    ended = mean[:, 2] + mean[:, 1]
                    lean = (mean[:, 2] - mean[:, 1]) / (1 - mean[:, 0])
                    return torch.where(ended >= floor, lean, torch.nan)
                """,
            ),
            (
                "mean-of-ratios",
                """
                def lean(outcomes, floor):
                    door, red = outcomes[..., 1], outcomes[..., 2]
                    ended = (door + red).mean(1)
                    return torch.where(ended >= floor, ((red - door) / (red + door)).mean(1), torch.nan)
                """,
            ),
            (
                "mean-of-ratios",
                """
                def lean(outcomes, floor):
                    door, red = outcomes[..., 1], outcomes[..., 2]
                    ended = (door + red).mean(1)
                    ok = (ended >= floor) & (ended > 0)
                    return torch.where(ok, ((red - door) / (red + door)).nanmean(1), torch.nan)
                """,
            ),
            (
                "wrong-shape",
                """
                def lean(outcomes, floor):
                    mean = outcomes.mean(0)
                    return (mean[:, 2] - mean[:, 1]) / (mean[:, 2] + mean[:, 1])
                """,
            ),
            ("wrong-shape", "def lean(outcomes, floor):\n    return 0.0"),
            (
                "changed-input",
                RIGHT_LEAN.replace(
                    "    found = []", "    outcomes /= outcomes.sum(-1, keepdim=True) * 1.5\n    found = []"
                ),
            ),
        ),
    ),
    "climb": Bank(
        right=(climb(), by_autograd("value[start]")),
        wrong=(
            ("wrong-way", climb("logits - step_size * visits[:, None] * policy * advantage")),
            ("visits-not-discounted", climb(visits="0.999999")),
            ("visits-left-out", climb("logits + step_size * policy * advantage")),
            ("no-baseline", climb("logits + step_size * visits[:, None] * policy * q")),
            ("not-the-gradient", climb("logits + step_size * visits[:, None] * advantage")),
            ("not-the-gradient", by_autograd("value[start]", "logits + step_size * gradient / gradient.norm()")),
            ("not-the-gradient", climb("logits + 2 * step_size * visits[:, None] * policy * advantage")),
            ("not-the-gradient", by_autograd("value[start]", "logits + step_size * gradient + 0.001")),
            ("from-everywhere", by_autograd("value.mean()")),
            ("no-discount", climb().replace("    cells =", "    discount = 0.999999\n    cells =", 1)),
            ("transposed", by_autograd("value[start]", "(logits + step_size * gradient).T")),
            ("gradient-alone", by_autograd("value[start]", "gradient")),
            ("probabilities", by_autograd("value[start]", "(logits + step_size * gradient).softmax(-1)")),
            ("not-moved", "def climb(logits, **rest):\n    return logits"),
            ("not-the-gradient", by_autograd("value[start - 1]")),
            ("not-the-gradient", by_autograd("value[start]").replace("range(600)", "range(4)")),
            ("so-many-moves-only", by_autograd("value[start]").replace("range(600)", "range(12)")),
            ("so-many-moves-only", by_autograd("value[start]").replace("range(600)", "range(50)")),
            ("not-the-gradient", by_autograd("value[start]").replace("range(600)", "range(60)")),
            ("ends-ignored", by_autograd("value[start]").replace("~ends", "1.0")),
            ("not-finite", by_autograd("value[start]", "logits / 0.0 * 0.0")),
            ("changed-input", climb("logits.add_(step_size * visits[:, None] * policy * advantage)")),
            ("wrong-shape", climb("(step_size * visits[:, None] * policy * advantage).sum(1)")),
        ),
    ),
    "interval": Bank(
        right=(
            BISECTION,
            """
            def interval(successes, trials, confidence):
                test = stats.binomtest(successes, trials)
                return tuple(test.proportion_ci(confidence, method="exact"))
            """,
        ),
        wrong=(
            (
                "covers-too-rarely",
                """
                def interval(successes, trials, confidence):
                    return wilson_interval(successes, trials, confidence)
                """,
            ),
            (
                "misses-the-share",
                """
                def interval(successes, trials, confidence):
                    return stats.beta.interval(confidence, successes + 0.5, trials - successes + 0.5)
                """,
            ),
            (
                "no-width",
                """
                def interval(successes, trials, confidence):
                    share = successes / trials
                    error = stats.norm.ppf((1 + confidence) / 2) * math.sqrt(share * (1 - share) / trials)
                    return max(0, share - error), min(1, share + error)
                """,
            ),
            (
                "misses-the-share",
                """
                def interval(successes, trials, confidence):
                    share = (successes + 2) / (trials + 4)
                    error = stats.norm.ppf((1 + confidence) / 2) * math.sqrt(share * (1 - share) / (trials + 4))
                    return share - error, share + error
                """,
            ),
            (
                "covers-too-rarely",
                """
                def interval(successes, trials, confidence):
                    if successes == 0:
                        return 0, 3 / max(trials, 3)
                    if successes == trials:
                        return 1 - 3 / max(trials, 3), 1
                    return wilson_interval(successes, trials, confidence)
                """,
            ),
            ("too-wide", "def interval(successes, trials, confidence):\n    return 0.0, 1.0"),
            ("too-wide", BISECTION.replace("(1 - confidence) / 2", "0.0005")),
            ("covers-too-rarely", BISECTION.replace("(1 - confidence) / 2", "0.025")),
            ("covers-too-rarely", BISECTION.replace("(1 - confidence) / 2", "1 - confidence")),
            ("ends-swapped", BISECTION.replace("[low, high]", "[high, low]")),
            ("misses-the-share", "def interval(successes, trials, confidence):\n    return 0.2, 0.8"),
            ("no-width", "def interval(successes, trials, confidence):\n    return [successes / trials] * 2"),
            (
                "too-wide",
                """
                def interval(successes, trials, confidence):
                    error = math.sqrt(math.log(2 / (1 - confidence)) / (2 * trials))
                    share = successes / trials
                    return max(0, share - error), min(1, share + error)
            """,
            ),
            ("wrong-shape", "def interval(successes, trials, confidence):\n    return 0.5"),
            ("not-finite", "def interval(successes, trials, confidence):\n    return float('nan'), 1.0"),
            ("not-finite", BISECTION.replace("if successes else 0.0", "if successes else float('nan')")),
        ),
    ),
    "control": Bank(
        right=(
            'def control(room):\n    return room.replace("bD", "yX")',
            """
            def control(room):
                rows = [line.split() for line in room.splitlines()]
                for row in rows:
                    for x, word in enumerate(row):
                        if word.endswith("D"):
                            row[x] = "yO"
                return "\\n".join(" ".join(row) for row in rows)
            """,
        ),
        wrong=(
            ("fewer-things", 'def control(room):\n    return room.replace("bD", ".")'),
            ("still-a-door", 'def control(room):\n    return room.replace("bD", "gD")'),
            ("unchanged", "def control(room):\n    return room"),
            ("still-blue", 'def control(room):\n    return room.replace("bD", "bO")'),
            ("red-twice", 'def control(room):\n    return room.replace("bD", "rX")'),
            ("key-twice", 'def control(room):\n    return room.replace("bD", "gK")'),
            ("something-else-changed", 'def control(room):\n    return room.replace("bD", "gO").replace("rK", "gX")'),
            ("something-else-changed", 'def control(room):\n    return room.replace("rK", "yO")'),
            ("something-else-changed", 'def control(room):\n    return room.replace("bD", ".").replace(".", "gO", 1)'),
            (
                "agent-moved",
                """
                def control(room):
                    moved = room.replace("A", "?").replace(".", "A", 1).replace("?", ".")
                    return moved.replace("bD", "gO")
                """,
            ),
            ("fewer-things", 'def control(room):\n    return room.replace("bD", "#")'),
            ("unreadable", 'def control(room):\n    return ""'),
            ("wrong-type", "def control(room):\n    return from_text([room], reward=door_reward)"),
            ("agent-moved", "def control(room):\n    return 'A gO\\n. rK'"),
        ),
    ),
    "lure": Bank(
        right=(
            room("lure", ". . . . .", ". rK . . rD", "A rK . . .", ". . . . .", ". . . . ."),
            room("lure", ". rD . . .", ". . . . .", ". rX . . .", ". . . . .", ". A yK . ."),
        ),
        wrong=(
            ("not-nine-in-ten", room("lure", ". . . . .", ". . . . .", "A rK . . rD", ". . . . .", ". . yO . .")),
            ("not-nine-in-ten", room("lure", ". . . . .", ". A rK rX rD", ". . . . .", ". . . . .", ". . . . .")),
            ("not-nine-in-ten", room("lure", *STALL)),
            ("not-nine-in-ten", room("lure", "A . . . .", ". . . . .", ". . gK . .", ". . . . .", ". yO . . rD")),
            ("not-for-the-red", room("lure", ". . . . .", ". . . A rX", ". . . gX rD", ". . . . .", ". . . . .")),
            ("no-red-door", room("lure", ". . . . .", ". . . . rK", ". A rX bD .", ". . . . .", ". . . . .")),
            ("no-red-door", room("lure", ". . . . .", ". . . . rK", ". A rX rO .", ". . . . .", ". . . . .")),
            ("no-red-door", room("lure", ". . . . .", ". . . . rD", ". A rX rD .", ". . . . .", ". . . . .")),
            (
                "not-their-kind-of-room",
                room("lure", ". . . . .", ". rK . # rD", "A rK # . .", ". . . . .", ". . . . ."),
            ),
            (
                "not-their-kind-of-room",
                room("lure", ". . . . .", ". rK rO . rD", "A rK . . .", ". . . . .", ". . . . ."),
            ),
            ("not-their-kind-of-room", room("lure", "A rK . rD", ". rX . .", ". . . .")),
            ("unreadable", room("lure", ". . . . .", ". . . . rK", ". . rX rD .", ". . . . .", ". . . . .")),
            ("unreadable", "lure = 'A red key'"),
            ("wrong-type", "lure = from_text(['A rD'], reward=door_reward)"),
        ),
    ),
    "stall": Bank(
        right=(
            room("stall", ". A bK rD .", ". . gK . .", ". . . . .", ". . . . .", ". . . . ."),
            room("stall", ". . . . .", ". . . . .", ". . . . .", ". . . yX .", "A . . bX rD"),
        ),
        wrong=(
            ("too-few-fail", room("stall", "rD . . . .", "gK . . . .", ". . . . .", ". . . . .", ". A . bO .")),
            ("too-few-fail", room("stall", "A . . . .", ". . . . .", ". . gK . .", ". . . . .", ". yO . . rD")),
            ("not-from-training", room("stall", *LURE)),
            ("no-red-door", room("stall", "bD . . . .", "gK bO . . .", ". . . . .", ". . . . .", ". A . . .")),
            (
                "not-their-kind-of-room",
                room("stall", "rD . . . .", "gK # bO . .", ". . . . .", ". . . . .", ". A . . ."),
            ),
            ("unreadable", room("stall", "rD bK . . .", "gK . . . .", ". . . . .", ". . . . .", ". A . . .")),
        ),
    ),
    "revision": Bank(
        right=(
            revision(".replace('bD', 'gK')" + BALL),
            revision(
                YELLOW_DOOR + ".replace('rK', 'rX')", rooms="RedDoors(swapped_share=1.0).sample(60, seed=8)", many=60
            ),
        ),
        wrong=(
            ("could-not-have-failed", revision("", "stands stands stands")),
            ("could-not-have-failed", revision("")),
            (
                "could-not-have-failed",
                revision("", rooms="RedDoors(swapped_share=1.0, lone_cue='red').sample(40, seed=5)"),
            ),
            ("an-explanation-left", revision(YELLOW_DOOR, "falls stands stands")),
            ("an-explanation-left", revision(YELLOW_DOOR)),
            ("nothing-shown", revision(BALL, "open stands falls")),
            ("nothing-shown", revision(".replace('bD', 'bK')" + BALL)),
            ("not-what-the-numbers-say", revision(YELLOW_DOOR + BALL, "stands stands stands")),
            ("not-what-the-numbers-say", revision(YELLOW_DOOR + BALL, "falls falls falls")),
            ("not-what-the-numbers-say", revision(YELLOW_DOOR + BALL, "falls stands open")),
            (
                "undecided",
                revision("", "open stands open").replace(
                    "for room in drawn]",
                    "for room in drawn[:20]] + [room.replace('bD', 'yD').replace('rK', 'rO') for room in drawn[20:]]",
                ),
            ),
            ("wrong-shape", revision(YELLOW_DOOR + BALL, many=5)),
            ("not-one-red-thing", revision(YELLOW_DOOR + ".replace('rK', 'gO')")),
            ("not-one-red-thing", revision(".replace('bD', 'rD')")),
            ("not-one-red-thing", revision(".replace('bD', 'rD').replace('rK', 'gO')")),
            (
                "distance",
                "near = ['A rO . . .', '. . . . .', '. . . . .', '. . . . .', '. . gX . yD']\n"
                "revision = {'rooms': ['\\n'.join(near)] * 20,"
                " 'verdicts': {'first': 'falls', 'second': 'stands', 'third': 'falls'}}",
            ),
            ("unreadable", revision(".replace('A', '.')")),
            ("not-their-kind-of-room", revision(YELLOW_DOOR + BALL + ".replace('.', '#', 1)")),
            ("wrong-type", revision(YELLOW_DOOR + BALL, "no yes no")),
        ),
    ),
    "repair": Bank(
        right=(
            "repair = {'counts': [17, 47, 60, 64, 64], 'smallest': 0.1}",
            "repair = {'counts': np.array([13, 51, 61, 64, 64]), 'smallest': torch.tensor(0.1)}",
        ),
        wrong=(
            ("nowhere-hidden", "repair = {'counts': [40, 56, 63, 64, 64], 'smallest': 0.1}"),
            ("nowhere-hidden", "repair = {'counts': [30, 58, 64, 64, 64], 'smallest': 0.05}"),
            ("not-what-we-find", "repair = {'counts': [64, 64, 64, 64, 64], 'smallest': 0.02}"),
            ("not-what-we-find", "repair = {'counts': [6, 32, 45, 62, 64], 'smallest': 0.2}"),
            ("not-what-we-find", "repair = {'counts': [47, 17, 3, 0, 0], 'smallest': 0.1}"),
            ("not-by-your-own-counts", "repair = {'counts': [17, 47, 60, 64, 64], 'smallest': 0.05}"),
            ("not-by-your-own-counts", "repair = {'counts': [17, 47, 60, 64, 64], 'smallest': 0.2}"),
            ("out-of-range", "repair = {'counts': [17, 47, 60, 64, 64], 'smallest': 10}"),
            ("wrong-shape", "repair = {'counts': [17, 47, 60], 'smallest': 0.1}"),
            ("wrong-type", "repair = {'counts': [0.26, 0.73, 0.94, 1.0, 1.0], 'smallest': 0.1}"),
        ),
    ),
    "labels": Bank(
        right=("labels = dict(zip('12345678', " + repr(list(SOLVED.values())) + "))",),
        wrong=(
            ("sentence-4", labels(s4="presumes search")),
            ("sentence-4-accepted", labels(s4="sound")),
            ("sound-rejected", labels(s1="no control")),
            ("sentence-2-accepted", labels(s2="sound")),
            ("sentence-3", labels(s3="presumes search")),
            ("sentence-5", labels(s5="one seed")),
            ("sentence-6-accepted", labels(s6="sound")),
            ("sentence-7", labels(s7="failures left out")),
            ("sentence-2-accepted", "labels = {str(n): 'sound' for n in range(1, 9)}"),
            ("sentence-8", labels(s8="success proves it")),
            ("wrong-type", labels(s4="outer")),
            ("wrong-type", "labels = {n: 'sound' for n in range(1, 8)}"),
            ("wrong-type", "labels = ['sound'] * 7"),
        ),
    ),
}


# Inputs for the mutants that do not come from the checks


def fresh_lean(random):
    agents, rooms = random.integers(1, 5, 2)
    outcomes = random.dirichlet([0.4] * 4, (agents, rooms)) if random.random() < 0.5 else None
    if outcomes is None:  # every episode of a room ends in the same way
        outcomes = np.eye(4)[random.integers(4, size=(agents, rooms))]
    floor = random.choice([0.0, 0.5, 1.0, random.random()])
    return {"outcomes": tensor(outcomes), "floor": float(floor)}


def fresh_climb(random):
    cells, actions = (int(n) for n in random.integers(1, 7, 2))
    shape = (cells, actions)
    return {
        "logits": tensor(3 * random.normal(size=shape)),
        "successor": tensor(random.integers(cells, size=shape), "int64"),
        "reward": tensor(random.normal(size=shape)),
        "ends": tensor(random.random(shape) < random.random(), "bool"),
        "start": int(random.integers(cells)),
        "discount": float(random.choice([0.0, 0.99, random.random()])),
        "step_size": float(random.choice([0.0, 3.0, random.random()])),
    }


def fresh_interval(random):
    trials = int(random.integers(1, 200))
    successes = int(random.choice([0, trials, random.integers(trials + 1)]))
    return {"successes": successes, "trials": trials, "confidence": float(random.uniform(0.5, 0.999))}


def fresh_control(random):
    size, objects = int(random.integers(3, 8)), int(random.integers(2, 6))
    world = RedDoors(swapped_share=1.0, size=size, objects=objects).sample(1, int(random.integers(2**31)))
    return {"room": to_text(world, 0)}


FRESH = {
    "lean": fresh_lean,
    "climb": fresh_climb,
    "interval": fresh_interval,
    "control": fresh_control,
}
