# SPDX-License-Identifier: Apache-2.0
"""Which bytes of a conversation are random by themselves, so that no two runs have them alike.

Known by the commands of ISO/IEC 7816-4 and -8 alone, whatever the card: challenges, signatures,
generated keys, and what two sides prove to each other. Identifiers, serial numbers and certificates
are not random here: they stay the same as long as the card does.

:func:`random_ranges` looks at one exchange; :class:`Randomness` follows a conversation, and also
knows what GET RESPONSE fetches and the keys that were generated in it.
"""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple, Self

from vreader.errors import UsageError, near
from vreader.iso7816 import Tlv, TlvError
from vreader.iso7816.pattern import Pattern

Ranges = tuple[tuple[int, int], ...]
"""(start, end) offsets, in ascending order, that do not touch each other."""

RULES: Final[Mapping[str, str]] = {
    "challenge": "what GET CHALLENGE answers",
    "signature": "what INTERNAL and GENERAL AUTHENTICATE and PSO: COMPUTE DIGITAL SIGNATURE answer",
    "key": "public keys that were generated, and attestations of them",
    "authentication": "what EXTERNAL, MUTUAL and GENERAL AUTHENTICATE prove, to and from the card",
    "atr": "the ATR, too; not without being named",
}
"""The rules by name, and what bytes they free."""

_ASKED_FOR = "atr"
_CHAINED, _GET_RESPONSE, _METADATA = 0x10, 0xC0, 0xF7
_PUBLIC_KEY = b"\x7f\x49"
_TEMPLATES = (b"\x7c", _PUBLIC_KEY)  # b"\x7c": dynamic authentication data
# Key references with which GENERAL AUTHENTICATE proves who somebody is: PIV's management key, and
# none, as GIDS has it. With others it signs.
_PROVING = (0x00, 0x9B)


class Freed(NamedTuple):
    """A rule of a user's own: bytes of the answer to a command may be anything.

    Attributes:
        command: which commands.
        start, end: which bytes of the answer's data; an ``end`` of None is all the rest.
    """

    command: Pattern
    start: int = 0
    end: int | None = None


class Masks(NamedTuple):
    """What may differ between two conversations that are the same.

    Attributes:
        names: rules of :data:`RULES`.
        own: rules of a user's own.
    """

    names: frozenset[str] = frozenset(RULES) - {_ASKED_FOR}
    own: tuple[Freed, ...] = ()

    @classmethod
    def parse(cls, texts: Sequence[str]) -> Self:
        """Read rules: they are added to what is random anyway; ``none`` takes away all before it.

        Args:
            texts: each a name of :data:`RULES`, or a command as hexadecimal, ``.`` being any digit
                and ``*`` at the end any further bytes, whose answer's data may be anything.
                ``@START-END`` behind it are the bytes that may, numbered from 0, END not included.

        Raises:
            UsageError: one is no rule.
        """
        names: set[str] = set(cls().names)
        own: list[Freed] = []
        for text in texts:
            if text == "none":
                names, own = set(), []
            elif text in RULES:
                names.add(text)
            else:
                own.append(_freed(text))
        return cls(frozenset(names), tuple(own))

    @property
    def atr(self) -> bool:
        """Whether the ATR may differ."""
        return _ASKED_FOR in self.names


RANDOM: Final = Masks()
"""What is random by itself."""


def random_ranges(command: bytes, response: bytes, masks: Masks = RANDOM) -> Ranges:
    """Return which bytes of a response are random.

    The second byte of a status word 61XX is among them where lengths are random, too.

    Args:
        command: the C-APDU; of a chain, its last link.
        response: the R-APDU, its status word included.
        masks: what may be random.
    """
    if len(command) < 2 or len(response) < 2:
        return ()
    end = len(response) - 2
    rule = _rule_of(command, response)
    if rule in masks.names:
        head = next((len(tag) for tag in _TEMPLATES if response.startswith(tag)), 0)
        return _merged([(min(head, end), end), *_more(response)])
    found = [
        (freed.start, end if freed.end is None else min(freed.end, end))
        for freed in masks.own
        if freed.command.fits(command)
    ]
    return _merged(found)


def random_in_command(command: bytes, masks: Masks = RANDOM) -> Ranges:
    """Return which bytes of a command are random: what a program proves of itself."""
    if len(command) <= 5 or "authentication" not in masks.names:
        return ()
    start = 7 if command[4] == 0 and len(command) > 7 else 5
    size = int.from_bytes(command[5:7], "big") if start == 7 else command[4]
    span = (start, min(start + size, len(command)))
    match command[1]:
        case 0x82:
            return (span,)
        case 0x86 | 0x87:
            return (span,) if _proves(command, command[span[0] : span[1]]) else ()
    return ()


class Randomness:
    """Follows one side of a conversation and tells what of each answer is random.

    Args:
        masks: what may be random.
    """

    def __init__(self, masks: Masks = RANDOM) -> None:
        self._masks = masks
        self._goes_on = False
        self._generated: set[int] = set()

    def reset(self) -> None:
        """Follow a reset: nothing of an answer is left to be fetched."""
        self._goes_on = False

    def answer(self, command: bytes, response: bytes) -> Ranges:
        """Return which bytes of ``response`` are random; call it for every exchange, in order."""
        end = len(response) - 2
        if end < 0 or len(command) < 4:
            self._goes_on = False
            return ()
        if command[1] == _GET_RESPONSE and self._goes_on:
            ranges = _merged([(0, end), *_more(response)])
        elif self._tells_generated(command, response):
            ranges = _merged([(len(_PUBLIC_KEY), end), *_more(response)])
        else:
            ranges = random_ranges(command, response, self._masks)
        generates = "key" in self._masks.names and _rule_of(command, response) == "key"
        if generates and command[1] in (0x46, 0x47) and response[-2] in (0x90, 0x61):
            self._generated.add(command[3])
        self._goes_on = bool(ranges) and response[-2] == 0x61
        return ranges

    def _tells_generated(self, command: bytes, response: bytes) -> bool:
        """Tell whether an answer has a public key that was generated in this conversation."""
        if command[1] == _METADATA:
            return command[3] in self._generated
        return bool(self._generated) and response.startswith(_PUBLIC_KEY)


def _rule_of(command: bytes, response: bytes) -> str:
    """Return the rule by which an answer is random, or nothing."""
    ins, p1, p2 = command[1], *command[2:4].ljust(2, b"\0")
    if command[0] & _CHAINED and len(response) == 2 and response[0] != 0x61:
        return ""  # a link of a chain, answered by its status word alone
    match ins:
        case 0x84:
            return "challenge"
        case 0x82:
            return "authentication"
        case 0x86 | 0x87:
            return "authentication" if p2 in _PROVING else "signature"
        case 0x88:
            return "signature"
        case 0x2A | 0x2B if p1 == 0x9E:
            return "signature"
        case 0x46 | 0x47 if not p1 & 1:  # with that bit it reads a key that is there
            return "key"
        case 0xF9 if response.startswith(b"\x30"):  # Yubico's ATTEST: a certificate
            return "key"
    return ""


def _proves(command: bytes, data: bytes) -> bool:
    """Tell whether a GENERAL AUTHENTICATE carries a proof or a fresh key, not what is to be signed.

    Of a chain only the first link can be understood.
    """
    try:
        inner = {tlv.tag: tlv.value for tlv in Tlv.read(data, 0)[0].children()}
    except TlvError:
        return False
    if 0x85 in inner:
        return True  # the other side's key of a key agreement
    return command[3] in _PROVING and any(inner.values())


def _more(response: bytes) -> list[tuple[int, int]]:
    """Return where a response tells how much is left of something of random length."""
    return [(len(response) - 1, len(response))] if response[-2] == 0x61 else []


def _merged(ranges: Sequence[tuple[int, int]]) -> Ranges:
    merged: list[tuple[int, int]] = []
    for start, end in sorted(ranges):
        if start >= end:
            continue
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple(merged)


def _freed(text: str) -> Freed:
    digits, at, span = text.partition("@")
    try:
        command = Pattern.parse(digits)
        if len(command.value) < 2:
            raise ValueError("a command has two bytes at least")
        if not at:
            return Freed(command)
        start, _, end = span.partition("-")
        freed = Freed(command, int(start), int(end) if end else None)
    except ValueError as error:
        names = ", ".join(RULES)
        meant = near(text, RULES)
        hint = f"rules: {names}, none; or a command, for example 00CA....*@0-4"
        raise UsageError(f"{text!r} is no rule: {error}", hint=f"{meant} {hint}".lstrip()) from None
    if freed.start < 0 or (freed.end is not None and freed.end <= freed.start):
        raise UsageError(f"{text!r}: no bytes are there", hint="write @START-END, START below END")
    return freed
