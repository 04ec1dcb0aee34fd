"""What Lighthouse finds beside axe. How fast pages are is for `run.py bench --pages`: that depends on the machine."""

import pytest

from bench import lighthouse
from bench.__main__ import ROOT

MISSING = lighthouse.missing(ROOT)


@pytest.mark.skipif(bool(MISSING), reason=MISSING)
@pytest.mark.parametrize("page", lighthouse.PAGES)
def test_lighthouse_has_nothing_to_say(served, page):
    scores = lighthouse.audit(ROOT, f"{served}/{page}.html")
    assert 0 < scores.pop("performance") <= 100
    assert scores == {"accessibility": 100, "best-practices": 100, "seo": 100}
