"""bfloat16 against float32: a victim's accuracy must not tell them apart."""

from pathlib import Path

import pytest
import torch

from attacks.gradient import Pgd
from bench.core.datasets import Synthetic
from bench.core.protocols import Attack
from bench.core.session import Session
from bench.core.train import Recipe, train

CPU = torch.device("cpu")
SEEDS = range(3)


def accuracies(precision: torch.dtype, attack: list[Attack], monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Final accuracies in percent, one for each seed, of victims on a third of the tiny scale's images."""
    monkeypatch.setattr("bench.core.session.precision", lambda device: precision)
    data = Synthetic(train_images=1500, test_images=1000).load(Path())
    recipe = Recipe(steps=200, batch_size=64, schedule="one_cycle", evaluate_every=200)
    found = []
    for seed in SEEDS:
        session = Session(seed, CPU)
        model = session.build("cnn", num_classes=10, channels=3)
        history = train(model, data.train, test=data.test, attacks=attack, recipe=recipe, session=session)
        found.append(100 * history[-1].test_accuracy)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("attack", [[], [Pgd(radius=8 / 255, steps=2, rel_step_size=0.7)]], ids=["plain", "pgd"])
def test_bfloat16_moves_accuracy_less_than_a_seed_does(attack: list[Attack], monkeypatch: pytest.MonkeyPatch) -> None:
    exact, rounded = (accuracies(precision, attack, monkeypatch) for precision in (torch.float32, torch.bfloat16))
    assert exact != rounded
    assert abs(sum(exact) - sum(rounded)) / len(SEEDS) <= max(exact) - min(exact)
    assert min(exact) > 30
