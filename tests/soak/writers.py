# SPDX-License-Identifier: Apache-2.0
"""Programs that write to a card's file until they are killed, and what is then found in the file.

Run as ``writers.py KIND FILE NUMBER`` it counts on from NUMBER, one writing command for each, the
kind of command by turns, and tells each *acknowledged* one on stdout: ``word number value``, one
write for a whole line.
"""

import abc
import os
import sys
from typing import ClassVar

from vreader.card import FileStore
from vreader.iso7816 import Tlv
from vreader.kinds import find_kind

OK, BLOCKED = b"\x90\x00", b"\x69\x83"


class Writer(abc.ABC):
    """A card in a file, with all rights; open as long as the object is used.

    Attributes:
        kind, profile, options: of the card.
        words: the writing commands by turns; ``wrong`` (a wrong PIN) is special: its value is how
            many tries are left. ``generate`` is, too: its value cannot be foretold.
    """

    kind: ClassVar[str]
    profile: ClassVar[str]
    options: ClassVar[dict[str, str]] = {}
    words: ClassVar[tuple[str, ...]]

    def __init__(self, path: str) -> None:
        kind, store = find_kind(self.kind), FileStore(path)
        if os.path.exists(path):  # noqa: PTH110
            self.card = kind.open(store)
        else:
            self.card = kind.create(self.profile, self.options, store, b"soak")
        self.card.power_on()
        self.prepare()

    @abc.abstractmethod
    def prepare(self) -> None:
        """Select the application and take its state."""

    @abc.abstractmethod
    def take_rights(self) -> None:
        """Be allowed everything, without the cryptography it takes otherwise."""

    @abc.abstractmethod
    def renew(self) -> None:
        """Give the PIN all tries back, as an administrator may."""

    @abc.abstractmethod
    def command(self, word: str, number: int) -> bytes:
        """Return the command of a turn."""

    @abc.abstractmethod
    def found(self, word: str) -> str:
        """Return the value that the card holds now; empty for none."""

    def value(self, word: str, number: int) -> str:
        """Return the value that a command leaves, where it can be foretold."""
        return str(number)

    def turn(self, number: int) -> tuple[str, str]:
        """Do the command of ``number``; return its word and the value that it left."""
        word = self.words[number % len(self.words)]
        self.take_rights()
        answer = self.card.transmit(self.command(word, number))
        if word == "wrong":
            assert answer[0] == 0x63 or answer == BLOCKED, answer.hex()
            return word, str(0 if answer == BLOCKED else answer[1] & 15)
        assert answer[-2:] == OK, f"{word}: {answer.hex()}"
        if word == "generate":
            return word, self.found(word)
        return word, self.value(word, number)


class PivWriter(Writer):
    """PUT DATA, VERIFY with a wrong PIN, CHANGE of the PUK, IMPORT and GENERATE of keys."""

    kind, profile = "piv", "5.4.3"
    words = ("object", "wrong", "change", "import", "generate")

    def prepare(self) -> None:
        assert self.card.transmit(bytes.fromhex("00A4040005A000000308"))[-2:] == OK
        self.state = self.card.applications[0].state

    def take_rights(self) -> None:
        self.state.security.admin = self.state.security.pin = True

    def renew(self) -> None:
        self.take_rights()
        assert self.card.transmit(bytes.fromhex("00FA0F0F")) == OK

    def command(self, word: str, number: int) -> bytes:
        match word:
            case "object":
                head, data = "00DB3FFF", b"\x5c\3\x5f\xc1\5\x53\x81\xc8" + number.to_bytes(4) * 50
            case "wrong":
                head, data = "00200080", b"999999\xff\xff"
            case "change":
                data = self._puk() + self.value("change", number).encode()
                head = "00240081"
            case "import":
                head, data = "00FE119E", b"\x06\x20" + number.to_bytes(32)
            case _:
                head, data = "0047009D", bytes.fromhex("AC03800111")
        return bytes.fromhex(head) + bytes((len(data),)) + data

    def found(self, word: str) -> str:
        match word:
            case "object":
                content = self.state.object(0x5FC105) or b""
                whole = content == content[:4] * 50
                return str(int.from_bytes(content[:4])) if content and whole else content.hex()
            case "wrong":
                return str(self.state.pin.tries_left)
            case "change":
                return self._puk().decode()
            case "import":
                record = self.state.key(0x9E)
                return "" if record is None else str(int.from_bytes(record.private.scalar))
        answer = self.card.transmit(bytes.fromhex("00F7009D00"))
        return answer[:-2].hex() if answer[-2:] == OK else ""

    def value(self, word: str, number: int) -> str:
        return f"{number:08d}" if word == "change" else str(number)

    def _puk(self) -> bytes:
        return self.card.nvm.get(("piv", "puk.value"))


class GidsWriter(Writer):
    """PUT DATA, VERIFY with a wrong PIN, CHANGE of the PUK, PUT KEY and GENERATE of keys."""

    kind, profile = "gids", "windows"
    options: ClassVar[dict[str, str]] = {"puk": "87654321", "tries": "15"}
    words = ("object", "wrong", "change", "import", "generate")

    def prepare(self) -> None:
        assert self.card.transmit(bytes.fromhex("00A4040009A0000003974254465900"))[-2:] == OK
        self.state = self.card.applications[0].state
        self.take_rights()
        for reference in (0x81, 0x82):
            if self.state.key_file(reference) is None:
                self._create_key_file(reference)

    def take_rights(self) -> None:
        self.state.security.admin = self.state.security.user = True

    def renew(self) -> None:
        self.take_rights()
        assert self.card.transmit(bytes.fromhex("002C028006313233343536")) == OK

    def command(self, word: str, number: int) -> bytes:
        match word:
            case "object":
                head, data = "00DBA010", b"\xdf\x23\x81\xc8" + number.to_bytes(4) * 50
            case "wrong":
                head, data = "00200080", b"999999"
            case "change":
                data = self._puk() + self.value("change", number).encode()
                head = "00240081"
            case "import":
                key = Tlv.of(0x30, Tlv(0x02, b"\1"), Tlv(0x04, number.to_bytes(32)))
                inner = Tlv.of(0xA5, Tlv(0x87, bytes(key)))
                head, data = "00DB3FFF", bytes(Tlv.of(0x70, Tlv(0x84, b"\x81"), inner))
            case _:
                head, data = "00470000", bytes.fromhex("AC0680010C830182")
        return bytes.fromhex(head) + bytes((len(data),)) + data

    def found(self, word: str) -> str:
        match word:
            case "object":
                content = self.state.object(0xA010, 0xDF23) or b""
                whole = content == content[:4] * 50
                return str(int.from_bytes(content[:4])) if content and whole else content.hex()
            case "wrong":
                return str(self.state.area.get("pin.tries")[0])
            case "change":
                return self._puk().decode()
            case "import":
                record = self._key(0x81)
                return "" if record is None else str(int.from_bytes(record.private.scalar))
        record = self._key(0x82)
        return "" if record is None else record.public.hex()

    def value(self, word: str, number: int) -> str:
        return f"{number:08d}" if word == "change" else str(number)

    def _puk(self) -> bytes:
        return self.state.area.get("puk.value")

    def _key(self, reference: int):
        file = self.state.key_file(reference)
        return None if file is None else self.state.key(file)

    def _create_key_file(self, reference: int) -> None:
        use = bytes.fromhex(f"A50BB60980015C8301{reference:02X}950140")
        fcp = bytes.fromhex(f"8201188302B0{reference:02X}8C058F10101000") + use
        create = bytes.fromhex("00E00000") + bytes((len(fcp) + 2, 0x62, len(fcp))) + fcp
        assert self.card.transmit(create) == OK
        assert self.card.transmit(bytes.fromhex("00440000")) == OK


WRITERS: dict[str, type[Writer]] = {writer.kind: writer for writer in (PivWriter, GidsWriter)}


def main(kind: str, path: str, number: int) -> None:
    """Write until killed."""
    writer = WRITERS[kind](path)
    os.write(1, b"ready 0 0\n")
    while True:
        number += 1
        word, value = writer.turn(number)
        os.write(1, f"{word} {number} {value}\n".encode())


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
