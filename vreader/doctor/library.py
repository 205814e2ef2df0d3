# SPDX-License-Identifier: Apache-2.0
"""The libpcsclite that programs load: is there one, and which protocol does it speak."""

from collections.abc import Iterator

from vreader.doctor.check import Finding, note, ok, warn
from vreader.doctor.machine import Machine
from vreader.errors import UsageError


def look(_machine: Machine) -> Iterator[Finding]:
    """Have it list the readers of a socket of ours."""
    from vreader.bridge.pcsclite.probe import OVERRIDE, probe_reader_slots

    try:
        probe = probe_reader_slots()
    except UsageError as error:
        yield warn(str(error), error.hint)
        return
    if probe.library is not None:
        slots = f", {probe.slots} readers" if (probe.minor or 0) < 6 else ""
        yield ok(f"{probe.library} speaks protocol 4.{probe.minor}{slots}")
    elif probe.slots != 16:
        yield note(f"{OVERRIDE} says {probe.slots} readers; the library was not asked")
    else:
        yield note(
            "no libpcsclite answers: PC/SC programs cannot run here",
            "apt install libpcsclite1, if programs need it that bring none of their own",
        )
