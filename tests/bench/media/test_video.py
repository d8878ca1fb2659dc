"""Films, and files that only bear the name of one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bench.errors import DataError
from bench.media.video import count_frames, open_video, read_frame
from protocols.sample.avi import avi

FRAMES = [np.full((32, 48, 3), 40 * k, np.uint8) for k in range(1, 4)]


def test_frames_of_a_film_are_read_by_number(tmp_path: Path) -> None:
    path = tmp_path / "clip.avi"
    path.write_bytes(avi(FRAMES, per_second=10))
    assert count_frames(path) == 3
    assert abs(int(read_frame(path, 2)[16, 24, 0]) - 120) < 4
    with pytest.raises(DataError, match="frame not in the video"):
        read_frame(path, 3)


@pytest.mark.parametrize(
    "content",
    [
        b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nother.avi\n#EXT-X-ENDLIST\n",
        b"ffconcat version 1.0\nfile other.avi\n",
        b"\xff\xd8\xff\xe0 a picture",
        b"",
    ],
)
def test_a_playlist_under_the_name_of_a_film_is_not_opened(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "other.avi").write_bytes(avi(FRAMES, per_second=10))
    path = tmp_path / "clip.avi"
    path.write_bytes(content)
    assert open_video(path) is None
    assert count_frames(path) == 0
    with pytest.raises(DataError, match="not a video"):
        read_frame(path, 0)


def test_a_name_with_a_pattern_is_one_file_not_a_series_of_pictures(tmp_path: Path) -> None:
    (tmp_path / "face_%02d.avi").write_bytes(b"no film")
    assert open_video(tmp_path / "face_%02d.avi") is None
