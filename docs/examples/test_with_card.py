# SPDX-License-Identifier: Apache-2.0
"""Tests of a program that uses a smart card. Run with pytest."""

import os
import subprocess

import pytest

import vreader


@pytest.fixture
def world():
    with vreader.world("piv,pin=654321") as world:
        yield world


def apdu(world, *apdus):
    """Run the program under test; here it is ``vreader apdu``."""
    environment = os.environ | world.environment
    return subprocess.run(["vreader", "apdu", *apdus], env=environment, capture_output=True)


SELECT = "00A40400:A000000308="
VERIFY = "00200080:363534333231FFFF"


def test_the_right_pin(world):
    assert apdu(world, SELECT, VERIFY + "=").returncode == 0


def test_no_card(world):
    world.remove()
    assert b"no reader holds a card" in apdu(world, SELECT).stderr


def test_the_card_comes_back_as_it_was(world):
    apdu(world, SELECT, "00200080:313131313131FFFF=63C2")
    world.remove()
    world.insert()
    assert apdu(world, SELECT, "00200080=63C2").returncode == 0
