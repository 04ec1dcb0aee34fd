"""LaTeX becomes MathML that a browser can set, or a warning that says where it is wrong."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from fontTools.ttLib import TTFont

from innersite import mathematics

FORMULAS = [
    r"V^{*}(s) = \max_{a} \Bigl\{ r(s,a) + \gamma \sum_{s'} P(s' \mid s, a)\, V^{*}(s') \Bigr\}",
    r"\begin{cases} 1 & \text{if } s \in \mathcal{T} \\ -\tfrac{1}{2} & \text{otherwise} \end{cases}",
    r"\begin{pmatrix} a_{11} & \cdots \\ \vdots & \ddots \end{pmatrix} \begin{bmatrix} 1 \end{bmatrix}",
    r"\begin{aligned} \nabla_\theta J &= \mathbb{E}_{s \sim d^\pi}\left[\log \pi_\theta\right] \\ &= 0 \end{aligned}",
    r"\operatorname*{arg\,max}_{a} \int_0^\infty e^{-x^2}\,dx = \prod_{i=1}^{N} \lVert x \rVert_2^2",
    r"\hat{p} \pm \bar{x} \tilde{y} \dot{z} \vec{v} \widehat{ab}",
    r"\overline{cd} \underbrace{x}_{n} \sqrt[3]{x} \binom{n}{k}",
    r"\mathbf{x} \boldsymbol{\theta} \mathbb{R} \mathcal{L} \mathfrak{g} \mathrm{KL} \ell \hbar \infty",
    r"A \implies B \iff C \to D \mapsto E \leftarrow F \xrightarrow{f} G \uparrow",
    r"\forall x \exists y \neg z \land \lor \in \notin \subseteq \subset \ni \top \vdash \models",
    r"\lfloor x \rfloor \lceil y \rceil \langle u, v \rangle \approx \neq \leq \geq \ll \propto \perp \times \cdot",
    r"\alpha\beta\gamma\delta\epsilon\varepsilon\zeta\eta\theta\vartheta\kappa\lambda\mu\xi\rho\sigma\tau\phi\varphi",
    r"\Gamma\Delta\Theta\Lambda\Xi\Pi\Sigma\Phi\Psi\Omega \partial \nabla \cup \cap",
    r"\emptyset \setminus \bigcup \bigcap \coprod \otimes \oplus \odot \chi\psi\omega \dagger \star \circ \bullet",
    r"D_{\mathrm{KL}}(p \,\|\, q) \qquad \mathbb{1}[x > 0] \quad \lim_{n \to \infty} \frac{1}{n} \sup \inf \Pr(x)",
]


@pytest.fixture(scope="module")
def font(tmp_path_factory):
    """The font cut for all these formulas, and what it was cut for."""
    path = tmp_path_factory.mktemp("font") / mathematics.FONT_NAME
    codes = mathematics.drawn_codes([f"<p>你 {mathematics.to_mathml(tex, display=True)}</p>" for tex in FORMULAS])
    mathematics.cut_font(path, codes)
    return path, codes


@pytest.mark.parametrize("tex", FORMULAS)
def test_what_the_book_writes_is_read_and_drawn(tex):
    markup = mathematics.to_mathml(tex, display=True)
    assert markup.startswith('<math display="block">')
    assert mathematics.outside_font(markup) == []


def test_lines_over_and_under_stand_by_themselves():
    # A combining line is drawn to the left of what it belongs to.
    assert "\N{OVERLINE}</mo></mover>" in mathematics.to_mathml(r"\overline{AB}", display=False)
    assert "_</mo></munder>" in mathematics.to_mathml(r"\underline{AB}", display=False)


def test_inline_formula_is_no_block():
    assert "display" not in mathematics.to_mathml("x", display=False).split(">")[0]


@pytest.mark.parametrize(
    ("tex", "expected"),
    [
        (" x = 1 \n", "x = 1"),
        (r"a &= b \\ c &= d", r"\begin{aligned}a &= b \\ c &= d\end{aligned}"),
        (r"\begin{cases} a \\ b \end{cases}", r"\begin{cases} a \\ b \end{cases}"),
        ("a = b\n\nc = d", r"\begin{gathered}a = b\\c = d\end{gathered}"),
    ],
)
def test_lines_and_blank_lines_of_display_mathematics(tex, expected):
    assert mathematics.display_source(tex) == expected
    assert mathematics.to_mathml(mathematics.display_source(tex), display=True)


def test_cut_font_has_what_is_drawn_and_is_still_a_math_font(font):
    path, codes = font
    assert {ord("x"), 0x1D465, ord("θ"), 0x1D703, 0x2211} <= set(codes)  # variables upright, as written, and slanted
    assert ord("你") not in codes  # outside any formula
    assert path.stat().st_size < 60_000
    with TTFont(path) as cut:
        assert cut["MATH"].table.MathVariants.VertGlyphCoverage is not None
        have = set(cut.getBestCmap())
    with TTFont(mathematics.font_source()) as stix:
        whole = set(stix.getBestCmap())
    assert set(codes) & whole <= have
    assert set(codes) - whole <= {0x2061, 0xFE00, ord("\n")}  # seen by nobody


CONFIGURATION = """
extensions = ["myst_parser", "innersite.mathematics"]
myst_enable_extensions = ["dollarmath"]
html_math_renderer = "mathml"
html_theme = "basic"
"""


def build(folder, text):
    """Build a page of this text as `-W` does; return the exit code, the warnings and the page."""
    (folder / "index.md").write_text(text, "utf8")
    (folder / "conf.py").write_text(CONFIGURATION, "utf8")
    here = next(path for path in sys.path if Path(path).name == "_ext")
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "sphinx",
            "-W",
            "-n",
            "--keep-going",
            "-b",
            "html",
            str(folder),
            str(folder / "out/html"),
        ],
        capture_output=True,
        text=True,
        encoding="utf8",
        env={**os.environ, "PYTHONPATH": here, "PYTHONUTF8": "1", "NO_COLOR": "1"},
    )
    return done.returncode, done.stderr, (folder / "out" / "html" / "index.html").read_text("utf8")


def test_equations_are_numbered_and_linked(tmp_path):
    code, warnings, page = build(tmp_path, "# A\n\n$$\nx = 1\n$$ (eq-one)\n\nBy {eq}`eq-one` and $y$.\n")
    assert (code, warnings) == (0, "")
    assert 'id="equation-eq-one"' in page
    assert 'href="#equation-eq-one"' in page
    assert page.count("<math") == 2
    assert "<script" not in page.split("<body")[1].split('<div class="sphinxsidebar"')[0]


WRONG = {
    r"$\foo <b>$": "formula cannot be read",
    r"$\frac{1}{$": "formula cannot be read",
    r"$$\begin{align} a &= b \end{align}$$": "numbers equations by itself",
    "$\u4f60$": "no drawing is known for \u4f60 (U+4F60)",
}


@pytest.fixture(scope="module")
def wrong(tmp_path_factory):
    """What comes of a page with every wrong formula, four lines apart."""
    return build(tmp_path_factory.mktemp("wrong"), "# A\n\n" + "\n\n\n\n".join(WRONG))


@pytest.mark.parametrize("formula", WRONG)
def test_wrong_formula_fails_the_build_and_says_where(wrong, formula):
    code, warnings, _ = wrong
    line = 3 + 4 * list(WRONG).index(formula)
    assert code == 1
    found = [warning for warning in warnings.splitlines() if f"index.md:{line}:" in warning]
    assert len(found) == 1
    assert WRONG[formula] in found[0]


def test_unread_formula_is_shown_as_text_and_not_as_markup(wrong):
    assert "<code>\\foo &lt;b&gt;</code>" in wrong[2]
