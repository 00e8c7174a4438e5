"""Early stopping: what is held out, and what a record keeps of it."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

import bench.core.train
from attacks.early_stopping import EarlyStopping
from attacks.gradient import Pgd
from attacks.low_pass import Median
from attacks.partial_poisoning import PartialPoisoning
from attacks.plain import Plain
from bench.core.data import ImageDataset, Outline, Split
from bench.core.datasets import DatasetSettings
from bench.core.protocols import Attack
from bench.core.session import Session
from bench.core.train import update
from bench.store import Record, Store
from methods.random_noise import RandomNoise
from tests.builders import cell, finished
from tests.conftest import MadeUp

CPU = torch.device("cpu")
LABELS = [0] * 60 + [1] * 30 + [2] * 10


def parts_of(made_up: MadeUp, seed: int = 0, **settings: Any) -> list[list[int]]:
    data = made_up(LABELS, classes=3)
    return [part.tolist() for part in EarlyStopping(**settings).hold_out(data, Session(seed, CPU))]


def test_a_tenth_is_held_out_in_ten_parts_another_one_for_another_seed(made_up: MadeUp) -> None:
    parts = parts_of(made_up)
    assert [len(part) for part in parts] == [1] * 10
    assert len({row for part in parts for row in part}) == 10
    assert parts != parts_of(made_up, seed=1)


def test_the_clean_images_of_every_share_are_a_share_of_every_class(made_up: MadeUp) -> None:
    for seed in range(3):
        parts = parts_of(made_up, seed, validation=0.5)
        for count in range(1, 11):
            labels = [LABELS[row] for part in parts[:count] for row in part]
            expected = {label: 0.05 * count * LABELS.count(label) for label in range(3)}
            assert all(abs(labels.count(label) - share) <= 1 for label, share in expected.items())


@pytest.mark.parametrize(("settings", "count"), [({"validation": 0.09}, 9), ({"validation": 0.999, "parts": 2}, 100)])
def test_an_empty_part_or_an_empty_training_set_is_declined(settings: dict[str, Any], count: int) -> None:
    attack = EarlyStopping(**settings)
    reason = f"{count} of 100 images held out make no {attack.parts} parts and a rest"
    assert attack.declines(Outline(100, (3, 8, 8), 3), "cnn") == reason
    assert not EarlyStopping().declines(Outline(100, (3, 8, 8), 3), "cnn")


class Levels(DatasetSettings):
    """Forty images, each of one grey level of its own, which is a multiple of six: what was seen tells which."""

    size: int = 8

    def load(self, root: Path) -> Split:
        levels = (6 * torch.arange(40, dtype=torch.uint8)).view(-1, 1, 1, 1).expand(-1, 3, 8, 8)
        train = ImageDataset(levels.contiguous(), torch.arange(40) % 2, 2)
        return Split(train, ImageDataset(train.images[:2], train.labels[:2], 2))

    def outline(self, root: Path) -> Outline:
        return Outline(40, (3, 8, 8), 2)


HALF = EarlyStopping(validation=0.5)


def record_of(model: str, folder: Path, *attacks: Attack, **recipe: Any) -> Record:
    settings = {"steps": 6, "batch_size": 8, "evaluate_every": 2, **recipe}
    one = cell(RandomNoise(radius=2 / 255), attacks=attacks, data=Levels(), model=model, **settings)
    finished(one, folder)
    return json.loads(Store(folder).cell_file(one.key).read_text())


@pytest.mark.parametrize("stack", [[HALF], [HALF, Pgd(radius=1e-9, steps=1)], [HALF, PartialPoisoning()]])
def test_what_is_held_out_never_trains_and_all_else_does(
    stack: list[Attack], two_layers: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: set[int] = set()

    def noticing(model: Any, images: torch.Tensor, *others: Any, **how: Any) -> torch.Tensor:
        # The median is from inside the image, whatever the padding of the crop; noise moves it by 2 at most.
        seen.update(((255 * images.flatten(1).median(1).values + 3) // 6).int().tolist())
        return update(model, images, *others, **how)

    monkeypatch.setattr(bench.core.train, "update", noticing)
    record_of(two_layers, tmp_path, *stack, steps=60, evaluate_every=100)
    data = Levels().load(tmp_path).train
    held_out = torch.cat(HALF.hold_out(data, Session(0, CPU))).tolist()
    assert seen == set(range(40)) - set(held_out)


def test_each_look_counts_what_is_right_on_both_versions_of_each_part(
    two_layers: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[ImageDataset] = []

    def counting(model: Any, data: ImageDataset) -> int:
        shown.append(data)
        return len(shown)

    monkeypatch.setattr(bench.core.train, "right_of", counting)
    history = record_of(two_layers, tmp_path, HALF, Median())["history"]
    assert history["step"] == [2, 4, 6]
    assert history["validation_clean"] == [[*range(start, start + 10)] for start in (1, 21, 41)]
    assert history["validation_protected"] == [[*range(start, start + 10)] for start in (11, 31, 51)]
    data = Levels().load(tmp_path).train
    for part, clean, protected in zip(HALF.hold_out(data, Session(0, CPU)), shown[:10], shown[10:20], strict=True):
        assert torch.equal(clean.images, data.images[part])
        assert torch.equal(clean.labels, protected.labels)
        change = (protected.images.short() - clean.images).abs()  # noise and no filter
        assert 0 < change.max() <= 2


def test_the_counts_are_of_right_predictions(two_layers: str, tmp_path: Path) -> None:
    history = record_of(two_layers, tmp_path, HALF)["history"]
    for name in ("validation_clean", "validation_protected"):
        assert all(0 <= right <= 2 for look in history[name] for right in look)
        assert all(0 < sum(look) < 20 for look in history[name])


def test_without_the_attack_a_record_says_nothing_of_it(two_layers: str, tmp_path: Path) -> None:
    history = record_of(two_layers, tmp_path, Plain())["history"]
    assert list(history) == ["step", "train_loss", "train_accuracy", "test_loss", "test_accuracy"]
