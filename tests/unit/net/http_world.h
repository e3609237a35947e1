/* An HTTP server on a thread of its own, over real loopback sockets, with a clock that stands
 * still: every answer is known to the byte, Date included. Tests talk to it through blocking
 * sockets, look at it and move its clock by mail. One world at a time. */
#ifndef PARLEY_TESTS_NET_HTTP_WORLD_H
#define PARLEY_TESTS_NET_HTTP_WORLD_H

#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "harness.h"
#include "net/http_server_private.h"

#define DATE "Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
#define OK_HEAD(len) "HTTP/1.1 200 OK\r\n" DATE "Content-Length: " len "\r\n"
#define HELLO OK_HEAD("5") "T: x\r\n\r\nhello"
#define GET(path) "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"

struct http_world {
    pthread_t thread;
    struct loop *loop;
    struct http_server *server;
    struct listener *listener;
    struct clock_fake clock;
    struct http_server_config config;
    size_t stacks_max; /* of the loop; 0: the usual number */
    uint16_t port;
    sem_t ready;
    int served, done, cancelled, last_status, handed_over, raw_closed, body_end, left;
    uint32_t most_queued;
    struct coro *parked;
};
extern struct http_world s;

void start(void); /* with s.config, which may have been changed before */
void stop(void);  /* frees the server and joins its thread */
/* Runs fn(arg) on the server's loop and waits for it. */
void on_loop(void (*fn)(void *arg), void *arg);
void advance(int64_t ms); /* the clock; timers that are due have fired on return */
/* Waits until so many connections are in that state; ends because the test times out if never. */
void wait_state(enum http_state state, int count);
int value_of(int *counter); /* of s, read on the loop */
/* For on_loop: how many bytes are kept for the connection whose reading is paused. */
void find_paused(void *ret_kept_bytes);

int dial(void);
void say(int fd, const char *text);
void say_bytes(int fd, struct slice text);
size_t hear_bytes(int fd, char *to, size_t len);
size_t hear_all(int fd); /* to the end; how many bytes */
void hear_end(int fd);   /* checks that nothing more comes, and closes */
/* What the world's refuse() sends. Static text. */
const char *refusal(const char *status, const char *code, bool close);

/* Sends the text so many times from a thread of its own. */
struct flood {
    int fd, times;
    const char *text;
    pthread_t thread;
};
void flood_start(struct flood *flood);

#define HEAR(fd, want)                                                                             \
    do {                                                                                           \
        char got__[8192];                                                                          \
        size_t len__ = hear_bytes((fd), got__, strlen(want));                                      \
        CHECK_STR(slice_of(got__, len__), want);                                                   \
    } while (0)

#endif
