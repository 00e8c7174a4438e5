"""One image of every kind to its pixels, or the reason why it has none."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from bench.core.decoding import BACKGROUND, Look, UnusableError

SAME = Look(8, "crop")


def encoded(image: Image.Image, kind: str = "PNG", **settings: Any) -> bytes:
    """The bytes of an image file."""
    stream = io.BytesIO()
    image.save(stream, kind, **settings)
    return stream.getvalue()


def shown(image: Image.Image, kind: str = "PNG", **settings: Any) -> np.ndarray:
    """The pixels of an image that was written to a file, height and width first."""
    return SAME.pixels(encoded(image, kind, **settings)).transpose(1, 2, 0)


@pytest.fixture
def colours() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)


def test_pixels_are_contiguous_channels_first(colours: np.ndarray, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(encoded(Image.fromarray(colours)))
    for content in (encoded(Image.fromarray(colours)), str(tmp_path / "a.png")):
        pixels = SAME.pixels(content)
        assert np.array_equal(pixels, colours.transpose(2, 0, 1))
        assert (pixels.dtype, pixels.flags.c_contiguous) == (np.uint8, True)


@pytest.mark.parametrize("kind", ["landscape", "portrait"])
def test_a_crop_keeps_the_aspect_and_the_centre_and_a_squeeze_keeps_all(kind: str) -> None:
    long = np.zeros((8, 24, 3), np.uint8)
    long[:, :8], long[:, 8:16], long[:, 16:] = 10, 100, 190
    pixels = long if kind == "landscape" else long.transpose(1, 0, 2)
    content = encoded(Image.fromarray(pixels))
    assert (Look(4, "crop").pixels(content) == 100).all()
    squeezed = Look(3, "squeeze").pixels(content)
    assert (squeezed[0] if kind == "landscape" else squeezed[0].T).tolist() == [[10, 100, 190]] * 3


def test_a_crop_of_an_odd_remainder_leaves_one_pixel_more_on_the_right() -> None:
    columns = np.repeat(np.array([[7, 0, 100, 200, 9]], np.uint8), 2, axis=0)  # 2 high, 5 wide
    cut = Look(1, "crop").pixels(encoded(Image.fromarray(columns)))
    assert cut[:, 0, 0].tolist() == [50] * 3


@pytest.mark.parametrize("orientation", range(1, 9))
def test_images_are_turned_as_exif_says(orientation: int, colours: np.ndarray) -> None:
    turns = {
        1: lambda a: a,
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.transpose(1, 0, 2),
        6: lambda a: np.rot90(a, -1),
        7: lambda a: a[::-1, ::-1].transpose(1, 0, 2),
        8: lambda a: np.rot90(a),
    }
    exif = Image.Exif()
    exif[0x0112] = orientation
    assert np.array_equal(shown(Image.fromarray(colours), exif=exif.tobytes()), turns[orientation](colours))


def test_a_photo_that_lies_on_its_side_is_cropped_upright() -> None:
    wide = np.zeros((8, 16, 3), np.uint8)
    wide[:, 4:12] = 200
    exif = Image.Exif()
    exif[0x0112] = 6
    assert (Look(4, "crop").pixels(encoded(Image.fromarray(wide), exif=exif.tobytes())) == 200).all()


@pytest.mark.parametrize("alpha", [0, 51, 255])
def test_what_is_transparent_is_before_white(alpha: int, colours: np.ndarray) -> None:
    assert BACKGROUND == (255, 255, 255)
    layer = np.full((8, 8, 1), alpha, np.uint8)
    expected = colours * (alpha / 255) + 255 * (1 - alpha / 255)
    assert np.abs(shown(Image.fromarray(np.concatenate([colours, layer], 2))) - expected).max() <= 1
    grey = np.concatenate([colours[:, :, :1], layer], 2)
    assert np.abs(shown(Image.fromarray(grey)) - expected[:, :, :1]).max() <= 1


def test_a_palette_gives_its_colours_and_its_transparent_entry_is_before_white() -> None:
    image = Image.new("P", (8, 8))
    image.putpalette([10, 20, 30, 200, 100, 50])
    image.putdata([0, 1] * 32)
    assert shown(image)[0, :2].tolist() == [[10, 20, 30], [200, 100, 50]]
    assert shown(image, transparency=1)[0, :2].tolist() == [[10, 20, 30], [255, 255, 255]]
    assert shown(image, "GIF")[0, :2].tolist() == [[10, 20, 30], [200, 100, 50]]


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "PPM"])
def test_sixteen_bits_are_scaled_not_clipped(kind: str) -> None:
    levels = np.linspace(0, 65535, 64).astype(np.uint16).reshape(8, 8)
    pixels = shown(Image.fromarray(levels), kind)
    assert np.array_equal(pixels, np.repeat(np.round(levels / 257)[:, :, None], 3, 2))
    assert pixels.max() == 255


@pytest.mark.parametrize("mode", ["1", "L", "CMYK", "YCbCr"])
def test_other_colours_become_three_channels(mode: str, colours: np.ndarray) -> None:
    image = Image.fromarray(colours).convert(mode)
    pixels = shown(image, "TIFF")
    assert np.array_equal(pixels, np.asarray(image.convert("RGB")))
    if mode in "1L":
        assert (pixels == pixels[:, :, :1]).all()


def test_a_jpeg_in_cmyk_has_the_colours_of_its_rgb_twin() -> None:
    red = Image.new("RGB", (8, 8), (200, 30, 30))
    assert np.abs(shown(red.convert("CMYK"), "JPEG", quality=100).astype(int) - np.asarray(red)).max() < 8


def test_a_photo_with_its_preview_in_one_file_is_the_photo(colours: np.ndarray) -> None:
    preview = Image.fromarray(colours).resize((4, 4))
    content = encoded(Image.fromarray(colours), "MPO", save_all=True, append_images=[preview], quality=100)
    assert Image.open(io.BytesIO(content)).n_frames == 2
    assert SAME.pixels(content).shape == (3, 8, 8)


def heic() -> bytes:
    return b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + bytes(100)


def animated(kind: str, count: int = 3) -> bytes:
    frames = [Image.new("RGB", (8, 8), (60 * number, 0, 0)) for number in range(count)]
    return encoded(frames[0], kind, save_all=True, append_images=frames[1:])


SPECKLED = Image.fromarray(np.random.default_rng(0).integers(0, 256, (32, 32), np.uint8))
UNUSABLE = {
    "empty": (b"", "an empty file"),
    "text": (b"cats are nice", "no format that is read here; write it as PNG or JPEG"),
    "heic": (heic(), "no format that is read here"),
    "truncated JPEG": (encoded(SPECKLED, "JPEG")[:-300], "truncated"),
    "truncated PNG": (encoded(SPECKLED)[:200], "truncated"),
    "GIF": (animated("GIF"), "an animation or a file of several pages: 3 of them"),
    "WebP": (animated("WEBP"), "an animation"),
    "APNG": (animated("PNG"), "an animation"),
    "pages": (animated("TIFF", 2), "several pages: 2 of them"),
    "floats": (encoded(Image.fromarray(np.ones((8, 8), np.float32)), "TIFF"), "grey levels of 32 bits, whose range"),
    "32 bits": (encoded(Image.fromarray(np.full((8, 8), 70_000, np.int32)), "TIFF"), "grey levels of 32 bits"),
}


@pytest.mark.parametrize("kind", UNUSABLE)
def test_what_is_no_image_to_train_on_says_why(kind: str) -> None:
    content, reason = UNUSABLE[kind]
    with pytest.raises(UnusableError, match=reason) as caught:
        SAME.pixels(content)
    assert 0 < len(str(caught.value)) < 200


def test_a_file_that_swells_beyond_reason_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    with pytest.raises(UnusableError, match="exceeds limit of"):
        SAME.pixels(encoded(Image.new("RGB", (8, 8))))
