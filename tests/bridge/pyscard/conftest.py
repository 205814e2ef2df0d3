# SPDX-License-Identifier: Apache-2.0
"""Worlds in this process, and pyscard in them."""

import importlib.util
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from vreader.world import World

sys.path.insert(0, str(Path(__file__).parent))

if importlib.util.find_spec("smartcard") is None:
    collect_ignore_glob = ["test_*.py"]
    assert os.environ.get("CI") != "true", "pyscard is missing: pip install 'vreader[pcsc]'"


@pytest.fixture
def make_world() -> Iterator[Callable[..., World]]:
    """Make a world in this process; closed at the end of the test."""
    made = []

    def make(*cards: str, **options) -> World:
        made.append(World(cards, stack="in-process", **options))
        return made[-1]

    yield make
    for world in made:
        world.close()


@pytest.fixture
def world(make_world) -> World:
    """A world with a PIV card in its only reader; pyscard does not see it yet."""
    return make_world()


@pytest.fixture
def seen(world) -> Iterator[World]:
    """A world with a PIV card in its only reader, which pyscard sees."""
    with world.pyscard():
        yield world
