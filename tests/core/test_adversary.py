"""Inner maximisers: analysis on linear nets, independent loops, and the traps of the widely used library."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bench.core.adversary import L2, TPGD_START, Ball, Linf, maximise, pgd, tpgd
from bench.core.models import Classifier, build
from bench.core.perturb import frozen, uniform
from tests.conftest import Linear, Undisturbed

RADIUS = 8 / 255
LABELS = torch.tensor([0, 1, 2, 0, 1, 2])
BALLS = [Linf(RADIUS), L2(0.5)]


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def images(count: int = 6, seed: int = 1) -> Tensor:
    return torch.rand(count, 3, 8, 8, generator=generator(seed))


def two_classes(linear: Linear) -> tuple[Classifier, Tensor]:
    """A linear two-class net, and w_1 - w_0 in the shape of an image: the way to raise the loss of class 0."""
    weight = torch.randn(2, 192, generator=generator(3)) / 10
    model = build(linear(weight), num_classes=2, channels=3, generator=generator())
    return model.eval(), (weight[1] - weight[0]).view(3, 8, 8)


def losses(model: nn.Module, points: Tensor, labels: Tensor = LABELS) -> Tensor:
    return F.cross_entropy(model(points), labels, reduction="none").detach()


# PGD and FGSM


def independent_gradient(model: nn.Module, point: Tensor, labels: Tensor) -> Tensor:
    """Of the cross-entropy of each image, by softmax minus one-hot and a vector-Jacobian product."""
    point = point.detach().requires_grad_()
    logits = model(point)
    error = logits.detach().softmax(1) - F.one_hot(labels, logits.shape[1])
    [gradient] = torch.autograd.grad(logits, point, error)
    return gradient


def inside(point: Tensor, clean: Tensor, ball: Ball) -> Tensor:
    """The nearest point of the ball, then of [0, 1], image by image."""
    rows = []
    for row, image in zip(point, clean, strict=True):
        offset = row - image
        if isinstance(ball, Linf):
            offset = offset.clamp(-ball.radius, ball.radius)
        elif offset.norm() > ball.radius:
            offset = offset * ball.radius / offset.norm()
        rows.append((image + offset).clamp(0, 1))
    return torch.stack(rows)


def unit_step(gradient: Tensor, ball: Ball) -> Tensor:
    return gradient.sign() if isinstance(ball, Linf) else torch.stack([row / row.norm() for row in gradient])


@pytest.mark.parametrize("random_start", [True, False], ids=["random start", "no start"])
@pytest.mark.parametrize(("steps", "step"), [(1, 1.0), (1, 1.25), (4, 0.4)], ids=["fgsm", "large fgsm", "pgd"])
@pytest.mark.parametrize("ball", BALLS, ids=["linf", "l2"])
def test_pgd_and_fgsm_are_the_projected_ascent_on_the_cross_entropy(
    ball: Ball, steps: int, step: float, random_start: bool, model: Classifier
) -> None:
    model, clean = model.double(), images().double()
    start = generator() if random_start else None
    point = pgd(model, clean, LABELS, ball=ball, steps=steps, rel_step_size=step, generator=start)
    expected = inside(clean + ball.draw(clean, generator()), clean, ball) if random_start else clean
    for _ in range(steps):
        slope = unit_step(independent_gradient(model, expected, LABELS), ball)
        expected = inside(expected + step * ball.radius * slope, clean, ball)
    assert torch.allclose(point, expected, atol=1e-12)


@pytest.mark.parametrize("steps", [0, 1, 5])
def test_pgd_stays_in_its_ball_and_among_valid_pixels(model: Classifier, steps: int) -> None:
    extremes = images().round()  # black and white pixels only: half of every step leaves the valid range
    for clean in (images(), extremes):
        point = pgd(model, clean, LABELS, ball=Linf(RADIUS), steps=steps, rel_step_size=3, generator=generator())
        assert 0 <= point.min() <= point.max() <= 1
        assert (point - clean).abs().max() <= RADIUS + 1e-7


def test_pgd_reaches_the_worst_corner_of_a_linear_net_from_any_start(linear: Linear) -> None:
    model, towards_1 = two_classes(linear)
    labels = torch.tensor([0, 0, 0, 1, 1, 1])
    direction = torch.where(labels.view(-1, 1, 1, 1) == 0, towards_1, -towards_1).sign()
    corner = (images() + RADIUS * direction).clamp(0, 1)
    for start in (generator(), None):
        point = pgd(model, images(), labels, ball=Linf(RADIUS), steps=10, rel_step_size=0.2, generator=start)
        assert torch.allclose(point, corner, atol=1e-6)


def test_every_step_of_pgd_on_a_linear_net_raises_the_loss_of_every_image(linear: Linear) -> None:
    model, _ = two_classes(linear)
    labels = torch.tensor([0, 1, 0, 1, 0, 1])

    def loss(steps: int) -> Tensor:
        point = pgd(model, images(), labels, ball=Linf(RADIUS), steps=steps, rel_step_size=0.2, generator=generator())
        return F.cross_entropy(model(point), labels, reduction="none")

    losses = torch.stack([loss(steps) for steps in range(6)])
    assert (losses.diff(dim=0) > 0).all()


def test_the_start_of_pgd_is_uniform_and_its_only_randomness(model: Classifier, undisturbed: Undisturbed) -> None:
    grey = torch.full((6, 3, 8, 8), 0.5)
    with undisturbed():
        start = pgd(model, grey, LABELS, ball=Linf(RADIUS), steps=0, rel_step_size=1, generator=generator())
    assert torch.allclose(start - grey, uniform(grey, RADIUS, generator()), atol=1e-7)


def test_pgd_in_an_l2_ball_moves_along_the_gradient_of_a_linear_net(linear: Linear) -> None:
    model, towards_1 = two_classes(linear)
    grey = torch.full((2, 3, 8, 8), 0.5)
    point = pgd(model, grey, torch.tensor([0, 1]), ball=L2(0.5), steps=3, rel_step_size=1, generator=None)
    expected = 0.5 * towards_1 / towards_1.norm()
    assert torch.allclose(point - grey, torch.stack([expected, -expected]), atol=1e-6)


@pytest.mark.parametrize("kind", ["pgd", "fgsm", "tpgd", "apgd"])
@pytest.mark.parametrize("ball", BALLS, ids=["linf", "l2"])
def test_every_maximiser_stays_in_its_ball_touches_nothing_else_and_perturbs_every_image(
    kind: str, ball: Ball, model: Classifier, undisturbed: Undisturbed
) -> None:
    for clean in (images(), images().round()):
        wrong = model(clean).argmin(1)  # labels that the network does not predict: the library would return these clean
        settings = {"ball": ball, "steps": 4, "rel_step_size": 0.5}
        before = clean.clone()
        with undisturbed(), frozen(model):
            point = maximise(kind, model, clean, wrong, **settings, generator=generator())
            again = maximise(kind, model, clean, wrong, **settings, generator=generator())
        assert torch.equal(clean, before)
        assert torch.equal(point, again)
        assert 0 <= point.min() <= point.max() <= 1
        offset = (point - clean).flatten(1)
        sizes = offset.abs().amax(1) if isinstance(ball, Linf) else offset.norm(dim=1)
        assert (sizes <= ball.radius + 1e-6).all()
        assert (sizes > 0.1 * ball.radius).all()


@pytest.mark.parametrize("ball", BALLS, ids=["linf", "l2"])
def test_starts_fill_the_ball_and_its_surface(ball: Ball) -> None:
    grey = torch.full((400, 3, 8, 8), 0.5)

    def sizes(offset: Tensor) -> Tensor:
        return offset.flatten(1).abs().amax(1) if isinstance(ball, Linf) else offset.flatten(1).norm(dim=1)

    assert torch.allclose(sizes(ball.on_surface(grey, generator())), torch.full((400,), ball.radius), atol=1e-6)
    drawn = sizes(ball.draw(grey, generator()))
    assert drawn.max() <= ball.radius + 1e-6
    if isinstance(ball, L2):  # uniform in the radius
        assert abs(drawn.mean().item() / ball.radius - 0.5) < 0.05
        assert drawn.min() < 0.02 * ball.radius


# TPGD


@pytest.mark.parametrize("ball", BALLS, ids=["linf", "l2"])
def test_tpgd_is_the_ascent_on_the_divergence_from_the_clean_prediction(ball: Ball, model: Classifier) -> None:
    model = model.double()
    clean = images().double()
    point = tpgd(model, clean, ball=ball, steps=3, rel_step_size=0.25, generator=generator())
    expected = clean + TPGD_START * torch.randn(clean.shape, generator=generator(), dtype=torch.float64)
    expected = inside(expected, clean, ball)
    target = model(clean).softmax(1).detach()
    for _ in range(3):
        expected.requires_grad_()
        prediction = model(expected).softmax(1)
        divergence = (target * (target.log() - prediction.log())).sum()
        [gradient] = torch.autograd.grad(divergence, expected)
        expected = inside(expected.detach() + 0.25 * ball.radius * unit_step(gradient, ball), clean, ball)
    assert torch.allclose(point, expected, atol=1e-12)


def test_all_maximisers_reach_the_same_corner_of_a_linear_net(linear: Linear) -> None:
    model, _ = two_classes(linear)
    labels = torch.tensor([0, 0, 0, 1, 1, 1])
    settings = {"ball": Linf(RADIUS), "steps": 10, "rel_step_size": 0.25}
    fgsm, *others = (
        maximise(kind, model, images(), labels, **settings, generator=generator()) for kind in ("fgsm", "pgd", "apgd")
    )
    for point in others:
        assert torch.allclose(losses(model, point, labels), losses(model, fgsm, labels), atol=1e-4)
