"""Definitions where terms are used: a link to the glossary carries what stands there, on every page.

A page holds the definition of each term that it links to once, hidden, and the links name it in `aria-describedby`.
A screen reader says it; `terms.js` shows it to the pointer and to the keyboard.  Without scripts the link leads to
the glossary, as it does with them.  Nothing is fetched, so that it works in a page opened from a file.
"""

import re

from docutils import nodes
from sphinx import addnodes

from innersite.pages import escaped, plain_text

SCRIPT = "terms.js"
LINK = re.compile(
    r'<a class="reference internal" href="[^"]*#(?P<term>term-[^"]+)">(?=<span class="xref std std-term">)'
)


def entries(doctree):
    """Yield the nodes of the terms and the first paragraph of each entry of the glossaries in `doctree`."""
    for glossary in doctree.findall(addnodes.glossary):
        for item in glossary.findall(nodes.definition_list_item):
            paragraph = next(item.findall(nodes.paragraph), None)
            if paragraph is not None:
                yield [node for node in item if isinstance(node, nodes.term)], paragraph


def definition_id(names):
    """Return the id of the element that defines these terms, on whatever page: an entry may have several names."""
    return names[0]["ids"][0].replace("term-", "definition-", 1)


def mark_definitions(app, doctree):
    """Give the first paragraph of each entry an id, so that the glossary needs no second copy of it."""
    for names, paragraph in entries(doctree):
        paragraph["ids"].append(definition_id(names))


def definitions(env):
    """Return the glossaries' entries: by each term's id, the definition's id, the entry's names, and the text."""
    found: dict[str, tuple[str, str, str]] = {}
    for page in sorted(glossaries(env)):
        for names, paragraph in entries(env.get_doctree(page)):
            text = " ".join(plain_text(paragraph).split())
            said = definition_id(names), ", ".join(name.astext() for name in names), text
            found |= {term: said for name in names for term in name["ids"]}
    return found


def glossaries(env):
    """Return the names of the pages that define terms."""
    objects = env.get_domain("std").get_objects()
    return {page for _, _, kind, page, _, _ in objects if kind == "term"}


def note_changes(app, env, pages):
    """Before pages are read, note whether a glossary is among them."""
    app.innersite_terms_changed = not glossaries(env).isdisjoint(pages)


def pages_with_terms(app, env):
    """Have every page written anew when a glossary has changed, since any page may carry its definitions."""
    return sorted(env.all_docs) if app.innersite_terms_changed else []


def describe_terms(app, pagename, templatename, context, doctree):
    """Tie each link to a term to its definition, and put the definitions at the end of the page's text."""
    body = context.get("body", "")
    used = LINK.findall(body)
    if not used:
        return
    if not hasattr(app, "innersite_definitions"):
        app.innersite_definitions = definitions(app.env)
    known = app.innersite_definitions

    def tied(match):
        if match["term"] not in known:
            return match[0]
        return f'{match[0][:-1]} aria-describedby="{known[match["term"]][0]}">'

    body = LINK.sub(tied, body)
    if pagename not in glossaries(app.env):
        for place, names, text in sorted({known[term] for term in used if term in known}):
            body += f'<p hidden id="{place}" data-term="{escaped(names)}">{escaped(text)}</p>\n'
    context["body"] = body
    app.add_js_file(SCRIPT)


def setup(app):
    app.connect("doctree-read", mark_definitions)
    app.connect("env-before-read-docs", note_changes)
    app.connect("env-updated", pages_with_terms)
    app.connect("html-page-context", describe_terms)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
