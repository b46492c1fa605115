"""Fixtures of the browser tests: skipped, and said so, where no browser is found; in CI that is a
failure.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.server import FLAGS, Server, find_chromium
from tests.conftest import REAL_DATA


@pytest.fixture(scope="package")
def chromium():
    """A browser, shared by the tests of this folder; outside it, Playwright's event loop would be
    in the way of others.
    """
    path = find_chromium()
    if path is None:
        sentence = "No Chromium was found, so the browser tests were skipped. Install chromium, or name one in ATELIER_CHROMIUM."
        if os.environ.get("ATELIER_REQUIRE_BROWSER"):
            pytest.fail(sentence)
        pytest.skip(sentence)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def server(tmp_path_factory) -> Iterator[Server]:
    """The app with the real data where they were named, else with none; no runs but those that
    tests make.
    """
    yield from _serving(
        tmp_path_factory.mktemp("app"), os.path.abspath(REAL_DATA) if REAL_DATA else None
    )


@pytest.fixture(scope="package")
def bare_server(tmp_path_factory) -> Iterator[Server]:
    """The app as on a machine without the data and without a network to fetch them from."""
    yield from _serving(tmp_path_factory.mktemp("bare"), None)


def _serving(home: Path, data: str | None) -> Iterator[Server]:
    app = Server(home, data)
    app.start()
    yield app
    app.stop()
    app.stop_engine()


@pytest.fixture
def page(chromium):
    """A fresh visitor with a wide window."""
    context = chromium.new_context(viewport={"width": 1400, "height": 1000}, accept_downloads=True)
    page = context.new_page()
    page.set_default_timeout(20_000)
    yield page
    context.close()
