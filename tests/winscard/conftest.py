# SPDX-License-Identifier: Apache-2.0
"""Desks (see ``winscard_desk.py``) that are cleared in the end."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from winscard_desk import Desk

from vreader.winscard.profile import WINDOWS


@pytest.fixture
def make_desk():
    desks = []

    def make(profile=WINDOWS, **options):
        desks.append(Desk(profile, **options))
        return desks[-1]

    yield make
    for desk in desks:
        desk.host.close()


@pytest.fixture
def desk(make_desk):
    return make_desk()
