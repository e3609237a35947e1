/* What the raw peers share: a listener and the WebSocket handshake. A raw peer does only the system
 * calls that a task needs, so its CPU is nearly the kernel's: the floor a server can be compared
 * with. */
#ifndef BENCH_RAW_RAW_H
#define BENCH_RAW_RAW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define RAW_BUFFER (64 * 1024)
#define RAW_FDS 20100

struct raw_server {
    int epoll_fd, listen_fd;
    bool upgraded[RAW_FDS];
    /* The how-manieth accepted socket since there was none, and back. */
    unsigned turn_of[RAW_FDS], open_count, accepted_count;
    int fd_of[RAW_FDS];
    uint8_t *buffer; /* RAW_BUFFER */
    uint8_t *frames; /* raw_fanout: what goes out, again and again */
    size_t frame_len;
};

/* Listens on 127.0.0.1 and the port, prints "ready PORT". */
void raw_start(struct raw_server *server, const char *port);
/* Waits for one turn and calls serve(fd, buffer, len) for each upgraded socket with bytes; accepts,
 * does handshakes and closes by itself. */
void raw_turn(struct raw_server *server,
              void (*serve)(struct raw_server *server, int fd, uint8_t *data, size_t len));
/* Unmasks the frame at data in place. Returns its whole length, or 0 when it is not all there;
 * only payloads below 64 KiB. */
size_t raw_frame(uint8_t *data, size_t len, uint8_t **ret_payload, size_t *ret_len);
size_t raw_header(uint8_t out[4], size_t payload);

#endif
