/* See link.h. */
#include "link.h"

#include "hist.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define LINKS_PER_ADDRESS 3000

void hub_init(struct hub *hub, const char *server)
{
    char host[64];
    unsigned port;
    *hub = (struct hub){.server.sin_family = AF_INET};
    if (sscanf(server, "%63[0-9.]:%u", host, &port) != 2 || port == 0 || port > 65535 ||
        inet_pton(AF_INET, host, &hub->server.sin_addr) != 1)
        die("--server wants ADDRESS:PORT, not \"%s\"", server);
    hub->server.sin_port = htons((uint16_t)port);
    hub->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    hub->read_cap = 2 * LINK_READ_BYTES;
    hub->read_buffer = malloc(hub->read_cap);
    if (hub->epoll_fd < 0 || !hub->read_buffer)
        die("cannot start: %s", strerror(errno));
}

void hub_done(struct hub *hub)
{
    close(hub->epoll_fd);
    free(hub->read_buffer);
}

void link_connect(struct link *link, struct hub *hub, const struct link_ops *ops)
{
    *link = (struct link){.hub = hub, .ops = ops};
    struct sockaddr_in from = {.sin_family = AF_INET};
    int on = 1;
    link->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (link->fd < 0)
        die("cannot open a socket: %s", strerror(errno));
    from.sin_addr.s_addr = htonl(0x7f000001U + hub->made++ / LINKS_PER_ADDRESS);
    /* Lets the kernel choose the port at connect time, by the whole four-tuple (ip(7)). */
    setsockopt(link->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    setsockopt(link->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (bind(link->fd, (struct sockaddr *)&from, sizeof from) != 0)
        die("cannot bind: %s", strerror(errno));
    if (connect(link->fd, (struct sockaddr *)&hub->server, sizeof hub->server) != 0 &&
        errno != EINPROGRESS)
        die("cannot connect: %s", strerror(errno));
    link->want_write = true;
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT, .data.ptr = link};
    if (epoll_ctl(hub->epoll_fd, EPOLL_CTL_ADD, link->fd, &event) != 0)
        die("cannot watch a socket: %s", strerror(errno));
}

static void want_write(struct link *link, bool wanted)
{
    if (link->want_write == wanted)
        return;
    link->want_write = wanted;
    struct epoll_event event = {.events = EPOLLIN | (wanted ? EPOLLOUT : 0U), .data.ptr = link};
    epoll_ctl(link->hub->epoll_fd, EPOLL_CTL_MOD, link->fd, &event);
}

void link_close(struct link *link)
{
    if (link->fd < 0)
        return;
    close(link->fd);
    link->fd = -1;
    text_free(&link->in);
    text_free(&link->out);
}

static void lost(struct link *link)
{
    link_close(link);
    link->ops->on_close(link);
}

void link_write(struct link *link, const char *data, size_t len)
{
    if (link->fd >= 0)
        text_add(&link->out, data, len);
}

void link_flush(struct link *link)
{
    if (link->fd < 0 || !link->open)
        return;
    while (link->out_sent < link->out.len) {
        ssize_t n = send(link->fd, link->out.data + link->out_sent, link->out.len - link->out_sent,
                         MSG_NOSIGNAL);
        if (n < 0) {
            /* Other errors show up as a read error or end of file on the next turn. */
            want_write(link, errno == EAGAIN);
            return;
        }
        link->out_sent += (size_t)n;
    }
    link->out.len = link->out_sent = 0;
    want_write(link, false);
}

/* Hands the bytes over; what is not used is kept for the next turn. */
static void deliver(struct link *link, char *data, size_t len)
{
    size_t used = link->ops->on_data(link, data, len);
    if (link->fd < 0)
        return;
    size_t left = len - used;
    if (left) {
        link->in.len = 0;
        text_add(&link->in, data + used, left);
    } else {
        text_free(&link->in);
    }
    if (link->out.len)
        link_flush(link);
}

static void read_ready(struct link *link)
{
    struct hub *hub = link->hub;
    size_t kept = link->in.len;
    if (kept + LINK_READ_BYTES > hub->read_cap) {
        hub->read_cap = 2 * (kept + LINK_READ_BYTES);
        hub->read_buffer = realloc(hub->read_buffer, hub->read_cap);
        if (!hub->read_buffer)
            die("out of memory");
    }
    if (kept)
        memcpy(hub->read_buffer, link->in.data, kept);
    ssize_t n = recv(link->fd, hub->read_buffer + kept, LINK_READ_BYTES, 0);
    if (n > 0)
        deliver(link, hub->read_buffer, kept + (size_t)n);
    else if (n == 0 || (errno != EAGAIN && errno != EINTR))
        lost(link);
}

static void opened(struct link *link)
{
    int error = 0;
    socklen_t len = sizeof error;
    getsockopt(link->fd, SOL_SOCKET, SO_ERROR, &error, &len);
    if (error)
        die("cannot connect: %s", strerror(error));
    link->open = true;
    link->ops->on_open(link);
}

unsigned hub_turn(struct hub *hub, int timeout_ms)
{
    struct epoll_event events[512];
    int count = epoll_wait(hub->epoll_fd, events, 512, timeout_ms);
    for (int i = 0; i < count; i++) {
        struct link *link = events[i].data.ptr;
        if (link->fd < 0)
            continue; /* closed by an earlier event of this turn */
        if (events[i].events & EPOLLOUT && !link->open)
            opened(link);
        if (link->fd >= 0 && events[i].events & EPOLLOUT)
            link_flush(link);
        if (link->fd >= 0 && events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR))
            read_ready(link);
    }
    return count > 0 ? (unsigned)count : 0;
}

void hub_run(struct hub *hub, double seconds)
{
    uint64_t end = now_ns() + (uint64_t)(seconds * 1e9);
    while (now_ns() < end)
        hub_turn(hub, 50);
}
