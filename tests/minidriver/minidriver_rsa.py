# SPDX-License-Identifier: Apache-2.0
"""RSA without padding, as a card does it."""


def raw(key, block):
    """Return block ** d mod n, as long as the modulus."""
    n = key.private_numbers()
    number = pow(int.from_bytes(block, "big"), n.d, n.public_numbers.n)
    return number.to_bytes(key.key_size // 8, "big")
