# SPDX-License-Identifier: Apache-2.0
"""Shared by all tests: what a machine must have, and that nothing is skipped in CI."""

import os
import shutil
from collections.abc import Callable

import pytest


@pytest.fixture(scope="session")
def need() -> Callable[[str, str], str]:
    """Return the path of a program; without it skip the test, or fail where CI=true."""

    def find(program: str, package: str) -> str:
        path = shutil.which(program)
        if path is None:
            reason = f"{program} is missing: apt install {package}"
            if os.environ.get("CI") == "true":
                pytest.fail(reason)
            pytest.skip(reason)
        return path

    return find
