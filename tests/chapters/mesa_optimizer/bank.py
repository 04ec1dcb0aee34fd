"""Answers to the exercises on mesa-optimizers."""

import numpy as np
from banks import Bank, tensor

GUESSES = {"noisy label": {"a": 0.5, "b": 0.1}, "loose proxy": {"a": 0.3, "b": 0.3}, "alike": {"a": 0.5, "b": 0.5}}


def prediction(**changed):
    """A prediction with some trainings' weights replaced."""
    return f"prediction = {GUESSES | {name.replace('_', ' '): weights for name, weights in changed.items()}}"


ORDER_GAP = """
def order_gap(x, y, query, step_size):
    def after(w, left):
        if not left:
            return [float(w @ query)]
        found = []
        for i in left:
            found += after(w + step_size * (y[i] - w @ x[i]) * x[i], [k for k in left if k != i])
        return found

    found = after(torch.zeros_like(query), list(range(len(y))))
    return max(found) - min(found)
"""

POSTERIOR = """
def posterior(x, y, tasks, prior, noise):
    logs = np.full(len(tasks), -np.inf)
    for m in range(len(tasks)):
        if prior[m] > 0:
            logs[m] = np.log(float(prior[m]))
            for i in range(len(y)):
                logs[m] -= float(y[i] - tasks[m] @ x[i]) ** 2 / (2 * noise**2)
    weights = np.exp(logs - logs.max())
    p = weights / weights.sum()
    entropy = -sum(share * np.log(share) for share in p if share > 0)
    return {"posterior": p, "effective": np.exp(entropy)}
"""

BY_HAND = """
def by_hand(start, step_size):
    d = len(start)
    A = np.zeros((d + 1, d + 1))
    m = np.zeros(d + 1)
    for j in range(d):
        A[j, j] = -step_size / 3
        m[j] = 3 * float(start[j])
    m[d] = -3
    return {"A": A, "m": m}
"""

HALFWAY = """
def halfway(first_A, first_m, second_A, second_m, x, y, query):
    layers = [[first_A.numpy(), first_m.numpy()], [second_A.numpy(), second_m.numpy()]]

    def mixed():
        A, m = (sum(part) / 2 for part in zip(*layers))
        total = 0.0
        for x_i, y_i in zip(x.numpy(), y.numpy()):
            token = np.append(x_i, y_i)
            total += (m @ token) * (token @ A[:, :-1] @ query.numpy())
        return total / len(y)

    before = mixed()
    for layer in layers:
        scale = layer[1][-1]
        layer[0] = layer[0] * scale
        layer[1] = layer[1] / scale
    return {"as they are": before, "gauge fixed": mixed()}
"""

BREAKING = """
def breaking_scale(inputs, examples, noise, step_size):
    def worse(s):
        left = 1 - 2 * step_size * s**2 + step_size**2 * s**4 * (examples + inputs + 1) / examples
        return left + step_size**2 * s**2 * noise**2 / examples > 1

    low, high = 0.0, 1000.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if worse(middle) else (middle, high)
    return high
"""

SCALE = """
def breaking_scale(inputs, examples, noise, step_size):
    spread = (examples + inputs + 1) / examples
    share = noise**2 / examples
    squared = (2 / step_size - share) / spread
    return max(squared, 0.0) ** 0.5
"""

BEST_STEP = """
def best_step(variances, examples, noise, prior_variance):
    v = variances.numpy()
    n = examples
    linear, bent = 0.0, 0.0
    for j in range(len(v)):
        linear += prior_variance * v[j] ** 2
        bent += prior_variance * ((n + 1) * v[j] ** 3 + v[j] * (v**2).sum()) / n
        bent += noise**2 * v[j] ** 2 / n
    step = linear / bent
    loss = prior_variance * v.sum() - 2 * step * linear + step**2 * bent
    return {"step": step, "loss": loss}
"""

OBJECTIVE = """
def objective(agreement, noise, inputs, examples):
    R, sigma = agreement.numpy(), noise.numpy()
    q = (examples + inputs + 1) / examples
    curvature = q * R
    for c in range(len(sigma)):
        curvature[c, c] = q + sigma[c] ** 2 / examples
    return np.linalg.inv(curvature) @ R[:, 0]
"""

LADDER = {
    "1": "behavior",
    "2": "designed",
    "3": "behavior",
    "4": "intervened",
    "5": "worked out",
    "6": "behavior",
}


def ladder(**changed):
    """The right rungs but for these reports, written as r1, r2 and so on."""
    return f"ladder = {LADDER | {name[1:]: rung for name, rung in changed.items()}}"


BANKS = {
    "prediction": Bank(
        right=(prediction(), prediction(noisy_label={"a": 0, "b": 0.6}, alike={"a": 0.31, "b": 0.3})),
        wrong=(
            ("symmetry", prediction(alike={"a": 0.6, "b": 0.0})),
            ("symmetry", prediction(alike={"a": 0.2, "b": 0.4})),
            ("out-of-range", prediction(noisy_label={"a": 10 / 16, "b": 6})),
            ("out-of-range", prediction(loose_proxy={"a": -1, "b": 1})),
            ("wrong-type", prediction(alike={"a": 0.5})),
            ("wrong-type", prediction(alike=[0.5, 0.5])),
        ),
    ),
    "order_gap": Bank(
        right=(
            ORDER_GAP,
            """
            def order_gap(x, y, query, step_size):
                inputs, labels, asked = x.tolist(), y.tolist(), query.tolist()
                low, high = np.inf, -np.inf
                for order in permutations(range(len(labels))):
                    w = [0.0] * len(asked)
                    for i in order:
                        left = labels[i] - sum(a * b for a, b in zip(w, inputs[i]))
                        w = [a + step_size * left * b for a, b in zip(w, inputs[i])]
                    answer = sum(a * b for a, b in zip(w, asked))
                    low, high = min(low, answer), max(high, answer)
                return high - low
            """,
        ),
        wrong=(
            ("one-batch", "def order_gap(x, y, query, step_size):\n    return 0.0"),
            (
                "one-batch",
                """
                def order_gap(x, y, query, step_size):
                    found = [float(step_size * (y[list(o)] @ x[list(o)]) @ query) for o in permutations(range(len(y)))]
                    return round(max(found) - min(found), 9)
                """,
            ),
            (
                "there-and-back",
                """
                def order_gap(x, y, query, step_size):
                    found = []
                    for order in (range(len(y)), range(len(y))[::-1]):
                        w = torch.zeros_like(query)
                        for i in order:
                            w = w + step_size * (y[i] - w @ x[i]) * x[i]
                        found.append(float(w @ query))
                    return abs(found[0] - found[1])
                """,
            ),
            (
                "from-the-given-order",
                ORDER_GAP.replace("max(found) - min(found)", "max(abs(one - found[0]) for one in found)"),
            ),
            ("deviation", ORDER_GAP.replace("max(found) - min(found)", "np.std(found)")),
            ("largest-alone", ORDER_GAP.replace("max(found) - min(found)", "max(map(abs, found))")),
            ("step-divided", ORDER_GAP.replace("step_size * (y", "step_size / len(y) * (y")),
            ("queries-squared", ORDER_GAP.replace("max(found) - min(found)", "(max(found) - min(found)) ** 2")),
            ("another-range", ORDER_GAP.replace("(y[i] - w @ x[i])", "(y[i] + w @ x[i])")),
            ("out-of-range", ORDER_GAP.replace("max(found) - min(found)", "min(found) - max(found)")),
        ),
    ),
    "posterior": Bank(
        right=(
            POSTERIOR,
            """
            def posterior(x, y, tasks, prior, noise):
                normal = torch.distributions.Normal(tasks @ x.T, noise)
                joint = prior.log() + normal.log_prob(y).sum(1)
                p = (joint - joint.logsumexp(0)).exp().tolist()
                effective = 1.0
                for share in p:
                    effective *= share**-share if share > 0 else 1.0
                return {"posterior": p, "effective": effective}
            """,
        ),
        wrong=(
            (
                "prior-forgotten",
                POSTERIOR.replace("logs[m] = np.log(float(prior[m]))", "logs[m] = 0.0").replace(
                    "if prior[m] > 0", "if True"
                ),
            ),
            ("prior-alone", POSTERIOR.replace("for i in range(len(y))", "for i in range(0)")),
            ("no-half", POSTERIOR.replace("(2 * noise**2)", "noise**2")),
            ("deviation-for-variance", POSTERIOR.replace("(2 * noise**2)", "(2 * noise)")),
            ("mean-error", POSTERIOR.replace("/ (2 * noise**2)", "/ len(y) / (2 * noise**2)")),
            (
                "largest-alone",
                POSTERIOR.replace("weights = np.exp(logs - logs.max())", "weights = 1.0 * (logs == logs.max())"),
            ),
            (
                "not-squared",
                POSTERIOR.replace("float(y[i] - tasks[m] @ x[i]) ** 2", "abs(float(y[i] - tasks[m] @ x[i]))"),
            ),
            ("adds-up", POSTERIOR.replace("weights / weights.sum()", "weights")),
            (
                "not-finite",
                """
                def posterior(x, y, tasks, prior, noise):
                    joint = prior * (-((y - tasks @ x.T) ** 2).sum(1) / (2 * noise**2)).exp()
                    p = joint / joint.sum()
                    return {"posterior": p, "effective": torch.special.entr(p).sum().exp()}
                """,
            ),
            ("another-posterior", POSTERIOR.replace("logs[m] -=", "logs[m] +=")),
            ("entropy-itself", POSTERIOR.replace("np.exp(entropy)", "entropy")),
            ("entropy-itself", POSTERIOR.replace("np.exp(entropy)", "entropy / np.log(2)")),
            ("of-the-prior", POSTERIOR.replace("for share in p if share", "for share in prior.tolist() if share")),
            ("counted", POSTERIOR.replace("np.exp(entropy)", "float((prior > 0).sum())")),
            ("other-count", POSTERIOR.replace("np.exp(entropy)", "1 / (p**2).sum()")),
            ("another-count", POSTERIOR.replace("np.exp(entropy)", "1 / p.max()")),
            ("bits-and-e", POSTERIOR.replace("np.exp(entropy)", "np.exp(entropy / np.log(2))")),
        ),
    ),
    "by_hand": Bank(
        right=(
            BY_HAND,
            """
            def by_hand(start, step_size):
                d = len(start)
                A = torch.diag(torch.tensor([step_size] * d + [7.0], dtype=torch.float64))
                A[:, d] = 4.0  # meets the query's label, which is 0
                return {"A": A.tolist(), "m": [*(-start).tolist(), 1.0]}
            """,
        ),
        wrong=(
            ("from-zero", BY_HAND.replace("3 * float(start[j])", "0")),
            ("wrong-way", BY_HAND.replace("-step_size / 3", "step_size / 3")),
            ("wrong-start", BY_HAND.replace("3 * float(start[j])", "-3 * float(start[j])")),
            (
                "step-size-twice",
                BY_HAND.replace("3 * float(start[j])", "3 * float(start[j]) * step_size").replace(
                    "-3", "-3 * step_size"
                ),
            ),
            ("step-size", BY_HAND.replace("-step_size / 3", "-1 / 3")),
            ("step-size", BY_HAND.replace("-step_size / 3", "-step_size")),
            (
                "labels-compared",
                BY_HAND.replace("m[j] = 3 * float(start[j])", "A[d, j] = float(start[j]) * step_size"),
            ),
            ("another-layer", BY_HAND.replace("A[j, j] = -step_size / 3", "A[j, d] = -step_size / 3")),
            ("wrong-shape", BY_HAND.replace("np.zeros((d + 1, d + 1))", "np.zeros((d + 2, d + 1))")),
            ("wrong-type", BY_HAND.replace('{"A": A, "m": m}', "A, m")),
        ),
    ),
    "halfway": Bank(
        right=(
            HALFWAY,
            """
            def halfway(first_A, first_m, second_A, second_m, x, y, query):
                tokens = torch.column_stack([x, y])
                summed = tokens.T @ tokens / len(y)
                answers = []
                for one, other in ((1.0, 1.0), (first_m[-1], second_m[-1])):
                    A = torch.lerp(first_A * one, second_A * other, 0.5)
                    m = torch.lerp(first_m / one, second_m / other, 0.5)
                    answers.append((m @ summed @ A)[:-1] @ query)
                return dict(zip(("as they are", "gauge fixed"), answers))
            """,
        ),
        wrong=(
            (
                "predictions-averaged",
                """
                def halfway(first_A, first_m, second_A, second_m, x, y, query):
                    tokens, asked = torch.column_stack([x, y]), torch.cat([query, torch.zeros(1)])
                    found = [((tokens @ m) * (tokens @ A @ asked)).mean()
                             for A, m in ((first_A, first_m), (second_A, second_m))]
                    return {"as they are": sum(found) / 2, "gauge fixed": sum(found) / 2}
                """,
            ),
            ("gauge-fixed-in-both", HALFWAY.replace('"as they are": before', '"as they are": mixed()')),
            ("added-up", HALFWAY.replace("return total / len(y)", "return total")),
            ("not-halved", HALFWAY.replace("sum(part) / 2", "sum(part)")),
            ("another-layer", HALFWAY.replace("np.append(x_i, y_i)", "np.append(x_i, 0)")),
            ("first-alone", HALFWAY.replace("sum(part) / 2", "part[0]")),
            ("fixed-too-late", HALFWAY.replace('"gauge fixed": mixed()', '"gauge fixed": before')),
            ("changes-the-layer", HALFWAY.replace("layer[0] = layer[0] * scale", "pass")),
            ("changes-the-layer", HALFWAY.replace("layer[0] * scale", "layer[0] / scale")),
            ("length-instead", HALFWAY.replace("layer[1][-1]", "np.linalg.norm(layer[1])")),
            ("another-gauge", HALFWAY.replace("layer[1][-1]", "layer[1][0]")),
        ),
    ),
    "ladder": Bank(
        right=(ladder(), "ladder = dict(zip('123456', " + repr(list(LADDER.values())) + "))"),
        wrong=(
            ("overclaimed", ladder(r1="worked out")),
            ("overclaimed", ladder(r3="read")),
            ("overclaimed", ladder(r6="worked out")),
            ("overclaimed", ladder(r4="worked out")),
            ("underclaimed", ladder(r4="read")),
            ("underclaimed", ladder(r5="behavior")),
            ("search-by-design", ladder(r2="behavior")),
            ("search-by-design", ladder(r2="worked out")),
            ("not-by-design", ladder(r1="designed")),
            ("not-by-design", ladder(r5="designed")),
            ("wrong-type", ladder(r5="mechanism")),
        ),
    ),
    "breaking_scale": Bank(
        right=(BREAKING, SCALE),
        wrong=(
            ("square", SCALE.replace("** 0.5", "")),
            ("noise-forgotten", SCALE.replace("2 / step_size - share", "2 / step_size")),
            ("noise-scaled-too", SCALE.replace("(2 / step_size - share) / spread", "2 / step_size / (spread + share)")),
            (
                "best-step-assumed",
                SCALE.replace("(2 / step_size - share)", "(2 * (spread + share) - share)"),
            ),
            ("context-taken-for-its-mean", SCALE.replace("/ spread", "")),
            ("where-it-is-best", SCALE.replace("(2 / step_size - share)", "(1 / step_size - share / 2)")),
            ("on-the-scale-of-one", "def breaking_scale(inputs, examples, noise, step_size):\n    return 2**0.5"),
            ("never-better", SCALE.replace("max(squared, 0.0)", "abs(squared)")),
            ("another-scale", SCALE.replace("examples + inputs + 1", "examples + inputs")),
            ("wrong-type", SCALE.replace("max(squared, 0.0)", "squared")),
            ("out-of-range", SCALE.replace("return max", "return -1 - max")),
        ),
    ),
    "best_step": Bank(
        right=(
            BEST_STEP,
            """
            def best_step(variances, examples, noise, prior_variance):
                L = torch.diag(variances)
                mean_of_SLS = ((examples + 1) * L @ L @ L + torch.trace(L @ L) * L) / examples
                gain = prior_variance * torch.trace(L @ L)
                cost = prior_variance * torch.trace(mean_of_SLS) + noise**2 / examples * torch.trace(L @ L)
                loss = prior_variance * torch.trace(L) - gain**2 / cost
                return {"step": float(gain / cost), "loss": float(loss)}
            """,
        ),
        wrong=(
            ("factor-of-two", BEST_STEP.replace("step = linear / bent", "step = linear / bent / 2")),
            ("noise-forgotten", BEST_STEP.replace("noise**2", "0")),
            (
                "prior-forgotten",
                BEST_STEP.replace("prior_variance", "1").replace(
                    "(variances, examples, noise, 1)", "(variances, examples, noise, prior_variance)"
                ),
            ),
            ("deviation-for-variance", BEST_STEP.replace("noise**2", "noise")),
            (
                "context-taken-for-its-mean",
                BEST_STEP.replace("((n + 1) * v[j] ** 3 + v[j] * (v**2).sum()) / n", "v[j] ** 3"),
            ),
            (
                "inputs-alike",
                BEST_STEP.replace(
                    "step = linear / bent",
                    "step = prior_variance * n / (prior_variance * v.mean() * (n + len(v) + 1) + noise**2)",
                ),
            ),
            ("not-a-mean", BEST_STEP.replace("step = linear / bent", "step = linear / bent / n")),
            ("another-step", BEST_STEP.replace("(n + 1)", "n")),
            ("noise-in-the-target", BEST_STEP.replace("+ step**2 * bent", "+ step**2 * bent + noise**2")),
            ("loss-of-zero", BEST_STEP.replace("- 2 * step * linear + step**2 * bent", "")),
            ("half-of-it", BEST_STEP.replace('"loss": loss', '"loss": loss / 2')),
            ("another-loss", BEST_STEP.replace("- 2 * step * linear", "- 3 * step * linear")),
        ),
    ),
    "objective": Bank(
        right=(
            OBJECTIVE,
            """
            def objective(agreement, noise, inputs, examples):
                a = torch.zeros(len(noise), dtype=torch.float64, requires_grad=True)
                spread = (examples + inputs + 1) / examples
                loss = spread * a @ agreement @ a + (noise**2 * a**2).sum() / examples - 2 * agreement[0] @ a
                slope, = torch.autograd.grad(loss, a, create_graph=True)
                bend = torch.stack([torch.autograd.grad(one, a, retain_graph=True)[0] for one in slope])
                return -torch.linalg.solve(bend, slope).detach()
            """,
        ),
        wrong=(
            ("one-at-a-time", OBJECTIVE.replace("np.linalg.inv(curvature) @ R[:, 0]", "R[:, 0] / np.diag(curvature)")),
            ("context-taken-for-its-mean", OBJECTIVE.replace("(examples + inputs + 1) / examples", "1")),
            ("examples-forgotten", OBJECTIVE.replace("sigma[c] ** 2 / examples", "sigma[c] ** 2")),
            ("deviation-for-variance", OBJECTIVE.replace("sigma[c] ** 2", "sigma[c]")),
            (
                "noise-shared",
                OBJECTIVE.replace("curvature = q * R", "curvature = q * R + np.outer(sigma, sigma) / examples"),
            ),
            (
                "made-to-add-up",
                OBJECTIVE.replace(
                    "return np.linalg.inv(curvature) @ R[:, 0]",
                    "a = np.linalg.inv(curvature) @ R[:, 0]\n    return a / a.sum()",
                ),
            ),
            ("every-channel-a-target", OBJECTIVE.replace("@ R[:, 0]", "@ np.ones(len(sigma))")),
            ("another-objective", OBJECTIVE.replace("examples + inputs + 1", "examples + inputs")),
            ("wrong-shape", OBJECTIVE.replace("@ R[:, 0]", "@ R")),
        ),
    ),
}


# Inputs for the mutants that do not come from the checks


def fresh_order_gap(random):
    n, d = int(random.integers(1, 6)), int(random.integers(1, 5))
    return {
        "x": tensor(random.normal(size=(n, d))),
        "y": tensor(random.choice([0.0, 1.0, -2.0], n) if random.random() < 0.3 else random.normal(size=n)),
        "query": tensor(random.normal(size=d)),
        "step_size": float(random.choice([0.0, 1.0, random.random()])),
    }


def fresh_posterior(random):
    tasks, n, d = (int(k) for k in random.integers(1, 6, 3))
    prior = random.dirichlet(np.ones(tasks)) * (random.random(tasks) < 0.8)
    prior[random.integers(tasks)] += 0.1
    return {
        "x": tensor(random.normal(size=(n, d)) * (random.random() < 0.8)),
        "y": tensor(random.choice([1.0, 50.0]) * random.normal(size=n)),
        "tasks": tensor(random.normal(size=(tasks, d))),
        "prior": tensor(prior / prior.sum()),
        "noise": float(random.uniform(0.3, 3)),
    }


def fresh_by_hand(random):
    d = int(random.integers(1, 7))
    return {
        "start": tensor(random.normal(size=d) * (random.random() < 0.8)),
        "step_size": float(random.choice([0.0, random.random()])),
    }


def fresh_halfway(random):
    d, n = (int(k) for k in random.integers(1, 6, 2))
    size = d + 1
    m, a = random.normal(size=(2, size)), random.normal(size=(2, size, size))
    m[:, -1] = random.choice([-2.0, -0.5, 0.5, 1.0], 2)
    return {
        "first_A": tensor(a[0]),
        "first_m": tensor(m[0]),
        "second_A": tensor(a[1]),
        "second_m": tensor(m[1]),
        "x": tensor(random.normal(size=(n, d))),
        "y": tensor(random.normal(size=n)),
        "query": tensor(random.normal(size=d)),
    }


def fresh_breaking_scale(random):
    return {
        "inputs": int(random.integers(1, 20)),
        "examples": int(random.integers(1, 40)),
        "noise": float(random.choice([0.0, random.uniform(0, 4)])),
        "step_size": float(random.uniform(0.05, 2)),
    }


def fresh_best_step(random):
    return {
        "variances": tensor(random.uniform(0.1, 4, random.integers(1, 7))),
        "examples": int(random.integers(1, 30)),
        "noise": float(random.choice([0.0, random.uniform(0, 3)])),
        "prior_variance": float(random.uniform(0.1, 4)),
    }


def fresh_objective(random):
    channels = int(random.integers(1, 6))
    vectors = random.normal(size=(channels, 4))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return {
        "agreement": tensor(vectors @ vectors.T),
        "noise": tensor(random.uniform(0.1, 3, channels)),
        "inputs": int(random.integers(1, 9)),
        "examples": int(random.integers(1, 30)),
    }


FRESH = {
    "order_gap": fresh_order_gap,
    "posterior": fresh_posterior,
    "by_hand": fresh_by_hand,
    "halfway": fresh_halfway,
    "breaking_scale": fresh_breaking_scale,
    "best_step": fresh_best_step,
    "objective": fresh_objective,
}
