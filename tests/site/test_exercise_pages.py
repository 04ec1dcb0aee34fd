"""Exercises on the site: they can be read there, taken away, and opened where the deploy workflow puts them."""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import nbformat
import pytest
import yaml
from accessible import complaints
from bs4 import BeautifulSoup
from playwright.sync_api import expect

from innerlab.checks import release
from innersite import notebooks
from innersite.cards import hours, read_cards, summary

pytestmark = pytest.mark.xdist_group("site")

ROOT = Path(__file__).resolve().parents[2]
CHAPTERS = sorted(path.stem for path in (ROOT / "solutions").glob("*.md"))
ADDRESS = {"GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "someone/book"}
BOX = '<div class="exercises-box">'
HOSTS = ("colab.research.google.com", "mybinder.org")


def soup(site, name):
    return BeautifulSoup((site / f"{name}.html").read_text("utf8"), "html.parser")


def words(tag):
    return " ".join(tag.get_text(" ").split())


def test_syllabi_and_the_front_page_say_what_the_cards_say(site):
    known = {chapter: read_cards(ROOT / "solutions" / f"{chapter}.md") for chapter in CHAPTERS}
    total = summary([card for cards in known.values() for card in cards])
    assert total in soup(site, "book/index").text, f"book/index.md must say {{effort}}`all exercises`, which is {total}"
    minutes = [sum(card.minutes for card in cards) for cards in known.values()]
    span = f"from {hours(min(minutes))} to {hours(max(minutes))}"
    assert span in words(soup(site, "book/teaching")), (
        f"book/teaching.md must say how long all of a chapter take: {span}"
    )
    lines = soup(site, "book/teaching").select('#syllabi li:has(a[href^="../exercises/"])')
    asked = {Path(line.a["href"]).stem for line in lines}
    assert asked == set(CHAPTERS), f"book/teaching.md: no syllabus asks for exercises of {set(CHAPTERS) - asked}"
    for line in lines:
        numbered = {card.number: card for card in known[Path(line.a["href"]).stem]}
        assert line.em, f"book/teaching.md: a line of a syllabus names no exercise: {line.text}"
        for title in line.find_all("em"):
            card = numbered[int(title.previous_sibling.split()[-1])]
            after = " ".join(title.next_sibling.split())
            wanted = f"({card.minutes} min, {card.points} p)"
            assert after.startswith(wanted), f"book/teaching.md: by its card {card.name} is {wanted}; {line.text}"


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_exercises_can_be_read(site, chapter):
    page = soup(site, f"exercises/{chapter}").find("article")
    whole = release.source_notebook(ROOT / "solutions" / f"{chapter}.md")
    cards = re.findall(r"^## (\d+)\. (?:.+)\n\n\|.*\n\|.*\n(\|.+\|)$", text_of(whole), re.MULTILINE)
    headings, at = [words(h2).partition(".")[0] for h2 in page.find_all("h2")], f"solutions/{chapter}.md"
    assert headings == [number for number, _ in cards], (
        f"{at}: every `## 1. Title` is followed by an empty line and its card, three lines of a table; the page has "
        f"the headings {headings}"
    )
    tables = [table for table in page.find_all("table") if words(table).startswith("kind difficulty minutes points")]
    for table, (_, card) in zip(tables, cards, strict=True):
        kind, dots, minutes, points = (entry.strip() for entry in card.strip("|").split("|"))
        read_aloud = f"{dots} {dots.count('●')} of 4"
        shown = words(table.tbody)
        assert shown == f"{kind} {read_aloud} {minutes} {points}", f"{at}: the page shows the card {card} as {shown}"
    stubs = [cell.source for cell in release.released(ROOT / "solutions" / f"{chapter}.md").cells if is_answer(cell)]
    code = [pre.get_text() for pre in page.select("div.cell_input pre")]
    lacking = [stub for stub in stubs if stub.strip() not in {text.strip() for text in code}]
    assert lacking == [], f"exercises/{chapter} lacks these stubs on its page"
    dead = [text for text in code if text.startswith(("check(", "summary("))]
    assert dead == [], f"exercises/{chapter}: on a page nothing can be checked, so the cell must be left out"
    assert release.WRITE_HERE.strip("*") not in page.get_text(), (
        f"exercises/{chapter}: nothing can be written on a page"
    )
    dead = page.select("div.cell_output, input, select, article button:not(.copybtn), details[hidden]")
    assert dead == [], f"exercises/{chapter}: on its page these do nothing, or were made by running it"


def text_of(notebook):
    return "\n\n".join(cell.source for cell in notebook.cells)


def is_answer(cell):
    return cell.cell_type == "code" and cell.metadata.get("nbgrader", {}).get("solution")


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_the_box_says_what_the_exercises_come_to_and_offers_them(site, chapter):
    whole = release.source_notebook(ROOT / "solutions" / f"{chapter}.md")
    points = sum(release.exercises_in(whole).values())  # not from the cards, which the box is made from
    count = len(re.findall(r"^## \d+\. ", text_of(whole), re.MULTILINE))
    for name in (f"exercises/{chapter}", f"book/{chapter}"):
        html = (site / f"{name}.html").read_text("utf8")
        assert html.count(BOX) == 1, f"{name} must have one box that leads to the exercises, not {html.count(BOX)}"
        box = BeautifulSoup(html[html.index(BOX) : html.index("</article>")], "html.parser").div  # chapters are long
        said = f"{count} exercises, {points} points, about "
        assert said in words(box).replace(" ,", ","), (
            f"{name}: by what is marked the box must say {said!r}: {words(box)}"
        )
        links = {words(a): (site / f"{name}.html").parent / a["href"] for a in box.find_all("a")}
        assert {text: path.resolve().relative_to(site).as_posix() for text, path in links.items()} == {
            **({"Read the exercises": f"exercises/{chapter}.html"} if name.startswith("book/") else {}),
            "Download the notebook": f"notebooks/{chapter}.ipynb",
            "Download the solutions": f"notebooks/{chapter}-solutions.ipynb",
        }
    assert re.search(rf'id="exercises-for-this-chapter">\s*<h2>Exercises for this chapter<.*\s*{BOX}', html)
    source = ROOT / "exercises" / f"{chapter}.ipynb"
    offered = (site / "notebooks" / f"{chapter}.ipynb").read_text("utf8")
    assert offered == notebooks.exercise(source, ""), f"what is offered for {chapter} is not made from {source.name}"
    answered = nbformat.read(site / "notebooks" / f"{chapter}-solutions.ipynb", as_version=4)
    assert any(release.BEGIN in cell.source for cell in answered.cells), f"the solutions of {chapter} hold no answer"


def test_search_finds_an_exercise(read):
    reader = read("search", "file")
    reader.page.fill("#book-search-words", "thrifty")
    reader.page.keyboard.press("Enter")
    reader.page.locator("#search-results li a[href*='exercises/optimizer']").first.wait_for()


def test_notebooks_can_be_downloaded(read):
    page = read(f"exercises/{CHAPTERS[0]}").page
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the notebook").click()
    assert download.value.suggested_filename == f"{CHAPTERS[0]}.ipynb"
    taken = Path(download.value.path()).read_text("utf8")
    assert nbformat.reads(taken, as_version=4).cells[0].source.startswith("# Exercises: ")


def test_from_a_folder_the_link_opens_the_file_that_lies_there(read, site):
    # Browsers download nothing from a folder; they show the text.
    page = read(f"exercises/{CHAPTERS[0]}", "file").page
    page.get_by_role("link", name="Download the notebook").click()
    page.wait_for_url(f"**/notebooks/{CHAPTERS[0]}.ipynb")
    there = (site / "notebooks" / f"{CHAPTERS[0]}.ipynb").read_text("utf8")
    assert page.inner_text("body").split() == there.split()


# Where the launch buttons lead


HEADER = (ROOT / "solutions" / "optimizer.md").read_text("utf8").partition("\n---\n")[0] + "\n---\n"
TINY = {
    "_toc.yml": "format: jb-book\nroot: book/index\nchapters:\n  - file: book/one\n    sections:\n"
    "      - file: exercises/one\n  - file: book/two\n",
    "book/index.md": "# Tiny\n\nA book with one chapter that runs.\n",
    "book/one.md": f"{HEADER}\n# One\n\nThe chapter.\n\n```{{code-cell}} ipython3\n1\n```\n",
    "book/two.md": "# Two\n\nA page without code.\n",
    "solutions/one.md": HEADER
    + """
# Exercises: one

*How many?*

## 1. Count

| kind | difficulty | minutes | points |
|---|---|---|---|
| write | ●○○○ | 5 | 2 |

```{code-cell} ipython3
---
nbgrader: {grade: false, grade_id: many, locked: false, schema_version: 3, solution: true, task: false}
---
many = ...

### BEGIN SOLUTION
many = 1
### END SOLUTION
```

```{code-cell} ipython3
---
nbgrader: {grade: true, grade_id: check-many, locked: true, points: 2, schema_version: 3, solution: false, task: false}
---
check("one/many", many)
```
""",
}


def git(folder, *arguments):
    done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout


def run_job(folder, job):
    """Run what a job of the deploy workflow runs, except that the Python is the one at hand."""
    steps = yaml.safe_load((ROOT / ".github/workflows/deploy.yml").read_text("utf8"))["jobs"][job]["steps"]
    spec = importlib.util.spec_from_file_location("run_in_scratch", ROOT / "run.py")
    run = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(run)
    run.ROOT, run.PYTHON, run.SCRIPTS = folder, sys.executable, Path(sys.executable).parent
    for script in [step["run"] for step in steps if "run" in step]:
        command = re.fullmatch(r"python run\.py (\w+)", script.strip())
        if command:
            name = command[1]
            assert run.JOBS[name][0]([]) in (0, None), script
        else:
            subprocess.run(["bash", "-e", "-c", script], cwd=folder, check=True, capture_output=True)


@pytest.fixture(scope="module")
def deployed(tmp_path_factory):
    """Return the site of a tiny book, and the files on the branch `notebooks`, as the workflow makes both."""
    if os.name == "nt":
        pytest.skip("the workflow runs on Linux")
    folder, origin = tmp_path_factory.mktemp("scratch"), tmp_path_factory.mktemp("origin")
    for name in ("_ext", "_static", "_templates"):
        shutil.copytree(ROOT / "book" / name, folder / "book" / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in (
        "_config.yml",
        ".gitignore",
        "pyproject.toml",
        "requirements.txt",
        "CITATION.cff",
        "book/references.bib",
    ):
        shutil.copy(ROOT / name, folder / name)
    for name, text in TINY.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, "utf8")
    release.write_all(folder)
    git(origin, "init", "--quiet", "--bare")
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "remote", "add", "origin", str(origin))
    git(folder, "add", ".")
    git(folder, "-c", "user.name=A", "-c", "user.email=a@example.org", "commit", "--quiet", "-m", "All")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in ADDRESS.items():
            patch.setenv(name, value)
        run_job(folder, "build")
        run_job(folder, "notebooks")
    return folder / "_build" / "html", origin


def launched(page):
    """Return what the launch links of a page lead to: each a host, with a file on the branch."""
    found = set()
    for link in page.find_all("a", href=True):
        parts = urlsplit(link["href"])
        if parts.netloc == HOSTS[0]:
            found.add((parts.netloc, parts.path.removeprefix("/github/someone/book/blob/notebooks/")))
        elif parts.netloc == HOSTS[1]:
            assert parts.path == "/v2/gh/someone/book/notebooks"
            found.add((parts.netloc, parse_qs(parts.query)["urlpath"][0].removeprefix("lab/tree/")))
    return found | {("hub", form["data-path"]) for form in page.select("form[data-hub]")}


def test_launch_links_lead_to_notebooks_that_are_there(deployed):
    site, origin = deployed
    there = set(git(origin, "ls-tree", "-r", "--name-only", "notebooks").split())
    leads = {name: launched(soup(site, name)) for name in ("book/index", "book/one", "book/two", "exercises/one")}
    own, exercise = "book/one.ipynb", "exercises/one.ipynb"
    everywhere = {(host, exercise) for host in (*HOSTS, "hub")}
    assert leads["book/one"] == everywhere | {(host, own) for host in HOSTS}
    assert leads["exercises/one"] == everywhere
    assert leads["book/index"] == leads["book/two"] == set()
    assert {path for _, path in everywhere} | {own} <= there
    for path in (own, exercise):
        notebook = nbformat.reads(git(origin, "show", f"notebooks:{path}"), as_version=4)
        assert "git+https://github.com/someone/book" in next(c.source for c in notebook.cells if c.cell_type == "code")
    assert re.fullmatch(r"python-3\.\d+\n", git(origin, "show", "notebooks:runtime.txt"))
    assert "git+https://github.com/someone/book" in (site / "notebooks/one.ipynb").read_text("utf8")


def test_the_books_own_pages_have_such_notebooks(site, tmp_path):
    # The tiny book shows where links lead; here every page of this one that will have them.
    shutil.copytree(ROOT / "exercises", tmp_path / "exercises")
    (tmp_path / "book").mkdir()
    for source in (ROOT / "book").glob("*.md"):
        shutil.copy(source, tmp_path / "book")
    (tmp_path / "_config.yml").write_text("repository: {url: 'https://github.com/someone/book'}\n", "utf8")
    notebooks.write_all(tmp_path)
    beside = {path.relative_to(tmp_path).as_posix() for path in (tmp_path / "book").glob("*.ipynb")}
    copies = {f"exercises/{path.name}" for path in (tmp_path / "_build/notebooks/exercises").iterdir()}
    run = {path.stem for path in (ROOT / "book").glob("*.md") if "\nkernelspec:" in path.read_text("utf8")}
    launched = {f"book/{name}.ipynb" for name in run}
    assert beside == launched, (
        "the theme gives launch buttons to pages with a kernel in their header, and copies are made of those with "
        f"code; these have one of the two: {sorted(beside ^ launched)}"
    )
    assert copies == {f"exercises/{chapter}.ipynb" for chapter in CHAPTERS}, "run: python run.py exercises"


def test_the_workflow_publishes_after_the_notebooks_and_may_do_little():
    workflow = yaml.safe_load((ROOT / ".github/workflows/deploy.yml").read_text("utf8"))
    jobs = workflow["jobs"]
    assert set(jobs["publish"]["needs"]) == {"build", "notebooks"}
    assert workflow["permissions"] == {"contents": "read"}
    assert {name: job.get("permissions") for name, job in jobs.items()} == {
        "build": None,
        "publish": {"pages": "write", "id-token": "write"},
        "notebooks": {"contents": "write"},
    }
    assert all(0 < job["timeout-minutes"] <= 60 for job in jobs.values())


def test_a_link_to_a_hub_is_made_on_the_page(deployed, read_at, serve_strictly):
    site, _ = deployed
    for address in (serve_strictly(site), site.as_uri()):
        reader = read_at("exercises/one", address)
        page = reader.page
        field, status = page.get_by_label("Or on a JupyterHub"), page.locator(".exercises-hub [role=status]")
        for typed, hub in (
            ("hub.example.org", "https://hub.example.org"),
            (" https://hub.example.org/ ", "https://hub.example.org"),
            ("http://hub.example.org:8000/jupyter/hub/home", "http://hub.example.org:8000/jupyter"),
            ("https://hub.example.org/user/me/lab/tree/x?y#z", "https://hub.example.org"),
        ):
            field.fill(typed)
            field.press("Enter")
            link = status.get_by_role("link")
            expect(link).to_have_attribute("href", re.compile(f"^{re.escape(hub)}/hub/user-redirect/"))
            parts = urlsplit(link.get_attribute("href"))
            assert f"{parts.scheme}://{parts.netloc}{parts.path}" == f"{hub}/hub/user-redirect/git-pull"
            assert parse_qs(parts.query) == {
                "repo": ["https://github.com/someone/book"],
                "urlpath": ["lab/tree/book/exercises/one.ipynb"],
                "branch": ["notebooks"],
            }
            expect(field).to_have_attribute("aria-invalid", "false")
        page.reload()
        expect(field).to_have_value("https://hub.example.org")
        expect(status.get_by_role("link")).to_be_visible()
        for nonsense in ("", "two words", "javascript:alert(1)", "javascript://x", "ftp://hub.example.org"):
            field.fill(nonsense)
            field.press("Enter")
            expect(status).to_contain_text("no address of a hub")
            expect(status.get_by_role("link")).to_have_count(0)
            expect(field).to_have_attribute("aria-invalid", "true")
        assert reader.foreign == []
    assert reader.complaints == []  # of the page opened as a file; a strict server refuses the theme's inline script


def test_the_box_is_accessible_and_fits_with_all_that_it_offers(deployed, read_at):
    reader = read_at("book/one", deployed[0].as_uri())
    reader.page.get_by_label("Or on a JupyterHub").fill("hub." + "long-name." * 9 + "example.org")
    reader.page.get_by_role("button", name="Make the link").click()
    for width, colors in [(320, "light"), (360, "dark"), (1280, "light")]:
        reader.look(width, colors)
        assert reader.page.evaluate("document.documentElement.scrollWidth") == width
        assert not (found := complaints(reader.page)), f"{width} px, {colors}:\n{found}"
    reader.page.emulate_media(media="print")
    assert reader.page.locator(".exercises-hub").is_hidden()


def test_without_scripts_no_dead_form_is_shown(deployed, read_at):
    page = read_at("exercises/one", deployed[0].as_uri(), java_script_enabled=False).page
    assert page.locator(".exercises-hub").is_hidden()
    assert page.get_by_role("link", name="Open in Colab").is_visible()
