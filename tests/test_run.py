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
import urllib.error
import urllib.request
from pathlib import Path
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
    return module


def own(run, **facts):
    """Make a .venv of run.py's own, with nothing in it, made for what it needs but for these facts."""
    run.VENV.mkdir()
    run.stamp(run.wanted() | facts)


@pytest.fixture
def commands(run, monkeypatch):
    """Replace what run.py starts; return the list of what it would have started and let tests set exit codes."""
    started = []
    codes = {}

    def pretend(command, changes=None):
        words = [str(word) for word in command]
        started.append(words)
        given.append(changes or {})
        return next((code for word, code in codes.items() if word in words), 0)

    given = []
    monkeypatch.setattr(run, "run", pretend)
    monkeypatch.setattr(run, "pip_settings", lambda: {"PIP_CONFIG_FILE": os.devnull})
    monkeypatch.setattr(run, "wants_cpu_build", lambda settings: False)
    return SimpleNamespace(started=started, codes=codes, given=given)


def names(commands):
    """Name the set-up steps that were started."""
    steps = {"venv": "create", "pip": "install", "-I": "look"}
    return [next(name for word, name in steps.items() if word in words) for words in commands.started]


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


def test_what_began_for_another_python_starts_afresh(run):
    assert run.steps(run.wanted(), {"python": "3.10", "folder": str(run.ROOT)}, working=True) == ("create", "install")


def test_an_interpreter_that_is_gone_does_not_work(run):
    run.VENV.mkdir()
    run.PYTHON = run.VENV / "python"
    assert not run.works()
    run.PYTHON.write_text("not a program")
    run.PYTHON.chmod(0o755)
    assert not run.works()
    run.PYTHON = sys.executable
    assert run.works()


def test_an_interpreter_works_in_spite_of_what_its_user_has_set(run, monkeypatch):
    run.PYTHON = sys.executable
    monkeypatch.setenv("PYTHONHOME", str(run.ROOT))
    assert run.works()


# What is not ours


def linked(run, to):
    try:
        run.VENV.symlink_to(to, target_is_directory=True)
    except OSError:
        pytest.skip("links cannot be made here")


def test_a_folder_that_was_not_made_here_is_left_as_it_is(run, commands):
    run.VENV.mkdir()
    (run.VENV / "precious").write_text("mine")
    with pytest.raises(SystemExit) as refused:
        run.set_up()
    assert str(run.VENV) in str(refused.value)
    assert "was not made by this command" in str(refused.value)
    assert "Rename it" in str(refused.value)
    assert commands.started == []
    assert [path.name for path in run.VENV.iterdir()] == ["precious"]


def test_a_file_in_the_way_is_left_as_it_is(run, commands):
    run.VENV.write_text("mine")
    with pytest.raises(SystemExit, match="was not made by this command"):
        run.set_up()
    assert run.VENV.read_text() == "mine"
    assert commands.started == []


@pytest.mark.parametrize("finished", [True, False])
def test_a_link_is_refused_even_if_it_leads_to_an_environment_like_ours(run, commands, tmp_path, finished):
    other = tmp_path / "other"
    other.mkdir()
    (other / "set-up.json").write_text(json.dumps(run.wanted() if finished else {}))
    linked(run, other)
    before = (other / "set-up.json").read_bytes()
    with pytest.raises(SystemExit) as refused:
        run.set_up()
    assert f"{run.VENV} is a link" in str(refused.value)
    assert "Remove the link" in str(refused.value)
    assert commands.started == []
    assert {path.name: path.read_bytes() for path in other.iterdir()} == {"set-up.json": before}


def test_a_link_that_leads_nowhere_is_refused_too(run, commands, tmp_path):
    linked(run, tmp_path / "nowhere")
    with pytest.raises(SystemExit, match="is a link"):
        run.set_up()
    assert commands.started == []
    assert not (tmp_path / "nowhere").exists()


def test_a_junction_is_a_link(run, monkeypatch):
    own(run)
    assert not run.is_link(run.VENV)
    found = SimpleNamespace(st_mode=os.lstat(run.VENV).st_mode, st_reparse_tag=0xA0000003)  # as Windows says it
    monkeypatch.setattr(run.os, "lstat", lambda path: found)
    assert run.is_link(run.VENV)
    with pytest.raises(SystemExit, match="is a link"):
        run.keep_off()


# Doing


def test_the_stamp_is_written_after_success_only(run, commands, monkeypatch):
    monkeypatch.setattr(run, "works", lambda: True)
    own(run, requirements="older")
    commands.codes["pip"] = 1
    with pytest.raises(SystemExit, match="installation did not finish"):
        run.set_up()
    assert "requirements" not in run.finished()  # going back to the older requirements must install again, too
    commands.codes.clear()
    run.set_up()
    assert run.finished() == run.wanted()
    run.set_up()
    assert names(commands) == ["install", "install", "look"]


def test_what_was_installed_must_be_there_before_it_is_called_done(run, commands, monkeypatch):
    monkeypatch.setattr(run, "works", lambda: True)
    own(run, requirements="older")
    commands.codes["-I"] = 1
    with pytest.raises(SystemExit, match="cannot be imported"):
        run.main(["book"])
    assert names(commands) == ["install", "look"]
    assert "requirements" not in run.finished()


def test_looking_finds_what_is_missing(run, monkeypatch, capfd):
    """The laboratory lies in the folder of the book; that is not where it must be found."""
    (run.ROOT / "innerlab").mkdir()
    (run.ROOT / "innerlab" / "__init__.py").write_text("raise ImportError('from here')")
    name = Path(run.SCRIPTS.name, run.PYTHON.name)
    run.PYTHON = sys.executable
    run.look()
    empty = subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(run.ROOT / "bare")], capture_output=True)
    assert empty.returncode == 0
    run.PYTHON = run.ROOT / "bare" / name
    with pytest.raises(SystemExit, match="cannot be imported"):
        run.look()
    assert "No module named 'innerlab'" in capfd.readouterr().err


def test_a_fresh_set_up_creates_installs_and_looks(run, commands, monkeypatch):
    monkeypatch.setattr(run, "works", lambda: False)
    run.set_up()
    assert names(commands) == ["create", "install", "look"]
    assert commands.started[1][-2:] == ["-r", "requirements.txt"]
    assert commands.given[1] == {"PIP_CONFIG_FILE": os.devnull}
    assert run.finished() == run.wanted()


@pytest.mark.parametrize("code", [130, 1])
def test_an_environment_is_known_as_ours_from_its_beginning(run, commands, monkeypatch, code):
    """Whatever ends its creation, the next set-up may go on."""
    monkeypatch.setattr(run, "works", lambda: False)
    commands.codes["venv"] = code
    with pytest.raises(SystemExit):
        run.set_up()
    assert run.finished() == {name: run.wanted()[name] for name in ("python", "folder")}
    commands.codes.clear()
    run.set_up()
    assert run.finished() == run.wanted()


def test_a_broken_environment_of_ours_is_made_anew_and_nothing_beside_it_touched(run, tmp_path):
    """With the real venv; what links in the old environment lead to stays."""
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "file").write_text("mine")
    own(run)
    (run.VENV / "lib").mkdir()
    (run.VENV / "lib" / "old").write_text("old")
    (run.VENV / "broken").write_text("old")
    try:
        (run.VENV / "bin").symlink_to(precious, target_is_directory=True)
    except OSError:
        assert os.name == "nt"
    run.create({"python": "3"})
    assert run.finished() == {"python": "3"}
    assert not (run.VENV / "broken").exists()
    assert not (run.VENV / "lib" / "old").exists()
    assert {path.name: path.read_text() for path in precious.iterdir()} == {"file": "mine"}
    run.PYTHON = run.VENV / run.SCRIPTS.name / run.PYTHON.name
    assert run.works()


def test_an_environment_that_cannot_be_emptied_is_no_traceback(run, commands, monkeypatch):
    def refuse(path):
        raise PermissionError(f"{path} is in use")

    own(run)
    (run.VENV / "lib").mkdir()
    monkeypatch.setattr(run.shutil, "rmtree", refuse)
    with pytest.raises(SystemExit, match="still running"):
        run.create({})
    assert run.STAMP.is_file()
    assert commands.started == []


def test_missing_ensurepip_names_the_package(run, commands, monkeypatch):
    monkeypatch.setattr(run, "works", lambda: False)
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "ensurepip" else find(name))
    with pytest.raises(SystemExit, match="apt install python3-venv"):
        run.set_up()
    assert commands.started == []
    assert not run.VENV.exists()


def test_failed_installation_speaks_of_the_network(run, commands, monkeypatch):
    monkeypatch.setattr(run, "works", lambda: True)
    own(run, requirements="older")
    commands.codes["pip"] = 1
    with pytest.raises(SystemExit, match="check the network"):
        run.set_up()


# Where packages come from


LISTED = """\
:env:.config-file='/somewhere/pip.conf'
:env:.extra-index-url=''
:env:.no-deps='1'
:env:.retries='7'
global.cert='/somewhere/own.pem'
global.dry-run='true'
global.index-url='https://global.example.org/simple'
global.prefix='/usr'
global.root='/elsewhere'
global.target='/elsewhere'
install.extra-index-url='\\nhttps://a.example.org/simple\\nhttps://b.example.org/simple'
install.index-url='https://install.example.org/simple'
install.user='true'
global.retries='2'
"""


def test_of_pips_settings_only_those_count_that_say_where_packages_come_from(run):
    assert run.sources(LISTED) == {
        "PIP_CERT": "/somewhere/own.pem",
        "PIP_EXTRA_INDEX_URL": "\nhttps://a.example.org/simple\nhttps://b.example.org/simple",
        "PIP_INDEX_URL": "https://install.example.org/simple",
        "PIP_RETRIES": "7",
    }


def test_pip_itself_goes_by_what_is_left_of_its_settings(run, monkeypatch, tmp_path, capfd):
    hostile = tmp_path / "pip.conf"
    hostile.write_text("[global]\ntarget = t\nprefix = p\ndry-run = true\n[install]\nuser = true\nno-index = true\n")
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    for name, value in {"CONFIG_FILE": hostile, "ROOT": "r", "NO_DEPS": "1", "TIMEOUT": "7", "PYTHON": "p"}.items():
        monkeypatch.setenv(f"PIP_{name}", str(value))
    run.PYTHON = sys.executable
    settings = run.pip_settings()
    assert settings.pop("PIP_CONFIG_FILE") == os.devnull
    assert {"PIP_NO_INDEX": "true", "PIP_TIMEOUT": "7"}.items() <= settings.items()
    assert {name.removeprefix("PIP_") for name in settings} <= set(run.SOURCES)
    assert run.run([sys.executable, "-m", "pip", "config", "list"], {**settings, "PIP_CONFIG_FILE": os.devnull}) == 0
    listed = capfd.readouterr().out
    assert ":env:.no-index='true'" in listed
    assert not re.search("target|prefix|dry|user|root|deps|python", listed)


@pytest.fixture
def bare_linux(run, monkeypatch):
    """A Linux without a card, on which the index answers; returns what was asked."""
    asked = []

    def answers(request, timeout):
        asked.append((request.get_method(), request.full_url, timeout))
        return SimpleNamespace(close=lambda: None)

    monkeypatch.setattr(run.sys, "platform", "linux")
    monkeypatch.setattr(run.platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(run, "has_card", lambda: False)
    monkeypatch.setattr(urllib.request, "urlopen", answers)
    return asked


def test_a_linux_without_a_card_takes_the_build_for_cpus(run, bare_linux):
    assert run.wants_cpu_build({"PIP_CONFIG_FILE": os.devnull, "PIP_TIMEOUT": "60"})
    assert bare_linux == [("HEAD", run.CPU_INDEX + "/torch/", 3)]


@pytest.mark.parametrize("told", ["PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_NO_INDEX", "PIP_FIND_LINKS"])
def test_whoever_says_where_packages_are_stays_in_charge(run, bare_linux, told):
    assert not run.wants_cpu_build({told: "there"})
    assert bare_linux == []


@pytest.mark.parametrize(
    ("what", "value"),
    [("sys.platform", "darwin"), ("sys.platform", "win32"), ("platform.machine", "aarch64"), ("has_card", True)],
)
def test_elsewhere_the_usual_build_is_right(run, bare_linux, monkeypatch, what, value):
    owner, _, name = what.rpartition(".")
    monkeypatch.setattr(getattr(run, owner) if owner else run, name, value if name == "platform" else lambda: value)
    assert not run.wants_cpu_build({})
    assert bare_linux == []


@pytest.mark.parametrize("problem", [urllib.error.URLError("unreachable"), TimeoutError(), ValueError("no address")])
def test_where_the_index_does_not_answer_nothing_is_said(run, bare_linux, monkeypatch, capfd, problem):
    def fails(request, timeout):
        raise problem

    monkeypatch.setattr(urllib.request, "urlopen", fails)
    assert not run.wants_cpu_build({})
    assert capfd.readouterr() == ("", "")


def test_a_card_is_seen_by_its_driver_or_its_tool(run, monkeypatch):
    there, tools = set(), set()
    monkeypatch.setattr(run.os.path, "exists", lambda path: path in there)
    monkeypatch.setattr(run.shutil, "which", lambda name: name if name in tools else None)
    assert not run.has_card()
    there.add("/dev/nvidiactl")
    assert run.has_card()
    there.clear()
    tools.add("nvidia-smi")
    assert run.has_card()


@pytest.mark.parametrize("answer", [0, 1])
def test_the_build_for_cpus_comes_first_and_nothing_depends_on_it(run, commands, monkeypatch, capsys, answer):
    (run.ROOT / "requirements.txt").write_text("numpy==1\ntorch==2.13.0  # networks\n")
    monkeypatch.setattr(run, "wants_cpu_build", lambda settings: True)
    commands.codes[run.CPU_INDEX] = answer
    run.install()
    first, second = commands.started
    assert first[-4:] == ["--no-deps", "--index-url", run.CPU_INDEX, "torch==2.13.0"]
    assert second[-2:] == ["-r", "requirements.txt"]
    assert ("usual one follows" in capsys.readouterr().out) == (answer == 1)
    commands.codes[run.CPU_INDEX] = 130
    with pytest.raises(SystemExit) as stopped:
        run.install()
    assert stopped.value.code == 130
    assert len(commands.started) == 3


def test_the_books_own_requirements_pin_what_that_build_is_of(run, commands, monkeypatch):
    shutil.copy(ROOT / "requirements.txt", run.ROOT)
    monkeypatch.setattr(run, "wants_cpu_build", lambda settings: True)
    run.install()
    assert re.fullmatch(r"torch==[\d.]+", commands.started[0][-1])


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
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", "mine")
    monkeypatch.setattr(
        run,
        "run",
        lambda command, own=None: (
            really(command, own) if command[0] == sys.executable else opened.append((command, own)) or 5
        ),
    )
    assert run.main(["lab", "--no-browser"]) == 5
    work = copy_of_exercises / "work"
    assert {path.name for path in work.glob("*.ipynb")} == {path.name for path in (ROOT / "exercises").glob("*.ipynb")}
    assert "is new" in capfd.readouterr().out
    (((tool, *arguments), own),) = opened
    assert own == {"JUPYTER_CONFIG_DIR": "mine", "JUPYTER_CONFIG_PATH": None, "JUPYTER_NO_CONFIG": None}
    assert "jupyter-lab" in str(tool)
    assert arguments == [f"--ServerApp.root_dir={work}", "--no-browser"]
    assert run.main(["progress"]) == 0
    assert "python run.py lab" in capfd.readouterr().out


def test_lab_opens_nothing_when_exercises_cannot_be_copied(run, commands, monkeypatch):
    monkeypatch.setattr(run, "set_up", lambda: None)
    commands.codes["innerlab.checks.folder"] = 3
    assert run.main(["lab"]) == 3
    assert len(commands.started) == 1


@pytest.mark.parametrize("job", ["course", "grade"])
def test_folders_count_from_where_the_command_was_typed(run, commands, monkeypatch, tmp_path, job):
    monkeypatch.setattr(run, "set_up", lambda: None)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert run.main([job, "mine"]) == 0
    assert commands.started[0][-3:] == ["--where", str(tmp_path / "elsewhere"), "mine"]


def test_what_the_commands_start_is_there(run, commands, monkeypatch):
    monkeypatch.setattr(run, "set_up", lambda: None)
    for job in run.JOBS:
        assert run.main([job]) == 0
    for (_, *words), given in zip(commands.started, commands.given, strict=True):
        if words[0] == "-m":
            folder = given.get("PYTHONPATH", str(run.ROOT))
            name = Path(folder).relative_to(run.ROOT) / words[1].replace(".", "/")
            own = [ROOT / f"{name}.py", ROOT / name / "__main__.py"]
            assert any(path.is_file() for path in own) or importlib.util.find_spec(words[1]), words
    assert not any("-c" in words for words in commands.started)


@pytest.mark.parametrize(
    ("arguments", "ruff"),
    [([], [["check", "."], ["format", "--check", "."]]), (["--fix"], [["check", "--fix", "."], ["format", "."]])],
)
def test_lint_runs_all_checks_and_fails_if_one_does(run, commands, monkeypatch, arguments, ruff):
    monkeypatch.setattr(run, "set_up", lambda: None)
    assert run.main(["lint", *arguments]) == 0
    *first, types, imports = commands.started
    assert [words[3:] for words in first] == ruff
    assert types[1:] == ["-m", "mypy"]
    assert "lint-imports" in imports[0]
    commands.codes["mypy"] = 1
    assert run.main(["lint", *arguments]) == 1
    assert len(commands.started) == 8
    assert run.main(["lint", "--nonsense"]) == 2
    assert len(commands.started) == 8


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
    changes = {"OMP_NUM_THREADS": None, "PYTHONUTF8": "0"}
    assert run.run([sys.executable, "-c", "import os; print(os.environ.get('OMP_NUM_THREADS'))"], changes) == 0
    assert capfd.readouterr().out.split() == ["None"]
    assert run.run([sys.executable, "-c", "raise SystemExit(9)"]) == 9


HOSTILE = {
    **dict.fromkeys(("PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "PYTHONOPTIMIZE", "PYTHONIOENCODING"), "hostile"),
    **{f"PIP_{name}": "hostile" for name in ("TARGET", "PREFIX", "ROOT", "DRY_RUN", "USER", "PYTHON", "NO_DEPS")},
    **dict.fromkeys(("JUPYTER_PATH", "JUPYTER_CONFIG_PATH", "MATPLOTLIBRC", "MPLBACKEND"), "hostile"),
}
REPLACED = ("JUPYTER_PREFER_ENV_PATH", "JUPYTER_CONFIG_DIR", "IPYTHONDIR", "MPLCONFIGDIR", "VIRTUAL_ENV", "PYTHONUTF8")
KEPT = (
    *("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_NO_INDEX", "PIP_CERT", "PIP_PROXY"),
    *("PIP_CONFIG_FILE", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "SSL_CERT_FILE", "OMP_NUM_THREADS", "HOME"),
)


@pytest.mark.parametrize("name", [*HOSTILE, *REPLACED, *KEPT])
def test_what_a_process_gets_of_the_users_environment(run, monkeypatch, name):
    monkeypatch.setenv(name, "hostile")
    found = run.environment().get(name)
    if name in HOSTILE:
        assert found is None
    elif name in REPLACED:
        assert found not in (None, "hostile")
    else:
        assert found == "hostile"


def test_settings_lie_in_the_environment_or_in_a_passing_folder(run, monkeypatch):
    names = ("JUPYTER_CONFIG_DIR", "IPYTHONDIR", "MPLCONFIGDIR")
    own(run)
    assert {Path(run.environment()[name]).parent for name in names} == {run.VENV / "settings"}
    monkeypatch.setattr(run.os, "access", lambda path, mode: False)
    monkeypatch.setattr(run.atexit, "register", lambda *arguments, **options: at_exit.append((arguments, options)))
    at_exit = []
    (passing,) = {Path(run.environment()[name]).parent for _ in range(2) for name in names}
    assert passing.is_dir()
    ((remove, *arguments), options) = at_exit.pop()
    assert at_exit == []
    remove(*arguments, **options)
    assert not passing.exists()


PROBE = """
import nbformat
from nbclient import NotebookClient

cells = [nbformat.v4.new_code_cell(code) for code in (
    "import matplotlib.pyplot as plt\\n1\\n2",
    "plt.plot([1, 2])\\nplt.rcParams['lines.linewidth']",
)]
NotebookClient(nbformat.v4.new_notebook(cells=cells), extra_arguments=["--log-level=ERROR"]).execute()
for cell in cells:
    for output in cell.outputs:
        print(output.get("text") or output["data"]["text/plain"])
"""


@pytest.mark.parametrize("home", ["hostile", "not there"])
def test_a_notebook_comes_out_the_same_whatever_its_user_has_set_up(run, monkeypatch, tmp_path, capfd, home):
    folder = tmp_path / "home" if home == "hostile" else Path(os.devnull) / "home"
    if home == "hostile":
        files = {
            ".config/matplotlib/matplotlibrc": "lines.linewidth: 99\n",
            ".ipython/profile_default/ipython_config.py": "c.InteractiveShell.ast_node_interactivity = 'all'\n",
            ".ipython/profile_default/startup/0.py": "print('started')\n",
            "python/nbformat.py": "raise ImportError('hostile')\n",
            "startup.py": "print('started')\n",
            "jupyter/kernels/python3/kernel.json": '{"argv": ["false"], "display_name": "", "language": "python"}',
        }
        for name, text in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)
        hostile = {"PYTHONPATH": "python", "PYTHONSTARTUP": "startup.py", "JUPYTER_PATH": "jupyter"}
        for name, value in {**hostile, "MATPLOTLIBRC": ".config/matplotlib/matplotlibrc"}.items():
            monkeypatch.setenv(name, str(folder / value))
        monkeypatch.setenv("MPLBACKEND", "hostile")
        monkeypatch.setenv("JUPYTER_PREFER_ENV_PATH", "0")
    places = {"HOME": "", "USERPROFILE": "", "XDG_CONFIG_HOME": ".config", "XDG_CACHE_HOME": ".cache"}
    for name, value in places.items():
        monkeypatch.setenv(name, str(folder / value))
    for name in ("IPYTHONDIR", "MPLCONFIGDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.delenv(name, raising=False)
    own(run)
    assert run.run([sys.executable, "-c", PROBE]) == 0
    said = capfd.readouterr()
    assert said.out.splitlines() == ["2", "1.5", "<Figure size 640x480 with 1 Axes>"]
    assert said.err == ""


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
        # what a shell starts in the background has this signal ignored, and so have its children
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
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
