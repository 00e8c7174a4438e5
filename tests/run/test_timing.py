"""How a network is timed."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch

from bench.core.data import Outline
from bench.run import timing
from bench.run.timing import seconds_per_pass
from tests.conftest import Undisturbed

CPU = torch.device("cpu")
OUTLINE = Outline(100, (3, 8, 8), 10)


@pytest.fixture
def sizes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The images of each update that was timed."""
    seen: list[int] = []
    update = timing.update

    def counted(model: torch.nn.Module, batch: torch.Tensor, *rest: Any) -> torch.Tensor:
        seen.append(len(batch))
        return update(model, batch, *rest)

    monkeypatch.setattr(timing, "update", counted)
    return seen


def answer(monkeypatch: pytest.MonkeyPatch, seconds: Iterator[float]) -> list[int]:
    """Let time stand still, but for `seconds` that calls are said to take; how many calls each was for."""
    counts: list[int] = []

    def time_calls(action: Callable[[], object], device: torch.device, count: int = 1) -> float:
        counts.append(count)
        action()
        return next(seconds)

    monkeypatch.setattr(timing, "time_calls", time_calls)
    monkeypatch.setattr(timing.time, "perf_counter", lambda: 0.0)
    return counts


def test_a_pass_is_a_quarter_weight_updates_and_three_quarters_input_gradients(
    monkeypatch: pytest.MonkeyPatch, two_layers: str
) -> None:
    counts = answer(monkeypatch, iter((90.0, 90.0, 1.0, 3.0, 6.0, 10.0)))  # the first round warms up
    assert seconds_per_pass(two_layers, OUTLINE, CPU, budget=0) == 128 * 2.0 / 4
    assert counts == [1, 3, 1, 3, 1, 3]


@pytest.mark.parametrize(
    ("rounds", "images"),
    [
        ((1.0, 1.0, 4.0), [2, 2, 8]),
        ((0.02, 0.02, 0.08, 0.16), [2, 2, 8, 16]),
        ((20.0, *[0.001] * 6), [2, 2, 8, 16, 32, 64, 128]),
    ],
    ids=["slow", "half as slow", "slow at first only, as on a GPU"],
)
def test_the_budget_decides_how_many_images_are_timed(
    rounds: tuple[float, ...], images: list[int], sizes: list[int], monkeypatch: pytest.MonkeyPatch, two_layers: str
) -> None:
    answer(monkeypatch, (seconds for both in rounds for seconds in (both / 2, both / 2)))
    monkeypatch.setattr(timing.time, "perf_counter", iter((0.0, 1.0)).__next__)
    assert seconds_per_pass(two_layers, OUTLINE, CPU, budget=1.0) == pytest.approx(128 * rounds[-1] / images[-1] / 4)
    assert sizes == images


@pytest.mark.parametrize(
    ("rounds", "expected"),
    [
        ((9.0, 5.0, 11.0), 3 + 128),  # 3 s however few the images, and 1 s for each
        ((9.0, 11.0, 4.0), 128 / 2),  # the round of few images was disturbed
    ],
)
def test_what_does_not_grow_with_the_images_is_not_multiplied(
    rounds: tuple[float, ...], expected: float, monkeypatch: pytest.MonkeyPatch, two_layers: str
) -> None:
    answer(monkeypatch, (seconds for both in rounds for seconds in (both / 2, both / 2)))
    assert seconds_per_pass(two_layers, OUTLINE, CPU, budget=0) == pytest.approx(expected / 4)


def test_timing_touches_no_generator(two_layers: str, undisturbed: Undisturbed) -> None:
    with undisturbed():
        assert seconds_per_pass(two_layers, OUTLINE, CPU, budget=0.01) > 0
