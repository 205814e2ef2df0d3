// SPDX-License-Identifier: Apache-2.0
// Contexts of the minidriver: CARD_DATA made for it, and watched. Part of mdhost.c.

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
