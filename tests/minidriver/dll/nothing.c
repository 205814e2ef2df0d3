// SPDX-License-Identifier: Apache-2.0
// A DLL that exports nothing; with REFUSE its DllMain does not want to be loaded, with CRASH it
// crashes.
#define WIN32_LEAN_AND_MEAN
#include <windows.h>

BOOL WINAPI DllMain(HINSTANCE self, DWORD reason, LPVOID reserved) {
    (void)self, (void)reserved;
#ifdef REFUSE
    return reason != DLL_PROCESS_ATTACH;
#elif defined(CRASH)
    return *(volatile int *)16 + (int)reason;
#else
    return (void)reason, TRUE;
#endif
}
