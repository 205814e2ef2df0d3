# SPDX-License-Identifier: Apache-2.0
"""Shared by all tests: what a machine must have, and that nothing is skipped in CI."""

import contextlib
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager as ContextManager
from pathlib import Path

import pytest
from hypothesis import settings

from vreader.wdm import IoManager

sys.path.insert(0, str(Path(__file__).parent))

from missing import missing
from wdk_rows import WdkRows

pytest_plugins = ["pytester"]
PATIENCE_S = 60.0

# Driver Verifier watches every driver in every test, in the programs that tests start too.
IoManager.verifier = True
os.environ["VREADER_VERIFIER"] = "1"

# In CI the same examples every time: new ones are found at the desk, and become @example.
settings.register_profile("ci", derandomize=True, deadline=None)
settings.register_profile("desk", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") == "true" else "desk")


def pytest_configure(config: pytest.Config) -> None:
    """Judge at the end of a full run that every row of the WDK inventory was proven."""
    config.pluginmanager.register(WdkRows(config), "wdk-rows")


@pytest.fixture(scope="session")
def need() -> Callable[[str, str], str]:
    """Return the path of a program; without it skip the test, or fail where CI=true."""

    def find(program: str, package: str) -> str:
        path = shutil.which(program)
        if path is None:
            missing(f"{program} is missing: apt install {package}")
        return path

    return find


class Served:
    """A world that ``vreader serve`` holds open, and programs that are run in it."""

    def __init__(self, process: subprocess.Popen, ready: str, environment: dict[str, str]) -> None:
        self.process = process
        self.ready = ready
        self.environment = environment

    def run(self, *command, code: int | None = 0, **options) -> subprocess.CompletedProcess:
        """Run a program in the world; any ``code`` but the expected one fails with its output."""
        result = subprocess.run(
            [str(word) for word in command],
            env={**os.environ, "LC_ALL": "C.UTF-8", **self.environment},
            **{
                "stdin": subprocess.DEVNULL,
                "capture_output": True,
                "text": True,
                "timeout": PATIENCE_S,
                **options,
            },
        )
        if code is not None and result.returncode != code:
            pytest.fail(f"{result.args} returned {result.returncode}:\n{result}")
        return result

    def stop(self) -> tuple[int, str]:
        """End it as a person would; return its exit code and what it said on stderr."""
        self.process.terminate()
        _, said = self.process.communicate(timeout=PATIENCE_S)
        return self.process.returncode, said


@pytest.fixture(scope="session")
def vreader() -> list[str]:
    """The command line under test."""
    return [sys.executable, "-m", "vreader"]


@pytest.fixture(scope="session")
def serving(vreader: list[str], tmp_path_factory) -> Callable[..., ContextManager[Served]]:
    """Make a context in which ``vreader serve`` runs with the given options."""

    @contextlib.contextmanager
    def serving(*options, env: dict[str, str] | None = None) -> Iterator[Served]:
        ready_file = tmp_path_factory.mktemp("serve") / "env"
        with subprocess.Popen(
            [*vreader, "serve", *map(str, options), "--ready-file", str(ready_file)],
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                ready = process.stdout.readline()
                if not ready:
                    pytest.fail(f"vreader serve {options} said: {process.stderr.read()}")
                lines = ready_file.read_text().splitlines()
                exported = [shlex.split(line.removeprefix("export "))[0] for line in lines]
                served = Served(process, ready, dict(line.split("=", 1) for line in exported))
                yield served
                _ended_well(served)
            finally:
                process.kill()

    return serving


@pytest.fixture
def serve(serving) -> Iterator[Callable[..., Served]]:
    """Start ``vreader serve`` with the given options; ended after the test, without complaint."""
    with contextlib.ExitStack() as stack:
        yield lambda *options, **more: stack.enter_context(serving(*options, **more))


def _ended_well(served: Served) -> None:
    if served.process.poll() is None:
        code, said = served.stop()
        assert code == 0
        assert "Traceback" not in said
