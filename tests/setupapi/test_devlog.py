# SPDX-License-Identifier: Apache-2.0
import datetime
import re

from driver_packages import HARDWARE, PIV, package

from vreader.setupapi.devlog import device_install, import_package, node_of, store_path
from vreader.setupapi.package import Signature
from vreader.setupapi.rank import search
from vreader.setupapi.target import TargetOS

WHEN = datetime.datetime(2026, 11, 26, 3, 4, 5, 678_900)
INSTANCE = r"SCFILTER\CID_51FF0800\VIRTUAL_READER"
GUID = "{990a2bd7-e738-46c7-b26f-1cf8fb9f1391}"
VENDOR = package("Vendor.inf", HARDWARE, Signature.AUTHENTICODE)._replace(published="oem3.inf")
INBOX = package("inbox.inf", PIV, Signature.INBOX, "06/21/2006,10.0.0.0")


def log(*packages, **options):
    found = search(packages, [HARDWARE], [PIV], TargetOS())
    nodes = [node_of(each, "amd64") for each in found]
    return device_install(INSTANCE, [HARDWARE], [PIV], nodes, WHEN, **options)


def test_a_search_and_the_install_of_its_winner():
    vendor, inbox = store_path(VENDOR, "amd64"), store_path(INBOX, "amd64")
    told = "\n".join(log(INBOX, VENDOR, service="UmPass"))
    assert (
        told
        == rf"""
>>>  [Device Install (Hardware initiated) - {INSTANCE}]
>>>  Section start 2026/11/26 03:04:05.678
     dvi: {{Build Driver List}} 03:04:05.678
     dvi:      Searching for hardware ID(s):
     dvi:           scfilter\cid_51ff0800
     dvi:      Searching for compatible ID(s):
     dvi:           scfilter\cid_2777be07-6993-4513-bd80-c184fcb0ab2d
     dvi: {{Build Driver List - exit(0x00000000)}} 03:04:05.678
     utl: {{Select Drivers - {INSTANCE}}} 03:04:05.678
     utl:      Driver Node:
     utl:           Status         - Selected
     utl:           Driver INF     - oem3.inf ({vendor})
     utl:           Class GUID     - {GUID}
     utl:           Driver Version - 10/03/2020,1.0.0.0
     utl:           Configuration  - SCFILTER\CID_51FF0800 [I.NT]
     utl:           Driver Rank    - 00FF0000
     utl:           Signer Score   - Authenticode (0F000000)
     utl:      Driver Node:
     utl:           Status         - Outranked
     utl:           Driver INF     - inbox.inf ({inbox})
     utl:           Class GUID     - {GUID}
     utl:           Driver Version - 06/21/2006,10.0.0.0
     utl:           Configuration  - {PIV} [I.NT]
     utl:           Driver Rank    - 00FF2000
     utl:           Signer Score   - Inbox (0D000003)
     utl: {{Select Drivers - exit(0x00000000)}} 03:04:05.678
     ndv: {{Core Device Install}} 03:04:05.678
     dvi:      {{Install Device - {INSTANCE}}} 03:04:05.678
     inf:           {{Install from INF Section - I.NT}} 03:04:05.678
     inf:           {{Install from INF Section - exit(0x00000000)}} 03:04:05.678
     dvi:           Add Service: Created service 'UmPass'.
     dvi:      {{Install Device - exit(0x00000000)}} 03:04:05.678
     ndv: {{Core Device Install - exit(0x00000000)}} 03:04:05.678
<<<  Section end 2026/11/26 03:04:05.678
<<<  [Exit status: SUCCESS]"""[1:]
    )
    assert vendor.startswith(r"C:\Windows\System32\DriverStore\FileRepository\vendor.inf_amd64_")


def test_nothing_fits():
    told = log(lasting=datetime.timedelta(seconds=60))
    assert "!    utl:      No drivers found." in told
    assert told[-2:] == [
        "<<<  Section end 2026/11/26 03:05:05.678", "<<<  [Exit status: FAILURE(0xe0000228)]",
    ]  # fmt: skip


def test_signer_scores_of_all_signers():
    scores = {}
    for signature in Signature:
        for section in ("I.NT", "I"):
            told = "\n".join(log(package("v.inf", HARDWARE, signature, section=section)))
            scores[signature, section] = re.search(r"Signer Score   - (.*)", told).group(1)
    assert list(dict.fromkeys(scores.values())) == [
        "Inbox (0D000003)", "WHQL (0D000005)", "Authenticode (0F000000)",
        "Not digitally signed (80000000)", "Not digitally signed (C0000000)",
    ]  # fmt: skip


def test_a_package_is_staged():
    told = import_package(VENDOR, "amd64", WHEN)
    assert told[0] == ">>>  [SetupCopyOEMInf - Vendor.inf]"
    assert "     inf:      Driver Version: 10/03/2020,1.0.0.0" in told
    assert r"     inf: Published Inf Path: C:\Windows\INF\oem3.inf" in told
    assert not [line for line in told if line.startswith("!")]
    unsigned = import_package(VENDOR._replace(signature=Signature.UNSIGNED), "amd64", WHEN)
    assert "!    sig:      Driver package is not signed." in unsigned
