# SPDX-License-Identifier: Apache-2.0
"""PINs that a person types at the reader."""

import pytest
from driving import USER_PIN, code_of, driving, error_of, new_card

from vreader.minidriver.abi.pins import SecretType
from vreader.minidriver.abi.structs import PIN_INFO
from vreader.reader.finger import Key, PinQueue
from vreader.winscard.codes import SCARD


def kind_of(md, pin_id):
    raw = md.CardGetProperty("PIN Information", PIN_INFO().encode(), pin_id)
    return PIN_INFO.decode(raw).PinType


@pytest.mark.parametrize("kind", ["piv", "gids"])
def test_a_pin_is_typed(kind):
    typed = PinQueue(["123456", "654321", Key.CANCEL])
    with driving(new_card(kind), pinpad=typed) as driven:
        md = driven.md
        assert kind_of(md, 1) == SecretType.EXTERNAL
        assert kind_of(md, 2) != SecretType.EXTERNAL
        md.CardAuthenticateEx(1, 0, None)
        assert md.CardGetProperty("Authenticated State", bytes(4), 0) == b"\2\0\0\0"
        driven.reset()
        wrong = error_of(md.CardAuthenticateEx, 1, 0, None)
        assert (wrong.code, wrong.attempts) == (SCARD.W_WRONG_CHV, 2)
        assert md.CardGetProperty("Authenticated State", bytes(4), 0) == bytes(4)
        assert code_of(md.CardAuthenticateEx, 1, 0, None) is SCARD.W_CANCELLED_BY_USER
        assert code_of(md.CardAuthenticateEx, 2, 0, None) is SCARD.E_INVALID_PARAMETER
        md.CardAuthenticateEx(1, 0, USER_PIN)


@pytest.mark.parametrize("kind", ["piv", "gids"])
def test_a_reader_without_a_keypad(kind):
    with driving(new_card(kind)) as driven:
        assert kind_of(driven.md, 1) == SecretType.ALPHANUMERIC
        assert code_of(driven.md.CardAuthenticateEx, 1, 0, None) is SCARD.E_INVALID_PARAMETER
