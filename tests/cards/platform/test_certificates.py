# SPDX-License-Identifier: Apache-2.0
"""Certificates for cards: issued for a use, and what is told of them."""

import pki
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa, x25519
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from cards.platform.certificates import Issuer, Usage, parse_subject, told
from vreader.errors import UsageError

RSA = rsa.generate_private_key(65537, 1024)
EC = ec.generate_private_key(ec.SECP256R1())
ED = ed25519.Ed25519PrivateKey.generate()
X = x25519.X25519PrivateKey.generate()


def extension(certificate, kind):
    return certificate.extensions.get_extension_for_class(kind).value


@pytest.mark.parametrize("key", [RSA, EC, ED], ids=["rsa", "ec", "ed25519"])
@pytest.mark.parametrize("usage", Usage)
def test_signed_by_itself(key, usage):
    made = Issuer.of({"subject": ["CN=alice,O=Test"], "days": ["7"]}).certify(key, usage)
    made.verify_directly_issued_by(made)
    assert made.public_key() == key.public_key()
    assert made.subject.rfc4514_string() == "CN=alice,O=Test"
    assert (made.not_valid_after_utc - made.not_valid_before_utc).days == 8
    assert not extension(made, x509.BasicConstraints).ca


@pytest.mark.parametrize(
    ("usage", "key", "bits"),
    [
        (Usage.AUTHENTICATION, RSA, {"digital_signature"}),
        (Usage.CARD_AUTHENTICATION, EC, {"digital_signature"}),
        (Usage.SIGNATURE, ED, {"digital_signature", "content_commitment"}),
        (Usage.KEY_MANAGEMENT, RSA, {"key_encipherment"}),
        (Usage.KEY_MANAGEMENT, EC, {"key_agreement"}),
        (Usage.KEY_MANAGEMENT, X, {"key_agreement"}),
        (Usage.KEY_MANAGEMENT, ED, {"digital_signature"}),
        (Usage.AUTHENTICATION, X, {"key_agreement"}),
        (Usage.EXCHANGE, RSA, {"digital_signature", "key_encipherment"}),
        (Usage.EXCHANGE, EC, {"digital_signature", "key_agreement"}),
    ],
)
def test_key_usage(usage, key, bits):
    told = extension(Issuer.of({}).certify(key, usage), x509.KeyUsage)
    names = ("digital_signature", "content_commitment", "key_encipherment", "key_agreement",
             "data_encipherment", "key_cert_sign", "crl_sign")  # fmt: skip
    assert {name for name in names if getattr(told, name)} == bits


def test_windows_logon():
    made = Issuer.of({"upn": ["alice@example.org"], "email": ["a@example.org"]}).certify(
        EC, Usage.AUTHENTICATION
    )
    assert list(extension(made, x509.ExtendedKeyUsage)) == [
        ExtendedKeyUsageOID.CLIENT_AUTH,
        ExtendedKeyUsageOID.SMARTCARD_LOGON,
    ]
    email, upn = extension(made, x509.SubjectAlternativeName)
    assert email.value == "a@example.org"
    assert upn.type_id.dotted_string == "1.3.6.1.4.1.311.20.2.3"
    assert upn.value == b"\x0c\x11alice@example.org"


def test_x25519_has_an_issuer_that_is_thrown_away():
    made = Issuer.of({}).certify(X, Usage.KEY_MANAGEMENT)
    assert made.public_key() == X.public_key()
    assert made.issuer.rfc4514_string() == "CN=vreader throw-away CA"


@pytest.mark.parametrize("ca_key", [RSA, EC, ED], ids=["rsa", "ec", "ed25519"])
def test_issued_by_a_ca(tmp_path, ca_key):
    ca = pki.certificate(ca_key, "CN=ca", ca=True)
    pki.write_certificate(tmp_path / "ca.pem", ca)
    pki.write_key(tmp_path / "ca.key", ca_key, "secret")
    options = {"ca": ["ca.pem"], "ca-key": ["ca.key"], "password": ["secret"],
               "folder": [str(tmp_path)]}  # fmt: skip
    made = Issuer.of(options).certify(X, Usage.KEY_MANAGEMENT)
    made.verify_directly_issued_by(ca)


def test_what_a_ca_must_be(tmp_path):
    key, leaf = tmp_path / "key", tmp_path / "leaf"
    pki.write_key(key, EC)
    pki.write_certificate(leaf, pki.certificate(EC))
    for options, text in (
        ({"ca": [str(leaf)]}, "its private key"),
        ({"ca-key": [str(key)]}, "its certificate"),
        ({"ca": [str(leaf)], "ca-key": [str(key)]}, "is not that of a CA"),
    ):
        with pytest.raises(UsageError, match=text):
            Issuer.of(options)


@pytest.mark.parametrize(
    "options",
    [{"subject": ["alice"]}, {"subject": [""]}, {"subject": ["C=Germany"]},
     {"subject": ["CN=" + "x" * 2000]}, {"subject": ["CN=a", "CN=b"]}, {"days": ["0"]},
     {"days": ["36501"]}, {"days": ["-1"]}, {"days": ["ten"]}, {"email": ["alice"]},
     {"email": ["ä@b"]}, {"email": ["a b@c"]}, {"email": ["@c"]}, {"subject": ["CN=a\nb"]},
     {"subject": ["CN=\x1b[2J"]}, {"subject": ["/CN=a"]}, {"upn": ["alice"]}, {"upn": ["a@b\n"]}],
    ids=str,
)  # fmt: skip
def test_what_cannot_be_said(options):
    with pytest.raises(UsageError) as caught:
        Issuer.of(options)
    assert caught.value.hint


def test_told():
    subject = "CN=alice,emailAddress=a@b.c,serialNumber=7"
    made = Issuer.of({"subject": [subject]}).certify(EC, Usage.AUTHENTICATION)
    assert told(made) == f"certificate {subject}"
    expired = pki.certificate(EC, "CN=bob", until=-pki.DAY)
    assert told(expired).startswith("certificate CN=bob, expired 20")


def test_parse_subject():
    assert parse_subject("CN=Zoë\\, the first").rfc4514_string() == "CN=Zoë\\, the first"
    name = parse_subject("emailAddress=a@b.c,serialNumber=7,CN=a+OU=b")
    assert [part.oid for rdn in name.rdns[1:] for part in rdn] == [
        NameOID.SERIAL_NUMBER, NameOID.EMAIL_ADDRESS
    ]  # fmt: skip
    with pytest.raises(UsageError, match="length") as caught:
        parse_subject("C=Germany")
    assert "CN=alice" in caught.value.hint
    with pytest.raises(UsageError) as caught:
        parse_subject("/CN=alice")
    assert "commas" in caught.value.hint
