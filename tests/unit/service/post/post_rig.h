/* The post room with the rooms that it asks: social, user. The work on the feed runs when the test
 * says so. */
#ifndef PARLEY_TESTS_POST_RIG_H
#define PARLEY_TESTS_POST_RIG_H

#include "rig.h"
#include "service/post/post_feed.h"

/* Without settings: no limits per user. */
void rig_open(struct rig *rig, const char *const *settings);
/* As after a restart; without its feed database when it was lost. */
void rig_restart(struct rig *rig, bool lose_feed);
struct post_feed *rig_feed(struct rig *rig);
/* One step of the work on the feed; false when there is nothing to do. */
bool rig_work(struct rig *rig);
void rig_settle(struct rig *rig); /* pumps and works until nothing is left */

/* As that person; the rig is clear. */
struct post_call *rig_as(struct rig *rig, const struct id *user);
struct post rig_post(struct rig *rig, const struct id *user, const char *text, int visibility);
/* All of a list, page by page; ids in ret_ids, at most max. */
typedef int rig_list_fn(struct post_call *call, const struct page_query *query,
                        struct post_page *ret_page);
size_t rig_list_all(struct rig *rig, const struct id *user, rig_list_fn *list, int64_t limit,
                    struct id *ret_ids, size_t max);

#endif
