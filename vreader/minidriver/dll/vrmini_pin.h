// SPDX-License-Identifier: Apache-2.0
// The user's PIN of vrmini.dll's card. Part of vrmini.c.

static DWORD verify(PCARD_DATA c, const BYTE *pin, DWORD n, PDWORD attempts) {
    static const BYTE head[4] = {0, 0x20, 0, 0x80};
    BYTE block[8];
    LONG failed;
    if (!pin || n < 4 || n > sizeof block)
        return SCARD_E_INVALID_PARAMETER;
    memset(block, 0xFF, sizeof block);
    memcpy(block, pin, n);
    DWORD sw = apdu(c, head, block, sizeof block, NULL, NULL, &failed);
    SecureZeroMemory(block, sizeof block);
    if (failed)
        return (DWORD)failed;
    if (sw == 0x9000) {
        ((PIV *)c->pvVendorSpecific)->verified = TRUE;
        return SCARD_S_SUCCESS;
    }
    if (attempts)
        *attempts = sw == 0x6983 ? 0 : sw >> 4 == 0x63C ? sw & 15 : (DWORD)-1;
    return sw == 0x6983 || sw == 0x63C0 ? SCARD_W_CHV_BLOCKED
           : sw >> 4 == 0x63C           ? SCARD_W_WRONG_CHV
                                        : SCARD_F_INTERNAL_ERROR;
}

static DWORD WINAPI AuthenticatePin(PCARD_DATA c, LPWSTR user, PBYTE pin, DWORD n,
                                    PDWORD attempts) {
    if (gone(c) || !user || !pin || lstrcmpiW(user, L"user"))
        return SCARD_E_INVALID_PARAMETER;
    return verify(c, pin, n, attempts);
}

static DWORD WINAPI AuthenticateEx(PCARD_DATA c, PIN_ID id, DWORD flags, PBYTE pin, DWORD n,
                                   PBYTE *session, PDWORD session_size, PDWORD attempts) {
    if (gone(c) || id != USER)
        return SCARD_E_INVALID_PARAMETER;
    if (flags & ~SILENT || session || session_size) // no session PINs
        return flags & ~(SILENT | 0x30000000u) ? SCARD_E_INVALID_PARAMETER : SCARD_E_UNSUPPORTED_FEATURE;
    return verify(c, pin, n, attempts);
}

static DWORD WINAPI DeauthenticateEx(PCARD_DATA c, PIN_SET pins, DWORD flags) {
    static const BYTE head[4] = {0, 0x20, 0xFF, 0x80};
    LONG failed;
    if (gone(c) || flags || !pins || pins > 0xFF)
        return SCARD_E_INVALID_PARAMETER;
    DWORD sw = apdu(c, head, NULL, 0, NULL, NULL, &failed);
    if (failed)
        return (DWORD)failed;
    if (sw != 0x9000)
        return SCARD_E_UNSUPPORTED_FEATURE;
    ((PIV *)c->pvVendorSpecific)->verified = FALSE;
    return SCARD_S_SUCCESS;
}
