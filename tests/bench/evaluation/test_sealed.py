"""The sealed part: never by default, only where there is one, and with a record of the access."""

from __future__ import annotations

from datetime import datetime
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest

from bench.errors import UsageError
from bench.evaluation.sealed import access_row, measured_faces, record_access
from bench.faces.pairs.pack import Pack


class Parts:
    """The part of each face, as a pack has it."""

    def __init__(self, *parts: str, grouped: bool = True) -> None:
        self.part = np.array(parts)
        self.groups = SimpleNamespace(group=np.arange(len(parts))) if grouped else None

    indices = Pack.indices
    part_indices = Pack.part_indices
    one_a_group = Pack.one_a_group


def pack(*parts: str, grouped: bool = True) -> Pack:
    return cast(Pack, Parts(*parts, grouped=grouped))


def test_methods_are_measured_on_the_tuning_part_unless_the_sealed_one_is_requested() -> None:
    result = pack("train", "validation", "tuning", "sealed", "excluded", "tuning")
    part, faces = measured_faces(result)
    assert part == "tuning" and faces.tolist() == [2, 5]
    part, faces = measured_faces(result, sealed=True)
    assert part == "sealed" and faces.tolist() == [3]


def test_one_photograph_of_each_group_is_measured() -> None:
    result = pack("sealed", "tuning", "sealed", "sealed")
    assert result.groups is not None
    result.groups.group[:] = [7, 1, 3, 7]
    assert measured_faces(result, sealed=True)[1].tolist() == [0, 2]


def test_a_pack_without_groups_has_no_sealed_part_and_is_measured_on_all_that_it_left_out() -> None:
    result = pack("train", "validation", "tuning", grouped=False)
    part, faces = measured_faces(result)
    assert part == "left out" and faces.tolist() == [1, 2]
    with pytest.raises(UsageError, match="no sealed part"):
        measured_faces(result, sealed=True)


def test_an_access_is_recorded_with_date_command_and_digest() -> None:
    access = record_access(["measure.py", "my faces.npz", "--sealed"], "ab" * 32)
    assert access["command"] == "measure.py 'my faces.npz' --sealed" and access["pack_sha256"] == "ab" * 32
    assert datetime.fromisoformat(access["date"]).utcoffset() is not None
    assert access_row(access).count("|") == 4 and access["date"] in access_row(access)
