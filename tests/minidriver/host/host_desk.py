# SPDX-License-Identifier: Apache-2.0
"""A Windows with a manual clock, a card in its reader, and programs that use it."""

from memory_card import PIN, MemoryCard, MemoryModule

from vreader.clock import ManualClock
from vreader.host import Host
from vreader.host.scard import ScardApi
from vreader.minidriver.host import BaseCsp, CryptoProvider, HostProcess
from vreader.registry.view import View
from vreader.winscard.profile import WINDOWS

CARD_NAME = "Desk Card"


class Prompting:
    """Answers prompts with what it has, the last one ever again; remembers the requests."""

    def __init__(self, *answers):
        self.answers = list(answers) or [PIN]
        self.requests = []

    def __call__(self, request):
        self.requests.append(request)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    @property
    def asked(self):
        return len(self.requests)


class Desk:
    def __init__(self, profile=WINDOWS, card=None, module=MemoryModule, pinpad=None, **options):
        self.clock = ManualClock()
        self.host = Host(profile, clock=self.clock, **options)
        self.card = MemoryCard() if card is None else card
        self.slot = self.host.add_reader("Desk Reader", pinpad=pinpad)
        self.slot.insert(self.card)
        self.api = ScardApi(self.host, blocking=False)
        self.view = View(self.host.registry)
        self.module = module(self.api, self.card)
        self.prompt = Prompting()
        self.opened = []

    def open(self, **options):
        """Start a program that uses the card; the others have been idle for a while."""
        self.wait()
        options.setdefault("prompt", self.prompt)
        options.setdefault("module", self.module)
        options.setdefault("background", lambda work: work())
        module = options.pop("module")
        csp = BaseCsp(
            self.api,
            self.slot.name,
            module,
            CARD_NAME,
            clock=self.clock,
            view=self.view,
            **options,
        )
        self.opened.append(CryptoProvider(csp))
        return self.opened[-1]

    def wait(self, seconds=2.0):
        """Let time pass; a call in a test that would have to wait fails instead."""
        self.clock.advance(seconds)

    def process(self, **options):
        return HostProcess(self.clock, **options)

    def policy(self, key, **values):
        from vreader.registry import Value

        made = self.host.registry.create(key)
        for name, value in values.items():
            made.set(name, Value.dword(value))

    def close(self):
        for provider in self.opened:
            provider.close()
        self.host.close()
