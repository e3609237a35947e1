#include "kit/dead_letter.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/fault.h"
#include "engine/db_one.h"
#include "kit/module.h"

enum { DATABASES_MAX = 16 };

#define LETTER                                                                                     \
    "SELECT id, consumer, type, pos, stream, reason, attempts, data, at FROM dead_letter "
static const struct db_sql sql_page = {
    LETTER
    "INDEXED BY dead_letter_at WHERE (at, id) < (?1, ?2) ORDER BY at DESC, id DESC LIMIT ?3"};
static const struct db_sql sql_get = {LETTER "WHERE id = ?1"};
static const struct db_sql sql_remove = {"DELETE FROM dead_letter WHERE id = ?1"};
static const struct db_sql sql_failed = {
    "UPDATE dead_letter SET attempts = attempts + 1, reason = ?2 WHERE id = ?1"};

static const struct schema_field fields[] = {
    {"id", NULL, SCHEMA_ID, SCHEMA_AT(struct dead_letter, id)},
    {"consumer", "Who could not handle it.", SCHEMA_STRING,
     SCHEMA_AT(struct dead_letter, consumer)},
    {"event_type", "Such as user.created.", SCHEMA_STRING,
     SCHEMA_AT(struct dead_letter, event_type)},
    {"event_pos", "Its position in the log.", SCHEMA_STRING,
     SCHEMA_AT(struct dead_letter, event_pos)},
    {"subject_id", "The stream of the event: a user, a chat.", SCHEMA_ID, SCHEMA_NULLABLE,
     SCHEMA_AT(struct dead_letter, subject)},
    {"error", "Of the last attempt.", SCHEMA_STRING, SCHEMA_AT(struct dead_letter, error)},
    {"attempts", NULL, SCHEMA_INT, SCHEMA_AT(struct dead_letter, attempts)},
    {"data", "Of the event.", SCHEMA_RAW, SCHEMA_AT(struct dead_letter, data)},
    {"created_at", "When it was put aside.", SCHEMA_TIME,
     SCHEMA_AT(struct dead_letter, created_at)},
};
SCHEMA_DEF(dead_letter_schema, struct dead_letter, "DeadLetter",
           "An event that a consumer has given up on.", fields);

/* --- the databases that have any ---------------------------------------------------------------
 */

struct found {
    const struct consumer *consumer;
    void *room;
};

static struct db *db_of(struct kit *kit, int module, const struct consumer *consumer)
{
    return kit_db(kit, consumer->db != NULL ? consumer->db : kit->modules[module]->name);
}

static bool find_consumer(struct kit *kit, struct slice name, struct found *ret_found)
{
    for (int m = 0; kit->modules[m] != NULL; m++)
        for (size_t i = 0; i < kit->modules[m]->consumer_count; i++) {
            const struct consumer *c = &kit->modules[m]->consumers[i];
            if (!slice_eq(slice_str(c->name), name))
                continue;
            *ret_found = (struct found){c, kit->rooms[m]};
            return true;
        }
    return false;
}

static void add_database(struct db *db, struct db *list[DATABASES_MAX], unsigned *count)
{
    for (unsigned i = 0; i < *count; i++)
        if (list[i] == db)
            return;
    panic_if(*count == DATABASES_MAX, "too many databases");
    list[(*count)++] = db;
}

static unsigned databases(struct kit *kit, struct db *ret_list[DATABASES_MAX])
{
    unsigned count = 0;
    add_database(kit->main_db, ret_list, &count);
    for (int m = 0; kit->modules[m] != NULL; m++)
        for (size_t i = 0; i < kit->modules[m]->consumer_count; i++)
            add_database(db_of(kit, m, &kit->modules[m]->consumers[i]), ret_list, &count);
    return count;
}

/* --- listing -----------------------------------------------------------------------------------
 */

static int take(const struct db_rows *rows, struct arena *arena, struct dead_letter *letter,
                struct error *err)
{
    *letter =
        (struct dead_letter){.id = db_col_id(rows, 0),
                             .consumer = db_col_copy(rows, 1, arena),
                             .event_type = db_col_copy(rows, 2, arena),
                             .event_pos = arena_printf(arena, "%" PRId64, db_col_int(rows, 3)),
                             .subject = db_col_id(rows, 4),
                             .error = db_col_copy(rows, 5, arena),
                             .attempts = db_col_int(rows, 6),
                             .data = db_col_copy(rows, 7, arena),
                             .created_at = db_col_int(rows, 8)};
    if (letter->data.ptr != NULL && letter->error.ptr != NULL)
        return 0;
    return error_set(err, FAIL_TOO_LARGE, "too_large",
                     "The page does not fit; ask for fewer dead letters.");
}

struct listing {
    const struct cursor *after;
    unsigned limit;
    struct arena *arena;
    struct dead_letter *letters;
    size_t count;
};

static int list_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct listing *l = arg;
    struct db_rows rows;
    bool first = l->after->number == 0;
    static const struct id last = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                    0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
    int rc = db_query(tx, &sql_page, &rows, err, db_int(first ? INT64_MAX : l->after->number),
                      db_id(first ? &last : &l->after->id), db_int(l->limit + 1));
    if (rc < 0)
        return rc;
    while ((rc = db_next(&rows, err)) > 0) {
        rc = take(&rows, l->arena, &l->letters[l->count], err);
        if (rc < 0) {
            db_rows_close(&rows);
            return rc;
        }
        l->count++;
    }
    return rc;
}

static int newest_first(const void *a, const void *b)
{
    const struct dead_letter *x = a, *y = b;
    if (x->created_at != y->created_at)
        return x->created_at < y->created_at ? 1 : -1;
    return -id_cmp(&x->id, &y->id);
}

int dead_letter_list(struct kit *kit, const struct cursor *after, unsigned limit,
                     struct arena *arena, struct dead_letter **ret_letters, size_t *ret_count,
                     struct error *err)
{
    struct db *list[DATABASES_MAX];
    unsigned count = databases(kit, list);
    struct listing l = {.after = after,
                        .limit = limit,
                        .arena = arena,
                        .letters = arena_array(arena, count * (limit + 1), sizeof *l.letters)};
    if (l.letters == NULL)
        return error_set(err, FAIL_TOO_LARGE, "too_large", "The page does not fit.");
    for (unsigned i = 0; i < count; i++) {
        int rc = db_read(list[i], list_tx, &l, err);
        if (rc < 0)
            return rc;
    }
    qsort(l.letters, l.count, sizeof *l.letters, newest_first);
    *ret_letters = l.letters;
    *ret_count = l.count < limit + 1 ? l.count : limit + 1;
    return 0;
}

/* --- one of them -------------------------------------------------------------------------------
 */

struct taking {
    struct kit *kit;
    struct db *db;
    const struct id *id;
    bool requeue;
    dead_letter_done_fn *done;
    void *arg;
    struct arena *arena;
    struct dead_letter letter;
    bool found, refused; /* refused: by the consumer, not by the database */
};

static int load(struct taking *t, struct db_tx *tx, struct error *err)
{
    struct db_rows rows;
    int rc = db_one(tx, &sql_get, &rows, err, db_id(t->id));
    t->found = rc > 0;
    if (rc <= 0)
        return rc;
    rc = take(&rows, t->arena, &t->letter, err);
    db_rows_close(&rows);
    return rc;
}

static int hand_over(struct taking *t, struct db_tx *tx, struct error *err)
{
    struct found found;
    uint64_t pos;
    const struct event_type *type = kit_event_type(t->kit, t->letter.event_type);
    if (type == NULL || !find_consumer(t->kit, t->letter.consumer, &found) ||
        !slice_to_u64(t->letter.event_pos, &pos))
        return error_set(err, FAIL_CONFLICT, "consumer_gone",
                         "This version has no consumer %.*s for %.*s.",
                         SLICE_FMT(t->letter.consumer), SLICE_FMT(t->letter.event_type));
    struct event event = {.pos = pos,
                          .at_ms = t->letter.created_at,
                          .type = type,
                          .stream = t->letter.subject,
                          .id = t->letter.id,
                          .data = t->letter.data};
    int rc = found.consumer->handle(found.room, tx, &event, err);
    t->refused = rc < 0;
    return rc;
}

static int tell(struct taking *t, struct db_tx *tx, struct error *err)
{
    struct dead_letter_taken taken = {t->letter.consumer, t->letter.event_type,
                                      t->letter.event_pos};
    return t->done != NULL ? t->done(t->arg, tx, &taken, err) : 0;
}

static int take_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct taking *t = arg;
    int rc = load(t, tx, err);
    if (rc < 0 || !t->found)
        return rc;
    if (t->requeue)
        rc = hand_over(t, tx, err);
    if (rc == 0)
        rc = db_exec(tx, &sql_remove, err, db_id(t->id));
    if (rc == 0 && t->db == t->kit->main_db)
        rc = tell(t, tx, err);
    if (rc == 0 && fault("dead_letter.taken"))
        rc = error_set(err, FAIL_INTERNAL, "dead_letter_fault", "The fault point was hit.");
    return rc;
}

static int tell_tx(struct db_tx *tx, void *arg, struct error *err)
{
    return tell(arg, tx, err);
}

struct failing {
    const struct id *id;
    struct slice reason;
};

static int failed_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct failing *f = arg;
    return db_exec(tx, &sql_failed, err, db_id(f->id), db_text(f->reason));
}

/* The letter stays, and says what came of it this time. */
static int stay(struct taking *t, struct error *err)
{
    struct error why = *err, note;
    struct failing f = {t->id, slice_str(why.detail)};
    error_init(&note);
    (void)!db_write(t->db, failed_tx, &f, &note);
    error_init(err);
    return error_set(err, FAIL_CONFLICT, "requeue_failed", "It failed again: %s", why.detail);
}

static int take_out(struct taking *t, struct error *err)
{
    struct db *list[DATABASES_MAX];
    unsigned count = databases(t->kit, list);
    for (unsigned i = 0; i < count; i++) {
        t->db = list[i];
        int rc = db_write(t->db, take_tx, t, err);
        if (rc < 0)
            return t->refused ? stay(t, err) : rc;
        if (!t->found)
            continue;
        (void)fault("dead_letter.taken.committed");
        return t->db == t->kit->main_db ? 0 : db_write(t->kit->main_db, tell_tx, t, err);
    }
    return error_set(err, FAIL_NOT_FOUND, "dead_letter_not_found",
                     "There is no such dead letter: somebody may have dealt with it.");
}

int dead_letter_requeue(struct kit *kit, const struct id *id, dead_letter_done_fn *done, void *arg,
                        struct arena *arena, struct error *err)
{
    struct taking t = {
        .kit = kit, .id = id, .requeue = true, .done = done, .arg = arg, .arena = arena};
    return take_out(&t, err);
}

int dead_letter_discard(struct kit *kit, const struct id *id, dead_letter_done_fn *done, void *arg,
                        struct arena *arena, struct error *err)
{
    struct taking t = {.kit = kit, .id = id, .done = done, .arg = arg, .arena = arena};
    return take_out(&t, err);
}
