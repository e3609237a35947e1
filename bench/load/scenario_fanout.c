/* One sender, many receivers in one chat: each round sends `burst` messages in one write, waits
 * until every receiver has all of them, and goes on. CPU is given per delivery: frames that arrived
 * at any socket. Against a raw peer a round is `burst` small frames, each of which makes the peer
 * send one frame to everybody. The receivers are the chat's members; the sender's own second device
 * is one of them. */
#include "scenario.h"
#include "world.h"
#include "ws.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct run {
    const struct options *options;
    struct hist delivery;
    char *chat;
    uint64_t run_id, sent, round_started_ns, deliveries;
    uint64_t awaited; /* deliveries of this round still to come at the receivers */
    unsigned ready, acknowledged, doubled;
    size_t frame_bytes;
};

struct client {
    struct ws ws; /* first; index 0 is the sender */
    struct run *run;
    uint64_t received;
};

static void on_open(struct ws *ws)
{
    struct client *c = (struct client *)ws;
    if (c->run->options->raw)
        c->run->ready++;
}

static void took_event(struct client *c, size_t len)
{
    struct run *run = c->run;
    run->deliveries++;
    run->frame_bytes = len;
    if (c->ws.index == 0)
        return;
    if (++c->received > run->sent)
        run->doubled++;
    else
        run->awaited--;
    hist_add(&run->delivery, now_ns() - run->round_started_ns);
}

static void on_message(struct ws *ws, struct piece message)
{
    struct client *c = (struct client *)ws;
    struct run *run = c->run;
    if (run->options->raw) {
        took_event(c, message.len);
        return;
    }
    struct piece event = json_member(message, "event");
    if (piece_is(event, "message.sent")) {
        took_event(c, message.len);
    } else if (piece_is(event, "ready")) {
        run->ready++;
    } else if (!event.data) {
        if (!json_member_on(message, "data").data)
            die("a message was refused: %.*s", (int)message.len, message.data);
        run->acknowledged++;
    }
}

static void on_close(struct ws *ws, unsigned code)
{
    die("the server closed socket %u with %u", ws->index, code);
}

static void add_message(struct run *run, struct text *frame)
{
    frame->len = 0;
    run->sent++;
    if (run->options->raw) {
        text_add(frame, "x", 1);
        return;
    }
    text_printf(frame,
                "{\"id\":%llu,\"op\":\"chat.send\",\"data\":{\"chat_id\":\"%s\",\"client_id\":"
                "\"%llx-%llu\",\"text\":\"",
                (unsigned long long)run->sent, run->chat, (unsigned long long)run->run_id,
                (unsigned long long)run->sent);
    text_reserve(frame, run->options->bytes);
    memset(frame->data + frame->len, 'm', run->options->bytes);
    frame->len += run->options->bytes;
    text_add(frame, "\"}}", 3);
}

static void round_of(struct run *run, struct hub *hub, struct client *sender)
{
    struct text frame = {0};
    unsigned burst = run->options->burst;
    run->awaited = (uint64_t)burst * run->options->members;
    run->acknowledged = 0;
    run->round_started_ns = now_ns();
    for (unsigned i = 0; i < burst; i++) {
        add_message(run, &frame);
        ws_send(&sender->ws, frame.data, frame.len);
    }
    ws_flush(&sender->ws);
    text_free(&frame);
    uint64_t end = now_ns() + 10000000000U;
    while (run->awaited || (!run->options->raw && run->acknowledged < burst)) {
        hub_turn(hub, 1000);
        if (now_ns() > end)
            die("%llu deliveries of a round are missing after 10 s",
                (unsigned long long)run->awaited);
    }
}

static void connect_all(struct run *run, struct hub *hub, struct client *clients,
                        const struct world *world)
{
    static const struct ws_ops ops = {on_open, on_message, on_close};
    const struct options *o = run->options;
    unsigned count = o->members + 1;
    uint64_t end = now_ns() + 60000000000U;
    for (unsigned i = 0; i < count; i++) {
        clients[i].run = run;
        clients[i].ws.index = i;
        ws_connect(&clients[i].ws, hub, &ops, o->path ? o->path : "/ws",
                   o->raw ? NULL : world->accounts[i % o->members].token);
        while (run->ready + 256 < i && now_ns() < end)
            hub_turn(hub, 100);
    }
    while (run->ready < count) {
        hub_turn(hub, 100);
        if (now_ns() > end)
            die("only %u of %u sockets were ready in 60 s", run->ready, count);
    }
}

int scenario_fanout(const struct options *o)
{
    static struct run run; /* holds a histogram: too large for a stack */
    struct world world = {0};
    struct hub hub;
    struct measure m;
    struct text line = {0};
    run.options = o;
    run.run_id = now_ns();
    if (!o->raw) {
        world_init(&world, o->server, o->members);
        run.chat = world_channel(&world, o->members > 1000 ? "channel" : "group", o->members - 1);
    }
    struct client *clients = calloc(o->members + 1, sizeof *clients);
    if (!clients)
        die("out of memory");
    hub_init(&hub, o->server);
    connect_all(&run, &hub, clients, &world);
    for (uint64_t end = now_ns() + (uint64_t)(o->warm_up * 1e9); now_ns() < end;)
        round_of(&run, &hub, &clients[0]);
    run.deliveries = 0;
    run.delivery = (struct hist){0};
    uint64_t before = run.sent;
    measure_start(&m, o);
    for (uint64_t end = now_ns() + (uint64_t)(o->seconds * 1e9); now_ns() < end;)
        round_of(&run, &hub, &clients[0]);
    measure_stop(&m, o, run.deliveries, &line);
    text_printf(&line,
                ",\"members\":%u,\"burst\":%u,\"messages\":%llu,\"doubled\":%u,\"frame_bytes\":%zu",
                o->members, o->burst, (unsigned long long)(run.sent - before), run.doubled,
                run.frame_bytes);
    report_hist(&line, "delivery", &run.delivery);
    report_end(&line);
    return run.doubled ? 1 : 0;
}
