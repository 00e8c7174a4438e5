"""The committed records: each is called by the hash of what it ran, and the grids still ask for them."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from bench.core.data import Outline
from bench.core.datasets.image_files import ImageFiles
from bench.core.settings import digest
from bench.grid.expand import read_grid
from bench.grid.scale import read_assignments, read_scales
from bench.plan_file import Plan, PlanCondition, PlanMeasure, ScaleWords
from bench.store import Store
from bench.summary import summary

CELLS, GRIDS = Path("results/cells"), Path("grids")
PLANS = sorted(file.stem for file in Path("results/plans").glob("*-small.json"))


def test_every_record_is_called_by_the_digest_of_its_cell() -> None:
    files = sorted(CELLS.glob("*.json"))
    assert len(files) >= 1_266
    for file in files:
        record = json.loads(file.read_text())
        assert file.stem == record["key"] == digest(record["cell"])


@pytest.mark.parametrize("plan", PLANS)
def test_the_check_of_plans_knows_every_key_of_them(plan: str) -> None:
    content = json.loads(Path(f"results/plans/{plan}.json").read_text())
    parts: list[tuple[type[BaseModel], list[Any]]] = [
        (Plan, [content]),
        (ScaleWords, [content["scale"]]),
        (PlanCondition, content["conditions"]),
        (PlanMeasure, content.get("measures", [])),
    ]
    for model, found in parts:
        assert {key for one in found for key in one} <= model.model_fields.keys()


@pytest.fixture
def recorded_folders(monkeypatch: pytest.MonkeyPatch) -> None:
    """Folders of images count as those of the records: nobody may commit their images."""
    cells = [json.loads(file.read_text())["cell"] for file in CELLS.glob("*.json")]
    found = {cell["dataset"]["path"]: cell["dataset"]["fingerprint"] for cell in cells if "path" in cell["dataset"]}
    monkeypatch.setattr(ImageFiles, "fingerprint", lambda self, root: found[self.path])
    monkeypatch.setattr(ImageFiles, "outline", lambda self, root: Outline(1000, self.shape, 10))


@pytest.mark.usefixtures("recorded_folders")
@pytest.mark.parametrize("plan", PLANS)
def test_every_cell_of_a_committed_plan_is_found_done(plan: str, tmp_path: Path) -> None:
    scales = read_scales(GRIDS / "scales.yaml")
    grid = read_grid(GRIDS / f"{plan.removesuffix('-small')}.yaml", scales, "small", read_assignments([]), tmp_path)
    records = {file.stem for file in CELLS.glob("*.json")}
    assert grid.cells
    assert {cell.key for cell in grid.cells} <= records


def test_show_has_words_for_records_of_every_age_and_kind() -> None:
    store, kinds = Store(Path("results")), {}
    for file in sorted(CELLS.glob("*.json")):
        record = json.loads(file.read_text())
        kinds[record["provenance"]["commit"], record["status"], "notes" in record, "notes" in record["noise"]] = record
    for record in kinds.values():
        head, *facts = summary(record, store)
        assert head == f"cell {record['key']}: {record['status']}"
        assert len(facts) >= 9


def test_every_committed_record_is_read(caplog: pytest.LogCaptureFixture) -> None:
    store = Store(Path("results"), read_only=True)
    assert all(store.read(key) for key in store.find(""))
    assert not caplog.messages
