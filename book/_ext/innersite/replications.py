"""What is on file of every claim's replications: runs of its chapter on seeds that nobody had looked at.

One line of the file is one execution of a chapter on one shift of all draws (see `innerlab.seeds`), as a JSON object:
when, with which versions and on what kind of machine, the keys of the code, and for every claim whether it held and
what was measured.  Lines are only added.  A replication speaks for a claim as it now stands if three things are still
the same: its sentence, its condition, and the code of its chapter.  All others are earlier attempts, and are counted
as such.

Keys are made of syntax trees, the same for every version of Python: comments, docstrings and line breaks do not count,
nor do the words of captions, what a claim says it measured, or its grade, since that follows from the replications.
The code of a chapter is that of its page and of its wing.  What many chapters share is a second key, which is on file
and binds nobody: a line edited there would make every chapter run again.
"""

import ast
import functools
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeGuard

from nbformat import NotebookNode

from innerlab import imports

from .execution import Book
from .keys import as_python, imported_files

FILE = "bench/replications.jsonl"
FILED_FROM = 1_000_000  # the first shift that is filed; those below are for trials
SHARES = {"solid": 0.95, "thin": 0.75, "identity": 1.0}  # of its replications in which a claim of this grade has held
TIMES = 20  # replications that solid and thin need
DIGITS = 16  # of a key
DRAWING = ("ax", "axes", "figure", "figures", "plt")  # a statement that only calls one of these shows what is known


# What is on file of a claim


@dataclass(frozen=True)
class ClaimSource:
    """A claim as the code of its page makes it."""

    name: str
    strength: str
    key: str
    """of its sentence and its condition"""


@dataclass(frozen=True)
class Standing:
    """What is on file of one claim."""

    held: int = 0
    """replications of the claim as it stands in which it held"""
    times: int = 0
    """replications of the claim as it stands"""
    values: tuple[float, ...] = ()
    """what they measured, where that is one number"""
    earlier: tuple[tuple[int, int], ...] = ()
    """of every earlier form of the claim or of its chapter: in how many it held, of how many; oldest first"""

    def holds_as(self, strength: str) -> bool:
        """Tell whether the claim held as often as this grade promises, however few its replications are."""
        return self.held >= SHARES.get(strength, 0) * self.times

    def bears(self, strength: str) -> bool:
        """Tell whether the claim may have this grade."""
        enough = self.times >= TIMES or strength not in ("solid", "thin")
        return enough and self.holds_as(strength)


# The code of a chapter


@dataclass(frozen=True)
class ChapterSource:
    """A page with claims: what its replications are filed under."""

    name: str
    notebook: NotebookNode
    book: Book

    @functools.cached_property
    def claims(self) -> list[ClaimSource]:
        """The claims that the page's code makes, in its order.

        Raises:
            ValueError: if a claim's name or grade is not written out.
        """
        found = []
        for call in (node for tree in self._trees() for node in ast.walk(tree) if is_claim(node)):
            fields = dict(zip(("name", "sentence"), call.args, strict=False)) | {k.arg: k.value for k in call.keywords}
            name, strength = (getattr(fields.get(field), "value", None) for field in ("name", "strength"))
            if not isinstance(name, str) or not isinstance(strength, str):
                raise ValueError(f"a claim's name or its grade is not written out: {ast.unparse(call)[:80]}")
            found.append(ClaimSource(name, strength, _key(spelled(fields[f]) for f in ("sentence", "holds"))))
        return found

    @functools.cached_property
    def code(self) -> str:
        """The key of the chapter's own code, on its page and in its wing."""
        bare = [spelled(_Bare().visit(tree)) for tree in self._trees()]
        return _key([*bare, *map(_spelled_file, self._files(own=True))])

    @functools.cached_property
    def laboratory(self) -> str:
        """The key of the rest that the page imports."""
        return _key(map(_spelled_file, self._files(own=False)))

    def filed(self, lines: Iterable[dict]) -> list[dict]:
        """Return what is on file of the chapter as its code now is."""
        return [line for line in lines if line["chapter"] == self.name and line["code"] == self.code]

    def standings(self, lines: Iterable[dict]) -> dict[str, Standing]:
        """Return by name what is on file of each of the chapter's claims; `lines` is all that is on file."""
        lines = [line for line in lines if line["chapter"] == self.name]
        found = {}
        for claim in self.claims:
            forms: dict[tuple[str, str], list[dict]] = {}
            for line in lines:
                if (said := line["claims"].get(claim.name)) is not None:
                    forms.setdefault((line["code"], said["key"]), []).append(said)
            now = forms.pop((self.code, claim.key), [])
            values = tuple(said["value"] for said in now if said["value"] is not None)
            earlier = tuple((_held(form), len(form)) for form in forms.values())
            found[claim.name] = Standing(_held(now), len(now), values, earlier)
        return found

    def _files(self, own: bool) -> list[Path]:
        cells = [cell.source for cell in self.notebook.cells if cell.cell_type == "code"]
        wing = self.book.root / self.book.package / "chapters" / self.name
        files = imported_files(cells, self.book.root, self.book.package)
        return [file for file in files if file.is_relative_to(wing) == own]

    def _trees(self) -> Iterator[ast.Module]:
        for cell in self.notebook.cells:
            if cell.cell_type == "code":
                yield _without_docstrings(ast.parse(as_python(cell.source)))


def is_claim(node: ast.AST) -> TypeGuard[ast.Call]:
    """Tell whether this calls `check` of a chapter's claims."""
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "check"
        and any(keyword.arg == "holds" for keyword in node.keywords)
    )


def spelled(node: object) -> str:
    """Spell a syntax tree without what is empty, since versions of Python differ in which empty fields there are."""
    if isinstance(node, ast.AST):
        full = ((name, value) for name, value in ast.iter_fields(node) if value not in (None, []))
        return f"{type(node).__name__}({', '.join(f'{name}={spelled(value)}' for name, value in full)})"
    return f"[{', '.join(map(spelled, node))}]" if isinstance(node, list) else repr(node)


class _Bare(ast.NodeTransformer):
    """Leaves out of a page's code what a claim's own key covers, and what only shows what was computed."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        return ast.Call(node.func, [], []) if is_claim(node) else node

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        root = node.value.func if isinstance(node.value, ast.Call) else None
        while isinstance(root, ast.Attribute):
            root = root.value
        return None if isinstance(root, ast.Name) and root.id in DRAWING else self.generic_visit(node)


def _without_docstrings(tree: ast.Module) -> ast.Module:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = [part for part in node.body if not _is_text(part)]
    return tree


def _is_text(part: ast.stmt) -> bool:
    return isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant) and isinstance(part.value.value, str)


def _spelled_file(file: Path) -> str:
    return _spelled_text(imports.source_text(file))


@functools.cache  # chapters import the same files
def _spelled_text(text: str) -> str:
    return spelled(_without_docstrings(ast.parse(text)))


def _key(parts: Iterable[str]) -> str:
    return imports.digest(parts)[:DIGITS]


# The file


def read(root: Path) -> list[dict]:
    """Return all that is on file, oldest first."""
    path = root / FILE
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    return [json.loads(line) for line in lines]


def unused_shift(lines: Iterable[dict], name: str) -> int:
    """Return the next shift of a chapter: they follow each other, so that none can be left out unseen."""
    used = [line["shift"] for line in lines if line["chapter"] == name]
    return max(used, default=FILED_FROM - 1) + 1


def _held(form: list[dict]) -> int:
    return sum(said["held"] for said in form)
