# SPDX-License-Identifier: Apache-2.0
"""Reader certification: named checks in six parts, as in Microsoft's reader test (ifdtest).

A reader is used as a device, the resource manager stopped. What a check asks for stands in its
requirement or on the page it names; where those disagree, the driver profile's options decide. The
checks know of a driver what its device shows, and nothing else.
"""

from vreader.certify.check import Check, Part
from vreader.certify.run import PARTS, Certificate, Outcome, Result, certify, select

__all__ = ["PARTS", "Certificate", "Check", "Outcome", "Part", "Result", "certify", "select"]
