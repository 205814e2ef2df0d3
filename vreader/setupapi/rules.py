# SPDX-License-Identifier: Apache-2.0
"""What the INF lint knows: numbered rules, each with its reason, its source and what to do.

1xx are rules of any INF, 2xx those of a smart card reader's, 3xx those of a card's minidriver
(:mod:`vreader.setupapi.rules_minidriver`). Numbers never change their meaning.
"""

from collections.abc import Mapping
from typing import Final

from vreader.setupapi.rule import ERROR, INFO, WARNING, Rule
from vreader.setupapi.rules_minidriver import MINIDRIVER_RULES

READER_CLASS: Final = "SmartCardReader"
READER_GUID: Final = "{50DD5230-BA8A-11D1-BF5D-0000F805F530}"

_REGISTERING: Final = "WDK Registering a WDM Smart Card Reader Driver"
_WRITING: Final = "WDK Writing an INF file for a Smart Card Reader Driver"
_LOGGING: Final = "WDK Enabling Smart Card Event Logging in the Registry"
_ADD_SERVICE: Final = "WDK INF AddService Directive"
_ADD_REG: Final = "WDK INF AddReg Directive"
_VERSION: Final = "WDK INF Version Section"
_MANUFACTURER: Final = "WDK INF Manufacturer Section"
_STRINGS: Final = "WDK INF Strings Section"

_ALL: Final = (
    Rule(
        101, ERROR, "no Signature that Windows knows",
        "Windows does not take the file for an INF",
        _VERSION, 'Signature = "$WINDOWS NT$" in [Version]',
    ),
    Rule(
        102, ERROR, "no Provider",
        "the driver store refuses a package without one",
        _VERSION, "Provider = %token% in [Version]",
    ),
    Rule(
        103, WARNING, "no CatalogFile",
        "without a catalog the package cannot be signed, and 64-bit Windows installs no other",
        "WDK INF Version Section; Catalog Files", "CatalogFile = name.cat in [Version]",
    ),
    Rule(
        104, ERROR, "no good DriverVer",
        "drivers are ranked by its date and version, and the driver store refuses a package "
        "without one",
        "WDK INF DriverVer Directive",
        "DriverVer = mm/dd/yyyy,w.x.y.z in [Version]: a day, and numbers below 65535, not all 0",
    ),
    Rule(
        105, ERROR, "a token is not defined",
        "it stays as it is written, percent signs included",
        _STRINGS, "define it in [Strings]; a percent sign itself is written %%",
    ),
    Rule(
        106, ERROR, "a language lacks a token",
        "one [Strings] section is chosen, and sections do not mix",
        _STRINGS, "define every token in each section",
    ),
    Rule(
        107, ERROR, "a section is named but not there",
        "the install ends at this line",
        "WDK General Syntax Rules for INF Files", "add the section, or correct its name",
    ),
    Rule(
        108, ERROR, "a registry line cannot be read",
        "the install ends at this line",
        _ADD_REG, "reg-root, [subkey], [value name], [flags], [value]",
    ),
    Rule(
        109, ERROR, "no models",
        "there is nothing to install",
        _MANUFACTURER, "%vendor% = Models,NTamd64 in [Manufacturer], and [Models.NTamd64]",
    ),
    Rule(
        110, ERROR, "models without a decoration",
        "since Windows Server 2003 SP1 an undecorated section is for x86 alone",
        _MANUFACTURER, "add NTamd64 and NTarm64 to the line in [Manufacturer]",
    ),
    Rule(
        111, ERROR, "no such TargetOS decoration",
        "a decoration that cannot be read fits no Windows",
        _MANUFACTURER, "nt[arch][.[major][.[minor][.[product][.[suite][.[build]]]]]]",
    ),
    Rule(
        112, ERROR, "files without a destination",
        "Windows would not know where to copy them",
        "WDK INF DestinationDirs Section", "DefaultDestDir = 12 in [DestinationDirs]",
    ),
    Rule(
        113, WARNING, "a file is not in [SourceDisksFiles]",
        "files that are not listed are not in the driver store",
        "WDK INF SourceDisksFiles Section", "list it in [SourceDisksFiles]",
    ),
    Rule(
        114, WARNING, "Include and Needs do not go together",
        "a section of another file is used by its file and its name",
        "WDK INF DDInstall Section", "Include = other.inf and Needs = its section",
    ),
    Rule(
        115, WARNING, "PnpLockdown is not 1",
        "other programs may change the driver's files",
        _VERSION, "PnpLockdown = 1 in [Version]",
    ),
    Rule(
        116, INFO, "DriverVer's version has fewer than four parts",
        "a missing part counts as 0, and of two drivers of one date the higher version wins",
        "WDK INF DriverVer Directive", "DriverVer = mm/dd/yyyy,w.x.y.z",
    ),
    Rule(
        117, WARNING, "an architecture has no CatalogFile",
        "CatalogFile with a decoration is for that architecture alone, and the package is not "
        "signed for the others",
        "WDK INF Version Section; Catalog Files",
        "CatalogFile = name.cat, or one CatalogFile.nt<arch> for each",
    ),
    Rule(
        118, WARNING, "a token in a text of [Strings]",
        "texts are put in once: a token in one of them stays as it is written",
        _STRINGS, "the whole text; a percent sign itself is written %%",
    ),
    Rule(
        201, ERROR, "Class and ClassGuid are not those of readers",
        "a reader driver is a member of the setup class SmartCardReader",
        _WRITING, "Class = SmartCardReader, ClassGuid = {50DD5230-BA8A-11D1-BF5D-0000F805F530}",
    ),
    Rule(
        202, WARNING, "the device is not exclusive",
        "another program can open the reader beside the resource manager, unless the driver "
        "refuses",
        "WDK Specifying Exclusive Access to Device Objects",
        "HKR,,Exclusive,0x10001,1 in an AddReg section of DDInstall.HW",
    ),
    Rule(
        203, ERROR, "no function driver",
        "no driver is loaded for the reader",
        _ADD_SERVICE, "AddService = name,0x2,section in DDInstall.Services",
    ),
    Rule(
        204, ERROR, "ServiceType is not 1",
        "a reader driver is a kernel-mode driver",
        _REGISTERING, "ServiceType = 1",
    ),
    Rule(
        205, ERROR, "StartType is neither 2 nor 3",
        "2 starts the driver with the system, 3 when its reader comes",
        f"{_REGISTERING}; INF AddService Directive", "StartType = 2, or 3 while developing",
    ),
    Rule(
        206, WARNING, "LoadOrderGroup is not SmartCardReader",
        "the resource manager waits for this group to start",
        f'{_REGISTERING} (the 1998 DDK has "Smart Card Reader")',
        "LoadOrderGroup = SmartCardReader",
    ),
    Rule(
        207, WARNING, "ErrorControl is not 1",
        "1 tells of a driver that fails to load and lets the system start",
        _REGISTERING, "ErrorControl = 1",
    ),
    Rule(
        208, ERROR, "no ServiceBinary",
        "the service has no file to load",
        _ADD_SERVICE, r"ServiceBinary = %12%\driver.sys",
    ),
    Rule(
        209, WARNING, "no event source",
        "what SmartcardLogError writes cannot be shown in words",
        _LOGGING, "name an event-log-install section as the fourth value of AddService",
    ),
    Rule(
        210, ERROR, "EventMessageFile is not a file name with its extension",
        "the event viewer finds no message texts",
        _LOGGING,
        r'HKR,,EventMessageFile,0x00020000,"%%SystemRoot%%\System32\Drivers\driver.sys"',
    ),
    Rule(
        211, WARNING, "TypesSupported is not 7",
        "a driver logs errors, warnings and information",
        _LOGGING, "HKR,,TypesSupported,0x00010001,7",
    ),
    Rule(
        212, WARNING, r"Calais\Readers is obsolete",
        "the smart card subsystem sets itself up since Windows 7",
        _WRITING, "leave the line out, unless the driver is for older systems too",
    ),
    Rule(
        213, WARNING, "the start of SCardSvr is obsolete",
        "the smart card subsystem sets itself up since Windows 7",
        _WRITING, "leave the line out, unless the driver is for older systems too",
    ),
    Rule(
        214, WARNING, "the start of CertPropSvc is obsolete",
        "the smart card subsystem sets itself up since Windows 7",
        _WRITING, "leave the line out, unless the driver is for older systems too",
    ),
    Rule(
        215, ERROR, "a UMDF driver without its policy",
        "the Plug and Play filter cannot sit above the reflector",
        _WRITING, "UmdfKernelModeClientPolicy = AllowKernelModeClients in DDInstall.Wdf",
    ),
    Rule(
        216, ERROR, "a model without an id",
        "it fits no device",
        "WDK INF Models Section", "%reader% = DDInstall,hardware-id",
    ),
    Rule(
        217, WARNING, "an interface of another class",
        "the resource manager looks for GUID_DEVINTERFACE_SMARTCARD_READER",
        "WDK Smart Card Reader (NFC) design guide",
        "AddInterface = {50DD5230-BA8A-11D1-BF5D-0000F805F530}",
    ),
    Rule(
        218, ERROR, "Exclusive in the wrong place",
        "outside of DDInstall.HW it is a value of the driver and does nothing",
        "WDK Specifying Exclusive Access to Device Objects",
        "AddReg in DDInstall.HW",
    ),
)  # fmt: skip

RULES: Final[Mapping[int, Rule]] = {rule.number: rule for rule in (*_ALL, *MINIDRIVER_RULES)}
