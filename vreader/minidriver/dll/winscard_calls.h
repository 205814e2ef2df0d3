// SPDX-License-Identifier: Apache-2.0
// The exported functions of our winscard.dll; the second half of winscard.c.

// ---------------------------------------------------------------- contexts

EXPORT LONG WINAPI SCardEstablishContext(DWORD scope, LPCVOID r1, LPCVOID r2, LPSCARDCONTEXT out) {
    BUF b = request(F_SCardEstablishContext, scope), reply;
    (void)r1, (void)r2;
    if (!out)
        return free(b.p), SCARD_E_INVALID_PARAMETER;
    LONG code = ask(&b, &reply);
    if (!code)
        *out = (SCARDCONTEXT)take8(&reply);
    free(reply.p);
    return code;
}

EXPORT LONG WINAPI SCardReleaseContext(SCARDCONTEXT c) {
    return plain(request(F_SCardReleaseContext, c));
}

EXPORT LONG WINAPI SCardIsValidContext(SCARDCONTEXT c) {
    return plain(request(F_SCardIsValidContext, c));
}

EXPORT LONG WINAPI SCardCancel(SCARDCONTEXT c) { return plain(request(F_SCardCancel, c)); }

EXPORT LONG WINAPI SCardFreeMemory(SCARDCONTEXT c, LPCVOID memory) {
    (void)c;
    free((void *)memory);
    return SCARD_S_SUCCESS;
}

EXPORT HANDLE WINAPI SCardAccessStartedEvent(void) {
    EnterCriticalSection(&lock);
    if (!started)
        started = CreateEventA(NULL, TRUE, TRUE, NULL);
    LeaveCriticalSection(&lock);
    return started;
}

EXPORT void WINAPI SCardReleaseStartedEvent(void) {}

// ---------------------------------------------------------------- cards

EXPORT LONG WINAPI SCardReconnect(SCARDHANDLE h, DWORD share, DWORD protocols, DWORD init,
                                  LPDWORD active) {
    BUF b = request(F_SCardReconnect, h), reply;
    put8(&b, share), put8(&b, protocols), put8(&b, init);
    LONG code = ask(&b, &reply);
    DWORD told = (DWORD)(code ? 0 : take8(&reply));
    if (!code && active)
        *active = told;
    free(reply.p);
    return code;
}

static LONG with_one(DWORD function, SCARDHANDLE h, DWORD value) {
    BUF b = request(function, h);
    put8(&b, value);
    return plain(b);
}

EXPORT LONG WINAPI SCardDisconnect(SCARDHANDLE h, DWORD d) {
    return with_one(F_SCardDisconnect, h, d);
}

EXPORT LONG WINAPI SCardBeginTransaction(SCARDHANDLE h) {
    return plain(request(F_SCardBeginTransaction, h));
}

EXPORT LONG WINAPI SCardEndTransaction(SCARDHANDLE h, DWORD d) {
    return with_one(F_SCardEndTransaction, h, d);
}

EXPORT LONG WINAPI SCardTransmit(SCARDHANDLE h, LPCSCARD_IO_REQUEST send_pci, LPCBYTE apdu,
                                 DWORD n, LPSCARD_IO_REQUEST recv_pci, LPBYTE out, LPDWORD room) {
    if (!apdu || !out || !room)
        return SCARD_E_INVALID_PARAMETER;
    DWORD protocol = send_pci ? send_pci->dwProtocol : 0;
    if (!send_pci) { // Windows then takes the protocol in force
        DWORD state;
        LONG code = SCardStatusW(h, NULL, NULL, &state, &protocol, NULL, NULL);
        if (code)
            return code;
    }
    BUF b = request(F_SCardTransmit, h);
    put8(&b, protocol), putdata(&b, apdu, n);
    if (recv_pci)
        recv_pci->dwProtocol = protocol;
    return bytes(b, out, room);
}

EXPORT LONG WINAPI SCardControl(SCARDHANDLE h, DWORD control, LPCVOID in, DWORD n, LPVOID out,
                                DWORD room, LPDWORD returned) {
    BUF b = request(F_SCardControl, h);
    put8(&b, control), putdata(&b, in ? in : "", in ? n : 0), put8(&b, room);
    LONG code = bytes(b, out, &room);
    if (returned)
        *returned = code ? 0 : room;
    return code;
}

EXPORT LONG WINAPI SCardGetAttrib(SCARDHANDLE h, DWORD id, LPBYTE out, LPDWORD room) {
    BUF b = request(F_SCardGetAttrib, h);
    put8(&b, id);
    return bytes(b, out, room);
}

EXPORT LONG WINAPI SCardSetAttrib(SCARDHANDLE h, DWORD id, LPCBYTE value, DWORD n) {
    BUF b = request(F_SCardSetAttrib, h);
    put8(&b, id), putdata(&b, value ? value : (LPCBYTE) "", value ? n : 0);
    return plain(b);
}

static void putguid(BUF *b, LPCGUID guid) { putdata(b, guid, sizeof *guid); }

static void putguids(BUF *b, LPCGUID guids, DWORD n) {
    put4(b, guids ? n : 0);
    for (DWORD i = 0; guids && i < n; i++)
        putguid(b, guids + i);
}

static LONG one_guid(BUF b, LPGUID guid) {
    DWORD n = sizeof *guid;
    if (!guid)
        return free(b.p), SCARD_E_INVALID_PARAMETER;
    return bytes(b, guid, &n);
}

static LONG guids_of(BUF b, LPGUID out, LPDWORD room) {
    BUF reply, all = {0};
    DWORD n;
    LONG code = ask(&b, &reply);
    if (!code) {
        DWORD count = take4(&reply);
        while (count-- && !reply.bad) {
            const BYTE *p = takedata(&reply, &n);
            if (p)
                put(&all, p, n);
        }
        code = reply.bad ? SCARD_F_COMM_ERROR
                         : give(all.p, all.n / sizeof(GUID), sizeof(GUID), out, room);
    }
    free(reply.p);
    free(all.p);
    return code;
}

// Some functions take an ATR without a length: as long as it says itself, at most 33 bytes.
static DWORD atr_length(LPCBYTE atr) {
    DWORD size = 2, historical = atr[1] & 0x0F, more = atr[1] >> 4, check = 0;
    while (more && size < 33) {
        DWORD interface_bytes = 0;
        for (DWORD bit = 0; bit < 4; bit++)
            interface_bytes += more >> bit & 1;
        size += interface_bytes;
        BYTE td = more & 8 && size < 33 ? atr[size - 1] : 0;
        if (td & 0x0F)
            check = 1;
        more = td >> 4;
    }
    return min(size + historical + check, 33);
}

#define NAME(function) function##A
#define WIDE 0
#define STR LPCSTR
#define OUTSTR LPSTR
#define STATES LPSCARD_READERSTATEA
#include "winscard_text.h"
#undef NAME
#undef WIDE
#undef STR
#undef OUTSTR
#undef STATES

#define NAME(function) function##W
#define WIDE 1
#define STR LPCWSTR
#define OUTSTR LPWSTR
#define STATES LPSCARD_READERSTATEW
#include "winscard_text.h"

// ---------------------------------------------------------------- what the other side does not have

// They exist, so that a DLL that imports one of them can be loaded.
#define UNSUPPORTED(name)                                                                          \
    EXPORT LONG WINAPI no_##name(void) __asm__(#name);                                             \
    EXPORT LONG WINAPI no_##name(void) { return SCARD_E_UNSUPPORTED_FEATURE; }

UNSUPPORTED(SCardAudit)
UNSUPPORTED(SCardGetTransmitCount)
UNSUPPORTED(SCardGetDeviceTypeIdA)
UNSUPPORTED(SCardGetDeviceTypeIdW)
UNSUPPORTED(SCardGetReaderIconA)
UNSUPPORTED(SCardGetReaderIconW)
UNSUPPORTED(SCardGetReaderDeviceInstanceIdA)
UNSUPPORTED(SCardGetReaderDeviceInstanceIdW)
UNSUPPORTED(SCardListReadersWithDeviceInstanceIdA)
UNSUPPORTED(SCardListReadersWithDeviceInstanceIdW)
