"""Networks by name: shapes, normalisation and initial weights."""

import math

import pytest
import torch
from torch import nn

from bench.core.models import Classifier, build, classifier_layers, enlarged
from bench.core.network_names import FLAT, MODELS
from bench.core.networks import Dropout
from bench.core.seeding import default_randomness
from tests.conftest import Linear, Undisturbed
from tests.core.training import NARROW


def made(name: str, *, num_classes: int = 10, channels: int = 3, seed: int = 0, size: int = 32) -> Classifier:
    generator = torch.Generator().manual_seed(seed)
    return build(name, num_classes=num_classes, channels=channels, size=(size, size), generator=generator)


def flat(model: nn.Module) -> torch.Tensor:
    return torch.cat([value.flatten().float() for value in model.state_dict().values()])


@pytest.mark.parametrize("name", [*NARROW, *FLAT, "timm/resnet10t", "timm/test_vit/patch4"])
@pytest.mark.parametrize(("channels", "num_classes"), [(3, 10), (1, 2)])
def test_a_network_takes_any_number_of_channels_and_classes(name: str, channels: int, num_classes: int) -> None:
    model = made(name, num_classes=num_classes, channels=channels)
    assert model(torch.rand(2, channels, 32, 32)).shape == (2, num_classes)


@pytest.mark.parametrize("name", [*NARROW, *FLAT, "timm/resnet10t", "timm/test_vit/patch4"])
def test_the_initial_weights_belong_to_the_stream_alone(name: str) -> None:
    weights = flat(made(name))
    torch.rand(3)
    assert torch.equal(flat(made(name)), weights)
    assert not torch.equal(flat(made(name, seed=1)), weights)


def test_the_only_normalisation_is_to_subtract_one_half(linear: Linear) -> None:
    weight = torch.rand(2, 12, generator=torch.Generator().manual_seed(0))
    images = torch.rand(5, 3, 2, 2, generator=torch.Generator().manual_seed(1))
    expected = (images.flatten(1) - 0.5) @ weight.T
    assert torch.allclose(made(linear(weight))(images), expected, atol=1e-6)


def test_resnet18_starts_from_the_default_initialisation_of_each_layer() -> None:
    for layer in made("resnet18").modules():
        if isinstance(layer, nn.Conv2d):
            bound = 1 / math.sqrt(layer.weight[0].numel())
            assert 0.9 * bound < layer.weight.abs().max() <= bound


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("resnet81", "unknown model 'resnet81'; did you mean 'resnet18'?"),
        ("zzz", f"unknown model 'zzz'; choices: {', '.join(MODELS)}, timm/NAME"),
        ("resnet81/8", "unknown model 'resnet81/8'; did you mean 'resnet18'?"),
        ("vgg16/3", f"unknown model 'vgg16/3'; narrower ones are {', '.join(f'vgg16/{2**n}' for n in range(1, 7))}"),
        ("cnn/", f"unknown model 'cnn/'; narrower ones are {', '.join(f'cnn/{n}' for n in (2, 3, 4, 6, 8, 12, 24))}"),
        ("two_linear/2", "unknown model 'two_linear/2'; two_linear has no width to divide"),
        ("timm/test_vit/4", "unknown model 'timm/test_vit/4'; timm/test_vit/patch4 has patches of 4 pixels"),
        (
            "timm/test_vit/patch100",
            "unknown model 'timm/test_vit/patch100'; timm/test_vit/patch4 has patches of 4 pixels",
        ),
        ("timm/resnet10", "unknown model 'timm/resnet10'; did you mean 'timm/resnet10t'?"),
    ],
)
def test_an_unknown_network_is_refused_with_the_choices(name: str, message: str) -> None:
    with pytest.raises(ValueError, match="unknown model") as caught:
        made(name)
    assert str(caught.value) == message


def test_dropout_keeps_half_of_the_values_doubled_and_only_in_training(undisturbed: Undisturbed) -> None:
    values, layers = torch.arange(1.0, 10_001), []
    for _ in range(2):
        with default_randomness(torch.Generator().manual_seed(0)):
            layers.append(Dropout())
    layer, same = layers
    with undisturbed():
        first, second, again = layer(values), layer(values), same(values)
    assert set((first / values).tolist()) == {0.0, 2.0}
    assert first.count_nonzero().item() == pytest.approx(5000, abs=200)
    assert not torch.equal(first, second)
    assert torch.equal(first, again)
    assert torch.equal(layer.eval()(values), values)


def test_two_linear_is_a_linear_map_of_the_pixels_themselves() -> None:
    model, images = made("two_linear", size=8), torch.rand(5, 3, 8, 8, generator=torch.Generator().manual_seed(1))
    first, second = model.parameters()
    assert torch.allclose(model(images), images.flatten(1) @ first.T @ second.T, atol=1e-6)
    assert not model(torch.zeros(1, 3, 8, 8)).any()


def test_a_network_over_flattened_pixels_needs_the_size_of_the_images() -> None:
    with pytest.raises(ValueError, match="two_linear needs the size of the images"):
        build("two_linear", num_classes=2, channels=3, generator=torch.Generator())


@pytest.mark.parametrize(("shape", "height"), [((8, 8), 20), ((8, 12), 17), ((8, 8), 8), ((5, 7), 224)])
def test_images_are_enlarged_as_torch_does_it(shape: tuple[int, int], height: int) -> None:
    images = torch.rand(2, 3, *shape, generator=torch.Generator().manual_seed(0))
    size = (height, height * shape[1] // shape[0])
    expected = nn.functional.interpolate(images, size, mode="bilinear", align_corners=False)
    assert torch.allclose(enlarged(images, height), expected, atol=1e-5)


@pytest.mark.parametrize("name", [*NARROW, *FLAT, "timm/resnet10t", "timm/test_vit/patch4"])
def test_the_classifier_of_every_network_is_known(name: str) -> None:
    model = build(name, num_classes=7, channels=3, generator=torch.Generator(), size=(32, 32))
    [layer] = classifier_layers(model.body)
    found = model.body.get_submodule(layer)
    assert isinstance(found, nn.Linear)
    assert found.out_features == 7
