# SPDX-License-Identifier: Apache-2.0
"""The commands of a GIDS card, as far as a minidriver needs them.

From the Generic Identity Device Specification and "Windows Inbox Smart Card Minidriver". Where
files and keys are on the card is said by two data objects in EF A000, see :mod:`vreader.cardfs`.
"""

from typing import Final

from vreader.cardfs import (
    FILE_TABLE,
    KEY_MAP,
    FileEntry,
    KeyMapEntry,
    decode_file_table,
    decode_key_map,
    encode_file_table,
    encode_key_map,
)
from vreader.iso7816 import SW, Tlv, TlvError
from vreader.iso7816.tlv import encode_tag
from vreader.minidriver.abi.codes import VALUE_UNKNOWN
from vreader.minidriver.abi.pins import Role
from vreader.minidriver.abi.returncodes import MinidriverError
from vreader.minidriver.drivers.link import CardLink, Reply, fail
from vreader.minidriver.drivers.pinpad import Pinpad
from vreader.winscard.codes import SCARD

# The EF of the two tables, who may write them is who may create files in mscp.
TABLES: Final = 0xA000
DF: Final = 0x3FFF
ADMIN_KEY: Final = 0x80
ADMIN_KEY_SIZE: Final = 24
# Padding: the upper half of an algorithm reference.
RAW_SIGNATURE, PKCS1_SIGNATURE = 0x10, 0x50
RAW_DECIPHER, PKCS1_DECIPHER, OAEP_DECIPHER = 0x00, 0x40, 0x80
SIGNATURE_TEMPLATE, CONFIDENTIALITY_TEMPLATE = 0xB6, 0xB8

_PIN, _NOBODY = 0x80, 0x82
_PIN_SIZES = (4, 16)
_LAST_FILE = 0xFFFF
_BAD_FORM = frozenset({SW.WRONG_DATA, SW.WRONG_LENGTH})
_WRONG_RESPONSE = frozenset({SW.SECURITY_STATUS_NOT_SATISFIED, SW.CONDITIONS_NOT_SATISFIED})


class GidsCard:
    """A GIDS application behind a link. Every function raises MinidriverError."""

    def __init__(self, link: CardLink) -> None:
        self._link = link
        self._present: set[int] = set()
        self._resets = 0

    # ------------------------------------------------------------------ data objects

    def read(self, file_id: int, tag: int) -> bytes | None:
        """Return a data object; None where there is none."""
        wanted = bytes(Tlv(0x5C, encode_tag(tag)))
        reply = self._link.send(0xCB, file_id >> 8, file_id & 0xFF, wanted)
        if reply.sw == SW.REFERENCE_NOT_FOUND:
            return None
        try:
            found = Tlv.parse(reply.demand())
        except TlvError:
            raise MinidriverError(SCARD.E_COMM_DATA_LOST) from None
        if found.tag != tag:
            raise MinidriverError(SCARD.E_COMM_DATA_LOST)
        return found.value

    def write(self, file_id: int, tag: int, value: bytes) -> None:
        """Set a data object, made where there is none."""
        if not value:
            # Emptying one that is empty deletes it.
            self._put(file_id, Tlv(tag, b"\0"))
        self._put(file_id, Tlv(tag, value))

    def delete(self, file_id: int, tag: int) -> None:
        """Delete a data object; one that is not there too."""
        self.write(file_id, tag, b"")
        self._put(file_id, Tlv(tag))

    def _put(self, file_id: int, tlv: Tlv) -> None:
        self._link.send(0xDB, file_id >> 8, file_id & 0xFF, bytes(tlv), 0).demand()

    def table(self) -> list[FileEntry]:
        """Return the file table; an empty one for a card without file system."""
        raw = self._tables(FILE_TABLE)
        try:
            entries = [] if raw is None else decode_file_table(raw)
        except ValueError:
            raise MinidriverError(SCARD.E_COMM_DATA_LOST) from None
        if any(entry.file_id > _LAST_FILE for entry in entries):
            raise MinidriverError(SCARD.E_COMM_DATA_LOST)
        return entries

    def put_table(self, entries: list[FileEntry]) -> None:
        """Write the file table; SCARD_E_INVALID_PARAMETER for a name it cannot hold."""
        try:
            raw = encode_file_table(entries)
        except ValueError:
            raise MinidriverError(SCARD.E_INVALID_PARAMETER) from None
        self.write(TABLES, FILE_TABLE, raw)

    def key_map(self) -> list[KeyMapEntry]:
        """Return the key map."""
        raw = self._tables(KEY_MAP)
        try:
            return decode_key_map(raw) if raw else []
        except ValueError:
            raise MinidriverError(SCARD.E_COMM_DATA_LOST) from None

    def put_key_map(self, entries: list[KeyMapEntry]) -> None:
        """Write the key map."""
        self.write(TABLES, KEY_MAP, encode_key_map(entries))

    def _tables(self, tag: int) -> bytes | None:
        try:
            return self.read(TABLES, tag)
        except MinidriverError as error:
            if error.code is SCARD.E_FILE_NOT_FOUND:
                return None
            raise

    # ------------------------------------------------------------------ PIN, PUK, admin key

    @property
    def present(self) -> frozenset[int]:
        """Who has been authenticated by this program, and not logged out since."""
        if self._link.resets != self._resets:
            self._resets = self._link.resets
            self._present.clear()
        return frozenset(self._present)

    def verify(self, pin: bytes) -> None:
        """Verify the user's PIN. One that no PIN can be is wrong, whatever the card says."""
        reply = self._link.send(0x20, 0, _PIN, pin, 0)
        self._present.discard(Role.USER)
        if reply.sw in _BAD_FORM:
            reply = self._link.send(0x20, 0, _PIN, b"", 0)
        self._demand(reply, Role.USER)

    def verify_with(self, pinpad: Pinpad) -> None:
        """Verify the PIN that a person types at the reader."""
        self.attempts()  # selects the application where it must be
        self._present.discard(Role.USER)
        self._demand(pinpad.verify(_PIN, _PIN_SIZES, b""), Role.USER)

    def attempts(self) -> int:
        """Return the attempts left for the user's PIN; VALUE_UNKNOWN if the card does not tell."""
        tries = self._link.send(0x20, 0, _PIN, b"", 0).tries
        return VALUE_UNKNOWN if tries is None else tries

    def change(self, current: bytes, new: bytes) -> None:
        """Change the user's PIN. It is verified first: joined, nobody sees where the old one ends.

        Raises:
            MinidriverError: SCARD_E_INVALID_PARAMETER for a new one that the card does not take.
        """
        self.verify(current)
        reply = self._link.send(0x24, 0, _PIN, current + new, 0)
        if not reply.ok:
            raise MinidriverError(SCARD.E_INVALID_PARAMETER)

    def unblock_by_puk(self, puk: bytes, new: bytes) -> None:
        """Set the PIN by the PUK; SCARD_E_UNSUPPORTED_FEATURE for a card without one."""
        reply = self._link.send(0x2C, 0, _PIN, puk + new, 0)
        if reply.sw == SW.REFERENCE_NOT_FOUND:
            raise MinidriverError(SCARD.E_UNSUPPORTED_FEATURE)
        reply.demand()
        self.log_out()

    def unblock_by_admin(self, new: bytes) -> None:
        """Set the PIN, the administrator being there; nobody is afterwards."""
        reply = self._link.send(0x2C, 2, _PIN, new, 0)
        self.log_out()
        reply.demand()

    def challenge(self) -> bytes:
        """Return a challenge for the admin key, which logs it out."""
        self._link.send(0x22, 0x81, 0xA4, bytes(Tlv(0x83, bytes((ADMIN_KEY,)))), 0).demand()
        self._present.discard(Role.ADMIN)
        answer = self._link.send(0x87, 0, 0, bytes.fromhex("7C028100")).demand()
        try:
            found = Tlv.parse(answer).find(0x81)
        except TlvError:
            found = None
        if found is None or not found.value:
            raise MinidriverError(SCARD.E_COMM_DATA_LOST)
        return found.value

    def respond(self, response: bytes) -> None:
        """Answer the challenge; SCARD_W_WRONG_CHV, and the card does not tell attempts."""
        answer = bytes(Tlv.of(0x7C, Tlv(0x82, response)))
        reply = self._link.send(0x87, 0, 0, answer, 0)
        if reply.sw in _WRONG_RESPONSE:
            self._present.discard(Role.ADMIN)
            raise MinidriverError(SCARD.W_WRONG_CHV, attempts=VALUE_UNKNOWN)
        self._demand(reply, Role.ADMIN)

    def put_admin_key(self, key: bytes, check: bytes) -> None:
        """Replace the admin key; ``check`` is the first bytes of encrypted zeros."""
        value = Tlv.of(0xA5, Tlv(0x87, key), Tlv(0x88, check))
        self._put(DF, Tlv.of(0x70, Tlv(0x84, bytes((ADMIN_KEY,))), value))

    def log_out(self) -> None:
        """Log out of everything."""
        reply = self._link.send(0x20, 0, _NOBODY, b"", 0)
        self._present.clear()
        reply.demand()

    def _demand(self, reply: Reply, role: Role) -> None:
        if not reply.ok:
            fail(reply.sw)
        self._resets = self._link.resets
        self._present.add(role)

    # ------------------------------------------------------------------ keys

    def create(self, fcp: Tlv) -> None:
        """Create an EF, which is then the current one, and activate it."""
        self._link.send(0xE0, 0, 0, bytes(fcp), 0).demand()
        self._link.send(0x44, 0, 0, b"", 0).demand()

    def delete_file(self, file_id: int) -> None:
        """Delete an EF; one that is not there too."""
        if self._link.send(0xA4, 0, 0x0C, file_id.to_bytes(2, "big"), 0).ok:
            self._link.send(0xE4, 0, 0, b"", 0).demand()

    def generate(self, reference: int, algorithm: int) -> None:
        """Generate a key in its EF."""
        wanted = Tlv.of(0xAC, Tlv(0x80, bytes((algorithm,))), Tlv(0x83, bytes((reference,))))
        self._link.send(0x47, 0, 0, bytes(wanted)).demand()

    def import_key(self, reference: int, der: bytes) -> None:
        """Put a private key into its EF: RSAPrivateKey or ECPrivateKey in DER."""
        value = Tlv.of(0xA5, Tlv(0x83, b"\2"), Tlv(0x84, b"\0"), Tlv(0x87, der))
        self._put(DF, Tlv.of(0x70, Tlv(0x84, bytes((reference,))), value))

    def public(self, reference: int) -> dict[int, bytes]:
        """Return the parts of a public key: 81 and 82 of RSA, 86 a point."""
        wanted = Tlv.of(0x70, Tlv(0x84, bytes((reference,))), bytes.fromhex("A5037F4980"))
        answer = self._link.send(0xCB, DF >> 8, DF & 0xFF, bytes(wanted)).demand()
        try:
            return {part.tag: part.value for part in Tlv.parse(answer).children()}
        except TlvError:
            raise MinidriverError(SCARD.E_COMM_DATA_LOST) from None

    def sign(self, reference: int, algorithm: int, data: bytes) -> bytes:
        """Choose a key and sign; the algorithm includes the padding."""
        self._choose(SIGNATURE_TEMPLATE, reference, algorithm)
        return self._link.send(0x2A, 0x9E, 0x9A, data).demand()

    def decipher(self, reference: int, algorithm: int, data: bytes) -> bytes:
        """Choose a key and decipher; the algorithm includes the padding."""
        self._choose(CONFIDENTIALITY_TEMPLATE, reference, algorithm)
        return self._link.send(0x2A, 0x80, 0x86, data).demand()

    def _choose(self, template: int, reference: int, algorithm: int) -> None:
        wanted = Tlv(0x80, bytes((algorithm,))), Tlv(0x84, bytes((reference,)))
        self._link.send(0x22, 0x41, template, b"".join(map(bytes, wanted)), 0).demand()
