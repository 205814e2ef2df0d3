# SPDX-License-Identifier: Apache-2.0
"""User namespaces, allowed and forbidden."""

import json
import subprocess

import pytest

from vreader.doctor.namespaces import _how_to_allow


def test_this_machine_says_something(look):
    found = look("namespaces")
    assert found.worst in ("OK", "WARN")
    assert "Traceback" not in found.findings[0].text


def test_a_machine_that_has_none_to_give(vreader):
    """Inside a namespace that may have no further ones: no root is needed for that."""
    forbid = 'echo 0 >/proc/sys/user/max_user_namespaces && exec "$@"'
    # Without rights of its own, or it would need none.
    words = ["unshare", "--user", "--map-root-user", "sh", "-c", forbid, "sh"]
    drop = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]
    if subprocess.run([*words, *drop, "true"], capture_output=True).returncode:
        pytest.skip("no user namespaces here at all")
    done = subprocess.run(
        [*words, *drop, *vreader, "doctor", "namespaces", "--json"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    (found,) = json.loads(done.stdout)["findings"]
    assert found["level"] == "WARN"
    assert "no user namespaces (unshare: " in found["text"]
    assert "user.max_user_namespaces" in found["advice"]
    assert done.returncode == 0


@pytest.mark.parametrize(
    ("name", "value", "part"),
    [
        ("user/max_user_namespaces", "0", "user.max_user_namespaces"),
        ("kernel/unprivileged_userns_clone", "0", "unprivileged_userns_clone=1"),
        ("kernel/apparmor_restrict_unprivileged_userns", "1", "apparmor_restrict"),
        ("kernel/nothing", "1", "container"),
    ],
)
def test_what_forbids_them(machine, name, value, part):
    (machine.root / "proc").unlink()
    file = machine.root / "proc" / "sys" / name
    file.parent.mkdir(parents=True)
    file.write_text(f"{value}\n")
    assert part in _how_to_allow(machine)
