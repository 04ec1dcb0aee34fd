#!/usr/bin/env python3
"""Every command of the book.  Needs nothing but Python 3.11 or newer; sets up .venv by itself."""

import ast
import atexit
import hashlib
import importlib.util
import json
import os
import pathlib
import platform
import re
import shutil
import stat
import subprocess
import sys
import tempfile

# This file must stay readable for older Pythons, so that they can say that they are too old.
NEEDED = (3, 11)
ROOT = pathlib.Path(__file__).resolve().parent
VENV = ROOT / ".venv"
SCRIPTS = VENV / ("Scripts" if os.name == "nt" else "bin")
ENDING = ".exe" if os.name == "nt" else ""
PYTHON = SCRIPTS / ("python" + ENDING)
STAMP = VENV / "set-up.json"  # in .venv from its creation on: what it was made for; a .venv without it is not ours
REQUIREMENTS = ("requirements.txt", "constraints.txt", "pyproject.toml")
INTERRUPTED = 130
JUNCTION = 0xA0000003  # how Windows marks a folder that stands for another
CPU_INDEX = "https://download.pytorch.org/whl/cpu"  # as pytorch.org names it

# What no process started here gets of the user's environment, beside most of pip's settings; `environment` sets more.
CLEARED = (
    *("PYTHONPATH", "PYTHONHOME", "__PYVENV_LAUNCHER__", "PYTHONSTARTUP", "PYTHONSAFEPATH", "PYTHONINSPECT"),
    *("PYTHONOPTIMIZE", "PYTHONIOENCODING", "PYTHONWARNINGS", "PYTHONDEVMODE"),
    *("JUPYTER_PATH", "JUPYTER_CONFIG_PATH", "JUPYTER_NO_CONFIG", "MATPLOTLIBRC", "MPLBACKEND"),
)
# What JupyterLab keeps of it all the same.
PERSONAL = ("JUPYTER_CONFIG_DIR", "JUPYTER_CONFIG_PATH", "JUPYTER_NO_CONFIG")
# pip's settings that count: where packages come from, and how one gets there.  Others say where they go, or not to go.
SOURCES = (
    *("INDEX_URL", "EXTRA_INDEX_URL", "NO_INDEX", "FIND_LINKS", "CONSTRAINT", "ONLY_BINARY", "NO_BINARY"),
    *("PROXY", "CERT", "CLIENT_CERT", "TRUSTED_HOST", "KEYRING_PROVIDER", "TIMEOUT", "DEFAULT_TIMEOUT", "RETRIES"),
    *("CACHE_DIR", "NO_CACHE_DIR"),
)
PASSING = []  # the folder that stands in for .venv/settings, once there is one


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


def lint(extra):
    """Check style, types and imports, or with --fix also mend what can be mended; return the exit code."""
    if extra not in ([], ["--fix"]):
        print("usage: python run.py lint [--fix]", file=sys.stderr)
        return 2
    ruff = (["check", "--fix"], ["format"]) if extra else (["check"], ["format", "--check"])
    checks = [[PYTHON, "-m", "ruff", *words, "."] for words in ruff]
    checks += [[PYTHON, "-m", "mypy"], [SCRIPTS / ("lint-imports" + ENDING), "--cache-dir", "_build/import_linter"]]
    return max(run(check) for check in checks)


def notebooks(extra):
    """Write every chapter and exercise as a notebook for launch buttons; return the exit code."""
    # What makes the site is no installed package.
    return run([PYTHON, "-m", "innersite.notebooks", *extra], {"PYTHONPATH": str(ROOT / "book" / "_ext")})


def exercises(extra):
    """Write the exercise notebooks anew, or with --check compare them; return the exit code."""
    return run([PYTHON, "-m", "innerlab.checks.release", *extra])


def new(extra):
    """Write what an author of a chapter begins with; return the exit code."""
    return run([PYTHON, "-m", "innersite.authoring", *extra], {"PYTHONPATH": str(ROOT / "book" / "_ext")})


def lab(extra):
    """Copy what is new into work/ and open JupyterLab there; return the exit code."""
    code = run([PYTHON, "-m", "innerlab.checks.folder", "lab"])
    if code != 0:
        return code
    own = {name: os.environ.get(name) for name in PERSONAL}
    return run([SCRIPTS / ("jupyter-lab" + ENDING), f"--ServerApp.root_dir={ROOT / 'work'}", *extra], own)


def progress(extra):
    """Say how far the exercises in work/ are; return the exit code."""
    return run([PYTHON, "-m", "innerlab.checks.folder", "progress", *extra])


def course(extra):
    """Write a course folder for nbgrader; return the exit code."""
    return run([PYTHON, "-m", "innerlab.checks.course", "--where", os.getcwd(), *extra])


def grade(extra):
    """Mark a class; return the exit code."""
    return run([PYTHON, "-m", "innerlab.marking", "--where", os.getcwd(), *extra])


def bench(extra):
    """Measure speed, running times and memory; return the exit code."""
    return run([PYTHON, "-m", "bench", *extra])


def replicate(extra):
    """Run chapters on seeds nobody has looked at; return the exit code."""
    return run([PYTHON, "-m", "innersite.replicating", *extra], {"PYTHONPATH": str(ROOT / "book" / "_ext")})


JOBS = {
    "book": (book, "build the site into _build/html; only chapters that changed are executed"),
    "test": (test, "run the tests; --quick leaves out what takes long; what follows goes to pytest: test -k claims"),
    "lint": (lint, "check style, types and who imports whom; --fix mends what can be mended"),
    "lab": (lab, "copy new exercises into work/, never over a file that is there, and open JupyterLab"),
    "progress": (progress, "say which exercises in work/ are solved, attempted, untouched"),
    "exercises": (exercises, "write exercises/ anew from solutions/; --check only compares"),
    "new": (new, "write a chapter that passes every check, to be filled in: new chapter NAME"),
    "course": (course, "write an nbgrader course folder: course DIR"),
    "grade": (grade, "mark a class, safely: grade SUBMITTED --out DIR (--help says more)"),
    "bench": (bench, "measure speed against peers, running times and memory; --laboratory leaves the book out"),
    "replicate": (replicate, "run chapters on new seeds, and say which claims held how often: replicate CHAPTER"),
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
    """Return what .venv was last completely made from; less, or nothing, while its set-up is not complete."""
    try:
        found = json.loads(STAMP.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def works():
    """Tell whether .venv has an interpreter that starts, with pip."""
    try:
        return subprocess.run([str(PYTHON), "-c", "import pip"], capture_output=True, env=environment()).returncode == 0
    except OSError:
        return False


def steps(want, have, working):
    """Decide what to do: a tuple out of "create" and "install", in that order.

    A working .venv is brought up to date in place; it is made anew when it is broken, or belongs to another
    Python or another folder.  After a set-up that was interrupted it is only installed into.
    """
    if not working or any(have.get(name, want[name]) != want[name] for name in ("python", "folder")):
        return ("create", "install")
    return () if have == want else ("install",)


def set_up():
    """Make .venv match the requirements; exit with a message when that cannot be done."""
    keep_off()
    want = wanted()
    todo = steps(want, finished(), works())
    if not todo:
        return
    print("Setting up .venv" + (" (once; a few minutes)" if "create" in todo else ": the requirements changed"))
    unfinished = {name: want[name] for name in ("python", "folder")}
    if "create" in todo:
        create(unfinished)
    stamp(unfinished)  # until the installation is complete, there is nothing to rely on
    install()
    look()
    stamp(want)
    print("Setting up .venv: done\n", flush=True)


def keep_off():
    """Exit when .venv is there but was not made here: nothing else is ever filled or emptied."""
    if is_link(VENV):
        sys.exit(
            f"{VENV} is a link, and what it leads to may be somebody else's; it is left as it is.\n"
            "Remove the link (not what it leads to), then run the same command again: the book makes a folder there."
        )
    if os.path.lexists(str(VENV)) and not STAMP.is_file():
        sys.exit(
            f"{VENV} was not made by this command (it holds no {STAMP.name}); it is left as it is.\n"
            "Rename it, or delete it if nobody needs it, then run the same command again."
        )


def is_link(path):
    """Tell whether this is a symbolic link or, on Windows, a junction."""
    try:
        found = os.lstat(str(path))
    except OSError:
        return False
    return stat.S_ISLNK(found.st_mode) or getattr(found, "st_reparse_tag", 0) == JUNCTION


def stamp(facts):
    """Write down in .venv what it was made for; from then on it is known as ours."""
    STAMP.write_text(json.dumps(facts), encoding="utf-8")


def create(unfinished):
    """Create .venv afresh, from the Python that this one stands on if it is itself a virtual environment."""
    if importlib.util.find_spec("venv") is None or importlib.util.find_spec("ensurepip") is None:
        sys.exit(
            "This Python cannot make virtual environments: its modules venv and ensurepip are kept apart.\n"
            "On Debian and Ubuntu: sudo apt install python3-venv\n"
            "Then run the same command again."
        )
    try:
        empty(unfinished)
    except OSError as problem:
        sys.exit(f"\nCould not empty {VENV}: {problem}\nIs a program from it still running, such as JupyterLab?")
    base = getattr(sys, "_base_executable", None) or sys.executable
    code = run([base, "-m", "venv", VENV])
    if code != 0:
        sys.exit(code if code == INTERRUPTED else f"\nCould not create {VENV}; the lines above say why.")


def empty(unfinished):
    """Leave nothing in .venv but the stamp, which is there first: venv's own --clear would remove it too."""
    if not VENV.exists():
        VENV.mkdir()
    stamp(unfinished)
    for path in VENV.iterdir():
        if path == STAMP:
            continue
        if path.is_dir() and not is_link(path):
            shutil.rmtree(str(path))
        else:
            path.unlink()


# Installing


def install():
    """Install the requirements; exit with a message when that cannot be done."""
    settings = pip_settings()
    pip = [PYTHON, "-m", "pip", "install", "--disable-pip-version-check"]
    pinned = re.search(r"^torch==\S+", (ROOT / REQUIREMENTS[0]).read_text(encoding="utf-8"), re.MULTILINE)
    if pinned and wants_cpu_build(settings):
        print("No NVIDIA card is here: PyTorch is taken from the index of its builds for CPUs.")
        code = run([*pip, "--no-deps", "--index-url", CPU_INDEX, pinned.group()], settings)
        if code == INTERRUPTED:
            sys.exit(code)
        if code != 0:
            print("That build could not be had; the usual one follows.")
    code = run([*pip, "-r", REQUIREMENTS[0]], settings)
    if code == INTERRUPTED:
        sys.exit(code)
    if code != 0:
        sys.exit(
            f"\nThe installation did not finish (pip's exit code: {code}); its last lines above say why.\n"
            "If they speak of connections or of no matching version, the package index could not be reached:\n"
            "check the network (and a proxy, if you need one), then run the same command again."
        )


def look():
    """Exit with a message when what was installed cannot be imported; have matplotlib look for fonts beforehand.

    Otherwise it would do so in a chapter, and if that takes long, say so among the chapter's outputs.
    """
    code = run([PYTHON, "-I", "-c", "import innerlab, jupyter_book, matplotlib.font_manager"])  # -I: not from here
    if code == INTERRUPTED:
        sys.exit(code)
    if code != 0:
        sys.exit(
            "\npip has reported no error, but what it installed cannot be imported; the lines above say why.\n"
            f"Run the same command again; if that does not help, delete {VENV} first."
        )


def pip_settings():
    """Return, as variables, what pip's configuration says of where packages come from, and nothing else of it."""
    asked = subprocess.run(
        [str(PYTHON), "-m", "pip", "config", "list"], capture_output=True, encoding="utf-8", env=environment()
    )
    if asked.returncode != 0:
        sys.exit(f"\npip cannot read its configuration:\n{asked.stderr}")
    return {"PIP_CONFIG_FILE": os.devnull, **sources(asked.stdout)}


def sources(listed):
    """Pick from what `pip config list` says; of several values for one setting the one that pip would take."""
    lines = re.findall(r"^(global|install|:env:)\.([\w-]+)=(.*)$", listed, re.MULTILINE)
    lines.sort(key=lambda line: ("global", "install", ":env:").index(line[0]))
    named = ((name.upper().replace("-", "_"), ast.literal_eval(value)) for _, name, value in lines)
    return {"PIP_" + name: value for name, value in named if name in SOURCES and value}


def wants_cpu_build(settings):
    """Tell whether to take PyTorch from its index for CPUs.

    Elsewhere than on Linux the usual build is one for CPUs.  Whoever has told pip where packages are stays in charge.
    """
    told = [name for name in ("INDEX_URL", "EXTRA_INDEX_URL", "NO_INDEX", "FIND_LINKS") if "PIP_" + name in settings]
    if told or sys.platform != "linux" or platform.machine() != "x86_64" or has_card():
        return False
    import urllib.request  # slow to import, and seldom needed

    try:
        urllib.request.urlopen(urllib.request.Request(CPU_INDEX + "/torch/", method="HEAD"), timeout=3).close()
    except (OSError, ValueError):  # there is no network, or it leads elsewhere
        return False
    return True


def has_card():
    """Tell whether Linux has an NVIDIA card, or might have one: under WSL that cannot be told from here."""
    driver = any(os.path.exists(path) for path in ("/proc/driver/nvidia/version", "/dev/nvidiactl", "/dev/dxg"))
    return driver or shutil.which("nvidia-smi") is not None


# Running


def environment():
    """Return the environment of every process started here: that of .venv, the same whoever starts it.

    What the user has set up for their own work has no effect: variables that lead Python, pip or Jupyter elsewhere, and
    settings of IPython, Jupyter and matplotlib, which would change what chapters print and draw.  What says how the
    network is reached stays.
    """
    env = {name: value for name, value in os.environ.items() if not is_cleared(name.upper())}
    own = own_settings()
    env["VIRTUAL_ENV"] = str(VENV)
    env["PATH"] = str(SCRIPTS) + os.pathsep + env.get("PATH", "")
    env["PYTHONUTF8"] = "1"
    env["PYDEVD_DISABLE_FILE_VALIDATION"] = "1"  # or every kernel warns about frozen modules
    env["JUPYTER_PREFER_ENV_PATH"] = "1"  # of two kernels of one name, that in .venv
    env["JUPYTER_CONFIG_DIR"] = str(own / "jupyter")
    env["IPYTHONDIR"] = str(own / "ipython")
    env["MPLCONFIGDIR"] = str(own / "matplotlib")
    env.setdefault("OMP_NUM_THREADS", "1")  # on shared cores, two threads are slower than one
    env.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    return env


def is_cleared(name):
    """Tell whether a variable is kept from the processes started here."""
    return name in CLEARED or (name.startswith("PIP_") and name[4:] not in (*SOURCES, "CONFIG_FILE"))


def own_settings():
    """Return the folder for settings and caches of programs, which must be one that can be written.

    It lies in .venv.  In a copy of the book that belongs to somebody else it is a passing one.
    """
    folder = VENV / "settings"
    if not VENV.exists():
        return folder
    if os.access(str(VENV), os.W_OK):
        folder.mkdir(exist_ok=True)  # IPython makes its own folder, but none above it
        return folder
    if not PASSING:
        PASSING.append(pathlib.Path(tempfile.mkdtemp(prefix="optimizer-within-")))
        atexit.register(shutil.rmtree, str(PASSING[0]), ignore_errors=True)
    return PASSING[0]


def run(command, changes=None):
    """Run a command in the book's folder, with changes to its environment (None: without it); return its exit code.

    Ctrl-C reaches the command by itself; this waits for it to wind down, and ends it at the third.
    """
    env = {**environment(), **(changes or {})}
    env = {name: value for name, value in env.items() if value is not None}
    sys.stdout.flush()
    try:
        process = subprocess.Popen([str(part) for part in command], cwd=str(ROOT), env=env)
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
