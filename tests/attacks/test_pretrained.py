"""A pretrained start: what the network begins with, what of it trains, and where it may stand in a grid."""

from pathlib import Path

import pytest
import safetensors.torch
import torch

from attacks.gradient import Pgd
from attacks.pretrained import Finetune, Frozen
from attacks.trades import Trades
from bench.core import memory
from bench.core.data import ImageDataset, Outline
from bench.core.errors import UserError
from bench.core.models import Classifier, enlarged
from bench.core.perturb import frozen, loss_gradient
from bench.core.protocols import Attack
from bench.core.session import Session
from bench.core.train import Recipe, evaluate, train
from bench.grid.expand import read_grid
from bench.grid.scale import Scale, read_assignments
from bench.run.workplace import Workplace
from bench.store import Store
from tests.attacks.pretraining import CPU, DATA, cell, finetune, saved, started, state
from tests.builders import finished
from tests.conftest import Network

HEAD = ("3.2.weight", "3.2.bias")
"""The classifier of the network of two layers."""


def test_fine_tuning_starts_with_the_weights_of_the_file_and_a_new_classifier(
    weights_file: Path, network: Network, two_layers: str
) -> None:
    there, fresh = state(network()), state(Session(0, CPU).build(two_layers, num_classes=10, channels=3))
    model = started(finetune(weights_file), two_layers)
    for name, value in state(model).items():
        assert torch.equal(value, fresh[name] if name in HEAD else there[name]), name
    assert all(parameter.requires_grad for parameter in model.parameters())
    kept = started(finetune(weights_file, classifier="pretrained"), two_layers)
    assert all(torch.equal(value, there[name]) for name, value in state(kept).items())


@pytest.mark.parametrize("classes", [2, 10, 100])
def test_the_new_classifier_has_the_classes_of_the_data(weights_file: Path, two_layers: str, classes: int) -> None:
    for attack in (finetune(weights_file), Frozen(weights=finetune(weights_file).weights)):
        model = started(attack, two_layers, classes=classes)
        assert model(torch.rand(3, 3, 8, 8)).shape == (3, classes)


@pytest.mark.parametrize("prefix", ["weights/", ""])
def test_what_the_suite_keeps_of_a_victim_can_be_started_from(
    prefix: str, network: Network, two_layers: str, tmp_path: Path
) -> None:
    file = saved(network(), tmp_path / "kept.safetensors", prefix)
    tensors = safetensors.torch.load_file(file) | ({"victim/4/perturbations": torch.zeros(1)} if prefix else {})
    safetensors.torch.save_file(tensors, file)
    model = started(finetune(file, classifier="pretrained"), two_layers)
    assert all(torch.equal(value, state(network())[name]) for name, value in state(model).items())
    assert model.mean is None


def test_a_run_makes_the_file_that_another_starts_from(two_layers: str, tmp_path: Path) -> None:
    first = cell(Pgd(steps=1), two_layers)
    finished(first, Workplace(Store(tmp_path, frozenset({"surrogates"})), tmp_path))
    file = tmp_path / "kept" / f"{first.key}.safetensors"
    record = finished(cell(finetune(file), two_layers), tmp_path)
    assert record["notes"] == {"weights": file.name, "digest": record["cell"]["attacks"][0]["weights"]}


def trained(model: Classifier, attacks: list[Attack], data: ImageDataset, recipe: Recipe) -> Classifier:
    train(model, data, test=data, attacks=attacks, recipe=recipe, session=Session(0, CPU))
    return model


@pytest.mark.parametrize("attacks", [[], [Pgd(steps=2)], [Trades(steps=2)]], ids=["plain", "pgd", "trades"])
def test_on_frozen_features_only_the_classifier_moves(
    attacks: list[Attack], weights_file: Path, two_layers: str
) -> None:
    model = started(Frozen(weights=finetune(weights_file).weights), two_layers)
    before = state(model)
    trained(model, attacks, DATA.load(Path()).train, Recipe(steps=5, batch_size=20))
    assert {name for name, value in state(model).items() if not torch.equal(value, before[name])} == set(HEAD)
    model.train()
    assert [name for name, layer in model.body.named_modules() if layer.training] == ["3.2"]


def test_fine_tuning_moves_every_weight_and_the_statistics(weights_file: Path, two_layers: str) -> None:
    model = started(finetune(weights_file), two_layers)
    before = state(model)
    trained(model, [], DATA.load(Path()).train, Recipe(steps=5, batch_size=20))
    assert not [name for name, value in state(model).items() if torch.equal(value, before[name])]


def test_adversaries_work_through_frozen_features_and_leave_them_frozen(weights_file: Path, two_layers: str) -> None:
    model, data = started(Frozen(weights=finetune(weights_file).weights), two_layers), DATA.load(Path()).train
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


def message(folder: Path, attacks: str, user: Scale | None = None) -> str:
    grid = folder / "grid.yaml"
    grid.write_text(f"title: t\ndatasets: [synthetic]\nmodels: [cnn]\nmethods: [clean]\nattacks: {attacks}\n")
    with pytest.raises(UserError) as caught:
        read_grid(grid, {"paper": Scale()}, "paper", user or Scale(), folder)
    return str(caught.value).removeprefix(f"{folder}/")


@pytest.mark.parametrize(
    ("attacks", "expected"),
    [
        (
            "[{name: finetune, weights: nowhere.pth}]",
            "attacks[0].weights: nowhere.pth: cannot be read (No such file or directory); write hub or a file",
        ),
        ("[{name: frozen, weights: 3}]", "attacks[0].weights: must be hub or a file of weights, got 3"),
        ("[{name: frozen, weights: ''}]", "attacks[0].weights: must be hub or a file of weights, got ''"),
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


def test_an_image_that_would_shrink_is_declined_and_a_network_without_weights_asks_for_a_file(
    weights_file: Path,
) -> None:
    data = Outline(9, (3, 32, 32), 10)
    for victim in ("cnn", "timm/botnet50ts_256"):
        assert f"the hub has no weights for {victim}" in Frozen().declines(data, victim)
        assert "name a file: weights: FILE" in Frozen().declines(data, victim)
        assert not finetune(weights_file).declines(data, victim)
    shrinking = "images of 32 pixels are higher than the 24 that they are to be enlarged to"
    assert Finetune(size=24).declines(data, "timm/resnet18") == shrinking
    assert not Finetune().declines(data, "timm/resnet18")


def test_one_assignment_names_the_file_for_both(tmp_path: Path) -> None:
    user = read_assignments(["attacks.*.weights=nowhere.pth"])
    found = message(tmp_path, "[finetune, frozen]", user=user)
    assert found.startswith("--set attacks.finetune.weights: nowhere.pth: cannot be read")


def test_a_start_stacks_with_what_acts_before_and_after(weights_file: Path, tmp_path: Path) -> None:
    grid = tmp_path / "grid.yaml"
    start = f"{{name: frozen, weights: {weights_file}}}"
    stacks = f"[[early_stopping, mean, {start}, cutout, mixup, pgd], [orthogonal_projection, {start}, mixup]]"
    keys = "title: t\ndatasets: [synthetic]\nmodels: [cnn]\nmethods: [clean]\ncontrols: false\n"
    grid.write_text(f"{keys}attacks: {stacks}\n")
    assert len(read_grid(grid, {"paper": Scale()}, "paper", Scale(), tmp_path).conditions) == 2


def test_enlargement_happens_inside_the_network_and_never_makes_smaller(
    weights_file: Path, network: Network, two_layers: str
) -> None:
    images = torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    model, plain = (started(finetune(weights_file, size=size), two_layers).eval() for size in (24, None))
    assert torch.allclose(model(images), plain(enlarged(images, 24)), atol=1e-6)
    assert not torch.allclose(model(images), plain(images), atol=1e-3)
    with pytest.raises(ValueError, match="images of 32 pixels are higher than the 24 that they are to be enlarged to"):
        model(torch.rand(2, 3, 32, 32))


def test_enlarged_images_are_evaluated_in_smaller_batches(
    weights_file: Path, two_layers: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "IN_CACHE", 62 * 3 * 128 * 128)
    model, seen = started(finetune(weights_file, size=128), two_layers), []
    model.register_forward_hook(lambda module, images, logits: seen.append(len(logits)))
    evaluate(model, DATA.load(Path()).test)
    assert seen == [62, 38]
