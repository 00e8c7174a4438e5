"""A pretrained start: exactly the weights that were named, known by content, and a message for all that does not fit."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import timm
import torch
from torch import Tensor, nn

import bench.weights
from attacks.gradient import Pgd
from attacks.pretrained import Finetune, Frozen
from attacks.trades import Trades
from bench.cell import Cell, Choice
from bench.data import DatasetSettings, ImageDataset, Synthetic
from bench.engine import Session
from bench.experiment import run_cell
from bench.grid import read_grid
from bench.models import MODELS, Classifier, build, classifier_layers, enlarged
from bench.perturb import frozen, loss_gradient
from bench.protocols import Attack
from bench.scale import Scale, read_assignments
from bench.store import Store
from bench.train import Recipe, evaluate, train
from bench.weights import WeightsError
from bench.yaml_file import GridError
from methods.clean import Clean

CPU = torch.device("cpu")
TIMM = "timm/resnet10t"
DATA = Synthetic(size=8, train_images=200, test_images=100)
HEAD = ("3.2.weight", "3.2.bias")
"""The classifier of the network of two layers."""


@pytest.fixture
def network(two_layers: str) -> Callable[..., Classifier]:
    """A function that builds the network of two layers, or another."""

    def make(name: str = two_layers, *, classes: int = 10, channels: int = 3, seed: int = 1) -> Classifier:
        return build(name, num_classes=classes, channels=channels, source=torch.Generator().manual_seed(seed))

    return make


@pytest.fixture
def file(network: Callable[..., Classifier], tmp_path: Path) -> Path:
    """Weights of a network of two layers for ten classes."""
    return saved(network(), tmp_path / "some.safetensors")


def saved(model: nn.Module, file: Path, prefix: str = "") -> Path:
    state = {prefix + name: tensor.contiguous() for name, tensor in model.state_dict().items()}
    safetensors.torch.save_file(state, file)
    return file


def started(attack: Attack, name: str, *, classes: int = 10, channels: int = 3) -> Classifier:
    session = Session(0, CPU)
    return attack.start(session.build(name, num_classes=classes, channels=channels), session)


def state(model: Classifier) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in model.body.state_dict().items()}


def trained(model: Classifier, attacks: list[Attack], data: ImageDataset, recipe: Recipe) -> Classifier:
    train(model, data, test=data, attacks=attacks, recipe=recipe, session=Session(0, CPU))
    return model


def cell(attack: Attack, model: str) -> Cell:
    data = Choice[DatasetSettings]("synthetic", DATA)
    recipe = Recipe(steps=4, batch_size=10)
    return Cell(data, "", model, Choice("clean", Clean()), (Choice("finetune", attack),), recipe, 0, 0)


def finetune(file: Path, **others: Any) -> Finetune:
    return Finetune.model_validate({"weights": str(file), **others})


def error(attack: Attack, name: str, **others: int) -> str:
    with pytest.raises(WeightsError) as caught:
        started(attack, name, **others)
    return str(caught.value)


# What the network starts with.


def test_fine_tuning_starts_with_the_weights_of_the_file_and_a_new_classifier(
    file: Path, network: Callable[..., Classifier], two_layers: str
) -> None:
    there, fresh = state(network()), state(Session(0, CPU).build(two_layers, num_classes=10, channels=3))
    model = started(finetune(file), two_layers)
    for name, value in state(model).items():
        assert torch.equal(value, fresh[name] if name in HEAD else there[name]), name
    assert all(parameter.requires_grad for parameter in model.parameters())
    kept = started(finetune(file, classifier="pretrained"), two_layers)
    assert all(torch.equal(value, there[name]) for name, value in state(kept).items())


@pytest.mark.parametrize("classes", [2, 10, 100])
def test_the_new_classifier_has_the_classes_of_the_data(file: Path, two_layers: str, classes: int) -> None:
    for attack in (finetune(file), Frozen(weights=finetune(file).weights)):
        model = started(attack, two_layers, classes=classes)
        assert model(torch.rand(3, 3, 8, 8)).shape == (3, classes)


@pytest.mark.parametrize("prefix", ["weights/", ""])
def test_what_the_suite_keeps_of_a_victim_can_be_started_from(
    prefix: str, network: Callable[..., Classifier], two_layers: str, tmp_path: Path
) -> None:
    file = saved(network(), tmp_path / "kept.safetensors", prefix)
    tensors = safetensors.torch.load_file(file) | ({"victim/4/perturbations": torch.zeros(1)} if prefix else {})
    safetensors.torch.save_file(tensors, file)
    model = started(finetune(file, classifier="pretrained"), two_layers)
    assert all(torch.equal(value, state(network())[name]) for name, value in state(model).items())
    assert model.mean is None


def test_a_run_makes_the_file_that_another_starts_from(two_layers: str, tmp_path: Path) -> None:
    first = cell(Pgd(steps=1), two_layers)
    run_cell(first, Store(tmp_path, frozenset({"surrogates"})), tmp_path, CPU, asked={})
    file = tmp_path / "kept" / f"{first.key}.safetensors"
    record = run_cell(cell(finetune(file), two_layers), Store(tmp_path), tmp_path, CPU, asked={})
    assert record["status"] == "finished", record["trace"]
    assert record["notes"] == {"weights": file.name, "digest": record["cell"]["attacks"][0]["weights"]}


def test_a_state_dict_that_torch_saved_does_as_well(
    file: Path, network: Callable[..., Classifier], two_layers: str, tmp_path: Path
) -> None:
    torch.save(network().body.state_dict(), tmp_path / "some.pth")
    one, other = (started(finetune(path), two_layers) for path in (file, tmp_path / "some.pth"))
    assert all(torch.equal(value, state(one)[name]) for name, value in state(other).items())


# What trains.


@pytest.mark.parametrize("attacks", [[], [Pgd(steps=2)], [Trades(steps=2)]], ids=["plain", "pgd", "trades"])
def test_on_frozen_features_only_the_classifier_moves(attacks: list[Attack], file: Path, two_layers: str) -> None:
    model = started(Frozen(weights=finetune(file).weights), two_layers)
    before = state(model)
    trained(model, attacks, DATA.load(Path()).train, Recipe(steps=5, batch_size=20))
    assert {name for name, value in state(model).items() if not torch.equal(value, before[name])} == set(HEAD)
    model.train()
    assert [name for name, layer in model.body.named_modules() if layer.training] == ["3.2"]


def test_fine_tuning_moves_every_weight_and_the_statistics(file: Path, two_layers: str) -> None:
    model = started(finetune(file), two_layers)
    before = state(model)
    trained(model, [], DATA.load(Path()).train, Recipe(steps=5, batch_size=20))
    assert not [name for name, value in state(model).items() if torch.equal(value, before[name])]


def test_adversaries_work_through_frozen_features_and_leave_them_frozen(file: Path, two_layers: str) -> None:
    model, data = started(Frozen(weights=finetune(file).weights), two_layers), DATA.load(Path()).train
    images, labels = data.floats(slice(20)), data.labels[:20]
    flags = {name: parameter.requires_grad for name, parameter in model.named_parameters()}
    assert {name for name, flag in flags.items() if flag} == {f"body.{name}" for name in HEAD}
    with frozen(model):
        assert loss_gradient(model, images, labels).abs().amax((1, 2, 3)).min() > 0
    assert {name: parameter.requires_grad for name, parameter in model.named_parameters()} == flags


def test_a_start_from_a_network_trained_on_the_same_task_is_ahead_after_few_steps(tmp_path: Path) -> None:
    data = DATA.load(Path()).train
    fresh, other = (Session(seed, CPU).build("cnn", num_classes=10, channels=3) for seed in range(2))
    recipe = Recipe(steps=60, batch_size=50, schedule="one_cycle")
    file = saved(trained(other, [], data, recipe), tmp_path / "other.safetensors")
    starts = [fresh, started(finetune(file), "cnn"), started(Frozen(weights=finetune(file).weights), "cnn")]
    few = Recipe(steps=10, batch_size=50)
    scratch, *pretrained = (evaluate(trained(model, [], data, few), data)[1] for model in starts)
    assert min(pretrained) > scratch + 0.2


# What identifies the weights.


def test_content_and_not_place_decides_the_key(
    file: Path, network: Callable[..., Classifier], two_layers: str, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere").mkdir()
    same = file.rename(tmp_path / "elsewhere" / "other name.safetensors")
    first = cell(finetune(same), two_layers)
    assert first.canonical()["attacks"][0]["weights"].startswith("sha256:")
    same.rename(file)
    second = cell(finetune(file), two_layers)
    saved(network(seed=2), file)
    third = cell(finetune(file), two_layers)
    assert first.key == second.key != third.key
    assert finetune(file) != second.attacks[0].settings == first.attacks[0].settings
    assert replace(first, attacks=(Choice("finetune", finetune(file, classifier="pretrained")),)).key != third.key


def test_a_file_that_changes_after_the_grid_was_read_is_refused(
    file: Path, network: Callable[..., Classifier], two_layers: str
) -> None:
    attack = finetune(file)
    saved(network(seed=2), file)
    assert error(attack, two_layers) == f"{file}: changed since the grid was read; run again"
    file.unlink()
    assert error(attack, two_layers) == f"{file}: cannot be read (No such file or directory)"


def test_the_key_of_the_hub_s_weights_has_their_name_and_tag() -> None:
    attacks = cell(Finetune(), TIMM).canonical()["attacks"]
    assert attacks[0]["weights"] == "hub"
    assert attacks[0]["hub"] == "timm/resnet10t.c3_in1k"
    assert "hub" not in cell(finetune(Path("bench/weights.py")), TIMM).canonical()["attacks"][0]


def test_settings_read_from_a_record_know_the_content_but_have_no_file(file: Path, two_layers: str) -> None:
    known = Finetune.model_validate(json.loads(finetune(file).model_dump_json()))
    assert known == finetune(file)
    expected = f"{known.weights.content}: only the hash of a file is known; write weights: FILE"
    assert error(known, two_layers) == expected


# What is refused.


def message(folder: Path, attacks: str, models: str = "[cnn]", user: Scale | None = None) -> str:
    grid = folder / "grid.yaml"
    grid.write_text(f"title: t\ndatasets: [synthetic]\nmodels: {models}\nmethods: [clean]\nattacks: {attacks}\n")
    with pytest.raises(GridError) as caught:
        read_grid(grid, {"paper": Scale()}, "paper", user or Scale(), folder)
    return str(caught.value).removeprefix(f"{folder}/")


@pytest.mark.parametrize(
    ("attacks", "expected"),
    [
        (
            "[{name: finetune, weights: nowhere.pth}]",
            "attacks[0].weights: nowhere.pth: cannot be read (No such file or directory); write hub or a file of weights",
        ),
        ("[{name: frozen, weights: 3}]", "attacks[0].weights: must be hub or a file of weights, got 3"),
        ("[{name: frozen, weights: ''}]", "attacks[0].weights: must be hub or a file of weights, got ''"),
        (
            "[none, [mean, frozen]]",
            "attacks: frozen with victim cnn: the hub has weights for victims called timm/NAME only; write weights: FILE",
        ),
        (
            "[[finetune, frozen]]",
            "attacks[0][1]: frozen and finetune each bring the weights that training starts from; a stack holds one",
        ),
        (
            "[[cutout, finetune]]",
            "attacks[0][1]: finetune acts before cutout (start comes before augment); list it first",
        ),
    ],
)
def test_what_cannot_be_is_refused_when_the_grid_is_read(attacks: str, expected: str, tmp_path: Path) -> None:
    assert message(tmp_path, attacks) == f"grid.yaml: {expected}"


def test_a_network_that_timm_never_trained_is_refused_when_the_grid_is_read(tmp_path: Path) -> None:
    expected = "attacks: finetune with victim timm/botnet50ts_256: timm has no weights for it; write weights: FILE"
    assert message(tmp_path, "[finetune]", "[timm/botnet50ts_256]") == f"grid.yaml: {expected}"


def test_one_assignment_names_the_file_for_both(tmp_path: Path) -> None:
    user = read_assignments(["attacks.*.weights=nowhere.pth"])
    found = message(tmp_path, "[finetune, frozen]", user=user)
    assert found.startswith("--set attacks.finetune.weights: nowhere.pth: cannot be read")


def test_a_start_stacks_with_what_acts_before_and_after(file: Path, tmp_path: Path) -> None:
    grid = tmp_path / "grid.yaml"
    start = f"{{name: frozen, weights: {file}}}"
    stacks = f"[[early_stopping, mean, {start}, cutout, mixup, pgd], [orthogonal_projection, {start}, mixup]]"
    grid.write_text(f"title: t\ndatasets: [synthetic]\nmodels: [cnn]\nmethods: [clean]\nattacks: {stacks}\n")
    assert len(read_grid(grid, {"paper": Scale()}, "paper", Scale(), tmp_path).conditions) == 2


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
    change: Callable[[dict[str, Tensor]], object], expected: str, file: Path, two_layers: str
) -> None:
    assert error(changed(file, change), two_layers) == f"{file}: {expected}"


def test_a_classifier_for_other_classes_cannot_be_kept(file: Path, two_layers: str) -> None:
    found = error(finetune(file, classifier="pretrained"), two_layers, classes=4)
    assert found == f"{file}: tensor 3.2.weight is 10x32, in the victim 4x32"


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
    file: Path, two_layers: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bench.experiment.train", lambda *_, **__: pytest.fail("trained"))
    attack = changed(file, lambda state: state.pop("body.0.weight"))
    record = run_cell(cell(attack, two_layers), Store(tmp_path), tmp_path, CPU, asked={})
    assert record["status"] == "failed"
    assert record["error"] == f"WeightsError: {file}: tensor 0.weight (8x3x3x3) of the victim is missing"


# The hub, and what networks of timm expect.


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> dict[str, Tensor]:
    """Weights that the hub seems to have for every network of timm asked for: those of resnet10t, random."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        weights: dict[str, Tensor] = timm.create_model("resnet10t").state_dict()
    monkeypatch.setattr(bench.weights, "_cached", lambda place: True)
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


def test_the_hub_s_weights_for_colour_refuse_grey_pictures(hub: dict[str, Tensor]) -> None:
    expected = "timm/resnet10t.c3_in1k: tensor conv1.0.weight is 24x3x3x3, in the victim 24x1x3x3"
    assert error(Frozen(), TIMM, channels=1) == expected


def test_without_a_network_the_hub_fails_at_once_with_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    class NoNetwork:
        def head(self, *_: Any, **__: Any) -> None:
            raise ConnectionError("no route\nto the hub")

    monkeypatch.setattr(bench.weights, "_cached", lambda place: False)
    monkeypatch.setattr("huggingface_hub.get_session", NoNetwork)
    monkeypatch.setattr("timm.create_model", lambda *_, **__: pytest.fail("asked again"))
    with pytest.raises(WeightsError) as caught:
        Finetune().start(Classifier(Told()), Session(0, CPU))
    assert str(caught.value) == (
        "timm/resnet10t.c3_in1k: cannot be had from the hub now (ConnectionError: no route); "
        "get a network, or write weights: FILE"
    )


class Told(nn.Module):
    """What the loader asks of a network of timm."""

    pretrained_cfg = timm.get_pretrained_cfg("resnet10t").to_dict()


def test_a_file_for_a_network_of_timm_has_timm_s_normalisation_unless_the_suite_trained_it(
    network: Callable[..., Classifier], tmp_path: Path
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


def test_a_normalisation_for_colour_refuses_grey_pictures(network: Callable[..., Classifier], tmp_path: Path) -> None:
    file = saved(network(TIMM, channels=1).body, tmp_path / "grey.safetensors")
    with pytest.raises(ValueError, match="weights for images of 3 channels cannot see those of 1"):
        started(finetune(file), TIMM, channels=1)(torch.rand(2, 1, 32, 32))


# Enlargement.


@pytest.mark.parametrize(("shape", "height"), [((8, 8), 20), ((8, 12), 17), ((8, 8), 8), ((5, 7), 224)])
def test_pictures_are_enlarged_as_torch_does_it(shape: tuple[int, int], height: int) -> None:
    images = torch.rand(2, 3, *shape, generator=torch.Generator().manual_seed(0))
    size = (height, height * shape[1] // shape[0])
    expected = nn.functional.interpolate(images, size, mode="bilinear", align_corners=False)
    assert torch.allclose(enlarged(images, height), expected, atol=1e-5)


def test_enlargement_happens_inside_the_network_and_never_makes_smaller(
    file: Path, network: Callable[..., Classifier], two_layers: str
) -> None:
    images = torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    model, plain = (started(finetune(file, size=size), two_layers).eval() for size in (24, None))
    assert torch.allclose(model(images), plain(enlarged(images, 24)), atol=1e-6)
    assert not torch.allclose(model(images), plain(images), atol=1e-3)
    with pytest.raises(ValueError, match="images of 32 pixels are higher than the 24 that they are to be enlarged to"):
        model(torch.rand(2, 3, 32, 32))


@pytest.mark.parametrize(
    ("name", "expected"),
    [("cnn", ["14"]), ("resnet18", ["fc"]), ("vgg16", ["52"]), ("two_linear", ["2"]), (TIMM, ["fc"])],
)
def test_the_classifier_of_every_network_is_known(name: str, expected: list[str]) -> None:
    model = build(name, num_classes=7, channels=3, source=torch.Generator(), size=(8, 8))
    assert classifier_layers(model.body) == expected
    [layer] = expected
    found = model.body.get_submodule(layer)
    assert isinstance(found, nn.Linear)
    assert found.out_features == 7


def test_the_networks_of_which_the_classifier_is_known_are_all() -> None:
    assert set(MODELS) == {"cnn", "resnet18", "vgg16", "two_linear"}
