"""What the fingerprint of a component depends on: whatever is left out keeps stale images in the cache."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from bench.errors import MissingError
from bench.images import FloatImages
from bench.interfaces import Hallucinator
from bench.pipeline import build as components
from bench.pipeline.build import Built, build
from bench.registry import Registry, Spec
from bench.types import WeightsFile


class Same(Hallucinator):
    """Returns its input."""

    def hallucinate(self, lr: FloatImages) -> FloatImages:
        return lr


def make(
    arguments: Mapping[str, object] | None = None,
    *,
    version: str = "1",
    weights: tuple[WeightsFile, ...] = (),
    name: str = "same",
) -> Built[Hallucinator]:
    """Build a hallucinator of a registry of its own."""
    registry: Registry[Hallucinator] = Registry("hallucinator")

    @registry.register(name, summary="")
    def factory(
        *,
        gain: float = 1.0,
        threads: int = 0,
        table: Path | None = None,
        tables: tuple[Path, ...] = (),
        needed: Path | None = None,
    ) -> Hallucinator:
        if needed is not None and not needed.exists():
            raise MissingError("needed is not there")
        result = Same()
        result.version, result.weights = version, weights
        return result

    return build(registry, Spec(name), arguments)


def test_a_fingerprint_is_the_same_for_the_same_component() -> None:
    assert make().fingerprint == make().fingerprint
    assert make({"threads": 1}).fingerprint == make({"threads": 2}).fingerprint


@pytest.mark.parametrize(
    "other",
    [
        lambda: make({"gain": 2.0}),
        lambda: make(version="2"),
        lambda: make(weights=(WeightsFile("net.bin", "a" * 64),)),
        lambda: make(name="another"),
    ],
    ids=["arguments", "version", "weights", "name"],
)
def test_whatever_decides_what_it_computes_is_in_the_fingerprint(other) -> None:  # type: ignore[no-untyped-def]
    assert other().fingerprint != make().fingerprint


def test_the_bytes_of_weights_count_and_not_their_name_alone() -> None:
    one, two = (make(weights=(WeightsFile("net.bin", digit * 64),)) for digit in "ab")
    assert one.fingerprint != two.fingerprint


def test_changed_code_changes_the_fingerprint_and_not_the_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    before = make()
    assert __name__ in before.code
    changed = {**before.code, __name__: "0" * 64}
    monkeypatch.setattr(components, "closure", lambda *modules: changed)
    after = make()
    assert after.fingerprint != before.fingerprint
    assert after.configuration == before.configuration


def test_the_code_of_the_factory_and_of_the_class_both_count(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    monkeypatch.setattr(components, "closure", lambda *modules: seen.extend(modules) or {})
    monkeypatch.setattr(Same, "__module__", "elsewhere")
    make()
    assert set(seen) == {__name__, "elsewhere"}


def test_a_raised_version_is_changed_code() -> None:
    one, two = make(version="1"), make(version="2")
    assert one.configuration == two.configuration
    assert [name for name in one.code if one.code[name] != two.code[name]] == ["version of hallucinator same"]


@pytest.mark.parametrize("argument", ["table", "tables"])
@pytest.mark.parametrize("folder", [False, True])
def test_what_an_argument_that_is_a_path_names_counts_by_its_bytes(tmp_path: Path, argument: str, folder: bool) -> None:
    place = tmp_path / "table"
    file = place / "deep" / "a.bin" if folder else place
    file.parent.mkdir(parents=True, exist_ok=True)
    result = []
    for data in (b"abc", b"abd"):
        file.write_bytes(data)
        result.append(make({argument: place if argument == "table" else (tmp_path / "none", place)}))
    assert result[0].fingerprint != result[1].fingerprint
    assert result[0].configuration != result[1].configuration
    assert result[0].arguments == result[1].arguments
    assert {file.path for file in result[0].files} >= {place}


def test_a_path_to_nothing_is_for_the_factory_to_refuse(tmp_path: Path) -> None:
    make({"table": tmp_path / "none"})
    with pytest.raises(MissingError, match="needed is not there"):
        make({"needed": tmp_path / "none"})
