"""A real browser for the tests of pages: it opens files from disk, and tells every request and every fault.

Chromium is found by the environment variable ``BENCH_CHROMIUM``, else on the search path. Without it, or without
Playwright, the tests here are skipped and say so; ``tox -e browser`` installs what they need of Python.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ABSENT = "needs Chromium and playwright: tox -e browser"
FLAGS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@dataclass
class Watched:
    """A tab, and what happened in it.

    Attributes:
        tab: Playwright's page.
        requests: addresses of all requests, including images and the page itself.
        faults: console errors and warnings, exceptions of scripts, requests that failed.
    """

    tab: Any
    requests: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    @property
    def from_network(self) -> list[str]:
        """The requests that were neither for a file nor for data inside the page."""
        return [url for url in self.requests if not url.startswith(("file:", "data:", "blob:", "about:"))]

    def open(self, file: Path, fragment: str = "") -> Any:
        """Open a file from disk and wait until it is loaded; returns the tab."""
        self.tab.goto(file.resolve().as_uri() + fragment, wait_until="load")
        return self.tab


def chromium() -> str | None:
    """The browser's program, or None where there is none."""
    named = os.environ.get("BENCH_CHROMIUM")
    return named or next((result for name in NAMES if (result := shutil.which(name))), None)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A running headless Chromium, one for all tests."""
    playwright = pytest.importorskip("playwright.sync_api", reason=ABSENT)
    program = chromium()
    if program is None:
        pytest.skip(ABSENT)
    flags = [*FLAGS, *(["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else [])]
    with playwright.sync_playwright() as started:
        running = started.chromium.launch(executable_path=program, headless=True, args=flags)
        yield running
        running.close()


@pytest.fixture
def watch(browser: Any) -> Iterator[Any]:
    """Makes tabs of a given size and look, each watched: ``watch(width=375, color_scheme="dark").open(file)``."""
    contexts = []

    def make(width: int = 1280, height: int = 900, **options: Any) -> Watched:
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        result = Watched(context.new_page())
        result.tab.on("request", lambda request: result.requests.append(request.url))
        result.tab.on("requestfailed", lambda request: result.faults.append(f"failed: {request.url}"))
        result.tab.on("pageerror", lambda error: result.faults.append(f"exception: {error}"))
        result.tab.on(
            "console",
            lambda console_message: (
                result.faults.append(console_message.text) if console_message.type in ("error", "warning") else None
            ),
        )
        return result

    yield make
    for context in contexts:
        context.close()


@pytest.fixture
def page(watch: Any) -> Watched:
    """A watched tab of usual size."""
    result: Watched = watch()
    return result


def _module(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def report_fixtures() -> Any:
    """The fixtures that draw run folders for tests of reports: the module ``tests/reports/conftest.py``."""
    return _module(Path(__file__).parent.parent / "reports" / "conftest.py")


@pytest.fixture(scope="session")
def big() -> Any:
    """How large run folders are drawn: the module ``big_runs.py``."""
    return _module(Path(__file__).parent / "big_runs.py")
