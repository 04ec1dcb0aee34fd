"""One reader's way through it all: in at the front door, to a term, a prediction, an exercise, and a solved one."""

import re

import nbformat
import pytest
from playwright.sync_api import expect
from reader import Reader, wait_for

from innerlab.checks import folder, release

pytestmark = pytest.mark.xdist_group("site")

CHAPTER, EXERCISE = "pseudo_alignment", "prediction"
STOPS = 200  # a reader who presses Tab more often than this has lost patience


def tab_to(page, is_there):
    """Press Tab until the element that has the focus is the one, by a function in JavaScript of that element."""
    for _ in range(STOPS):
        page.keyboard.press("Tab")
        if page.evaluate(f"() => ({is_there})(document.activeElement)"):
            return page.locator(":focus")
    return pytest.fail(f"{is_there} was not reached in {STOPS} steps")


def find_a_chapter(page):
    """From the front door, by a word, to the chapter that is about it."""
    page.keyboard.press("Control+k")
    page.keyboard.type("deceptive")
    page.keyboard.press("Enter")
    page.locator("#search-results li a[href*='book/deceptive_alignment.html']").click()
    expect(page.locator("article h1")).to_contain_text("When does it pay to play along?")


def follow_a_term(page):
    """Past what surrounds the text to the first term, its definition, and its entry in the glossary."""
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_attribute("href", "#main-content")
    page.keyboard.press("Enter")
    link = tab_to(page, "link => link.matches('main a[aria-describedby^=definition-]')")
    box = page.locator(".term-popover")
    expect(box).to_be_visible()
    name, definition = (box.locator("p").nth(number).inner_text() for number in (0, 1))
    assert link.evaluate("link => document.getElementById(link.getAttribute('aria-describedby')).textContent") in (
        definition
    )
    page.keyboard.press("Enter")
    page.wait_for_url("**/book/glossary.html#term-*")
    entry = page.locator("dt:target")
    expect(entry).to_be_in_viewport()
    expect(entry).to_contain_text(name)
    assert " ".join(definition.split()) in " ".join(
        entry.locator("xpath=following-sibling::dd[1]").inner_text().split()
    )


def predict(page):
    """Answer what the next chapter asks; the figure about it shows only then."""
    page.locator(".bd-sidebar-primary").get_by_role("link", name="Pseudo-alignment", exact=False).first.click()
    page.wait_for_url(f"**/book/{CHAPTER}.html")
    page.locator("[data-innerlab=predict]").first.scroll_into_view_if_needed()
    choice, number = (page.locator(".il-predict").nth(at) for at in (0, 1))
    figure = page.locator("#fig-outcomes")
    choice.scroll_into_view_if_needed()
    number.scroll_into_view_if_needed()
    expect(figure.get_by_text("Veiled until you have made your prediction above.")).to_be_visible()
    expect(figure.locator("img")).to_be_hidden()
    choice.get_by_label("mostly to the red key").check()
    choice.get_by_role("button", name="Commit").click()
    expect(choice.get_by_role("status")).to_contain_text("You chose “mostly to the red key")
    expect(figure.locator("img")).to_be_hidden()  # another question is asked about it
    number.get_by_role("slider").fill("40")
    number.get_by_role("button", name="Commit").click()
    expect(number.get_by_role("status")).to_contain_text("You said 40 seeds.")
    expect(figure.locator("img")).to_be_visible()
    figure.scroll_into_view_if_needed()
    expect(figure.locator("img")).to_have_js_property("complete", True)
    assert figure.locator("img").evaluate("picture => picture.naturalWidth") > 0


def take_the_notebooks(page, work):
    """Through the box below the chapter to its exercises, and home with the notebook and with the answers."""
    page.locator("#exercises-for-this-chapter").get_by_role("link", name="Read the exercises").click()
    expect(page.locator("article h2").first).to_contain_text("1. ")
    taken = []
    for what in ("notebook", "solutions"):
        with page.expect_download() as download:
            page.get_by_role("link", name=f"Download the {what}").click()
        taken.append(download.value)
    assert taken[0].suggested_filename == f"{CHAPTER}.ipynb"
    taken[0].save_as(work / taken[0].suggested_filename)
    return nbformat.read(taken[1].path(), as_version=4)


def name_of(cell):
    """The name that nbgrader knows a cell by."""
    return cell.metadata.get("nbgrader", {}).get("grade_id")


def cells_of(notebook):
    """The places of an exercise's cells among a notebook's code cells: what it imports, its answer, its check."""
    code = [name_of(cell) for cell in notebook.cells if cell.cell_type == "code"]
    return 0, code.index(EXERCISE), code.index(f"check-{EXERCISE}")


def run_cell(page, cell):
    cell.locator(".cm-content").click()
    page.keyboard.press("Control+Enter")


def solve(page, path, answer):
    """Read the check's card of the stub, then type the answer over it, run it, and save the notebook."""
    imports, stub, checks = (page.locator(".jp-CodeCell").nth(at) for at in cells_of(nbformat.read(path, 4)))
    for _ in range(30):  # what is run before the kernel is connected may be lost
        run_cell(page, imports)
        if wait_for(page, lambda: re.match(r"\[\d+\]:", imports.locator(".jp-InputPrompt").inner_text()), 10):
            break
    run_cell(page, stub)
    run_cell(page, checks)
    expect(checks.locator(".jp-OutputArea")).to_contain_text("Not attempted")
    stub.locator(".cm-content").click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(answer)
    page.keyboard.press("Control+Enter")
    run_cell(page, checks)
    expect(checks.locator(".jp-OutputArea")).to_contain_text("Passed")
    page.get_by_role("menuitem", name="File").click()
    page.get_by_role("menuitem", name="Save Notebook", exact=False).first.click()


def state(root):
    """How far the exercise is."""
    return next(
        standing.state
        for standing in folder.standings(root / "exercises", root / "work")[CHAPTER]
        if standing.name == EXERCISE
    )


def answer_in(notebook):
    """The answer that the copy with the answers gives, without the stub above it."""
    source = next(cell.source for cell in notebook.cells if name_of(cell) == EXERCISE)
    return source.partition(release.BEGIN)[2].partition(release.END)[0].strip()


def test_a_reader_comes_in_predicts_and_solves_an_exercise(
    browser, served, jupyterlab, open_notebook, pytestconfig, tmp_path, capsys
):
    shipped = pytestconfig.rootpath / "exercises" / f"{CHAPTER}.ipynb"
    (tmp_path / "work").mkdir()
    (tmp_path / "exercises").mkdir()
    (tmp_path / "exercises" / shipped.name).write_bytes(shipped.read_bytes())

    reader = Reader(browser, served, accept_downloads=True)
    page = reader.page
    page.goto(f"{served}/index.html")
    page.wait_for_url("**/book/index.html")
    find_a_chapter(page)
    follow_a_term(page)
    predict(page)
    answered = take_the_notebooks(page, tmp_path / "work")
    assert reader.complaints == []
    assert reader.foreign == []
    reader.context.close()

    assert state(tmp_path) == "untouched"
    lab = open_notebook(f"{jupyterlab(tmp_path / 'work')}/lab/tree/{shipped.name}")
    solve(lab, tmp_path / "work" / shipped.name, answer_in(answered))
    assert wait_for(lab, lambda: state(tmp_path) == "solved"), state(tmp_path)
    folder.progress(tmp_path)
    assert f"  solved     {EXERCISE} (1)" in capsys.readouterr().out.splitlines()
