"""The noise step of the error-minimising family, against analysis and plain loops."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from bench.core.augment import FlipCrop, flip_crop
from bench.core.models import Classifier, build
from bench.core.perturb import frozen, quantised, uniform
from methods.error_minimizing import ErrorMinimizing
from tests.conftest import Linear, MadeUp
from tests.methods.conftest import UseViews
from tests.methods.family import KINDS, LABELS, family, generators, no_views, noise_of, start, trained


def striped(linear: Linear) -> tuple[Classifier, Tensor]:
    """A linear network that is surer of class 0 along a striped direction, and where white images should go up."""
    direction = torch.ones(192)
    direction[::2] = -1
    name = linear(torch.stack([direction, -direction]) / 50)
    model = build(name, num_classes=2, channels=3, generator=generators().starts)
    return model, direction.view(3, 8, 8).expand(4, -1, -1, -1) > 0


def test_a_saturated_pixel_always_reaches_the_corner_where_the_noise_is_projected(linear: Linear) -> None:
    model, up = striped(linear)
    white, labels = torch.ones(4, 3, 8, 8), torch.zeros(4, dtype=torch.int64)
    with frozen(model):
        noise = family("linear", steps=10, views="identity", saturated="project").minimise(
            model, white, labels, generators()
        )
    assert (noise[up] == 0).all()
    assert (noise[~up] == -8).all()


# A linear network has one best noise, whatever else is going on.


@pytest.mark.parametrize("point", [("none", "none"), ("random", "pgd"), ("pgd", "pgd")])
def test_a_linear_surrogate_gives_the_corner_away_from_the_other_class(
    point: tuple[str, str], linear: Linear, made_up: MadeUp, use_views: UseViews
) -> None:
    use_views(no_views)
    weight = torch.randn(2, 192, generator=torch.Generator().manual_seed(0)) / 10
    data = made_up(LABELS, low=20, high=236)
    towards_1 = (weight[1] - weight[0]).sign().view(3, 8, 8)
    expected = torch.stack([-8 * towards_1 if label == 0 else 8 * towards_1 for label in LABELS]).to(torch.int8)
    method = family(linear(weight), noise_step=point[0], surrogate_step=point[1], steps=10, lr=1e-9, updates=1)
    assert torch.equal(noise_of(method, data), expected)


def test_saturated_pixels_move_only_where_the_clip_lets_a_gradient_through(linear: Linear, use_views: UseViews) -> None:
    use_views(no_views)
    model, up = striped(linear)
    images, labels = torch.ones(4, 3, 8, 8), torch.zeros(4, dtype=torch.int64)
    with frozen(model):
        noise = family("linear", steps=10).minimise(model, images, labels, generators())
    began = start(images)
    kept = quantised(began, 8 / 255)
    assert (noise[up] >= 0).all()
    assert (noise[~up & (began <= 0)] == -8).all()
    stuck = began > 0
    assert torch.equal(noise[stuck], kept[stuck])
    assert min(int((stuck & up).sum()), int((stuck & ~up).sum())) > 100


def test_a_pixel_that_every_view_drops_keeps_its_start_and_all_others_reach_the_corner(
    linear: Linear, made_up: MadeUp, use_views: UseViews
) -> None:
    data = made_up(LABELS, low=20, high=236)
    fixed = flip_crop(data.floats(), torch.Generator().manual_seed(1))
    rows = [tensor.repeat(2, 1) for tensor in (fixed.rows, fixed.columns, fixed.adjoint_rows, fixed.adjoint_columns)]
    use_views(lambda images, generator: FlipCrop(*rows))
    weight = torch.randn(2, 192, generator=torch.Generator().manual_seed(0)) / 10
    model = build(linear(weight), num_classes=2, channels=3, generator=generators().starts)
    with frozen(model):
        noise = family("linear", steps=10).minimise(model, data.floats(), data.labels, generators())
    blank = torch.zeros(data.images.shape, requires_grad=True)
    seen = torch.autograd.grad(fixed(blank).sum(), blank)[0] > 0
    assert 0 < (~seen).sum() < seen.numel() / 3
    assert torch.equal(noise[~seen], quantised(start(data.floats()), 8 / 255)[~seen])
    assert (noise[seen].abs() == 8).all()


# The noise step against an implementation by plain loops.


@pytest.mark.parametrize("kind", ["none", "random"])
def test_a_noise_step_sums_the_gradients_of_its_views_in_any_order(
    kind: str, two_layers: str, made_up: MadeUp, use_views: UseViews
) -> None:
    # In double precision, where no sum is so close to zero that its order decides a sign.
    data = made_up(LABELS)
    model, images, count, samples = trained(two_layers, data, torch.float64), data.floats().double(), len(LABELS), 3
    drawn: list[FlipCrop] = []

    def recording(images: Tensor, generator: torch.Generator) -> FlipCrop:
        drawn.append(flip_crop(images, generator))
        return drawn[-1]

    use_views(recording)
    method = family(two_layers, noise_step=kind, samples=samples, steps=4)
    with frozen(model):
        noise = method.minimise(model, images, data.labels, generators())
        expected, draws = start(images), generators().draws
        for step in drawn:
            shape = (samples * count, *images.shape[1:])
            offsets = uniform(torch.empty(shape, dtype=torch.float64), 4 / 255, draws)
            total = torch.zeros_like(images)
            for sample in reversed(range(samples)):
                for row in range(count):
                    place = slice(sample * count + row, sample * count + row + 1)
                    view = FlipCrop(*(getattr(step, part)[place] for part in step.__dataclass_fields__))
                    pixels = (images[[row]] + expected[[row]]).requires_grad_()
                    shown = view(pixels.clamp(0, 1))
                    offset = (shown + offsets[place]).clamp(0, 1) - shown if kind == "random" else 0
                    loss = F.cross_entropy(model(shown + torch.as_tensor(offset).detach()), data.labels[[row]])
                    total[row] += torch.autograd.grad(loss, pixels)[0][0]
            expected = (expected - 0.2 * 8 / 255 * total.sign()).clamp(-8 / 255, 8 / 255)
    assert len(drawn) == 4
    assert torch.equal(noise, quantised(expected, 8 / 255))


@pytest.mark.parametrize("kind", KINDS)
def test_the_loss_on_fresh_views_falls_from_the_start_to_the_noise(kind: str, two_layers: str, made_up: MadeUp) -> None:
    data = made_up([0, 1] * 16)
    model = trained(two_layers, data)
    method = ErrorMinimizing(surrogate=two_layers, noise_step=kind)

    def loss(noise: Tensor) -> float:
        protected = (data.floats() + noise).clamp(0, 1).repeat(20, 1, 1, 1)
        views = flip_crop(protected, torch.Generator().manual_seed(99))(protected)
        return F.cross_entropy(model(views), data.labels.repeat(20)).item()

    with frozen(model):
        noise = method.minimise(model, data.floats(), data.labels, generators())
        assert loss(noise.float() / 255) < 0.9 * loss(start(data.floats()))


@pytest.mark.parametrize("kind", KINDS)
def test_a_noise_step_changes_nothing_in_the_surrogate(kind: str, two_layers: str, made_up: MadeUp) -> None:
    data = made_up(LABELS)
    model = trained(two_layers, data)
    F.cross_entropy(model(data.floats()), data.labels).backward()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    gradients = [parameter.grad.clone() for parameter in model.parameters() if parameter.grad is not None]
    assert gradients
    with frozen(model):
        family(two_layers, noise_step=kind).minimise(model, data.floats(), data.labels, generators())
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert all(torch.equal(p.grad, g) for p, g in zip(model.parameters(), gradients, strict=True) if p.grad is not None)
