// SPDX-License-Identifier: Apache-2.0
// A minidriver that does in each function one thing that no host forgives.
#define WIN32_LEAN_AND_MEAN
#include <windows.h>
#include <stdio.h>
typedef DWORD ALG_ID;
typedef ULONG_PTR SCARDCONTEXT, SCARDHANDLE;
#include "minidriver.h"

#define ALLOC(c, n) ((PFN_CspAlloc)(c)->pfnCspAlloc)(n)
#define FREE(c, p) ((PFN_CspFree)(c)->pfnCspFree)(p)

static DWORD WINAPI nothing(PCARD_DATA c) { return (void)c, 0; }

static DWORD WINAPI past_own(PCARD_DATA c, LPSTR d, LPSTR n, DWORD f, PBYTE *out, PDWORD size) {
    (void)d, (void)n, (void)f;
    *out = ALLOC(c, 4);
    memset(*out, 0, *size = 5);
    *size = 4;
    return 0;
}

static DWORD WINAPI past_host(PCARD_DATA c, PCARD_CAPABILITIES out) {
    (void)c;
    memset(out, 0, sizeof *out + 1);
    return 0;
}

static DWORD WINAPI crash(PCARD_DATA c) {
    (void)c;
    *(volatile int *)16 = 1;
    return 0;
}

static DWORD WINAPI hang(PCARD_DATA c) {
    (void)c;
    Sleep(INFINITE);
    return 0;
}

static DWORD WINAPI leak(PCARD_DATA c) {
    ALLOC(c, 12);
    return 0;
}

static DWORD WINAPI meddle(PCARD_DATA c) {
    c->hScard++;
    c->pvUnused3 = c;
    c->dwVersion++;
    return 0;
}

static DWORD WINAPI foreign_free(PCARD_DATA c) {
    static int mine;
    FREE(c, &mine);
    return 0;
}

static DWORD WINAPI double_free(PCARD_DATA c) {
    PVOID p = ALLOC(c, 8);
    FREE(c, p);
    FREE(c, p);
    return 0;
}

static DWORD WINAPI after_free(PCARD_DATA c) {
    PBYTE p = ALLOC(c, 8);
    FREE(c, p);
    *p = 1;
    return 0;
}

static DWORD WINAPI leave(PCARD_DATA c) {
    (void)c;
    fprintf(stderr, "I have had enough\n");
    fflush(stderr);
    ExitProcess(7);
}

static DWORD WINAPI own_memory(PCARD_DATA c, LPSTR d, LPSTR *out, LPDWORD size, DWORD f) {
    static char mine[4];
    (void)f;
    if (d) {
        FREE(c, *out = ALLOC(c, 4)); // fails, and leaves the address of what is gone
        return ERROR_FILE_NOT_FOUND;
    }
    *out = mine;
    *size = sizeof mine;
    return 0;
}

static DWORD WINAPI lie(PCARD_DATA c, PBYTE *out, PDWORD size) {
    *out = ALLOC(c, 8);
    memset(*out, 1, 8);
    *size = 1 << 20;
    return 0;
}

static DWORD WINAPI chatter(PCARD_DATA c) {
    (void)c;
    printf("{\"r\":1}\n");
    fflush(stdout);
    DWORD n;
    WriteFile(GetStdHandle(STD_OUTPUT_HANDLE), "hello\n", 6, &n, NULL);
    return 0;
}

static DWORD WINAPI remember(PCARD_DATA c, LPSTR d, LPSTR n, DWORD f, PBYTE data, DWORD size) {
    PBYTE kept;
    DWORD length;
    (void)d, (void)n, (void)f;
    ((PFN_CspCacheAddFile)c->pfnCspCacheAddFile)(c->pvCacheContext, L"Größe", 0, data, size);
    DWORD code = ((PFN_CspCacheLookupFile)c->pfnCspCacheLookupFile)(c->pvCacheContext, L"Größe",
                                                                    0, &kept, &length);
    if (code || length != size || memcmp(kept, data, size))
        return 1;
    FREE(c, kept);
    return ((PFN_CspCacheDeleteFile)c->pfnCspCacheDeleteFile)(c->pvCacheContext, L"Größe", 0);
}

static DWORD WINAPI scribble(PCARD_DATA c, LPWSTR user, PBYTE pin, DWORD n, PDWORD left) {
    (void)c, (void)user, (void)n, (void)left;
    pin[0]++;
    return 0;
}

static DWORD WINAPI other_cache(PCARD_DATA c) {
    return ((PFN_CspCacheAddFile)c->pfnCspCacheAddFile)(c, L"x", 1, (PBYTE)"", 1);
}

__declspec(dllexport) DWORD WINAPI CardAcquireContext(PCARD_DATA c, DWORD flags) {
    (void)flags;
    c->dwVersion = 5;
    c->pfnCardGetProperty = (PFN)nothing;
    c->pfnCardDeleteContext = (PFN)nothing;
    c->pfnCardReadFile = (PFN)past_own;
    c->pfnCardQueryCapabilities = (PFN)past_host;
    c->pfnCardGetFileInfo = (PFN)crash;
    c->pfnCardQueryFreeSpace = (PFN)hang;
    c->pfnCardCreateDirectory = (PFN)leak;
    c->pfnCardDeleteDirectory = (PFN)meddle;
    c->pfnCardDeleteFile = (PFN)foreign_free;
    c->pfnCardCreateContainer = (PFN)double_free;
    c->pfnCardCreateFile = (PFN)after_free;
    c->pfnCardDeleteContainer = (PFN)leave;
    c->pfnCardEnumFiles = (PFN)own_memory;
    c->pfnCardGetChallenge = (PFN)lie;
    c->pfnCardQueryKeySizes = (PFN)chatter;
    c->pfnCardAuthenticatePin = (PFN)scribble;
    c->pfnCardDeauthenticate = (PFN)other_cache;
    c->pfnCardWriteFile = (PFN)remember;
    return 0;
}
