"""What participants picked: shares with intervals over participants, agreement, and whether a place was favoured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from bench.metrics.agreement import Agreement, ChiSquared, equal_counts, krippendorff_alpha
from bench.metrics.bootstrap import bootstrap_intervals
from reports.userstudy.answers import Key, Sheet, Skipped


@dataclass(frozen=True, slots=True)
class Share:
    """How often one method was picked.

    Attributes:
        letter: of the page.
        method: its name; the letter again where there is no key.
        picks: how often it was.
        share: of all answers.
        low: lower end of the 95 % interval over participants, or None.
        high: upper end, likewise.
        interval: how it was made, or why there is none.
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
    """All that was answered.

    Attributes:
        shares: most picked first.
        participants: who count.
        answered: answers of all.
        unanswered: by participant, questions without an answer.
        places: picks by place, tested against equal ones.
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


def tally(sheets: Sequence[Sheet], skipped: Sequence[Skipped], key: Key | None, *, seed: int = 0) -> Tally:
    """Count answers.

    Args:
        sheets: at least one, of one page; see `sheets.read_sheets`.
        skipped: files left out.
        key: of the page, for names; or None.
        seed: of the bootstrap.
    """
    letters = [chr(ord("A") + place) for place in range(sheets[0].methods)]
    picks = [(sheet.participant, pick) for sheet in sheets for pick in sheet.picks]
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
        len(sheets),
        len(picks),
        {sheet.participant: sheet.unanswered for sheet in sheets},
        equal_counts(places),
        krippendorff_alpha(list(questions.values())),
        tuple(skipped),
        key.notes if key else ("There is no key: methods are the letters of the page.",),
    )


def to_plain(found: Tally) -> dict[str, Any]:
    """Everything as plain values for JSON."""
    plain = asdict(found)
    plain["skipped"] = [{"file": str(bad.file), "why": bad.why} for bad in found.skipped]
    return plain


def to_text(found: Tally) -> str:
    """What is printed."""
    lines = [f"note: {_plain(note)}" for note in found.notes]
    lines += [f"skipped: {_plain(str(bad.file))}: {_plain(bad.why)}" for bad in found.skipped]
    lines += ["", f"{found.answered:,} answers of {found.participants:,} participants"]
    names = [_plain(share.method) for share in found.shares]
    wide = max(len("method"), *map(len, names))
    lines.append(f"  {'method':<{wide}} {'picks':>7} {'share':>8}  95 % interval")
    for share, name in zip(found.shares, names, strict=True):
        span = share.interval if share.low is None or share.high is None else f"{share.low:.2%} - {share.high:.2%}"
        lines.append(f"  {name:<{wide}} {share.picks:>7,} {share.share:>8.2%}  {span}")
    open_ones = {name: count for name, count in found.unanswered.items() if count}
    told = ", ".join(f"{name} {count}" for name, count in open_ones.items()) or "none"
    lines.append(f"  unanswered: {sum(open_ones.values()):,} ({told})")
    counts = ", ".join(f"{place}: {count:,}" for place, count in enumerate(found.places.counts, 1))
    p_value = found.places.p_value
    chance = "too few answers for the test" if p_value is None else f"p = {p_value:.3g}"
    lines.append(
        f"  picks by place ({counts}): chi-squared {found.places.statistic:.2f} on {found.places.degrees} degrees of "
        f"freedom, {chance}"
    )
    agreed = found.agreement
    alpha = f"not defined: {agreed.why}" if agreed.alpha is None else f"{agreed.alpha:.3f}"
    share_text = "" if agreed.share is None else f"; {agreed.share:.2%} of pairs alike"
    lines.append(
        f"  agreement, Krippendorff's alpha: {alpha} ({agreed.ratings:,} answers to {agreed.units:,} questions that "
        f"two or more answered{share_text})"
    )
    return "\n".join(lines) + "\n"


def _plain(text: str) -> str:
    """Text on one line, without what a terminal would obey."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
