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

static int give_post(struct exporting *x, const struct db_rows *rows, struct error *err)
{
    struct id id = db_col_id(rows, 0);
    struct post post;
    bool found;
    int rc = post_store_get(x->tx, &id, x->user, &x->arena, &post, &found, err);
    return rc < 0 || !found ? rc : give(x, "post", &post_schema, &post, err);
}

static int give_comment(struct exporting *x, const struct db_rows *rows, struct error *err)
{
    struct id id = db_col_id(rows, 0), post = db_col_id(rows, 1);
    struct post_comment comment;
    bool found;
    int rc = post_store_comment(x->tx, &post, &id, &x->arena, &comment, &found, err);
    return rc < 0 || !found ? rc : give(x, "comment", &post_comment_schema, &comment, err);
}

static int give_like(struct exporting *x, const struct db_rows *rows, struct error *err)
{
    struct mark mark = {db_col_id(rows, 0), db_col_int(rows, 1)};
    return give(x, "like", &mark_schema, &mark, err);
}

static int give_bookmark(struct exporting *x, const struct db_rows *rows, struct error *err)
{
    struct mark mark = {db_col_id(rows, 0), db_col_int(rows, 1)};
    return give(x, "bookmark", &mark_schema, &mark, err);
}

static const struct {
    struct db_sql sql;
    int (*give)(struct exporting *x, const struct db_rows *rows, struct error *err);
} kinds[] = {
    {{"SELECT id FROM post INDEXED BY post_by_user WHERE user_id = ?1 AND deleted_at = 0"
      " ORDER BY id"},
     give_post},
    {{"SELECT id, post_id FROM comment WHERE user_id = ?1 AND deleted_at = 0 ORDER BY id"},
     give_comment},
    {{"SELECT post_id, at FROM post_like WHERE user_id = ?1 ORDER BY post_id"}, give_like},
    {{"SELECT post_id, at FROM post_bookmark WHERE user_id = ?1 ORDER BY at"}, give_bookmark},
};

int post_export_person(void *room, struct db_tx *tx, const struct id *user, export_fn *fn,
                       void *arg, struct error *err)
{
    struct exporting x = {.tx = tx, .user = user, .fn = fn, .arg = arg};
    int rc = 0;
    (void)room;
    arena_init(&x.arena, ITEM_BYTES_MAX);
    for (size_t i = 0; rc == 0 && i < ARRAY_LEN(kinds); i++) {
        struct db_rows rows;
        rc = db_query(tx, &kinds[i].sql, &rows, err, db_id(user));
        while (rc == 0 && (rc = db_next(&rows, err)) > 0) {
            rc = kinds[i].give(&x, &rows, err);
            if (rc < 0)
                db_rows_close(&rows);
        }
    }
    arena_done(&x.arena);
    return rc;
}
