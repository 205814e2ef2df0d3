# SPDX-License-Identifier: Apache-2.0
"""PINs that a person types at the reader."""

import pytest
from driving import USER_PIN, answer, code_of, driving, error_of, new_card

from vreader.minidriver.abi.pins import SecretType
from vreader.minidriver.abi.structs import PIN_INFO
from vreader.reader.finger import Key, PinQueue
from vreader.winscard.codes import SCARD

INVALID = SCARD.E_INVALID_PARAMETER


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


def test_a_pin_of_a_piv_card_is_changed_at_the_keypad():
    asked = []
    typed = PinQueue(["123456", "222222", "222222", "999999", "333333", "333333"])

    def finger(prompt):
        asked.append((prompt.asked.value, prompt.message, prompt.min_digits, prompt.max_digits))
        return typed(prompt)

    with driving(new_card("piv"), pinpad=finger) as driven:
        md = driven.md
        md.CardChangeAuthenticatorEx(2, 1, None, 1, None, 0)
        assert driven.commands[-1].hex() == ("0024008010" + "313233343536ffff" + "323232323232ffff")
        assert asked == [
            ("current PIN", 0, 6, 8), ("new PIN", 1, 6, 8), ("new PIN again", 2, 6, 8),
        ]  # fmt: skip
        wrong = error_of(md.CardChangeAuthenticatorEx, 2, 3, None, 3, None, 0)
        assert (wrong.code, wrong.attempts) == (SCARD.W_WRONG_CHV, 2)
        md.CardAuthenticateEx(1, 0, b"222222")


def test_a_piv_card_is_unblocked_at_the_keypad():
    with driving(new_card("piv"), pinpad=PinQueue(["12345678", *["222222"] * 5])) as driven:
        md = driven.md
        for _ in range(3):
            code_of(md.CardAuthenticateEx, 1, 0, b"654321")
        md.CardChangeAuthenticatorEx(1, 2, None, 1, None, 0)  # the PUK is typed as well
        md.CardAuthenticateEx(1, 0, b"222222")
        wrong = error_of(md.CardChangeAuthenticatorEx, 1, 2, b"87654321", 1, None, 0)
        assert (wrong.code, wrong.attempts) == (SCARD.W_WRONG_CHV, 2)
        short = error_of(md.CardChangeAuthenticatorEx, 1, 2, b"1234567", 1, None, 0)
        assert (short.code, short.attempts) == (SCARD.W_WRONG_CHV, 1)
        long = error_of(md.CardChangeAuthenticatorEx, 1, 2, b"123456789", 1, None, 0)
        assert (long.code, long.attempts) == (SCARD.W_WRONG_CHV, 0xFFFFFFFF)
        md.CardChangeAuthenticatorEx(1, 2, b"12345678", 1, None, 0)
        md.CardAuthenticateEx(1, 0, b"222222")


def test_a_pin_of_a_gids_card_is_changed_and_unblocked_at_the_keypad():
    typed = PinQueue(
        ["123456", "222222", "222222", "333333", "333333", "999999", "123456", "123456", Key.CANCEL]
    )
    with driving(new_card("gids"), pinpad=typed) as driven:
        md = driven.md
        md.CardChangeAuthenticatorEx(2, 1, None, 1, None, 0)
        assert md.CardGetProperty("Authenticated State", bytes(4), 0) == b"\2\0\0\0"
        assert code_of(md.CardChangeAuthenticatorEx, 1, 2, None, 1, None, 0) is INVALID
        refused = code_of(md.CardChangeAuthenticatorEx, 1, 2, bytes(8), 1, None, 0)
        assert refused is SCARD.W_WRONG_CHV
        md.CardChangeAuthenticatorEx(1, 2, answer(md.CardGetChallenge()), 1, None, 0)
        assert md.CardGetProperty("Authenticated State", bytes(4), 0) == bytes(4)
        md.CardAuthenticateEx(1, 0, b"333333")
        wrong = error_of(md.CardChangeAuthenticatorEx, 2, 1, None, 1, None, 0)
        assert (wrong.code, wrong.attempts) == (SCARD.W_WRONG_CHV, 2)
        # Who gives up leaves nobody there, the administrator neither.
        cancelled = code_of(
            md.CardChangeAuthenticatorEx, 1, 2, answer(md.CardGetChallenge()), 1, None, 0
        )
        assert cancelled is SCARD.W_CANCELLED_BY_USER
        assert md.CardGetProperty("Authenticated State", bytes(4), 0) == bytes(4)
        assert code_of(md.CardCreateFile, None, "new", 1, 3) is SCARD.W_SECURITY_VIOLATION


@pytest.mark.parametrize(
    ("entries", "code"),
    [
        ([Key.CANCEL], SCARD.W_CANCELLED_BY_USER),
        (["123456", Key.TIME_OUT], SCARD.E_TIMEOUT),
        (["123456", "222222", "333333"], SCARD.E_INVALID_CHV),
        (["123456", "22", "22"], SCARD.E_INVALID_CHV),
    ],
)
@pytest.mark.parametrize("kind", ["piv", "gids"])
def test_a_pin_that_is_not_changed_after_all(kind, entries, code):
    with driving(new_card(kind), pinpad=PinQueue(entries)) as driven:
        assert code_of(driven.md.CardChangeAuthenticatorEx, 2, 1, None, 1, None, 0) is code
        driven.md.CardAuthenticateEx(1, 0, USER_PIN)


@pytest.mark.parametrize("kind", ["piv", "gids"])
def test_half_a_pin_at_the_keypad_is_no_parameter(kind):
    with driving(new_card(kind), pinpad=PinQueue(["123456"])) as driven:
        change = driven.md.CardChangeAuthenticatorEx
        for flags, by, current, new in (
            (2, 1, USER_PIN, None), (2, 1, None, b"222222"), (2, 1, b"", None),
            (1, 2, None, b"222222"), (1, 2, b"", None), (2, 2, None, None),
        ):  # fmt: skip
            assert code_of(change, flags, by, current, 1, new, 0) in (
                INVALID, SCARD.W_SECURITY_VIOLATION,
            )  # fmt: skip
        change(2, 1, USER_PIN, 1, b"222222", 0)  # whoever knows them may still say them
    with driving(new_card(kind)) as driven:
        assert code_of(driven.md.CardChangeAuthenticatorEx, 2, 1, None, 1, None, 0) is INVALID


class Vanishing:
    """A finger that does something else before it types."""

    def __init__(self):
        self.act = lambda: None

    def __call__(self, prompt):
        self.act()
        return "123456"


@pytest.mark.parametrize("change", [False, True])
def test_a_card_that_is_taken_out_while_somebody_types(change):
    finger = Vanishing()
    with driving(new_card("piv"), pinpad=finger) as driven:
        finger.act = driven.slot.remove
        call = driven.md.CardChangeAuthenticatorEx if change else driven.md.CardAuthenticateEx
        parameters = (2, 1, None, 1, None, 0) if change else (1, 0, None)
        assert code_of(call, *parameters) is SCARD.W_REMOVED_CARD


def test_that_a_reader_is_gone_does_not_make_it_one_without_a_keypad():
    with driving(new_card("piv"), pinpad=PinQueue(["123456"])) as driven:
        driven.slot.unplug()
        assert code_of(kind_of, driven.md, 1) is SCARD.E_NO_SERVICE
