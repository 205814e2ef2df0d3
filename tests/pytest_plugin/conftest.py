# SPDX-License-Identifier: Apache-2.0
"""How tests of the plugin run tests, and what they need."""

import importlib.util
import os
from pathlib import Path

import pytest


@pytest.fixture
def need_package():
    """Skip a test for want of a package, or fail where CI=true."""

    def need(name: str) -> None:
        if importlib.util.find_spec(name) is None:
            reason = f"{name} is missing: pip install -e '.[dev,pcsc]'"
            if os.environ.get("CI") == "true":
                pytest.fail(reason)
            pytest.skip(reason)

    return need


@pytest.fixture
def opensc(need) -> str:
    """OpenSC's PKCS #11 module."""
    need("pkcs11-tool", "opensc opensc-pkcs11")
    return str(next(Path("/usr/lib").glob("*/opensc-pkcs11.so")))


@pytest.fixture
def run(pytester):
    """Run tests in a process of their own, with warnings as errors."""

    def run(text, *flags):
        pytester.makepyfile(text)
        return pytester.runpytest_subprocess("-p", "no:cacheprovider", "-Werror", *flags)

    return run
