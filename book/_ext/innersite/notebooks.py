"""Writes every chapter as an .ipynb beside its source, for the launch buttons: Colab cannot open Markdown."""

import os

import jupytext
import yaml
from nbformat.v4 import new_code_cell

from innersite.pages import repository_address

INSTALL = """\
# In Colab and the like, fetch the laboratory; where it is installed, do nothing.
import importlib.util

if importlib.util.find_spec("innerlab") is None:
    %pip install --quiet "innerlab[book] @ git+{address}\""""


def as_notebook(source, address):
    """Return the chapter at `source` (a path) as a notebook with stable cell ids.

    With the `address` of a repository ("" for none) its first code cell installs the laboratory from there.
    """
    notebook = jupytext.read(source)
    if address:
        first = next(index for index, cell in enumerate(notebook.cells) if cell.cell_type == "code")
        notebook.cells.insert(first, new_code_cell(INSTALL.format(address=address)))
    for index, cell in enumerate(notebook.cells):
        cell.id = f"{source.stem}-{index}"  # jupytext draws new ones each time
    return notebook


def main(root):
    """Write the notebooks of the book in the folder `root`; return how many there are."""
    config = yaml.safe_load((root / "_config.yml").read_text("utf-8"))
    address = repository_address(config.get("repository", {}).get("url"), os.environ)
    chapters = [path for path in sorted((root / "book").glob("*.md")) if "```{code-cell}" in path.read_text("utf-8")]
    for source in chapters:
        target = source.with_suffix(".ipynb")
        jupytext.write(as_notebook(source, address), target)
        print(f"wrote {target.relative_to(root)}")
    return len(chapters)
