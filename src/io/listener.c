/* Listening sockets, one per loop on the same address: the kernel deals connections out.
 *
 * Level-triggered, because accepting stops after a batch so that the other sockets get their turn.
 * When descriptors run out, the waiting connection would make the loop spin: the listener looks
 * away for 100 ms instead.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/metric.h"
#include "io/conn.h"

#define ACCEPTS_AT_ONCE 64
#define BACKLOG 4096 /* the kernel cuts it to net.core.somaxconn */
#define PAUSE_MS 100

struct listener {
    struct watch watch;
    struct timer pause;
    struct loop *loop;
    void (*accepted)(void *arg, int fd);
    void *arg;
    struct metric *pauses;
    uint16_t port;
    int fd;         /* also while watch.fd is -1; -1: closed */
    bool accepting; /* accept_some is on the stack and frees it when it has been closed */
};

union address {
    struct sockaddr any;
    struct sockaddr_in four;
    struct sockaddr_in6 six;
};

static int invalid_address(const char *text, struct error *err)
{
    return error_set(err, FAIL_INVALID, "invalid_address",
                     "\"%.80s\" is not an address like 127.0.0.1:8080 or [::]:8080", text);
}

static int parse_address(const char *text, union address *ret_address, struct error *err)
{
    const char *colon = strrchr(text, ':');
    char host[INET6_ADDRSTRLEN];
    uint64_t port;
    if (colon == NULL || !slice_to_u64(slice_str(colon + 1), &port) || port > UINT16_MAX)
        return invalid_address(text, err);
    struct slice name = slice_of(text, (size_t)(colon - text));
    bool six = name.len >= 2 && name.ptr[0] == '[' && name.ptr[name.len - 1] == ']';
    if (six)
        name = slice_of(name.ptr + 1, name.len - 2);
    if (!copy_str(host, sizeof host, name))
        return invalid_address(text, err);
    union address address;
    memset(&address, 0, sizeof address);
    if (six) {
        address.six.sin6_family = AF_INET6;
        address.six.sin6_port = htons((uint16_t)port);
        if (inet_pton(AF_INET6, host, &address.six.sin6_addr) != 1)
            return invalid_address(text, err);
    } else {
        address.four.sin_family = AF_INET;
        address.four.sin_port = htons((uint16_t)port);
        if (inet_pton(AF_INET, host, &address.four.sin_addr) != 1)
            return invalid_address(text, err);
    }
    *ret_address = address;
    return 0;
}

static socklen_t address_len(const union address *address)
{
    return address->any.sa_family == AF_INET6 ? sizeof address->six : sizeof address->four;
}

static int bind_socket(const union address *address, int *ret_fd, uint16_t *ret_port)
{
    int on = 1, off = 0;
    int fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return errno;
    union address bound;
    socklen_t len = sizeof bound;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0 ||
        (address->any.sa_family == AF_INET6 &&
         setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off) != 0) ||
        bind(fd, &address->any, address_len(address)) != 0 || listen(fd, BACKLOG) != 0 ||
        getsockname(fd, &bound.any, &len) != 0) {
        int failed = errno;
        close(fd);
        return failed;
    }
    *ret_fd = fd;
    *ret_port = ntohs(bound.any.sa_family == AF_INET6 ? bound.six.sin6_port : bound.four.sin_port);
    return 0;
}

int listener_probe(const char *text, struct error *err)
{
    union address address;
    int on = 1;
    int rc = parse_address(text, &address, err);
    if (rc != 0)
        return rc;
    int fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        bind(fd, &address.any, address_len(&address)) != 0)
        rc = error_errno(err, errno, "listen_failed", "cannot listen on %.80s", text);
    if (fd >= 0)
        close(fd);
    return rc;
}

static void pause_accepting(struct listener *listener)
{
    metric_add(listener->pauses, 1);
    loop_unwatch(listener->loop, &listener->watch);
    timer_start(listener->loop, &listener->pause, PAUSE_MS);
}

static void go_on(struct timer *timer)
{
    struct listener *listener = CONTAINER_OF(timer, struct listener, pause);
    listener->watch.fd = listener->fd;
    if (loop_watch_level(listener->loop, &listener->watch, NULL) == 0)
        return;
    listener->watch.fd = -1;
    timer_start(listener->loop, timer, PAUSE_MS);
}

static void accept_some(struct listener *listener)
{
    for (int i = 0; i < ACCEPTS_AT_ONCE; i++) {
        int fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            listener->accepted(listener->arg, fd);
            if (listener->fd < 0)
                return;
            continue;
        }
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            pause_accepting(listener);
            return;
        }
        if (errno == EAGAIN)
            return;
        /* Anything else is the fate of one connection that ended before it was taken. */
    }
}

static void connections_wait(struct watch *watch, unsigned events)
{
    (void)events;
    struct listener *listener = CONTAINER_OF(watch, struct listener, watch);
    listener->accepting = true;
    accept_some(listener);
    listener->accepting = false;
    if (listener->fd < 0)
        free(listener);
}

int listener_open(struct loop *loop, const char *address, void (*accepted)(void *arg, int fd),
                  void *arg, struct listener **ret_listener, struct error *err)
{
    union address where;
    int rc = parse_address(address, &where, err);
    if (rc != 0)
        return rc;
    int fd = -1;
    uint16_t port = 0;
    int failed = bind_socket(&where, &fd, &port);
    if (failed != 0)
        return error_errno(err, failed, "listen_failed", "cannot listen on %.80s", address);
    struct listener *listener = xcalloc(1, sizeof *listener);
    *listener = (struct listener){
        .watch = {fd, connections_wait},
        .loop = loop,
        .accepted = accepted,
        .arg = arg,
        .pauses = metric_register(METRIC_COUNTER, "parley_accept_pauses_total",
                                  "How often accepting paused: no descriptors left.", NULL),
        .port = port,
        .fd = fd};
    timer_init(&listener->pause, go_on);
    rc = loop_watch_level(loop, &listener->watch, err);
    if (rc != 0) {
        close(fd);
        free(listener);
        return rc;
    }
    *ret_listener = listener;
    return 0;
}

uint16_t listener_port(const struct listener *listener)
{
    return listener->port;
}

void listener_close(struct listener *listener)
{
    loop_unwatch(listener->loop, &listener->watch);
    timer_stop(&listener->pause);
    close(listener->fd);
    listener->fd = -1;
    if (!listener->accepting)
        free(listener);
}
