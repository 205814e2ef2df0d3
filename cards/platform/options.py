# SPDX-License-Identifier: Apache-2.0
"""Reads what people type as options of a card; imported with every start of the tool."""

from collections.abc import Mapping, Sequence

from vreader.errors import UsageError


def hex_option(options: Mapping[str, str], name: str, least: int, most: int | None = None) -> bytes:
    """Return an option of ``least`` to ``most`` bytes in hex, or of just ``least``.

    Raises:
        UsageError: it is not in hex, or has another length.
    """
    most = least if most is None else most
    try:
        value = bytes.fromhex(options[name])
    except ValueError:
        value = None
    if value is not None and least <= len(value) <= most:
        return value
    if least == most:
        raise UsageError(
            f"{name} must be {least} bytes in hex", hint=f"write {2 * least} hex digits"
        )
    if value is None:
        raise UsageError(f"{name} must be bytes in hex", hint=f"for example {name}=3B80")
    raise UsageError(
        f"{name} has {least} to {most} bytes, not {len(value)}",
        hint="add some" if len(value) < least else "leave some out",
    )


def choice_option(options: Mapping[str, str], name: str, values: Sequence[str]) -> str:
    """Return an option that is one of ``values``, the first by default; raises UsageError."""
    value = options.get(name, values[0])
    if value not in values:
        raise UsageError(f"{name}={value} is not possible", hint="use " + " or ".join(values))
    return value
