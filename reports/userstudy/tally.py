"""Tallies the picks of participants: shares with intervals, agreement, and a test for a preference for places."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from bench.io.columns import align_columns
from bench.io.printing import printable
from bench.metrics.agreement import Agreement, ChiSquared, chi_squared_of_equal_counts, krippendorff_alpha
from bench.metrics.bootstrap import bootstrap_intervals
from reports.userstudy.answers import AnswerFile, Key, Skipped


@dataclass(frozen=True, slots=True)
class Share:
    """How often one method was picked.

    Attributes:
        letter: of the page.
        method: its name; the letter again where there is no key.
        picks: number of picks.
        share: of all answers.
        low: lower end of the 95 % interval over participants, or None.
        high: upper end, likewise.
        interval: how it was computed, or why there is none.
    """

    letter: str
    method: str
    picks: int
    share: float
    low: float | None
    high: float | None
    interval: str


@dataclass(frozen=True)
class Tally:
    """The tally of all answers.

    Attributes:
        shares: most picked first.
        participants: number of participants.
        answered: number of answers.
        unanswered: questions without an answer, by participant.
        places: picks by place, tested against equal counts.
        agreement: between participants, over questions.
        skipped: files left out.
        notes: sentences of the key.
    """

    shares: tuple[Share, ...]
    participants: int
    answered: int
    unanswered: dict[str, int]
    places: ChiSquared
    agreement: Agreement
    skipped: tuple[Skipped, ...]
    notes: tuple[str, ...]


def tally(files: Sequence[AnswerFile], skipped: Sequence[Skipped], key: Key | None, *, seed: int = 0) -> Tally:
    """Count answers.

    Args:
        files: at least one, of one page; see `answers.read_answers`.
        skipped: files left out.
        key: of the page, for names; or None.
        seed: of the bootstrap.
    """
    letters = [chr(ord("A") + place) for place in range(files[0].methods)]
    picks = [(answers.participant, pick) for answers in files for pick in answers.picks]
    table = np.array([[float(pick.letter == letter) for letter in letters] for _, pick in picks])
    intervals = bootstrap_intervals(table, [participant for participant, _ in picks], seed=seed)
    shares = [
        Share(
            letter,
            key.methods.get(letter, letter) if key else letter,
            int(column.sum()),
            float(column.mean()),
            interval.low,
            interval.high,
            interval.method.replace("identities", "participants").replace("identity", "participant"),
        )
        for letter, column, interval in zip(letters, table.T, intervals, strict=True)
    ]
    places = [sum(pick.place == place for _, pick in picks) for place in range(len(letters))]
    questions: dict[str, list[str]] = {}
    for _, pick in picks:
        questions.setdefault(pick.question, []).append(pick.letter)
    return Tally(
        tuple(sorted(shares, key=lambda share: -share.picks)),
        len(files),
        len(picks),
        {answers.participant: answers.unanswered for answers in files},
        chi_squared_of_equal_counts(places),
        krippendorff_alpha(list(questions.values())),
        tuple(skipped),
        key.notes if key else ("There is no key: methods are the letters of the page.",),
    )


def to_plain(result: Tally) -> dict[str, Any]:
    """Everything as plain values for JSON."""
    plain = asdict(result)
    plain["skipped"] = [{"file": str(bad.file), "why": bad.why} for bad in result.skipped]
    return plain


def to_text(result: Tally) -> str:
    """The printed lines."""
    lines = [f"note: {printable(note)}" for note in result.notes]
    lines += [f"skipped: {printable(str(bad.file))}: {printable(bad.why)}" for bad in result.skipped]
    lines += ["", f"{result.answered:,} answers of {result.participants:,} participants"]
    rows = [("method", "picks", "share", "95 % interval")]
    for share in result.shares:
        span = share.interval if share.low is None or share.high is None else f"{share.low:.2%} - {share.high:.2%}"
        rows.append((share.method, f"{share.picks:,}", f"{share.share:.2%}", span))
    lines += align_columns(rows, right=(1, 2))
    unanswered = {name: count for name, count in result.unanswered.items() if count}
    details = ", ".join(f"{name} {count}" for name, count in unanswered.items()) or "none"
    lines.append(f"  unanswered: {sum(unanswered.values()):,} ({details})")
    counts = ", ".join(f"{place}: {count:,}" for place, count in enumerate(result.places.counts, 1))
    p_value = result.places.p_value
    chance = "too few answers for the test" if p_value is None else f"p = {p_value:.3g}"
    lines.append(
        f"  picks by place ({counts}): chi-squared {result.places.statistic:.2f} on {result.places.degrees} degrees of "
        f"freedom, {chance}"
    )
    agreement = result.agreement
    alpha = f"not defined: {agreement.why}" if agreement.alpha is None else f"{agreement.alpha:.3f}"
    share_text = "" if agreement.share is None else f"; {agreement.share:.2%} of pairs of answers are equal"
    lines.append(
        f"  agreement, Krippendorff's alpha: {alpha} ({agreement.ratings:,} answers to {agreement.units:,} questions "
        f"that two or more answered{share_text})"
    )
    return "\n".join(lines) + "\n"
