# SPDX-License-Identifier: Apache-2.0
"""The state file: layout, lock, refusals that touch nothing."""

import os
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing

import pytest

from cards.platform import NvmError
from cards.platform.nvm import open_nvm
from cards.platform.statefile import APPLICATION_ID, VERSION, StateFile, kind_in
from vreader.card import FileStore
from vreader.errors import VreaderError


def make(path, kind=b"toy"):
    nvm = open_nvm(FileStore(str(path)), kind.decode())
    nvm.area("card").put("kind", kind)
    nvm.commit()
    return nvm


def refusal(path, kind="toy"):
    with pytest.raises(VreaderError) as caught:
        open_nvm(FileStore(str(path)), kind)
    assert caught.value.hint
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "a.card"


def test_what_was_committed_is_there_again(path):
    nvm = make(path)
    nvm.area("a").put("k", bytes(range(256)))
    nvm.area("a").put("gone", b"1")
    nvm.commit()
    nvm.area("a").delete("gone")
    nvm.commit()
    nvm.area("a").put("k", b"not committed")
    nvm.close()
    nvm = open_nvm(FileStore(str(path)), "toy")
    assert nvm.area("a").get("k") == bytes(range(256))
    assert nvm.area("a").names() == ["k"]
    nvm.close()


def test_only_its_owner_may_read_it(path):
    mask = os.umask(0)
    try:
        nvm = make(path)
    finally:
        os.umask(mask)
    assert path.stat().st_mode & 0o777 == 0o600
    nvm.close()


def test_it_leaves_one_file(path):
    nvm = make(path)
    nvm.area("a").put("k", b"1")
    nvm.commit()
    nvm.close()
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_its_header_says_what_it_is(path):
    make(path).close()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA application_id").fetchone()[0] == APPLICATION_ID
        assert connection.execute("PRAGMA user_version").fetchone()[0] == VERSION
        assert connection.execute("PRAGMA journal_mode").fetchone()[0] == "delete"


def test_an_empty_file_is_a_new_one(path):
    path.touch(mode=0o644)
    make(path).close()
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_newer_layout_is_refused(path):
    make(path).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    before = path.read_bytes()
    assert "newer vreader" in refusal(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "content", [b"x", b"hello world\n" * 1000, b"SQLite format 3\0" + bytes(90)]
)
def test_a_file_of_another_format_is_refused_and_untouched(path, content):
    path.write_bytes(content)
    assert "not a card state file" in refusal(path)
    assert path.read_bytes() == content


def test_another_programs_database_is_refused_and_untouched(path):
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE t (x)")
        connection.commit()
    before = path.read_bytes()
    assert "not a card state file" in refusal(path)
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_a_card_of_another_kind_is_refused(path):
    make(path, b"gids").close()
    assert "holds a card of kind gids, not toy" in refusal(path)
    open_nvm(FileStore(str(path)), "gids").close()


def test_a_missing_directory_is_refused(tmp_path):
    assert "No such file" in refusal(tmp_path / "no" / "a.card")


def test_a_link_to_nowhere_is_refused(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "no" / "where")
    assert "No such file" in refusal(tmp_path / "link")


def test_a_directory_is_refused(tmp_path):
    assert "cannot use the state file" in refusal(tmp_path)


def test_a_file_in_use_by_this_process_stays_locked(path):
    nvm = make(path)
    for _ in range(2):
        assert f"this process (pid {os.getpid()})" in refusal(path)
    # The question must not have dropped the lock.
    script = "import sys; from cards.platform.statefile import StateFile; StateFile(sys.argv[1])"
    result = subprocess.run(
        [sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=False
    )
    assert f"in use by process {os.getpid()}" in result.stderr
    nvm.area("a").put("k", b"1")
    nvm.commit()
    nvm.close()
    open_nvm(FileStore(str(path)), "toy").close()


def test_a_file_in_use_by_another_process_names_it(path):
    script = (
        "import sys; from cards.platform.statefile import StateFile\n"
        "s = StateFile(sys.argv[1]); print('held', flush=True); sys.stdin.read(); s.close()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(path)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as other:  # fmt: skip
        assert other.stdout.readline() == "held\n"
        assert f"in use by process {other.pid}" in refusal(path)
        other.communicate()
    make(path).close()


def test_calls_may_come_from_different_threads(path):
    nvm = make(path)

    def work():
        nvm.area("a").put("k", b"1")
        nvm.commit()

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    nvm.close()
    nvm = open_nvm(FileStore(str(path)), "toy")
    assert nvm.area("a").get("k") == b"1"
    nvm.close()


def test_a_write_that_fails_is_an_nvm_error_and_changes_nothing(path):
    file = StateFile(str(path))
    file.write({("a", "k"): b"1"})
    with pytest.raises(NvmError):
        file.write({("a", "k"): b"2", ("a", "bad"): object()})
    assert file.load() == {("a", "k"): b"1"}
    file.close()
    file.close()


class Interrupted(dict):
    def items(self):
        yield ("a", "k"), b"half"
        raise KeyboardInterrupt


def test_an_interrupted_write_leaves_nothing_and_the_next_one_works(path):
    file = StateFile(str(path))
    file.write({("a", "k"): b"1"})
    with pytest.raises(KeyboardInterrupt):
        file.write(Interrupted())
    assert file.load() == {("a", "k"): b"1"}
    file.write({("a", "k"): b"2"})
    assert file.load() == {("a", "k"): b"2"}
    file.close()


FORKED = """
import os, signal, sys
from cards.platform import NvmError
from cards.platform.statefile import StateFile
file = StateFile(sys.argv[1])
file.write({("a", str(n)): b"old" + bytes(900) for n in range(300)})
child = os.fork()
if not child:
    try:
        file.write({("a", "0"): b"child"})
    except NvmError as error:
        print(error, flush=True)
    file.close()
    if sys.argv[2] == "exit":
        sys.exit()
    os._exit(0)
os.waitpid(child, 0)
file._connection.execute("PRAGMA cache_size = 1")
class Half(dict):
    def items(self):
        for n in range(300):
            if n == 250:
                os.kill(os.getpid(), signal.SIGKILL)
            yield ("a", str(n)), b"new" + bytes(901)
file.write(Half())
"""


@pytest.mark.parametrize("end", ["_exit", "exit"])
def test_a_forked_child_neither_writes_nor_takes_the_journal_away(path, end):
    done = subprocess.run(
        [sys.executable, "-c", FORKED, str(path), end], capture_output=True, text=True, check=False
    )
    assert "another process" in done.stdout
    assert done.stderr == ""
    file = StateFile(str(path))
    assert {value[:3] for value in file.load().values()} == {b"old"}
    file.close()


def test_forgetting_a_card_releases_its_file(path):
    make(path)
    make(path).close()


def test_the_kind_of_a_file_whose_writer_was_killed(path, tmp_path):
    nvm = make(path)
    for number in range(200):
        nvm.area("toy").put(str(number), bytes(1000))
    nvm.commit()
    nvm.close()
    # A change that is half written when its writer is killed: pages in the file, the old ones in
    # the journal.
    with closing(sqlite3.connect(path, isolation_level=None)) as writer:
        writer.execute("PRAGMA cache_size = 1")
        writer.execute("BEGIN")
        writer.execute("UPDATE nvm SET value = zeroblob(1000)")
        writer.execute("UPDATE nvm SET value = x'6A756E6B' WHERE key = 'kind'")
        writer.execute("UPDATE nvm SET value = zeroblob(1001) WHERE area = 'toy'")
        torn = tmp_path / "torn.card"
        torn.write_bytes(path.read_bytes())
        (tmp_path / "torn.card-journal").write_bytes((tmp_path / "a.card-journal").read_bytes())
    assert b"junk" in torn.read_bytes()
    assert kind_in(str(torn)) == "toy"
    assert b"junk" not in torn.read_bytes()
    assert kind_in(str(path)) == "toy"
