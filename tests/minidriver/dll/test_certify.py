# SPDX-License-Identifier: Apache-2.0
"""The certification drives a DLL as it drives a minidriver in Python."""

from dll_desk import recipe

from vreader.card import MemoryStore
from vreader.cardfile import make
from vreader.minidriver.abi.codes import KeySpec, Padding
from vreader.minidriver.certify.run import MAX_HANGS, certify
from vreader.minidriver.certify.settings import Settings
from vreader.minidriver.certify.subject import Subject
from vreader.minidriver.dll.module import DllModule, sample_dll
from vreader.minidriver.dll.process import DllError

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


def test_a_dll_that_hangs_again_and_again_is_given_up():
    loads = []

    def load(api):
        loads.append(api)
        error = DllError("LoadLibrary hangs: no answer in 15 s")
        error.hangs = True
        raise error

    card = recipe()
    subject = Subject("hangs.dll", load, lambda: make(card, MemoryStore()))
    found = certify(subject, SETTINGS, only=["A"])
    assert len(found.failed) == len(found.results)
    assert len(loads) == MAX_HANGS
    assert found.results[0].message == "it cannot be loaded: LoadLibrary hangs: no answer in 15 s"
    assert found.results[-1].message.startswith("not tried")
