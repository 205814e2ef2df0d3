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
//   {"op":"connect","reader":HEX}                             SCardConnect of the DLL's winscard
//   {"op":"acquire","version":N,"atr":HEX|null,"name":HEX|null,"hctx":N,"hcard":N,
//    "callbacks":[STR…],"flags":N,"data":true}
//   {"op":"call","context":N,"at":OFFSET,"name":STR,"args":[N|{"b":BUFFER}…],
//    "buffers":[{"hex":HEX,"to":[[OFFSET,BUFFER]…],"const":true}…],
//    "reads":[[BUFFER,OFFSET,BUFFER,OFFSET,NULL ON FAILURE]…]}
//   {"op":"unload"}
//
// A callback that needs the host's mind is a line {"callback":…} to be answered {"r":N,"hex":HEX}.
#define WIN32_LEAN_AND_MEAN
#include <windows.h>
#include <fcntl.h>
#include <io.h>
#include "json.h"
#include "lines.h"
#include "guard.h"
typedef DWORD ALG_ID;
typedef ULONG_PTR SCARDCONTEXT, SCARDHANDLE;
#include "minidriver.h" // made by vreader/minidriver/abi/cheader.py

#define MAX_CONTEXTS 256

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

static void end_line(void) {
    fputs("}\n", answers);
    fflush(answers);
}

#include "callbacks.h"
#include "context.h"
#include "call.h"

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

// Handles are those of a process where winscard is not ours: then the host asks for some here.
static void connect_reader(NODE *said) {
    HMODULE winscard = GetModuleHandleA("winscard.dll");
    LONG(WINAPI * establish)(DWORD, LPCVOID, LPCVOID, SCARDCONTEXT *) =
        (void *)GetProcAddress(winscard, "SCardEstablishContext");
    LONG(WINAPI * connect)(SCARDCONTEXT, LPCWSTR, DWORD, DWORD, SCARDHANDLE *, DWORD *) =
        (void *)GetProcAddress(winscard, "SCardConnectW");
    WCHAR reader[256] = {0};
    SCARDCONTEXT context = 0;
    SCARDHANDLE card = 0;
    DWORD protocol;
    if (unhex(text(said, "reader"), NULL) < sizeof reader)
        unhex(text(said, "reader"), (unsigned char *)reader);
    LONG code = establish && connect ? establish(0, NULL, NULL, &context) : ERROR_PROC_NOT_FOUND;
    if (!code)
        code = connect(context, reader, 2, 3, &card, &protocol); // shared, T=0 or T=1
    fprintf(answers, "{\"r\":%lu,\"hctx\":%llu,\"hcard\":%llu,", (DWORD)code,
            (unsigned long long)context, (unsigned long long)card);
}

int main(void) {
    // What the DLL prints must not come between our lines: it goes to standard error.
    int out = _dup(1);
    _setmode(out, _O_BINARY);
    answers = _fdopen(out, "wb");
    _dup2(2, 1);
    SetStdHandle(STD_OUTPUT_HANDLE, GetStdHandle(STD_ERROR_HANDLE));
    setvbuf(answers, NULL, _IOFBF, 1 << 16);
    InitializeCriticalSection(&heap);
    SetErrorMode(SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX);
    SetUnhandledExceptionFilter(crashed);
    begin_reading();
    // The DLL's own directory comes before ours in its search: ours has to be there already.
    LoadLibraryA("winscard.dll");
    NODE *said;
    while ((said = read_line())) {
        const char *op = text(said, "op");
        if (op && !strcmp(op, "load"))
            load(said);
        else if (op && !strcmp(op, "export"))
            call_export(text(said, "name"));
        else if (op && !strcmp(op, "connect"))
            connect_reader(said);
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
