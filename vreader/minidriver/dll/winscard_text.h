// SPDX-License-Identifier: Apache-2.0
// Those functions of winscard.dll that have strings: once for ANSI (name + A), once for wide ones.

EXPORT LONG WINAPI NAME(SCardListReaderGroups)(SCARDCONTEXT c, OUTSTR out, LPDWORD room) {
    return room ? texts(request(F_SCardListReaderGroups, c), 1, WIDE, out, room)
                : SCARD_E_INVALID_PARAMETER;
}

// Without a context Windows lists too: one is made for the moment.
EXPORT LONG WINAPI NAME(SCardListReaders)(SCARDCONTEXT c, STR groups, OUTSTR out, LPDWORD room) {
    SCARDCONTEXT own = 0;
    if (!room)
        return SCARD_E_INVALID_PARAMETER;
    if (!c) {
        LONG code = SCardEstablishContext(SCARD_SCOPE_USER, NULL, NULL, &own);
        if (code)
            return code;
    }
    BUF b = request(F_SCardListReaders, c ? c : own);
    putmulti(&b, groups, WIDE);
    LONG code = texts(b, 1, WIDE, out, room);
    if (own)
        SCardReleaseContext(own);
    return code;
}

EXPORT LONG WINAPI NAME(SCardConnect)(SCARDCONTEXT c, STR reader, DWORD share, DWORD protocols,
                                      LPSCARDHANDLE handle, LPDWORD active) {
    if (!reader || !handle || !active)
        return SCARD_E_INVALID_PARAMETER;
    BUF b = request(F_SCardConnect, c), reply;
    putstr(&b, reader, WIDE), put8(&b, share), put8(&b, protocols);
    LONG code = ask(&b, &reply);
    if (!code) {
        *handle = (SCARDHANDLE)take8(&reply);
        *active = (DWORD)take8(&reply);
    }
    free(reply.p);
    return code;
}

EXPORT LONG WINAPI NAME(SCardStatus)(SCARDHANDLE h, OUTSTR names, LPDWORD room, LPDWORD state,
                                     LPDWORD protocol, LPBYTE atr, LPDWORD atr_room) {
    BUF b = request(F_SCardStatus, h), reply, name = {0};
    DWORD n;
    LONG code = ask(&b, &reply);
    if (!code) {
        const BYTE *p = takedata(&reply, &n);
        if (p)
            put(&name, p, n);
        put(&name, L"\0", 4); // a multi-string of one
        DWORD told_state = (DWORD)take8(&reply), told_protocol = (DWORD)take8(&reply);
        p = takedata(&reply, &n);
        if (!p) {
            code = SCARD_F_COMM_ERROR;
        } else {
            LONG second;
            if (state)
                *state = told_state;
            if (protocol)
                *protocol = told_protocol;
            code = givechars((const WCHAR *)name.p, name.n / 2, WIDE, names, room);
            second = give(p, n, 1, atr, atr_room);
            code = code ? code : second;
        }
    }
    free(reply.p);
    free(name.p);
    return code;
}

// ---------------------------------------------------------------- states of readers

static void NAME(putstates)(BUF *b, STATES states, DWORD n) {
    put4(b, states ? n : 0);
    for (DWORD i = 0; states && i < n; i++) {
        putstr(b, states[i].szReader, WIDE);
        put8(b, states[i].dwCurrentState), put8(b, states[i].dwEventState);
        putdata(b, states[i].rgbAtr, min(states[i].cbAtr, sizeof states[i].rgbAtr));
    }
}

static LONG NAME(askstates)(BUF b, STATES states, DWORD n) {
    BUF reply;
    DWORD size;
    LONG code = ask(&b, &reply);
    if (!code && take4(&reply) != n)
        code = SCARD_F_COMM_ERROR;
    for (DWORD i = 0; !code && i < n; i++) {
        takedata(&reply, &size);
        take8(&reply);
        states[i].dwEventState = (DWORD)take8(&reply);
        const BYTE *atr = takedata(&reply, &size);
        if (!atr || size > sizeof states[i].rgbAtr)
            code = SCARD_F_COMM_ERROR;
        else
            memcpy(states[i].rgbAtr, atr, states[i].cbAtr = size);
    }
    free(reply.p);
    return code;
}

EXPORT LONG WINAPI NAME(SCardGetStatusChange)(SCARDCONTEXT c, DWORD timeout, STATES states,
                                              DWORD n) {
    if (n && !states)
        return SCARD_E_INVALID_PARAMETER;
    BUF b = request(F_SCardGetStatusChange, c);
    put8(&b, timeout), NAME(putstates)(&b, states, n);
    return NAME(askstates)(b, states, n);
}

EXPORT LONG WINAPI NAME(SCardLocateCards)(SCARDCONTEXT c, STR cards, STATES states, DWORD n) {
    if (!states)
        return SCARD_E_INVALID_PARAMETER;
    BUF b = request(F_SCardLocateCards, c);
    putmulti(&b, cards, WIDE), NAME(putstates)(&b, states, n);
    return NAME(askstates)(b, states, n);
}

EXPORT LONG WINAPI NAME(SCardLocateCardsByATR)(SCARDCONTEXT c, LPSCARD_ATRMASK masks, DWORD count,
                                               STATES states, DWORD n) {
    if (!states || !masks)
        return SCARD_E_INVALID_PARAMETER;
    BUF b = request(F_SCardLocateCardsByATR, c);
    put4(&b, count);
    for (DWORD i = 0; i < count; i++) {
        DWORD size = min(masks[i].cbAtr, sizeof masks[i].rgbAtr);
        putdata(&b, masks[i].rgbAtr, size), putdata(&b, masks[i].rgbMask, size);
    }
    NAME(putstates)(&b, states, n);
    return NAME(askstates)(b, states, n);
}

// ---------------------------------------------------------------- card types

EXPORT LONG WINAPI NAME(SCardListCards)(SCARDCONTEXT c, LPCBYTE atr, LPCGUID guids, DWORD n,
                                        OUTSTR out, LPDWORD room) {
    if (!room)
        return SCARD_E_INVALID_PARAMETER;
    BUF b = request(F_SCardListCards, c);
    putdata(&b, atr, atr ? atr_length(atr) : 0), putguids(&b, guids, n);
    return texts(b, 1, WIDE, out, room);
}

EXPORT LONG WINAPI NAME(SCardListInterfaces)(SCARDCONTEXT c, STR card, LPGUID out, LPDWORD room) {
    if (!card || !room)
        return SCARD_E_INVALID_PARAMETER;
    BUF b = request(F_SCardListInterfaces, c);
    putstr(&b, card, WIDE);
    return guids_of(b, out, room);
}

EXPORT LONG WINAPI NAME(SCardGetProviderId)(SCARDCONTEXT c, STR card, LPGUID guid) {
    if (!card)
        return SCARD_E_INVALID_PARAMETER;
    BUF b = request(F_SCardGetProviderId, c);
    putstr(&b, card, WIDE);
    return one_guid(b, guid);
}

EXPORT LONG WINAPI NAME(SCardGetCardTypeProviderName)(SCARDCONTEXT c, STR card, DWORD id,
                                                      OUTSTR out, LPDWORD room) {
    if (!card || !room)
        return SCARD_E_INVALID_PARAMETER;
    BUF b = request(F_SCardGetCardTypeProviderName, c);
    putstr(&b, card, WIDE), put8(&b, id);
    return texts(b, 0, WIDE, out, room);
}

EXPORT LONG WINAPI NAME(SCardSetCardTypeProviderName)(SCARDCONTEXT c, STR card, DWORD id,
                                                      STR provider) {
    if (!card || !provider)
        return SCARD_E_INVALID_PARAMETER;
    BUF b = request(F_SCardSetCardTypeProviderName, c);
    putstr(&b, card, WIDE), put8(&b, id), putstr(&b, provider, WIDE);
    return plain(b);
}

EXPORT LONG WINAPI NAME(SCardIntroduceCardType)(SCARDCONTEXT c, STR card, LPCGUID provider,
                                                LPCGUID guids, DWORD n, LPCBYTE atr, LPCBYTE mask,
                                                DWORD size) {
    if (!card || !atr)
        return SCARD_E_INVALID_PARAMETER;
    DWORD given = size ? size : atr_length(atr);
    BUF b = request(F_SCardIntroduceCardType, c);
    putstr(&b, card, WIDE), putguid(&b, provider), putguids(&b, guids, n);
    putdata(&b, atr, given), putdata(&b, mask, given), put8(&b, size);
    return plain(b);
}

static LONG NAME(named)(DWORD function, SCARDCONTEXT c, STR first, STR second) {
    if (!first)
        return SCARD_E_INVALID_PARAMETER;
    BUF b = request(function, c);
    putstr(&b, first, WIDE);
    if (second)
        putstr(&b, second, WIDE);
    return plain(b);
}

EXPORT LONG WINAPI NAME(SCardForgetCardType)(SCARDCONTEXT c, STR card) {
    return NAME(named)(F_SCardForgetCardType, c, card, NULL);
}

// ---------------------------------------------------------------- readers and groups

EXPORT LONG WINAPI NAME(SCardIntroduceReader)(SCARDCONTEXT c, STR name, STR device) {
    return device ? NAME(named)(F_SCardIntroduceReader, c, name, device)
                  : SCARD_E_INVALID_PARAMETER;
}

EXPORT LONG WINAPI NAME(SCardForgetReader)(SCARDCONTEXT c, STR name) {
    return NAME(named)(F_SCardForgetReader, c, name, NULL);
}

EXPORT LONG WINAPI NAME(SCardIntroduceReaderGroup)(SCARDCONTEXT c, STR name) {
    return NAME(named)(F_SCardIntroduceReaderGroup, c, name, NULL);
}

EXPORT LONG WINAPI NAME(SCardForgetReaderGroup)(SCARDCONTEXT c, STR name) {
    return NAME(named)(F_SCardForgetReaderGroup, c, name, NULL);
}

EXPORT LONG WINAPI NAME(SCardAddReaderToGroup)(SCARDCONTEXT c, STR name, STR group) {
    return group ? NAME(named)(F_SCardAddReaderToGroup, c, name, group)
                 : SCARD_E_INVALID_PARAMETER;
}

EXPORT LONG WINAPI NAME(SCardRemoveReaderFromGroup)(SCARDCONTEXT c, STR name, STR group) {
    return group ? NAME(named)(F_SCardRemoveReaderFromGroup, c, name, group)
                 : SCARD_E_INVALID_PARAMETER;
}

// ---------------------------------------------------------------- the cache of cards' data

EXPORT LONG WINAPI NAME(SCardReadCache)(SCARDCONTEXT c, UUID *card, DWORD freshness,
                                        OUTSTR name, PBYTE out, DWORD *room) {
    if (!card || !name || !room)
        return SCARD_E_INVALID_PARAMETER;
    BUF b = request(F_SCardReadCache, c);
    putdata(&b, card, sizeof *card), put8(&b, freshness), putstr(&b, name, WIDE);
    return bytes(b, out, room);
}

EXPORT LONG WINAPI NAME(SCardWriteCache)(SCARDCONTEXT c, UUID *card, DWORD freshness,
                                         OUTSTR name, PBYTE data, DWORD n) {
    if (!card || !name || (n && !data))
        return SCARD_E_INVALID_PARAMETER;
    BUF b = request(F_SCardWriteCache, c);
    putdata(&b, card, sizeof *card), put8(&b, freshness), putstr(&b, name, WIDE);
    putdata(&b, data ? data : (PBYTE) "", n);
    return plain(b);
}
