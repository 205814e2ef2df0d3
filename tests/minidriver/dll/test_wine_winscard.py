# SPDX-License-Identifier: Apache-2.0
"""The other way to our resource manager: Wine's own winscard.dll and libpcsclite.

It needs a Wine whose winscard is more than stubs (10, in Debian trixie). ``make wine-trixie`` makes
a root with one and names it in ``VREADER_WINE_ROOT``.
"""

import hashlib
import os

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from wine_root import PIN, WineRoot

from vreader.minidriver.abi.blobs import decode_public
from vreader.minidriver.abi.codes import Padding
from vreader.minidriver.abi.returncodes import MinidriverError
from vreader.minidriver.dll.module import sample_dll
from vreader.minidriver.values import ContainerInfo, Pkcs1, SigningInfo
from vreader.winscard.codes import SCARD

ROOT = os.environ["VREADER_WINE_ROOT"]


@pytest.fixture
def root(need):
    need("x86_64-w64-mingw32-gcc", "gcc-mingw-w64-x86-64")
    root = WineRoot(ROOT)
    yield root
    root.close()


def test_a_minidriver_signs_through_wines_winscard(root):
    host = root.load(sample_dll())
    assert not list(root.place.glob("winscard.dll"))
    md = root.acquire(host)
    assert md.version == 6
    assert md.CardEnumFiles("mscp", 0) == ["cmapfile", "kxc00"]
    key, spec = decode_public(md.CardGetContainerInfo(0, 0, ContainerInfo()).exchange)
    with pytest.raises(MinidriverError) as raised:
        md.CardAuthenticatePin("user", b"000000")
    assert (raised.value.code, raised.value.attempts) == (SCARD.W_WRONG_CHV, 2)
    md.CardAuthenticatePin("user", PIN)
    digest = hashlib.sha256(b"a document").digest()
    info = SigningInfo(0, spec, digest, 0, 0x40000000, Pkcs1("SHA256"), Padding.PKCS1)
    signature = md.CardSignData(info)
    key.verify(signature[::-1], digest, PKCS1v15(), Prehashed(hashes.SHA256()))
    md.CardDeleteContext()
    assert root.findings == []
