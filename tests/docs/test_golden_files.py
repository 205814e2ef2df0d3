# SPDX-License-Identifier: Apache-2.0
"""What the page about golden files shows is what its example writes, and what a difference says."""

import re
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "howto" / "golden-files.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_the_example(tmp_path):
    blocks = BLOCK.findall(PAGE.read_text())
    (program,) = (text for language, text in blocks if language == "python")
    shown = [text for language, text in blocks if language == "text"]

    def run(source: str) -> subprocess.CompletedProcess:
        words = [sys.executable, "-c", source]
        return subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=60)

    assert run(program).stdout.strip() == shown[1].strip()
    wrong = program.replace('= "1"  # only', '= "0"  # only').replace("123456", "654321")
    assert shown[2].strip() in run(wrong).stderr
