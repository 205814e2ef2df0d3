# SPDX-License-Identifier: Apache-2.0
"""The 3xx rules of the INF lint: those of a card's minidriver. Numbers never change meaning."""

from typing import Final

from vreader.setupapi.rule import ERROR, INFO, WARNING, Rule

CARD_CLASS: Final = "SmartCard"
CARD_GUID: Final = "{990A2BD7-E738-46C7-B26F-1CF8FB9F1391}"

_PNP: Final = "WDK Smart Card Plug and Play"
_DISCOVERY: Final = "WDK Smart Card Discovery Process"
_REGISTRATION: Final = "WDK Minidriver Registration"
_DEFAULT_INSTALL: Final = "WDK INF DefaultInstall Section"
_PROMPTS: Final = "WDK Smart Card Minidriver Specification, PIN operations"
_ISO: Final = "ISO/IEC 7816-3 §8"
_RANKING: Final = "WDK How Windows Ranks Drivers"
_KB_NULL: Final = "KB 976832"
_KB_PIV: Final = "KB 4563240"

MINIDRIVER_RULES: Final = (
    Rule(
        301, ERROR, "Class and ClassGuid are not those of minidrivers",
        "a card's minidriver is a member of the setup class SmartCard",
        _PNP, "Class = SmartCard, ClassGuid = {990A2BD7-E738-46c7-B26F-1CF8FB9F1391}",
    ),
    Rule(
        302, ERROR, "no DefaultInstall",
        "the section is mandatory in minidriver packages",
        _PNP, "[DefaultInstall.NTamd64] with the directives of the DDInstall section",
    ),
    Rule(
        303, INFO, "DefaultInstall and Manufacturer in one file",
        "minidrivers need both, and a universal driver package may not have both",
        _DEFAULT_INSTALL, "leave it: no INF can be right for both",
    ),
    Rule(
        304, INFO, "DefaultInstall without an architecture",
        "in a universal package the section is decorated",
        _DEFAULT_INSTALL, "[DefaultInstall.NTx86], [DefaultInstall.NTamd64]",
    ),
    Rule(
        305, ERROR, "HKR under DefaultInstall",
        "there is no device, and so no key the line is relative to",
        "WDK INF AddReg Directive", "HKLM and the whole path",
    ),
    Rule(
        306, INFO, "models lead to DefaultInstall",
        "the section is then DDInstall, too: what one of the two ways needs, the other gets",
        "WDK INF Models Section", "a DDInstall section of its own",
    ),
    Rule(
        307, INFO, "models for an architecture that has no DefaultInstall",
        "there the package is installed with a device alone, not from the file's menu",
        _DEFAULT_INSTALL, "add its section: [DefaultInstall.NTamd64]",
    ),
    Rule(
        310, ERROR, "the ATR has bits its mask takes away",
        "the card's ATR is masked and compared with this value: they are never equal",
        _PNP, "write 00 in ATR where ATRMask has 00: ATR & ATRMask",
    ),
    Rule(
        311, ERROR, "ATR and ATRMask have different lengths",
        "one mask byte stands for each byte of the ATR",
        "SDK SCardIntroduceCardType", "as many bytes in ATRMask as in ATR",
    ),
    Rule(
        312, ERROR, "no card can have this ATR",
        "what the mask leaves of it breaks the rules for an ATR",
        _ISO, "copy the ATR from the card: TS, T0, interface bytes, historical bytes, TCK",
    ),
    Rule(
        313, ERROR, "the check byte TCK is wrong",
        "a reader refuses a card with such an ATR",
        _ISO, "the exclusive or of T0 to TCK is 00; or take TCK out of the mask",
    ),
    Rule(
        314, ERROR, "no ATR",
        "the entry pairs with no card",
        _REGISTRATION, r"HKLM,%card%,ATR,0x00000001,3b,… in an AddReg section",
    ),
    Rule(
        315, WARNING, "no ATRMask",
        "three values are asked for; without a mask the ATR is compared as it is, if at all",
        f"{_REGISTRATION}; SDK SCardIntroduceCardType",
        r"HKLM,%card%,ATRMask,0x00000001,ff,… in an AddReg section",
    ),
    Rule(
        316, ERROR, "no card module",
        "the Base CSP and the key storage provider load the file that 80000001 names",
        _REGISTRATION, r"HKLM,%card%,80000001,,module.dll in an AddReg section",
    ),
    Rule(
        317, ERROR, "no provider",
        "neither CAPI nor CNG programs find a provider for the card",
        _REGISTRATION,
        'Crypto Provider = "Microsoft Base Smart Card Crypto Provider", '
        'Smart Card Key Storage Provider = "Microsoft Smart Card Key Storage Provider"',
    ),
    Rule(
        318, INFO, "one provider is missing",
        "a card is used through the CSP by CAPI programs, through the KSP by CNG programs",
        _REGISTRATION, "add the other one, if the module works there",
    ),
    Rule(
        319, INFO, "a provider of its own",
        "the module is loaded by Microsoft's two providers alone, and an entry with another CSP "
        "keeps the card from Plug and Play",
        f"{_REGISTRATION}; {_KB_NULL}",
        "Microsoft Base Smart Card Crypto Provider, Microsoft Smart Card Key Storage Provider",
    ),
    Rule(
        320, ERROR, "a value of the wrong type",
        "ATR and ATRMask are REG_BINARY, the rest is REG_SZ",
        _REGISTRATION, "flags 0x00000001 and bytes without 0x, or 0x00000000 and a text",
    ),
    Rule(
        321, ERROR, r"a hardware id that no card has",
        r"Windows calls a card SCFILTER\CID_ and its historical bytes or a GUID",
        _DISCOVERY, r"%card% = DDInstall,SCFILTER\CID_51ff0800",
    ),
    Rule(
        322, ERROR, "the hardware id is not made from a registered ATR",
        "the driver comes for one card and registers another",
        _PNP, "the historical bytes of the ATR, or the first GUID of the card's object 7F68",
    ),
    Rule(
        323, ERROR, "an id of the inbox PIV or GIDS driver",
        "all such cards have it, those of other vendors too, and the newer driver takes them",
        f"{_KB_PIV}; {_PNP}", "the historical bytes of the card's ATR",
    ),
    Rule(
        324, WARNING, "32-bit programs are not told of the card",
        r"on 64-bit Windows they look below SOFTWARE\Wow6432Node",
        _PNP, r"the same values below SOFTWARE\Wow6432Node\Microsoft\Cryptography\Calais",
    ),
    Rule(
        325, WARNING, "a value for 32-bit programs in the wrong place",
        "the section is for the other view of the registry",
        _PNP, "the token that the lines around it have",
    ),
    Rule(
        326, WARNING, r"Wow6432Node\…\Calais",
        "InfVerif /h allows Calais\\SmartCards alone; the package works, and Microsoft's sample "
        "does so",
        "WDK InfVerif; Smart Card Plug and Play",
        "leave it, unless the package must pass InfVerif /h",
    ),
    Rule(
        327, WARNING, "the two views of a card differ",
        "32-bit and 64-bit programs take different cards for it",
        _PNP, "the same ATR and ATRMask in both",
    ),
    Rule(
        328, WARNING, "no such PIN prompt",
        "80000100 to 80000106 are texts for the PIN's purposes, in hexadecimal",
        _PROMPTS, "80000100 for authentication … 80000106 for unblocking",
    ),
    Rule(
        329, WARNING, "a PIN prompt that cannot be read",
        "it is LangID,text;LangID,text without quotation marks, each language once",
        _PROMPTS, '"en-US,Enter your PIN;de-DE,PIN eingeben"',
    ),
    Rule(
        330, WARNING, "the card module is not copied",
        "the file that 80000001 names is missing after the install",
        "WDK INF CopyFiles Directive", "CopyFiles = section in DDInstall, the file in the section",
    ),
    Rule(
        331, WARNING, "the card module is copied to where it is not looked for",
        "a name without a path is looked for in the system directory of the program's bitness and "
        "in the driver store",
        "WDK Using Dirids; Smart Card Plug and Play",
        r"10,system32 or 11 or 13; 10,syswow64 or 16425 for the 32-bit module",
    ),
    Rule(
        332, WARNING, "Windows 7 gets no function driver",
        "a card is a device there, and umpass.inf has the driver for one that needs none",
        _PNP, "Include = umpass.inf and Needs = UmPass, UmPass.Services, … in each section",
    ),
    Rule(
        333, WARNING, "a .Services section without a service",
        "it says nothing, and the device gets no function driver",
        _KB_NULL, "AddService = ,2, or Include = umpass.inf and Needs = UmPass.Services",
    ),
    Rule(
        334, WARNING, "nothing for 64-bit Windows",
        "the models are for x86 alone",
        "WDK INF Manufacturer Section", "%vendor% = Models,NTx86,NTamd64",
    ),
    Rule(
        335, WARNING, "nothing leads to this section",
        "a section is found by its exact name, and no section of this file and no rule names it",
        "WDK INF DDInstall Section", "correct the name, or take the section out",
    ),
    Rule(
        336, WARNING, "two cards of the package fit one ATR",
        "the first in the order of the registry is taken, and that order is not documented",
        _PNP, "masks that leave a byte in which the cards differ",
    ),
    Rule(
        337, WARNING, "a card of another package fits the same ATR",
        "the first in the order of the registry is taken, and that order is not documented",
        _PNP, "a mask that leaves a byte in which the cards differ",
    ),
    Rule(
        338, WARNING, "the same hardware id once more",
        "the newest driver is taken, then the one with the highest version",
        _RANKING, "the historical bytes of the card's own ATR",
    ),
    Rule(
        339, WARNING, "a card of another package has the same name",
        "both write one key, and the later install wins",
        _REGISTRATION, "a name that begins with the vendor's",
    ),
    Rule(
        340, WARNING, "no card is registered",
        "with the device nothing is installed that a program could use",
        _REGISTRATION, "AddReg lines, or AddService = ,2 where that is meant",
    ),
    Rule(
        341, WARNING, "64-bit Windows is not told of the card",
        r"its services and 64-bit programs do not look below SOFTWARE\Wow6432Node",
        _PNP, r"the same values below SOFTWARE\Microsoft\Cryptography\Calais",
    ),
    Rule(
        342, WARNING, "the mask keeps nothing of the card's own",
        "cards of other vendors have such an ATR, and the module gets them",
        _PNP, "ff in ATRMask for historical bytes that only this card has",
    ),
    Rule(
        343, INFO, "no model is for this card",
        "Plug and Play finds no driver for it; it is known once another card or DefaultInstall "
        "has installed the package",
        _PNP, "a model with the historical bytes of this ATR, too",
    ),
)  # fmt: skip
