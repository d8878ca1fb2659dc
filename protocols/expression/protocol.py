"""Expression classification from hallucinated faces: MMI as in the paper, and CK+ and FER2013."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from bench.align.template import Frame
from bench.errors import MissingError, UsageError
from bench.evaluation.expression.classifier.plan import ClassifierName, ClassifierPlan, TrainOn
from bench.interfaces import PROTOCOLS, EvalProtocol, Progress
from bench.studies import ExpressionSet
from bench.types import CheckLine, WeightsFile
from protocols.base.protocol import ScratchProtocol
from protocols.expression.ckplus import HOW_TO_GET as CKPLUS_HOW_TO_GET
from protocols.expression.ckplus import find_ckplus
from protocols.expression.fer2013 import HOW_TO_GET as FER2013_HOW_TO_GET
from protocols.expression.fer2013 import NEUTRAL, OFFICIAL, TESTED, TRAINED, find_fer2013, table_of
from protocols.expression.shots import ckplus_shots, mmi_shots
from protocols.expression.study import Choice, Views, fer_study, study_of
from protocols.mmi.files import HOW_TO_GET as MMI_HOW_TO_GET
from protocols.mmi.files import find_mmi
from protocols.views.recipe import JitterName, Recipe

if TYPE_CHECKING:
    from protocols.sample.summary import Sample

Source = Literal["mmi", "ckplus", "fer2013"]
Retrain = Literal["once", "per-fold"]
_PER_FOLD = (
    "mmi-expression: retrain=per-fold is not done within one run, since training a hallucinator takes hours. For each "
    "fold, pack the people of the other folds (`bench data pairs`; run.json of a run lists the folds), train on them "
    "(`bench train METHOD --data FILE --out DIR`), run the fold with these weights (--protocol "
    "mmi-expression:only_fold=0 --hallucinator METHOD:weights=FOLD0.safetensors), and average the folds."
)


@dataclass(frozen=True, slots=True)
class Database:
    """How the protocol reads one database.

    Attributes:
        name: of the data set in the settings.
        how_to_get: shown where the data are absent.
        locate: returns the folder of the database below the one given.
        read: lists the faces, given root, choice, cache folder and progress.
        check: lines of ``bench data check``, given root, choice and progress.
        published: number of faces of the published set; None where it is not published for this choice.
        sample: returns the writer of the sample; None where there is none.
        aligned: whether faces are aligned to a frame; else they are used as stored.
    """

    name: str
    how_to_get: str
    locate: Callable[[Path], Path]
    read: Callable[[Path, Choice, Path, Progress | None], ExpressionSet]
    check: Callable[[Path, Choice, Progress | None], list[CheckLine]]
    published: Callable[[Choice], int | None] = lambda choice: None
    sample: Callable[[], Sample] | None = None
    aligned: bool = True


class ExpressionProtocol(ScratchProtocol):
    """Six emotions and neutral of one database, classified in folds that share no people.

    MMI and CK+ are split into folds by person; FER2013 has its own split: learned from Training, tested on PrivateTest.
    """

    recognises = False

    def __init__(
        self, database: Database, choice: Choice, plan: ClassifierPlan, weights: tuple[WeightsFile, ...]
    ) -> None:
        """Store the database, the choice of faces and folds, the classifier's plan and its initial weights."""
        self._database, self._choice, self.classification, self.weights = database, choice, plan, weights
        self.dataset, self.how_to_get = database.name, database.how_to_get  # type: ignore[misc]  # one class, several databases
        self.wanted_frame = choice.recipe.frame if database.aligned else ""

    def sample_writer(self) -> Sample | None:  # type: ignore[override]  # of this database, not of the class
        """The writer of the database's sample; None where it has none."""
        return self._database.sample() if self._database.sample else None

    def locate(self, root: Path) -> Path:
        """Return the folder of the database, ``root`` or one below it; see `protocols.base.root.find_root`."""
        return self._database.locate(root)

    def read_with(self, root: Path, scratch: Path, progress: Progress | None = None) -> ExpressionSet:
        """List the faces; see `protocols.expression.study`."""
        return self._database.read(root, self._choice, scratch, progress)

    def published_counts(self) -> dict[str, int] | None:
        """Number of published faces; None where it depends on the chosen frames or is not published."""
        count = self._database.published(self._choice)
        return None if count is None else {"probe": count}

    def check(self, root: Path, progress: Progress | None = None) -> list[CheckLine]:
        """Compare with the published set; see `protocols.expression.check`."""
        return self._database.check(root, self._choice, progress)


def _mmi_sample() -> Sample:
    from protocols.mmi.sample import SAMPLE

    return SAMPLE


def _check_mmi(root: Path, choice: Choice, progress: Progress | None) -> list[CheckLine]:
    from protocols.expression.check import check_mmi

    return check_mmi(root, choice, progress)


def _check_ckplus(root: Path, choice: Choice, progress: Progress | None) -> list[CheckLine]:
    from protocols.expression.check import check_ckplus

    return check_ckplus(root, choice, progress)


def _check_fer2013(root: Path, choice: Choice, progress: Progress | None) -> list[CheckLine]:
    from protocols.expression.check import check_fer2013

    return check_fer2013(root, choice)


def _read_fer2013(root: Path, choice: Choice, scratch: Path, progress: Progress | None) -> ExpressionSet:
    table = table_of(root)
    if table is None:
        raise MissingError(f"{root} holds no fer2013.csv.\n{FER2013_HOW_TO_GET}")
    return fer_study(table, choice, scratch, progress)


_DATABASES: dict[Source, Database] = {
    "mmi": Database(
        "mmi",
        MMI_HOW_TO_GET,
        find_mmi,
        lambda root, choice, scratch, progress: study_of(mmi_shots(root), choice, scratch, progress),
        _check_mmi,
        sample=_mmi_sample,
    ),
    "ckplus": Database(
        "ckplus",
        CKPLUS_HOW_TO_GET,
        find_ckplus,
        lambda root, choice, scratch, progress: study_of(ckplus_shots(root), choice, scratch, progress),
        _check_ckplus,
    ),
    "fer2013": Database(
        "fer2013",
        FER2013_HOW_TO_GET,
        find_fer2013,
        _read_fer2013,
        _check_fer2013,
        published=lambda choice: sum(OFFICIAL.values()) - (NEUTRAL if choice.classes == 6 else 0),
        aligned=False,
    ),
}


@PROTOCOLS.register(
    "mmi-expression",
    summary="Expressions of hallucinated faces by a classifier trained on other people; MMI, CK+ or FER2013.",
    source="Zhang et al. 2021, section VI.B, Table VII; Pantic et al. 2005; Lucey et al. 2010; Goodfellow et al. 2013",
    licence="data sets: their owners' terms, for research; read them",
)
def mmi_expression(
    *,
    source: Source = "mmi",
    folds: int = 10,
    classes: Literal[7, 6] = 7,
    classifier: ClassifierName = "small",
    weights: Path | None = None,
    train_on: TrainOn = "hallucinated",
    views: Views = "frontal",
    lr: Literal[16, 32, 0] = 16,
    epochs: int = 0,
    seed: int = 0,
    shuffle: bool = False,
    references: bool = True,
    retrain: Retrain = "once",
    only_fold: int | None = None,
    frame: Frame = "utkface200",
    jitter: JitterName = "paper",
) -> EvalProtocol:
    """Choose faces, folds and classifier.

    Args:
        source: the database whose faces are classified.
        folds: number of folds that people are assigned to; ignored for FER2013, which has its own split.
        classes: 7 with neutral, 6 without.
        classifier: ``small``, or ``vgg16`` as in the paper.
        weights: VGG-16 of ImageNet, instead of the file in torch's cache.
        train_on: which faces of the training people the classifier is trained on.
        views: ``frontal`` frames, or ``turned`` ones: eight views of each by the face engine.
        lr: side of LR faces, pixels; 0 leaves them at full size.
        epochs: of the classifier; 0 uses the default of the classifier.
        seed: of the classifier, of turned views' similarities, and of the shuffle.
        shuffle: assign people to folds in a seeded order instead of the order of their ids.
        references: classify frontal HR faces and bicubic LR faces too.
        retrain: ``once``: the hallucinator is already trained; ``per-fold`` explains how to train one a fold.
        only_fold: test this fold alone (from 0).
        frame: frame of the faces; ``utkface200`` is the frame of the shipped weights.
        jitter: how far turned views are turned, shifted and scaled at random before they are shrunk: ``paper`` (up to
            45 degrees, 5 % of the side, 0.8 to 1), ``small`` (10 degrees, 3 %, 0.9 to 1) or ``none``.

    Raises:
        UsageError: an argument is out of range, or does not go with the source.
        MissingError: VGG-16 is chosen and its weights are absent.
    """
    if retrain == "per-fold":
        raise UsageError(_PER_FOLD)
    if folds < 2:
        raise UsageError(f"mmi-expression: folds={folds}; two or more are needed")
    if only_fold is not None and not 0 <= only_fold < folds:
        raise UsageError(f"mmi-expression: only_fold={only_fold}; folds are 0 to {folds - 1}")
    path, files = _initial_weights(classifier, weights)
    tested: tuple[int, ...] = () if only_fold is None else (only_fold,)
    trained: tuple[int, ...] = ()
    if source == "fer2013":
        if views == "turned" or only_fold is not None:
            raise UsageError(
                "mmi-expression: FER2013 has faces of any pose and its own split; views=turned and only_fold cannot be "
                "used with it."
            )
        tested, trained = (TESTED,), (TRAINED,)
    recipe = Recipe(frame=frame, jitter=jitter, seed=seed)
    choice = Choice(folds, classes, views, lr or None, seed if shuffle else None, recipe, only_fold)
    plan = ClassifierPlan(classifier, path, train_on, epochs, seed, references, tested, trained)
    return ExpressionProtocol(_DATABASES[source], choice, plan, files)


def _initial_weights(classifier: ClassifierName, weights: Path | None) -> tuple[Path | None, tuple[WeightsFile, ...]]:
    """The weights that VGG-16 starts from, and their digest for the record."""
    if classifier != "vgg16":
        if weights is not None:
            raise UsageError(f"mmi-expression: weights are for classifier=vgg16; {classifier} has no initial weights")
        return None, ()
    from bench.evaluation.expression.classifier.networks import VGG16_FILE, VGG16_HOW_TO_GET, default_weights
    from bench.weights import hub_file

    path = weights or default_weights()
    return path, (hub_file(path, VGG16_FILE, wanted_by="classifier vgg16", how_to_get=VGG16_HOW_TO_GET),)
