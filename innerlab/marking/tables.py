"""The marks as CSV tables: by exercise, by student, and in the formats of Canvas and Gradescope."""

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

from innerlab.marking.marks import BY_PERSON, Marked, put

MATCHED = ("SIS Login ID", "SIS User ID", "ID", "SID", "Email")
"""the columns of a roster in which a student's folder name is looked for"""


def write_tables(folder: Path, results: Sequence[Marked], roster: Path | None = None) -> None:
    """Writes ``grades.csv``, ``gradebook.csv``, ``canvas.csv`` and ``gradescope.csv``.

    Args:
        folder: to write into.
        results: of all students and chapters.
        roster: a table such as Canvas or Gradescope exports, with names; students are found by their folder's name.

    Raises:
        ValueError: if the roster cannot be read.
    """
    put(folder / "grades.csv", _text(_grades(results)))
    put(folder / "gradebook.csv", _text(_gradebook(results)))
    people = _people(roster)
    put(folder / "canvas.csv", _text(_canvas(results, people)))
    put(folder / "gradescope.csv", _text(_gradescope(results, people)))


def number(points: float | None) -> str:
    """Points as text; "" if a person has yet to mark the exercise."""
    return "" if points is None else f"{points:g}"


def _grades(results: Iterable[Marked]) -> Iterable[list[str]]:
    yield ["student", "chapter", "exercise", "points", "of", "status", "reason"]
    for result in results:
        for mark in result.marks:
            reason = mark.reason if result.confined else f"{mark.reason} (unconfined)".strip()
            place = [result.student, result.chapter, mark.exercise]
            yield [*place, number(mark.points), number(mark.of), mark.status, reason]


def by_student(results: Iterable[Marked]) -> dict[str, dict[str, Marked]]:
    """The results of each student, by chapter."""
    found: dict[str, dict[str, Marked]] = {}
    for result in results:
        found.setdefault(result.student, {})[result.chapter] = result
    return found


def _gradebook(results: Sequence[Marked]) -> Iterable[list[str]]:
    chapters = list(dict.fromkeys(result.chapter for result in results))
    yield ["student", *chapters, "total", "of", BY_PERSON]
    for student, own in by_student(results).items():
        open_marks = [
            f"{chapter}/{mark.exercise}"
            for chapter, result in own.items()
            for mark in result.marks
            if mark.points is None
        ]
        totals = [number(sum(result.points for result in own.values())), number(sum(r.of for r in own.values()))]
        yield [student, *(number(own[chapter].points) for chapter in chapters), *totals, " ".join(open_marks)]


def _canvas(results: Sequence[Marked], people: dict[str, dict[str, str]]) -> Iterable[list[str]]:
    """Rows that Canvas' gradebook imports: four columns for the student, the section, one for each assignment."""
    own = ("Student", "ID", "SIS User ID", "SIS Login ID", "Section")
    of = {result.chapter: result.of for result in results}
    yield [*own, *of]
    yield ["    Points Possible", *[""] * (len(own) - 1), *map(number, of.values())]
    for student, marks in by_student(results).items():
        known = people.get(student, {"Student": student, "SIS Login ID": student})
        yield [*(known.get(column, "") for column in own), *(number(marks[chapter].points) for chapter in of)]


def _gradescope(results: Sequence[Marked], people: dict[str, dict[str, str]]) -> Iterable[list[str]]:
    """Rows as Gradescope exports an assignment: student, total, most possible, whether there was a submission."""
    own = ("First Name", "Last Name", "SID", "Email")
    yield [*own, "Assignment", "Total Score", "Max Points", "Status"]
    for result in results:
        known = people.get(result.student, {"SID": result.student})
        status = "Graded" if result.was_handed_in else "Missing"
        points = [number(result.points), number(result.of)]
        yield [*(known.get(column, "") for column in own), result.chapter, *points, status]


def _people(roster: Path | None) -> dict[str, dict[str, str]]:
    if roster is None:
        return {}
    try:
        rows = list(csv.DictReader(io.StringIO(roster.read_text(encoding="utf-8-sig"))))
    except (OSError, UnicodeDecodeError, csv.Error) as problem:
        raise ValueError(f"roster is {roster}, which cannot be read as a table ({problem})") from None
    if not rows or not set(MATCHED) & set(rows[0]):
        raise ValueError(f"roster is {roster}; expected is a table with a column {' or '.join(map(repr, MATCHED))}")
    return {row[column]: row for column in MATCHED for row in rows if row.get(column)}


def _text(rows: Iterable[Sequence[str]]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerows([[_inert(cell) for cell in row] for row in rows])
    return buffer.getvalue()


def _inert(cell: str) -> str:
    """Text that no spreadsheet reads as a formula; of control characters only line feeds are kept."""
    plain = "".join(letter if letter == "\n" or letter.isprintable() else " " for letter in cell)
    return f"'{plain}" if plain.startswith(("=", "+", "-", "@")) else plain
