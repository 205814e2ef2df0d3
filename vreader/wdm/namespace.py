# SPDX-License-Identifier: Apache-2.0
"""What devices are called, and who is told of their coming and going.

Symbolic links are the names applications open; device interfaces tell who looks for a class of
devices; target notifications tell who holds one open (WDK "Using PnP Notification").
"""

from collections.abc import Callable

from vreader.events import Emitter
from vreader.wdm.events import DeviceEvent
from vreader.wdm.objects import DeviceObject
from vreader.wdm.status import NTSTATUS

# Hears "query-remove" (False refuses), "remove-cancelled" and "remove-complete".
TargetListener = Callable[[str], bool]


class TargetRegistration:
    """One call of register_target_notification; ``listener`` is None when it has ended."""

    __slots__ = ("listener",)

    def __init__(self, listener: TargetListener) -> None:
        self.listener: TargetListener | None = listener

    def tell(self, event: str) -> bool:
        """Tell the listener; True where there is none any more."""
        return self.listener is None or self.listener(event)


class Namespace:
    """The names of one simulated computer's devices.

    Attributes:
        events: where device events go.
    """

    def __init__(self, events: Emitter) -> None:
        self.events = events
        # By name in lower case: the name as it was spelled, and the device.
        self._links: dict[str, tuple[str, DeviceObject]] = {}
        self._interfaces: dict[str, dict[str, DeviceObject]] = {}
        self._listeners: dict[str, list[Callable[[str, bool], None]]] = {}
        self._targets: dict[str, list[TargetRegistration]] = {}

    # ------------------------------------------------------------------ symbolic links

    def IoCreateSymbolicLink(self, link: str, device: DeviceObject) -> NTSTATUS:
        r"""Give ``device`` a name applications can open, e.g. ``\\.\SCReader0``."""
        if link.lower() in self._links:
            return NTSTATUS.OBJECT_NAME_COLLISION
        self._links[link.lower()] = link, device
        return NTSTATUS.SUCCESS

    def IoDeleteSymbolicLink(self, link: str) -> NTSTATUS:
        """Take the name away."""
        known = self._links.pop(link.lower(), None)
        return NTSTATUS.SUCCESS if known is not None else NTSTATUS.OBJECT_NAME_NOT_FOUND

    def links_of(self, device: DeviceObject) -> list[str]:
        """Return the symbolic links that name the stack of ``device``, as they were spelled."""
        return [link for link, named in self._links.values() if named.bottom is device.bottom]

    def device_named(self, name: str) -> DeviceObject | None:
        r"""Return the device ``\\.\Device`` or ``\\.\Device\path`` leads to, if it is there."""
        known = self._links.get(name.lower())
        if known is None:
            known = self._links.get("\\".join(name.lower().split("\\")[:4]))
        if known is None or known[1] not in known[1].DriverObject.devices:
            return None
        return known[1]

    # ------------------------------------------------------------------ device interfaces

    def IoSetDeviceInterfaceState(
        self, interface: str, link: str, device: DeviceObject, enable: bool
    ) -> NTSTATUS:
        """Announce or withdraw a device of interface class ``interface`` (a GUID text)."""
        present = self._interfaces.setdefault(interface, {})
        if enable == (link in present):
            return NTSTATUS.OBJECT_NAME_COLLISION if enable else NTSTATUS.OBJECT_NAME_NOT_FOUND
        if enable:
            present[link] = device
        else:
            del present[link]
        if self.events:
            self.events.emit(DeviceEvent(device.name, "arrival" if enable else "departure"))
        listeners = self._listeners.get(interface, [])
        for listener in tuple(listeners):
            if (link in present) is not enable:
                break  # a listener has changed it back, which everybody has heard since
            if listener in listeners:
                listener(link, enable)
        return NTSTATUS.SUCCESS

    def register_interface_notification(
        self, interface: str, listener: Callable[[str, bool], None]
    ) -> None:
        """Call ``listener(link, arrived)`` for each device of the class, those there included."""
        self._listeners.setdefault(interface, []).append(listener)
        for link in list(self._interfaces.get(interface, ())):
            listener(link, True)

    def unregister_interface_notification(
        self, interface: str, listener: Callable[[str, bool], None]
    ) -> None:
        """Stop calling ``listener``."""
        self._listeners[interface].remove(listener)

    # ------------------------------------------------------------------ changes of one device

    def register_target_notification(
        self, link: str, listener: TargetListener
    ) -> Callable[[], None]:
        """Have ``listener`` told before and after the device ``link`` names is removed.

        IoRegisterPlugPlayNotification for target device changes. At "query-remove" a listener
        closes its handles, or returns False to refuse; its other answers do not count. The
        returned function ends it and may be called twice.
        """
        registration = TargetRegistration(listener)
        registrations = self._targets.setdefault(link.lower(), [])
        registrations.append(registration)

        def unregister() -> None:
            if registration.listener is not None:
                registration.listener = None
                registrations.remove(registration)

        return unregister

    def target_registrations(self, pdo: DeviceObject) -> list[TargetRegistration]:
        """Return who has registered for a device, by any of its names."""
        return [
            registration
            for link in self.links_of(pdo)
            for registration in self._targets.get(link.lower(), ())
        ]

    def notify_target(self, pdo: DeviceObject, event: str) -> bool:
        """Tell who has registered for a device; False when one of them refuses."""
        answers = [each.tell(event) for each in self.target_registrations(pdo)]
        return all(answers)
