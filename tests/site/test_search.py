"""Search finds what a reader looks for by name: terms, formulas, and exercises."""

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.xdist_group("site")

FOUND = {
    "mesa-objective": "book/glossary.html",
    "mesa objective": "book/mesa_optimizer.html",
    "deceptive": "book/deceptive_alignment.html",
    "softmax": "book/base_optimizer.html",  # a word of its formulas and of its code
    "gamma": "book/notation.html",  # only formulas have it there
    "γ": "book/deceptive_alignment.html",
    "a number that does not hide the lost": "exercises/pseudo_alignment.html",
}


@pytest.mark.parametrize("scheme", ["http", "file"])
def test_search_finds_terms_formulas_and_exercises(read, scheme):
    page = read("search", scheme).page
    for words, address in FOUND.items():
        page.locator("#book-search-words").fill(words)
        page.keyboard.press("Enter")
        expect(page.locator(f"#search-results li a[href^='{address}']").first, words).to_be_attached()
    page.locator("#book-search-words").fill("mesaobjectivity")
    page.keyboard.press("Enter")
    expect(page.locator("#search-results")).to_contain_text("did not match any documents")
    assert page.locator("#search-results li a").count() == 0
