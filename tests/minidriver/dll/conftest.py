# SPDX-License-Identifier: Apache-2.0
"""Machines with a PIV card, and minidriver DLLs loaded under Wine."""

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from dll_desk import Desk

from vreader.minidriver.dll.wine import prefix

# ``make wine-trixie`` makes what these need; nobody else has them, so that nothing is skipped.
collect_ignore = [] if os.environ.get("VREADER_WINE_ROOT") else ["test_wine_winscard.py"]


@pytest.fixture(scope="session")
def wine(need):
    """The Wine prefix of this process; without Wine skip, or fail where CI=true."""
    need("wine", "wine64 wine")
    need("x86_64-w64-mingw32-gcc", "gcc-mingw-w64-x86-64")
    return prefix()


@pytest.fixture
def desk(wine):
    desk = Desk()
    yield desk
    desk.close()
