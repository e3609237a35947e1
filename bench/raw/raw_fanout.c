/* raw_fanout PORT BYTES: each message that comes in on any socket makes one frame of BYTES go out
 * to every socket; messages that came in one read leave as joined frames in one send per socket. */
#include "raw.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define JOINED_MAX 64

static void serve(struct raw_server *server, int fd, uint8_t *data, size_t len)
{
    size_t used = 0, taken, payload_len, count = 0;
    uint8_t *payload;
    (void)fd;
    while ((taken = raw_frame(data + used, len - used, &payload, &payload_len)) > 0) {
        used += taken;
        count++;
    }
    for (int to = 0; count && to < RAW_FDS; to++) {
        if (server->upgraded[to])
            send(to, server->frames, server->frame_len * (count < JOINED_MAX ? count : JOINED_MAX),
                 MSG_NOSIGNAL);
    }
}

int main(int argc, char **argv)
{
    static struct raw_server server;
    size_t bytes = argc == 3 ? strtoul(argv[2], NULL, 10) : 0;
    if (bytes == 0 || bytes > 60000) {
        fputs("usage: raw_fanout PORT BYTES\n", stderr);
        return 2;
    }
    server.frames = malloc(JOINED_MAX * (bytes + 4));
    if (!server.frames)
        return 1;
    for (unsigned i = 0; i < JOINED_MAX; i++) {
        uint8_t *at = server.frames + i * server.frame_len;
        size_t head = raw_header(at, bytes);
        memset(at + head, 'r', bytes);
        server.frame_len = head + bytes;
    }
    raw_start(&server, argv[1]);
    for (;;)
        raw_turn(&server, serve);
}
