"""The learner's folder ``work/``: exercises are copied into it, never over a file that is there, and looked through.

Beside the notebooks lies ``.progress``, with the records of the checks (:mod:`innerlab.checks.records`) and
``copied.json``, which says from which text each copy was made.
"""

import argparse
import hashlib
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import nbformat

from innerlab.checks.records import read, source_hash
from innerlab.checks.release import WRITE_HERE, exercises_in

COPIED = "copied.json"


def copy_new(exercises: Path, work: Path) -> list[str]:
    """Copies new exercise notebooks into the learner's folder; never overwrites a file.

    A notebook that has changed since it was copied is copied again, under a new name beside the old copy, once for
    each version.

    Args:
        exercises: the folder of the notebooks as they are shipped.
        work: the learner's folder; created if necessary.

    Returns:
        What was done, in sentences.
    """
    progress = work / ".progress"
    progress.mkdir(parents=True, exist_ok=True)
    copied = _copied(progress)
    said = []
    for shipped in sorted(exercises.glob("*.ipynb")):
        content = shipped.read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        copies = copies_of(work, shipped.stem)
        if digest in copied.get(shipped.stem, []) and copies:
            continue
        if any(path.read_bytes() == content for path in copies):  # copied by hand, or without a record
            copied.setdefault(shipped.stem, []).append(digest)
            continue
        target = _free(work, shipped.stem)
        with target.open("xb") as file:  # x: fails rather than overwrites
            file.write(content)
        if copies:
            known = shipped.stem in copied
            happened = "has been improved since you began" if known else "is there, but not as it is shipped"
            said.append(
                f"{shipped.name} {happened}; the new one is {target.name}. "
                f"Yours stays as it is: {', '.join(path.name for path in copies)}."
            )
        else:
            said.append(f"{target.name} is new.")
        copied.setdefault(shipped.stem, []).append(digest)
    whole = progress / f"{COPIED}.{os.getpid()}"
    whole.write_text(json.dumps(copied, indent=1), encoding="utf-8")
    whole.replace(progress / COPIED)  # never half of it
    return said


def copies_of(work: Path, chapter: str) -> list[Path]:
    """The learner's notebooks of a chapter: ``<chapter>.ipynb``, ``<chapter>-2.ipynb`` and so on, newest last."""
    numbered = [path for path in work.glob(f"{chapter}-*.ipynb") if path.stem[len(chapter) + 1 :].isdecimal()]
    first = [path for path in [work / f"{chapter}.ipynb"] if path.is_file()]
    return first + sorted(numbered, key=lambda path: int(path.stem[len(chapter) + 1 :]))


def _free(work: Path, chapter: str) -> Path:
    names = (f"{chapter}.ipynb" if number == 1 else f"{chapter}-{number}.ipynb" for number in range(1, 10_000))
    return next(work / name for name in names if not (work / name).exists())


def _copied(progress: Path) -> dict[str, list[str]]:
    try:
        found = json.loads((progress / COPIED).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {chapter: digests for chapter, digests in found.items() if isinstance(digests, list)}


@dataclass(frozen=True)
class Standing:
    """The state of one exercise in the learner's folder.

    Attributes:
        name: of the exercise.
        state: "solved", "attempted", "untouched" or, for an answer that a person marks, "written".
        points: what it is worth.
    """

    name: str
    state: str
    points: float


def standings(exercises: Path, work: Path) -> dict[str, list[Standing]]:
    """The state of every exercise, by chapter.

    An answer is *solved* if a check has passed with its cell exactly as it stands now, in any copy; *attempted* if
    its cell differs from what was shipped, and *untouched* otherwise.

    Args:
        exercises: the folder of the notebooks as they are shipped.
        work: the learner's folder.
    """
    return {
        shipped.stem: _chapter_standings(shipped, copies_of(work, shipped.stem), read(work / ".progress", shipped.stem))
        for shipped in sorted(exercises.glob("*.ipynb"))
    }


def _chapter_standings(shipped: Path, copies: list[Path], records: list[dict]) -> list[Standing]:
    notebook = nbformat.read(shipped, as_version=4)
    stubs = _answers(notebook)
    answers = [_answers_in_file(path) for path in copies]
    passed = {(record["exercise"], record["source"]) for record in records if record["state"] == "passed"}
    found = []
    for name, points in exercises_in(notebook).items():
        sources = [own[name] for own in answers if name in own]
        touched = [source for source in sources if source_hash(source) != source_hash(stubs[name])]
        if not touched:
            state = "untouched"
        elif stubs[name] == WRITE_HERE:
            state = "written"
        else:
            solved = any((name, source_hash(source)) in passed for source in touched)
            state = "solved" if solved else "attempted"
        found.append(Standing(name, state, points))
    return found


def _answers(notebook) -> dict[str, str]:
    """The source of each answer's cell, by ``grade_id``."""
    about = ((cell.metadata.get("nbgrader", {}), cell.source) for cell in notebook.cells)
    return {meta["grade_id"]: source for meta, source in about if meta.get("solution") and "grade_id" in meta}


def _answers_in_file(path: Path) -> dict[str, str]:
    """The source of each answer's cell in a learner's file; empty, after a printed warning, if it is no notebook."""
    try:
        return _answers(nbformat.read(path, as_version=4))
    except Exception as problem:  # anything may lie there
        print(
            f"{path.name} cannot be read ({type(problem).__name__}: {problem!s:.80}); it is left out.", file=sys.stderr
        )
        return {}


def lab(root: Path) -> None:
    """Copy what is new into ``work/`` and say so."""
    for sentence in copy_new(root / "exercises", root / "work"):
        print(sentence)


def progress(root: Path) -> None:
    """Print how far each exercise in ``work/`` is, and how to begin if nothing has been touched."""
    chapters = standings(root / "exercises", root / "work")
    for chapter, found in chapters.items():
        solved = sum(standing.points for standing in found if standing.state == "solved")
        print(f"{chapter}: {solved:g} of {sum(standing.points for standing in found):g} points")
        for standing in found:
            note = "; a person marks it" if standing.state == "written" else ""
            print(f"  {standing.state:<10} {standing.name} ({standing.points:g}{note})")
    if all(standing.state == "untouched" for found in chapters.values() for standing in found):
        print("Nothing has been touched yet. To begin: python run.py lab")


def main(arguments: Sequence[str] | None = None, root: Path = Path()) -> int:
    """Run the command; return the exit code.

    Args:
        arguments: of the command line.
        root: the folder of the book.
    """
    parser = argparse.ArgumentParser(prog="run.py")
    jobs = parser.add_subparsers(required=True)
    for job, about in ((lab, "copy new exercises into work/"), (progress, "say how far the exercises in work/ are")):
        jobs.add_parser(job.__name__, help=about, description=about).set_defaults(job=job)
    parser.parse_args(arguments).job(root)
    return 0


if __name__ == "__main__":
    sys.exit(main())
