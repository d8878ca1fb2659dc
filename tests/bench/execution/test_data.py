"""Samples are announced before they are drawn; a smoke run takes a part of a study and says so."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.errors import UsageError
from bench.execution.data import cut, draw_once
from bench.studies import RestorationSet, VerificationSet
from bench.types import IdentificationSet, Media, Role


def test_a_sample_is_announced_before_it_is_written_and_never_again(
    toys: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    order = []
    write = toys.protocol.write_sample

    def watched(self: object, out: Path) -> None:
        order.append(capsys.readouterr().err)
        write(self, out)

    monkeypatch.setattr(toys.protocol, "write_sample", watched)
    root = draw_once(toys.protocol(), tmp_path)
    (announced,) = order
    assert announced.startswith("No data set toys is configured, so a sample is used: people who do not exist")
    assert str(root) in announced
    assert draw_once(toys.protocol(), tmp_path) == root
    assert capsys.readouterr().err == ""


def test_a_protocol_whose_faces_are_always_drawn_announces_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from protocols.efficiency import Efficiency

    draw_once(Efficiency(), tmp_path)
    assert capsys.readouterr().err == ""


Bench = Callable[..., tuple[int, str, str]]


def media(role: Role, number: int, person: int | None, template: str = "") -> Media:
    key = f"{role}/{number}"
    return Media(key, Path(key), role, None if person is None else f"p{person}", template or key)


def search(people: int = 40, probes: int = 7, strangers: int = 100) -> IdentificationSet:
    """Each person has two gallery images and some probes; a period of 7 in the list of probes."""
    return IdentificationSet(
        tuple(media("gallery", 2 * p + k, p) for p in range(people) for k in range(2)),
        tuple(media("probe", probes * p + k, p) for p in range(people) for k in range(probes)),
        tuple(media("distractor", i, None) for i in range(strangers)),
        official=True,
    )


def test_a_limit_cuts_the_probes_and_leaves_the_gallery_whole() -> None:
    whole = search()
    part = cut(whole, 10)
    assert isinstance(part, IdentificationSet)
    assert (part.gallery, part.distractors) == (whole.gallery, whole.distractors)
    assert len(part.probes) == 10 and not part.official
    assert part.notes == (
        "Smoke run: 10 of 280 probes, spread evenly, searched in all 80 gallery and all 100 distractor images. It is "
        "not a result.",
    )
    places = [whole.probes.index(item) for item in part.probes]
    assert [place // 28 for place in places] == list(range(10))  # one of each tenth, in order


def test_probes_that_repeat_with_the_step_are_not_all_of_one_kind() -> None:
    part = cut(search(), 40)  # the step is the period: one probe of each person
    assert len({int(item.key.partition("/")[2]) % 7 for item in part.media["probe"]}) > 3


def test_equal_limits_keep_equal_probes_and_a_large_one_keeps_all() -> None:
    whole = search()
    assert cut(whole, 33).media["probe"] == cut(whole, 33).media["probe"]
    assert cut(whole, 1000).media["probe"] == whole.probes
    assert cut(whole, None) is whole


def test_a_limited_run_estimates_the_whole_without_bias() -> None:
    """A rate over the kept probes is on average that of all: 30 limits of a property that changes along the list."""
    whole = search(people=120)
    hit = {item.key: float(i < 300 or i % 7 == 0) for i, item in enumerate(whole.probes)}
    rates = [np.mean([hit[m.key] for m in cut(whole, limit).media["probe"]]) for limit in range(60, 90)]
    assert np.mean(rates) == pytest.approx(np.mean(list(hit.values())), abs=0.02)


def test_the_gallery_has_a_limit_of_its_own_and_mates_always_stay() -> None:
    whole = search()
    part = cut(whole, 10, 20)
    assert isinstance(part, IdentificationSet)
    people = {item.identity for item in part.probes}
    mates = [item for item in whole.gallery if item.identity in people]
    assert [item for item in part.gallery if item.identity in people] == mates
    assert len(part.gallery) + len(part.distractors) == len(mates) + 20
    assert len(part.gallery) > len(mates) and part.distractors  # spread over both
    assert "A smaller gallery is easier" in part.notes[-1]
    alone = cut(whole, None, 5)
    assert isinstance(alone, IdentificationSet)
    assert alone.probes == whole.probes and len(alone.distractors) == 5 and not alone.official


def test_media_of_a_template_and_the_names_of_galleries_stay_together() -> None:
    whole = search(people=4, probes=2, strangers=0)
    gallery = tuple(media("gallery", i, i // 2, f"t{i // 2}") for i in range(8))
    whole = IdentificationSet(gallery, whole.probes, galleries={"a": ("t0", "t1"), "b": ("t2", "t3")})
    part = cut(whole, 1, 1)
    assert isinstance(part, IdentificationSet)
    left = {item.template for item in part.gallery}
    assert len(left) == 2 and len(part.gallery) == 4
    assert {name for names in part.galleries.values() for name in names} == left


def test_pairs_are_kept_of_every_fold_alike_and_different() -> None:
    count = 400
    enrolled, verified = (tuple(media(role, i, i) for i in range(count)) for role in ("gallery", "probe"))
    places, fold = np.arange(count), np.arange(count) // 40
    whole = VerificationSet(enrolled, verified, places, places, places % 2 == 0, fold)
    part = cut(whole, 40)
    assert isinstance(part, VerificationSet) and part.fold is not None
    assert [(int((part.fold == f).sum()), int(part.same[part.fold == f].sum())) for f in range(10)] == [(4, 2)] * 10
    assert part.notes == ("Smoke run: 40 of 400 pairs, spread evenly. It is not a result.",)


def test_faces_keep_their_truths_and_a_gallery_limit_without_a_gallery_is_refused() -> None:
    faces = RestorationSet(
        tuple(media("probe", i, i) for i in range(9)), tuple(media("gallery", i, i) for i in range(9))
    )
    part = cut(faces, 3)
    assert isinstance(part, RestorationSet)
    assert [m.identity for m in part.faces] == [m.identity for m in part.truths] and len(part.faces) == 3
    with pytest.raises(UsageError, match="--limit-gallery 4 limits the gallery of a search"):
        cut(faces, 3, 4)


def test_the_limits_are_on_the_screen_in_the_record_and_above_the_figures(
    bench: Bench, small_tinyface: Path, tmp_path: Path
) -> None:
    flags = ("--protocol", "tinyface", "--data-root", small_tinyface, "--limit", 4, "--limit-gallery", 6)
    code, out, err = bench("run", *flags, "--out", tmp_path / "run")
    assert code == 0, err
    record = json.loads((tmp_path / "run" / "run.json").read_text())
    assert (record["smoke"], record["limit"], record["limit_gallery"]) == (True, 4, 6)
    assert record["data"]["counts"]["probe"] == 4
    assert "*** SMOKE RUN on 4 probes in a gallery cut to mates and 6 others: not a result" in out
    assert "note: Smoke run: 4 of 16 probes, spread evenly, searched in" in err
    code, out, err = bench("run", *flags[:4], "--limit-gallery", 6, "--out", tmp_path / "other")
    assert code == 0 and "*** SMOKE RUN in a gallery cut to mates and 6 others: not a result" in out
    assert bench("run", *flags[:4], "--limit-gallery", 0, "--out", tmp_path / "x")[0] == 2
