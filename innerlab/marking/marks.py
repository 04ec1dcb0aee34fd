"""Marks a submission: its answers run in a sandbox, and the judges in this process."""

import ast
import contextlib
import hashlib
import json
import os
import re
import secrets
import signal
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from IPython.core.inputtransformer2 import TransformerManager
from nbformat import NotebookNode

from innerlab import checks
from innerlab.checks.asking import Answering, Reply, Request, SetUpFailed
from innerlab.checks.cards import sendable
from innerlab.checks.judging import NOT_ATTEMPTED, NOT_YET, PASSED, Verdict, mark
from innerlab.checks.records import source_hash
from innerlab.checks.release import exercises_in, released, set_up
from innerlab.imports import imported_files, source_text
from innerlab.marking.submissions import ABSENT, Answer, Submission, Unreadable, answers, content
from innerlab.wings import LABORATORY

NO_VALUE, NO_ANSWER, NOT_READ, NOT_HANDED_IN = "no value", "no answer", "not read", "not handed in"
BY_PERSON, MARKED_BY_PERSON, CHECK_FAILED = "for a person", "marked by a person", "check failed"
STATUSES = {
    PASSED: "the check passed",
    NOT_YET: "the answer gave values that are not right",
    NOT_ATTEMPTED: "the answer is as it was handed out",
    NO_VALUE: "the answer gave no value: it raised an error, ran out of time or memory, or ended its process",
    NO_ANSWER: "the answer's cell is missing, or too long to be read",
    NOT_READ: "the notebook could not be read",
    NOT_HANDED_IN: "there is no notebook",
    BY_PERSON: "a written answer, which a person marks",
    MARKED_BY_PERSON: "a person has marked it",
    CHECK_FAILED: "the check itself failed; a person has to look",
}
"""what can become of an exercise; only the first earns points by itself"""
WITHOUT_VALUE = ("raises", "too-slow", "crashed")
JUDGING_SECONDS = 120


@dataclass(frozen=True)
class Mark:
    """The result of one exercise in one submission.

    Attributes:
        exercise: its name.
        of: the most points possible.
        points: earned; None if a person has to mark the exercise.
        status: one of :data:`STATUSES`.
        reason: why there are no points, or a remark, in sentences; "" for none.
        lesson: the name of what is not right yet; "" otherwise.
        see: the section of the chapter to read again; "" for none.
        shown: the input of the failed case.
        returned: what the answer returned for that input.
        source: of the answer, as handed in; "" if the answer is missing.
        note: for the teacher.
    """

    exercise: str
    of: float
    points: float | None
    status: str
    reason: str = ""
    lesson: str = ""
    see: str = ""
    shown: str = ""
    returned: str = ""
    source: str = ""
    note: str = ""


@dataclass(frozen=True)
class Marked:
    """A submission with its marks.

    Attributes:
        student: the name of the submission's folder.
        chapter: of the exercises.
        key: a hash over everything that the marks depend on.
        marks: one for each exercise, in the chapter's order.
        confined: whether the answers ran in a sandbox.
        penalty: points deducted for a late submission.
    """

    student: str
    chapter: str
    key: str
    marks: list[Mark] = field(default_factory=list)
    confined: bool = True
    penalty: float = 0.0

    @property
    def points(self) -> float:
        """Points earned so far."""
        return sum(mark.points or 0 for mark in self.marks) - self.penalty

    @property
    def of(self) -> float:
        """The most points possible."""
        return sum(mark.of for mark in self.marks)

    @property
    def was_handed_in(self) -> bool:
        """Whether a notebook was handed in, readable or not."""
        return any(mark.status != NOT_HANDED_IN for mark in self.marks)


@dataclass(frozen=True)
class Chapter:
    """A chapter's exercises as they were handed out.

    Attributes:
        name: of the chapter.
        notebook: as released.
        points: of each exercise, by name.
        version: a hash over the exercises and all code that marks them.
    """

    name: str
    notebook: NotebookNode
    points: dict[str, float]
    version: str

    @classmethod
    def read(cls, root: Path, name: str) -> "Chapter":
        """The chapter of this name.

        Args:
            root: the folder of the book.
            name: as in ``solutions/<name>.md``.

        Raises:
            ValueError: if there is no such chapter.
        """
        source = root / "solutions" / f"{name}.md"
        if not source.is_file():
            there = ", ".join(chapters(root))
            raise ValueError(f"chapter is {name!r}; those with exercises are {there}")
        notebook = released(source)
        judges = f"import innerlab.chapters.{name}.checks, innerlab.checks.__main__"
        files = {source, *imported_files([judges], LABORATORY.parent)}
        files |= {LABORATORY / "marking" / f"{part}.py" for part in ("marks", "submissions", "calls", "confinement")}
        contents = sorted(source_text(file).encode() for file in files)
        version = hashlib.sha256(b"".join(hashlib.sha256(content).digest() for content in contents)).hexdigest()
        return cls(name, notebook, exercises_in(notebook), version)


def chapters(root: Path) -> list[str]:
    """The names of the chapters that have exercises."""
    return sorted(path.stem for path in (root / "solutions").glob("*.md"))


def master_seed(folder: Path) -> int:
    """The seed from which all inputs are drawn; written to ``seed.json`` on first use, and never changed.

    Args:
        folder: of the results.

    Raises:
        ValueError: if the file holds no seed.
    """
    path = folder / "seed.json"
    with contextlib.suppress(FileExistsError), path.open("x", encoding="utf-8") as file:
        file.write(json.dumps({"seed": secrets.randbits(63)}))
    try:
        seed = json.loads(path.read_text(encoding="utf-8"))["seed"]
    except (ValueError, KeyError, TypeError):
        seed = None
    if type(seed) is not int:
        raise ValueError(f"{path} holds no seed; put it back, or remove it to draw new inputs for everyone")
    return seed


def seed_of(master: int, chapter: str, exercise: str) -> int:
    """The seed of an exercise's inputs: the same for every student."""
    return int.from_bytes(hashlib.sha256(f"{master} {chapter} {exercise}".encode()).digest()[:4], "big")


def key_of(submission: Submission, data: bytes | Unreadable, chapter: Chapter, *settings: object) -> str:
    """A hash over everything that the marks depend on; a submission is marked again when it changes."""
    parts = [submission.student, submission.chapter, chapter.version, *map(repr, settings)]
    parts.append(str(data) if isinstance(data, Unreadable) else hashlib.sha256(data).hexdigest())
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def marked(
    submission: Submission, data: bytes | Unreadable, key: str, chapter: Chapter, master: int, process: Answering
) -> Marked:
    """Marks a submission.

    Args:
        submission: whose it is.
        data: the notebook, or why it could not be read.
        key: from :func:`key_of`.
        chapter: the exercises.
        master: from :func:`master_seed`.
        process: where the answers run.

    Raises:
        SetUpFailed: if the released notebook's own code fails.
    """
    try:
        if isinstance(data, Unreadable):
            raise data
        found = answers(data, chapter.notebook)
    except Unreadable as problem:
        absent = str(problem).startswith(ABSENT)
        status, reason = NOT_HANDED_IN if absent else NOT_READ, f"The notebook {problem}."
        marks = [Mark(name, of, 0.0, status, reason) for name, of in chapter.points.items()]
    else:
        marks = [_marked(name, found[name], chapter, master, process) for name in chapter.points]
    return Marked(submission.student, submission.chapter, key, marks)


def _marked(name: str, answer: Answer, chapter: Chapter, master: int, process: Answering) -> Mark:
    of = chapter.points[name]
    if answer.source is None:
        return Mark(name, of, 0.0, NO_ANSWER, answer.note, note=answer.note)
    about = {"source": answer.source, "note": answer.note}
    stub = next(cell for cell in chapter.notebook.cells if cell.id == name)
    if source_hash(answer.source) == source_hash(stub.source):
        return Mark(name, of, 0.0, NOT_ATTEMPTED, **about)
    if stub.cell_type == "markdown":
        return Mark(name, of, None, BY_PERSON, **about)
    exercise = checks.exercise(f"{chapter.name}/{name}")
    needed = needed_cells(answer)

    def verdict_on(cells: tuple[str, ...]) -> Verdict:
        def ask(calls: list | None) -> list[Reply]:
            sent = None if calls is None else tuple(calls)
            with _alarm(0):  # the process has limits of its own
                return process.ask(Request(cells, exercise.answer, sent, set_up(chapter.notebook, name)))

        with _alarm(JUDGING_SECONDS):
            return mark(exercise, ask, seed_of(master, chapter.name, name))

    try:
        verdict = verdict_on((*needed, answer.source))
        if needed and verdict.state != PASSED:  # cells are not always run from the top
            alone = verdict_on((answer.source,))
            verdict = alone if alone.state == PASSED else verdict
    except SetUpFailed:
        raise
    except Exception as problem:
        return _check_failed(name, of, answer, f"{type(problem).__name__}: {problem!s:.200}")
    return Mark(name, of, of if verdict.state == PASSED else 0.0, **_told(verdict), **about)


def _check_failed(name: str, of: float, answer: Answer, why: str) -> Mark:
    said = sendable(f"The check failed on this answer ({why}).")
    return Mark(name, of, None, CHECK_FAILED, said, source=answer.source or "", note=answer.note)


def failed(submission: Submission, key: str, chapter: Chapter, why: str) -> Marked:
    """The marks of a submission whose marking crashed: every exercise is left to a person.

    Args:
        submission: whose it is.
        key: from :func:`key_of`.
        chapter: the exercises.
        why: the error, for the teacher.
    """
    marks = [_check_failed(name, of, Answer(None), why) for name, of in chapter.points.items()]
    return Marked(submission.student, submission.chapter, key, marks)


def needed_cells(answer: Answer) -> tuple[str, ...]:
    """The learner's cells above an answer that define names which the answer uses, directly or through other cells."""
    wanted = names_in(answer.source or "")[1]
    needed: list[str] = []
    for cell in reversed(answer.above):
        named, used = names_in(cell)
        if named & wanted:
            needed.insert(0, cell)
            wanted |= used
    return tuple(needed)


def names_in(cell: str) -> tuple[set[str], set[str]]:
    """The names that a cell binds and the names that it reads; two empty sets if the cell is not Python."""
    try:
        nodes = list(ast.walk(ast.parse(TransformerManager().transform_cell(cell))))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return set(), set()
    names = [(node.id, isinstance(node.ctx, ast.Load)) for node in nodes if isinstance(node, ast.Name)]
    named = {name for name, is_used in names if not is_used}
    for node in nodes:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            named.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            named |= {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
    return named, {name for name, is_used in names if is_used}


def _told(verdict: Verdict) -> dict[str, str]:
    """A verdict as the fields of a :class:`Mark`."""
    lesson = verdict.lesson
    if lesson is None:
        return {"status": verdict.state, "reason": sendable(verdict.remark)}
    return {
        "status": NO_VALUE if lesson.name in WITHOUT_VALUE else NOT_YET,
        "reason": sendable(f"{lesson.violates} {lesson.suggests}".strip()),
        "lesson": lesson.name,
        "see": lesson.see,
        "shown": sendable(verdict.shown),
        "returned": sendable(verdict.returned),
    }


@contextlib.contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    """Raises ``TimeoutError`` in the block after so many seconds, where the system has alarms; 0 suspends an alarm."""
    if not hasattr(signal, "setitimer"):
        yield
        return

    def stop(*_: object) -> None:
        raise TimeoutError(f"no verdict within {JUDGING_SECONDS:g} seconds")

    handler = signal.signal(signal.SIGALRM, stop)
    left, _ = signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, left)
        signal.signal(signal.SIGALRM, handler)


# Kept results


def place_of(folder: Path, submission: Submission) -> Path:
    """The file in which a submission's marks are kept."""
    return folder / "marks" / submission.chapter / f"{safe_name(submission.student)}.json"


def safe_name(student: str) -> str:
    """A file name that is valid on every system and unique to this student."""
    if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,79}", student) and not student.endswith("."):
        return student
    plain = re.sub(r"[^A-Za-z0-9_-]+", "_", student)[:40]
    return f"{plain}-{hashlib.sha256(student.encode(errors='surrogateescape')).hexdigest()[:12]}"


def keep(path: Path, result: Marked) -> None:
    """Writes marks to a file, atomically."""
    put(path, json.dumps(asdict(result), indent=1))


def put(path: Path, text: str) -> None:
    """Writes a text file, atomically, and only if the text has changed."""
    data = text.encode("utf-8", errors="backslashreplace")
    if path.is_file() and path.read_bytes() == data:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}")
    part.write_bytes(data)
    part.replace(path)


def kept(path: Path, key: str) -> Marked | None:
    """Reads marks from a file; None if there are none, or their key differs from this one."""
    try:
        result = json.loads(path.read_text(encoding="utf-8"))
        found = Marked(**result | {"marks": [Mark(**one) for one in result["marks"]]})
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return found if found.key == key else None


def read_content(submission: Submission, root: Path) -> bytes | Unreadable:
    """The bytes of a submitted notebook, or the :class:`Unreadable` that says why there are none."""
    try:
        return content(submission.path, root)
    except Unreadable as problem:
        return problem
