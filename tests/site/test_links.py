"""Every link that leaves the book is well-formed, and a list of them is kept for trying them online.

What is asked here can be told from an address alone; whether somebody answers there, the workflow `links` asks.
"""

import re
from collections import defaultdict
from html.parser import HTMLParser
from urllib.parse import parse_qsl, urlsplit

import pytest
from pybtex.database import parse_file

pytestmark = pytest.mark.xdist_group("site")

WITHOUT_HTTPS = {"www.scholarpedia.org"}
RESERVED = re.compile(r"(^|\.)(example\.(com|org|net)|test|example|invalid|localhost|local)$")
ALLOWED = re.compile(r"([\w.~:/?#\[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})+", re.ASCII)
TRACKING = re.compile(r"utm_.*|mc_[ce]id|.*clid|igshid|ref|ref_src|ref_url|source|si|share.*")
ARXIV = re.compile(
    r"\d{2}(0[1-9]|1[0-2])\.\d{4,5}(v[1-9]\d*)?|[a-z-]+(\.[A-Z]{2})?/\d{2}(0[1-9]|1[0-2])\d{3}(v[1-9]\d*)?"
)
DOI = re.compile(r"10\.\d{4,9}/\S+")
FORUMS = re.compile(r"(www\.)?(lesswrong\.com|greaterwrong\.com|alignmentforum\.org)|lw2\.issarice\.com")
POST = re.compile(r"/(?:posts|s/\w{17}/p)/(?P<id>\w{17})(?=/|$)(?P<comment>.*/comment/\w+)?", re.ASCII)


def faults(address):
    """What is wrong with an address that leaves the book, in a few words each."""
    parts = urlsplit(address)
    host, path = parts.netloc, parts.path
    found = {
        "not https": parts.scheme != "https" and not (parts.scheme == "http" and host in WITHOUT_HTTPS),
        "no host of the web": not re.fullmatch(r"([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}", host)
        or bool(RESERVED.search(host)),
        "a sign that no address has": not ALLOWED.fullmatch(address),
        "an end that belongs to the sentence": address[-1] in ".,;:!?'" or address.count("(") != address.count(")"),
        "an empty part of its path": "//" in path,
        "a tracking parameter": any(TRACKING.fullmatch(key) for key, _ in parse_qsl(parts.query, True)),
        "no arXiv number": host.endswith("arxiv.org")
        and not (host == "arxiv.org" and re.fullmatch(rf"/(abs|html)/({ARXIV.pattern})", path)),
        "no DOI": host.endswith("doi.org") and not (host == "doi.org" and DOI.fullmatch(path[1:])),
        "no post's number": bool(FORUMS.fullmatch(host)) and path.startswith("/posts/") and not POST.match(path),
    }
    return [fault for fault, holds in found.items() if holds]


def work(address):
    """What an address leads to, the same for all addresses of an arXiv paper, a forum's post or comment."""
    parts = urlsplit(address)
    if parts.netloc == "arxiv.org":
        return "arXiv " + re.sub(r"v\d+$", "", parts.path.split("/", 2)[2])
    if FORUMS.fullmatch(parts.netloc) and (post := POST.search(parts.path)):
        comment = post["comment"]
        return f"comment {comment.rsplit('/', 1)[1]}" if comment else f"post {post['id']}"
    return f"{parts.netloc.removeprefix('www.')}{parts.path.rstrip('/')}?{parts.query}"


def under_several(addresses):
    """The works that more than one address leads to, each with its addresses."""
    found = defaultdict(set)
    for address in addresses:
        found[work(address)].add(address)
    return {name: sorted(group) for name, group in sorted(found.items()) if len(group) > 1}


class Addresses(HTMLParser):
    """Where the links of a page lead; no tree is made of the page, which would take three times as long."""

    def __init__(self, text):
        super().__init__()
        self.found = set()
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        if tag == "a":
            self.found |= {value or "" for name, value in attrs if name == "href"}


@pytest.fixture(scope="module")
def references(pytestconfig):
    """The sources of the book, by their keys."""
    return parse_file(str(pytestconfig.rootpath / "book/references.bib"), "bibtex").entries


@pytest.fixture(scope="module")
def links(site, references):
    """Every address that leaves the book, with the pages and sources that name it."""
    found = defaultdict(set)
    for path in site.rglob("*.html"):
        if path.relative_to(site).parts[0] == "_static":
            continue
        for address in Addresses(path.read_text("utf8")).found:
            if urlsplit(address).scheme or urlsplit(address).netloc:
                found[address].add(path.relative_to(site).as_posix())
    for key, entry in references.items():
        if "url" in entry.fields:
            found[entry.fields["url"]].add(f"references.bib: {key}")
        if "doi" in entry.fields:
            found[f"https://doi.org/{entry.fields['doi']}"].add(f"references.bib: {key}")
    return found


def test_every_link_that_leaves_is_well_formed(links):
    assert len(links) > 100, f"only {len(links)} links leave the book; they are no longer found"
    wrong = {address: (faults(address), sorted(places)) for address, places in links.items() if faults(address)}
    assert wrong == {}, "addresses with a fault, each with the pages or sources that name it"


def test_links_are_listed_for_trying_them_online(site, links):
    # No failure: a forum's post is one thing, but its copies show different comments, and some can be read where
    # others cannot.
    twice = under_several(links)
    (site.parent / "links.txt").write_text("".join(f"{address}\n" for address in sorted(links)), "utf8")
    lines = [line for name, group in twice.items() for line in (name, *(f"  {address}" for address in group))]
    (site.parent / "links_twice.txt").write_text("".join(f"{line}\n" for line in lines), "utf8")
    assert (site.parent / "links.txt").read_text("utf8").split() == sorted(links)


def test_sources_are_named_once_and_by_numbers_that_agree(references):
    numbers = {}
    for key, entry in references.items():
        fields = entry.fields
        if "eprint" in fields:
            at = f"book/references.bib, {key}"
            assert ARXIV.fullmatch(fields["eprint"]), f"{at}: eprint is an arXiv number, such as 1906.01820"
            address = f"https://arxiv.org/abs/{fields['eprint']}"
            assert fields["url"] == address, f"{at}: the url of an arXiv paper is {address}"
        if "doi" in fields:
            assert DOI.fullmatch(fields["doi"]), f"book/references.bib, {key}: doi is a number such as 10.1000/182"
        if "url" in fields:
            numbers.setdefault(work(fields["url"]), []).append(key)
    twice = {name: keys for name, keys in numbers.items() if len(keys) > 1}
    assert twice == {}, f"book/references.bib names a source twice; keep one key: {twice}"


@pytest.mark.parametrize(
    ("address", "fault"),
    [
        ("http://arxiv.org/abs/1906.01820", "not https"),
        ("mailto:somebody@university.edu", "not https"),
        ("//arxiv.org/abs/1906.01820", "not https"),
        ("https://localhost/a", "no host of the web"),
        ("https://hub.example.org/a", "no host of the web"),
        ("https://somebody@numpy.org/", "no host of the web"),
        ("https://numpy.org/a b", "a sign that no address has"),
        ("https://numpy.org/a%2", "a sign that no address has"),
        ("https://numpy.org/doc.", "an end that belongs to the sentence"),
        ("https://numpy.org/doc)", "an end that belongs to the sentence"),
        ("https://numpy.org//doc", "an empty part of its path"),
        ("https://numpy.org/doc?a=1&utm_source=x", "a tracking parameter"),
        ("https://arxiv.org/abs/1913.01820", "no arXiv number"),
        ("https://arxiv.org/abs/1906.182", "no arXiv number"),
        ("https://export.arxiv.org/abs/1906.01820", "no arXiv number"),
        ("https://arxiv.org/pdf/1906.01820", "no arXiv number"),
        ("https://doi.org/11.1000/182", "no DOI"),
        ("https://dx.doi.org/10.1000/182", "no DOI"),
        ("https://www.alignmentforum.org/posts/pL56xPoniLvtMDQ4/the-inner-alignment-problem", "no post's number"),
    ],
)
def test_a_fault_is_found(address, fault):
    assert fault in faults(address)


@pytest.mark.parametrize(
    "address",
    [
        "http://www.scholarpedia.org/article/Echo_state_network",
        "https://arxiv.org/abs/cs/0309048",
        "https://arxiv.org/html/2412.04758v1",
        "https://doi.org/10.1000/182",
        "https://en.wikipedia.org/wiki/Bandit_(disambiguation)",
        "https://www.alignmentforum.org/s/iWnHtRB5ucqPjjDmv",
    ],
)
def test_a_good_address_has_no_fault(address):
    assert faults(address) == []


def test_one_work_is_known_under_its_several_addresses():
    post, comment = "posts/KnPN7ett8RszE79PH/demons-in-imperfect-search", "/comment/zyoMSj8r9X5dvPqFK"
    same = [f"https://www.greaterwrong.com/{post}", f"https://www.alignmentforum.org/{post}"]
    paper = ["https://arxiv.org/abs/2412.04758", "https://arxiv.org/html/2412.04758v1"]
    others = [same[0] + comment, "https://numpy.org/doc/", "https://arxiv.org/abs/2412.04759"]
    assert sorted(under_several(same + paper + others).values()) == sorted([sorted(same), paper])
