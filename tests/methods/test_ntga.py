"""NTGA: the gradient of the whole objective, the step that was published, and that every image gets one."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from bench.core.data import ImageDataset, Outline
from bench.core.device import float64_device
from bench.core.session import Session
from methods import ntga
from methods._neural_tangent import Kernel, cnn, fnn, trained
from methods.ntga import Ntga, doubles, gradient
from tests.conftest import MadeUp

LABELS = [0, 1, 2, 0, 1, 2, 0, 0, 0, 1, 2, 0, 1, 2, 2, 2, 1, 0, 1, 2, 0, 2, 1]


def noise_of(data: ImageDataset, seed: int = 0, **settings: object) -> Tensor:
    return Ntga.model_validate(settings).generate(data, Session(seed, torch.device("cpu")))


def part(data: ImageDataset, rows: slice) -> ImageDataset:
    return replace(data, images=data.images[rows], labels=data.labels[rows])


def targets(data: ImageDataset) -> Tensor:
    return F.one_hot(data.labels, data.num_classes).double()


def loss(kernel: Kernel, images: Tensor, block: ImageDataset, held_out: ImageDataset, time: float | None) -> Tensor:
    """The objective as it is written, all pairs at once."""
    coefficients = trained(kernel(images, images), targets(block), time)
    logits = kernel(doubles(held_out.images), images) @ coefficients
    return -logits.log_softmax(1)[torch.arange(len(held_out)), held_out.labels].sum()


@pytest.fixture(params=["one chunk", "many chunks"])
def _chunks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ntga.MAP_VALUES, "cpu", 2**20 if request.param == "one chunk" else 250)


@pytest.mark.usefixtures("_chunks")
@pytest.mark.parametrize("kernel", [cnn(), cnn(3), fnn()], ids=["cnn", "cnn, stride 3", "fnn"])
@pytest.mark.parametrize("time", [1.0, 64.0, None])
def test_the_gradient_is_that_of_the_whole_objective(kernel: Kernel, time: float | None, made_up: MadeUp) -> None:
    data = made_up(LABELS, classes=4, size=6)
    block, held_out = part(data, slice(8)), part(data, slice(8, None))
    images = doubles(block.images)
    found = gradient(kernel, images, targets(block), held_out, time)
    point = images.clone().requires_grad_()
    [by_autograd] = torch.autograd.grad(loss(kernel, point, block, held_out, time), point)
    torch.testing.assert_close(found, by_autograd, rtol=1e-6, atol=1e-9 * float(by_autograd.abs().max()))

    generator = torch.Generator().manual_seed(0)
    for _ in range(5):
        direction, step = torch.randn(images.shape, generator=generator, dtype=torch.float64), 1e-5
        before, after = (loss(kernel, images + way * step * direction, block, held_out, time) for way in (-1, 1))
        assert (found * direction).sum().item() == pytest.approx(((after - before) / (2 * step)).item(), rel=1e-5)


def test_the_official_ten_steps_are_the_one_step_bit_for_bit(made_up: MadeUp) -> None:
    """The official loop hands the clean images and the whole radius to each of its single-step attacks."""
    data = made_up(LABELS[:2], classes=3)  # one image is held out in each sweep: two blocks of one image
    noise = noise_of(data, radius=8 / 255)
    for row in (0, 1):
        clean, other = part(data, slice(row, row + 1)), part(data, slice(1 - row, 2 - row))
        protected = images = doubles(clean.images)
        for _ in range(10):
            protected = images + 8 / 255 * gradient(cnn(), images, targets(clean), other, 64.0).sign()
            protected = protected.clamp(0, 1)
        assert torch.equal(noise[row], (255 * (protected - images)).round()[0].to(torch.int8))


def test_one_step_reaches_the_radius_in_every_pixel_that_is_not_saturated(made_up: MadeUp) -> None:
    noise = noise_of(made_up(LABELS, classes=3, low=8, high=248))
    assert (noise.abs() == 8).all()
    assert (noise > 0).any(1).any(1).any(1).all()  # of both signs in each image
    assert (noise < 0).any(1).any(1).any(1).all()


def test_the_noise_itself_ends_where_pixels_do(made_up: MadeUp) -> None:
    data = made_up(LABELS, classes=3)
    protected = data.images.short() + noise_of(data)
    assert (protected.min(), protected.max()) == (0, 255)


@pytest.mark.parametrize("name", ["cnn", "fnn"])
def test_the_loss_rises_and_more_with_more_steps(name: str, made_up: MadeUp) -> None:
    data = made_up(LABELS, classes=3)
    order = torch.randperm(len(LABELS), generator=Session(0, torch.device("cpu")).generator("order"))
    block, held_out = (replace(data, images=data.images[r], labels=data.labels[r]) for r in (order[4:], order[:4]))
    kernel, losses = (cnn() if name == "cnn" else fnn()), []
    for settings in (None, {"steps": 1}, {"steps": 10}):
        noise = torch.zeros(()) if settings is None else noise_of(data, kernel=name, **settings)[order[4:]]
        images = (doubles(block.images) + noise / 255).clamp(0, 1)
        losses.append(loss(kernel, images, block, held_out, 64.0).item())
    assert losses[0] < losses[1] < losses[2]


def test_a_step_of_its_own_size_and_the_default(made_up: MadeUp) -> None:
    data = made_up(LABELS, classes=3, low=8, high=248)
    assert torch.equal(noise_of(data, rel_step_size=1.0), noise_of(data))
    assert set(noise_of(data, rel_step_size=0.5).unique().tolist()) == {-4, 4}
    assert torch.equal(noise_of(data, steps=4), noise_of(data, steps=4, rel_step_size=1.1 / 4))


@pytest.mark.parametrize(
    "setting", [{"kernel": "fnn"}, {"stride": 3}, {"time": 1e6}, {"time": None}, {"block_size": 5}, {"steps": 3}]
)
def test_every_setting_counts(setting: dict[str, object], made_up: MadeUp) -> None:
    data = made_up(LABELS, classes=3)
    assert not torch.equal(noise_of(data, **setting), noise_of(data))


def test_the_official_default_time_is_a_number_of_its_own(made_up: MadeUp) -> None:
    data = made_up(LABELS, classes=3)
    assert torch.equal(noise_of(data), noise_of(data, time=8.0, block_size=512, validation_images=10_000))


# Who is protected, and judged by whom.


class Call:
    """One block: its clean images and those held out, as rows of the data."""

    def __init__(self, data: ImageDataset, images: Tensor, held_out: ImageDataset) -> None:
        levels = (255 * images).round().to(torch.uint8)
        self.block, self.held_out = (
            [int((data.images == image).flatten(1).all(1).nonzero()) for image in part]
            for part in (levels, held_out.images)
        )


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Tensor, ImageDataset]]:
    made: list[tuple[Tensor, ImageDataset]] = []

    def spy(kernel: Kernel, images: Tensor, targets: Tensor, held_out: ImageDataset, time: float) -> Tensor:
        made.append((images, held_out))
        return torch.ones_like(images)

    monkeypatch.setattr(ntga, "gradient", spy)
    return made


@pytest.mark.parametrize(
    ("count", "validation", "held"), [(23, 3, 3), (23, 100, 4), (20, 100, 4), (3, 5, 1), (2, 5, 1)]
)
def test_every_image_is_attacked_once_and_judged_by_clean_images_outside_its_sweep(
    count: int, validation: int, held: int, made_up: MadeUp, calls: list[tuple[Tensor, ImageDataset]]
) -> None:
    data = made_up(LABELS[:count], classes=3, high=200)
    noise = noise_of(data, validation_images=validation, block_size=8)
    blocks = [Call(data, *call) for call in calls]
    assert sorted(row for call in blocks for row in call.block) == list(range(count))
    assert (noise == 8).all()
    first, second = [call for call in blocks if call.held_out == blocks[0].held_out], blocks[-1]
    assert len(first) == len(blocks) - 1 == -(-(count - held) // 8)
    assert {len(call.held_out) for call in blocks} == {held}
    assert second.block == blocks[0].held_out
    assert set(second.held_out) <= {row for call in first for row in call.block}
    for call, (_, held_out) in zip(blocks, calls, strict=True):
        assert not set(call.block) & set(call.held_out)
        assert torch.equal(held_out.labels, data.labels[call.held_out])


@pytest.mark.usefixtures("calls")
def test_the_official_coverage_leaves_the_held_out_and_the_incomplete_block_clean(made_up: MadeUp) -> None:
    noise = noise_of(made_up(LABELS, classes=3, high=200), protect="official", block_size=8).flatten(1)
    assert (noise == 0).all(1).sum() == 4 + 3  # of 23: a fifth, and 19 - 2 x 8
    assert (noise == 8).all(1).sum() == 16


def test_blocks_are_drawn_over_the_whole_set(made_up: MadeUp, calls: list[tuple[Tensor, ImageDataset]]) -> None:
    data = made_up(LABELS, classes=3)
    for seed in (0, 1):
        noise_of(data, seed, block_size=8)
    rows = [Call(data, *call).block for call in calls]
    assert rows[0] != sorted(rows[0])
    assert rows[0] != rows[4]


def test_the_work_is_that_of_the_pairs() -> None:
    assert Ntga().cost(50_000).other == 50_000 * (10_000 + 512) / 250_000
    assert Ntga(steps=10, kernel="fnn").cost(20).other == 10 * 20 * (4 + 20) / 5_000_000


def test_one_image_is_declined() -> None:
    assert Ntga().declines(Outline(1, (3, 8, 8), 2)) == "needs at least two images, one of them to hold out"
    assert not Ntga().declines(Outline(2, (3, 8, 8), 2))


def test_float64_is_computed_where_there_is_float64() -> None:
    assert float64_device(torch.device("mps")) == torch.device("cpu")
    assert float64_device(torch.device("cuda:1")) == torch.device("cuda:1")
