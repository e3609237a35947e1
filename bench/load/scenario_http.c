/* GET over keep-alive connections, a fixed number of requests in flight on each. Answers other than
 * 200 end the run. */
#include "http.h"
#include "scenario.h"
#include "world.h"

#include <stdlib.h>
#include <string.h>

struct run {
    const struct options *options;
    struct text request;
    struct hist latency;
    uint64_t finished;
    size_t body_bytes;
};

struct client {
    struct link link; /* first */
    struct run *run;
    uint64_t *started; /* ring: request i at i % in_flight */
    uint64_t sent, answered;
};

static void send_one(struct client *c)
{
    c->started[c->sent++ % c->run->options->in_flight] = now_ns();
    link_write(&c->link, c->run->request.data, c->run->request.len);
}

static void on_open(struct link *link)
{
    struct client *c = (struct client *)link;
    for (unsigned i = 0; i < c->run->options->in_flight; i++)
        send_one(c);
}

static size_t on_data(struct link *link, char *data, size_t len)
{
    struct client *c = (struct client *)link;
    struct run *run = c->run;
    size_t used = 0, taken;
    struct http_answer answer;
    while ((taken = http_take(data + used, len - used, &answer)) > 0) {
        if (answer.status != 200)
            die("GET %s: %u %.*s", run->options->path, answer.status, (int)answer.body.len,
                answer.body.data);
        used += taken;
        hist_add(&run->latency, now_ns() - c->started[c->answered++ % run->options->in_flight]);
        run->finished++;
        run->body_bytes = answer.body.len;
        send_one(c);
    }
    return used;
}

static void on_close(struct link *link)
{
    (void)link;
    die("the server closed a keep-alive connection");
}

int scenario_http(const struct options *o)
{
    static const struct link_ops ops = {on_open, on_data, on_close};
    static struct run run; /* holds a histogram: too large for a stack */
    struct world world = {0};
    struct hub hub;
    struct measure m;
    struct text line = {0};
    const char *token = o->token;
    if (!o->path)
        die("--path is missing");
    if (token && strcmp(token, "me") == 0) {
        world_init(&world, o->server, 1);
        token = world.accounts[0].token;
    }
    run.options = o;
    http_request(&run.request, "GET", o->path, token, NULL);
    struct client *clients = calloc(o->connections, sizeof *clients);
    if (!clients)
        die("out of memory");
    hub_init(&hub, o->server);
    for (unsigned i = 0; i < o->connections; i++) {
        clients[i].run = &run;
        clients[i].started = calloc(o->in_flight, sizeof(uint64_t));
        link_connect(&clients[i].link, &hub, &ops);
    }
    hub_run(&hub, o->warm_up);
    run.latency = (struct hist){0};
    run.finished = 0;
    measure_start(&m, o);
    hub_run(&hub, o->seconds);
    measure_stop(&m, o, run.finished, &line);
    text_printf(&line, ",\"connections\":%u,\"in_flight\":%u,\"body_bytes\":%zu", o->connections,
                o->in_flight, run.body_bytes);
    report_hist(&line, "latency", &run.latency);
    report_end(&line);
    return 0;
}
