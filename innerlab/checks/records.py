"""Records of the checks: one JSON line for each check, appended and never rewritten.

Records lie in ``.progress/<chapter>.jsonl`` beside the notebook, or in the folder that the environment variable
``INNERLAB_PROGRESS`` names; if that is empty, none are kept. Each record holds a hash of the answer's cell, so that
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
    """The folder in which records are kept; None if none are kept."""
    place = os.environ.get(PLACE)
    return Path(".progress") if place is None else Path(place) if place else None


def keep(verdict: Verdict, source: str) -> None:
    """Appends a record of a verdict; if the file cannot be written, prints a warning instead of raising.

    Args:
        verdict: what the check found.
        source: of the answer's cell; only its hash is kept.
    """
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
    """The records of a chapter, oldest first. Lines that cannot be parsed are skipped."""
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
    """A hash of an answer's cell that ignores blanks at the ends of lines and of the cell."""
    lines = [line.rstrip() for line in source.strip().splitlines()]
    return hashlib.sha256("\n".join(lines).encode(errors="backslashreplace")).hexdigest()


def answer_source(variable: str, answer: Any) -> str:
    """The source of the cell that last gave this variable its value; "" if that cannot be found.

    Args:
        variable: the name that the answer goes by.
        answer: the variable's value; outside of a notebook, the source of a function is returned instead.
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
