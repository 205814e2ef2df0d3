# SPDX-License-Identifier: Apache-2.0
r"""Installing a device from its INF: the Models section, DDInstall and what hangs on it.

Everything is read and checked before the first key is written, so a bad INF changes nothing. What
an install writes is what Windows keeps: the service's key, the event source, the device's hardware
key below ``Enum`` and its software key below ``Class``, its interfaces below ``DeviceClasses``.
Files are not copied: where they would go is a step of the result. Sources: WDK "INF DDInstall
Section" and the pages of its directives.
"""

from collections.abc import Sequence
from typing import Final

from vreader.registry import Registry, Value
from vreader.registry.store import fold
from vreader.setupapi.inf import Inf
from vreader.setupapi.plan import CONTROL_SET, DEVICE_PARAMETERS, Installation, Plan
from vreader.setupapi.services import plan_services
from vreader.setupapi.syntax import Entry, Section
from vreader.setupapi.target import Model, TargetOS, install_section, match, models_for

_CLASSES: Final = rf"{CONTROL_SET}\Control\Class"


def install_device(
    inf: Inf,
    registry: Registry,
    hardware_ids: Sequence[str],
    *,
    instance: str,
    compatible_ids: Sequence[str] = (),
    target: TargetOS | None = None,
) -> Installation:
    """Install a device.

    Args:
        inf: the driver's.
        registry: left alone where the INF does not fit or is bad.
        hardware_ids: of the device, best first.
        instance: its device instance.
        compatible_ids: of the device, best first.
        target: the Windows; 10.0-amd64 by default.

    Raises:
        InfError: no model of the INF is for this device on this Windows, or a line is bad.
    """
    target = target or TargetOS()
    model, matching_id = find_model(inf, hardware_ids, compatible_ids, target)
    section = install_section(inf, model.install, target.arch)
    if section is None:
        raise inf.error(model.line, f"there is no section [{model.install}]", "add it")
    plan = Plan(inf, registry, target, Installation(model, section, instance))
    result = plan.result
    _device_keys(plan, hardware_ids, compatible_ids, matching_id)
    plan.section(section, result.software_key)
    plan.section(f"{section}.CoInstallers", result.software_key)
    plan.section(f"{section}.HW", rf"{result.hardware_key}\{DEVICE_PARAMETERS}")
    _interfaces(plan, f"{section}.Interfaces")
    _wdf(plan, f"{section}.Wdf")
    plan_services(plan, f"{section}.Services")
    plan.run()
    device = registry.find(result.hardware_key)
    exclusive = None if device is None else device.find_value("Exclusive")
    result.exclusive = exclusive is not None and exclusive.decoded == 1
    return result


def find_model(
    inf: Inf, hardware_ids: Sequence[str], compatible_ids: Sequence[str], target: TargetOS
) -> tuple[Model, str]:
    """Return the model that fits a device best, the first of equals, and the id by which it does.

    Raises:
        InfError: none does.
    """
    best: tuple[int, Model, str] | None = None
    for model in models_for(inf, target):
        found = match(model, hardware_ids, compatible_ids)
        if found is not None and (best is None or found[0] < best[0]):
            best = found[0], model, found[1]
    if best is None:
        wanted = ", ".join([*hardware_ids, *compatible_ids])
        raise inf.error(
            0,
            f"nothing in it is for {wanted} on {target!s}",
            "look at [Manufacturer] and the sections it names",
        )
    return best[1:]


def _device_keys(
    plan: Plan, hardware_ids: Sequence[str], compatible_ids: Sequence[str], matching_id: str
) -> None:
    """Plan the device's own keys: a new software key, and what both say of the device."""
    inf, model, result = plan.inf, plan.result.model, plan.result
    class_guid = inf.value("Version", "ClassGuid") or "Unknown"
    plan.check(model.line, rf"{_CLASSES}\{class_guid}\0000")
    number = 0
    while plan.registry.find(rf"{_CLASSES}\{class_guid}\{number:04}") is not None:
        number += 1
    driver = rf"{class_guid}\{number:04}"
    result.software_key = rf"{_CLASSES}\{driver}"
    plan.step(model.line, model.models, f"{matching_id}: [{result.section}]")
    entries = list(inf.directives("Version", "DriverVer"))
    date, version, *_ = (*inf.fields(entries[0]), "") if entries else ("", "")
    for path, texts in (
        (
            result.hardware_key,
            {
                "DeviceDesc": model.description,
                "Mfg": model.manufacturer,
                "Class": inf.value("Version", "Class") or "",
                "ClassGUID": inf.value("Version", "ClassGuid") or "",
                "Driver": driver,
            },
        ),
        (
            result.software_key,
            {
                "DriverDesc": model.description,
                "ProviderName": inf.value("Version", "Provider") or "",
                "DriverDate": date,
                "DriverVersion": version,
                "InfPath": inf.source,
                "InfSection": model.install,
                "InfSectionExt": result.section[len(model.install) :],
                "MatchingDeviceId": matching_id,
            },
        ),
    ):
        for name, text in texts.items():
            plan.set(model.line, path, name, Value.sz(text))
    for name, ids in (("HardwareID", hardware_ids), ("CompatibleIDs", compatible_ids)):
        if found := [each for each in ids if each]:
            plan.set(model.line, result.hardware_key, name, Value.multi_sz(found))


def _interfaces(plan: Plan, name: str) -> None:
    for section in plan.with_needed(name):
        for entry in section.directives("AddInterface"):
            _interface(plan, section, entry)


def _interface(plan: Plan, section: Section, entry: Entry) -> None:
    guid, reference, install, *_ = (*plan.inf.fields(entry), "", "")
    if not (guid.startswith("{") and guid.endswith("}")) or "\\" in guid + reference:
        raise plan.inf.error(entry.line, f"{guid!r} is no interface class", "{…}")
    instance = plan.result.instance
    link = "#".join(["##?", *instance.split("\\"), guid])
    path = rf"{CONTROL_SET}\Control\DeviceClasses\{guid}\{link}"
    plan.step(entry.line, section.name, f"interface {guid}")
    plan.result.interfaces.append(guid)
    plan.set(entry.line, path, "DeviceInstance", Value.sz(instance))
    plan.create(entry.line, rf"{path}\#{reference}")
    if install:
        plan.needed(entry, install)
        plan.section(install, rf"{path}\#{reference}\{DEVICE_PARAMETERS}")


def _wdf(plan: Plan, name: str) -> None:
    for section in plan.with_needed(name):
        for entry in section.entries:
            key = plan.inf.expand(entry.key or "")
            if key and fold(key) not in ("INCLUDE", "NEEDS"):
                text = ",".join(plan.inf.fields(entry))
                plan.result.wdf[key] = text
                plan.step(entry.line, section.name, f"{key} = {text}")
