"""What was handed in: ``SUBMITTED/<student>/<chapter>/<chapter>.ipynb``, read without trusting any of it."""

import json
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from nbformat import NotebookNode

from innerlab.checks.records import source_hash
from innerlab.checks.release import exercises_in

LARGEST = 20 * 2**20
"""bytes; a larger notebook is not read. Ours have 60 kB, and ten figures in it seldom make one megabyte."""
ABSENT = "was not handed in"
MOST_CELLS = 5_000
LONGEST_ANSWER = 100_000
"""characters of one answer"""


class Unreadable(Exception):
    """A submission cannot be read; the message completes the sentence "The notebook ..."."""


@dataclass(frozen=True)
class Answer:
    """One answer in a submitted notebook.

    Attributes:
        source: of its cell; None if there is none.
        above: the learner's own cells above it, for an answer that needs what they define.
        note: a remark for the teacher.
    """

    source: str | None
    above: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class Submission:
    """One notebook that was, or should have been, handed in.

    Attributes:
        student: the name of the folder.
        chapter: of the exercises.
        path: where it should lie.
    """

    student: str
    chapter: str
    path: Path


def find(submitted: Path, chapters: list[str]) -> list[Submission]:
    """Lists a submission for each student and each chapter that any student handed in, missing ones included.

    Args:
        submitted: a folder with a folder for each student; files in it and names that begin with a dot are left out.
        chapters: their short names.

    Raises:
        ValueError: if the folder does not exist, or holds no submission of these chapters.
    """
    if not submitted.is_dir():
        raise ValueError(f"SUBMITTED is {submitted}, which is not a folder")
    folders = [entry.name for entry in os.scandir(submitted) if entry.is_dir()]
    students = sorted(name for name in folders if not name.startswith("."))
    begun = [
        chapter for chapter in chapters if any(os.path.lexists(submitted / student / chapter) for student in students)
    ]
    if not begun:
        expected = f"{submitted}/<student>/<chapter>/<chapter>.ipynb, with a chapter out of {', '.join(chapters)}"
        raise ValueError(f"nothing is there to mark: expected are {expected}")
    return [
        Submission(student, chapter, submitted / student / chapter / f"{chapter}.ipynb")
        for student in students
        for chapter in begun
    ]


def content(path: Path, root: Path, largest: int = LARGEST) -> bytes:
    """The bytes of a submitted file.

    Args:
        path: of the file.
        root: the folder of all submissions; no part of the path below it may be a symbolic link.
        largest: the most bytes allowed.

    Raises:
        Unreadable: if the file does not exist, is no regular file, or is too large.
    """
    try:
        return _content(path, root, largest)
    except FileNotFoundError:
        raise Unreadable(f"{ABSENT} as {path.parent.name}/{path.name}{_beside(path)}") from None
    except OSError as problem:
        raise Unreadable(f"cannot be opened ({problem.strerror})") from None


def _content(path: Path, root: Path, largest: int) -> bytes:
    place = root
    for part in path.relative_to(root).parts:
        place = place / part
        if place.is_symlink():
            raise Unreadable("is, or lies in, a link to something else; links are not followed")
    # a pipe or a device would keep whoever opens it waiting
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    try:
        about = os.fstat(descriptor)
        if not stat.S_ISREG(about.st_mode):
            raise Unreadable("is not a file")
        data = _read(descriptor, largest + 1) if about.st_size <= largest else b""
    finally:
        os.close(descriptor)
    if max(about.st_size, len(data)) > largest:
        raise Unreadable(f"has {about.st_size / 2**20:.0f} MB; more than {largest >> 20} are not read (clear outputs?)")
    return data


def _beside(path: Path) -> str:
    """Describes what lies in the folder in which the notebook is missing."""
    try:
        others = sorted(entry.name for entry in path.parent.iterdir())[:3]
    except OSError:
        others = []
    return f"; what lies there is {', '.join(others)}" if others else ""


def _read(descriptor: int, most: int) -> bytes:
    data = bytearray()
    while len(data) < most and (part := os.read(descriptor, most - len(data))):
        data += part
    return bytes(data)


def answers(data: bytes, released: NotebookNode) -> dict[str, Answer]:
    """The answers in a notebook, by name; every exercise of the chapter is among them.

    Cells are found by nbgrader's ``grade_id``, wherever they stand. If several have the same one, since a cell was
    copied, the last one that differs from the released cell counts.

    Args:
        data: the submitted notebook.
        released: the notebook that learners got.

    Raises:
        Unreadable: if the bytes are no notebook of format 4.
    """
    cells = _cells(data)
    stubs = {cell.id: cell for cell in released.cells}
    known = {source_hash(cell.source) for cell in released.cells}
    found = {name: Answer(None) for name in exercises_in(released)}
    checks = {f"check-{name}" for name in found}
    above: list[str] = []
    counts = dict.fromkeys(found, 0)
    for kind, grade_id, source in cells:
        if grade_id in found and kind == stubs[grade_id].cell_type:
            counts[grade_id] += 1
            is_touched = source_hash(source) != source_hash(stubs[grade_id].source)
            if is_touched or found[grade_id].source is None:
                found[grade_id] = Answer(source, tuple(above))
        if kind == "code" and grade_id not in checks and source_hash(source) not in known:
            above.append(source)
    for name, answer in found.items():
        if answer.source is not None and len(answer.source) > LONGEST_ANSWER:
            found[name] = Answer(None, note=f"The answer has more than {LONGEST_ANSWER:,} characters and is not read.")
        elif answer.source is None:
            found[name] = Answer(None, note=f"There is no cell with the grade_id {name!r}; it may have been deleted.")
        elif counts[name] > 1:
            found[name] = Answer(answer.source, answer.above, f"{counts[name]} cells have its grade_id; one is marked.")
    return found


def _cells(data: bytes) -> list[tuple[str, str, str]]:
    """Kind, ``grade_id`` and source of each cell of a notebook."""
    try:
        notebook = json.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise Unreadable("is not text in UTF-8") from None
    except ValueError as problem:
        reason = "is empty" if not data.strip() else f"is not whole JSON ({str(problem)[:80]})"
        raise Unreadable(reason) from None
    except RecursionError:
        raise Unreadable("holds lists within lists without end") from None
    if not isinstance(notebook, dict) or notebook.get("nbformat") != 4:
        version = notebook.get("nbformat") if isinstance(notebook, dict) else None
        raise Unreadable(f"is no notebook of format 4 (nbformat is {version!r:.40})")
    cells = notebook.get("cells")
    if not isinstance(cells, list) or len(cells) > MOST_CELLS:
        raise Unreadable(f"has no list of at most {MOST_CELLS:,} cells")
    return [_cell(cell) for cell in cells if isinstance(cell, dict)]


def _cell(cell: dict) -> tuple[str, str, str]:
    about = cell.get("metadata")
    about = about.get("nbgrader") if isinstance(about, dict) else None
    grade_id = about.get("grade_id") if isinstance(about, dict) else None
    source, kind = cell.get("source"), cell.get("cell_type")
    if isinstance(source, list):
        source = "".join(line for line in source if isinstance(line, str))
    return _text(kind), _text(grade_id), _text(source)


def _text(value: object) -> str:
    """A string without lone surrogates, which no file can hold; "" for what is no string."""
    return value.encode(errors="replace").decode() if isinstance(value, str) else ""
