"""Writes notebooks for the launch buttons: chapters, since Colab cannot open Markdown, and exercises.

A chapter's .ipynb lies beside its source. Exercises are notebooks already, and stay as they are in `exercises/`; their
copies with a cell that installs the laboratory go into `_build/notebooks/exercises`.
"""

import os

import jupytext
import nbformat
import yaml
from nbformat.v4 import new_code_cell

from innersite.pages import repository_address

INSTALL = """\
# In Colab and the like, fetch the laboratory; where it is installed, do nothing.
import importlib.util

if importlib.util.find_spec("innerlab") is None:
    %pip install --quiet "innerlab{extra} @ git+{address}\""""


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


def with_install(exercise, address):
    """Return the exercise notebook at `exercise` (a path) with a first code cell that installs the laboratory."""
    notebook = nbformat.read(exercise, as_version=4)
    _install_first(notebook, INSTALL.format(address=address, extra=""))
    return notebook


def _install_first(notebook, code):
    first = next(index for index, cell in enumerate(notebook.cells) if cell.cell_type == "code")
    notebook.cells.insert(first, new_code_cell(code, id="install"))


def main(root):
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
        target.write_text(nbformat.writes(with_install(source, address)) + "\n", "utf-8", newline="\n")
        print(f"wrote {target.relative_to(root)}")
    return len(chapters) + len(exercises)
