// SPDX-License-Identifier: Apache-2.0
// The RSA key in slot 9A: its public half, signing. Part of vrmini.c.

static DWORD WINAPI QueryKeySizes(PCARD_DATA c, DWORD spec, DWORD flags, PCARD_KEY_SIZES out) {
    if (gone(c) || !out || flags || !spec || spec > 8)
        return SCARD_E_INVALID_PARAMETER;
    if (spec > 2)
        return SCARD_E_UNSUPPORTED_FEATURE;
    if (out->dwVersion > 1)
        return ERROR_REVISION_MISMATCH;
    out->dwVersion = 1;
    out->dwMinimumBitlen = 1024;
    out->dwDefaultBitlen = out->dwMaximumBitlen = 2048;
    out->dwIncrementalBitlen = 1024;
    return SCARD_S_SUCCESS;
}

static DWORD WINAPI GetContainerInfo(PCARD_DATA c, BYTE index, DWORD flags, PCONTAINER_INFO out) {
    if (gone(c) || !out || flags)
        return SCARD_E_INVALID_PARAMETER;
    if (out->dwVersion > 1)
        return ERROR_REVISION_MISMATCH;
    PIV *piv = c->pvVendorSpecific;
    if (index || !piv->modulus_size)
        return SCARD_E_NO_KEY_CONTAINER;
    struct {
        BYTE type, version;
        WORD reserved;
        DWORD algorithm, magic, bits, exponent;
        BYTE modulus[512];
    } blob = {6, 2, 0, 0xA400, 0x31415352, 8 * piv->modulus_size, piv->exponent, {0}};
    for (DWORD i = 0; i < piv->modulus_size; i++)
        blob.modulus[i] = piv->modulus[piv->modulus_size - 1 - i];
    out->dwVersion = 1;
    out->dwReserved = 0;
    out->pbSigPublicKey = NULL;
    out->cbSigPublicKey = 0;
    return hand_out(c, &blob, 20 + piv->modulus_size, &out->pbKeyExPublicKey,
                    &out->cbKeyExPublicKey);
}

static DWORD sign(PCARD_DATA c, const BYTE *padded, DWORD n, PCARD_SIGNING_INFO info) {
    static const BYTE head[4] = {0, 0x87, 7, 0x9A};
    BYTE command[600] = {0x7C, 0x82}, answer[600], signature[512];
    DWORD inner = n + 6, size = sizeof answer, length, at = 2;
    LONG failed;
    command[at++] = (BYTE)(inner >> 8), command[at++] = (BYTE)inner;
    command[at++] = 0x82, command[at++] = 0;
    command[at++] = 0x81, command[at++] = 0x82;
    command[at++] = (BYTE)(n >> 8), command[at++] = (BYTE)n;
    memcpy(command + at, padded, n);
    DWORD sw = apdu(c, head, command, at + n, answer, &size, &failed);
    if (failed)
        return (DWORD)failed;
    if (sw == 0x6982)
        return SCARD_W_SECURITY_VIOLATION;
    const BYTE *p = sw == 0x9000 ? inside(answer, size, 0x7C, &length) : NULL;
    p = p ? inside(p, length, 0x82, &length) : NULL;
    if (!p || length != n)
        return SCARD_F_INTERNAL_ERROR;
    for (DWORD i = 0; i < n; i++)
        signature[i] = p[n - 1 - i];
    return hand_out(c, signature, n, &info->pbSignedData, &info->cbSignedData);
}

// ALG_ID of a hash and its length in bytes; without an algorithm the host says what it likes.
static BOOL hash_fits(ALG_ID hash, DWORD n) {
    static const struct {
        ALG_ID hash;
        DWORD size;
    } known[] = {{0x8003, 16}, {0x8004, 20}, {0x8008, 36}, {0x800C, 32}, {0x800D, 48}, {0x800E, 64}};
    for (int i = 0; i < 6; i++)
        if (known[i].hash == hash)
            return known[i].size == n;
    return !hash;
}

static DWORD WINAPI SignData(PCARD_DATA c, PCARD_SIGNING_INFO info) {
    if (gone(c) || !info || !info->pbData || !info->dwKeySpec || info->dwKeySpec > 8)
        return SCARD_E_INVALID_PARAMETER;
    if (info->dwVersion > 2)
        return ERROR_REVISION_MISMATCH;
    PIV *piv = c->pvVendorSpecific;
    if (info->bContainerIndex || !piv->modulus_size)
        return SCARD_E_NO_KEY_CONTAINER;
    if (info->dwKeySpec != 1) // AT_KEYEXCHANGE
        return SCARD_E_INVALID_PARAMETER;
    if (info->dwSigningFlags & ~(BUFFER_SIZE_ONLY | PADDING_INFO_PRESENT))
        return SCARD_E_INVALID_PARAMETER;
    if (info->dwSigningFlags & PADDING_INFO_PRESENT) {
        if (info->dwVersion > 1 && info->dwPaddingType != 2) // CARD_PADDING_PKCS1
            return SCARD_E_UNSUPPORTED_FEATURE;
        if (info->dwVersion < 2 || !info->pPaddingInfo)
            return SCARD_E_INVALID_PARAMETER;
    } else if (!hash_fits(info->aiHashAlg, info->cbData)) {
        return SCARD_E_INVALID_PARAMETER;
    }
    if (info->cbData + 11 > piv->modulus_size)
        return SCARD_E_INVALID_PARAMETER;
    if (info->dwSigningFlags & BUFFER_SIZE_ONLY) {
        info->cbSignedData = piv->modulus_size;
        return SCARD_S_SUCCESS;
    }
    PBYTE padded = NULL;
    DWORD n = 0;
    DWORD code = ((PFN_CspPadData)c->pfnCspPadData)(info, piv->modulus_size, &n, &padded);
    if (code)
        return code;
    // The page of CspPadData does not say which end comes first; block type 1 of PKCS #1 shows it.
    BOOL little = n > 1 && !padded[n - 1] && padded[n - 2] == 1;
    for (DWORD i = 0; little && i < n / 2; i++) {
        BYTE swapped = padded[i];
        padded[i] = padded[n - 1 - i];
        padded[n - 1 - i] = swapped;
    }
    if (n != piv->modulus_size)
        code = SCARD_F_INTERNAL_ERROR;
    else
        code = sign(c, padded, n, info);
    ((PFN_CspFree)c->pfnCspFree)(padded);
    return code;
}
