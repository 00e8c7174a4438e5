"""What every method must do, whoever wrote it. A method in METHODS is held to this without being named here."""

import json
import math
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from pydantic import AfterValidator

from bench.core.data import ImageDataset, Outline
from bench.core.network_names import check_name
from bench.core.protocols import Method
from bench.core.session import Session
from methods import METHODS
from tests.conftest import MadeUp, Undisturbed

SMALL: dict[str, dict[str, Any]] = {"ar": {"l2_radius": 0.25, "min_response": 0.1}, "random_l2": {"l2_radius": 0.25}}
"""Settings that make a method small where `small` does not, by its name."""

UNPROTECTED = {"clean"}
"""Methods that make no noise."""

MAKERS = [name for name, kind in METHODS.items() if "file" not in kind.model_fields]
"""Methods that need nothing but images; the others read what somebody else made."""


def networks(method: type[Method]) -> list[str]:
    """The settings that name a network."""
    return [key for key, field in method.model_fields.items() if AfterValidator(check_name) in field.metadata]


def noise_file(folder: Path, data: ImageDataset) -> Path:
    """A file of noise for such images: from -2 to 2 grey levels, whatever the image."""
    values = torch.arange(data.images.numel()).reshape(data.images.shape) % 5 - 2
    np.save(folder / "noise.npy", values.numpy())
    return folder / "noise.npy"


def small(name: str, network: str, file: Path | None = None) -> Method:
    """The method with three of everything it counts, batches of four, a network of two layers; it may need a file."""
    settings = METHODS[name]
    overrides: dict[str, Any] = dict.fromkeys(networks(settings), network)
    if "file" in settings.model_fields:
        overrides["file"] = str(file)
    for key, field in settings.model_fields.items():
        if key == "batch_size":
            overrides[key] = 4
        elif type(field.default) is int:
            overrides[key] = min(field.default, 3)
    return settings.model_validate(overrides | SMALL.get(name, {}))


class Case(NamedTuple):
    """Images that batches of four do not divide, in classes of unequal size, one of them with a single image."""

    labels: list[int]
    classes: int
    channels: int
    size: int


FEW = [0, 1, 1]
"""The labels of fewer images than a batch has."""
CASES = {
    "ten classes, colour": Case([0, 0, 0, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8, 8, 9, 1, 9, 0, 3], 10, 3, 8),
    "two classes, grey": Case([1, 0, 0, 0, 0, 0, 0], 2, 1, 8),
    "a hundred classes, most of them empty": Case([99, 0, 41, 0, 7], 100, 3, 16),
    "large": Case([0, 2, 1, 2, 0, 2], 3, 3, 64),
}


@pytest.fixture(params=METHODS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def method(name: str, two_layers: str, made_up: MadeUp, tmp_path: Path, request: pytest.FixtureRequest) -> Method:
    images = request.getfixturevalue("data") if "data" in request.fixturenames else made_up(FEW)
    return small(name, two_layers, noise_file(tmp_path, images))


@pytest.fixture(params=CASES)
def data(request: pytest.FixtureRequest, made_up: MadeUp) -> ImageDataset:
    case = CASES[request.param]
    return made_up(case.labels, classes=case.classes, channels=case.channels, size=case.size)


def protection(method: Method, data: ImageDataset, seed: int = 0) -> torch.Tensor:
    return method.generate(data, Session(seed, torch.device("cpu")))


def test_small_settings_are_small(method: Method, two_layers: str) -> None:
    assert method.cost(20).passes < 50
    assert {getattr(method, key) for key in networks(type(method))} <= {two_layers}


def test_a_protection_fits_the_images_and_keeps_its_budget(method: Method, data: ImageDataset) -> None:
    noise = protection(method, data)
    assert noise.shape == data.images.shape
    assert noise.dtype in (torch.int8, torch.uint8)
    method.check(data, data.protected(noise))
    if method.norm == "linf" and noise.dtype == torch.int8:
        assert noise.abs().max() <= round(255 * getattr(method, "radius", 0))


def test_every_image_is_protected_even_when_the_batch_does_not_divide_the_set(
    name: str, method: Method, data: ImageDataset
) -> None:
    changed = (data.protected(protection(method, data)).images != data.images).flatten(1).any(1)
    assert changed.all() if name not in UNPROTECTED else not changed.any()


def test_the_same_seed_gives_the_same_bits_and_another_seed_others(method: Method, data: ImageDataset) -> None:
    noise = protection(method, data)
    torch.rand(3)
    assert torch.equal(protection(method, data), noise)
    same = torch.equal(protection(method, data, seed=1), noise)
    assert same != method.draws, "a method that no seed changes says so: draws: ClassVar[bool] = False"


def test_arrays_in_files_change_no_bit(method: Method, data: ImageDataset, request: pytest.FixtureRequest) -> None:
    noise = protection(method, data)
    released = data.protected(noise).images
    request.getfixturevalue("paged")
    again = protection(method, data)
    assert torch.equal(again, noise)
    paged = data.protected(again)
    assert torch.equal(paged.images, released)
    method.check(data, paged)


def test_nothing_outside_is_touched(method: Method, data: ImageDataset, undisturbed: Undisturbed) -> None:
    images, labels, settings = data.images.clone(), data.labels.clone(), method.model_dump()
    with undisturbed():
        protection(method, data)
    assert torch.equal(data.images, images)
    assert torch.equal(data.labels, labels)
    assert method.model_dump() == settings
    assert torch.is_grad_enabled()


def test_the_work_is_counted_and_no_more_than_forecast(method: Method, data: ImageDataset) -> None:
    session = Session(0, torch.device("cpu"))
    method.generate(data, session)
    assert session.passes <= method.cost(len(data)).passes
    assert (session.passes > 0) == (method.cost(len(data)).passes > 0)


def test_a_set_smaller_than_a_batch_is_protected(name: str, method: Method, made_up: MadeUp) -> None:
    data = made_up(FEW)
    changed = (data.protected(protection(method, data)).images != data.images).flatten(1).any(1)
    assert changed.all() or name in UNPROTECTED


def test_a_method_has_a_complete_card(method: Method) -> None:
    assert method.source
    assert method.__doc__
    assert "/" in method.repository or method.repository == "none"
    assert all(deviation and not deviation.endswith(".") for deviation in method.deviations)
    assert isinstance(method.class_wise, bool)


def test_a_method_declines_no_data_that_it_protects(method: Method, data: ImageDataset) -> None:
    assert method.declines(Outline(len(data), data.shape, data.num_classes)) == ""


def test_settings_survive_the_record(name: str, method: Method) -> None:
    assert METHODS[name].model_validate(json.loads(method.model_dump_json())) == method


# What the contract itself rests on.


class Overshooting(Method):
    """Gives the last image one grey level more than its radius."""

    source = "test"
    radius: float = 2 / 255

    def generate(self, data: ImageDataset, session: Session) -> torch.Tensor:
        noise = torch.full(data.images.shape, 2, dtype=torch.int8)
        noise[-1, 0, 0, 0] = -3
        return noise


class Loud(Overshooting):
    norm = "l2"
    l2_radius: float = 1.4 / 255 * math.sqrt(192)


class Unbounded(Overshooting):
    norm = "none"


def test_the_budget_check_finds_the_one_image_that_leaves_it(made_up: MadeUp) -> None:
    data = made_up([0, 1, 1], low=50, high=200)
    released = data.protected(protection(Overshooting(), data))
    with pytest.raises(ValueError, match=r"image 2 leaves the budget: linf norm 0\.01176, bound 0\.00784"):
        Overshooting().check(data, released)
    Overshooting(radius=3 / 255).check(data, released)
    Loud(l2_radius=2 / 255 * math.sqrt(192)).check(data, released)
    with pytest.raises(ValueError, match="image 2 leaves the budget: l2 norm"):
        Loud().check(data, released)
    Unbounded(radius=0).check(data, released)
