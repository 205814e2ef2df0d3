# SPDX-License-Identifier: Apache-2.0
"""Looks for a secret in what is written for people: traces, logs, facts."""

WINDOW = 5


def shows(output, secret):
    """Whether some bytes in a row of ``secret`` stand in ``output``: as hex, as text, as a repr."""
    flat = output.replace(b" ", b"").upper()
    parts = [secret[at : at + WINDOW] for at in range(len(secret) - WINDOW + 1)]
    return any(
        part.hex().upper().encode() in flat
        or part in output
        or repr(part)[2:-1].encode() in output
        or str(list(part))[1:-1].encode() in output
        for part in parts
    )
