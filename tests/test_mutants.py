"""Solutions with one small mistake in them: every check must tell them from the solution.

Answer banks hold the mistakes that somebody has thought of. Here each function that is a solution is changed in one
place by rule: another comparison, sign, constant or variable, a statement or a method's call left out, arguments
swapped, a condition negated, `min` for `max`.

A mutant is *killed* if its check rejects it for every one of a few seeds: a learner meets one seed only, and whether
a mistake is seen must not be a matter of luck. A mutant that gets through is *equivalent* if it gives what the
solution gives, up to rounding, on fresh inputs: those of further seeds, and, where the answer bank's `FRESH` has some,
inputs drawn there without the check's own generator, so that a corner which that generator never visits is no excuse.
Every other mutant has *survived*. No more is forgiven where several answers are right, since a mutant of one right
answer that gives other values is rarely right by accident; should one be, its exercise needs a reason here.
"""

import ast
import copy
import signal
import time
import warnings
from collections import Counter
from contextlib import contextmanager
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from banks import bank_of
from test_answers import CHAPTERS, cell, in_turn, notebooks

from innerlab.checks.asking import ask
from innerlab.checks.judging import PASSED, mark
from innerlab.checks.release import BEGIN, END, set_up
from innerlab.checks.values import unpack
from innerlab.wings import module_of

SEEDS = range(4)
FURTHER_SEEDS = range(1000, 1020)
PATIENCE = 5  # seconds of computing that a solution may take for one seed
SLOWER, LEAST_PATIENCE = 20, 0.5  # a mutant gets so many times what its solution took, and at least so many seconds
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


# The test


@contextmanager
def limited(seconds):
    """Raise TimeoutError in the code inside when it computes for longer; where there are no such alarms, wait."""

    def late(number, frame):
        raise TimeoutError

    if not hasattr(signal, "setitimer"):
        yield
        return
    before = signal.signal(signal.SIGPROF, late)
    signal.setitimer(signal.ITIMER_PROF, seconds, seconds)  # again and again: the code may catch it
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


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
        for asked in module_of(chapter, "checks").EXERCISES.values()
        if asked.cases is not None
    ]


@pytest.mark.slow
@pytest.mark.parametrize("exercise", functions())
def test_every_mistake_is_seen(exercise):
    chapter, _, own = exercise.name.partition("/")
    prepared = {"__name__": "__main__"}
    for source in set_up(notebooks(chapter)[1], own):
        exec(source, prepared)
    solution = cell(notebooks(chapter)[0], own).partition(BEGIN)[2].partition(END)[0]
    exercise = replace(exercise, cases=cache(exercise.cases))
    random = np.random.default_rng(0)
    fresh = [case.arguments for seed in FURTHER_SEEDS for case in exercise.cases(seed)]
    draw = bank_of(chapter).FRESH.get(own)
    fresh += [draw(random) for _ in range(300)] if draw else []

    def run(code):
        namespace = dict(prepared)
        exec(compile(code, "<cell>", "exec"), namespace)
        return namespace[exercise.answer]

    def passes(code, seed, patience):
        with limited(patience):
            try:
                return mark(exercise, in_turn(run(code)), seed).state == PASSED
            except TimeoutError:
                return False

    def replies(code):
        with limited(20 * PATIENCE):
            return ask(run(code), fresh)

    counts, survived = Counter(killed=0, equivalent=0, survived=0), []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a learner's notebook goes on, too
        began = time.process_time()
        failing = [seed for seed in SEEDS if not passes(solution, seed, PATIENCE)]
        # endless loops took five times as long as all other mutants together when each had the solution's patience
        patience = max(LEAST_PATIENCE, SLOWER * (time.process_time() - began) / len(SEEDS))
        assert not failing, f"{exercise.name}: its own check rejects the solution, or it is slow, for seeds {failing}"
        right = replies(solution)
        for line, code in mutants(solution):
            let_through = [seed for seed in SEEDS if passes(code, seed, patience)]
            if not let_through:
                counts["killed"] += 1
                continue
            differing = [
                arguments
                for arguments, one, other in zip(fresh, replies(code), right, strict=True)
                if not same(one, other)
            ]
            counts["survived" if differing else "equivalent"] += 1
            if not differing:
                print(f"equivalent: {line}")
            else:
                survived.append(f"{line}\n  passes seeds {let_through}; differs for {str(differing[0])[:300]}")
    print(f"{exercise.name}: {', '.join(f'{count} {what}' for what, count in counts.items())}")
    assert counts["killed"] >= FEWEST, (
        f"{exercise.name}: only {counts['killed']} small mistakes could be made in the solution and were seen; "
        f"a solution has at least {FEWEST}: ask for more than one step"
    )
    assert not survived, (
        f"{exercise.name}: its check lets these mistakes in the solution pass; add a fixed case that shows each to "
        f"innerlab/chapters/{chapter}/checks.py\n" + "\n".join(survived)
    )
