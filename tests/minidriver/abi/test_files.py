# SPDX-License-Identifier: Apache-2.0
import pytest

from vreader.minidriver.abi.codes import FileAc, KeySpec
from vreader.minidriver.abi.files import (
    CARD_APPS_RECORD,
    EMPTY_CARD_APPS,
    EMPTY_CARD_CF,
    RIGHTS,
    certificate_file,
)
from vreader.minidriver.abi.pins import Role
from vreader.minidriver.abi.structs import CARD_CACHE_FILE_FORMAT


@pytest.mark.parametrize(
    ("index", "spec", "name"),
    [
        (0, KeySpec.KEYEXCHANGE, "kxc00"),
        (9, KeySpec.SIGNATURE, "ksc09"),
        (31, KeySpec.ECDSA_P256, "ksc31"),
        (2, KeySpec.ECDHE_P521, "kxc02"),
    ],
)
def test_the_file_of_a_certificate(index, spec, name):
    assert certificate_file(index, spec) == name


def test_the_record_of_mscp():
    assert bytes.fromhex("6D 73 63 70 00 00 00 00") == EMPTY_CARD_APPS
    assert len(EMPTY_CARD_APPS) == CARD_APPS_RECORD
    assert CARD_CACHE_FILE_FORMAT().encode() == EMPTY_CARD_CF


def test_who_may_do_what():
    assert Role.EVERYONE in RIGHTS[FileAc.EVERYONE_READ_ADMIN_WRITE].read
    assert RIGHTS[FileAc.EVERYONE_READ_ADMIN_WRITE].write == {Role.ADMIN}
    assert Role.USER in RIGHTS[FileAc.EVERYONE_READ_USER_WRITE].write
    assert RIGHTS[FileAc.USER_WRITE_EXECUTE] == (set(), {Role.USER, Role.ADMIN}, {Role.USER})
    assert Role.USER not in RIGHTS[FileAc.ADMIN_READ_WRITE].read
    assert all(Role.EVERYONE not in rights.write for rights in RIGHTS.values())
