# SPDX-License-Identifier: Apache-2.0
"""What SELECT tells about a file: FCI, FCP and FMD templates (ISO/IEC 7816-4:2020 §7.4)."""

from collections.abc import Sequence

from cards.platform.applet import Template
from vreader.iso7816 import Tlv

FCP, FMD, FCI = 0x62, 0x64, 0x6F
SIZE, DESCRIPTOR, IDENTIFIER, DF_NAME, LIFE_CYCLE = 0x80, 0x82, 0x83, 0x84, 0x8A
WORKING_EF, DF = 0x01, 0x38  # file descriptor bytes: transparent, and DF
OPERATIONAL = 0x05


def file_template(
    wanted: Template, parameters: Sequence[Tlv], management: Sequence[Tlv] = ()
) -> bytes:
    """Return the template that P2 of SELECT asks for; nothing when it asks for none.

    Args:
        wanted: FCP holds the control parameters, FMD the management data, FCI both.
        parameters: data objects of the control parameters, e.g. 80, 82, 83, 84, 8A.
        management: data objects of the management data, e.g. 50, 5F50.
    """
    match wanted:
        case Template.FCI:
            return bytes(Tlv.of(FCI, *parameters, *management))
        case Template.FCP:
            return bytes(Tlv.of(FCP, *parameters))
        case Template.FMD:
            return bytes(Tlv.of(FMD, *management))
    return b""
