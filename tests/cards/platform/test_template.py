# SPDX-License-Identifier: Apache-2.0
"""FCI, FCP and FMD hold what they should."""

from cards.platform import Template
from cards.platform.template import file_template
from vreader.iso7816 import Tlv

PARAMETERS = [Tlv(0x82, b"\x38"), Tlv(0x84, b"name")]
MANAGEMENT = [Tlv(0x50, b"label")]


def test_each_template():
    fcp, fmd = b"\x82\1\x38\x84\4name", b"\x50\5label"
    assert file_template(Template.FCP, PARAMETERS, MANAGEMENT) == b"\x62\x09" + fcp
    assert file_template(Template.FMD, PARAMETERS, MANAGEMENT) == b"\x64\x07" + fmd
    assert file_template(Template.FCI, PARAMETERS, MANAGEMENT) == b"\x6f\x10" + fcp + fmd
    assert file_template(Template.NONE, PARAMETERS, MANAGEMENT) == b""
    assert file_template(Template.FMD, PARAMETERS) == b"\x64\0"
