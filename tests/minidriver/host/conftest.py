# SPDX-License-Identifier: Apache-2.0
"""Computers with a card made of Python objects in their reader, and hosts for it."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from host_desk import Desk


@pytest.fixture
def make_desk():
    desks = []

    def make(**options):
        desks.append(Desk(**options))
        return desks[-1]

    yield make
    for desk in desks:
        desk.close()


@pytest.fixture
def desk(make_desk):
    return make_desk()
