"""Judging: what an exercise asks for, and the verdict on the values that an answer gave.

Runs in trusted code only. A judge sees plain values that have already been read by the exercise's specification, and
names the *lesson* to be learned when they violate a property.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from innerlab.checks.asking import Arguments, Reply
from innerlab.checks.values import Misfit, unpack

PASSED, NOT_YET, NOT_ATTEMPTED = "passed", "not yet", "not attempted"


@dataclass(frozen=True)
class Lesson:
    """Why an answer is not right yet.

    Attributes:
        name: in the answer banks and records.
        violates: the property that does not hold, as a sentence.
        suggests: the likely misconception, or where to look; "" if there is nothing to say.
        see: the section of the chapter that clears it up; "" for none.
    """

    name: str
    violates: str
    suggests: str = ""
    see: str = ""


@dataclass(frozen=True)
class Case:
    """One call of an answer, or the one value of an answer that is no function.

    Attributes:
        arguments: of the call; see :mod:`innerlab.checks.asking`.
        shown: the input in words, for the card.
        returns: what must come back, if that differs between cases; otherwise the exercise says it.
        facts: what the judge knows about this case; never sent anywhere.
    """

    arguments: Arguments = field(default_factory=dict)
    shown: str = ""
    returns: Any = None
    facts: Any = None


@dataclass(frozen=True)
class Exercise:
    """One exercise that marks itself.

    Attributes:
        name: "chapter/exercise".
        returns: the specification of what a call, or the value, must be.
        judge: maps a case and a value to a lesson, or to None if nothing is wrong.
        cases: makes the cases from a seed, corners included; None if the answer is a value.
        together: like ``judge``, for what only all cases together can show; asked when no single case is wrong.
        remark: something to tell on passing, from the values.
    """

    name: str
    returns: Any
    judge: Callable[[Case, Any], Lesson | None]
    cases: Callable[[int], list[Case]] | None = None
    together: Callable[[list[Case], list], Lesson | None] | None = None
    remark: Callable[[list], str] | None = None

    @property
    def answer(self) -> str:
        """The variable that holds the learner's answer, a function unless ``cases`` is None."""
        return self.name.partition("/")[2]


@dataclass(frozen=True)
class Verdict:
    """The result of marking one exercise.

    Attributes:
        exercise: its name.
        state: "passed", "not yet" or "not attempted".
        lesson: what is not right yet; None otherwise.
        shown: the input of the failed case, in words; "" if no single case failed.
        returned: what the answer returned for that input, in short.
        remark: on passing; or what is still to be done, if the exercise is not attempted.
        arguments: of the failed case.
    """

    exercise: str
    state: str
    lesson: Lesson | None = None
    shown: str = ""
    returned: str = ""
    remark: str = ""
    arguments: Arguments = field(default_factory=dict)


def mark(exercise: Exercise, ask: Callable[[list[Arguments] | None], list[Reply]], seed: int) -> Verdict:
    """Asks an answer on an exercise's cases and judges the replies; the first failed case decides.

    Args:
        exercise: what was asked for.
        ask: maps the arguments of all calls to the answer's replies, wherever the answer runs; None asks for a value.
        seed: from which the cases are drawn.

    Raises:
        ValueError: if the exercise has no cases.
    """
    cases = [Case()] if exercise.cases is None else exercise.cases(seed)
    if not cases:
        raise ValueError(f"{exercise.name} has no cases for seed {seed}; it would pass everything")
    replies = ask(None if exercise.cases is None else [case.arguments for case in cases])
    values = []
    for case, reply in zip(cases, replies, strict=True):
        value, lesson = _read(case.returns or exercise.returns, reply)
        if lesson is not None and lesson.name == "not-attempted":
            return Verdict(exercise.name, NOT_ATTEMPTED, remark=lesson.suggests)
        if lesson is None:
            lesson = exercise.judge(case, value)
        if lesson is not None:
            return Verdict(exercise.name, NOT_YET, lesson, case.shown, _short(reply), arguments=case.arguments)
        values.append(value)
    lesson = exercise.together(cases, values) if exercise.together else None
    if lesson is not None:
        return Verdict(exercise.name, NOT_YET, lesson)
    return Verdict(exercise.name, PASSED, remark=exercise.remark(values) if exercise.remark else "")


GENERAL = {
    "raises": Lesson("raises", "It raised an exception."),
    "too-slow": Lesson("too-slow", "It took too long.", "Is there a loop that does not end?"),
    "crashed": Lesson("crashed", "It ended the process it ran in."),
    "wrong-type": Lesson("wrong-type", "It did not give the kind of thing asked for."),
    "wrong-shape": Lesson("wrong-shape", "It gave numbers in another shape than the one asked for."),
    "not-finite": Lesson(
        "not-finite",
        "It gave something that is not a finite number.",
        "Was something divided by zero, or a distribution used where it is not defined?",
    ),
    "out-of-range": Lesson("out-of-range", "It gave something outside of what is possible."),
    "changed-input": Lesson(
        "changed-input",
        "It changed its input in place.",
        "Operations such as `+=`, and methods whose names end in `_`, write into the array that they are given.",
    ),
    "not-attempted": Lesson("not-attempted", "It is still to be done."),
}
"""What any answer can get wrong, whatever the exercise."""


def _read(wanted: Any, reply: Reply) -> tuple[Any, Lesson | None]:
    """Reads a reply by its specification: the value and None, or None and the lesson."""
    problem = reply.get("problem")
    if problem is not None:
        name, message = (problem.get(key) for key in ("lesson", "message")) if type(problem) is dict else (None, None)
        lesson = GENERAL.get(name, GENERAL["crashed"]) if type(name) is str else GENERAL["crashed"]
        if name == "not-attempted":
            return None, replace(lesson, suggests=str(message)[:300])
        return None, replace(lesson, violates=f"{lesson.violates} {str(message)[:300]}")
    try:
        value = wanted.read(unpack(reply.get("value")))
    except Misfit as misfit:
        lesson = GENERAL[misfit.lesson]
        return None, replace(lesson, violates=f"{lesson.violates} {misfit}")
    if reply.get("changed"):
        return None, replace(
            GENERAL["changed-input"], violates=f"It changed its input {reply['changed']!s:.60} in place."
        )
    return value, None


def _short(reply: Reply, longest: int = 300) -> str:
    """What an answer returned, as text for people; "" if there is no value or the text is longer than ``longest``."""
    try:
        value = unpack(reply.get("value"))
    except Misfit:
        return ""
    text = "" if value is None else f"\n{value}" if isinstance(value, str) else repr(value)
    return text if len(text) <= longest else ""
