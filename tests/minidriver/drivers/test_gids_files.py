# SPDX-License-Identifier: Apache-2.0
"""Files of a GIDS card through its minidriver: rights, directories, what does not fit."""

import hashlib

import pytest
from driving import (
    USER_PIN,
    code_of,
    code_or_none,
    driving,
    log_in_as_admin,
    new_card,
)

from cards.gids.build import gids_state
from vreader import cardfs as fs
from vreader.minidriver.abi.returncodes import CardWin32
from vreader.minidriver.abi.structs import (
    CARD_CAPABILITIES,
    CARD_FILE_INFO,
)
from vreader.minidriver.values import ContainerInfo
from vreader.winscard.codes import SCARD

PADDED = 0x40000000
GENERATE, IMPORT = 1, 2
MESSAGE = b"what is to be signed"
DIGEST = hashlib.sha256(MESSAGE).digest()
DENIED, INVALID = SCARD.W_SECURITY_VIOLATION, SCARD.E_INVALID_PARAMETER


def test_the_fixed_files(gids):
    md = gids.md
    assert md.CardEnumFiles(None, 0) == ["cardid", "cardapps", "cardcf"]
    assert md.CardEnumFiles("MSCP", 0) == ["cmapfile"]
    assert len(md.CardReadFile(None, "cardid", 0)) == 16
    assert md.CardReadFile(None, "CardCf", 0) == bytes(6)
    assert md.CardReadFile("mscp", "cmapfile", 0) == b""
    assert md.CardGetFileInfo(None, "cardid", CARD_FILE_INFO()) == CARD_FILE_INFO(1, 16, 3)
    assert md.CardGetFileInfo("mscp", "cmapfile", CARD_FILE_INFO()) == CARD_FILE_INFO(1, 0, 1)
    assert md.CardQueryCapabilities(CARD_CAPABILITIES()) == CARD_CAPABILITIES(1, False, True)


def test_a_file_lives_and_dies(gids):
    md = gids.md
    assert code_of(md.CardCreateFile, "mscp", "new", 5, 1) is DENIED
    md.CardAuthenticatePin("user", USER_PIN)
    md.CardCreateFile("mscp", "New", 5, 1)
    assert md.CardReadFile("mscp", "new", 0) == bytes(5)
    assert code_of(md.CardCreateFile, "mscp", "NEW", 1, 1) is CardWin32.FILE_EXISTS
    for content in (b"content", b"x" * 3000, b"", b"", b"y"):
        md.CardWriteFile("mscp", "new", 0, content)
        assert md.CardReadFile("MSCP", "NEW", 0) == content
    assert md.CardEnumFiles("mscp", 0) == ["cmapfile", "new"]
    md.CardDeauthenticate("user", 0)
    assert code_of(md.CardWriteFile, "mscp", "new", 0, b"z") is DENIED
    assert code_of(md.CardDeleteFile, "mscp", "new", 0) is DENIED
    assert md.CardReadFile("mscp", "new", 0) == b"y"
    md.CardAuthenticatePin("user", USER_PIN)
    md.CardDeleteFile("mscp", "new", 0)
    for call, *rest in (
        (md.CardReadFile, 0),
        (md.CardWriteFile, 0, b"z"),
        (md.CardDeleteFile, 0),
        (md.CardGetFileInfo, CARD_FILE_INFO()),
    ):
        assert code_of(call, "mscp", "new", *rest) is SCARD.E_FILE_NOT_FOUND
        assert code_of(call, "nowhere", "new", *rest) is SCARD.E_DIR_NOT_FOUND
    md.CardCreateFile("mscp", "new", 0, 1)
    assert md.CardReadFile("mscp", "new", 0) == b""


@pytest.mark.parametrize(
    ("access", "everyone", "user", "admin"),
    [
        (1, "r", "rw", "rw"),
        (2, "", "w", "w"),
        (3, "r", "r", "rw"),
        (5, "", "rw", "rw"),
        (6, "", "", "rw"),
    ],
)
def test_access_conditions(gids, access, everyone, user, admin):
    md = gids.md
    log_in_as_admin(md)
    md.CardCreateFile(None, "file", 3, access)
    md.CardDeauthenticate("admin", 0)

    def rights():
        can = ""
        for letter, call, *rest in (("r", md.CardReadFile), ("w", md.CardWriteFile, b"abc")):
            code = code_or_none(call, None, "file", 0, *rest)
            assert code in (None, DENIED)
            can += "" if code else letter
        return can

    assert rights() == everyone
    md.CardAuthenticatePin("user", USER_PIN)
    assert rights() == user
    md.CardDeauthenticateEx(0xFF, 0)
    log_in_as_admin(md)
    assert rights() == admin
    if "r" in admin:
        info = md.CardGetFileInfo(None, "file", CARD_FILE_INFO())
        assert (info.cbFileSize, info.AccessCondition) == (3, access)


def test_directories(gids):
    md = gids.md
    assert code_of(md.CardCreateDirectory, "mscp", 1) is CardWin32.FILE_EXISTS
    assert code_of(md.CardCreateDirectory, "mine", 1) is DENIED
    md.CardAuthenticatePin("user", USER_PIN)
    assert code_of(md.CardCreateDirectory, "cardid", 1) is CardWin32.FILE_EXISTS
    assert code_of(md.CardCreateFile, None, "mscp", 1, 1) is CardWin32.FILE_EXISTS
    md.CardCreateDirectory("Mine", 1)
    assert code_of(md.CardEnumFiles, "mine", 0) is SCARD.E_FILE_NOT_FOUND
    md.CardCreateFile("mine", "one", 1, 1)
    assert code_of(md.CardDeleteDirectory, "mine") is CardWin32.DIR_NOT_EMPTY
    md.CardDeleteFile("mine", "one", 0)
    md.CardDeleteDirectory("MINE")
    assert code_of(md.CardEnumFiles, "mine", 0) is SCARD.E_DIR_NOT_FOUND
    assert code_of(md.CardDeleteDirectory, "mine") is SCARD.E_DIR_NOT_FOUND
    assert code_of(md.CardCreateDirectory, "theirs", 2) is DENIED
    log_in_as_admin(md)
    md.CardCreateDirectory("theirs", 2)
    md.CardCreateFile("theirs", "one", 1, 1)
    md.CardDeauthenticateEx(0xFF, 0)
    md.CardAuthenticatePin("user", USER_PIN)
    assert code_of(md.CardCreateFile, "theirs", "two", 1, 1) is DENIED
    assert code_of(md.CardDeleteFile, "theirs", "one", 0) is DENIED


def test_what_does_not_fit(gids):
    md = gids.md
    md.CardAuthenticatePin("user", USER_PIN)
    full = SCARD.E_WRITE_TOO_MANY
    assert code_of(md.CardCreateFile, None, "big", 0xFFFFFFFF, 1) is full
    for size in (0xFFFF, 0x10000):  # the first is too long for the card, the second for anything
        assert code_of(md.CardWriteFile, None, "cardcf", 0, bytes(size)) is full
    assert code_of(md.CardCreateFile, None, "€", 1, 1) is INVALID
    assert md.CardEnumFiles(None, 0) == ["cardid", "cardapps", "cardcf"]
    made = 0
    while (code := code_or_none(md.CardCreateFile, "mscp", f"f{made}", 1, 1)) is None:
        made += 1
    assert code is full
    assert len(md.CardEnumFiles("mscp", 0)) == made + 1


def test_the_administrator_names_the_card(gids):
    md = gids.md
    name = bytes(range(16))
    assert code_of(md.CardSetProperty, "Card Identifier", name, 0) is DENIED
    log_in_as_admin(md)
    md.CardSetProperty("Card Identifier", name, 0)
    assert md.CardReadFile(None, "cardid", 0) == name
    assert md.CardGetProperty("Card Identifier", bytes(16), 0) == name
    assert code_of(md.CardSetProperty, "Card Identifier", name[1:], 0) is INVALID


@pytest.mark.parametrize(
    ("place", "raw"),
    [
        (fs.FILE_TABLE, b"\2"),
        (fs.FILE_TABLE, b"\1" + bytes(27)),
        (fs.FILE_TABLE, fs.encode_file_table([fs.FileEntry("", "cardid", 0xDF20, 0x10000)])),
        (fs.KEY_MAP, b"\1" + bytes(11)),
    ],
)
def test_tables_that_are_none(place, raw):
    card = new_card("gids")
    state = gids_state(card)
    state.put_object(0xA000, place, raw)
    state.area.commit()
    with driving(card) as driven:
        md = driven.md
        lost = {
            code_or_none(md.CardReadFile, None, "cardid", 0),
            code_or_none(md.CardGetContainerInfo, 0, 0, ContainerInfo()),
        }
        assert SCARD.E_COMM_DATA_LOST in lost


def test_a_file_whose_object_is_gone_is_not_missing():
    card = new_card("gids")
    state = gids_state(card)
    state.put_object(0xA010, fs.CARD_CF, None)
    state.area.commit()
    with driving(card) as driven:
        assert code_of(driven.md.CardReadFile, None, "cardcf", 0) is SCARD.E_COMM_DATA_LOST


def test_the_name_of_a_card_that_has_it_elsewhere(gids):
    """Cards made by others have ``cardid`` in EF A010; the file table says where it is."""
    card = new_card("gids")
    state = gids_state(card)
    name = state.object(0xA012, fs.CARD_ID)
    table = fs.decode_file_table(state.object(0xA000, fs.FILE_TABLE))
    moved = [e._replace(file_id=0xA010) if e.name == "cardid" else e for e in table]
    state.put_object(0xA000, fs.FILE_TABLE, fs.encode_file_table(moved))
    state.put_object(0xA010, fs.CARD_ID, name)
    state.put_object(0xA012, fs.CARD_ID, None)
    state.area.commit()
    with driving(card) as driven:
        md = driven.md
        for one in ("Card Identifier", "Card Serial Number"):
            assert md.CardGetProperty(one, bytes(16), 0) == name
        assert md.CardGetFileInfo(None, "cardid", CARD_FILE_INFO()).AccessCondition == 1


def test_a_name_of_a_card_that_is_none():
    card = new_card("gids")
    state = gids_state(card)
    state.put_object(0xA012, fs.CARD_ID, bytes(15))
    state.area.commit()
    with driving(card) as driven:
        lost = code_of(driven.md.CardGetProperty, "Card Identifier", bytes(16), 0)
        assert lost is SCARD.E_COMM_DATA_LOST


def test_a_file_whose_ef_is_gone_is_not_missing():
    card = new_card("gids")
    state = gids_state(card)
    state.delete_file(state.file(0xA010))
    state.area.commit()
    with driving(card) as driven:
        for call, *rest in ((driven.md.CardReadFile, 0), (driven.md.CardWriteFile, 0, b"x")):
            assert code_of(call, None, "cardcf", *rest) is SCARD.E_COMM_DATA_LOST


def test_a_full_card(gids):
    md = gids.md
    md.CardAuthenticatePin("user", USER_PIN)
    md.CardCreateFile("mscp", "kxc00", 60000, 1)
    md.CardCreateFile("mscp", "kxc02", 60000, 1)
    full = SCARD.E_WRITE_TOO_MANY
    assert code_of(md.CardCreateFile, "mscp", "kxc01", 60000, 1) is full
    assert code_of(md.CardWriteFile, "mscp", "cmapfile", 0, bytes(60000)) is full
    assert md.CardEnumFiles("mscp", 0) == ["cmapfile", "kxc00", "kxc02"]
    assert md.CardReadFile("mscp", "cmapfile", 0) == b""
    assert md.CardReadFile("mscp", "kxc00", 0) == bytes(60000)
    md.CardDeleteFile("mscp", "kxc00", 0)
    md.CardCreateFile("mscp", "kxc01", 60000, 1)


def test_what_another_context_did_to_the_files(gids):
    md, other = gids.md, gids.acquire()
    md.CardAuthenticatePin("user", USER_PIN)
    md.CardCreateFile("mscp", "kxc00", 1, 1)
    other.CardDeleteFile("mscp", "kxc00", 0)
    other.CardCreateFile("mscp", "msroots", 2, 1)
    assert code_of(md.CardReadFile, "mscp", "kxc00", 0) is SCARD.E_FILE_NOT_FOUND
    md.CardCreateFile("mscp", "kxc00", 3, 1)
    assert [other.CardReadFile("mscp", one, 0) for one in ("msroots", "kxc00")] == [
        bytes(2), bytes(3),
    ]  # fmt: skip
