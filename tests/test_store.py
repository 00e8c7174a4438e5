"""The results folder: all or nothing, readable, and honest about what it cannot read."""

import json
import threading
import time
from pathlib import Path

import pytest
import torch

from bench.engine import Trained
from bench.store import Store, StoreError, to_json


def test_a_record_comes_back_as_it_was_written(tmp_path: Path) -> None:
    store, record = Store(tmp_path), {"key": "abc", "history": {"step": [1, 2]}, "accuracy": 0.1 + 0.2}
    store.write("abc", record)
    assert store.read("abc") == record
    assert store.read("abd") is None
    assert store.find("ab") == ["abc"]


def test_json_is_laid_out_for_people_and_means_the_same() -> None:
    record = {"short": [1, 2], "long": ["x" * 70, "y" * 70], "nested": {"empty": [], "text": "é"}}
    text = to_json(record)
    assert json.loads(text) == record
    assert ' "short": [1, 2],\n "long": [\n  "' in text
    assert max(map(len, text.splitlines())) <= 120


def test_a_number_that_json_does_not_know_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON"):
        Store(tmp_path).write("abc", {"loss": float("nan")})
    assert Store(tmp_path).read("abc") is None


def test_a_write_that_fails_leaves_the_old_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path)
    store.write("abc", {"value": 1})

    def fails(descriptor: int) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("os.fsync", fails)
    with pytest.raises(OSError, match="disk full"):
        store.write("abc", {"value": 2})
    assert store.read("abc") == {"value": 1}
    assert store.find("") == ["abc"]


@pytest.mark.parametrize("content", ["{", "[1]", "\udcff"])
def test_a_broken_record_is_named_and_not_overwritten(tmp_path: Path, content: str) -> None:
    file = tmp_path / "cells" / "abc.json"
    file.parent.mkdir()
    file.write_text(content, errors="surrogateescape")
    with pytest.raises(StoreError, match=r"abc\.json: .*delete it to run its cell again"):
        Store(tmp_path).read("abc")


def test_noise_comes_back_with_what_is_known_of_it(tmp_path: Path) -> None:
    store, noise = Store(tmp_path), torch.arange(-6, 6, dtype=torch.int8).view(1, 3, 2, 2)
    store.write_noise("abc", noise, {"passes": 3})
    loaded, about = store.read_noise("abc")
    assert loaded.dtype == torch.int8
    assert torch.equal(loaded, noise)
    assert about == {"passes": 3}


def test_a_broken_noise_file_is_named(tmp_path: Path) -> None:
    file = tmp_path / "noise" / "abc.safetensors"
    file.parent.mkdir()
    file.write_bytes(b"half a file")
    with pytest.raises(StoreError, match=r"abc\.safetensors: not a noise file .*delete it to make it again"):
        Store(tmp_path).read_noise("abc")


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
