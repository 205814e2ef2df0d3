# SPDX-License-Identifier: Apache-2.0
"""The GIDS minidriver: PIN, PUK, admin key, who is there, two contexts, blank cards."""

import pytest
from driving import (
    ADMIN_KEY,
    USER_PIN,
    answer,
    code_of,
    driving,
    error_of,
    log_in_as_admin,
    new_card,
)

from cards.gids.build import gids_state
from vreader.minidriver.drivers.gids import GidsMinidriver
from vreader.minidriver.values import ContainerInfo, SigningInfo
from vreader.winscard.codes import SCARD

NOBODY, USER, ADMIN, BOTH = (bytes((pins, 0, 0, 0)) for pins in (0, 2, 4, 6))
DENIED, INVALID = SCARD.W_SECURITY_VIOLATION, SCARD.E_INVALID_PARAMETER


def test_the_class_minidriver_takes_it(gids):
    assert isinstance(gids.md, GidsMinidriver)


def test_the_user(gids):
    md = gids.md
    wrong = error_of(md.CardAuthenticatePin, "user", b"654321")
    assert (wrong.code, wrong.attempts) == (SCARD.W_WRONG_CHV, 2)
    short = error_of(md.CardAuthenticateEx, 1, 0x40, b"1")
    assert (short.code, short.attempts) == (SCARD.W_WRONG_CHV, 2)
    assert code_of(md.CardAuthenticateEx, 1, 0, None) is INVALID
    assert code_of(md.CardAuthenticateEx, 3, 0, USER_PIN) is INVALID
    refused = error_of(md.CardChangeAuthenticator, "user", b"111111", b"222222", 0, 2)
    assert (refused.code, refused.attempts) == (SCARD.W_WRONG_CHV, 1)
    md.CardChangeAuthenticator("user", USER_PIN, b"222222", 0, 2)
    assert code_of(md.CardChangeAuthenticatorEx, 2, 1, b"222222", 1, b"1", 0) is INVALID
    assert code_of(md.CardChangeAuthenticator, "user", b"222222", b"3333", 5, 2) is INVALID
    assert code_of(md.CardChangeAuthenticatorEx, 2, 2, bytes(8), 1, b"333333", 0) is DENIED
    # Part of the new PIN is no part of the old one.
    assert code_of(md.CardChangeAuthenticator, "user", b"22222", b"23333", 0, 2)
    md.CardAuthenticatePin("user", b"222222")


def test_unblocking(gids):
    md = gids.md
    for _ in range(2):
        assert code_of(md.CardAuthenticatePin, "user", b"000000") is SCARD.W_WRONG_CHV
    blocked = error_of(md.CardAuthenticatePin, "user", b"000000")
    assert (blocked.code, blocked.attempts) == (SCARD.W_CHV_BLOCKED, 0)
    assert code_of(md.CardAuthenticatePin, "user", USER_PIN) is SCARD.W_CHV_BLOCKED
    no_puk = code_of(md.CardUnblockPin, "user", b"12345678", b"222222", 0, 2)
    assert no_puk is SCARD.E_UNSUPPORTED_FEATURE
    md.CardGetChallenge()
    wrong = error_of(md.CardUnblockPin, "user", bytes(8), b"222222", 0, 1)
    assert (wrong.code, wrong.attempts) == (SCARD.W_WRONG_CHV, 0xFFFFFFFF)
    response = answer(md.CardGetChallenge())
    assert code_of(md.CardUnblockPin, "user", response, b"1", 0, 1) is INVALID
    assert code_of(md.CardWriteFile, None, "cardid", 0, bytes(16)) is DENIED
    response = answer(md.CardGetChallengeEx(2, 0))
    md.CardChangeAuthenticatorEx(1, 2, response, 1, b"222222", 0)
    assert code_of(md.CardWriteFile, None, "cardid", 0, bytes(16)) is DENIED
    md.CardAuthenticatePin("user", b"222222")
    assert code_of(md.CardUnblockPin, "user", response, b"222222", 0, 1) is SCARD.W_WRONG_CHV


def test_a_puk():
    with driving(new_card("gids", puk="87654321")) as driven:
        md = driven.md
        wrong = error_of(md.CardUnblockPin, "user", b"11111111", b"222222", 0, 2)
        assert (wrong.code, wrong.attempts) == (SCARD.W_WRONG_CHV, 2)
        md.CardUnblockPin("user", b"87654321", b"222222", 0, 2)
        md.CardAuthenticatePin("user", b"222222")


def test_a_puk_of_which_the_new_pin_has_the_end():
    with driving(new_card("gids", puk="87654321")) as driven:
        md = driven.md
        for puk, new in ((b"876543", b"21222222"), (b"876543212", b"22222")):
            wrong = code_of(md.CardUnblockPin, "user", puk, new, 0, 2)
            assert wrong is SCARD.W_WRONG_CHV


def test_the_admin_key(gids):
    md = gids.md
    new = bytes(range(24))
    assert len({md.CardGetChallenge() for _ in range(20)}) == 20
    assert code_of(md.CardAuthenticateChallenge, b"short") is INVALID
    bad = code_of(md.CardChangeAuthenticator, "admin", bytes(8), new, 0, 2)
    assert bad is INVALID
    response = answer(md.CardGetChallenge())
    md.CardChangeAuthenticator("admin", response, new, 0, 1)
    md.CardDeauthenticate("admin", 0)
    md.CardGetChallenge()
    assert code_of(md.CardAuthenticateChallenge, answer(md.CardGetChallenge(), ADMIN_KEY)) is (
        SCARD.W_WRONG_CHV
    )
    md.CardAuthenticateEx(2, 0, answer(md.CardGetChallengeEx(2, 0), new))
    assert md.CardGetProperty("Authenticated State", bytes(4), 0) == b"\4\0\0\0"
    md.CardAuthenticatePin("user", USER_PIN)
    assert md.CardGetProperty("Authenticated State", bytes(4), 0) == b"\6\0\0\0"
    assert code_of(md.CardDeauthenticateEx, 2, 0) is SCARD.E_UNSUPPORTED_FEATURE
    gids.reset()
    assert code_of(md.CardWriteFile, None, "cardid", 0, bytes(16)) is DENIED
    assert md.CardGetProperty("Authenticated State", bytes(4), 0) == bytes(4)


def state(md):
    return md.CardGetProperty("Authenticated State", bytes(4), 0)


@pytest.mark.parametrize("flag", [0x10000000, 0x20000000])
@pytest.mark.parametrize("silent", [0, 0x40])
def test_there_are_no_session_pins(gids, flag, silent):
    md = gids.md
    assert md.CardGetProperty("PIN Strength Verify", bytes(4), 1) == b"\1\0\0\0"
    refused = code_of(md.CardAuthenticateEx, 1, flag | silent, USER_PIN)
    assert refused is SCARD.E_UNSUPPORTED_FEATURE
    assert state(md) == NOBODY


def test_no_key_is_shared_with_the_card(gids):
    assert "CardGetSharedKeyHandle" not in gids.md.table()
    assert gids.md.CardGetProperty("Key Import Support", bytes(4), 0) == b"\3\0\0\0"


def test_who_is_there_after_a_reset_that_nobody_told(gids):
    log_in_as_admin(gids.md)
    gids.md.CardAuthenticatePin("user", USER_PIN)
    assert state(gids.md) == BOTH
    gids.reset()
    assert state(gids.md) == NOBODY


def test_who_is_there_after_a_reset_and_a_pin(gids):
    log_in_as_admin(gids.md)
    gids.reset()
    gids.md.CardAuthenticatePin("user", USER_PIN)
    assert state(gids.md) == USER


def test_who_is_there_where_another_context_has_selected_again(gids):
    other = gids.acquire()
    log_in_as_admin(gids.md)
    gids.md.CardAuthenticatePin("user", USER_PIN)
    gids.reset()
    other.CardReadFile(None, "cardid", 0)
    assert state(gids.md) == NOBODY
    log_in_as_admin(other)
    gids.md.CardCreateDirectory("theirs", 2)
    assert state(gids.md) == ADMIN


class Both:
    """A card with two applications: SELECT says whose commands follow."""

    def __init__(self, first, second):
        self.cards, self.chosen = (first, second), first

    def __getattr__(self, name):
        return getattr(self.chosen, name)

    def power_on(self):
        for card in self.cards:
            atr = card.power_on()
        return atr

    def transmit(self, c_apdu):
        if c_apdu[1:4] == b"\xa4\4\0":
            for card in self.cards:
                answer = card.transmit(c_apdu)
                if answer[-2:] == b"\x90\0":
                    self.chosen = card
                    return answer
        return self.chosen.transmit(c_apdu)


def test_two_minidrivers_of_one_card():
    card = Both(new_card("piv", "", ["9a:p256"]), new_card("gids", "", ["sign:p256"]))
    with driving(card) as driven:
        piv, gids = driven.md, GidsMinidriver(driven.api, driven.data(), 7)
        for _ in range(2):
            assert len(gids.CardReadFile(None, "cardid", 0)) == 16
            gids.CardAuthenticatePin("user", USER_PIN)
            assert len(gids.CardSignData(SigningInfo(0, 3, bytes(32)))) == 64
            assert state(gids) == USER
            assert len(piv.CardReadFile(None, "cardid", 0)) == 16
            assert piv.CardReadFile("mscp", "ksc00", 0)
            piv.CardAuthenticatePin("user", USER_PIN)
            assert len(piv.CardSignData(SigningInfo(0, 3, bytes(32)))) == 64


class OddChallenge:
    """A card whose challenges are seven bytes."""

    def __init__(self, inner):
        self.inner = inner

    def __getattr__(self, name):
        return getattr(self.inner, name)

    def transmit(self, c_apdu):
        if c_apdu[1] == 0x87:
            return bytes.fromhex("7C0981070102030405060790 00")
        return self.inner.transmit(c_apdu)


def test_a_challenge_that_is_no_whole_block():
    with driving(OddChallenge(new_card("gids"))) as driven:
        assert code_of(driven.md.CardGetChallenge) is SCARD.E_COMM_DATA_LOST


def test_another_context_logs_out(gids):
    other = gids.acquire()
    log_in_as_admin(gids.md)
    gids.reset()
    other.CardAuthenticatePin("user", USER_PIN)
    gids.md.CardDeauthenticate("user", 0)
    assert code_of(other.CardWriteFile, None, "cardcf", 0, bytes(6)) is DENIED


def test_a_change_that_fails_leaves_nobody_there(gids):
    gids.md.CardAuthenticatePin("user", USER_PIN)
    assert code_of(gids.md.CardChangeAuthenticator, "user", USER_PIN, b"1", 0, 2) is INVALID
    assert code_of(gids.md.CardWriteFile, None, "cardcf", 0, bytes(6)) is DENIED
    assert state(gids.md) == NOBODY
    log_in_as_admin(gids.md)
    gids.md.CardAuthenticatePin("user", USER_PIN)
    assert code_of(gids.md.CardChangeAuthenticator, "user", USER_PIN, b"1", 0, 2) is INVALID
    assert state(gids.md) == ADMIN


def test_a_card_that_does_not_show_who_is_there():
    card = new_card("gids")
    memory = gids_state(card)
    memory.delete_file(memory.file(0xA014))
    memory.area.commit()
    with driving(card) as driven:
        driven.md.CardAuthenticatePin("user", USER_PIN)
        assert state(driven.md) == USER
        log_in_as_admin(driven.md)
        assert state(driven.md) == BOTH
        driven.md.CardDeauthenticateEx(6, 0)
        assert state(driven.md) == NOBODY


def test_two_contexts_see_the_same_card(gids):
    other = gids.acquire()
    gids.md.CardAuthenticatePin("user", USER_PIN)
    other.CardCreateFile("mscp", "file", 1, 1)
    assert gids.md.CardReadFile("mscp", "file", 0) == b"\0"
    gids.md.CardDeleteContext()
    assert other.CardReadFile("mscp", "file", 0) == b"\0"


def test_a_blank_card_is_gids_and_has_no_files():
    with driving(new_card("gids", "blank")) as driven:
        assert isinstance(driven.md, GidsMinidriver)
        assert code_of(driven.md.CardReadFile, None, "cardid", 0) is SCARD.E_FILE_NOT_FOUND
        assert code_of(driven.md.CardEnumFiles, "mscp", 0) is SCARD.E_DIR_NOT_FOUND


@pytest.mark.parametrize("protocol", [1, 2])
def test_either_protocol(protocol):
    with driving(new_card("gids", "", ["kx:rsa2048"]), protocols=protocol) as driven:
        md = driven.md
        assert driven.api.SCardStatus(driven.card).protocol == protocol
        md.CardAuthenticatePin("user", USER_PIN)
        md.CardWriteFile("mscp", "kxc00", 0, bytes(5000))
        assert md.CardReadFile("mscp", "kxc00", 0) == bytes(5000)
        md.CardCreateContainer(1, 1, 3, 0, None)
        assert len(md.CardSignData(SigningInfo(1, 3, bytes(32)))) == 64
        assert len(md.CardSignData(SigningInfo(0, 1, bytes(32), 0x800C, version=1))) == 256
        log_in_as_admin(md)
        assert state(md) == BOTH
        md.CardDeleteContainer(1, 0)
        md.CardDeauthenticateEx(6, 0)
        assert state(md) == NOBODY


def test_nothing_of_a_blank_card_is_a_traceback():
    with driving(new_card("gids", "blank")) as driven:
        md = driven.md
        missing = SCARD.E_FILE_NOT_FOUND
        assert code_of(md.CardGetProperty, "Card Identifier", bytes(16), 0) is missing
        assert code_of(md.CardEnumFiles, None, 0) is missing
        assert code_of(md.CardCreateFile, None, "file", 1, 1) is missing
        assert code_of(md.CardGetContainerInfo, 0, 0, ContainerInfo()) is SCARD.E_NO_KEY_CONTAINER
        assert code_of(md.CardDeleteContainer, 0, 0) is SCARD.E_NO_KEY_CONTAINER
        assert code_of(md.CardAuthenticatePin, "user", USER_PIN) is INVALID
        assert code_of(md.CardGetChallenge) is SCARD.E_UNSUPPORTED_FEATURE
        assert state(md) == NOBODY
