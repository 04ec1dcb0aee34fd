"""Numbers of figures and citations without asking for the same thing hundreds of times.

Sphinx unpickles a whole page for every reference to one of its figures, and the bibliography looks through all
installed packages for every citation. Together that took a third of the time in which all pages are written.
"""

from typing import Any

import pybtex.plugin
from docutils import nodes
from sphinx.domains.std import StandardDomain

BACKEND = ("pybtex.backends", "plaintext")


class Remembering:
    """An environment that unpickles each page once; its pages must not be changed."""

    def __init__(self, env):
        self._env = env
        self._doctrees: dict[str, nodes.document] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._env, name)

    def get_doctree(self, docname: str) -> nodes.document:
        """Return a page as it was read."""
        if docname not in self._doctrees:
            self._doctrees[docname] = self._env.get_doctree(docname)
        return self._doctrees[docname]


class QuickStandardDomain(StandardDomain):
    """Sphinx's own domain, which finds the number of a figure on a page that it remembers.

    References are resolved when all pages have been read, so that none of them changes any more.
    """

    remembered: Remembering | None = None

    def resolve_xref(self, env, fromdocname, builder, typ, target, node, contnode):
        """Resolve a reference as Sphinx does."""
        if typ == "numref":
            self.remembered = env = self.remembered or Remembering(env)
        return super().resolve_xref(env, fromdocname, builder, typ, target, node, contnode)


def setup(app) -> None:
    """Install the domain, and the cache for the bibliography's backend."""
    app.add_domain(QuickStandardDomain, override=True)
    pybtex.plugin.register_plugin(*BACKEND, pybtex.plugin.find_plugin(*BACKEND), force=True)
