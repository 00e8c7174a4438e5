"""What a card tells of a method and of an attack."""

import pytest

from attacks import ATTACKS
from methods import METHODS
from tests.test_cli import bench


def test_list_methods_shows_a_card_for_each(capsys: pytest.CaptureFixture[str]) -> None:
    assert bench("list", "methods") == 0
    cards = {card.partition(":")[0]: card for card in capsys.readouterr().out.split("\n\n") if card.strip()}
    assert list(cards) == list(METHODS)
    for line in (
        "budget     l-inf 8/255",
        "noise      one for each image",
        "needs      nothing",
        "cost       about 324,531 passes of 128 images on CIFAR-10",
        "source     SEM (Liu, Xu, Chen and Sun, AAAI 2024, arXiv 2311.13091)",
        "code       github.com/liuyixin-louis/Stable-Unlearnable-Example",
        "differs    the random perturbation has a radius of its own",
    ):
        assert line in cards["sem"]
    assert "budget     l2 1.413 at 3x32x32" in cards["sc"]
    assert "cost       no network\n" in cards["sc"]
    assert "cost       no network; on CIFAR-10 the time of about 2,102 passes of 128 images by a" in cards["ntga"]


def test_list_attacks_shows_a_card_for_each(capsys: pytest.CaptureFixture[str]) -> None:
    assert bench("list", "attacks") == 0
    cards = {card.partition(":")[0]: card for card in capsys.readouterr().out.split("\n\n") if card.strip()}
    assert list(cards) == list(ATTACKS)
    for line in (
        "acts       on each batch, against the network",
        "assumes    nothing but the released images and labels",
        "cost       11 passes for each of plain training",
        "source     PGD (Madry et al., ICLR 2018)",
    ):
        assert line in cards["pgd"]
    assert "acts       never" in cards["none"]
    assert "cost       no further passes" in cards["none"]
    assert "cost       about 46,800 passes of 128 images on CIFAR-10, before training" in cards["dvae"]
    assert "cost       no further passes, but the time of 1.5 for each of plain training" in cards["ueraser"]
