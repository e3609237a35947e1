/* What every room is given: engines behind their doors, clocks, pools, the way to other rooms. One
 * per process; made by app/, lives until shutdown; read-only after start. */
#ifndef PARLEY_KIT_KIT_H
#define PARLEY_KIT_KIT_H

#include "base/clock.h"
#include "base/config.h"
#include "engine/db.h"
#include "engine/event_log.h"
#include "engine/kv.h"
#include "engine/mailer.h"
#include "io/offload.h"
#include "kit/token.h"

struct activity;
struct module;

/* A room (or a part of one, "user.search") whose tables live in another database than main. */
struct kit_database {
    const char *room;
    struct db *db;
    /* "graph" of graph.db, where what rooms say goes through an outbox (kit/outbox.h); NULL: what
     * is there is derived from the log and says nothing. */
    const char *name;
};

/* Which followers of a stream an event that is not kept is not for. */
struct audience {
    const struct id *except; /* whose own sessions are not told; NULL: nobody's */
    const struct id *by;     /* whoever stands in a block with this person is not told; NULL: all */
};

struct kit {
    const struct config *config;
    const struct clock *clock;
    struct db *main_db;
    const struct kit_database *databases;
    unsigned database_count;
    struct event_log *log;
    struct kv *kv;
    struct mailer *mailer;     /* e-mail and SMS */
    struct activity *activity; /* who has been seen; NULL on the command line */
    struct offload *crypto;    /* password hashing: low priority */
    struct offload *blocking;  /* files, directory scans */
    struct offload *packing;   /* compression of large answers: low priority */
    struct token_authority *tokens;
    const char *data_dir;
    struct loop *const *loops;
    unsigned loop_count;
    const struct module *const *modules; /* NULL-terminated */
    void **rooms;                        /* state of modules[i] */
    /* Set by realtime at start, NULL without it: sends an event that is not kept (typing) to the
     * followers of the stream on every node; audience (NULL: all of them) and data are copied. Any
     * loop thread. Rooms call it by kit/emit.h. */
    void (*ephemeral)(struct kit *kit, const struct event_type *type, const struct id *stream,
                      struct slice data, const struct audience *audience);
    /* Set by the social room at start, NULL without it: whether a block stands between two people.
     * Never waits, any thread. */
    bool (*blocked)(void *room, const struct id *a, const struct id *b);
    void *blocked_room;
    /* Set by realtime at start: who watches something (kit/topic.h) is asked after again, because
     * what they may see has changed: all who follow or watch the stream (a person's own: that
     * person's sessions), NULL for everybody. Any thread, does not wait; after the commit
     * (kit_recheck_watches). May be NULL before realtime has started, and without it. */
    void (*recheck_watches)(struct kit *kit, const struct id *stream);
    void *realtime;
    /* Set by the admin module at start: a dead letter has come. On the first loop; may be NULL. */
    void (*dead_letter_came)(struct kit *kit);
    /* Wakes consumers after commits; see consumer.h. */
    struct consumers *consumers;
    /* Relays what rooms in databases of their own have said; NULL on the command line: then it
     * waits there until a server starts. */
    struct outboxes *outboxes;
};

/* The database of a room, or main_db when none is named for it in `databases`. */
struct db *kit_db(struct kit *kit, const char *room);
/* Whether databases[index] is one that an earlier room has named: several may share a file. */
bool kit_database_again(const struct kit *kit, unsigned index);
/* Whether main.db and the databases of rooms answer. From a coroutine; waits. */
bool kit_databases_work(struct kit *kit);
/* The type of that name among those that the rooms emit; NULL: there is none. */
const struct event_type *kit_event_type(const struct kit *kit, struct slice name);
/* The calls of another room (contract/<room>.h); aborts when the room is not there: a room lists
 * whom it needs in its module. */
const void *kit_calls(struct kit *kit, const char *room);
void *kit_room(struct kit *kit, const char *name);

#endif
