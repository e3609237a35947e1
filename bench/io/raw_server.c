/* The peer: epoll, recv, send, and nothing else. */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "measure.h"

#define FDS_MAX 20000

static int fds[FDS_MAX];
static unsigned fd_count;

static void accept_all(int listen_fd, int epoll_fd)
{
    int fd, on = 1;
    while ((fd = accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.fd = fd};
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event);
        if (fd_count < FDS_MAX)
            fds[fd_count++] = fd;
    }
}

static void answer(int fd, unsigned burst)
{
    static char buffer[65536], joined[MESSAGE_BYTES * 64];
    ssize_t n = recv(fd, buffer, sizeof buffer, MSG_DONTWAIT);
    if (n <= 0)
        return;
    if (buffer[0] != 'B') {
        (void)send(fd, buffer, (size_t)n, MSG_NOSIGNAL | MSG_DONTWAIT);
        return;
    }
    for (unsigned i = 0; i < burst; i++)
        memcpy(joined + i * MESSAGE_BYTES, buffer, MESSAGE_BYTES);
    for (unsigned i = 0; i < fd_count; i++)
        (void)send(fds[i], joined, (size_t)burst * MESSAGE_BYTES, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void serve(int listen_fd, unsigned burst)
{
    int epoll_fd = epoll_create1(0);
    struct epoll_event events[512], event = {.events = EPOLLIN, .data.fd = listen_fd};
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listen_fd, &event);
    for (;;) {
        int n = epoll_wait(epoll_fd, events, 512, -1);
        for (int i = 0; i < n; i++) {
            if (events[i].data.fd == listen_fd)
                accept_all(listen_fd, epoll_fd);
            else
                answer(events[i].data.fd, burst);
        }
    }
}

struct server raw_server_start(unsigned burst)
{
    struct server server;
    int fd = listen_anywhere(&server.port);
    server.pid = fork();
    if (server.pid == 0)
        serve(fd, burst);
    close(fd);
    return server;
}
