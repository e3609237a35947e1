/* Question and answer on WebSockets, a fixed number in flight on each. Against Parley the question
 * is {"id":n,"op":"ping"} on a signed-in socket; against a raw peer, or the conformance listener,
 * the same text comes back. Each answer is compared with what it must be. */
#include "scenario.h"
#include "world.h"
#include "ws.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct run {
    const struct options *options;
    struct hist latency;
    uint64_t finished;
    unsigned ready, wrong;
};

struct client {
    struct ws ws; /* first */
    struct run *run;
    uint64_t *started;
    uint64_t sent, answered;
};

static size_t question(char *text, size_t cap, uint64_t id)
{
    return (size_t)snprintf(text, cap, "{\"id\":%llu,\"op\":\"ping\"}", (unsigned long long)id);
}

static void send_one(struct client *c)
{
    char text[64];
    c->started[c->sent % c->run->options->in_flight] = now_ns();
    ws_send(&c->ws, text, question(text, sizeof text, ++c->sent));
}

static void start(struct client *c)
{
    c->run->ready++;
    for (unsigned i = 0; i < c->run->options->in_flight; i++)
        send_one(c);
}

static void on_open(struct ws *ws)
{
    struct client *c = (struct client *)ws;
    if (c->run->options->raw)
        start(c);
}

static bool is_answer(const struct client *c, struct piece message)
{
    char want[64];
    size_t len = question(want, sizeof want, c->answered + 1);
    if (c->run->options->raw)
        return message.len == len && memcmp(message.data, want, len) == 0;
    uint64_t id;
    return piece_number(json_member(message, "id"), &id) && id == c->answered + 1 &&
           json_member_on(message, "data").data;
}

static void on_message(struct ws *ws, struct piece message)
{
    struct client *c = (struct client *)ws;
    struct run *run = c->run;
    if (!run->options->raw && c->sent == 0) {
        if (!piece_is(json_member(message, "event"), "ready"))
            die("the first frame is not ready: %.*s", (int)message.len, message.data);
        start(c);
        return;
    }
    if (!is_answer(c, message) && run->wrong++ == 0)
        fprintf(stderr, "parley-bench: wrong answer: %.*s\n", (int)message.len, message.data);
    hist_add(&run->latency, now_ns() - c->started[c->answered++ % run->options->in_flight]);
    run->finished++;
    send_one(c);
}

static void on_close(struct ws *ws, unsigned code)
{
    (void)ws;
    die("the server closed a socket with %u", code);
}

int scenario_ws_echo(const struct options *o)
{
    static const struct ws_ops ops = {on_open, on_message, on_close};
    static struct run run; /* holds a histogram: too large for a stack */
    struct world world = {0};
    struct hub hub;
    struct measure m;
    struct text line = {0};
    run.options = o;
    if (!o->raw)
        world_init(&world, o->server, o->connections);
    struct client *clients = calloc(o->connections, sizeof *clients);
    if (!clients)
        die("out of memory");
    hub_init(&hub, o->server);
    for (unsigned i = 0; i < o->connections; i++) {
        clients[i].run = &run;
        clients[i].started = calloc(o->in_flight, sizeof(uint64_t));
        ws_connect(&clients[i].ws, &hub, &ops, o->path ? o->path : "/ws",
                   o->raw ? NULL : world.accounts[i].token);
    }
    hub_run(&hub, o->warm_up);
    if (run.ready < o->connections)
        die("only %u of %u sockets were ready in time", run.ready, o->connections);
    run.latency = (struct hist){0};
    run.finished = 0;
    measure_start(&m, o);
    hub_run(&hub, o->seconds);
    measure_stop(&m, o, run.finished, &line);
    text_printf(&line, ",\"connections\":%u,\"in_flight\":%u,\"wrong\":%u", o->connections,
                o->in_flight, run.wrong);
    report_hist(&line, "latency", &run.latency);
    report_end(&line);
    return run.wrong ? 1 : 0;
}
