/* Holds signed-in sockets that say nothing, each user a member of `chats` groups, and tells what
 * each costs the server: memory (growth of Pss and Rss) and CPU while idle. Fill the data folder
 * with a first run and restart the server before the run that counts: otherwise the memory that
 * making accounts and chats took is there already and hides part of the growth. */
#include "scenario.h"
#include "world.h"
#include "ws.h"

#include <stdlib.h>

struct client {
    struct ws ws; /* first */
    unsigned *ready;
};

static void on_open(struct ws *ws)
{
    (void)ws;
}

static void on_message(struct ws *ws, struct piece message)
{
    struct client *c = (struct client *)ws;
    if (piece_is(json_member(message, "event"), "ready"))
        (*c->ready)++;
}

static void on_close(struct ws *ws, unsigned code)
{
    die("the server closed socket %u with %u", ws->index, code);
}

static double connect_all(const struct options *o, struct hub *hub, struct client *clients,
                          const struct world *world)
{
    static const struct ws_ops ops = {on_open, on_message, on_close};
    unsigned ready = 0;
    uint64_t start = now_ns();
    for (unsigned i = 0; i < o->connections; i++) {
        clients[i].ready = &ready;
        clients[i].ws.index = i;
        ws_connect(&clients[i].ws, hub, &ops, "/ws", world->accounts[i].token);
        while (ready + 256 < i)
            hub_turn(hub, 100);
    }
    while (ready < o->connections) {
        hub_turn(hub, 100);
        if (now_ns() - start > 120000000000U)
            die("only %u of %u sockets were ready in 120 s", ready, o->connections);
    }
    double took = (double)(now_ns() - start) / 1e9;
    for (unsigned i = 0; i < o->connections; i++)
        clients[i].ready = NULL; /* no second ready may come */
    return took;
}

int scenario_idle(const struct options *o)
{
    struct world world;
    struct hub hub;
    struct measure m;
    struct text line = {0};
    struct client *clients = calloc(o->connections, sizeof *clients);
    if (!clients)
        die("out of memory");
    world_init(&world, o->server, o->connections);
    world_groups(&world, o->chats);
    hub_init(&hub, o->server);
    struct proc_memory before = proc_memory(&o->pids);
    double took = connect_all(o, &hub, clients, &world);
    hub_run(&hub, o->warm_up);
    measure_start(&m, o);
    hub_run(&hub, o->seconds);
    struct proc_memory after = proc_memory(&o->pids);
    measure_stop(&m, o, o->connections, &line);
    double count = o->connections;
    text_printf(&line,
                ",\"sockets\":%u,\"chats\":%u,\"connect_seconds\":%.3f,\"pss_per_socket\":%.1f,"
                "\"rss_per_socket\":%.1f,\"rss_before\":%llu,\"rss_after\":%llu",
                o->connections, o->chats, took,
                ((double)after.pss_bytes - (double)before.pss_bytes) / count,
                ((double)after.rss_bytes - (double)before.rss_bytes) / count,
                (unsigned long long)before.rss_bytes, (unsigned long long)after.rss_bytes);
    report_end(&line);
    return 0;
}
