# SPDX-License-Identifier: Apache-2.0
"""The table of differences lists what the conversations skip on pcscd, no more and no less."""

import re
from pathlib import Path

HERE = Path(__file__).parent
TABLE = HERE.parents[1] / "docs" / "reference" / "pcscd-differences.md"


def test_the_table_is_true():
    listed = re.findall(r"^\| `([a-z-]+)` \|", TABLE.read_text(), re.MULTILINE)
    asked = {
        name
        for file in HERE.glob("test_*.py")
        for name in re.findall(r'world\.differs\("([a-z-]+)"\)', file.read_text())
    }
    assert sorted(listed) == sorted(asked)
