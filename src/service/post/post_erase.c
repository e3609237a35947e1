/* People who delete their account, and people who ask what is kept about them.
 *
 * user.deleted only notes the name; a job erases a slice per transaction until nothing is left. A
 * crash in between goes on from what is still there. */
#include "contract/auth.h"
#include "service/post/post_room.h"

enum { ROWS_PER_SLICE = 200, ITEM_BYTES_MAX = 256 << 10 };

int post_follow_deleted(void *room, struct db_tx *tx, const struct event *event, struct error *err)
{
    struct auth_user_deleted gone;
    struct arena arena;
    (void)room;
    arena_init(&arena, ITEM_BYTES_MAX);
    int rc = schema_decode(&auth_user_deleted_schema, event->data, &arena, &gone, err);
    if (rc == 0)
        rc = post_store_erasure_add(tx, &gone.user_id, err);
    arena_done(&arena);
    return rc;
}

struct erasing {
    struct post_room *room;
    struct id user;
    bool more;
};

static int erase_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct erasing *e = arg;
    bool more = false;
    int rc = post_store_erasure_next(tx, &e->user, err);
    e->more = rc == 0 && !id_is_nil(&e->user);
    if (!e->more)
        return rc;
    rc = post_store_erase(tx, &e->user, ROWS_PER_SLICE, clock_wall_ms(e->room->kit->clock), &more,
                          err);
    return rc < 0 || more ? rc : post_store_erasure_done(tx, &e->user, err);
}

static int waiting_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct erasing *e = arg;
    return post_store_erasure_next(tx, &e->user, err);
}

int post_erase_job(void *room, struct error *err)
{
    struct erasing e = {.room = room};
    int rc = db_read(e.room->db, waiting_tx, &e, err);
    e.more = !id_is_nil(&e.user);
    while (rc == 0 && e.more) {
        rc = db_write(e.room->db, erase_tx, &e, err);
        if (coro_current() != NULL && coro_cancelled())
            break;
    }
    return rc;
}

/* --- export ------------------------------------------------------------------------------------
 */

struct mark {
    struct id post_id;
    int64_t created_at;
};
static const struct schema_field mark_fields[] = {
    {"post_id", NULL, SCHEMA_ID, SCHEMA_REQUIRED, SCHEMA_AT(struct mark, post_id)},
    {"created_at", NULL, SCHEMA_TIME, SCHEMA_REQUIRED, SCHEMA_AT(struct mark, created_at)},
};
static SCHEMA_DEF(mark_schema, struct mark, "Mark", NULL, mark_fields);

struct exporting {
    struct db_tx *tx;
    const struct id *user;
    struct arena arena; /* one item */
    export_fn *fn;
    void *arg;
};

static int give(struct exporting *x, const char *kind, const struct schema *schema,
                const void *value, struct error *err)
{
    struct buf json;
    buf_init(&json, ITEM_BYTES_MAX);
    schema_encode(schema, value, &json);
    int rc = buf_ok(&json)
                 ? x->fn(x->arg, kind, buf_view(&json), err)
                 : error_set(err, FAIL_TOO_LARGE, "too_large", "A %s is too large.", kind);
    buf_done(&json);
    arena_reset(&x->arena);
    return rc;
}

static int give_post(void *arg, const struct post_kept *kept, struct error *err)
{
    struct exporting *x = arg;
    struct post post;
    bool found;
    int rc = post_store_get(x->tx, &kept->post, x->user, &x->arena, &post, &found, err);
    return rc < 0 || !found ? rc : give(x, "post", &post_schema, &post, err);
}

static int give_comment(void *arg, const struct post_kept *kept, struct error *err)
{
    struct exporting *x = arg;
    struct post_comment comment;
    bool found;
    int rc =
        post_store_comment(x->tx, &kept->post, &kept->comment, &x->arena, &comment, &found, err);
    return rc < 0 || !found ? rc : give(x, "comment", &post_comment_schema, &comment, err);
}

static int give_like(void *arg, const struct post_kept *kept, struct error *err)
{
    struct mark mark = {kept->post, kept->at};
    return give(arg, "like", &mark_schema, &mark, err);
}

static int give_bookmark(void *arg, const struct post_kept *kept, struct error *err)
{
    struct mark mark = {kept->post, kept->at};
    return give(arg, "bookmark", &mark_schema, &mark, err);
}

int post_export_person(void *room, struct db_tx *tx, const struct id *user, export_fn *fn,
                       void *arg, struct error *err)
{
    static post_kept_fn *const gives[] = {[POST_KEPT_POSTS] = give_post,
                                          [POST_KEPT_COMMENTS] = give_comment,
                                          [POST_KEPT_LIKES] = give_like,
                                          [POST_KEPT_BOOKMARKS] = give_bookmark};
    struct exporting x = {.tx = tx, .user = user, .fn = fn, .arg = arg};
    int rc = 0;
    (void)room;
    arena_init(&x.arena, ITEM_BYTES_MAX);
    for (size_t i = 0; rc == 0 && i < ARRAY_LEN(gives); i++)
        rc = post_store_kept(tx, (enum post_kept_kind)i, user, gives[i], &x, err);
    arena_done(&x.arena);
    return rc;
}
