"""What is on file of every claim's replications: runs of its chapter on seeds that nobody had looked at.

One line of the file is one execution of a chapter on one shift of all draws (see `innerlab.seeds`), as a JSON object:
when, with which versions and on what kind of machine, the keys of the code, and for every claim whether it held and
what was measured.  Lines are only added.  A replication speaks for a claim as it now stands if three things are still
the same: its sentence, its condition, and the code of its chapter.  All others are earlier attempts, and are counted
as such.

Keys are made of syntax trees: comments, docstrings and line breaks do not count, nor do the words of captions, what a
claim says it measured, or its grade, since that follows from the replications.  The code of a chapter is that of its
page and of its wing.  What many chapters share is a second key, which is on file and binds nobody: a line edited there
would make every chapter run again.
"""

import ast
import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeGuard

from nbformat import NotebookNode

from innerlab import imports

from .keys import as_python, imported_files

FILE = "bench/replications.jsonl"
FILED_FROM = 1_000_000  # the first shift that is filed; those below are for trials
SHARES = {"solid": 0.95, "thin": 0.75}  # of its replications in which a claim of this grade has held
TIMES = 20  # replications that a grade needs
DIGITS = 16  # of a key
DRAWING = ("ax", "axes", "figure", "figures", "plt")  # a statement that only calls one of these shows what is known


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

    held: int
    """replications of the claim as it stands in which it held"""
    times: int
    """replications of the claim as it stands"""
    values: tuple[float, ...]
    """what they measured, where that is one number"""
    earlier: tuple[tuple[int, int], ...]
    """of every earlier form of the claim or of its chapter: in how many it held, of how many; oldest first"""

    def bears(self, strength: str) -> bool:
        """Tell whether the claim may have this grade."""
        if strength == "identity":
            return self.held == self.times
        return strength not in SHARES or (self.times >= TIMES and self.held >= SHARES[strength] * self.times)


# The keys


def claim_sources(notebook: NotebookNode) -> list[ClaimSource]:
    """Return the claims that the page's code makes, in its order.

    Raises:
        ValueError: if a claim's name or grade is not written out.
    """
    found = []
    for call in (node for tree in _trees(notebook) for node in ast.walk(tree) if is_claim(node)):
        fields = dict(zip(("name", "sentence"), call.args, strict=False)) | {k.arg: k.value for k in call.keywords}
        name, strength = (getattr(fields.get(field), "value", None) for field in ("name", "strength"))
        if not isinstance(name, str) or not isinstance(strength, str):
            raise ValueError(f"a claim's name or its grade is not written out: {ast.unparse(call)[:80]}")
        found.append(ClaimSource(name, strength, _key(ast.dump(fields[f]) for f in ("sentence", "holds"))))
    return found


def code_keys(name: str, notebook: NotebookNode, root: Path, package: str) -> tuple[str, str]:
    """Return two keys: of a chapter's own code, on its page and in its wing, and of the rest that it imports."""
    cells = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    wing = root / package / "chapters" / name
    own: list[ast.AST] = [_Bare().visit(tree) for tree in _trees(notebook)]
    shared: list[ast.AST] = []
    for file in imported_files(cells, root, package):
        (own if file.is_relative_to(wing) else shared).append(_without_docstrings(ast.parse(imports.source_text(file))))
    return _key(map(ast.dump, own)), _key(map(ast.dump, shared))


def _trees(notebook: NotebookNode) -> Iterator[ast.Module]:
    for cell in notebook.cells:
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


def _key(parts: Iterable[str]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(hashlib.sha256(part.encode()).digest())
    return digest.hexdigest()[:DIGITS]


# The file


def read(root: Path) -> list[dict]:
    """Return all that is on file, oldest first."""
    path = root / FILE
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    return [json.loads(line) for line in lines]


def unused_shift(filed: Iterable[dict], name: str) -> int:
    """Return the next shift of a chapter: they follow each other, so that none can be left out unseen."""
    used = [line["shift"] for line in filed if line["chapter"] == name]
    return max(used, default=FILED_FROM - 1) + 1


def standings(filed: Iterable[dict], name: str, claims: Iterable[ClaimSource], code: str) -> dict[str, Standing]:
    """Return what is on file of each of a chapter's claims.

    Args:
        filed: all that is on file.
        name: the chapter's.
        claims: as the chapter makes them now.
        code: the key of the chapter's own code now.
    """
    lines = [line for line in filed if line["chapter"] == name]
    found = {}
    for claim in claims:
        forms: dict[tuple[str, str], list[dict]] = {}
        for line in lines:
            if (said := line["claims"].get(claim.name)) is not None:
                forms.setdefault((line["code"], said["key"]), []).append(said)
        now = forms.pop((code, claim.key), [])
        values = tuple(said["value"] for said in now if said["value"] is not None)
        earlier = tuple((_held(form), len(form)) for form in forms.values())
        found[claim.name] = Standing(_held(now), len(now), values, earlier)
    return found


def _held(form: list[dict]) -> int:
    return Counter(said["held"] for said in form)[True]
