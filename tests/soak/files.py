# SPDX-License-Identifier: Apache-2.0
"""Files a user may be given: ``.reg`` and INF. Refused with their own error, or read to the end."""

import abc
import contextlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import ClassVar

from mutate import Mutator
from surfaces import Surface

import vreader.reader
from vreader.errors import UsageError
from vreader.registry import Registry
from vreader.registry.regexport import export_reg
from vreader.registry.regfile import RegFileError, import_reg
from vreader.setupapi.calais import SMART_CARDS
from vreader.setupapi.defaultinstall import install_default
from vreader.setupapi.inf import InfError, parse_inf, read_inf
from vreader.setupapi.install import install_device
from vreader.setupapi.lint import lint
from vreader.setupapi.skeleton import skeleton
from vreader.setupapi.target import TargetOS, models_for

OUR_INF = Path(vreader.reader.__file__).with_name("vreader.inf").read_text()
MINIDRIVER = skeleton(
    bytes.fromhex("3B0451FF0800"), name="Fabrikam", vendor="Fabrikam", module="fabrikamcm.dll"
)
REG = r"""Windows Registry Editor Version 5.00

; a card
[HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Cryptography\Calais\SmartCards\Fabrikam]
"ATR"=hex:3b,04,51,ff,\
  08,00
"80000001"="C:\\fabrikam \"x\".dll"
@="two
lines"
"n"=dword:0000002a
"m"=hex(7):61,00,00,00,00,00
"gone"=-
[-HKEY_CURRENT_USER\Old]
[HKEY_CURRENT_USER\Old]
"q"=hex(b):01,02,03,04,05,06,07,08
"""
REG_WORDS = [
    "[HKEY_USERS\\A]", "[-HKCR\\a]", '"v"=', "@=", "-", "hex(2):", "hex:", "dword:ffffffff", "\\",
    '"', ";", "REGEDIT4", "\\\\", "00,", "\0", "é", "\ud800",
]  # fmt: skip
INF_WORDS = [
    "[Reader.NT]", "[Strings.0409]", "AddReg=Reader.Device", "DelReg=Reader.Device", "Needs=",
    "HKR,,v,0x00010008,a,b", "HKLM,Software,,4", "HKR,,Exclusive,0x10001,1", "AddService=,2",
    "%", '"', "\\", ";", ",", "=", "[", "%12%", "%%", "0x", "Include=x.inf", "Needs=Reader.NT.HW",
    "[DefaultInstall]", "AddReg=Card_Wide", "Needs=Card_x86.NT", "SCFILTER\\CID_", "80000100",
    ",ff", "%CardKey%", "0x00004000", f"HKLM,{SMART_CARDS}\\x,ATR,1,3b",
    "RegisterDlls=Card_Wide", "CopyFiles=@x.dll",
]  # fmt: skip


class TextFile(Surface, abc.ABC):
    """A text file, changed by lines and words and bytes."""

    good: ClassVar[str]
    words: ClassVar[list[str]]
    encodings: ClassVar[tuple[str, ...]] = ("utf-16", "utf-8", "cp1252")

    def open(self) -> None:
        """Nothing to set up: each file is read on its own."""

    def case(self, mutator: Mutator) -> tuple[bytes, int]:
        chance = mutator.chance
        lines = self.good.split("\n")
        for _ in range(chance.randint(1, 6)):
            at = chance.randrange(len(lines))
            other, word = chance.choice(lines), chance.choice(self.words)
            cut = chance.randrange(len(lines[at]) + 1)
            lines[at] = chance.choice(
                (other, lines[at][:cut] + word + lines[at][cut:], word, lines[at][:cut],
                 lines[at][:5000] * chance.choice((2, 300)), "")
            )  # fmt: skip
        text = chance.choice(("\n", "\r\n", "\r")).join(lines)
        case = text.encode(chance.choice(self.encodings), "replace")
        if chance.random() < 0.3:
            case = mutator.mutate(case, [case])
        return case, 1


class Reg(TextFile):
    """``.reg`` files: what is read can be written and read again."""

    name = "reg"
    good = REG
    words = REG_WORDS

    def play(self, case: bytes) -> str | None:
        registry = Registry()
        try:
            import_reg(registry, case)
        except RegFileError as error:
            if told(registry) != told(Registry()):
                return f"refused and half read: {error}"
            return None
        return comes_back(registry)

    def innocent(self) -> None:
        registry = Registry()
        assert import_reg(registry, REG.encode()) == 10
        assert registry.find(r"HKCU\Old") is not None


class Inf(TextFile):
    """INF files: read, linted and installed, or refused before anything is written."""

    name = "inf"
    good = OUR_INF
    words = INF_WORDS

    def case(self, mutator: Mutator) -> tuple[bytes, int]:
        self.good = mutator.chance.choice((OUR_INF, MINIDRIVER))
        return super().case(mutator)

    def play(self, case: bytes) -> str | None:
        try:
            inf = read_inf(case)
        except InfError:
            return None
        with contextlib.suppress(InfError):
            lint(inf, [inf])
        target = TargetOS()
        try:
            models = models_for(inf, target)
        except InfError:
            return None
        installs: list[Callable[..., object]] = [partial(install_default, inf)]
        installs += [
            partial(_install, inf, hardware_ids=model.ids or ["x"]) for model in models[:3]
        ]
        for install in installs:
            registry = Registry()
            try:
                install(registry=registry)
            except InfError as error:
                if told(registry) != told(Registry()):
                    return f"refused and half installed: {error}"
        return None

    def innocent(self) -> None:
        inf = parse_inf(OUR_INF)
        assert lint(inf) == []
        done = install_device(inf, Registry(), [r"ROOT\VREADER"], instance="ROOT\\VREADER\\0000")
        assert done.exclusive


_install = partial(install_device, instance="ROOT\\X\\0")


def comes_back(registry: Registry) -> str | None:
    """Write a registry as a ``.reg`` file and read it again; return what was wrong."""
    try:
        written = export_reg(registry)
    except UsageError:
        return None  # a name with a line end
    again = Registry()
    import_reg(again, written)
    return None if told(again) == told(registry) else "written and read it is another"


def told(registry: Registry) -> list[object]:
    return [(key.path, key.values()) for root in registry.roots() for key in root.walk()]
