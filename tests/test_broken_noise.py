"""Noise that does not hold what it should: named, set aside, missing, and made again."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from bench.store import Store
from tests.builders import cell, finished, workplace
from tests.run.test_schedule import Flat

ABOUT = {"about": "{}"}
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
    file, aside = tmp_path / "noise" / "abc.safetensors", tmp_path / "broken" / "noise" / "abc.safetensors"
    file.parent.mkdir()
    file.write_bytes(content)
    assert Store(tmp_path).read_noise("abc") is None
    [line] = caplog.messages
    assert line.startswith(f"{file}: ")
    assert line.endswith(f"; set aside as {aside}; it is made again as soon as a cell needs it")
    assert aside.read_bytes() == content
    assert not Store(tmp_path).has_noise("abc")


@pytest.mark.parametrize("about", [{"passes": 3}, {}])
def test_no_byte_of_a_noise_file_can_change_unseen(about: dict[str, Any], tmp_path: Path) -> None:
    store, file = Store(tmp_path), tmp_path / "noise" / "abc.safetensors"
    noise, told = store.write_noise("abc", torch.arange(12, dtype=torch.int8).view(1, 3, 2, 2), about)
    content = file.read_bytes()
    for number, byte in enumerate(content):
        file.write_bytes(content[:number] + bytes([byte ^ 1]) + content[number + 1 :])
        found = store.read_noise("abc")
        assert found is None or (torch.equal(found[0], noise) and found[1] == told), number
    file.write_bytes(content)
    assert torch.equal(store.read_noise("abc")[0], noise)


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
    store.write_noise("1" * 16, torch.zeros(1, 3, 2, 2, dtype=torch.int8), {"key": "1" * 16})
    (tmp_path / "noise" / ("1" * 16 + ".safetensors")).rename(tmp_path / "noise" / ("2" * 16 + ".safetensors"))
    assert store.read_noise("2" * 16) is None
    assert f"is the noise {'1' * 16}; set aside" in caplog.text
