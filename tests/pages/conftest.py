"""A browser for the tests of pages, and a page in it that tells what went wrong."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from opened import WIDE, Opened

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--no-first-run"]  # fmt: skip


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A headless Chromium, closed after each file: while it is open, an event loop runs in this thread."""
    found = shutil.which("chromium")
    sync = pytest.importorskip("playwright.sync_api")
    if found is None:
        pytest.skip("no chromium; apt-get install chromium")
    with sync.sync_playwright() as driver:
        made_browser = driver.chromium.launch(executable_path=found, args=FLAGS)
        yield made_browser
        made_browser.close()


@pytest.fixture
def shown(browser: Any) -> Iterator[Any]:
    """A function that opens a file."""
    opened: list[Opened] = []

    def show(path: Path, size: dict[str, int] = WIDE, dark: bool = False) -> Opened:
        opened.append(Opened(browser, path, size, dark))
        return opened[-1]

    yield show
    for one in opened:
        one.context.close()
