// SPDX-License-Identifier: Apache-2.0
// The properties of vrmini.dll's card and of its container. Part of vrmini.c.

static DWORD copy(const void *p, DWORD n, PBYTE out, DWORD room, PDWORD size) {
    *size = n;
    if (room < n)
        return ERROR_INSUFFICIENT_BUFFER;
    memcpy(out, p, n);
    return SCARD_S_SUCCESS;
}

static DWORD WINAPI GetProperty(PCARD_DATA c, LPCWSTR name, PBYTE out, DWORD room, PDWORD size,
                                DWORD flags) {
    if (gone(c) || !name || !size || (room && !out))
        return SCARD_E_INVALID_PARAMETER;
    PIV *piv = c->pvVendorSpecific;
    BOOL yes = TRUE, no = FALSE;
    BOOL of_pin = !lstrcmpW(name, L"PIN Information") || !lstrcmpW(name, L"PIN Strength Verify");
    if (!lstrcmpW(name, L"Key Sizes")) {
        CARD_KEY_SIZES sizes = {.dwVersion = 1};
        DWORD code = QueryKeySizes(c, flags, 0, &sizes);
        return code ? code : copy(&sizes, sizeof sizes, out, room, size);
    }
    if (of_pin ? flags > 7 : flags)
        return SCARD_E_INVALID_PARAMETER;
    if (!lstrcmpW(name, L"Free Space")) {
        CARD_FREE_SPACE_INFO info = {.dwVersion = 1};
        QueryFreeSpace(c, 0, &info);
        return copy(&info, sizeof info, out, room, size);
    }
    if (!lstrcmpW(name, L"Capabilities")) {
        CARD_CAPABILITIES info = {.dwVersion = 1};
        QueryCapabilities(c, &info);
        return copy(&info, sizeof info, out, room, size);
    }
    if (!lstrcmpW(name, L"Read Only Mode"))
        return copy(&yes, sizeof yes, out, room, size);
    if (!lstrcmpW(name, L"Supports Windows x.509 Enrollment"))
        return copy(&no, sizeof no, out, room, size);
    if (!lstrcmpW(name, L"Cache Mode")) {
        DWORD mode = 1; // global
        return copy(&mode, sizeof mode, out, room, size);
    }
    if (!lstrcmpW(name, L"Card Identifier"))
        return copy(piv->guid, sizeof piv->guid, out, room, size);
    if (!lstrcmpW(name, L"PIN List")) {
        PIN_SET pins = 1u << USER;
        return copy(&pins, sizeof pins, out, room, size);
    }
    if (!lstrcmpW(name, L"Authenticated State")) {
        PIN_SET pins = piv->verified ? 1u << USER : 0;
        return copy(&pins, sizeof pins, out, room, size);
    }
    if (of_pin && flags != USER)
        return SCARD_E_INVALID_PARAMETER;
    if (!lstrcmpW(name, L"PIN Strength Verify")) {
        DWORD plain = 1;
        return copy(&plain, sizeof plain, out, room, size);
    }
    if (!lstrcmpW(name, L"PIN Information")) {
        PIN_INFO info = {.dwVersion = 6, .PinPurpose = 2, .PinCachePolicy = {.dwVersion = 6}};
        if (room >= sizeof info && ((PPIN_INFO)out)->dwVersion != 6)
            return ERROR_REVISION_MISMATCH;
        return copy(&info, sizeof info, out, room, size);
    }
    return SCARD_E_UNSUPPORTED_FEATURE;
}

static DWORD WINAPI GetContainerProperty(PCARD_DATA c, BYTE index, LPCWSTR name, PBYTE out,
                                         DWORD room, PDWORD size, DWORD flags) {
    if (gone(c) || !name || !size || (room && !out) || flags)
        return SCARD_E_INVALID_PARAMETER;
    if (index || !((PIV *)c->pvVendorSpecific)->modulus_size)
        return SCARD_E_NO_KEY_CONTAINER;
    if (!lstrcmpW(name, L"Container Info")) {
        *size = sizeof(CONTAINER_INFO);
        return room < *size ? ERROR_INSUFFICIENT_BUFFER
                            : GetContainerInfo(c, index, 0, (PCONTAINER_INFO)out);
    }
    if (!lstrcmpW(name, L"PIN Identifier")) {
        PIN_ID id = USER;
        return copy(&id, sizeof id, out, room, size);
    }
    return SCARD_E_UNSUPPORTED_FEATURE;
}

// The two that every host sets are taken note of, which is enough without a dialog of our own.
static DWORD WINAPI SetProperty(PCARD_DATA c, LPCWSTR name, PBYTE data, DWORD n, DWORD flags) {
    if (gone(c) || !name || flags)
        return SCARD_E_INVALID_PARAMETER;
    if (!lstrcmpW(name, L"Parent Window"))
        return n == sizeof(HWND) || n == 4 ? SCARD_S_SUCCESS : SCARD_E_INVALID_PARAMETER;
    if (!lstrcmpW(name, L"PIN Context String"))
        return data || !n ? SCARD_S_SUCCESS : SCARD_E_INVALID_PARAMETER;
    return SCARD_E_UNSUPPORTED_FEATURE;
}
