"""Noise that does not hold what it should: named, set aside, missing, and made again."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from bench.core.tensor_file import write_tensor
from bench.store import Store
from tests.builders import about_noise, cell, finished, workplace
from tests.run.test_schedule import Flat

KEY = "1" * 16
ABOUT = {"about": json.dumps(about_noise(KEY))}
ENTRY = {"dtype": "I8", "shape": [1, 3, 2, 2], "data_offsets": [0, 12]}


def noise_file(header: dict[str, object], values: int = 12) -> bytes:
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + bytes(values)


@pytest.mark.parametrize(
    "content",
    [
        b"half a file",
        b"",
        (10**6).to_bytes(8, "little") + b"{}",
        noise_file({"__metadata__": ABOUT, "protection": ENTRY}, values=11),
        noise_file({"__metadata__": ABOUT, "protection": ENTRY}, values=13),
        noise_file({"__metadata__": ABOUT, "protection": ENTRY | {"data_offsets": [1, 13]}}, values=12),
        noise_file({"__metadata__": ABOUT, "protection": ENTRY | {"dtype": "F32"}}),
        noise_file({"__metadata__": ABOUT, "protection": ENTRY | {"shape": [-1, 3, -2, 2]}}),
        noise_file({"__metadata__": ABOUT, "protection": ENTRY | {"shape": [1.0, 3, 2, 2]}}),
        noise_file({"__metadata__": {"about": "3"}, "protection": ENTRY}),
        noise_file({"__metadata__": ABOUT, "another": ENTRY}),
        noise_file({"protection": ENTRY}),
        noise_file({"__metadata__": {"about": "{"}, "protection": ENTRY}),
    ],
)
def test_a_broken_noise_file_is_named_and_missing(
    tmp_path: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    file, aside = tmp_path / "noise" / f"{KEY}.safetensors", tmp_path / "broken" / "noise" / f"{KEY}.safetensors"
    file.parent.mkdir()
    file.write_bytes(content)
    assert Store(tmp_path).read_noise(KEY) is None
    [line] = caplog.messages
    assert line.startswith(f"{file}: ")
    assert line.endswith(f"; set aside as {aside}; it is made again as soon as a cell needs it")
    assert aside.read_bytes() == content
    assert not Store(tmp_path).has_noise(KEY)


def test_no_byte_of_a_noise_file_can_change_unseen(tmp_path: Path) -> None:
    store, file = Store(tmp_path), tmp_path / "noise" / f"{KEY}.safetensors"
    noise, told = store.write_noise(KEY, torch.arange(12, dtype=torch.int8).view(1, 3, 2, 2), about_noise(KEY))
    content = file.read_bytes()
    for number, byte in enumerate(content):
        file.write_bytes(content[:number] + bytes([byte ^ 1]) + content[number + 1 :])
        found = store.read_noise(KEY)
        assert found is None or (torch.equal(found[0], noise) and found[1] == told), number
    file.write_bytes(content)
    assert torch.equal(store.read_noise(KEY)[0], noise)


def test_a_cell_makes_damaged_noise_again_and_gets_the_same_result(tmp_path: Path) -> None:
    place, one, other = workplace(tmp_path), cell(Flat(), 0), cell(Flat(), 1)
    finished(one, place)
    file = tmp_path / "noise" / f"{one.noise_key}.safetensors"
    values = len(file.read_bytes()) - 1
    with file.open("r+b") as stream:
        stream.seek(values)
        stream.write(b"\x05")
    record = finished(other, place)
    assert record == place.store.read(other.key)
    assert record["noise"]["size"]["linf"] == round(1 / 255, 6)
    assert torch.equal(place.store.read_noise(one.noise_key)[0], torch.ones(20, 3, 8, 8, dtype=torch.int8))
    assert (tmp_path / "broken" / "noise" / file.name).is_file()


def test_the_noise_of_another_key_is_named_and_missing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    store = Store(tmp_path)
    store.write_noise(KEY, torch.zeros(1, 3, 2, 2, dtype=torch.int8), about_noise(KEY))
    (tmp_path / "noise" / f"{KEY}.safetensors").rename(tmp_path / "noise" / ("2" * 16 + ".safetensors"))
    assert store.read_noise("2" * 16) is None
    assert f"is the noise {KEY}; set aside" in caplog.text


@pytest.mark.parametrize(
    ("rows", "changes", "expected"),
    [
        (20, {"seconds": None}, "seconds: input should be a valid number, got None"),
        (20, {"passes": "x"}, "passes: input should be a valid number, got 'x'"),
        (20, {"passes": 1e308}, "passes: must be between -1e+100 and 1e+100, but is 1e+308"),
        (20, {"size": []}, "size: input should be a valid dictionary or instance of Size, got []"),
        (20, {"size": {"linf": 0.5}}, "size.mean_l2: is missing"),
        (20, {"notes": [1]}, "notes: input should be a valid dictionary, got [1]"),
        (20, {"notes": {"loss": float("nan")}}, "a number is not finite or too large: nan"),
        (10, {}, "has shape (10, 3, 8, 8), the images (20, 3, 8, 8)"),
    ],
)
def test_whole_noise_of_which_a_cell_cannot_make_a_record_is_damaged_and_made_again(
    rows: int, changes: dict[str, Any], expected: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    place, one = workplace(tmp_path), cell(Flat())
    file = tmp_path / "noise" / f"{one.noise_key}.safetensors"
    about, shape = about_noise(one.noise_key) | changes, (rows, 3, 8, 8)
    write_tensor(file, "protection", [torch.ones(shape, dtype=torch.int8)], shape=shape, dtype=torch.int8, about=about)
    record = finished(one, place)
    [line] = caplog.messages
    assert line.startswith(f"{file}: {expected}; set aside as {tmp_path / 'broken' / 'noise' / file.name}; ")
    protection, told = place.store.read_noise(one.noise_key)
    assert len(protection) == 20
    assert {name: told[name] for name in ("key", "size")} == record["noise"]


def test_noise_of_which_too_little_is_known_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="size: is missing"):
        Store(tmp_path).write_noise(KEY, torch.zeros(1, 3, 2, 2, dtype=torch.int8), {"key": KEY, "passes": 1.0})
    assert not Store(tmp_path).has_noise(KEY)
