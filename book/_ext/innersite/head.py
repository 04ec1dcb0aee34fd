"""The head of each page: address, title and citation; and the lists of pages for search engines."""

import html
import json
import os
import re
from pathlib import Path
from xml.sax.saxutils import escape

from innersite.citation import read_citation
from innersite.pages import escaped

CODE_LICENSE, TEXT_LICENSE = "https://opensource.org/license/mit", "https://creativecommons.org/licenses/by/4.0/"
HIDDEN = ("search", "genindex")  # found by nobody who looks for the book's subject; layout.html says noindex there


def site_address(configured, environment):
    """Return the address of the site, with a slash at its end, or "" when it is not known.

    `html.baseurl` in _config.yml is the one place for it; on GitHub's own machines it is where Pages puts a repository.
    """
    if configured:
        return configured.rstrip("/") + "/"
    owner, _, name = environment.get("GITHUB_REPOSITORY", "").partition("/")
    if not name or environment.get("GITHUB_SERVER_URL") != "https://github.com":
        return ""
    host = f"{owner.lower()}.github.io"
    return f"https://{host}/" if name.lower() == host else f"https://{host}/{name}/"


def settle_address(app, config):
    """Find the site's address, from which Sphinx makes canonical links, before anything is built."""
    config.html_baseurl = site_address(config.html_baseurl, os.environ)


def description(metatags):
    """Return a page's description, out of its meta tags."""
    tag = re.search(r'<meta [^>]*name="description"[^>]*>', metatags)
    content = tag and re.search(r'content="([^"]*)"', tag[0])
    return html.unescape(content[1]) if content else ""


def metadata(citation, title, summary, root, address, page):
    """Return the meta tags of a page: pairs of an attribute with its value, and the content.

    Args:
        citation: how the book is cited.
        title: the page's title.
        summary: its description.
        root: whether this is the book's first page, which stands for the whole book.
        address: the address of the site, or "".
        page: where below it the page lies.
    """
    name = citation.title if root else title
    tags = [
        ('property="og:type"', "website" if root else "article"),
        ('property="og:site_name"', citation.title),
        ('property="og:title"', name),
        ('property="og:description"', summary),
        ('name="citation_title"', name),
        *(('name="citation_author"', author) for author in citation.authors),
        ('name="citation_publication_date"', citation.released.strftime("%Y/%m/%d")),
        ('name="citation_language"', "en"),
    ]
    if not root:
        tags.append(('name="citation_inbook_title"', citation.title))
    if address:
        tags += [('property="og:url"', address + page), ('name="citation_fulltext_html_url"', address + page)]
    return tags


def linked_data(citation, title, summary, root, address, page):
    """Return a page's description in the words of schema.org; the arguments are those of `metadata`."""
    book = {"@type": "Book", "name": citation.title}
    if address:
        book["url"] = address
    about = {
        "@context": "https://schema.org",
        "@type": "Book" if root else "Chapter",
        "name": citation.title if root else title,
        "description": summary,
        "author": [{"@type": "Organization", "name": author} for author in citation.authors],
        "inLanguage": "en",
        "isAccessibleForFree": True,
        "license": [TEXT_LICENSE, CODE_LICENSE],
        "datePublished": citation.released.isoformat(),
    }
    if address:
        about["url"] = address + page
    if root:
        about |= {"version": citation.version, "keywords": list(citation.keywords)}
    else:
        about["isPartOf"] = book
    return about


def tell(app, pagename, templatename, context, doctree):
    """Add metadata to the head of a page, for programs that link to it or cite it."""
    if pagename in HIDDEN:
        return
    said = context.get("metatags", "")
    title = html.unescape(re.sub(r"<[^>]*>", "", context["title"]))
    page = app.builder.get_target_uri(pagename)
    root = pagename == app.config.root_doc
    about = (read_citation(app.srcdir), title, description(said), root, app.config.html_baseurl, page)
    tags = [f'<meta {which} content="{escaped(content)}">' for which, content in metadata(*about)]
    data = json.dumps(linked_data(*about), ensure_ascii=False).replace("<", "\\u003c")
    tags.append(f'<script type="application/ld+json">{data}</script>')
    context["metatags"] = "\n    ".join([said, *tags])


def write_lists(app, exception):
    """Write robots.txt and, where the site's address is known, sitemap.xml."""
    if exception is not None or app.builder.name != "html":
        return
    address, folder = app.config.html_baseurl, Path(app.outdir)
    sitemap = folder / "sitemap.xml"
    robots = "User-agent: *\nAllow: /\n"
    if address:
        pages = [app.builder.get_target_uri(name) for name in sorted(app.env.all_docs)]
        urls = "".join(f"<url><loc>{escape(address + page)}</loc></url>\n" for page in pages)
        sitemap.write_text(SITEMAP.format(urls), "utf8")
        robots += f"Sitemap: {address}sitemap.xml\n"
    else:
        sitemap.unlink(missing_ok=True)  # of a build that knew one
    (folder / "robots.txt").write_text(robots, "utf8")


SITEMAP = """\
<?xml version="1.0" encoding="UTF-8"?>
<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">
{}</urlset>
"""


def setup(app):
    app.connect("config-inited", settle_address)
    app.connect("html-page-context", tell, priority=600)  # after `pages.describe`
    app.connect("build-finished", write_lists)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
