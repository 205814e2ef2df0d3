# SPDX-License-Identifier: Apache-2.0
"""The file in which the test is told about a card."""

import pytest

from vreader.errors import UsageError
from vreader.minidriver.abi.codes import Calg, Kdf, KeySpec, Padding
from vreader.minidriver.certify import Settings
from vreader.minidriver.certify.cmck import dump, load

VENDOR = """<CMCKConfig>
  <V5><Version>1</Version></V5>
  <V6>
    <Version>2</Version>
    <CardDefaults>
      <DefaultPins>
        <PinEntry> <!-- the user -->
          <RoleID>1</RoleID><Type>AlphaNumericPinType</Type><Value>0x30 0x31</Value>
          <Blocking>True</Blocking><AllowZeroLength>False</AllowZeroLength>
        </PinEntry>
        <PinEntry><RoleID>3</RoleID><Type>AlphaNumericPinType</Type><Value>0x39</Value></PinEntry>
      </DefaultPins>
      <CardSupports>
        <MinimumVersion>6</MinimumVersion>
        <CurrentVersion>7</CurrentVersion>
        <KeyImport>False</KeyImport>
        <KeyTypes>AT_SIGNATURE AT_ECDSA_P384</KeyTypes>
        <PaddingAlgorithms>CARD_PADDING_PKCS1</PaddingAlgorithms>
        <SignHashAlgorithms>CALG_SHA1 CALG_SHA_256</SignHashAlgorithms>
        <SignReturnBufferSize>True</SignReturnBufferSize>
        <KDFTypes>HASH SP800_56A_CONCAT</KDFTypes>
        <SupportsCardGetChallenge>True</SupportsCardGetChallenge>
        <SupportsCardUnblockPin>False</SupportsCardUnblockPin>
      </CardSupports>
    </CardDefaults>
    <TestSuiteDefaults>
      <TestParams>
        <TestParam><Test>MultiThreaded</Test><Name>t</Name><Value>2</Value></TestParam>
        <TestParam><Test>NonRepeatingChallenge</Test><Name>n</Name><Value>30</Value></TestParam>
      </TestParams>
    </TestSuiteDefaults>
  </V6>
</CMCKConfig>
"""


@pytest.fixture
def file(tmp_path):
    def write(text):
        path = tmp_path / "cmck_config.xml"
        path.write_text(text, encoding="utf-8")
        return str(path)

    return write


def test_a_vendors_file(file):
    assert load(file(VENDOR)) == Settings(
        pins={1: b"01", 3: b"9"},
        minimum_version=6,
        current_version=7,
        key_import=False,
        key_types=(KeySpec.SIGNATURE, KeySpec.ECDSA_P384),
        paddings=(Padding.PKCS1,),
        hashes=(Calg.SHA1, Calg.SHA_256),
        size_only=True,
        kdfs=(Kdf.HASH, Kdf.SP80056A_CONCAT),
        functions=("CardGetChallenge",),
        threads=2,
        rounds=5,
        challenges=30,
    )


def test_what_is_written_is_read(file):
    for settings in (Settings(), Settings(pins={1: b"1", 2: bytes(24)}, functions=(), threads=1)):
        assert load(file(dump(settings))) == settings


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("</CMCKConfig>", "", "cmck_config.xml:34:1: it is no XML"),
        ("CMCKConfig>", "Other>", "no CMCKConfig"),
        ("<KeyImport>False", "<KeyImport>maybe", "KeyImport is 'maybe'"),
        ("AT_SIGNATURE", "AT_SIGNATUR", "KeyTypes has 'AT_SIGNATUR'"),
        ("<RoleID>3", "<RoleID>8", "RoleID is '8'"),
        ("0x39", "0x390", "Value is"),
        ("<Value>2<", "<Value>0<", "MultiThreaded t is '0'"),
        ("<MinimumVersion>6", "<MinimumVersion>six", "MinimumVersion is 'six'"),
        ("<CMCKConfig>", "<!DOCTYPE a><CMCKConfig>", "declares entities"),
    ],
)
def test_what_is_wrong_is_told(file, old, new, told):
    with pytest.raises(UsageError) as failed:
        load(file(VENDOR.replace(old, new)))
    assert told in str(failed.value)
    assert failed.value.hint


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(UsageError, match="cannot read"):
        load(str(tmp_path / "none.xml"))
