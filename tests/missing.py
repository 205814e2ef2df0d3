# SPDX-License-Identifier: Apache-2.0
"""What a test says when the machine lacks something."""

import os
from typing import NoReturn

import pytest


def missing(reason: str) -> NoReturn:
    """Skip the test, naming the reason; in CI nothing is skipped, so fail it."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)
