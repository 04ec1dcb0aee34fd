"""What the outputs of a notebook depend on, as one key.

jupyter-cache looks only at the source of the cells and at the kernel.  The outputs also depend on the
laboratory's modules that the cells import, on the installed versions and on the cells' tags; this key covers
those.  Of modules imported under a name that is only known while the code runs, as in
`import_module(f"innerlab.checks.{chapter}")`, every one of that package counts.  Left out on purpose: data files.
"""

import ast
import functools
import hashlib
import json
import re
import sys
from pathlib import Path

from IPython.core.inputtransformer2 import TransformerManager
from nbformat import NotebookNode

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
        parts += [file.relative_to(root).as_posix(), _text(file)]
    digest = hashlib.sha256()
    for part in parts:
        digest.update(hashlib.sha256(part.encode()).digest())  # of one length: parts cannot run together
    return digest.hexdigest()


def imported_files(sources: list[str], root: Path, package: str) -> list[Path]:
    """Return the files of `package` that the cells import, directly or through one another, sorted.

    Importing `a.b.c` runs `a/__init__.py` and `a/b/__init__.py` as well, so they count.  A cell that is not
    Python, even after IPython's own rewriting, might import anything: then the whole package counts.
    """
    waiting: list[str] = []
    for source in sources:
        try:
            waiting += _imports(_as_python(source))
        except SyntaxError:
            return sorted((root / package).rglob("*.py"))
    found: dict[str, Path | None] = {}
    while waiting:
        name = waiting.pop()
        if name in found or name.split(".")[0] != package:
            continue
        if name.endswith(".*"):
            folder = root.joinpath(*name.split(".")[:-1])
            waiting += [".".join(file.relative_to(root).with_suffix("").parts) for file in folder.glob("*.py")]
            found[name] = None
            continue
        found[name] = file = _module_file(name, root)
        if "." in name:
            waiting.append(name.rpartition(".")[0])
        if file is not None:
            within = name if file.name == "__init__.py" else name.rpartition(".")[0]
            waiting += _imports_of_file(file, within)
    return sorted(file for file in found.values() if file is not None)


@functools.cache  # the chapters import the same files, and each is asked for its key more than once
def _imports(source: str, within: str = "") -> tuple[str, ...]:
    """Return every dotted name that the source may import; relative imports start from the package `within`.

    `from a import b` gives `a` and `a.b`, since `b` may be a module; names that are none have no file.
    """
    names: list[str] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = within.split(".")
                parents = parents[: len(parents) - (node.level - 1)]
                base = ".".join([*parents, base] if base else parents)
            names += [base, *(f"{base}.{alias.name}" for alias in node.names if alias.name != "*")]
        elif isinstance(node, ast.JoinedStr) and isinstance(node.values[0], ast.Constant):
            stem = node.values[0].value
            if re.fullmatch(r"\w+(\.\w+)*\.", stem):
                names.append(f"{stem}*")
    return tuple(names)


def _imports_of_file(file: Path, within: str) -> tuple[str, ...]:
    try:
        return _imports(_text(file), within)
    except SyntaxError:
        return ()  # the chapter fails when it runs, and the repaired file has another key


@functools.cache
def _as_python(source: str) -> str:
    """Rewrite IPython's magics as Python; the body of a cell magic such as `%%time` stays what it is."""
    if source.lstrip().startswith("%%"):
        source = source.lstrip().partition("\n")[2]
    return TransformerManager().transform_cell(source)


def _module_file(name: str, root: Path) -> Path | None:
    place = root.joinpath(*name.split("."))
    candidates = (place / "__init__.py", place.with_name(place.name + ".py"))
    return next((file for file in candidates if file.is_file()), None)


def _text(file: Path) -> str:
    """Read a file so that a checkout with Windows line endings has the same key."""
    return file.read_bytes().replace(b"\r\n", b"\n").decode("utf-8", errors="replace")
