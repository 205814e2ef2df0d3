# SPDX-License-Identifier: Apache-2.0
"""Keys that are made once for all cards; a mutant is not made of this file."""

from functools import cache

from cryptography.hazmat.primitives.asymmetric import ec, rsa

CURVES = {256: ec.SECP256R1(), 384: ec.SECP384R1(), 521: ec.SECP521R1()}
_POOL = 4
_next = [0]


@cache
def _rsa(bits, number):
    return rsa.generate_private_key(65537, bits)


def generate(spec, bits):
    """Return another key than the last three times."""
    if not spec.is_rsa:
        return ec.generate_private_key(CURVES[spec.bits])
    _next[0] = (_next[0] + 1) % _POOL
    return _rsa(bits, _next[0])
