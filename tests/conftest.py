"""What several test files share."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def blind(tmp_path_factory):
    """Settings for a process in which the laboratory is there, but no chapter's judges are."""
    from innerlab.marking.confinement import AGENTS, blind_copy  # not at the top: most tests can do without PyTorch
    from innerlab.marking.marks import chapters

    folder = tmp_path_factory.mktemp("blind")
    judges = chapters(ROOT)
    blind_copy(folder, judges)
    assert judges
    assert not any((folder / "innerlab" / "checks" / f"{name}.py").exists() for name in judges)
    return {"environment": os.environ | {"PYTHONPATH": str(folder), "INNERLAB_AGENTS": str(folder / AGENTS)}}
