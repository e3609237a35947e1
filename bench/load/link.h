/* Client connections on one epoll: non-blocking, level-triggered, one thread.
 *
 * A link keeps bytes that are not consumed yet and bytes that the kernel has not taken yet.
 * Connections leave from 127.0.0.1, .2, .3 ... in turn, 3,000 from each: one source address slows
 * the kernel down and ends at its port range.
 */
#ifndef BENCH_LOAD_LINK_H
#define BENCH_LOAD_LINK_H

#include "text.h"

#include <netinet/in.h>

#define LINK_READ_BYTES (256 * 1024)

struct link;

struct link_ops {
    /* Connected; may write. */
    void (*on_open)(struct link *link);
    /* Bytes from the server, writable memory; returns how many it has used. What it wrote with
     * link_write is flushed when it returns. */
    size_t (*on_data)(struct link *link, char *data, size_t len);
    /* Closed by the server or by an error; the link is not touched afterwards. */
    void (*on_close)(struct link *link);
};

struct hub { /* all links of the process */
    int epoll_fd;
    struct sockaddr_in server;
    char *read_buffer; /* LINK_READ_BYTES and what a link had left over */
    size_t read_cap;
    unsigned made;
};

struct link {
    struct hub *hub;
    const struct link_ops *ops;
    int fd; /* -1: closed */
    bool open, want_write;
    struct text in, out;
    size_t out_sent;
};

/* server: "127.0.0.1:8080". */
void hub_init(struct hub *hub, const char *server);
void hub_done(struct hub *hub);
/* Waits at most timeout_ms and serves what is ready. Returns the number of ready links. */
unsigned hub_turn(struct hub *hub, int timeout_ms);
void hub_run(struct hub *hub, double seconds); /* turns until the time is over */

void link_connect(struct link *link, struct hub *hub, const struct link_ops *ops);
void link_write(struct link *link, const char *data, size_t len);
void link_flush(struct link *link);
void link_close(struct link *link);

#endif
