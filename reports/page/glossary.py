"""The glossary of a report: terms and their meaning, for the kinds of runs in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from bench.results.kinds import EFFICIENCY, EXPRESSION, IDENTIFICATION, RESTORATION, VERIFICATION

Terms = tuple[tuple[str, str], ...]

_SEARCH: Terms = (
    (
        "Rank",
        "Position of the best mate among all gallery templates and distractors, sorted by score; 1 is best. A mate is "
        "a gallery template of the same person as the probe. A tie (equal scores) counts against the system: the mate "
        "is placed after every template of other people with the same score.",
    ),
    ("rank-k", "Share of all probes with a rank of k or better. The CMC curve shows that share for every k."),
    (
        "mAP",
        "Mean over probes of the average precision over all mates, by the trapezoid rule of the TinyFace evaluation.",
    ),
    (
        "Failures",
        "A probe that failed in any stage is a miss and stays in the denominator. The figure without failures leaves "
        "such probes out, so its denominator is smaller; it is not the headline.",
    ),
)
_PARTS: Terms = (
    (
        "Several galleries",
        "A probe is searched in each gallery separately. rank-k and mAP without a gallery in brackets are of the "
        "joined gallery where there is one, else of all searches together. A figure with a gallery in brackets is of "
        "that gallery; “mean” is the plain mean over galleries. Curves, example images and paired differences use the "
        "same searches as the rank-k without a gallery. Ranks are over probes with a mate in the gallery.",
    ),
    (
        "tpir@fpir",
        "Open-set search: share of the probes with a mate whose mate ranks first with a score above the threshold. The "
        "threshold is the lowest at which no more than the given share of the probes without a mate is accepted. With "
        "several galleries it is the plain mean over those in which some probes have no mate.",
    ),
)
_INTERVAL: Terms = (
    (
        "95 % interval",
        "Percentile bootstrap that draws whole identities with replacement, because probes of one person are not "
        "independent. Where all probes are hits, or none is, an exact (Clopper-Pearson) interval over identities.",
    ),
)
_PAIRED: Terms = (
    (
        "Paired difference",
        "Rank-1 rate of the method less that of its baseline on the same probes, in percentage points. Both runs are "
        "resampled together, so the interval of the difference is narrower than the two separate intervals suggest.",
    ),
    (
        "p-values",
        "McNemar: the exact test, which assumes independent probes. By identity: a sign-flip test in which all "
        "differences of one person change sign together. Prefer it where people have several probes. Holm: corrected "
        "for the number of comparisons in the section.",
    ),
)
_BY_KIND: Mapping[str, Terms] = {
    VERIFICATION: (
        (
            "Verification",
            "Accuracy: share of pairs classified correctly, with the threshold of each fold chosen on the other "
            "folds; mean over folds. std and se: standard deviation over folds, and standard error of the mean. "
            "tar@far: share of the pairs of one person that are accepted, at the threshold that accepts the given "
            "share of the pairs of two people. eer: the rate at which both errors are equal. auc: area under the ROC "
            "curve. A pair with a failed template is an error of the accuracy, is never accepted, and stays in the "
            "denominators. Intervals draw whole folds with replacement, or people where the pairs are in no folds.",
        ),
    ),
    RESTORATION: (
        (
            "Restoration",
            "Each output is compared with its ground truth. Means are over faces with a finite value: failed faces "
            "and an infinite PSNR are left out and counted. landmarks_found is a rate in which a failed face is a "
            "miss. landmark_error is in percent of the distance between the eyes of the ground truth, over the faces "
            "in which landmarks were detected, so it may be over different faces for different methods.",
        ),
    ),
    EXPRESSION: (
        (
            "Expression",
            "A classifier predicts the expression of faces of people it was not trained on. accuracy: over faces. uar: "
            "unweighted average recall, the mean of the recalls of all expressions. Mean of folds: each fold has the "
            "same weight. Frontal HR and bicubic: the same with the ground-truth faces, and with LR faces enlarged by "
            "bicubic interpolation. A face that failed has no prediction and is a miss.",
        ),
    ),
    EFFICIENCY: (
        (
            "Efficiency",
            "parameters: of all networks that were loaded; parameters-used: of the modules that were executed. "
            "ms@batch: median over passes of the milliseconds per face, from LR bytes to HR bytes. peak-mib: peak "
            "memory. Compare times only if they are from the same idle machine.",
        ),
    ),
}
_RANKED: Terms = (
    (
        "best, tied",
        "best: the best value of a column. tied: not significantly different from the best, that is, the 95 % interval "
        "of the paired difference to the best includes 0.",
    ),
)
_MISSING: Terms = (
    (
        "Missing values",
        "A dash means that there is no such value; it never means 0.",
    ),
)


def terms_for(kinds: Iterable[str], *, parts: bool, ranked: bool) -> Terms:
    """The terms of a report.

    Args:
        kinds: of its runs.
        parts: whether probes are searched in named galleries, or some have no mate.
        ranked: whether any section marks its best runs.
    """
    present = list(dict.fromkeys(kinds))
    search = IDENTIFICATION in present
    return (
        *(_SEARCH if search else ()),
        *(_PARTS if search and parts else ()),
        *(_INTERVAL if any(kind != EFFICIENCY for kind in present) else ()),
        *(_PAIRED if search else ()),
        *(_RANKED if ranked else ()),
        *(term for kind in present for term in _BY_KIND.get(kind, ())),
        *_MISSING,
    )
