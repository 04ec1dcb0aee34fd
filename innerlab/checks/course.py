"""Writes a course folder for nbgrader: sources with answers, released notebooks, and the configuration."""

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import nbformat

from innerlab.checks.release import WRITE_HERE, released, source_notebook, text_of

CONFIGURATION = f'''\
"""Configuration of nbgrader for this course; its documentation explains each setting."""

c = get_config()

c.CourseDirectory.course_id = "the_optimizer_within"
c.CourseDirectory.ignore = [".ipynb_checkpoints", "*.pyc", "__pycache__", "*.md", ".progress"]

# An answer's cell holds its own stub, so nothing is put in the place of what is cut out.
c.ClearSolutions.code_stub = {{"python": ""}}
c.ClearSolutions.text_stub = {WRITE_HERE!r}

# grades.csv is what `python run.py grade` writes.
c.CsvExportPlugin.to = "exported.csv"

# A cell may train a few dozen agents.
c.ExecutePreprocessor.timeout = 240
'''


def write_course(root: Path, target: Path) -> list[str]:
    """Writes the course folder and runs nbgrader to make the released notebooks.

    Args:
        root: the folder of the book.
        target: the course folder; created if necessary. Existing sources and releases of the chapters are
            overwritten, since they come from ``solutions/``; all other files stay.

    Returns:
        the chapters.

    Raises:
        ValueError: if there is a file in the way.
        RuntimeError: if nbgrader could not make a release, or if a release differs from the notebook in
            ``exercises/``.
    """
    if target.exists() and not target.is_dir():
        raise ValueError(f"{target} is a file; a folder was expected")
    target.mkdir(parents=True, exist_ok=True)
    configuration = target / "nbgrader_config.py"
    if not configuration.exists():  # a teacher may have changed it
        configuration.write_text(CONFIGURATION, encoding="utf-8", newline="\n")
    sources = sorted((root / "solutions").glob("*.md"))
    for source in sources:
        folder = target / "source" / source.stem
        folder.mkdir(parents=True, exist_ok=True)
        text = text_of(source_notebook(source))
        (folder / f"{source.stem}.ipynb").write_text(text, encoding="utf-8", newline="\n")
        run_nbgrader(target, "generate_assignment", source.stem, "--force", "--create")
        _must_match(target / "release" / source.stem, source)
    return [source.stem for source in sources]


def run_nbgrader(target: Path, *arguments: str) -> None:
    """Runs one of nbgrader's commands in the course folder."""
    command = [sys.executable, "-m", "nbgrader", *arguments]
    environment = os.environ | {
        "JUPYTER_CONFIG_DIR": str(target / ".jupyter"),  # no personal configuration changes what is released
        "PATH": str(Path(sys.executable).parent) + os.pathsep + os.environ.get("PATH", ""),  # it looks for alembic
    }
    done = subprocess.run(command, cwd=target, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"nbgrader {' '.join(arguments)} failed:\n{done.stderr[-3000:]}")


def _must_match(folder: Path, source: Path) -> None:
    """Compares what nbgrader releases with what this book releases, cell by cell."""
    if [path.name for path in folder.iterdir()] != [f"{source.stem}.ipynb"]:
        raise RuntimeError(f"{folder} holds more than the notebook: {sorted(path.name for path in folder.iterdir())}")
    theirs = nbformat.read(folder / f"{source.stem}.ipynb", as_version=4).cells
    ours = released(source).cells
    if [cell.source.strip() for cell in theirs] != [cell.source.strip() for cell in ours]:
        raise RuntimeError(f"{folder}: nbgrader's release is not the exercise; learners might get what they should not")


def main(arguments: Sequence[str] | None = None, root: Path = Path()) -> int:
    """Run the command; return the exit code.

    Args:
        arguments: of the command line.
        root: the folder of the book.
    """
    parser = argparse.ArgumentParser(prog="run.py course", description="Writes a course folder for nbgrader.")
    parser.add_argument("target", metavar="DIR", type=Path, help="the folder to write the course into")
    parser.add_argument("--where", metavar="DIR", type=Path, default=Path(), help=argparse.SUPPRESS)  # DIR counts from
    asked = parser.parse_args(arguments)
    folder = (asked.where / asked.target).resolve()
    try:
        chapters = write_course(root, folder)
    except (ValueError, RuntimeError) as problem:
        print(problem, file=sys.stderr)
        return 1
    plural = "s" if len(chapters) != 1 else ""
    print(f"{folder} holds {len(chapters)} assignment{plural}: {', '.join(chapters)}.")
    print("release/ is what learners get; source/ holds the answers.")
    print(f"nbgrader runs in that folder, with {Path(sys.executable).parent} first on the PATH (activate .venv).")
    return 0


if __name__ == "__main__":
    sys.exit(main())
