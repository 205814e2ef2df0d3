# SPDX-License-Identifier: Apache-2.0
"""From a reader to a provider in one step: find the minidriver, load it, trace it, host it."""

from vreader.clock import Clock
from vreader.errors import VreaderError
from vreader.events import Emitter
from vreader.host.scard import ScardApi
from vreader.minidriver.host.basecsp import BaseCsp
from vreader.minidriver.host.finding import CardProviders, find_providers
from vreader.minidriver.host.policy import CSP_NAME, KSP_NAME
from vreader.minidriver.host.prompt import Prompt
from vreader.minidriver.host.provider import CryptoProvider
from vreader.minidriver.load import load_module
from vreader.minidriver.traced import Traced
from vreader.registry.view import View

UNNAMED_CARD = "Smart Card"


def open_provider(
    api: ScardApi,
    reader: str,
    *,
    clock: Clock,
    minidriver: str = "",
    card_name: str = "",
    ksp: bool = True,
    events: Emitter | None = None,
    view: View | None = None,
    prompt: Prompt | None = None,
    silent: bool = False,
    text: str = "",
) -> CryptoProvider:
    """Open the card in a reader.

    Args:
        api: the SCard functions of the machine.
        reader: the reader's name.
        clock: of the machine.
        minidriver: as :func:`vreader.minidriver.load.load_module` takes it; by default the one that
            the machine's registry names for the card.
        card_name: for CARD_DATA, where the minidriver is named.
        ksp: under the KSP, else the Base CSP; the registry must name it for the card.
        events: where calls are told; nowhere by default.
        view: the machine's registry, for policy and the texts of prompts.
        prompt: asks for PINs.
        silent: never ask.
        text: the application's string that prompts show.

    Returns:
        The provider; closing it unloads the minidriver.

    Raises:
        VreaderError: no minidriver can be found or loaded, or the card is for another provider.
    """
    if minidriver:
        name = card_name or UNNAMED_CARD
    else:
        found = find_providers(api, reader)
        _check_provider(found, ksp=ksp)
        minidriver, name = found.module, found.card
    module = load_module(minidriver, api)
    end = getattr(module, "close", None)
    if events is not None:
        module = Traced(module, events, clock=clock, reader=reader)
    try:
        csp = BaseCsp(
            api,
            reader,
            module,
            name,
            clock=clock,
            prompt=prompt,
            view=view,
            ksp=ksp,
            silent=silent,
            text=text,
        )
    except BaseException:
        if end is not None:
            end()
        raise
    return CryptoProvider(csp, ended=end)


def _check_provider(found: CardProviders, *, ksp: bool) -> None:
    wanted, named = (KSP_NAME, found.ksp) if ksp else (CSP_NAME, found.csp)
    if named.lower() != wanted.lower():
        raise VreaderError(
            f"the entry {found.card} names {named or 'nothing'}, not {wanted}",
            hint="ask for the other provider, or repair the entry",
        )
