"""The answer banks: every right answer passes, every wrong one is given its own lesson, wherever the answer runs."""

import copy
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from banks import bank_of, traps

from innerlab import checks
from innerlab.checks.asking import Answering, Limits, Request, ask
from innerlab.checks.judging import NOT_ATTEMPTED, NOT_YET, PASSED, mark
from innerlab.checks.release import released, set_up, source_notebook
from innerlab.wings import module_of

ROOT = Path(__file__).parents[1]
CHAPTERS = sorted(path.stem for path in (ROOT / "solutions").glob("*.md"))
SEEDS, SEEDS_AT_NIGHT = range(5), range(20)


@cache
def notebooks(chapter):
    source = ROOT / "solutions" / f"{chapter}.md"
    return source_notebook(source), released(source)


def cell(notebook, grade_id):
    return next(cell.source for cell in notebook.cells if cell.id == grade_id)


@cache
def answers(chapter, own):
    """Every answer to an exercise, by kind: pairs of what must come of it (a state or a lesson) and its cell."""
    exercise = checks.exercise(f"{chapter}/{own}")
    solution, untouched = (cell(notebook, own) for notebook in notebooks(chapter))
    bank = bank_of(chapter).BANKS[own]
    return {
        "right": [(PASSED, text) for text in (solution, *bank.right)],
        "wrong": [*bank.wrong],
        "untouched": [(NOT_ATTEMPTED, untouched)],
        "traps": traps(exercise.answer, exercise.cases is not None),
    }


def in_turn(answer):
    """Ask an answer in this process, for one reply at a time: a judge that has found a mistake needs no more."""

    def asked(calls):
        if calls is None:
            return ask(answer, None)
        return (reply for arguments in calls for reply in ask(answer, [arguments]))

    return asked


def outcome(verdict):
    return verdict.lesson.name if verdict.state == NOT_YET else verdict.state


def everything():
    return [
        pytest.param(chapter, own, id=f"{chapter}/{own}")
        for chapter in CHAPTERS
        for own in module_of(chapter, "checks").EXERCISES
    ]


@pytest.mark.slow
@pytest.mark.parametrize(("chapter", "own"), everything())
def test_every_answer_is_given_what_it_must_be_given_over_several_seeds(chapter, own, pytestconfig):
    many = SEEDS_AT_NIGHT if pytestconfig.option.thorough else SEEDS
    exercise = checks.exercise(f"{chapter}/{own}")
    if exercise.cases is not None:
        made = cache(exercise.cases)
        exercise = replace(exercise, cases=lambda seed: copy.deepcopy(made(seed)))  # answers may write into their input
    prepared, wrong = {"__name__": "__main__"}, {}
    for source in set_up(notebooks(chapter)[1], own):
        exec(source, prepared)
    for kind, pairs in answers(chapter, own).items():
        # no seed decides what becomes of a value, or of what is no plain data whatever it is asked
        seeds = SEEDS[:1] if exercise.cases is None or kind == "traps" else many
        for wanted, text in pairs:
            namespace = dict(prepared)
            exec(compile(text, "<cell>", "exec"), namespace)
            found = [outcome(mark(exercise, in_turn(namespace[exercise.answer]), seed)) for seed in seeds]
            if set(found) != {wanted}:
                wrong[text] = f"wanted {wanted}, found { ({name: found.count(name) for name in set(found)}) }"
    assert not wrong, (
        f"{exercise.name}: mend the judge in innerlab/chapters/{chapter}/checks.py, or the answer or its lesson in "
        f"tests/chapters/{chapter}/bank.py:\n\n" + "\n\n".join(f"{reason}\n{text}" for text, reason in wrong.items())
    )


@pytest.fixture(scope="module")
def elsewhere(blind):
    """A process that sees no judge; it runs what comes before an exercise once, and is started anew if it must be."""
    with Answering(limits=Limits(seconds=300), **blind) as process:
        yield process


def is_first_of_its_kind(chapter, own):
    """Tell whether no exercise of the chapter before this one asks for the same, a function or a value."""
    exercises = module_of(chapter, "checks").EXERCISES
    same = [name for name, one in exercises.items() if (one.cases is None) == (exercises[own].cases is None)]
    return own == same[0]


@pytest.mark.slow
@pytest.mark.parametrize(("chapter", "own"), everything())
def test_a_process_that_sees_no_judge_comes_to_the_same(chapter, own, elsewhere, pytestconfig):
    """By day every right answer, one wrong one, and traps for one function and one value of each chapter.

    What a judge says of the others is tested above; here the question is whether an answer finds what it needs.
    """
    exercise = checks.exercise(f"{chapter}/{own}")
    cases = None if exercise.cases is None else tuple(case.arguments for case in exercise.cases(7))
    kinds = answers(chapter, own)
    if not pytestconfig.option.thorough:
        kinds = kinds | {"wrong": kinds["wrong"][:1]}
        kinds["traps"] = kinds["traps"] if is_first_of_its_kind(chapter, own) else []
    asked = [pair for pairs in kinds.values() for pair in pairs]
    requests = [Request((text,), exercise.answer, cases, set_up(notebooks(chapter)[1], own)) for _, text in asked]
    replies = [elsewhere.ask(request) for request in requests]
    found = [outcome(mark(exercise, lambda _, reply=reply: reply, 7)) for reply in replies]
    wrong = [
        f"wanted {wanted}, found {got}\n{text}"
        for got, (wanted, text) in zip(found, asked, strict=True)
        if got != wanted
    ]
    assert not wrong, (
        f"{exercise.name}: where only the notebook's own cells and the laboratory without judges are at hand, "
        "these answers of the bank come to something else:\n\n" + "\n\n".join(wrong)
    )


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_every_exercise_has_a_bank_a_check_and_points(chapter):
    module = module_of(chapter, "checks")
    banks = bank_of(chapter).BANKS
    at = f"tests/chapters/{chapter}/bank.py"
    assert list(banks) == list(module.EXERCISES), (
        f"{at}: BANKS must have the exercises of the wing's checks.py, in order: {list(module.EXERCISES)}"
    )
    for own, bank in banks.items():
        assert len(bank.right) >= 1, f"{at}, {own}: add a right answer that is written differently from the solution"
        assert len(bank.wrong) >= 3, f"{at}, {own}: add wrong answers, at least three, that somebody might give"
        lessons = {lesson for lesson, _ in bank.wrong}
        assert len(lessons) >= 3, f"{at}, {own}: the wrong answers need at least three lessons; they have {lessons}"
