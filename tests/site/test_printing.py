"""What paper has of a page: all its words, those of folds too.

Chapters are really printed, so that the browser tells the page before and after. Pretending that the page is paper
would show neither what is unfinished when the print begins nor what is left behind when it is over.
"""

import io
import re
import unicodedata
from collections import Counter

import pytest
from pypdf import PdfReader
from reader import Reader

LOST = 0.02  # share of words that stand on tools too, or that the end of a line or the reading of a PDF breaks
# Opens all folds, and takes out what says how to work something that paper does not have.
UNFOLD = """() => {
    for (const fold of document.querySelectorAll("main details")) fold.open = true;
    for (const tool of document.querySelectorAll("button, .il-hint, .il-veil, details.hide > summary")) tool.remove();
}"""


@pytest.fixture(params=["book/optimizer", "book/pseudo_alignment"])
def chapter(request, browser, served):
    """A chapter that nobody has scrolled, on a system that does not ask for less motion."""
    reader = Reader(browser, served)
    reader.page.emulate_media(reduced_motion="no-preference")
    reader.page.goto(f"{served}/{request.param}.html")
    yield reader.page
    reader.context.close()


def words(text):
    """How often each word stands in a text, which may have ﬁ as one letter."""
    return Counter(re.findall(r"[^\W\d_]{2,}", unicodedata.normalize("NFKC", text)))


def opened_folds(page):
    """How many folds are open, and how many are still marked as opened for paper."""
    return [page.locator(f"main details{state}").count() for state in ("[open]", "[data-folded]")]


def test_paper_has_the_words_of_the_page_and_of_its_folds(chapter):
    assert opened_folds(chapter) == [0, 0]
    sheets = PdfReader(io.BytesIO(chapter.pdf(format="A4"))).pages
    assert opened_folds(chapter) == [0, 0]
    on_paper = words("\n".join(sheet.extract_text() for sheet in sheets))
    chapter.evaluate(UNFOLD)
    on_page = words(chapter.locator("article.bd-article").inner_text())
    lost = on_page - on_paper
    assert on_page.total() > 5000
    assert lost.total() < LOST * on_page.total(), lost.most_common(40)
