"""The same folders and names with LR images: PNG, so that nothing is lost after the requested reduction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path

from bench.errors import DataError
from protocols.sample.files import png, write_bytes
from protocols.shrunk.settings import Advance, ShrunkSettings, shrunk_image


def write_folder(
    source: Path,
    files: Sequence[Path],
    out: Path,
    settings: ShrunkSettings,
    advance: Advance,
    *,
    without: Collection[str] = (),
) -> tuple[dict[str, int], Counter[str]]:
    """Write the LR version of every image under its relative path, with the ending ``.png``.

    Args:
        source: folder of the images.
        files: the images.
        out: folder to fill.
        settings: of the set.
        advance: called with 1 after each file.
        without: names of people, that is of first folders, who are left out.

    Returns:
        Counts, and the number of images without an LR version by reason.

    Raises:
        DataError: two images would have the same name, or none could be reduced.
    """
    targets: dict[Path, Path] = {}
    reasons: Counter[str] = Counter()
    written = excluded = 0
    for number, path in enumerate(files):
        name = path.relative_to(source)
        target = out / name.with_suffix(".png")
        if name.parts[0] in without and len(name.parts) > 1:
            excluded += 1
        elif target in targets:
            raise DataError(f"{path} and {targets[target]} would both be {target}. Rename one of them.")
        else:
            targets[target] = path
            image, reason = shrunk_image(path, number, settings)
            if image is None:
                reasons[reason] += 1
            else:
                write_bytes(target, png(image))
                written += 1
        advance(1)
    if not written:
        causes = "; ".join(f"{count:,} {reason}" for reason, count in reasons.items()) or "all people are excluded"
        raise DataError(f"None of the {len(files):,} images in {source} was reduced: {causes}.")
    return {"images": written, "images of excluded people": excluded}, reasons
