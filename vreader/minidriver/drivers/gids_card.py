# SPDX-License-Identifier: Apache-2.0
"""The commands of a GIDS card, as far as a minidriver needs them.

From the Generic Identity Device Specification and "Windows Inbox Smart Card Minidriver".
"""

from typing import Final

from vreader.cardfs import LAST_OBJECT
from vreader.iso7816 import SW, Tlv, TlvError
from vreader.iso7816.tlv import encode_tag
from vreader.minidriver.abi.codes import VALUE_UNKNOWN
from vreader.minidriver.abi.pins import Role
from vreader.minidriver.abi.returncodes import MinidriverError
from vreader.minidriver.drivers.gids_objects import GidsObjects
from vreader.minidriver.drivers.link import CardLink, Reply, fail
from vreader.minidriver.drivers.pinpad import PinForm, Pinpad
from vreader.winscard.codes import SCARD

DF: Final = 0x3FFF
ADMIN_KEY: Final = 0x80
ADMIN_KEY_SIZE: Final = 24
# Padding: the upper half of an algorithm reference.
RAW_SIGNATURE, PKCS1_SIGNATURE = 0x10, 0x50
RAW_DECIPHER, PKCS1_DECIPHER, OAEP_DECIPHER = 0x00, 0x40, 0x80
SIGNATURE_TEMPLATE, CONFIDENTIALITY_TEMPLATE = 0xB6, 0xB8
# EFs that the user or the administrator reads, and the administrator alone.
USER_FILE, ADMIN_FILE = 0xA013, 0xA014

_PIN, _NOBODY = 0x80, 0x82
_PIN_FORM: Final = PinForm(4, 16)
_BAD_FORM = frozenset({SW.WRONG_DATA, SW.WRONG_LENGTH})
_WRONG_RESPONSE = frozenset({SW.SECURITY_STATUS_NOT_SATISFIED, SW.CONDITIONS_NOT_SATISFIED})
_BLOCK = 8


class GidsCard(GidsObjects):
    """A GIDS application behind a link. Every function raises MinidriverError."""

    def __init__(self, link: CardLink) -> None:
        super().__init__(link)
        self._present: set[int] = set()
        self._resets = 0

    # ------------------------------------------------------------------ PIN, PUK, admin key

    @property
    def present(self) -> frozenset[int]:
        """Who has been authenticated by this context, and not logged out since.

        What another context did, and a reset before the next command, it does not know: see
        :meth:`who`.
        """
        if self._link.resets != self._resets:
            self._resets = self._link.resets
            self._present.clear()
        return frozenset(self._present)

    def who(self) -> frozenset[int]:
        """Ask the card who is there, by what it lets one read.

        Where the administrator is there, nothing tells whether the user is, too: he is if this
        context has verified the PIN. A card without those EFs tells nothing.
        """
        anyone, administrator = self._readable(USER_FILE), self._readable(ADMIN_FILE)
        present = self.present
        if anyone is None or administrator is None:
            return present
        if administrator:
            self._present = {Role.ADMIN, *(present & {Role.USER})}
        else:
            self._present = {Role.USER} if anyone else set()
        return frozenset(self._present)

    def _readable(self, file_id: int) -> bool | None:
        """Whether what is in an EF could be read now; None where there is no such EF."""
        wanted = bytes(Tlv(0x5C, encode_tag(LAST_OBJECT)))
        reply = self._link.send(0xCB, file_id >> 8, file_id & 0xFF, wanted)
        if reply.ok or reply.sw == SW.REFERENCE_NOT_FOUND:
            return True
        return False if reply.sw == SW.SECURITY_STATUS_NOT_SATISFIED else None

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
        self._demand(pinpad.verify(_PIN, _PIN_FORM), Role.USER)

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
            self._present.discard(Role.USER)
        if reply.sw in _BAD_FORM or reply.tries is not None:
            raise MinidriverError(SCARD.E_INVALID_PARAMETER)
        reply.demand()

    def unblock_by_puk(self, puk: bytes, new: bytes) -> None:
        """Set the PIN by the PUK; SCARD_E_UNSUPPORTED_FEATURE for a card without one.

        Both go joined, and the card says where the PUK ends. A PUK that is too short or too long
        for what follows is told from the right one by the new PIN, which then is another one:
        SCARD_W_WRONG_CHV, and the PIN has to be set again.
        """
        reply = self._link.send(0x2C, 0, _PIN, puk + new, 0)
        if reply.sw == SW.REFERENCE_NOT_FOUND:
            raise MinidriverError(SCARD.E_UNSUPPORTED_FEATURE)
        reply.demand()
        check = self._link.send(0x20, 0, _PIN, new, 0)
        self.log_out()
        if not check.ok:
            raise MinidriverError(SCARD.W_WRONG_CHV, attempts=VALUE_UNKNOWN)

    def unblock_by_admin(self, new: bytes) -> None:
        """Set the PIN, the administrator being there; nobody is afterwards."""
        reply = self._link.send(0x2C, 2, _PIN, new, 0)
        self.log_out()
        reply.demand()

    def change_with(self, pinpad: Pinpad) -> None:
        """Change the user's PIN; a person types both at the reader, where nobody verifies first."""
        self.attempts()
        self._present.discard(Role.USER)
        self._demand(pinpad.modify((0x24, 0, _PIN), _PIN_FORM, None), Role.USER)

    def unblock_with(self, pinpad: Pinpad) -> None:
        """Set the PIN that a person types, the administrator being there; nobody is afterwards."""
        try:
            pinpad.modify((0x2C, 2, _PIN), _PIN_FORM).demand()
        finally:
            self.log_out()

    def challenge(self) -> bytes:
        """Return a challenge for the admin key, which logs it out.

        Raises:
            MinidriverError: SCARD_E_UNSUPPORTED_FEATURE for a card without one.
        """
        chosen = self._link.send(0x22, 0x81, 0xA4, bytes(Tlv(0x83, bytes((ADMIN_KEY,)))), 0)
        if chosen.sw == SW.REFERENCE_NOT_FOUND:
            raise MinidriverError(SCARD.E_UNSUPPORTED_FEATURE)
        chosen.demand()
        self._present.discard(Role.ADMIN)
        answer = self._link.send(0x87, 0, 0, bytes.fromhex("7C028100")).demand()
        try:
            found = Tlv.parse(answer).find(0x81)
        except TlvError:
            found = None
        if found is None or not found.value or len(found.value) % _BLOCK:
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
        if reply.sw == SW.REFERENCE_NOT_FOUND:  # a PIN that was never set
            raise MinidriverError(SCARD.E_INVALID_PARAMETER)
        if not reply.ok:
            fail(reply.sw)
        self._present = {*self.present, role}

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
        answer = _of_key(self._link.send(0xCB, DF >> 8, DF & 0xFF, bytes(wanted))).demand()
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
        _of_key(self._link.send(0x22, 0x41, template, b"".join(map(bytes, wanted)), 0)).demand()


def _of_key(reply: Reply) -> Reply:
    """Raise SCARD_E_NO_KEY_CONTAINER where the card has no such key, whatever its map says."""
    if reply.sw == SW.REFERENCE_NOT_FOUND:
        raise MinidriverError(SCARD.E_NO_KEY_CONTAINER)
    return reply
