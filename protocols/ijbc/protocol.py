"""IJB-C: templates of stills and video frames, searched in two galleries (1:N) or compared in pairs (1:1)."""

from __future__ import annotations

from copy import copy
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from bench.errors import UsageError
from bench.interfaces import PROTOCOLS, Progress
from bench.studies import Study, VerificationSet
from bench.types import CheckLine, IdentificationSet
from protocols.base.protocol import SampledProtocol
from protocols.base.root import find_root, names_in
from protocols.ijbc.releases import INSIDE, Release, Task, holds_ijbc

if TYPE_CHECKING:
    from protocols.ijbc.media import Framing
    from protocols.sample.summary import Sample

ClosedSet = Literal["joined", "pooled"]
Crop = Literal["face", "whole"]

SMALLEST, LARGEST = 4, 256


def _describe_lists(root: Path) -> str:
    """Content of a folder of lists that holds none of the three releases; empty where there is no such folder."""
    for name in ("protocols", "meta"):
        if (root / name).is_dir():
            names = names_in(root / name)
            return f"{name} exists, but holds none of the lists; it holds {', '.join(names[:5]) or 'nothing'}"
    return ""


@PROTOCOLS.register(
    "ijbc",
    summary="Templates of stills and video frames: open-set and closed-set 1:N search in G1 and G2, or 1:1 pairs.",
    source="Maze et al., IARPA Janus Benchmark - C, ICB 2018; template fusion as in its public evaluation codes",
    licence="data set: NIST's terms, no longer given out; only for those who have it",
)
class IjbC(SampledProtocol):
    """19,593 probe templates are searched in G1 and in G2; each has its mate in one of them.

    A template is the sum of its media, a medium the mean of its images, an image the sum of the embeddings of itself
    and its mirror image; lengths are kept until the template is scaled to length 1. Open set: TPIR at FPIR 0.01 and 0.1
    in each gallery, and their mean. Closed set: rank-1, 5, 10. 1:1: true accept rate at a false accept rate of 0.0001.
    """

    dataset = "ijbc"
    how_to_get = (
        "IJB-C (Maze et al. 2018): 3,531 people in stills and video frames. NIST gave it out on request and is\n"
        "reported to have stopped; this suite never downloads it. Whoever has it points to its\n"
        "folder, in any of three forms:\n"
        "  A  protocols/ijbc_1N_*.csv, ijbc_11_G1_G2_matches.csv, and images/\n"
        "  B  protocols/test1, protocols/test4, protocols/ijbc_metadata_with_age.csv, and images/\n"
        "  C  meta/ijbc_face_tid_mid.txt and the lists beside it, and loose_crop/ (insightface's bundle)\n"
        "  bench run --protocol ijbc --data-root DIR\n"
        "  bench config set data.ijbc DIR\n"
        "  BENCH_DATA=DIR bench run --protocol ijbc      (DIR, or a folder in it)\n"
        "Then `bench data check ijbc` says whether it is whole."
    )
    similarity = "cosine"
    unit_length = True
    mean_average_precision = False
    ranks = (1, 5, 10)

    def __init__(
        self,
        *,
        task: Task = "identification",
        closed_set: ClosedSet = "joined",
        fusion: Literal["media", "mean", "unit"] = "media",
        flip: Literal["none", "sum", "mean"] = "sum",
        detector_score: bool = False,
        lr: int | None = 16,
        margin: float = 0.0,
        crop: Crop = "face",
        release: Release = "auto",
        far_rule: Literal["exact", "nearest"] = "exact",
        false_positive_rates: tuple[float, ...] = (),
    ) -> None:
        """Choose what is measured, and how faces are cropped.

        Args:
            task: ``identification`` (1:N mixed media) or ``verification`` (1:1).
            closed_set: the gallery of the headline rank-k rates: ``joined``, G1 and G2 searched as one; ``pooled``,
                the mated probes of both counted together. The rates of each gallery and their mean are given too.
            fusion: of the images of a template; ``media`` is the convention of this set.
            flip: how the embedding of the mirror image is used: not at all (``none``), added (``sum``) or averaged
                (``mean``).
            detector_score: weigh each image by its detection score (release C only).
            lr: side in pixels that probe faces are shrunk to; none (or 0) keeps the published size.
            margin: border around the square of a face, on each side, as a share of the square's side without it.
            crop: release C only: ``face`` crops a square around the five points, ``whole`` uses the loose crop
                unchanged, as published (with ``lr=none``).
            release: of the lists; ``auto`` uses the first complete one.
            far_rule: of pairs: ``exact``: the true accept rate at the largest false accept rate that does not exceed
                the given one; ``nearest``: at the nearest point of the curve, like the public IJB tools.
            false_positive_rates: FPIR of the search (0.01 and 0.1 if empty), or FAR of pairs (0.0001).

        Raises:
            UsageError: an argument is out of range, or two exclude each other.
        """
        if lr and not SMALLEST <= lr <= LARGEST:
            raise UsageError(f"ijbc: lr is {lr}; expected {SMALLEST} to {LARGEST} pixels, or none.")
        if not 0 <= margin <= 2:
            raise UsageError(f"ijbc: margin is {margin}; expected 0 to 2.")
        if lr and crop == "whole":
            raise UsageError("ijbc: crop=whole needs lr=none: resizing a loose crop to a square would distort it.")
        if any(not 0 < rate < 1 for rate in false_positive_rates):
            raise UsageError(f"ijbc: false_positive_rates are {list(false_positive_rates)}; expected each in (0, 1).")
        self.task, self.closed_set, self.release, self.crop = task, closed_set, release, crop
        self.fusion, self.flip, self.score_weighted = fusion, flip, detector_score
        self.lr, self.margin, self.far_rule = lr or None, margin, far_rule
        defaults = (0.01, 0.1) if task == "identification" else (1e-4,)
        self.false_positive_rates = tuple(false_positive_rates) or defaults

    @classmethod
    def sample_writer(cls) -> Sample:
        """The writer of the IJB-C sample."""
        from protocols.ijbc.sample import SAMPLE

        return SAMPLE

    def locate(self, root: Path) -> Path:
        """Return the folder that holds the lists: ``root``, or ``IJB-C``, ``IJBC``, ``IJB/IJB-C`` in it.

        Raises:
            MissingError: ``root`` does not exist.
            DataError: it holds no IJB-C, or holds it deeper; the text names the folder to use.
        """
        return find_root(
            root,
            holds=holds_ijbc,
            name="IJB-C",
            expected="protocols/ijbc_1N_*.csv, protocols/test4 or meta/ijbc_face_tid_mid.txt",
            how_to_get=self.how_to_get,
            inside=INSIDE,
            nearly=_describe_lists,
        )

    def read(self, root: Path) -> IdentificationSet | VerificationSet:
        """List the media and who is compared with whom; opens no image.

        An image that is listed but absent, a box without a size and a template without images stay in the lists,
        become counted failures, and are told in the notes.

        Raises:
            DataError: a list is missing, damaged or contradicts another, a template shows two people or is enrolled
                in both galleries, a file name leads out of its folder, or a pair names an unknown template.
        """
        from protocols.ijbc.studies import read_pairs_set, read_search_set

        framing = self._framing()
        if self.task == "verification":
            return read_pairs_set(root, self.release, framing, scored=self.score_weighted)
        return read_search_set(
            root, self.release, framing, scored=self.score_weighted, joined=self.closed_set == "joined"
        )

    def published_counts(self) -> dict[str, int]:
        """Templates searched in every gallery, or pairs, of the official lists."""
        from protocols.ijbc.studies import OFFICIAL_PAIRS, OFFICIAL_SEARCH

        if self.task == "verification":
            same = OFFICIAL_PAIRS["genuine pairs"]
            return {"pairs": same + OFFICIAL_PAIRS["impostor pairs"], "same pairs": same}
        galleries = 3 if self.closed_set == "joined" else 2
        people = OFFICIAL_SEARCH["G1 templates"] + OFFICIAL_SEARCH["G2 templates"]
        return {"searches": galleries * OFFICIAL_SEARCH["probe templates"], "gallery identities": people}

    def check(self, root: Path, progress: Progress | None = None) -> list[CheckLine]:
        """Compare with the official lists; see `protocols.ijbc.check`."""
        from protocols.ijbc.check import check

        def read(task: Task) -> Study:
            protocol = copy(self)
            protocol.task = task
            return protocol.read(root)

        return check(root, read, task=self.task, framing=self._framing(), release=self.release, progress=progress)

    def _framing(self) -> Framing:
        from protocols.ijbc.media import Framing

        return Framing(self.margin, self.crop == "whole", self.lr)
