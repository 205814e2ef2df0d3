# SPDX-License-Identifier: Apache-2.0
"""The provisioning options that cards with certificates share, and how their values are read.

Imported with every start of the tool, so everything heavy is imported where it is needed;
:mod:`cards.platform.certificates` makes and loads what the options ask for.
"""

import os
from collections.abc import Collection, Mapping, Sequence

from vreader.errors import UsageError

OPTIONS: Mapping[str, str] = {
    "subject": "distinguished name in the certificates, CN=alice,O=Example [CN=vreader]",
    "days": "how long they are valid, 1 to 36500, from yesterday on [3650]",
    "email": "mail address in them; repeatable",
    "upn": "user principal name in them, for Windows logon; repeatable",
    "ca": "FILE, the certificate of the CA that issues them [self-signed]",
    "ca-key": "FILE, its private key",
    "password": "of encrypted keys and PFX files: TEXT, pass:TEXT, env:NAME or file:FILE",
    "folder": "where relative FILEs are looked for [the working directory]",
}

Provisioning = Mapping[str, Sequence[str]]


def check(options: Provisioning, known: Collection[str], kind: str) -> None:
    """Raise UsageError for the first option that is not known."""
    for name in options:
        if name not in known:
            raise UsageError(
                f"a {kind} card cannot be provisioned with {name!r}", hint="use " + ", ".join(known)
            )


def one(options: Provisioning, name: str, default: str = "") -> str:
    """Return the value of an option that is given once at most; raises UsageError."""
    values = options.get(name) or (default,)
    if len(values) > 1:
        raise UsageError(f"{name} is given {len(values)} times", hint="give it once")
    return values[0]


def days(options: Provisioning) -> int:
    """Return how many days certificates are valid; raises UsageError."""
    text = one(options, "days", "3650")
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0
    if not 1 <= number <= 36500:
        raise UsageError(f"days={text} is not a number of days", hint="use 1 to 36500")
    return number


def located(options: Provisioning, path: str) -> str:
    """Return the path of a file that an option names, relative ones from ``folder`` on."""
    return os.path.join(one(options, "folder"), path)  # noqa: PTH118 - pathlib is slow to import


def password(options: Provisioning) -> bytes | None:
    """Return the password of keys and PFX files, or None; raises UsageError."""
    text = one(options, "password")
    how, _, what = text.partition(":")
    if how == "env":
        if what not in os.environ:
            raise UsageError(
                f"password: there is no environment variable {what!r}", hint=f"export {what}=…"
            )
        text = os.environ[what]
    elif how == "file":
        lines = read(located(options, what), "password").decode(errors="replace").splitlines()
        text = lines[0] if lines else ""
    elif how == "pass":
        text = what
    return text.encode() if text else None


MAX_FILE = 1 << 20


def read(path: str, what: str) -> bytes:
    """Return the content of a small file.

    Args:
        path: where it is.
        what: what it is, for people.

    Raises:
        UsageError: it cannot be read, or has more than :data:`MAX_FILE` bytes.
    """
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - pathlib is slow to import
            content = file.read(MAX_FILE + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(
            f"{what}: cannot read {path!r}: {reason}", hint="name a file that you may read"
        ) from error
    if len(content) > MAX_FILE:
        raise UsageError(f"{what}: {path!r} has more than 1 MiB", hint="is it the right file?")
    return content
