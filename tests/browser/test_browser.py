"""The fixture itself: what a page asks for and what goes wrong in it is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def test_requests_and_faults_of_a_page_are_reported(page: Any, tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    file.write_text(
        "<!doctype html><title>x</title><img src='absent.png'>"
        "<script>console.error('no');throw Error('thrown')</script>"
    )
    page.open(file)
    assert [url.rsplit("/", 1)[-1] for url in page.requests] == ["page.html", "absent.png"]
    assert page.from_network == []
    assert any("thrown" in message for message in page.faults) and "no" in page.faults
    assert any("absent.png" in message for message in page.faults)
