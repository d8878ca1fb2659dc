"""The recognition networks of insightface's model packs, run without the package insightface."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from bench.align.templates import ARCFACE_112
from bench.errors import DataError, MissingError
from bench.interfaces import RECOGNISERS, ByteImages, FloatImages, Recogniser
from bench.recognisers.networks.chips import PLAIN, UNIT, USUAL, check_chips
from bench.recognisers.networks.onnx_graph import Graph, read_graph
from bench.recognisers.networks.onnx_session import OnnxNetwork
from bench.weights import weights_file

_MIN_EMBEDDING = 64  # a graph with a shorter output is no recogniser: age and gender, points, boxes
_SCALINGS = {
    PLAIN: "0..255, unscaled (the graph scales)",
    UNIT: "x / 255 (the graph scales)",
    USUAL: "(x - 127.5) / 127.5",
}
_HOW_TO_GET = (
    "Fetch a pack (buffalo_l, antelopev2...) from the releases of deepinsight/insightface, or let the package do it "
    "(insightface.app.FaceAnalysis(name='buffalo_l')), and unpack it to {folder}; or pass weights=PATH of the pack's "
    "folder or of one recognition ONNX file."
)


def _root() -> Path:
    return Path("~/.insightface/models").expanduser()


def _missing() -> str | None:
    root = _root()
    if any(root.glob("*/*.onnx")):
        return None
    return f"There is no model pack under {root}. {_HOW_TO_GET.format(folder=root / 'buffalo_l')}"


@RECOGNISERS.register(
    "insightface",
    summary="ArcFace-like networks of insightface's model packs, 112 x 112, mostly 512-d.",
    source="Deng et al. 2019, ArcFace; insightface model zoo",
    licence="code MIT; the model packs are for non-commercial research",
    missing=_missing,
)
class InsightFace(Recogniser):
    """One recognition network of a pack; where the graph does not scale its input, (x - 127.5) / 127.5 is done here."""

    face = ARCFACE_112
    colour = "RGB"

    def __init__(self, *, pack: str = "buffalo_l", weights: Path | None = None, threads: int = 0) -> None:
        """Find the recognition network.

        Args:
            pack: name of a pack under ``~/.insightface/models``.
            weights: a folder with a pack, or one ONNX file, in place of that.
            threads: processor threads; 0 means all.

        Raises:
            MissingError: there is no such pack, folder or file.
            DataError: none, or more than one, of its files is a recognition network.
        """
        where = weights or _root() / pack
        how_to_get = _HOW_TO_GET.format(folder=_root() / pack)
        if not where.exists():
            raise MissingError(f"Recogniser insightface wants {where}, which does not exist. {how_to_get}")
        path = _recognition_file(where) if where.is_dir() else where
        self.weights = (weights_file(path, wanted_by="Recogniser insightface", how_to_get=how_to_get),)
        self._network = OnnxNetwork(path, threads=threads, sha256=self.weights[0].sha256)
        graph = self._network.graph
        if not _is_recogniser(graph):
            raise DataError(
                f"{path} takes {graph.height} x {graph.width} pixels and gives {graph.embedding_size} numbers; "
                "insightface's recognition networks take 112 x 112 and give 512 or so. For others: onnx:weights=PATH."
            )
        self._scaling = self._network.scaling
        self.scaling = _SCALINGS[self._scaling]
        self.embedding_size = self._network.embedding_size(self.face.height, self.face.width, self._scaling)

    def execution(self) -> Mapping[str, object]:
        """Facts for the record; see `Recogniser.execution`."""
        return {**super().execution(), **self._network.execution()}

    def notes(self) -> tuple[str, ...]:
        """See `Recogniser.notes`."""
        return self._network.notes()

    def embed(self, chips: ByteImages) -> FloatImages:
        """Embed RGB uint8 (N, 112, 112, 3) as float32 (N, ``embedding_size``)."""
        check_chips(chips, self.face, recogniser="insightface")
        return self._network.embed(chips, self._scaling)


def _recognition_file(folder: Path) -> Path:
    files = sorted(folder.glob("*.onnx"))
    fitting = [path for path in files if _fits(path)]
    if len(fitting) == 1:
        return fitting[0]
    which = ", ".join(path.name for path in fitting or files) or "no .onnx file"
    content = f"{len(fitting)} recognition networks" if fitting else "no recognition network"
    raise DataError(f"{folder} holds {content} ({which}). Pass weights=PATH of the one file meant.")


def _fits(path: Path) -> bool:
    try:
        return _is_recogniser(read_graph(path))
    except DataError:
        return False


def _is_recogniser(graph: Graph) -> bool:
    sides = {graph.height, graph.width} - {None}
    return sides in (set(), {112}) and (graph.embedding_size or 0) >= _MIN_EMBEDDING
