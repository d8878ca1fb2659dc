"""Decoding whatever people have on disk, and the one resampling."""

from __future__ import annotations

import io
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFile

from bench.errors import ContractError, DataError, UsageError
from bench.images import decode, encode_png, read_image, resize, resize_float, to_bytes, to_float

RNG = np.random.default_rng(0)
RGB = RNG.integers(0, 256, (6, 9, 3), dtype=np.uint8)


def saved(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def test_png_comes_back_bit_by_bit() -> None:
    assert np.array_equal(decode(encode_png(RGB)), RGB)
    assert encode_png(RGB) == encode_png(RGB.copy())


def test_grey_becomes_rgb() -> None:
    grey = RGB[:, :, 0]
    assert np.array_equal(decode(saved(Image.fromarray(grey))), np.repeat(grey[:, :, None], 3, axis=2))


def test_sixteen_bit_grey_is_scaled_not_clipped() -> None:
    wide = np.array([[0, 257, 32896], [65535, 65278, 128]], np.uint16)
    expected = np.array([[0, 1, 128], [255, 254, 0]], np.uint8)
    assert np.array_equal(decode(saved(Image.fromarray(wide)))[:, :, 1], expected)


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "PPM"])
def test_sixteen_bits_mean_the_same_in_every_format(kind: str) -> None:
    wide = np.arange(0, 65536, 1311, dtype=np.uint16).reshape(5, 10)
    expected = np.rint(wide.astype(float) / 257).astype(np.uint8)
    assert np.array_equal(decode(saved(Image.fromarray(wide), kind))[:, :, 0], expected)


def test_twelve_bit_grey_is_scaled_by_its_own_white() -> None:
    """A TIFF written by hand: 12 bits a sample, packed, two samples in three bytes."""
    samples = bytes([0xFF, 0xF0, 0x00, 0x80, 0x0F, 0xFF])  # 4095, 0 / 2048, 4095
    fields = [(256, 2), (257, 2), (258, 12), (259, 1), (262, 1), (273, 8), (277, 1), (278, 2), (279, 6)]
    head = b"II*\0" + (14).to_bytes(4, "little") + samples
    directory = len(fields).to_bytes(2, "little") + b"".join(
        tag.to_bytes(2, "little") + b"\3\0\1\0\0\0" + value.to_bytes(4, "little") for tag, value in fields
    )
    assert decode(head + directory + bytes(4))[:, :, 0].tolist() == [[255, 0], [128, 255]]


def test_sixteen_bit_colour_loses_less_than_a_level() -> None:
    cv2 = pytest.importorskip("cv2")
    wide = RNG.integers(0, 65536, (5, 7, 3), dtype=np.uint16)
    image = decode(cv2.imencode(".png", wide[:, :, ::-1])[1].tobytes())
    assert np.abs(image - wide / 257).max() < 1


@pytest.mark.parametrize(
    ("values", "reason"),
    [(np.full((4, 4), 0.5, np.float32), "floating-point"), (np.full((4, 4), 1 << 20, np.int32), "more than 16 bits")],
)
def test_values_whose_white_is_unknown_are_refused(values: np.ndarray, reason: str) -> None:
    with pytest.raises(DataError, match=reason):
        decode(saved(Image.fromarray(values), "TIFF"))


def test_grey_with_alpha_and_a_palette_with_alpha_lose_it() -> None:
    grey = np.dstack([RGB[:, :, 0], np.zeros(RGB.shape[:2], np.uint8)])
    image = decode(saved(Image.fromarray(grey, "LA")))
    assert np.array_equal(image, np.repeat(RGB[:, :, :1], 3, axis=2))
    few = (RGB // 128) * 255
    paletted = Image.fromarray(few).quantize(8)
    assert np.array_equal(decode(saved(paletted, transparency=0)), few)


def test_an_image_with_a_broken_orientation_tag_is_decoded() -> None:
    with pytest.warns(UserWarning, match="EXIF"):
        image = decode(saved(Image.fromarray(RGB), "JPEG", exif=b"Exif\0\0II*\0\x08\0\0\0\x05\0"))
    assert image.shape == RGB.shape


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "LA", "CMYK", "I;16"])
def test_every_decoded_image_can_be_written_to(mode: str) -> None:
    """Torch warns of arrays that cannot, once for each image of a run."""
    image = decode(saved(Image.new(mode, (3, 4)), "JPEG" if mode == "CMYK" else "PNG"))
    assert image.flags.writeable and image.flags.c_contiguous
    assert image.shape == (4, 3, 3)
    assert image.dtype == np.uint8


def test_the_settings_of_pillow_are_left_alone() -> None:
    before = (ImageFile.LOAD_TRUNCATED_IMAGES, Image.MAX_IMAGE_PIXELS)
    with pytest.raises(DataError):
        decode(saved(Image.fromarray(RGB))[:60])
    assert (ImageFile.LOAD_TRUNCATED_IMAGES, Image.MAX_IMAGE_PIXELS) == before


def test_alpha_is_dropped_and_the_colour_behind_it_kept() -> None:
    rgba = np.dstack([RGB, np.zeros(RGB.shape[:2], np.uint8)])
    assert np.array_equal(decode(saved(Image.fromarray(rgba))), RGB)


def test_a_palette_becomes_its_colours() -> None:
    few = (RGB // 128) * 255
    paletted = Image.fromarray(few).convert("P", palette=Image.Palette.ADAPTIVE, colors=8)
    assert np.array_equal(decode(saved(paletted)), few)


def test_one_bit_becomes_black_and_white() -> None:
    bits = Image.fromarray(RGB[:, :, 0] > 127)
    assert np.array_equal(decode(saved(bits))[:, :, 2], np.where(RGB[:, :, 0] > 127, 255, 0))


def test_cmyk_becomes_rgb() -> None:
    red = Image.new("CMYK", (8, 8), (0, 255, 255, 0))
    assert np.abs(decode(saved(red, "JPEG", quality=95)).astype(int) - (255, 0, 0)).max() < 12


def test_the_orientation_tag_is_applied() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # shown turned by 90 degrees clockwise
    turned = decode(saved(Image.fromarray(RGB), exif=exif.tobytes()))
    assert np.array_equal(turned, np.rot90(RGB, -1))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "file is empty"),
        (b"not an image at all", "not an image"),
        (saved(Image.fromarray(RGB))[:60], "image is truncated"),
        (saved(Image.fromarray(np.tile(RGB, (9, 9, 1))), "JPEG")[:-200], "image is truncated"),
        (saved(Image.new("RGB", (1, 1))), "image is a single pixel wide or high"),
        (saved(Image.new("RGB", (50, 1))), "image is a single pixel wide or high"),
        (saved(Image.new("1", (9000, 9000))), "image is too large"),
        (saved(Image.new("1", (30_000, 2))), "image is too large"),
    ],
)
def test_what_cannot_be_decoded_has_a_short_reason(data: bytes, reason: str) -> None:
    with pytest.raises(DataError) as caught:
        decode(data)
    assert str(caught.value) == reason


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 400), st.integers(0, 255), st.integers(0, 400))
def test_a_damaged_file_never_raises_anything_else(at: int, value: int, cut: int) -> None:
    data = bytearray(saved(Image.fromarray(np.tile(RGB, (3, 3, 1))), "JPEG"))
    data[at % len(data)] = value
    try:
        image = decode(bytes(data[: len(data) - cut]))
    except DataError as error:
        assert len(str(error)) < 50
    else:
        assert image.dtype == np.uint8
        assert image.shape[2] == 3


def test_a_file_that_is_absent_or_a_folder_has_a_short_reason(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="^file not found$"):
        read_image(tmp_path / "absent.png")
    with pytest.raises(DataError, match="^file not readable"):
        read_image(tmp_path)


def test_bytes_to_float_and_back_is_the_identity() -> None:
    every = np.arange(256, dtype=np.uint8).repeat(3).reshape(16, 16, 3)
    assert np.array_equal(to_bytes(to_float([every]))[0], every)


def test_rounding_clips_and_refuses_what_is_not_finite() -> None:
    values = np.array([-1.0, 0.0, 0.5019, 1.0, 7.0], np.float32).reshape(1, 1, 1, 5).repeat(3, axis=1)
    assert to_bytes(values)[0, 0, :, 0].tolist() == [0, 0, 128, 255, 255]
    values[0, 0, 0, 0] = np.nan
    with pytest.raises(ContractError):
        to_bytes(values)


@pytest.mark.parametrize(("height", "width"), [(3, 4), (12, 18), (112, 112), (6, 5), (1, 1)])
def test_resizing_agrees_with_pillow_in_float(height: int, width: int) -> None:
    expected = np.stack(
        [
            np.asarray(
                Image.fromarray(RGB[:, :, c].astype(np.float32)).resize((width, height), Image.Resampling.BICUBIC)
            )
            for c in range(3)
        ],
        axis=2,
    )
    got = resize_float(to_float([RGB]), height, width)[0].transpose(1, 2, 0) * 255
    np.testing.assert_allclose(got, expected, atol=2e-3)
    assert np.abs(resize(RGB, height, width).astype(float) - np.clip(expected, 0, 255)).max() <= 0.51


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 40), st.integers(2, 40), st.integers(1, 120), st.integers(1, 120), st.integers(0, 2**32 - 1))
def test_bytes_are_the_float_image_rounded(before: int, other: int, height: int, width: int, seed: int) -> None:
    image = np.random.default_rng(seed).integers(0, 256, (before, other, 3), dtype=np.uint8)
    assert np.array_equal(resize(image, height, width), to_bytes(resize_float(to_float([image]), height, width))[0])


@pytest.mark.parametrize("size", [(20, 16), (33, 47), (112, 112)])
def test_one_colour_stays_that_colour(size: tuple[int, int]) -> None:
    for level in (0, 1, 127, 128, 254, 255):
        assert (resize(np.full((*size, 3), level, np.uint8), 16, 112) == level).all()


def test_shrinking_does_not_alias() -> None:
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[:, ::2] = 255
    small = resize(stripes, 8, 8).astype(int)
    assert np.abs(small - 127.5).max() < 8


def test_the_low_resolution_kernel_is_pinned() -> None:
    """A step edge, 8 to 4 pixels: Keys' kernel with a = -0.5 widened by 2, worked by hand from its weights.

    Output pixel 0 sits at input position 0.5; its eight taps lie at distances (k + 0.5 - 1.0) / 2 from it. With black
    pixels 0-3 and white ones 4-7 the first output is the sum of the normalised weights of taps at distance 1.75 and
    more, w(1.75) = -0.5 * (1.75^3 - 5 * 1.75^2 + 8 * 1.75 - 4) = -0.0234375.
    """
    step = np.repeat(np.array([0, 0, 0, 0, 1, 1, 1, 1], np.float32)[None, None, None], 8, axis=2).repeat(3, axis=1)
    row = resize_float(step, 4, 4)[0, 0, 0]

    def keys(x: float) -> float:
        x = abs(x)
        return 1.5 * x**3 - 2.5 * x**2 + 1 if x < 1 else -0.5 * (x**3 - 5 * x**2 + 8 * x - 4) if x < 2 else 0.0

    for i, got in enumerate(row):
        weights = [keys((k + 0.5 - (2 * i + 1)) / 2) for k in range(8)]
        assert got == pytest.approx(sum(weights[4:]) / sum(weights), abs=1e-6)
    assert keys(1.75) == -0.0234375


def test_the_bytes_of_a_low_resolution_image_are_pinned() -> None:
    """A ramp with a bright spot, 9 x 8 to 4 x 3: the bytes are Pillow's own in 32-bit float, channel by channel."""
    rows, columns = np.mgrid[0:8, 0:9]
    image = np.stack([rows * 30, columns * 28, (rows * columns) % 7 * 40], axis=2).astype(np.uint8)
    image[3, 4] = 255
    assert resize(image, 3, 4).tolist() == [
        [[27, 19, 29], [29, 81, 94], [29, 147, 112], [27, 205, 40]],
        [[103, 18, 88], [119, 91, 158], [119, 157, 144], [103, 204, 81]],
        [[183, 19, 85], [182, 78, 103], [182, 144, 67], [183, 205, 64]],
    ]


def test_a_size_below_one_is_refused() -> None:
    with pytest.raises(UsageError):
        resize(RGB, 0, 5)


def test_the_same_size_is_the_same_image() -> None:
    assert resize(RGB, 6, 9) is RGB


def test_an_image_of_a_batch_does_not_depend_on_the_others() -> None:
    images = [RNG.integers(0, 256, (16, 16, 3), dtype=np.uint8) for _ in range(32)]
    together = resize_float(to_float(images), 112, 112)
    apart = np.concatenate([resize_float(to_float([image]), 112, 112) for image in images])
    assert np.array_equal(together, apart)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "BMP", "WEBP", "TIFF", "PPM", "GIF"])
def test_the_usual_formats_are_read(kind: str) -> None:
    assert decode(saved(Image.fromarray(np.tile(RGB, (4, 4, 1))), kind)).shape == (24, 36, 3)


@pytest.mark.parametrize(
    "kind", ["EPS", "TGA", "PCX", "ICO", "SGI", "MSP", "IM", "DDS", "XBM", "SPIDER", "PDF", "JPEG2000"]
)
def test_other_formats_are_not_opened_whatever_the_file_is_called(kind: str, tmp_path: Path) -> None:
    image = Image.fromarray(np.tile(RGB, (4, 4, 1)))
    mode = {"MSP": "1", "XBM": "1", "SPIDER": "F"}.get(kind, "RGB")
    path = tmp_path / "face.jpg"
    path.write_bytes(saved(image.convert(mode), kind))
    with pytest.raises(DataError, match="not an image"):
        read_image(path)


def test_postscript_under_the_name_of_a_jpeg_starts_no_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "loop.jpg"
    path.write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 64 64\n%%EndComments\n{} loop\n")

    def started(*args: object, **options: object) -> None:
        raise AssertionError(f"a program was started: {args}")

    monkeypatch.setattr("subprocess.Popen", started)
    with pytest.raises(DataError, match="^not an image, but a PostScript file$"):
        read_image(path)


def test_pillow_is_handed_files_with_a_list_of_formats_everywhere() -> None:
    root = Path(__file__).parents[2]
    calls = [
        (path.name, call)
        for top in ("bench", "protocols", "hallucinators", "reports")
        for path in (root / top).rglob("*.py")
        for call in re.findall(r"Image\.open\([^\n]*|cv2\.imread[^\n]*|cv2\.imdecode[^\n]*", path.read_text("utf-8"))
    ]
    assert len(calls) > 1
    assert [call for call in calls if "formats=" not in call[1]] == []
