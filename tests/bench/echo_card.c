// SPDX-License-Identifier: Apache-2.0
/* The least a vpcd card can be: an ATR, and 9000 to every C-APDU.
 *
 *   echo_card FD plain|quick|halves    FD is a TCP connection to the driver, inherited
 *
 * "plain" sends a frame with one call and sets no socket option, as cards commonly do; "quick" sets
 * TCP_NODELAY and, before each receive, TCP_QUICKACK; "halves" is as "plain", but sends the length
 * and the body of a frame with two calls.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>

enum { GET_ATR = 4 };

static const unsigned char ATR_FRAME[] = {0, 5, 0x3B, 0x80, 0x80, 0x01, 0x01};
static const unsigned char OK_FRAME[] = {0, 2, 0x90, 0x00};

static int quick, halves;

static void set(int fd, int option) {
    const int on = 1;
    if (setsockopt(fd, IPPROTO_TCP, option, &on, sizeof on)) {
        perror("echo_card: setsockopt");
        exit(1);
    }
}

/* Exactly size bytes; the driver leaving is the normal end. */
static void receive(int fd, unsigned char *to, size_t size) {
    while (size) {
        if (quick)
            set(fd, TCP_QUICKACK);
        ssize_t got = recv(fd, to, size, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            exit(0);
        to += got;
        size -= got;
    }
}

static void answer(int fd, const unsigned char *frame, size_t size) {
    if (halves) {
        if (send(fd, frame, 2, MSG_NOSIGNAL) != 2)
            exit(0);
        frame += 2;
        size -= 2;
    }
    if (send(fd, frame, size, MSG_NOSIGNAL) != (ssize_t)size)
        exit(0);
}

int main(int argc, char **argv) {
    static unsigned char body[65535];
    if (argc != 3) {
        fprintf(stderr, "echo_card: wrong arguments\n");
        return 2;
    }
    const int fd = atoi(argv[1]);
    quick = !strcmp(argv[2], "quick");
    halves = !strcmp(argv[2], "halves");
    if (quick)
        set(fd, TCP_NODELAY);
    for (;;) {
        unsigned char head[2];
        receive(fd, head, sizeof head);
        size_t length = head[0] << 8 | head[1];
        receive(fd, body, length);
        if (length > 1)
            answer(fd, OK_FRAME, sizeof OK_FRAME);
        else if (length == 1 && body[0] == GET_ATR)
            answer(fd, ATR_FRAME, sizeof ATR_FRAME);
    }
}
