# SPDX-License-Identifier: Apache-2.0
"""Registered cards and ATRs for the tests of this folder, real and made by hypothesis."""

from hypothesis import strategies as st

from vreader.iso7816.atrmask import under
from vreader.pairing.matching import Pattern

H = bytes.fromhex

# Cards as they are sold; TCKs are right.
FABRIKAM = H("3B0451FF0800")
WESTCOS = H("3F690000006401810 10C829000".replace(" ", ""))
ESTEID_COLD = H("3BFE1800008031FE454573744549442076657220312E30A8")
ESTEID_35 = H("3BFA1800008031FE45FE654944202F20504B4903")
OPENPGP_2 = H("3BDA18FF81B1FE751F030031C573C001400090000C")
OPENPGP_3 = H("3BDA18FF81B1FE751F030031F573C001600090001C")
GEMSAFE_3 = H("3BFF9600008131804380318065B0850300EF120FFF82900067")
GEMSAFE_4 = H("3BFF9600008131FE4380318065B085040120120FFF829000D0")
YUBIKEY_4 = H("3BF81300008131FE15597562696B657934D4")
YUBIKEY_5 = H("3BFD1300008131FE158073C021C057597562694B657940")
TPM_CARD = H("3B8D0180FBA000000397425446590401CF")
BELGIAN = H("3B9813400AA503010101AD1311")
ALL = (
    FABRIKAM, WESTCOS, ESTEID_COLD, ESTEID_35, OPENPGP_2, OPENPGP_3, GEMSAFE_3, GEMSAFE_4,
    YUBIKEY_4, YUBIKEY_5, TPM_CARD, BELGIAN,
)  # fmt: skip

# As drivers register them: all bits, bytes left out, parts of bytes left out.
FABRIKAM_ENTRY = Pattern("Fabrikam", FABRIKAM, b"\xff" * 6)
WESTCOS_ENTRY = Pattern(
    "WESTCOS", H("3F6900000064010000 00809000".replace(" ", "")), H("FFFFFFFFFFFFFF000000F0FFFF")
)
BELGIAN_ENTRY = Pattern("BE", H("3B98004000A503010101AD1300"), H("FFFF00FF00FFFFFFFFFFFFFF00"))


@st.composite
def registrations(draw, longest=3, flawed=True) -> Pattern:
    """An entry of few bits, so that two of them often have to do with each other."""
    length = draw(st.integers(1, longest))
    bits = st.binary(min_size=length, max_size=length).map(
        lambda data: bytes(byte & 0x81 for byte in data)
    )
    atr, mask = draw(bits), draw(bits)
    name = draw(st.sampled_from("abcdefgh"))
    if flawed:
        how = draw(st.integers(0, 9))
        if how == 0:
            return Pattern(name, atr, None)
        if how == 1:
            return Pattern(name, atr, mask + b"\x01")
        if how == 2:
            return Pattern(name, b"", mask)
        if how == 3:
            return Pattern(name, atr, mask)  # perhaps with bits outside of the mask
    return Pattern(name, under(atr, mask), mask)


def few_bits(length: int, others: tuple[int, ...] = (0,)) -> list[bytes]:
    """All ATRs of a length that :func:`registrations` can tell apart.

    Those without a mask see other bits, too: ``others`` has some.
    """
    found = [b""]
    for _ in range(length):
        found = [
            head + bytes((byte | other,))
            for head in found for byte in (0, 1, 0x80, 0x81) for other in others
        ]  # fmt: skip
    return found
