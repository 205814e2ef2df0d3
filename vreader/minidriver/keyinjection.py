# SPDX-License-Identifier: Apache-2.0
"""The functions of secure key injection (version 7); a minidriver without it has them all NULL.

From "Secure Key Injection" of the Smart Card Minidriver Specification. A server loads the same
minidriver without a card and encrypts for a card that it never sees. Key handles are numbers.
"""

from vreader.minidriver.abi.returncodes import MinidriverError
from vreader.minidriver.values import PaddingInfo
from vreader.winscard.codes import SCARD


def absent() -> MinidriverError:
    """Return what a call of a function says that the card does not have."""
    return MinidriverError(SCARD.E_UNSUPPORTED_FEATURE)


class KeyInjection:
    """Eight functions that work without a card, and CardImportSessionKey, which needs one."""

    def MDImportSessionKey(
        self, blob_type: str | None, algorithm: str | None, data: bytes | None
    ) -> int:
        """Make a session key on the server and return its handle; data is a key BLOB."""
        raise absent()

    def MDEncryptData(
        self, key: int, function: str | None, data: bytes | None, flags: int
    ) -> list[bytes]:
        """Return data encrypted for CardProcessEncryptedData with the same secure function."""
        raise absent()

    def CardImportSessionKey(
        self,
        container: int,
        padding: PaddingInfo | None,
        blob_type: str | None,
        algorithm: str | None,
        data: bytes | None,
        flags: int,
    ) -> int:
        """Decrypt a session key with a container's key and return its handle."""
        raise absent()

    def CardGetSharedKeyHandle(self, data: bytes | None) -> tuple[bytes, int]:
        """Return what the other side needs, and the handle of a key shared with it."""
        raise absent()

    def CardGetAlgorithmProperty(
        self, algorithm: str | None, name: str | None, buffer: bytes | None, flags: int
    ) -> bytes:
        """Return a property of a cipher; ERROR_INSUFFICIENT_BUFFER with its length if short."""
        raise absent()

    def CardGetKeyProperty(
        self, key: int, name: str | None, buffer: bytes | None, flags: int
    ) -> bytes:
        """Return a property of a session key; ERROR_INSUFFICIENT_BUFFER likewise."""
        raise absent()

    def CardSetKeyProperty(
        self, key: int, name: str | None, data: bytes | None, flags: int
    ) -> None:
        """Set the chaining mode or the initialization vector of a session key."""
        raise absent()

    def CardDestroyKey(self, key: int) -> None:
        """Forget a session key."""
        raise absent()

    def CardProcessEncryptedData(
        self, key: int, function: str | None, data: list[bytes] | None, size: int, flags: int
    ) -> bytes:
        """Decrypt, do what the secure function says, and return its answer of at most ``size``.

        "Import Key Pair" takes CARD_IMPORT_KEYPAIR and answers nothing; "Change Authenticator"
        and "Authenticate" answer with the structures named ``…_RESPONSE``.
        """
        raise absent()
