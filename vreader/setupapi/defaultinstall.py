# SPDX-License-Identifier: Apache-2.0
"""Installing an INF from the file's menu: DefaultInstall, for no device.

The section of the architecture, ``DefaultInstall.NTamd64`` say, wins over ``DefaultInstall.NT``,
that over the plain one. Sources: WDK "INF DefaultInstall Section", "INF DefaultInstall.Services
Section".
"""

from collections.abc import Mapping
from typing import Final

from vreader.registry import Registry
from vreader.setupapi.inf import Inf
from vreader.setupapi.installation import Installation
from vreader.setupapi.plan import Plan
from vreader.setupapi.services import plan_services
from vreader.setupapi.target import TargetOS, install_section

DEFAULT_INSTALL: Final = "DefaultInstall"


def install_default(
    inf: Inf,
    registry: Registry,
    target: TargetOS | None = None,
    *,
    sources: Mapping[str, Inf] | None = None,
) -> Installation:
    """Run DefaultInstall.

    Args:
        inf: any; it needs no models.
        registry: left alone where the INF does not fit or is bad.
        target: the Windows; 10.0-amd64 by default.
        sources: INFs by folded name that this one may include.

    Raises:
        InfError: it has no DefaultInstall for this Windows, or a line is bad; HKR is, since there
            is no device whose key it would be.
    """
    target = target or TargetOS()
    section = install_section(inf, DEFAULT_INSTALL, target.arch)
    if section is None:
        raise inf.error(
            0,
            f"there is no [{DEFAULT_INSTALL}] for {target!s}",
            f"add [{DEFAULT_INSTALL}.NT{target.arch}]",
        )
    plan = Plan(inf, registry, target, Installation(section), sources)
    plan.section(section, "")
    plan_services(plan, f"{section}.Services")
    plan.run()
    return plan.result
