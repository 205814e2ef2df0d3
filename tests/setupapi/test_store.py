# SPDX-License-Identifier: Apache-2.0
import pytest
from driver_packages import HARDWARE, package

from vreader.errors import UsageError
from vreader.setupapi.package import Signature, make_package
from vreader.setupapi.store import DriverStore

INBOX = package("inbox.inf", "x", Signature.INBOX)._replace(source="inbox")
VENDOR = package("vendor.inf", HARDWARE)


def test_a_package_is_staged_under_the_first_free_number():
    store = DriverStore([INBOX])
    assert store.stage(VENDOR).published == "oem0.inf"
    assert store.stage(package("other.inf", "y")).published == "oem1.inf"
    store.remove("OEM0.INF")
    assert store.stage(package("third.inf", "z")).published == "oem0.inf"
    assert [each.name for each in store.packages()] == ["inbox.inf", "third.inf", "other.inf"]


def test_the_same_package_keeps_its_name():
    store = DriverStore()
    first = store.stage(VENDOR._replace(source="update"))
    assert first.source == "store"
    assert store.stage(VENDOR) is first
    assert len(store.packages()) == 1


@pytest.mark.parametrize(
    "other",
    [
        package("vendor.inf", HARDWARE, more="; another byte, the same DriverVer"),
        package("vendor.inf", HARDWARE, Signature.UNSIGNED),
        package("renamed.inf", HARDWARE),
    ],
)
def test_another_package_stays_beside_it(other):
    store = DriverStore()
    assert [store.stage(VENDOR).published, store.stage(other).published] == ["oem0.inf", "oem1.inf"]


def test_a_catalog_for_some_windows_is_not_a_word_for_all():
    presumed = make_package(b"[Version]\nCatalogFile.NTx86=a.cat\n", "a.inf")
    said = make_package(presumed.data, "a.inf", presumed.signature)
    store = DriverStore()
    assert [store.stage(each).published for each in (presumed, said, presumed)] == [
        "oem0.inf", "oem1.inf", "oem0.inf",
    ]  # fmt: skip
    nobody = make_package(b"[Version]\n", "b.inf")
    said = make_package(nobody.data, "b.inf", Signature.UNSIGNED)
    assert [store.stage(each).published for each in (nobody, said)] == ["oem2.inf", "oem2.inf"]


@pytest.mark.parametrize(
    "name", ["oem00.inf", "oem-1.inf", "oem7.inf", "inbox.inf", "oemx.inf", "oem.inf", ""]
)
def test_only_what_is_staged_can_be_removed(name):
    store = DriverStore([INBOX])
    store.stage(VENDOR)
    with pytest.raises(UsageError, match="the driver store has no"):
        store.remove(name)
    assert len(store.packages()) == 2


def test_published_names_are_kept_when_they_are_put():
    store = DriverStore()
    store.put(VENDOR._replace(published="oem5.inf"))
    assert store.find("oem5.inf").name == "vendor.inf"
    for taken in ("oem5.inf", "vendor.inf"):
        with pytest.raises(UsageError, match="is taken, or no published name"):
            store.put(VENDOR._replace(published=taken))


def test_what_came_with_windows_can_be_included():
    store = DriverStore([INBOX])
    store.stage(VENDOR)
    assert store.sources == {"INBOX.INF": INBOX.inf}
