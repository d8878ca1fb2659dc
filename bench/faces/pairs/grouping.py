"""Groups and parts of the photographs of a pack, from their descriptions to arrays of the file and back."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.faces.pairs.describe import Describer
from bench.faces.pairs.groups import (
    LEAST_COSINE,
    MOST_BITS,
    MOST_DISTANCE,
    RULES,
    Descriptions,
    Groups,
    group_photographs,
    near_photographs,
)
from bench.faces.pairs.parts import EXCLUDED, PARTS, SHARES, assign_parts, is_large, with_groups


@dataclass(frozen=True)
class PackGroups:
    """Groups of the photographs of a pack; N photographs.

    Attributes:
        group: int64 (N,).
        part: str (N,).
        identity: labels, str (N,); empty where a photograph has none.
        described: what the photographs are compared by.
        record: rules, thresholds, shares and counts.
    """

    group: NDArray[np.int64]
    part: NDArray[np.str_]
    identity: NDArray[np.str_]
    described: Descriptions
    record: dict[str, Any]

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The arrays of the file."""
        return {
            "group": self.group,
            "part": self.part,
            "identity": self.identity,
            "groups": np.array(json.dumps(self.record)),
            "sha256": self.described.sha256,
            "phash": self.described.phash,
            "made_by": np.array(json.dumps(dict(self.described.made_by))),
        } | {f"embedding_{name}": rows for name, rows in self.described.embeddings.items()}

    @classmethod
    def from_arrays(cls, archive: Mapping[str, Any]) -> PackGroups:
        """Read them from an opened archive."""
        made_by = json.loads(str(archive["made_by"]))
        embeddings = {name: archive[f"embedding_{name}"] for name in made_by}
        described = Descriptions(archive["sha256"], archive["phash"], embeddings, made_by)
        group, part, identity = archive["group"], archive["part"], archive["identity"]
        sizes = {len(rows) for rows in (archive["names"], group, part, identity, described.phash, *embeddings.values())}
        if sizes != {len(described)} or not set(part.tolist()) <= {*PARTS, EXCLUDED}:
            raise ValueError(f"groups, parts and digests of {sorted(sizes)} photographs, or an unknown part")
        return cls(group, part, identity, described, json.loads(str(archive["groups"])))

    def near(self, others: Descriptions) -> tuple[NDArray[np.bool_], dict[str, int]]:
        """Photographs near another set, with their groups and people; and the number of near ones by rule.

        Args:
            others: the other set.

        Returns:
            bool (N,), and counts by rule.

        Raises:
            UsageError: the embeddings of the two are of other weights.
        """
        near = near_photographs(self.described, others, self.record["rules"])
        return _with_groups(near, self.group, self.identity)


@dataclass
class Grouping:
    """How the photographs of a pack are grouped and split.

    Attributes:
        describer: describes each usable photograph.
        rules: of `bench.faces.pairs.groups.RULES`.
        identities: a label for each photograph of the folder, usable or not; None where the set has none.
        partition: its published part, as `assign_parts` takes it; None where the set has none.
        excluded: sets by name; photographs near one, with their groups and people, are left out of train, validation
            and tuning.
    """

    describer: Describer
    rules: Sequence[str] = RULES
    identities: Sequence[str] | None = None
    partition: Sequence[str] | None = None
    excluded: Mapping[str, Descriptions] = field(default_factory=dict)

    def result(self, kept: Sequence[int]) -> PackGroups:
        """Group what was described.

        Args:
            kept: places of the usable photographs among all of the folder.

        Raises:
            UsageError: a rule is unknown or needs recognisers; an excluded set was described by other weights.
        """
        described = self.describer.result()
        identities = None if self.identities is None else [self.identities[place] for place in kept]
        partition = None if self.partition is None else [self.partition[place] for place in kept]
        groups = group_photographs(described, self.rules, identities)
        part = assign_parts(groups.group, described.sha256, partition).astype("<U10")
        labels = np.array(identities if identities is not None else [""] * len(kept), np.str_)
        excluded: dict[str, Any] = {}
        for name, others in self.excluded.items():
            near, counts = _with_groups(near_photographs(described, others, self.rules), groups.group, labels)
            taken = near & (part != "sealed")
            excluded[name] = {"photographs": len(others), "near": counts, "left_out": int(taken.sum())}
            part[taken] = EXCLUDED
        record = _record(groups, part, self.rules, labels) | {"excluded": excluded}
        record["published_parts"] = partition is not None
        return PackGroups(groups.group, part, labels, described, record)


def _with_groups(
    near: Mapping[str, NDArray[np.bool_]], group: NDArray[np.int64], identity: NDArray[np.str_]
) -> tuple[NDArray[np.bool_], dict[str, int]]:
    either: NDArray[np.bool_] = np.any(list(near.values()), axis=0) if near else np.zeros(len(group), bool)
    return with_groups(either, group, identity.tolist()), {rule: int(rows.sum()) for rule, rows in near.items()}


def _record(groups: Groups, part: NDArray[np.str_], rules: Sequence[str], labels: NDArray[np.str_]) -> dict[str, Any]:
    """Rules, thresholds, shares and counts, as JSON takes them."""
    people = len(set(labels.tolist()) - {""})
    return {
        "rules": list(rules),
        "thresholds": {"phash_bits": MOST_BITS, "cosine": LEAST_COSINE, "distance": MOST_DISTANCE},
        "shares": SHARES,
        "photographs": len(part),
        "groups": len(groups.sizes),
        "largest": int(groups.sizes.max()),
        "in_large_groups": int(is_large(groups.group).sum()),
        "people": people or None,
        "unlabelled": int((labels == "").sum()) if people else None,
        "pairs": groups.pairs,
        "pairs_across_labels": groups.across if people else None,
        "parts": {
            name: {"photographs": int((part == name).sum()), "groups": len(set(groups.group[part == name].tolist()))}
            for name in (*PARTS, EXCLUDED)
        },
    }


def groups_table(record: Mapping[str, Any]) -> list[str]:
    """The record as lines of a report."""
    rows = [f"  {record['photographs']:,} photographs in {record['groups']:,} groups; largest {record['largest']:,}"]
    if record["people"]:
        unlabelled = f", {record['unlabelled']:,} photographs without a label" if record["unlabelled"] else ""
        rows.append(f"  {record['people']:,} identity labels{unlabelled}")
    if record["in_large_groups"]:
        rows.append(
            f"  {record['in_large_groups']:,} photographs are in large groups, which train (unless a published part "
            "says otherwise)"
        )
    rows += [f"  joined by {rule}: {pairs:,} pairs" for rule, pairs in record["pairs"].items()]
    if record["pairs_across_labels"]:
        rows.append(f"  of these {record['pairs_across_labels']:,} pairs join two identity labels")
    for name, counts in record["parts"].items():
        if name != EXCLUDED or counts["photographs"]:
            rows.append(f"  {name}: {counts['photographs']:,} photographs in {counts['groups']:,} groups")
    for name, counts in record["excluded"].items():
        near = ", ".join(f"{count:,} by {rule}" for rule, count in counts["near"].items())
        rows.append(
            f"  left out because near {name} ({counts['photographs']:,} photographs): {counts['left_out']:,}, with "
            f"their groups (near: {near})"
        )
    return rows
