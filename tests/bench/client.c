// SPDX-License-Identifier: Apache-2.0
/* A PC/SC program as plain as they come: what the bench measures is seen from here.
 *
 *   client latency READER WARM N [HEX]...
 *                                   N times SCardTransmit after WARM unmeasured ones; prints the
 *                                   nanoseconds of each. Of APDUs that are given the last is
 *                                   measured, the others are sent once before.
 *   client once READER              one SCardTransmit; prints the clock when it has returned
 *   client work READER              one SCardTransmit of another command, to keep a card busy
 *   client events READER N          N times SCardGetStatusChange; prints "present CLOCK" or
 *                                   "absent CLOCK" at once
 *
 * CLOCK is CLOCK_MONOTONIC in nanoseconds. READER may be "": the first one.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <winscard.h>

enum { ATTEMPTS = 10000, PAUSE_US = 500 };

enum { LONGEST = 512 };
static const BYTE QUICK[] = {0x00, 0xCA, 0x00, 0x00, 0x00};
static const BYTE LONG_WORK[] = {0x00, 0x46, 0x00, 0x00, 0x00};

static SCARDCONTEXT context;
static SCARDHANDLE card;
static DWORD protocol;

static int64_t now_ns(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

static void need(LONG rv, const char *call) {
    if (rv != SCARD_S_SUCCESS) {
        fprintf(stderr, "client: %s: %s\n", call, pcsc_stringify_error(rv));
        exit(1);
    }
}

/* Card and reader may only just be coming: pcscd looks for cards every 0.4 s. */
static void connect_card(const char *wanted) {
    static char names[16384];
    LONG rv = SCARD_E_NO_READERS_AVAILABLE;
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        DWORD length = sizeof names;
        rv = SCardListReaders(context, NULL, names, &length);
        if (rv == SCARD_S_SUCCESS)
            rv = SCardConnect(context, *wanted ? wanted : names, SCARD_SHARE_SHARED,
                              SCARD_PROTOCOL_T0 | SCARD_PROTOCOL_T1, &card, &protocol);
        if (rv == SCARD_S_SUCCESS)
            return;
        usleep(PAUSE_US);
    }
    need(rv, "SCardConnect");
}

static void transmit(const BYTE *command, DWORD length) {
    static BYTE response[LONGEST];
    DWORD received = sizeof response;
    const SCARD_IO_REQUEST *pci = protocol == SCARD_PROTOCOL_T1 ? SCARD_PCI_T1 : SCARD_PCI_T0;
    need(SCardTransmit(card, pci, command, length, NULL, response, &received), "SCardTransmit");
    if (received < 2) {
        fprintf(stderr, "client: %lu bytes received\n", (unsigned long)received);
        exit(1);
    }
    if (command != QUICK && command != LONG_WORK && response[received - 2] != 0x90 &&
        response[received - 2] != 0x61) {
        fprintf(stderr, "client: refused with %02X%02X\n", response[received - 2],
                response[received - 1]);
        exit(1);
    }
}

/* Read an APDU in hex; exits when it is none. */
static DWORD parse(const char *hex, BYTE *command) {
    DWORD length = 0;
    unsigned byte;
    for (; length < LONGEST && sscanf(hex + 2 * length, "%2x", &byte) == 1; length++)
        command[length] = byte;
    if (strlen(hex) != 2 * length) {
        fprintf(stderr, "client: %s is not an APDU\n", hex);
        exit(2);
    }
    return length;
}

static void measure_latency(int warm, int count, int apdus, char **hex) {
    static BYTE given[LONGEST];
    const BYTE *command = QUICK;
    DWORD length = sizeof QUICK;
    int64_t *took = calloc(count, sizeof *took);
    for (int i = 0; i < apdus; i++) {
        command = given;
        length = parse(hex[i], given);
        if (i + 1 < apdus)
            transmit(command, length);
    }
    for (int i = 0; i < warm; i++)
        transmit(command, length);
    for (int i = 0; i < count; i++) {
        int64_t start = now_ns();
        transmit(command, length);
        took[i] = now_ns() - start;
    }
    for (int i = 0; i < count; i++)
        printf("%lld\n", (long long)took[i]);
    free(took);
}

static void watch(const char *reader, int count) {
    SCARD_READERSTATE state = {.szReader = reader, .dwCurrentState = SCARD_STATE_UNAWARE};
    need(SCardGetStatusChange(context, 0, &state, 1), "SCardGetStatusChange");
    printf("ready\n");
    fflush(stdout);
    while (count > 0) {
        DWORD before = state.dwEventState & SCARD_STATE_PRESENT;
        state.dwCurrentState = state.dwEventState & ~SCARD_STATE_CHANGED;
        need(SCardGetStatusChange(context, INFINITE, &state, 1), "SCardGetStatusChange");
        int64_t clock = now_ns();
        DWORD present = state.dwEventState & SCARD_STATE_PRESENT;
        if (present == before)
            continue;
        printf("%s %lld\n", present ? "present" : "absent", (long long)clock);
        fflush(stdout);
        count--;
    }
}

int main(int argc, char **argv) {
    const char *mode = argc > 2 ? argv[1] : "";
    need(SCardEstablishContext(SCARD_SCOPE_SYSTEM, NULL, NULL, &context), "SCardEstablishContext");
    if (!strcmp(mode, "events") && argc == 4) {
        watch(argv[2], atoi(argv[3]));
    } else if (!strcmp(mode, "latency") && argc >= 5) {
        connect_card(argv[2]);
        measure_latency(atoi(argv[3]), atoi(argv[4]), argc - 5, argv + 5);
    } else if (!strcmp(mode, "once") && argc == 3) {
        connect_card(argv[2]);
        transmit(QUICK, sizeof QUICK);
        printf("%lld\n", (long long)now_ns());
    } else if (!strcmp(mode, "work") && argc == 3) {
        connect_card(argv[2]);
        transmit(LONG_WORK, sizeof LONG_WORK);
    } else {
        fprintf(stderr, "client: wrong arguments\n");
        return 2;
    }
    if (card)
        SCardDisconnect(card, SCARD_LEAVE_CARD);
    SCardReleaseContext(context);
    return 0;
}
