/* The same server on the io layer, as its users write it: callbacks, frames, conn_send. */
#include <stdlib.h>
#include <unistd.h>

#include "io/conn.h"
#include "io/loop.h"
#include "measure.h"

#define CONNS_MAX 20000

static struct conn *conns[CONNS_MAX];
static unsigned conn_count, burst_frames;

static void on_data(struct conn *conn, const char *bytes, size_t len)
{
    if (bytes[0] != 'B') {
        conn_send_bytes(conn, slice_of(bytes, len));
        return;
    }
    struct frame *frame = frame_copy(slice_of(bytes, MESSAGE_BYTES));
    for (unsigned i = 0; i < conn_count; i++)
        for (unsigned j = 0; j < burst_frames; j++)
            conn_send(conns[i], frame);
    frame_unref(frame);
}

static void on_closed(struct conn *conn, int reason)
{
    (void)reason;
    for (unsigned i = 0; i < conn_count; i++)
        if (conns[i] == conn)
            conns[i] = conns[--conn_count];
}

static const struct conn_ops ops = {.data = on_data, .closed = on_closed};

static void on_accepted(void *arg, int fd)
{
    struct error err = {0};
    panic_if(conn_count == CONNS_MAX ||
                 conn_new(arg, fd, &ops, NULL, &conns[conn_count], &err) != 0,
             "no connection");
    conn_count++;
}

static void serve(int port_pipe)
{
    struct loop *loop = NULL;
    struct listener *listener = NULL;
    struct error err = {0};
    panic_if(loop_new(&(struct loop_config){0}, &loop, &err) != 0 ||
                 listener_open(loop, "127.0.0.1:0", on_accepted, loop, &listener, &err) != 0,
             "%s", err.detail);
    uint16_t port = listener_port(listener);
    panic_if(write(port_pipe, &port, sizeof port) != (ssize_t)sizeof port, "no pipe");
    loop_run(loop);
}

struct server io_server_start(unsigned burst)
{
    struct server server;
    int fds[2];
    burst_frames = burst;
    panic_if(pipe(fds) != 0, "no pipe");
    server.pid = fork();
    if (server.pid == 0)
        serve(fds[1]);
    panic_if(read(fds[0], &server.port, sizeof server.port) != (ssize_t)sizeof server.port,
             "the server gave no port");
    close(fds[0]);
    close(fds[1]);
    return server;
}
