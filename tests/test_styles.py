"""The style sheets become one, which has every rule that a page can use and few others."""

import pytest

from innersite import styles


def test_names_come_from_pages_and_scripts():
    page = """<p class="a b-c" id='d'><i class=e>f</i><script src="x.js"></script><script>set("g")</script>"""
    used = styles.Used([page], ['name = "tip-" + side; h()', "x-"])
    assert all(name in used for name in ("a", "b-c", "d", "e", "g", "h", "tip-left"))
    assert all(name not in used for name in ("f", "b", "x-y", "left"))  # "x-" is too short to be a beginning


@pytest.fixture
def used():
    return styles.Used(['<p class="in" id="here">'], [])


@pytest.mark.parametrize(
    ("sheet", "kept"),
    [
        ("p{color:red}", "p{color:red}"),
        (".in,.out{color:red}", ".in{color:red}"),
        (".in .out{color:red}", ""),
        ("#there{color:red}", ""),
        ("#here>p:hover::before{color:red}", "#here>p:hover::before{color:red}"),
        ("p:not(.out){color:red}", "p:not(.out){color:red}"),
        (":is(.out,.in) p{color:red}", ":is(.out,.in) p{color:red}"),
        ('a[href$=".out"]{color:red}', 'a[href$=".out"]{color:red}'),
        ("p{width:.5em;background:#fff}", "p{width:.5em;background:#fff}"),
        (".md\\:in{color:red}", ""),
        ("@media print{.out{color:red}}", ""),
        ("@media print{.out{color:red}.in{color:red}}", "@media print{.in{color:red}}"),
        ("@supports (a:b){@media print{.in{color:red}}}", "@supports (a:b){@media print{.in{color:red}}}"),
        ("@keyframes out{from{color:red}}", "@keyframes out{from{color:red}}"),
        ("/* .in */ @charset 'utf-8'; p{}", "p{}"),
    ],
)
def test_a_rule_stays_if_something_can_match(tmp_path, used, sheet, kept):
    (tmp_path / "sheet.css").write_text(sheet, "utf8")
    assert styles.bundle(tmp_path, ["sheet.css"], used).strip() == kept


def test_our_own_sheets_stay_whole(tmp_path, used):
    (tmp_path / "site.css").write_text(".out{color:red} @media print{.out{color:red}}", "utf8")
    assert styles.bundle(tmp_path, ["site.css"], used) == ".out{color:red}\n@media print{.out{color:red}}\n"


def test_sheets_keep_their_order_and_find_their_files(tmp_path, used):
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "one.css").write_text(
        'p{src:url(a.woff2) url("../b.png") url(data:image/png;base64,AA) url(#c) url(/d) url(https://e.org/f)}', "utf8"
    )
    (tmp_path / "two.css").write_text("p{src:url(a.woff2)}", "utf8")
    one, two = styles.bundle(tmp_path, ["below/one.css", "two.css"], used).splitlines()
    assert 'url(below/a.woff2) url("below/../b.png") url(data:image/png;base64,AA) url(#c) url(/d)' in one
    assert "url(https://e.org/f)" in one
    assert two == "p{src:url(a.woff2)}"


@pytest.mark.parametrize(
    ("sheet", "reason"), [("p{color:red}\n}", "line 2"), ('@import "other.css";', "imports another sheet")]
)
def test_a_sheet_that_cannot_be_put_in_is_reported(tmp_path, used, sheet, reason):
    (tmp_path / "sheet.css").write_text(sheet, "utf8")
    with pytest.raises(ValueError, match=rf"sheet\.css.* {reason}"):
        styles.bundle(tmp_path, ["sheet.css"], used)
