"""Noise and images from files: what is read, in which form, and what is refused in one line."""

import pickle
from collections import OrderedDict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch
from torch import Tensor

from bench.core.content import HASH
from bench.core.data import ImageDataset, Outline
from bench.core.datasets.synthetic import Synthetic
from bench.core.session import Session
from bench.core.tensor_file import write_tensor
from methods.from_file import FromFile, NoiseFile, NoiseFileL2, UnboundedFile
from tests.conftest import MadeUp

LABELS = [0, 0, 1, 2, 1, 0, 2]
Save = Callable[[Path, Any], object]
FORMS: dict[str, Save] = {
    "a.npy": np.save,
    "a.npz": lambda file, array: np.savez(file, noise=array),
    "a.pt": lambda file, array: torch.save(torch.from_numpy(array), file),
    "a.pth": lambda file, array: torch.save({"noise": torch.from_numpy(array), "epoch": 3}, file),
    "a.safetensors": lambda file, array: safetensors.torch.save_file({"protection": torch.from_numpy(array)}, file),
    "a.pkl": lambda file, array: file.write_bytes(pickle.dumps(array)),
    "b.pkl": lambda file, array: file.write_bytes(pickle.dumps((array, LABELS))),
    "c.pkl": lambda file, array: file.write_bytes(pickle.dumps(OrderedDict(noise=array, eps=np.float32(8)))),
    "d.pkl": lambda file, array: file.write_bytes(pickle.dumps(np.asfortranarray(array.astype(">i4")), protocol=0)),
    "e.pkl": lambda file, array: file.write_bytes(pickle.dumps(array, protocol=5)),
    "f.pkl": lambda file, array: file.write_bytes(
        pickle.dumps(array.transpose(0, 2, 3, 1).copy().transpose(0, 3, 1, 2), protocol=5)
    ),
    "g.pkl": lambda file, array: file.write_bytes(pickle.dumps({"x": array, "y": list(np.asarray(LABELS))})),
    "h.npz": lambda file, array: np.savez(file, x=array, poisoned=np.ones(7, bool), losses=np.full(7, np.inf)),
    "A.NPY": lambda file, array: np.save(file.with_suffix(".npy"), array) or file.with_suffix(".npy").rename(file),
    "a.pickle": lambda file, array: file.write_bytes(pickle.dumps({"noise": array, "eps": 8}, protocol=2)),
}


@pytest.fixture
def data(made_up: MadeUp) -> ImageDataset:
    return made_up(LABELS, classes=3, channels=3, size=8, low=0, high=256)


@pytest.fixture
def noise(data: ImageDataset) -> Tensor:
    """int8, up to 8 grey levels."""
    return torch.randint(-8, 9, data.images.shape, generator=torch.Generator().manual_seed(0), dtype=torch.int8)


def generated(method: FromFile, data: ImageDataset) -> Tensor:
    found = method.generate(data, Session(0, torch.device("cpu")))
    method.check(data, data.protected(found))
    return found


def saved(folder: Path, array: Any, name: str = "a.npy") -> str:
    FORMS[name](folder / name, np.asarray(array))
    return str(folder / name)


@pytest.mark.parametrize("name", FORMS)
def test_every_format_gives_the_same_noise(name: str, tmp_path: Path, data: ImageDataset, noise: Tensor) -> None:
    method = NoiseFile(file=saved(tmp_path, noise, name))
    assert torch.equal(generated(method, data), noise)
    assert method.declines(Outline(len(data), data.shape, 3)) == ""


@pytest.mark.parametrize("shared", [False, True])
def test_forms_of_values_and_axes_are_told_apart(
    shared: bool, tmp_path: Path, data: ImageDataset, noise: Tensor
) -> None:
    wise: Any = {"wise": "class"} if shared else {}
    noise = noise[:3] if shared else noise
    expected = noise[data.labels] if shared else noise
    last = noise.permute(0, 2, 3, 1)
    forms: list[tuple[Tensor, dict[str, Any]]] = [
        (noise.float() / 255, {}),
        (noise.double() / 255, {}),
        (noise.half(), {"divide": 255}),
        (last.short(), {}),
        (last.float() / 255 * 2, {"divide": 2.0}),
    ]
    for array, settings in forms:
        method = NoiseFile(file=saved(tmp_path, array), **settings, **wise)
        assert torch.equal(generated(method, data), expected)
        assert method.class_wise == shared


def test_images_are_released_as_they_are(tmp_path: Path, data: ImageDataset, noise: Tensor) -> None:
    released = data.protected(noise).images
    for array in (released, released.float() / 255, released.permute(0, 2, 3, 1)):
        found = generated(NoiseFile(file=saved(tmp_path, array), holds="images"), data)
        assert found.dtype == torch.uint8
        assert torch.equal(found, released)


def test_noise_beyond_int8_becomes_images(tmp_path: Path, data: ImageDataset) -> None:
    pixel = torch.zeros(data.images.shape, dtype=torch.int16)
    pixel[..., 2, 3] = 255
    found = generated(UnboundedFile(file=saved(tmp_path, pixel)), data)
    assert torch.equal(found, (data.images.short() + pixel).clamp(0, 255).byte())


def test_grey_images_need_no_axis_of_channels(tmp_path: Path, made_up: MadeUp) -> None:
    data = made_up([0, 1, 1], channels=1)
    array = torch.arange(3 * 64).reshape(3, 8, 8) % 8 + 1
    assert torch.equal(generated(NoiseFile(file=saved(tmp_path, array)), data), array[:, None].to(torch.int8))


def test_what_leaves_the_radius_is_refused_in_either_norm(tmp_path: Path, data: ImageDataset, noise: Tensor) -> None:
    file = saved(tmp_path, 2 * noise)
    with pytest.raises(ValueError, match="leaves the budget: linf norm"):
        generated(NoiseFile(file=file), data)
    generated(NoiseFile(file=file, radius=16 / 255), data)
    with pytest.raises(ValueError, match="leaves the budget: l2 norm"):
        generated(NoiseFileL2(file=file, l2_radius=0.1), data)
    generated(NoiseFileL2(file=file, l2_radius=0.9), data)


def test_numbers_of_every_kind_are_read(tmp_path: Path, data: ImageDataset, noise: Tensor) -> None:
    array = noise.numpy()
    kinds = [">i2", "<i4", np.int64, np.longlong, "F", "reversed"]
    for number, kind in enumerate(kinds):
        file = tmp_path / f"{number}.npy"
        if kind == "F":
            np.save(file, np.asfortranarray(array))
        elif kind == "reversed":
            np.save(file, array[::-1].copy()[::-1])
        else:
            np.save(file, array.astype(kind))
        assert torch.equal(generated(NoiseFile(file=str(file)), data), noise)
    for kind in (np.uint16, np.uint32, np.uint64):
        images = data.protected(noise).images
        np.save(tmp_path / "images.npy", images.numpy().astype(kind))
        assert torch.equal(generated(NoiseFile(file=str(tmp_path / "images.npy"), holds="images"), data), images)
    torch.save(noise.to(torch.bfloat16), tmp_path / "b.pt")
    assert torch.equal(generated(NoiseFile(file=str(tmp_path / "b.pt"), divide=255), data), noise)


def test_our_own_noise_is_read(tmp_path: Path, data: ImageDataset, noise: Tensor) -> None:
    write_tensor(
        tmp_path / "ours.safetensors", "protection", [noise], shape=noise.shape, dtype=torch.int8, about={"key": "a"}
    )
    assert torch.equal(generated(NoiseFile(file=str(tmp_path / "ours.safetensors")), data), noise)


def with_labels(folder: Path, noise: Tensor, labels: Any) -> str:
    np.savez(folder / "a.npz", x=noise.numpy(), y=np.asarray(labels))
    return str(folder / "a.npz")


def test_labels_in_the_file_are_compared(tmp_path: Path, data: ImageDataset, noise: Tensor) -> None:
    array = np.asarray(LABELS)
    forms = [array, array[:, None], np.eye(3)[array], array.astype(np.float32)]
    for labels in (*forms, LABELS[:3], np.zeros((7, 2))):  # the last two are no labels of these images
        assert torch.equal(generated(NoiseFile(file=with_labels(tmp_path, noise, labels)), data), noise)
    for labels in (form[::-1] for form in forms):
        with pytest.raises(ValueError, match=r"a.npz: another order: image 0 has label 2, in the data 0; 2 labels"):
            generated(NoiseFile(file=with_labels(tmp_path, noise, labels)), data)
    (tmp_path / "a.pkl").write_bytes(pickle.dumps((noise.numpy(), list(array[::-1]))))
    with pytest.raises(ValueError, match=r"a.pkl: another order"):
        generated(NoiseFile(file=str(tmp_path / "a.pkl")), data)


def bare_class(noise: Tensor) -> Tensor:
    return noise * torch.tensor([label != 1 for label in LABELS])[:, None, None, None]


WRONG: Mapping[str, tuple[Callable[[Tensor], Any], dict[str, Any], str]] = {
    "not finite": (lambda noise: noise.float().div(255).masked_fill(noise == 3, torch.nan), {}, "some values are not"),
    "grey levels": (
        lambda noise: noise.float(),
        {},
        r"values go from -8 to 8: floats are in \[0, 1\] units; write div",
    ),
    "too high": (lambda noise: noise.int() * 100, {}, r"values go from -800 to 800: whole numbers are in grey levels"),
    "negative": (lambda noise: noise, {"holds": "images"}, r"values go from -8 to 8: whole numbers .*, 0 to 255"),
    "unsigned": (lambda noise: noise.abs().byte(), {}, "uint8 has no negative values, so it is no noise"),
    "divided": (lambda noise: noise, {"divide": 2}, "divide is for floats; whole numbers are in grey levels"),
    "images": (lambda noise: noise.int() + 100, {}, "no value is negative and most are high, as in images"),
    "a bare class": (bare_class, {}, "class 1 is not protected: none of its images changes"),
}


@pytest.mark.parametrize("case", WRONG)
def test_values_that_are_no_noise_are_refused(case: str, tmp_path: Path, data: ImageDataset, noise: Tensor) -> None:
    change, settings, told = WRONG[case]
    with pytest.raises(ValueError, match=f"a.npy: {told}"):
        generated(UnboundedFile(file=saved(tmp_path, change(noise)), **settings), data)


def test_images_in_another_order_or_of_one_grey_level_are_refused(tmp_path: Path, data: ImageDataset) -> None:
    for images, told in (
        (data.images.roll(1, 0), "another order: 7 of 7 images are more like another clean image"),
        (data.images * (torch.arange(7) != 4)[:, None, None, None], "image 4 is one grey level everywhere"),
    ):
        with pytest.raises(ValueError, match=told):
            generated(UnboundedFile(file=saved(tmp_path, images), holds="images"), data)


def test_images_that_were_of_one_grey_level_are_no_fault(tmp_path: Path, data: ImageDataset) -> None:
    flat = data.images.clone()
    flat[4] = 100
    before = ImageDataset(flat, data.labels, 3)
    noise = torch.full(flat.shape, 3, dtype=torch.int8)
    assert torch.equal(generated(NoiseFile(file=saved(tmp_path, noise)), before), noise)


def test_two_classes_of_ten_that_are_exchanged_are_another_order(tmp_path: Path, made_up: MadeUp) -> None:
    data = made_up(sorted([*range(10)] * 70), classes=10, low=0, high=256)
    exchanged = torch.cat([data.images[70:140], data.images[:70], data.images[140:]])
    released = data.filled(lambda part: exchanged[part] ^ 1).images
    with pytest.raises(ValueError, match=r"another order: 100 of 500 images are more like another clean image"):
        generated(UnboundedFile(file=saved(tmp_path, released), holds="images"), data)


def test_images_that_are_hard_to_know_again_are_in_order(tmp_path: Path, made_up: MadeUp) -> None:
    """Inverted, brighter, of half the contrast, blurred, or with noise of a quarter of the range."""
    data = Synthetic(size=16, train_images=200, test_images=10).load(tmp_path).train
    images = data.images.int()
    noise = torch.randint(-64, 65, images.shape, generator=torch.Generator().manual_seed(0))
    blurred = torch.nn.functional.avg_pool2d(images.float(), 3, 1, 1)
    for released in (255 - images, images + 60, 64 + images / 2, blurred, images + noise):
        expected = released.clamp(0, 255).to(torch.uint8)
        assert torch.equal(generated(UnboundedFile(file=saved(tmp_path, expected), holds="images"), data), expected)


def test_other_images_are_declined_in_words(tmp_path: Path, noise: Tensor) -> None:
    method = NoiseFile(file=saved(tmp_path, noise))
    assert method.declines(Outline(9, (3, 16, 16), 3)) == (
        f"{method.file.written} has 7 rows of 3x8x8, the data 9 of 3x16x16, one for each image"
    )
    assert "3 of 3x8x8, one for each class" in method.model_copy(update={"wise": "class"}).declines(
        Outline(7, (3, 8, 8), 3)
    )


def test_patterns_of_classes_are_no_images() -> None:
    with pytest.raises(ValueError, match="wise: class is for noise"):
        NoiseFile(file=HASH + "0" * 16, wise="class", holds="images")
