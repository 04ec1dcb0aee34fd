"""What has been checked so far: one line for each check, added to and never rewritten.

Records lie in ``.progress/<chapter>.jsonl`` beside the notebook, or in the folder that the environment variable
``INNERLAB_PROGRESS`` names; set to nothing, none are kept. Each holds a hash of the answer's cell, so that
``python run.py progress`` can tell a solved answer from one that has been changed since.
"""

import ast
import hashlib
import inspect
import json
import os
import re
import sys
from pathlib import Path
from typing import Any

from innerlab.checks.judging import Verdict

PLACE = "INNERLAB_PROGRESS"


def folder() -> Path | None:
    """Where records are kept; None if they are not."""
    place = os.environ.get(PLACE)
    return Path(".progress") if place is None else Path(place) if place else None


def keep(verdict: Verdict, source: str) -> None:
    """Adds a record; a disk that cannot be written to is no reason to fail a check."""
    place = folder()
    if place is None:
        return
    chapter, _, own = verdict.exercise.partition("/")
    lesson = verdict.lesson.name if verdict.lesson else None
    line = json.dumps({"exercise": own, "state": verdict.state, "lesson": lesson, "source": source_hash(source)})
    try:
        place.mkdir(parents=True, exist_ok=True)
        with (place / f"{chapter}.jsonl").open("a", encoding="utf-8") as file:
            file.write(line + "\n")
    except OSError as problem:
        print(f"The record of this check could not be kept ({problem}).", file=sys.stderr)


def read(place: Path, chapter: str) -> list[dict[str, Any]]:
    """The records of a chapter, oldest first; lines that cannot be read (a full disk, an edit) are left out."""
    try:
        lines = (place / f"{chapter}.jsonl").read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    records = []
    for line in lines:
        try:
            record = json.loads(line)
        except ValueError:
            continue
        if isinstance(record, dict) and {"exercise", "state", "source"} <= set(record):
            records.append(record)
    return records


def source_hash(source: str) -> str:
    """A hash of an answer's cell that does not see blanks at the ends of lines or of the cell."""
    lines = [line.rstrip() for line in source.strip().splitlines()]
    return hashlib.sha256("\n".join(lines).encode(errors="backslashreplace")).hexdigest()


def answer_source(variable: str, answer: Any) -> str:
    """The source of the cell that last gave this variable its value; "" if that cannot be found.

    Args:
        variable: the name that the answer goes by.
        answer: what it holds; outside of a notebook, a function's own source is the next best thing.
    """
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    for cell in reversed(shell.history_manager.input_hist_raw if shell else []):
        if variable in bound(cell):
            return cell
    try:
        return inspect.getsource(answer)
    except Exception:  # no source, or an object that is hostile to being looked at
        return ""


def bound(cell: str) -> set[str]:
    """The names to which a cell's own statements give a value, magics such as %%time aside."""
    for source in (cell, re.sub(r"^(\s*)[%!].*$", r"\1pass", cell, flags=re.MULTILINE)):
        try:
            statements = ast.parse(source).body
            break
        except (SyntaxError, ValueError):
            continue
    else:
        return set()
    names = set()
    for statement in statements:
        if isinstance(statement, ast.FunctionDef | ast.ClassDef):
            names.add(statement.name)
        elif isinstance(statement, ast.Assign | ast.AnnAssign | ast.AugAssign):
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            names |= {node.id for target in targets for node in ast.walk(target) if isinstance(node, ast.Name)}
    return names
