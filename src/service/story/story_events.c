/* The room's place in the log: what is posted and deleted goes out, who goes is forgotten. */
#include "contract/auth.h"
#include "kit/emit.h"
#include "service/story/story_store.h"

enum { EVENT_BYTES_MAX = 65536 };

/* After the commit: nobody who asks from here on gets the old list. */
static void forget_list(void *arg, const struct id *author)
{
    struct story_room *room = arg;
    char key[64] = "stories:user:";
    id_format(author, key + strlen(key));
    cache_forget(room->active, slice_str(key));
}

static int emit_to_followers(struct story_room *room, struct db_tx *tx,
                             const struct event_type *type, const struct id *author,
                             const void *data, struct slice correlation_id, struct error *err)
{
    struct id topic = topic_stream(SOCIAL_AUTHOR_TOPIC, author);
    struct emit event = {
        .type = type, .stream = &topic, .data = data, .correlation_id = correlation_id};
    int rc = kit_emit(room->kit, tx, &event, NULL, err);
    return rc == 0 ? kit_after_commit(tx, forget_list, room, author, err) : rc;
}

int story_emit_posted(struct story_call *call, struct db_tx *tx, const struct story *story)
{
    return emit_to_followers(call->room, tx, &story_posted_event, &story->user_id, story,
                             call->correlation_id, call->err);
}

int story_emit_deleted(struct story_room *room, struct db_tx *tx, const struct story *story,
                       struct slice correlation_id, struct error *err)
{
    struct story gone = *story;
    gone.text = (struct slice){0};
    gone.media_id = (struct id){{0}};
    gone.viewed = false;
    gone.viewer_count = -1;
    return emit_to_followers(room, tx, &story_deleted_event, &story->user_id, &gone, correlation_id,
                             err);
}

void story_tell_viewed(struct story_room *room, const struct id *author,
                       const struct story_viewed *viewed)
{
    kit_emit_ephemeral(room->kit, &story_viewed_event, author, viewed);
    kit_emit_ephemeral(room->kit, &story_viewed_event, &viewed->user_id, viewed);
}

/* --- user.deleted ------------------------------------------------------------------------------
 */

static int tell_all_gone(struct story_room *room, struct db_tx *tx, const struct id *user,
                         int64_t now, struct arena *arena, struct error *err)
{
    struct story_span span = {.author = user,
                              .now = now,
                              .until = INT64_MAX,
                              .after_created = INT64_MIN,
                              .max = STORY_PER_DAY_MAX};
    struct story *stories = arena_array(arena, span.max, sizeof *stories);
    size_t count = 0;
    if (stories == NULL)
        return error_set(err, FAIL_TOO_LARGE, "too_large", "Too many stories at once.");
    int rc = story_store_active(tx, &span, arena, stories, &count, err);
    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = story_emit_deleted(room, tx, &stories[i], (struct slice){0}, err);
    return rc;
}

/* story.erase: their stories are gone at once, what they have seen is forgotten. */
int story_forget_person(void *arg, struct db_tx *tx, const struct event *event, struct error *err)
{
    struct story_room *room = arg;
    struct auth_user_deleted deleted;
    struct arena arena;
    arena_init(&arena, 4 << 20);
    int64_t now = clock_wall_ms(room->kit->clock);
    int rc = schema_decode(&auth_user_deleted_schema, event->data, &arena, &deleted, err);
    if (rc == 0)
        rc = tell_all_gone(room, tx, &deleted.user_id, now, &arena, err);
    if (rc == 0)
        rc = story_store_erase(tx, &deleted.user_id, now, err);
    arena_done(&arena);
    return rc;
}

/* --- export ------------------------------------------------------------------------------------
 */

struct exporting {
    export_fn *fn;
    void *arg;
};

static int export_one(const struct exporting *e, const char *kind, const struct schema *schema,
                      const void *value, struct error *err)
{
    struct buf json;
    buf_init(&json, EVENT_BYTES_MAX);
    schema_encode(schema, value, &json);
    int rc = buf_ok(&json)
                 ? e->fn(e->arg, kind, buf_view(&json), err)
                 : error_set(err, FAIL_TOO_LARGE, "too_large", "A %s is too large.", kind);
    buf_done(&json);
    return rc;
}

static int export_view(const struct story_viewed *viewed, void *arg, struct error *err)
{
    return export_one(arg, "story_view", &story_viewed_schema, viewed, err);
}

int story_export(void *arg, struct db_tx *tx, const struct id *user, export_fn *fn, void *fn_arg,
                 struct error *err)
{
    struct story_room *room = arg;
    struct exporting e = {fn, fn_arg};
    struct arena arena;
    arena_init(&arena, 4 << 20);
    struct story_span span = {.author = user,
                              .viewer = user,
                              .now = clock_wall_ms(room->kit->clock),
                              .until = INT64_MAX,
                              .after_created = INT64_MIN,
                              .max = STORY_PER_DAY_MAX};
    struct story *stories = arena_array(&arena, span.max, sizeof *stories);
    size_t count = 0;
    panic_if(stories == NULL, "an empty arena is full");
    int rc = story_store_active(tx, &span, &arena, stories, &count, err);
    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = export_one(&e, "story", &story_schema, &stories[i], err);
    arena_done(&arena);
    return rc == 0 ? story_store_each_view(tx, user, export_view, &e, err) : rc;
}
