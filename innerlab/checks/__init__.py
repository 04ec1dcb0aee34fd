"""Checks: what marks an exercise.

::

    check("pseudo_alignment/goal_share", goal_share)

shows a card that says passed, not yet (with the lesson), or not attempted. The modules here, foundations first:

``values``   what an answer may consist of, and how it travels
``asking``   asking an answer for its values, here or in another process
``judging``  what an exercise asks for, and the verdict
``cards``    the verdict as a learner sees it
``records``  what has been checked so far
``release``  exercises as learners get them, without answers
``folder``   the learner's folder
``course``   a course folder for nbgrader

The exercises themselves stand in the chapters' wings: ``innerlab/chapters/<chapter>/checks.py`` has ``EXERCISES``
(exercises that mark themselves) and ``WRITTEN`` (names of those that a person marks). A process that only answers
imports none of them.
"""

import os
import secrets
from functools import partial
from types import ModuleType
from typing import Any

from innerlab.checks.asking import ask
from innerlab.checks.cards import Card, Summary
from innerlab.checks.judging import PASSED, Exercise, Verdict, mark
from innerlab.checks.records import answer_source, keep
from innerlab.wings import module_of

__all__ = ["Card", "Exercise", "NotPassed", "Summary", "Verdict", "check", "exercise", "mark", "summary"]

_latest: dict[str, Verdict] = {}


class NotPassed(Exception):
    """Raised for an answer that has not passed when nbgrader runs the notebook, so that nbgrader gives no points."""


def exercise(name: str) -> Exercise:
    """Looks an exercise up by its name.

    Args:
        name: "chapter/exercise".

    Raises:
        ValueError: if the chapter or the exercise does not exist; the message lists the existing names.
    """
    if not isinstance(name, str):
        raise ValueError("the name comes first, as in check('chapter/exercise', answer)")
    chapter, _, own = name.partition("/")
    found = _chapter(chapter).EXERCISES
    if own not in found:
        raise ValueError(f"name is {name!r}; the exercises of {chapter!r} are {', '.join(found)}")
    return found[own]


def check(name: str, answer: Any) -> Card:
    """Checks an answer on fresh inputs and keeps a record.

    Args:
        name: "chapter/exercise".
        answer: the learner's function or value.

    Returns:
        A card that the notebook shows.

    Raises:
        NotPassed: if the answer has not passed and nbgrader runs the notebook.
        ValueError: if there is no such exercise.
    """
    asked = exercise(name)
    verdict = mark(asked, partial(ask, answer), secrets.randbits(32))
    _latest[name] = verdict
    keep(verdict, answer_source(asked.answer, answer))
    card = Card(verdict)
    if os.environ.get("NBGRADER_EXECUTION") and verdict.state != PASSED:
        raise NotPassed(f"\n{card!r}")
    return card


def summary(chapter: str) -> Summary:
    """How many of a chapter's exercises have passed since this notebook was started.

    Args:
        chapter: its short name, as in ``book/<chapter>.md``.

    Returns:
        The states of all exercises, which the notebook shows as one line.

    Raises:
        ValueError: if there is no such chapter.
    """
    module = _chapter(chapter)
    states = {own: _latest.get(asked.name) for own, asked in module.EXERCISES.items()}
    return Summary({own: verdict.state if verdict else None for own, verdict in states.items()}, len(module.WRITTEN))


def _chapter(chapter: str) -> ModuleType:
    module = module_of(chapter, "checks")
    if module is None:
        raise ValueError(f"name begins with {chapter!r}; there is no chapter of that name with exercises")
    return module
