// SPDX-License-Identifier: Apache-2.0
// winscard.dll for programs under Wine: every call goes to our resource manager by loopback TCP.
//
// VREADER_WINSCARD is "port:token". The first connection lives as long as the process and tells the
// other side when it ends; calls take a free connection of a pool, so that one may wait
// (SCardGetStatusChange, SCardBeginTransaction) while others go on. What is written there is told
// in vreader/bridge/winscard_tcp/wire.py; "functions.h" is made from the same table.
#define WIN32_LEAN_AND_MEAN
#define WINSCARDAPI
#define WINSCARDDATA
#include <winsock2.h>
#include <windows.h>
#include <winscard.h>
#include <stdlib.h>
#include <string.h>
#include "functions.h"

#define EXPORT __declspec(dllexport)
#define MAX_REPLY (1u << 24)
#define TOKEN 32

EXPORT const SCARD_IO_REQUEST g_rgSCardT0Pci = {SCARD_PROTOCOL_T0, sizeof(SCARD_IO_REQUEST)};
EXPORT const SCARD_IO_REQUEST g_rgSCardT1Pci = {SCARD_PROTOCOL_T1, sizeof(SCARD_IO_REQUEST)};
EXPORT const SCARD_IO_REQUEST g_rgSCardRawPci = {SCARD_PROTOCOL_RAW, sizeof(SCARD_IO_REQUEST)};

#include "winscard_bytes.h"

// ---------------------------------------------------------------- connections

#define POOL 64
static CRITICAL_SECTION lock;
static SOCKET life = INVALID_SOCKET, idle[POOL];
static int idles;
static ULONGLONG client;
static HANDLE started;

BOOL WINAPI DllMain(HINSTANCE self, DWORD reason, LPVOID reserved) {
    (void)reserved;
    if (reason == DLL_PROCESS_ATTACH) {
        DisableThreadLibraryCalls(self);
        InitializeCriticalSection(&lock);
    }
    return TRUE;
}

static int sendall(SOCKET s, const void *p, DWORD n) {
    const char *at = p;
    while (n) {
        int sent = send(s, at, (int)n, 0);
        if (sent <= 0)
            return 0;
        at += sent;
        n -= (DWORD)sent;
    }
    return 1;
}

static int recvall(SOCKET s, void *p, DWORD n) {
    char *at = p;
    while (n) {
        int got = recv(s, at, (int)n, 0);
        if (got <= 0)
            return 0;
        at += got;
        n -= (DWORD)got;
    }
    return 1;
}

static int hex(char c) {
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// Connect and say hello; the number of the client is asked for with 0.
static SOCKET dial(ULONGLONG who, ULONGLONG *told) {
    char said[128], *token;
    BYTE hello[8 + TOKEN + 8], welcome[12];
    DWORD head[2] = {0x43535256, 1}, code;
    struct sockaddr_in to = {0};
    WSADATA wsa;
    DWORD n = GetEnvironmentVariableA("VREADER_WINSCARD", said, sizeof said);
    if (!n || n >= sizeof said || !(token = strchr(said, ':')) || strlen(++token) != 2 * TOKEN)
        return INVALID_SOCKET;
    if (WSAStartup(MAKEWORD(2, 2), &wsa))
        return INVALID_SOCKET;
    memcpy(hello, head, 8);
    for (int i = 0; i < TOKEN; i++)
        hello[8 + i] = (BYTE)(hex(token[2 * i]) << 4 | hex(token[2 * i + 1]));
    memcpy(hello + 8 + TOKEN, &who, 8);
    SOCKET s = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
    if (s == INVALID_SOCKET)
        return s;
    int on = 1;
    setsockopt(s, IPPROTO_TCP, TCP_NODELAY, (const char *)&on, sizeof on);
    to.sin_family = AF_INET;
    to.sin_port = htons((u_short)atoi(said));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(s, (struct sockaddr *)&to, sizeof to) || !sendall(s, hello, sizeof hello) ||
        !recvall(s, welcome, sizeof welcome) || (memcpy(&code, welcome, 4), code)) {
        closesocket(s);
        return INVALID_SOCKET;
    }
    memcpy(told, welcome + 4, 8);
    return s;
}

static SOCKET borrow(void) {
    SOCKET s = INVALID_SOCKET;
    ULONGLONG told;
    EnterCriticalSection(&lock);
    if (life == INVALID_SOCKET)
        life = dial(0, &client);
    int alive = life != INVALID_SOCKET;
    if (alive && idles)
        s = idle[--idles];
    LeaveCriticalSection(&lock);
    return s == INVALID_SOCKET && alive ? dial(client, &told) : s;
}

static void give_back(SOCKET s) {
    EnterCriticalSection(&lock);
    int kept = idles < POOL;
    if (kept)
        idle[idles++] = s;
    LeaveCriticalSection(&lock);
    if (!kept)
        closesocket(s);
}

// ---------------------------------------------------------------- a call

static BUF request(DWORD function, SCARDHANDLE first) {
    BUF b = {0};
    put4(&b, 0); // the length
    put4(&b, function);
    put8(&b, first);
    return b;
}

// Send a request, which is freed; the results are left in reply, which the caller frees.
static LONG ask(BUF *b, BUF *reply) {
    LONG code = SCARD_E_NO_SERVICE;
    DWORD n = b->n - 4;
    memset(reply, 0, sizeof *reply);
    if (b->bad) {
        free(b->p);
        return SCARD_E_NO_MEMORY;
    }
    memcpy(b->p, &n, 4);
    SOCKET s = borrow();
    if (s != INVALID_SOCKET) {
        code = SCARD_F_COMM_ERROR;
        if (sendall(s, b->p, b->n) && recvall(s, &n, 4) && n >= 4 && n <= MAX_REPLY &&
            (reply->p = malloc(n)) && recvall(s, reply->p, n)) {
            reply->n = reply->room = n;
            code = (LONG)take4(reply);
            give_back(s);
        } else {
            closesocket(s);
        }
    }
    free(b->p);
    return code;
}

static LONG plain(BUF b) {
    BUF reply;
    LONG code = ask(&b, &reply);
    free(reply.p);
    return code;
}

// Put n units into what the caller gave; NULL asks for the length, SCARD_AUTOALLOCATE for memory.
static LONG give(const void *p, DWORD n, DWORD unit, void *out, LPDWORD room) {
    LONG code = SCARD_S_SUCCESS;
    if (!room)
        return out ? SCARD_E_INVALID_PARAMETER : SCARD_S_SUCCESS;
    if (*room == SCARD_AUTOALLOCATE) {
        void *made;
        if (!out)
            return SCARD_E_INVALID_PARAMETER;
        if (!(made = malloc((size_t)n * unit + 1)))
            return SCARD_E_NO_MEMORY;
        memcpy(made, p, (size_t)n * unit);
        *(void **)out = made;
    } else if (out && *room < n) {
        code = SCARD_E_INSUFFICIENT_BUFFER;
    } else if (out) {
        memcpy(out, p, (size_t)n * unit);
    }
    *room = n;
    return code;
}

// The same with n wide characters; where the caller wants ANSI they are converted first.
static LONG givechars(const WCHAR *w, DWORD n, int wide, void *out, LPDWORD room) {
    if (wide)
        return give(w, n, 2, out, room);
    int units = n ? WideCharToMultiByte(CP_ACP, 0, w, (int)n, NULL, 0, NULL, NULL) : 0;
    char *a = malloc((size_t)units + 1);
    if (!a)
        return SCARD_E_NO_MEMORY;
    if (units)
        WideCharToMultiByte(CP_ACP, 0, w, (int)n, a, units, NULL, NULL);
    LONG code = give(a, (DWORD)units, 1, out, room);
    free(a);
    return code;
}

// Read a string, or a list of them, and give it; ends with one NUL, a list with two.
static LONG givetext(BUF *reply, int list, int wide, void *out, LPDWORD room) {
    BUF text = {0};
    DWORD count = list ? take4(reply) : 1, n;
    while (count-- && !reply->bad) {
        const BYTE *p = takedata(reply, &n);
        if (p)
            put(&text, p, n);
        put(&text, L"", 2);
    }
    if (list)
        put(&text, L"", 2);
    LONG code = reply->bad || text.bad
                    ? SCARD_F_COMM_ERROR
                    : givechars((const WCHAR *)text.p, text.n / 2, wide, out, room);
    free(text.p);
    return code;
}

static LONG texts(BUF b, int list, int wide, void *out, LPDWORD room) {
    BUF reply;
    LONG code = ask(&b, &reply);
    if (!code)
        code = givetext(&reply, list, wide, out, room);
    free(reply.p);
    return code;
}

static LONG bytes(BUF b, void *out, LPDWORD room) {
    BUF reply;
    DWORD n;
    LONG code = ask(&b, &reply);
    if (!code) {
        const BYTE *p = takedata(&reply, &n);
        code = p ? give(p, n, 1, out, room) : SCARD_F_COMM_ERROR;
    }
    free(reply.p);
    return code;
}

#include "winscard_calls.h"
