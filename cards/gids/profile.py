# SPDX-License-Identifier: Apache-2.0
"""What a GIDS card can be made as. Small: imported with every start of the tool."""

from typing import NamedTuple


class Variant(NamedTuple):
    """What all cards of one kind have in common.

    Attributes:
        atr: answer to reset.
        pin_sizes: shortest and longest PIN and PUK.
        pin: the PIN of a new card that is ready made.
        tries: how many wrong PINs it takes.
    """

    atr: bytes
    pin_sizes: tuple[int, int]
    pin: bytes
    tries: int


# T=0 and T=1, no historical bytes: programs find the application by its AID.
GIDS = Variant(bytes.fromhex("3B80800101"), (4, 16), b"123456", 3)
# The historical bytes hold the AID; Windows pairs the card by them. Tpmvscmgr's DEFAULT PIN.
TPM = Variant(bytes.fromhex("3B8D0180FBA000000397425446590401CF"), (8, 127), b"12345678", 5)

# The DEFAULT of Tpmvscmgr and the sample of Microsoft's driver documentation.
DEFAULT_ADMIN_KEY = bytes(range(1, 9)) * 3

READY, BLANK = "windows", "blank"
