# SPDX-License-Identifier: Apache-2.0
"""The interface in C, made from our own tables: for a program that loads a minidriver DLL.

What comes out needs the basic types of Windows: those of the compiler's ``windows.h``, or
STANDALONE, with which any C compiler for x64 or x86 can check a layout without a header.
"""

from collections.abc import Iterable

from vreader.minidriver.abi.callbacks import CALLBACKS
from vreader.minidriver.abi.ctype import Abi
from vreader.minidriver.abi.functions import ACQUIRE_CONTEXT, FUNCTIONS, Function
from vreader.minidriver.abi.layout import Struct

STANDALONE = """\
typedef __UINT8_TYPE__ BYTE;
typedef __UINT16_TYPE__ WORD;
typedef __UINT16_TYPE__ WCHAR;
typedef __UINT32_TYPE__ DWORD;
typedef __UINT32_TYPE__ ULONG;
typedef __UINT32_TYPE__ ALG_ID;
typedef __INT32_TYPE__ BOOL;
typedef __SIZE_TYPE__ SIZE_T;
typedef void VOID, *PVOID;
typedef BYTE *PBYTE;
typedef DWORD *PDWORD, *LPDWORD;
typedef char *LPSTR;
typedef WCHAR *LPWSTR;
typedef const WCHAR *LPCWSTR;
typedef __UINTPTR_TYPE__ SCARDCONTEXT, SCARDHANDLE;
#ifdef __i386__
#define WINAPI __attribute__((stdcall))
#else
#define WINAPI
#endif
"""

# What the basic types of Windows do not include.
OWN_TYPES = """\
typedef DWORD PIN_ID, PIN_SET, ENUM;
typedef DWORD CARD_DIRECTORY_ACCESS_CONDITION, CARD_FILE_ACCESS_CONDITION;
typedef __UINTPTR_TYPE__ CARD_KEY_HANDLE, *PCARD_KEY_HANDLE;
typedef void (WINAPI *PFN)(void);
"""


def declaration(struct: type[Struct]) -> str:
    """Return the typedef of a structure and of a pointer to it."""
    members = []
    for name, type_ in struct.FIELDS:
        base, bracket, count = type_.c.partition("[")
        members.append(f"    {base} {name}{bracket}{count};\n")
    name = struct.__name__
    return f"typedef struct {{\n{''.join(members)}}} {name}, *P{name};\n"


def assertions(struct: type[Struct], abi: Abi) -> str:
    """Return C that does not compile unless sizeof and every offset are ours."""
    layout, name = struct.layout(abi), struct.__name__
    lines = [f'_Static_assert(sizeof({name}) == {layout.size}, "sizeof {name}");']
    lines += [
        f'_Static_assert(__builtin_offsetof({name}, {member}) == {at}, "{name}.{member}");'
        for member, at in layout.offsets.items()
    ]
    return "\n".join(lines) + "\n"


def header(structs: Iterable[type[Struct]]) -> str:
    """Return declarations of structures and the types of all functions and callbacks.

    CARD_DATA must be among the structures, and a nested one before the one it is in.
    """
    parts = [OWN_TYPES, *map(declaration, structs)]
    parts += [
        f"typedef DWORD (WINAPI *PFN_{function.name})({_parameters(function)});\n"
        for function in (ACQUIRE_CONTEXT, *FUNCTIONS)
    ]
    for callback in CALLBACKS:
        parameters = ", ".join(f"{p.type} {p.name}" for p in callback.parameters)
        parts.append(f"typedef {callback.returns} (WINAPI *PFN_{callback.name})({parameters});\n")
    return "\n".join(parts)


def _parameters(function: Function) -> str:
    own = [f"{p.type} {p.name}" for p in function.parameters]
    return ", ".join(["PCARD_DATA pCardData", *own])
