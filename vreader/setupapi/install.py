# SPDX-License-Identifier: Apache-2.0
r"""Installing a device from its INF: the Models section, DDInstall and what hangs on it.

Everything is read and checked before the first key is written, so a bad INF changes nothing. What
an install writes is what Windows keeps: the service's key, the event source, the device's hardware
key below ``Enum`` and its software key below ``Class``, its interfaces below ``DeviceClasses``.
Files are not copied: where they would go is a step of the result. Sources: WDK "INF DDInstall
Section" and the pages of its directives.
"""

from collections.abc import Sequence

from vreader.registry import Registry
from vreader.setupapi.inf import Inf
from vreader.setupapi.plan import Installation, Plan
from vreader.setupapi.services import plan_services
from vreader.setupapi.target import Model, TargetOS, install_section, match_score, models_for


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
    model = find_model(inf, hardware_ids, compatible_ids, target)
    section = install_section(inf, model.install, target.arch)
    if section is None:
        raise inf.error(model.line, f"there is no section [{model.install}]", "add it")
    plan = Plan(inf, registry, target, Installation(model, section, instance))
    plan.device(hardware_ids, compatible_ids)
    plan_services(plan, f"{section}.Services")
    plan.run()
    return plan.result


def find_model(
    inf: Inf, hardware_ids: Sequence[str], compatible_ids: Sequence[str], target: TargetOS
) -> Model:
    """Return the model that fits a device best, the first of equals; raises InfError."""
    best: tuple[int, Model] | None = None
    for model in models_for(inf, target):
        score = match_score(model, hardware_ids, compatible_ids)
        if score is not None and (best is None or score < best[0]):
            best = score, model
    if best is None:
        wanted = ", ".join([*hardware_ids, *compatible_ids])
        raise inf.error(
            0,
            f"nothing in it is for {wanted} on {target!s}",
            "look at [Manufacturer] and the sections it names",
        )
    return best[1]
