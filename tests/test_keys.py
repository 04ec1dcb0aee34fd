"""A chapter's key changes with everything its outputs depend on, and with nothing else."""

from collections import namedtuple

import nbformat.v4 as v4
import pytest

from innersite.keys import chapter_key, imported_files

FILES = {
    "lab/__init__.py": "",
    "lab/alone.py": "import math\n",
    "lab/base.py": "X = 1\n",
    "lab/worlds/__init__.py": "from ..base import X\n",
    "lab/worlds/grid.py": "from . import walls\nimport lab.worlds.doors as doors\n",
    "lab/worlds/walls.py": "",
    "lab/worlds/doors.py": "def late():\n    from ..deep.down import inner\n",
    "lab/deep/__init__.py": "",
    "lab/deep/down/__init__.py": "from .inner import *\n",
    "lab/deep/down/inner.py": "from ... import base\n",
    "labels.py": "",
    "requirements.txt": "numpy==1\n",
}


@pytest.fixture
def root(tmp_path):
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(text.encode())
    return tmp_path


def notebook(*sources, tags=()):
    cells = [v4.new_code_cell(source, metadata={"tags": list(tags)}) for source in sources]
    return v4.new_notebook(cells=cells)


ALL_OF_WORLDS = [
    "__init__",
    "base",
    "deep/__init__",
    "deep/down/__init__",
    "deep/down/inner",
    "worlds/__init__",
    "worlds/doors",
    "worlds/grid",
    "worlds/walls",
]


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("import lab", ["__init__"]),
        ("import labels, numpy", []),
        ("import lab.alone as a", ["__init__", "alone"]),
        ("from lab import alone, nothing", ["__init__", "alone"]),
        ("from lab.base import X", ["__init__", "base"]),
        ("from lab.worlds.grid import anything", ALL_OF_WORLDS),
        ("from lab.worlds import walls", ["__init__", "base", "worlds/__init__", "worlds/walls"]),
        ("from lab.deep.down import *", ["__init__", "base", "deep/__init__", "deep/down/__init__", "deep/down/inner"]),
        ("%matplotlib inline\n!ls\nimport lab.alone", ["__init__", "alone"]),
        ("%%time\nimport lab.base", ["__init__", "base"]),
        ("if True:\n    import lab.base", ["__init__", "base"]),
    ],
)
def test_imports_are_followed(root, source, names):
    found = imported_files([source], root, "lab")
    assert [file.relative_to(root / "lab").with_suffix("").as_posix() for file in found] == sorted(names)


def test_a_cell_that_cannot_be_read_depends_on_the_whole_package(root):
    found = imported_files(["import lab.alone", "for for"], root, "lab")
    assert len(found) == sum(name.startswith("lab/") for name in FILES)


def key(root, *sources, **settings):
    return chapter_key(notebook(*sources, **settings), root, "lab")


@pytest.mark.parametrize("name", ["lab/__init__.py", "lab/base.py", "lab/worlds/walls.py", "requirements.txt"])
def test_a_changed_file_changes_the_key(root, name):
    before = key(root, "from lab.worlds import grid")
    (root / name).write_text("Y = 2\n")
    assert key(root, "from lab.worlds import grid") != before


def test_new_constraints_change_the_key(root):
    before = key(root, "1")
    (root / "constraints.txt").write_text("scipy==1\n")
    assert key(root, "1") != before


def test_what_is_not_imported_does_not_change_the_key(root):
    before = key(root, "from lab.worlds import grid")
    (root / "lab/alone.py").write_text("changed = True\n")
    assert key(root, "from lab.worlds import grid") == before


def test_windows_line_endings_do_not_change_the_key(root):
    before = key(root, "from lab.worlds import grid")
    for name in FILES:
        (root / name).write_bytes((root / name).read_bytes().replace(b"\n", b"\r\n"))
    assert key(root, "from lab.worlds import grid") == before


def test_prose_does_not_change_the_key_but_code_and_tags_do(root):
    plain = notebook("x = 1")
    prose = notebook("x = 1")
    prose.cells.append(v4.new_markdown_cell("A sentence."))
    keys = [
        chapter_key(plain, root, "lab"),
        key(root, "x = 2"),
        key(root, "x =", "1"),
        key(root, "x = 1", tags=["raises-exception"]),
    ]
    assert chapter_key(prose, root, "lab") == keys[0]
    assert len(set(keys)) == len(keys)


def test_another_python_changes_the_key(root, monkeypatch):
    before = key(root, "1")
    version = namedtuple("Version", "major minor micro releaselevel serial")
    monkeypatch.setattr("sys.version_info", version(3, 99, 0, "final", 0))
    assert key(root, "1") != before
