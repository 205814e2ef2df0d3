// SPDX-License-Identifier: Apache-2.0
// A call of a context: its arguments in guarded memory, what it left behind. Part of mdhost.c.

#define MAX_BUFFERS 32
#define MAX_ARGS 12

typedef struct {
    unsigned char *data, *base;
    unsigned char *same; // what it must still hold after the call, where it is only given
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

// Where a failed call has to leave NULL, so that the host frees nothing, look whether it does.
static void check_null(BUFFER *b, NODE *read, const char *name) {
    long long n[5] = {0};
    int i = 0;
    for (NODE *one = read->child; one && i < 5; one = one->next)
        n[i++] = one->number;
    void *p;
    memcpy(&p, b[n[0]].data + n[1], sizeof p);
    if (n[4] && p)
        found("output", "%s fails and leaves a pointer for its result", name);
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
        if (get(n, "const") && (b->same = malloc(b->size + 1)))
            memcpy(b->same, b->data, b->size);
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
    for (i = 0; i < count; i++) {
        BUFFER *b = &buffers[i];
        if (!intact(b->data, b->size))
            found("overrun", "%s wrote past %u bytes of the host's", name, (unsigned)b->size);
        if (b->same && memcmp(b->same, b->data, b->size))
            found("input", "%s changed %u bytes that it was only given", name, (unsigned)b->size);
        free(b->same);
    }
    check_heap();
    watch(c);
    fprintf(answers, "{\"r\":%lu,\"buffers\":[", code);
    for (i = 0; i < count; i++) {
        fputs(i ? "," : "", answers);
        hexed(buffers[i].data, buffers[i].size);
    }
    fputs("],\"reads\":[", answers);
    list = get(said, "reads");
    for (NODE *n = list && code ? list->child : NULL; n; n = n->next)
        check_null(buffers, n, name);
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
