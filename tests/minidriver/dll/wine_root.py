# SPDX-License-Identifier: Apache-2.0
"""mdhost in a Debian of its own: winscard.dll is Wine's, libpcsclite comes to our socket."""

import os
import shutil
from pathlib import Path

from dll_desk import PIN, Callbacks, Desk

from vreader.bridge.pcsclite.server import PcscliteDoor
from vreader.minidriver.abi.carddata import CARD_DATA
from vreader.minidriver.callbacks import CardData
from vreader.minidriver.dll import callbacks
from vreader.minidriver.dll.context import DllMinidriver
from vreader.minidriver.dll.frame import Result, utf16
from vreader.minidriver.dll.module import acquire_request
from vreader.minidriver.dll.process import HostProcess
from vreader.minidriver.dll.toolchain import HOST, build

PLACE = "w"  # a directory in the root
TIMEOUT_S = 100  # for the first call, which makes the prefix

__all__ = ["PIN", "WineRoot"]


class WineRoot:
    """A computer with a PIV card, and Windows programs in the root that use it."""

    def __init__(self, root):
        self.place = Path(root, PLACE)
        self.place.mkdir(exist_ok=True)
        self.root = root
        self.desk = Desk()
        self.callbacks = Callbacks()
        socket = self.place / "pcscd.comm"
        socket.unlink(missing_ok=True)
        self.door = PcscliteDoor(self.desk.host, str(socket))
        self.hosts = []
        self.findings = []

    def command(self, program):
        """Return how a program in the place is run: all it starts ends with it."""
        unshare = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc=/proc"]
        user = [] if os.getuid() == 0 else ["--map-root-user"]
        return [*unshare, *user, f"--root={self.root}", "/usr/bin/wine", f"/{PLACE}/{program}"]

    def environment(self):
        return {
            "PATH": os.environ["PATH"],
            "HOME": f"/{PLACE}",
            "WINEPREFIX": f"/{PLACE}/prefix",
            "WINEDEBUG": "-all",
            "WINEDLLOVERRIDES": "mscoree=;mshtml=;winemenubuilder.exe=",
            "PCSCLITE_CSOCK_NAME": f"/{PLACE}/pcscd.comm",
        }

    def load(self, path):
        """Load a DLL; return its host process."""
        for file in (build(HOST) / HOST.file, Path(path)):
            shutil.copy(file, self.place)
        host = HostProcess(self.command(HOST.file), self.environment(), self.answer)
        self.hosts.append(host)
        dll = utf16(f"Z:\\{PLACE}\\{Path(path).name}").hex()
        self.ask(host, {"op": "load", "path": dll}, "LoadLibrary")
        return host

    def acquire(self, host, version=7):
        """Connect to the card there, and make a context for it."""
        name = utf16(self.desk.reader.name).hex()
        told = self.ask(host, {"op": "connect", "reader": name}, "SCardConnect")
        atr = self.desk.card.power_on()
        data = CardData(version, atr, "Desk", told["hctx"], told["hcard"], self.callbacks)
        reply = self.ask(host, acquire_request(data, 0), "CardAcquireContext")
        card_data = CARD_DATA.decode(bytes.fromhex(reply["carddata"]).ljust(512, b"\0"))
        return DllMinidriver(Calls(self, host), reply["context"], data, card_data, False)

    def ask(self, host, request, what):
        reply = host.ask(request, what, TIMEOUT_S)
        self.findings += reply["findings"]
        assert not reply["r"], (what, hex(reply["r"]))
        return reply

    def answer(self, asked):
        return callbacks.answer(self.callbacks, asked)

    def close(self):
        for host in self.hosts:
            host.close()
        self.door.close()
        self.desk.close()


class Calls:
    """Makes the calls of a context."""

    def __init__(self, root, host):
        self.root = root
        self.host = host

    def call(self, context, name, at, frame):
        request = {"op": "call", "context": context, "name": name, "at": at}
        reply = self.host.ask(request | frame.request(), name, TIMEOUT_S)
        self.root.findings += reply["findings"]
        return Result(reply)
