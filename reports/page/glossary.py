"""How to read a report: terms and their meaning, those of the kinds of run that are in it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from reports.runs.consistency import IDENTIFICATION
from reports.runs.items import EFFICIENCY, EXPRESSION, RESTORATION, VERIFICATION

Terms = tuple[tuple[str, str], ...]

_SEARCH: Terms = (
    (
        "Rank",
        "Place of the best mate among all gallery templates and distractors, sorted by score; 1 is best. A tie counts "
        "against the system: the mate is placed after every template of other people with the same score.",
    ),
    ("rank-k", "Share of all probes whose rank is k or better. The CMC curve is that share for every k."),
    (
        "mAP",
        "Mean over probes of the average precision over all mates, by the trapezoid rule of the TinyFace evaluation.",
    ),
    (
        "Failures",
        "A probe that failed in any stage is a miss and stays in the denominator. The figure without failures leaves "
        "such probes out, so it is over fewer probes; it is not the headline.",
    ),
)
_PARTS: Terms = (
    (
        "Several galleries",
        "A probe is searched in each gallery by itself. rank-k and mAP without a name in brackets are of the joined "
        "gallery where there is one, else of all searches together; figures with a name are of that gallery; “mean” is "
        "the plain mean over galleries. Curves, strips and paired differences are of the same searches as the rank-k "
        "without a name. Ranks are over probes with a mate in the gallery.",
    ),
    (
        "tpir@fpir",
        "Open-set search: share of mated probes whose mate ranks first with a score above the threshold. The threshold "
        "is the lowest at which no more than that share of the probes without a mate is accepted. Over several "
        "galleries it is the plain mean of those that some probes have no mate in.",
    ),
)
_INTERVAL: Terms = (
    (
        "95 % interval",
        "Percentile bootstrap that draws whole identities with replacement, since probes of one person are not "
        "independent. Where all probes are hits, or none is, an exact (Clopper-Pearson) interval over identities.",
    ),
)
_PAIRED: Terms = (
    (
        "Paired difference",
        "Rank-1 rate of the method less that of its baseline on the same probes, in percentage points. Both are "
        "resampled together, so its interval is narrower than two separate ones would suggest.",
    ),
    (
        "p-values",
        "McNemar: exact, takes probes as independent. By identity: signs of all differences of a person flipped "
        "together, which is the safer one where people have several probes. Holm: corrected for the number of "
        "comparisons in the section.",
    ),
)
_BY_KIND: dict[str, Terms] = {
    VERIFICATION: (
        (
            "Verification",
            "Accuracy: share of pairs told rightly, the threshold of a fold chosen on the others, mean over folds; std "
            "and se: of single folds, and of their mean. tar@far: share of pairs of one person that are accepted "
            "where that share of pairs of two is. eer: where both errors are equal. auc: area under the ROC curve. A "
            "pair with a failed template is an error of the accuracy, never accepted, and stays in the denominators. "
            "Intervals draw whole folds with replacement, or people where pairs are in no folds.",
        ),
    ),
    RESTORATION: (
        (
            "Restoration",
            "Each face beside its truth. Means are over faces with a finite value: failed faces and a PSNR without end "
            "have no part in them, and are counted. landmarks_found is a rate, a failed face being a miss. "
            "landmark_error is in percent of the distance between the truth's eyes, over faces in which points are "
            "found, so methods may have it of different faces.",
        ),
    ),
    EXPRESSION: (
        (
            "Expression",
            "A classifier tells the expression of faces of people it has not seen. accuracy: over faces. uar: mean of "
            "the recalls of all expressions. Mean of folds: each fold counts alike. Frontal HR and bicubic: the same "
            "with true faces, and with enlarged LR ones. A face that failed has no prediction and is a miss.",
        ),
    ),
    EFFICIENCY: (
        (
            "Efficiency",
            "parameters: of all that was loaded; parameters-used: of what computed. ms@batch: median over passes of "
            "milliseconds a face, from LR bytes to HR bytes. peak-mib: the most memory. Compare times of one idle "
            "machine only.",
        ),
    ),
}
_MISSING: Terms = (
    (
        "Missing values",
        "A dash means that there is no such value; it never stands for 0.",
    ),
)


def reading(kinds: Iterable[str], *, parts: bool) -> Terms:
    """The terms of a report.

    Args:
        kinds: of its runs.
        parts: whether probes are searched in named galleries, or some have no mate.
    """
    there = list(dict.fromkeys(kinds))
    search = IDENTIFICATION in there
    intervals: Sequence[tuple[str, str]] = _INTERVAL if any(kind != EFFICIENCY for kind in there) else ()
    return (
        *(_SEARCH if search else ()),
        *(_PARTS if search and parts else ()),
        *intervals,
        *(_PAIRED if search else ()),
        *(term for kind in there for term in _BY_KIND.get(kind, ())),
        *_MISSING,
    )
