"""The page of evidence shows every claim as the last execution left it, and is not built while one is missing."""

import pytest
from bs4 import BeautifulSoup
from tiny_book import CONFIGURATION, TinyBook, cell, executed

from innerlab.claims import Claims
from innersite import evidence
from innersite.execution import Book

FIGURE = "\n```{{figure}} dot.svg\n:name: fig-{}\n\nA dot.\n```\n"
DOT = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><circle cx="4" cy="4" r="3"/></svg>'
STATUS = (
    "# Evidence\n"
    "\n## In numbers\n\n```{claims-counted}\n```\n\n```{claims-by-strength}\n```\n"
    "\n## By chapter\n\n```{claims-by-chapter}\n```\n"
    "\n## What it took\n\n```{executions}\n```\n\n```{ran-on}\n```\n"
    "\nSee {section}`one#a-slow-part`.\n"
)


def claim(name: str, figure: str, strength: str = "solid", sentence: str = "Less <is> more."):
    """Return a claim as a table gives it to programs."""
    fields = {"sentence": sentence, "measured": "3 of 3 [0.44, 1.00]", "seeds": 3, "of": "plans"}
    return {"name": name, **fields, "strength": strength, "evidence": f"fig-{figure}"}


def shown(claims: list[dict], cards: list[str]) -> str:
    """Write the cells of a chapter that shows these cards and closes with a table of these claims."""
    card = "".join(f'<div id="claim-{name}">a card</div>' for name in cards) or "none"
    slow = cell(f"import time; from IPython.display import HTML; time.sleep(0.3); HTML({card!r})")
    bundle = {"text/html": "<p>the table</p>", "text/plain": "the table", evidence.CLAIMS_TYPE: claims}
    closing = cell(f"from IPython.display import display\ndisplay({bundle!r}, raw=True)")
    return f"\n## A slow part\n{slow}\n## The end\n{closing}"


@pytest.fixture
def tiny(tmp_path):
    tiny = TinyBook(tmp_path)
    tiny.write("_config.yml", CONFIGURATION.replace("innersite.execution]", "innersite.execution, innersite.evidence]"))
    tiny.write("book/dot.svg", DOT)
    return tiny


def write(tiny: TinyBook, status: str, **chapters: str) -> None:
    """Write chapters, and a page of evidence, which is no notebook."""
    tiny.chapters(**chapters, status="")
    tiny.write("book/status.md", status)


def rows(tiny: TinyBook) -> dict[str, list[str]]:
    """Return the claims on the page: from the anchor a sentence links to, to the texts of its row."""
    page = BeautifulSoup(tiny.page("status"), "html.parser")
    found = page.select("table.evidence-claims tbody tr")
    return {row.th.a["href"]: [part.get_text(" ", strip=True) for part in row.find_all(["th", "td"])] for row in found}


def test_a_table_tells_programs_all_that_a_claim_says():
    claims = Claims()
    said = claim("a-name", "x", "thin")
    name, others = said["name"], {key: value for key, value in said.items() if key not in ("name", "sentence")}
    claims.check(name, said["sentence"], holds=True, **others)
    bundle = claims.table()._repr_mimebundle_()
    assert bundle[evidence.CLAIMS_TYPE] == [said | {"value": None}]
    assert next(iter(bundle)) == "text/html"


def test_the_page_follows_the_executions(tiny):
    first, second = claim("first", "one"), claim("second", "one", "thin", "It's fewer.")
    other = claim("first", "two")
    chapters = {
        "two": shown([other], ["first"]) + FIGURE.format("two"),
        "one": shown([first, second], ["first"]) + FIGURE.format("one"),
    }
    write(tiny, STATUS, **chapters)
    built = tiny.build()
    assert built.code == 0, built.text
    measured = ["3 of 3 [0.44, 1.00]", "3 plans"]
    assert rows(tiny) == {
        # In the order of the table of contents; to the card, or to the figure of a claim that has none.
        "two.html#claim-first": ["Less <is> more. Fig. 1", *measured, "solid", "none yet"],
        "one.html#claim-first": ["Less <is> more. Fig. 2", *measured, "solid", "none yet"],
        "one.html#fig-one": ["It's fewer. Fig. 2", *measured, "thin", "none yet"],
    }
    page = BeautifulSoup(tiny.page("status"), "html.parser")
    text = page.get_text(" ", strip=True)
    assert "3 claims in 2 chapters: 2 solid, 1 thin, none provisional, no identities." in text
    assert "1 claim is thin:" in text
    assert "No claim is provisional." in text
    assert page.select_one('a[href="#one-second"]').text == "It's fewer."
    assert page.find(id="one-second").name == "tr"
    counts = [[part.text for part in row.find_all("td")] for row in page.select("table.evidence-numbers tbody tr")]
    assert counts == [["1", "0", "0", "0", "1"], ["1", "1", "0", "0", "2"], ["2", "1", "0", "0", "3"]]
    slow = page.select("table.evidence-times tbody tr")[1].find_all("td")[1]
    assert slow.a["href"] == "one.html#a-slow-part"
    assert slow.a.text == "A slow part"
    (see,) = (paragraph for paragraph in page.select("p") if paragraph.text.startswith("See"))
    assert see.text == "See A slow part."
    assert see.a["href"] == "one.html#a-slow-part"
    assert "All chapters: Python 3." in text
    same = tiny.build()
    assert "0 added, 0 changed, 0 removed" in same.text

    # Executed by the notebook tests this time, whose executions must say as much.
    changed = claim("first", "one", sentence="Less is less.")
    added = claim("third", "one", "provisional", "More is more.")
    write(
        tiny, STATUS, **chapters | {"one": shown([changed, second, added], ["first", "third"]) + FIGURE.format("one")}
    )
    tested = tiny.pytest()
    assert tested.code == 0, tested.text
    edited = tiny.build()
    assert edited.code == 0, edited.text
    assert executed(edited) == set()
    assert [row[0] for row in rows(tiny).values()] == [
        "Less <is> more. Fig. 1",
        "Less is less. Fig. 2",
        "It's fewer. Fig. 2",
        "More is more. Fig. 2",
    ]
    assert "one.html#claim-third" in rows(tiny)
    book = Book.from_folder(tiny.root)
    noted = book.record(book.read(tiny.root / "book" / "one.md")).data
    assert set(noted["cell_seconds"]) == {"1", "3"}
    assert noted["cell_seconds"]["1"] >= 0.3
    assert set(noted["machine"]) == {"system", "processor", "cores"}

    # Executed anew though no page was edited.
    (tiny.root / "requirements.txt").write_text("")
    again = tiny.build()
    assert again.code == 0, again.text
    assert executed(again) == {"one", "two"}
    assert "0 added, 3 changed, 0 removed" in again.text


def test_a_page_without_its_claims_cannot_be_built(tiny):
    write(
        tiny,
        STATUS.replace("one#a-slow-part", "half#nowhere"),
        silent=cell("1 + 1"),
        half=shown([claim("first", "half")], ["first", "forgotten"]) + FIGURE.format("half"),
    )
    built = tiny.build()
    assert built.code != 0
    assert built.text.count("book/silent has code and no table of claims") == 1
    assert "book/half shows claims that its last table lacks: forgotten" in built.text
    assert "'section' reference target not found: book/half#nowhere" in built.text


@pytest.mark.parametrize(("seconds", "said"), [(0.26, "0.3 s"), (9.4, "9.4 s"), (59.4, "59 s"), (125.2, "2 min 5 s")])
def test_durations_read_well(seconds, said):
    assert evidence.duration(seconds) == said
