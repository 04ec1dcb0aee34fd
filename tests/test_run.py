"""run.py sets up only when it must, says what is missing, and passes exit codes on."""

import ast
import importlib.util
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest
from tiny_book import ROOT


@pytest.fixture
def run(tmp_path):
    """Return run.py as a module whose book is an empty folder."""
    spec = importlib.util.spec_from_file_location("run", ROOT / "run.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for name in module.REQUIREMENTS:
        (tmp_path / name).write_text(f"# {name}\n")
    module.ROOT = tmp_path
    module.VENV = tmp_path / ".venv"
    module.STAMP = module.VENV / "set-up.json"
    module.VENV.mkdir()
    return module


@pytest.fixture
def commands(run, monkeypatch):
    """Replace what run.py starts; return the list of what it would have started and let tests set exit codes."""
    started = []
    codes = {}

    def pretend(command):
        words = [str(word) for word in command]
        started.append(words)
        return next((code for word, code in codes.items() if word in words), 0)

    monkeypatch.setattr(run, "run", pretend)
    return SimpleNamespace(started=started, codes=codes)


def names(commands):
    """Name the set-up steps that were started."""
    return ["create" if "venv" in words else "install" for words in commands.started]


# Deciding


def test_a_finished_set_up_is_left_alone(run):
    assert run.steps(run.wanted(), run.wanted(), working=True) == ()


@pytest.mark.parametrize("name", ["requirements.txt", "constraints.txt", "pyproject.toml"])
def test_changed_requirements_are_installed_in_place(run, name):
    before = run.wanted()
    (run.ROOT / name).write_text("numpy\n")
    assert run.steps(run.wanted(), before, working=True) == ("install",)


def test_windows_line_endings_install_nothing(run):
    before = run.wanted()
    for name in run.REQUIREMENTS:
        (run.ROOT / name).write_bytes((run.ROOT / name).read_bytes().replace(b"\n", b"\r\n"))
    assert run.wanted() == before


@pytest.mark.parametrize(("what", "value"), [("python", "3.10"), ("folder", "/elsewhere")])
def test_another_python_or_place_starts_afresh(run, what, value):
    assert run.steps(run.wanted(), run.wanted() | {what: value}, working=True) == ("create", "install")


def test_a_broken_environment_starts_afresh(run):
    assert run.steps(run.wanted(), run.wanted(), working=False) == ("create", "install")


def test_an_interrupted_set_up_is_completed(run):
    assert run.steps(run.wanted(), {}, working=True) == ("install",)


def test_an_interpreter_that_is_gone_does_not_work(run):
    run.PYTHON = run.VENV / "python"
    assert not run.works()
    run.PYTHON.write_text("not a program")
    run.PYTHON.chmod(0o755)
    assert not run.works()
    run.PYTHON = sys.executable
    assert run.works()


# Doing


def test_the_stamp_is_written_after_success_only(run, commands, monkeypatch):
    monkeypatch.setattr(run, "works", lambda: True)
    commands.codes["pip"] = 1
    run.STAMP.write_text(json.dumps(run.wanted() | {"requirements": "older"}))
    with pytest.raises(SystemExit, match="installation did not finish"):
        run.set_up()
    assert run.finished() == {}  # going back to the older requirements must install again, too
    commands.codes.clear()
    run.set_up()
    assert run.finished() == run.wanted()
    run.set_up()
    assert names(commands) == ["install", "install"]


def test_a_fresh_set_up_creates_and_installs(run, commands, monkeypatch):
    monkeypatch.setattr(run, "works", lambda: False)
    run.set_up()
    assert names(commands) == ["create", "install"]
    assert commands.started[1][-2:] == ["-r", "requirements.txt"]


def test_missing_ensurepip_names_the_package(run, commands, monkeypatch):
    monkeypatch.setattr(run, "works", lambda: False)
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "ensurepip" else find(name))
    with pytest.raises(SystemExit, match="apt install python3-venv"):
        run.set_up()
    assert commands.started == []


def test_failed_installation_speaks_of_the_network(run, commands, monkeypatch):
    monkeypatch.setattr(run, "works", lambda: True)
    commands.codes["pip"] = 1
    with pytest.raises(SystemExit, match="check the network"):
        run.set_up()


# Commands


def python(*arguments):
    return subprocess.run([sys.executable, "run.py", *arguments], cwd=ROOT, capture_output=True, encoding="utf-8")


@pytest.mark.parametrize("arguments", [(), ("nonsense",)])
def test_usage_lists_every_job(run, arguments):
    done = python(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    listed = re.findall(r"^  (\w+)  +\S", done.stderr, re.MULTILINE)
    assert listed == list(run.JOBS)
    assert {"book", "test"} <= set(listed)
    assert "nonsense" not in arguments or "no command 'nonsense'" in done.stderr


def test_help_is_no_error():
    done = python("--help")
    assert done.returncode == 0
    assert "usage" in done.stdout


def test_an_old_python_is_told_so(run, monkeypatch, capsys):
    monkeypatch.setattr(run.sys, "version_info", (3, 9, 18))
    assert run.main(["book"]) == 1
    assert "needs Python 3.11 or newer; this is 3.9" in capsys.readouterr().err


def test_an_old_python_can_read_the_file():
    source = (ROOT / "run.py").read_text(encoding="utf-8")
    assert ast.parse(source, feature_version=(3, 7))


def test_only_the_standard_library_is_imported():
    tree = ast.parse((ROOT / "run.py").read_text(encoding="utf-8"))
    imports = {
        alias.name.split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names
    }
    assert imports <= set(sys.stdlib_module_names)
    assert not any(isinstance(node, ast.ImportFrom) for node in ast.walk(tree))


@pytest.fixture
def copy_of_exercises(tmp_path):
    """The book's exercises in a folder that has nothing else of the book."""
    shutil.copytree(ROOT / "exercises", tmp_path / "exercises")
    return tmp_path


def test_lab_copies_exercises_and_opens_them(run, monkeypatch, copy_of_exercises, capfd):
    monkeypatch.setattr(run, "set_up", lambda: None)
    run.PYTHON, run.SCRIPTS = sys.executable, copy_of_exercises / "nowhere"
    opened = []
    really = run.run
    monkeypatch.setattr(
        run, "run", lambda command: really(command) if command[0] == sys.executable else opened.append(command) or 5
    )
    assert run.main(["lab", "--no-browser"]) == 5
    work = copy_of_exercises / "work"
    assert {path.name for path in work.glob("*.ipynb")} == {path.name for path in (ROOT / "exercises").glob("*.ipynb")}
    assert "is new" in capfd.readouterr().out
    ((tool, *arguments),) = opened
    assert "jupyter-lab" in str(tool)
    assert arguments == [f"--ServerApp.root_dir={work}", "--no-browser"]
    assert run.main(["progress"]) == 0
    assert "python run.py lab" in capfd.readouterr().out


def test_lab_opens_nothing_when_exercises_cannot_be_copied(run, commands, monkeypatch):
    monkeypatch.setattr(run, "set_up", lambda: None)
    commands.codes["-c"] = 3
    assert run.main(["lab"]) == 3
    assert len(commands.started) == 1


@pytest.mark.parametrize("arguments", [[], ["one", "two"], ["--force"]])
def test_course_without_one_folder_says_what_it_wants(run, commands, monkeypatch, capsys, arguments):
    monkeypatch.setattr(run, "set_up", lambda: None)
    assert run.main(["course", *arguments]) == 2
    assert "usage: python run.py course DIR" in capsys.readouterr().err
    assert commands.started == []


def test_the_course_folder_is_where_the_command_was_typed(run, commands, monkeypatch, tmp_path):
    monkeypatch.setattr(run, "set_up", lambda: None)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert run.main(["course", "mine"]) == 0
    assert commands.started[0][-1] == str(tmp_path / "elsewhere" / "mine")


@pytest.mark.parametrize(("job", "tool"), [("book", "jupyter-book"), ("test", "pytest")])
def test_a_job_passes_arguments_and_exit_codes_on(run, commands, monkeypatch, job, tool, capsys):
    monkeypatch.setattr(run, "set_up", lambda: None)
    commands.codes["-k"] = 7
    assert run.main([job, "-k", "claims"]) == 7
    assert any(tool in word for word in commands.started[0])
    assert commands.started[0][-2:] == ["-k", "claims"]
    assert run.main([job]) == 0
    assert ("file://" in capsys.readouterr().out) == (job == "book")


# Running


def test_exit_codes_and_environment_of_a_real_process(run, monkeypatch, capfd):
    monkeypatch.setenv("VIRTUAL_ENV", "/another")
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    show = (
        "import os; e = os.environ\n"
        "print(e['VIRTUAL_ENV'], e['PATH'].split(os.pathsep)[0], e['OMP_NUM_THREADS'], e['PYTHONUTF8'], sep='\\n')"
    )
    assert run.run([sys.executable, "-c", show]) == 0
    assert capfd.readouterr().out.splitlines() == [str(run.VENV), str(run.SCRIPTS), "3", "1"]
    assert run.run([sys.executable, "-c", "raise SystemExit(9)"]) == 9


def test_a_command_that_is_not_there_is_an_error(run, capsys):
    assert run.run([run.VENV / "nothing"]) == 1
    assert "Could not start" in capsys.readouterr().err


@pytest.mark.skipif(os.name == "nt", reason="Windows has no signals to send")
def test_a_signal_becomes_a_shells_exit_code(run):
    assert run.run([sys.executable, "-c", "import os; os.kill(os.getpid(), 15)"]) == 128 + 15


@pytest.mark.skipif(os.name == "nt", reason="Windows has no signals to send")
def test_an_interrupt_waits_for_the_command_to_wind_down(tmp_path):
    """The command cleans up for longer than the quarter of a second that subprocess.run would give it."""
    child = (
        "import pathlib, time\npathlib.Path('started').touch()\n"
        "try:\n    time.sleep(600)\nexcept KeyboardInterrupt:\n    time.sleep(1)\n    pathlib.Path('cleaned').touch()\n"
    )
    parent = (
        f"import pathlib, sys; sys.path.insert(0, {str(ROOT)!r}); import run\n"
        f"run.ROOT = pathlib.Path({str(tmp_path)!r})\nsys.exit(run.run([sys.executable, '-c', {child!r}]))"
    )
    process = subprocess.Popen([sys.executable, "-c", parent], start_new_session=True, stderr=subprocess.PIPE)
    while not (tmp_path / "started").exists():
        assert process.poll() is None
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    message = process.communicate(timeout=600)[1]
    assert process.returncode == 130
    assert (tmp_path / "cleaned").exists()
    assert b"Traceback" not in message
