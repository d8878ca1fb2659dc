"""The arrows of docs/architecture.md, read from the imports."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LAYERS = (
    ("bench.errors", "bench.types", "bench.results", "bench.printing"),
    (
        "bench.docstrings",
        "bench.quiet",
        "bench.registry",
        "bench.values",
        "bench.faults",
        "bench.neighbours",
        "bench.outputs",
        "bench.plugins",
        "bench.filekinds",
        "bench.strictfiles",
        "bench.rows",
        "bench.images",
        "bench.onnx_ports",
        "bench.onnx_session",
        "bench.metrics",
        "bench.threads",
        "bench.contracts",
        "bench.devices",
        "bench.drawn",
        "bench.efficiency",
        "bench.studies",
        "bench.textfiles",
        "bench.video",
        "bench.sources",
        "bench.distributions",
        "bench.closure",
    ),
    (
        "bench.torchscript",
        "bench.weights",
        "bench.file_digests",
        "bench.provenance",
        "bench.config",
        "bench.cache",
        "bench.progress",
    ),
    ("bench.interfaces", "bench.seal"),
    (
        "bench.components",
        "bench.runfolder",
        "bench.standing",
        "bench.datasets",
        "bench.expressions",
        "bench.perceptual",
        "bench.diagnosis.placing",
        "bench.smoke",
        "bench.recognisers",
        "bench.align",
        "bench.faces",
        "hallucinators",
        "protocols",
    ),
    (
        "bench.chain",
        "bench.templates",
        "bench.canaries",
        "bench.gallery_canary",
        "bench.plan",
        "bench.cutting",
        "bench.opening",
    ),
    (
        "bench.arrangement",
        "bench.framing",
        "bench.embed",
        "bench.embed_items",
        "bench.evaluate",
        "bench.heldout",
        "bench.openset",
        "bench.summary",
        "bench.conformance",
        "bench.second_pass",
        "bench.preprocessing",
        "bench.cost",
    ),
    ("bench.engine", "bench.prepared", "bench.doctor", "bench.frontalisers", "bench.installation"),
    (
        "bench.record",
        "bench.pictures",
        "bench.kinds",
        "bench.manifest",
        "bench.manifest_differences",
        "bench.finished",
        "bench.diagnosis",
    ),
    ("bench.figures_table",),
    ("bench.run_canaries",),
    ("bench.run", "bench.terminal", "bench.ablation", "bench.userstudy"),
    (
        "bench.matrix",
        "bench.matrix_cells",
        "bench.matrix_items",
        "bench.matrix_state",
        "bench.matrix_table",
        "bench.study",
    ),
    ("bench.commands", "bench.__main__"),
)
REPORTS_MAY = (
    "bench.errors",
    "bench.types",
    "bench.results",
    "bench.runfolder",
    "bench.strictfiles",
    "bench.printing",
    "bench.standing",
    "bench.metrics",
    "bench.drawn",
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
