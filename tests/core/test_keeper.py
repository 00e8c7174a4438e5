"""What is kept on request: networks and perturbations, of noise making and of victims, and nothing unasked."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

import bench.core.keeper
from attacks.gradient import Pgd
from bench.core.keeper import Keeper
from bench.core.session import Session
from bench.core.tensor_file import write_tensors
from bench.grid.cell import Cell
from bench.run import schedule
from bench.run.experiment import make_noise, run_cell
from bench.run.workplace import Workplace
from bench.store import Store
from methods.rem import Rem
from tests import builders
from tests.builders import finished

CPU = torch.device("cpu")
SETTINGS: dict[str, Any] = {"updates": 10, "batch_size": 4, "steps": 2, "samples": 2, "adv_steps": 2}


@pytest.fixture
def cell(two_layers: str) -> Cell:
    method = Rem(**SETTINGS, surrogate=two_layers)
    return builders.cell(method, attacks=(Pgd(steps=2),), model=two_layers, steps=20, batch_size=4)


def test_nothing_is_kept_unasked(cell: Cell, tmp_path: Path) -> None:
    finished(cell, tmp_path)
    assert not (tmp_path / "kept").exists()
    assert Store(tmp_path).read_kept(cell.key) == {}


def test_networks_and_perturbations_of_noise_and_victim_are_kept_and_change_no_result(
    cell: Cell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench.core.keeper, "IMAGES", 6)
    store = Store(tmp_path / "kept", frozenset({"surrogates", "perturbations"}))
    record = finished(cell, Workplace(store, tmp_path))
    plain = finished(cell, Workplace(Store(tmp_path / "plain"), tmp_path))
    assert record["history"] == plain["history"]

    noise, victim = store.read_kept(cell.noise_key), store.read_kept(cell.key)
    model = Session(0, CPU).build(cell.model, num_classes=10, channels=3)
    for kept in (noise, victim):
        weights = {name.removeprefix("weights/"): value for name, value in kept.items() if name.startswith("weights/")}
        model.load_state_dict(weights)
    loops = {name: tensor for name, tensor in (noise | victim).items() if name.endswith("perturbations")}
    steps = {"noise step": (1, 2, 4, 10), "surrogate step": (1, 2, 4, 10), "victim": (2, 4, 8, 20)}
    assert set(loops) == {f"{loop}/{step}/perturbations" for loop, found in steps.items() for step in found}
    for name, tensor in loops.items():
        first = name.startswith(("noise", "surrogate")) and "/1/" in name  # one batch before the first milestone
        assert tensor.shape[1:] == (3, 8, 8)
        assert len(tensor) == (4 if first and "surrogate" in name else 6)
        assert 0 < tensor.abs().max() <= 4 / 255 + 1e-6


def test_a_finished_cell_is_done_only_with_what_is_to_be_kept(cell: Cell, tmp_path: Path) -> None:
    store = Store(tmp_path)
    finished(cell, Workplace(store, tmp_path))
    asking = replace(store, keep=frozenset({"surrogates"}))
    assert schedule.is_done(cell, store, retry_failed=False)
    assert not schedule.is_done(cell, asking, retry_failed=False)
    assert not asking.has_noise(cell.noise_key)
    finished(cell, Workplace(asking, tmp_path))
    assert schedule.is_done(cell, asking, retry_failed=False)
    assert asking.has_noise(cell.noise_key)
    assert not schedule.is_done(cell, replace(store, keep=frozenset({"perturbations"})), retry_failed=False)


def test_the_last_batches_before_a_milestone_are_kept_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench.core.keeper, "IMAGES", 3)
    keeper = Keeper(["perturbations"])
    for step in range(1, 11):
        views = torch.zeros(2, 1, 1, 1)
        keeper.keep_perturbations("victim", step, 10, views, views + step)
    kept = {name: tensor.flatten().tolist() for name, tensor in keeper.tensors.items()}
    assert kept == {
        "victim/1/perturbations": [1, 1],
        "victim/2/perturbations": [1, 1, 2],
        "victim/4/perturbations": [3, 3, 4],
        "victim/10/perturbations": [9, 9, 10],
    }


def test_a_cell_that_runs_again_keeps_its_first_result_even_if_it_then_fails(
    cell: Cell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(tmp_path)
    finished(cell, Workplace(store, tmp_path))
    record, noise = store.cell_file(cell.key).read_bytes(), store.read_noise(cell.noise_key)[0]
    asking = replace(store, keep=frozenset({"surrogates"}))
    with monkeypatch.context() as broken:
        broken.setattr(Store, "write_kept", lambda *_: 1 / 0)
        assert run_cell(cell, Workplace(asking, tmp_path), CPU, asked={})["status"] == "failed"
    assert store.cell_file(cell.key).read_bytes() == record
    finished(cell, Workplace(asking, tmp_path))
    assert store.cell_file(cell.key).read_bytes() == record
    assert torch.equal(store.read_noise(cell.noise_key)[0], noise)


def test_a_damaged_file_of_what_was_kept_is_named_and_made_again(
    cell: Cell, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = Store(tmp_path, frozenset({"surrogates"}))
    finished(cell, Workplace(store, tmp_path))
    file = tmp_path / "kept" / f"{cell.key}.safetensors"
    content = file.read_bytes()
    file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    assert not store.has_kept(cell.key)
    assert caplog.messages == [
        f"{file}: its bytes are not those that were written; "
        f"set aside as {tmp_path / 'broken' / 'kept' / file.name}; it is made again"
    ]
    finished(cell, Workplace(store, tmp_path))
    assert file.read_bytes() == content
    file.write_bytes(b"half a file")
    assert store.read_kept(cell.key) == {}
    assert "its header is not whole" in caplog.messages[1]


@pytest.mark.parametrize("kinds", [[[1], {"a": 2}], {"surrogates": 1}])
def test_a_kept_file_whose_kinds_are_no_names_is_damaged(
    kinds: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = Store(tmp_path, frozenset({"surrogates"}))
    for read, missing in ((store.has_kept, False), (store.read_kept, {})):
        write_tensors(tmp_path / "kept" / "abc.safetensors", {"weights/a": torch.zeros(1)}, kinds=kinds)
        assert read("abc") == missing
        assert f"abc.safetensors: its kinds are no list of names, but {kinds}; set aside as" in caplog.messages[-1]


def test_weights_are_kept_at_the_milestones_of_a_training() -> None:
    model = torch.nn.Linear(1, 1)
    keeper = Keeper(["checkpoints"])
    for step in range(1, 11):
        with torch.no_grad():
            model.weight.fill_(step)
        keeper.keep_checkpoint(model, step, 10)
    kept = {name: tensor.item() for name, tensor in keeper.tensors.items() if name.endswith("weight")}
    assert kept == {f"checkpoints/{step}/weight": step for step in (1, 2, 4, 10)}
    assert not Keeper(["surrogates"]).tensors


def test_what_was_kept_before_is_not_lost_when_more_is_asked_for(cell: Cell, tmp_path: Path) -> None:
    place = Workplace(Store(tmp_path), tmp_path)
    for kinds in (frozenset({"surrogates"}), frozenset({"checkpoints"})):
        make_noise(cell, place.keeping(kinds), CPU)
    assert place.store.kinds_kept(cell.noise_key) == {"surrogates", "checkpoints"}
    names = place.store.read_kept(cell.noise_key)
    assert {name.partition("/")[0] for name in names} == {"weights", "checkpoints"}
    for kinds in (frozenset({"surrogates"}), frozenset({"checkpoints"})):
        finished(cell, place.keeping(kinds))
    assert place.store.kinds_kept(cell.key) == {"surrogates", "checkpoints"}
