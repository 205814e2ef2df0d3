# SPDX-License-Identifier: Apache-2.0
"""The PIV part of the device tests in yubikey-manager's own source distribution.

They are run as they are, by a pytest of their own, against the virtual reader. Nothing may fail,
and what is skipped must be named here.

The tests of the command line need a stack with one reader. Each command selects the device by
serial number, for which ykman opens every reader that is called after Yubico; in the empty one
that vpcd adds it waits three seconds for a card. (``--reader`` is for cards that look like NFC.)
"""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from xml.etree import ElementTree

import pytest

pytestmark = pytest.mark.clients

READER = "Yubico YubiKey CCID"
SERIAL = 1234567
LIBRARY = ("tests/device/test_piv.py", "tests/device/test_ccid.py")
COMMAND_LINE = ("tests/device/cli/piv", "tests/device/cli/test_misc.py")
# Reason of a skip → why this card cannot have it.
EXPLAINED = {
    "Requires YK4 FIPS = True": "a FIPS model of the YubiKey 4",
    "Requires YubiKey with PIN complexity enabled": "an order option of Yubico's; off by default",
    "Requires YubiKey Bio with PIV": "has a fingerprint sensor",
    "Not ROCA affected": "firmware 4.2.0 to 4.3.4, whose RSA keys are weak",
    "Version > (5, 2, 9)": "what older firmware does; newer has other tests for it",
}
OLD_FIRMWARE = {
    **{
        f"{name} requires YubiKey 5.7 or later": "the profile 5.7.1 has it"
        for name in ("RSA3072", "RSA4096", "ED25519", "X25519")
    },
    "Version < (5, 7, 0)": "moving and deleting keys: the profile 5.7.1 has it",
}


PATIENCE_S = 100
# stack, profile → what is run there. Together the two with a pcscd run all of it on pcscd, but for
# generating the longest keys, which takes as long as all the rest and is no matter of pcscd.
LEAN = ("-k", "not (generate and (RSA3072 or RSA4096))")
RUNS = {
    ("embedded", "5.7.1"): (*LIBRARY, *COMMAND_LINE),
    ("embedded", "5.4.3"): (*LIBRARY, *COMMAND_LINE),
    ("twin", "5.7.1"): COMMAND_LINE,
    ("twin", "5.4.3"): COMMAND_LINE,
    ("pcscd", "5.7.1"): (*LIBRARY, *LEAN),
    ("pcscd", "5.4.3"): (*LIBRARY, *LEAN),
}


@pytest.fixture(scope="module")
def suite(serving, ykman_home: Path, need_stack, tmp_path_factory):
    """Return the number of tests that passed in a run, and why others were skipped.

    Two runs go on at a time: in each the client and the card wait for one another.
    """

    def run(stack: str, profile: str) -> tuple[int, set[str]]:
        need_stack(stack)
        home = tmp_path_factory.mktemp("suite")
        report = home / "report.xml"
        options = ("--stack", stack, "--card", f"yubikey:{profile},serial={SERIAL}")
        # ykman remembers devices in a file of the user's.
        command = ["env", f"HOME={home}", ykman_home / "bin/python", "-m", "pytest", "-q"]
        command += ["-p", "no:cacheprovider", "--tb=short", "--device", SERIAL]
        command += [f"--junitxml={report}", *RUNS[stack, profile]]
        with serving(*options, "--reader", READER) as served:
            done = served.run(*command, code=None, cwd=ykman_home / "sdist", timeout=PATIENCE_S)
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr
        cases = ElementTree.parse(report).findall(".//testcase")
        skips = [skip for case in cases if (skip := case.find("skipped")) is not None]
        return len(cases) - len(skips), {skip.get("message", "") for skip in skips}

    pool = ThreadPoolExecutor(2)
    runs = {words: pool.submit(run, *words) for words in RUNS}
    try:
        yield lambda *words: runs[words].result()
    finally:
        pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize(
    ("profile", "passed", "explained"),
    [("5.7.1", 166, EXPLAINED), ("5.4.3", 147, EXPLAINED | OLD_FIRMWARE)],
)
def test_all(suite, profile, passed, explained):
    count, skipped = suite("embedded", profile)
    assert skipped == set(explained)
    assert count == passed


@pytest.mark.pcscd
@pytest.mark.parametrize("profile", ["5.7.1", "5.4.3"])
def test_the_command_line_on_pcscd_with_one_reader(suite, profile):
    count, skipped = suite("twin", profile)
    assert skipped <= set(EXPLAINED)
    assert count == 76


@pytest.mark.pcscd
@pytest.mark.parametrize(("profile", "passed"), [("5.7.1", 82), ("5.4.3", 71)])
def test_the_library_on_pcscd(suite, profile, passed):
    count, skipped = suite("pcscd", profile)
    assert skipped <= set(EXPLAINED | OLD_FIRMWARE)
    assert count == passed
