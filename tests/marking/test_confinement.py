"""Answers are never run unconfined by accident."""

import os
import shutil
import struct
import sys
from pathlib import Path

import pytest
from handed_in import CHAPTER, ROOT, notebook, put, right

from innerlab.checks.asking import Limits, Request
from innerlab.marking import confinement as confining
from innerlab.marking.calls import ALLOW, ANY_BIT, ARCHITECTURES, AT_LEAST, EQUAL, NUMBERS, RETURN, call_filter
from innerlab.marking.command import grade, main
from innerlab.marking.confinement import JUDGES, Confinement, NotConfined, blind_copy, confinement, judges
from innerlab.marking.marks import PASSED


@pytest.fixture(scope="module")
def laboratory(tmp_path_factory):
    return blind_copy(tmp_path_factory.mktemp("laboratory") / "copy")


@pytest.fixture
def impostor(tmp_path, monkeypatch):
    """A program called bwrap that runs what it is given and confines nothing."""
    script = tmp_path / "bwrap"
    code = f"import os, sys\nat = sys.argv.index({sys.executable!r})\nos.execv(sys.argv[at], sys.argv[at:])\n"
    script.write_text(f"#!{sys.executable}\n{code}")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    answering = confining.Answering

    def with_surroundings(command, environment, limits):
        return answering(command, dict(os.environ) | {"PYTHONPATH": str(ROOT)}, limits)

    monkeypatch.setattr(confining, "Answering", with_surroundings)


@pytest.fixture
def submitted(tmp_path):
    import json

    put(tmp_path / "submitted", "ada", json.dumps(notebook(**right("labels"))).encode())
    return tmp_path / "submitted"


def test_the_copy_holds_no_judge_and_all_agents(laboratory):
    for name in JUDGES:
        assert not list((laboratory / "innerlab").rglob(f"chapters/*/{name}"))
    assert {f"innerlab.chapters.{CHAPTER}.checks", "innerlab.chapters.detection.audit_key"} <= set(judges())
    assert (laboratory / "innerlab" / "checks" / "asking.py").is_file()
    assert (laboratory / "agents" / "red_doors" / "plain.pt").is_file()
    assert not list(laboratory.rglob("__pycache__"))


@pytest.mark.confined
def test_the_sandbox_here_holds(laboratory):
    assert confinement(laboratory).confined


@pytest.mark.confined
def test_workers_are_different_users_where_processes_are_counted_by_user(laboratory):
    users = []
    for worker in (1, 2):
        with Confinement(laboratory).answering(worker, Limits()) as process:
            users += process.ask(Request(("import os\nanswer = os.getuid()",), "answer", None))
    values = [reply["value"] for reply in users]
    assert 0 not in values
    assert len(set(values)) == (2 if os.geteuid() == 0 else 1)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nothing is asked of bwrap")
def test_a_bwrap_that_does_not_confine_is_found_out(laboratory, impostor):
    with pytest.raises(NotConfined) as refusal:
        confinement(laboratory)
    for done in ("read a file of yours", "reach the network", "write where it should not", "--unconfined"):
        assert done in str(refusal.value)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nothing is asked of bwrap")
def test_a_bwrap_that_may_not_work_is_said_to_be_so(laboratory, tmp_path, monkeypatch):
    script = tmp_path / "bwrap"
    script.write_text("#!/bin/sh\necho 'bwrap: setting up uid map: Permission denied' >&2\nexit 1\n")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    with pytest.raises(NotConfined, match="setting up uid map: Permission denied"):
        confinement(laboratory)


@pytest.mark.parametrize("system", ["Linux", "Darwin", "Windows"])
def test_without_bubblewrap_nothing_is_marked_and_it_is_said_what_to_do(
    system, submitted, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(confining.platform, "system", lambda: system)
    monkeypatch.setattr(confining.shutil, "which", lambda name: None)
    monkeypatch.setattr(confining, "Answering", None)  # nothing may be run
    out = tmp_path / "out"
    assert main([str(submitted), "--out", str(out)], ROOT) == 1
    said = capsys.readouterr().err
    for word in ("apt install bubblewrap", "macOS", "Windows", "container", "AppArmor", "--unconfined"):
        assert word in said
    assert not (out / "grades.csv").exists()
    assert not (out / "marks").exists()


def test_unconfined_only_if_asked_for_and_every_report_says_so(submitted, tmp_path, capsys):
    out = tmp_path / "out"
    assert main(["--where", str(tmp_path), "submitted", "--out", "out", "--unconfined", "--workers", "1"], ROOT) == 0
    assert "WITHOUT protection" in capsys.readouterr().err
    rows = (out / "grades.csv").read_text().splitlines()
    assert any(row.startswith(f"ada,{CHAPTER},labels,2,2,{PASSED}") for row in rows)
    assert all(row.endswith("(unconfined)") for row in rows[1:])
    page = out / "feedback" / "ada" / CHAPTER / f"{CHAPTER}.html"
    for path in (page, out / "summary.html"):
        assert "without protection" in path.read_text()
    if shutil.which("bwrap"):  # confined, everything is marked anew
        (again,) = grade(ROOT, submitted, out)
        assert again.confined
        assert "unconfined" not in (out / "grades.csv").read_text()
        assert "without protection" not in page.read_text()


def test_results_go_elsewhere_than_submissions(submitted, tmp_path):
    with pytest.raises(ValueError, match="results need another"):
        grade(ROOT, submitted, submitted)
    with pytest.raises(ValueError, match="at least one"):
        grade(ROOT, submitted, tmp_path / "out", workers=0)
    with pytest.raises(ValueError, match="those with exercises are"):
        grade(ROOT, submitted, tmp_path / "out", only=["nothing"])
    assert not Path(tmp_path / "out").exists()


def test_the_filter_of_calls_is_known_for_the_usual_machines_only():
    for machine, numbers in NUMBERS.items():
        lines = list(struct.iter_unpack("=HBBI", call_filter(machine)))
        for number in (*numbers.values(), ARCHITECTURES[machine]):
            assert any(line[0] == EQUAL and line[3] == number for line in lines), number
        for place, (code, if_so, if_not, _) in enumerate(lines):
            if code in (EQUAL, AT_LEAST, ANY_BIT):
                assert place + 1 + max(if_so, if_not) < len(lines)
        assert lines[-1] == (RETURN, 0, 0, ALLOW)
    with pytest.raises(ValueError, match="machine is 'abacus'"):
        call_filter("abacus")
