# SPDX-License-Identifier: Apache-2.0
"""What the certification knows of a host's part."""

import pytest

from vreader.minidriver.abi.codes import Calg, Padding
from vreader.minidriver.abi.returncodes import MinidriverError
from vreader.minidriver.certify.csp import Callbacks, response
from vreader.minidriver.values import DecryptInfo, SigningInfo


def test_the_documented_response():
    assert response(bytes(24), bytes.fromhex("A892D75601617C5D")).hex() == "1951ec3ef81bbabb"


def test_padding_is_undone():
    host = Callbacks()
    padded = host.CspPadData(SigningInfo(0, 2, bytes(20), Calg.SHA1), 128)
    assert padded[::-1].startswith(b"\0\1\xff")
    assert padded[::-1].endswith(bytes.fromhex("04 14") + bytes(20))
    block = b"\0\2" + b"\x11" * 9 + b"\0plain"
    assert host.CspUnpadData(DecryptInfo(0, 1, block[::-1], None, Padding.PKCS1)) == b"nialp"
    assert host.padded == 2


@pytest.mark.parametrize("info", [DecryptInfo(0, 1, b"x"), DecryptInfo(0, 1, b"x", version=1)])
def test_what_cannot_be_unpadded_is_refused(info):
    with pytest.raises(MinidriverError):
        Callbacks().CspUnpadData(info)
