// SPDX-License-Identifier: Apache-2.0
// vrmini.dll: a minimal minidriver, versions 4 to 6, for the RSA key in slot 9A of a PIV card.
//
// The card is read-only: one container, the files a read-only card needs, the user's PIN, signing.
// It is the subject that every run of our tests loads, and short enough to begin one's own with.
#define WIN32_LEAN_AND_MEAN
#define WINSCARDAPI
#define WINSCARDDATA
#include <windows.h>
#include <winscard.h>
#include <string.h>
typedef DWORD ALG_ID;
#include "minidriver.h" // made by vreader/minidriver/abi/cheader.py

#define EXPORT __declspec(dllexport)
#define MAX_ATR_SIZE 33
#define CARD_NAME L"vreader sample PIV card"
#define BUFFER_SIZE_ONLY 0x20000000u
#define PADDING_INFO_PRESENT 0x40000000u
#define SILENT 0x40u
#define MAX_NAME 8
#define USER 1

static HINSTANCE self;

typedef struct {
    DWORD protocol;
    BOOL verified;
    DWORD cert_size;
    BYTE cert[4096]; // as the object of the card has it: DER
    BYTE modulus[512];
    DWORD modulus_size;
    DWORD exponent;
    BYTE guid[16];
} PIV;

#include "vrmini_card.h"

// ---------------------------------------------------------------- context, files

static BOOL gone(PCARD_DATA c) { return !c || !c->pvVendorSpecific; }

static DWORD WINAPI DeleteContext(PCARD_DATA c) {
    if (gone(c))
        return SCARD_E_INVALID_PARAMETER;
    ((PFN_CspFree)c->pfnCspFree)(c->pvVendorSpecific);
    c->pvVendorSpecific = NULL;
    return SCARD_S_SUCCESS;
}

static DWORD WINAPI QueryCapabilities(PCARD_DATA c, PCARD_CAPABILITIES out) {
    if (gone(c) || !out)
        return SCARD_E_INVALID_PARAMETER;
    if (out->dwVersion > 1)
        return ERROR_REVISION_MISMATCH;
    out->dwVersion = 1;
    out->fCertificateCompression = FALSE;
    out->fKeyGen = FALSE;
    return SCARD_S_SUCCESS;
}

static BOOL is_file(LPCSTR dir, LPCSTR name, LPCSTR wanted_dir, LPCSTR wanted) {
    return !lstrcmpiA(dir ? dir : "", wanted_dir) && !lstrcmpiA(name, wanted);
}

static void container_map(PIV *piv, CONTAINER_MAP_RECORD *record) {
    static const WCHAR digits[] = L"0123456789abcdef";
    memset(record, 0, sizeof *record);
    for (int i = 0; i < 16; i++) {
        record->wszGuid[2 * i] = digits[piv->guid[i] >> 4];
        record->wszGuid[2 * i + 1] = digits[piv->guid[i] & 15];
    }
    record->bFlags = 3; // valid, default
    record->wKeyExchangeKeySizeBits = (WORD)(8 * piv->modulus_size);
}

static DWORD file(PCARD_DATA c, LPCSTR dir, LPCSTR name, PBYTE *out, PDWORD size) {
    PIV *piv = c->pvVendorSpecific;
    static const BYTE cardcf[6] = {0}, cardapps[8] = {'m', 's', 'c', 'p'};
    CONTAINER_MAP_RECORD record;
    if (dir && *dir && lstrcmpiA(dir, "mscp"))
        return SCARD_E_DIR_NOT_FOUND;
    if (is_file(dir, name, "", "cardid"))
        return hand_out(c, piv->guid, sizeof piv->guid, out, size);
    if (is_file(dir, name, "", "cardcf"))
        return hand_out(c, cardcf, sizeof cardcf, out, size);
    if (is_file(dir, name, "", "cardapps"))
        return hand_out(c, cardapps, sizeof cardapps, out, size);
    if (is_file(dir, name, "mscp", "cmapfile")) {
        container_map(piv, &record);
        return hand_out(c, &record, piv->modulus_size ? sizeof record : 0, out, size);
    }
    if (piv->modulus_size && is_file(dir, name, "mscp", "kxc00"))
        return hand_out(c, piv->cert, piv->cert_size, out, size);
    return SCARD_E_FILE_NOT_FOUND;
}

static BOOL bad_name(LPCSTR dir, LPCSTR name) {
    return !name || !*name || lstrlenA(name) > MAX_NAME || (dir && lstrlenA(dir) > MAX_NAME);
}

static DWORD WINAPI ReadFile_(PCARD_DATA c, LPSTR dir, LPSTR name, DWORD flags, PBYTE *out,
                              PDWORD size) {
    if (gone(c) || bad_name(dir, name) || !out || !size || flags)
        return SCARD_E_INVALID_PARAMETER;
    return file(c, dir, name, out, size);
}

static DWORD WINAPI GetFileInfo(PCARD_DATA c, LPSTR dir, LPSTR name, PCARD_FILE_INFO out) {
    PBYTE data;
    DWORD size;
    if (gone(c) || bad_name(dir, name) || !out)
        return SCARD_E_INVALID_PARAMETER;
    if (out->dwVersion > 1)
        return ERROR_REVISION_MISMATCH;
    DWORD code = file(c, dir, name, &data, &size);
    if (code)
        return code;
    ((PFN_CspFree)c->pfnCspFree)(data);
    out->dwVersion = 1;
    out->cbFileSize = size;
    out->AccessCondition = !lstrcmpiA(name, "cardid") ? 3 : 1; // everyone reads
    return SCARD_S_SUCCESS;
}

static DWORD WINAPI EnumFiles(PCARD_DATA c, LPSTR dir, LPSTR *out, LPDWORD size, DWORD flags) {
    static const char root[] = "cardid\0cardcf\0cardapps\0", mscp[] = "cmapfile\0kxc00\0";
    if (gone(c) || !out || !size || flags)
        return SCARD_E_INVALID_PARAMETER;
    if (!dir || !*dir)
        return hand_out(c, root, sizeof root, (PBYTE *)out, size);
    if (lstrcmpiA(dir, "mscp"))
        return SCARD_E_DIR_NOT_FOUND;
    if (!((PIV *)c->pvVendorSpecific)->modulus_size)
        return hand_out(c, "cmapfile\0", 10, (PBYTE *)out, size);
    return hand_out(c, mscp, sizeof mscp, (PBYTE *)out, size);
}

static DWORD WINAPI QueryFreeSpace(PCARD_DATA c, DWORD flags, PCARD_FREE_SPACE_INFO out) {
    if (gone(c) || !out || flags)
        return SCARD_E_INVALID_PARAMETER;
    if (out->dwVersion > 1)
        return ERROR_REVISION_MISMATCH;
    out->dwVersion = 1;
    out->dwBytesAvailable = 0;
    out->dwKeyContainersAvailable = 0;
    out->dwMaxKeyContainers = 1;
    return SCARD_S_SUCCESS;
}

// ---------------------------------------------------------------- keys

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

// ---------------------------------------------------------------- the user's PIN

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

#include "vrmini_properties.h"

// ---------------------------------------------------------------- what a read-only card refuses

static DWORD WINAPI Refuse(void) { return SCARD_E_UNSUPPORTED_FEATURE; }

// ---------------------------------------------------------------- exports

EXPORT DWORD WINAPI CardAcquireContext(PCARD_DATA c, DWORD flags) {
    if (!c || flags)
        return SCARD_E_INVALID_PARAMETER;
    if (c->dwVersion < 4)
        return ERROR_REVISION_MISMATCH;
    if (!c->hSCardCtx || !c->hScard)
        return SCARD_E_INVALID_HANDLE;
    if (!c->pbAtr || c->cbAtr < 2 || c->cbAtr > MAX_ATR_SIZE || !c->pwszCardName ||
        !c->pfnCspAlloc || !c->pfnCspReAlloc || !c->pfnCspFree)
        return SCARD_E_INVALID_PARAMETER;
    if (c->pbAtr[0] == 0x00 || c->pbAtr[0] == 0xFF)
        return SCARD_E_UNKNOWN_CARD;
    PIV *piv = ((PFN_CspAlloc)c->pfnCspAlloc)(sizeof *piv);
    if (!piv)
        return SCARD_E_NO_MEMORY;
    memset(piv, 0, sizeof *piv);
    DWORD state, n = 0;
    c->pvVendorSpecific = piv;
    LONG code = SCardStatusW(c->hScard, NULL, &n, &state, &piv->protocol, NULL, NULL);
    if (!code)
        code = select_piv(c);
    if (code) {
        DeleteContext(c);
        return (DWORD)code;
    }
    read_card(c);
    c->dwVersion = min(c->dwVersion, 6);
    c->pfnCardDeleteContext = (PFN)DeleteContext;
    c->pfnCardQueryCapabilities = (PFN)QueryCapabilities;
    c->pfnCardDeleteContainer = c->pfnCardCreateContainer = (PFN)Refuse;
    c->pfnCardGetContainerInfo = (PFN)GetContainerInfo;
    c->pfnCardAuthenticatePin = (PFN)AuthenticatePin;
    c->pfnCardGetChallenge = c->pfnCardAuthenticateChallenge = (PFN)Refuse;
    c->pfnCardUnblockPin = c->pfnCardChangeAuthenticator = (PFN)Refuse;
    c->pfnCardCreateDirectory = c->pfnCardDeleteDirectory = (PFN)Refuse;
    c->pfnCardCreateFile = c->pfnCardWriteFile = c->pfnCardDeleteFile = (PFN)Refuse;
    c->pfnCardReadFile = (PFN)ReadFile_;
    c->pfnCardEnumFiles = (PFN)EnumFiles;
    c->pfnCardGetFileInfo = (PFN)GetFileInfo;
    c->pfnCardQueryFreeSpace = (PFN)QueryFreeSpace;
    c->pfnCardQueryKeySizes = (PFN)QueryKeySizes;
    c->pfnCardSignData = (PFN)SignData;
    if (c->dwVersion < 6)
        return SCARD_S_SUCCESS;
    c->pfnCardGetChallengeEx = c->pfnCardChangeAuthenticatorEx = (PFN)Refuse;
    c->pfnCardAuthenticateEx = (PFN)AuthenticateEx;
    c->pfnCardDeauthenticateEx = (PFN)DeauthenticateEx;
    c->pfnCardGetContainerProperty = (PFN)GetContainerProperty;
    c->pfnCardGetProperty = (PFN)GetProperty;
    c->pfnCardSetContainerProperty = (PFN)Refuse;
    c->pfnCardSetProperty = (PFN)SetProperty;
    return SCARD_S_SUCCESS;
}

EXPORT HRESULT WINAPI DllRegisterServer(void) {
    // Of the PIV cards that vreader makes; the its historical bytes say YubiKey.
    static const BYTE atr[] = {0x3B, 0xFD, 0x13, 0x00, 0x00, 0x81, 0x31, 0xFE, 0x15, 0x80, 0x73, 0xC0,
                               0x21, 0xC0, 0x57, 0x59, 0x75, 0x62, 0x69, 0x4B, 0x65, 0x79, 0x40};
    WCHAR path[MAX_PATH];
    SCARDCONTEXT context;
    if (!GetModuleFileNameW(self, path, MAX_PATH))
        return (HRESULT)HRESULT_FROM_WIN32(GetLastError());
    LONG code = SCardEstablishContext(SCARD_SCOPE_USER, NULL, NULL, &context);
    if (code)
        return code;
    code = SCardIntroduceCardTypeW(context, CARD_NAME, NULL, NULL, 0, atr, NULL, sizeof atr);
    if (!code)
        code = SCardSetCardTypeProviderNameW(context, CARD_NAME, SCARD_PROVIDER_CSP,
                                             L"Microsoft Base Smart Card Crypto Provider");
    if (!code)
        code = SCardSetCardTypeProviderNameW(context, CARD_NAME, 3, // SCARD_PROVIDER_KSP
                                             L"Microsoft Smart Card Key Storage Provider");
    if (!code)
        code = SCardSetCardTypeProviderNameW(context, CARD_NAME, 0x80000001, // CARD_MODULE
                                             wcsrchr(path, L'\\') + 1);
    SCardReleaseContext(context);
    return code == ERROR_ALREADY_EXISTS ? S_OK : code;
}

EXPORT HRESULT WINAPI DllUnregisterServer(void) {
    SCARDCONTEXT context;
    LONG code = SCardEstablishContext(SCARD_SCOPE_USER, NULL, NULL, &context);
    if (code)
        return code;
    code = SCardForgetCardTypeW(context, CARD_NAME);
    SCardReleaseContext(context);
    return code == SCARD_E_UNKNOWN_CARD ? S_OK : code;
}

EXPORT BOOL WINAPI DllMain(HINSTANCE instance, DWORD reason, LPVOID reserved) {
    (void)reserved;
    if (reason == DLL_PROCESS_ATTACH) {
        self = instance;
        DisableThreadLibraryCalls(instance);
    }
    return TRUE;
}
