// SPDX-License-Identifier: Apache-2.0
// Bytes that grow, and are read: what requests and replies are made of. Part of winscard.c.

#define NONE 0xFFFFFFFFu

typedef struct {
    BYTE *p;
    DWORD n, room, at; // length, allocated, read so far
    int bad;           // no memory, or read past the end
} BUF;

static void put(BUF *b, const void *p, DWORD n) {
    if (b->n + n > b->room) {
        DWORD room = (b->n + n) * 2 + 64;
        BYTE *grown = realloc(b->p, room);
        if (!grown) {
            b->bad = 1;
            return;
        }
        b->p = grown;
        b->room = room;
    }
    if (n)
        memcpy(b->p + b->n, p, n);
    b->n += n;
}

static void put4(BUF *b, DWORD n) { put(b, &n, 4); }
static void put8(BUF *b, ULONGLONG n) { put(b, &n, 8); }

static void putdata(BUF *b, const void *p, DWORD n) {
    put4(b, p ? n : NONE);
    if (p)
        put(b, p, n);
}

// A string of n characters, wide or in the ANSI code page.
static void putchars(BUF *b, const void *s, int n, int wide) {
    if (wide) {
        putdata(b, s, 2 * (DWORD)n);
        return;
    }
    int units = n ? MultiByteToWideChar(CP_ACP, 0, s, n, NULL, 0) : 0;
    WCHAR *w = malloc(2 * (size_t)units + 2);
    if (!w) {
        b->bad = 1;
        return;
    }
    if (units)
        MultiByteToWideChar(CP_ACP, 0, s, n, w, units);
    putdata(b, w, 2 * (DWORD)units);
    free(w);
}

static int length(const void *s, int wide) { return wide ? lstrlenW(s) : lstrlenA(s); }

static void putstr(BUF *b, const void *s, int wide) {
    if (s)
        putchars(b, s, length(s, wide), wide);
    else
        putdata(b, NULL, 0);
}

static void putmulti(BUF *b, const void *list, int wide) {
    DWORD count = 0;
    const BYTE *p;
    int n, unit = wide ? 2 : 1;
    for (p = list; p && (n = length(p, wide)); p += (n + 1) * unit)
        count++;
    put4(b, count);
    for (p = list; p && (n = length(p, wide)); p += (n + 1) * unit)
        putchars(b, p, n, wide);
}

static const BYTE *take(BUF *b, DWORD n) {
    if (b->bad || n > b->n - b->at) {
        b->bad = 1;
        return NULL;
    }
    b->at += n;
    return b->p + b->at - n;
}

static DWORD take4(BUF *b) {
    DWORD n = 0;
    const BYTE *p = take(b, 4);
    if (p)
        memcpy(&n, p, 4);
    return n;
}

static ULONGLONG take8(BUF *b) {
    ULONGLONG n = 0;
    const BYTE *p = take(b, 8);
    if (p)
        memcpy(&n, p, 8);
    return n;
}

static const BYTE *takedata(BUF *b, DWORD *n) {
    *n = take4(b);
    if (*n == NONE)
        *n = 0;
    return take(b, *n);
}
