# SPDX-License-Identifier: Apache-2.0

import socket
import sys
import types

from vreader.testing import contexts


def test_connections_of_this_process_to_a_socket_are_found(tmp_path):
    path, other = f"{tmp_path}/a", f"{tmp_path}/b"
    with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as another:
        listener.bind(path)
        listener.listen()
        another.bind(other)
        another.listen()
        assert contexts.held([path]) == 0
        with socket.socket(socket.AF_UNIX) as client, socket.socket(socket.AF_UNIX) as second:
            client.connect(path)
            second.connect(other)
            assert contexts.held([path]) == contexts.held([other]) == 1
            assert contexts.held([path, other]) == 2
            listener.close()
            assert contexts.held([path]) == 1
        assert contexts.held([path]) == 0


def test_the_remedy_is_for_what_is_used(monkeypatch):
    for name in ("smartcard", "PyKCS11", "pkcs11"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    assert contexts.remedy().startswith("SCardReleaseContext")
    monkeypatch.setitem(sys.modules, "PyKCS11", types.ModuleType("PyKCS11"))
    assert contexts.remedy() == "PyKCS11: lib.unload()"


def test_without_pyscard_there_is_nothing_to_let_go(monkeypatch):
    for name in ("smartcard.pcsc.PCSCContext", "smartcard.pcsc.PCSCCardConnection"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    contexts.let_go()
    contexts.let_connections_go()


def test_connections_that_a_traceback_keeps_are_released(monkeypatch):
    released = []

    class PCSCCardConnection:
        def __init__(self, *, broken):
            self.broken = broken

        def release(self):
            released.append(self)
            if self.broken:
                raise RuntimeError("no card any more")

    module = types.ModuleType("smartcard.pcsc.PCSCCardConnection")
    module.PCSCCardConnection = PCSCCardConnection
    monkeypatch.setitem(sys.modules, module.__name__, module)
    kept = [PCSCCardConnection(broken=broken) for broken in (True, False)]
    contexts.let_connections_go()
    assert sorted(map(id, released)) == sorted(map(id, kept))
