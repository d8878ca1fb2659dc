"""The .mat files of TinyFace, and what may be wrong with them."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from scipy.io import savemat

from bench.errors import DataError
from protocols.tinyface.protocol import TinyFace

PROBE_MAT = "probe_img_ID_pairs.mat"


def test_names_may_come_as_padded_character_rows(root: Path) -> None:
    content = {"probe_set": np.array(["1_3.jpg ", "2_3.jpeg"]), "probe_ids": np.array([[1, 2]])}
    savemat(root / "Testing_Set" / PROBE_MAT, content)
    data = TinyFace().read(root)
    assert [media.key for media in data.probes] == ["Probe/1_3.jpg", "Probe/2_3.jpeg"]
    assert data.probes[1].path.name == "2_3.jpg"


@pytest.mark.parametrize("keep", [0, 20, 130, 200])
def test_a_truncated_mat_file_is_named(root: Path, keep: int) -> None:
    path = root / "Testing_Set" / PROBE_MAT
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(DataError, match=PROBE_MAT):
        TinyFace().read(root)


def test_a_mat_file_of_version_7_3_says_how_to_save_it(root: Path) -> None:
    (root / "Testing_Set" / PROBE_MAT).write_bytes(b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(512))
    with pytest.raises(DataError, match="-v7"):
        TinyFace().read(root)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"probes": np.ones(2)}, r"holds 'probes'; expected 'probe_set' and 'probe_ids'"),
        ({"probe_set": np.array(["1_3.jpg"], object), "probe_ids": [1, 2]}, "1 names .* but 2 identities"),
        ({"probe_set": np.array(["1_3.jpg"], object), "probe_ids": [0]}, "at least 1"),
        ({"probe_set": np.array(["1_3.jpg"], object), "probe_ids": [1.5]}, "whole numbers"),
        ({"probe_set": np.array(["1_3.jpg"], object), "probe_ids": [np.inf]}, "whole numbers"),
        ({"probe_set": np.array(["1_3.jpg"], object), "probe_ids": [1j]}, "whole numbers"),
        ({"probe_set": np.array(["1_3.jpg"], object), "probe_ids": ["one"]}, "whole numbers"),
        ({"probe_set": np.array([["a.jpg", "b.jpg"], []], object), "probe_ids": [1, 2]}, "cell holds|names in"),
        ({"probe_set": np.array([], object), "probe_ids": []}, "is empty"),
        ({"probe_set": np.array(["1_3.jpg", "1_3.jpg"], object), "probe_ids": [1, 1]}, "more than once: .1_3.jpg"),
        ({"probe_set": np.array([7], object), "probe_ids": [1]}, "where a file name is expected"),
    ],
)
def test_a_mat_file_with_other_content_says_what_it_holds(root: Path, content: dict[str, object], message: str) -> None:
    savemat(root / "Testing_Set" / PROBE_MAT, content)
    with pytest.raises(DataError, match=message):
        TinyFace().read(root)


@pytest.mark.parametrize("name", ["../1_3.jpg", "a/b.jpg", "/etc/passwd", "..", "..\\x.jpg", "c:x.jpg"])
def test_a_name_that_leaves_its_folder_is_refused(root: Path, tinyface_fixture: ModuleType, name: str) -> None:
    tinyface_fixture.write_mat(root / "Testing_Set" / PROBE_MAT, "probe", [(name, 1)])
    with pytest.raises(DataError, match="could lead outside the image folder"):
        TinyFace().read(root)


def test_a_name_with_a_null_byte_is_refused(root: Path, tinyface_fixture: ModuleType) -> None:
    path = root / "Testing_Set" / PROBE_MAT
    tinyface_fixture.write_mat(path, "probe", [("1Q3.jpg", 1)])
    path.write_bytes(path.read_bytes().replace(b"1Q3.jpg", b"1\x003.jpg"))
    with pytest.raises(DataError, match="not plain file names"):
        TinyFace().read(root)
