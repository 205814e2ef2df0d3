# SPDX-License-Identifier: Apache-2.0
import subprocess

import pytest
from minidriver_structs import STRUCTS

from vreader.minidriver.abi.cheader import STANDALONE, assertions, header
from vreader.minidriver.abi.ctype import Abi


def compiled(source, option):
    command = [
        "gcc",
        option,
        "-std=c11",
        "-Wall",
        "-Wextra",
        "-Werror",
        "-fsyntax-only",
        "-xc",
        "-",
    ]
    return subprocess.run(command, input=source, text=True, capture_output=True, timeout=60)


@pytest.mark.parametrize(("abi", "option"), [(Abi.X64, "-m64"), (Abi.X86, "-m32")])
def test_a_c_compiler_has_the_same_layout(abi, option):
    source = STANDALONE + header(STRUCTS) + "".join(assertions(s, abi) for s in STRUCTS)
    done = compiled(source, option)
    assert not done.returncode, done.stderr


def test_a_wrong_offset_does_not_compile():
    source = STANDALONE + header(STRUCTS) + "".join(assertions(s, Abi.X64) for s in STRUCTS)
    done = compiled(source, "-m32")
    assert "sizeof CARD_DATA" in done.stderr
