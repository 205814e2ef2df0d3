# SPDX-License-Identifier: Apache-2.0
"""PIN, PUK and management key of a PIV card, and the tries they have left."""

import hashlib

import pytest
from driving import USER_PIN, answer, code_of, driving, error_of, log_in_as_admin, new_card

from vreader.minidriver.abi.codes import Calg, KeySpec
from vreader.minidriver.abi.pins import PinCache
from vreader.minidriver.abi.structs import PIN_INFO
from vreader.minidriver.values import SigningInfo
from vreader.winscard.codes import SCARD

PUK = b"12345678"
C9 = 1
DIGEST = hashlib.sha256(b"what is to be signed").digest()
UNSUPPORTED = SCARD.E_UNSUPPORTED_FEATURE


def test_pins():
    with driving(new_card("piv", "", ["9a:p256"])) as driven:
        md = driven.md
        sign = SigningInfo(0, KeySpec.ECDSA_P256, DIGEST)
        assert code_of(md.CardSignData, sign) is SCARD.W_SECURITY_VIOLATION
        wrong = error_of(md.CardAuthenticatePin, "user", b"654321")
        assert (wrong.code, wrong.attempts) == (SCARD.W_WRONG_CHV, 2)
        long = error_of(md.CardAuthenticateEx, 1, 0, b"123456789")
        assert (long.code, long.attempts) == (SCARD.W_WRONG_CHV, 2)
        md.CardAuthenticateEx(1, 0, USER_PIN)
        md.CardSignData(sign)
        assert md.CardGetProperty("Authenticated State", bytes(4), 0) == b"\2\0\0\0"
        md.CardDeauthenticateEx(0xFF, 0)
        assert code_of(md.CardSignData, sign) is SCARD.W_SECURITY_VIOLATION
        md.CardChangeAuthenticator("user", USER_PIN, b"222222", 0, 2)
        md.CardChangeAuthenticatorEx(2, 3, b"222222", 3, b"333333", 0)
        refused = code_of(md.CardChangeAuthenticatorEx, 2, 1, b"333333", 1, b"1", 0)
        assert refused is SCARD.E_INVALID_PARAMETER
        for _ in range(2):
            assert error_of(md.CardAuthenticatePin, "user", USER_PIN).attempts
        blocked = error_of(md.CardAuthenticatePin, "user", USER_PIN)
        assert (blocked.code, blocked.attempts) == (SCARD.W_CHV_BLOCKED, 0)
        puk = error_of(md.CardUnblockPin, "user", b"87654321", USER_PIN, 0, 2)
        assert (puk.code, puk.attempts) == (SCARD.W_WRONG_CHV, 2)
        assert code_of(md.CardUnblockPin, "user", b"12345678", USER_PIN, 0, 1) is UNSUPPORTED
        md.CardUnblockPin("user", b"12345678", USER_PIN, 0xFFFFFFFF, 2)
        md.CardAuthenticatePin("user", USER_PIN)
        md.CardChangeAuthenticator("admin", b"12345678", b"87654321", 0, 2)
        md.CardChangeAuthenticatorEx(1, 2, b"87654321", 1, b"444444", 0)
        md.CardAuthenticatePin("user", b"444444")
        assert code_of(md.CardAuthenticatePin, "admin", b"87654321") is UNSUPPORTED


def test_the_signature_key_wants_the_pin_each_time(piv):
    piv.md.CardAuthenticateEx(3, 0, USER_PIN)
    sign = SigningInfo(C9, 2, DIGEST, Calg.SHA_256, version=1)
    piv.md.CardSignData(sign)
    assert code_of(piv.md.CardSignData, sign) is SCARD.W_SECURITY_VIOLATION
    for pin, kind in ((1, PinCache.NORMAL), (2, PinCache.NORMAL), (3, PinCache.ALWAYS_PROMPT)):
        info = PIN_INFO.decode(piv.md.CardGetProperty("PIN Information", PIN_INFO().encode(), pin))
        assert info.PinCachePolicy.PinCachePolicyType == kind


def test_the_management_key_answers_challenges(piv):
    assert len({piv.md.CardGetChallenge() for _ in range(20)}) == 20
    refused = error_of(piv.md.CardAuthenticateChallenge, bytes(8))
    assert (refused.code, refused.attempts) == (SCARD.W_WRONG_CHV, 0xFFFFFFFF)
    log_in_as_admin(piv.md)
    piv.md.CardDeauthenticate("user", 0)
    assert code_of(piv.md.CardDeauthenticate, "admin", 0) is UNSUPPORTED
    piv.md.CardDeauthenticate("admin", 0)
    with driving(new_card("piv", "5.7.1")) as aes:
        assert code_of(aes.md.CardGetChallenge) is UNSUPPORTED


@pytest.mark.parametrize("profile", ["neutral", "5.4.3", "5.7.1"])
def test_every_way_to_be_wrong_counts(profile):
    with driving(new_card("piv", profile)) as driven:
        md, other = driven.md, driven.acquire()
        left = []
        for call, parameters in (
            (md.CardAuthenticatePin, ("user", b"999999")),
            (other.CardAuthenticateEx, (3, 0, b"999999")),
        ):
            left.append(error_of(call, *parameters).attempts)
        assert left == [2, 1]
        md.CardAuthenticatePin("user", USER_PIN)
        left = [
            error_of(md.CardChangeAuthenticator, "user", b"999999", b"222222", 0, 2),
            error_of(other.CardChangeAuthenticatorEx, 2, 1, b"999999", 1, b"222222", 0),
            error_of(md.CardAuthenticatePin, "user", b"999999"),
            error_of(md.CardAuthenticatePin, "user", USER_PIN),
            error_of(md.CardChangeAuthenticator, "user", USER_PIN, b"222222", 0, 2),
        ]
        assert [error.attempts for error in left] == [2, 1, 0, 0, 0]
        assert {error.code for error in left[2:]} == {SCARD.W_CHV_BLOCKED}
        left = [
            error_of(md.CardUnblockPin, "user", b"00000000", USER_PIN, 0, 2),
            error_of(other.CardChangeAuthenticatorEx, 1, 2, b"00000000", 1, USER_PIN, 0),
            error_of(md.CardChangeAuthenticator, "admin", b"00000000", b"87654321", 0, 2),
            error_of(md.CardUnblockPin, "user", PUK, USER_PIN, 0, 2),
        ]
        assert [error.attempts for error in left] == [2, 1, 0, 0]
        assert left[-1].code is SCARD.W_CHV_BLOCKED


def test_a_new_pin_that_is_none_changes_nothing_and_costs_nothing():
    with driving(new_card("piv", "neutral")) as driven:
        md = driven.md
        for new in (b"1", b"123456789", b"abc"):
            code = code_of(md.CardChangeAuthenticator, "user", USER_PIN, new, 0, 2)
            assert code is SCARD.E_INVALID_PARAMETER
            assert code_of(md.CardUnblockPin, "user", PUK, new, 0, 2) is code
        driven.reset()
        assert error_of(md.CardAuthenticatePin, "user", b"999999").attempts == 2
        md.CardAuthenticatePin("user", USER_PIN)
        assert error_of(md.CardUnblockPin, "user", b"00000000", USER_PIN, 0, 2).attempts == 2


def test_the_management_key_is_forgotten_where_the_card_was_reset(piv):
    piv.md.CardAuthenticateChallenge(answer(piv.md.CardGetChallenge()))
    piv.reset()
    piv.md.CardReadFile(None, "cardid", 0)
    piv.md.CardDeauthenticateEx(0xFF, 0)  # nothing is left that only a reset would end
