"""Solutions with one small mistake in them: every check must tell them from the solution.

Answer banks hold the mistakes that somebody has thought of. Here each function that is a solution is changed in one
place by rule: another comparison, sign, constant or variable, a statement or a method's call left out, arguments
swapped, a condition negated, `min` for `max`.

A mutant is *killed* if its check rejects it for every one of a few seeds: a learner meets one seed only, and whether
a mistake is seen must not be a matter of luck. A mutant that gets through is *equivalent* if it gives what the
solution gives, up to rounding, on fresh inputs: those of further seeds, and, where `FRESH` has some, inputs drawn
here without the check's own generator, so that a corner which that generator never visits is no excuse. Every other
mutant has *survived*. No more is forgiven where several answers are right, since a mutant of one right answer that
gives other values is rarely right by accident; should one be, its exercise needs a reason here.
"""

import ast
import copy
import importlib
import signal
import warnings
from collections import Counter
from contextlib import contextmanager
from dataclasses import replace
from functools import cache, partial

import numpy as np
import pytest
from test_answers import CHAPTERS, cell, notebooks

from innerlab.checks.asking import ask
from innerlab.checks.judging import PASSED, mark
from innerlab.checks.values import unpack
from innerlab.exercises.release import BEGIN, END, set_up
from innerlab.planning import draw_mazes
from innerlab.worlds import RedDoors, to_text

SEEDS = range(4)
FURTHER_SEEDS = range(1000, 1020)
PATIENCE = 5  # seconds a mutant may take for one seed
FEWEST = 5  # a mutator that finds fewer places in a solution has stopped looking

# Mutators: each yields what may stand in the place of a node

COMPARISONS = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
}
ARITHMETIC = {
    ast.Add: (ast.Sub,),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.Div, ast.Add),
    ast.Div: (ast.Mult,),
    ast.FloorDiv: (ast.Div, ast.Mult),
    ast.Mod: (ast.FloorDiv,),
    ast.Pow: (ast.Mult,),
    ast.MatMult: (ast.Mult,),
    ast.BitAnd: (ast.BitOr,),
    ast.BitOr: (ast.BitAnd,),
}
OTHER_NAMES = [("min", "max"), ("any", "all"), ("sum", "mean"), ("argmin", "argmax"), ("zeros", "ones"), ("log", "exp")]
RENAMED = dict(OTHER_NAMES) | {other: name for name, other in OTHER_NAMES}


def alternatives(node, variables):
    """The nodes with one mistake that may stand in the place of this one."""
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in variables:
        yield from (ast.Name(other, node.ctx) for other in variables if other != node.id)
    if isinstance(node, ast.Compare):
        for at, operator in enumerate(node.ops):
            for other in COMPARISONS[type(operator)]:
                yield ast.Compare(node.left, [*node.ops[:at], other(), *node.ops[at + 1 :]], node.comparators)
    if isinstance(node, ast.BinOp):
        for other in ARITHMETIC.get(type(node.op), ()):
            yield ast.BinOp(node.left, other(), node.right)
        if not isinstance(node.op, ast.Add | ast.Mult):
            yield ast.BinOp(node.right, node.op, node.left)
        yield node.left
        yield node.right
    if isinstance(node, ast.AugAssign):
        for other in ARITHMETIC.get(type(node.op), ()):
            yield ast.AugAssign(node.target, other(), node.value)
    if isinstance(node, ast.BoolOp):
        yield ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
    if isinstance(node, ast.UnaryOp):
        yield node.operand
    if isinstance(node, ast.If | ast.While | ast.IfExp):
        other = copy.copy(node)
        other.test = ast.UnaryOp(ast.Not(), node.test)
        yield other
    if isinstance(node, ast.Constant):
        yield from (ast.Constant(value) for value in other_constants(node.value))
    if isinstance(node, ast.Name) and node.id in RENAMED:
        yield ast.Name(RENAMED[node.id], node.ctx)
    if isinstance(node, ast.Attribute) and node.attr in RENAMED:
        yield ast.Attribute(node.value, RENAMED[node.attr], node.ctx)
    if isinstance(node, ast.Call):
        for at in range(len(node.args) - 1):
            swapped = [*node.args[:at], node.args[at + 1], node.args[at], *node.args[at + 2 :]]
            yield ast.Call(node.func, swapped, node.keywords)
        for at in range(len(node.keywords)):
            yield ast.Call(node.func, node.args, node.keywords[:at] + node.keywords[at + 1 :])
        if isinstance(node.func, ast.Attribute):
            yield node.func.value
    if isinstance(node, ast.Tuple | ast.List) and isinstance(node.ctx, ast.Load) and len(node.elts) > 1:
        yield type(node)(node.elts[::-1], node.ctx)
    if isinstance(node, ast.Assign | ast.AugAssign | ast.Expr | ast.Return | ast.For | ast.While | ast.If):
        yield ast.Pass()


def other_constants(value):
    """Other constants of the same kind."""
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int | float):
        near = [value + 1, value - 1, -value, value / 2 if isinstance(value, float) else 0]
        return [other for other in dict.fromkeys(near) if other != value]
    return ["", value + "x"] if isinstance(value, str) and value else []


def mutants(code):
    """Every version of some code with one mistake, each once, as a pair of the changed line and the code."""
    tree = ast.parse(code)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:]
    nodes = list(ast.walk(tree))
    variables = {node.arg for node in nodes if isinstance(node, ast.arg)}
    variables |= {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    original = ast.unparse(tree)
    seen = {original}
    for parent in ast.walk(tree):
        for field, old in ast.iter_fields(parent):
            for at, node in enumerate(old) if isinstance(old, list) else [(None, old)]:
                if not isinstance(node, ast.AST):
                    continue
                for other in alternatives(node, sorted(variables)):
                    setattr(parent, field, other if at is None else [*old[:at], other, *old[at + 1 :]])
                    try:
                        made = ast.unparse(ast.fix_missing_locations(tree))
                        compile(made, "<mutant>", "exec")
                    except (SyntaxError, ValueError, TypeError):
                        continue  # a statement where an expression is due, a constant where a name is
                    finally:
                        setattr(parent, field, old)
                    if made not in seen:
                        seen.add(made)
                        yield changed_line(original, made), made


def changed_line(before, after):
    """The first line that differs."""
    lines = zip(before.splitlines(), after.splitlines(), strict=False)
    return next((new.strip() for old, new in lines if old != new), "the last line is gone")


def test_the_mutators_make_each_kind_of_mistake():
    code = (
        "def f(a, b):\n    '''Says a < b.'''\n    c = a.clone()\n    if a < b and not c:\n"
        "        c += max(a, b)\n    return g(a, b, k=1) - c[0]\n"
    )
    made = [text for _, text in mutants(code)]
    for part in (
        "if a <= b and", "if a >= b and", "or not c", "and c:", "if not (a < b", "c -= max", "min(a, b)", "max(b, a)",
        "g(b, a, k=1)", "g(a, b)", "- a[0]", "if c < b and", "k=2", "k=0", "c[1]", "+ c[0]", "c = a\n",
        "f(a, b):\n    pass\n",
    ):  # fmt: skip
        assert any(part in text for text in made), part
    assert len(set(made)) == len(made)
    assert not any("Says" in text for text in made)


# Inputs that do not come from the checks


def tensor(array, dtype="float64"):
    return {"tensor": np.asarray(array).tolist(), "dtype": dtype}


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


def fresh_expansions(random):
    if random.random() < 0.5:
        maze = draw_mazes(1, 5, int(random.integers(4)), int(random.integers(2**31)))[0]
        return {"next_cell": maze.next_cell, "start": maze.start, "target": int(random.choice(maze.open_cells))}
    cells = int(random.integers(2, 7))
    next_cell = random.integers(cells, size=(cells, 4))
    next_cell[:, random.integers(4)] = (np.arange(cells) + 1) % cells  # some way is always there
    start, target = (int(cell) for cell in random.integers(cells, size=2))
    return {"next_cell": next_cell.tolist(), "start": start, "target": target}


def fresh_tied_bits(random):
    many = int(random.integers(1, 9))
    weights = random.random(many) * (random.random(many) < 0.8)
    weights[random.integers(many)] = 1.0
    values = random.choice([-1.5, 0.0, 2.0, 7.0], many) if random.random() < 0.5 else random.normal(size=many)
    return {"values": values.tolist(), "weights": weights.tolist(), "n": int(random.integers(1, 30))}


def fresh_descend(random):
    dimensions = int(random.integers(1, 6))
    matrix = random.normal(size=(dimensions, dimensions))
    return {
        "matrix": tensor(matrix + matrix.T),
        "start": tensor(random.normal(size=dimensions)),
        "rate": float(random.choice([0.0, random.random()])),
        "momentum": float(random.choice([0.0, 1.0, random.random()])),
        "steps": int(random.integers(6)),
    }


def fresh_escape(random):
    rows, columns = (int(n) for n in random.integers(1, 7, 2))
    loss = random.integers(4, size=(rows, columns)) if random.random() < 0.5 else random.normal(size=(rows, columns))
    starts = [[int(random.integers(rows)), int(random.integers(columns))] for _ in range(random.integers(1, 6))]
    return {"loss": tensor(loss), "starts": starts, "budget": int(random.integers(1, 40))}


def fresh_evolve(random):
    generations, children, dimensions = (int(n) for n in random.integers(1, 7, 3))
    return {
        "start": tensor(3 * random.normal(size=dimensions)),
        "lowest": tensor(random.normal(size=dimensions)),
        "noise": tensor(random.normal(size=(generations, children, dimensions))),
        "parents": int(random.integers(1, children + 1)),
        "size": float(random.uniform(0.05, 2)),
        "growth": float(random.uniform(1.01, 2)),
    }


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
    "optimizer/expansions": fresh_expansions,
    "optimizer/tied_bits": fresh_tied_bits,
    "optimizer/descend": fresh_descend,
    "optimizer/escape": fresh_escape,
    "optimizer/evolve": fresh_evolve,
    "base_optimizer/possible": fresh_possible,
    "base_optimizer/update": fresh_update,
    "base_optimizer/left_over": fresh_left_over,
    "base_optimizer/scorecard": fresh_scorecard,
    "base_optimizer/breed": fresh_breed,
    "base_optimizer/slopes": fresh_slopes,
    "mesa_optimizer/order_gap": fresh_order_gap,
    "mesa_optimizer/posterior": fresh_posterior,
    "mesa_optimizer/by_hand": fresh_by_hand,
    "mesa_optimizer/halfway": fresh_halfway,
    "mesa_optimizer/breaking_scale": fresh_breaking_scale,
    "mesa_optimizer/best_step": fresh_best_step,
    "mesa_optimizer/objective": fresh_objective,
    "pseudo_alignment/lean": fresh_lean,
    "pseudo_alignment/climb": fresh_climb,
    "pseudo_alignment/interval": fresh_interval,
    "pseudo_alignment/control": fresh_control,
}


# The test


@contextmanager
def limited(seconds):
    """Raise TimeoutError in the code inside when it takes longer; where there are no alarms, wait."""

    def late(number, frame):
        raise TimeoutError

    if not hasattr(signal, "setitimer"):
        yield
        return
    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, seconds, seconds)  # again and again: the code may catch it
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def same(reply, other):
    """Whether two replies hold the same value, up to rounding."""
    if "problem" in reply or "problem" in other:
        return "problem" in reply and "problem" in other
    return reply["changed"] == other["changed"] and alike(unpack(reply["value"]), unpack(other["value"]))


def alike(one, other):
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(alike(one[key], other[key]) for key in one)
    if isinstance(one, str | dict) or isinstance(other, str | dict):
        return one == other
    try:
        return bool(np.allclose(one, other, rtol=1e-5, atol=1e-7, equal_nan=True))
    except (TypeError, ValueError):
        return one == other


def functions():
    return [
        pytest.param(asked, id=asked.name)
        for chapter in CHAPTERS
        for asked in importlib.import_module(f"innerlab.checks.{chapter}").EXERCISES.values()
        if asked.cases is not None
    ]


@pytest.mark.parametrize("exercise", functions())
def test_every_mistake_is_seen(exercise):
    chapter, _, own = exercise.name.partition("/")
    prepared = {"__name__": "__main__"}
    for source in set_up(notebooks(chapter)[1], own):
        exec(source, prepared)
    solution = cell(notebooks(chapter)[0], own).partition(BEGIN)[2].partition(END)[0]
    exercise = replace(exercise, cases=cache(exercise.cases))
    random = np.random.default_rng(0)
    fresh = [case.recipe for seed in FURTHER_SEEDS for case in exercise.cases(seed)]
    fresh += [FRESH[exercise.name](random) for _ in range(300)] if exercise.name in FRESH else []

    def run(code):
        namespace = dict(prepared)
        exec(compile(code, "<cell>", "exec"), namespace)
        return namespace[exercise.answer]

    def passes(code, seed):
        with limited(PATIENCE):
            try:
                return mark(exercise, partial(ask, run(code)), seed).state == PASSED
            except TimeoutError:
                return False

    def replies(code):
        with limited(20 * PATIENCE):
            return ask(run(code), fresh)

    counts, survived = Counter(killed=0, equivalent=0, survived=0), []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a learner's notebook goes on, too
        assert all(passes(solution, seed) for seed in SEEDS)
        right = replies(solution)
        for line, code in mutants(solution):
            let_through = [seed for seed in SEEDS if passes(code, seed)]
            if not let_through:
                counts["killed"] += 1
                continue
            differing = [
                recipe for recipe, one, other in zip(fresh, replies(code), right, strict=True) if not same(one, other)
            ]
            counts["survived" if differing else "equivalent"] += 1
            if not differing:
                print(f"equivalent: {line}")
            else:
                survived.append(f"{line}\n  passes seeds {let_through}; differs for {str(differing[0])[:300]}")
    print(f"{exercise.name}: {', '.join(f'{count} {what}' for what, count in counts.items())}")
    assert counts["killed"] >= FEWEST
    assert not survived, "\n" + "\n".join(survived)
