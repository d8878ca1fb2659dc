"""The same seed gives the same bytes, whatever the sample; another seed other people."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from bench.faces.people.look import Look
from bench.interfaces import ByteImages
from protocols.multipie import sample as multipie
from protocols.sample import Painter, samples, write_sample
from protocols.sample.cartoon import Cartoon

PICTURES = (".jpg", ".png", ".avi", ".mp4")


@pytest.mark.parametrize("name", sorted(samples()))
def test_the_same_seed_gives_the_same_bytes_and_another_seed_other_pictures(
    tree: Callable[[Path], dict[str, str]],
    quick_painter: Painter,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    name: str,
) -> None:
    monkeypatch.setattr(multipie, "CAMERAS", {"05_1": 0, "24_0": 90})  # fewer of the same kind: for speed
    paint = quick_painter if name in ("multipie", "mmi", "dronesurf") else None
    for out, seed in (("first", 3), ("again", 3), ("other", 4)):
        write_sample(name, tmp_path / out, identities=samples()[name].minimum, seed=seed, paint=paint)
    first, again, other = (tree(tmp_path / out) for out in ("first", "again", "other"))
    assert first == again
    pictures = {digest for path, digest in first.items() if path.endswith(PICTURES)}
    assert len(pictures) > 10 and not pictures & set(other.values())


def test_how_the_painter_batches_changes_nothing(
    sample: Callable[..., tuple[Path, object]], tree: Callable[[Path], dict[str, str]], tmp_path: Path
) -> None:
    sizes: list[int] = []

    class Backwards(Cartoon):
        def __call__(self, looks: Sequence[Look]) -> list[ByteImages]:
            sizes.append(len(looks))
            return super().__call__(looks[::-1])[::-1]

    first, _ = sample("tinyface", identities=5)
    write_sample("tinyface", tmp_path / "again", identities=5, seed=3, paint=Backwards())
    assert tree(tmp_path / "again") == tree(first)
    assert max(sizes) > 1
