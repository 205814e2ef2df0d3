// SPDX-License-Identifier: Apache-2.0
// The callbacks of CARD_DATA: memory here, the rest asked of the other process. Part of mdhost.c.

static PVOID WINAPI csp_alloc(SIZE_T size) { return host_alloc(size); }
static PVOID WINAPI csp_realloc(PVOID p, SIZE_T size) { return host_realloc(p, size); }
static VOID WINAPI csp_free(PVOID p) { host_free(p); }

static void begin_callback(const char *name) {
    fprintf(answers, "{\"callback\":\"%s\",\"context\":%d", name, calling_context);
}

static void tell_bytes(const char *key, const void *p, size_t n) {
    fprintf(answers, ",\"%s\":", key);
    if (p)
        hexed(p, n);
    else
        fputs("null", answers);
}

static void tell_wide(const char *key, LPCWSTR s) {
    tell_bytes(key, s, s ? 2 * (size_t)lstrlenW(s) : 0);
}

// Ask the other process; where it gives bytes and somebody wants them they are copied for him.
static DWORD answer(PBYTE *out, PDWORD size) {
    end_line();
    NODE *said = read_line();
    if (!said)
        ExitProcess(3);
    DWORD code = (DWORD)number(said, "r");
    const char *hex = text(said, "hex");
    if (!code && out && size) {
        *size = (DWORD)unhex(hex, NULL);
        if ((*out = host_alloc(*size)))
            unhex(hex, *out);
        else
            code = ERROR_NOT_ENOUGH_MEMORY;
    }
    json_free(said);
    return code;
}

// The cache is that of the context in the call, and there are no flags.
static void check_cache(const char *name, PVOID cache, DWORD flags) {
    if (cache != &contexts[calling_context])
        found("cache", "%s calls %s with another pvCacheContext", calling, name);
    if (flags)
        found("cache", "%s calls %s with flags %lu", calling, name, flags);
}

static DWORD WINAPI cache_add(PVOID cache, LPWSTR tag, DWORD flags, PBYTE data, DWORD n) {
    check_cache("CspCacheAddFile", cache, flags);
    begin_callback("CspCacheAddFile");
    tell_wide("tag", tag);
    tell_bytes("data", data, n);
    fprintf(answers, ",\"flags\":%lu", flags);
    return answer(NULL, NULL);
}

static DWORD WINAPI cache_lookup(PVOID cache, LPWSTR tag, DWORD flags, PBYTE *data, PDWORD n) {
    check_cache("CspCacheLookupFile", cache, flags);
    begin_callback("CspCacheLookupFile");
    tell_wide("tag", tag);
    fprintf(answers, ",\"flags\":%lu", flags);
    return answer(data, n);
}

static DWORD WINAPI cache_delete(PVOID cache, LPWSTR tag, DWORD flags) {
    check_cache("CspCacheDeleteFile", cache, flags);
    begin_callback("CspCacheDeleteFile");
    tell_wide("tag", tag);
    fprintf(answers, ",\"flags\":%lu", flags);
    return answer(NULL, NULL);
}

// The three structures of padding begin with the hash's name; what follows depends on the type.
static void tell_padding(DWORD type, PVOID info) {
    fprintf(answers, ",\"padding_type\":%lu", type);
    if (!info)
        return;
    tell_wide("padding_hash", ((BCRYPT_PKCS1_PADDING_INFO *)info)->pszAlgId);
    if (type == 4) {
        fprintf(answers, ",\"salt\":%lu", ((BCRYPT_PSS_PADDING_INFO *)info)->cbSalt);
    } else if (type == 8) {
        BCRYPT_OAEP_PADDING_INFO *oaep = info;
        tell_bytes("label", oaep->pbLabel, oaep->cbLabel);
    }
}

static DWORD WINAPI pad_data(PCARD_SIGNING_INFO info, DWORD width, PDWORD size, PBYTE *out) {
    if (!info || !size || !out)
        return ERROR_INVALID_PARAMETER;
    begin_callback("CspPadData");
    fprintf(answers, ",\"version\":%lu,\"container\":%u,\"spec\":%lu,\"flags\":%lu,\"hash\":%lu",
            info->dwVersion, info->bContainerIndex, info->dwKeySpec, info->dwSigningFlags,
            (DWORD)info->aiHashAlg);
    tell_bytes("data", info->pbData, info->cbData);
    fprintf(answers, ",\"width\":%lu", width);
    if (info->dwVersion > 1)
        tell_padding(info->dwPaddingType, info->pPaddingInfo);
    return answer(out, size);
}

static DWORD WINAPI unpad_data(PCARD_RSA_DECRYPT_INFO info, PDWORD size, PBYTE *out) {
    if (!info || !size || !out)
        return ERROR_INVALID_PARAMETER;
    begin_callback("CspUnpadData");
    fprintf(answers, ",\"version\":%lu,\"container\":%u,\"spec\":%lu", info->dwVersion,
            info->bContainerIndex, info->dwKeySpec);
    tell_bytes("data", info->pbData, info->cbData);
    if (info->dwVersion > 1)
        tell_padding(info->dwPaddingType, info->pPaddingInfo);
    return answer(out, size);
}

static DWORD WINAPI dh_agreement(PCARD_DATA data, PVOID secret, PBYTE index, DWORD flags) {
    PBYTE told = NULL;
    DWORD n = 0;
    (void)data;
    if (!index)
        return ERROR_INVALID_PARAMETER;
    begin_callback("CspGetDHAgreement");
    fprintf(answers, ",\"secret\":%llu,\"flags\":%lu", (unsigned long long)(ULONG_PTR)secret,
            flags);
    DWORD code = answer(&told, &n);
    if (!code && n)
        *index = told[0];
    host_free(told);
    return code;
}

static const struct {
    const char *name;
    size_t at;
    void *function;
} CALLBACKS[] = {
    {"CspAlloc", offsetof(CARD_DATA, pfnCspAlloc), csp_alloc},
    {"CspReAlloc", offsetof(CARD_DATA, pfnCspReAlloc), csp_realloc},
    {"CspFree", offsetof(CARD_DATA, pfnCspFree), csp_free},
    {"CspCacheAddFile", offsetof(CARD_DATA, pfnCspCacheAddFile), cache_add},
    {"CspCacheLookupFile", offsetof(CARD_DATA, pfnCspCacheLookupFile), cache_lookup},
    {"CspCacheDeleteFile", offsetof(CARD_DATA, pfnCspCacheDeleteFile), cache_delete},
    {"CspPadData", offsetof(CARD_DATA, pfnCspPadData), pad_data},
    {"CspGetDHAgreement", offsetof(CARD_DATA, pfnCspGetDHAgreement), dh_agreement},
    {"CspUnpadData", offsetof(CARD_DATA, pfnCspUnpadData), unpad_data},
};
