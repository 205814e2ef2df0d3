# SPDX-License-Identifier: Apache-2.0
"""Replays the corpus: hostile inputs once chosen by hand or found by ``make soak``.

``tests/corpus/SURFACE/*.bin`` holds what one hostile client sends (see tests/soak/surfaces.py).
After each, an innocent client must complete a transaction.
"""

import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
CORPUS = HERE / "corpus"
CASES = sorted(CORPUS.glob("*/*.bin"))


@pytest.fixture(scope="module")
def surfaces():
    """The module of the soak test, which is a program and no package."""
    sys.path.insert(0, str(HERE / "soak"))
    import surfaces

    yield surfaces
    sys.path.remove(str(HERE / "soak"))


@pytest.fixture(scope="module")
def surface(request, surfaces):
    with surfaces.opener(request.param)() as opened:
        yield opened


@pytest.mark.parametrize(
    ("surface", "case"),
    [pytest.param(path.parent.name, path, id=f"{path.parent.name}-{path.stem}") for path in CASES],
    indirect=["surface"],
)
def test_harmless(surface, case):
    assert surface.check(case.read_bytes()) is None


def test_every_surface_has_cases(surfaces):
    assert {path.parent.name for path in CASES} == set(surfaces.NAMES)


def test_the_same_seed_makes_the_same_cases(surfaces):
    for name in surfaces.NAMES:
        mutators = surfaces.seeded(7, name), surfaces.seeded(7, name)
        kind = surfaces.opener(name)
        assert kind().case(mutators[0]) == kind().case(mutators[1])
