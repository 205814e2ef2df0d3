# SPDX-License-Identifier: Apache-2.0
r"""Certificates of CAs: those on a card, and those that somebody names.

On a card they are in ``mscp\msroots``, a PKCS #7 bag, and in the directory ``mscerts``, one in a
file (WDK "File System Requirements").
"""

from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

from vreader.cardfs import expand_certificate
from vreader.errors import UsageError
from vreader.minidriver.abi.files import INTERMEDIATE_CERTIFICATES, MSCP, ROOTS
from vreader.minidriver.abi.returncodes import MinidriverError
from vreader.minidriver.host.basecsp import BaseCsp
from vreader.minidriver.scinfo.certificate import UNREADABLE, load, quietly
from vreader.minidriver.scinfo.chain import Authority
from vreader.readfile import read_file

CARD: Final = "card"
_MAX_FILE: Final = 1 << 20
_HINT: Final = "name a file with certificates, PEM, DER or PKCS #7"


def on_card(csp: BaseCsp) -> tuple[list[Authority], list[str]]:
    """Return the CAs' certificates on a card, and what could not be read of them.

    A card without such files has none; that is no problem.
    """
    found: list[Authority] = []
    problems: list[str] = []

    def read(directory: str, name: str) -> None:
        raw = csp.run(lambda: csp.files.read(directory, name))
        if not raw:
            return
        certificates = _certificates(_expanded(raw))
        if certificates is None:
            problems.append(f"{directory}\\{name} holds no certificates")
        else:
            found.extend(Authority(one, CARD) for one in certificates)

    try:
        read(MSCP, ROOTS)
    except MinidriverError:
        pass  # it is not there
    try:
        names = csp.run(lambda: csp.session.call("CardEnumFiles", INTERMEDIATE_CERTIFICATES, 0))
        for name in names:
            read(INTERMEDIATE_CERTIFICATES, name)
    except MinidriverError:
        pass
    return found, problems


def from_file(path: str) -> list[Authority]:
    """Return the certificates in a file, which are then trusted; raises UsageError."""
    certificates = _certificates(read_file(path, _MAX_FILE, _HINT))
    if not certificates:
        raise UsageError(f"there is no certificate in {path}", hint=_HINT)
    return [Authority(one, path, trusted=True) for one in certificates]


def _expanded(raw: bytes) -> bytes:
    """Return what a file holds, also where a host has compressed it."""
    try:
        return expand_certificate(raw)
    except ValueError:
        return raw


@quietly()
def _certificates(raw: bytes) -> list[x509.Certificate] | None:
    """Read certificates in whatever form; None where there are none."""
    if b"-----BEGIN" in raw:
        for read in (x509.load_pem_x509_certificates, pkcs7.load_pem_pkcs7_certificates):
            try:
                return [
                    one for one in read(raw) if load(one.public_bytes(Encoding.DER)) is not None
                ]
            except UNREADABLE:
                continue
        return None
    one = load(raw)
    if one is not None:
        return [one]
    try:
        return [
            one
            for one in pkcs7.load_der_pkcs7_certificates(raw)
            if load(one.public_bytes(Encoding.DER)) is not None
        ]
    except UNREADABLE:
        return None
