"""Answers to the exercises on where the objective lives."""

import numpy as np
from banks import Bank, tensor

SHARES = {
    "old and new enemy": {"Aurora": 0.5, "Brotherhood": 0.5, "Crescent": 0, "home": 0},
    "two new enemies": {"Brotherhood": 0.25, "Crescent": 0.25, "Dune": 0.25, "home": 0.25},
    "a stranger at peace": {"Brotherhood": 0, "Crescent": 0, "Dune": 0, "home": 1},
}


def prediction(**changed):
    """A prediction with some games' shares replaced."""
    return f"prediction = {SHARES | {name.replace('_', ' '): shares for name, shares in changed.items()}}"


def possible(condition, games="range(len(moves))"):
    """The rewards for which a condition holds in all of some games."""
    return f"""
def possible(rewards, moves, trained):
    return [
        k for k, reward in enumerate(rewards.tolist())
        if all({condition} for g in {games})
    ]
"""


BEST = "reward[g][moves[g]] == max(reward[g])"
IN_TRAINING = "[g for g in range(len(moves)) if trained[g]]"

UPDATE = """
def update(logits, games, moves, rewards, step_size):
    leaf = logits.clone().requires_grad_()
    n = len(games)
    mean_of_others = torch.stack([
        rewards[torch.arange(n) != i].mean() if n > 1 else torch.zeros(()) for i in range(n)
    ])
    logs = leaf.log_softmax(-1)[games, moves]
    gain = ((rewards - mean_of_others) * logs).mean()
    gradient, = torch.autograd.grad(gain, leaf)
    return logits + step_size * gradient
"""

LEFT_OVER = """
def left_over(logits, rewards, constant):
    policy = np.exp(logits.numpy()) / np.exp(logits.numpy()).sum()
    paid = rewards.numpy() + constant
    mean = policy * (paid - policy @ paid)
    squares = 0.0
    for m in range(len(policy)):
        slope = -policy.copy()
        slope[m] += 1
        squares += policy[m] * (paid[m] * slope) @ (paid[m] * slope)
    return {"mean": mean.tolist(), "spread": squares - mean @ mean}
"""

SCORECARD = """
def scorecard(born, lived, newborn, parent):
    fitness = [parent.tolist().count(animal) for animal in range(len(born))]
    share = torch.tensor(fitness, dtype=torch.float64) / len(parent)
    return {
        "fitness": fitness,
        "favored": share @ lived - lived.mean(0),
        "selected": share @ born - born.mean(0),
        "mutated": newborn.mean(0) - share @ born,
    }
"""

BREED = """
def breed(shares, before, after, change, generations, mutation):
    genomes = len(shares)
    spread = np.full((genomes, genomes), mutation / (genomes - 1))
    np.fill_diagonal(spread, 1 - mutation)
    rows = [shares.numpy()]
    for number in range(1, generations + 1):
        young = rows[-1] * (before.numpy() if number <= change else after.numpy())
        rows.append(spread @ young / young.sum())
    return np.array(rows)
"""

SLOPES = """
def slopes(arrows, noise, proxy, goal, lever):
    n = len(noise)
    loads = np.zeros((n, n))  # what each noise gives to each variable
    risen = np.zeros(n)
    for j in range(n):
        loads[j, j] = noise[j]
        for i in range(j):
            loads[j] += float(arrows[i, j]) * loads[i]
            risen[j] += float(arrows[i, j]) * risen[i]
        if j == lever:
            risen[j] = 1
    select = loads[proxy] @ loads[goal] / (loads[proxy] @ loads[proxy])
    raised = risen[goal] / risen[proxy] if risen[proxy] else float("nan")
    return {"select": select, "raise": raised}
"""


def repair(**games):
    """The narrow games with some replaced, written as g0 and so on."""
    lines = [f"repair[{name[1:]}] = {game}" for name, game in games.items()]
    return "\n".join(["repair = narrow_games()", *lines])


CRESCENT, DUNE = {"Aurora": 0, "Crescent": 2, "Dune": 0}, {"Aurora": 0, "Crescent": 0, "Dune": 1}
LEVELS = {
    "1": "base optimizer",
    "2": "base objective",
    "3": "mesa-objective",
    "4": "learned algorithm",
    "5": "what we want",
    "6": "base objective",
    "7": "learned algorithm",
    "8": "base optimizer",
    "9": "mesa-objective",
}


def levels(**changed):
    """The right levels but for these phrases, written as p1, p2 and so on."""
    return f"levels = {LEVELS | {name[1:]: level for name, level in changed.items()}}"


BANKS = {
    "prediction": Bank(
        right=(prediction(), prediction(two_new_enemies={"Brotherhood": 1, "Crescent": 0, "Dune": 0, "home": 0})),
        wrong=(
            ("adds-up", prediction(two_new_enemies={"Brotherhood": 0.5, "Crescent": 0.5, "Dune": 0, "home": 0.5})),
            ("adds-up", prediction(two_new_enemies={"Brotherhood": 0.5, "Crescent": 0, "Dune": 0, "home": 0})),
            ("out-of-range", prediction(two_new_enemies={"Brotherhood": 50, "Crescent": 50, "Dune": 0, "home": 0})),
            ("out-of-range", prediction(two_new_enemies={"Brotherhood": -1, "Crescent": 1, "Dune": 0, "home": 1})),
            ("wrong-type", prediction(two_new_enemies={"Brotherhood": 0.5, "Crescent": 0.5, "home": 0})),
        ),
    ),
    "possible": Bank(
        right=(
            possible(BEST, IN_TRAINING),
            """
            def possible(rewards, moves, trained):
                paid = rewards[:, torch.arange(len(moves)), moves]
                regret = (rewards.amax(-1) - paid)[:, trained].sum(-1)
                return (regret == 0).nonzero().flatten().tolist()
            """,
        ),
        wrong=(
            ("deployment-counted", possible(BEST)),
            ("wrong-games", possible(BEST, "[g for g in range(len(moves)) if not trained[g]]")),
            ("ties", possible("reward[g].index(max(reward[g])) == moves[g]", IN_TRAINING)),
            ("ties", possible("sorted(reward[g])[-2:][0] < reward[g][moves[g]]", IN_TRAINING)),
            (
                "pays-most",
                """
                def possible(rewards, moves, trained):
                    games = [g for g in range(len(moves)) if trained[g]]
                    totals = [sum(reward[g, moves[g]].item() for g in games) for reward in rewards]
                    return [k for k, total in enumerate(totals) if total == max(totals)]
                """,
            ),
            ("settled-too-soon", possible(BEST, IN_TRAINING).rstrip() + "[:1]\n"),
            ("settled-too-soon", "def possible(rewards, moves, trained):\n    return []"),
            ("not-the-best-move", "def possible(rewards, moves, trained):\n    return list(range(len(rewards)))"),
            ("not-the-best-move", possible("reward[g][moves[g]] > min(reward[g]) - 1", IN_TRAINING)),
            ("not-the-best-move", possible("reward[g][moves[g]] >= np.mean(reward[g])", IN_TRAINING)),
            ("no-such-reward", possible(BEST, IN_TRAINING).replace("k for k", "k + 1 for k")),
            ("wrong-type", possible(BEST, IN_TRAINING).replace("k for k", "str(k) for k")),
        ),
    ),
    "update": Bank(
        right=(
            UPDATE,
            """
            def update(logits, games, moves, rewards, step_size):
                new, n = logits.clone(), len(games)
                for i in range(n):
                    others = [rewards[j].item() for j in range(n) if j != i]
                    better = rewards[i].item() - (sum(others) / len(others) if others else 0)
                    for k in range(logits.shape[1]):
                        slope = float(k == moves[i]) - torch.softmax(logits[games[i]], 0)[k]
                        new[games[i], k] += step_size / n * better * slope
                return new
            """,
        ),
        wrong=(
            ("wrong-way", UPDATE.replace("logits + step_size", "logits - step_size")),
            ("no-baseline", UPDATE.replace("(rewards - mean_of_others)", "rewards")),
            ("own-reward-in-baseline", UPDATE.replace("rewards - mean_of_others", "rewards - rewards.mean()")),
            ("added-up", UPDATE.replace("* logs).mean()", "* logs).sum()")),
            ("only-the-move-made", UPDATE.replace("leaf.log_softmax(-1)", "leaf")),
            ("probability-not-its-logarithm", UPDATE.replace("log_softmax", "softmax")),
            ("gradient-alone", UPDATE.replace("return logits + step_size * gradient", "return step_size * gradient")),
            ("another-step", UPDATE.replace("return logits + step_size * gradient", "return gradient")),
            ("only-the-move-made", UPDATE.replace("log_softmax(-1)", "flatten().log_softmax(0).view_as(leaf)")),
            (
                "probabilities",
                UPDATE.replace("logits + step_size * gradient", "(logits + step_size * gradient).softmax(-1)"),
            ),
            ("not-moved", "def update(logits, games, moves, rewards, step_size):\n    return logits"),
            ("not-finite", UPDATE.replace(".mean() if n > 1 else torch.zeros(())", ".mean()")),
            (
                "other-games-left-out",
                UPDATE.replace(
                    "rewards[torch.arange(n) != i].mean() if n > 1 else",
                    "rewards[(torch.arange(n) != i) & (games == games[i])].mean()"
                    " if (games == games[i]).sum() > 1 else",
                ),
            ),
            (
                "one-after-another",
                """
                def update(logits, games, moves, rewards, step_size):
                    logits, n = logits.clone(), len(games)
                    better = rewards - (rewards.sum() - rewards) / max(n - 1, 1)
                    for game, move, b in zip(games, moves, better):
                        slope = -logits[game].softmax(0)
                        slope[move] += 1
                        logits[game] += step_size * b * slope / n
                    return logits
                """,
            ),
            ("changed-input", UPDATE.replace("logits + step_size * gradient", "logits.add_(step_size * gradient)")),
            ("wrong-shape", UPDATE.replace("logits + step_size * gradient", "(logits + step_size * gradient)[0]")),
        ),
    ),
    "left_over": Bank(
        right=(
            LEFT_OVER,
            """
            def left_over(logits, rewards, constant):
                chance = logits.softmax(0)
                rows = []
                for m in range(len(logits)):
                    leaf = logits.clone().requires_grad_()
                    slope, = torch.autograd.grad(leaf.log_softmax(0)[m], leaf)
                    rows.append((rewards[m] + constant) * slope)
                rows = torch.stack(rows)
                mean = (chance[:, None] * rows).sum(0)
                return {"mean": mean, "spread": (chance[:, None] * (rows - mean) ** 2).sum()}
            """,
        ),
        wrong=(
            ("constant-in-the-mean", LEFT_OVER.replace("(paid - policy @ paid)", "paid")),
            ("wrong-way", LEFT_OVER.replace("mean.tolist()", "(-mean).tolist()")),
            (
                "moves-not-weighted",
                """
                def left_over(logits, rewards, constant):
                    steps = (rewards + constant)[:, None] * (torch.eye(len(logits)) - logits.softmax(0))
                    return {"mean": steps.mean(0), "spread": ((steps - steps.mean(0)) ** 2).sum(1).mean()}
                """,
            ),
            ("another-mean", LEFT_OVER.replace("policy @ paid)", "rewards.numpy().mean() - constant)")),
            ("distance-from-zero", LEFT_OVER.replace(" - mean @ mean", "")),
            (
                "constant-left-out",
                LEFT_OVER.replace("(paid[m] * slope)", "(rewards.numpy()[m] * slope)"),
            ),
            ("root-taken", LEFT_OVER.replace("squares - mean @ mean", "(squares - mean @ mean) ** 0.5")),
            (
                "mean-over-numbers",
                LEFT_OVER.replace("squares - mean @ mean", "(squares - mean @ mean) / len(policy)"),
            ),
            ("another-spread", LEFT_OVER.replace("squares - mean @ mean", "mean @ mean")),
            ("wrong-type", "def left_over(logits, rewards, constant):\n    return logits, 0.0"),
        ),
    ),
    "repair": Bank(
        right=(
            repair(g0=DUNE, g14={"Aurora": 0, "Crescent": 3, "Dune": 0}),
            repair(g15={"Brotherhood": 0, "Dune": 2, "Aurora": 0}, g4={"Aurora": 0, "Dune": 0, "Crescent": 1})
            + "\nrepair = repair[::-1]",
        ),
        wrong=(
            ("banner-is-enough", "repair = narrow_games()"),
            ("banner-is-enough", repair(g0={"Aurora": 0, "Crescent": 3, "Dune": 0})),
            (
                "banner-is-enough",
                repair(g0={"Aurora": 0, "Crescent": 3, "Dune": 0}, g6={"Aurora": 0, "Crescent": 0, "Dune": 3}),
            ),
            (
                "deeds-are-not-enough",
                repair(
                    g0={"Brotherhood": 0, "Crescent": 3, "Dune": 0}, g6={"Aurora": 0, "Brotherhood": 0, "Crescent": 0}
                ),
            ),
            (
                "deeds-are-not-enough",
                repair(g0={"Aurora": 0, "Crescent": 0, "Dune": 0}, g6={"Aurora": 0, "Brotherhood": 0, "Crescent": 0}),
            ),
            ("war-foreseen", repair(g0={"Aurora": 0, "Brotherhood": 2, "Dune": 0})),
            ("two-wars", repair(g0={"Aurora": 0, "Crescent": 1, "Dune": 1})),
            ("too-many-changed", repair(g0=CRESCENT, g1=DUNE, g2=DUNE)),
            ("wrong-shape", "repair = narrow_games() + [" + repr(DUNE) + "]"),
            ("wrong-type", repair(g0={"Aurora": 0, "Crescent": 1})),
            ("out-of-range", repair(g0={"Aurora": 0, "Crescent": 9, "Dune": 0})),
        ),
    ),
    "levels": Bank(
        right=("levels = dict(zip('123456789', " + repr(list(LEVELS.values())) + "))",),
        wrong=(
            ("presumes-search", levels(p7="mesa-objective")),
            ("presumes-search", levels(p4="mesa-objective")),
            ("optimized-for-is-not-optimizes-for", levels(p3="base objective")),
            ("optimized-for-is-not-optimizes-for", levels(p9="base objective")),
            ("objective-moved-inside", levels(p2="mesa-objective")),
            ("objective-moved-inside", levels(p6="mesa-objective")),
            ("phrase-6", levels(p6="what we want")),
            ("phrase-5", levels(p5="base objective")),
            ("phrase-1", levels(p1="learned algorithm")),
            ("phrase-8", levels(p8="base objective")),
            ("phrase-9", levels(p9="learned algorithm")),
            ("phrase-1", "levels = {n: 'base objective' for n in '123456789'}"),
            ("wrong-type", levels(p7="inside")),
        ),
    ),
    "scorecard": Bank(
        right=(
            SCORECARD,
            """
            def scorecard(born, lived, newborn, parent):
                fitness = np.zeros(len(born))
                for p in parent:
                    fitness[p] += 1
                w = fitness / fitness.mean()

                def covariance(traits):
                    z = traits.numpy()
                    return (w[:, None] * z).mean(0) - w.mean() * z.mean(0)

                changes = np.array([newborn[i].numpy() - born[p].numpy() for i, p in enumerate(parent)])
                return {
                    "fitness": fitness, "favored": covariance(lived), "selected": covariance(born),
                    "mutated": changes.mean(0),
                }
            """,
        ),
        wrong=(
            ("fitness", SCORECARD.replace('"fitness": fitness', '"fitness": share')),
            ("genome-for-the-animal", SCORECARD.replace("share @ lived - lived", "share @ born - born")),
            ("animal-for-the-genome", SCORECARD.replace("share @ born - born.mean", "share @ lived - lived.mean")),
            (
                "mutation-counted-as-selection",
                SCORECARD.replace("share @ born - born.mean(0)", "newborn.mean(0) - born.mean(0)"),
            ),
            (
                "learning-passed-on",
                SCORECARD.replace("newborn.mean(0) - share @ born", "newborn.mean(0) - share @ lived"),
            ),
            (
                "all-change-is-mutation",
                SCORECARD.replace("newborn.mean(0) - share @ born", "newborn.mean(0) - born.mean(0)"),
            ),
            (
                "breeders-alike",
                SCORECARD.replace("share @ lived - lived", "lived[sorted(set(parent.tolist()))].mean(0) - lived"),
            ),
            ("childless-left-out", SCORECARD.replace("lived.mean(0)", "lived[sorted(set(parent.tolist()))].mean(0)")),
            ("not-compared", SCORECARD.replace("share @ lived - lived.mean(0)", "share @ lived")),
            (
                "wrong-way",
                SCORECARD.replace("share @ lived - lived.mean(0)", "lived.mean(0) - share @ lived"),
            ),
            ("another-mutated", SCORECARD.replace("newborn.mean(0) - share @ born", "newborn.sum(0) - share @ born")),
            ("wrong-shape", SCORECARD.replace("newborn.mean(0)", "newborn.mean()").replace("lived.mean(0)", "lived")),
            ("wrong-type", "def scorecard(born, lived, newborn, parent):\n    return {'fitness': [1]}"),
        ),
    ),
    "breed": Bank(
        right=(
            BREED,
            """
            def breed(shares, before, after, change, generations, mutation):
                if generations == 0:
                    return [shares.tolist()]
                worth = before if change > 0 else after
                total = float((shares * worth).sum())
                young = [float(s * f) / total for s, f in zip(shares, worth)]
                rest = len(young) - 1
                next_shares = torch.tensor(
                    [(1 - mutation) * y + mutation * (sum(young) - y) / rest for y in young], dtype=torch.float64)
                later = breed(next_shares, before, after, max(change - 1, 0), generations - 1, mutation)
                return [shares.tolist(), *later]
            """,
        ),
        wrong=(
            ("late", BREED.replace("number <= change", "number <= change + 1")),
            ("early", BREED.replace("number <= change", "number < change")),
            ("not-shares", BREED.replace(" / young.sum()", "")),
            ("not-weighted", BREED.replace("rows[-1] * (", "1 * (")),
            ("fitness-added", BREED.replace("rows[-1] * (", "rows[-1] + (")),
            ("mutation-left-out", BREED.replace("spread @ young", "young")),
            (
                "mutation-to-itself",
                BREED.replace("mutation / (genomes - 1)", "mutation / genomes").replace(
                    "1 - mutation)", "1 - mutation + mutation / genomes)"
                ),
            ),
            ("mutation-first", BREED.replace("rows[-1] *", "(spread @ rows[-1]) *").replace("spread @ young", "young")),
            ("foresight", BREED.replace("number <= change", "generations <= change")),
            ("start-left-out", BREED.replace("return np.array(rows)", "return np.array([*rows[1:], rows[-1]])")),
            ("other-shares", BREED.replace("rows[-1] * (", "rows[-1] ** 2 * (")),
            ("wrong-shape", BREED.replace("return np.array(rows)", "return rows[-1]")),
        ),
    ),
    "slopes": Bank(
        right=(
            SLOPES,
            """
            def slopes(arrows, noise, proxy, goal, lever):
                n = len(noise)
                power, total = torch.eye(n, dtype=torch.float64), torch.zeros(n, n, dtype=torch.float64)
                for _ in range(n):  # chains of 0, 1, 2, ... arrows
                    total += power
                    power = power @ arrows
                weight = noise**2
                select = (weight * total[:, proxy] * total[:, goal]).sum() / (weight * total[:, proxy] ** 2).sum()
                up = total[lever, proxy]
                return {"select": float(select), "raise": float(total[lever, goal] / up) if up != 0 else np.nan}
            """,
        ),
        wrong=(
            ("deviation-for-variance", SLOPES.replace("= noise[j]", "= noise[j] ** 0.5")),
            (
                "divided-by-the-goals-variance",
                SLOPES.replace("(loads[proxy] @ loads[proxy])", "(loads[goal] @ loads[goal])"),
            ),
            (
                "correlation",
                SLOPES.replace(
                    "(loads[proxy] @ loads[proxy])",
                    "np.sqrt((loads[proxy] @ loads[proxy]) * (loads[goal] @ loads[goal]))",
                ),
            ),
            ("covariance-alone", SLOPES.replace(" / (loads[proxy] @ loads[proxy])", "")),
            (
                "selecting-taken-for-raising",
                SLOPES.replace('"select": select', '"select": raised if raised == raised else 0.0'),
            ),
            ("lever-does-nothing", SLOPES.replace('if risen[proxy] else float("nan")', "if risen[proxy] else 0.0")),
            ("defined-too-rarely", SLOPES.replace('"raise": raised', '"raise": raised if lever != proxy else np.nan')),
            ("goal-has-not-risen", SLOPES.replace("raised = risen[goal]", "raised = (lever != goal) * risen[goal]")),
            ("not-per-unit-of-proxy", SLOPES.replace("risen[goal] / risen[proxy] if", "risen[goal] if")),
            ("upside-down", SLOPES.replace("risen[goal] / risen[proxy] if", "risen[proxy] / risen[goal] if")),
            ("raising-taken-for-selecting", SLOPES.replace('"raise": raised', '"raise": select')),
            (
                "raising-taken-for-selecting",
                SLOPES.replace(
                    "risen[goal] / risen[proxy] if",
                    "(loads[lever] @ loads[goal]) / (loads[lever] @ loads[proxy]) if",
                ),
            ),
            (
                "one-arrow-only",
                SLOPES.replace(
                    "risen[goal] / risen[proxy] if",
                    "(arrows + torch.eye(n))[lever, goal] / (arrows + torch.eye(n))[lever, proxy] if",
                ),
            ),
            ("wrong-type", "def slopes(arrows, noise, proxy, goal, lever):\n    return 0.5"),
        ),
    ),
}


# Inputs for the mutants that do not come from the checks


def fresh_possible(random):
    rewards, games, options = (int(n) for n in random.integers(1, 5, 3))
    return {
        "rewards": tensor(random.integers(-1, 2, (rewards, games, options))),
        "moves": tensor(random.integers(options, size=games), "int64"),
        "trained": tensor(random.random(games) < random.random(), "bool"),
    }


def fresh_update(random):
    kinds, options, plays = (int(n) for n in random.integers(1, 7, 3))
    return {
        "logits": tensor(3 * random.normal(size=(kinds, options))),
        "games": tensor(random.integers(kinds, size=plays), "int64"),
        "moves": tensor(random.integers(options, size=plays), "int64"),
        "rewards": tensor(random.choice([0.0, 1.0, -2.0], size=plays)),
        "step_size": float(random.choice([0.0, 3.0, random.random()])),
    }


def fresh_left_over(random):
    options = int(random.integers(1, 7))
    return {
        "logits": tensor(2 * random.normal(size=options)),
        "rewards": tensor(random.normal(size=options)),
        "constant": float(random.choice([0.0, 10.0, random.normal()])),
    }


def fresh_scorecard(random):
    animals, young, traits = (int(n) for n in random.integers(1, 7, 3))
    shape = (animals, traits)
    return {
        "born": tensor(random.normal(size=shape)),
        "lived": tensor(random.normal(size=shape)),
        "newborn": tensor(random.normal(size=(young, traits))),
        "parent": tensor(random.integers(animals, size=young), "int64"),
    }


def fresh_breed(random):
    genomes, change, generations = int(random.integers(2, 7)), *(int(n) for n in random.integers(0, 9, 2))
    return {
        "shares": tensor(random.dirichlet(np.ones(genomes))),
        "before": tensor(random.uniform(0.1, 3, genomes)),
        "after": tensor(random.uniform(0.1, 3, genomes)),
        "change": change,
        "generations": generations,
        "mutation": float(random.choice([0.0, 1.0, random.random()])),
    }


def fresh_slopes(random):
    size = int(random.integers(2, 7))
    arrows = np.triu(random.normal(size=(size, size)), 1) * (random.random((size, size)) < random.random())
    proxy, goal = (int(n) for n in random.choice(size, 2, replace=False))
    return {
        "arrows": tensor(arrows),
        "noise": tensor(random.uniform(0.2, 3, size)),
        "proxy": proxy,
        "goal": goal,
        "lever": int(random.integers(size)),
    }


FRESH = {
    "possible": fresh_possible,
    "update": fresh_update,
    "left_over": fresh_left_over,
    "scorecard": fresh_scorecard,
    "breed": fresh_breed,
    "slopes": fresh_slopes,
}
