# SPDX-License-Identifier: Apache-2.0
"""``cmck_config.xml``: the file in which Microsoft's card minidriver test is told about a card.

The format is known from files that vendors of minidrivers publish. It has a block for each version
of the specification; the newest one counts. What it says of the INF and the log is not used here.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TypeVar
from xml.etree.ElementTree import Element, ParseError, SubElement, fromstring, indent, tostring

from vreader.errors import UsageError, near
from vreader.minidriver.abi.codes import Calg, Kdf, KeySpec, Padding
from vreader.minidriver.certify.settings import OPTIONAL_FUNCTIONS, Settings

T = TypeVar("T")

_VERSIONS = ("V7", "V6", "V5")
_ROOT = "CMCKConfig"
_THREADS, _CHALLENGES = "MultiThreaded", "NonRepeatingChallenge"
_HINT = "'vreader minidriver certify init' writes one to start from"
_KEYS = {f"AT_{spec.name}": spec for spec in KeySpec}
_PADDINGS = {f"CARD_PADDING_{padding.name}": padding for padding in Padding}
_HASHES = {f"CALG_{calg.name}": calg for calg in Calg}
_KDFS = {kdf.value: kdf for kdf in Kdf}


def load(path: str) -> Settings:
    """Read a file.

    Raises:
        UsageError: it cannot be read, is no XML, or says something nobody knows.
    """
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(f"cannot read {path}: {reason}", hint=_HINT) from None
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise UsageError(f"{path} declares entities; such a file has none", hint=_HINT)
    try:
        root = fromstring(text)  # noqa: S314 - nothing can be declared in it
    except ParseError as error:
        line, column = error.position
        raise UsageError(f"{path}:{line}:{column + 1}: it is no XML", hint=_HINT) from None
    blocks = (root.find(version) for version in _VERSIONS)
    block = next((one for one in blocks if one is not None), None)
    if root.tag != _ROOT or block is None:
        raise UsageError(f"{path}: there is no {_ROOT} with V5, V6 or V7 in it", hint=_HINT)
    return _File(path, block).settings()


class _File:
    """One block of a file."""

    def __init__(self, path: str, block: Element) -> None:
        self._path = path
        self._block = block

    def settings(self) -> Settings:
        plain = Settings()
        supports = "CardDefaults/CardSupports/"
        tried = self._parameters()
        return Settings(
            pins=dict(self._pins()),
            minimum_version=self._number(f"{supports}MinimumVersion", plain.minimum_version),
            current_version=self._number(f"{supports}CurrentVersion", plain.current_version),
            key_import=self._truth(f"{supports}KeyImport"),
            key_types=self._words(f"{supports}KeyTypes", _KEYS),
            paddings=self._words(f"{supports}PaddingAlgorithms", _PADDINGS),
            hashes=self._words(f"{supports}SignHashAlgorithms", _HASHES),
            size_only=self._truth(f"{supports}SignReturnBufferSize"),
            kdfs=self._words(f"{supports}KDFTypes", _KDFS),
            functions=tuple(n for n in OPTIONAL_FUNCTIONS if self._truth(f"{supports}Supports{n}")),
            threads=tried.get((_THREADS, "t"), plain.threads),
            rounds=tried.get((_THREADS, "n"), plain.rounds),
            challenges=tried.get((_CHALLENGES, "n"), plain.challenges),
        )

    def _text(self, place: str) -> str:
        return (self._block.findtext(place) or "").strip()

    def _bad(self, place: str, text: str, due: str) -> UsageError:
        name = place.rpartition("/")[2]
        return UsageError(f"{self._path}: {name} is {text!r}, not {due}", hint=_HINT)

    def _number(self, place: str, default: int) -> int:
        text = self._text(place)
        if text and not (text.isascii() and text.isdecimal() and 0 < int(text) < 10**6):
            raise self._bad(place, text, "a number from 1 on")
        return int(text) if text else default

    def _truth(self, place: str) -> bool:
        text = self._text(place)
        if text.lower() not in ("", "true", "false"):
            raise self._bad(place, text, "True or False")
        return text.lower() == "true"

    def _words(self, place: str, known: Mapping[str, T]) -> tuple[T, ...]:
        words = self._text(place).split()
        for word in words:
            if word not in known:
                name = place.rpartition("/")[2]
                hint = near(word, known) or f"known are {' '.join(known)}"
                raise UsageError(f"{self._path}: {name} has {word!r}", hint=hint)
        return tuple(known[word] for word in words)

    def _pins(self) -> Iterable[tuple[int, bytes]]:
        for entry in self._block.findall("CardDefaults/DefaultPins/PinEntry"):
            role = (entry.findtext("RoleID") or "").strip()
            if not (role.isascii() and role.isdecimal() and int(role) < 8):
                raise self._bad("RoleID", role, "a number from 0 to 7")
            value = (entry.findtext("Value") or "").split()
            try:
                yield int(role), bytes(int(byte, 16) for byte in value)
            except ValueError:
                raise self._bad("Value", "…", "bytes in hexadecimal, 0x31 0x32 …") from None

    def _parameters(self) -> dict[tuple[str, str], int]:
        found = {}
        for entry in self._block.findall("TestSuiteDefaults/TestParams/TestParam"):
            test, name, value = (
                (entry.findtext(tag) or "").strip() for tag in ("Test", "Name", "Value")
            )
            if not (value.isascii() and value.isdecimal() and 0 < int(value) <= 10**5):
                raise self._bad(f"{test} {name}", value, "a number from 1 on")
            found[test, name] = int(value)
        return found


def dump(settings: Settings) -> str:
    """Return the text of a file that says so."""
    root = Element(_ROOT)
    block = SubElement(root, "V7")
    _add(block, "Version", "2")
    card = SubElement(block, "CardDefaults")
    pins = SubElement(card, "DefaultPins")
    for role, value in settings.pins.items():
        entry = SubElement(pins, "PinEntry")
        _add(entry, "RoleID", str(int(role)))
        _add(entry, "Type", "AlphaNumericPinType")
        _add(entry, "Value", " ".join(f"0x{byte:02x}" for byte in value))
        _add(entry, "Blocking", "True")
        _add(entry, "AllowZeroLength", "False")
    supports = SubElement(card, "CardSupports")
    _add(supports, "MinimumVersion", str(settings.minimum_version))
    _add(supports, "CurrentVersion", str(settings.current_version))
    _add(supports, "LoadingUnderCAPI", "True")
    _add(supports, "LoadingUnderCNG", "True")
    _add(supports, "KeyImport", str(settings.key_import))
    _add(supports, "KeyTypes", _names(_KEYS, settings.key_types))
    _add(supports, "OnCardPadding", "True")
    _add(supports, "PaddingAlgorithms", _names(_PADDINGS, settings.paddings))
    _add(supports, "SignHashAlgorithms", _names(_HASHES, settings.hashes))
    _add(supports, "SignReturnBufferSize", str(settings.size_only))
    _add(supports, "KDFTypes", _names(_KDFS, settings.kdfs))
    for name in OPTIONAL_FUNCTIONS:
        _add(supports, f"Supports{name}", str(name in settings.functions))
    params = SubElement(SubElement(block, "TestSuiteDefaults"), "TestParams")
    for test, name, times in (
        (_THREADS, "t", settings.threads),
        (_THREADS, "n", settings.rounds),
        (_CHALLENGES, "n", settings.challenges),
    ):
        entry = SubElement(params, "TestParam")
        _add(entry, "Test", test)
        _add(entry, "Name", name)
        _add(entry, "Value", str(times))
    indent(root)
    return tostring(root, encoding="unicode") + "\n"


def _add(parent: Element, tag: str, text: str) -> None:
    SubElement(parent, tag).text = text


def _names(known: Mapping[str, T], values: Iterable[T]) -> str:
    return " ".join(name for name, value in known.items() if value in tuple(values))
