/* What the files of the post room share; nobody outside includes this. */
#ifndef PARLEY_SERVICE_POST_ROOM_H
#define PARLEY_SERVICE_POST_ROOM_H

#include "contract/user.h"
#include "kit/cache.h"
#include "kit/emit.h"
#include "kit/limit.h"
#include "service/post/post.h"
#include "service/post/post_store.h"

struct post_feed;
struct post_pulse;

struct post_room {
    struct kit *kit;
    struct db *db;
    const struct social_calls *social;
    const struct user_calls *users;
    struct limit_rule post_limit, comment_limit; /* count 0: no limit */
    int64_t comment_depth_max;
    struct cache *popular;
    struct post_feed *feed;
    struct post_pulse *pulse;
};

/* --- opening (post_room.c) --------------------------------------------------------------------
 */
extern const struct config_key post_config[];
int post_start(struct kit *kit, void **ret_room, struct error *err) MUSTCHECK;
void post_stop(void *room);
int post_popular_job(void *room, struct error *err);

/* --- who may (post_access.c) ------------------------------------------------------------------
 */
int post_not_found(struct error *err);
int post_take(struct post_call *call, const struct limit_rule *rule) MUSTCHECK;
/* A post that the caller may see, and how they stand to its author. */
struct post_seen {
    struct post_head head;
    struct social_relation relation;
};
int post_look(struct post_call *call, const struct id *id, struct post_seen *ret_seen) MUSTCHECK;
/* Inside the transaction: that it is still so. Renews the head. */
int post_look_again(struct db_tx *tx, const struct post_call *call, struct post_seen *seen,
                    struct error *err) MUSTCHECK;
/* How the caller stands to each; a nil id is somebody erased, absent. */
int post_relate(struct post_call *call, const struct id *users, size_t count,
                struct social_relation *ret_relations) MUSTCHECK;
bool post_may_see(const struct post_call *call, const struct social_relation *relation,
                  int visibility);

/* --- what a text says (post_text.c) -----------------------------------------------------------
 */
/* "Grüße" -> "grüße"; false for what is no tag. The bytes lie in the arena. */
bool post_tag_fold(struct slice given, struct arena *arena, struct slice *ret_tag) MUSTCHECK;
/* The distinct #tags in their order, at most POST_TAGS_MAX; 422 text. */
int post_text_tags(struct slice text, struct arena *arena, struct schema_list *ret_tags,
                   struct error *err) MUSTCHECK;
enum { POST_NAMES_MAX = 50 }; /* looked up; the first POST_MENTIONS_MAX that are somebody count */
/* The distinct @names in their order, lower case. */
size_t post_text_names(struct slice text, struct arena *arena,
                       struct slice ret_names[POST_NAMES_MAX]);
int post_check_text(struct slice text, bool may_be_empty, struct error *err) MUSTCHECK;
int post_check_media(const struct schema_list *media_ids, struct error *err) MUSTCHECK;

/* --- mentions (post_mention.c) -----------------------------------------------------------------
 */
struct post_mentions {
    struct id users[POST_MENTIONS_MAX];
    bool follows[POST_MENTIONS_MAX]; /* that person follows the author */
    size_t count;
    bool author_is_private;
};
/* The first POST_MENTIONS_MAX that are somebody's and not blocked; waits. */
int post_resolve(struct post_call *call, struct slice text,
                 struct post_mentions *ret_mentions) MUSTCHECK;
bool post_mentions_list(const struct post_mentions *mentions, struct arena *arena,
                        struct schema_list *ret_list) MUSTCHECK;
/* Inside db_write: post.mentioned to each that may see the post and is not in `told` (NULL: nobody
 * has been told). */
int post_tell_mentioned(const struct post_call *call, struct db_tx *tx, const struct post *post,
                        const struct post_mentions *mentions, const struct schema_list *told,
                        struct error *err) MUSTCHECK;

/* --- events (post_events.c) -------------------------------------------------------------------
 */
extern const struct event_type *const post_event_types[]; /* NULL-terminated */
/* Inside db_write. */
int post_emit(const struct post_call *call, struct db_tx *tx, const struct event_type *type,
              const struct id *stream, const void *data, struct error *err) MUSTCHECK;
/* To where the post's readers are: the author topic, or the author's own stream. */
int post_emit_post(const struct post_call *call, struct db_tx *tx, const struct event_type *type,
                   const struct post *post, struct error *err) MUSTCHECK;
int post_emit_deleted(const struct post_call *call, struct db_tx *tx, const struct id *post,
                      const struct id *author, int visibility, struct error *err) MUSTCHECK;
/* After the commit, to those who look at the post. */
void post_tell_comment(struct post_room *room, const struct event_type *type,
                       const struct post_comment *comment);

/* --- post.changed, at most one per post and 250 ms (post_pulse.c) ------------------------------
 */
struct post_pulse *post_pulse_new(struct post_room *room);
void post_pulse_free(struct post_pulse *pulse);
/* After the commit, from a coroutine. `post`: as anybody sees it now. */
void post_pulse_changed(struct post_pulse *pulse, const struct post *post);

/* --- people who go (post_erase.c) -------------------------------------------------------------
 */
int post_follow_deleted(void *room, struct db_tx *tx, const struct event *event, struct error *err);
int post_erase_job(void *room, struct error *err);
int post_export_person(void *room, struct db_tx *tx, const struct id *user, export_fn *fn,
                       void *arg, struct error *err);

#endif
