import os
import shutil
import sys

import pytest

from innerlab.checks.asking import Limits


@pytest.fixture(scope="session")
def limits():
    """Less than a class gets, but enough for a busy machine."""
    return Limits(seconds=10, memory=3 * 2**29)


@pytest.fixture(autouse=True)
def needs_bubblewrap(request):
    """What confines is installed by .ci/run, on Linux alone; elsewhere such tests are left out, and say so."""
    if request.node.get_closest_marker("confined") is None or shutil.which("bwrap") is not None:
        return
    if not (os.environ.get("CI") and sys.platform == "linux"):
        pytest.skip("bubblewrap is not installed")
