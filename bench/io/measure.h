/* What the io layer costs, beside minimal programs that do only the system calls: both in the same
 * run, in turns, so that the machine's mood falls on both. Prints one JSON object a line.
 */
#ifndef PARLEY_BENCH_IO_MEASURE_H
#define PARLEY_BENCH_IO_MEASURE_H

#include <stdint.h>
#include <sys/types.h>

#define MESSAGE_BYTES 64

/* A server in a process of its own. */
struct server {
    pid_t pid;
    uint16_t port;
};
/* Every message comes back on its connection, but one that starts with 'B' goes to all
 * connections, `burst` times. */
struct server raw_server_start(unsigned burst);
struct server io_server_start(unsigned burst);
void server_end(const struct server *server);
int64_t server_cpu_ns(const struct server *server);

/* Binds to 127.0.0.1, listens, returns the descriptor; for servers before they fork. */
int listen_anywhere(uint16_t *ret_port);
int64_t now_ns(void);

void measure_coroutines(void);
void measure_mail(void);
void measure_echo(void);
void measure_idle(unsigned sockets);
void measure_fanout(unsigned sockets, unsigned burst);

#endif
