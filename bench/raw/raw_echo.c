/* raw_echo PORT: every WebSocket message comes back; all answers to one read leave in one write. */
#include "raw.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static void serve(struct raw_server *server, int fd, uint8_t *data, size_t len)
{
    static uint8_t out[RAW_BUFFER];
    size_t used = 0, taken, payload_len, out_len = 0;
    uint8_t *payload;
    (void)server;
    while ((taken = raw_frame(data + used, len - used, &payload, &payload_len)) > 0) {
        used += taken;
        out_len += raw_header(out + out_len, payload_len);
        memcpy(out + out_len, payload, payload_len);
        out_len += payload_len;
    }
    send(fd, out, out_len, MSG_NOSIGNAL);
}

int main(int argc, char **argv)
{
    static struct raw_server server;
    if (argc != 2) {
        fputs("usage: raw_echo PORT\n", stderr);
        return 2;
    }
    raw_start(&server, argv[1]);
    for (;;)
        raw_turn(&server, serve);
}
