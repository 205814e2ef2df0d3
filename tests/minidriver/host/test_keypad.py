# SPDX-License-Identifier: Apache-2.0
"""A PIN that is changed and unblocked at the reader, from the application to the card."""

import pytest
from real_cards import GIDS, PIV, desk_with

from vreader.minidriver.abi.returncodes import MinidriverError
from vreader.reader.finger import Key, PinQueue
from vreader.winscard.codes import SCARD


def code_of(call, *parameters):
    with pytest.raises(MinidriverError) as caught:
        call(*parameters)
    return caught.value.code


def test_a_pin_is_changed_at_the_keypad():
    typed = PinQueue(["123456", "222222", "222222", "222222", Key.CANCEL])
    desk = desk_with(PIV, pinpad=typed)
    provider = desk.open(text="a new PIN")
    provider.change_pin(None, None)
    provider.sign(b"data", 0)
    assert desk.prompt.asked == 0
    desk.wait()
    assert code_of(provider.change_pin, None, None) is SCARD.W_CANCELLED_BY_USER
    desk.close()


def test_a_blocked_pin_gets_a_new_one_at_the_keypad():
    desk = desk_with(PIV, pinpad=PinQueue(["12345678", *["333333"] * 9]))
    provider = desk.open()
    for _ in range(3):
        code_of(provider.set_pin, "999999")
    provider.unblock(None, None)
    provider.unblock(None, "12345678")
    provider.sign(b"data", 0)
    desk.close()


def test_without_a_keypad_nobody_is_asked():
    desk = desk_with(GIDS)
    provider = desk.open()
    assert code_of(provider.change_pin, None, None) is SCARD.E_INVALID_PARAMETER
    desk.close()
