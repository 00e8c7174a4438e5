"""EM: the analytic corner, the stop rule, and the batches that go on."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import methods.em
from bench.core.session import IMAGES_PER_PASS, Session
from bench.core.train import DivergedError, update
from methods.em import Em
from methods.em_class import EmClass
from tests.builders import cell, finished
from tests.conftest import Linear, MadeUp

CPU = torch.device("cpu")
LABELS = [0, 1, 0, 0, 0, 1, 0, 0]
STUCK: dict[str, Any] = {"lr": 1e-9, "weight_decay": 0, "batch_size": 4, "updates_per_round": 1}


def random_weights() -> Tensor:
    return torch.randn(2, 192, generator=torch.Generator().manual_seed(0)) / 10


def constant(linear: Linear) -> str:
    """A network that calls everything class 0."""
    return linear(1e-3 * random_weights(), bias=torch.tensor([1.0, 0.0]))


def test_a_linear_surrogate_gives_the_corner_away_from_the_other_class(linear: Linear, made_up: MadeUp) -> None:
    data, weight = made_up(LABELS, low=20, high=236), random_weights()
    towards_1 = (weight[1] - weight[0]).sign().view(3, 8, 8)
    expected = torch.stack([-8 * towards_1 if label == 0 else 8 * towards_1 for label in LABELS])
    noise = Em(surrogate=linear(weight), max_rounds=1, **STUCK).generate(data, Session(0, CPU))
    assert torch.equal(noise, expected.to(torch.int8))


def test_a_saturated_pixel_goes_down_as_far_as_any_other_and_never_up(linear: Linear, made_up: MadeUp) -> None:
    data, weight = made_up(LABELS, low=255), random_weights()
    noise = Em(surrogate=linear(weight), max_rounds=1, **STUCK).generate(data, Session(0, CPU))
    assert set(noise.unique().tolist()) == {-8, 0}
    assert torch.equal(noise[0] == -8, (weight[1] > weight[0]).view(3, 8, 8))


def test_noise_goes_on_from_the_last_round(linear: Linear, made_up: MadeUp) -> None:
    data = made_up(LABELS, low=20, high=236)
    # The error stays at 2 of 8; three steps of a tenth of 8/255 reach 2.4 levels in each round.
    method = Em(surrogate=constant(linear), stop_error=0, max_rounds=2, steps=3, **STUCK)
    assert (method.generate(data, Session(0, CPU)).abs() == 5).all()


@pytest.mark.parametrize(("stop_error", "rounds"), [(1.0, 1), (0.25, 1), (0.24, 4), (0.0, 4)])
def test_em_stops_after_the_first_round_whose_error_is_low_enough_or_after_the_last(
    stop_error: float, rounds: int, linear: Linear, made_up: MadeUp
) -> None:
    # Two of the eight images are not of class 0, so the error is 1/4 in every round.
    method = Em(surrogate=constant(linear), stop_error=stop_error, max_rounds=4, steps=2, radius=1 / 255, **STUCK)
    session = Session(0, CPU)
    method.generate(made_up(LABELS), session)
    assert session.passes == rounds * (4 + 8 * 2) / IMAGES_PER_PASS
    assert method.cost(8).passes == 4 * (4 + 8 * 2) / IMAGES_PER_PASS
    assert session.notes == {"rounds": rounds, "surrogate_error": 0.25}


def test_the_record_tells_how_em_ended_also_where_the_noise_was_there_already(two_layers: str, tmp_path: Path) -> None:
    method = Em(surrogate=two_layers, batch_size=4, stop_error=0, max_rounds=2)
    for seed in range(2):
        record = finished(cell(method, seed, model=two_layers), tmp_path)
        assert record["noise"]["notes"]["rounds"] == 2
        assert 0 < record["noise"]["notes"]["surrogate_error"] <= 1
        assert "notes" not in record


def test_the_forecast_counts_on_the_rounds_of_the_official_log() -> None:
    assert Em().cost(50_000).passes == 15 * (10 * 512 + 50_000 * 20) / 128


def test_every_image_gets_noise_even_when_the_batch_does_not_divide_the_set(two_layers: str, made_up: MadeUp) -> None:
    data = made_up([0, 1] * 5 + [1])
    noise = Em(surrogate=two_layers, batch_size=4, max_rounds=1).generate(data, Session(0, CPU))
    assert noise.flatten(1).any(1).all()


def test_weight_updates_see_the_whole_set_before_they_repeat_and_go_on_from_round_to_round(
    linear: Linear, made_up: MadeUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = made_up(LABELS)
    batches: list[Tensor] = []
    norms: list[float | None] = []

    def recording(model: nn.Module, images: Tensor, labels: Tensor, optimiser: Any, max_norm: float | None) -> Tensor:
        batches.append(images)
        norms.append(max_norm)
        return update(model, images, labels, optimiser, max_norm)

    monkeypatch.setattr(methods.em, "update", recording)
    Em(surrogate=constant(linear), stop_error=0, max_rounds=2, radius=1 / 255, **STUCK).generate(data, Session(0, CPU))
    # With noise of one grey level the nearest image is the image itself.
    distances = torch.cdist(torch.cat(batches).flatten(1), data.floats().flatten(1))
    assert sorted(distances.argmin(1).tolist()) == list(range(8))
    assert norms == [5.0, 5.0]


def test_em_gets_a_small_network_below_its_stopping_error(two_layers: str, made_up: MadeUp) -> None:
    data, session = made_up([0, 1] * 12), Session(0, CPU)
    method = Em(surrogate=two_layers, batch_size=8)
    noise = method.generate(data, session)
    assert session.passes < method.cost(24).passes
    assert noise.abs().max() == 8


# Class-wise.


def test_the_noise_of_a_class_is_the_mean_of_what_its_images_ask_for(linear: Linear, made_up: MadeUp) -> None:
    # One step of a tenth of 8/255 = 0.8 levels: pixels at 0 cannot go down and pixels at 255 cannot go up.
    weight = random_weights()
    data = made_up([0, 0, 0, 1], low=100, high=101)
    data.images[0], data.images[1] = 0, 255
    towards_0 = (weight[0] - weight[1]).sign().view(3, 8, 8)
    noise = torch.zeros(2, 3, 8, 8)
    method = EmClass(surrogate=linear(weight))
    model = Session(0, CPU).build("linear", num_classes=2, channels=3)
    method._improve(model, data, noise, torch.arange(3))
    moved = torch.where(towards_0 > 0, 0.8 + 0 + 0.8, 0 - 0.8 - 0.8) / 3 / 255
    assert torch.allclose(noise[0], moved, atol=1e-7)
    assert not noise[1].any()


def test_class_wise_noise_is_constant_within_a_class_and_goes_on_from_batch_to_batch(
    two_layers: str, made_up: MadeUp
) -> None:
    data = made_up([0] * 20 + [1] * 10 + [2], classes=3)
    method = EmClass(surrogate=two_layers, batch_size=2, max_rounds=4, stop_error=0)
    noise = method.generate(data, Session(0, CPU))
    for label in range(3):
        of_class = noise[data.labels == label]
        assert (of_class == of_class[0]).all()
    assert noise[0].abs().max() > 1  # more than one step of 0.8 levels
    assert method.class_wise
    assert not Em().class_wise


def test_a_class_wise_sweep_visits_a_fifth_of_every_class_each_time_another(two_layers: str, made_up: MadeUp) -> None:
    data = made_up([0] * 20 + [1] * 10 + [2], classes=5)
    generator = torch.Generator().manual_seed(0)
    method = EmClass(surrogate=two_layers, batch_size=4)
    first, second = (list(method._sweep(data, generator)) for _ in range(2))
    assert [len(batch) for batch in first] == [4, 3]
    chosen = torch.cat(first)
    assert torch.bincount(data.labels[chosen], minlength=5).tolist() == [4, 2, 1, 0, 0]
    assert len(chosen.unique()) == 7
    assert sorted(chosen.tolist()) != sorted(torch.cat(second).tolist())


def test_a_surrogate_that_diverged_gives_no_noise(two_layers: str, made_up: MadeUp) -> None:
    with pytest.raises(DivergedError, match="training left weights that are not finite; lower lr"):
        Em(surrogate=two_layers, lr=1e38, clip_norm=1e38).generate(made_up(LABELS), Session(0, CPU))
