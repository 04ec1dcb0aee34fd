"""The marks as pages: one for each student and chapter, and one for the teacher. No page runs a script."""

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from statistics import median

import jinja2
from nbformat import NotebookNode
from nbformat.v4 import new_output

from innerlab.checks.release import text_of
from innerlab.marking.marks import (
    NO_ANSWER,
    NOT_HANDED_IN,
    NOT_READ,
    STATUSES,
    Chapter,
    Mark,
    Marked,
    put,
    safe_name,
)
from innerlab.marking.tables import number

_pages = jinja2.Environment(
    loader=jinja2.PackageLoader("innerlab.marking"), autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True
)
_pages.filters["points"] = number


def write_feedback(folder: Path, result: Marked, chapter: Chapter) -> None:
    """Writes a student's page of feedback, and the notebook that nbgrader's formgrader shows.

    The page holds the student's answers, what is not right yet about each and which section to read again; never the
    solution. It is written where ``nbgrader release_feedback`` looks for it. The notebook is the released one with the
    student's answers put in; nothing else of the submitted notebook is copied, its outputs least of all.

    Args:
        folder: of the results.
        result: the marks.
        chapter: the exercises.
    """
    place = Path(safe_name(result.student)) / result.chapter
    heading = chapter.notebook.cells[0].source.partition("\n")[0].strip("# ")
    about = {"heading": heading, "titles": titles(chapter), "statuses": STATUSES}
    page = _pages.get_template("feedback.html").render(result=result, **about)
    put(folder / "feedback" / place / f"{result.chapter}.html", page)
    put(folder / "autograded" / place / f"{result.chapter}.ipynb", text_of(_filled_in(result, chapter)))


def titles(chapter: Chapter) -> dict[str, str]:
    """The heading above each exercise."""
    found, latest = {}, ""
    for cell in chapter.notebook.cells:
        if cell.cell_type == "markdown" and (heading := re.search(r"^## +(.*)$", cell.source, flags=re.MULTILINE)):
            latest = heading.group(1)
        if cell.id in chapter.points:
            found[cell.id] = latest
    return found


def _filled_in(result: Marked, chapter: Chapter) -> NotebookNode:
    notebook = chapter.notebook.copy()
    marks = {mark.exercise: mark for mark in result.marks}
    cells = []
    for cell in notebook.cells:
        cell = cell.copy()
        if cell.id in marks and marks[cell.id].source:
            source = marks[cell.id].source
            cell.source = source if cell.cell_type == "code" else _as_text(source)
        name = cell.id.removeprefix("check-")
        if cell.cell_type == "code" and cell.id != name and name in marks:
            cell.outputs = [_output(marks[name])]
        cells.append(cell)
    notebook.cells = cells
    return notebook


def _output(mark: Mark) -> NotebookNode:
    text = f"{mark.status}: {number(mark.points) or '?'} of {number(mark.of)}\n{mark.reason}"
    return new_output("stream", name="stdout", text=text.strip())


def _as_text(markdown: str) -> str:
    """A Markdown code block that shows a text literally, so that no link or HTML in it works."""
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", markdown)), default=0))
    return f"{fence}text\n{markdown}\n{fence}"


def write_summary(folder: Path, results: Sequence[Marked], chapters: Sequence[Chapter]) -> None:
    """Writes ``summary.html``: how the class did, what it misunderstands most, and what a person has to look at.

    Args:
        folder: of the results.
        results: of all students.
        chapters: theirs.
    """
    together: dict[tuple[str, str, str], list[str]] = {}
    for student, chapter, exercise, why in for_person(results):
        together.setdefault((chapter, exercise, why), []).append(student)
    about = [_about(its, [result for result in results if result.chapter == its.name]) for its in chapters]
    page = _pages.get_template("summary.html").render(
        chapters=about,
        students=len({result.student for result in results}),
        confined=all(result.confined for result in results),
        for_person=together,
        statuses=STATUSES,
    )
    put(folder / "summary.html", page)


def for_person(results: Sequence[Marked]) -> list[tuple[str, str, str, str]]:
    """What a person has to look at: student, chapter, exercise ("" for the whole notebook) and why."""
    found = []
    for result in results:
        if result.marks and result.marks[0].status == NOT_READ:
            found.append((result.student, result.chapter, "", result.marks[0].reason))
            continue
        found += [
            (result.student, result.chapter, mark.exercise, mark.reason or mark.note or STATUSES[mark.status])
            for mark in result.marks
            if mark.points is None or mark.status == NO_ANSWER or mark.note
        ]
    return found


def _about(chapter: Chapter, results: Sequence[Marked]) -> dict:
    handed_in = [result for result in results if result.was_handed_in]
    totals = [result.points for result in handed_in]
    most = sum(chapter.points.values())
    tenths = Counter(min(int(10 * total / most), 9) for total in totals)
    return {
        "name": chapter.name,
        "handed_in": len(handed_in),
        "missing": [result.student for result in results if not result.was_handed_in],
        "of": most,
        "median": median(totals) if totals else None,
        "least": min(totals, default=None),
        "most": max(totals, default=None),
        "tenths": [(most * tenth / 10, most * (tenth + 1) / 10, tenths[tenth]) for tenth in range(10)],
        "exercises": [_of_exercise(name, title, handed_in) for name, title in titles(chapter).items()],
    }


def _of_exercise(name: str, title: str, results: Sequence[Marked]) -> dict:
    marks = [mark for result in results for mark in result.marks if mark.exercise == name]
    lessons = Counter(mark.lesson for mark in marks if mark.lesson)
    frequent = [
        (lesson, count, next(mark.reason for mark in marks if mark.lesson == lesson))
        for lesson, count in lessons.most_common(3)
    ]
    statuses = Counter(mark.status for mark in marks)
    return {
        "title": title,
        "name": name,
        "statuses": [(status, statuses[status]) for status in STATUSES if statuses[status] and status != NOT_HANDED_IN],
        "lessons": frequent,
    }
