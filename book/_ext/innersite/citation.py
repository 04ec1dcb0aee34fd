"""How the book is cited: from CITATION.cff alone, for the page that says it and for the head of every page."""

import datetime
from dataclasses import dataclass
from pathlib import Path

import yaml
from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.util.docutils import SphinxDirective

SOURCE = "CITATION.cff"


@dataclass(frozen=True)
class Citation:
    """The fields of a citation of the book."""

    title: str
    authors: tuple[str, ...]
    version: str
    released: datetime.date
    keywords: tuple[str, ...]

    def text(self, address=""):
        """Return the citation as it stands in a list of references."""
        place = f" {address}" if address else ""
        return f"{', '.join(self.authors)} ({self.released.year}). {self.title} (version {self.version}).{place}"

    def bibtex(self, address=""):
        """Return the citation as an entry for BibTeX; double braces keep names and capitals as they are."""
        fields = {
            "author": " and ".join(f"{{{author}}}" for author in self.authors),
            "title": f"{{{self.title}}}",
            "year": str(self.released.year),
            "note": f"Version {self.version}",
        }
        if address:
            fields["url"] = address
        lines = ",\n".join(f"  {name:<6} = {{{value}}}" for name, value in fields.items())
        return f"@book{{optimizerwithin{self.released.year},\n{lines}\n}}"


def read_citation(root):
    """Return what CITATION.cff in the folder `root` says."""
    data = yaml.safe_load(Path(root, SOURCE).read_text("utf8"))
    authors = tuple(author["name"] for author in data["authors"])
    return Citation(data["title"], authors, data["version"], data["date-released"], tuple(data["keywords"]))


class CitationDirective(SphinxDirective):
    """The citation as `text` or as `bibtex`."""

    required_arguments = 1

    def run(self):
        form = directives.choice(self.arguments[0], ("text", "bibtex"))
        self.env.note_dependency(str(Path(self.env.srcdir, SOURCE)))
        said = getattr(read_citation(self.env.srcdir), form)(self.config.html_baseurl)
        if form == "text":
            return [nodes.block_quote("", nodes.paragraph(text=said))]
        return [nodes.literal_block(said, said, language=form)]


def setup(app):
    app.add_directive("citation", CitationDirective)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
