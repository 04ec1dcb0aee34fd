"""What every committed file keeps to."""

import re
import subprocess
import sys

import pytest
from tiny_book import ROOT

UNFINISHED = re.compile("|".join(["TO" + "DO", "FIX" + "ME", "X" * 3]))
# Folders that only exist on somebody's own machine.
OWN_PATHS = re.compile(r"(?<![\w.])/(work|home|root|Users)/\w|[A-Z]:\\\\Users")


def committed() -> list[str]:
    """List the files that git tracks, relative to the root; everything but git's own ignored files without git."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, encoding="utf-8")
    if listed.returncode:
        pytest.skip("not a git checkout")
    return listed.stdout.split("\n")[:-1]


def texts():
    for name in committed():
        path = ROOT / name
        if path.is_file() and b"\0" not in path.read_bytes():
            yield name, path.read_text(encoding="utf-8")


@pytest.mark.parametrize("command", [["check"], ["format", "--check", "--diff"]])
def test_ruff_finds_nothing(command):
    files = [name for name in committed() if name.endswith(".py") and (ROOT / name).exists()]
    assert files
    done = subprocess.run(
        [sys.executable, "-m", "ruff", *command, *files], cwd=ROOT, capture_output=True, encoding="utf-8"
    )
    assert done.returncode == 0, "run .venv/bin/ruff format . and mend what is left:\n" + done.stdout + done.stderr


def test_mypy_finds_nothing():
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--no-color-output"], cwd=ROOT, capture_output=True, encoding="utf-8"
    )
    assert done.returncode == 0, f"types do not fit (python -m mypy):\n{done.stdout}{done.stderr}"


@pytest.mark.parametrize(("pattern", "allowed"), [(UNFINISHED, set()), (OWN_PATHS, {".gitignore"})])
def test_no_file_holds(pattern, allowed):
    found = [
        f"{name}:{number}: {line.strip()}"
        for name, text in texts()
        if name not in allowed
        for number, line in enumerate(text.splitlines(), start=1)
        if pattern.search(line)
    ]
    assert not found, f"no file holds what {pattern.pattern} finds: finish it, or write the place another way; {found}"


@pytest.mark.parametrize("line", ["# TO" + "DO later", "see /ho" + "me/me/book", "in /ro" + "ot/x", "/wo" + "rk/main"])
def test_the_patterns_find_what_they_are_for(line):
    assert UNFINISHED.search(line) or OWN_PATHS.search(line)


@pytest.mark.parametrize("name", ["utils", "helpers", "common", "misc"])
def test_no_module_is_named_for_nothing(name):
    named = [path for path in committed() if re.search(rf"(^|/){name}(\.|/|$)", path)]
    assert not named, f"name it for what is inside: {named}"
