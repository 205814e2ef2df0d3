# SPDX-License-Identifier: Apache-2.0
"""Each fault fails the check that names it, and every check names somebody's fault."""

import pytest
from broken.protocol import Hangs
from broken_drivers import DRIVERS

from vreader.certify import certify, select

PATIENCE_S = 0.2  # what is waited for here never comes


@pytest.fixture(scope="module", autouse=True)
def threads_end():
    yield
    Hangs.let_go.set()


@pytest.mark.wdk("certify.broken-drivers")
@pytest.mark.parametrize("driver", DRIVERS, ids=lambda driver: driver.__name__)
def test_the_fault_fails_the_check_that_names_it(driver):
    certificate = certify(
        driver, only=[driver.fails], patience_s=PATIENCE_S, profile=driver.profile
    )
    (named,) = certificate.results
    assert certificate.failed == [driver.fails]
    assert named.message
    assert not certificate.passed


def test_one_fault_is_not_taken_for_another():
    """Where faults come one by one, most checks see nothing of them."""
    seen = [len(certify(d, only=[d.fails], patience_s=PATIENCE_S).failed) for d in DRIVERS[:5]]
    assert seen == [1] * 5


@pytest.mark.wdk("certify.broken-drivers")
def test_every_check_is_failed_by_somebody():
    assert {driver.fails for driver in DRIVERS} == {check.id for check in select()}


def test_a_driver_has_one_name():
    names = [driver.__name__ for driver in DRIVERS]
    assert len(names) == len(set(names))
    assert all(driver.__doc__ for driver in DRIVERS)
