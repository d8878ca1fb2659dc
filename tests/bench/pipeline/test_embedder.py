"""The path of an image: every one ends with an outcome, and the cache never serves another's result."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from bench.checks.toy_faces import draw_face
from bench.engine.local import LocalEngine
from bench.errors import ContractError
from bench.images import encode_png, resize
from bench.interfaces import Aligner, ByteImages, FloatImages, Hallucinator, Recogniser
from bench.pipeline.build import Built
from bench.pipeline.cache import Cache
from bench.pipeline.chain import Chain
from bench.pipeline.embedder import Embedder
from bench.pipeline.plan import EmbedPlan, ImageRequest
from bench.pipeline.stages import EmbedStage
from bench.progress import StageProgress
from bench.registry import Spec, load_plugins
from bench.types import OK, Cut, FaceTemplate, ImageSpec, Media, Outcome, Points

POINTS: Points = ((2.0, 2.0), (6.0, 2.0), (4.0, 4.0), (3.0, 6.0), (5.0, 6.0))


class Whole(Aligner):
    """Resizes; remembers the landmarks it was given."""

    def __init__(self) -> None:
        self.seen: list[Points | None] = []

    def align(
        self, images: Sequence[ByteImages], landmarks: Sequence[Points | None], face: FaceTemplate
    ) -> tuple[ByteImages, list[Outcome]]:
        self.seen += landmarks
        outcomes = [OK if image.shape[0] != 9 else Outcome("fallback", "align", "face not found") for image in images]
        return np.stack([resize(image, face.height, face.width) for image in images]), outcomes


class Pixels(Recogniser):
    """The chip itself as embedding; a black chip gives NaN. Counts the chips it sees."""

    face = FaceTemplate(8, 8, POINTS)
    embedding_size = 192

    def __init__(self) -> None:
        self.chips = 0

    def embed(self, chips: ByteImages) -> FloatImages:
        self.chips += len(chips)
        out = chips.reshape(len(chips), -1).astype(np.float32)
        out[out.max(axis=1) == 0] = np.nan
        return out


class Inverted(Hallucinator):
    output_spec = ImageSpec(scale=2)

    def __init__(self) -> None:
        self.images = 0

    def hallucinate(self, lr: FloatImages) -> FloatImages:
        self.images += len(lr)
        return 1 - np.repeat(np.repeat(lr, 2, axis=2), 2, axis=3)


def built(component, fingerprint: str):  # type: ignore[no-untyped-def]  # of whatever kind
    return Built(component, Spec(fingerprint), {}, fingerprint, "", "")


def embedder(chain: Chain | None = None, *, recogniser: str = "pixels", **options) -> Embedder:  # type: ignore[no-untyped-def]
    return Embedder(chain, built(Whole(), "whole"), built(Pixels(), recogniser), **options)


def media(folder: Path, name: str, data: bytes | None, **more: object) -> Media:
    if data is not None:
        (folder / name).write_bytes(data)
    return Media(name, folder / name, "probe", "1", name, **more)  # type: ignore[arg-type]


@pytest.fixture
def faces(tmp_path: Path) -> list[Media]:
    return [media(tmp_path, f"{i}.png", encode_png(draw_face(i, 0, 8 + i % 2))) for i in range(7)]


def test_every_image_ends_with_an_outcome_and_its_reason(tmp_path: Path, faces: list[Media]) -> None:
    bad = [
        media(tmp_path, "absent.png", None),
        media(tmp_path, "empty.png", b""),
        media(tmp_path, "text.png", b"no image"),
        media(tmp_path, "cut.png", encode_png(draw_face(0, 0, 64))[:900]),
        media(tmp_path, "black.png", encode_png(np.zeros((8, 8, 3), np.uint8))),
    ]
    done = embedder().embed([*faces[:2], *bad], None)
    assert [(o.status, o.stage, o.reason) for o in done.outcomes] == [
        ("ok", "", ""),
        ("fallback", "align", "face not found"),
        ("failed", "decode", "file not found"),
        ("failed", "decode", "file is empty"),
        ("failed", "decode", "not an image"),
        ("failed", "decode", "image is truncated"),
        ("failed", "embed", "embedding not finite"),
    ]
    assert np.isfinite(done.vectors).all(axis=1).tolist() == [True, True, False, False, False, False, False]
    assert done.file_digests[2] == "absent"
    assert len(set(done.file_digests)) == 7


def test_no_figure_depends_on_the_batch_size(faces: list[Media]) -> None:
    expected = embedder(batch_size=64).embed(faces, None).vectors
    for batch_size in (1, 3):
        assert np.array_equal(embedder(batch_size=batch_size).embed(faces, None).vectors, expected)


def test_what_is_in_the_cache_is_not_made_again_and_is_the_same(tmp_path: Path, faces: list[Media]) -> None:
    for make in (embedder, lambda: embedder(Chain([built(Inverted(), "inverted")]))):
        with Cache(tmp_path / "cache") as cache:
            first = make().embed(faces, cache)
            again = make()
            second = again.embed(faces, cache)
        assert again.recogniser.component.chips == 0
        assert np.array_equal(first.vectors, second.vectors)
        assert first.outcomes == second.outcomes
        uncached = make().embed(faces, None)
        assert np.array_equal(first.vectors, uncached.vectors)
        assert first.outcomes == uncached.outcomes


def test_a_hallucinated_image_is_shared_by_recognisers_but_no_embedding_is(tmp_path: Path, faces: list[Media]) -> None:
    network = Inverted()
    with Cache(tmp_path / "cache") as cache:
        embedder(Chain([built(network, "inverted")])).embed(faces, cache)
        other = embedder(Chain([built(network, "inverted")]), recogniser="other")
        other.embed(faces, cache)
    assert network.images == len(faces)
    assert other.recogniser.component.chips == len(faces)


@pytest.mark.parametrize("change", ["bytes", "landmarks", "cut", "code", "chain", "aligner", "recogniser", "flip"])
def test_whatever_makes_an_embedding_makes_its_key(
    tmp_path: Path, faces: list[Media], change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = faces[0]
    with Cache(tmp_path / "cache") as cache:
        embedder().embed([one], cache)
        if change == "bytes":
            one.path.write_bytes(encode_png(draw_face(99, 0, 8)))
        if change == "landmarks":
            one = Media(one.key, one.path, one.role, one.identity, one.template, landmarks=POINTS)
        if change == "cut":
            one = Media(one.key, one.path, one.role, one.identity, one.template, cut=Cut(quarter_turns=1))
        if change == "code":
            monkeypatch.setattr("bench.pipeline.embedder.closure", lambda module: {module: "another"})
        chain = Chain([built(Inverted(), "inverted")]) if change == "chain" else None
        again = Embedder(
            chain,
            built(Whole(), "aligner" if change == "aligner" else "whole"),
            built(Pixels(), "recogniser" if change == "recogniser" else "pixels"),
            flip="sum" if change == "flip" else "none",
        )
        again.embed([one], cache)
    assert again.recogniser.component.chips == (2 if change == "flip" else 1)


@pytest.mark.parametrize("change", ["nothing", "bytes", "cut", "code", "chain"])
def test_whatever_makes_a_hallucinated_image_makes_its_key(
    tmp_path: Path, faces: list[Media], change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, network = faces[0], Inverted()
    with Cache(tmp_path / "cache") as cache:
        embedder(Chain([built(network, "inverted")])).embed([one], cache)
        if change == "bytes":
            one.path.write_bytes(encode_png(draw_face(99, 0, 8)))
        if change == "cut":
            one = Media(one.key, one.path, one.role, one.identity, one.template, cut=Cut(quarter_turns=1))
        if change == "code":
            monkeypatch.setattr("bench.pipeline.embedder.closure", lambda module: {module: "another"})
        name = "other code or weights" if change == "chain" else "inverted"
        embedder(Chain([built(network, name)]), recogniser="other").embed([one], cache)
    assert network.images == (1 if change == "nothing" else 2)


def test_a_flip_test_adds_the_mirror_image(faces: list[Media]) -> None:
    plain = embedder().embed(faces[:1], None).vectors[0].reshape(8, 8, 3)
    summed = embedder(flip="sum").embed(faces[:1], None).vectors[0].reshape(8, 8, 3)
    mean = embedder(flip="mean").embed(faces[:1], None).vectors[0].reshape(8, 8, 3)
    assert np.array_equal(summed, plain + plain[:, ::-1])
    np.testing.assert_allclose(mean, (plain + plain[:, ::-1]) / np.linalg.norm(plain), rtol=1e-5)


def test_landmarks_follow_the_image_to_its_new_size(tmp_path: Path) -> None:
    marked = media(tmp_path, "a.png", encode_png(draw_face(0, 0, 8)), landmarks=((-0.5, -0.5), (3.5, 3.5), (7.5, 7.5)))
    machine = embedder(Chain([built(Inverted(), "inverted")]))
    machine.embed([marked], None)
    assert machine.aligner.component.seen == [((-0.5, -0.5), (7.5, 7.5), (15.5, 15.5))]


def test_a_recogniser_that_breaks_its_contract_stops_the_run(faces: list[Media]) -> None:
    class Broken(Pixels):
        def embed(self, chips: ByteImages) -> FloatImages:
            return super().embed(chips)[:, :5]

    with pytest.raises(ContractError, match="its contract says float32"):
        Embedder(None, built(Whole(), "whole"), built(Broken(), "broken")).embed(faces, None)


@pytest.mark.parametrize(
    ("device", "threads", "most", "at_once"),
    [("cpu", 1, 64, 4), ("cpu", 16, 64, 16), ("cpu", 1, 2, 2), ("cuda:1", 1, 64, 64)],
)
def test_a_processor_takes_few_images_at_once_so_that_progress_shows(
    device: str, threads: int, most: int, at_once: int
) -> None:
    plan = EmbedPlan(None, Spec("none"), Spec("sface"), batch_size=most, device=device, threads=threads)
    assert plan.effective_batch_size == at_once


def test_progress_counts_images_one_batch_at_a_time_and_cached_ones_apart(tmp_path: Path, faces: list[Media]) -> None:
    class Watched(StageProgress):
        """Remembers what it was told."""

        def __init__(self, total: int) -> None:
            super().__init__("embed", total)
            self.steps: list[int] = []

        def __call__(self, done: int, /) -> None:
            self.steps.append(done)
            super().__call__(done)

    load_plugins()
    plan = EmbedPlan("bicubic:size=32", Spec("none"), Spec("sface"), threads=1)
    first = Watched(len(faces))
    requests = [ImageRequest(media) for media in faces]
    list(LocalEngine().map(EmbedStage(plan, tmp_path), requests, progress=first))
    assert max(first.steps) <= 4 and first.done == len(faces)
    again = Watched(len(faces))
    list(LocalEngine().map(EmbedStage(plan, tmp_path), requests, progress=again))
    assert again.done == len(faces) and again.steps == [] and again.reused == len(faces)
