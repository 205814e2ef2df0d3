# SPDX-License-Identifier: Apache-2.0
"""A PIV card (NIST SP 800-73-5, SP 800-78-5), with or without the commands of a YubiKey.

``KIND`` and ``YUBIKEY`` are the plug-ins; importing them is cheap, the card itself is imported when
one is made.
"""

from cards.piv.kind import KIND, YUBIKEY

__all__ = ["KIND", "YUBIKEY"]
