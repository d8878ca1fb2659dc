"""``bench hallucinate`` and ``bench export``: photographs to pictures, networks to ONNX files."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bench.checks.toy_faces import draw_face
from bench.images import ByteImages, read_image

Bench = Callable[..., tuple[int, str, str]]


@pytest.fixture
def face(tmp_path: Path) -> Path:
    path = tmp_path / "one" / "face.png"
    path.parent.mkdir()
    Image.fromarray(_tiny(0)).save(path)
    return path


def _tiny(person: int, side: int = 20) -> ByteImages:
    drawn = Image.fromarray(draw_face(person, 0)).resize((side, side), Image.Resampling.BICUBIC)
    return np.asarray(drawn, np.uint8)


def test_a_whole_image_gives_the_face_and_its_stages_side_by_side(bench: Bench, face: Path, tmp_path: Path) -> None:
    code, out, _ = bench(
        "hallucinate",
        face,
        "--whole",
        "--hallucinator",
        "vividgan-flow:output=fine,landmarks=template",
        "--out",
        tmp_path / "o",
    )
    assert code == 0 and "1 of 1 images hallucinated" in out
    assert read_image(tmp_path / "o" / "face.png").shape == (128, 128, 3)
    strip = read_image(tmp_path / "o" / "face-stages.png")
    assert strip.shape == (128, 4 * 128, 3)  # LR, coarse, components, final
    np.testing.assert_array_equal(strip[:, 3 * 128 :], read_image(tmp_path / "o" / "face.png"))


def test_the_default_face_is_that_of_a_run_and_both_helps_say_so(
    bench: Bench, face: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from bench.__main__ import main
    from bench.images import to_bytes, to_float
    from hallucinators.vividgan.hallucinator import VividGanFlow

    assert bench("hallucinate", face, "--whole", "--out", tmp_path / "o")[0] == 0
    written = read_image(tmp_path / "o" / "face.png")
    np.testing.assert_array_equal(written, to_bytes(VividGanFlow().hallucinate(to_float([read_image(face)])))[0])
    strip = read_image(tmp_path / "o" / "face-stages.png")
    np.testing.assert_array_equal(strip[:, -128:], written)
    assert strip.shape == (128, 2 * 128, 3)  # LR, coarse
    for command in ("hallucinate", "run"):
        with pytest.raises(SystemExit):
            main([command, "--help"])
        assert "coarse face" in " ".join(capsys.readouterr().out.split())


def test_a_face_that_is_shrunk_first_has_a_note(bench: Bench, face: Path, tmp_path: Path) -> None:
    code, out, _ = bench(
        "hallucinate", face, "--whole", "--lr", 16, "--hallucinator", "bicubic", "--out", tmp_path / "o"
    )
    assert code == 0 and "shrunk to 16 x 16" in out


def test_files_that_are_not_images_are_named_and_the_others_are_hallucinated(
    bench: Bench, face: Path, tmp_path: Path
) -> None:
    damaged, absent, blank = tmp_path / "damaged.png", tmp_path / "absent.png", tmp_path / "blank.png"
    damaged.write_bytes(face.read_bytes()[:60])
    Image.new("RGB", (60, 60), (90, 120, 150)).save(blank)
    code, out, _ = bench("hallucinate", damaged, absent, blank, "--hallucinator", "bicubic", "--out", tmp_path / "o")
    assert code == 1 and "0 of 3 images hallucinated" in out
    assert re.search(r"damaged\.png: (image is|not an image)", out) and "absent.png: file not found" in out
    assert "blank.png: no face found" in out
    code, out, _ = bench("hallucinate", damaged, face, "--whole", "--hallucinator", "bicubic", "--out", tmp_path / "p")
    assert code == 1 and "1 of 2 images hallucinated" in out and (tmp_path / "p" / "face.png").is_file()


def test_two_photographs_of_one_name_do_not_overwrite_each_other(bench: Bench, face: Path, tmp_path: Path) -> None:
    other = tmp_path / "two" / "face.png"
    other.parent.mkdir()
    Image.fromarray(_tiny(1)).save(other)
    before = face.read_bytes()
    code, _, _ = bench("hallucinate", face, other, "--whole", "--hallucinator", "bicubic", "--out", face.parent)
    assert code == 0 and face.read_bytes() == before
    result = sorted(path.name for path in face.parent.glob("*.png") if path.name != "face.png")
    assert len([name for name in result if not name.endswith("-stages.png")]) == 2


def test_a_folder_that_is_a_file_and_a_wrong_size_are_refused(bench: Bench, face: Path, tmp_path: Path) -> None:
    code, _, err = bench("hallucinate", face, "--whole", "--hallucinator", "bicubic", "--out", face)
    assert code == 2 and "is a file" in err
    code, _, err = bench("hallucinate", face, "--lr", 1, "--out", tmp_path / "o")
    assert code == 2 and "2 to 128" in err


def test_the_exported_graph_computes_what_the_hallucinator_does(bench: Bench, face: Path, tmp_path: Path) -> None:
    import onnxruntime

    from bench.images import to_float
    from hallucinators.vividgan.hallucinator import VividGanFlow
    from hallucinators.vividgan.network.components import template_centres

    path = tmp_path / "flow.onnx"
    code, out, _ = bench("export", "vividgan-flow:output=fine,landmarks=template", "--out", path)
    assert code == 0 and "differs from torch by" in out
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    lr = to_float([_tiny(person, 32) for person in range(3)])
    centres = np.repeat(template_centres().numpy()[None], 3, axis=0)
    coarse, prior, fine = session.run(["coarse", "prior", "fine"], {"lr": lr, "centres": centres})
    wanted = VividGanFlow(output="fine", landmarks="template").stages(lr)
    for result, expected in ((coarse, wanted.coarse), (prior, wanted.prior), (fine, wanted.fine)):
        assert expected is not None
        np.testing.assert_allclose(result, expected, atol=1e-3)
    assert session.get_modelmeta().custom_metadata_map


def test_what_has_no_network_is_not_exported(bench: Bench, tmp_path: Path) -> None:
    code, _, err = bench("export", "bicubic", "--out", tmp_path / "x.onnx")
    assert code == 2 and "no network" in err
    code, _, err = bench("export", "vividgan-flow", "--out", tmp_path / "x.pt")
    assert code == 2 and "FILE.onnx" in err
    assert not list(tmp_path.glob("x*"))
