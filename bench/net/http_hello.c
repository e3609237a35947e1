/* The HTTP server with nothing behind it: GET on any path gives 12 bytes of text, a POST its body
 * back. Measured against `return 200` of nginx by bench/http_hello.sh.
 *
 *     http_hello ADDRESS:PORT
 */
#include <stdio.h>

#include "net/http_server.h"

static int64_t admit(struct http_exchange *x)
{
    return x->head.method == HTTP_POST ? 1 << 20 : 0;
}

static void serve(struct http_exchange *x)
{
    struct slice body = x->body.len != 0 ? x->body : SLICE("hello world\n");
    http_reply(x, 200, SLICE("Content-Type: text/plain\r\n"), body);
}

static void refuse(struct http_exchange *x)
{
    http_reply(x, error_http_status(x->error.kind), SLICE("Content-Type: text/plain\r\n"),
               slice_str(x->error.detail));
}

static void done(struct http_exchange *x)
{
}

static const struct http_server_ops ops = {
    .admit = admit,
    .serve = serve,
    .refuse = refuse,
    .done = done,
};

static void accepted(void *arg, int fd)
{
    http_server_accept(arg, fd);
}

int main(int argc, char **argv)
{
    struct loop *loop;
    struct http_server *server;
    struct listener *listener;
    struct error err;
    error_init(&err);
    if (argc != 2) {
        fprintf(stderr, "usage: http_hello ADDRESS:PORT\n");
        return 2;
    }
    if (loop_new(&(struct loop_config){0}, &loop, &err) != 0 ||
        http_server_new(loop, &(struct http_server_config){.ops = &ops}, &server, &err) != 0 ||
        listener_open(loop, argv[1], accepted, server, &listener, &err) != 0) {
        fprintf(stderr, "http_hello: %s\n", err.detail);
        return 1;
    }
    loop_run(loop);
    return 0;
}
