"""The results folder: all or nothing, readable, and honest about what it cannot read."""

import json
import threading
import time
from pathlib import Path

import pytest
import safetensors.torch
import torch

from bench.core.files import to_json
from bench.core.session import Trained
from bench.core.settings import digest
from bench.core.tensor_file import write_tensor
from bench.store import Store
from tests.analysis.conftest import keep, key_of, place, plan_of, record
from tests.builders import about_noise
from tests.conftest import Paged

KEY = key_of("one")
ABOUT = about_noise(KEY)


def test_a_record_comes_back_as_it_was_written(tmp_path: Path) -> None:
    store, made = Store(tmp_path), record(0.1 + 0.2)
    keep(store, "one", made)
    found = store.read(KEY)
    assert found is not None
    assert {name: found[name] for name in made} == made
    assert store.read(key_of("another")) is None
    assert store.find(KEY[:2]) == [KEY]


def test_json_is_laid_out_for_people_and_means_the_same() -> None:
    record = {"short": [1, 2], "long": ["x" * 70, "y" * 70], "nested": {"empty": [], "text": "é"}}
    text = to_json(record)
    assert json.loads(text) == record
    assert ' "short": [1, 2],\n "long": [\n  "' in text
    assert max(map(len, text.splitlines())) <= 120


def test_a_number_that_json_does_not_know_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not finite"):
        Store(tmp_path).write("abc", {"loss": float("nan")})
    assert Store(tmp_path).read("abc") is None


def test_a_write_that_fails_leaves_the_old_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path)
    keep(store, "one", record(0.1))

    def fails(descriptor: int) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("os.fsync", fails)
    with pytest.raises(OSError, match="disk full"):
        keep(store, "one", record(0.2))
    found = store.read(KEY)
    assert found is not None
    assert found["result"]["final_accuracy"] == 0.1
    assert store.find("") == [KEY]


def test_noise_comes_back_with_what_is_known_of_it(tmp_path: Path) -> None:
    store, noise = Store(tmp_path), torch.arange(-6, 6, dtype=torch.int8).view(1, 3, 2, 2)
    store.write_noise(KEY, noise, ABOUT)
    loaded, about = store.read_noise(KEY)
    assert loaded.dtype == torch.int8
    assert torch.equal(loaded, noise)
    assert about == ABOUT


def test_large_noise_goes_through_the_store_in_parts(tmp_path: Path, paged: Paged) -> None:
    store, noise = (
        Store(tmp_path),
        torch.randint(-128, 128, (7, 3, 9, 8), dtype=torch.int8, generator=torch.Generator()),
    )
    store.write_noise(KEY, noise, ABOUT)
    assert torch.equal(store.read_noise(KEY)[0], noise)
    store.write_noise(KEY, noise.permute(0, 2, 3, 1), ABOUT)
    assert torch.equal(store.read_noise(KEY)[0], noise.permute(0, 2, 3, 1))


def test_noise_files_are_those_of_the_safetensors_library(tmp_path: Path) -> None:
    store, images = Store(tmp_path), torch.arange(24, dtype=torch.uint8).view(2, 3, 2, 2)
    store.write_noise(KEY, images, ABOUT)
    ours = tmp_path / "noise" / f"{KEY}.safetensors"
    assert torch.equal(safetensors.torch.load_file(ours)["protection"], images)
    with safetensors.safe_open(ours, "pt") as content:
        assert json.loads(content.metadata()["about"]) == ABOUT
        assert len(content.metadata()["checksum"]) == 16
    metadata = {"about": json.dumps(ABOUT)}
    safetensors.torch.save_file({"protection": images}, ours, metadata)
    loaded, about = store.read_noise(KEY)  # as a file of an earlier version, it has no checksum
    assert torch.equal(loaded, images)
    assert about == ABOUT


def test_the_checksum_is_the_digest_of_all_else(tmp_path: Path) -> None:
    Store(tmp_path).write_noise(KEY, torch.arange(12, dtype=torch.int8).view(1, 3, 2, 2), ABOUT)
    content = (tmp_path / "noise" / f"{KEY}.safetensors").read_bytes()
    start = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:start])
    checksum = header["__metadata__"].pop("checksum")
    assert checksum == digest(header, content=[content[start:]])
    assert content[start:] == bytes(range(12))
    assert to_json(header["protection"]["shape"]) == "[1, 3, 2, 2]\n"


def test_writing_to_loaded_noise_changes_no_file(tmp_path: Path) -> None:
    store, noise = Store(tmp_path), torch.ones(2, 3, 2, 2, dtype=torch.int8)
    store.write_noise(KEY, noise, ABOUT)
    store.read_noise(KEY)[0].zero_()
    assert torch.equal(store.read_noise(KEY)[0], noise)


@pytest.mark.parametrize("rows", [1, 3])
def test_parts_that_do_not_add_up_are_not_kept(tmp_path: Path, rows: int) -> None:
    parts = [torch.zeros(rows, 3, dtype=torch.int8)]
    with pytest.raises(ValueError, match=r"file: the parts of noise do not add up to \(2, 3\)"):
        write_tensor(tmp_path / "file", "noise", parts, shape=(2, 3), dtype=torch.int8, about={})
    assert not list(tmp_path.iterdir())


def test_noise_that_cannot_be_written_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(descriptor: int) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("os.fsync", fails)
    store = Store(tmp_path)
    with pytest.raises(OSError, match="disk full"):
        store.write_noise(KEY, torch.ones(2, 3, 2, 2, dtype=torch.int8), ABOUT)
    assert not store.has_noise(KEY)
    assert not list((tmp_path / "noise").iterdir())


def test_a_model_is_made_by_the_first_who_needs_it_while_the_others_wait(tmp_path: Path) -> None:
    made: list[int] = []
    got: list[Trained] = []

    def make() -> Trained:
        made.append(1)
        time.sleep(0.2)
        return {"weight": torch.arange(6.0).view(2, 3).T, "steps": torch.tensor(7)}, {"passes": 3}

    threads = [threading.Thread(target=lambda: got.append(Store(tmp_path).model("abc", make))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(made) == 1
    assert len(got) == 3
    for weights, about in got:
        assert torch.equal(weights["weight"], torch.arange(6.0).view(2, 3).T)
        assert weights["steps"].dtype == torch.int64
        assert weights["steps"] == 7
        assert about == {"passes": 3}


def test_writers_of_one_file_at_a_time_leave_one_whole_file(tmp_path: Path) -> None:
    store = Store(tmp_path)
    failures: list[Exception] = []

    def write(number: int) -> None:
        try:
            for _ in range(30):
                store.write_plan("same", plan_of([place("clean", "none", 1)], grid=str(number), about="x" * 10_000))
        except OSError as error:
            failures.append(error)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert store.plans()["same"]["grid"] in "0123"
    assert [file.name for file in (tmp_path / "plans").iterdir()] == ["same.json"]
