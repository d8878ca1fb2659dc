"""What libraries write to standard error: mere information is left out, everything else stays."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings

import pytest

from bench.io.quiet import drop_library_messages, silence_libraries


def test_information_of_compiled_code_is_dropped_and_errors_are_kept(capfd: pytest.CaptureFixture[str]) -> None:
    with drop_library_messages():
        os.write(2, b"INFO: Created TensorFlow Lite XNNPACK delegate for CPU.\nERROR: no such tensor\nwithout an end")
    assert capfd.readouterr().err == "ERROR: no such tensor\nwithout an end"


def test_what_was_written_before_an_exception_is_shown(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError), drop_library_messages():
        os.write(2, b"the cause\n")
        raise ValueError
    assert capfd.readouterr().err == "the cause\n"
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "after\n"


def test_a_closed_standard_error_is_not_an_error() -> None:
    code = (
        "import os\nos.close(2)\nfrom bench.io.quiet import drop_library_messages\n"
        "with drop_library_messages():\n    print('done')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "done\n"


def test_a_setting_of_the_user_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENCV_LOG_LEVEL", "DEBUG")
    monkeypatch.delenv("TF_CPP_MIN_LOG_LEVEL", raising=False)
    silence_libraries()
    assert os.environ["OPENCV_LOG_LEVEL"] == "DEBUG"
    assert os.environ["TF_CPP_MIN_LOG_LEVEL"] == "2"


def test_a_python_warning_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warnings, "formatwarning", warnings.formatwarning)
    silence_libraries()
    text = warnings.formatwarning("two\nlines", UserWarning, "/lib/net.py", 7)
    assert text == "warning (UserWarning, net.py:7): two lines\n"


def test_the_landmark_detector_prints_nothing_when_it_is_opened(capfd: pytest.CaptureFixture[str]) -> None:
    from bench.faces.landmarks.bundle import engine_is_here
    from bench.faces.landmarks.mediapipe import FaceLandmarker

    if not engine_is_here():
        pytest.skip("the face engine is not installed")
    FaceLandmarker()
    assert capfd.readouterr().err == ""
