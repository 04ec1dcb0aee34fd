"""Writes notebooks that are opened alone: by the launch buttons, or after a download.

A chapter's .ipynb lies beside its source, since Colab cannot open Markdown. Exercises are notebooks already, and stay
as they are in `exercises/`; the copies for the launch buttons go into `_build/notebooks/exercises`, and `exercises`
puts copies for download into the site. Both say how to get the laboratory, and install it where that is possible.
"""

import argparse
import os
import sys
from pathlib import Path

import jupytext
import nbformat
import yaml
from nbformat.v4 import new_code_cell, new_markdown_cell

from innerlab.checks import release
from innersite.pages import repository_address

INSTALL = """\
# In Colab and the like, fetch the laboratory; where it is installed, do nothing.
import importlib.util

if importlib.util.find_spec("innerlab") is None:
    %pip install --quiet "innerlab{extra} @ git+{address}\""""
ALONE = """\
**Opened on its own?**
This notebook needs the book's laboratory, `innerlab`.
In a copy of the book, `python run.py lab` opens the exercises with all that they need."""
FETCHED = """
Anywhere else, the next cell fetches it from {address}; that brings PyTorch, and may take some minutes."""
ANSWERED = """\
**This copy holds the answers.**
Each stands in the cell of its exercise, below the stub that it fills in."""


def as_notebook(source, address):
    """Return the chapter at `source` (a path) as a notebook with stable cell ids.

    With the `address` of a repository ("" for none) its first code cell installs the laboratory from there.
    """
    notebook = jupytext.read(source)
    if address:
        _install_first(notebook, INSTALL.format(address=address, extra="[book]"))
    for index, cell in enumerate(notebook.cells):
        cell.id = f"{source.stem}-{index}"  # jupytext draws new ones each time
    return notebook


def exercise(source, address):
    """Return the text of the exercise notebook at `source` (a path), made to work outside of a clone of the book."""
    return release.text_of(_alone(nbformat.read(source, as_version=4), address))


def solution(source, address):
    """Return the text of a notebook with the answers in `source` (a path), made to work outside of a clone."""
    notebook = _alone(release.source_notebook(source), address)
    notebook.cells.insert(0, new_markdown_cell(ANSWERED, id="answers"))
    return release.text_of(notebook)


def _alone(notebook, address):
    """Say above the first code cell how to get the laboratory, and with an `address` install it from there."""
    if address:
        _install_first(notebook, INSTALL.format(address=address, extra=""))
    says = ALONE + (FETCHED.format(address=address) if address else "")
    notebook.cells.insert(_first_code(notebook), new_markdown_cell(says, id="alone"))
    return notebook


def _install_first(notebook, code):
    notebook.cells.insert(_first_code(notebook), new_code_cell(code, id="install"))


def _first_code(notebook):
    return next(index for index, cell in enumerate(notebook.cells) if cell.cell_type == "code")


def write_all(root):
    """Write the chapters of the book in the folder `root`, and exercises if its address is known.

    Returns:
        how many notebooks were written.
    """
    config = yaml.safe_load((root / "_config.yml").read_text("utf-8"))
    address = repository_address(config.get("repository", {}).get("url"), os.environ)
    chapters = [path for path in sorted((root / "book").glob("*.md")) if "```{code-cell}" in path.read_text("utf-8")]
    for source in chapters:
        target = source.with_suffix(".ipynb")
        jupytext.write(as_notebook(source, address), target)
        print(f"wrote {target.relative_to(root)}")
    exercises = sorted((root / "exercises").glob("*.ipynb")) if address else []
    for source in exercises:
        target = root / "_build" / "notebooks" / "exercises" / source.name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(exercise(source, address), "utf-8", newline="\n")
        print(f"wrote {target.relative_to(root)}")
    return len(chapters) + len(exercises)


def main(arguments=None, root=Path()):
    """Run the command for the book in the folder `root`; return the exit code."""
    description = "Writes every chapter as .ipynb beside its source, and the exercises' copies, for launch buttons."
    argparse.ArgumentParser(prog="run.py notebooks", description=description).parse_args(arguments)
    write_all(root)
    return 0


if __name__ == "__main__":
    sys.exit(main())
