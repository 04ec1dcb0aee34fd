#!/usr/bin/env python3
"""Every command of the book.  Needs nothing but Python 3.11 or newer; sets up .venv by itself."""

import hashlib
import importlib.util
import json
import os
import pathlib
import subprocess
import sys

# This file must stay readable for older Pythons, so that they can say that they are too old.
NEEDED = (3, 11)
ROOT = pathlib.Path(__file__).resolve().parent
VENV = ROOT / ".venv"
SCRIPTS = VENV / ("Scripts" if os.name == "nt" else "bin")
ENDING = ".exe" if os.name == "nt" else ""
PYTHON = SCRIPTS / ("python" + ENDING)
STAMP = VENV / "set-up.json"
REQUIREMENTS = ("requirements.txt", "constraints.txt", "pyproject.toml")
INTERRUPTED = 130


# The commands


def book(extra):
    """Build the site; return Jupyter Book's exit code."""
    tool = SCRIPTS / ("jupyter-book" + ENDING)
    code = run([tool, "build", "-W", "-n", "--keep-going", ".", *extra])
    if code == 0:
        print("\nThe book is ready: " + (ROOT / "_build" / "html" / "index.html").as_uri())
    elif code != INTERRUPTED:
        print("\nThe book was not built; the errors and warnings above say why.", file=sys.stderr)
    return code


def test(extra):
    """Run every test; return pytest's exit code."""
    # One more than there are cores, since browsers and sandboxes are often waited for.  Each may hold a gigabyte.
    workers = min((os.cpu_count() or 1) + 1, 4)
    return run([PYTHON, "-m", "pytest", "-n", str(workers), *extra])


def notebooks(extra):
    """Write every chapter and exercise as a notebook for launch buttons; return the exit code."""
    return python("sys.path.insert(0, 'book/_ext'); import innersite.notebooks as n; n.main(pathlib.Path())", extra)


def exercises(extra):
    """Write the exercise notebooks anew; return the exit code."""
    return python("from innerlab.checks import release; release.main(pathlib.Path())", extra)


def new(extra):
    """Write what an author of a chapter begins with; return the exit code."""
    code = "sys.path.insert(0, 'book/_ext'); import innersite.authoring as a; "
    return python(code + "sys.exit(a.main(pathlib.Path(), sys.argv[1:]))", extra)


def lab(extra):
    """Copy what is new into work/ and open JupyterLab there; return the exit code."""
    code = python("from innerlab.checks import folder; folder.lab(pathlib.Path())", [])
    if code != 0:
        return code
    return run([SCRIPTS / ("jupyter-lab" + ENDING), f"--ServerApp.root_dir={ROOT / 'work'}", *extra])


def progress(extra):
    """Say how far the exercises in work/ are; return the exit code."""
    return python("from innerlab.checks import folder; folder.progress(pathlib.Path())", extra)


def course(extra):
    """Write a course folder for nbgrader; return the exit code."""
    if len(extra) != 1 or extra[0].startswith("-"):
        print("usage: python run.py course DIR\n\nDIR is the folder to write the course into.", file=sys.stderr)
        return 2
    target = os.path.abspath(extra[0])  # as seen from where the command was typed
    return python("from innerlab.checks import course; course.main(pathlib.Path(), sys.argv[1])", [target])


def grade(extra):
    """Mark a class; return the exit code."""
    code = "from innerlab.marking import command; sys.exit(command.main(pathlib.Path(), sys.argv[1], sys.argv[2:]))"
    return python(code, [os.getcwd(), *extra])  # paths count from where the command was typed


def bench(extra):
    """Measure speed, running times and memory; return the exit code."""
    return run([PYTHON, "-m", "bench", *extra])


JOBS = {
    "book": (book, "build the site into _build/html; only chapters that changed are executed"),
    "test": (test, "run every test; what follows goes to pytest, as in: test -k claims"),
    "lab": (lab, "copy new exercises into work/, never over a file that is there, and open JupyterLab"),
    "progress": (progress, "say which exercises in work/ are solved, attempted, untouched"),
    "exercises": (exercises, "write exercises/ anew from solutions/"),
    "new": (new, "write a chapter that passes every check, to be filled in: new chapter NAME"),
    "course": (course, "write an nbgrader course folder: course DIR"),
    "grade": (grade, "mark a class, safely: grade SUBMITTED --out DIR (--help says more)"),
    "bench": (bench, "measure speed against peers, running times and memory; --laboratory leaves the book out"),
    "notebooks": (notebooks, "write every chapter as .ipynb beside its source, for launch buttons"),
}


def usage():
    """Return the text that says what can be asked for."""
    lines = ["usage: python run.py COMMAND [...]", ""]
    return "\n".join(lines + [f"  {name:<10} {line}" for name, (_, line) in JOBS.items()])


# Setting up


def wanted():
    """Return what .venv must have been made from: requirements (whatever the line endings), Python and place.

    The place counts since scripts and the editable package hold absolute paths.
    """
    text = b"\0".join((ROOT / name).read_bytes().replace(b"\r\n", b"\n") for name in REQUIREMENTS)
    return {
        "requirements": hashlib.sha256(text).hexdigest(),
        "python": f"{sys.version_info[0]}.{sys.version_info[1]}",
        "folder": str(ROOT),
    }


def finished():
    """Return what .venv was last completely made from; empty when that is not known."""
    try:
        return json.loads(STAMP.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def works():
    """Tell whether .venv has an interpreter that starts, with pip."""
    try:
        return subprocess.run([str(PYTHON), "-c", "import pip"], capture_output=True).returncode == 0
    except OSError:
        return False


def steps(want, have, working):
    """Decide what to do: a tuple out of "create" and "install", in that order.

    A working .venv is brought up to date in place; it is made anew when it is broken, or belongs to another
    Python or another folder.  Without a record of the last set-up (an interrupted one) it is only installed into.
    """
    if not working or any(have.get(name, want[name]) != want[name] for name in ("python", "folder")):
        return ("create", "install")
    return () if have == want else ("install",)


def set_up():
    """Make .venv match the requirements; exit with a message when that cannot be done."""
    want = wanted()
    todo = steps(want, finished(), works())
    if not todo:
        return
    print("Setting up .venv" + (" (once; a few minutes)" if "create" in todo else ": the requirements changed"))
    if "create" in todo:
        create()
    STAMP.unlink(missing_ok=True)  # until the installation is complete, there is nothing to rely on
    code = run([PYTHON, "-m", "pip", "install", "--disable-pip-version-check", "-r", "requirements.txt"])
    if code == INTERRUPTED:
        sys.exit(code)
    if code != 0:
        sys.exit(
            f"\nThe installation did not finish (pip's exit code: {code}); its last lines above say why.\n"
            "If they speak of connections or of no matching version, the package index could not be reached:\n"
            "check the network (and a proxy, if you need one), then run the same command again."
        )
    STAMP.write_text(json.dumps(want), encoding="utf-8")
    print("Setting up .venv: done\n", flush=True)


def create():
    """Create .venv afresh, from the Python that this one stands on if it is itself a virtual environment."""
    if importlib.util.find_spec("venv") is None or importlib.util.find_spec("ensurepip") is None:
        sys.exit(
            "This Python cannot make virtual environments: its modules venv and ensurepip are kept apart.\n"
            "On Debian and Ubuntu: sudo apt install python3-venv\n"
            "Then run the same command again."
        )
    base = getattr(sys, "_base_executable", None) or sys.executable
    code = run([base, "-m", "venv", "--clear", VENV])
    if code != 0:
        sys.exit(code if code == INTERRUPTED else f"\nCould not create {VENV}; the lines above say why.")


# Running


def environment():
    """Return the environment of every process started here: .venv comes first, one thread each."""
    env = dict(os.environ)
    for name in ("PYTHONHOME", "__PYVENV_LAUNCHER__"):
        env.pop(name, None)  # they point at the Python that runs this file
    env["VIRTUAL_ENV"] = str(VENV)
    env["PATH"] = str(SCRIPTS) + os.pathsep + env.get("PATH", "")
    env["PYTHONUTF8"] = "1"
    env["PYDEVD_DISABLE_FILE_VALIDATION"] = "1"  # or every kernel warns about frozen modules
    env.setdefault("OMP_NUM_THREADS", "1")  # on shared cores, two threads are slower than one
    env.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    return env


def run(command):
    """Run a command in the book's folder and return its exit code.

    Ctrl-C reaches the command by itself; this waits for it to wind down, and ends it at the third.
    """
    sys.stdout.flush()
    try:
        process = subprocess.Popen([str(part) for part in command], cwd=str(ROOT), env=environment())
    except OSError as problem:
        print(f"Could not start {command[0]}: {problem}", file=sys.stderr)
        return 1
    interrupts = 0
    while True:
        try:
            code = process.wait()
            break
        except KeyboardInterrupt:
            interrupts += 1
            if interrupts > 2:
                process.kill()
    if interrupts:
        print("\nInterrupted.", file=sys.stderr)
        return INTERRUPTED
    return code if code >= 0 else 128 - code  # as shells say that a signal ended it


def python(code, extra):
    """Run a line of Python in the book's own environment and return its exit code."""
    return run([PYTHON, "-c", "import pathlib, sys; " + code, *extra])


def main(arguments):
    """Run one job; return the exit code."""
    if sys.version_info < NEEDED:
        have, needed = (".".join(str(part) for part in version[:2]) for version in (sys.version_info, NEEDED))
        print(f"The book needs Python {needed} or newer; this is {have}.", file=sys.stderr)
        return 1
    if arguments and arguments[0] in ("-h", "--help", "help"):
        print(usage())
        return 0
    if not arguments or arguments[0] not in JOBS:
        if arguments:
            print(f"There is no command {arguments[0]!r}.\n", file=sys.stderr)
        print(usage(), file=sys.stderr)
        return 2
    set_up()
    job, _ = JOBS[arguments[0]]
    return job(arguments[1:])


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
