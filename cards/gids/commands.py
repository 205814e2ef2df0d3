# SPDX-License-Identifier: Apache-2.0
"""The commands of GIDS as types; those with secrets do not show them.

Formats are those of ISO/IEC 7816-4, -8 and -9, which GIDS refers to; :mod:`cards.gids.parse` reads
them from C-APDUs.
"""

from typing import NamedTuple

from cards.gids import files
from cards.gids.tables import PinRef, Template
from cards.platform import Template as Wanted


class SelectFile(NamedTuple):
    """SELECT by file identifier."""

    file_id: int
    wanted: Wanted


class GetData(NamedTuple):
    """GET DATA of data objects by a tag list; no tags stand for all of them."""

    file_id: int
    tags: tuple[int, ...]


class GetPublicKey(NamedTuple):
    """GET DATA of a public key by an extended header list."""

    reference: int


class PutData(NamedTuple):
    """PUT DATA of one data object of an EF."""

    file_id: int
    tag: int
    value: bytes

    def __repr__(self) -> str:
        return f"PutData({self.file_id:04X}, {self.tag:X}, …)"


class PutAdminKey(NamedTuple):
    """PUT DATA of a 3DES key with the first bytes of its key check value, if any."""

    reference: int
    key: bytes
    check: bytes

    def __repr__(self) -> str:
        return f"PutAdminKey({self.reference:02X}, …)"


class ImportKey(NamedTuple):
    """PUT DATA of a private key in DER."""

    reference: int
    der: bytes

    def __repr__(self) -> str:
        return f"ImportKey({self.reference:02X}, …)"


class CreateFile(NamedTuple):
    """CREATE FILE with file control parameters."""

    file: files.File


class ActivateFile(NamedTuple):
    """ACTIVATE FILE: the current file, or with it the whole application."""


class DeleteFile(NamedTuple):
    """DELETE FILE: the current EF and what is in it."""


class Terminate(NamedTuple):
    """TERMINATE DF: nothing can be done with the application any more."""


class PinStatus(NamedTuple):
    """VERIFY without data: how many tries are left."""


class VerifyPin(NamedTuple):
    """VERIFY of the PIN, not padded."""

    pin: bytes

    def __repr__(self) -> str:
        return "VerifyPin(…)"


class Deauthenticate(NamedTuple):
    """VERIFY with P2 = 82: nobody is authenticated any more."""


class SetPin(NamedTuple):
    """CHANGE REFERENCE DATA without the old value."""

    reference: PinRef
    new: bytes

    def __repr__(self) -> str:
        return f"SetPin({self.reference.name}, …)"


class ChangePin(NamedTuple):
    """CHANGE REFERENCE DATA: the old value and the new one, joined."""

    reference: PinRef
    joined: bytes

    def __repr__(self) -> str:
        return f"ChangePin({self.reference.name}, …)"


class UnblockByAdmin(NamedTuple):
    """RESET RETRY COUNTER: a new PIN, after authentication with the admin key."""

    new: bytes

    def __repr__(self) -> str:
        return "UnblockByAdmin(…)"


class UnblockByPuk(NamedTuple):
    """RESET RETRY COUNTER: the PUK and a new PIN, joined."""

    joined: bytes

    def __repr__(self) -> str:
        return "UnblockByPuk(…)"


class SetEnvironment(NamedTuple):
    """MANAGE SECURITY ENVIRONMENT SET: which key the next commands use, and how."""

    template: Template
    algorithm: int
    reference: int


class Sign(NamedTuple):
    """PERFORM SECURITY OPERATION: compute a digital signature."""

    data: bytes


class Decipher(NamedTuple):
    """PERFORM SECURITY OPERATION: decipher."""

    cryptogram: bytes


class GenerateKey(NamedTuple):
    """GENERATE ASYMMETRIC KEY PAIR.

    Attributes:
        answer: the public key is wanted (there is an Le).
    """

    algorithm: int
    reference: int
    answer: bool


class RequestChallenge(NamedTuple):
    """GENERAL AUTHENTICATE: the card makes a challenge of 8 bytes."""


class AnswerChallenge(NamedTuple):
    """GENERAL AUTHENTICATE: that challenge, encrypted with the admin key."""

    response: bytes


class StartMutual(NamedTuple):
    """GENERAL AUTHENTICATE: challenge of the host; the card makes its own, 16 bytes each."""

    challenge: bytes


class FinishMutual(NamedTuple):
    """GENERAL AUTHENTICATE: both challenges, encrypted with the admin key."""

    token: bytes


class GetChallenge(NamedTuple):
    """GET CHALLENGE: random bytes."""

    length: int


GidsCommand = (
    SelectFile | GetData | GetPublicKey | PutData | PutAdminKey | ImportKey | CreateFile
    | ActivateFile | DeleteFile | Terminate | PinStatus | VerifyPin | Deauthenticate | SetPin
    | ChangePin | UnblockByAdmin | UnblockByPuk | SetEnvironment | Sign | Decipher | GenerateKey
    | RequestChallenge | AnswerChallenge | StartMutual | FinishMutual | GetChallenge
)  # fmt: skip
