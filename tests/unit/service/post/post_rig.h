/* The social, user and post rooms on real databases in the test's folder. Everything blocks;
 * consumers and the work on the feed run when the test says so. */
#ifndef PARLEY_TESTS_POST_RIG_H
#define PARLEY_TESTS_POST_RIG_H

#include "harness.h"
#include "service/post/post_feed.h"
#include "service/social/social.h"

#define NOW INT64_C(1795000000000)

struct post_rig {
    struct clock_fake clock;
    struct config *config;
    struct db *main_db, *search_db, *feed_db;
    struct kit_database databases[2];
    struct event_log *log;
    struct kv *kv;
    struct kit kit;
    void *states[3];
    struct post_room *room;
    uint64_t pos, feed_pos; /* of all consumers but the feed's, and of that */
    struct arena arena;
    struct error err;
    struct post_call call;
};

void rig_open(struct post_rig *rig, const char *const *settings);
void rig_close(struct post_rig *rig);
/* As after a restart; without its feed database when it was lost. */
void rig_reopen(struct post_rig *rig, bool lose_feed);
/* All consumers up to the head of the log. */
void rig_pump(struct post_rig *rig);
/* One step of the work on the feed; false when there is nothing to do. */
bool rig_work(struct post_rig *rig);
void rig_settle(struct post_rig *rig); /* pumps and works until nothing is left */

struct id rig_person(struct post_rig *rig, const char *username);
void rig_delete_person(struct post_rig *rig, const struct id *user);
/* As that person, with a clean error record and an empty arena. */
struct post_call *rig_as(struct post_rig *rig, const struct id *user);
struct post rig_post(struct post_rig *rig, const struct id *user, const char *text, int visibility);
int rig_social(struct post_rig *rig, social_change_fn *change, const struct id *who,
               const struct id *whom);
/* All of a list, page by page; ids in ret_ids, at most max. */
typedef int rig_list_fn(struct post_call *call, const struct page_query *query,
                        struct post_page *ret_page);
size_t rig_list_all(struct post_rig *rig, const struct id *user, rig_list_fn *list, int64_t limit,
                    struct id *ret_ids, size_t max);
unsigned rig_count_events(struct post_rig *rig, const struct event_type *type,
                          const struct id *stream);
int64_t rig_number(struct db *db, const char *sql); /* a single value */

#define CHECK_CODE(rig, rc, want_kind, want_code)                                                  \
    do {                                                                                           \
        int code_rc_ = (rc);                                                                       \
        CHECK_INT(code_rc_, want_kind);                                                            \
        CHECK_STR(slice_str((rig)->err.code), want_code);                                          \
    } while (0)

#endif
