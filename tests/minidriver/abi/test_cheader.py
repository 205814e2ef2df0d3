# SPDX-License-Identifier: Apache-2.0
import subprocess

import pytest
from minidriver_structs import STRUCTS

from vreader.minidriver.abi.callbacks import CALLBACKS
from vreader.minidriver.abi.cheader import STANDALONE, assertions, header
from vreader.minidriver.abi.ctype import Abi
from vreader.minidriver.abi.functions import FUNCTION
from vreader.minidriver.abi.injection import BCRYPT_KEY_DATA_BLOB

KEY_DATA_HEADER = BCRYPT_KEY_DATA_BLOB.layout().size
CNG = {
    *("BCRYPT_PKCS1_PADDING_INFO", "BCRYPT_PSS_PADDING_INFO", "BCRYPT_OAEP_PADDING_INFO"),
    *("BCryptBuffer", "BCryptBufferDesc", "BCRYPT_ECCKEY_BLOB"),
}


def compiled(source, option, compiler="gcc"):
    command = [
        compiler,
        option,
        "-std=c11",
        "-Wall",
        "-Wextra",
        "-Werror",
        "-fsyntax-only",
        "-xc",
        "-",
    ]
    return subprocess.run(command, input=source, text=True, capture_output=True, timeout=60)


@pytest.mark.parametrize(("abi", "option"), [(Abi.X64, "-m64"), (Abi.X86, "-m32")])
def test_a_c_compiler_has_the_same_layout(abi, option):
    source = STANDALONE + header(STRUCTS) + "".join(assertions(s, abi) for s in STRUCTS)
    done = compiled(source, option)
    assert not done.returncode, done.stderr


def test_a_wrong_offset_does_not_compile():
    source = STANDALONE + header(STRUCTS) + "".join(assertions(s, Abi.X64) for s in STRUCTS)
    done = compiled(source, "-m32")
    assert "sizeof CARD_DATA" in done.stderr


def test_functions_and_callbacks_are_stdcall_on_x86():
    made = header(STRUCTS)
    pointers = [line for line in made.splitlines() if "(WINAPI *PFN_" in line]
    assert len(pointers) == len(FUNCTION) + len(CALLBACKS)
    cdecl = "\n".join(pointers).replace("WINAPI *PFN_", "*CDECL_")
    asserted = "".join(
        f'_Static_assert(!__builtin_types_compatible_p(PFN_{name}, CDECL_{name}), "{name}");\n'
        for name in (*FUNCTION, *(callback.name for callback in CALLBACKS))
    )
    source = f"{STANDALONE}{made}{cdecl}\n{asserted}"
    assert not compiled(source, "-m32").returncode, compiled(source, "-m32").stderr
    assert "CardAcquireContext" in compiled(source, "-m64").stderr  # there is one convention there


def test_mingw_has_the_same_layout_and_so_has_its_own_declaration_of_cng_structures(need):
    compiler = need("x86_64-w64-mingw32-gcc", "gcc-mingw-w64-x86-64")
    ours = [s for s in STRUCTS if s.__name__ not in CNG]
    source = "#include <windows.h>\n#include <winscard.h>\n#include <bcrypt.h>\n"
    source += header([s for s in ours if s is not BCRYPT_KEY_DATA_BLOB])
    source += "".join(assertions(s, Abi.X64) for s in STRUCTS if s is not BCRYPT_KEY_DATA_BLOB)
    source += f'_Static_assert(sizeof(BCRYPT_KEY_DATA_BLOB_HEADER) == {KEY_DATA_HEADER}, "");\n'
    done = compiled(source, "-m64", compiler)
    assert not done.returncode, done.stderr
