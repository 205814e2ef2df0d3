# SPDX-License-Identifier: Apache-2.0
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vreader.errors import UsageError
from vreader.registry import NameRefusedError, Registry, Value
from vreader.registry.view import View, check_bits, seen

CALAIS = r"SOFTWARE\Microsoft\Cryptography\Calais"

# Win32 "Registry Keys Affected by WOW64", Windows 7 and later.
NARROW = [
    (rf"HKLM\{CALAIS}\SmartCards\X", r"HKLM\SOFTWARE\Wow6432Node" + CALAIS[8:] + r"\SmartCards\X"),
    (rf"HKLM\{CALAIS}", r"HKLM\SOFTWARE\Wow6432Node\Microsoft\Cryptography\Calais"),
    (rf"HKLM\{CALAIS}\Readers\R 0", None),
    (rf"HKLM\{CALAIS}\Current", None),
    (rf"HKLM\{CALAIS}\ReadersX", r"HKLM\SOFTWARE\Wow6432Node" + CALAIS[8:] + r"\ReadersX"),
    (r"HKLM\SOFTWARE", r"HKLM\SOFTWARE\Wow6432Node"),
    (r"HKEY_LOCAL_MACHINE\Software\V", r"HKEY_LOCAL_MACHINE\Software\Wow6432Node\V"),
    (r"HKLM\SOFTWARE\Policies\Microsoft\Windows\ScPnP", None),
    (r"HKLM\SOFTWARE\Microsoft\SystemCertificates\ROOT", None),
    (r"HKLM\SOFTWARE\microsoft\windows nt\currentversion\Print", None),
    (
        r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion",
        r"HKLM\SOFTWARE\Wow6432Node\Microsoft\Windows NT\CurrentVersion",
    ),
    (r"HKLM\SOFTWARE\Classes\.inf", None),
    (r"HKLM\SOFTWARE\Classes\CLSID\{1}", r"HKLM\SOFTWARE\Classes\Wow6432Node\CLSID\{1}"),
    *(
        (rf"HKLM\SOFTWARE\Classes\{name}", rf"HKLM\SOFTWARE\Classes\Wow6432Node\{name}")
        for name in ("DirectShow", "Interface", "Media Type", "MediaFoundation")
    ),
    (r"HKCR\CLSID\{1}", r"HKEY_LOCAL_MACHINE\SOFTWARE\Classes\Wow6432Node\CLSID\{1}"),
    (r"HKCR\AppID\{1}", None),
    (r"HKCU\Software\Classes\Interface", r"HKCU\Software\Classes\Wow6432Node\Interface"),
    (r"HKCU\Software\V", None),
    (r"HKU\S-1\Software\V", None),
    (r"HKLM\SYSTEM\CurrentControlSet\Services\SCardSvr", None),
    (r"HKLM\SOFTWAREX\V", None),
    (r"HKLM", None),
]
# The page's rows below HKLM\SOFTWARE that are shared, in its order; Shared Tools as in view.py.
SHARED = r"""
Classes, Clients, Microsoft\COM3, Microsoft\Cryptography\Calais\Current,
Microsoft\Cryptography\Calais\Readers, Microsoft\Cryptography\Services, Microsoft\CTF\SystemShared,
Microsoft\CTF\TIP, Microsoft\DFS, Microsoft\Driver Signing, Microsoft\EnterpriseCertificates,
Microsoft\EventSystem, Microsoft\MSMQ, Microsoft\Non-Driver Signing, Microsoft\Notepad\DefaultFonts,
Microsoft\OLE, Microsoft\RAS, Microsoft\RPC, Microsoft\Shared Tools\MSInfo,
Microsoft\SystemCertificates, Microsoft\TermServLicensing, Microsoft\TransactionServer,
Microsoft\Windows\CurrentVersion\App Paths,
Microsoft\Windows\CurrentVersion\Control Panel\Cursors\Schemes,
Microsoft\Windows\CurrentVersion\Explorer\AutoplayHandlers,
Microsoft\Windows\CurrentVersion\Explorer\DriveIcons,
Microsoft\Windows\CurrentVersion\Explorer\KindMap,
Microsoft\Windows\CurrentVersion\Group Policy, Microsoft\Windows\CurrentVersion\Policies,
Microsoft\Windows\CurrentVersion\PreviewHandlers, Microsoft\Windows\CurrentVersion\Setup,
Microsoft\Windows\CurrentVersion\Telephony\Locations, Microsoft\Windows NT\CurrentVersion\Console,
Microsoft\Windows NT\CurrentVersion\FontDpi, Microsoft\Windows NT\CurrentVersion\FontLink,
Microsoft\Windows NT\CurrentVersion\FontMapper, Microsoft\Windows NT\CurrentVersion\Fonts,
Microsoft\Windows NT\CurrentVersion\FontSubstitutes,
Microsoft\Windows NT\CurrentVersion\Gre_Initialize,
Microsoft\Windows NT\CurrentVersion\Image File Execution Options,
Microsoft\Windows NT\CurrentVersion\Language Pack, Microsoft\Windows NT\CurrentVersion\NetworkCards,
Microsoft\Windows NT\CurrentVersion\Perflib, Microsoft\Windows NT\CurrentVersion\Ports,
Microsoft\Windows NT\CurrentVersion\Print, Microsoft\Windows NT\CurrentVersion\ProfileList,
Microsoft\Windows NT\CurrentVersion\Time Zones, Policies, RegisteredApplications
"""
LINKS = [
    (r"HKLM\SOFTWARE\Wow6432Node\V", None),
    (r"HKLM\SOFTWARE\Wow6432Node\V\AppId", None),
    (r"HKLM\Software\WOW6432NODE\Policies", None),
    (r"HKLM\SOFTWARE\Wow6432Node\Classes\CLSID", r"HKLM\SOFTWARE\Classes\Wow6432Node\CLSID"),
    (r"HKLM\SOFTWARE\Wow6432Node\Classes\AppId\{1}", r"HKLM\SOFTWARE\Classes\AppId\{1}"),
    (r"HKLM\SOFTWARE\Classes\Wow6432Node\Typelib", r"HKLM\SOFTWARE\Classes\Typelib"),
    (r"HKLM\SOFTWARE\Classes\Wow6432Node\CLSID", None),
    (r"HKCR\Wow6432Node\PROTOCOLS", r"HKEY_LOCAL_MACHINE\SOFTWARE\Classes\PROTOCOLS"),
    (r"HKCR\Wow6432Node", None),
    (r"HKCU\Software\Classes\Wow6432Node\AppId", None),
]


@pytest.mark.parametrize(("path", "leads_to"), NARROW)
def test_a_32_bit_program_is_redirected(path, leads_to):
    assert seen(path, 32) == (leads_to or path)
    assert seen(path, 64) == path
    assert seen(path, 32, 32) == path


def test_what_is_shared_is_the_page_s_list():
    rows = [rf"HKLM\SOFTWARE\{row}\X" for row in SHARED.replace("\n", " ").strip().split(", ")]
    assert len(rows) == 49
    assert [seen(row, 32) for row in rows] == rows
    for row in rows:  # a name that begins alike is another
        beside = row.removesuffix("\\X") + "X"
        assert seen(beside, 32) == beside.replace("SOFTWARE", r"SOFTWARE\Wow6432Node")


@pytest.mark.parametrize("bits", [32, 64])
@pytest.mark.parametrize(("path", "leads_to"), LINKS)
def test_a_path_that_names_the_other_view_follows_the_links_alone(path, leads_to, bits):
    assert seen(path, bits) == (leads_to or path)


def test_what_a_32_bit_program_registers_a_service_does_not_see():
    registry = Registry()
    narrow, wide = View(registry, 32), View(registry)
    card = rf"HKLM\{CALAIS}\SmartCards\X"
    narrow.create(card).set("ATR", Value.binary(b"\x3b\0"))
    assert wide.find(card) is None
    assert narrow.open(card).get("atr") == Value.binary(b"\x3b\0")
    assert registry.find(narrow.path(card)) is narrow.find(card)
    narrow.delete(rf"HKLM\{CALAIS}", tree=True)
    assert registry.find(r"HKLM\SOFTWARE\Wow6432Node\Microsoft\Cryptography\Calais") is None


def test_readers_are_shared():
    registry = Registry()
    View(registry, 32).create(rf"HKLM\{CALAIS}\Readers\R 0")
    assert View(registry).find(rf"HKLM\{CALAIS}\Readers\R 0") is not None


@pytest.mark.parametrize(("bits", "system_bits"), [(64, 32), (16, 64), (32, 128)])
def test_programs_that_cannot_be_are_refused(bits, system_bits):
    with pytest.raises(UsageError) as error:
        check_bits(bits, system_bits)
    assert error.value.hint


@pytest.mark.parametrize("path", ["HKLX\\A", "HKLM\\A\\\\B"])
def test_no_path_is_refused(path):
    with pytest.raises(NameRefusedError):
        View(Registry(), 32).path(path)


NAMES = st.sampled_from(
    ["SOFTWARE", "Classes", "Wow6432Node", "CLSID", "AppId", "Microsoft", "Policies", "x"]
)


@given(
    st.sampled_from(["HKLM", "HKCU", "HKCR", "HKU"]), st.lists(NAMES, max_size=6),
    st.sampled_from([32, 64]),
)  # fmt: skip
def test_where_a_path_leads_leads_nowhere_else(root, names, bits):
    once = seen("\\".join((root, *names)), bits)
    assert seen(once, bits) == once
    assert seen(once, 64) == once
