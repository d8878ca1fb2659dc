"""Lines of coordinate files of DroneSURF."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.errors import DataError
from protocols.dronesurf.annotations import (
    NO_FACE,
    NO_NUMBERS,
    NO_SIZE,
    OUTSIDE,
    SWAPPED,
    TWICE,
    Face,
    parse_line,
    read_coordinates,
)


@pytest.mark.parametrize(
    "line",
    [
        "7 10 20 30 40", "Frame7, (10, 20) (30, 40)", "frame7 [10, 20, 30, 40]", "Frame 7: [(10,20),(30,40)]",
        "7,10,20,30,40", "  7\t10 20 30 40 \r", "frame7 (10,20), (30,40);",
    ],
)  # fmt: skip
def test_five_whole_numbers_are_taken_out_of_the_noise(line: str) -> None:
    assert parse_line(line) == (Face(7, 10, 20, 30, 40), [])
    assert Face(7, 10, 20, 30, 40).box == (10, 20, 20, 20)


@pytest.mark.parametrize("line", ["30 40 10 20", "30 20 10 40", "10 40 30 20"])
def test_corners_in_any_order_are_put_right_and_counted(line: str) -> None:
    assert parse_line(f"7 {line}") == (Face(7, 10, 20, 30, 40), [SWAPPED])


def test_a_box_that_leaves_the_frame_stays_and_one_wholly_outside_does_not() -> None:
    assert parse_line("7 -5 -6 30 40") == (Face(7, -5, -6, 30, 40), [])
    assert parse_line("7 -50 10 -20 40") == (None, [OUTSIDE])
    assert parse_line("7 10 -40 30 0") == (None, [OUTSIDE])


@pytest.mark.parametrize("line", ["7 10 20 10 40", "7 10 20 30 20", "7 0 0 0 0"])
def test_a_box_of_size_zero_is_no_face(line: str) -> None:
    assert parse_line(line) == (None, [NO_SIZE])


@pytest.mark.parametrize(
    "line", ["7 10 20 30", "7 10 20 30 40 50", "no face", "7 1.5 20 30 40", "-7 10 20 30 40", "7 10 20 30 99999999999"]
)
def test_other_lines_are_counted(line: str) -> None:
    assert parse_line(line) == (None, [NO_NUMBERS])


def test_a_file_is_sorted_by_frame_and_its_faults_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "coordinates.txt"
    path.write_text("\ufeff3 1 1 5 5\n\n1 5 5 1 1\n3 2 2 6 6\n2 0 0 0 0\nend of file\n", "utf-8")
    result = read_coordinates(path)
    assert result.faces == [Face(1, 1, 1, 5, 5), Face(3, 1, 1, 5, 5)]
    assert result.faults == {SWAPPED: 1, TWICE: 1, NO_SIZE: 1, NO_NUMBERS: 1}


def test_an_empty_file_has_no_faces_and_an_absent_one_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "coordinates.txt").write_bytes(b"")
    result = read_coordinates(tmp_path / "coordinates.txt")
    assert result.faces == [] and result.faults == {NO_FACE: 1}
    with pytest.raises(DataError, match="cannot be read"):
        read_coordinates(tmp_path / "other" / "coordinates.txt")
