"""How a network is timed."""

from collections.abc import Callable
from typing import Any

import pytest
import torch

from bench.run import timing
from bench.run.timing import seconds_per_pass
from tests.conftest import Network, Undisturbed

CPU = torch.device("cpu")
SHAPE = (8, 3, 8, 8)


def test_a_pass_is_a_quarter_weight_updates_and_three_quarters_input_gradients(
    monkeypatch: pytest.MonkeyPatch, network: Network
) -> None:
    answers = iter((90.0, 90.0, 6.0, 10.0))  # the first round warms up
    counts: list[int] = []

    def timed(action: Callable[[], object], device: torch.device, count: int = 1) -> float:
        counts.append(count)
        return next(answers)

    monkeypatch.setattr(timing, "timed", timed)
    assert seconds_per_pass(network, SHAPE, 10, CPU, budget=0) == 128 * 4.0 / 4
    assert counts == [1, 3, 1, 3]


@pytest.mark.parametrize(("seconds", "images"), [(1.0, 4), (0.01, 8)])
def test_the_budget_decides_how_many_images_are_timed(
    seconds: float, images: int, monkeypatch: pytest.MonkeyPatch, network: Network
) -> None:
    sizes: list[int] = []
    update = timing.update

    def counted(model: torch.nn.Module, batch: torch.Tensor, *rest: Any) -> torch.Tensor:
        sizes.append(len(batch))
        return update(model, batch, *rest)

    def timed(action: Callable[[], object], device: torch.device, count: int = 1) -> float:
        action()
        return seconds * count

    monkeypatch.setattr(timing, "update", counted)
    monkeypatch.setattr(timing, "timed", timed)
    seconds_per_pass(network, SHAPE, 10, CPU, budget=0.5)
    assert sizes[:2] == [4, 4]
    assert sizes[-1] == images
    assert set(sizes) == {4, images}


def test_a_slow_first_round_and_rounds_as_long_for_many_images_do_not_keep_the_batch_small(
    monkeypatch: pytest.MonkeyPatch, network: Network
) -> None:
    rounds = iter([20.0, *[0.01] * 100_000])  # as on a GPU
    sizes: list[int] = []

    def timed(action: Callable[[], object], device: torch.device, count: int = 1) -> float:
        return next(rounds)

    class Clock:
        now = 0.0

        @classmethod
        def perf_counter(cls) -> float:
            cls.now += 0.1
            return cls.now

    work = timing.work

    def sized(model: torch.nn.Module, kind: timing.Kind, shape: timing.Shape, *rest: Any) -> Any:
        sizes.append(shape[0])
        return work(model, kind, shape, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(timing, "timed", timed)
    monkeypatch.setattr(timing, "time", Clock)
    monkeypatch.setattr(timing, "work", sized)
    assert seconds_per_pass(network, (100, 3, 8, 8), 10, CPU, budget=1) == pytest.approx(128 * 0.02 / 4 / 100)
    assert sizes[::2][:8] == [4, 4, 8, 16, 32, 64, 100, 100]


def test_timing_leaves_no_trace(network: Network, undisturbed: Undisturbed) -> None:
    model = network()
    weights = [weight.clone() for weight in model.parameters()]
    with undisturbed():
        assert seconds_per_pass(lambda: model, SHAPE, 10, CPU, budget=0.01) > 0
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), weights, strict=True))
