/* What the files of the social room share; nobody outside includes this. */
#ifndef PARLEY_SERVICE_SOCIAL_ROOM_H
#define PARLEY_SERVICE_SOCIAL_ROOM_H

#include <stdatomic.h>

#include "service/social/social.h"
#include "service/social/social_blocks.h"
#include "service/social/social_store.h"

struct social_room {
    struct kit *kit;
    struct db *db; /* the log's: edges and their events commit together */
    struct social_blocks *blocks;
    int64_t follows_max, blocks_max, mutes_max, reports_max;
    _Atomic bool duties; /* table social_duty may hold something */
    struct social_calls calls;
};

/* --- shared by the rules (social.c) ----------------------------------------------------------- */
/* One change between two people: what a transaction is given. */
struct social_act {
    struct social_call *call;
    const struct id *target;
    struct social_person me, them;
    struct social_relationship result;
};
/* db_write; somebody whom the room does not know yet is waited for, and the transaction run once
 * more: an account is known by its event. */
int social_write(struct social_call *call, db_fn *fn, void *arg) MUSTCHECK;
/* The transaction of a change between the asking person and another: loads both, refuses with
 * `self` (a code) when they are one. */
int social_act_run(struct social_call *call, const struct id *target, const char *self, db_fn *fn,
                   struct social_relationship *ret) MUSTCHECK;
int social_act_load(struct social_act *act, struct db_tx *tx, struct error *err) MUSTCHECK;
/* How the two stand now, inside the transaction. */
int social_act_finish(struct social_act *act, struct db_tx *tx, struct error *err) MUSTCHECK;
int social_not_found(struct error *err);
/* Waits until the room knows every account of which there is an event; briefly, and mostly not at
 * all. */
void social_settle(struct social_room *room);

/* --- the graph (social_graph.c): rows, counts and events of one edge, inside db_write --------- */
struct social_edge {
    struct social_room *room;
    const struct id *follower, *target;
    struct slice correlation_id;
};
int social_graph_follow(const struct social_edge *edge, struct db_tx *tx,
                        struct error *err) MUSTCHECK;
int social_graph_unfollow(const struct social_edge *edge, struct db_tx *tx,
                          struct error *err) MUSTCHECK; /* nothing when there is none */
int social_graph_ask(const struct social_edge *edge, struct db_tx *tx, struct error *err) MUSTCHECK;
/* *ret_was: there was one. `tell`: the refusal is an event. */
int social_graph_withdraw(const struct social_edge *edge, struct db_tx *tx, bool tell,
                          bool *ret_was, struct error *err) MUSTCHECK;
/* The follower's streams no longer have the target, or have it again. */
int social_graph_mute(const struct social_edge *edge, struct db_tx *tx, bool muted,
                      struct error *err) MUSTCHECK;
/* The rows and the count of a block, and memory with the commit. *ret_changed: it was otherwise. */
int social_graph_block(struct social_room *room, struct db_tx *tx, const struct id *blocker,
                       const struct id *blocked, bool on, bool *ret_changed,
                       struct error *err) MUSTCHECK;
/* Inside only: carries who follows the author's topic from here on. */
extern const struct event_type social_follow_linked_event; /* "follow.linked" */

/* --- for other rooms (social_relation.c) ------------------------------------------------------ */
void social_calls_init(struct social_room *room);
int social_streams(void *room, struct db_tx *tx, const struct id *user, stream_fn *fn, void *arg,
                   struct error *err);
int social_export(void *room, struct db_tx *tx, const struct id *user, export_fn *fn, void *arg,
                  struct error *err);

/* --- the log (social_events.c) and what it starts (social_duty.c) ----------------------------- */
int social_follow_people(void *room, struct db_tx *tx, const struct event *event,
                         struct error *err);
enum social_duty_kind {
    SOCIAL_DUTY_ERASE = 1,  /* the person is gone: all that mentions them goes */
    SOCIAL_DUTY_ACCEPT = 2, /* a private account became public: who waits is let in */
};
int social_duty_add(struct social_room *room, struct db_tx *tx, const struct id *user,
                    enum social_duty_kind kind, struct error *err) MUSTCHECK;
/* The job: a piece at a time until nothing is left. */
int social_duties(void *room, struct error *err);

extern const struct schema social_report_schema;

#endif
