# SPDX-License-Identifier: Apache-2.0
"""Paddings by hand, held against another implementation; the callbacks that use them."""

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from hypothesis import given, settings
from hypothesis import strategies as st
from minidriver_rsa import raw

from vreader.minidriver.abi.codes import PADDING_INFO_PRESENT, Calg, Padding
from vreader.minidriver.abi.returncodes import NTE, CardWin32, MinidriverError
from vreader.minidriver.certify.csp import Callbacks as Certifier
from vreader.minidriver.host.callbacks import Callbacks
from vreader.minidriver.padding import digest, pad, unpad
from vreader.minidriver.values import DecryptInfo, Oaep, Pkcs1, Pss, SigningInfo
from vreader.winscard.codes import SCARD

KEY = rsa.generate_private_key(65537, 2048)
DATA = b"data"
BY_NAME = {
    "MD5": hashes.MD5(), "SHA1": hashes.SHA1(), "SHA256": hashes.SHA256(),
    "SHA384": hashes.SHA384(), "SHA512": hashes.SHA512(),
}  # fmt: skip
HOST = Callbacks(None, oaep=True)
CSP = Callbacks(None, oaep=False)


def code(call, *args):
    with pytest.raises(MinidriverError) as caught:
        call(*args)
    return caught.value.code


@pytest.mark.parametrize("name", BY_NAME)
def test_pkcs1_signatures(name):
    signature = raw(KEY, pad(digest(name, DATA), 256, Pkcs1(name)))
    KEY.public_key().verify(signature, DATA, padding.PKCS1v15(), BY_NAME[name])


@pytest.mark.parametrize("salt", [0, 20, 32])
def test_pss_signatures(salt):
    signature = raw(KEY, pad(digest("SHA256", DATA), 256, Pss("SHA256", salt)))
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), salt)
    KEY.public_key().verify(signature, DATA, pss, hashes.SHA256())


def test_hashes_that_do_not_fit():
    assert code(pad, b"short", 256, Pkcs1("SHA256")) is SCARD.E_INVALID_PARAMETER
    assert code(pad, bytes(246), 256, Pkcs1()) is SCARD.E_INVALID_PARAMETER
    assert code(pad, bytes(32), 60, Pss("SHA256", 32)) is SCARD.E_INVALID_PARAMETER
    assert code(pad, bytes(32), 256, Pss("SHA257", 32)) is NTE.BAD_ALGID


@settings(max_examples=8, deadline=None)
@given(st.binary(max_size=190), st.sampled_from(["SHA1", "SHA256"]), st.binary(max_size=5))
def test_oaep(data, name, label):
    oaep = padding.OAEP(padding.MGF1(BY_NAME[name]), BY_NAME[name], label)
    block = raw(KEY, KEY.public_key().encrypt(data[:190], oaep))
    assert unpad(block, Padding.OAEP, Oaep(name, label)) == data
    assert code(unpad, block, Padding.OAEP, Oaep(name, label + b"x")) is NTE.BAD_DATA


@given(st.binary(min_size=0, max_size=40))
def test_what_is_no_padding(block):
    for kind, info in ((Padding.PKCS1, None), (Padding.OAEP, Oaep("SHA1"))):
        if kind is Padding.OAEP or block[:2] != b"\0\2":
            assert code(unpad, block, kind, info) is NTE.BAD_DATA


def test_the_callback_pads_by_either_way_of_saying_it():
    value = digest("SHA1", DATA)
    old = SigningInfo(0, 2, value, Calg.SHA1)
    new = SigningInfo(0, 2, value, 0, PADDING_INFO_PRESENT, Pkcs1("SHA1"), Padding.PKCS1)
    padded = pad(value, 128, Pkcs1("SHA1"))[::-1]
    assert HOST.CspPadData(old, 128) == HOST.CspPadData(new, 128) == padded
    assert Certifier().CspPadData(old, 128) == Certifier().CspPadData(new, 128) == padded
    tls = old._replace(data=bytes(36), hash_alg=Calg.SSL3_SHAMD5)
    assert HOST.CspPadData(tls, 128) == pad(bytes(36), 128, Pkcs1())[::-1]
    assert code(HOST.CspPadData, old._replace(hash_alg=1), 128) is SCARD.E_UNSUPPORTED_FEATURE
    none = new._replace(padding_type=Padding.NONE)
    assert code(HOST.CspPadData, none, 128) is SCARD.E_UNSUPPORTED_FEATURE
    wrong = new._replace(padding_type=Padding.PSS)
    assert code(HOST.CspPadData, wrong, 128) is SCARD.E_INVALID_PARAMETER
    assert code(HOST.CspPadData, old._replace(data=None), 128) is SCARD.E_INVALID_PARAMETER


def test_the_callback_unpads():
    block = raw(KEY, KEY.public_key().encrypt(DATA, padding.PKCS1v15()))[::-1]
    info = DecryptInfo(0, 1, block, None, Padding.PKCS1)
    assert HOST.CspUnpadData(info) == CSP.CspUnpadData(info) == DATA[::-1]
    assert Certifier().CspUnpadData(info) == DATA[::-1]
    oaep = info._replace(padding=Oaep("SHA1"), padding_type=Padding.OAEP)
    assert code(HOST.CspUnpadData, oaep) is NTE.BAD_DATA
    assert code(CSP.CspUnpadData, oaep) is SCARD.E_INVALID_PARAMETER
    for version in (0, 1):
        old = info._replace(version=version)
        assert code(HOST.CspUnpadData, old) is CardWin32.REVISION_MISMATCH


def test_handles_of_secrets():
    host = Callbacks(None, oaep=True)
    host.secrets[7] = 3
    assert host.CspGetDHAgreement(7, 0) == 3
    assert code(host.CspGetDHAgreement, 8, 0) is SCARD.E_INVALID_PARAMETER
