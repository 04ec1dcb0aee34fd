"""Makes ``exercises/<chapter>.ipynb`` from ``solutions/<chapter>.md``.

In a solution an answer's cell holds first the stub that learners get and then the answer, between two lines::

    share = ...

    ### BEGIN SOLUTION
    share = red / (red + door)
    ### END SOLUTION

so that the solution runs as it stands, since the later definition counts, and nbgrader reads it unchanged. A written
answer is a Markdown cell of its own. Both kinds, and the cells that check, carry nbgrader's metadata.
"""

import argparse
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import jupytext
import nbformat
from nbformat import NotebookNode

from innerlab.checks.records import bound

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
WRITE_HERE = "*Write your answer here.*"
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}


def source_notebook(source: Path) -> NotebookNode:
    """Reads a solution as a notebook with its answers; cell ids and metadata are the same at each call.

    Args:
        source: ``solutions/<chapter>.md``.

    Raises:
        ValueError: if two cells have the same ``grade_id``, a check has no answer or no points, or an answer no check.
    """
    notebook = jupytext.read(source)
    seen: set[str] = set()
    answers: set[str] = set()
    for index, cell in enumerate(notebook.cells):
        about = cell.metadata.get("nbgrader", {})
        cell.metadata = NotebookNode({"nbgrader": about} if about else {})
        cell.id = about.get("grade_id") or f"cell-{index}"
        if cell.id in seen:
            raise ValueError(f"{source.name}: grade_id {cell.id!r} is there twice")
        seen.add(cell.id)
        if about and "grade_id" not in about:
            raise ValueError(f"{source.name}, {cell.id}: nbgrader's metadata have no grade_id")
        if about.get("grade") and "points" not in about:
            raise ValueError(f"{source.name}, {cell.id}: it is graded, but has no points")
        if about.get("solution"):
            answers.add(cell.id)
    checked = set(exercises_in(notebook))
    if answers != checked:
        lacking = [f"the answer {name!r} has no check-{name}" for name in sorted(answers - checked)]
        lacking += [f"the check of {name!r} has no answer with that grade_id" for name in sorted(checked - answers)]
        raise ValueError(f"{source.name}: {'; '.join(lacking)}")
    notebook.metadata = NotebookNode({"kernelspec": NotebookNode(KERNEL)})
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    return notebook


def released(source: Path) -> NotebookNode:
    """The notebook that learners get: a solution's without answers and outputs.

    Raises:
        ValueError: as :func:`source_notebook`, or if an answer has no stub or no solution.
    """
    notebook = source_notebook(source)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
        if cell.metadata.get("nbgrader", {}).get("solution"):
            cell.source = (
                WRITE_HERE if cell.cell_type == "markdown" else _stub(cell.source, f"{source.name}, {cell.id}")
            )
        elif BEGIN in cell.source:
            raise ValueError(f"{source.name}, {cell.id}: an answer in a cell that is not marked as one")
    return notebook


def _stub(answer: str, where: str) -> str:
    """The part of an answer's cell that learners get."""
    stub = re.sub(rf"\n*^{BEGIN}\n.*?\n{END}$", "", answer, flags=re.MULTILINE | re.DOTALL).strip()
    if answer.count(BEGIN) != 1 or stub == answer.strip() or BEGIN in stub or END in stub:
        raise ValueError(f"{where}: the lines {BEGIN!r} and {END!r} must come once, in this order, unindented")
    if "..." not in stub:
        raise ValueError(f"{where}: nothing is left to fill in; put a stub with `...` before {BEGIN!r}")
    return stub


def text_of(notebook: NotebookNode) -> str:
    """The notebook as it is written to a file, the same on every system."""
    nbformat.validate(notebook)
    return nbformat.writes(notebook, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def exercises_in(notebook: NotebookNode) -> dict[str, float]:
    """The exercises of a notebook and their points, in order; the name is the ``grade_id`` of the answer's cell."""
    graded = (cell.metadata.get("nbgrader", {}) for cell in notebook.cells)
    return {about["grade_id"].removeprefix("check-"): about["points"] for about in graded if about.get("grade")}


def set_up(notebook: NotebookNode, name: str) -> tuple[str, ...]:
    """The sources of the cells above an exercise that its answer may use: those that bind names, other answers aside.

    Args:
        notebook: from :func:`released`.
        name: of the exercise.
    """
    before = notebook.cells[: next(index for index, cell in enumerate(notebook.cells) if cell.id == name)]
    plain = [cell.source for cell in before if cell.cell_type == "code" and "nbgrader" not in cell.metadata]
    return (*plain[:1], *(source for source in plain[1:] if bound(source)))


def _notebooks(root: Path) -> Iterator[tuple[Path, bytes]]:
    """Each exercise notebook of the book in the folder ``root``: where it belongs, and what it must hold."""
    for source in sorted((root / "solutions").glob("*.md")):
        yield root / "exercises" / f"{source.stem}.ipynb", text_of(released(source)).encode()


def write_all(root: Path) -> None:
    """Writes every exercise notebook of the book in the folder ``root``."""
    (root / "exercises").mkdir(exist_ok=True)
    for target, content in _notebooks(root):
        target.write_bytes(content)
        print(f"wrote {target.relative_to(root).as_posix()}")


def out_of_step(root: Path) -> list[str]:
    """Which exercise notebooks are not what :func:`write_all` would write, or have no source, in sentences."""
    made = dict(_notebooks(root))
    there = {path: path.read_bytes() for path in (root / "exercises").glob("*.ipynb")}
    said = []
    for path in sorted(made.keys() | there.keys()):
        if path not in made:
            said.append(f"exercises/{path.name} has no source solutions/{path.stem}.md")
        elif path not in there:
            said.append(f"exercises/{path.name} is missing")
        elif made[path] != there[path]:
            said.append(f"exercises/{path.name} is not what solutions/{path.stem}.md says")
    return said


def main(arguments: Sequence[str] | None = None, root: Path = Path()) -> int:
    """Run the command; return the exit code.

    Args:
        arguments: of the command line.
        root: the folder of the book.
    """
    parser = argparse.ArgumentParser(prog="run.py exercises", description="Writes exercises/ anew from solutions/.")
    parser.add_argument("--check", action="store_true", help="write nothing; say what is not up to date")
    if not parser.parse_args(arguments).check:
        write_all(root)
        return 0
    found = out_of_step(root)
    for sentence in found:
        print(sentence, file=sys.stderr)
    if found:
        print("To write them anew: python run.py exercises", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
