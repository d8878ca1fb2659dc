"""Expression classification from hallucinated faces: MMI as in the paper, CK+ and FER2013 beside it."""

from __future__ import annotations

from collections.abc import Callable
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
from protocols.expression.fer2013 import USAGES, find_fer2013, table_of
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
    "mmi-expression: retrain=per-fold is not done within one run, since a hallucinator takes hours to train. Pack the "
    "people of the other folds (`bench data pairs`; run.json of a run says who is in which fold), train on them "
    "(`bench train METHOD --data FILE --out DIR`), then run each fold with its own weights: --protocol "
    "mmi-expression:only_fold=0 --hallucinator METHOD:weights=FOLD0.safetensors, and average the folds."
)


class ExpressionProtocol(ScratchProtocol):
    """Expressions told by a classifier; what the sources have in common."""

    recognises = False

    def __init__(self, choice: Choice, plan: ClassifierPlan, weights: tuple[WeightsFile, ...]) -> None:
        """Take the choice of faces and folds, the plan of the classifier and the files that it starts from."""
        self._choice, self.classification, self.weights = choice, plan, weights
        self.wanted_frame = choice.recipe.frame


class MmiExpression(ExpressionProtocol):
    """Six emotions and neutral from MMI's clips, subject-independent folds."""

    dataset = "mmi"
    how_to_get = MMI_HOW_TO_GET

    @classmethod
    def sample_writer(cls) -> Sample:
        """That of the database's sample."""
        from protocols.mmi.sample import SAMPLE

        return SAMPLE

    def locate(self, root: Path) -> Path:
        """Return the folder that holds ``Sessions``, or downloads that do."""
        return find_mmi(root)

    def read_with(self, root: Path, scratch: Path, progress: Progress | None = None) -> ExpressionSet:
        """List the faces; see `protocols.expression.shots.mmi_shots` and `protocols.expression.study.study_of`."""
        return study_of(mmi_shots(root), self._choice, scratch, progress)

    def check(self, root: Path, progress: Progress | None = None) -> list[CheckLine]:
        """Compare with what is published; see `protocols.expression.check`."""
        from protocols.expression.check import check_mmi

        return check_mmi(root, self._choice, progress)


class CkPlusExpression(ExpressionProtocol):
    """Six emotions and neutral from CK+'s labelled sequences, subject-independent folds."""

    dataset = "ckplus"
    how_to_get = CKPLUS_HOW_TO_GET

    def locate(self, root: Path) -> Path:
        """Return the folder that holds ``cohn-kanade-images`` and ``Emotion``."""
        return find_ckplus(root)

    def read_with(self, root: Path, scratch: Path, progress: Progress | None = None) -> ExpressionSet:
        """List the faces; see `protocols.expression.shots.ckplus_shots` and `protocols.expression.study.study_of`."""
        return study_of(ckplus_shots(root), self._choice, scratch, progress)

    def published_counts(self) -> dict[str, int] | None:
        """None: how many of the published sequences show one of these expressions depends on the frames chosen."""
        return None

    def check(self, root: Path, progress: Progress | None = None) -> list[CheckLine]:
        """Compare with the official set; see `protocols.expression.check`."""
        from protocols.expression.check import check_ckplus

        return check_ckplus(root, self._choice, progress)


class Fer2013Expression(ExpressionProtocol):
    """Seven expressions of grey 48 x 48 faces; learned from Training, tested on PrivateTest."""

    dataset = "fer2013"
    how_to_get = FER2013_HOW_TO_GET

    def __init__(self, choice: Choice, plan: ClassifierPlan, weights: tuple[WeightsFile, ...]) -> None:
        """As `ExpressionProtocol`; its faces stand where the database has them, and the true ones alike."""
        super().__init__(choice, plan, weights)
        self.wanted_frame = ""

    def locate(self, root: Path) -> Path:
        """Return the folder that holds ``fer2013.csv``."""
        return find_fer2013(root)

    def read_with(self, root: Path, scratch: Path, progress: Progress | None = None) -> ExpressionSet:
        """List the faces; see `protocols.expression.study.fer_study`."""
        table = table_of(root)
        if table is None:
            raise MissingError(f"{root} holds no fer2013.csv.\n{self.how_to_get}")
        return fer_study(table, self._choice, scratch, progress)

    def published_counts(self) -> dict[str, int]:
        """Faces of all parts, without the neutral ones where they are no class."""
        from protocols.expression.fer2013 import NEUTRAL, OFFICIAL

        return {"probe": sum(OFFICIAL.values()) - (NEUTRAL if self._choice.classes == 6 else 0)}

    def check(self, root: Path, progress: Progress | None = None) -> list[CheckLine]:
        """Compare with the official set; see `protocols.expression.check`."""
        from protocols.expression.check import check_fer2013

        return check_fer2013(root, self._choice)


_SOURCES: dict[Source, Callable[[Choice, ClassifierPlan, tuple[WeightsFile, ...]], ExpressionProtocol]] = {
    "mmi": MmiExpression,
    "ckplus": CkPlusExpression,
    "fer2013": Fer2013Expression,
}


@PROTOCOLS.register(
    "mmi-expression",
    summary="Expressions told from hallucinated faces by a classifier trained on other people; MMI, CK+ or FER2013.",
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
        folds: into which people are dealt; FER2013 has its own split and takes no notice.
        classes: 7 with neutral, 6 without.
        classifier: ``small``, or ``vgg16`` as in the paper.
        weights: VGG-16 of ImageNet, in place of the file in torch's cache.
        train_on: what the classifier sees of the people it learns from.
        views: ``frontal`` frames, or ``turned`` ones: eight views of each by the face engine.
        lr: side of LR faces, pixels; 0 leaves them at full size.
        epochs: of the classifier; 0 takes its own number.
        seed: of the classifier, of turned views' similarities, and of the shuffle.
        shuffle: deal people in an order by the seed instead of that of their ids.
        references: classify frontal HR faces and bicubic LR faces too.
        retrain: ``once``: the hallucinator was trained elsewhere; ``per-fold`` says how to train one a fold.
        only_fold: test this fold alone (from 0).
        frame: where faces stand; ``utkface200`` is that of the shipped weights.
        jitter: how far turned views are turned, shifted and scaled at random before they are shrunk: ``paper`` (up to
            45 degrees, 5 % of the side, 0.8 to 1), ``small`` (10 degrees, 3 %, 0.9 to 1) or ``none``.

    Raises:
        UsageError: an argument is out of range, or does not go with the source.
        MissingError: VGG-16 is asked for and its weights are not here.
    """
    if retrain == "per-fold":
        raise UsageError(_PER_FOLD)
    if folds < 2:
        raise UsageError(f"mmi-expression: folds={folds}; two or more are needed")
    if only_fold is not None and not 0 <= only_fold < folds:
        raise UsageError(f"mmi-expression: only_fold={only_fold}; folds are 0 to {folds - 1}")
    path, files = _weights(classifier, weights)
    tested: tuple[int, ...] = () if only_fold is None else (only_fold,)
    trained: tuple[int, ...] = ()
    if source == "fer2013":
        if views == "turned" or only_fold is not None:
            raise UsageError(
                "mmi-expression: FER2013 has faces of any pose and its own split; views=turned and only_fold do not go "
                "with it."
            )
        tested, trained = (USAGES.index("PrivateTest"),), (USAGES.index("Training"),)
    recipe = Recipe(frame=frame, jitter=jitter, seed=seed)
    choice = Choice(folds, classes, views, lr or None, seed if shuffle else None, recipe)
    plan = ClassifierPlan(classifier, path, train_on, epochs, seed, references, tested, trained)
    return _SOURCES[source](choice, plan, files)


def _weights(classifier: ClassifierName, weights: Path | None) -> tuple[Path | None, tuple[WeightsFile, ...]]:
    """The file VGG-16 starts from, and its digest for the record."""
    if classifier != "vgg16":
        if weights is not None:
            raise UsageError(f"mmi-expression: weights go with classifier=vgg16; {classifier} starts from nothing")
        return None, ()
    from bench.evaluation.expression.classifier.networks import VGG16_FILE, VGG16_HOW_TO_GET, default_weights
    from bench.weights import hub_file

    path = weights or default_weights()
    return path, (hub_file(path, VGG16_FILE, wanted_by="classifier vgg16", how_to_get=VGG16_HOW_TO_GET),)
