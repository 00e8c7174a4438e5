"""Files that cannot be used as noise: one line each, before anything runs, and no code of theirs runs."""

import os
import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from bench.core.content import known_file
from methods._arrays import read
from methods.from_file import NoiseFile


class Evil:
    def __reduce__(self) -> tuple[Any, ...]:
        return (exec, ("raise SystemExit('it ran')",))


class Forged:
    """Calls what a pickle of arrays only names: with a type of objects, numpy would follow an address of the file."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (np.ndarray, ((1,), np.dtype("f4"), b"A" * 8))


class Objects:
    def __reduce__(self) -> tuple[Any, ...]:
        return (np.dtype, ("O", False, True))


UNREADABLE: dict[str, tuple[str, Callable[[Path], object], str]] = {
    "code": ("a.pkl", lambda file: file.write_bytes(pickle.dumps(Evil())), "it names builtins.exec, which is no arr"),
    "a forged array": ("a.pkl", lambda file: file.write_bytes(pickle.dumps(Forged())), "not readable"),
    "a type of objects": ("a.pkl", lambda file: file.write_bytes(pickle.dumps(Objects())), "which are no numbers"),
    "an array of objects": ("a.pkl", lambda file: file.write_bytes(pickle.dumps(np.array([{}] * 7))), "are no numbers"),
    "a pipe": ("a.npy", os.mkfifo, "it is no file"),
    "code of torch": ("a.pt", lambda file: torch.save(Evil(), file), "it holds more than tensors; save the tensor"),
    "objects": ("a.npy", lambda file: np.save(file, np.array([{}] * 7)), "not readable"),
    "cut": ("a.npy", lambda file: file.write_bytes(b"\x93NUMPY"), "not readable"),
    "text": ("a.txt", lambda file: file.write_text("1"), "ends in .txt; known are .npy, .npz, .pt"),
    "two arrays": (
        "a.npz",
        lambda file: np.savez(file, a=np.zeros((7, 3, 8, 8)), b=np.zeros((7, 3, 8, 8))),
        "holds several arrays of images; write which: array: NAME, of a, b",
    ),
    "no array": ("a.pt", lambda file: torch.save({"epoch": 3}, file), "holds no array of images"),
    "a folder": ("a.npy", lambda file: file.mkdir(), "it is no file"),
    "nothing": ("a.npy", lambda file: np.save(file, np.zeros((0, 3, 8, 8))), "holds no array of images"),
    "too precise": ("a.npy", lambda file: np.save(file, np.zeros((7, 3, 8, 8), np.longdouble)), "not readable"),
    "missing": ("a.npy", lambda file: file.parent, "cannot be read"),
}


@pytest.mark.parametrize("case", UNREADABLE)
def test_a_file_that_cannot_be_used_is_one_line_before_anything_runs(case: str, tmp_path: Path) -> None:
    name, write, told = UNREADABLE[case]
    write(tmp_path / name)
    with pytest.raises(ValidationError) as caught:
        NoiseFile(file=str(tmp_path / name))
    said = str(caught.value.errors()[0]["ctx"]["error"])
    assert said.startswith(f"{tmp_path / name}: ")
    assert re.search(told, said)
    assert "\n" not in said


def test_one_of_several_arrays_is_named(tmp_path: Path) -> None:
    array = np.arange(7 * 192).reshape(7, 3, 8, 8)
    np.savez(tmp_path / "a.npz", x_train=array, x_test=array[:2], y_train=np.arange(7))
    values, labels = read(known_file(str(tmp_path / "a.npz")), "x_train")
    assert torch.equal(values, torch.from_numpy(array))
    assert labels is not None
    assert labels.tolist() == list(range(7))
    for name, told in (
        ("", "holds several arrays of images; write which: array: NAME, of x_train, x_test"),
        ("x_trian", "has no array of images called 'x_trian'; did you mean 'x_train'"),
    ):
        with pytest.raises(ValueError, match=told):
            read(known_file(str(tmp_path / "a.npz")), name)
