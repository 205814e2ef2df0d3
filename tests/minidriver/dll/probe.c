// SPDX-License-Identifier: Apache-2.0
// A Windows program that calls winscard.dll and prints what it gets, one line each.
#define WIN32_LEAN_AND_MEAN
#include <windows.h>
#include <winscard.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static SCARDCONTEXT context;

static DWORD WINAPI cancel(LPVOID unused) {
    (void)unused;
    do
        Sleep(1);
    while (!SCardCancel(context));
    return 0;
}

static int show(const char *what, LONG code) {
    printf("%s %08lX\n", what, code);
    fflush(stdout);
    return code == SCARD_S_SUCCESS;
}

int main(void) {
    DWORD n = SCARD_AUTOALLOCATE, state, protocol, m;
    LPSTR names = NULL;
    LPWSTR wide = NULL;
    BYTE atr[36], answer[258];
    char name[64];
    SCARDHANDLE handle;
    show("established", SCardEstablishContext(SCARD_SCOPE_USER, NULL, NULL, &context));
    show("started", WaitForSingleObject(SCardAccessStartedEvent(), 0));
    show("list", SCardListReadersA(context, NULL, (LPSTR)&names, &n));
    printf("readers %lu %s\n", n, names);
    show("length", SCardListReadersW(context, NULL, NULL, &n));
    m = n - 1;
    wide = malloc(2 * n);
    show("short", SCardListReadersW(context, NULL, wide, &m));
    show("wide", SCardListReadersW(context, NULL, wide, &n));
    show("nocontext", SCardListReadersW(0, L"SCard$AllReaders\0", wide, &n));

    SCARD_READERSTATEA reader = {.szReader = names};
    show("look", SCardGetStatusChangeA(context, INFINITE, &reader, 1));
    reader.dwCurrentState = reader.dwEventState & ~SCARD_STATE_CHANGED;
    show("timeout", SCardGetStatusChangeA(context, 1, &reader, 1));
    HANDLE thread = CreateThread(NULL, 0, cancel, NULL, 0, NULL);
    (void)thread;
    // The other thread's SCardCancel may come before the wait: then this times out.
    LONG code = SCardGetStatusChangeA(context, 50, &reader, 1);
    printf("cancelled %d\n", code == (LONG)SCARD_E_CANCELLED || code == (LONG)SCARD_E_TIMEOUT);
    printf("waiting\n");
    fflush(stdout);
    show("change", SCardGetStatusChangeA(context, INFINITE, &reader, 1));
    printf("event %lX atr %lu\n", reader.dwEventState & 0xFFFF, reader.cbAtr);

    show("connect", SCardConnectA(context, names, SCARD_SHARE_SHARED, 3, &handle, &protocol));
    n = sizeof name, m = sizeof atr;
    show("status", SCardStatusA(handle, name, &n, &state, &protocol, atr, &m));
    printf("name %s state %lu atr %lu\n", name, state, m);
    n = 2;
    show("shortname", SCardStatusA(handle, name, &n, NULL, NULL, NULL, NULL));
    show("begin", SCardBeginTransaction(handle));
    static const BYTE select[] = {0, 0xA4, 4, 0, 5, 0xA0, 0, 0, 3, 8};
    n = sizeof answer;
    show("transmit", SCardTransmit(handle, SCARD_PCI_T1, select, sizeof select, NULL, answer, &n));
    printf("sw %02X%02X\n", answer[n - 2], answer[n - 1]);
    n = 1;
    show("room", SCardTransmit(handle, NULL, select, sizeof select, NULL, answer, &n));
    show("end", SCardEndTransaction(handle, SCARD_LEAVE_CARD));
    n = sizeof answer;
    show("attrib", SCardGetAttrib(handle, 0x7FFF0004, answer, &n)); // DEVICE_SYSTEM_NAME_A
    printf("system %s\n", answer);
    show("control", SCardControl(handle, 0x00313520, NULL, 0, answer, sizeof answer, &n));
    show("disconnect", SCardDisconnect(handle, SCARD_LEAVE_CARD));
    show("gone", SCardDisconnect(handle, SCARD_LEAVE_CARD));

    BYTE *type = reader.rgbAtr;
    static const GUID guid = {1, 2, 3, {4}};
    GUID back[2];
    show("introduce",
         SCardIntroduceCardTypeW(context, L"K\u00E4rtchen", &guid, &guid, 1, type, NULL, 0));
    n = 2;
    show("interfaces", SCardListInterfacesW(context, L"K\u00E4rtchen", back, &n));
    printf("interfaces %lu %d\n", n, IsEqualGUID(&back[0], &guid));
    show("provider", SCardGetProviderIdW(context, L"K\u00E4rtchen", &back[1]));
    printf("provider %d\n", IsEqualGUID(&back[1], &guid));
    n = SCARD_AUTOALLOCATE;
    show("cards", SCardListCardsA(context, reader.rgbAtr, NULL, 0, (LPSTR)&names, &n));
    printf("card %lu %s\n", n, names);
    SCARD_READERSTATEA at = {.szReader = name};
    show("locate", SCardLocateCardsA(context, "K\xE4rtchen\0", &at, 1));
    printf("match %d\n", !!(at.dwEventState & SCARD_STATE_ATRMATCH));
    show("forget", SCardForgetCardTypeW(context, L"K\u00E4rtchen"));
    show("unknown", SCardForgetCardTypeA(context, "K\xE4rtchen"));
    UUID card = {7};
    n = sizeof answer;
    show("write", SCardWriteCacheW(context, &card, 1, L"tag", (PBYTE) "abc", 3));
    show("read", SCardReadCacheA(context, &card, 1, "tag", answer, &n));
    printf("cache %lu %.3s\n", n, answer);
    show("free", SCardFreeMemory(context, names));
    show("release", SCardReleaseContext(context));
    show("released", SCardIsValidContext(context));
    return 0;
}
