"""Runs Python commands one at a time, each in a copy of this process, which has imported already what they begin with.

Tests that build tiny books start Sphinx, and pytest, many times over; half of the work of each was to import them.
Every command still has a process of its own, with its own folder, environment and output. Where processes cannot be
copied, on Windows, each is started from nothing.
"""

import atexit
import functools
import importlib
import json
import os
import runpy
import subprocess
import sys
import tempfile
from pathlib import Path

EXTENSIONS = Path(__file__).resolve().parents[1] / "book" / "_ext"
IMPORTED = ("jupyter_book.cli.main", "jupyter_book.sphinx", "innersite.execution", "innersite.evidence")
IMPORTED += ("innersite.widgets", "myst_nb", "sphinx_external_toc", "sphinx_comments", "sphinx_jupyterbook_latex")
IMPORTED += ("bs4", "IPython.core.inputtransformer2", "nbformat", "jupyter_client", "nbclient", "jsonschema", "pytest")


def completed(command: list[str], folder: Path, environment: dict[str, str]) -> tuple[int, str]:
    """Run a script, or `-m` and a module, with arguments, on this Python; return exit code and all that was written."""
    if not hasattr(os, "fork"):
        script = [] if command[0] == "-m" else [str(Path(command[0]).with_suffix(".exe"))]
        done = subprocess.run(
            [*(script or [sys.executable, command[0]]), *command[1:]],
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
        )
        return done.returncode, done.stdout
    with tempfile.TemporaryDirectory() as place:
        output = Path(place, "output.txt")
        order = {"command": command, "folder": str(folder), "environment": environment, "output": str(output)}
        server = started()
        server.stdin.write(json.dumps(order) + "\n")
        server.stdin.flush()
        return int(server.stdout.readline()), output.read_text("utf-8")


@functools.cache
def started() -> subprocess.Popen:
    """Start the process that is copied, which ends with this one."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    environment |= {"PYTHONUTF8": "1", "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), str(EXTENSIONS)])}
    server = subprocess.Popen(
        [sys.executable, "-c", "import warm; warm.serve()"],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    )
    atexit.register(server.wait)
    atexit.register(server.stdin.close)  # which is done first
    return server


def serve() -> None:
    """Answer orders until there are no more; a copy that has got an order follows it and ends."""
    for name in IMPORTED:
        importlib.import_module(name)
    from sphinx.application import builtin_extensions

    for name in builtin_extensions:
        importlib.import_module(name)
    while line := sys.stdin.readline():
        copy = os.fork()
        if copy == 0:
            follow(**json.loads(line))
            return
        print(os.waitstatus_to_exitcode(os.waitpid(copy, 0)[1]), flush=True)


def follow(command: list[str], folder: str, environment: dict[str, str], output: str) -> None:
    """Become the process that was asked for."""
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    file = os.open(output, os.O_WRONLY | os.O_CREAT)
    os.dup2(file, 1)
    os.dup2(file, 2)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.path[:] = [path for path in sys.path if path not in (str(Path(__file__).parent), str(EXTENSIONS))]
    sys.path.insert(0, folder)
    if command[0] == "-m":
        sys.argv = command[1:]
        runpy.run_module(command[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = command
        runpy.run_path(command[0], run_name="__main__")
