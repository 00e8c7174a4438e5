import numpy as np
import pytest
import torch
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from bench.run.perceptibility import BATCH, _batches, perceptibility
from bench.run.perceptibility import structural_similarity as ours


def test_a_change_of_one_pixel_by_hand() -> None:
    clean = torch.full((2, 3, 8, 8), 100, dtype=torch.uint8)
    released = clean.clone()
    released[0, :, 2, 3] = torch.tensor([103, 100, 96])
    released[1, 0, 0, 0] = 255
    size = perceptibility(clean, released)
    assert size["linf"] == round(155 / 255, 6)
    assert size["mean_l2"] == pytest.approx((5 + 155) / 2 / 255, abs=1e-6)
    assert size["mean_l0"] == 1
    assert size["changed"] == round(3 / 384, 6)
    assert size["saturated"] == round(1 / 384, 6)
    assert size["psnr"] == pytest.approx(10 * np.log10(255**2 / ((25 + 155**2) / 384)), abs=1e-3)


def test_nothing_changed() -> None:
    images = torch.zeros(1, 1, 8, 8, dtype=torch.uint8)
    size = perceptibility(images, images)
    assert size == {
        "linf": 0, "mean_l2": 0, "mean_l0": 0, "changed": 0, "saturated": 1, "psnr": None, "ssim": 1,
    }  # fmt: skip


@pytest.mark.parametrize("shape", [(3, 32, 32), (1, 16, 16), (3, 13, 20)])
def test_psnr_and_ssim_agree_with_scikit_image(shape: tuple[int, int, int]) -> None:
    generator = torch.Generator().manual_seed(0)
    clean = torch.randint(0, 256, (1, *shape), generator=generator, dtype=torch.uint8)
    released = (clean.short() + torch.randint(-20, 21, (1, *shape), generator=generator)).clamp(0, 255).byte()
    a, b = clean[0].numpy(), released[0].numpy()
    expected = [
        # The mean over whole windows only: scikit-image's own mean counts them alike.
        structural_similarity(one, two, data_range=255, gaussian_weights=True, sigma=1.5, use_sample_covariance=False)
        for one, two in zip(a, b, strict=True)
    ]
    size = perceptibility(clean, released)
    assert size["ssim"] == pytest.approx(np.mean(expected), abs=1e-6)
    assert size["psnr"] == pytest.approx(peak_signal_noise_ratio(a, b, data_range=255), abs=1e-3)


def test_a_window_shrinks_to_a_small_image_and_equal_images_have_similarity_one() -> None:
    images = torch.rand(4, 1, 6, 9, dtype=torch.float64)
    torch.testing.assert_close(ours(images, images), torch.ones(4, dtype=torch.float64))
    assert (ours(images, 1 - images) < 0.5).all()


def test_batches_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = torch.Generator().manual_seed(0)
    clean, released = (torch.randint(0, 256, (7, 3, 8, 8), generator=generator, dtype=torch.uint8) for _ in range(2))
    whole = perceptibility(clean, released)
    monkeypatch.setattr("bench.run.perceptibility.BATCH", 3)
    assert BATCH > 7
    assert perceptibility(clean, released) == whole
    monkeypatch.setattr("bench.run.perceptibility.VALUES", 2 * 192)
    assert perceptibility(clean, released) == whole


def test_large_images_are_compared_in_batches_of_no_more_values() -> None:
    for size, expected in ((16, [1024, 1]), (32, [1024, 1]), (64, [256] * 4 + [1]), (2048, [1] * 1025)):
        images = torch.zeros((), dtype=torch.uint8).expand(1025, 3, size, size)
        assert [len(clean) for clean, _ in _batches(images, images)] == expected
