# SPDX-License-Identifier: Apache-2.0
"""The text of a new minidriver's INF, section by section. See :mod:`vreader.setupapi.skeleton`."""

from collections.abc import Iterator
from typing import Final

from vreader.registry.names import fold
from vreader.setupapi.calais import INBOX_MODULE, SMART_CARDS, SMART_CARDS_WOW64
from vreader.setupapi.minidriver import NARROW
from vreader.setupapi.rules_minidriver import CARD_CLASS, CARD_GUID

# The oldest Windows with Plug and Play for cards; there is none for ARM64 before 10.
_SINCE: Final = {"x86": "6.1", "amd64": "6.1", "arm64": "10.0"}
_UMPASS: Final = ("", ".HW", ".Services", ".CoInstallers", ".Interfaces")
_BYTES_A_LINE: Final = 12


class SkeletonWriter:
    """Writes an INF; what it is given is good.

    Attributes:
        name, vendor, driver_ver: as they are written.
        id: the hardware id.
        atr, mask: of one length; the ATR is masked.
        architectures: for which it is.
        providers: names and texts of their registry values.
        module, module_narrow: file names after the install; of 64 and of 32 bits.
    """

    def __init__(self, name: str, vendor: str, driver_ver: str) -> None:
        self.name = name
        self.vendor = vendor
        self.driver_ver = driver_ver
        self.id = ""
        self.atr = self.mask = b""
        self.architectures: list[str] = []
        self.providers: list[tuple[str, str]] = []
        self.module = self.module_narrow = ""
        self._sources: dict[str, str] = {}  # by architecture: the file of the package

    def choose_files(self, module: str, narrow: str) -> None:
        """Name the files of the package; two architectures cannot share one."""
        self.module, self.module_narrow = module, narrow
        wide = [arch for arch in self.architectures if arch not in NARROW]
        shared = len(wide) > 1 or module.lower() == narrow.lower()
        stem, _, suffix = module.rpartition(".")
        for arch in wide:
            source = f"{stem}_{arch}.{suffix}" if shared else module
            self._sources[arch] = f"_{source}" if source.lower() == narrow.lower() else source
        self._sources["x86"] = narrow

    def lines(self) -> Iterator[str]:
        """Yield the lines of the file; an empty one is the last."""
        yield from self._head()
        yield from self._models()
        yield "; The card as a device: UmPass is Windows' driver for what needs to do nothing."
        for arch in self.architectures:
            yield from self._install(arch)
        yield from self._default_install()
        yield from self._cards()
        if not self._inbox:
            yield from self._files()
        yield from self._strings()

    @property
    def _inbox(self) -> bool:
        """The module is that of Windows, and so in its place."""
        return fold(self.module) == INBOX_MODULE

    @property
    def _wide(self) -> bool:
        return any(arch not in NARROW for arch in self.architectures)

    def _head(self) -> Iterator[str]:
        stem = self.module.rpartition(".")[0]
        yield from (
            f"; Minidriver package for {self.name}",
            ";",
            "; Before it is used: put its files, if it copies any, beside it, make and sign the",
            "; catalog, and give DriverVer a newer date or a higher version with each release.",
            "",
            "[Version]",
            'Signature   = "$Windows NT$"',
            f"Class       = {CARD_CLASS}",
            f"ClassGuid   = {CARD_GUID}",
            "Provider    = %Vendor%",
            f"CatalogFile = {stem}.cat",
            f"DriverVer   = {self.driver_ver}",
            "PnpLockdown = 1",
            "",
        )

    def _models(self) -> Iterator[str]:
        yield "; Cards are devices since Windows 7 (6.1); there is no Windows before 10 on ARM64."
        yield "[Manufacturer]"
        decorations = [f"NT{arch}.{_SINCE[arch]}" for arch in self.architectures]
        yield f"%Vendor% = Cards,{','.join(decorations)}"
        yield ""
        kind = "first GUID of object 7F68" if "-" in self.id else "historical bytes of the ATR"
        yield f"; Windows makes the hardware id from the {kind}."
        for arch, decoration in zip(self.architectures, decorations, strict=True):
            yield f"[Cards.{decoration}]"
            yield f"%Card% = Card_{arch},{self.id}"
            yield ""

    def _directives(self, arch: str) -> Iterator[str]:
        wide = arch not in NARROW
        if not self._inbox:
            yield f"CopyFiles = Module_{arch}"
            if wide:
                yield "CopyFiles = Module_Wow64"
        yield "AddReg    = Card_Wide" if wide else "AddReg    = Card_Narrow"
        if wide:
            yield "AddReg    = Card_Wow64"

    def _install(self, arch: str) -> Iterator[str]:
        section = f"Card_{arch}.NT"
        for suffix in _UMPASS:
            yield f"[{section}{suffix}]"
            if not suffix:
                yield from self._directives(arch)
            yield "Include   = umpass.inf"
            yield f"Needs     = UmPass{suffix}"
            yield ""

    def _default_install(self) -> Iterator[str]:
        yield "; Mandatory for minidrivers: installs without a card, from the menu of this file."
        for arch in self.architectures:
            yield f"[DefaultInstall.NT{arch}]"
            yield from self._directives(arch)
            yield ""

    def _cards(self) -> Iterator[str]:
        yield "; A card whose ATR, masked with ATRMask, is ATR has the module 80000001. Bits of ATR"
        yield "; that the mask takes away are 0."
        if self._wide:
            yield from self._card("Card_Wide", "%CardKey%", self.module)
            yield "; The same for 32-bit programs on 64-bit Windows."
            yield from self._card("Card_Wow64", "%CardKeyWow64%", self.module_narrow)
        if any(arch in NARROW for arch in self.architectures):
            yield from self._card("Card_Narrow", "%CardKey%", self.module_narrow)

    def _card(self, section: str, key: str, module: str) -> Iterator[str]:
        yield f"[{section}]"
        for name, data in (("ATR", self.atr), ("ATRMask", self.mask)):
            yield f'HKLM,{key},"{name}",0x00000001,{_hex(data)}'
        for name, text in self.providers:
            yield f'HKLM,{key},"{name}",0x00000000,"{text}"'
        yield f'HKLM,{key},"80000001",0x00000000,"{module}"'
        yield ""

    def _files(self) -> Iterator[str]:
        yield "; The module's name after the install, then its name in the package."
        for arch in self.architectures:
            yield f"[Module_{arch}]"
            installed = self.module_narrow if arch in NARROW else self.module
            yield _copied(installed, self._sources[arch])
            yield ""
        if self._wide:
            yield "[Module_Wow64]"
            yield _copied(self.module_narrow, self._sources["x86"])
            yield ""
        yield "; 10 is the Windows directory."
        yield "[DestinationDirs]"
        for arch in self.architectures:
            yield f"Module_{arch} = 10,system32"
        if self._wide:
            yield "Module_Wow64 = 10,syswow64"
        yield ""
        yield "[SourceDisksNames]"
        yield "1 = %Disk%"
        yield ""
        yield "[SourceDisksFiles]"
        needed = [*self.architectures, *(["x86"] if self._wide else [])]
        for source in dict.fromkeys(self._sources[arch] for arch in needed):
            yield f"{source} = 1"
        yield ""

    def _strings(self) -> Iterator[str]:
        yield "[Strings]"
        yield f'Vendor       = "{self.vendor}"'
        yield f'Card         = "{self.name}"'
        if not self._inbox:
            yield f'Disk         = "{self.name} minidriver package"'
        yield f'CardKey      = "{SMART_CARDS}\\{self.name}"'
        if self._wide:
            yield f'CardKeyWow64 = "{SMART_CARDS_WOW64}\\{self.name}"'
        yield ""


def _copied(name: str, source: str) -> str:
    return name if name == source else f"{name},{source}"


def _hex(data: bytes) -> str:
    """Return the bytes of a registry line, a few of them on each line."""
    rows = [data[at : at + _BYTES_A_LINE] for at in range(0, len(data), _BYTES_A_LINE)]
    return ",\\\n    ".join(row.hex(",") for row in rows)
