"""What several test files share."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def blind(tmp_path_factory):
    """Settings for a process in which the laboratory is there, but no chapter's judges are."""
    from innerlab.marking.confinement import (  # not at the top: most tests can do without PyTorch
        AGENTS,
        JUDGES,
        blind_copy,
    )

    folder = blind_copy(tmp_path_factory.mktemp("blind"))
    for name in JUDGES:
        assert list((ROOT / "innerlab" / "chapters").glob(f"*/{name}"))
        assert not list((folder / "innerlab" / "chapters").glob(f"*/{name}"))
    return {"environment": os.environ | {"PYTHONPATH": str(folder), "INNERLAB_AGENTS": str(folder / AGENTS)}}
