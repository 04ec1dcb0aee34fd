"""nbgrader's gradebook: points are written into it; manual grades and late penalties are read from it."""

import contextlib
import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from nbgrader.api import Gradebook, MissingEntry
from nbgrader.preprocessors import AssignLatePenalties
from nbgrader.utils import parse_utc
from sqlalchemy.exc import SAWarning
from traitlets.config.loader import PyFileConfigLoader

from innerlab.marking.marks import MARKED_BY_PERSON, Chapter, Mark, Marked, put, safe_name
from innerlab.marking.submissions import Unreadable, content

CONFIGURATION = "nbgrader_config.py"
STAMPS = ("timestamp.txt", "submission_secret.txt")


def is_course(folder: Path) -> bool:
    """Whether a folder is one that ``python run.py course`` has made."""
    return (folder / CONFIGURATION).is_file() and (folder / "gradebook.db").is_file()


def exchange(course: Path, submitted: Path, results: Sequence[Marked], chapters: Sequence[Chapter]) -> list[Marked]:
    """Writes points into a course's gradebook, and reads the manual grades in it into the results.

    Manual grades are never overwritten. Nothing is written for students who handed in nothing.

    Args:
        course: the course's folder.
        submitted: the folder of submissions, for nbgrader's time stamps.
        results: of all students.
        chapters: theirs.

    Returns:
        the results, in which manual grades replace automatic points, with late penalties.

    Raises:
        ValueError: if a chapter is not among the course's assignments.
    """
    url = f"sqlite:///{(course / 'gradebook.db').resolve().as_posix()}"
    config = PyFileConfigLoader(CONFIGURATION, path=str(course.resolve())).load_config()
    notebooks = {chapter.name: chapter.notebook for chapter in chapters}
    found = []
    for result in results:
        if not result.was_handed_in:
            found.append(result)
            continue
        with Gradebook(url) as gradebook, warnings.catch_warnings():
            warnings.simplefilter("ignore", SAWarning)  # nbgrader's own way of adding a submission gives one
            _enter(gradebook, result, _time(submitted, result))
        place = {"student": result.student, "assignment": result.chapter, "notebook": result.chapter, "db_url": url}
        AssignLatePenalties(config=config).preprocess(notebooks[result.chapter].copy(), {"nbgrader": place})
        with Gradebook(url) as gradebook:
            marks = [_with_person(gradebook, result, mark) for mark in result.marks]
            own = gradebook.find_submission_notebook(result.chapter, result.chapter, result.student)
            penalty = float(own.late_submission_penalty or 0)
        _copy_stamps(course, submitted, result)
        found.append(replace(result, marks=marks, penalty=penalty))
    return found


def _enter(gradebook: Gradebook, result: Marked, time: str | None) -> None:
    gradebook.update_or_create_student(result.student)
    try:
        gradebook.update_or_create_submission(
            result.chapter, result.student, **({} if time is None else {"timestamp": time})
        )
    except MissingEntry:
        raise ValueError(
            f"chapter is {result.chapter!r}, which is no assignment of this course; python run.py course adds it"
        ) from None
    for mark in result.marks:
        grade, comment = _entries(gradebook, result, mark)
        grade.auto_score = mark.points
        grade.needs_manual_grade = mark.points is None and grade.manual_score is None
        comment.auto_comment = f"{mark.status}. {mark.reason}".strip()
    gradebook.db.commit()


def _entries(gradebook: Gradebook, result: Marked, mark: Mark) -> tuple:
    """The gradebook's grade and comment of an exercise.

    The grade belongs to the cell that checks, or to the answer's cell if a person marks it; the comment belongs to the
    answer's cell.
    """
    place = (result.chapter, result.chapter, result.student)
    comment = gradebook.find_comment(mark.exercise, *place)
    try:
        return gradebook.find_grade(f"check-{mark.exercise}", *place), comment
    except MissingEntry:
        return gradebook.find_grade(mark.exercise, *place), comment


def _with_person(gradebook: Gradebook, result: Marked, mark: Mark) -> Mark:
    grade, comment = _entries(gradebook, result, mark)
    if grade.manual_score is None:
        return mark
    said = comment.manual_comment or mark.reason
    return replace(mark, points=float(grade.score), status=MARKED_BY_PERSON, reason=said)


def _copy_stamps(course: Path, submitted: Path, result: Marked) -> None:
    """Copies nbgrader's time stamp beside the page of feedback, without which nbgrader does not release the page."""
    for name in STAMPS:
        with contextlib.suppress(Unreadable, UnicodeDecodeError):
            text = content(submitted / result.student / result.chapter / name, submitted, 1000).decode()
            put(course / "feedback" / safe_name(result.student) / result.chapter / name, text)


def _time(submitted: Path, result: Marked) -> str | None:
    """When the submission was handed in, by nbgrader's ``timestamp.txt`` beside the notebook; None without one."""
    try:
        stamp = content(submitted / result.student / result.chapter / STAMPS[0], submitted, 100)
        return str(parse_utc(stamp.decode().strip()))
    except (Unreadable, ValueError, ArithmeticError):
        return None
