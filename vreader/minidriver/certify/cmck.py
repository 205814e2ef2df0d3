# SPDX-License-Identifier: Apache-2.0
"""``cmck_config.xml``: the file in which Microsoft's card minidriver test is told about a card.

The format is known from files that vendors of minidrivers publish. It has a block for each version
of the specification; the newest one counts. What it says of the INF and the log is not used here,
nor is the type of a PIN: vendors give an "empty" one a value.
"""

import re
from collections.abc import Iterable, Mapping
from typing import TypeVar
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from vreader.errors import UsageError, near
from vreader.minidriver.abi.carddata import CURRENT_VERSION, MINIMUM_VERSION
from vreader.minidriver.abi.codes import Calg, Kdf, KeySpec, Padding
from vreader.minidriver.abi.pins import MAX_PINS
from vreader.minidriver.certify.placedxml import Node, XmlError, parse
from vreader.minidriver.certify.settings import OPTIONAL_FUNCTIONS, Settings
from vreader.readfile import read_file

T = TypeVar("T")

_VERSIONS = ("V7", "V6", "V5")
_ROOT = "CMCKConfig"
_THREADS, _CHALLENGES = "MultiThreaded", "NonRepeatingChallenge"
_MOST = {(_THREADS, "t"): 64, (_THREADS, "n"): 1000, (_CHALLENGES, "n"): 10_000}
_MAX_SIZE = 1 << 20
_HINT = "'vreader minidriver certify init' writes one to start from"
_KEYS = {f"AT_{spec.name}": spec for spec in KeySpec}
_PADDINGS = {f"CARD_PADDING_{padding.name}": padding for padding in Padding}
_HASHES = {f"CALG_{calg.name}": calg for calg in Calg}
_KDFS = {kdf.value: kdf for kdf in Kdf}
_BYTE = re.compile(r"(0[xX])?[0-9A-Fa-f]{1,2}")


def load(path: str) -> Settings:
    """Read a file.

    Raises:
        UsageError: it cannot be read, is no XML, or says something nobody knows; with the line and
            the column where it has one.
    """
    try:
        root = parse(read_file(path, _MAX_SIZE, _HINT))
    except XmlError as error:
        raise UsageError(f"{path}:{error.line}:{error.column}: {error}", hint=_HINT) from None
    block = next((one for name in _VERSIONS if (one := root.find(name))), None)
    if root.tag != _ROOT or block is None:
        raise UsageError(f"{path}: there is no {_ROOT} with V5, V6 or V7 in it", hint=_HINT)
    return _File(path, block).settings()


class _File:
    """One block of a file."""

    def __init__(self, path: str, block: Node) -> None:
        self._path = path
        self._block = block

    def settings(self) -> Settings:
        plain = Settings()
        tried = self._parameters()
        minimum = self._version("MinimumVersion", plain.minimum_version)
        current = self._version("CurrentVersion", plain.current_version)
        if minimum > current:
            node = self._supports("MinimumVersion") or self._block
            raise self._bad(
                node, "MinimumVersion", str(minimum), f"at most CurrentVersion, {current}"
            )
        return Settings(
            pins=dict(self._pins()),
            minimum_version=minimum,
            current_version=current,
            key_import=self._truth("KeyImport"),
            key_types=self._words("KeyTypes", _KEYS),
            paddings=self._words("PaddingAlgorithms", _PADDINGS),
            hashes=self._words("SignHashAlgorithms", _HASHES),
            size_only=self._truth("SignReturnBufferSize"),
            kdfs=self._words("KDFTypes", _KDFS),
            functions=tuple(n for n in OPTIONAL_FUNCTIONS if self._truth(f"Supports{n}")),
            threads=tried.get((_THREADS, "t"), plain.threads),
            rounds=tried.get((_THREADS, "n"), plain.rounds),
            challenges=tried.get((_CHALLENGES, "n"), plain.challenges),
        )

    def _supports(self, name: str) -> Node | None:
        return self._block.find(f"CardDefaults/CardSupports/{name}")

    def _error(self, node: Node, told: str, hint: str = "") -> UsageError:
        place = f"{self._path}:{node.line}:{node.column}"
        return UsageError(f"{place}: {told}", hint=hint or _HINT)

    def _bad(self, node: Node, name: str, text: str, due: str) -> UsageError:
        shown = text if len(text) < 40 else text[:40] + "…"
        return self._error(node, f"{name} is {shown!r}, not {due}")

    def _number(self, node: Node, name: str, least: int, most: int) -> int:
        text = node.text
        if not (re.fullmatch("[0-9]{1,9}", text) and least <= int(text) <= most):
            raise self._bad(node, name, text, f"a number from {least} to {most}")
        return int(text)

    def _version(self, name: str, default: int) -> int:
        node = self._supports(name)
        if node is None or not node.text:
            return default
        return self._number(node, name, MINIMUM_VERSION, CURRENT_VERSION)

    def _truth(self, name: str) -> bool:
        node = self._supports(name)
        text = "" if node is None else node.text
        if node is not None and text.lower() not in ("", "true", "false"):
            raise self._bad(node, name, text, "True or False")
        return text.lower() == "true"

    def _words(self, name: str, known: Mapping[str, T]) -> tuple[T, ...]:
        node = self._supports(name)
        if node is None:
            return ()
        for word in node.text.split():
            if word not in known:
                hint = near(word, known) or f"known are {' '.join(known)}"
                raise self._error(node, f"{name} has {word!r}", hint)
        return tuple(dict.fromkeys(known[word] for word in node.text.split()))

    def _pins(self) -> Iterable[tuple[int, bytes]]:
        for entry in self._block.find_all("CardDefaults/DefaultPins/PinEntry"):
            role = self._number(entry.find("RoleID") or entry, "RoleID", 0, MAX_PINS - 1)
            value = entry.find("Value") or entry
            words = value.text.split()
            if not all(_BYTE.fullmatch(word) for word in words):
                raise self._error(value, "Value has other than bytes in hexadecimal, 0x31 0x32 …")
            if words:
                yield role, bytes(int(word, 16) for word in words)

    def _parameters(self) -> dict[tuple[str, str], int]:
        found = {}
        for entry in self._block.find_all("TestSuiteDefaults/TestParams/TestParam"):
            test, name = (
                (node.text if (node := entry.find(tag)) else "") for tag in ("Test", "Name")
            )
            if (test, name) in _MOST:
                value, most = entry.find("Value") or entry, _MOST[test, name]
                found[test, name] = self._number(value, f"{test} {name}", 1, most)
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
