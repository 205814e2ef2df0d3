# SPDX-License-Identifier: Apache-2.0
"""Searches for cards at a desk, and what they leave behind."""

import pytest
from winscard_desk import ATR, Card

from vreader.winscard import locate
from vreader.winscard.call import Call
from vreader.winscard.codes import ScardError
from vreader.winscard.discovery import IDMP_CACHE

CALAIS = r"HKLM\SOFTWARE\Microsoft\Cryptography\Calais"


class Gids(Card):
    """Has all applications."""

    def transmit(self, c_apdu):
        self.log.append(c_apdu)
        return b"\x90\x00"


def start(desk, name, *args):
    """Start one of the searches; it may have to wait."""
    types = desk.rm.card_types(64)
    call = Call(desk.host.io, getattr(locate, name)(desk.rm, types, *args))
    desk.host.run(call.start)
    return call


def do(desk, name, *args):
    call = start(desk, name, *args)
    assert call.done, "waits"
    return call.result()


def discover(desk, atr=ATR):
    return do(desk, "discover", atr, list(desk.rm.readers))


def cached(desk):
    key = desk.host.registry.find(f"{CALAIS}\\{IDMP_CACHE}")
    return [value.data for _, value in key.values()] if key is not None else []


def code_of(call, *args):
    with pytest.raises(ScardError) as caught:
        call(*args)
    return caught.value.code


def is_left_alone(desk):
    return not (desk.rm.contexts or desk.rm.handles) and not any(
        reader.owner or reader.sharing or reader.places or reader.turn or reader.busy
        for reader in desk.rm.readers.values()
    )
