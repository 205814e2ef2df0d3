# SPDX-License-Identifier: Apache-2.0
"""A pyscard whose compiled part is missing works in our worlds all the same."""

import subprocess
import sys

import pytest
from smartcard.scard import _scard

from vreader.bridge.pyscard import pure

# Without the file _scard.*.so; and without scard.py, which is made when it is compiled.
UNCOMPILED = """
import sys
from importlib.machinery import PathFinder

class Missing(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name.startswith("smartcard.scard."):
            if name.removeprefix("smartcard.scard.") in {missing}:
                raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return None

sys.meta_path.insert(0, Missing)
import vreader.world
with vreader.world(stack="in-process") as world:
    with world.pyscard():
        from smartcard.CardRequest import CardRequest
        from smartcard.System import readers
        with CardRequest(timeout=60).waitforcard() as service:
            service.connection.connect()
            print(readers(), service.connection.getATR()[:1], end=" ")
from smartcard.scard import SCARD_E_NO_SERVICE, SCardEstablishContext, SCardGetErrorMessage
code, _ = SCardEstablishContext(0)
print(code == SCARD_E_NO_SERVICE, SCardGetErrorMessage(code))
"""

WINDOWS = """
import sys
platform, sys.platform = sys.platform, "win32"
import vreader.bridge.pyscard.pure
sys.platform = platform
{uncompiled}
from smartcard.Exceptions import NoCardException
from smartcard.scard import *
with vreader.world(stack="in-process", profile="windows") as world, world.pyscard():
    connection = readers()[0].createConnection()
    connection.connect()
    print(SCardStatus(connection.component.hcard)[2], SCARD_PROTOCOL_RAW, SCARD_CTL_CODE(3400))
    print(SCardListCards(connection.component.hcontext, [], [])[0])
    connection.disconnect()
    world.remove()
    try:
        connection.connect()
    except NoCardException as error:
        print(error.hresult == SCARD_E_NO_SMARTCARD, error.hresult < 0)
"""


def test_constants_are_those_of_the_compiled_part():
    ours = vars(pure.make_native())
    for name, value in vars(_scard).items():
        if isinstance(value, int | str) and not name.startswith("__"):
            assert (name, ours[name]) == (name, value)
    assert ours["SCARD_CTL_CODE"](3400) == _scard.SCARD_CTL_CODE(3400)


@pytest.mark.parametrize("missing", [["_scard"], ["_scard", "scard"]], ids=" ".join)
def test_pyscard_without_its_compiled_part(missing):
    code = UNCOMPILED.replace("{missing}", repr(missing))
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60
    )
    assert result.stdout == "['Virtual Reader 00 00'] [59] True No service.\n", result.stderr


def test_numbers_of_windows():
    code = WINDOWS.replace("{uncompiled}", UNCOMPILED.replace("{missing}", "['_scard', 'scard']"))
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60
    )
    _, *lines = result.stdout.splitlines()
    assert lines == ["6 65536 3224864", "0", "True True"], result.stderr
