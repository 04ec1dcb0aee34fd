"""The page of evidence: no claim of any chapter is missing, and a phone shows each as a card."""

import re
from itertools import pairwise

import pytest
from bs4 import BeautifulSoup

pytestmark = pytest.mark.xdist_group("site")
STATUS = "book/status"


def rows(site, page, table):
    """Return the rows of all tables of some class: sentence, measured, rests on, strength."""
    text = (site / f"{page}.html").read_text("utf8")
    tables = re.findall(rf"<table[^>]*\b{table}\b.*?</table>", text, re.DOTALL)  # to read all of a page takes long
    found = BeautifulSoup("".join(tables), "html.parser").select(f"table.{table} tbody tr")
    return [[cell.find("a") or cell if i == 0 else cell for i, cell in enumerate(row(["th", "td"]))] for row in found]


def texts(found):
    return [tuple(" ".join(cell.get_text().split()) for cell in row) for row in found]


def test_every_claim_of_every_chapter_is_there(site, pages):
    in_chapters = [text for page in pages for text in texts(rows(site, page, "innerlab-claims"))]
    front = BeautifulSoup((site / f"{pages[0]}.html").read_text("utf8"), "html.parser")
    on_cards = [card.text.removeprefix("Claim. ") for card in front.select(".claim-statement")]  # it shows no table
    gathered = [row[:4] for row in texts(rows(site, STATUS, "evidence-claims"))]  # what is on file follows
    assert in_chapters, "no chapter shows a table of claims"
    first = [sentence for sentence, *_ in gathered[: len(on_cards)]]
    assert first == on_cards, f"{STATUS} must begin with the claims of the front page, {on_cards}, not {first}"
    lacking = [row for row in in_chapters if row not in gathered]
    assert gathered[len(on_cards) :] == in_chapters, (
        f"{STATUS} must have the claims of all chapters in reading order; a chapter ends with one `claims.table()`, "
        f"after its last claim. Not there: {lacking}"
    )
    soup = BeautifulSoup((site / f"{STATUS}.html").read_text("utf8"), "html.parser")
    count = soup.select_one(".evidence-count").text
    assert count.startswith(f"{len(gathered)} claims in "), f"{STATUS} lists {len(gathered)} claims and says: {count}"
    total = soup.select("table.evidence-numbers tbody tr")[-1].find_all("td")
    sums = [int(cell.text) for cell in total]
    assert sums[-1] == len(gathered) == sum(sums[:-1]), f"{STATUS} lists {len(gathered)} claims and adds up to {sums}"
    weaker = [link.text for link in soup.select("#the-weaker-ones li a")]
    assert weaker == [row[0] for row in gathered if row[3] == "thin"] + [
        row[0] for row in gathered if row[3] == "provisional"
    ], f"{STATUS}, The weaker ones: not the claims that are thin or provisional"


def test_claims_lead_to_their_cards_and_figures(site):
    for sentence, *_ in rows(site, STATUS, "evidence-claims"):
        page, _, anchor = sentence["href"].partition("#")
        chapter = (site / "book" / page).read_text("utf8")
        assert f'id="{anchor}"' in chapter, (
            f"{sentence['href']} is not there: show the claim with display(claims.check(...)), or as a cell's last "
            "line, and let `evidence` name a figure of the chapter"
        )
        figure = sentence.find_parent("th").find_all("a")[1]
        assert figure["href"].startswith(f"{page}#fig-"), (
            f"{page}: `evidence` of a claim names a figure, fig-..., not {figure['href']}: {sentence.text}"
        )
        assert figure.text.startswith("Fig."), f"{page}: `evidence` must name a figure with a caption: {sentence.text}"


def test_a_phone_stacks_the_rows(read):
    reader = read(STATUS, width=360)
    page = reader.page
    cell = page.locator("table.evidence-claims tbody td").first
    assert cell.evaluate("cell => getComputedStyle(cell, '::before').content") == '"measured"'
    head, first = page.locator("table.evidence-claims thead").first, page.locator("table.evidence-claims tr").nth(1)
    assert head.bounding_box()["width"] <= 1
    parts = first.locator("th, td")
    tops = [parts.nth(i).bounding_box() for i in range(4)]
    assert all(a["y"] + a["height"] <= b["y"] + 1 for a, b in pairwise(tops))
    # A screen reader is told of columns all the same.
    assert page.get_by_role("columnheader", name="measured").count() > 0
    reader.look(1280, "light")
    tops = [parts.nth(i).bounding_box()["y"] for i in range(4)]
    assert max(tops) - min(tops) < 1
