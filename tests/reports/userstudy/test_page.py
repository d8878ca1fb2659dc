"""The page holds images and letters, no names; its JSON agrees with the key, its script with the tally."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
import subprocess
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.errors import DataError, MissingError, UsageError
from bench.images import decode
from reports.userstudy.orders import schedule_of
from reports.userstudy.page import write_page
from reports.userstudy.questions import choose_questions

Bench = Callable[..., tuple[int, str, str]]
Make = Callable[..., Path]


class Parts(HTMLParser):
    """The scripts, styles and links of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.styles: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self._inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._inside = tag
        if tag == "script":
            self.scripts.append((dict(attrs), ""))

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "script":
            attributes, text = self.scripts[-1]
            self.scripts[-1] = (attributes, text + data)
        elif self._inside == "style":
            self.styles.append(data)


def parts_of(page: Path) -> Parts:
    parser = Parts()
    parser.feed(page.read_text(encoding="utf-8"))
    return parser


def study_of(page: Path) -> dict[str, Any]:
    block = next(text for attributes, text in parts_of(page).scripts if attributes.get("id") == "study")
    result: dict[str, Any] = json.loads(block)
    return result


def level(uri: str) -> int:
    """The first channel of a flat picture."""
    assert uri.startswith("data:image/png;base64,")
    image = decode(base64.b64decode(uri.partition(",")[2]))
    assert np.ptp(image.reshape(-1, 3), axis=0).max() == 0
    return int(image[0, 0, 0])


def test_the_page_asks_about_every_method_and_names_none(bench: Bench, runs: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "study"
    code, printed, err = bench("userstudy", "page", *runs, "--out", out, "--questions", 6)
    assert code == 0, err
    text = (out / "index.html").read_text(encoding="utf-8")
    for forbidden in ("method0", "onerror", "tinyface", ".jpg", "run0", "http:", "https:", "alert("):
        assert forbidden not in text, forbidden
    study, key = study_of(out / "index.html"), json.loads((out / "key.json").read_text())
    assert key["digest"] == study["digest"] and key["schedules"] == study["schedules"]
    assert sorted(key["methods"]) == ["A", "B", "C"]
    assert {name.rpartition("method")[2] for name in key["methods"].values()} == {"0", "1", "2"}
    assert len(study["questions"]) == 6
    for shown, about in zip(study["questions"], key["questions"], strict=True):
        face = int(re.findall(r"/(\d+)\.jpg", about["key"])[0])
        assert shown["id"] == about["id"]
        assert level(shown["lr"]) == 20 and level(shown["truth"]) == 200
        for letter, uri in shown["options"].items():
            method = int(key["methods"][letter].rpartition("method")[2])
            assert level(uri) == 60 + 5 * method, (letter, face)
            assert decode(base64.b64decode(uri.partition(",")[2]))[0, 0, 1] == 10 * face
    people = [about["identity"] for about in key["questions"]]
    assert sorted(people.count(person) for person in set(people)) == [1, 1, 2, 2]


def test_nothing_is_loaded_and_only_our_script_runs(runs: list[Path], tmp_path: Path) -> None:
    write_page(choose_questions(runs, count=2, seed=0), tmp_path / "study", seed=0)
    page = parts_of(tmp_path / "study" / "index.html")
    policy = next(a["content"] for tag, a in page.tags if a.get("http-equiv") == "Content-Security-Policy") or ""
    assert "default-src 'none'" in policy and "unsafe" not in policy
    code = [text for attributes, text in page.scripts if attributes.get("type") != "application/json"]
    assert len(code) == 1 and len(page.styles) == 1
    for text, kind in ((code[0], "script-src"), (page.styles[0], "style-src")):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{kind} 'sha256-{digest}'" in policy
    assert not [
        tag
        for tag, a in page.tags
        if {"href", "src", "action", "onclick", "style"} & (set(a) - {"id"}) and tag != "img"
    ]
    assert not re.search(r"fetch\(|XMLHttpRequest|innerHTML|eval\(|WebSocket|sendBeacon", code[0])


def test_the_same_seed_makes_the_same_page_and_another_one_another(runs: list[Path], tmp_path: Path) -> None:
    pages = [
        write_page(choose_questions(runs, count=4, seed=s), tmp_path / name, seed=s)
        for name, s in (("a", 0), ("b", 0), ("c", 1))
    ]
    assert pages[0].page.read_bytes() == pages[1].page.read_bytes()
    assert pages[0].digest == pages[1].digest != pages[2].digest


def test_faces_that_a_run_failed_on_or_that_lack_an_image_are_left_out_and_counted(run: Make, tmp_path: Path) -> None:
    one = run(tmp_path / "one", "a", failed=[1, 2], faces=6)
    two = run(tmp_path / "two", "b", without=["lr/000003.png"], faces=6, method=1)
    result = choose_questions([one, two], count=10, seed=0)
    kept = sorted(int(question.key.rpartition("/")[2][:-4]) for question in result.questions)
    assert kept == [0, 4, 5]
    assert any("3 of 6 faces are left out" in note for note in result.notes)
    assert any("10 questions were requested, but there are only 3" in note for note in result.notes)


def test_an_output_that_equals_the_lr_face_is_shown_as_it(run: Make, tmp_path: Path) -> None:
    members = [f"out/{face:06d}.png" for face in range(8)]
    result = choose_questions(
        [run(tmp_path / "lr", "none", without=members), run(tmp_path / "b", "b")], count=1, seed=0
    )
    assert result.questions[0].options[0] == result.questions[0].lr != result.questions[0].options[1]


def test_restored_faces_have_their_own_truth(run: Make, tmp_path: Path) -> None:
    result = choose_questions([run(tmp_path / k, k, items=True) for k in "ab"], count=3, seed=0)
    assert {int(decode(question.truth)[0, 0, 0]) for question in result.questions} == {230}
    assert result.facts["protocol"] == "celeba"


def test_runs_of_one_label_are_distinguished_by_folder(run: Make, tmp_path: Path) -> None:
    result = choose_questions([run(tmp_path / k, "same") for k in "ab"], count=1, seed=0)
    assert len(set(result.methods)) == 2 and all("same (" in name for name in result.methods)


def test_sample_data_and_smoke_runs_are_reported(run: Make, tmp_path: Path) -> None:
    result = choose_questions(
        [run(tmp_path / "a", "a", sample=True), run(tmp_path / "b", "b", smoke=True, limit=3)], count=1, seed=0
    )
    assert any("SAMPLE DATA" in note for note in result.notes) and any("SMOKE" in note for note in result.notes)
    assert result.facts["sample"] and result.facts["smoke"]


def test_what_makes_no_study_is_refused(run: Make, tmp_path: Path) -> None:
    a, b = run(tmp_path / "a", "a"), run(tmp_path / "b", "b")
    other = run(tmp_path / "o", "o", data={"name": "x", "digest": "other", "stat_digest": "s", "official": False})
    bare = run(tmp_path / "bare", "bare", images=False)
    pairs = run(tmp_path / "pairs", "p", protocol={"name": "lfw", "arguments": {}, "kind": "verification"})
    all_failed = run(tmp_path / "failed", "f", failed=range(8))
    for folders, error, message in (
        ([a], UsageError, "2 to 9 runs"),
        ([a, a], UsageError, "each once"),
        ([a, other], UsageError, "data differ"),
        ([a, bare], DataError, "--images all"),
        ([a, pairs], UsageError, "kind verification"),
        ([a, all_failed], DataError, "None of 8 faces"),
        ([a, tmp_path / "absent"], MissingError, "No run in"),
    ):
        with pytest.raises(error, match=message):
            choose_questions(folders, count=3, seed=0)
    for count, seed in ((0, 0), (1, -1)):
        with pytest.raises(UsageError):
            choose_questions([a, b], count=count, seed=seed)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").touch()
    with pytest.raises(UsageError, match="not empty"):
        write_page(choose_questions([a, b], count=1, seed=0), tmp_path / "full", seed=0)


def test_a_damaged_image_is_named(run: Make, tmp_path: Path) -> None:
    import zipfile

    a, b = run(tmp_path / "a", "a", faces=1), run(tmp_path / "b", "b", faces=1)
    with zipfile.ZipFile(b / "images.zip", "w") as archive:
        archive.writestr("lr/000000.png", b"<svg onload=alert(1)>")
        archive.writestr("out/000000.png", b"<svg onload=alert(1)>")
    with pytest.raises(DataError, match="cannot be shown: not an image"):
        choose_questions([a, b], count=1, seed=0)
    (b / "images.zip").write_bytes(b"junk")
    with pytest.raises(DataError, match="damaged"):
        choose_questions([a, b], count=1, seed=0)


DOM = """
const fs = require("fs");
const study = fs.readFileSync(process.argv[2], "utf8"), script = fs.readFileSync(process.argv[3], "utf8");
const kept = {}, made = {}, keys = [];
function element(id) {
  return { id, hidden: id !== "start", children: [], listeners: {}, textContent: "", value: "", disabled: false,
    setAttribute(name, value) { this[name] = value; }, append(...more) { this.children.push(...more); },
    addEventListener(name, call) { this.listeners[name] = call; }, focus() {}, remove() {}, click() {} };
}
const document = { getElementById: (id) => (made[id] = made[id] || element(id)), createElement: (tag) => element(tag),
  addEventListener: (name, call) => keys.push(call), body: element("body") };
const window = { localStorage: { getItem: (k) => (k in kept ? kept[k] : null), setItem: (k, v) => { kept[k] = v; },
  removeItem: (k) => { delete kept[k]; } } };
document.getElementById("study").textContent = study;
const run = () => new Function("document", "window", "crypto", "URL", "Blob", script)(document, window, {}, {}, {});
const press = (key) => keys[keys.length - 1]({ key, preventDefault() {} });
const enter = (code) => { made.code.value = code; made.enter.listeners.submit({ preventDefault() {} }); };
run();
const out = {};
for (const code of ["7", "foobar", "Zoe-9"]) {
  document.getElementById("code");
  enter(code);
  press("1"); press("0"); press("ArrowLeft"); press("2"); press("9"); press("3");
  made.finish.listeners.click();
  out[code] = made.text.value;
}
enter("7");
out.where = made.where.textContent;
out.seen = made.progress.value;
process.stdout.write(JSON.stringify(out));
"""


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not here to run the page's script")
def test_the_script_writes_what_the_tally_reads(bench: Bench, runs: list[Path], tmp_path: Path) -> None:
    written = write_page(choose_questions(runs, count=5, seed=0), tmp_path / "study", seed=0)
    page = parts_of(written.page)
    for name, wanted in (("study.json", True), ("study.js", False)):
        text = next(t for a, t in page.scripts if (a.get("type") == "application/json") is wanted)
        (tmp_path / name).write_text(text)
    (tmp_path / "dom.js").write_text(DOM)
    command = ["node", str(tmp_path / "dom.js"), str(tmp_path / "study.json"), str(tmp_path / "study.js")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    out = json.loads(done.stdout)
    assert out.pop("where") == "Question 4 of 5" and out.pop("seen") == 3
    study = study_of(written.page)
    files = []
    for code, text in out.items():
        answers = json.loads(text)
        schedule = schedule_of(code, len(study["schedules"]))
        assert answers["schedule"] == schedule
        order = study["schedules"][schedule]["questions"]
        assert [a["question"] for a in answers["answers"]] == [study["questions"][k]["id"] for k in order]
        assert [a["place"] for a in answers["answers"]] == [0, 1, 2, None, None]
        for place, question in zip((0, 1, 2), order[:3], strict=True):
            assert answers["answers"][place]["choice"] == study["schedules"][schedule]["places"][question][place]
        files.append(tmp_path / f"{code}.json")
        files[-1].write_text(text)
    code, printed, err = bench("userstudy", "tally", *files, "--page", tmp_path / "study")
    assert code == 0, err
    assert "9 answers of 3 participants" in printed and "unanswered: 6" in printed
