# SPDX-License-Identifier: Apache-2.0
"""Installing a reader on a host: its INF is read from the disk once and run on the registry."""

import os

from vreader.errors import UsageError
from vreader.host.eventlog import EventLog
from vreader.reader.base import ReaderDriver
from vreader.readfile import unreadable
from vreader.registry import Registry
from vreader.setupapi.inf import Inf
from vreader.setupapi.inffile import HINT, read_inf_file
from vreader.setupapi.install import install_device
from vreader.setupapi.target import TargetOS, models_for

_READ: dict[str, tuple[tuple[int, int], Inf]] = {}  # path → (last change and size, what is in it)


class Installed:
    """What the I/O manager and the bus need to know of an installed reader.

    Attributes:
        service: what its driver is loaded as.
        settings: the values of the service's key, for DriverEntry.
        exclusive: only one handle at a time.
        properties: of the PDO: hardware and instance ids.
    """

    __slots__ = ("exclusive", "properties", "service", "settings")

    def __init__(
        self,
        service: str,
        settings: dict[str, object],
        exclusive: bool,
        properties: dict[str, object],
    ) -> None:
        self.service = service
        self.settings = settings
        self.exclusive = exclusive
        self.properties = properties


def install_reader(
    registry: Registry, log: EventLog, driver: type[ReaderDriver], inf: str | None, unit: int
) -> Installed:
    """Install one more reader; a driver without an INF is loaded as it is.

    Args:
        registry: the host's.
        log: the host's; learns the driver's message texts.
        driver: has an INF of its own, or ``inf`` is given, or neither.
        inf: path of an INF to use instead; its service is what the driver is loaded as.
        unit: number of the reader on this host.

    Raises:
        UsageError: the INF cannot be read, or is for no device of this Windows.
    """
    path = inf or driver.inf
    if path is None:
        return Installed(driver.service, {}, True, {})
    parsed, target = _read(path), TargetOS()
    ids = [each for model in models_for(parsed, target)[:1] for each in model.ids if each]
    if not ids:
        raise UsageError(
            f"{path} is for no device on Windows {target!s}", hint="see 'vreader inf lint'"
        )
    # The bus has what the INF is for, as 'devcon install' makes it.
    instance = f"{unit:04}"
    done = install_device(
        parsed, registry, ids[:1], instance=f"{ids[0]}\\{instance}", target=target
    )
    if not done.service:
        raise UsageError(f"{path} names no driver", hint="see 'vreader inf lint'")
    settings = done.settings(registry)
    file = str(settings.get("ImagePath", "")).rpartition("\\")[2]
    log.message_files[file.lower()] = driver.messages
    properties: dict[str, object] = {"hardware_ids": ids[:1], "instance_id": instance}
    return Installed(done.service, settings, done.exclusive, properties)


def _read(path: str) -> Inf:
    """Read an INF file where it has changed since the last time."""
    try:
        found = os.stat(path)  # noqa: PTH116
    except (OSError, ValueError) as error:
        raise unreadable(path, error, HINT) from None
    # Two changes within a tick of the file system's clock have one time.
    state = found.st_mtime_ns, found.st_size
    kept = _READ.get(path)
    if kept is None or kept[0] != state:
        kept = _READ[path] = state, read_inf_file(path)
    return kept[1]
