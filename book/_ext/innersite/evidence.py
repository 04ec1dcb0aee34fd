"""The page of evidence: every claim of every chapter, and what its execution took, read from the executed notebooks.

Chapters are executed before any page is read (see `execution`), so that a page with the directives below finds all
outputs in the cache.  It is read again whenever a chapter was executed or any page was edited.  It cannot be built
while a chapter with code makes no claims, or shows a claim that its table lacks.

What is on file of a claim's replications (see `replications`) stands there too, and on the claim's card.
"""

import posixpath
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape, unescape
from itertools import pairwise
from pathlib import Path
from typing import Any

from docutils import nodes
from markdown_it import MarkdownIt
from nbformat import NotebookNode
from sphinx import addnodes
from sphinx.util.docutils import SphinxDirective, SphinxRole
from sphinx.util.nodes import make_refnode

from innerlab.statistics import wilson_interval

from . import replications
from .execution import Book, chapters
from .replications import ChapterSource, Standing

CLAIMS_TYPE = "application/vnd.innerlab.claims+json"  # as in innerlab.claims; another package's book may have its own
STRENGTHS = ("solid", "thin", "provisional", "identity")
WEAKER = ("thin", "provisional")
BASIS = re.compile(r'(id="claim-(?P<name>[^"]+)".*?<p class="claim-basis">.*?)(?=</p>)', re.DOTALL)
CARD = re.compile(r'\bid="claim-([^"]+)"')
MARK = "innersite-evidence"


# What the executions left


@dataclass(frozen=True)
class ChapterEvidence:
    """A chapter's claims and its execution."""

    docname: str
    title: str
    claims: list[dict]
    """the fields of `innerlab.claims.Claim`, in the order of the chapter's table"""
    cards: set[str]
    """the names of the claims that are shown on a card"""
    seconds: float
    slowest: tuple[float, str]
    """the seconds of the slowest cell, and the heading that it stands under"""
    created: datetime
    versions: dict[str, str]
    machine: dict[str, Any]
    standings: dict[str, Standing]
    """what is on file of every claim's replications"""
    filed: list[dict]
    """the replications of the chapter as its code now is"""

    @property
    def name(self) -> str:
        """The last part of the chapter's docname."""
        return self.docname.rpartition("/")[2]

    def place(self, claim: dict) -> str:
        """Return the anchor in the chapter at which a claim is shown: its card, or else the figure behind it."""
        return f"claim-{claim['name']}" if claim["name"] in self.cards else claim["evidence"]

    def row(self, claim: dict) -> str:
        """Return the anchor of a claim's row on the page of evidence."""
        return nodes.make_id(f"{self.name}-{claim['name']}")


class EvidenceMissing(Exception):
    """An execution that lacks what the page of evidence needs."""


def gather(app) -> list[ChapterEvidence]:
    """Return all chapters that make claims, in reading order.

    Raises:
        EvidenceMissing: if a page with code makes no claim, or leaves one out of its table.
    """
    book = Book.from_app(app)
    order = list(app.env.external_site_map)
    on_file = replications.read(book.root)
    found, problems = [], []
    for run in sorted(chapters(app, book), key=lambda run: order.index(run.docname)):
        notebook, record = book.executed(run.notebook), book.record(run.notebook)
        if notebook is None or record is None:
            problems.append(f"{run.docname} has not been executed")
            continue
        claims, cards = claimed(notebook)
        if missing := cards - {claim["name"] for claim in claims}:
            problems.append(f"{run.docname} shows claims that its last table lacks: {', '.join(sorted(missing))}")
        if not claims:
            problems.append(f"{run.docname} has code and no table of claims")
        else:
            title = next(text for _, text in headings(notebook))
            slowest = slowest_cell(notebook, record.data["cell_seconds"])
            about = (record.data["execution_seconds"], slowest, record.created)
            ran_on = (record.data["versions"], record.data["machine"])
            source = ChapterSource(run.docname.rpartition("/")[2], run.notebook, book)
            on_other_seeds = (source.standings(on_file), source.filed(on_file))
            found.append(ChapterEvidence(run.docname, title, claims, cards, *about, *ran_on, *on_other_seeds))
    if problems:
        raise EvidenceMissing("; ".join(problems))
    return found


def claimed(notebook: NotebookNode) -> tuple[list[dict], set[str]]:
    """Return the claims in the notebook's last table, and the names of those that are shown on cards."""
    claims: list[dict] = []
    cards: set[str] = set()
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            claims = data.get(CLAIMS_TYPE, claims)
            cards |= {unescape(name) for name in CARD.findall(data.get("text/html", ""))}
    return claims, cards


def headings(notebook: NotebookNode) -> Iterator[tuple[int, str]]:
    """Yield every heading, with the index of its cell."""
    for index, cell in enumerate(notebook.cells):
        if cell.cell_type == "markdown":
            tokens = MarkdownIt().parse(cell.source)
            for opening, text in pairwise(tokens):
                if opening.type == "heading_open":
                    yield index, text.content


def slowest_cell(notebook: NotebookNode, cell_seconds: dict[str, float]) -> tuple[float, str]:
    """Return the seconds of the slowest cell and the last heading above it."""
    seconds, at = max((seconds, int(index)) for index, seconds in cell_seconds.items())
    return seconds, [text for index, text in headings(notebook) if index < at][-1]


def duration(seconds: float) -> str:
    """Return seconds in words, such as "1 min 5 s"."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s" if rest >= 10 else f"{seconds:.1f} s"


def said_of(standing: Standing) -> str:
    """Say in how many of its replications a claim held; "" when it has none."""
    return f"held in {standing.held} of {counted(standing.times, 'replication')}" if standing.times else ""


def counted(number: int, noun: str) -> str:
    """Return a number and its noun."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


# What goes on the page


class element(nodes.General, nodes.Element):
    """One HTML element, for tables with roles and labels, which docutils' own tables cannot carry."""


def html(tag: str, *children, classes=(), ids=(), **attributes) -> element:
    """Return an element; text among the children may be given as it is."""
    node = element(tag=tag, attributes=attributes, classes=list(classes), ids=list(ids))
    node += [nodes.Text(child) if isinstance(child, str) else child for child in children]
    return node


def visit_element(translator, node) -> None:
    """Write the start tag."""
    translator.body.append(translator.starttag(node, node["tag"], "", **node["attributes"]))


def depart_element(translator, node) -> None:
    """Write the end tag."""
    translator.body.append(f"</{node['tag']}>")


def table(heads: list[str], rows: list[list], ids: Sequence[str] = (), classes=()) -> element:
    """Return a table whose rows a narrow screen can stack, each cell under its label; the first cell heads its row.

    The roles are HTML's own; a browser forgets them where the style sheet makes blocks of the cells.
    """
    top = html("tr", *(html("th", head, scope="col", role="columnheader") for head in heads), role="row")
    body = []
    for row, anchor in zip(rows, ids or [""] * len(rows), strict=True):
        first, *others = [content if isinstance(content, list) else [content] for content in row]
        cells = [html("th", *first, scope="row", role="rowheader")]
        cells += [
            html("td", *content, role="cell", **{"data-label": head})
            for head, content in zip(heads[1:], others, strict=True)
        ]
        body.append(html("tr", *cells, role="row", ids=[anchor] if anchor else []))
    parts = html("thead", top, role="rowgroup"), html("tbody", *body, role="rowgroup")
    whole = html("table", *parts, classes=["evidence", *classes], role="table")
    whole["support_smartquotes"] = False  # a claim reads as its chapter has it
    return whole


class EvidenceDirective(SphinxDirective):
    """The base of all directives of evidence: gathers the chapters once a page."""

    def run(self) -> list[nodes.Node]:
        """Mark the page as one that shows evidence, and return the directive's nodes."""
        self.env.metadata[self.env.docname][MARK] = True
        depend_on_file(self.env)
        known = self.env.temp_data  # emptied after every page
        try:
            if MARK not in known:
                known[MARK] = gather(self.env.app)
            return self.write(known[MARK])
        except EvidenceMissing as error:
            known[MARK] = []  # said once a page
            raise self.error(str(error)) from error

    def write(self, found: list[ChapterEvidence]) -> list[nodes.Node]:
        """Return the nodes of the directive, from all chapters that make claims."""
        raise NotImplementedError

    def link(self, chapter: ChapterEvidence, text: str, anchor: str = "") -> nodes.paragraph:
        """Return a link to a chapter or to an anchor in it."""
        address = self.env.app.builder.get_relative_uri(self.env.docname, chapter.docname)
        uri = f"{address}#{anchor}" if anchor else address
        return nodes.paragraph("", "", nodes.reference("", text, refuri=uri, internal=True))

    def cross_reference(self, kind: str, target: str, domain: str = "") -> addnodes.pending_xref:
        """Return a link that is resolved when all pages have been read."""
        about = {"refdomain": domain, "reftype": kind, "reftarget": target, "refdoc": self.env.docname}
        return addnodes.pending_xref("", nodes.inline("", target), refexplicit=False, refwarn=True, **about)


class ClaimsCounted(EvidenceDirective):
    """`{claims-counted}`: how many claims there are, by chapter and strength."""

    def write(self, found: list[ChapterEvidence]) -> list[nodes.Node]:
        rows, total = [], dict.fromkeys(STRENGTHS, 0)
        for chapter in found:
            count = {s: sum(claim["strength"] == s for claim in chapter.claims) for s in STRENGTHS}
            total = {s: total[s] + count[s] for s in STRENGTHS}
            link = self.link(chapter, chapter.title)
            rows.append([link, *(str(count[s]) for s in STRENGTHS), str(len(chapter.claims))])
        everything = sum(total.values())
        rows.append(["All together", *(str(total[s]) for s in STRENGTHS), str(everything)])
        said = ", ".join(f"{total[s] or 'none'} {s}" for s in STRENGTHS if s != "identity")
        identities = total["identity"]
        said += f", {identities or 'no'} {'identity' if identities == 1 else 'identities'}"
        inside = [chapter for chapter in found if chapter.docname != self.env.config.root_doc]
        where = counted(len(inside), "chapter") + " and on the front page" * (inside != found)
        sentence = nodes.paragraph("", f"{counted(everything, 'claim')} in {where}: {said}.")
        sentence["classes"].append("evidence-count")
        return [sentence, table(["chapter", *STRENGTHS, "claims"], rows, classes=["evidence-numbers"])]


class ClaimsByStrength(EvidenceDirective):
    """`{claims-by-strength}`: links to the claims that are less than solid."""

    def write(self, found: list[ChapterEvidence]) -> list[nodes.Node]:
        written: list[nodes.Node] = []
        for strength in WEAKER:
            items = []
            for chapter in found:
                for claim in (claim for claim in chapter.claims if claim["strength"] == strength):
                    link = nodes.reference("", claim["sentence"], refid=chapter.row(claim), internal=True)
                    about = nodes.Text(" In "), nodes.emphasis("", chapter.title)
                    basis = nodes.Text(f", {claim['seeds']} {claim['of']}.")
                    items.append(nodes.list_item("", nodes.paragraph("", "", link, *about, basis)))
            if items:
                said = f"{counted(len(items), 'claim')} {'is' if len(items) == 1 else 'are'} {strength}:"
                written += [nodes.paragraph("", said), nodes.bullet_list("", *items, support_smartquotes=False)]
            else:
                written.append(nodes.paragraph("", f"No claim is {strength}."))
        return written


class ClaimsByChapter(EvidenceDirective):
    """`{claims-by-chapter}`: a section and a table for each chapter, with a row for each claim."""

    def write(self, found: list[ChapterEvidence]) -> list[nodes.Node]:
        sections: list[nodes.Node] = []
        for chapter in found:
            rows = []
            for claim in chapter.claims:
                figure = self.cross_reference("numref", claim["evidence"], "std")
                said = {"classes": ["claim-strength"], "data-strength": claim["strength"]}
                strength = html("span", claim["strength"], **said)
                sentence = self.link(chapter, claim["sentence"], chapter.place(claim))
                first = [sentence, nodes.paragraph("", "", figure)]
                basis = f"{claim['seeds']} {claim['of']}"
                rows.append([first, claim["measured"], basis, strength, replicated(claim, chapter.standings)])
            section = nodes.section(ids=[nodes.make_id(f"claims-of-{chapter.name}")])
            section += nodes.title("", chapter.title)
            heads = ["claim", "measured", "rests on", "strength", "replications"]
            ids = [chapter.row(claim) for claim in chapter.claims]
            section += table(heads, rows, ids, ["evidence-claims"])
            sections.append(section)
        return sections


def replicated(claim: dict, standings: dict[str, Standing]) -> list[nodes.Node]:
    """Return what is on file of a claim: how often it held, what was measured each time, and earlier attempts."""
    standing = standings.get(claim["name"], Standing())
    if not standing.times:
        written: list[nodes.Node] = [nodes.paragraph("", "none yet")]
    else:
        low, high = wilson_interval(standing.held, standing.times)
        interval = "" if claim["strength"] == "identity" else f" [{low:.2f}, {high:.2f}]"
        written = [nodes.paragraph("", f"held in {standing.held} of {standing.times}{interval}")]
        if len(standing.values) > 1:
            written.append(nodes.raw("", dots(standing.values, claim.get("value")), format="html"))
    if standing.earlier:
        said = ", ".join(f"{held} of {times}" for held, times in standing.earlier)
        written.append(nodes.paragraph("", f"earlier forms: {said}"))
    return [html("div", *written)]


def dots(values: Sequence[float], here: float | None) -> str:
    """Draw one dot for the value of each replication, and a line for that of the page, as SVG in HTML."""
    everything = [*values, *([] if here is None else [here])]
    low, high = min(everything), max(everything)

    def x(value: float) -> float:
        return 4 + 112 * ((value - low) / (high - low) if high > low else 0.5)

    said = f"{len(values)} replications measured {low_high(values)}"
    line = ""
    if here is not None:
        said += f"; the page, {here:.3g}"
        line = f'<path d="M{x(here):.1f} 0V14"/>'
    circles = "".join(f'<circle cx="{x(value):.1f}" cy="7" r="3"/>' for value in values)
    return (
        f'<svg class="replicated" viewBox="0 0 120 14" width="120" height="14" role="img" aria-label="{said}">'
        f"<title>{said}</title>{line}{circles}</svg>"
    )


def low_high(values: Sequence[float]) -> str:
    """Say from where to where values go."""
    low, high = f"{min(values):.3g}", f"{max(values):.3g}"
    return low if low == high else f"{low} to {high}"


class ReplicationsCounted(EvidenceDirective):
    """`{replications-counted}`: how often each chapter was replicated, and what became of its claims."""

    def write(self, found: list[ChapterEvidence]) -> list[nodes.Node]:
        rows, fell = [], []
        for chapter in found:
            standing = [chapter.standings.get(claim["name"], Standing()) for claim in chapter.claims]
            filed = [one for one in standing if one.times]
            always = sum(one.held == one.times for one in filed)
            dates = sorted({line["date"] for line in chapter.filed})
            days = "" if not dates else dates[0] if len(dates) == 1 else f"{dates[0]} to {dates[-1]}"
            link = self.link(chapter, chapter.title)
            of_all = f"{always} of {len(filed)}"
            earlier = sum(len(one.earlier) for one in standing)
            rows.append(
                [link, str(len(chapter.filed) or "none yet"), of_all if filed else "–", str(earlier), days or "–"]
            )
            for claim, one in zip(chapter.claims, standing, strict=True):
                if one.held < one.times:
                    sentence = nodes.reference("", claim["sentence"], refid=chapter.row(claim), internal=True)
                    about = nodes.Text(f" In {one.held} of {one.times}, {claim['strength']}.")
                    fell.append(nodes.list_item("", nodes.paragraph("", "", sentence, about)))
        heads = ["chapter", "replications", "claims that held in all", "earlier forms of claims", "filed"]
        written: list[nodes.Node] = [table(heads, rows, classes=["evidence-filed"])]
        if fell:
            written.append(nodes.paragraph("", "Claims that did not hold in every replication:"))
            written.append(nodes.bullet_list("", *fell, support_smartquotes=False))
        return written


class Executions(EvidenceDirective):
    """`{executions}`: how long each chapter ran, its slowest cell and when that was."""

    def write(self, found: list[ChapterEvidence]) -> list[nodes.Node]:
        rows = []
        for chapter in found:
            seconds, heading = chapter.slowest
            section = self.cross_reference("section", f"{chapter.docname}#{nodes.make_id(heading)}")
            day = f"{chapter.created:%Y-%m-%d}"
            slowest = nodes.paragraph("", "", nodes.Text(f"{duration(seconds)}, in "), section)
            rows.append([self.link(chapter, chapter.title), duration(chapter.seconds), slowest, day])
        return [table(["chapter", "run time", "slowest cell", "executed on"], rows, classes=["evidence-times"])]


class RanOn(EvidenceDirective):
    """`{ran-on}`: versions and kind of machine, once for all chapters that share them."""

    def write(self, found: list[ChapterEvidence]) -> list[nodes.Node]:
        groups: dict[str, list[ChapterEvidence]] = {}
        for chapter in found:
            machine = chapter.machine
            versions = ", ".join(f"{name} {version}" for name, version in chapter.versions.items())
            place = f"{machine['system']}, {machine['processor']} processor, {counted(machine['cores'], 'core')}"
            groups.setdefault(f"{versions}. Machine: {place}.", []).append(chapter)
        items = []
        for about, members in groups.items():
            which = "All chapters" if len(members) == len(found) else "; ".join(chapter.title for chapter in members)
            items.append(nodes.list_item("", nodes.paragraph("", f"{which}: {about}")))
        return [nodes.bullet_list("", *items)]


class SectionRole(SphinxRole):
    """`{section}`: a link to a section by its page and anchor, `detection#the-audit`, that shows its title."""

    def run(self) -> tuple[list[nodes.Node], list]:
        """Leave the link to be resolved when all pages have been read."""
        page, _, anchor = self.text.partition("#")
        target = f"{posixpath.join(posixpath.dirname(self.env.docname), page)}#{anchor}"
        about = {"refdomain": "", "reftype": "section", "reftarget": target, "refdoc": self.env.docname}
        return [addnodes.pending_xref("", nodes.inline("", self.text), refwarn=True, **about)], []


def resolve_section(app, env, node, contnode) -> nodes.reference | None:
    """Find a section among the headings of its page; None, and so a warning, when it is not there."""
    if node.get("reftype") != "section":
        return None
    docname, _, anchor = node["reftarget"].partition("#")
    for heading in env.tocs.get(docname, nodes.bullet_list()).findall(nodes.reference):
        own = heading["anchorname"] or f"#{nodes.make_id(heading.astext())}"  # a page's title has none
        if own == f"#{anchor}":
            text = nodes.inline("", heading.astext())
            return make_refnode(app.builder, node["refdoc"], docname, anchor, text)
    return None


# On the cards


def depend_on_file(env) -> None:
    """Have the page that is being read read again when something is filed."""
    path = Path(env.srcdir, replications.FILE)
    if path.is_file():
        env.note_dependency(str(path))


def note_cards(app, doctree) -> None:
    """Note that a page with cards depends on what is on file."""
    if any(CARD.search(part.astext()) for part in doctree.findall(nodes.raw)):
        depend_on_file(app.env)


def say_replications(app, doctree, docname) -> None:
    """Say on every card in how many replications the claim held, with a link to the claim's row among all."""
    cards = [part for part in doctree.findall(nodes.raw) if CARD.search(part.astext())]
    if not cards:
        return
    book, name = Book.from_app(app), docname.rpartition("/")[2]
    notebook = book.read(Path(app.env.doc2path(docname)))
    if notebook is None:
        return
    standings = ChapterSource(name, notebook, book).standings(replications.read(book.root))
    page = next((page for page in sorted(app.env.found_docs) if MARK in app.env.metadata.get(page, {})), None)

    def with_standing(match: re.Match) -> str:
        said = said_of(standings.get(unescape(match["name"]), Standing()))
        if said and page is not None:
            address = app.builder.get_relative_uri(docname, page)
            row = nodes.make_id(f"{name}-{unescape(match['name'])}")
            said = f'<a href="{escape(address)}#{row}">{said}</a>'
        return match[1] + (f", {said}" if said else "")

    for part in cards:
        part.replace_self(nodes.raw("", BASIS.sub(with_standing, part.astext()), format=part["format"]))


# What Sphinx calls


def accept_claims(app, config) -> None:
    """Let outputs hold claims as JSON beside their text and HTML, without a warning of myst-nb.

    An output that holds nothing but claims still warns, since myst-nb finds no type to show.
    """
    config.suppress_warnings = [*config.suppress_warnings, "mystnb.unknown_mime_type"]


def outdated(app, env, added, changed, removed) -> list[str]:
    """Return the pages of evidence when any chapter was executed or any page edited since they were read."""
    executions = dict(getattr(env, "innersite_executions", {}))
    current = not (added or changed or removed) and getattr(env, "innersite_evidence", None) == executions
    env.innersite_evidence = executions
    return [] if current else [name for name in env.found_docs if MARK in env.metadata.get(name, {})]


def setup(app) -> dict:
    """Connect the above to Sphinx."""
    app.add_node(element, html=(visit_element, depart_element))
    for name, directive in (
        ("claims-counted", ClaimsCounted),
        ("claims-by-strength", ClaimsByStrength),
        ("claims-by-chapter", ClaimsByChapter),
        ("replications-counted", ReplicationsCounted),
        ("executions", Executions),
        ("ran-on", RanOn),
    ):
        app.add_directive(name, directive)
    app.add_role("section", SectionRole())
    app.connect("config-inited", accept_claims)
    app.connect("env-get-outdated", outdated, priority=600)  # after the chapters have been executed
    app.connect("missing-reference", resolve_section)
    app.connect("doctree-read", note_cards)
    app.connect("doctree-resolved", say_replications)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
