# SPDX-License-Identifier: Apache-2.0
r"""Installing a device from its INF: the Models section, DDInstall and what hangs on it.

Everything is read and checked before the first key is written, so a bad INF changes nothing. What
an install writes is what Windows keeps: the service's key, the event source, the device's hardware
key below ``Enum`` and its software key below ``Class``, its interfaces below ``DeviceClasses``, and
what AddReg says, which for a minidriver are its cards. Files are not copied: what would go where is
in the result. Sources: WDK "INF DDInstall Section" and the pages of its directives. Without a
device: :mod:`vreader.setupapi.defaultinstall`.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from vreader.registry import Registry, Value
from vreader.registry.names import fold
from vreader.setupapi.inf import Inf
from vreader.setupapi.installation import CONTROL_SET, DeviceInstallation, Part
from vreader.setupapi.plan import DEVICE_PARAMETERS, Plan
from vreader.setupapi.services import plan_services
from vreader.setupapi.syntax import Entry
from vreader.setupapi.target import Model, TargetOS, install_section, match, models_for

if TYPE_CHECKING:  # what it imports would slow down the start of a reader
    from vreader.setupapi.rank import Candidate

_CLASSES: Final = rf"{CONTROL_SET}\Control\Class"
# Sections beside DDInstall that Windows acts on and this lab does not.
_NOT_SIMULATED: Final = (
    "COM", "Components", "Events", "FactDef", "Filters", "LogConfigOverride", "Software", "WMI",
)  # fmt: skip


def install_device(
    inf: Inf,
    registry: Registry,
    hardware_ids: Sequence[str],
    *,
    instance: str,
    compatible_ids: Sequence[str] = (),
    target: TargetOS | None = None,
    sources: Mapping[str, Inf] | None = None,
    candidate: "Candidate | None" = None,
) -> DeviceInstallation:
    """Install a device.

    Args:
        inf: the driver's.
        registry: left alone where the INF does not fit or is bad.
        hardware_ids: of the device, best first.
        instance: its device instance.
        compatible_ids: of the device, best first.
        target: the Windows; 10.0-amd64 by default.
        sources: INFs by folded name that this one may include.
        candidate: what a driver search has found in this INF; without it the best model for the
            ids is looked for.

    Raises:
        InfError: no model of the INF is for this device on this Windows, or a line is bad.
    """
    target = target or TargetOS()
    published, folder = inf.source, ""
    if candidate is None:
        model, matching_id = find_model(inf, hardware_ids, compatible_ids, target)
    else:
        model, matching_id = candidate.model, candidate.matching_id
        published = candidate.package.published or published
        folder = candidate.package.folder(target.arch)
    section = install_section(inf, model.install, target.arch)
    if section is None:
        raise inf.error(model.line, f"there is no section [{model.install}]", "add it")
    result = DeviceInstallation(model, section, instance)
    plan = Plan(inf, registry, target, result, sources, folder)
    _device_keys(plan, result, hardware_ids, compatible_ids, matching_id, published)
    plan.section(section, result.software_key)
    plan.section(f"{section}.CoInstallers", result.software_key)
    plan.section(f"{section}.HW", rf"{result.hardware_key}\{DEVICE_PARAMETERS}")
    _interfaces(plan, result, f"{section}.Interfaces")
    _wdf(plan, result, f"{section}.Wdf")
    plan_services(plan, f"{section}.Services")
    for suffix in _NOT_SIMULATED:
        beside = inf.find(f"{section}.{suffix}")
        if beside is not None:
            plan.step(beside.line, beside.name, f"not simulated: [{beside.name}]")
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
    plan: Plan,
    result: DeviceInstallation,
    hardware_ids: Sequence[str],
    compatible_ids: Sequence[str],
    matching_id: str,
    published: str,
) -> None:
    """Plan the device's own keys: a new software key, and what both say of the device."""
    inf, model = plan.inf, result.model
    class_guid = inf.value("Version", "ClassGuid") or "Unknown"
    plan.check(model.line, rf"{_CLASSES}\{class_guid}\0000")
    plan.check(model.line, result.hardware_key)
    driver = _driver(plan.registry, result.hardware_key, class_guid)
    result.software_key = rf"{_CLASSES}\{driver}"
    plan.step(model.line, model.models, f"{matching_id or model.description}: [{result.section}]")
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
                "InfPath": published,
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


def _driver(registry: Registry, hardware_key: str, class_guid: str) -> str:
    """Return class and number of a device's software key: it keeps the one that it has."""
    taken = registry.find(rf"{_CLASSES}\{class_guid}")
    keys = [] if taken is None else taken.subkeys()
    drivers = {rf"{class_guid}\{key.name}" for key in keys}
    device = registry.find(hardware_key)
    before = None if device is None else device.find_value("Driver")
    if before is not None:
        had = fold(str(before.decoded))
        for driver in drivers:
            if fold(driver) == had:
                return driver
    number = 0
    while rf"{class_guid}\{number:04}" in drivers:
        number += 1
    return rf"{class_guid}\{number:04}"


def _interfaces(plan: Plan, result: DeviceInstallation, name: str) -> None:
    for part in plan.with_needed(name):
        for entry in part.directives("AddInterface"):
            _interface(plan, result, part, entry)


def _interface(plan: Plan, result: DeviceInstallation, part: Part, entry: Entry) -> None:
    guid, reference, install, *_ = (*part.inf.fields(entry), "", "")
    if not (guid.startswith("{") and guid.endswith("}")) or "\\" in guid + reference:
        raise part.inf.error(entry.line, f"{guid!r} is no interface class", "{…}")
    link = "#".join(["##?", *result.instance.split("\\"), guid])
    path = rf"{CONTROL_SET}\Control\DeviceClasses\{guid}\{link}"
    plan.note(part, entry, f"interface {guid}")
    result.interfaces.append(guid)
    plan.set(entry.line, path, "DeviceInstance", Value.sz(result.instance))
    plan.create(entry.line, rf"{path}\#{reference}")
    if install:
        for each in plan.all_of(plan.needed(part, entry, install)):
            plan.directives(each, rf"{path}\#{reference}\{DEVICE_PARAMETERS}")


def _wdf(plan: Plan, result: DeviceInstallation, name: str) -> None:
    for part in plan.with_needed(name):
        for entry in part.section.entries:
            key = part.inf.key(entry)
            if key and fold(key) not in ("INCLUDE", "NEEDS"):
                text = ",".join(part.inf.fields(entry))
                result.wdf[key] = text
                plan.note(part, entry, f"{key} = {text}")
