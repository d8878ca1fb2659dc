"""Which modules decide what a component or a kind of study computes."""

from __future__ import annotations

import importlib
import json
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from bench import evaluation
from bench.digests import closure as closures
from bench.digests import distributions, sources
from bench.digests.closure import SEPARATE, closure, closure_digest, refuse_changed_sources
from bench.errors import ChangedError, DataError
from bench.interfaces import REGISTRIES
from bench.registry import load_plugins

CACHES = (
    *(closures._closure, closures._find, sources.read_source),
    *(distributions._plugins, distributions._tops_of_distributions),
)


def forget() -> None:
    for each in CACHES:
        each.cache_clear()
    closures._UNLOADED.clear()


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder on the path for modules of other people."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    before = set(sys.modules)
    forget()
    yield folder
    for name in set(sys.modules) - before:
        del sys.modules[name]
    forget()


def write(folder: Path, **files: str) -> None:
    """Write modules; ``a__b`` is the file ``a/b.py``."""
    for name, text in files.items():
        path = folder / f"{name.replace('__', '/')}.py".replace("/init.py", "/__init__.py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))


def imported(name: str) -> ModuleType:
    importlib.invalidate_caches()
    return importlib.import_module(name)


def changed_by(module: str, path: Path) -> bool:
    """Whether code added to a file changes the digest of a module's closure."""
    before = closure_digest(module)
    text = path.read_bytes()
    path.write_bytes(text + b"\nA_NEW_CONSTANT = 1\n")
    forget()
    after = closure_digest(module)
    path.write_bytes(text)
    forget()
    return before != after


def install(
    folder: Path, name: str, *, points: str = "", record: tuple[str, ...] | None = None, editable: Path | None = None
) -> None:
    """Write the metadata of an installed distribution."""
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    if points:
        (info / "entry_points.txt").write_text(f"[bench.plugins]\nx = {points}\n")
    if record is not None:
        (info / "RECORD").write_text("".join(f"{file},,\n" for file in (*record, f"{info.name}/METADATA")))
    if editable:
        url = {"url": editable.as_uri(), "dir_info": {"editable": True}}
        (info / "direct_url.json").write_text(json.dumps(url))
    importlib.invalidate_caches()


def test_a_closure_holds_what_is_imported_inside_functions() -> None:
    result = closure("hallucinators.vividgan.hallucinator")
    assert {"bench.faces.landmarks.mediapipe", "bench.media.similarity", "hallucinators.vividgan.network.model"} <= set(
        result
    )
    assert "hallucinators.srgan.network" in closure("hallucinators.srgan")


def test_registries_are_excluded_from_closures_with_their_imports() -> None:
    load_plugins()
    for registry in REGISTRIES:
        for entry in registry:
            if entry.module.split(".")[0] in closures.OWN_PACKAGES:
                assert not set(closure(entry.module)) & SEPARATE - {entry.module}
    assert not [
        name for name in closure("bench.pipeline.embedder") if name.split(".")[0] in ("hallucinators", "protocols")
    ]
    assert not [name for name in closure("protocols.tinyface.protocol") if "mmi" in name or "celeba" in name]


def test_the_writer_of_a_sample_is_not_in_the_closure_of_its_protocol() -> None:
    assert not {"protocols.tinyface.sample", "protocols.sample.painter"} & set(closure("protocols.tinyface.protocol"))
    assert {"protocols.ijbc.sample", "protocols.ijbc.sample_lists"} <= set(closure("protocols.ijbc.sample"))


@pytest.mark.parametrize("name", ["identity", "bicubic", "vividgan.hallucinator", "tann", "tdae", "drgan", "cyclegan"])
def test_what_trains_a_network_is_not_in_the_closure_of_what_runs_it(name: str) -> None:
    assert not [module for module in closure(f"hallucinators.{name}") if ".training" in module]


@pytest.mark.parametrize("kind", ["identification", *evaluation.KINDS.values()])
def test_the_rules_of_a_kind_are_in_its_closure(kind: str) -> None:
    result = set(evaluation.code_of(kind))
    wanted = {
        "identification": {
            "bench.metrics.search.ranking",
            "bench.metrics.identification",
            "bench.pipeline.templates",
            "bench.evaluation.identification.figures",
        },
        "verification": {"bench.metrics.verification", "bench.metrics.roc", "bench.metrics.search.similarity"},
        "restoration": {"bench.metrics.quality", "bench.metrics.perceptual", "bench.faces.landmarks.mediapipe"},
        "expression": {"bench.metrics.confusion", "bench.evaluation.expression.classifier.training"},
        "efficiency": {
            "bench.metrics.bootstrap",
            "bench.evaluation.efficiency.parameters",
            "bench.evaluation.efficiency.memory",
        },
    }
    assert wanted[kind] <= result


def test_packages_without_which_a_kind_has_fewer_figures_count_as_its_code() -> None:
    assert {"package lpips", "package ai-edge-litert"} <= set(evaluation.code_of("restoration"))


def test_samples_of_other_writers_have_other_versions_that_hold_the_writer_and_the_face_model() -> None:
    from protocols.sample import samples
    from protocols.sample.marker import version

    writers = {sample.write.__module__ for sample in samples().values()}
    assert len({version(sample) for sample in samples().values()}) == len(writers) >= 9
    result = closure("protocols.tinyface.sample", "protocols.sample.painter")
    assert "bench.faces.people.model" in result
    assert (
        "people.safetensors"
        in sources.parse_source((closures.OWN_ROOT / "bench" / "faces" / "people" / "model.py").read_bytes()).texts
    )


def test_a_single_module_is_digested_with_its_imports_from_the_same_folder(site: Path) -> None:
    write(
        site,
        lone="def f():\n    import helper\n    from parts import deep",
        helper="import json, numpy, bench.images, types",
        parts__init="",
        parts__deep="from . import deeper",
        parts__deeper="",
        bystander="",
        types="",
    )
    imported("lone")
    assert set(closure("lone")) - set(closure("bench.images")) == {
        "lone",
        "helper",
        "parts",
        "parts.deep",
        "parts.deeper",
    }
    assert changed_by("lone", site / "parts" / "deeper.py")
    assert not changed_by("lone", site / "bystander.py")
    assert not changed_by("lone", site / "types.py")  # the standard library's is what is imported


def test_of_a_plugin_every_module_of_its_distribution_counts(site: Path) -> None:
    files = ("mine/__init__.py", "mine/method.py", "mine/tables.py", "more.py")
    write(site, mine__init="", mine__method="", mine__tables="", more="", other="", third__init="")
    install(site, "my-plugin", points="mine.method", record=files)
    install(site, "third", record=("third/__init__.py",))
    imported("mine.method")
    assert set(closure("mine.method")) == {"mine", "mine.method", "mine.tables", "more"}
    assert changed_by("mine.method", site / "mine" / "tables.py")
    assert not changed_by("mine.method", site / "other.py")


def test_what_other_distributions_in_the_same_folder_hold_is_not_a_plugins(site: Path) -> None:
    write(site, mine="import third, loose", third="", loose="")
    install(site, "my-plugin", points="mine", record=("mine.py",))
    install(site, "third", record=("third.py",))
    imported("mine")
    assert set(closure("mine")) == {"mine", "loose"}


def test_a_plugin_in_editable_mode_is_digested_with_all_modules(
    site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "project" / "src"
    write(source, mine__init="", mine__method="import beside", mine__unused="", beside="")
    install(site, "my-plugin", points="mine.method", record=("__editable__.pth",), editable=tmp_path / "project")
    monkeypatch.syspath_prepend(str(source))
    imported("mine.method")
    assert set(closure("mine.method")) == {"mine", "mine.method", "mine.unused", "beside"}
    assert changed_by("mine.method", source / "mine" / "unused.py")


def test_a_namespace_package_counts_as_far_as_it_is_the_plugins(site: Path) -> None:
    write(site, org__mine__method="", org__mine__tables="", org__other__code="")
    install(site, "mine", points="org.mine.method", record=("org/mine/method.py", "org/mine/tables.py"))
    install(site, "other", record=("org/other/code.py",))
    imported("org.mine.method")
    assert set(closure("org.mine.method")) == {"org.mine.method", "org.mine.tables"}


def test_a_plugin_without_a_list_of_files_counts_by_its_top_level_package(site: Path) -> None:
    write(site, mine__init="", mine__method="", mine__tables="", mine__deep__net="")
    install(site, "mine", points="mine.method:register")
    imported("mine.method")
    assert set(closure("mine.method")) == {"mine", "mine.method", "mine.tables", "mine.deep.net"}


def test_of_a_library_that_a_component_comes_from_the_version_counts(site: Path) -> None:
    write(site, library__init="", library__net="import library.deep", library__deep="")
    install(site, "library", record=("library/__init__.py", "library/net.py", "library/deep.py"))
    imported("library.net")
    assert set(closure("library.net")) == {"library.net", "library (distribution)"}


def test_a_compiled_module_counts_by_its_bytes(site: Path) -> None:
    write(site, lone="def f():\n    import fast")
    compiled = site / f"fast{sources.EXTENSIONS[0]}"
    compiled.write_bytes(b"1")
    imported("lone")
    assert set(closure("lone")) == {"lone", "fast"}
    assert changed_by("lone", compiled)


def test_a_source_that_is_changed_before_it_is_imported_is_noticed(site: Path) -> None:
    write(site, lone="def f():\n    import late", late="GAIN = 1\n")
    lone = imported("lone")
    closure("lone")
    refuse_changed_sources()
    write(site, late="GAIN = 2\n")
    refuse_changed_sources()
    lone.f()
    with pytest.raises(ChangedError, match=r"late\.py has changed since this run began"):
        refuse_changed_sources()
    write(site, late="GAIN = 3\n")
    refuse_changed_sources()  # what is imported does not change any more


def test_a_module_without_a_file_is_refused() -> None:
    sys.modules["typed_in"] = ModuleType("typed_in")
    try:
        with pytest.raises(DataError, match="'typed_in' has no source file"):
            closure("typed_in")
    finally:
        del sys.modules["typed_in"]
