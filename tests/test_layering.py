"""The arrows of docs/architecture.md, read from the imports."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LAYERS = (
    ("bench.errors", "bench.types", "bench.results", "bench.io.printing"),
    (
        "bench.grammar.docstrings",
        "bench.io.quiet",
        "bench.registry",
        "bench.grammar.values",
        "bench.faults",
        "bench.neighbours",
        "bench.io.outputs",
        "bench.plugins",
        "bench.io.filekinds",
        "bench.io.strictfiles",
        "bench.results.rows",
        "bench.images",
        "bench.onnx.ports",
        "bench.onnx.session",
        "bench.metrics",
        "bench.threads",
        "bench.devices",
        "bench.checks.toy_faces",
        "bench.efficiency",
        "bench.studies",
        "bench.io.textfiles",
        "bench.media.video",
        "bench.digests.sources",
        "bench.digests.distributions",
        "bench.digests.closure",
    ),
    (
        "bench.weights",
        "bench.io.file_digests",
        "bench.provenance",
        "bench.config",
        "bench.pipeline.cache",
        "bench.progress",
    ),
    ("bench.interfaces", "bench.results.seal"),
    (
        "bench.pipeline.build",
        "bench.results.folder",
        "bench.results.standing",
        "bench.run.data",
        "bench.evaluation.expression.classifier",
        "bench.metrics.perceptual",
        "bench.diagnosis.placing",
        "bench.run.limit",
        "bench.recognisers",
        "bench.align",
        "bench.faces",
        "hallucinators",
        "protocols",
    ),
    (
        "bench.pipeline.chain",
        "bench.pipeline.templates",
        "bench.pipeline.output_checks",
        "bench.pipeline.gallery_check",
        "bench.pipeline.plan",
        "bench.media.crop",
        "bench.pipeline.reader",
    ),
    (
        "bench.pipeline.arrangement",
        "bench.pipeline.framing",
        "bench.pipeline.embedder",
        "bench.pipeline.items",
        "bench.evaluation.identification.search",
        "bench.evaluation.heldout",
        "bench.evaluation.identification.open_set",
        "bench.evaluation.identification.figures",
        "bench.checks.conformance",
        "bench.pipeline.second_pass",
        "bench.evaluation.efficiency",
    ),
    (
        "bench.engine",
        "bench.evaluation.contract",
        "bench.checks.doctor",
        "bench.checks.frontalisers",
        "bench.installation",
    ),
    (
        "bench.run.record",
        "bench.run.images",
        "bench.evaluation",
        "bench.run.manifest",
        "bench.run.manifest_differences",
        "bench.run.finished",
        "bench.diagnosis",
    ),
    ("bench.run.figures_table",),
    ("bench.run.output_checks",),
    ("bench.run.execute", "bench.results.text", "hallucinators.vividgan.ablation", "reports.userstudy"),
    (
        "bench.matrix.runner",
        "bench.matrix.cells",
        "bench.specs",
        "bench.matrix.state",
        "bench.matrix.table",
        "bench.matrix.study_file",
    ),
    ("bench.commands", "bench.__main__"),
)
REPORTS_MAY = (
    "bench.errors",
    "bench.types",
    "bench.results",
    "bench.results.folder",
    "bench.io.strictfiles",
    "bench.io.printing",
    "bench.results.standing",
    "bench.metrics",
    "bench.checks.toy_faces",
    "bench.diagnosis.below",
    "reports",
)
PLACE = {name: level for level, names in enumerate(LAYERS) for name in names}
FILES = sorted(p for top in ("bench", "hallucinators", "protocols", "reports") for p in (ROOT / top).rglob("*.py"))


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def place(module: str) -> int | None:
    for name in (module, ".".join(module.split(".")[:2]), module.split(".")[0]):
        if name in PLACE:
            return PLACE[name]
    return None


def imports_at_import_time(path: Path) -> set[str]:
    """Modules of ours that a file imports outside functions and type-checking blocks."""
    found: set[str] = set()
    waiting: list[ast.AST] = [ast.parse(path.read_text(encoding="utf-8"))]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            submodules = {f"{node.module}.{alias.name}" for alias in node.names}
            known = {name for name in submodules if (ROOT / name.replace(".", "/")).with_suffix(".py").exists()}
            found |= known or {node.module}
        elif not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            if not (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)):
                waiting += ast.iter_child_nodes(node)
    return {name for name in found if name.split(".")[0] in ("bench", "hallucinators", "protocols", "reports")}


@pytest.mark.parametrize("path", FILES, ids=module_of)
def test_a_file_imports_lower_layers_only(path: Path) -> None:
    module = module_of(path)
    package = ".".join(module.split(".")[:2]) if module.startswith("bench.") else module.split(".")[0]
    for target in imports_at_import_time(path):
        if target == "bench" or target == package or target.startswith(f"{package}."):
            continue
        if package == "reports":
            assert target.startswith(REPORTS_MAY), f"{module} imports {target}"
            continue
        mine, theirs = place(module), place(target)
        assert mine is not None, f"{module} has no layer in this test"
        assert theirs is not None and theirs < mine or (theirs == mine and target.startswith("bench.")), (
            f"{module} (layer {mine}) imports {target} (layer {theirs})"
        )


@pytest.mark.parametrize("path", [p for p in FILES if p.parts[-2] != "metrics"], ids=module_of)
def test_a_file_has_one_subject(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 330
