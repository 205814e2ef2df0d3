# SPDX-License-Identifier: Apache-2.0
import subprocess
import sys

from vreader.bridge.pyscard.loading import load

WITHOUT = """
import importlib.util, sys, vreader.world
from vreader.errors import UsageError
find, importlib.util.find_spec = importlib.util.find_spec, lambda name: None
try:
    with vreader.world(stack="in-process") as world, world.pyscard():
        print("seen")
except UsageError as error:
    print(error, "|", error.hint)
"""


def test_the_module_whose_functions_look_for_the_compiled_part():
    assert load() is sys.modules["smartcard.scard.scard"]


def test_no_pyscard_is_said_with_what_to_do():
    result = subprocess.run(
        [sys.executable, "-c", WITHOUT], check=True, capture_output=True, text=True
    )
    assert result.stdout == "pyscard is not installed | pip install 'vreader[pcsc]'\n"
