# SPDX-License-Identifier: Apache-2.0
"""Keys and certificates loaded from what people have."""

import contextlib

import pki
import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa, x25519
from cryptography.hazmat.primitives.serialization import Encoding, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st

from cards.platform.keyfiles import (
    check_pair,
    load_certificate,
    load_key,
    load_pfx,
    parse_certificate,
)
from vreader.errors import UsageError

RSA = rsa.generate_private_key(65537, 1024)
EC = ec.generate_private_key(ec.SECP256R1())
ED = ed25519.Ed25519PrivateKey.generate()
X = x25519.X25519PrivateKey.generate()


@pytest.mark.parametrize("key", [RSA, EC, ED, X], ids=["rsa", "ec", "ed25519", "x25519"])
@pytest.mark.parametrize("encoding", [Encoding.PEM, Encoding.DER])
@pytest.mark.parametrize("password", [None, "secret"])
def test_load_key(tmp_path, key, encoding, password):
    path = pki.write_key(tmp_path / "key", key, password, encoding)
    found = load_key(str(path), password and password.encode())
    assert found.public_key() == key.public_key()


@pytest.mark.parametrize("password", [None, "secret"])
def test_load_traditional_key(tmp_path, password):
    path = pki.write_key(tmp_path / "key", RSA, password, form=PrivateFormat.TraditionalOpenSSL)
    assert load_key(str(path), password and password.encode()).public_key() == RSA.public_key()


def test_a_password_for_another_file_does_no_harm(tmp_path):
    path = pki.write_key(tmp_path / "key", EC)
    assert load_key(str(path), b"secret").public_key() == EC.public_key()


def test_keys_that_cannot_be_loaded(tmp_path):
    encrypted = pki.write_key(tmp_path / "encrypted", EC, "secret")
    der = pki.write_key(tmp_path / "der", EC, "secret", Encoding.DER)
    other = pki.write_key(tmp_path / "dsa", dsa.generate_private_key(1024))
    junk = tmp_path / "junk"
    junk.write_bytes(b"junk")
    (tmp_path / "huge").write_bytes(bytes(2 << 20))
    for path, password, text in (
        (encrypted, None, "is encrypted"),
        (encrypted, b"wrong", "with this password"),
        (der, b"wrong", "with this password"),
        (other, None, "that no card has|no private key that can be read"),
        (junk, None, "no private key"),
        (tmp_path / "huge", None, "more than 1 MiB"),
        (tmp_path / "missing", None, "No such file"),
        (tmp_path, None, "Is a directory"),
        ("nul\0", None, "null"),
    ):
        with pytest.raises(UsageError, match=text) as caught:
            load_key(str(path), password)
        assert caught.value.hint
        assert "wrong" not in str(caught.value)


def test_load_certificate(tmp_path):
    made = pki.certificate(EC)
    for encoding in (Encoding.PEM, Encoding.DER):
        assert load_certificate(str(pki.write_certificate(tmp_path / "c", made, encoding))) == made
    with pytest.raises(UsageError, match=r"no X\.509 certificate"):
        load_certificate(str(pki.write_key(tmp_path / "key", EC)))


def test_a_version_that_does_not_exist(tmp_path):
    whole = pki.certificate(EC)
    der = whole.public_bytes(Encoding.DER)
    changed = der.replace(bytes.fromhex("A003020102"), bytes.fromhex("A003020101"), 1)
    assert changed != der
    with pytest.raises(ValueError, match="version"):
        parse_certificate(changed)
    (tmp_path / "c").write_bytes(changed)
    with pytest.raises(UsageError, match=r"no X\.509 certificate"):
        load_certificate(str(tmp_path / "c"))
    pfx = pki.write_pfx(tmp_path / "pfx", EC, whole).read_bytes()
    assert der in pfx
    (tmp_path / "pfx").write_bytes(pfx.replace(der, changed))
    with pytest.raises(UsageError):
        load_pfx(str(tmp_path / "pfx"), None)
    assert parse_certificate(der) == whole


@pytest.mark.parametrize("password", [None, "secret"])
def test_load_pfx(tmp_path, password):
    made, chain = pki.certificate(EC), [pki.certificate(ED, "CN=ca", ca=True)]
    path = pki.write_pfx(tmp_path / "pfx", EC, made, password, chain)
    key, found = load_pfx(str(path), password and password.encode())
    assert (key.public_key(), found) == (EC.public_key(), made)


def test_pfx_that_cannot_be_loaded(tmp_path):
    made = pki.certificate(EC)
    pfx = pki.write_pfx(tmp_path / "pfx", EC, made, "secret")
    for path, password, text in (
        (pfx, b"wrong", "with this password"),
        (pfx, None, "without a password"),
        (pki.write_pfx(tmp_path / "key-only", EC, None), None, "no certificate for its key"),
        (pki.write_pfx(tmp_path / "cert-only", None, made), None, "no private key"),
        (pki.write_certificate(tmp_path / "pem", made), None, "not a PFX file"),
    ):
        with pytest.raises(UsageError, match=text) as caught:
            load_pfx(str(path), password)
        assert caught.value.hint


def test_check_pair():
    check_pair(EC, pki.certificate(EC), "here")
    with pytest.raises(UsageError, match="here: key and certificate do not belong together"):
        check_pair(EC, pki.certificate(ED), "here")


@pytest.mark.parametrize("load", [load_key, load_pfx])
@given(data=st.data())
def test_any_damage_is_a_clear_error(tmp_path_factory, load, data):
    """A byte changed, or cut off: what is loaded then, or a UsageError."""
    base = tmp_path_factory.getbasetemp()
    if not (base / "whole").exists():
        pki.write_key(base / "whole", EC, encoding=Encoding.DER)
        pki.write_pfx(base / "whole.pfx", EC, pki.certificate(EC))
    raw = (base / ("whole" if load is load_key else "whole.pfx")).read_bytes()
    at = data.draw(st.integers(0, len(raw) - 1))
    changed = raw[:at] + data.draw(st.binary(max_size=2)) + raw[at + 1 :]
    (base / "damaged").write_bytes(changed)
    with contextlib.suppress(UsageError):
        assert load(str(base / "damaged"), None)


@given(raw=st.binary(max_size=80))
def test_any_bytes_are_no_certificate(tmp_path_factory, raw):
    path = tmp_path_factory.getbasetemp() / "junk"
    path.write_bytes(raw)
    with pytest.raises(UsageError):
        load_certificate(str(path))
