"""Mathematics: LaTeX becomes MathML when the site is built, and a real math font travels with it.

The browser sets MathML by itself, so no page waits for a script, and a screen reader finds real mathematics.
What a browser lacks on many machines is a math *font*: without one, fences and sums do not grow.
STIX Two Math comes with the package `ziamath`; a subset of it is cut here and never committed.
"""

import html
import importlib.util
import json
import re
import unicodedata
from pathlib import Path

from docutils import nodes
from math_core import LatexError, LatexToMathML
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number

from innersite import fonts

logger = logging.getLogger(__name__)

FONT_NAME = "stix-two-math.woff2"

# What a formula may use. One that needs more is a warning, since the font may have no drawing for it.
FONT_RANGES = (
    (0x20, 0x7E),  # ASCII
    (0xA0, 0xFF),  # Latin-1: ×, ÷, ±, ·, ¬
    (0x131, 0x131),  # dotless i
    (0x237, 0x237),  # dotless j
    (0x2C6, 0x2DD),  # hats, breves, tildes
    (0x300, 0x338),  # combining accents
    (0x391, 0x3C9),  # Greek
    (0x3D1, 0x3F6),  # variant Greek
    (0x2010, 0x2044),  # dashes, dots, primes
    (0x2061, 0x2064),  # invisible operators
    (0x20D0, 0x20EF),  # combining arrows
    (0x2100, 0x2138),  # letter-like: ℝ, ℓ, ℏ
    (0x2190, 0x21D9),  # arrows
    (0x2200, 0x22FF),  # operators
    (0x2308, 0x230B),  # ceilings and floors
    (0x23B4, 0x23B5),  # brackets over and under
    (0x23DC, 0x23E1),  # braces over and under
    (0x25A0, 0x25FF),  # squares, triangles, circles
    (0x2713, 0x2713),  # check mark
    (0x27C2, 0x27C2),  # perpendicular
    (0x27E6, 0x27EB),  # angle and double brackets
    (0x27F5, 0x27FA),  # long arrows
    (0x2A00, 0x2A06),  # large operators
    (0x2A7D, 0x2AB0),  # slanted inequalities
    (0xFE00, 0xFE01),  # which of two scripts a script letter is in
    (0x1D400, 0x1D467),  # bold and italic
    (0x1D468, 0x1D49B),  # bold italic
    (0x1D49C, 0x1D4CF),  # script
    (0x1D504, 0x1D537),  # Fraktur
    (0x1D538, 0x1D56B),  # blackboard bold
    (0x1D6A4, 0x1D755),  # Greek: bold, italic, bold italic
    (0x1D7CE, 0x1D7E1),  # digits: bold, blackboard bold
)

# Mathematical italic: Planck's constant, which is its h, and Latin and Greek letters.
SLANTED = (0x210E, *range(0x1D434, 0x1D468), *range(0x1D6E2, 0x1D71C))

# LaTeX numbers the rows of these by itself, which Sphinx's own numbers would contradict.
SELF_NUMBERED = re.compile(r"\\begin\{(align|alignat|equation|gather|multline|eqnarray|flalign)\}|\\(?:tag|label)\b")

# A line over or under a formula. The converter writes a combining character, which Chromium sets to the left of it.
LINES = (
    ("\N{COMBINING LOW LINE}</mo></mover>", "\N{OVERLINE}</mo></mover>"),
    ("\N{COMBINING LOW LINE}</mo></munder>", "_</mo></munder>"),
)

# The converter lays out tables and negative spaces by inline styles, which the pages' policy forbids: each declaration
# has a class in math.css instead.
DECLARATIONS = {
    "text-align:left": "math-left",
    "justify-items:start": "math-left",
    "text-align:right": "math-right",
    "justify-items:end": "math-right",
    "padding-left:0": "math-flush-left",
    "padding-right:0": "math-flush-right",
    "padding-left:1em": "math-apart",
    "margin-left:-0.16666667em": "math-back",
}
STYLE = re.compile(r'(?<=\s)style="([^"]*)"')

_converter = LatexToMathML(fancy_error=False)


def to_mathml(tex, display):
    """Return `tex` as a `<math>` element; raises `LatexError` where it cannot be read."""
    markup = _converter.convert_with_local_state(tex, displaystyle=display)
    for combining, spacing in LINES:
        markup = markup.replace(combining, spacing)
    return STYLE.sub(_as_class, markup)


def _as_class(style):
    """Return a style attribute as classes; unchanged, to be reported, if one of its declarations has no class."""
    declarations = [part.replace(" ", "") for part in style[1].split(";") if part.strip()]
    if not set(declarations) <= DECLARATIONS.keys():
        return style[0]
    return f'class="{" ".join(dict.fromkeys(DECLARATIONS[part] for part in declarations))}"'


def display_source(tex):
    r"""Return display mathematics with Sphinx's shorthands made explicit: `\\` breaks lines, a blank line equations."""
    parts = [part.strip() for part in re.split(r"\n\s*\n", tex.strip())]
    parts = [rf"\begin{{aligned}}{p}\end{{aligned}}" if r"\\" in p and r"\begin" not in p else p for p in parts]
    return parts[0] if len(parts) == 1 else r"\begin{gathered}" + r"\\".join(parts) + r"\end{gathered}"


def outside_font(markup):
    """Return the characters of `markup` that no formula may use, in order."""
    text = html.unescape(re.sub(r"<[^>]*>", "", markup))
    return sorted({c for c in text if not c.isspace() and not any(a <= ord(c) <= b for a, b in FONT_RANGES)})


def _convert(node, tex, display):
    """Return MathML, or the source as code after a warning that names the place."""
    about = {"location": node, "type": "innersite", "subtype": "math"}
    try:
        markup = to_mathml(tex, display)
    except LatexError as error:
        logger.warning("formula cannot be read: %s in %r", error, tex, **about)
        return f"<code>{html.escape(tex)}</code>"
    if found := SELF_NUMBERED.search(tex):
        advice = r"use the starred form or \begin{aligned}, and put a label after the closing $$"
        logger.warning("%s numbers equations by itself: %s", found.group(), advice, **about)
    elif styled := STYLE.search(markup):
        logger.warning("the pages' policy forbids %s; use what needs no color or space of its own", styled[0], **about)
    if missing := outside_font(markup):
        codes = ", ".join(f"{c} (U+{ord(c):04X})" for c in missing)
        logger.warning(
            "no drawing is known for %s: if the math font has one, add it to FONT_RANGES in mathematics.py",
            codes,
            **about,
        )
    return markup


def visit_inline(translator, node):
    """Write a formula inside a line."""
    markup = _convert(node, node.astext(), display=False)
    translator.body.append(translator.starttag(node, "span", "", CLASS="math notranslate nohighlight"))
    translator.body.append(markup + "</span>")
    raise nodes.SkipNode


def visit_block(translator, node):
    """Write a formula on lines of its own, with its number beside it (outside the box that scrolls)."""
    markup = _convert(node, display_source(node.astext()), display=True)
    translator.body.append(translator.starttag(node, "div", CLASS="math notranslate nohighlight"))
    translator.body.append(f'<div class="math-scroll">{markup}</div>')
    if node["number"]:
        number = get_node_equation_number(translator, node)
        translator.body.append(f'<span class="eqno">({number})')
        translator.add_permalink_ref(node, "Link to this equation")
        translator.body.append("</span>")
    translator.body.append("</div>\n")
    raise nodes.SkipNode


def font_source():
    """Return the path of STIX Two Math in the installed package, which is not imported (it would load much more)."""
    package = importlib.util.find_spec("ziamath")
    if package is None or package.origin is None:
        raise ModuleNotFoundError("the package ziamath, which brings STIX Two Math, is not installed", name="ziamath")
    return Path(package.origin).parent / "fonts" / "STIXTwoMath-Regular.ttf"


def cut_font(target, codes):
    """Write the part of STIX Two Math that draws `codes` to `target`."""
    # Dotless letters under accents and flat accents over capitals. Not "ssty", a drawing of each letter for scripts:
    # it would be two fifths of the bytes, and no difference was seen in Chromium with and without it.
    fonts.cut(font_source(), target, codes, features=["dtls", "flac"])


def drawn_codes(pages):
    """Return the code points that the formulas in the HTML of some pages are drawn with, sorted.

    A browser sets a variable in the slanted letters of Unicode's mathematical alphabet, though the page has plain ones.
    """
    formulas = "".join(formula for page in pages for formula in re.findall(r"<math.*?</math>", page, re.DOTALL))
    used = set(html.unescape(re.sub(r"<[^>]*>", "", formulas)))
    slanted = {chr(code) for code in SLANTED if unicodedata.normalize("NFKD", chr(code)) in used}
    return sorted(map(ord, used | slanted))


def write_font(app, exception):
    """Write the font to the site's static files, cut to the characters that the formulas use."""
    if exception is not None or app.builder.format != "html":
        return
    codes = drawn_codes(path.read_text("utf8") for path in Path(app.outdir).rglob("*.html"))
    target = Path(app.outdir, "_static", FONT_NAME)
    record = target.parents[2] / "site_assets" / "math.json"  # what it was cut for
    wanted = json.dumps({"codes": codes, "versions": fonts.versions("ziamath")})
    if not (target.is_file() and record.is_file() and record.read_text("utf8") == wanted):
        cut_font(target, codes)
        record.parent.mkdir(parents=True, exist_ok=True)
        record.write_text(wanted, "utf8")


def setup(app):
    app.add_html_math_renderer("mathml", inline_renderers=(visit_inline, None), block_renderers=(visit_block, None))
    app.connect("build-finished", write_font)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
