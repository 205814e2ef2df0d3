# SPDX-License-Identifier: Apache-2.0
"""DllRegisterServer, really called; the DLL is our own sample."""

from contextlib import closing

import pytest

from vreader.minidriver.registering import REGISTER, UNREGISTER, Registered, register
from vreader.pairing.machine import Machine
from vreader.pairing.windows import Windows
from vreader.winscard.cardtypes import CardType

CARD = CardType("card")


@pytest.mark.parametrize(
    ("done", "ok"),
    [
        (Registered(REGISTER, 0, (), added=(CARD,)), True),
        (Registered(REGISTER, 0, (), changed=(CARD,)), True),
        (Registered(REGISTER, 0, ()), False),
        (Registered(REGISTER, 0x80100001, (), added=(CARD,)), False),
        (Registered(REGISTER, 0, (UNREGISTER,), added=(CARD,)), False),
        (Registered(UNREGISTER, 0, (), removed=("card",)), True),
        (Registered(UNREGISTER, 0, (), added=(CARD,)), False),
    ],
)
def test_what_counts_as_done(done, ok):
    assert done.ok is ok


@pytest.mark.clients
def test_our_sample(need):
    need("wine", "wine64 wine")
    need("x86_64-w64-mingw32-gcc", "gcc-mingw-w64-x86-64")
    from vreader.minidriver.dll.module import DllModule, sample_dll

    with (
        Machine(Windows.parse("10.0-amd64")) as machine,
        closing(DllModule(sample_dll(), machine.api)) as module,
    ):
        done = register(machine, module)
        assert done.ok
        again = register(machine, module)
        assert (again.code, again.ok) == (0, False)
        assert register(machine, module, undo=True).removed == (done.added[0].name,)
