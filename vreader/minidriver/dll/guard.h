// SPDX-License-Identifier: Apache-2.0
// Memory with guard bytes around it, and what goes wrong with it, told as findings.
#include <stdarg.h>

#define GUARD 64
#define GUARD_BYTE 0xA5
#define FREED_BYTE 0xDD

typedef struct block {
    struct block *next;
    size_t size;
    int freed, told, owner; // owner: the context it was allocated for
    char where[40];         // the call during which it was allocated
    unsigned char *data;
} BLOCK;

static BLOCK *blocks;
static CRITICAL_SECTION heap;
static char calling[40] = "LoadLibrary";
static int calling_context;

typedef struct finding {
    struct finding *next;
    char kind[24], text[200];
} FINDING;

static FINDING *findings, **last_finding = &findings;

static void found(const char *kind, const char *format, ...) {
    FINDING *one = calloc(1, sizeof *one);
    va_list args;
    if (!one)
        return;
    strncpy(one->kind, kind, sizeof one->kind - 1);
    va_start(args, format);
    vsnprintf(one->text, sizeof one->text, format, args);
    va_end(args);
    *last_finding = one;
    last_finding = &one->next;
}

// Write the findings since the last time as a JSON member.
static void tell_findings(void) {
    const char *comma = "";
    fputs("\"findings\":[", answers);
    while (findings) {
        FINDING *one = findings;
        fprintf(answers, "%s{\"kind\":\"%s\",\"text\":", comma, one->kind);
        quoted(one->text);
        fputs("}", answers);
        comma = ",";
        findings = one->next;
        free(one);
    }
    last_finding = &findings;
    fputs("]", answers);
}

// The host's own memory is guarded too; where is what it is called.
static unsigned char *guarded(size_t size, unsigned char **base) {
    *base = size > (1u << 28) ? NULL : malloc(size + 2 * GUARD);
    if (!*base)
        return NULL;
    memset(*base, GUARD_BYTE, size + 2 * GUARD);
    return *base + GUARD;
}

static int intact(const unsigned char *data, size_t size) {
    for (int i = 1; i <= GUARD; i++)
        if (data[-i] != GUARD_BYTE || data[size + (size_t)i - 1] != GUARD_BYTE)
            return 0;
    return 1;
}

static BLOCK *block_of(const void *data) {
    for (BLOCK *b = blocks; b; b = b->next)
        if (b->data == data)
            return b;
    return NULL;
}

static void *host_alloc(size_t size) {
    unsigned char *base;
    BLOCK *b = calloc(1, sizeof *b);
    if (!b || !guarded(size, &base)) {
        free(b);
        return NULL;
    }
    b->data = base + GUARD;
    b->size = size;
    b->owner = calling_context;
    strncpy(b->where, calling, sizeof b->where - 1);
    EnterCriticalSection(&heap);
    b->next = blocks;
    blocks = b;
    LeaveCriticalSection(&heap);
    return b->data;
}

// Freed memory stays, filled, so that who uses it afterwards is found.
static void host_free(void *data) {
    if (!data)
        return;
    EnterCriticalSection(&heap);
    BLOCK *b = block_of(data);
    if (!b) {
        found("foreign free", "%s frees memory that CspAlloc did not give", calling);
    } else if (b->freed) {
        found("double free", "%s frees twice what was allocated in %s", calling, b->where);
    } else {
        if (!b->told && !intact(data, b->size)) {
            b->told = 1;
            found("overrun", "%s wrote past %u bytes allocated in %s", calling, (unsigned)b->size,
                  b->where);
        }
        b->freed = 1;
        memset(data, FREED_BYTE, b->size);
    }
    LeaveCriticalSection(&heap);
}

static void *host_realloc(void *data, size_t size) {
    if (!data)
        return host_alloc(size);
    BLOCK *b = block_of(data);
    if (!b || b->freed) {
        found("foreign free", "%s reallocates memory that CspAlloc did not give", calling);
        return NULL;
    }
    void *made = host_alloc(size);
    if (made) {
        memcpy(made, data, size < b->size ? size : b->size);
        host_free(data);
    }
    return made;
}

// Look at every block after a call; drop old freed ones, they need memory.
static void check_heap(void) {
    size_t kept = 0;
    EnterCriticalSection(&heap);
    for (BLOCK **at = &blocks; *at;) {
        BLOCK *b = *at;
        int dirty = !intact(b->data, b->size);
        for (size_t i = 0; b->freed && !dirty && i < b->size; i++)
            dirty = b->data[i] != FREED_BYTE;
        if (dirty && !b->told) {
            b->told = 1;
            found(b->freed ? "use after free" : "overrun", "%s wrote %s %u bytes allocated in %s",
                  calling, b->freed ? "into the freed" : "past", (unsigned)b->size, b->where);
        }
        if (b->freed && (kept += b->size + 1) > 65536) {
            *at = b->next;
            free(b->data - GUARD);
            free(b);
        } else {
            at = &b->next;
        }
    }
    LeaveCriticalSection(&heap);
}

// Tell what was allocated for a context (0: for none, in an export) and never freed.
static void check_leaks(int owner) {
    EnterCriticalSection(&heap);
    for (BLOCK *b = blocks; b; b = b->next)
        if (!b->freed && b->owner == owner) {
            found("leak", "%u bytes allocated in %s were never freed", (unsigned)b->size, b->where);
            b->freed = b->told = 1;
            memset(b->data, FREED_BYTE, b->size);
        }
    LeaveCriticalSection(&heap);
}
