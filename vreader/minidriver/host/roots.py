# SPDX-License-Identifier: Apache-2.0
r"""The certificates of CAs on a card: ``mscp\msroots``, a PKCS #7 bag.

A minidriver needs no code for it, it is a file as any other (WDK "File System Requirements").
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from vreader.minidriver.abi.codes import FileAc
from vreader.minidriver.abi.files import MSCP, ROOTS
from vreader.minidriver.abi.returncodes import NTE, MinidriverError
from vreader.minidriver.host.basecsp import BaseCsp
from vreader.winscard.codes import SCARD

if TYPE_CHECKING:
    from cryptography.x509 import Certificate


def read_roots(csp: BaseCsp) -> "list[Certificate]":
    """Return the certificates in ``msroots``; NTE_BAD_DATA where it is no such bag."""
    from cryptography.hazmat.primitives.serialization import pkcs7

    try:
        raw = csp.files.read(MSCP, ROOTS)
    except MinidriverError as error:
        if error.code not in (SCARD.E_FILE_NOT_FOUND, SCARD.E_DIR_NOT_FOUND):
            raise
        return []
    try:
        return pkcs7.load_der_pkcs7_certificates(raw) if raw else []
    except Exception:  # whatever cryptography says of such data
        raise MinidriverError(NTE.BAD_DATA) from None


def write_roots(csp: BaseCsp, certificates: "Sequence[Certificate]") -> None:
    """Replace ``msroots``; without certificates it is deleted."""
    from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

    if not certificates:
        csp.files.delete(MSCP, ROOTS)
        return
    raw = pkcs7.serialize_certificates(list(certificates), Encoding.DER)
    csp.files.write(MSCP, ROOTS, raw, FileAc.EVERYONE_READ_USER_WRITE)
