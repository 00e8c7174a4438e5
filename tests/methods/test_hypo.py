"""The delusive family: what the clean network makes of the noise, and what a whole class shares."""

import math
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from bench.core.data import ImageDataset
from bench.core.perturb import frozen
from bench.core.session import IMAGES_PER_PASS, Session
from methods.hypo import Delusive, Hypo, HypoLinf
from tests.conftest import Linear, MadeUp

CPU = torch.device("cpu")
LABELS = [label for label in range(3) for _ in range(7)]
UNTRAINED: dict[str, Any] = {"lr": 1e-12, "weight_decay": 0, "epochs": 1}
KINDS: list[type[Delusive]] = [Hypo, HypoLinf]


def small(kind: type[Delusive], network: str, **settings: Any) -> Delusive:
    values = {"surrogate": network, "epochs": 4, "train_batch_size": 4, "batch_size": 4, "steps": 5, "lr": 0.02}
    return kind(**(values | settings))


def cross_entropy(method: Delusive, data: ImageDataset, noise: Tensor, shift: int = 0) -> Tensor:
    """The loss of each released image on the method's own clean network, towards its class plus `shift`."""
    model = method.train_surrogate(method.surrogate, data, Session(0, CPU))
    with frozen(model), torch.no_grad():
        logits = model(data.protected(noise).floats())
        return F.cross_entropy(logits, (data.labels + shift) % data.num_classes, reduction="none")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("variant", "shift"), [("p1", 1), ("p2", 0)])
def test_the_loss_of_the_clean_network_falls_for_every_image(
    kind: type[Delusive], variant: str, shift: int, two_layers: str, made_up: MadeUp
) -> None:
    data, method = made_up(LABELS, classes=3), small(kind, two_layers, variant=variant)
    noise = method.generate(data, Session(0, CPU))
    before, after = (cross_entropy(method, data, each, shift) for each in (torch.zeros_like(noise), noise))
    assert (after < before).all()
    assert not method.class_wise


@pytest.mark.parametrize("kind", KINDS)
def test_p1_towards_the_next_class_is_p2_of_the_labels_that_say_so(
    kind: type[Delusive], linear: Linear, made_up: MadeUp
) -> None:
    weight = torch.randn(3, 192, generator=torch.Generator().manual_seed(0)) / 10
    data = made_up(LABELS, classes=3)
    rolled = ImageDataset(data.images, (data.labels + 1) % 3, 3)
    p1, p2 = (small(kind, linear(weight), variant=variant, **UNTRAINED) for variant in ("p1", "p2"))
    assert torch.equal(p1.generate(data, Session(0, CPU)), p2.generate(rolled, Session(0, CPU)))


def test_a_linear_network_gives_the_ray_to_the_own_class_at_the_radius(linear: Linear, made_up: MadeUp) -> None:
    data, weight = (
        made_up([0, 1, 0], low=100, high=150),
        torch.randn(2, 192, generator=torch.Generator().manual_seed(0)),
    )
    noise = small(Hypo, linear(weight / 10), **UNTRAINED).generate(data, Session(0, CPU)).float() / 255
    ray = 0.5 * F.normalize(weight[0] - weight[1], dim=0).view(3, 8, 8)
    for image, sign in zip(noise, (1, -1, 1), strict=True):
        assert torch.allclose(image, sign * ray, atol=0.51 / 255)


def test_a_linear_network_gives_the_corner_of_the_own_class(linear: Linear, made_up: MadeUp) -> None:
    data, weight = (
        made_up([0, 1, 0], low=100, high=150),
        torch.randn(2, 192, generator=torch.Generator().manual_seed(0)),
    )
    noise = small(HypoLinf, linear(weight / 10), steps=10, **UNTRAINED).generate(data, Session(0, CPU))
    corner = 8 * (weight[0] - weight[1]).sign().view(3, 8, 8)
    assert torch.equal(noise, torch.stack([corner, -corner, corner]).to(torch.int8))


@pytest.mark.parametrize("kind", KINDS)
def test_p3_is_p4_of_the_next_class_and_a_class_shares_its_noise(
    kind: type[Delusive], two_layers: str, made_up: MadeUp
) -> None:
    data = made_up(LABELS, classes=3)
    p3, p4 = (small(kind, two_layers, variant=variant).generate(data, Session(0, CPU)) for variant in ("p3", "p4"))
    patterns = p4[::7]
    assert torch.equal(p4, patterns[data.labels])
    assert torch.equal(p3, patterns.roll(-1, 0)[data.labels])
    assert len(patterns.flatten(1).unique(dim=0)) == 3


@pytest.mark.parametrize("kind", KINDS)
def test_a_universal_noise_makes_any_image_more_likely_to_be_of_its_class(
    kind: type[Delusive], two_layers: str, made_up: MadeUp
) -> None:
    data, method = made_up(LABELS, classes=3), small(kind, two_layers, variant="p4", steps=10)
    noise = method.generate(data, Session(0, CPU))
    for goal in range(3):
        everywhere = noise[7 * goal].expand_as(noise)
        labels = torch.full_like(data.labels, goal)
        told = ImageDataset(data.images, labels, 3)
        model = method.train_surrogate(method.surrogate, data, Session(0, CPU))
        with frozen(model), torch.no_grad():
            before, after = (
                F.cross_entropy(model(each.floats()), labels) for each in (told, told.protected(everywhere))
            )
        assert after < before


@pytest.mark.parametrize("kind", KINDS)
def test_p5_is_one_random_draw_for_each_class_and_needs_no_network(kind: type[Delusive], made_up: MadeUp) -> None:
    data, session = made_up(LABELS, classes=3), Session(0, CPU)
    method = kind(variant="p5", surrogate="resnet18")
    noise = method.generate(data, session)
    assert session.passes == method.cost(21).passes == 0
    assert torch.equal(noise, noise[::7][data.labels])
    assert len(noise.flatten(1).unique(dim=0)) == 3


def test_every_l2_noise_has_the_radius_but_for_rounding_and_clipped_pixels(two_layers: str, made_up: MadeUp) -> None:
    data, rounding = made_up(LABELS, classes=3, low=100, high=150), 0.5 / 255 * math.sqrt(192)
    for variant in ("p1", "p2", "p5"):
        noise = small(Hypo, two_layers, variant=variant, steps=10).generate(data, Session(0, CPU))
        norms = noise.float().flatten(1).norm(dim=1) / 255
        assert norms.numpy() == pytest.approx(0.5, abs=rounding)


def test_more_noise_on_one_pixel_than_int8_holds_is_refused(linear: Linear, made_up: MadeUp) -> None:
    weight = torch.zeros(2, 192)
    weight[0, 5] = 1
    data, method = made_up([0, 0], high=50), small(Hypo, linear(weight), l2_radius=128 / 255, **UNTRAINED)
    with pytest.raises(ValueError, match="noise reaches 128 grey levels, over the 127 that int8 holds"):
        method.generate(data, Session(0, CPU))


@pytest.mark.parametrize("variant", ["p1", "p2", "p3", "p4", "p5"])
def test_the_forecast_covers_what_is_counted(variant: str, two_layers: str, made_up: MadeUp) -> None:
    data, session = made_up([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0], classes=10), Session(0, CPU)
    method = small(Hypo, two_layers, variant=variant, steps=2)
    method.generate(data, session)
    crafted = {"p3": 10 * 5 * 2 * 4, "p4": 10 * 5 * 2 * 4, "p5": 0}.get(variant, 2 * 11)
    trained = 0 if variant == "p5" else 4 * 8
    assert session.passes == (trained + crafted) / IMAGES_PER_PASS
    assert session.passes <= method.cost(11).passes <= session.passes + 4 * 3 / IMAGES_PER_PASS


@pytest.mark.parametrize(("variant", "up"), [("p2", 0), ("p4", 1)])
def test_the_clip_to_valid_pixels_stops_what_would_be_lost_in_it(
    variant: str, up: int, linear: Linear, made_up: MadeUp
) -> None:
    data, weight = made_up([0, 1, 0], low=255), torch.randn(2, 192, generator=torch.Generator().manual_seed(0)) / 10
    method = small(HypoLinf, linear(weight), variant=variant, steps=10, **UNTRAINED)
    noise = method.generate(data, Session(0, CPU))
    # A universal noise still sees the white image itself in its first step, of 0.8/255; then the gradient is gone.
    expected = torch.where(weight[0] > weight[1], up, -8).view(3, 8, 8)
    assert torch.equal(noise[0], expected.to(torch.int8))
