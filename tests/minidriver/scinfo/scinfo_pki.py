# SPDX-License-Identifier: Apache-2.0
"""Certificates as a CA issues them for smart card logon, and with one thing wrong each."""

import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

from vreader.minidriver.abi.codes import KeySpec
from vreader.minidriver.scinfo.certificate import (
    CLIENT_AUTHENTICATION,
    SMART_CARD_LOGON,
    UPN,
    facts,
)
from vreader.minidriver.scinfo.chain import Authority, build
from vreader.minidriver.scinfo.logon import Subject
from vreader.minidriver.scinfo.policies import LogonPolicies

NOW = datetime.datetime(2026, 6, 1, tzinfo=datetime.UTC)
DAY = datetime.timedelta(days=1)
KEYS = [ec.derive_private_key(number, ec.SECP256R1()) for number in (11, 12, 13)]
USAGES = (
    "digital_signature", "content_commitment", "key_encipherment", "data_encipherment",
    "key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
)  # fmt: skip
ALICE = b"\x0c\x11alice@example.org"


def usage(*names):
    return x509.KeyUsage(**{name: name in names for name in USAGES})


def make(
    name="CN=alice",
    *,
    key=KEYS[0],
    issuer="CN=root",
    signer=KEYS[2],
    ca=False,
    path_length=None,
    since=-DAY,
    until=DAY,
    usages=("digital_signature",),
    ekus=(SMART_CARD_LOGON, CLIENT_AUTHENTICATION),
    upn=ALICE,
    crl="http://ca.example.org/root.crl",
    extra=(),
):
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name.from_rfc4514_string(name))
        .issuer_name(x509.Name.from_rfc4514_string(issuer))
        .public_key(key.public_key())
        .serial_number(77)
        .not_valid_before(NOW + since)
        .not_valid_after(NOW + until)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=path_length), critical=True)
    )
    extensions = list(extra)
    if usages is not None:
        extensions.append(usage(*usages))
    if ekus is not None:
        extensions.append(x509.ExtendedKeyUsage([x509.ObjectIdentifier(oid) for oid in ekus]))
    if upn is not None:
        other = x509.OtherName(x509.ObjectIdentifier(UPN), upn)
        extensions.append(x509.SubjectAlternativeName([other]))
    if crl is not None:
        url = x509.UniformResourceIdentifier(crl)
        extensions.append(
            x509.CRLDistributionPoints([x509.DistributionPoint([url], None, None, None)])
        )
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    return builder.sign(signer, hashes.SHA256())


def root(**options):
    return make(
        "CN=root", key=KEYS[2], ca=True, usages=("key_cert_sign",), ekus=None, upn=None,
        crl=None, **options,
    )  # fmt: skip


def middle(**options):
    return make(
        "CN=middle", key=KEYS[1], ca=True, usages=("key_cert_sign",), ekus=None, upn=None,
        crl=None, **options,
    )  # fmt: skip


ROOT = Authority(root(), "root.pem", trusted=True)


def subject(certificate=None, *, spec=KeySpec.KEYEXCHANGE, authorities=(ROOT,), **policies):
    certificate = certificate or make()
    chain = build(certificate, authorities, NOW)
    return Subject(facts(certificate), spec, NOW, chain, LogonPolicies(**policies))


def bag(*certificates):
    """A PKCS #7 bag, as msroots is one."""
    return pkcs7.serialize_certificates(list(certificates), Encoding.DER)


def damaged(raw, changes):
    """Bytes of which some, (where, what), are others."""
    found = bytearray(raw)
    for at, byte in changes:
        found[at % len(found)] = byte
    return bytes(found)
