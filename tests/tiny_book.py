"""A book of a few lines, built with this book's own extension: what the tests of building and running need."""

import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from warm import completed

ROOT = Path(__file__).resolve().parents[1]
SCRIPTS = Path(sys.executable).parent

HEADER = """---
jupytext:
  text_representation:
    format_name: myst
kernelspec:
  display_name: Python 3
  name: python3
---
"""

CONFIGURATION = f"""title: Tiny
author: A. Tester
copyright: "2026"
logo: ""
only_build_toc_files: true
execute: {{execute_notebooks: cache, timeout: 600, stderr_output: error}}
parse: {{myst_enable_extensions: [colon_fence]}}
sphinx:
  local_extensions: {{innersite: "{(ROOT / "book" / "_ext").as_posix()}"}}
  config:
    extensions: [myst_nb, jupyter_book, sphinx_external_toc, sphinx_comments, innersite.execution]
    html_theme: basic
    html_theme_options: {{}}
    nb_execution_raise_on_error: true
    innersite_package: tinylab
"""

PYTEST = f"""[pytest]
pythonpath = "{(ROOT / "book" / "_ext").as_posix()}"
addopts = -p no:cacheprovider --nbval --nbval-current-env
"""


def cell(source: str, tags: str = "") -> str:
    """Write a code cell as MyST; `tags` as in a chapter, for example `[raises-exception]`."""
    option = f":tags: {tags}\n\n" if tags else ""
    return f"\n```{{code-cell}} ipython3\n{option}{source}\n```\n"


@dataclass(frozen=True)
class Result:
    """How a command ended: its exit code, and all that it wrote, without colors."""

    code: int
    text: str


@dataclass(frozen=True)
class TinyBook:
    """A folder with a book, its package `tinylab`, and the notebook tests of this repository."""

    root: Path

    def __post_init__(self):
        self.write("_config.yml", CONFIGURATION)
        self.write("pytest.ini", PYTEST)
        self.write("conftest.py", (ROOT / "conftest.py").read_text(encoding="utf-8"))
        self.write("tinylab/__init__.py", "")
        self.write("book/index.md", "# Tiny\n")

    def write(self, name: str, text: str) -> Path:
        """Write a file below the book's folder."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def chapters(self, **texts: str) -> None:
        """Write one notebook a keyword, named for it, and the table of contents."""
        for name, text in texts.items():
            self.write(f"book/{name}.md", f"{HEADER}# Chapter {name}\n{text}")
        listed = "".join(f"  - file: book/{name}\n" for name in texts)
        self.write("_toc.yml", f"format: jb-book\nroot: book/index\nchapters:\n{listed}")

    def page(self, name: str) -> str:
        """Return a built page."""
        return (self.root / "_build" / "html" / "book" / f"{name}.html").read_text(encoding="utf-8")

    def build(self) -> Result:
        """Build as `python run.py book` does."""
        return self._run(SCRIPTS / "jupyter-book", "build", "-W", "-n", "--keep-going", ".")

    def pytest(self, *arguments: str) -> Result:
        """Run the notebooks as `python run.py test` does."""
        return self._run("-m", "pytest", "book", *arguments)

    def replicate(self, *arguments: str) -> Result:
        """Replicate chapters as `python run.py replicate` does."""
        return self._run("-m", "innersite.replicating", *arguments)

    def _run(self, *command) -> Result:
        # The tests' own pytest must not leak its settings into the one it starts.
        env = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
        env |= {"PYTHONPATH": str(self.root), "NO_COLOR": "1", "PYTHONUTF8": "1"}
        code, text = completed([str(part) for part in command], self.root, env)
        return Result(code, re.sub(r"\x1b\[[0-9;]*m", "", text))


def executed(result: Result) -> set[str]:
    """Return the names of the chapters that a build says it executed."""
    return set(re.findall(r"executing book/(\w+) ", result.text))
