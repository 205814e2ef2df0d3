// SPDX-License-Identifier: Apache-2.0
// Lines from standard input, read by a thread of their own. Part of mdhost.c.
//
// Whoever started us goes with the other end of the pipe, be it killed. The thread sees that in the
// middle of a call too: one that hangs would else live for ever.
#define AFTER_END_MS 1000

static char *line; // who takes it frees it; NULL when there will be no more
static HANDLE line_there, line_taken;

static DWORD WINAPI read_lines(LPVOID input) {
    char *made = NULL, part[4096];
    size_t n = 0, room = 0;
    DWORD got;
    while (ReadFile(input, part, sizeof part, &got, NULL) && got)
        for (DWORD i = 0; i < got; i++) {
            if (n + 1 > room && !(made = realloc(made, room = 2 * room + 4096)))
                TerminateProcess(GetCurrentProcess(), 5);
            made[n++] = part[i];
            if (part[i] != '\n')
                continue;
            made[n - 1] = 0;
            WaitForSingleObject(line_taken, INFINITE);
            line = made;
            SetEvent(line_there);
            made = NULL;
            n = room = 0;
        }
    WaitForSingleObject(line_taken, AFTER_END_MS);
    line = NULL;
    SetEvent(line_there);
    Sleep(AFTER_END_MS); // for an end in good order
    TerminateProcess(GetCurrentProcess(), 4);
    return 0;
}

static void begin_reading(void) {
    line_there = CreateEventA(NULL, FALSE, FALSE, NULL);
    line_taken = CreateEventA(NULL, FALSE, TRUE, NULL);
    CreateThread(NULL, 0, read_lines, GetStdHandle(STD_INPUT_HANDLE), 0, NULL);
}

static NODE *read_line(void) {
    WaitForSingleObject(line_there, INFINITE);
    char *mine = line;
    const char *at = mine;
    SetEvent(line_taken);
    NODE *node = mine ? json_read(&at, 0) : NULL;
    free(mine);
    return node;
}
