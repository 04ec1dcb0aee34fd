"""What other machines read of this repository names only what is there: workflows, hooks, forms, owners, releases."""

import datetime
import importlib.util
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from tiny_book import ROOT

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
FORMS = sorted(path for path in (ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml") if path.name != "config.yml")
SCRIPTS = Path(sys.executable).parent


class Strict(yaml.SafeLoader):
    """Reads YAML, but not a mapping in which a key stands twice: the first would count for nothing."""

    def construct_mapping(self, node, deep=False):
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        assert len(keys) == len(set(keys)), f"a key is there twice: {node.start_mark}"
        return super().construct_mapping(node, deep)


def read(path):
    return yaml.load(Path(path).read_text("utf8"), Strict)


def module(name, path):
    spec = importlib.util.spec_from_file_location(name, path)
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


@pytest.fixture(scope="module")
def committed():
    """The names of all files that git tracks or would track."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf8")
    if listed.returncode:
        pytest.skip("not a git checkout")
    return [name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def steps(workflow):
    """Each step of a workflow's jobs, with the job's name."""
    return [(name, step) for name, job in workflow["jobs"].items() for step in job.get("steps", [])]


def scripts():
    """Each line that a workflow or a hook runs, with the file it stands in."""
    for path in WORKFLOWS:
        for _, step in steps(read(path)):
            for line in step.get("run", "").splitlines():
                yield path.name, line.strip()
    for hook in hooks():
        yield ".pre-commit-config.yaml", hook["entry"]
    for line in (ROOT / ".ci" / "run").read_text("utf8").splitlines():
        if not line.lstrip().startswith("#"):
            yield "run", line.strip()


def hooks():
    return [hook for repo in read(ROOT / ".pre-commit-config.yaml")["repos"] for hook in repo["hooks"]]


# Every file


def test_every_yaml_file_can_be_read(committed):
    found = [name for name in committed if name.endswith((".yml", ".yaml", ".cff"))]
    assert {".pre-commit-config.yaml", ".github/dependabot.yml", "_config.yml", "CITATION.cff"} <= set(found)
    for name in found:
        assert read(ROOT / name), name


def test_a_key_that_stands_twice_is_seen(tmp_path):
    (tmp_path / "twice.yml").write_text("a: {b: 1, c: 2, b: 3}\n")
    with pytest.raises(AssertionError, match="there twice"):
        read(tmp_path / "twice.yml")


# What is run


def known_options():
    """The options that a job of run.py may be given here, and that somebody else reads."""
    help_of_tests = subprocess.run(
        [sys.executable, "-m", "pytest", "--help"], cwd=ROOT, capture_output=True, encoding="utf8", check=True
    ).stdout
    return {"test": set(re.findall(r"--[\w-]+", help_of_tests)), "lint": {"--fix"}, "exercises": {"--check"}} | {
        "replicate": {"--list", "--more"}
    }


def test_every_command_of_run_py_that_is_run_is_there():
    jobs, options, seen = module("run", ROOT / "run.py").JOBS, known_options(), set()
    for where, line in scripts():
        for words in re.findall(r"python3? run\.py ([^|&;>]+)", line):
            job, *given = shlex.split(words.partition(" #")[0])
            assert job in jobs, f"{where}: {line}"
            assert {word for word in given if word[0] == "-"} <= options.get(job, set()), f"{where}: {line}"
            seen.add((job, *given))
    assert {("lint",), ("exercises", "--check"), ("test",), ("test", "--quick", "--cov")} <= seen


def test_what_is_passed_through_reaches_the_tests():
    said = [line for where, line in scripts() if where == "run" and "run.py" in line]
    assert said == ['python3 run.py test "$@"']
    passed = {word for _, line in scripts() if ".ci/run " in line for word in line.split()[2:]}
    assert passed == {"--thorough"}
    assert passed <= known_options()["test"]


def test_every_file_that_is_run_is_there():
    """Tools in .venv, where they are installed, and scripts of the book."""
    seen = set()
    for where, line in scripts():
        for tool in re.findall(r"\.venv/bin/([\w-]+)", line):
            assert shutil.which(tool, path=str(SCRIPTS)), f"{where}: {line}"
        for name in re.findall(r"(?:python3?|bash) ((?!-)[\w./-]+)", line):
            assert (ROOT / name).is_file(), f"{where}: {line}"
            seen.add(name)
    assert {"run.py", ".ci/run", ".ci/release.py"} <= seen


def test_what_is_cached_by_its_requirements_names_them():
    for path in WORKFLOWS:
        for _, step in steps(read(path)):
            for name in step.get("with", {}).get("cache-dependency-path", "").split():
                assert (ROOT / name).is_file(), path.name


# Workflows


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_may_do_little_and_ends(path):
    workflow = read(path)
    assert workflow["name"] == path.stem
    assert workflow["permissions"] == {"contents": "read"}
    assert "group" in workflow["concurrency"]
    assert workflow[True], "on"  # YAML 1.1 reads the word so
    for name, job in workflow["jobs"].items():
        needs = job.get("needs", [])
        assert set([needs] if isinstance(needs, str) else needs) <= set(workflow["jobs"])
        if "uses" in job:
            assert (ROOT / job["uses"]).is_file(), name
            assert "workflow_call" in read(ROOT / job["uses"])[True]
        else:
            assert 0 < job["timeout-minutes"] <= 120
            assert job["steps"]
    for _, step in steps(workflow):
        assert "${{" not in step.get("run", ""), "what others write could be run; pass it as a variable"


def test_an_action_is_pinned_by_its_commit_and_the_same_everywhere():
    pins = {}
    for path in WORKFLOWS:
        for line in path.read_text("utf8").splitlines():
            if "uses:" in line and "uses: ./" not in line:
                action, commit, version = re.fullmatch(
                    r"\s*(?:- )?uses: (\S+)@([0-9a-f]{40}) # (v\d+\.\d+\.\d+)", line
                ).groups()
                pins.setdefault(action, set()).add((commit, version))
    assert "actions/checkout" in pins
    assert {action: found for action, found in pins.items() if len(found) > 1} == {}


def test_checkouts_keep_no_token_unless_they_push():
    for path in WORKFLOWS:
        workflow = read(path)
        for job, step in steps(workflow):
            if step.get("uses", "").startswith("actions/checkout@"):
                pushes = any("git push" in other.get("run", "") for name, other in steps(workflow) if name == job)
                assert pushes or step["with"]["persist-credentials"] is False, (path.name, job)


def test_schedules_are_times_and_no_two_are_the_same():
    times = [entry["cron"] for path in WORKFLOWS for entry in (read(path)[True].get("schedule") or [])]
    for time in times:
        minute, hour, *_ = time.split()
        assert re.fullmatch(r"(\S+ ){4}\S+", time)
        assert (int(minute), int(hour)) <= (59, 23)
    assert len(times) == len(set(times)) == 3


def test_the_lowest_python_that_is_tried_is_the_one_that_is_needed():
    tried = read(ROOT / ".github/workflows/test.yml")["jobs"]["test"]["strategy"]["matrix"]["python"]
    needed = tomllib.loads((ROOT / "pyproject.toml").read_text("utf8"))["project"]["requires-python"]
    lowest = min(tuple(map(int, version.split("."))) for version in tried)
    assert needed == ">=" + ".".join(map(str, lowest))
    assert lowest == module("run", ROOT / "run.py").NEEDED


# Hooks, proposals, forms, owners


def test_hooks_look_at_files_that_are_there(committed):
    assert {hook["id"] for hook in hooks()} == {"lint", "exercises"}
    for hook in hooks():
        assert (hook["language"], hook["pass_filenames"]) == ("system", False)
        for part in re.split(r"\|(?![^(]*\))", hook["files"]):
            assert any(re.search(part, name) for name in committed), (hook["id"], part)


def test_newer_versions_are_looked_for_where_versions_stand():
    updates = {entry["package-ecosystem"]: entry for entry in read(ROOT / ".github" / "dependabot.yml")["updates"]}
    assert set(updates) == {"github-actions", "pip"}
    assert {entry["directory"] for entry in updates.values()} == {"/"}
    pinned = (ROOT / "requirements.txt").read_text("utf8")
    for entry in updates["pip"]["ignore"]:
        version, reason = re.search(rf"^{entry['dependency-name']}==(\S+) +# (.+)$", pinned, re.MULTILINE).groups()
        (bound,) = entry["versions"]
        first = bound.removeprefix(">=")
        assert [int(part) for part in version.split(".")[:2]] < [int(part) for part in first.split(".")]
        assert f"{first}." in reason or f"{first} " in reason


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.stem)
def test_a_form_can_be_filled_in(path):
    form = read(path)
    assert set(form) == {"name", "description", "labels", "body"}
    names = [field["id"] for field in form["body"]]
    assert len(names) == len(set(names))
    for field in form["body"]:
        assert field["type"] in ("input", "textarea", "dropdown")
        assert field["attributes"]["label"]
        assert (field["type"] == "dropdown") == ("options" in field["attributes"])
    assert any(field.get("validations", {}).get("required") for field in form["body"])


def test_an_exercise_that_a_form_names_is_there():
    fields = {field["id"]: field for field in read(ROOT / ".github/ISSUE_TEMPLATE/2-check.yml")["body"]}
    chapter, name = fields["exercise"]["attributes"]["placeholder"].split("/")
    assert f'"grade_id": "{name}"' in (ROOT / "exercises" / f"{chapter}.ipynb").read_text("utf8")


def test_commands_and_files_that_the_checklist_names_are_there():
    text = (ROOT / ".github" / "pull_request_template.md").read_text("utf8")
    named = re.findall(r"`python run\.py (\w+)`", text)
    assert named
    assert set(named) <= set(module("run", ROOT / "run.py").JOBS)
    for name in re.findall(r"`([\w/]+(?:\.md|/))`", text):
        assert (ROOT / name).exists()


def test_what_has_an_owner_is_there(committed):
    lines = (ROOT / ".github" / "CODEOWNERS").read_text("utf8").splitlines()
    rules = [line.split() for line in lines if line and not line.startswith("#")]
    assert rules[0][0] == "*"
    for pattern, *owners in rules:
        assert owners
        assert all(re.fullmatch(r"@[\w-]+/[\w-]+", owner) for owner in owners)
        assert pattern == "*" or any(f"/{name}".startswith(pattern) for name in committed), pattern


# Releases


@pytest.fixture
def released(tmp_path):
    """A book of version 1.2.3, and the script that releases it."""
    (tmp_path / "book").mkdir()
    (tmp_path / "pyproject.toml").write_text('[project]\nversion = "1.2.3"\n')
    (tmp_path / "CITATION.cff").write_text("cff-version: 1.2.0\nversion: 1.2.3\ndate-released: 2026-03-09\n")
    (tmp_path / "book" / "one.md").write_text("---\n---\n\n# The first page\n")
    (tmp_path / "book" / "changelog.md").write_text(
        "# Changelog\n\n## What a version means\n\nMuch.\n\n"
        "## 1.2.3, 9 March 2026\n\nNew: [](one.md), [two](one.md#a-place) and [three](https://example.org).\n\n"
        "## 1.2.2, 1 March 2026\n\nOlder.\n"
    )
    return tmp_path, module("release", ROOT / ".ci" / "release.py")


TODAY = datetime.date(2026, 3, 9)


def test_a_version_that_fits_is_released_with_its_notes(released, capsys):
    root, script = released
    assert script.main(["v1.2.3"], root, TODAY) == 0
    said = capsys.readouterr().out
    assert said == "New: The first page, two and [three](https://example.org).\n"


@pytest.mark.parametrize(
    ("name", "old", "new", "says"),
    [
        ("pyproject.toml", "1.2.3", "1.2.4", "the tag is v1.2.3, but pyproject.toml says 1.2.4"),
        ("CITATION.cff", "version: 1.2.3", "version: 1.2.2", "CITATION.cff says version 1.2.2"),
        ("CITATION.cff", "2026-03-09", "2026-03-10", "still to come"),
        ("CITATION.cff", "2026-03-09", "2026-03-08", "but book/changelog.md says 9 March 2026"),
        ("CITATION.cff", "2026-03-09", "soon", "soon, which is no date"),
        ("CITATION.cff", "date-released: 2026-03-09\n", "", "which is no date"),
        ("book/changelog.md", "## 1.2.3, 9 March 2026", "## Not yet", "begins with 1.2.2"),
    ],
)
def test_whatever_does_not_fit_stops_a_release(released, capsys, name, old, new, says):
    root, script = released
    text = (root / name).read_text()
    assert old in text
    (root / name).write_text(text.replace(old, new))
    assert script.main(["v1.2.3"], root, TODAY) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert says in said.err


def test_this_version_of_the_book_could_be_released():
    script = module("release", ROOT / ".ci" / "release.py")
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf8"))["project"]["version"]
    assert script.problems(ROOT, f"v{version}", datetime.date.max) == []
    assert "](" not in re.sub(r"\]\(https?://", "", script.notes(ROOT))
    assert script.main([], ROOT) == 2
