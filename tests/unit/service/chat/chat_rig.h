/* A chat room on a real database in a folder of its own, without loops: rules called from threads
 * wait by blocking. People are numbers 1..; number 0 does not exist. */
#ifndef PARLEY_TESTS_CHAT_RIG_H
#define PARLEY_TESTS_CHAT_RIG_H

#include "harness.h"
#include "service/chat/chat_room.h"

struct chat_rig {
    struct kit kit;
    struct clock_fake clock;
    struct kv kv;
    void *rooms[2];
    struct social_calls social;
    struct id blocker, blocked; /* nil: nobody has blocked anybody */
    struct db *db;
    struct event_log *log;
    struct chat_room *room;
    char path[300];
    unsigned typed;      /* ephemeral events sent */
    unsigned kv_added;   /* answers of kv->add: stored only while this is 0 */
    int64_t tokens_left; /* of the rate limit; negative: no limit */
    unsigned memory_chats, group_members_max;
    size_t tail_events_max;
};
void chat_rig_open(struct chat_rig *rig, const char *name);
void chat_rig_start(struct chat_rig *rig); /* again, on the same files */
void chat_rig_stop(struct chat_rig *rig);
/* Copies the files as they are now, as a crash would leave them, and goes on with the copy. */
void chat_rig_crash(struct chat_rig *rig);
struct id chat_rig_user(unsigned number);

/* One person's call; the arena and the error live in it. */
struct chat_act {
    struct chat_call call;
    struct arena arena;
    struct error err;
};
struct chat_call *chat_act(struct chat_act *act, struct chat_rig *rig, unsigned user);
void chat_act_done(struct chat_act *act);

struct id chat_rig_group(struct chat_rig *rig, unsigned owner, unsigned last); /* owner..last */
/* Sends and returns the seq; 0 and the error code in *ret_code when it fails. */
uint64_t chat_rig_send(struct chat_rig *rig, unsigned user, const struct id *chat, const char *text,
                       const char *client_id, const char **ret_code);
/* Names and data of the events after `after`, one a line: "name stream-last-byte links data". */
struct slice chat_rig_events(struct chat_rig *rig, uint64_t after, struct arena *arena);

#endif
