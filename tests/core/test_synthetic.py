"""The embedded data set: its images, and (slowly) the facts of the field that the `tiny` scale must show."""

from pathlib import Path

import pytest
import torch

from bench.core.synthetic import draw
from bench.grid.expand import read_grid
from bench.grid.scale import Scale, read_scales
from bench.run.schedule import arrange, run
from bench.run.workers import workers
from bench.run.workplace import Workplace
from bench.store import Store


@pytest.mark.parametrize("size", [8, 16, 33, 64])
def test_images_are_drawn_at_every_size_with_all_classes_alike_often(size: int) -> None:
    images, labels = draw(50, size=size, seed=0, part="train")
    assert (images.shape, images.dtype) == ((50, 3, size, size), torch.uint8)
    assert labels.bincount().tolist() == [5] * 10


def test_the_same_seed_draws_the_same_images_and_the_test_set_other_ones() -> None:
    train, again = (draw(20, size=16, seed=0, part="train") for _ in range(2))
    assert all(torch.equal(first, second) for first, second in zip(train, again, strict=True))
    assert not torch.equal(train[0], draw(20, size=16, seed=0, part="test")[0])
    assert not torch.equal(train[0], draw(20, size=16, seed=1, part="train")[0])


def test_training_and_test_images_show_the_same_classes() -> None:
    means = []
    for part in ("train", "test"):
        images, labels = draw(2000, size=16, seed=0, part=part)
        means.append(torch.stack([images[labels == label].float().mean((0, 2, 3)) for label in range(10)]))
    distance = torch.cdist(means[0], means[1])
    assert (distance.argmin(1) == torch.arange(10)).float().mean() >= 0.8


def test_images_are_smooth() -> None:
    images = draw(200, size=16, seed=0, part="train")[0].float()
    steps = (images[..., 1:] - images[..., :-1]).square().mean()
    assert steps < 0.25 * images.var()  # independent pixels would give 2


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str, int], float]:
    """Final accuracy in percent by method, attack and seed, of table 2 at the tiny scale."""
    folder = tmp_path_factory.mktemp("tiny")
    grid = read_grid(Path("grids/table2.yaml"), read_scales(Path("grids/scales.yaml")), "tiny", Scale(seeds=2), folder)
    place = Workplace(Store(folder), folder, ("cpu",), jobs=2)
    with workers(place) as team:
        list(run(arrange(grid.cells, place, {cell.key: {} for cell in grid.cells}), place, team))
    accuracy = {}
    for condition in grid.conditions:
        for cell in condition.cells:
            record = place.store.read(cell.key)
            assert record is not None
            attack = condition.attacks[0].label.removeprefix("pgd radius=")
            accuracy[condition.method.label, attack, cell.seed] = 100 * record["result"]["final_accuracy"]
    return accuracy


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
def test_the_tiny_scale_shows_the_basic_facts_of_the_field(tiny: dict[tuple[str, str, int], float], seed: int) -> None:
    plain = {method: tiny[method, "none", seed] for method in ("clean", "em")}
    adversarial = {method: tiny[method, "4/255", seed] for method in ("clean", "em", "sem")}
    assert plain["clean"] >= 50
    assert adversarial["clean"] >= tiny["clean", "8/255", seed] >= 40
    assert plain["em"] <= plain["clean"] / 2
    assert abs(adversarial["em"] - adversarial["clean"]) <= 6
    assert adversarial["sem"] <= adversarial["em"] - 4
    assert tiny["sem", "8/255", seed] < tiny["em", "8/255", seed]
