"""D-VAE: what the network splits, what it is trained on, and what the two stages make of a protected set."""

import math
from itertools import combinations
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.distributions import Normal, kl_divergence
from torch.nn import functional as F

from attacks._dvae_network import DisentanglingVae, Parts, rate
from attacks.dvae import Dvae
from bench.core.data import ImageDataset
from bench.core.session import Session
from bench.core.train import DivergedError
from tests.conftest import MadeUp

CPU = torch.device("cpu")
SMALL = {"epochs": 2, "batch_size": 4, "width": 4, "latents": 2}


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def network(size: tuple[int, int] = (8, 8), channels: int = 3) -> DisentanglingVae:
    torch.manual_seed(0)
    return DisentanglingVae(num_classes=3, shape=(channels, *size), width=4, latents=6)


def images(count: int = 5, size: tuple[int, int] = (8, 8), channels: int = 3) -> Tensor:
    return torch.rand(count, channels, *size, generator=generator())


# The network


@pytest.mark.parametrize("size", [(8, 8), (9, 7), (32, 32)])
@pytest.mark.parametrize("channels", [1, 3])
def test_both_parts_have_the_shape_of_the_images(size: tuple[int, int], channels: int) -> None:
    batch = images(2, size, channels)
    parts = network(size, channels)(batch, torch.tensor([0, 2]), generator())
    assert parts.images.shape == parts.perturbations.shape == batch.shape
    assert 0 < parts.images.min() < parts.images.max() < 1
    assert parts.rate.shape == ()


def test_the_rate_is_the_divergence_from_a_standard_normal_summed_over_the_latents_of_a_position() -> None:
    mean, log_variance = torch.randn(2, 5, 6, 4, 3, generator=generator())
    each = kl_divergence(Normal(mean, (log_variance / 2).exp()), Normal(0, 1))
    assert torch.allclose(rate(mean, log_variance), each.sum(1).mean())


def test_a_label_reaches_the_perturbation_alone_and_through_its_embedding_alone() -> None:
    vae, batch = network(), images()
    one, other = (vae(batch, torch.full((5,), label), generator()) for label in (0, 1))
    assert torch.equal(one.images, other.images)
    assert (one.perturbations - other.perturbations).abs().max() > 0.01
    with torch.no_grad():
        vae.embedding.weight[1] = vae.embedding.weight[0]
    assert torch.equal(vae(batch, torch.full((5,), 1), generator()).perturbations, one.perturbations)


def test_latents_are_normal_with_the_mean_and_the_variance_of_the_encoder() -> None:
    vae, latents = network(), []
    with torch.no_grad():
        for layer, value in ((vae.mean, 3.0), (vae.log_variance, math.log(4))):
            layer.weight.zero_()
            assert layer.bias is not None
            layer.bias.fill_(value)
    vae.expansion.register_forward_pre_hook(lambda _, given: latents.append(given[0]))
    vae(images(), torch.zeros(5, dtype=torch.long), generator())
    assert torch.allclose(latents[0], 3 + 2 * torch.randn(5, 6, 4, 4, generator=generator()), atol=1e-5)


def test_latents_are_drawn_in_evaluation_too_and_one_draw_serves_both_parts() -> None:
    vae, batch, labels = network().eval(), images(), torch.zeros(5, dtype=torch.long)
    one, same, other = (vae(batch, labels, generator(seed)) for seed in (0, 0, 1))
    for mine, again, theirs in zip(one[:2], same[:2], other[:2], strict=True):
        assert torch.equal(mine, again)
        assert not torch.equal(mine, theirs)
    with torch.no_grad():
        vae.log_variance.weight.zero_()
        vae.log_variance.bias.fill_(-100)
    one, other = (vae(batch, labels, generator(seed)) for seed in (0, 1))
    assert torch.allclose(one.images, other.images)
    assert torch.allclose(one.perturbations, other.perturbations)


# The loss


def parts_of(level: float, perturbation: float, divergence: float) -> tuple[Parts, Tensor]:
    batch = images()
    parts = Parts(torch.full_like(batch, level), torch.full_like(batch, perturbation), torch.tensor(divergence))
    return parts, batch


def test_the_loss_by_hand() -> None:
    parts, batch = parts_of(0.8, 0.5, 7.0)
    expected = F.mse_loss(torch.tensor(0.8).expand_as(batch), batch) + F.mse_loss(torch.ones_like(batch), batch) + 0.07
    assert torch.allclose(Dvae().loss_of(parts, batch, 3.0, bounded=False), expected)
    assert torch.allclose(Dvae().loss_of(parts, batch, 3.0, bounded=True), expected + 0.5**2)


def test_rate_and_energy_cost_nothing_up_to_their_bounds() -> None:
    attack = Dvae(rate_weight=0.5, energy=0.01)
    at_rest = attack.loss_of(*parts_of(0.5, 0.0, 0.0), 3.0, bounded=True)
    assert torch.allclose(attack.loss_of(*parts_of(0.5, 0.0, 2.9), 3.0, bounded=True), at_rest)
    assert torch.allclose(attack.loss_of(*parts_of(0.5, 0.0, 5.0), 3.0, bounded=True), at_rest + 0.5 * 2)
    parts, batch = parts_of(0.5, 0.09, 0.0)
    energies = [attack.loss_of(parts, batch, 3.0, bounded) for bounded in (False, True)]
    assert energies[1] - energies[0] == pytest.approx(0.01, abs=1e-6)  # 0.09 squared is less


# Two stages


class Halving(nn.Module):
    """Finds 10 grey levels of perturbation everywhere, and images half as bright."""

    def forward(self, images: Tensor, labels: Tensor, generator: torch.Generator) -> Parts:
        return Parts(images / 2, torch.full_like(images, 10 / 255), torch.zeros(()))


def test_perturbations_go_twice_and_the_victim_sees_the_second_reconstruction_of_what_is_left(
    made_up: MadeUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained: list[tuple[Tensor, int]] = []

    def noting(attack: Dvae, data: ImageDataset, stage: int, session: Session) -> nn.Module:
        trained.append((data.images, stage))
        return Halving()

    monkeypatch.setattr(Dvae, "_train", noting)
    released, clean = made_up([0, 1, 0]), made_up([1, 0, 1, 0])
    victims = Dvae(batch_size=2).prepare(released, clean, Session(0, CPU)).images
    once = (released.images.int() - 10).clamp(min=0)
    assert [stage for _, stage in trained] == [0, 1]
    assert torch.equal(trained[0][0], released.images)
    assert torch.equal(trained[1][0].int(), once)
    assert torch.equal(victims, ((once - 10).clamp(min=0) / 2).round().to(torch.uint8))


def test_kappa_changes_from_stage_to_stage_and_the_energy_counts_from_its_epoch_on(
    made_up: MadeUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[float, bool]] = []
    loss_of = Dvae.loss_of

    def noting(attack: Dvae, parts: Parts, images: Tensor, kappa: float, bounded: bool) -> Tensor:
        asked.append((kappa, bounded))
        return loss_of(attack, parts, images, kappa, bounded)

    monkeypatch.setattr(Dvae, "loss_of", noting)
    data = made_up([0, 1, 0])
    Dvae.model_validate({**SMALL, "epochs": 5, "unbounded": 0.4}).prepare(data, data, Session(0, CPU))
    assert asked == [(kappa, epoch >= 2) for kappa in (1.0, 3.0) for epoch in range(5)]


@pytest.mark.parametrize(("count", "updates"), [(12, 3), (11, 2), (3, 1)])
def test_the_forecast_of_passes_is_what_is_counted(count: int, updates: int, made_up: MadeUp) -> None:
    attack, session, data = Dvae.model_validate(SMALL), Session(0, CPU), made_up([0, 1, 0] * 4)
    data = data.only(torch.arange(count))
    attack.prepare(data, data, session)
    assert session.passes == attack.cost(count, 0).passes == 2 * 2 * updates * min(4, count) / 128
    assert Dvae().cost(50_000, 0).passes == 2 * 60 * 390


def test_another_seed_gives_other_images(made_up: MadeUp) -> None:
    data, attack = made_up([0, 1] * 4), Dvae.model_validate(SMALL)
    one, other = (attack.prepare(data, data, Session(seed, CPU)).images for seed in (0, 1))
    assert not torch.equal(one, other)


def test_every_seed_and_stage_begins_with_weights_of_its_own(made_up: MadeUp) -> None:
    data, attack = made_up([0, 1] * 4), Dvae.model_validate({**SMALL, "lr": 1e-30})
    starts = [attack._train(data, stage, Session(seed, CPU)).mean.weight for seed, stage in ((0, 0), (0, 1), (1, 0))]
    assert all(not torch.equal(one, other) for one, other in combinations(starts, 2))


def test_a_hundred_classes_of_which_most_are_empty(made_up: MadeUp) -> None:
    data = made_up([0, 99, 99], classes=100)
    assert Dvae.model_validate(SMALL).prepare(data, data, Session(0, CPU)).images.dtype == torch.uint8


def test_an_autoencoder_that_diverges_says_so(made_up: MadeUp) -> None:
    data = made_up([0, 1] * 4)
    with pytest.raises(DivergedError, match="lower lr"):
        Dvae.model_validate({**SMALL, "lr": 1e30}).prepare(data, data, Session(0, CPU))


# What it is for


@pytest.fixture
def smooth() -> ImageDataset:
    """Smooth grey images in two classes that do not differ."""
    images = F.interpolate(torch.rand(160, 1, 2, 2, generator=generator()), 8, mode="bilinear", align_corners=True)
    return ImageDataset((60 + 135 * images).round().to(torch.uint8), torch.arange(160) % 2, 2)


def distance(one: ImageDataset, other: ImageDataset) -> float:
    return float(torch.sqrt(F.mse_loss(255 * one.floats(), 255 * other.floats())))


def test_the_pattern_of_a_class_is_found_and_the_victim_sees_images_nearer_to_the_clean_ones(
    smooth: ImageDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[ImageDataset] = []
    purified = Dvae._purified

    def noting(attack: Dvae, *given: Any) -> ImageDataset:
        steps.append(purified(attack, *given))
        return steps[-1]

    monkeypatch.setattr(Dvae, "_purified", noting)
    patterns = 64 * torch.randint(0, 2, (2, *smooth.shape), generator=generator()) - 32
    released = smooth.protected(patterns.to(torch.int8)[smooth.labels])
    attack = Dvae(epochs=10, batch_size=16, width=8, latents=8, energy=0.02)
    victims = attack.prepare(released, smooth, Session(0, CPU))
    found = released.floats() - steps[0].floats()
    for label in (0, 1):
        mean = found[smooth.labels == label].mean(0)
        both = torch.stack([mean.flatten(), *patterns.flatten(1)[[label, 1 - label]]])
        own, foreign = torch.corrcoef(both)[0, 1:]
        assert own > 0.6
        assert foreign < 0.2
    assert distance(released, smooth) == pytest.approx(32)
    assert distance(steps[0], smooth) < 24
    assert distance(victims, smooth) < 29
