# SPDX-License-Identifier: Apache-2.0
"""Python, vreader and the one library it needs."""

import platform
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version

from vreader import __version__
from vreader.doctor.check import Finding, fail, ok, warn
from vreader.doctor.machine import Machine

OLDEST = (3, 11)
OLDEST_CRYPTOGRAPHY = 43


def look(_machine: Machine) -> Iterator[Finding]:
    """Compare versions."""
    python = platform.python_version()
    if sys.version_info < OLDEST:
        wanted = ".".join(map(str, OLDEST))
        yield fail(f"Python {python} is too old", f"install Python {wanted} or newer")
    else:
        system = f"{platform.system()} {platform.release()}"
        yield ok(f"vreader {__version__}, Python {python}, {system}")
    if sys.platform != "linux":
        yield warn(
            f"on {sys.platform} there are worlds in the process only",
            "use stack='in-process', or Linux for run and serve",
        )
    hint = "pip install --upgrade cryptography, in the environment of vreader"
    try:
        found = version("cryptography")
        import cryptography.hazmat.primitives.asymmetric.rsa  # noqa: F401 - the compiled part
    except (PackageNotFoundError, ImportError) as error:
        yield fail(f"cryptography cannot be used: {error}", hint)
        return
    major = found.partition(".")[0]
    if major.isdecimal() and int(major) < OLDEST_CRYPTOGRAPHY:
        yield fail(f"cryptography {found} is too old", hint)
    else:
        yield ok(f"cryptography {found}")
