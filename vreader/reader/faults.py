# SPDX-License-Identifier: Apache-2.0
"""What goes wrong on purpose between a reader and its card: which fault, when, on which commands.

A plan is written ``wrong-sw,sw=6983,on=VERIFY,after=2,times=3``. Plans are armed in a slot
(:mod:`vreader.reader.armed`) and strike there (:mod:`vreader.reader.faulty`). The card knows
nothing of it: only a loss of power reaches its memory, by :func:`vreader.card.tear`.
"""

import enum
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from typing import Any, Final, Self

from vreader.errors import UsageError, near
from vreader.iso7816.ins import INS_NAMES

ALWAYS: Final = "always"
SIGN: Final = "SIGN"
HARMS = ("spoil", "lose", "cut")
# Of what a key signs with: COMPUTE DIGITAL SIGNATURE (ISO/IEC 7816-8), and the AUTHENTICATEs, with
# which PIV and others have it.
_SIGNATURE = (b"\x2a\x9e", b"\x2b\x9e")
_KEY_USE = (b"\x86", b"\x87", b"\x88")
_LONGEST_S = 1e6
_HEADER = 5  # CLA INS P1 P2 Lc
_MAX_DIGITS = 9
_MOST = 10**_MAX_DIGITS - 1
_Data = bytes  # where a plan's own number of bytes has the name
_NUMBER = re.compile(r"\s*(0x[0-9a-f]*|[0-9][0-9a-f]*(\s+[0-9a-f]+)*)\s*", re.IGNORECASE)
_SURE = 0.8  # how alike a name must be to a known one to be a slip of it


class Fault(enum.Enum):
    """What can go wrong; the value is the word of a plan."""

    MUTE = "mute"
    REMOVE_MID_APDU = "remove-mid-apdu"
    WRONG_SW = "wrong-sw"
    TRUNCATE = "truncate"
    SLOW = "slow"
    RESET_BY_OTHER = "reset-by-other"
    POWER_LOSS = "power-loss"
    GARBLE_ATR = "garble-atr"
    BAD_BLOCK = "bad-block"


FAULTS: dict[Fault, str] = {
    Fault.MUTE: "the card does not answer: the reader times out",
    Fault.REMOVE_MID_APDU: "the card leaves the reader while it works",
    Fault.WRONG_SW: "the card answers another status word, without data",
    Fault.TRUNCATE: "only the first bytes of the answer arrive",
    Fault.SLOW: "the card takes its time",
    Fault.RESET_BY_OTHER: "after this command another application resets the card",
    Fault.POWER_LOSS: "the card loses its power when it writes, and answers after a reset again",
    Fault.GARBLE_ATR: "the next ATR makes no sense",
    Fault.BAD_BLOCK: "blocks are spoilt, lost or cut on a link",
}
_COMMON = ("on", "after", "times", "reader")
_KEYS: dict[Fault, tuple[str, ...]] = {
    Fault.MUTE: ("executed",),
    Fault.REMOVE_MID_APDU: ("executed",),
    Fault.WRONG_SW: ("sw", "executed"),
    Fault.TRUNCATE: ("bytes",),
    Fault.SLOW: ("seconds",),
    Fault.RESET_BY_OTHER: (),
    Fault.POWER_LOSS: ("when",),
    Fault.GARBLE_ATR: ("bytes",),
    Fault.BAD_BLOCK: ("harm", "blocks"),
}


@dataclass(frozen=True, slots=True)
class FaultPlan:
    """One fault, and when it strikes.

    Attributes:
        fault: what goes wrong.
        after: how many commands that fit pass before.
        times: how often it strikes, then it is over; or ``always``.
        on: which commands fit: a name (``VERIFY``, ``GET DATA``, or words of what the card's kind
            calls a command; ``SIGN`` for all that sign), an INS of two hex digits, or how the
            C-APDU begins in at least four; None for all. GARBLE_ATR counts resets instead.
        executed: MUTE, REMOVE_MID_APDU, WRONG_SW: whether the card has executed the command.
        sw: WRONG_SW: the status word.
        bytes: TRUNCATE, GARBLE_ATR: how many bytes arrive; None is one byte of an answer, and an
            ATR of full length that begins wrongly.
        seconds: SLOW: how much longer the card takes.
        when: POWER_LOSS: ``before`` or ``after`` the first change of its memory lasts.
        harm: BAD_BLOCK: ``spoil``, ``lose`` or ``cut``.
        blocks: BAD_BLOCK: how many blocks of each command.
        reader: name or number of the reader, where it is not told otherwise.

    Raises:
        UsageError: a value is not possible.
    """

    fault: Fault
    after: int = 0
    times: int | str = 1
    on: str | None = None
    executed: bool = False
    sw: int = 0x6F00
    bytes: int | None = None
    seconds: float = 1.0
    when: str = "before"
    harm: str = "spoil"
    blocks: int = 1
    reader: str | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.fault, Fault):
            raise UsageError(f"{self.fault!r} is no fault", hint=_names_hint(str(self.fault)))
        takes = ("fault", *_KEYS[self.fault], *_COMMON)
        for field in fields(self):
            if field.name not in takes and getattr(self, field.name) != field.default:
                raise UsageError(
                    f"{self.fault.value} takes no {field.name}", hint=_keys_hint(self.fault)
                )
        self._check_number("after", self.after)
        if self.times != ALWAYS:
            self._check_number("times", self.times, 1)
        self._check_number("blocks", self.blocks, 1)
        if self.bytes is not None:
            self._check_number("bytes", self.bytes)
        _check_amount("sw", self.sw, 0xFFFF, "for example sw=6983")
        if isinstance(self.sw, float):
            raise UsageError(f"sw={self.sw} is not possible", hint="for example sw=6983")
        if self.executed not in (True, False):
            raise UsageError(f"executed={self.executed!r} is not possible", hint="True or False")
        self._check_reader(self.reader)
        _check_amount("seconds", self.seconds, _LONGEST_S, "for example seconds=2.5")
        _check_choice("when", self.when, ("before", "after"))
        _check_choice("harm", self.harm, HARMS)
        if self.on is not None:
            if self.fault is Fault.GARBLE_ATR:
                raise UsageError("garble-atr takes no on", hint="it counts resets, not commands")
            _check_on(self.on)

    def _check_number(self, name: str, value: object, least: int = 0) -> None:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= _MOST:
            other = ", or always" if name == "times" else ""
            raise UsageError(
                f"{name}={value} is not possible", hint=f"a number from {least} on{other}"
            )

    def _check_reader(self, reader: object) -> None:
        if isinstance(reader, int) and not isinstance(reader, bool):
            object.__setattr__(self, "reader", str(reader))
        elif reader is not None and (not isinstance(reader, str) or "," in reader):
            raise UsageError(f"reader={reader!r} is not possible", hint="its name or number")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``FAULT[,key=value…]``; raises UsageError naming what there is."""
        word, *pairs = text.split(",")
        fault = _fault(word)
        found: dict[str, Any] = {}
        for pair in pairs:
            name, equals, value = pair.strip().partition("=")
            if name not in (*_KEYS[fault], *_COMMON):
                hint = near(name, (*_KEYS[fault], *_COMMON))
                raise UsageError(
                    f"{fault.value} takes no {name!r}", hint=_join(hint, _keys_hint(fault))
                )
            if not equals or not value:
                raise UsageError(f"{name} of {fault.value} has no value", hint=_keys_hint(fault))
            if name in found:
                raise UsageError(f"{name} is given twice in {text!r}", hint="give it once")
            found[name] = _read(name, value)
        return cls(fault, **found)

    def __str__(self) -> str:
        return ",".join((self.fault.value, *self._told((*_KEYS[self.fault], *_COMMON))))

    @property
    def effect(self) -> str:
        """What it does, for the trace: without the command, which may hold a secret."""
        return ",".join(self._told(_KEYS[self.fault], defaults=True))

    @property
    def masked(self) -> str:
        """The plan for a report: of a C-APDU that is named the header, its data may be secret."""
        on = None if self.on is None else _hex(self.on)
        if on is None or len(on) <= _HEADER:
            return str(self)
        return str(self).replace(f"on={self.on}", f"on={on[:_HEADER].hex().upper()}…")

    def _told(self, names: tuple[str, ...], *, defaults: bool = False) -> Iterator[str]:
        for name in names:
            value = getattr(self, name)
            if value is not None and (defaults or value != _DEFAULTS[name]):
                yield f"{name}={_written(name, value)}"

    def fits(self, command: _Data, text: Callable[[], str]) -> bool:
        """Whether the plan is for ``command``, which the card's kind describes as ``text()``."""
        on = self.on
        if on is None:
            return True
        if (prefix := _hex(on)) is not None:
            return command[1:2] == prefix if len(prefix) == 1 else command.startswith(prefix)
        wanted = on.casefold()
        if wanted == SIGN.casefold():
            return command[1:3] in _SIGNATURE or command[1:2] in _KEY_USE
        named = INS_NAMES.get(command[1], "") if len(command) > 1 else ""
        return _has_words(named, wanted) or _has_words(text(), wanted)


_DEFAULTS: dict[str, Any] = {
    field.name: field.default for field in fields(FaultPlan) if field.name != "fault"
}


# ---------------------------------------------------------------------- reading and writing


def _fault(word: str) -> Fault:
    tidy = word.strip().lower().replace("_", "-")
    for fault in Fault:
        if fault.value == tidy:
            return fault
    raise UsageError(f"unknown fault {word!r}", hint=_names_hint(tidy))


def _names_hint(word: str) -> str:
    names = [fault.value for fault in Fault]
    return _join(near(word.lower(), names), "faults: " + ", ".join(names))


def _keys_hint(fault: Fault) -> str:
    common = _COMMON[1:] if fault is Fault.GARBLE_ATR else _COMMON
    return f"{fault.value} takes " + ", ".join(f"{key}=…" for key in (*_KEYS[fault], *common))


def _join(*parts: str) -> str:
    return "; ".join(part for part in parts if part)


def _check_amount(name: str, value: object, most: float, hint: str) -> None:
    number = value if isinstance(value, int | float) and not isinstance(value, bool) else -1
    if not 0 <= number <= most:
        raise UsageError(f"{name}={value} is not possible", hint=hint)


def _check_choice(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise UsageError(
            f"{name}={value} is not possible",
            hint=_join(near(str(value), known), " or ".join(known)),
        )


def _read(name: str, value: str) -> object:
    """Read a value; what is none is left as it is for the check to refuse."""
    if name in ("after", "times", "bytes", "blocks"):
        digits = value.isascii() and value.isdecimal() and len(value) <= _MAX_DIGITS
        return int(value) if digits else value
    if name == "sw":
        return int(value, 16) if len(value) == 4 and _hex(value) is not None else value
    if name == "seconds":
        try:
            return float(value)
        except ValueError:
            return value
    if name == "executed":
        _check_choice(name, value, ("yes", "no"))
        return value == "yes"
    return value


def _written(name: str, value: object) -> str:
    if name == "sw":
        return f"{value:04X}"
    if name == "executed":
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) and value == float(f"{value:g}") else str(value)


def _hex(text: str) -> bytes | None:
    """Return whole bytes of hexadecimal digits, or None."""
    try:
        return bytes.fromhex(text) if text.isalnum() and text.isascii() else None
    except ValueError:
        return None


def _has_words(text: str, wanted: str) -> bool:
    return f" {wanted} " in f" {text.casefold().replace(',', ' ').replace(':', ' ')} "


def _check_on(on: object) -> None:
    """Refuse what is no name and no bytes, and slips of the names that everybody knows."""
    # What begins as a number is no name: it would fit nothing.
    if (
        not isinstance(on, str)
        or not on.strip()
        or "," in on
        or not on.isprintable()
        or (_hex(on) is None and _NUMBER.fullmatch(on))
    ):
        raise UsageError(
            f"on={on!r} names no command", hint="a name, an INS of two hex digits, or a C-APDU"
        )
    known = sorted({*INS_NAMES.values()})
    if _hex(on) is None and not any(_has_words(name, on.casefold()) for name in known):
        meant = near(on.upper(), known, _SURE)
        if meant:
            raise UsageError(
                f"on={on} names no command",
                hint=f"{meant} Or give an INS of two hex digits, or how the C-APDU begins",
            )
