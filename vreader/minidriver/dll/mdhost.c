// SPDX-License-Identifier: Apache-2.0
// mdhost: loads a minidriver DLL and makes its calls for another process, told in JSON lines.
//
// It knows no function by name: a request says where in CARD_DATA the pointer is, which buffers to
// make, which of them hold addresses of others, and what to read when the call has returned. Our
// half of CARD_DATA is here: callbacks, guarded memory, and the watch over members that are not the
// minidriver's. Requests, one per line:
//
//   {"op":"load","path":HEX}                                  path in UTF-16
//   {"op":"export","name":STR}                                call an exported function () -> DWORD
//   {"op":"acquire","version":N,"atr":HEX|null,"name":HEX|null,"hctx":N,"hcard":N,
//    "callbacks":[STR…],"flags":N,"data":true}
//   {"op":"call","context":N,"at":OFFSET,"name":STR,"args":[N|{"b":BUFFER}…],
//    "buffers":[{"hex":HEX,"to":[[OFFSET,BUFFER]…]}…],"reads":[[BUFFER,OFFSET,BUFFER,OFFSET]…]}
//   {"op":"unload"}
//
// A callback that needs the host's mind is a line {"callback":…} to be answered {"r":N,"hex":HEX}.
#define WIN32_LEAN_AND_MEAN
#include <windows.h>
#include <fcntl.h>
#include <io.h>
#include "json.h"
#include "guard.h"
typedef DWORD ALG_ID;
typedef ULONG_PTR SCARDCONTEXT, SCARDHANDLE;
#include "minidriver.h" // made by vreader/minidriver/abi/cheader.py

#define MAX_CONTEXTS 256
#define MAX_BUFFERS 32
#define MAX_ARGS 12

typedef struct {
    CARD_DATA *data;        // what the DLL sees
    CARD_DATA before;       // as it was after CardAcquireContext, or the last finding
    unsigned char *base;    // of the guarded memory
    unsigned char *atr, *atr_base;
    size_t atr_size;
    WCHAR *name;
    int deleted;            // by CardDeleteContext; the memory stays until the place is needed
} CARD;

static CARD contexts[MAX_CONTEXTS + 1];
static HMODULE module;
static FILE *requests;

static NODE *read_line(void) {
    static char *line;
    static size_t room;
    size_t n = 0;
    int c;
    while ((c = fgetc(requests)) != EOF && c != '\n') {
        if (n + 2 > room && !(line = realloc(line, room = 2 * room + 4096)))
            return NULL;
        line[n++] = (char)c;
    }
    if (c == EOF || !n)
        return NULL;
    line[n] = 0;
    const char *at = line;
    return json_read(&at, 0);
}

static void end_line(void) {
    fputs("}\n", answers);
    fflush(answers);
}

#include "callbacks.h"

// ---------------------------------------------------------------- the watch over CARD_DATA

#include "members.h" // HOST_MEMBERS, VERSION_ENDS: made from our own tables

static void watch(CARD *c) {
    const unsigned char *now = (const unsigned char *)c->data, *then = (unsigned char *)&c->before;
    for (size_t i = 0; i < sizeof HOST_MEMBERS / sizeof *HOST_MEMBERS; i++)
        if (memcmp(now + HOST_MEMBERS[i].at, then + HOST_MEMBERS[i].at, HOST_MEMBERS[i].size))
            found("host member", "%s changed %s, which is the host's", calling,
                  HOST_MEMBERS[i].name);
    if (c->data->dwVersion != c->before.dwVersion)
        found("version", "%s changed dwVersion from %lu to %lu", calling, c->before.dwVersion,
              c->data->dwVersion);
    if (!intact((unsigned char *)c->data, sizeof(CARD_DATA)))
        found("overrun", "%s wrote past CARD_DATA", calling);
    if (c->atr && !intact(c->atr, c->atr_size))
        found("overrun", "%s wrote past the ATR", calling);
    c->before = *c->data;
}

// Functions that the negotiated version does not have must not be there.
static void watch_table(CARD *c, size_t size) {
    const unsigned char *p = (const unsigned char *)c->data;
    for (size_t i = size; i + sizeof(PFN) <= sizeof(CARD_DATA); i += sizeof(PFN))
        if (i != offsetof(CARD_DATA, pfnCspUnpadData) &&
            i != offsetof(CARD_DATA, pfnCspGetDHAgreement) && *(PFN *)(p + i))
            found("version", "a function at offset %u is beyond version %lu", (unsigned)i,
                  c->data->dwVersion);
}

static void check_table(CARD *c) {
    for (size_t i = 0; i < sizeof VERSION_ENDS / sizeof *VERSION_ENDS; i++)
        if (VERSION_ENDS[i].version == c->data->dwVersion)
            watch_table(c, VERSION_ENDS[i].size);
}

// ---------------------------------------------------------------- requests

static void load(NODE *said) {
    WCHAR path[1024] = {0};
    const char *hex = text(said, "path");
    if (unhex(hex, NULL) < sizeof path)
        unhex(hex, (unsigned char *)path);
    module = LoadLibraryExW(path, NULL, LOAD_WITH_ALTERED_SEARCH_PATH);
    DWORD code = module ? 0 : GetLastError();
    fprintf(answers, "{\"r\":%lu,\"exports\":[", code);
    static const char *names[] = {"CardAcquireContext", "DllMain", "DllRegisterServer",
                                  "DllUnregisterServer"};
    const char *comma = "";
    for (int i = 0; module && i < 4; i++)
        if (GetProcAddress(module, names[i])) {
            fprintf(answers, "%s\"%s\"", comma, names[i]);
            comma = ",";
        }
    fputs("],", answers);
}

static void call_export(const char *name) {
    DWORD(WINAPI * function)(void) =
        module && name ? (void *)GetProcAddress(module, name) : NULL;
    if (name)
        strncpy(calling, name, sizeof calling - 1);
    calling_context = 0;
    DWORD code = function ? function() : ERROR_PROC_NOT_FOUND;
    check_heap();
    fprintf(answers, "{\"r\":%lu,", code);
}

static void forget(CARD *c) {
    free(c->base);
    free(c->atr_base);
    free(c->name);
    memset(c, 0, sizeof *c);
}

static void acquire(NODE *said) {
    PFN_CardAcquireContext function =
        module ? (void *)GetProcAddress(module, "CardAcquireContext") : NULL;
    int i = 1;
    while (i < MAX_CONTEXTS && contexts[i].data)
        i++;
    for (int old = 1; contexts[i].data && old < MAX_CONTEXTS; old++)
        if (contexts[old].deleted)
            i = old;
    CARD *c = &contexts[i];
    forget(c);
    strcpy(calling, "CardAcquireContext");
    calling_context = i;
    CARD_DATA *data = NULL;
    if (get(said, "data")) {
        data = (CARD_DATA *)guarded(sizeof *data, &c->base);
        memset(data, 0, sizeof *data);
        data->dwVersion = (DWORD)number(said, "version");
        const char *hex = text(said, "atr");
        if (hex) {
            c->atr_size = unhex(hex, NULL);
            unhex(hex, data->pbAtr = c->atr = guarded(c->atr_size, &c->atr_base));
            data->cbAtr = (DWORD)c->atr_size;
        }
        if ((hex = text(said, "name"))) {
            c->name = calloc(1, unhex(hex, NULL) + 2);
            unhex(hex, (unsigned char *)c->name);
            data->pwszCardName = c->name;
        }
        data->hSCardCtx = (SCARDCONTEXT)number(said, "hctx");
        data->hScard = (SCARDHANDLE)number(said, "hcard");
        data->pvCacheContext = c;
        NODE *names = get(said, "callbacks");
        for (NODE *n = names ? names->child : NULL; n; n = n->next)
            for (size_t k = 0; k < sizeof CALLBACKS / sizeof *CALLBACKS; k++)
                if (n->kind == 's' && !strcmp(n->text, CALLBACKS[k].name))
                    *(void **)((BYTE *)data + CALLBACKS[k].at) = CALLBACKS[k].function;
        c->before = *data;
        c->data = data;
    }
    DWORD asked = data ? data->dwVersion : 0;
    DWORD code = function ? function(data, (DWORD)number(said, "flags")) : ERROR_PROC_NOT_FOUND;
    check_heap();
    if (data) {
        c->before.dwVersion = data->dwVersion; // it may lower it
        watch(c);
        if (!code && data->dwVersion > asked)
            found("version", "CardAcquireContext raised dwVersion from %lu to %lu", asked,
                  data->dwVersion);
        if (!code)
            check_table(c);
    }
    fprintf(answers, "{\"r\":%lu,\"context\":%d", code, i);
    tell_bytes("carddata", data, sizeof *data);
    fputs(",", answers);
    if (code || !data) {
        check_leaks(i);
        forget(c);
    }
}

typedef struct {
    unsigned char *data, *base;
    size_t size;
} BUFFER;

typedef ULONG_PTR P;
typedef DWORD(WINAPI *F)(P, P, P, P, P, P, P, P, P, P, P, P);

// Read what a pointer and a length in two buffers say, and free it: it is the host's by then.
static void read_back(BUFFER *b, NODE *read, const char *name) {
    long long n[4] = {0};
    int i = 0;
    for (NODE *one = read->child; one && i < 4; one = one->next)
        n[i++] = one->number;
    void *p;
    DWORD size;
    memcpy(&p, b[n[0]].data + n[1], sizeof p);
    memcpy(&size, b[n[2]].data + n[3], sizeof size);
    if (!p) {
        fputs("null", answers);
        return;
    }
    BLOCK *block = block_of(p);
    if (!block || block->freed) {
        found("foreign memory", "%s returns memory that CspAlloc did not give", name);
        fputs("null", answers);
        return;
    }
    if (size > block->size) {
        found("length", "%s says that %u bytes of memory are %lu", name, (unsigned)block->size,
              size);
        size = (DWORD)block->size;
    }
    hexed(p, size);
    host_free(p);
}

static void call(NODE *said) {
    long long number_of = number(said, "context");
    CARD *c = number_of > 0 && number_of <= MAX_CONTEXTS ? &contexts[number_of] : NULL;
    const char *name = text(said, "name");
    long long at = number(said, "at");
    if (!c || !c->data || !name || at < 0 || at + sizeof(PFN) > sizeof(CARD_DATA)) {
        fputs("{\"error\":\"no such context or function\",", answers);
        return;
    }
    F function = *(F *)((BYTE *)c->data + at);
    if (!function) {
        fputs("{\"error\":\"the function is NULL\",", answers);
        return;
    }
    strncpy(calling, name, sizeof calling - 1);
    calling_context = (int)number_of;
    BUFFER buffers[MAX_BUFFERS] = {0};
    int count = 0;
    NODE *list = get(said, "buffers");
    for (NODE *n = list ? list->child : NULL; n && count < MAX_BUFFERS; n = n->next) {
        BUFFER *b = &buffers[count++];
        b->size = unhex(text(n, "hex"), NULL);
        b->data = guarded(b->size, &b->base);
        unhex(text(n, "hex"), b->data);
    }
    int i = 0;
    for (NODE *n = list ? list->child : NULL; n && i < count; n = n->next, i++) {
        NODE *to = get(n, "to");
        for (NODE *pair = to ? to->child : NULL; pair; pair = pair->next)
            if (pair->child && pair->child->next)
                memcpy(buffers[i].data + pair->child->number,
                       &buffers[pair->child->next->number].data, sizeof(void *));
    }
    P a[MAX_ARGS] = {(P)c->data};
    list = get(said, "args");
    i = 1;
    for (NODE *n = list ? list->child : NULL; n && i < MAX_ARGS; n = n->next, i++)
        a[i] = n->kind == '{' ? (P)buffers[number(n, "b")].data : (P)n->number;
    DWORD code =
        function(a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8], a[9], a[10], a[11]);
    for (i = 0; i < count; i++)
        if (!intact(buffers[i].data, buffers[i].size))
            found("overrun", "%s wrote past %u bytes of the host's", name,
                  (unsigned)buffers[i].size);
    check_heap();
    watch(c);
    fprintf(answers, "{\"r\":%lu,\"buffers\":[", code);
    for (i = 0; i < count; i++) {
        fputs(i ? "," : "", answers);
        hexed(buffers[i].data, buffers[i].size);
    }
    fputs("],\"reads\":[", answers);
    list = get(said, "reads");
    for (NODE *n = list && !code ? list->child : NULL; n; n = n->next) {
        read_back(buffers, n, name);
        fputs(n->next ? "," : "", answers);
    }
    fputs("],", answers);
    for (i = 0; i < count; i++)
        free(buffers[i].base);
    if (at == offsetof(CARD_DATA, pfnCardDeleteContext) && !code) {
        check_leaks((int)number_of);
        c->deleted = 1;
    }
}

static LONG WINAPI crashed(EXCEPTION_POINTERS *what) {
    char where[MAX_PATH] = "";
    HMODULE in = NULL;
    PVOID at = what->ExceptionRecord->ExceptionAddress;
    if (GetModuleHandleExA(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS |
                               GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT,
                           at, &in))
        GetModuleFileNameA(in, where, sizeof where - 1);
    const char *name = strrchr(where, '\\');
    fprintf(answers, "\n{\"crash\":%lu,\"in\":", what->ExceptionRecord->ExceptionCode);
    quoted(name ? name + 1 : where);
    fprintf(answers, ",\"offset\":%llu,\"call\":\"%s\"",
            (unsigned long long)((BYTE *)at - (BYTE *)in), calling);
    end_line();
    TerminateProcess(GetCurrentProcess(), 2);
    return EXCEPTION_EXECUTE_HANDLER;
}

int main(void) {
    // What the DLL prints must not come between our lines: it goes to standard error.
    int out = _dup(1), in = _dup(0);
    _setmode(out, _O_BINARY);
    _setmode(in, _O_BINARY);
    answers = _fdopen(out, "wb");
    requests = _fdopen(in, "rb");
    _dup2(2, 1);
    SetStdHandle(STD_OUTPUT_HANDLE, GetStdHandle(STD_ERROR_HANDLE));
    setvbuf(answers, NULL, _IOFBF, 1 << 16);
    InitializeCriticalSection(&heap);
    SetErrorMode(SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX);
    SetUnhandledExceptionFilter(crashed);
    // The DLL's own directory comes before ours in its search: ours has to be there already.
    LoadLibraryA("winscard.dll");
    NODE *said;
    while ((said = read_line())) {
        const char *op = text(said, "op");
        if (op && !strcmp(op, "load"))
            load(said);
        else if (op && !strcmp(op, "export"))
            call_export(text(said, "name"));
        else if (op && !strcmp(op, "acquire"))
            acquire(said);
        else if (op && !strcmp(op, "call"))
            call(said);
        else if (op && !strcmp(op, "unload")) {
            strcpy(calling, "FreeLibrary");
            calling_context = 0;
            BOOL done = !module || FreeLibrary(module);
            module = NULL;
            check_heap();
            check_leaks(0);
            fprintf(answers, "{\"r\":%d,", done ? 0 : 1);
        } else
            fputs("{\"error\":\"no such operation\",", answers);
        tell_findings();
        end_line();
        json_free(said);
    }
    return 0;
}
