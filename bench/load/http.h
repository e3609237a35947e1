/* A small HTTP/1.1 client on links: keep-alive, pipelining, answers with Content-Length. */
#ifndef BENCH_LOAD_HTTP_H
#define BENCH_LOAD_HTTP_H

#include "link.h"

struct http_answer {
    unsigned status;
    struct piece body;
};

/* Looks for one whole answer. Returns the bytes it takes, 0 when more are needed; ends the program
 * on an answer without a length. */
size_t http_take(char *data, size_t len, struct http_answer *ret_answer);
/* Adds a request; token and body may be NULL. */
void http_request(struct text *out, const char *method, const char *path, const char *token,
                  const char *body);

/* Many requests over a few connections, as fast as the server answers, for preparing a world.
 * `make` writes request i, `done` gets its answer; both get arg. Requests go out in order, answers
 * of different connections may overtake each other. */
struct http_batch {
    size_t count;
    unsigned connections;
    void (*make)(void *arg, size_t i, struct text *out);
    void (*done)(void *arg, size_t i, const struct http_answer *answer);
    void *arg;
};
void http_batch_run(const struct http_batch *batch, const char *server);
/* One request; the body is copied and owned by the caller. */
unsigned http_call(const char *server, const char *method, const char *path, const char *token,
                   const char *body, char **ret_body);

#endif
