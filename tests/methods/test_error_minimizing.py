"""The error-minimising family: its points against each other, and the loop around its noise step."""

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import methods._perturbed_views
import methods.error_minimizing
from bench.core.adversary import Linf
from bench.core.data import ImageDataset
from bench.core.perturb import uniform
from bench.core.session import Session
from bench.core.train import DivergedError, update
from methods._perturbed_views import Adversary
from methods.em_stepwise import EmStepwise
from methods.error_minimizing import ErrorMinimizing
from methods.rem import Rem
from methods.sem import Sem
from tests.conftest import MadeUp
from tests.methods.conftest import UseViews
from tests.methods.family import CPU, KINDS, LABELS, SMALL, family, no_views, noise_of

# The family's points are what they should be of each other.


def test_sem_is_rem_whose_noise_step_takes_no_adversarial_step_bit_for_bit(two_layers: str, made_up: MadeUp) -> None:
    data = made_up(LABELS)
    sem = Sem(**{**SMALL, "surrogate": two_layers})
    rem = Rem(**{**SMALL, "surrogate": two_layers, "noise_adv_steps": 0})
    assert torch.equal(noise_of(sem, data), noise_of(rem, data))
    assert not torch.equal(noise_of(sem, data), noise_of(Rem(**{**SMALL, "surrogate": two_layers}), data))


def test_the_named_methods_are_points_of_the_family(two_layers: str, made_up: MadeUp) -> None:
    data = made_up(LABELS)
    named = {**SMALL, "surrogate": two_layers}
    rem, sem = noise_of(Rem(**named), data), noise_of(Sem(**named), data)
    assert torch.equal(rem, noise_of(family(two_layers, noise_step="pgd", surrogate_step="pgd"), data))
    assert torch.equal(sem, noise_of(family(two_layers, noise_step="random", surrogate_step="pgd"), data))
    assert torch.equal(noise_of(Rem(**named, adv_radius=0), data), noise_of(family(two_layers), data))


def test_fgsm_in_the_surrogate_step_is_one_full_step_of_pgd_from_the_view_itself(
    two_layers: str, made_up: MadeUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = made_up(LABELS)
    fgsm = noise_of(family(two_layers, surrogate_step="fgsm"), data)
    monkeypatch.setattr(Linf, "draw", lambda ball, images, generator: torch.zeros_like(images))
    one_step = family(two_layers, surrogate_step="pgd", adv_steps=1, adv_rel_step_size=1.0)
    assert torch.equal(fgsm, noise_of(one_step, data))


def test_em_stepwise_is_the_family_without_views_on_images_without_saturated_pixels(
    two_layers: str, made_up: MadeUp
) -> None:
    data = made_up(LABELS, low=20, high=236)
    settings = {name: value for name, value in SMALL.items() if name != "samples"}
    stepwise = noise_of(EmStepwise(**settings, surrogate=two_layers), data)
    point = {"samples": 1, "views": "identity", "surrogate_views": "flip_crop"}
    assert torch.equal(stepwise, noise_of(family(two_layers, **point), data))
    for other in ({"views": "flip_crop"}, {"surrogate_views": "identity"}):
        assert not torch.equal(stepwise, noise_of(family(two_layers, **(point | other)), data))


def test_the_adversary_of_the_noise_step_has_numbers_of_its_own(
    two_layers: str, made_up: MadeUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: set[tuple[int, float, int]] = set()

    def recording(
        kind: str, model: nn.Module, images: Tensor, *rest: object, ball: Linf, steps: int, **_: Any
    ) -> Tensor:
        calls.add((len(images), round(255 * ball.radius), steps))
        return images

    monkeypatch.setattr("methods._perturbed_views.maximise", recording)
    rem = Rem(**{**SMALL, "surrogate": two_layers, "noise_adv_radius": 16 / 255, "noise_adv_steps": 7, "samples": 3})
    noise_of(rem, made_up([0, 1, 0, 1]))
    assert calls == {(12, 16, 7), (4, 4, 2)}  # noise step: three views of four images; surrogate step: one


@pytest.mark.parametrize("noise_step", KINDS)
@pytest.mark.parametrize("surrogate_step", ["none", "random", "apgd"])
def test_an_adversary_without_radius_is_none(
    noise_step: str, surrogate_step: str, two_layers: str, made_up: MadeUp
) -> None:
    data = made_up(LABELS)
    absent = family(two_layers, noise_step=noise_step, surrogate_step=surrogate_step, adv_radius=0)
    assert torch.equal(noise_of(absent, data), noise_of(family(two_layers), data))


def test_sem_without_a_random_radius_is_adversarial_training_alone(two_layers: str, made_up: MadeUp) -> None:
    data = made_up(LABELS)
    sem = Sem(**{**SMALL, "surrogate": two_layers, "random_radius": 0})
    assert torch.equal(noise_of(sem, data), noise_of(family(two_layers, surrogate_step="pgd"), data))


def test_the_random_radius_is_that_of_random_noise_alone(two_layers: str, made_up: MadeUp) -> None:
    data = made_up(LABELS)
    for steps in ({"noise_step": "pgd", "surrogate_step": "random"}, {"surrogate_step": "random"}):
        point: dict[str, Any] = {"adv_radius": 64 / 255, **steps}
        one, other = (family(two_layers, random_radius=radius, **point) for radius in (None, 8 / 255))
        assert torch.equal(noise_of(one, data), noise_of(other, data))


def test_no_radius_is_clipped_to_another(two_layers: str, made_up: MadeUp, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[float] = []
    for module in (methods.error_minimizing, methods._perturbed_views):
        monkeypatch.setattr(module, "uniform", lambda images, radius, generator: drawn.append(radius) or images * 0)
    sem = Sem(**{**SMALL, "surrogate": two_layers, "random_radius": 32 / 255})
    noise_of(sem, made_up([0, 1]))
    assert set(drawn) == {8 / 255, 32 / 255}  # the start of the noise, and the views; the adversary's own is 4/255


def test_a_clip_of_the_random_noise_gives_point_masses_at_its_bound() -> None:
    images, draws = torch.full((4, 3, 8, 8), 0.5), torch.Generator()
    clipped = Adversary("random", 16 / 255, 0, 1.0, clip=8 / 255)
    noise = clipped(nn.Identity(), images, torch.zeros(4), draws.manual_seed(0)) - images
    wide = uniform(images, 16 / 255, draws.manual_seed(0))
    assert torch.allclose(noise, wide.clamp(-8 / 255, 8 / 255), atol=1e-6)
    assert 0.4 < (noise.abs() > 7.999 / 255).float().mean() < 0.6


def test_each_switch_and_each_radius_changes_the_noise(two_layers: str, made_up: MadeUp) -> None:
    data = made_up(LABELS)
    points: list[dict[str, Any]] = [{"noise_step": a, "surrogate_step": b} for a in KINDS for b in KINDS]
    random = {"noise_step": "random"}
    points += [random | {"random_clip": 4 / 255, "random_radius": 12 / 255}]
    points += [random | {"random_radius": 8 / 255}, random | {"adv_radius": 16 / 255}, {"radius": 4 / 255}]
    wide: dict[str, Any] = {"adv_radius": 64 / 255, "samples": 1}  # a small net hardly notices a small radius
    noises = [noise_of(family(two_layers, **(wide | point)), data).numpy().tobytes() for point in points]
    assert len(set(noises)) == len(points)


# The loop around it.


@pytest.mark.parametrize("noise_step", KINDS)
@pytest.mark.parametrize("surrogate_step", KINDS)
def test_the_forecast_of_passes_is_exact(
    noise_step: str, surrogate_step: str, two_layers: str, made_up: MadeUp
) -> None:
    method, session = family(two_layers, noise_step=noise_step, surrogate_step=surrogate_step), Session(0, CPU)
    method.generate(made_up(LABELS), session)
    assert session.passes == method.cost(len(LABELS)).passes


def test_an_adversary_without_radius_costs_nothing(two_layers: str, made_up: MadeUp) -> None:
    method, session = family(two_layers, noise_step="pgd", surrogate_step="pgd", adv_radius=0), Session(0, CPU)
    method.generate(made_up(LABELS), session)
    assert session.passes == method.cost(len(LABELS)).passes == family(two_layers).cost(len(LABELS)).passes


def test_a_paper_run_costs_the_published_number_of_passes() -> None:
    # Spec 1.6: 61 and 561 passes for each update, and 50 or 550 for each of 390.625 batches of the final pass.
    assert Sem().cost(50_000).passes == 5000 * 61 + 50_000 / 128 * 50
    rem = Rem()
    assert rem.cost(50_000).passes == 5000 * 561 + 50_000 / 128 * 550
    assert EmStepwise().cost(50_000).passes == 5000 * 11 + 50_000 / 128 * 10
    # ImageNet subset: 36 and 232 for each update.
    assert Sem(**Sem.large).cost(0).passes == 3000 * 36
    assert Rem(**Rem.large).cost(0).passes == 3000 * 232


class Recording(ErrorMinimizing):
    """Notes which images each noise step is given; the image called i is grey level i, and its noise is i."""

    source = "test"

    def minimise(self, model: nn.Module, images: Tensor, labels: Tensor, *rest: Any) -> Tensor:
        assert not model.training
        assert not any(parameter.requires_grad for parameter in model.parameters())
        seen.append((255 * images[:, 0, 0, 0]).round().int().tolist())
        return (255 * images).round().to(torch.int8)


seen: list[list[int]] = []


def test_the_final_pass_visits_every_image_once_in_order_even_when_the_batch_does_not_divide_the_set(
    two_layers: str,
) -> None:
    seen.clear()
    levels = torch.arange(10, dtype=torch.uint8).view(-1, 1, 1, 1).expand(-1, 3, 8, 8).contiguous()
    data = ImageDataset(levels, torch.arange(10) % 2, 2)
    noise = Recording(**{**SMALL, "surrogate": two_layers}).generate(data, Session(0, CPU))
    learning, final = seen[:3], seen[3:]
    assert final == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert torch.equal(noise, levels.to(torch.int8))
    assert [len(batch) for batch in learning] == [4, 4, 4]
    assert len({*learning[0], *learning[1]}) == 8


def test_the_surrogate_learns_on_views(
    two_layers: str, made_up: MadeUp, use_views: UseViews, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_views(lambda images, generator: torch.zeros_like)  # every view is black
    learnt: list[Tensor] = []
    monkeypatch.setattr(methods.error_minimizing, "update", lambda model, images, *rest: learnt.append(images))
    monkeypatch.setattr(ErrorMinimizing, "minimise", lambda self, model, images, *rest: images.to(torch.int8))
    monkeypatch.setattr(methods.error_minimizing, "StepLR", lambda *_: SimpleNamespace(step=lambda: None))
    noise_of(family(two_layers), made_up(LABELS))
    assert len(learnt) == 3
    assert not torch.cat(learnt).any()


def test_the_surrogate_learns_on_rounded_noise_from_views_of_valid_images(
    two_layers: str, made_up: MadeUp, use_views: UseViews, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_views(no_views)
    learnt: list[Tensor] = []

    def recording(model: nn.Module, images: Tensor, labels: Tensor, optimiser: torch.optim.SGD) -> Tensor:
        learnt.append(images)
        rates.append(optimiser.param_groups[0]["lr"])
        return update(model, images, labels, optimiser)

    rates: list[float] = []
    monkeypatch.setattr(methods.error_minimizing, "update", recording)
    data = made_up([0, 1, 0, 1])
    noise_of(family(two_layers, updates=5, decay_every=2), data)
    grey_levels = 255 * torch.cat(learnt)
    assert torch.allclose(grey_levels, grey_levels.round(), atol=1e-3)
    assert 0 <= grey_levels.min() <= grey_levels.max() <= 255
    assert rates == pytest.approx([0.1, 0.1, 0.01, 0.01, 0.001])


def test_a_surrogate_that_diverged_gives_no_noise(two_layers: str, made_up: MadeUp) -> None:
    with pytest.raises(DivergedError, match="training left weights that are not finite; lower lr"):
        noise_of(family(two_layers, lr=1e30), made_up(LABELS))
