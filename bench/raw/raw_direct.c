/* raw_direct PORT [FILE]: direct messages without a server around them. Sockets are partners in the
 * order of their acceptance (first and second, third and fourth...). A message is acknowledged to
 * its sender and handed to the partner; with FILE all messages of a turn are appended and synced
 * first, in one fdatasync. */
#include "raw.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define OUT_MAX (32 * 1024)

struct out {
    uint32_t len;
    uint8_t *bytes; /* OUT_MAX, made at first use */
};

struct direct {
    struct raw_server server; /* first: serve gets back from it */
    struct out outs[RAW_FDS];
    int waiting[RAW_FDS]; /* sockets with something to send after this turn */
    unsigned waiting_count;
    uint64_t seq;
    int log_fd;
    uint8_t *log;
    size_t log_len, log_cap;
};

static void add(struct direct *d, int fd, const char *head, size_t head_len, const uint8_t *tail,
                size_t tail_len)
{
    struct out *out = &d->outs[fd];
    if (!d->server.upgraded[fd])
        return;
    if (!out->bytes)
        out->bytes = malloc(OUT_MAX);
    if (!out->bytes || out->len + head_len + tail_len + 4 > OUT_MAX)
        exit(1);
    if (out->len == 0)
        d->waiting[d->waiting_count++] = fd;
    out->len += (uint32_t)raw_header(out->bytes + out->len, head_len + tail_len);
    memcpy(out->bytes + out->len, head, head_len);
    if (tail_len)
        memcpy(out->bytes + out->len + head_len, tail, tail_len);
    out->len += (uint32_t)(head_len + tail_len);
}

static void append(struct direct *d, const uint8_t *bytes, size_t len)
{
    if (d->log_len + len > d->log_cap) {
        d->log_cap = 2 * (d->log_len + len);
        d->log = realloc(d->log, d->log_cap);
        if (!d->log)
            exit(1);
    }
    memcpy(d->log + d->log_len, bytes, len);
    d->log_len += len;
}

/* The message is {"id":N,"op":"chat.send","data":{...}} as the load generator writes it. */
static void message(struct direct *d, int fd, uint8_t *text, size_t len)
{
    char head[160];
    uint8_t *data = memmem(text, len, "\"data\":{", 8);
    if (!data || len < 8)
        return;
    data += 8;
    unsigned long id = strtoul((char *)text + 6, NULL, 10);
    int ack = snprintf(head, sizeof head, "{\"id\":%lu,\"data\":{\"seq\":%lu}}", id,
                       (unsigned long)++d->seq);
    add(d, fd, head, (size_t)ack, NULL, 0);
    int event = snprintf(head, sizeof head,
                         "{\"event\":\"message.sent\",\"pos\":\"%lu\",\"data\":"
                         "{\"seq\":%lu,",
                         (unsigned long)d->seq, (unsigned long)d->seq);
    int partner = d->server.fd_of[d->server.turn_of[fd] ^ 1U];
    add(d, partner, head, (size_t)event, data, (size_t)(text + len - data));
    if (d->log_fd >= 0)
        append(d, text, len);
}

static void serve(struct raw_server *server, int fd, uint8_t *data, size_t len)
{
    size_t used = 0, taken, payload_len;
    uint8_t *payload;
    while ((taken = raw_frame(data + used, len - used, &payload, &payload_len)) > 0) {
        used += taken;
        message((struct direct *)server, fd, payload, payload_len);
    }
}

static void end_turn(struct direct *d)
{
    if (d->log_len) {
        if (write(d->log_fd, d->log, d->log_len) != (ssize_t)d->log_len || fdatasync(d->log_fd)) {
            perror("raw_direct");
            exit(1);
        }
        d->log_len = 0;
    }
    for (unsigned i = 0; i < d->waiting_count; i++) {
        struct out *out = &d->outs[d->waiting[i]];
        send(d->waiting[i], out->bytes, out->len, MSG_NOSIGNAL);
        out->len = 0;
    }
    d->waiting_count = 0;
}

int main(int argc, char **argv)
{
    static struct direct direct = {.log_fd = -1};
    if (argc < 2 || argc > 3) {
        fputs("usage: raw_direct PORT [FILE]\n", stderr);
        return 2;
    }
    if (argc == 3)
        direct.log_fd = open(argv[2], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (argc == 3 && direct.log_fd < 0) {
        perror(argv[2]);
        return 1;
    }
    raw_start(&direct.server, argv[1]);
    for (;;) {
        raw_turn(&direct.server, serve);
        end_turn(&direct);
    }
}
