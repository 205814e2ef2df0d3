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
        ("</CMCKConfig>", "", "cmck_config.xml:34:1: it is no XML: no element found"),
        ("</V5>", "</V4>", "cmck_config.xml:2:29: it is no XML: mismatched tag"),
        ("CMCKConfig>", "Other>", "no CMCKConfig"),
        ("<KeyImport>False", "<KeyImport>maybe", "16:9: KeyImport is 'maybe', not True or False"),
        ("AT_SIGNATURE", "AT_SIGNATUR", "17:9: KeyTypes has 'AT_SIGNATUR'"),
        ("<RoleID>3", "<RoleID>8", "11:19: RoleID is '8', not a number from 0 to 7"),
        ("<RoleID>3</RoleID>", "", "11:9: RoleID is ''"),
        ("<RoleID>3", "<RoleID>" + "3" * 5000, "11:19: RoleID is '333"),
        ("0x39", "0x390", "11:69: Value has other than bytes in hexadecimal"),
        ("0x39", "3_9", "Value has other than bytes in hexadecimal"),
        ("<Value>2<", "<Value>0<", "28:60: MultiThreaded t is '0', not a number from 1 to 64"),
        ("<MinimumVersion>6", "<MinimumVersion>six", "MinimumVersion is 'six'"),
        (
            "<MinimumVersion>6",
            "<MinimumVersion>3",
            "MinimumVersion is '3', not a number from 4 to 7",
        ),
        ("<CurrentVersion>7", "<CurrentVersion>5", "not at most CurrentVersion, 5"),
        ("<CMCKConfig>", "<!DOCTYPE a><CMCKConfig>", ":1:12: it declares a document type"),
        ("<CMCKConfig>", '<?xml version="1.0" encoding="klingon"?><CMCKConfig>', "encoding"),
    ],
)
def test_what_is_wrong_is_told(file, old, new, told):
    with pytest.raises(UsageError) as failed:
        load(file(VENDOR.replace(old, new)))
    assert told in str(failed.value)
    assert failed.value.hint


def test_entities_that_grow_are_not_expanded(file):
    grow = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
    text = f'<!DOCTYPE a [<!ENTITY e0 "aaaaaaaaaa">{grow}]><CMCKConfig>&e11;</CMCKConfig>'
    with pytest.raises(UsageError, match="document type"):
        load(file(text))


def test_deep_elements_are_no_matter(file):
    deep = f"{'<a>' * 50_000}{'</a>' * 50_000}"
    assert load(file(VENDOR.replace("<V5>", f"<V5>{deep}"))).threads == 2


def test_a_secret_is_in_no_error(file):
    with pytest.raises(UsageError) as failed:
        load(file(VENDOR.replace("0x30 0x31", "0x30 0x37 zebra")))
    assert "0x37" not in str(failed.value)
    assert "zebra" not in str(failed.value)


def test_what_editors_of_windows_write(file, tmp_path):
    for encoding in ("utf-8-sig", "utf-16"):
        (tmp_path / "w.xml").write_text(VENDOR.replace("\n", "\r\n"), encoding=encoding)
        assert load(str(tmp_path / "w.xml")) == load(file(VENDOR))


def test_a_pin_without_a_value_is_not_told(file):
    empty = VENDOR.replace("0x30 0x31", "").replace("AlphaNumericPinType", "EmptyPinType")
    assert load(file(empty)).pins == {3: b"9"}


def test_parameters_of_tests_that_are_not_known_are_left_alone(file):
    text = VENDOR.replace("<Name>t</Name><Value>2", "<Name>path</Name><Value>C:\\log")
    assert load(file(text)).threads == Settings().threads


def test_a_file_that_is_long(tmp_path):
    (tmp_path / "long.xml").write_bytes(b" " * ((1 << 20) + 1))
    with pytest.raises(UsageError, match="longer than 1 MiB"):
        load(str(tmp_path / "long.xml"))


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(UsageError, match="cannot read"):
        load(str(tmp_path / "none.xml"))
