"""Where the cells of these tests are run."""

from pathlib import Path

import pytest

from bench.run.workplace import Workplace
from bench.store import Store


@pytest.fixture
def place(tmp_path: Path) -> Workplace:
    """This process as the only worker."""
    return Workplace(Store(tmp_path / "results"), tmp_path)
