"""What several test files share."""

import os
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def blind(tmp_path_factory):
    """Settings for a process in which the laboratory is there, but no chapter's judges are."""
    folder = tmp_path_factory.mktemp("blind")
    judges = {path.stem + ".py" for path in (ROOT / "solutions").glob("*.md")}

    def left_out(place, names):
        hidden = judges if Path(place).name == "checks" else set()
        return [name for name in names if name in hidden or name == "__pycache__"]

    shutil.copytree(ROOT / "innerlab", folder / "innerlab", ignore=left_out)
    assert judges
    assert not any((folder / "innerlab" / "checks" / name).exists() for name in judges)
    store = os.environ.get("INNERLAB_AGENTS", str(ROOT / "_build" / "agents"))
    return {"environment": os.environ | {"PYTHONPATH": str(folder), "INNERLAB_AGENTS": store}}
