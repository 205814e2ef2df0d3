# SPDX-License-Identifier: Apache-2.0
"""A certification's results as a file that is kept: what changes shows as a diff.

One line for each check: its outcome and id, behind a failed one why. How long it took is not there,
nor why one does not apply: a second run of the same DLL is the same file.
"""

import difflib
from pathlib import Path

from vreader.errors import VreaderError
from vreader.minidriver.certify.run import Certificate, Outcome
from vreader.publish import write_file

_WORDS = {Outcome.PASSED: "ok", Outcome.FAILED: "FAIL", Outcome.NOT_APPLICABLE: "n/a"}


def lines(certificate: Certificate) -> list[str]:
    """Return the lines of the file."""
    found = []
    for result in certificate.results:
        why = f": {result.message}" if result.outcome is Outcome.FAILED else ""
        found.append(f"{_WORDS[result.outcome]:<4} {result.check.id}{why}")
    return found


def changes(path: Path, certificate: Certificate) -> list[str]:
    """Return how results differ from those of a file, as a unified diff; the file is left alone.

    Empty where they do not. A file that does not exist is written: it is the first.

    Raises:
        VreaderError: the file can be neither read nor written, or is no UTF-8.
    """
    now = lines(certificate)
    try:
        then = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        write_file(str(path), "".join(f"{line}\n" for line in now).encode())
        return []
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise VreaderError(
            f"cannot read {path}: {reason}",
            hint="name the results of an earlier run, or a new file",
        ) from None
    name = path.name
    return list(difflib.unified_diff(then, now, name, f"{name} (now)", lineterm="", n=0))
