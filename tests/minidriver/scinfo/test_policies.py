# SPDX-License-Identifier: Apache-2.0
from vreader.minidriver.scinfo.policies import (
    LOGON_KEY,
    PROPAGATION_KEY,
    LogonPolicies,
    PropagationPolicies,
)
from vreader.registry import REG_DWORD, REG_SZ, Registry, Value
from vreader.registry.view import View


def value(number):
    return Value(REG_DWORD, number.to_bytes(4, "little"))


def test_nothing_configured():
    view = View(Registry())
    assert LogonPolicies.read(view) == LogonPolicies()
    assert PropagationPolicies.read(view) == PropagationPolicies(True, True)


def test_what_an_administrator_sets():
    registry = Registry()
    logon = registry.create(LOGON_KEY)
    logon.set("AllowCertificatesWithNoEKU", value(1))
    logon.set("EnumerateECCCerts", value(0))
    logon.set("X509HintsNeeded", Value(REG_SZ, "1\0".encode("utf-16-le")))
    registry.create(PROPAGATION_KEY).set("EnableRootCertificatePropagation", value(0))
    view = View(registry)
    assert LogonPolicies.read(view) == LogonPolicies(no_eku=True)
    assert PropagationPolicies.read(view) == PropagationPolicies(True, False)
