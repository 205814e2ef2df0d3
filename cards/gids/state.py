# SPDX-License-Identifier: Apache-2.0
"""What a GIDS card knows: its memory as typed values, and the security status of a session.

The memory is the truth: nothing read from it is kept, so an undone command leaves no trace. No
command is interpreted here.
"""

import os
from collections.abc import Callable
from typing import NamedTuple

from cards.gids.files import File
from cards.gids.keys import KeyRecord, decode_record
from cards.gids.tables import DF, KEY_FILE_BASE, LifeCycle, PinRef, Template
from cards.platform import Area, Pin

DEFAULT_TRIES = 3
# As much as a real card of the bigger sort has; and no more files than a directory can be read of.
MAX_MEMORY, MAX_FILES, MAX_OBJECTS = 131072, 128, 512


class Environment(NamedTuple):
    """What MANAGE SECURITY ENVIRONMENT has set in one template."""

    algorithm: int
    reference: int


class Security:
    """The volatile security status, gone at reset, power off and deselection.

    Attributes:
        user: the PIN is verified.
        admin: the admin key is authenticated.
        challenge: what the admin key has to answer; empty when nothing is open.
        environment: the chosen keys, by template.
        current: identifier of the current file.
    """

    def __init__(self) -> None:
        self.user = False
        self.admin = False
        self.challenge = b""
        self.environment: dict[Template, Environment] = {}
        self.current = DF

    def deauthenticate(self) -> None:
        """Forget who is there; the chosen keys and the current file stay."""
        self.user = self.admin = False
        self.challenge = b""


class GidsState:
    """The state of one GIDS application.

    Args:
        area: its part of the non-volatile memory.
        pin_sizes: shortest and longest PIN and PUK, in bytes.
        random: source of challenges, ``os.urandom`` except in tests.
    """

    def __init__(
        self,
        area: Area,
        pin_sizes: tuple[int, int],
        random: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self.area = area
        self.pin_sizes = pin_sizes
        self.random = random
        self.security = Security()

    def initialise(self, *, tries: int = DEFAULT_TRIES) -> None:
        """Make a blank application; ``tries`` is the limit of PIN and PUK once they are set."""
        self.life_cycle = LifeCycle.CREATION
        self.area.put("tries", bytes((tries,)))

    # ------------------------------------------------------------------ life cycle

    @property
    def life_cycle(self) -> LifeCycle:
        """Where in its life the application is."""
        return LifeCycle((self.area.get("life") or b"\x01")[0])

    @life_cycle.setter
    def life_cycle(self, value: LifeCycle) -> None:
        self.area.put("life", bytes((value,)))

    # ------------------------------------------------------------------ PIN and PUK

    def pin(self, reference: PinRef) -> Pin | None:
        """Return PIN or PUK; None as long as it was never set."""
        name = reference.name.lower()
        return Pin(self.area, name) if self.area.get(f"{name}.value") is not None else None

    def pin_length(self, reference: PinRef) -> int:
        """Return how long the present value is: old and new ones arrive joined."""
        return len(self.area.get(f"{reference.name.lower()}.value") or b"")

    def tries(self, reference: PinRef) -> bytes:
        """Return the retry counter of PIN or PUK as it is kept, for :meth:`put_tries`."""
        return self.area.get(f"{reference.name.lower()}.tries") or b""

    def put_tries(self, reference: PinRef, kept: bytes) -> None:
        """Set the retry counter back to what it was."""
        self.area.put(f"{reference.name.lower()}.tries", kept)

    def set_pin(self, reference: PinRef, value: bytes) -> None:
        """Set PIN or PUK for the first time, or anew with all its tries."""
        tries = (self.area.get("tries") or bytes((DEFAULT_TRIES,)))[0]
        Pin(self.area, reference.name.lower()).create(value, tries)

    def acceptable(self, pin: bytes) -> bool:
        """Tell whether a PIN has a length that is allowed."""
        return self.pin_sizes[0] <= len(pin) <= self.pin_sizes[1]

    # ------------------------------------------------------------------ files and data objects

    def file(self, file_id: int) -> File | None:
        """Return an EF that was created, or None."""
        fcp = self.area.get(f"file.{file_id:04X}")
        return None if fcp is None else File.read(fcp)

    def files(self) -> list[File]:
        """Return all EFs that were created, by identifier."""
        return [File.read(self.area.get(key) or b"") for key in self.area.names("file.")]

    def create_file(self, file: File) -> None:
        """Add an EF."""
        self.area.put(f"file.{file.file_id:04X}", file.fcp)

    def delete_file(self, file: File) -> None:
        """Remove an EF with its data objects or its key."""
        number = f"{file.file_id:04X}"
        for key in (
            f"file.{number}",
            f"secret.{number}",
            f"key.{number}",
            *self.area.names(f"object.{number}."),
        ):
            self.area.delete(key)

    def object(self, file_id: int, tag: int) -> bytes | None:
        """Return the value of a data object, or None."""
        return self.area.get(f"object.{file_id:04X}.{tag:X}")

    def objects(self, file_id: int) -> list[int]:
        """Return the tags of the data objects in an EF."""
        return [
            int(key.rpartition(".")[2], 16) for key in self.area.names(f"object.{file_id:04X}.")
        ]

    def put_object(self, file_id: int, tag: int, value: bytes | None) -> None:
        """Set the value of a data object; None deletes it."""
        key = f"object.{file_id:04X}.{tag:X}"
        if value is None:
            self.area.delete(key)
        else:
            self.area.put(key, value)

    @property
    def fits(self) -> bool:
        """Whether the card has room for all that is in it, changes not yet committed included."""
        names = self.area.names()
        used = sum(len(self.area.get(key) or b"") for key in names)
        objects = sum(name.startswith("object.") for name in names)
        return objects <= MAX_OBJECTS and used <= MAX_MEMORY

    # ------------------------------------------------------------------ keys

    def key_file(self, reference: int) -> File | None:
        """Return the EF of a key reference, or None."""
        usual = self.file(KEY_FILE_BASE + reference)
        if usual is not None and usual.has_key:
            return usual
        return next((file for file in self.files() if file.reference == reference), None)

    def key(self, file: File) -> KeyRecord | None:
        """Return the private key in an EF; None before it is generated or imported."""
        raw = self.area.get(f"key.{file.file_id:04X}")
        return None if raw is None else decode_record(raw)

    def put_key(self, file: File, record: KeyRecord) -> None:
        """Put a private key into an EF."""
        self.area.put(f"key.{file.file_id:04X}", bytes(record))

    def admin_key(self, reference: int) -> bytes | None:
        """Return the 3DES key of a key reference; None before it is put there."""
        file = self.key_file(reference)
        return None if file is None else self.area.get(f"secret.{file.file_id:04X}")

    def put_admin_key(self, file: File, key: bytes) -> None:
        """Put a 3DES key into an EF."""
        self.area.put(f"secret.{file.file_id:04X}", key)
