"""A real server and a real browser, for benchmarks and for the browser tests.

The server is `streamlit run` in a process group of its own, on a free port, with folders of its
own; the browser is whatever Chromium the machine has, driven by Playwright, which need not download
one.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from core.settings import ROOT

START_SECONDS = 60
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
]


def find_chromium() -> str | None:
    """Path of a Chromium or Chrome: `ATELIER_CHROMIUM`, else the first on the PATH, else None."""
    named = os.environ.get("ATELIER_CHROMIUM")
    if named:
        return named
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return next((found for name in names if (found := shutil.which(name))), None)


class Server:
    """The app on a port of its own.

    Args:
        home: becomes `ATELIER_HOME`; its runs lie in `home/runs`.
        data: becomes `ATELIER_DATA`; None for a machine without the data.
        warm: whether opening the Train page starts the engine, which keeps the machine busy.
    """

    def __init__(self, home: Path, data: str | None = None, *, warm: bool = False) -> None:
        self.home, self.port = home, _free_port()
        self.url = f"http://localhost:{self.port}"
        self.environment = {
            name: value for name, value in os.environ.items() if not name.startswith("ATELIER_")
        }
        self.environment["ATELIER_HOME"] = str(home)
        self.environment["ATELIER_WARM"] = "yes" if warm else "no"
        if data:
            self.environment["ATELIER_DATA"] = data
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> float:
        """Start it and wait until it answers.

        Returns:
            seconds until then.
        """
        self.home.mkdir(parents=True, exist_ok=True)
        began = time.perf_counter()
        options = ["--server.port", str(self.port), "--server.headless", "true"]
        with open(self.home / "server.log", "ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "streamlit", "run", "streamlit_app.py", *options],
                cwd=ROOT,
                env=self.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        while time.perf_counter() - began < START_SECONDS:
            if self.process.poll() is not None:
                break
            try:
                with urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=1) as answer:
                    if answer.status == 200:
                        return time.perf_counter() - began
            except (urllib.error.URLError, OSError):
                time.sleep(0.02)
        raise RuntimeError(f"The app did not start:\n{self.log()}")

    def stop(self) -> None:
        """End the app; its engine keeps running, as it should."""
        if self.process and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()

    def stop_engine(self) -> None:
        """End the engine that the app started, if it did."""
        self.core("engine", "stop")

    def core(self, *arguments: str, check: bool = False) -> subprocess.CompletedProcess[str]:
        """Run `python -m core ...` with the server's folders."""
        return subprocess.run(
            [sys.executable, "-m", "core", *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=check,
        )

    def log(self) -> str:
        """What the server has printed."""
        return (self.home / "server.log").read_text(errors="replace")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
