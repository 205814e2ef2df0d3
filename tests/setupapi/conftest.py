# SPDX-License-Identifier: Apache-2.0
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

OUR_INF = Path(__file__).parents[2] / "vreader" / "reader" / "vreader.inf"


@pytest.fixture(scope="session")
def our_inf():
    """The text of the virtual reader's own INF."""
    return OUR_INF.read_text()
