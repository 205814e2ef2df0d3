# SPDX-License-Identifier: Apache-2.0
"""Files of a GIDS application: what CREATE FILE says about one, and what SELECT tells of it."""

from functools import lru_cache
from typing import NamedTuple

from cards.gids import access
from cards.gids.tables import DF, EF_ATR, EF_WITH_KEY, EF_WITH_OBJECTS
from vreader.iso7816 import Tlv

# Identifiers that no EF can have: the application's own, the card's, those ISO/IEC 7816-4 reserves.
_RESERVED = {0x0000, DF, EF_ATR, 0x2F00, 0x3F00, 0xFFFF}


class KeyUse(NamedTuple):
    """A control reference template of a key EF: one thing the key may be used for.

    Attributes:
        template: its tag, A4, B6 or B8.
        algorithm: the algorithm reference.
    """

    template: int
    algorithm: int


class File(NamedTuple):
    """An EF.

    Attributes:
        fcp: the value of its file control parameters, as CREATE FILE gave them.
        file_id: its identifier.
        descriptor: EF_WITH_OBJECTS or EF_WITH_KEY.
        rules: who may do what, see :mod:`cards.gids.access`.
        uses: of a key EF, what the key is for.
    """

    fcp: bytes
    file_id: int
    descriptor: int
    rules: bytes
    uses: tuple[KeyUse, ...]

    @property
    def has_key(self) -> bool:
        """Whether it holds a key, not data objects."""
        return self.descriptor == EF_WITH_KEY

    @property
    def reference(self) -> int | None:
        """The key reference, the low byte of the identifier; None when it holds no key.

        OpenSC's templates for an imported key name the next reference, and it then uses this one.
        """
        return self.file_id & 0xFF if self.has_key else None

    def allows(self, template: int, algorithm: int) -> bool:
        """Tell whether the key may be used so."""
        return any((u.template, u.algorithm) == (template, algorithm) for u in self.uses)

    @staticmethod
    def read(fcp: bytes) -> "File":
        """Read file control parameters (ISO/IEC 7816-4); raises ValueError."""
        return _read(bytes(fcp))


@lru_cache(maxsize=128)
def _read(fcp: bytes) -> File:
    tlvs = Tlv.parse_all(fcp)
    found = {tlv.tag: tlv.value for tlv in tlvs}
    if len(found) != len(tlvs) or not {0x82, 0x83, 0x8C} <= set(found) <= {
        0x82, 0x83, 0x8A, 0x8C, 0xA5,
    }:  # fmt: skip
        raise ValueError("file control parameters are 82, 83, 8C and for a key A5")
    file_id = int.from_bytes(found[0x83], "big")
    if len(found[0x83]) != 2 or file_id in _RESERVED:
        raise ValueError("not an identifier of an EF")
    if len(found[0x82]) != 1 or found[0x82][0] not in (EF_WITH_OBJECTS, EF_WITH_KEY):
        raise ValueError("neither an EF with data objects nor one with a key")
    if not access.well_formed(found[0x8C]):
        raise ValueError("the access rules do not add up")
    descriptor = found[0x82][0]
    uses = tuple(map(_use, Tlv.parse_all(found.get(0xA5, b""))))
    if (descriptor == EF_WITH_KEY) is not bool(uses):
        raise ValueError("an EF with a key says what that key is for; others do not")
    return File(fcp, file_id, descriptor, found[0x8C], uses)


def _use(template: Tlv) -> KeyUse:
    """Read one control reference template; its usage qualifier (95) adds nothing to its tag."""
    found = {tlv.tag: tlv.value for tlv in template.children()}
    algorithm = found.get(0x80, b"")
    if template.tag not in (0xA4, 0xB6, 0xB8) or len(algorithm) != 1:
        raise ValueError("not the template of a key")
    return KeyUse(template.tag, algorithm[0])
