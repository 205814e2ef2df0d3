# SPDX-License-Identifier: Apache-2.0
"""Loads a minidriver by its name, as LoadLibrary does: Windows' own, one in Python, a real DLL."""

from vreader.errors import UsageError
from vreader.host.scard import ScardApi
from vreader.minidriver.module import Module
from vreader.winscard.probing import MSCLMD

_FORMS = f"write {MSCLMD}, file.py:Class, or the path of a minidriver's .dll"


def load_module(name: str, api: ScardApi) -> Module:
    """Load a minidriver.

    Args:
        name: ``msclmd.dll``, with any path before it, is the class minidriver of this project;
            ``file.py:Class`` a class that is a :class:`~vreader.minidriver.module.Module`; any
            other ``*.dll`` is a DLL for Windows, which runs in a process of its own.
        api: the SCard functions of the machine that it is loaded on.

    Returns:
        The module. DllMain has not been called yet; the host does that. Where it has ``close``,
        that ends what it has started.

    Raises:
        UsageError: the name is none of these, or the file cannot be used.
    """
    last = name.replace("\\", "/").rpartition("/")[2].lower()
    if last == MSCLMD:
        from vreader.minidriver.drivers.msclmd import ClassMinidriver

        return ClassMinidriver(api)
    path, colon, wanted = name.rpartition(":")
    if colon and path.lower().endswith(".py") and wanted.isidentifier():
        return _python_module(path, wanted, api)
    if last.endswith(".dll"):
        from vreader.minidriver.dll.module import DllModule

        return DllModule(name, api)
    raise UsageError(f"{name!r} is no minidriver", hint=_FORMS)


def _python_module(path: str, wanted: str, api: ScardApi) -> Module:
    from vreader.classfile import load_class

    found = load_class(path, wanted)
    if not (isinstance(found, type) and issubclass(found, Module)):
        raise UsageError(
            f"{wanted} in {path} is not a minidriver",
            hint="derive the class from vreader.minidriver.module.Module",
        )
    try:
        return found(api)
    except (Exception, SystemExit) as error:  # abstract, other arguments, its own failures
        what = " ".join(f"{type(error).__name__}: {error}".split())
        raise UsageError(
            f"{wanted} in {path} cannot be loaded: {what}",
            hint="define CardAcquireContext, and take the SCard API as the one argument",
        ) from error
