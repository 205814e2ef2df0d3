# SPDX-License-Identifier: Apache-2.0
"""A PIV card that another program uses or resets, or that leaves in the middle of a call."""

import hashlib

import pytest
from driving import USER_PIN, code_of, driving, new_card

from vreader.minidriver.abi.codes import Calg
from vreader.minidriver.values import SigningInfo
from vreader.winscard.codes import SCARD

A9 = 0
DIGEST = hashlib.sha256(b"what is to be signed").digest()


def test_another_program_has_selected_something_else(piv):
    piv.md.CardAuthenticatePin("user", USER_PIN)
    piv.api.SCardEndTransaction(piv.card, 0)
    other, protocol = piv.api.SCardConnect(piv.api.SCardEstablishContext(), piv.slot.name)
    piv.api.SCardTransmit(other, protocol, bytes.fromhex("00A4040008A000000527471117"))
    piv.api.SCardBeginTransaction(piv.card)
    assert len(piv.md.CardReadFile(None, "cardid", 0)) == 16
    sign = SigningInfo(A9, 1, DIGEST, Calg.SHA_256, version=1)
    assert code_of(piv.md.CardSignData, sign) is SCARD.W_SECURITY_VIOLATION
    piv.md.CardAuthenticatePin("user", USER_PIN)
    piv.md.CardSignData(sign)


def test_another_program_has_reset_the_card(piv):
    piv.md.CardAuthenticatePin("user", USER_PIN)
    piv.api.SCardEndTransaction(piv.card, 0)
    other, _ = piv.api.SCardConnect(piv.api.SCardEstablishContext(), piv.slot.name)
    piv.api.SCardDisconnect(other, 1)
    for call, *parameters in (
        (piv.md.CardReadFile, None, "cardid", 0),
        (piv.md.CardAuthenticatePin, "user", USER_PIN),
        (piv.md.CardGetProperty, "Authenticated State", bytes(4), 0),
        (piv.acquire,),
    ):
        assert code_of(call, *parameters) is SCARD.W_RESET_CARD
    piv.api.SCardReconnect(piv.card)
    piv.api.SCardBeginTransaction(piv.card)
    assert piv.md.CardGetProperty("Authenticated State", bytes(4), 0) == bytes(4)
    piv.md.CardAuthenticatePin("user", USER_PIN)


class Leaving:
    """A card that is taken out when the last of some commands comes."""

    def __init__(self, inner):
        self.inner, self.left, self.take_out = inner, 0, None

    def __getattr__(self, name):
        return getattr(self.inner, name)

    def transmit(self, c_apdu):
        self.left -= 1
        if not self.left:
            self.take_out()
        return self.inner.transmit(c_apdu)


@pytest.mark.parametrize("command", [1, 2, 3])
def test_a_card_that_leaves_in_the_middle_of_a_signature(command):
    card = Leaving(new_card("piv", "", ["9a:rsa2048"]))
    sign = SigningInfo(A9, 1, DIGEST, Calg.SHA_256, version=1)
    with driving(card) as driven:
        driven.md.CardAuthenticatePin("user", USER_PIN)
        driven.md.CardSignData(sign)
        card.take_out, card.left = driven.slot.remove, command
        assert code_of(driven.md.CardSignData, sign) is SCARD.W_REMOVED_CARD
        assert code_of(driven.md.CardSignData, sign) is SCARD.W_REMOVED_CARD
        driven.md.CardDeleteContext()


def test_a_card_that_is_gone(piv):
    piv.slot.remove()
    assert code_of(piv.md.CardReadFile, None, "cardid", 0) is SCARD.W_REMOVED_CARD
    assert code_of(piv.acquire) is SCARD.W_REMOVED_CARD
    piv.md.CardDeleteContext()
