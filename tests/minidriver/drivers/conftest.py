# SPDX-License-Identifier: Apache-2.0
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from driving import driving, new_card


@pytest.fixture(scope="module")
def piv_card():
    return new_card(
        "piv", "", ("9a:rsa2048", "9c:rsa2048", "9d:p256", "9e:p384", "82:p384", "83:rsa2048")
    )


@pytest.fixture
def piv(piv_card):
    """A PIV card with keys of all sorts; tests leave it as it was."""
    with driving(piv_card) as driven:
        yield driven


@pytest.fixture
def gids():
    """A new GIDS card without keys."""
    with driving(new_card("gids")) as driven:
        yield driven
