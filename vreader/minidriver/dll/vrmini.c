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

#include "vrmini_keys.h"
#include "vrmini_pin.h"
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
    // Of the PIV cards that vreader makes; its historical bytes say YubiKey.
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
