/* The chat room alone: the rooms that it asks are a few lines of the rig, and what they say is set
 * by the test. People are numbers 1..; number 0 does not exist. Rules may be called from threads.
 */
#ifndef PARLEY_TESTS_CHAT_RIG_H
#define PARLEY_TESTS_CHAT_RIG_H

#include "rig.h"
#include "service/chat/chat_room.h"

struct chat_rig {
    struct rig base;
    struct social_calls social;
    struct id blocker, blocked; /* nil: nobody has blocked anybody */
    /* Set before opening; 0: as most tests want it. */
    unsigned memory_chats, group_members_max;
    unsigned messages_per_minute; /* 0: no limit */
    size_t tail_events_max;
};
void chat_rig_open(struct chat_rig *rig);
struct chat_room *chat_rig_room(struct chat_rig *rig);
/* Goes on with the files as they are now, as after a crash. */
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
