"""What Lighthouse says of the built pages, from behind a server that compresses.

Lighthouse comes from npm and is no part of the set-up: `HOW_TO_INSTALL` says where it is looked for. It runs on the
Node that Playwright brings along.
"""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import playwright

from bench.numbers import Number, number
from bench.serving import BROWSER_FLAGS, find_browser, serving

HOW_TO_INSTALL = "npm install --no-save --prefix _build/lighthouse lighthouse@13.5.0"
PAGES = ("book/index", "book/pseudo_alignment", "book/glossary")  # the front page, a chapter, and the longest list
CATEGORIES = ("performance", "accessibility", "best-practices", "seo")
AT_LEAST = {"performance": 95}  # and 100 for the others


def missing(root: Path) -> str:
    """Say what Lighthouse needs and this machine lacks; "" when nothing is missing."""
    if not program(root).is_file():
        return f"no Lighthouse: {HOW_TO_INSTALL}"
    return "" if find_browser() else "no Chromium or Chrome: install one"


def program(root: Path) -> Path:
    """The path at which Lighthouse is looked for."""
    return root / "_build" / "lighthouse" / "node_modules" / "lighthouse" / "cli" / "index.js"


def audit(root: Path, address: str) -> dict[str, int]:
    """Score the page at an address, as on a phone: each category from 0 to 100.

    Raises:
        RuntimeError: if Lighthouse does not come to an end, with its last words.
    """
    driver = Path(playwright.__file__).parent / "driver"
    node = next(path for path in (driver / "node", driver / "node.exe") if path.is_file())
    flags = f"--chrome-flags={' '.join(BROWSER_FLAGS)}"
    command = [node, program(root), address, "--quiet", "--output=json", f"--only-categories={','.join(CATEGORIES)}"]
    done = subprocess.run(
        [*map(str, command), flags],
        capture_output=True,
        encoding="utf8",
        env=os.environ | {"CHROME_PATH": find_browser()},
        timeout=300,
    )
    if done.returncode != 0:
        raise RuntimeError(f"Lighthouse failed on {address}:\n{done.stderr[-2000:]}")
    return {name: round(100 * found["score"]) for name, found in json.loads(done.stdout)["categories"].items()}


def measure(root: Path, repetitions: int = 3) -> Iterator[Number]:
    """Yield the scores of some pages of the built book, medians of a few runs; none where Lighthouse is not there."""
    for page in PAGES:
        scores: dict[str, list[float]] = {name: [] for name in CATEGORIES}
        if not missing(root):
            with serving(root / "_build" / "html") as address:
                for _ in range(repetitions):
                    for name, score in audit(root, f"{address}/{page}.html").items():
                        scores[name].append(score)
        for name, values in scores.items():
            meaning = f"Lighthouse, of 100; at least {AT_LEAST.get(name, 100)} is wanted"
            yield number(f"{Path(page).name}: {name}", values, "", meaning)
