"""What the outputs of a notebook depend on, as one key.

jupyter-cache looks only at the source of the cells and at the kernel.  The outputs also depend on the
laboratory's modules that the cells import, on the installed versions and on the cells' tags; this key covers
those.  Which modules these are, `innerlab.imports` says.  Left out on purpose: data files.
"""

import functools
import json
import sys
from pathlib import Path

from IPython.core.inputtransformer2 import TransformerManager
from nbformat import NotebookNode

from innerlab import imports

REQUIREMENTS = ("requirements.txt", "constraints.txt")


def chapter_key(notebook: NotebookNode, root: Path, package: str) -> str:
    """Return a hexadecimal SHA-256 over everything that decides what the notebook prints and draws.

    `root` is the folder that holds `package` and the requirement files.  Prose is not part of the key:
    editing a sentence does not train anything again.
    """
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    parts = [
        f"python {sys.version_info.major}.{sys.version_info.minor}",
        *(json.dumps([cell.source, cell.metadata], sort_keys=True) for cell in cells),
    ]
    files = [root / name for name in REQUIREMENTS if (root / name).is_file()]
    for file in files + imported_files([cell.source for cell in cells], root, package):
        parts += [file.relative_to(root).as_posix(), imports.source_text(file)]
    return imports.digest(parts)


def imported_files(sources: list[str], root: Path, package: str) -> list[Path]:
    """Return the files of `package` that the cells import, directly or through one another, sorted.

    A cell that is not Python, even after IPython's own rewriting, might import anything: then the whole package counts.
    """
    try:
        return imports.imported_files([as_python(source) for source in sources], root, package)
    except SyntaxError:
        return sorted((root / package).rglob("*.py"))


@functools.cache
def as_python(source: str) -> str:
    """Rewrite IPython's magics as Python; the body of a cell magic such as `%%time` stays what it is."""
    if source.lstrip().startswith("%%"):
        source = source.lstrip().partition("\n")[2]
    return TransformerManager().transform_cell(source)
