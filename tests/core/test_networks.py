"""The bodies of networks: weights, stems and widths are those of the literature."""

import itertools
import math

import pytest
import torch
import torchvision
from torch import nn
from torchvision.models.vgg import cfgs, make_layers

from bench.core import residual
from bench.core.densenet import Dense
from bench.core.models import build, misfit
from bench.core.network_names import FLAT, MODELS, divisors, narrowing, whole
from bench.core.residual import Preactivated, Residual
from bench.core.seeding import default_randomness
from tests.core.training import NARROW

FEATURES = {"vgg11": 132_868_840, "vgg16": 138_365_992, "vgg19": 143_678_248}
"""Weights of VGG with batch norm for ImageNet, as torchvision documents them."""
IMAGENET_HEAD = 25_088 * 4_096 + 4_096 + 4_096 * 4_096 + 4_096 + 4_096 * 1_000 + 1_000
OUR_HEAD = 2 * (512 * 512 + 512)
WEIGHTS = {
    ("cnn", 10): sum(9 * a * b + 2 * b for a, b in itertools.pairwise([3, 24, 48, 96, 192])) + 192 * 10 + 10,
    ("resnet18", 10): 11_173_962,  # the CIFAR papers' with a 3x3 stem
    ("resnet18_7x7", 1_000): 11_689_512,  # torchvision's documentation
    ("resnet50", 10): 23_520_842,  # the CIFAR papers' with a 3x3 stem
    ("resnet50_7x7", 1_000): 25_557_032,  # torchvision's documentation
    ("densenet121", 1_000): 7_978_856,  # torchvision's documentation
    ("densenet121_3x3", 10): 6_956_298,  # the CIFAR papers' with a 3x3 stem
    ("wrn34_10", 10): 46_162_714,  # as the next, but for 14 norms and shortcuts with norms
    ("wrn34_10_preactivation", 10): 46_160_474,  # TRADES and all that follow it
    **{(name, 10): total - IMAGENET_HEAD + OUR_HEAD + 512 * 10 + 10 for name, total in FEATURES.items()},
}
"""By network and number of classes."""


def body(name: str, num_classes: int = 10, device: str = "cpu") -> nn.Module:
    with default_randomness(torch.Generator().manual_seed(0)), torch.device(device):
        return MODELS[whole(name)](num_classes, 3, **narrowing(name))


@pytest.mark.parametrize(("name", "classes"), WEIGHTS)
def test_the_networks_have_the_published_number_of_weights(name: str, classes: int) -> None:
    assert sum(weight.numel() for weight in body(name, classes, "meta").parameters()) == WEIGHTS[name, classes]


def test_the_networks_whose_weights_are_counted_are_all_with_convolutions() -> None:
    assert {name for name, _ in WEIGHTS} == set(MODELS) - FLAT


def sizes(name: str, size: int) -> list[int]:
    """Heights of what the blocks of a residual network or DenseNet see, and of what leaves the last one."""
    values, seen, inside = torch.zeros(2, 3, size, size, device="meta"), [], False
    for layer in body(name, device="meta").children():
        block = isinstance(layer, Residual | Preactivated | Dense)
        if block or inside:
            seen.append(values.shape[-1])
        inside = block
        values = layer(values)
    return list(dict.fromkeys(seen))


@pytest.mark.parametrize(
    ("name", "size", "expected"),
    [
        ("resnet18/2", 32, [32, 16, 8, 4]),
        ("resnet50", 32, [32, 16, 8, 4]),
        ("resnet50", 224, [224, 112, 56, 28]),
        ("resnet18_7x7", 224, [56, 28, 14, 7]),
        ("resnet50_7x7", 96, [24, 12, 6, 3]),
        ("wrn34_10", 32, [32, 16, 8]),
        ("wrn34_10_preactivation", 32, [32, 16, 8]),
        ("densenet121", 32, [8, 4, 2, 1]),
        ("densenet121", 224, [56, 28, 14, 7]),
        ("densenet121_3x3", 32, [32, 16, 8, 4]),
    ],
)
def test_stem_and_stages_see_the_sizes_of_the_papers(name: str, size: int, expected: list[int]) -> None:
    assert sizes(name, size) == expected


def test_resnet18_sees_small_images_at_full_resolution() -> None:
    found = body("resnet18")
    stem = nn.Sequential(found.conv1, found.bn1, found.relu, found.maxpool, found.layer1)
    assert stem(torch.rand(2, 3, 8, 8)).shape == (2, 64, 8, 8)


def assert_computes(ours: nn.Module, theirs: nn.Module, size: int) -> None:
    """With the same weights, in the same order, both give the same logits in either mode."""
    with torch.no_grad():
        for one, other in zip(ours.state_dict().values(), theirs.state_dict().values(), strict=True):
            assert one.shape == other.shape
            one.copy_(other)
        images = torch.rand(4, 3, size, size, generator=torch.Generator().manual_seed(0)).double()
        for training in (True, False):
            found, expected = (network.double().train(training)(images) for network in (ours, theirs))
            torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("name", ["resnet18_7x7", "resnet50_7x7"])
def test_a_resnet_computes_what_that_of_torchvision_does(name: str) -> None:
    theirs = getattr(torchvision.models, name.removesuffix("_7x7"))(num_classes=10)
    assert_computes(body(name), theirs, 64)


def test_a_narrow_resnet18_is_made_as_the_full_one_computes() -> None:
    ours = residual._network(residual._small_stem(3, 64), 64, residual.basic, [64, 128, 256, 512], (2, 2, 2, 2), 10)
    assert_computes(ours, body("resnet18"), 16)


def test_densenet121_computes_what_that_of_torchvision_does() -> None:
    theirs = torchvision.models.DenseNet(8, (6, 12, 24, 16), 16, num_classes=10)
    assert_computes(body("densenet121/4"), theirs, 64)
    assert_computes(body("densenet121"), torchvision.models.densenet121(num_classes=10), 32)


def test_a_preactivated_block_passes_on_what_it_got_and_a_residual_one_only_what_is_positive() -> None:
    values = torch.randn(2, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    for block, expected in (
        (Preactivated(4, 4, 1), values),
        (Residual(4, 4, 1, residual.basic), values.relu()),
        (Residual(4, 1, 1, residual.bottleneck), values.relu()),
    ):
        for weight in block.path.parameters():
            nn.init.zeros_(weight)
        assert torch.equal(block.eval()(values.clone()), expected)
    wider = Preactivated(4, 8, 2).eval()
    assert wider.shortcut is not None
    nn.init.zeros_(wider.path[-1].weight)
    assert torch.equal(wider(values.clone()), wider.shortcut(wider.norm(values).relu()))


@pytest.mark.parametrize("name", NARROW)
@pytest.mark.parametrize("size", [8, 16, 28])
def test_the_networks_take_small_and_odd_images(name: str, size: int) -> None:
    assert misfit(name, 10, (3, size, size)) == ""


@pytest.mark.parametrize(("name", "letter"), [("vgg11", "A"), ("vgg16", "D"), ("vgg19", "E")])
def test_vgg_has_the_layers_of_torchvision_and_the_initialisation_of_the_papers(name: str, letter: str) -> None:
    ours = [layer for layer in body(name).modules() if isinstance(layer, nn.Conv2d)]
    theirs = [layer for layer in make_layers(cfgs[letter], batch_norm=True) if isinstance(layer, nn.Conv2d)]
    assert [layer.weight.shape for layer in ours] == [layer.weight.shape for layer in theirs]
    for layer in ours:
        assert layer.weight.std().item() == pytest.approx(math.sqrt(2 / 9 / len(layer.weight)), rel=0.05)
        assert layer.bias is not None
        assert not layer.bias.any()


@pytest.mark.parametrize(("name", "rule"), [("densenet121", "fan in"), ("wrn34_10_preactivation/4", "fan out")])
def test_norms_before_convolutions_come_with_normal_weights(name: str, rule: str) -> None:
    for layer in body(name).modules():
        if isinstance(layer, nn.Conv2d) and layer.weight.numel() > 2_000:
            count = layer.weight[0].numel() if rule == "fan in" else layer.weight[:, 0].numel()
            assert layer.weight.std().item() == pytest.approx(math.sqrt(2 / count), rel=0.1)
        if isinstance(layer, nn.Linear):
            assert not layer.bias.any()


def widths(name: str) -> list[int]:
    """The channels that leave each convolution and linear layer, all but the wide networks' stem and the classifier."""
    layers = [layer for layer in body(name, device="meta").modules() if isinstance(layer, nn.Conv2d | nn.Linear)]
    found = [layer.out_channels if isinstance(layer, nn.Conv2d) else layer.out_features for layer in layers]
    return sorted(found[1 if name.startswith("wrn") else 0 : -1])


@pytest.mark.parametrize("name", sorted(set(MODELS) - FLAT))
def test_a_narrower_network_has_that_share_of_every_width(name: str) -> None:
    assert divisors(name)
    for number in divisors(name)[:3]:
        assert [number * width for width in widths(f"{name}/{number}")] == widths(name)


def test_the_wide_network_without_its_width_is_that_of_16_channels() -> None:
    convolutions = [layer for layer in body("wrn34_10_preactivation/10").modules() if isinstance(layer, nn.Conv2d)]
    assert {layer.out_channels for layer in convolutions} == {16, 32, 64}
    assert len(convolutions) == 1 + 30 + 2


def test_timm_cuts_images_into_patches_of_the_size_that_a_name_asks_for() -> None:
    generator = torch.Generator().manual_seed(0)
    vit = build("timm/test_vit/patch4", num_classes=10, channels=3, size=(32, 32), generator=generator).body
    assert vit.patch_embed.grid_size == (8, 8)
    convnext = build("timm/test_convnext/patch1", num_classes=10, channels=3, size=(32, 32), generator=generator).body
    assert convnext.stem[0].stride == (1, 1)


@pytest.mark.parametrize(
    ("name", "size", "message"),
    [
        ("timm/test_vit", 32, "its patches make a grid of 2x2, fewer than 4x4; write timm/test_vit/patch4"),
        ("timm/test_vit", 8, "its patches make a grid of 0x0, fewer than 4x4; write timm/test_vit/patch1"),
        ("timm/test_vit/patch16", 32, "its patches make a grid of 2x2, fewer than 4x4; write timm/test_vit/patch4"),
        ("timm/resnet10t/patch4", 32, "resnet10t has no patches to set"),
        ("timm/test_convnext/patch33", 32, "its patches are larger than images of 32 pixels"),
        ("timm/test_vit/patch99", 8, "its patches are larger than images of 8 pixels"),
    ],
)
def test_patches_that_make_no_sense_are_refused_in_one_line(name: str, size: int, message: str) -> None:
    assert misfit(name, 10, (3, size, size)) == f"{name} cannot take images of {size}x{size} pixels ({message})"


def test_patches_of_large_images_are_those_of_the_name() -> None:
    assert misfit("timm/test_vit", 10, (3, 64, 64)) == ""
