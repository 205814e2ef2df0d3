# SPDX-License-Identifier: Apache-2.0
"""A smart card minidriver in Python: the functions of one context.

Functions have their documented names and the documented parameters in order, without PCARD_DATA
(that is ``self``) and without the places for results, which are returned. An optional function that
a class does not override is NULL in its table. Every function fails with
:class:`~vreader.minidriver.abi.returncodes.MinidriverError`; what it says where is in the pages of
the Smart Card Minidriver Specification under the function's name.
"""

from abc import ABC, abstractmethod

from vreader.minidriver.abi.functions import FUNCTIONS, Function
from vreader.minidriver.abi.structs import (
    CARD_CAPABILITIES,
    CARD_FILE_INFO,
    CARD_FREE_SPACE_INFO,
    CARD_KEY_SIZES,
)
from vreader.minidriver.callbacks import CardData
from vreader.minidriver.keyinjection import KeyInjection, absent
from vreader.minidriver.values import (
    ContainerInfo,
    DecryptInfo,
    DeriveKeyInfo,
    DhAgreementInfo,
    SigningInfo,
)


class Minidriver(KeyInjection, ABC):
    """One context: CARD_DATA between CardAcquireContext and CardDeleteContext.

    Attributes:
        data: what the host filled in.
        version: the negotiated version; it never changes.
        no_card: acquired without a card, for key injection.
    """

    def __init__(self, data: CardData, version: int, *, no_card: bool = False) -> None:
        self.data = data
        self.version = version
        self.no_card = no_card

    @classmethod
    def provides(cls, function: Function) -> bool:
        """Whether the class has a function of its own for that member of the table."""
        return getattr(cls, function.name) is not getattr(Minidriver, function.name)

    def table(self) -> frozenset[str]:
        """Return the names of the functions that are not NULL for this context."""
        return frozenset(
            function.name
            for function in FUNCTIONS
            if function.since <= self.version
            and self.provides(function)
            and (function.no_card_mode or not self.no_card)
        )

    # Version 4: context, capabilities, containers

    @abstractmethod
    def CardDeleteContext(self) -> None:
        """End the context; also after the card is gone, and outside a transaction."""

    @abstractmethod
    def CardQueryCapabilities(self, info: CARD_CAPABILITIES | None) -> CARD_CAPABILITIES:
        """Return whether the card compresses certificates and generates keys."""

    @abstractmethod
    def CardCreateContainer(
        self, container: int, flags: int, key_spec: int, key_size: int, key_data: bytes | None
    ) -> None:
        """Generate or import a key; a container with that index is overwritten.

        ``key_size`` in bits, 0 for curves; ``key_data`` is a BLOB with a private key, or ignored.
        """

    @abstractmethod
    def CardDeleteContainer(self, container: int, reserved: int) -> None:
        """Delete the keys of a container; SCARD_E_NO_KEY_CONTAINER where there is none."""

    @abstractmethod
    def CardGetContainerInfo(
        self, container: int, flags: int, info: ContainerInfo | None
    ) -> ContainerInfo:
        """Return the public keys of a container; SCARD_E_NO_KEY_CONTAINER where there is none."""

    # Version 4: PINs

    @abstractmethod
    def CardAuthenticatePin(self, user: str | None, pin: bytes | None) -> None:
        """Verify a PIN; SCARD_W_WRONG_CHV and SCARD_W_CHV_BLOCKED carry the attempts left."""

    def CardGetChallenge(self) -> bytes:
        """Return a challenge for the administrator, a multiple of eight bytes."""
        raise absent()

    def CardAuthenticateChallenge(self, response: bytes | None) -> None:
        """Verify the response: the challenge under 3DES in CBC mode with the admin key."""
        raise absent()

    def CardUnblockPin(
        self,
        user: str | None,
        authentication: bytes | None,
        new_pin: bytes | None,
        retry_count: int,
        flags: int,
    ) -> None:
        """Authenticate the administrator and set a new PIN, both or neither."""
        raise absent()

    def CardChangeAuthenticator(
        self,
        user: str | None,
        current: bytes | None,
        new: bytes | None,
        retry_count: int,
        flags: int,
    ) -> None:
        """Change a PIN or the admin key; SCARD_W_WRONG_CHV carries the attempts left."""
        raise absent()

    def CardDeauthenticate(self, user: str | None, flags: int) -> None:
        """Log out. Where it is NULL the host resets the card."""
        raise absent()

    # Version 4: files

    @abstractmethod
    def CardCreateDirectory(self, name: str | None, access: int) -> None:
        """Create a directory; ERROR_FILE_EXISTS when there is one."""

    @abstractmethod
    def CardDeleteDirectory(self, name: str | None) -> None:
        """Delete an empty directory; SCARD_E_DIR_NOT_FOUND, ERROR_DIR_NOT_EMPTY."""

    @abstractmethod
    def CardCreateFile(
        self, directory: str | None, name: str | None, size: int, access: int
    ) -> None:
        """Create a file of ``size`` bytes; ERROR_FILE_EXISTS, SCARD_E_DIR_NOT_FOUND."""

    @abstractmethod
    def CardReadFile(self, directory: str | None, name: str | None, flags: int) -> bytes:
        """Return a whole file; SCARD_E_FILE_NOT_FOUND, SCARD_E_DIR_NOT_FOUND."""

    @abstractmethod
    def CardWriteFile(
        self, directory: str | None, name: str | None, flags: int, data: bytes | None
    ) -> None:
        """Replace a file's content; SCARD_W_SECURITY_VIOLATION without the right to write."""

    @abstractmethod
    def CardDeleteFile(self, directory: str | None, name: str | None, flags: int) -> None:
        """Delete a file; needs the right to write it."""

    @abstractmethod
    def CardEnumFiles(self, directory: str | None, flags: int) -> list[str]:
        """Return the names in a directory; SCARD_E_FILE_NOT_FOUND when it is empty.

        In C it is one multi-string: a NUL behind each name and one more at the end.
        """

    @abstractmethod
    def CardGetFileInfo(
        self, directory: str | None, name: str | None, info: CARD_FILE_INFO | None
    ) -> CARD_FILE_INFO:
        """Return size and access of a file; needs the right to read it."""

    @abstractmethod
    def CardQueryFreeSpace(
        self, flags: int, info: CARD_FREE_SPACE_INFO | None
    ) -> CARD_FREE_SPACE_INFO:
        """Return the free bytes and containers; 0xFFFFFFFF for what the card cannot tell."""

    # Version 4: keys

    @abstractmethod
    def CardQueryKeySizes(
        self, key_spec: int, flags: int, info: CARD_KEY_SIZES | None
    ) -> CARD_KEY_SIZES:
        """Return the sizes of keys in bits for a key specification."""

    @abstractmethod
    def CardSignData(self, info: SigningInfo | None) -> bytes | int:
        """Return the signature, or its length for BUFFER_SIZE_ONLY.

        An RSA signature is little endian, an ECDSA one is r and s, each as long as the field.
        """

    def CardRSADecrypt(self, info: DecryptInfo | None) -> bytes:
        """Return what is decrypted, little endian as it came; NULL for cards without RSA."""
        raise absent()

    def CardConstructDHAgreement(self, info: DhAgreementInfo | None) -> int:
        """Make a shared secret on the card and return its index; NULL for cards without curves."""
        raise absent()

    # Version 5

    def CardDeriveKey(self, info: DeriveKeyInfo | None) -> bytes | int:
        """Return a key made of a secret; its length for BUFFER_SIZE_ONLY, a handle if asked for."""
        raise absent()

    def CardDestroyDHAgreement(self, secret: int, flags: int) -> None:
        """Forget a shared secret."""
        raise absent()

    # Version 6

    def CardGetChallengeEx(self, pin_id: int, flags: int) -> bytes:
        """Return a challenge for a PIN of type ChallengeResponse."""
        raise absent()

    def CardAuthenticateEx(self, pin_id: int, flags: int, pin: bytes | None) -> bytes | None:
        """Verify a PIN or a session PIN; with GENERATE_SESSION_PIN return one and unlock nothing.

        None as the PIN means that a person enters it at the reader.
        """
        raise absent()

    def CardChangeAuthenticatorEx(
        self,
        flags: int,
        authenticating_pin: int,
        authentication: bytes | None,
        target_pin: int,
        target: bytes | None,
        retry_count: int,
    ) -> None:
        """Change a PIN, or unblock it by another one."""
        raise absent()

    def CardDeauthenticateEx(self, pins: int, flags: int) -> None:
        """Log out of a set of PINs."""
        raise absent()

    def CardGetContainerProperty(
        self, container: int, name: str | None, buffer: bytes | None, flags: int
    ) -> bytes | ContainerInfo:
        """Return a property of a container; see CardGetProperty. "Container Info" has pointers."""
        raise absent()

    def CardSetContainerProperty(
        self, container: int, name: str | None, data: bytes | None, flags: int
    ) -> None:
        """Set "PIN Identifier" or "Associated ECDH Key" of a container."""
        raise absent()

    def CardGetProperty(self, name: str | None, buffer: bytes | None, flags: int) -> bytes:
        """Return a property of the card.

        ``buffer`` is the host's, its content counts: a structure in it says its version. Where it
        is too short ERROR_INSUFFICIENT_BUFFER carries the length.
        """
        raise absent()

    def CardSetProperty(self, name: str | None, data: bytes | None, flags: int) -> None:
        """Set a property of the card."""
        raise absent()

    # Version 7; the rest of it is key injection

    def CardCreateContainerEx(
        self,
        container: int,
        flags: int,
        key_spec: int,
        key_size: int,
        key_data: bytes | None,
        pin_id: int,
    ) -> None:
        """Do what CardCreateContainer does, under a PIN other than the user's."""
        raise absent()
