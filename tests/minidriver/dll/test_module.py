# SPDX-License-Identifier: Apache-2.0
"""A minidriver DLL of ours signs with a PIV card; a bad one harms nobody but itself."""

import hashlib
import os
import select
import subprocess
import sys

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from dll_desk import HERE, PIN, compiled

from vreader.errors import UsageError
from vreader.minidriver.abi.blobs import decode_public
from vreader.minidriver.abi.codes import Calg, KeySpec, Padding
from vreader.minidriver.abi.pins import Role
from vreader.minidriver.abi.properties import CardProperty, ContainerProperty
from vreader.minidriver.abi.returncodes import CardWin32, MinidriverError
from vreader.minidriver.abi.structs import (
    CARD_CAPABILITIES,
    CARD_FILE_INFO,
    CARD_FREE_SPACE_INFO,
    CARD_KEY_SIZES,
    CONTAINER_INFO,
    PIN_INFO,
)
from vreader.minidriver.dll.module import sample_dll
from vreader.minidriver.dll.process import DllError
from vreader.minidriver.module import DllReason
from vreader.minidriver.values import ContainerInfo, Pkcs1, SigningInfo
from vreader.winscard.codes import SCARD, Win32

CARD_NAME = "vreader sample PIV card"


@pytest.fixture
def sample(desk):
    return desk.load(sample_dll())


@pytest.fixture
def bad(desk):
    return desk.load(compiled("bad"))


def test_the_sample_signs_with_a_piv_card(desk, sample):
    md = sample.CardAcquireContext(desk.data(), 0)
    assert md.version == 6
    assert {"CardSignData", "CardGetProperty"} <= md.table()
    assert "CardRSADecrypt" not in md.table()
    assert md.CardEnumFiles("mscp", 0) == ["cmapfile", "kxc00"]
    assert len(md.CardReadFile(None, "cardid", 0)) == 16
    with pytest.raises(MinidriverError) as raised:
        md.CardReadFile("mscp", "nothing", 0)
    assert raised.value.code == SCARD.E_FILE_NOT_FOUND
    assert md.CardGetFileInfo("", "cardcf", CARD_FILE_INFO()).cbFileSize == 6

    info = md.CardGetContainerInfo(0, 0, ContainerInfo())
    key, spec = decode_public(info.exchange)
    assert (key.key_size, spec, info.signature) == (2048, KeySpec.KEYEXCHANGE, None)
    size = CONTAINER_INFO.layout().size
    assert md.CardGetContainerProperty(0, ContainerProperty.INFO, bytes(size), 0) == info

    with pytest.raises(MinidriverError) as raised:
        md.CardAuthenticatePin("user", b"000000")
    assert (raised.value.code, raised.value.attempts) == (SCARD.W_WRONG_CHV, 2)
    digest = hashlib.sha256(b"a document").digest()
    padded = SigningInfo(0, spec, digest, 0, 0x40000000, Pkcs1("SHA256"), Padding.PKCS1)
    with pytest.raises(MinidriverError) as raised:
        md.CardSignData(padded)
    assert raised.value.code == SCARD.W_SECURITY_VIOLATION
    assert md.CardAuthenticateEx(Role.USER, 0, PIN) is None
    for info in (padded, SigningInfo(0, spec, digest, Calg.SHA_256, version=1)):
        signature = md.CardSignData(info)
        key.verify(signature[::-1], digest, PKCS1v15(), Prehashed(hashes.SHA256()))
    assert desk.callbacks.asked[-2:] == [padded, SigningInfo(0, spec, digest, 0x800C, version=1)]
    assert md.CardSignData(padded._replace(flags=0x20000000)) == 256

    with pytest.raises(MinidriverError) as raised:
        md.CardGetProperty(CardProperty.GUID, b"", 0)
    assert (raised.value.code, raised.value.length) == (Win32.INSUFFICIENT_BUFFER, 16)
    told = md.CardGetProperty(CardProperty.PIN_INFO, PIN_INFO().encode(), Role.USER)
    assert PIN_INFO.decode(told).dwVersion == 6
    md.CardDeleteContext()
    sample.close()
    assert sample.findings == []


@pytest.mark.parametrize(("asked", "negotiated"), [(4, 4), (5, 5), (6, 6), (7, 6)])
def test_versions_are_negotiated(desk, sample, asked, negotiated):
    md = sample.CardAcquireContext(desk.data(asked), 0)
    assert md.version == negotiated
    assert ("CardGetProperty" in md.table()) == (negotiated == 6)
    assert sample.findings == []


def test_context_parameters_reach_the_dll(desk, sample):
    for data, code in (
        (None, SCARD.E_INVALID_PARAMETER),
        (desk.data(3), CardWin32.REVISION_MISMATCH),
        (desk.data()._replace(atr=None), SCARD.E_INVALID_PARAMETER),
        (desk.data()._replace(card_name=None), SCARD.E_INVALID_PARAMETER),
        (desk.data()._replace(card=0), SCARD.E_INVALID_HANDLE),
        (desk.data()._replace(callbacks=frozenset({"CspAlloc"})), SCARD.E_INVALID_PARAMETER),
    ):
        with pytest.raises(MinidriverError) as raised:
            sample.CardAcquireContext(data, 0)
        assert raised.value.code == code


def test_the_dll_registers_itself(desk, sample):
    assert sample.register() == 0
    assert CARD_NAME in desk.api.SCardListCards(0)
    assert desk.api.SCardGetCardTypeProviderName(0, CARD_NAME, 0x80000001) == "vrmini.dll"
    assert sample.unregister() == 0
    assert CARD_NAME not in desk.api.SCardListCards(0)


CALLS = {
    "overrun": [
        lambda md: md.CardReadFile(None, "x", 0),
        lambda md: md.CardQueryCapabilities(CARD_CAPABILITIES()),
    ],
    "foreign free": [lambda md: md.CardDeleteFile(None, "x", 0)],
    "double free": [lambda md: md.CardCreateContainer(0, 1, 1, 0, None)],
    "use after free": [lambda md: md.CardCreateFile(None, "x", 1, 1)],
    "foreign memory": [lambda md: md.CardEnumFiles(None, 0)],
    "length": [lambda md: md.CardGetChallenge()],
    "input": [lambda md: md.CardAuthenticatePin("user", PIN)],
}


def test_what_no_host_forgives_is_found(desk, bad):
    md = bad.CardAcquireContext(desk.data(), 0)
    assert [finding.kind for finding in bad.findings] == ["version"]
    assert "beyond version 5" in bad.findings[0].text
    assert "CardGetProperty" not in md.table()
    for kind, calls in CALLS.items():
        for call in calls:
            bad.findings.clear()
            call(md)
            assert [finding.kind for finding in bad.findings] == [kind]
            assert "Card" in bad.findings[0].text
    bad.findings.clear()
    md.CardDeleteDirectory("x")
    assert [f.text for f in bad.findings] == [
        "CardDeleteDirectory changed hScard, which is the host's",
        "CardDeleteDirectory changed pvUnused3, which is the host's",
        "CardDeleteDirectory changed dwVersion from 5 to 6",
    ]
    bad.findings.clear()
    with pytest.raises(MinidriverError):
        md.CardEnumFiles("x", 0)
    md.CardDeauthenticate("user", 0)
    assert [tuple(finding) for finding in bad.findings] == [
        ("output", "CardEnumFiles fails and leaves a pointer for its result"),
        ("cache", "CardDeauthenticate calls CspCacheAddFile with another pvCacheContext"),
        ("cache", "CardDeauthenticate calls CspCacheAddFile with flags 1"),
    ]
    bad.findings.clear()
    md.CardCreateDirectory("x", 1)
    assert bad.findings == []
    md.CardDeleteContext()
    assert [tuple(finding) for finding in bad.findings] == [
        ("leak", "12 bytes allocated in CardCreateDirectory were never freed")
    ]


def test_what_it_prints_does_not_disturb_and_the_cache_is_the_hosts(desk, bad):
    md = bad.CardAcquireContext(desk.data(), 0)
    md.CardQueryKeySizes(1, 0, CARD_KEY_SIZES())
    md.CardWriteFile(None, "x", 0, b"content")
    assert desk.callbacks.cache == {}


def test_a_crash_an_end_and_a_hang_are_errors_with_a_reason(desk):
    bad = desk.load(compiled("bad"))
    md = bad.CardAcquireContext(desk.data(), 0)
    with pytest.raises(DllError, match=r"CardGetFileInfo crashed: access violation .*bad\.dll"):
        md.CardGetFileInfo(None, "x", CARD_FILE_INFO())
    with pytest.raises(DllError, match="the process of this context has ended"):
        md.CardReadFile(None, "x", 0)
    md = bad.CardAcquireContext(desk.data(), 0)  # the bench lives on
    with pytest.raises(DllError, match="ended with code 7: I have had enough"):
        md.CardDeleteContainer(0, 0)
    md = bad.CardAcquireContext(desk.data(), 0)
    bad.timeout_s = 0.2
    with pytest.raises(DllError, match=r"CardQueryFreeSpace hangs: no answer in 0\.2 s") as raised:
        md.CardQueryFreeSpace(0, CARD_FREE_SPACE_INFO())
    assert raised.value.hangs
    assert [finding.kind for finding in bad.findings].count("process") == 3


def test_a_dll_that_exports_nothing_or_refuses(desk):
    nothing = desk.load(compiled("nothing"))
    with pytest.raises(DllError, match=r"nothing\.dll does not export CardAcquireContext"):
        nothing.CardAcquireContext(desk.data(), 0)
    with pytest.raises(UsageError, match="does not export DllRegisterServer"):
        nothing.register()
    refuses = desk.load(compiled("nothing", "-DREFUSE"))
    assert refuses.DllMain(DllReason.PROCESS_ATTACH) is False
    crashes = desk.load(compiled("nothing", "-DCRASH"))
    with pytest.raises(DllError, match="cannot be loaded: its DllMain crashes"):
        crashes.DllMain(DllReason.PROCESS_ATTACH)
    assert [finding.kind for finding in crashes.findings] == ["process"]


HANGS = """
import sys
sys.path.insert(0, sys.argv[1])
from dll_desk import Desk, compiled
from vreader.minidriver.abi.structs import CARD_FREE_SPACE_INFO
desk = Desk()
bad = desk.load(compiled("bad"))
md = bad.CardAcquireContext(desk.data(), 0)
print(bad._process._process.pid, flush=True)
md.CardQueryFreeSpace(0, CARD_FREE_SPACE_INFO())
"""


def test_a_dll_that_hangs_ends_with_a_host_that_is_killed(wine):
    compiled("bad")
    command = [sys.executable, "-c", HANGS, str(HERE)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as host:
        try:
            ended = os.pidfd_open(int(host.stdout.readline()))
        finally:
            host.kill()
    assert select.select([ended], [], [], 30)[0], "the DLL's process lives on"
    os.close(ended)
