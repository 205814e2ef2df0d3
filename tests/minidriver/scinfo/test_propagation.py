# SPDX-License-Identifier: Apache-2.0
import pytest
from scinfo_pki import make, middle, root

from vreader.minidriver.scinfo.certificate import facts
from vreader.minidriver.scinfo.policies import PropagationPolicies
from vreader.minidriver.scinfo.propagation import Store, of_authority, of_key

ALL = PropagationPolicies()
NONE = PropagationPolicies(certificates=False)
NO_ROOTS = PropagationPolicies(roots=False)


@pytest.mark.parametrize(("policies", "store"), [(ALL, Store.PERSONAL), (NONE, Store.NONE)])
def test_a_key_s_certificate_goes_to_the_personal_store(policies, store):
    assert of_key(facts(make()), "KSP", policies).store is store


@pytest.mark.parametrize(
    ("certificate", "policies", "store"),
    [
        (root(), ALL, Store.SMART_CARD_ROOTS),
        (root(), NO_ROOTS, Store.NONE),
        (root(), NONE, Store.NONE),
        (middle(), ALL, Store.INTERMEDIATE),
        (middle(), NO_ROOTS, Store.INTERMEDIATE),
        (middle(), NONE, Store.NONE),
    ],
)
def test_where_certificates_of_cas_go(certificate, policies, store):
    assert of_authority(facts(certificate), policies).store is store


def test_root_itself_is_never_written():
    assert not any(store.value.endswith("\\Root") for store in Store)
