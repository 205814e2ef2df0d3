# SPDX-License-Identifier: Apache-2.0
"""An answer for people, line by line."""

from collections.abc import Iterator

from vreader.pairing.result import Driver, Pairing

_WIDTH = 9  # of the labels


def told(pairing: Pairing, *, steps: bool = True) -> Iterator[str]:
    """Yield the lines that tell an answer.

    Args:
        pairing: the answer.
        steps: and how it came to be.
    """
    if steps:
        stage = ""
        for step in pairing.steps:
            if step.stage != stage:
                stage = step.stage
                yield stage
            yield f"  {step.text}"
        yield ""
    yield from summary(pairing)


def summary(pairing: Pairing) -> Iterator[str]:
    """Yield the answer without its steps."""
    yield _line("card", pairing.card)
    yield _line("ATR", pairing.atr.hex(" ").upper() or "none")
    yield _line("Windows", f"{pairing.os}, a {pairing.bits}-bit program")
    device = pairing.device
    if device is not None:
        for number, each in enumerate(device.hardware_ids):
            yield _line("" if number else "device", each)
        for each in device.compatible_ids:
            yield _line("", f"{each} (compatible)")
        if device.problem:
            yield _line("", device.problem)
    else:
        yield _line("device", f"none: {_why_no_device(pairing)}")
    for driver in pairing.candidates:
        mark = "taken" if driver == pairing.driver else "fits"
        yield _line("driver", f"{mark}: {driver_line(driver)}")
    if pairing.driver is not None and pairing.driver not in pairing.candidates:
        yield _line("driver", f"taken: {driver_line(pairing.driver)}")
    yield _line("name", pairing.card_name or "none")
    if pairing.module is not None:
        yield _line("module", f"{pairing.module.name}: {pairing.module.path}")
    if pairing.class_verdict:
        yield _line("", f"which takes it for {pairing.class_verdict}")
    if pairing.card_name:
        yield _line("CAPI", pairing.csp or "no provider")
        yield _line("CNG", pairing.ksp or "no provider")
    yield _line("answer", pairing.answer)


def driver_line(driver: Driver) -> str:
    """Return a driver in one line."""
    where = driver.published or driver.source
    return (
        f"{driver.description} ({driver.package} as {where}), rank {driver.rank:08X}, "
        f"{driver.date} {driver.version}, [{driver.section}]"
    )


def hardware_ids(pairing: Pairing) -> Iterator[str]:
    """Yield what Device Manager shows under Hardware Ids and Compatible Ids; why, where nothing."""
    device = pairing.device
    for title, ids in (
        ("Hardware Ids", [] if device is None else device.hardware_ids),
        ("Compatible Ids", [] if device is None else device.compatible_ids),
    ):
        yield title
        for each in ids:
            yield f"  {each}"
        if not ids:
            yield "  none"
    if device is None:
        yield f"no device: {_why_no_device(pairing)}"


def _why_no_device(pairing: Pairing) -> str:
    if pairing.problem:
        return pairing.problem
    if pairing.suppressed_by:
        return f"kept away by entry {pairing.suppressed_by!r}"
    texts = [step.text for step in pairing.steps if step.stage == "plug and play"]
    return texts[-1] if texts else "nobody asked for one"


def why_none(pairing: Pairing) -> Iterator[str]:
    """Yield why no Calais entry fits: the nearest one, and the bit that keeps them apart."""
    for step in pairing.steps:
        if "nearest" in dict(step.facts):
            yield step.text
            return
    if pairing.problem:
        yield pairing.problem
    elif pairing.name_source == "registry":
        yield f"entry {pairing.card_name!r} fits"
    else:
        yield "there is no Calais entry that an ATR could be compared with"


def _line(label: str, text: str) -> str:
    return f"{label:<{_WIDTH}} {text}"
