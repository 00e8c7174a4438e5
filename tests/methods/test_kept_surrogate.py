"""The file of a clean surrogate: whole or not there, and what it says."""

import json
from pathlib import Path

import pytest
from safetensors import safe_open

from bench.core.train import DivergedError
from bench.store import Store
from tests.conftest import MadeUp
from tests.methods.test_surrogate import LABELS, Learner, equal, learnt, names

pytestmark = pytest.mark.usefixtures("two_layers")


def test_a_training_that_diverges_is_an_error_and_leaves_no_file(made_up: MadeUp, tmp_path: Path) -> None:
    with pytest.raises(DivergedError, match="weights that are not finite; lower lr"):
        learnt(Learner(lr=1e38, epochs=6), made_up(LABELS), Store(tmp_path))
    assert not (tmp_path / "models").exists()


def test_a_write_that_fails_leaves_no_network(made_up: MadeUp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(descriptor: int) -> None:
        raise OSError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", fails)
        with pytest.raises(OSError, match="disk full"):
            learnt(Learner(), made_up(LABELS), Store(tmp_path))
    data = made_up(LABELS)
    assert equal(learnt(Learner(), data, Store(tmp_path)), learnt(Learner(), data))


def test_a_damaged_network_is_named_and_trained_again(
    made_up: MadeUp, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    first = learnt(Learner(), made_up(LABELS), Store(tmp_path))
    [name] = names(tmp_path)
    file = tmp_path / "models" / name
    content = file.read_bytes()
    file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    assert equal(learnt(Learner(), made_up(LABELS), Store(tmp_path)), first)
    assert file.read_bytes() == content
    assert caplog.messages == [
        f"{file}: its bytes are not those that were written; "
        f"set aside as {tmp_path / 'broken' / 'models' / name}; it is trained again"
    ]


def test_the_file_says_what_the_network_was_made_of(made_up: MadeUp, tmp_path: Path) -> None:
    learnt(Learner(), made_up(LABELS), Store(tmp_path))
    [name] = names(tmp_path)
    with safe_open(tmp_path / "models" / name, "pt") as content:
        about = json.loads(content.metadata()["about"])
    assert about["network"] == "two_layers"
    assert about["training"]["epochs"] == 2
    assert about["augmentation"] == ["flip_crop", 1]
    assert about["gradient_images"] == 16
