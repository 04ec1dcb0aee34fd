"""nbgrader's gradebook: points go in; what a person has marked there, and late penalties, come out."""

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
    """Enters points into a course's gradebook, and adds to the results what persons have said there.

    Points given by a person stay as they are. Nothing is entered for who handed in nothing.

    Args:
        course: the course's folder.
        submitted: the folder of submissions, for nbgrader's time stamps.
        results: of all students.
        chapters: theirs.

    Returns:
        the results, with the points of a person in place of ours, and with late penalties.

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
    """The grade, which hangs on the cell that checks or, if written, on the answer's; and the comment on the answer."""
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
    """Lays what nbgrader knows a submission by beside the page of feedback, which it then can release."""
    for name in STAMPS:
        with contextlib.suppress(Unreadable, UnicodeDecodeError):
            text = content(submitted / result.student / result.chapter / name, submitted, 1000).decode()
            put(course / "feedback" / safe_name(result.student) / result.chapter / name, text)


def _time(submitted: Path, result: Marked) -> str | None:
    """When it was handed in, by the file that nbgrader lays beside it."""
    try:
        stamp = content(submitted / result.student / result.chapter / STAMPS[0], submitted, 100)
        return str(parse_utc(stamp.decode().strip()))
    except (Unreadable, ValueError, ArithmeticError):
        return None
