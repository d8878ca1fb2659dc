"""Opens media: read, decode, crop. Small crops are cached, so that a large file is decoded once."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.digests.closure import closure_digest
from bench.errors import DataError
from bench.images import ByteImages, decode, encode_png
from bench.io.file_digests import known_file_digest
from bench.io.filekinds import read_plain
from bench.media.crop import cut_out
from bench.media.video import read_frame
from bench.pipeline.cache import Cache, decoded_key
from bench.types import OK, Media

_SMALL = 64 * 64  # pixels: an LR face; a larger PNG takes as long to decode as the JPEG of a photograph


@dataclass(frozen=True, slots=True)
class Source:
    """A media whose file was read.

    Attributes:
        media: of the file.
        data: the bytes of the file; empty for a frame of a film, which is read by its path.
        digest: SHA-256 of the file in hexadecimal.
    """

    media: Media
    data: bytes
    digest: str


def read_source(media: Media) -> Source:
    """Read the file of a media; raises DataError with a short reason without the name of the file."""
    if _of_a_film(media):
        return Source(media, b"", _digest_of_film(media.path))
    data = read_plain(media.path)
    return Source(media, data, hashlib.sha256(data).hexdigest())


def open_media(media: Media) -> ByteImages:
    """Read, decode and crop one media; raises DataError with a short reason."""
    return _opened(media, b"" if _of_a_film(media) else read_plain(media.path))


def open_sources(sources: Sequence[Source], cache: Cache | None) -> list[ByteImages | DataError]:
    """Decode and crop; small crops of earlier runs come from the cache.

    Args:
        sources: results of `read_source`.
        cache: stores small crops; or None.

    Returns:
        Of each the image, RGB uint8 (H, W, 3), or the error with a short reason.

    Raises:
        BenchError: the cache cannot be used.
    """
    code = closure_digest(__name__)
    keys = [decoded_key(source.digest, source.media, code) if cache and source.media.cut else "" for source in sources]
    cached = cache.images(sorted(set(keys) - {""})) if cache else {}
    images: list[ByteImages | DataError] = []
    new: dict[str, ByteImages] = {}
    for source, key in zip(sources, keys, strict=True):
        try:
            image = decode(cached[key][0]) if key in cached else _opened(source.media, source.data)
        except DataError as error:
            images.append(error)
            continue
        images.append(image)
        if key and key not in cached and image.shape[0] * image.shape[1] <= _SMALL:
            new[key] = image
    if cache and new:
        cache.put_images({key: (encode_png(image), OK) for key, image in new.items()})
    return images


def _of_a_film(media: Media) -> bool:
    return media.cut is not None and media.cut.frame is not None


def _opened(media: Media, data: bytes) -> ByteImages:
    """Decode the bytes of a media's file (not needed for a frame of a film) and crop it."""
    if media.cut is None:
        return decode(data)
    whole = decode(data) if media.cut.frame is None else read_frame(media.path, media.cut.frame)
    return cut_out(whole, media.cut)


def _digest_of_film(path: Path) -> str:
    try:
        if not path.is_file():  # a pipe would never end
            raise DataError("file not found")
        return known_file_digest(path)
    except OSError as error:
        raise DataError(f"file not readable ({error.strerror})") from None
