# SPDX-License-Identifier: Apache-2.0
"""A computer with a PIV card in its reader, where DLLs are loaded."""

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from vreader.card import MemoryStore
from vreader.cardfile import make
from vreader.host import Host
from vreader.host.scard import ScardApi
from vreader.minidriver.callbacks import CardData, HostCallbacks
from vreader.minidriver.dll.module import DllModule
from vreader.minidriver.dll.toolchain import Program, build
from vreader.minidriver.values import SigningInfo
from vreader.recipe import Recipe
from vreader.winscard.profile import WINDOWS

HERE = Path(__file__).parent
PIN = b"123456"


@dataclass
class Callbacks(HostCallbacks):
    """A host that pads as PKCS #1 says, for SHA-256, and remembers what it was asked."""

    cache: dict[str, bytes] = field(default_factory=dict)
    asked: list[SigningInfo] = field(default_factory=list)

    def CspCacheAddFile(self, tag, flags, data):
        self.cache[tag] = data

    def CspCacheLookupFile(self, tag, flags):
        return self.cache[tag]

    def CspCacheDeleteFile(self, tag, flags):
        del self.cache[tag]

    def CspPadData(self, info, width):
        self.asked.append(info)
        digest = bytes.fromhex("3031300d060960864801650304020105000420") + info.data
        return b"\0\1" + bytes([0xFF]) * (width - len(digest) - 3) + b"\0" + digest

    def CspGetDHAgreement(self, secret, flags):
        return secret

    def CspUnpadData(self, info):
        return info.data


def recipe():
    return Recipe("piv", provision={"slot": ["9a:rsa2048"], "subject": ["CN=alice"]})


class Desk:
    """See the module. Modules that it loads are closed with it."""

    def __init__(self):
        self.host = Host(WINDOWS)
        self.api = ScardApi(self.host)
        self.reader = self.host.add_reader("Desk")
        self.card = make(recipe(), MemoryStore())
        self.reader.insert(self.card)
        self.context = self.api.SCardEstablishContext()
        self.callbacks = Callbacks()
        self.modules = []

    def load(self, path, **options):
        self.modules.append(DllModule(path, self.api, **options))
        return self.modules[-1]

    def data(self, version=7):
        handle, _ = self.api.SCardConnect(self.context, self.reader.name)
        atr = self.api.SCardStatus(handle).atr
        return CardData(version, atr, "Desk Card", self.context, handle, self.callbacks)

    def close(self):
        for module in self.modules:
            module.close()
        self.host.close()


@cache
def compiled(name, *flags):
    """Return the path of a DLL made from a C source of this folder."""
    source = f"{name}.c"
    program = Program(f"{name}.dll", source, ("-shared", *flags))
    return str(build(program, extra={source: (HERE / source).read_bytes()}) / program.file)
