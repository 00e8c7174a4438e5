"""Auto-PGD: against the published algorithm, image by image, and against PGD."""

import math

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bench.core.adversary import Ball, Linf, apgd, maximise
from bench.core.models import Classifier, build
from tests.core.test_adversary import (
    BALLS,
    LABELS,
    RADIUS,
    generator,
    images,
    independent_gradient,
    inside,
    losses,
    unit_step,
)


def reference_apgd(model: nn.Module, image: Tensor, label: Tensor, start: Tensor, steps: int, ball: Ball) -> Tensor:
    """Auto-PGD of one image (1, C, H, W) as published, in plain lists; the worst point met."""

    def valid(point: Tensor) -> Tensor:
        return inside(point, image, ball)

    def gradient(point: Tensor) -> Tensor:
        return independent_gradient(model, point, label)

    points, worst = [valid(start)], [losses(model, valid(start), label).item()]
    current, slope = points[0], gradient(points[0])
    step_size, windows, checks = 2 * ball.radius, [max(math.floor(0.22 * steps), 1)], [0]
    while checks[-1] < steps:
        checks.append(checks[-1] + windows[-1])
        windows.append(max(windows[-1] - max(math.floor(0.03 * steps), 1), max(math.floor(0.06 * steps), 1)))
    old, best_at_check, was_halved = current, worst[0], True
    for k in range(steps):
        z = valid(current + step_size * unit_step(slope, ball))
        share = 0.75 if k else 1.0
        new = valid(current + share * (z - current) + (1 - share) * (current - old))
        old, current = current, new
        slope = gradient(current)
        points.append(current)
        worst.append(losses(model, current, label).item())
        if k + 1 in checks:
            window = (k + 1) - checks[checks.index(k + 1) - 1]
            rises = sum(worst[i + 1] > worst[i] for i in range(k + 1 - window, k + 1))
            no_progress = not was_halved and max(worst) <= best_at_check
            was_halved, best_at_check = rises <= 0.75 * window or no_progress, max(worst)
            if was_halved:
                step_size /= 2
                current = points[worst.index(max(worst))]
                slope = gradient(current)
    return points[worst.index(max(worst))]


@pytest.mark.parametrize("steps", [1, 2, 10, 25])
@pytest.mark.parametrize("ball", BALLS, ids=["linf", "l2"])
def test_apgd_is_the_published_algorithm_for_each_image_on_its_own(model: Classifier, steps: int, ball: Ball) -> None:
    model, clean = model.double(), images().double()
    point = apgd(model, clean, LABELS, ball=ball, steps=steps, generator=generator())
    starts = clean + ball.on_surface(clean, generator())
    rows = ((clean[[row]], LABELS[[row]], starts[[row]]) for row in range(len(clean)))
    expected = [reference_apgd(model, *row, steps, ball) for row in rows]
    assert torch.allclose(point, torch.cat(expected), atol=1e-9)


def test_apgd_never_returns_a_point_of_less_loss_than_its_start(model: Classifier) -> None:
    start = (images() + Linf(RADIUS).on_surface(images(), generator())).clamp(0, 1)
    point = apgd(model, images(), LABELS, ball=Linf(RADIUS), steps=5, generator=generator())
    assert (losses(model, point) >= losses(model, start)).all()


def test_apgd_finds_at_least_the_loss_of_pgd_on_average_over_20_trained_nets(two_layers: str) -> None:
    found = {"pgd": 0.0, "apgd": 0.0}
    for seed in range(20):
        model = build(two_layers, num_classes=3, channels=3, generator=generator(seed))
        optimiser = torch.optim.SGD(model.parameters(), 0.1, 0.9)
        clean, labels = images(48, seed=seed), torch.arange(48) % 3
        for _ in range(30):
            optimiser.zero_grad()
            F.cross_entropy(model(clean), labels).backward()
            optimiser.step()
        model.eval()
        for kind in found:
            point = maximise(
                kind, model, clean, labels, ball=Linf(RADIUS), steps=10, rel_step_size=0.25, generator=generator(seed)
            )
            found[kind] += losses(model, point, labels).mean().item() / 20
    assert found["apgd"] >= found["pgd"]
