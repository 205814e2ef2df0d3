# SPDX-License-Identifier: Apache-2.0
"""The module."""

from memory.containers import Containers
from memory.crypto import Crypto
from memory.files import Files
from memory.injection import Injection
from memory.pins import Pins
from memory.properties import Properties
from vreader.minidriver.abi.carddata import CURRENT_VERSION
from vreader.minidriver.abi.codes import NO_CARD_MODE
from vreader.minidriver.abi.returncodes import MinidriverError
from vreader.minidriver.module import DllReason, Module
from vreader.minidriver.rules.base import acquire, negotiate
from vreader.winscard.codes import SCARD


class Memory(Files, Pins, Properties, Containers, Crypto, Injection):
    """One context."""


class MemoryModule(Module):
    """What is loaded."""

    injection = True

    def __init__(self, api):
        self.api = api
        self.loaded = False

    def DllMain(self, reason):
        if reason is DllReason.PROCESS_ATTACH:
            self.loaded = True
        elif reason is DllReason.PROCESS_DETACH:
            self.loaded = False
        return True

    def CardAcquireContext(self, data, flags):
        data = acquire(data, flags)
        if flags & NO_CARD_MODE and not self.injection:
            raise MinidriverError(SCARD.E_UNSUPPORTED_FEATURE)
        version = negotiate(data.version, CURRENT_VERSION)
        return Memory(self, data, version, bool(flags & NO_CARD_MODE))
