/* See http.h. */
#include "http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static size_t content_length(const char *head, size_t len)
{
    static const char name[] = "\r\ncontent-length:";
    for (const char *at = head; (at = memchr(at, '\r', len - (size_t)(at - head))) != NULL; at++) {
        if ((size_t)(head + len - at) < sizeof name)
            break;
        if (strncasecmp(at, name, sizeof name - 1) == 0)
            return strtoul(at + sizeof name - 1, NULL, 10);
    }
    return SIZE_MAX;
}

size_t http_take(char *data, size_t len, struct http_answer *ret_answer)
{
    char *blank = memmem(data, len, "\r\n\r\n", 4);
    if (!blank)
        return 0;
    size_t head = (size_t)(blank - data) + 4;
    if (head < 16 || memcmp(data, "HTTP/1.1 ", 9) != 0)
        die("the server does not answer in HTTP/1.1");
    unsigned status = (unsigned)strtoul(data + 9, NULL, 10);
    size_t body = status == 204 || status == 304 ? 0 : content_length(data, head);
    if (body == SIZE_MAX)
        die("an answer %u without Content-Length", status);
    if (len - head < body)
        return 0;
    ret_answer->status = status;
    ret_answer->body = (struct piece){data + head, body};
    return head + body;
}

void http_request(struct text *out, const char *method, const char *path, const char *token,
                  const char *body)
{
    text_printf(out, "%s %s HTTP/1.1\r\nHost: bench\r\n", method, path);
    if (token)
        text_printf(out, "Authorization: Bearer %s\r\n", token);
    if (body)
        text_printf(out, "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
                    strlen(body), body);
    else if (strcmp(method, "GET") == 0)
        text_add(out, "\r\n", 2);
    else
        text_printf(out, "Content-Length: 0\r\n\r\n");
}

struct batch_run {
    const struct http_batch *batch;
    size_t next, finished;
    struct text request;
};

struct batch_link {
    struct link link; /* first: the callbacks get back from it */
    struct batch_run *run;
    size_t current;
};

static void batch_next(struct batch_link *b)
{
    struct batch_run *run = b->run;
    if (run->next == run->batch->count) {
        link_close(&b->link);
        return;
    }
    b->current = run->next++;
    run->request.len = 0;
    run->batch->make(run->batch->arg, b->current, &run->request);
    link_write(&b->link, run->request.data, run->request.len);
}

static void batch_open(struct link *link)
{
    batch_next((struct batch_link *)link);
}

static size_t batch_data(struct link *link, char *data, size_t len)
{
    struct batch_link *b = (struct batch_link *)link;
    struct http_answer answer;
    size_t used = http_take(data, len, &answer);
    if (used) {
        b->run->batch->done(b->run->batch->arg, b->current, &answer);
        b->run->finished++;
        batch_next(b);
    }
    return used;
}

static void batch_close(struct link *link)
{
    struct batch_link *b = (struct batch_link *)link;
    die("the server closed the connection during request %zu of a batch", b->current);
}

void http_batch_run(const struct http_batch *batch, const char *server)
{
    static const struct link_ops ops = {batch_open, batch_data, batch_close};
    struct batch_run run = {.batch = batch};
    struct hub hub;
    size_t count = batch->connections < batch->count ? batch->connections : batch->count;
    struct batch_link *links = calloc(count + 1, sizeof *links);
    if (!links)
        die("out of memory");
    hub_init(&hub, server);
    for (size_t i = 0; i < count; i++) {
        link_connect(&links[i].link, &hub, &ops);
        links[i].run = &run;
    }
    while (run.finished < batch->count) {
        if (hub_turn(&hub, 60000) == 0)
            die("the server did not answer a request within 60 s");
    }
    for (size_t i = 0; i < count; i++)
        link_close(&links[i].link);
    text_free(&run.request);
    free(links);
    hub_done(&hub);
}

struct call {
    const char *method, *path, *token, *body;
    unsigned status;
    char *answer;
};

static void call_make(void *arg, size_t i, struct text *out)
{
    struct call *call = arg;
    (void)i;
    http_request(out, call->method, call->path, call->token, call->body);
}

static void call_done(void *arg, size_t i, const struct http_answer *answer)
{
    struct call *call = arg;
    (void)i;
    call->status = answer->status;
    call->answer = piece_copy(answer->body);
}

unsigned http_call(const char *server, const char *method, const char *path, const char *token,
                   const char *body, char **ret_body)
{
    struct call call = {method, path, token, body, 0, NULL};
    http_batch_run(&(struct http_batch){1, 1, call_make, call_done, &call}, server);
    *ret_body = call.answer;
    return call.status;
}
