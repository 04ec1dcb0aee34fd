"""Runs JavaScript with the Node that Playwright brings along."""

import subprocess
from pathlib import Path

import playwright
from tiny_book import ROOT


def node(*arguments: str, **options) -> subprocess.CompletedProcess:
    """Run Node in the repository's folder."""
    folder = Path(playwright.__file__).parent / "driver"
    program = next(path for path in (folder / "node", folder / "node.exe") if path.is_file())
    return subprocess.run(
        [str(program), *arguments], cwd=ROOT, capture_output=True, encoding="utf8", timeout=900, **options
    )
