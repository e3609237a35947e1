/* Requests from a file, in random order, over keep-alive connections: one in flight on each, as
 * fast as the answers come or at --rate. Each line of the file is METHOD, path, token and body,
 * separated by tabs; token and body may be left out. Answers of 400 and above end the run. */
#include "http.h"
#include "scenario.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct run {
    const struct options *options;
    struct text *requests;
    size_t request_count;
    struct hist latency;
    uint64_t finished, bytes, state;
    struct client *idle; /* waiting for their turn, with --rate */
};

struct client {
    struct link link; /* first */
    struct run *run;
    struct client *next_idle;
    uint64_t started;
};

static void read_requests(struct run *run)
{
    FILE *file = fopen(run->options->requests, "r");
    char *line = NULL;
    size_t size = 0, cap = 0;
    if (!file)
        die("cannot read %s", run->options->requests);
    for (ssize_t len; (len = getline(&line, &size, file)) > 0;) {
        char *at = line, *part[4] = {NULL};
        line[strcspn(line, "\n")] = '\0';
        for (unsigned i = 0; i < 4 && at != NULL; i++)
            part[i] = strsep(&at, "\t");
        if (!part[1])
            die("%s: a line without a path", run->options->requests);
        if (run->request_count == cap) {
            cap = cap ? cap * 2 : 1024;
            run->requests = realloc(run->requests, cap * sizeof *run->requests);
            if (!run->requests)
                die("out of memory");
        }
        struct text *request = &run->requests[run->request_count++];
        *request = (struct text){0};
        http_request(request, part[0], part[1], part[2] && *part[2] ? part[2] : NULL, part[3]);
    }
    free(line);
    fclose(file);
    if (run->request_count == 0)
        die("%s is empty", run->options->requests);
}

static const struct text *pick(struct run *run)
{
    run->state = run->state * 6364136223846793005ULL + 1442695040888963407ULL;
    return &run->requests[(run->state >> 33) % run->request_count];
}

static void send_one(struct client *c)
{
    const struct text *request = pick(c->run);
    c->started = now_ns();
    link_write(&c->link, request->data, request->len);
}

static void next(struct client *c)
{
    if (c->run->options->rate == 0) {
        send_one(c);
        return;
    }
    c->next_idle = c->run->idle;
    c->run->idle = c;
}

static void on_open(struct link *link)
{
    next((struct client *)link);
}

static size_t on_data(struct link *link, char *data, size_t len)
{
    struct client *c = (struct client *)link;
    struct http_answer answer;
    size_t taken = http_take(data, len, &answer);
    if (taken == 0)
        return 0;
    if (answer.status >= 400)
        die("%u %.*s", answer.status, (int)answer.body.len, answer.body.data);
    hist_add(&c->run->latency, now_ns() - c->started);
    c->run->finished++;
    c->run->bytes += answer.body.len;
    next(c);
    return taken;
}

static void on_close(struct link *link)
{
    (void)link;
    die("the server closed a keep-alive connection");
}

/* At --rate: what is due goes out on connections that wait; when none does it goes out late, and
 * the rate in the result says so. */
static void run_paced(struct run *run, struct hub *hub, double seconds)
{
    uint64_t began = now_ns(), end = began + (uint64_t)(seconds * 1e9), due = 0;
    while (now_ns() < end) {
        uint64_t wanted = (uint64_t)((double)(now_ns() - began) / 1e9 * run->options->rate);
        for (; due < wanted && run->idle; due++) {
            struct client *c = run->idle;
            run->idle = c->next_idle;
            send_one(c);
            link_flush(&c->link);
        }
        hub_turn(hub, 1);
    }
}

static void run_for(struct run *run, struct hub *hub, double seconds)
{
    if (run->options->rate == 0)
        hub_run(hub, seconds);
    else
        run_paced(run, hub, seconds);
}

int scenario_mix(const struct options *o)
{
    static const struct link_ops ops = {on_open, on_data, on_close};
    static struct run run; /* holds a histogram: too large for a stack */
    struct hub hub;
    struct measure m;
    struct text line = {0};
    if (!o->requests)
        die("--requests is missing");
    run.options = o;
    run.state = 20261121;
    read_requests(&run);
    struct client *clients = calloc(o->connections, sizeof *clients);
    if (!clients)
        die("out of memory");
    hub_init(&hub, o->server);
    for (unsigned i = 0; i < o->connections; i++) {
        clients[i].run = &run;
        link_connect(&clients[i].link, &hub, &ops);
    }
    run_for(&run, &hub, o->warm_up);
    run.latency = (struct hist){0};
    run.finished = run.bytes = 0;
    measure_start(&m, o);
    run_for(&run, &hub, o->seconds);
    measure_stop(&m, o, run.finished, &line);
    text_printf(&line, ",\"connections\":%u,\"requests\":%zu,\"body_bytes\":%.0f", o->connections,
                run.request_count, run.finished ? (double)run.bytes / (double)run.finished : 0.0);
    report_hist(&line, "latency", &run.latency);
    report_end(&line);
    return 0;
}
