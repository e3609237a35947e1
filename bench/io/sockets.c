/* Echo and fan-out, seen from the client's side; the servers' CPU time is read from outside. */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/base.h"
#include "measure.h"

#define SOCKETS_MAX 10000
#define ROUNDS 7 /* of each server, in turns; the median counts */

int listen_anywhere(uint16_t *ret_port)
{
    struct sockaddr_in at = {.sin_family = AF_INET};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t len = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    panic_if(bind(fd, (struct sockaddr *)&at, len) != 0 || listen(fd, 4096) != 0 ||
                 getsockname(fd, (struct sockaddr *)&at, &len) != 0,
             "cannot listen");
    *ret_port = ntohs(at.sin_port);
    return fd;
}

int64_t now_ns(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

int64_t server_cpu_ns(const struct server *server)
{
    clockid_t clock;
    struct timespec ts;
    panic_if(clock_getcpuclockid(server->pid, &clock) != 0 || clock_gettime(clock, &ts) != 0,
             "no CPU clock of the server");
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

void server_end(const struct server *server)
{
    kill(server->pid, SIGKILL);
    waitpid(server->pid, NULL, 0);
}

struct client {
    int epoll_fd;
    unsigned count;
    int fds[SOCKETS_MAX];
};

static void say(int fd, char first)
{
    char message[MESSAGE_BYTES];
    memset(message, first, sizeof message);
    panic_if(write(fd, message, sizeof message) != (ssize_t)sizeof message, "write failed");
}

/* Few connections for each source address: the search for a free port gets slow otherwise. */
static void dial_all(struct client *client, uint16_t port, unsigned count)
{
    client->epoll_fd = epoll_create1(0);
    client->count = count;
    for (unsigned i = 0; i < count; i++) {
        struct sockaddr_in from = {.sin_family = AF_INET}, to = from;
        from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + i / 2000);
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        to.sin_port = htons(port);
        int on = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
        setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
        panic_if(fd < 0 || bind(fd, (struct sockaddr *)&from, sizeof from) != 0 ||
                     connect(fd, (struct sockaddr *)&to, sizeof to) != 0,
                 "connection %u failed", i);
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
        epoll_ctl(client->epoll_fd, EPOLL_CTL_ADD, fd, &event);
        client->fds[i] = fd;
    }
    /* Each is accepted once it has echoed. */
    char message[MESSAGE_BYTES];
    for (unsigned i = 0; i < count; i++)
        say(client->fds[i], 'e');
    for (unsigned i = 0; i < count; i++)
        panic_if(recv(client->fds[i], message, sizeof message, MSG_WAITALL) != MESSAGE_BYTES,
                 "connection %u does not echo", i);
}

static void hang_up_all(struct client *client)
{
    for (unsigned i = 0; i < client->count; i++)
        close(client->fds[i]);
    close(client->epoll_fd);
}

/* One message in flight on each connection; server's CPU per message. */
static double echo_ns(const struct server *server, unsigned connections)
{
    static struct client client;
    dial_all(&client, server->port, connections);
    int64_t until = now_ns() + 600000000, cpu = server_cpu_ns(server), messages = 0;
    for (unsigned i = 0; i < connections; i++)
        say(client.fds[i], 'e');
    while (now_ns() < until) {
        struct epoll_event events[64];
        int n = epoll_wait(client.epoll_fd, events, 64, 1000);
        for (int i = 0; i < n; i++) {
            char buffer[MESSAGE_BYTES];
            if (read(events[i].data.fd, buffer, sizeof buffer) <= 0)
                continue;
            messages++;
            say(events[i].data.fd, 'e');
        }
    }
    cpu = server_cpu_ns(server) - cpu;
    hang_up_all(&client);
    return (double)cpu / (double)messages;
}

static double fanout_ns(const struct server *server, unsigned sockets, unsigned burst)
{
    static struct client client;
    dial_all(&client, server->port, sockets);
    int64_t cpu = 0, deliveries = 0;
    unsigned rounds = 40000 / sockets;
    for (unsigned round = 0; round <= rounds; round++) {
        int64_t before = server_cpu_ns(server);
        size_t missing = (size_t)sockets * burst * MESSAGE_BYTES;
        say(client.fds[0], 'B');
        while (missing > 0) {
            struct epoll_event events[256];
            int n = epoll_wait(client.epoll_fd, events, 256, 60000);
            panic_if(n <= 0, "%zu bytes did not come", missing);
            for (int i = 0; i < n; i++) {
                char buffer[65536];
                ssize_t got = read(events[i].data.fd, buffer, sizeof buffer);
                missing -= got > 0 ? (size_t)got : 0;
            }
        }
        if (round == 0)
            continue; /* the first touches everything for the first time */
        cpu += server_cpu_ns(server) - before;
        deliveries += (int64_t)sockets * burst;
    }
    hang_up_all(&client);
    return (double)cpu / (double)deliveries;
}

static int64_t resident_bytes(const struct server *server)
{
    char path[64];
    long long pages = 0;
    snprintf(path, sizeof path, "/proc/%d/statm", (int)server->pid);
    FILE *file = fopen(path, "r");
    panic_if(file == NULL || fscanf(file, "%*d %lld", &pages) != 1, "no statm of the server");
    fclose(file);
    return (int64_t)pages * sysconf(_SC_PAGESIZE);
}

static void print_idle(const char *name, const struct server *server, unsigned sockets)
{
    static struct client client;
    int64_t before = resident_bytes(server);
    dial_all(&client, server->port, sockets);
    int64_t after = resident_bytes(server);
    hang_up_all(&client);
    printf("{\"name\": \"%s\", \"empty_kib\": %lld, \"bytes_per_socket\": %.0f}\n", name,
           (long long)before / 1024, (double)(after - before) / sockets);
}

void measure_idle(unsigned sockets)
{
    struct server raw_server = raw_server_start(1), io_server = io_server_start(1);
    print_idle("idle_raw", &raw_server, sockets);
    print_idle("idle_io", &io_server, sockets);
    server_end(&raw_server);
    server_end(&io_server);
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static void print_pair(const char *name, double *raw, double *io)
{
    qsort(raw, ROUNDS, sizeof *raw, compare);
    qsort(io, ROUNDS, sizeof *io, compare);
    printf("{\"name\": \"%s\", \"raw_ns\": %.0f, \"io_ns\": %.0f, \"ratio\": %.3f}\n", name,
           raw[ROUNDS / 2], io[ROUNDS / 2], io[ROUNDS / 2] / raw[ROUNDS / 2]);
}

void measure_echo(void)
{
    double raw[ROUNDS], io[ROUNDS];
    struct server raw_server = raw_server_start(1), io_server = io_server_start(1);
    for (int i = 0; i < ROUNDS; i++) {
        raw[i] = echo_ns(&raw_server, 64);
        io[i] = echo_ns(&io_server, 64);
    }
    server_end(&raw_server);
    server_end(&io_server);
    print_pair("echo_64_connections", raw, io);
}

void measure_fanout(unsigned sockets, unsigned burst)
{
    double raw[ROUNDS], io[ROUNDS];
    char name[64];
    for (int i = 0; i < ROUNDS; i++) {
        struct server server = raw_server_start(burst);
        raw[i] = fanout_ns(&server, sockets, burst);
        server_end(&server);
        server = io_server_start(burst);
        io[i] = fanout_ns(&server, sockets, burst);
        server_end(&server);
    }
    snprintf(name, sizeof name, "fanout_%u_sockets_%u_frames", sockets, burst);
    print_pair(name, raw, io);
}
