"""TAP: the analytic corner, the class after one's own, and the step of targeted FGSM."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from bench.core.augment import NO_AUGMENTATION, Augmentation, flip_crop
from bench.core.data import ImageDataset
from bench.core.models import Classifier
from bench.core.perturb import frozen, loss_gradient, uniform
from bench.core.session import IMAGES_PER_PASS, Session
from methods.tap import Tap
from methods.tap_rem import TapRem
from tests.conftest import Linear, MadeUp

CPU = torch.device("cpu")
LABELS = [0, 1, 0, 0, 0, 1, 0]
UNTRAINED: dict[str, Any] = {"lr": 1e-12, "weight_decay": 0, "nesterov": False, "epochs": 1}


class Plain(Tap):
    """TAP without random views."""

    @property
    def augmentation(self) -> Augmentation:
        return NO_AUGMENTATION


def random_weights(classes: int = 2) -> Tensor:
    return torch.randn(classes, 192, generator=torch.Generator().manual_seed(0)) / 10


@pytest.mark.parametrize("targeted", [True, False])
def test_a_linear_surrogate_gives_the_corner_towards_the_other_class(
    targeted: bool, linear: Linear, made_up: MadeUp
) -> None:
    data, weight = made_up(LABELS, low=20, high=236), random_weights()
    towards_1 = (weight[1] - weight[0]).sign().view(3, 8, 8)
    expected = torch.stack([8 * towards_1 if label == 0 else -8 * towards_1 for label in LABELS])
    method = Plain(surrogate=linear(weight), targeted=targeted, batch_size=4, steps=41, **UNTRAINED)
    assert torch.equal(method.generate(data, Session(0, CPU)), expected.to(torch.int8))


def test_the_target_is_the_next_class_and_the_last_class_goes_to_the_first(linear: Linear, made_up: MadeUp) -> None:
    data, weight = made_up([0, 1, 2], classes=3, low=100, high=101), random_weights(3)
    method = Plain(surrogate=linear(weight), radius=60 / 255, **UNTRAINED)
    released = data.protected(method.generate(data, Session(0, CPU)))
    assert ((released.floats() - 0.5).flatten(1) @ weight.T).argmax(1).tolist() == [1, 2, 0]


def test_released_pixels_are_valid_and_the_noise_of_a_saturated_one_points_inwards(
    linear: Linear, made_up: MadeUp
) -> None:
    data, weight = made_up(LABELS, low=255), random_weights()
    noise = Plain(surrogate=linear(weight), steps=41, **UNTRAINED).generate(data, Session(0, CPU))
    assert set(noise.unique().tolist()) == {-8, 0}
    assert torch.equal(noise[0] == -8, (weight[1] < weight[0]).view(3, 8, 8))


def trained(method: Tap, data: ImageDataset) -> Classifier:
    return method.train_surrogate(method.surrogate, data, Session(0, CPU))


def test_one_step_without_views_is_targeted_fgsm_from_the_same_start(two_layers: str, made_up: MadeUp) -> None:
    data = made_up(LABELS, classes=3)
    method = Plain(surrogate=two_layers, steps=1, rel_step_size=1, epochs=2, train_batch_size=4)
    normal = torch.randn(data.images.shape, generator=Session(0, CPU).generator("starts"))
    start = data.floats() + 8 / 255 * normal.clamp(-1, 1)
    model = trained(method, data)
    with frozen(model):
        step = start - 8 / 255 * loss_gradient(model, start, (data.labels + 1) % 3).sign()
    expected = (step - data.floats()).clamp(-8 / 255, 8 / 255)
    expected = (data.floats() + expected).clamp(0, 1) - data.floats()
    noise = method.generate(data, Session(0, CPU))
    assert torch.equal(noise, (255 * expected).round().to(torch.int8))


def test_the_scripts_of_rem_take_one_small_step_from_a_uniform_start_on_a_flipped_crop(
    two_layers: str, made_up: MadeUp
) -> None:
    data = made_up(LABELS, classes=3)
    method = TapRem(surrogate=two_layers, steps=1, train_steps=6, train_batch_size=4)
    session = Session(0, CPU)
    start = data.floats() + uniform(data.floats(), 8 / 255, session.generator("starts"))
    model = trained(method, data)
    view = flip_crop(start, session.generator("views"))
    point = start.requires_grad_()
    with frozen(model):
        [gradient] = torch.autograd.grad(
            F.cross_entropy(model(view(point)), (data.labels + 1) % 3, reduction="sum"), point
        )
    low, high = (data.floats() - 8 / 255).clamp(min=0), (data.floats() + 8 / 255).clamp(max=1)
    expected = (start - 0.064 / 255 * gradient.sign()).clamp(low, high) - data.floats()
    noise = method.generate(data, Session(0, CPU))
    assert torch.equal(noise, (255 * expected).round().to(torch.int8))
    assert TapRem().cost(50_000).passes == 40_000 + 250 * 50_000 / 128


def losses(method: Tap, model: Classifier, data: ImageDataset, noise: Tensor) -> Tensor:
    with frozen(model), torch.no_grad():
        goal = (data.labels + method.targeted) % data.num_classes
        return F.cross_entropy(model(data.floats() + noise.float() / 255), goal, reduction="none")


def test_a_small_trained_network_takes_most_images_for_the_next_class_under_views_too(
    two_layers: str, made_up: MadeUp
) -> None:
    data = made_up([label for label in range(4) for _ in range(12)], classes=4)
    method = Tap(surrogate=two_layers, radius=32 / 255, steps=60, epochs=20, train_batch_size=8, lr=0.05)
    noise, model = method.generate(data, Session(0, CPU)), trained(method, data)
    before, after = (losses(method, model, data, part) for part in (torch.zeros_like(noise), noise))
    assert (after < before).all()
    with frozen(model):
        predicted = model(data.protected(noise).floats()).argmax(1)
    assert (predicted == (data.labels + 1) % 4).float().mean() > 0.8


def test_each_step_sees_the_noisy_image_under_a_view_of_its_own(two_layers: str, made_up: MadeUp) -> None:
    data = made_up(LABELS)
    seen: list[tuple[Tensor, bool]] = []

    def draw(images: Tensor, generator: torch.Generator) -> Callable[[Tensor], Tensor]:
        def view(points: Tensor) -> Tensor:
            seen.append((points.detach(), turn))
            return points.flip(3) if turn else points

        turn = len(seen) % 2 == 1
        return view

    class Turned(Tap):
        @property
        def augmentation(self) -> Augmentation:
            return Augmentation("turned", draw)

    method = Turned(surrogate=two_layers, steps=3, epochs=1)
    noise = method.generate(data, Session(0, CPU)).float() / 255
    crafted = seen[1:]  # the first view is that of the one weight update
    seen.clear()
    model = method.train_surrogate(two_layers, data, Session(0, CPU))
    points = [point for point, _ in crafted] + [data.floats() + noise]
    assert [turned for _, turned in crafted] == [True, False, True]
    low, high = (data.floats() - 8 / 255).clamp(min=0), (data.floats() + 8 / 255).clamp(max=1)
    for (point, turned), following in zip(crafted, points[1:], strict=True):
        with frozen(model):
            gradient = loss_gradient(model, point.flip(3) if turned else point, (data.labels + 1) % 2)
        step = 0.4 / 255 * (gradient.flip(3) if turned else gradient).sign()
        rounding = 0.51 / 255 if following is points[-1] else 1e-6
        assert torch.allclose((point - step).clamp(low, high), following, atol=rounding)


@pytest.mark.parametrize(("targeted", "sign"), [(True, 1), (False, -1)])
def test_of_several_restarts_each_image_keeps_its_best(
    targeted: bool, sign: int, two_layers: str, made_up: MadeUp
) -> None:
    data = made_up([0, 1] * 10, classes=3)
    small: dict[str, Any] = {"surrogate": two_layers, "steps": 2, "epochs": 3, "train_batch_size": 4}
    small["targeted"] = targeted
    one, three = (Plain(restarts=restarts, **small) for restarts in (1, 3))
    sessions = [Session(0, CPU) for _ in range(2)]
    model = trained(one, data)
    first, best = (
        sign * losses(one, model, data, method.generate(data, session))
        for method, session in zip((one, three), sessions, strict=True)
    )
    assert (best <= first + 1e-3).all()  # rounding to grey levels comes after the choice
    assert (best < first - 1e-3).sum() > 5
    steps = 2 * 20 / IMAGES_PER_PASS
    assert sessions[1].passes - sessions[0].passes == 2 * steps
    assert three.cost(20).passes - one.cost(20).passes == 2 * steps


def test_crafting_leaves_the_network_as_it_was_trained(
    two_layers: str, made_up: MadeUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, method = made_up(LABELS), Tap(surrogate=two_layers, steps=3, epochs=2, train_batch_size=4)
    models: list[Classifier] = []
    original = Tap.train_surrogate

    def recording(self: Tap, network: str, data: ImageDataset, session: Session) -> Classifier:
        models.append(original(self, network, data, session))
        return models[-1]

    monkeypatch.setattr(Tap, "train_surrogate", recording)
    method.generate(data, Session(0, CPU))
    before = original(method, two_layers, data, Session(0, CPU)).state_dict()
    assert any("running_mean" in name for name in before)
    assert all(torch.equal(value, before[name]) for name, value in models[0].state_dict().items())


def test_the_cost_of_the_paper() -> None:
    assert Tap().cost(50_000).passes == pytest.approx(250 * 50_000 / 128 + 40 * 50_000 / 128)
