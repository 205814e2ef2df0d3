// SPDX-License-Identifier: Apache-2.0
// What vrmini.dll says to the card: APDUs, objects, the certificate's key. Part of vrmini.c.

// Send a command of any length in a chain, and collect the answer; return SW1 SW2, 0 for none.
static DWORD apdu(PCARD_DATA c, const BYTE head[4], const BYTE *data, DWORD n, BYTE *out,
                  DWORD *size, LONG *failed) {
    PIV *piv = c->pvVendorSpecific;
    SCARD_IO_REQUEST pci = {piv->protocol, sizeof pci};
    DWORD got = 0, room = size ? *size : 0, sw;
    BYTE command[262], answer[258];
    do {
        DWORD part = n > 255 ? 255 : n, length = 5 + part, returned = sizeof answer;
        memcpy(command, head, 4);
        if (n > 255)
            command[0] |= 0x10;
        command[4] = (BYTE)part;
        if (part)
            memcpy(command + 5, data, part);
        if (n <= 255 && part && size)
            command[length++] = 0; // Le
        *failed = SCardTransmit(c->hScard, &pci, command, length, NULL, answer, &returned);
        if (*failed || returned < 2)
            return 0;
        sw = answer[returned - 2] << 8 | answer[returned - 1];
        for (;;) {
            if (returned - 2 > room - got)
                return 0;
            if (returned > 2)
                memcpy(out + got, answer, returned - 2);
            got += returned - 2;
            if (sw >> 8 != 0x61)
                break;
            BYTE more[5] = {0, 0xC0, 0, 0, (BYTE)sw};
            returned = sizeof answer;
            *failed = SCardTransmit(c->hScard, &pci, more, 5, NULL, answer, &returned);
            if (*failed || returned < 2)
                return 0;
            sw = answer[returned - 2] << 8 | answer[returned - 1];
        }
        data += part;
        n -= part;
    } while (n && sw == 0x9000);
    if (size)
        *size = got;
    return sw;
}

static LONG select_piv(PCARD_DATA c) {
    static const BYTE head[4] = {0, 0xA4, 4, 0}, aid[] = {0xA0, 0, 0, 3, 8, 0, 0, 0x10, 0};
    BYTE out[512];
    DWORD n = sizeof out;
    LONG failed;
    DWORD sw = apdu(c, head, aid, sizeof aid, out, &n, &failed);
    return failed ? failed : sw == 0x9000 ? SCARD_S_SUCCESS : SCARD_E_UNKNOWN_CARD;
}

static LONG get_object(PCARD_DATA c, BYTE last, BYTE *out, DWORD *n) {
    static const BYTE head[4] = {0, 0xCB, 0x3F, 0xFF};
    BYTE tag[] = {0x5C, 3, 0x5F, 0xC1, last};
    LONG failed;
    DWORD sw = apdu(c, head, tag, sizeof tag, out, n, &failed);
    return failed ? failed : sw == 0x9000 ? SCARD_S_SUCCESS : SCARD_E_FILE_NOT_FOUND;
}

// Step over a tag of one byte and its length; return the value, NULL where it does not fit.
static const BYTE *value(const BYTE **at, const BYTE *end, BYTE *tag, DWORD *n) {
    const BYTE *p = *at;
    if (end - p < 2)
        return NULL;
    *tag = *p++;
    *n = *p++;
    if (*n > 0x80) {
        int count = *n & 0x7F;
        if (count > 2 || end - p < count)
            return NULL;
        for (*n = 0; count; count--)
            *n = *n << 8 | *p++;
    }
    if ((DWORD)(end - p) < *n)
        return NULL;
    *at = p + *n;
    return p;
}

static const BYTE *inside(const BYTE *p, DWORD size, BYTE wanted, DWORD *n) {
    const BYTE *at = p, *end = p + size, *v;
    BYTE tag;
    while ((v = value(&at, end, &tag, n)))
        if (tag == wanted)
            return v;
    return NULL;
}

// The key of a certificate: what follows the name of rsaEncryption.
static void find_key(PIV *piv) {
    static const BYTE rsa[] = {6, 9, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 1, 1, 5, 0};
    for (DWORD i = 0; i + sizeof rsa < piv->cert_size; i++) {
        if (memcmp(piv->cert + i, rsa, sizeof rsa))
            continue;
        const BYTE *p = piv->cert + i + sizeof rsa, *end = piv->cert + piv->cert_size;
        DWORD n;
        BYTE tag;
        p = inside(p, (DWORD)(end - p), 3, &n); // BIT STRING
        p = p && n ? inside(p + 1, n - 1, 0x30, &n) : NULL;
        if (!p)
            return;
        end = p + n;
        const BYTE *modulus = value(&p, end, &tag, &n);
        if (!modulus)
            return;
        while (n && !*modulus)
            modulus++, n--;
        if (n > sizeof piv->modulus)
            return;
        memcpy(piv->modulus, modulus, piv->modulus_size = n);
        const BYTE *exponent = value(&p, end, &tag, &n);
        for (piv->exponent = 0; exponent && n; n--)
            piv->exponent = piv->exponent << 8 | *exponent++;
        return;
    }
}

static void read_card(PCARD_DATA c) {
    PIV *piv = c->pvVendorSpecific;
    BYTE object[4096];
    const BYTE *p;
    DWORD n = sizeof object, size;
    if (!get_object(c, 5, object, &n) && (p = inside(object, n, 0x53, &size)) &&
        (p = inside(p, size, 0x70, &size)) && size <= sizeof piv->cert) {
        memcpy(piv->cert, p, piv->cert_size = size);
        find_key(piv);
    }
    n = sizeof object;
    if (!get_object(c, 2, object, &n) && (p = inside(object, n, 0x53, &size)) &&
        (p = inside(p, size, 0x34, &size)) && size == sizeof piv->guid)
        memcpy(piv->guid, p, sizeof piv->guid);
}

static DWORD hand_out(PCARD_DATA c, const void *data, DWORD n, PBYTE *out, PDWORD size) {
    PBYTE made = c->pfnCspAlloc ? ((PFN_CspAlloc)c->pfnCspAlloc)(n ? n : 1) : NULL;
    if (!made)
        return SCARD_E_NO_MEMORY;
    memcpy(made, data, n);
    *out = made;
    *size = n;
    return SCARD_S_SUCCESS;
}
