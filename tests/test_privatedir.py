# SPDX-License-Identifier: Apache-2.0
"""A world's private directory: private, short, and gone, also after a SIGKILL."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from vreader.errors import VreaderError
from vreader.privatedir import PrivateDirectory

HOLD = (
    "from vreader.privatedir import PrivateDirectory; "
    "print(PrivateDirectory().path, flush=True); input()"
)


@pytest.fixture
def parent(monkeypatch):
    with tempfile.TemporaryDirectory(prefix="vt-", dir="/tmp") as directory:
        monkeypatch.setenv("TMPDIR", directory)
        monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
        yield Path(directory)


def test_it_is_private_and_removed_with_all_it_holds(parent):
    made = PrivateDirectory()
    path = Path(made.path)
    assert path.parent == parent
    assert path.stat().st_mode & 0o777 == 0o700
    (path / "a" / "b").mkdir(parents=True)
    (path / "a" / "b" / "file").write_text("x")
    outside = parent / "outside"
    outside.mkdir()
    (outside / "kept").write_text("x")
    (path / "link").symlink_to(outside)
    made.close()
    made.close()
    assert [p.name for p in parent.iterdir()] == ["outside"]
    assert (outside / "kept").exists()


def test_a_forked_child_leaves_it_to_its_parent(parent):
    made = PrivateDirectory()
    child = os.fork()
    if not child:
        made.close()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert Path(made.path).is_dir()
    made.close()
    assert not Path(made.path).exists()


def test_two_at_once(parent):
    first, second = PrivateDirectory(), PrivateDirectory()
    assert first.path != second.path
    assert Path(first.path).is_dir()
    first.close()
    assert Path(second.path).is_dir()
    second.close()


def test_what_a_killed_process_left_is_swept_up_and_no_more(parent):
    with (
        subprocess.Popen(
            [sys.executable, "-c", HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as living,
        subprocess.Popen(
            [sys.executable, "-c", HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as killed,
    ):
        kept, left = (Path(process.stdout.readline().strip()) for process in (living, killed))
        killed.kill()
        killed.wait()
        (left / "pcscd.comm").write_text("")
        foreign = parent / "vreader-of-somebody"
        foreign.mkdir()
        made = PrivateDirectory()
        assert not left.exists()
        assert kept.is_dir()
        assert foreign.is_dir()  # it has no lock: not one of ours, or just being made
        made.close()
        living.stdin.close()


def test_many_starts_at_once_do_not_sweep_each_other(parent):
    script = (
        "from vreader.privatedir import PrivateDirectory; import os\n"
        "for _ in range(100):\n"
        "    made = PrivateDirectory(); assert os.path.isfile(made.path + '/lock'); made.close()\n"
    )
    started = [subprocess.Popen([sys.executable, "-c", script]) for _ in range(4)]
    assert [process.wait(60) for process in started] == [0] * 4
    assert list(parent.iterdir()) == []


@pytest.mark.parametrize("name", ["XDG_RUNTIME_DIR", "TMPDIR"])
def test_where_it_is(parent, monkeypatch, name):
    wanted = parent / "here"
    wanted.mkdir()
    monkeypatch.setenv(name, f"{wanted}/")
    made = PrivateDirectory()
    assert Path(made.path).parent == wanted
    made.close()


@pytest.mark.parametrize("wrong", ["", "relative", "/no/such/directory", "/etc/passwd", "long"])
def test_a_place_that_will_not_do_is_passed_over(parent, monkeypatch, wrong):
    if wrong == "long":
        (parent / ("x" * 60)).mkdir()
        wrong = str(parent / ("x" * 60))
    monkeypatch.setenv("XDG_RUNTIME_DIR", wrong)
    made = PrivateDirectory()
    assert Path(made.path).parent == parent
    made.close()
    monkeypatch.setenv("TMPDIR", wrong)
    made = PrivateDirectory()
    assert Path(made.path).parent == Path("/tmp")
    made.close()


def test_no_place_at_all(monkeypatch):
    monkeypatch.setattr("vreader.privatedir.parent_directory", lambda: "/proc")
    with pytest.raises(VreaderError, match="cannot make a directory in /proc") as caught:
        PrivateDirectory()
    assert caught.value.hint == "set TMPDIR to a directory that you may write to"


def test_socket_paths_in_it_are_short_enough(parent):
    made = PrivateDirectory()
    assert len(os.fsencode(made.path)) + len("/pcscd/pcscd.comm") <= 107
    made.close()
