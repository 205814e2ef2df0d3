# SPDX-License-Identifier: Apache-2.0
import fcntl
import json
import os

import pytest
from driver_packages import HARDWARE, package

from vreader.errors import UsageError, VreaderError
from vreader.setupapi import storefile
from vreader.setupapi.package import Signature, make_package
from vreader.setupapi.storefile import load_store, remove_from_disk, stage_on_disk

VENDOR = package("Vendor.inf", HARDWARE)
OTHER = package("other.inf", "y", Signature.UNSIGNED)


def files(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def published(store, *packages):
    return " ".join(each.published for each in stage_on_disk(store, packages, "amd64"))


def test_several_are_staged_at_once(tmp_path):
    assert published(tmp_path, VENDOR, OTHER, VENDOR) == "oem0.inf oem1.inf oem0.inf"
    assert len(load_store(tmp_path).packages()) == 2
    with pytest.raises(UsageError, match="has no oem7"):
        remove_from_disk(tmp_path, ["oem0.inf", "oem7.inf"])
    assert len(load_store(tmp_path).packages()) == 2
    remove_from_disk(tmp_path, ["oem1.inf", "oem0.inf"])
    assert files(tmp_path) == ["driver-store.json"]


def test_what_somebody_else_put_there_stays(tmp_path):
    published(tmp_path, VENDOR)
    (folder,) = (tmp_path / "FileRepository").iterdir()
    (folder / "mine.txt").write_text("")
    remove_from_disk(tmp_path, ["oem0.inf"])
    assert files(tmp_path) == [f"FileRepository/{folder.name}/mine.txt", "driver-store.json"]


def test_what_is_staged_is_there_the_next_time(tmp_path):
    store = tmp_path / "new" / "store"
    assert published(store, VENDOR) == "oem0.inf"
    assert published(store, OTHER) == "oem1.inf"
    assert published(store, VENDOR) == "oem0.inf"
    kept = load_store(store).packages()
    assert [(each.published, each.name, each.signature, each.source) for each in kept] == [
        ("oem0.inf", "Vendor.inf", Signature.WHQL, "store"),
        ("oem1.inf", "other.inf", Signature.UNSIGNED, "store"),
    ]
    assert kept[0].data == VENDOR.data
    (first, second, *rest) = files(store)
    assert first.startswith("FileRepository/other.inf_amd64_")
    assert second.startswith("FileRepository/vendor.inf_amd64_")
    assert rest == ["INF/oem0.inf", "INF/oem1.inf", "driver-store.json"]
    assert (store / "INF/oem0.inf").read_bytes() == VENDOR.data


def test_a_presumed_signature_stays_presumed(tmp_path):
    presumed = make_package(b"[Version]\nCatalogFile.NTx86=a.cat\n", "a.inf")
    stage_on_disk(tmp_path, [presumed], "x86")
    assert not load_store(tmp_path).packages()[0].stated


def test_what_is_removed_leaves_nothing(tmp_path):
    stage_on_disk(tmp_path, [VENDOR], "amd64")
    stage_on_disk(tmp_path, [OTHER], "amd64")
    assert [each.name for each in remove_from_disk(tmp_path, ["oem0.inf"])] == ["Vendor.inf"]
    assert [each.published for each in load_store(tmp_path).packages()] == ["oem1.inf"]
    assert len(files(tmp_path)) == 3
    with pytest.raises(UsageError, match=r"has no oem0\.inf"):
        remove_from_disk(tmp_path, ["oem0.inf"])


@pytest.mark.parametrize("at", [1, 2, 3])
def test_a_write_that_fails_leaves_the_store_as_it_was(tmp_path, monkeypatch, at):
    stage_on_disk(tmp_path, [VENDOR], "amd64")
    publish, left, before = storefile.publish, [at], files(tmp_path)

    def full(*args, **options):
        left[0] -= 1
        if not left[0]:
            raise OSError(28, "No space left on device")
        publish(*args, **options)

    with monkeypatch.context() as patch:
        patch.setattr(storefile, "publish", full)
        with pytest.raises(VreaderError, match="No space left"):
            stage_on_disk(tmp_path, [OTHER], "amd64")
    assert [each.name for each in load_store(tmp_path).packages()] == ["Vendor.inf"]
    assert files(tmp_path) == before  # a full disk is not filled further
    assert published(tmp_path, OTHER) == "oem1.inf"


def test_a_folder_of_something_else_is_left_alone(tmp_path):
    (tmp_path / "letter.txt").write_text("mine")
    with pytest.raises(UsageError, match=r"is no driver store: it has 'letter\.txt'"):
        stage_on_disk(tmp_path, [VENDOR], "amd64")
    assert files(tmp_path) == ["letter.txt"]


def test_no_store_and_no_folder(tmp_path):
    with pytest.raises(UsageError, match="there is no driver store in"):
        load_store(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(VreaderError, match="cannot write the driver store"):
        stage_on_disk(tmp_path / "file", [VENDOR], "amd64")
    with pytest.raises(VreaderError, match="No such file"):
        remove_from_disk(tmp_path / "none", ["oem0.inf"])


def test_nobody_changes_a_store_that_is_read(tmp_path):
    stage_on_disk(tmp_path, [VENDOR], "amd64")

    def others():
        held = os.open(tmp_path, os.O_RDONLY)
        try:
            fcntl.flock(held, fcntl.LOCK_SH | fcntl.LOCK_NB)  # two may read
            with pytest.raises(BlockingIOError):
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        finally:
            os.close(held)
        yield OTHER

    assert [each.name for each in load_store(tmp_path, others()).packages()] == [
        "other.inf", "Vendor.inf",
    ]  # fmt: skip


def damage(change):
    def write(folder):
        index = folder / "driver-store.json"
        told = json.loads(index.read_text())
        change(told)
        index.write_text(json.dumps(told))

    return write


@pytest.mark.parametrize(
    ("harm", "problem"),
    [
        (lambda folder: (folder / "driver-store.json").write_text("{"), "line 1, column 2"),
        (lambda folder: (folder / "driver-store.json").write_bytes(b"\xff"), "no index"),
        (lambda folder: (folder / "driver-store.json").write_text("[" * 9999), "no index"),
        (lambda folder: (folder / "driver-store.json").write_text("[]"), "no index"),
        (damage(lambda told: told.update(format=2)), "another format"),
        (damage(lambda told: told["packages"][0].update(folder="../x")), "another format"),
        (damage(lambda told: told["packages"][0].update(signature="mine")), "another format"),
        (damage(lambda told: told["packages"][0].pop("name")), "another format"),
        (damage(lambda told: told["packages"][0].update(name="none.inf")), "cannot read"),
        (damage(lambda told: told["packages"].append(told["packages"][0])), "is taken"),
        (damage(lambda told: told["packages"][0].update(sha256="0")), "is not what was staged"),
    ],
)
def test_a_damaged_store_names_its_file_and_is_not_written(tmp_path, harm, problem):
    stage_on_disk(tmp_path, [VENDOR], "amd64")
    harm(tmp_path)
    before = {name: (tmp_path / name).read_bytes() for name in files(tmp_path)}
    with pytest.raises(UsageError, match=problem) as error:
        load_store(tmp_path)
    assert str(error.value).startswith(str(tmp_path / "driver-store.json"))
    assert error.value.hint.startswith("restore it")
    with pytest.raises(UsageError, match=problem):
        stage_on_disk(tmp_path, [OTHER], "amd64")
    assert {name: (tmp_path / name).read_bytes() for name in files(tmp_path)} == before
