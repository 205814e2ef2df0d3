# SPDX-License-Identifier: Apache-2.0
"""The commands of a PIV card, as far as a minidriver that changes nothing but PINs needs them.

From NIST SP 800-73-5 part 2; key references and data objects are those of part 1.
"""

import zlib
from typing import Final

from vreader.iso7816 import SW, Tlv, TlvError
from vreader.iso7816.tlv import encode_tag
from vreader.minidriver.abi.codes import VALUE_UNKNOWN
from vreader.minidriver.abi.returncodes import MinidriverError
from vreader.minidriver.drivers.link import CardLink, Reply
from vreader.minidriver.drivers.pinpad import PinForm, Pinpad
from vreader.winscard.codes import SCARD

CHUID: Final = 0x5FC102
PIN, PUK, MANAGEMENT_KEY = 0x80, 0x81, 0x9B
TRIPLE_DES: Final = 0x03
CHALLENGE, RESPONSE, POINT = 0x81, 0x82, 0x85

RETIRED: Final = tuple(range(0x82, 0x96))
SLOTS: Final = (0x9A, 0x9C, 0x9D, 0x9E, *RETIRED)
CERTIFICATES: Final = {
    0x9A: 0x5FC105,
    0x9C: 0x5FC10A,
    0x9D: 0x5FC10B,
    0x9E: 0x5FC101,
    **{slot: 0x5FC10D + number for number, slot in enumerate(RETIRED)},
}

_CERTIFICATE, _CERTIFICATE_INFO, _GUID, _OBJECT = 0x70, 0x71, 0x34, 0x53
_COMPRESSED = 0x01
_GZIP = 31  # zlib's window bits for a gzip header
_MOST = 0x10000
_FORM: Final = PinForm(6, 8, b"\xff")
_PIN_LENGTH = _FORM.most
_WRONG_RESPONSE = frozenset({SW.SECURITY_STATUS_NOT_SATISFIED, SW.CONDITIONS_NOT_SATISFIED})


class PivCard:
    """A PIV application behind a link. Every function raises MinidriverError."""

    def __init__(self, link: CardLink) -> None:
        self._link = link

    # ------------------------------------------------------------------ data objects

    def read(self, tag: int) -> bytes | None:
        """Return the content of a data object; None where there is none."""
        wanted = bytes(Tlv(0x5C, encode_tag(tag)))
        reply = self._link.send(0xCB, 0x3F, 0xFF, wanted)
        if reply.sw == SW.FILE_NOT_FOUND:
            return None
        raw = reply.demand()
        try:
            found = Tlv.parse(raw) if raw else Tlv(_OBJECT)
        except TlvError:
            raise MinidriverError(SCARD.E_COMM_DATA_LOST) from None
        return found.value if found.tag == _OBJECT else None

    def guid(self) -> bytes | None:
        """Return the GUID of the CHUID; None where it has none."""
        chuid = self.read(CHUID) or b""
        try:
            found = next((t.value for t in Tlv.iter(chuid) if t.tag == _GUID), b"")
        except TlvError:
            return None
        return found if any(found) else None

    def certificate(self, slot: int) -> bytes | None:
        """Return the certificate of a key in DER, decompressed; None where there is none."""
        content = self.read(CERTIFICATES[slot])
        if not content:
            return None
        try:
            parts = {part.tag: part.value for part in Tlv.iter(content)}
        except TlvError:
            return None
        der = parts.get(_CERTIFICATE)
        if der and parts.get(_CERTIFICATE_INFO, b"\0")[:1] == bytes((_COMPRESSED,)):
            try:
                der = zlib.decompressobj(_GZIP).decompress(der, _MOST)
            except zlib.error:
                return None
        return der or None

    # ------------------------------------------------------------------ PIN and PUK

    def verify(self, pin: bytes) -> None:
        """Verify the PIN. One that no PIN can be is wrong, whatever the card says."""
        reply = Reply(SW.WRONG_DATA)
        if len(pin) <= _PIN_LENGTH:
            reply = self._link.send(0x20, 0, PIN, _padded(pin), 0)
        if reply.sw in (SW.WRONG_DATA, SW.WRONG_LENGTH):
            attempts = self.attempts()
            if attempts:
                raise MinidriverError(SCARD.W_WRONG_CHV, attempts=attempts)
            raise MinidriverError(SCARD.W_CHV_BLOCKED, attempts=0)
        reply.demand()

    def verify_with(self, pinpad: Pinpad) -> None:
        """Verify the PIN that a person types at the reader."""
        self.status()  # selects the application where it must be
        pinpad.verify(PIN, _FORM).demand()

    def status(self) -> Reply:
        """Ask whether the PIN is verified (9000), and if not how many tries are left."""
        return self._link.send(0x20, 0, PIN, b"", 0)

    def attempts(self) -> int:
        """Return the tries left for the PIN; VALUE_UNKNOWN while it is verified."""
        tries = self.status().tries
        return VALUE_UNKNOWN if tries is None else tries

    def log_out(self) -> None:
        """End the verification of the PIN; SCARD_E_UNSUPPORTED_FEATURE for older cards."""
        if not self._link.send(0x20, 0xFF, PIN, b"", 0).ok:
            raise MinidriverError(SCARD.E_UNSUPPORTED_FEATURE)

    def change(self, reference: int, current: bytes, new: bytes) -> None:
        """Change PIN or PUK; SCARD_E_INVALID_PARAMETER for a new one the card does not take."""
        if len(new) > _PIN_LENGTH:
            raise MinidriverError(SCARD.E_INVALID_PARAMETER)
        if len(current) > _PIN_LENGTH:
            raise MinidriverError(SCARD.W_WRONG_CHV, attempts=VALUE_UNKNOWN)
        if reference == PIN:
            self.verify(current)
        reply = self._link.send(0x24, 0, reference, _padded(current) + _padded(new), 0)
        if not reply.ok and (reference == PIN or reply.tries is None):
            raise MinidriverError(SCARD.E_INVALID_PARAMETER)
        reply.demand()

    def unblock(self, puk: bytes, new: bytes) -> None:
        """Set the PIN by the PUK; SCARD_E_INVALID_PARAMETER for one the card does not take."""
        if len(new) > _PIN_LENGTH:
            raise MinidriverError(SCARD.E_INVALID_PARAMETER)
        if len(puk) > _PIN_LENGTH:
            raise MinidriverError(SCARD.W_WRONG_CHV, attempts=VALUE_UNKNOWN)
        _new_pin(self._link.send(0x2C, 0, PIN, _padded(puk) + _padded(new), 0))

    def change_with(self, pinpad: Pinpad) -> None:
        """Change the PIN; a person types the present one and the new one at the reader."""
        self.status()
        _new_pin(pinpad.modify((0x24, 0, PIN), _FORM, None))

    def unblock_with(self, pinpad: Pinpad, puk: bytes | None) -> None:
        """Set the PIN by the PUK; a person types the new one, and the PUK where it is None."""
        if puk is not None:
            if len(puk) > _PIN_LENGTH:
                raise MinidriverError(SCARD.W_WRONG_CHV, attempts=VALUE_UNKNOWN)
            puk = _padded(puk)
        self.status()
        _new_pin(pinpad.modify((0x2C, 0, PIN), _FORM, puk))

    # ------------------------------------------------------------------ keys

    def challenge(self) -> bytes:
        """Return a challenge for the management key; only 3DES is what hosts answer."""
        return self._authenticate(TRIPLE_DES, MANAGEMENT_KEY, CHALLENGE, Tlv(CHALLENGE))

    def respond(self, response: bytes) -> None:
        """Answer the challenge; SCARD_W_WRONG_CHV, and the card does not count attempts."""
        template = bytes(Tlv.of(0x7C, Tlv(RESPONSE, response)))
        reply = self._link.send(0x87, TRIPLE_DES, MANAGEMENT_KEY, template)
        if reply.sw in _WRONG_RESPONSE:
            raise MinidriverError(SCARD.W_WRONG_CHV, attempts=VALUE_UNKNOWN)
        reply.demand()

    def use(self, slot: int, algorithm: int, data: bytes, *, agree: bool = False) -> bytes:
        """Use the private key of a slot: the raw RSA operation, ECDSA of a hash, agreement."""
        asked = Tlv(POINT if agree else CHALLENGE, data)
        return self._authenticate(algorithm, slot, RESPONSE, Tlv(RESPONSE), asked)

    def _authenticate(self, algorithm: int, reference: int, wanted: int, *asked: Tlv) -> bytes:
        """GENERAL AUTHENTICATE; return one data object of the dynamic authentication template."""
        template = bytes(Tlv.of(0x7C, *asked))
        answer = self._link.send(0x87, algorithm, reference, template).demand()
        try:
            found = Tlv.parse(answer).find(wanted)
        except TlvError:
            found = None
        if found is None or not found.value:
            raise MinidriverError(SCARD.E_COMM_DATA_LOST)
        return found.value


def _new_pin(reply: Reply) -> None:
    """Demand success; what is no word about the PIN before it is one about the new PIN."""
    if not reply.ok and reply.tries is None:
        raise MinidriverError(SCARD.E_INVALID_PARAMETER)
    reply.demand()


def _padded(pin: bytes) -> bytes:
    return pin.ljust(_PIN_LENGTH, _FORM.pad)
