from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.checks.conformance import check_recogniser
from bench.errors import ContractError, DataError, UsageError
from bench.images import encode_png
from bench.interfaces import ALIGNERS, HALLUCINATORS, RECOGNISERS, Aligner, Hallucinator, Recogniser
from bench.pipeline.build import Built
from bench.pipeline.chain import Chain
from bench.pipeline.contracts import Attempts, Raised, check_outcomes, refuse_broken
from bench.pipeline.embedder import Embedder
from bench.registry import Spec, load_plugins
from bench.types import OK, FaceTemplate, Media, Outcome

FACE = FaceTemplate(4, 4, ((1, 1), (2, 1), (1.5, 2), (1, 3), (2, 3)))


class Recogniser4(Recogniser):
    face = FACE
    embedding_size = 48

    def __init__(self, embed: Callable[[np.ndarray], Any]) -> None:
        self._embed = embed

    def embed(self, chips: np.ndarray) -> Any:
        return self._embed(chips)


class Aligner4(Aligner):
    def __init__(self, align: Callable[[Sequence[np.ndarray]], Any]) -> None:
        self._align = align

    def align(self, images: Sequence[np.ndarray], landmarks: Any, face: FaceTemplate) -> Any:
        return self._align(images)


class Same(Hallucinator):
    def __init__(self, outcomes: Callable[[np.ndarray], Any]) -> None:
        self._outcomes = outcomes

    def hallucinate(self, lr: np.ndarray) -> np.ndarray:
        return lr.copy()

    def hallucinate_counted(self, lr: np.ndarray) -> Any:
        return self._outcomes(lr)


def flat(chips: np.ndarray) -> np.ndarray:
    return chips.reshape(len(chips), -1).astype(np.float32)


def whole(images: Sequence[np.ndarray]) -> Any:
    return np.stack(images), [OK] * len(images)


def built(component: Any, name: str) -> Any:
    return Built(component, Spec(name), {}, name, "", "")


def embed(
    folder: Path,
    *,
    recogniser: Callable[[np.ndarray], Any] = flat,
    aligner: Callable[[Sequence[np.ndarray]], Any] = whole,
    hallucinator: Callable[[np.ndarray], Any] | None = None,
) -> Any:
    """Embed five grey images of brightness 0, 40... by such components."""
    media = []
    for index in range(5):
        path = folder / f"{index}.png"
        path.write_bytes(encode_png(np.full((4, 4, 3), 40 * index, np.uint8)))
        media.append(Media(path.name, path, "probe", "1", path.name))
    chain = Chain([built(Same(hallucinator), "same")]) if hallucinator else None
    embedder = Embedder(chain, built(Aligner4(aligner), "four"), built(Recogniser4(recogniser), "four"))
    return embedder.embed(media, None)


def raising_at(brightness: int, error: Exception) -> Callable[[np.ndarray], Any]:
    def recogniser(chips: np.ndarray) -> Any:
        if any(chip[0, 0, 0] == brightness for chip in chips):
            raise error
        return flat(chips)

    return recogniser


def raising(error: BaseException) -> Callable[[Any], Any]:
    def call(images: Any) -> Any:
        raise error

    return call


def test_a_recogniser_that_raises_on_one_face_fails_that_face_alone(tmp_path: Path) -> None:
    done = embed(tmp_path, recogniser=raising_at(80, ValueError("odd")))
    assert [o.status for o in done.outcomes] == ["ok", "ok", "failed", "ok", "ok"]
    assert (done.outcomes[2].stage, done.outcomes[2].reason) == ("embed", "raised ValueError")
    np.testing.assert_array_equal(done.vectors[[1, 3], 0], [40, 120])


def test_an_aligner_that_raises_on_one_face_fails_that_face_alone(tmp_path: Path) -> None:
    def aligner(images: Sequence[np.ndarray]) -> Any:
        if any(image[0, 0, 0] == 80 for image in images):
            raise ValueError("odd")
        return whole(images)

    done = embed(tmp_path, aligner=aligner)
    assert [o.status for o in done.outcomes] == ["ok", "ok", "failed", "ok", "ok"]
    assert (done.outcomes[2].stage, done.outcomes[2].reason) == ("align", "raised ValueError")


def test_a_face_that_an_aligner_gives_up_is_not_embedded(tmp_path: Path) -> None:
    done = embed(tmp_path, aligner=lambda ims: (np.stack(ims), [Outcome("failed", "align", "no face")] + [OK] * 4))
    assert done.outcomes[0] == Outcome("failed", "align", "no face")
    assert np.isnan(done.vectors[0]).all() and np.isfinite(done.vectors[1:]).all()


@pytest.mark.parametrize(("stage", "who"), [("recogniser", "Recogniser four"), ("aligner", "Aligner four")])
def test_a_component_that_raises_on_every_face_ends_the_run_with_what_it_raised(
    tmp_path: Path, stage: str, who: str
) -> None:
    done = embed(tmp_path, **{stage: raising(RuntimeError("no weights\nin here"))})
    with pytest.raises(ContractError, match=f"{who} raised on every image: RuntimeError: no weights in here"):
        refuse_broken(done.errors, set())


def test_an_error_that_is_of_no_face_is_not_tried_again(tmp_path: Path) -> None:
    calls = []

    def recogniser(chips: np.ndarray) -> Any:
        calls.append(len(chips))
        raise UsageError("no such device")

    with pytest.raises(UsageError, match="no such device"):
        embed(tmp_path, recogniser=recogniser)
    assert calls == [5]


@pytest.mark.parametrize(
    ("result", "named"),
    [
        (lambda chips: None, "NoneType"),
        (lambda chips: flat(chips).tolist(), "list"),
        (lambda chips: flat(chips).astype(np.float64), "float64"),
        (lambda chips: flat(chips).astype(object), "object"),
        (lambda chips: flat(chips)[:-1], r"float32 \(4, 48\)"),
        (lambda chips: flat(chips)[:, :-1], r"float32 \(5, 47\)"),
        (lambda chips: flat(chips)[0], r"float32 \(48,\)"),
        (lambda chips: np.float32(1), "float32"),
    ],
)
def test_embeddings_that_are_none_break_the_contract(
    tmp_path: Path, result: Callable[[np.ndarray], Any], named: str
) -> None:
    with pytest.raises(ContractError, match=f"Recogniser four returned {named}.*contract says float32"):
        embed(tmp_path, recogniser=result)


@pytest.mark.parametrize(
    ("result", "named"),
    [
        (lambda images: None, "returned NoneType; its contract says a pair: chips and outcomes"),
        (lambda images: np.stack(images), "returned ndarray"),
        (lambda images: (None, [OK] * 5), "returned NoneType; its contract says uint8"),
        (lambda images: (np.stack(images) / 255, [OK] * 5), "returned float64"),
        (lambda images: (np.stack(images), [OK] * 4), "4 outcomes for 5 images"),
        (lambda images: (np.stack(images), None), "gave NoneType for its outcomes"),
        (lambda images: (np.stack(images), ["ok"] * 5), "gave list of str for its outcomes"),
        (lambda images: (np.stack(images), [Outcome("fine")] * 5), "status 'fine'; there are ok, fallback, failed"),  # type: ignore[arg-type]
    ],
)
def test_chips_and_outcomes_that_are_none_break_the_contract(
    tmp_path: Path, result: Callable[[Any], Any], named: str
) -> None:
    with pytest.raises(ContractError, match=f"Aligner four.*{named}"):
        embed(tmp_path, aligner=result)


@pytest.mark.parametrize(
    ("result", "named"),
    [
        (lambda lr: lr.copy(), "returned ndarray; its contract says a pair: images and outcomes"),
        (lambda lr: (lr.copy(), [OK] * len(lr), 3), "returned tuple; its contract says a pair"),
        (lambda lr: (None, [OK] * len(lr)), "returned NoneType; its contract says float32"),
        (lambda lr: (lr.copy(), [Outcome("good")] * len(lr)), "status 'good'"),  # type: ignore[arg-type]
        (lambda lr: (lr.copy(), [Outcome("failed", None, None)] * len(lr)), "no text"),  # type: ignore[arg-type]
        (lambda lr: (lr.copy(), None), "gave NoneType for its outcomes"),
    ],
)
def test_outcomes_of_a_hallucinator_that_are_none_break_the_contract(
    tmp_path: Path, result: Callable[[np.ndarray], Any], named: str
) -> None:
    with pytest.raises(ContractError, match=f"Hallucinator same.*{named}"):
        embed(tmp_path, hallucinator=result)


def test_a_status_that_is_not_hashable_is_named() -> None:
    with pytest.raises(ContractError, match=r"status \[\]"):
        check_outcomes("It", [Outcome([])], 1)  # type: ignore[arg-type]


def test_a_component_that_worked_once_is_not_called_broken() -> None:
    attempts: Attempts[int, int] = Attempts("It", lambda numbers: [1 // number for number in numbers])
    assert attempts.run([1, 0]) == [1, Raised("raised ZeroDivisionError")]
    assert attempts.run([0]) == [Raised("raised ZeroDivisionError")]
    assert attempts.errors() == {"It": ""}


def test_a_component_that_worked_on_an_earlier_shard_is_not_called_broken() -> None:
    working: set[str] = set()
    refuse_broken({"It": ""}, working)
    refuse_broken({"It": "ValueError: odd"}, working)
    with pytest.raises(ContractError, match="Another raised on every image: ValueError: odd"):
        refuse_broken({"It": "", "Another": "ValueError: odd"}, working)


def test_a_component_that_was_not_called_has_no_errors() -> None:
    attempts: Attempts[int, int] = Attempts("It", raising(DataError("odd size")))
    assert attempts.run([]) == [] and attempts.errors() == {}


def test_a_data_error_of_one_image_is_counted() -> None:
    attempts: Attempts[int, int] = Attempts("It", raising(DataError("odd size")))
    assert attempts.run([1]) == [Raised("raised DataError")]
    assert attempts.errors() == {"It": "DataError: odd size"}


def test_a_check_of_a_recogniser_that_returns_no_array_says_so() -> None:
    (check,) = check_recogniser(built(Recogniser4(lambda chips: None), "none"))
    assert not check.passed and "gave NoneType" in check.detail


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    load_plugins()
    for registry, name, make in (
        (RECOGNISERS, "raises", lambda: Recogniser4(raising(RuntimeError("broken inside")))),
        (RECOGNISERS, "gives-none", lambda: Recogniser4(lambda chips: None)),
        (ALIGNERS, "raises-too", lambda: Aligner4(raising(RuntimeError("broken inside")))),
        (ALIGNERS, "gives-none-too", lambda: Aligner4(lambda images: None)),
        (HALLUCINATORS, "odd-status", lambda: Same(lambda lr: (lr.copy(), [Outcome("odd")] * len(lr)))),
    ):
        monkeypatch.setattr(registry, "_entries", dict(registry._entries))
        registry.register(name, summary="for this test")(make)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--recogniser", "raises"], "Recogniser raises raised on every image: RuntimeError: broken inside"),
        (["--recogniser", "gives-none"], "Recogniser gives-none returned NoneType"),
        (["--align", "raises-too"], "Aligner raises-too raised on every image"),
        (["--align", "gives-none-too"], "Aligner gives-none-too returned NoneType"),
        (["--hallucinator", "odd-status"], "Hallucinator odd-status gave an outcome of status 'odd'"),
    ],
)
@pytest.mark.usefixtures("registered")
def test_a_run_with_a_broken_component_ends_with_one_line_and_code_1(
    small_tinyface: Path, tmp_path: Path, bench: Callable[..., tuple[int, str, str]], options: list[str], message: str
) -> None:
    out = tmp_path / "out"
    code, _, err = bench("run", "--protocol", "tinyface", "--data-root", small_tinyface, "--out", out, *options)
    assert code == 1, err
    last = err.strip().splitlines()[-1]
    assert last.startswith("bench: ") and message in last
    assert not out.exists()
