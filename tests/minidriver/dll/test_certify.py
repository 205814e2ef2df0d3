# SPDX-License-Identifier: Apache-2.0
"""The certification drives a DLL as it drives a minidriver in Python."""

from dll_desk import recipe

from vreader.card import MemoryStore
from vreader.cardfile import make
from vreader.minidriver.abi.codes import KeySpec, Padding
from vreader.minidriver.certify.run import certify
from vreader.minidriver.certify.settings import Settings
from vreader.minidriver.certify.subject import Subject
from vreader.minidriver.dll.module import DllModule, sample_dll

SETTINGS = Settings(
    current_version=6,
    key_import=False,
    key_types=(KeySpec.KEYEXCHANGE,),
    paddings=(Padding.PKCS1,),
    functions=(),
)


def test_the_sample_is_loaded_and_unloaded_as_the_rules_say(wine):
    modules = []

    def load(api):
        modules.append(DllModule(sample_dll(), api))
        return modules[-1]

    card = recipe()
    subject = Subject("vrmini.dll", load, lambda: make(card, MemoryStore()))
    found = certify(subject, SETTINGS, only=["A"])
    assert [(r.check.id, r.message) for r in found.results if r.check.id in found.failed] == []
    assert len(found.results) > 10
    assert [finding for module in modules for finding in module.findings] == []
