"""The answer banks: every right answer passes, every wrong one is given its own lesson, wherever the answer runs."""

import importlib
from functools import cache, partial
from pathlib import Path

import pytest
from answers import traps

from innerlab import checks
from innerlab.checks.asking import Request, ask, ask_elsewhere
from innerlab.checks.judging import NOT_ATTEMPTED, NOT_YET, PASSED, mark
from innerlab.checks.records import bound
from innerlab.exercises.release import released, source_notebook

ROOT = Path(__file__).parents[1]
CHAPTERS = sorted(path.stem for path in (ROOT / "solutions").glob("*.md"))
SEEDS = range(20)


@cache
def notebooks(chapter):
    source = ROOT / "solutions" / f"{chapter}.md"
    return source_notebook(source), released(source)


def cell(notebook, grade_id):
    return next(cell.source for cell in notebook.cells if cell.id == grade_id)


@cache
def set_up(chapter, own):
    """The cells before an answer that it may build on: imports, and cells that name something without being answers."""
    cells = notebooks(chapter)[1].cells
    before = cells[: next(index for index, cell in enumerate(cells) if cell.id == own)]
    plain = [cell.source for cell in before if cell.cell_type == "code" and "nbgrader" not in cell.metadata]
    return (plain[0], *(source for source in plain[1:] if bound(source)))


@cache
def answers(chapter, own):
    """Every answer to an exercise: pairs of what must come of it (a state or a lesson) and its cell."""
    exercise = checks.exercise(f"{chapter}/{own}")
    solution, untouched = (cell(notebook, own) for notebook in notebooks(chapter))
    bank = importlib.import_module(f"answers.{chapter}").BANKS[own]
    right = [(PASSED, text) for text in (solution, *bank.right)]
    wrong = [*bank.wrong, *traps(exercise.answer, exercise.cases is not None)]
    return [*right, *wrong, (NOT_ATTEMPTED, untouched)]


def outcome(verdict):
    return verdict.lesson.name if verdict.state == NOT_YET else verdict.state


def everything():
    return [
        pytest.param(chapter, own, id=f"{chapter}/{own}")
        for chapter in CHAPTERS
        for own in importlib.import_module(f"innerlab.checks.{chapter}").EXERCISES
    ]


@pytest.mark.parametrize(("chapter", "own"), everything())
def test_every_answer_is_given_what_it_must_be_given_over_many_seeds(chapter, own):
    exercise = checks.exercise(f"{chapter}/{own}")
    prepared, wrong = {"__name__": "__main__"}, {}
    for source in set_up(chapter, own):
        exec(source, prepared)
    for wanted, text in answers(chapter, own):
        namespace = dict(prepared)
        exec(compile(text, "<cell>", "exec"), namespace)
        seeds = SEEDS if exercise.cases is not None else SEEDS[:1]
        found = [outcome(mark(exercise, partial(ask, namespace[exercise.answer]), seed)) for seed in seeds]
        if set(found) != {wanted}:
            wrong[text] = f"wanted {wanted}, found { ({name: found.count(name) for name in set(found)}) }"
    assert not wrong, "\n\n".join(f"{reason}\n{text}" for text, reason in wrong.items())


@pytest.mark.parametrize(("chapter", "own"), everything())
def test_a_process_that_sees_no_judge_comes_to_the_same(chapter, own, blind):
    exercise = checks.exercise(f"{chapter}/{own}")
    cases = None if exercise.cases is None else tuple(case.recipe for case in exercise.cases(7))
    all_answers = answers(chapter, own)
    requests = [Request((*set_up(chapter, own), text), exercise.answer, cases) for _, text in all_answers]
    replies = ask_elsewhere(requests, seconds=300, **blind)
    found = [outcome(mark(exercise, lambda _, reply=reply: reply, 7)) for reply in replies]
    assert found == [wanted for wanted, _ in all_answers]


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_every_exercise_has_a_bank_a_check_and_points(chapter):
    module = importlib.import_module(f"innerlab.checks.{chapter}")
    banks = importlib.import_module(f"answers.{chapter}").BANKS
    assert list(banks) == list(module.EXERCISES)
    for own, bank in banks.items():
        assert len(bank.right) >= 1, own
        assert len(bank.wrong) >= 3, own
        assert len({lesson for lesson, _ in bank.wrong}) >= 3, own
