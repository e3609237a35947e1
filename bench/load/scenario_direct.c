/* Durable direct messages: senders in chats of two, each with a fixed number of unacknowledged
 * messages. The other person's socket is open too, and every live delivery there is checked: it
 * must come once, with a growing seq, in the order in which the sender sent it. At the end the
 * program waits for what is still under way and then counts what is lost.
 *
 * A message's text starts with the sender's counter and the time of sending, so the receiver's
 * side knows the latency without a table. Against a raw peer there are no accounts and no chats.
 */
#include "scenario.h"
#include "world.h"
#include "ws.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct run {
    const struct options *options;
    struct hub hub;
    struct hist acknowledge, deliver;
    uint64_t run_id, sent, acknowledged, delivered;
    unsigned ready, refused, doubled, out_of_order, seq_wrong;
    bool sending;
    struct text frame;
    char *padding;
};

struct client {
    struct ws ws; /* first */
    struct run *run;
    const char *user_id, *chat_id;
    struct client *partner;
    uint64_t *started;                    /* ring: message n at n % in_flight */
    uint64_t sent, acknowledged, expects; /* expects: the partner's next counter */
    uint64_t last_seq;
};

static void add(struct text *frame, const char *words)
{
    text_add(frame, words, strlen(words));
}

static void send_one(struct client *c)
{
    struct run *run = c->run;
    struct text *frame = &run->frame;
    uint64_t now = now_ns(), n = c->sent++;
    c->started[n % run->options->in_flight] = now;
    frame->len = 0;
    add(frame, "{\"id\":");
    text_number(frame, n);
    add(frame, ",\"op\":\"chat.send\",\"data\":{\"chat_id\":\"");
    add(frame, c->chat_id);
    add(frame, "\",\"client_id\":\"");
    text_number(frame, run->run_id);
    add(frame, "-");
    text_number(frame, n);
    add(frame, "\",\"text\":\"");
    text_number(frame, n);
    add(frame, " ");
    text_number(frame, now);
    add(frame, " ");
    add(frame, run->padding);
    add(frame, "\"}}");
    ws_send(&c->ws, frame->data, frame->len);
    run->sent++;
}

static bool may_send(const struct run *run)
{
    return run->sending && (!run->options->messages || run->sent < run->options->messages);
}

static void took_answer(struct client *c, struct piece message)
{
    struct run *run = c->run;
    uint64_t id;
    if (!piece_number(json_member(message, "id"), &id) || id >= c->sent)
        die("an answer to nothing: %.*s", (int)message.len, message.data);
    if (!json_member_on(message, "data").data && run->refused++ == 0)
        fprintf(stderr, "parley-bench: refused: %.*s\n", (int)message.len, message.data);
    hist_add(&run->acknowledge, now_ns() - c->started[id % run->options->in_flight]);
    c->acknowledged++;
    run->acknowledged++;
    if (!run->options->rate && may_send(run))
        send_one(c);
}

static void took_event(struct client *c, struct piece data)
{
    struct run *run = c->run;
    enum { CHAT_ID, SEQ, SENDER_ID, TEXT, KEYS };
    static const struct piece keys[KEYS] = {PIECE("chat_id"), PIECE("seq"), PIECE("sender_id"),
                                            PIECE("text")};
    struct piece values[KEYS];
    uint64_t seq, n, then;
    json_members(data, KEYS, keys, values);
    if (!run->options->raw && piece_is(values[SENDER_ID], c->user_id))
        return; /* one's own message, for one's other devices */
    if (!piece_number(values[SEQ], &seq) || seq <= c->last_seq)
        run->seq_wrong++;
    else
        c->last_seq = seq;
    char *end;
    if (!values[TEXT].data || (!run->options->raw && !piece_is(values[CHAT_ID], c->chat_id)))
        die("an event of another chat: %.*s", (int)data.len, data.data);
    n = strtoull(values[TEXT].data, &end, 10);
    then = strtoull(end, NULL, 10);
    if (n < c->expects) {
        run->doubled++;
        return;
    }
    if (n > c->expects)
        run->out_of_order++;
    c->expects = n + 1;
    run->delivered++;
    hist_add(&run->deliver, now_ns() - then);
}

static void on_open(struct ws *ws)
{
    struct client *c = (struct client *)ws;
    if (c->run->options->raw)
        c->run->ready++;
}

static void on_message(struct ws *ws, struct piece message)
{
    struct client *c = (struct client *)ws;
    struct piece event = json_member(message, "event");
    if (!event.data)
        took_answer(c, message);
    else if (piece_is(event, "message.sent"))
        took_event(c, json_member_on(message, "data"));
    else if (piece_is(event, "ready"))
        c->run->ready++;
}

static void on_close(struct ws *ws, unsigned code)
{
    die("the server closed socket %u with %u", ws->index, code);
}

static void connect_all(struct run *run, struct client *clients, const struct world *world,
                        char **chats)
{
    static const struct ws_ops ops = {on_open, on_message, on_close};
    const struct options *o = run->options;
    uint64_t end = now_ns() + 60000000000U;
    for (unsigned i = 0; i < 2 * o->chats; i++) {
        struct client *c = &clients[i];
        c->run = run;
        c->user_id = o->raw ? NULL : world->accounts[i].id;
        c->chat_id = o->raw ? "0190b3c4-0000-7000-8000-000000000000" : chats[i / 2];
        c->partner = &clients[i ^ 1U];
        c->started = calloc(o->in_flight, sizeof(uint64_t));
        c->ws.index = i;
        ws_connect(&c->ws, &run->hub, &ops, "/ws", o->raw ? NULL : world->accounts[i].token);
        while (run->ready + 256 < i && now_ns() < end)
            hub_turn(&run->hub, 100);
    }
    while (run->ready < 2 * o->chats) {
        hub_turn(&run->hub, 100);
        if (now_ns() > end)
            die("only %u of %u sockets were ready in 60 s", run->ready, 2 * o->chats);
    }
}

/* Sender i: the first of each pair, then the second. */
static struct client *sender(const struct run *run, struct client *clients, unsigned i)
{
    unsigned chats = run->options->chats;
    return &clients[i < chats ? 2 * i : 2 * (i - chats) + 1];
}

/* At a fixed rate: whoever is free sends when a message is due. */
static void send_due(struct run *run, struct client *clients, uint64_t started_ns,
                     uint64_t *due_sent, unsigned *turn)
{
    const struct options *o = run->options;
    uint64_t due = (uint64_t)((double)(now_ns() - started_ns) / 1e9 * o->rate);
    for (unsigned looked = 0; *due_sent < due && looked < o->senders; looked++) {
        struct client *c = sender(run, clients, (*turn)++ % o->senders);
        if (c->sent - c->acknowledged >= o->in_flight)
            continue;
        send_one(c);
        ws_flush(&c->ws);
        (*due_sent)++;
    }
}

static void run_for(struct run *run, struct client *clients, double seconds)
{
    const struct options *o = run->options;
    uint64_t start = now_ns(), end = start + (uint64_t)(seconds * 1e9), due_sent = 0;
    unsigned turn = 0;
    while (now_ns() < end && !(o->messages && run->acknowledged >= o->messages)) {
        hub_turn(&run->hub, 1);
        if (o->rate)
            send_due(run, clients, start, &due_sent, &turn);
    }
}

static uint64_t settle(struct run *run)
{
    run->sending = false;
    uint64_t end = now_ns() + 10000000000U;
    while ((run->acknowledged < run->sent || run->delivered < run->sent - run->refused) &&
           now_ns() < end)
        hub_turn(&run->hub, 50);
    uint64_t accepted = run->acknowledged - run->refused;
    return run->delivered < accepted ? accepted - run->delivered : 0;
}

static void prepare(struct run *run, struct client *clients, struct world *world)
{
    const struct options *o = run->options;
    size_t(*pairs)[2] = calloc(o->chats, sizeof *pairs);
    char **chats = calloc(o->chats, sizeof *chats);
    run->padding = calloc(1, o->bytes + 1);
    if (!pairs || !chats || !run->padding)
        die("out of memory");
    memset(run->padding, 'm', o->bytes > 40 ? o->bytes - 40 : 1);
    for (size_t i = 0; i < o->chats; i++) {
        pairs[i][0] = 2 * i;
        pairs[i][1] = 2 * i + 1;
    }
    if (!o->raw) {
        world_init(world, o->server, 2 * o->chats);
        world_direct_chats(world, (const size_t(*)[2])pairs, o->chats, chats);
    }
    hub_init(&run->hub, o->server);
    connect_all(run, clients, world, chats);
    free(pairs);
}

int scenario_direct(const struct options *o)
{
    static struct run run; /* holds histograms: too large for a stack */
    struct world world;
    struct measure m;
    struct text line = {0};
    if (o->chats == 0 || o->senders == 0 || o->senders > 2 * o->chats)
        die("--senders is at most twice --chats");
    struct client *clients = calloc(2 * (size_t)o->chats, sizeof *clients);
    if (!clients)
        die("out of memory");
    run = (struct run){.options = o, .run_id = now_ns(), .sending = true};
    prepare(&run, clients, &world);
    for (unsigned i = 0; !o->rate && i < o->senders; i++) {
        struct client *c = sender(&run, clients, i);
        for (unsigned n = 0; n < o->in_flight && may_send(&run); n++)
            send_one(c);
        ws_flush(&c->ws);
    }
    run_for(&run, clients, o->messages ? 0 : o->warm_up);
    run.acknowledge = run.deliver = (struct hist){0};
    uint64_t before = run.acknowledged;
    measure_start(&m, o);
    run_for(&run, clients, o->messages ? 86400 : o->seconds);
    measure_stop(&m, o, run.acknowledged - before, &line);
    uint64_t lost = settle(&run);
    bool wrong = lost || run.refused || run.doubled || run.out_of_order || run.seq_wrong;
    text_printf(&line,
                ",\"senders\":%u,\"chats\":%u,\"in_flight\":%u,\"lost\":%" PRIu64
                ",\"doubled\":%u,\"out_of_order\":%u,\"seq_wrong\":%u,\"refused\":%u",
                o->senders, o->chats, o->in_flight, lost, run.doubled, run.out_of_order,
                run.seq_wrong, run.refused);
    report_hist(&line, "acknowledge", &run.acknowledge);
    report_hist(&line, "delivery", &run.deliver);
    report_end(&line);
    return wrong ? 1 : 0;
}
