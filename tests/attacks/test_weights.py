"""Pretrained weights: known by content, and a message for all that cannot be had or does not fit."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import timm
import torch
from torch import Tensor, nn

import attacks._weights
from attacks.pretrained import Finetune, Frozen
from bench.core.errors import UserError
from bench.core.models import Classifier
from bench.core.session import Session
from bench.run.experiment import run_cell
from bench.run.workplace import Workplace
from bench.store import Store
from tests.attacks.pretraining import CPU, INSTEAD, TIMM, cell, error, finetune, saved, started, state
from tests.conftest import Network


def test_a_state_dict_that_torch_saved_does_as_well(
    weights_file: Path, network: Network, two_layers: str, tmp_path: Path
) -> None:
    torch.save(network().body.state_dict(), tmp_path / "some.pth")
    one, other = (started(finetune(path), two_layers) for path in (weights_file, tmp_path / "some.pth"))
    assert all(torch.equal(value, state(one)[name]) for name, value in state(other).items())


# What identifies the weights.


def test_content_and_not_place_decides_the_key(
    weights_file: Path, network: Network, two_layers: str, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere").mkdir()
    same = weights_file.rename(tmp_path / "elsewhere" / "other name.safetensors")
    first = cell(finetune(same), two_layers)
    assert first.canonical()["attacks"][0]["weights"].startswith("sha256:")
    same.rename(weights_file)
    second = cell(finetune(weights_file), two_layers)
    saved(network(seed=2), weights_file)
    third = cell(finetune(weights_file), two_layers)
    assert first.key == second.key != third.key
    assert finetune(weights_file) != second.attacks[0].settings == first.attacks[0].settings


def test_a_file_that_changes_after_the_grid_was_read_is_refused(
    weights_file: Path, network: Network, two_layers: str
) -> None:
    attack = finetune(weights_file)
    saved(network(seed=2), weights_file)
    assert error(attack, two_layers) == f"{weights_file}: changed since the grid was read; run again"
    weights_file.unlink()
    assert error(attack, two_layers) == f"{weights_file}: cannot be read any more (No such file or directory)"


def test_the_key_of_the_hub_s_weights_has_their_name_and_tag() -> None:
    attacks = cell(Finetune(), TIMM).canonical()["attacks"]
    assert attacks[0]["weights"] == "hub"
    assert attacks[0]["hub"] == "timm/resnet10t.c3_in1k"
    assert "hub" not in cell(finetune(Path("attacks/_weights.py")), TIMM).canonical()["attacks"][0]


def test_settings_read_from_a_record_know_the_content_but_have_no_file(weights_file: Path, two_layers: str) -> None:
    known = Finetune.model_validate(json.loads(finetune(weights_file).model_dump_json()))
    assert known == finetune(weights_file)
    expected = f"{known.weights.content}: only the hash of a file is known; name the file"
    assert error(known, two_layers) == expected


def test_editors_see_weights_as_text() -> None:
    shown = Finetune.model_json_schema()["properties"]["weights"]
    assert (shown["type"], shown["default"]) == ("string", "hub")


# What is refused.


def changed(file: Path, change: Callable[[dict[str, Tensor]], object]) -> Finetune:
    tensors = safetensors.torch.load_file(file)
    change(tensors)
    safetensors.torch.save_file(tensors, file)
    return finetune(file)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda state: state.pop("body.0.weight"), "tensor 0.weight (8x3x3x3) of the victim is missing"),
        (lambda state: state.update({"body.7.bias": torch.zeros(4)}), "tensor 7.bias (4) is not in the victim"),
        (lambda state: state.update({"centre": torch.zeros(())}), "tensor centre (a number) is not in the victim"),
        (
            lambda state: state.update({"body.0.weight": torch.zeros(8, 1, 3, 3)}),
            "tensor 0.weight is 8x1x3x3, in the victim 8x3x3x3",
        ),
    ],
)
def test_every_tensor_that_does_not_fit_is_told_by_file_name_and_shape(
    change: Callable[[dict[str, Tensor]], object], expected: str, weights_file: Path, two_layers: str
) -> None:
    assert error(changed(weights_file, change), two_layers) == f"{weights_file}: {expected}"


def test_a_classifier_for_other_classes_cannot_be_kept(weights_file: Path, two_layers: str) -> None:
    found = error(finetune(weights_file, classifier="pretrained"), two_layers, classes=4)
    assert found == f"{weights_file}: tensor 3.2.weight is 10x32, in the victim 4x32"


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("half.safetensors", b"half a file", "not a file of weights (SafetensorError: "),
        ("half.pth", b"", "not a file of weights (EOFError: "),
    ],
)
def test_a_file_that_cannot_be_read_is_told(
    name: str, content: bytes, expected: str, two_layers: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(content)
    found = error(finetune(tmp_path / name), two_layers)
    assert found.startswith(f"{tmp_path / name}: {expected}")
    assert "\n" not in found


class Dangerous:
    """Creates a file when it is unpickled."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.file,)


def test_no_code_of_a_file_runs(two_layers: str, tmp_path: Path) -> None:
    torch.save({"0.weight": Dangerous(tmp_path / "ran")}, tmp_path / "bad.pth")
    assert "not a file of weights (UnpicklingError: " in error(finetune(tmp_path / "bad.pth"), two_layers)
    assert not (tmp_path / "ran").exists()
    torch.save({"epoch": 3}, tmp_path / "other.pth")
    expected = f"{tmp_path / 'other.pth'}: holds no tensors by name; save the state_dict of a network"
    assert error(finetune(tmp_path / "other.pth"), two_layers) == expected


def test_weights_that_do_not_fit_fail_the_cell_and_nothing_trains(
    weights_file: Path, two_layers: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bench.run.experiment.train", lambda *_, **__: pytest.fail("trained"))
    attack = changed(weights_file, lambda state: state.pop("body.0.weight"))
    record = run_cell(cell(attack, two_layers), Workplace(Store(tmp_path), tmp_path), CPU, asked={})
    assert record["status"] == "failed"
    assert record["error"] == f"WeightsError: {weights_file}: tensor 0.weight (8x3x3x3) of the victim is missing"


def test_weights_that_are_gone_are_no_failure_of_the_cell(weights_file: Path, two_layers: str, tmp_path: Path) -> None:
    here = cell(finetune(weights_file), two_layers)
    weights_file.unlink()
    with pytest.raises(UserError, match="cannot be read any more"):
        run_cell(here, Workplace(Store(tmp_path), tmp_path), CPU, asked={})
    assert not Store(tmp_path).find(here.key)


# The hub, and what networks of timm expect.


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> dict[str, Tensor]:
    """Weights that the hub seems to have for every network of timm asked for: those of resnet10t, random."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        weights: dict[str, Tensor] = timm.create_model("resnet10t").state_dict()
    monkeypatch.setattr(attacks._weights, "_cached", lambda place: True)
    monkeypatch.setattr("timm.models._builder.load_state_dict_from_hf", lambda *_, **__: dict(weights))
    return weights


def test_the_hub_s_weights_are_loaded_noted_and_normalised_inside(hub: dict[str, Tensor]) -> None:
    session = Session(0, CPU)
    torch_state = torch.get_rng_state()
    model = Finetune().start(session.build(TIMM, num_classes=10, channels=3), session)
    assert torch.equal(torch.get_rng_state(), torch_state)
    assert all(torch.equal(value, hub[name]) for name, value in state(model).items() if not name.startswith("fc."))
    assert session.notes["weights"] == "timm/resnet10t.c3_in1k"
    assert session.notes["digest"].startswith("sha256:")

    told = timm.get_pretrained_cfg("resnet10t")
    images = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    mean, std = (torch.tensor(values).view(3, 1, 1) for values in (told.mean, told.std))
    model.eval()
    assert torch.allclose(model(images), model.body((images - mean) / std), atol=1e-5)


def test_other_weights_of_the_hub_are_noted_as_others(hub: dict[str, Tensor]) -> None:
    notes = []
    for _ in range(2):
        session = Session(0, CPU)
        Finetune().start(session.build(TIMM, num_classes=10, channels=3), session)
        notes.append(session.notes["digest"])
        hub["conv1.0.weight"] += 1
    assert notes[0] != notes[1]


def test_the_hub_s_weights_for_colour_refuse_grey_images(hub: dict[str, Tensor]) -> None:
    expected = "timm/resnet10t.c3_in1k: tensor conv1.0.weight is 24x3x3x3, in the victim 24x1x3x3"
    assert error(Frozen(), TIMM, channels=1) == expected


def test_without_a_network_the_hub_fails_at_once_with_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    class NoNetwork:
        def head(self, *_: Any, **__: Any) -> None:
            raise ConnectionError("no route\nto the hub")

    monkeypatch.setattr(attacks._weights, "_cached", lambda place: False)
    monkeypatch.setattr("huggingface_hub.get_session", NoNetwork)
    monkeypatch.setattr("timm.create_model", lambda *_, **__: pytest.fail("asked again"))
    with pytest.raises(ConnectionError) as caught:
        Finetune().start(Classifier(Told()), Session(0, CPU))
    assert str(caught.value) == (
        "timm/resnet10t.c3_in1k: cannot be had from the hub now (ConnectionError: no route); " + INSTEAD
    )


class Told(nn.Module):
    """What the loader asks of a network of timm."""

    pretrained_cfg = timm.get_pretrained_cfg("resnet10t").to_dict()


def test_a_file_for_a_network_of_timm_has_timm_s_normalisation_unless_the_suite_trained_it(
    network: Network, tmp_path: Path
) -> None:
    ours = network(TIMM)
    theirs = saved(ours.body, tmp_path / "theirs.safetensors")
    first = started(finetune(theirs), TIMM)
    assert first.mean is not None
    assert first.mean.flatten().tolist() == pytest.approx([0.485, 0.456, 0.406])
    assert started(finetune(saved(ours, tmp_path / "ours.safetensors", "weights/")), TIMM).mean is None
    again = started(finetune(saved(first, tmp_path / "again.safetensors", "weights/")), TIMM)
    assert again.mean is not None
    assert torch.equal(again.mean, first.mean)


def test_a_normalisation_for_colour_refuses_grey_images(network: Network, tmp_path: Path) -> None:
    file = saved(network(TIMM, channels=1).body, tmp_path / "grey.safetensors")
    with pytest.raises(ValueError, match="weights for images of 3 channels cannot see those of 1"):
        started(finetune(file), TIMM, channels=1)(torch.rand(2, 1, 32, 32))
