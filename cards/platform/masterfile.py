# SPDX-License-Identifier: Apache-2.0
"""A master file with one elementary file in it, EF.ATR/INFO (ISO/IEC 7816-4:2020 §11.2.2, §11.3.3).

Selected by file identifier or by path from the MF, from wherever the card is; read by READ BINARY.
The file is the same for everybody and cannot be written.
"""

from typing import NamedTuple

from cards.platform.applet import Applet, Refuse, Template
from cards.platform.template import (
    DESCRIPTOR,
    DF,
    IDENTIFIER,
    LIFE_CYCLE,
    OPERATIONAL,
    SIZE,
    WORKING_EF,
    file_template,
)
from vreader.iso7816 import SW, CommandApdu, Tlv

MF, EF_ATR = bytes.fromhex("3F00"), bytes.fromhex("2F01")
SELECT, READ_BINARY = 0xA4, 0xB0
BY_IDENTIFIER, PATH_FROM_MF = 0x00, 0x08
MAX_OFFSET = 0x7FFF


class SelectFile(NamedTuple):
    """SELECT the MF or the file in it, and tell what ``wanted`` says."""

    name: bytes
    wanted: Template


class ReadBinary(NamedTuple):
    """READ BINARY: up to ``ne`` bytes from ``offset`` of the selected file."""

    offset: int
    ne: int


FileCommand = SelectFile | ReadBinary


class MasterFile(Applet[FileCommand]):
    """The MF as an application without a name; a SELECT of the MF reaches it from anywhere.

    Args:
        content: what is in EF.ATR/INFO.
    """

    aid = b""
    anywhere = True

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._reading = False

    def reset(self) -> None:
        """Forget the selected file."""
        self._reading = False

    def takes(self, apdu: CommandApdu) -> bool:
        """Take a SELECT that starts at the MF."""
        if apdu.cla or apdu.ins != SELECT:
            return False
        if apdu.p1 == BY_IDENTIFIER:
            return apdu.data in (b"", MF)
        return apdu.p1 == PATH_FROM_MF and apdu.data == EF_ATR

    def parse(self, apdu: CommandApdu) -> FileCommand:
        """Know P1, P2 and Lc, here and nowhere else."""
        if apdu.cla:
            raise Refuse(SW.CLA_NOT_SUPPORTED)
        match apdu.ins:
            case 0xA4:
                return _parse_select(apdu)
            case 0xB0:
                if apdu.data:
                    raise Refuse(SW.WRONG_LENGTH)
                offset = apdu.p1 << 8 | apdu.p2
                if offset > MAX_OFFSET:
                    raise Refuse(SW.FUNCTION_NOT_SUPPORTED)  # the file has no short identifier
                return ReadBinary(offset, apdu.ne or 256)
        raise Refuse(SW.INS_NOT_SUPPORTED)

    def execute(self, command: FileCommand) -> bytes:
        """Select or read."""
        if isinstance(command, SelectFile):
            return self._select_file(command)
        if not self._reading:
            raise Refuse(SW.NO_CURRENT_EF)
        left = self._content[command.offset :]
        if command.offset > len(self._content):
            raise Refuse(SW.WRONG_P1P2)
        if len(left) < command.ne and command.ne not in (256, 65536):
            raise Refuse(SW.wrong_le(len(left)))
        return left[: command.ne]

    def _select_file(self, command: SelectFile) -> bytes:
        self._reading = command.name == EF_ATR
        kind = WORKING_EF if self._reading else DF
        parameters = [
            Tlv(DESCRIPTOR, bytes((kind,))),
            Tlv(IDENTIFIER, command.name),
            Tlv(LIFE_CYCLE, bytes((OPERATIONAL,))),
        ]
        if self._reading:
            parameters.insert(0, Tlv(SIZE, len(self._content).to_bytes(2)))
        return file_template(command.wanted, parameters)


def _parse_select(apdu: CommandApdu) -> SelectFile:
    if apdu.p2 & 0xF3:
        raise Refuse(SW.INCORRECT_P1P2)
    wanted = Template(apdu.p2)
    match apdu.p1:
        case 0x00 if apdu.data in (b"", MF):
            return SelectFile(MF, wanted)
        case 0x00 | 0x02 | 0x08 if apdu.data == EF_ATR:
            return SelectFile(EF_ATR, wanted)
        case 0x00 | 0x01 | 0x02 | 0x03 | 0x08 | 0x09:
            raise Refuse(SW.FILE_NOT_FOUND)
    raise Refuse(SW.INCORRECT_P1P2)
