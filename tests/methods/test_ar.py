"""AR: processes that stay in bounds, are told apart by their filters, and leave their mark on every image."""

import math

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

import methods.ar
from bench.core.data import ImageDataset, Outline
from bench.core.session import Session
from methods.ar import MARGIN, TRIAL_NORM, Ar, bounded, evolve, response, select, stable_processes
from tests.conftest import MadeUp

LABELS = [0, 1, 2, 2, 1, 0, 2, 2]


def session(seed: int = 0) -> Session:
    return Session(seed, torch.device("cpu"))


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def noise_of(data: ImageDataset, seed: int = 0, **settings: object) -> Tensor:
    return Ar.model_validate(settings).generate(data, session(seed))


def processes(count: int, channels: int, seed: int = 0, min_response: float = 10) -> Tensor:
    """What the method finds for so many classes, at most ten."""
    return select(stable_processes(channels, session(seed).generator("processes")), count, min_response)


def residual(windows: Tensor, patterns: Tensor) -> Tensor:
    """Pattern minus its prediction by the process, wherever the 3x3 window fits: (N, C, H - 2, W - 2)."""
    matched = windows.clone()
    matched[:, 2, 2] = -1
    return F.conv2d(patterns, matched[:, None], groups=len(matched))


def random_windows(*shape: int) -> Tensor:
    windows = F.pad(torch.rand(*shape, 8, generator=generator(1)), (0, 1))
    return (windows / windows.sum(-1, keepdim=True)).unflatten(-1, (3, 3))


# The process.


@pytest.mark.parametrize(("height", "width"), [(8, 8), (6, 11), (11, 6), (3, 3)])
def test_running_along_anti_diagonals_is_running_pixel_by_pixel(height: int, width: int) -> None:
    windows, starts = random_windows(4, 2), torch.randn(4, 2, height, width, generator=generator())
    expected = starts.clone()
    for row in range(2, height):
        for column in range(2, width):
            patch = expected[:, :, row - 2 : row + 1, column - 2 : column + 1]
            expected[:, :, row, column] = (windows * patch).sum((2, 3))
    torch.testing.assert_close(evolve(starts, windows), expected)


def test_a_single_pattern_of_one_channel_is_not_changed_in_place() -> None:
    starts = torch.randn(1, 1, 6, 6, generator=generator())
    before = starts.clone()
    assert not torch.equal(evolve(starts, random_windows(1, 1)), before)
    assert torch.equal(starts, before)


def test_eight_equal_weights_keep_an_image_of_ones() -> None:
    windows = torch.full((1, 1, 3, 3), 1 / 8)
    windows[..., 2, 2] = 0
    assert torch.equal(evolve(torch.ones(1, 1, 12, 9), windows), torch.ones(1, 1, 12, 9))


def test_the_matched_filter_is_silent_on_its_own_process_alone() -> None:
    windows, starts = random_windows(2, 3), torch.randn(5, 3, 12, 12, generator=generator())
    patterns = evolve(starts, windows[:1].expand(5, -1, -1, -1))
    assert response(windows[0], patterns).max() < 1e-3
    assert response(windows[1], patterns).min() > 1
    both_signs = residual(windows[1], patterns).sum(1)
    torch.testing.assert_close(response(windows[1], patterns), both_signs.clamp(min=0).sum((1, 2)))


# The search.


def test_only_windows_whose_trials_all_stay_in_bounds_are_kept() -> None:
    windows = torch.randn(400, 3, 3, generator=generator())
    windows[:, 2, 2] = 0
    windows /= windows.sum((1, 2), keepdim=True)
    kept, trials = bounded(windows, generator())
    assert 20 < len(kept) < 380
    assert trials.shape == (len(kept), 3, 32, 32)
    assert trials.flatten(2).norm(dim=2).max() <= TRIAL_NORM  # false of NaN
    for window, three in zip(kept, trials, strict=True):
        torch.testing.assert_close(residual(window[None], three[:, None]), torch.zeros(3, 1, 30, 30), atol=1e-3, rtol=0)
    assert not torch.equal(trials[:, 0], trials[:, 1])


@pytest.mark.parametrize("place", range(3))
def test_a_window_that_diverges_in_any_one_trial_is_dropped(place: int, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = iter(range(3))

    def diverges_once(fields: Tensor, windows: Tensor) -> Tensor:
        fields = torch.ones_like(fields)
        if next(runs) == place:
            fields[1], fields[3] = torch.nan, 51 / 32
        return fields

    monkeypatch.setattr(methods.ar, "evolve", diverges_once)
    windows = random_windows(5)
    kept, trials = bounded(windows, generator())
    assert torch.equal(kept, windows[[0, 2, 4]])
    assert torch.equal(trials, torch.ones(3, 3, 32, 32))


@pytest.mark.parametrize("channels", [1, 3])
def test_stable_processes_have_weights_of_sum_one_and_trials_of_norm_one(channels: int) -> None:
    windows, trials = next(stable_processes(channels, generator()))
    assert len(windows) > 20
    assert windows.shape[1:] == (channels, 3, 3)
    assert not windows[..., 2, 2].any()
    torch.testing.assert_close(windows.sum((2, 3)), torch.ones(windows.shape[:2]), atol=1e-3, rtol=0)
    torch.testing.assert_close(trials.flatten(2).norm(dim=2), torch.ones(len(windows), 3))
    own = torch.stack([response(window, three) for window, three in zip(windows, trials, strict=True)])
    assert own.max() < 1e-2
    assert response(windows[0], trials[1:].flatten(0, 1)).mean() > 1


def test_the_channels_together_stay_in_bounds_in_every_trial(monkeypatch: pytest.MonkeyPatch) -> None:
    def in_bounds(windows: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        trials = torch.full((6, 3, 32, 32), 20 / 32)
        trials[2] = 10 / 32
        trials[3:, 1] = 49 / 32
        return windows[:6], trials

    monkeypatch.setattr(methods.ar, "bounded", in_bounds)
    assert len(next(stable_processes(1, generator()))[0]) == 6
    windows, trials = next(stable_processes(3, generator()))  # norms 20, 20, 10 are 30 together; thrice 49 are 85
    assert windows.shape == (1, 3, 3, 3)
    assert trials[0, 0, :, 0, 0].numpy() == pytest.approx(torch.tensor([20, 20, 10]).numpy() / 30 / 32)


def test_the_search_selects_as_one_candidate_after_the_other_would_be() -> None:
    windows, trials = next(stable_processes(1, generator()))
    groups = list(zip(windows.split(7), trials.split(7), strict=True))
    found = select(groups, 12, 5)
    expected: list[Tensor] = []
    for windows, trials in groups:
        for window, three in zip(windows, trials, strict=True):
            if all(response(judge, trial[None]) >= 5 for judge in expected for trial in three):
                expected.append(window)
    assert torch.equal(found, torch.stack(expected[:12]))


def test_a_candidate_is_heard_in_every_trial() -> None:
    windows, trials = next(stable_processes(1, generator()))
    answers = response(windows[0], trials[1:].flatten(0, 1)).view(-1, 3)
    mixed = (answers.amin(1) < 6) & (answers.amax(1) >= 6)
    chosen = 1 + mixed.nonzero().flatten()
    assert {int(place) for place in answers[mixed].argmin(1)} == {0, 1, 2}
    order = torch.cat([torch.zeros(1, dtype=torch.int64), chosen])
    with pytest.raises(ValueError, match="ar: found only 1 of 2 processes; lower min_response, 6 now"):
        select([(windows[order], trials[order])], 2, 6)


@pytest.mark.parametrize(("classes", "least"), [(10, 10), (11, 3)])
def test_ten_classes_are_told_apart_more_sharply_than_more(
    classes: int, least: float, made_up: MadeUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[float] = []

    def recorded(candidates: object, count: int, min_response: float) -> Tensor:
        asked.append(min_response)
        return processes(1, 3).expand(count, -1, -1, -1)

    monkeypatch.setattr(methods.ar, "select", recorded)
    noise_of(made_up([0, 1], classes=classes), l2_radius=0.25)
    noise_of(made_up([0, 1], classes=classes), l2_radius=0.25, min_response=2)
    assert asked == [least, 2]


@pytest.mark.parametrize(("classes", "channels"), [(2, 3), (100, 3), (6, 1), (30, 1)])
def test_every_number_of_classes_finds_processes_that_never_diverge(classes: int, channels: int) -> None:
    windows = processes(classes, channels, min_response=3)
    starts = torch.randn(4 * classes, channels, 36, 36, generator=generator())
    patterns = evolve(starts, windows.repeat(4, 1, 1, 1))[:, :, MARGIN:, MARGIN:]
    assert windows.shape == (classes, channels, 3, 3)
    assert patterns.flatten(1).norm(dim=1).max() < 4 * TRIAL_NORM


def test_another_seed_finds_other_processes() -> None:
    assert torch.equal(processes(2, 3), processes(2, 3))
    assert not torch.equal(processes(2, 3), processes(2, 3, seed=1))


# The noise.


@pytest.mark.parametrize(("channels", "size", "radius"), [(3, 8, 0.25), (1, 8, 0.2), (3, 16, 1), (3, 32, 1)])
def test_every_image_has_the_l2_radius(channels: int, size: int, radius: float, made_up: MadeUp) -> None:
    data = made_up(LABELS, classes=3, channels=channels, size=size)
    norms = noise_of(data, l2_radius=radius).float().flatten(1).norm(dim=1) / 255
    assert norms.numpy() == pytest.approx(radius, abs=0.5 / 255 * math.sqrt(channels) * size)
    assert norms.mean().item() == pytest.approx(radius, rel=0.02)  # rounding has no bias


def test_every_image_carries_its_class_and_no_random_start(made_up: MadeUp) -> None:
    data = made_up(LABELS, classes=3)
    windows = processes(3, 3)
    found = []
    for noise in noise_of(data, l2_radius=0.8).float():
        left = torch.stack([residual(window, noise[None])[0] for window in windows])
        found.append(int(left.square().sum((1, 2, 3)).argmin()))
        # Rounding moves a value by half a level, and so its prediction by half the sum of the weights' sizes.
        allowed = 0.501 * (1 + windows[found[-1]].abs().sum((1, 2)))
        assert (left[found[-1]].abs() <= allowed[:, None, None]).all()
    assert found == LABELS


def test_the_first_four_rows_and_columns_are_dropped(made_up: MadeUp) -> None:
    data = made_up(LABELS, classes=3)
    starts = torch.randn(8, 3, 12, 12, generator=session().generator("starts"))
    patterns = evolve(starts, processes(3, 3)[data.labels])[:, :, 4:, 4:]
    expected = 255 * 0.25 * patterns / patterns.flatten(1).norm(dim=1)[:, None, None, None]
    assert torch.equal(noise_of(data, l2_radius=0.25), expected.round().to(torch.int8))


def test_two_images_of_one_class_have_different_noise(made_up: MadeUp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(methods.ar, "IMAGES", 3)
    noise = noise_of(made_up(LABELS, classes=3), l2_radius=0.25).flatten(1)
    assert len(noise.unique(dim=0)) == len(LABELS)


def test_images_need_not_be_square_but_not_so_large_that_noise_leaves_8_bits() -> None:
    data = ImageDataset(torch.zeros(3, 3, 8, 13, dtype=torch.uint8), torch.tensor([0, 1, 1]), 2)
    noise = noise_of(data, l2_radius=0.25)
    assert noise.flatten(1).any(1).all()
    assert [bool(Ar().declines(Outline(9, (3, 8, side), 2))) for side in (96, 128)] == [False, True]


def test_noise_that_int8_cannot_hold_is_refused_not_wrapped(made_up: MadeUp) -> None:
    with pytest.raises(ValueError, match=r"noise reaches \d+ grey levels, over the 127 that int8 holds; lower its"):
        noise_of(made_up(LABELS, classes=3), l2_radius=20)


def test_a_search_that_fails_says_so(made_up: MadeUp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(methods.ar, "MAX_WINDOWS", 1024)
    with pytest.raises(ValueError, match="ar: found only 1 of 3 processes; lower min_response, 1000 now"):
        noise_of(made_up(LABELS, classes=3), min_response=1000)
