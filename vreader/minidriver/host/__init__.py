# SPDX-License-Identifier: Apache-2.0
"""What Windows' Base CSP and smart card KSP do with a minidriver.

:class:`~vreader.minidriver.host.basecsp.BaseCsp` holds a card's context, transaction, caches and
PINs; :class:`~vreader.minidriver.host.provider.CryptoProvider` is the small API on top of it.
Written from the WDK's pages on smart card minidrivers; it is no CSP that Windows could load.
"""

from vreader.minidriver.host.basecsp import BaseCsp
from vreader.minidriver.host.process import HostProcess
from vreader.minidriver.host.prompt import NoPin, PinRequest, Prompt
from vreader.minidriver.host.provider import CryptoProvider

__all__ = ["BaseCsp", "CryptoProvider", "HostProcess", "NoPin", "PinRequest", "Prompt"]
