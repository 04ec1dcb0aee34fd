import shutil

import pytest

from innerlab.checks.asking import Limits


@pytest.fixture(scope="session")
def limits():
    """Less than a class gets, but enough for a busy machine."""
    return Limits(seconds=10, memory=3 * 2**29)


@pytest.fixture(autouse=True)
def needs_bubblewrap(request):
    """What confines is installed by .ci/run; elsewhere such tests are left out, and say so."""
    import os

    if request.node.get_closest_marker("confined") and shutil.which("bwrap") is None and not os.environ.get("CI"):
        pytest.skip("bubblewrap is not installed")
