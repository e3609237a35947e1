/* Lists: each source gives its first keys in order of start; they are merged as they come. What
 * lasts long may have begun long before the window, so it is looked for from further back. */
#include <stdlib.h>

#include "service/calendar/calendar_store.h"

enum { DAY_MS = 86400000 };

static int key_order(const struct gathering_key *a, const struct gathering_key *b)
{
    if (a->starts_at != b->starts_at)
        return a->starts_at < b->starts_at ? -1 : 1;
    return id_cmp(&a->id, &b->id);
}

/* Into its place; the last falls out when there are more than max. */
static void add_key(struct gathering_keys *keys, const struct gathering_key *key)
{
    size_t at = keys->count;
    while (at > 0 && key_order(&keys->items[at - 1], key) > 0)
        at--;
    if (at > 0 && id_eq(&keys->items[at - 1].id, &key->id)) {
        keys->items[at - 1].known |= key->known;
        return;
    }
    if (at == keys->max)
        return;
    size_t after = (keys->count < keys->max ? keys->count : keys->max - 1) - at;
    memmove(&keys->items[at + 1], &keys->items[at], after * sizeof *keys->items);
    keys->items[at] = *key;
    if (keys->count < keys->max)
        keys->count++;
}

/* The fifth column: whether the reader knows of it. */
static int add_rows(struct db_rows *rows, struct gathering_keys *keys, struct error *err)
{
    int rc;
    while ((rc = db_next(rows, err)) > 0) {
        struct gathering_key key = {.starts_at = db_col_int(rows, 0),
                                    .id = db_col_id(rows, 1),
                                    .host_id = db_col_id(rows, 2),
                                    .visibility = (int)db_col_int(rows, 3),
                                    .known = db_col_int(rows, 4) != 0};
        add_key(keys, &key);
    }
    return rc;
}

/* Where the index is entered: behind the cursor, and not earlier than something that lasts until
 * the window can begin. */
static struct cursor entry(const struct gathering_window *w, int64_t lasts_ms)
{
    struct cursor first = {.number = w->from - lasts_ms};
    return first.number > w->after.number ? first : w->after;
}

/* By is_long. */
static const int64_t lasts_ms[] = {DAY_MS, (int64_t)CALENDAR_DAYS_MAX *DAY_MS};

static struct db_value id_bytes(const struct id *id)
{
    return db_blob(slice_of((const char *)id->bytes, sizeof id->bytes));
}

#define KEY(known) "SELECT g.starts_at, g.gathering_id, g.host_id, g.visibility, " known " FROM "
#define WINDOW                                                                                     \
    " g.deleted_at IS NULL AND (g.starts_at, g.gathering_id) > (?1, ?2) AND g.starts_at < ?3"      \
    " AND g.ends_at > ?4"
#define ORDER " ORDER BY g.starts_at, g.gathering_id LIMIT ?5"

/* Along the index alone. */
static const struct db_sql sql_open = {
    KEY("0") "gathering g INDEXED BY gathering_open WHERE g.visibility < 2 AND g.visibility = ?7"
             " AND g.is_long = ?6 AND" WINDOW ORDER};
_Static_assert(SOCIAL_PRIVATE == 2, "the index gathering_open says so");

static int ask_open(struct db_tx *tx, const struct gathering_window *w, int visibility, int is_long,
                    int64_t to, size_t max, struct db_rows *rows, struct error *err)
{
    struct cursor at = entry(w, lasts_ms[is_long]);
    return db_query(tx, &sql_open, rows, err, db_int(at.number), id_bytes(&at.id), db_int(to),
                    db_int(w->from), db_int((int64_t)max), db_int(is_long), db_int(visibility));
}

int list_store_public(struct db_tx *tx, const struct gathering_window *w,
                      struct gathering_keys *keys, struct error *err)
{
    int rc = 0;
    for (int is_long = 0; rc == 0 && is_long < 2; is_long++) {
        struct db_rows rows;
        rc = ask_open(tx, w, SOCIAL_PUBLIC, is_long, w->to, keys->max, &rows, err);
        if (rc == 0)
            rc = add_rows(&rows, keys, err);
    }
    return rc;
}

/* Nothing behind the last of a full list can come into it. */
static int64_t window_end(const struct gathering_window *w, const struct gathering_keys *keys)
{
    return keys->count == keys->max ? keys->items[keys->max - 1].starts_at + 1 : w->to;
}

static const struct db_sql sql_hosted = {
    KEY("1") "gathering g WHERE g.host_id = ?6 AND" WINDOW ORDER};
/* ?6: the ids of the hosts one behind the other, 16 bytes each. */
static const struct db_sql sql_hosted_by = {
    "WITH RECURSIVE host (at) AS"
    " (VALUES (1) UNION ALL SELECT at + 16 FROM host WHERE at + 16 < length(?6)) " KEY(
        "0") "host CROSS JOIN gathering g INDEXED BY gathering_by_host"
             " ON g.host_id = substr(?6, host.at, 16) WHERE g.visibility < 2 AND" WINDOW ORDER};
_Static_assert(SOCIAL_PRIVATE == 2 && sizeof(struct id) == 16, "the statement says so");

static int ask_hosts(struct db_tx *tx, const struct db_sql *sql, const struct gathering_window *w,
                     const struct id *hosts, size_t count, struct gathering_keys *keys,
                     struct error *err)
{
    struct db_rows rows;
    struct cursor at = entry(w, (int64_t)CALENDAR_DAYS_MAX * DAY_MS);
    struct slice ids = slice_of((const char *)hosts, count * sizeof *hosts);
    int rc = db_query(tx, sql, &rows, err, db_int(at.number), id_bytes(&at.id),
                      db_int(window_end(w, keys)), db_int(w->from), db_int((int64_t)keys->max),
                      db_blob(ids));
    return rc < 0 ? rc : add_rows(&rows, keys, err);
}

int list_store_hosted(struct db_tx *tx, const struct gathering_window *w, const struct id *host,
                      struct gathering_keys *keys, struct error *err)
{
    return ask_hosts(tx, &sql_hosted, w, host, 1, keys, err);
}

/* --- those of very many hosts ------------------------------------------------------------------
 *
 * Somebody may follow thousands, of whom few host something. So what comes next is read in order of
 * start, whoever hosts it, and looked for among those followed: that ends with the page, or with
 * the house's events. Where strangers host so much that it would take longer than asking for each
 * of those followed, each of them is asked for.
 */

enum { HOSTS_AT_ONCE = 500, ROWS_MIN = 1000, ROWS_A_HOST = 1 };

static int by_id(const void *a, const void *b)
{
    return id_cmp(a, b);
}

struct walk {
    const struct id *hosts;
    size_t count, rows_left;
    struct gathering_keys *keys;
};

/* Ends where nothing can come into the keys any more. */
static int walk_rows(struct walk *walk, struct db_rows *rows, struct error *err)
{
    struct gathering_keys *keys = walk->keys;
    int rc;
    while ((rc = db_next(rows, err)) > 0) {
        struct gathering_key key = {.starts_at = db_col_int(rows, 0),
                                    .id = db_col_id(rows, 1),
                                    .host_id = db_col_id(rows, 2),
                                    .visibility = (int)db_col_int(rows, 3)};
        if (keys->count == keys->max && key_order(&keys->items[keys->max - 1], &key) < 0) {
            db_rows_close(rows);
            return 0;
        }
        walk->rows_left--;
        if (bsearch(&key.host_id, walk->hosts, walk->count, sizeof key.host_id, by_id) != NULL)
            add_key(keys, &key);
    }
    return rc;
}

/* *rows_left is 0 when it did not come to the end. */
static int walk_window(struct db_tx *tx, const struct gathering_window *w, int visibility,
                       int is_long, struct walk *walk, struct error *err)
{
    struct db_rows rows;
    int rc = ask_open(tx, w, visibility, is_long, window_end(w, walk->keys), walk->rows_left, &rows,
                      err);
    return rc < 0 ? rc : walk_rows(walk, &rows, err);
}

static int ask_each(struct db_tx *tx, const struct gathering_window *w, const struct walk *walk,
                    struct error *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < walk->count; i += HOSTS_AT_ONCE) {
        size_t left = walk->count - i;
        rc = ask_hosts(tx, &sql_hosted_by, w, &walk->hosts[i],
                       left < HOSTS_AT_ONCE ? left : HOSTS_AT_ONCE, walk->keys, err);
    }
    return rc;
}

int list_store_followed(struct db_tx *tx, const struct gathering_window *w, const struct id *hosts,
                        size_t count, bool with_public, struct gathering_keys *keys,
                        struct error *err)
{
    struct walk walk = {hosts, count, ROWS_MIN + ROWS_A_HOST * count, keys};
    int rc = 0;
    if (count == 0)
        return 0;
    for (int v = with_public ? SOCIAL_PUBLIC : SOCIAL_FOLLOWERS; v <= SOCIAL_FOLLOWERS; v++)
        for (int is_long = 0; rc == 0 && walk.rows_left > 0 && is_long < 2; is_long++)
            rc = walk_window(tx, w, v, is_long, &walk, err);
    return rc < 0 || walk.rows_left > 0 ? rc : ask_each(tx, w, &walk, err);
}

static const struct db_sql sql_answered = {
    KEY("1") "rsvp r JOIN gathering g ON g.gathering_id = r.gathering_id WHERE r.user_id = ?6"
             " AND" WINDOW ORDER};
static const struct db_sql sql_invited = {
    KEY("1") "invite i JOIN gathering g ON g.gathering_id = i.gathering_id WHERE i.user_id = ?6"
             " AND" WINDOW ORDER};

int list_store_answered(struct db_tx *tx, const struct gathering_window *w, const struct id *user,
                        struct gathering_keys *keys, struct error *err)
{
    static const struct db_sql *const sources[] = {&sql_answered, &sql_invited};
    struct cursor at = entry(w, (int64_t)CALENDAR_DAYS_MAX * DAY_MS);
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < ARRAY_LEN(sources); i++) {
        struct db_rows rows;
        rc = db_query(tx, sources[i], &rows, err, db_int(at.number), id_bytes(&at.id),
                      db_int(w->to), db_int(w->from), db_int((int64_t)keys->max), db_id(user));
        if (rc == 0)
            rc = add_rows(&rows, keys, err);
    }
    return rc;
}

#define ANSWERED                                                                                   \
    "(EXISTS (SELECT 1 FROM rsvp r WHERE r.gathering_id = g.gathering_id AND r.user_id = ?6)"      \
    " OR EXISTS (SELECT 1 FROM invite i WHERE i.gathering_id = g.gathering_id AND i.user_id = "    \
    "?6))"
/* ?8 is enum gathering_scope. */
static const struct db_sql sql_search = {KEY(
    "g.host_id = ?6 OR " ANSWERED) "(SELECT rowid AS doc_id FROM gathering_fts"
                                   " WHERE gathering_fts MATCH ?7 ORDER BY rowid DESC LIMIT ?9) f"
                                   " JOIN gathering g ON g.doc_id = f.doc_id WHERE" WINDOW
                                   " AND CASE ?8 WHEN 1 THEN g.host_id = ?6 WHEN 2 THEN " ANSWERED
                                   " WHEN 4 THEN g.visibility = 0 ELSE 1 END" ORDER};

int list_store_search(struct db_tx *tx, const struct gathering_window *w, const struct id *user,
                      int scope, struct slice match, struct gathering_keys *keys, struct error *err)
{
    struct db_rows rows;
    struct cursor at = entry(w, (int64_t)CALENDAR_DAYS_MAX * DAY_MS);
    int rc = db_query(tx, &sql_search, &rows, err, db_int(at.number), id_bytes(&at.id),
                      db_int(w->to), db_int(w->from), db_int((int64_t)keys->max), db_id(user),
                      db_text(match), db_int(scope), db_int(CALENDAR_FOUND_MAX));
    return rc < 0 ? rc : add_rows(&rows, keys, err);
}

static const struct db_sql sql_feed = {
    "SELECT gathering_id FROM gathering WHERE host_id = ?1 AND starts_at > ?4 AND ends_at > ?2"
    " AND deleted_at IS NULL"
    " UNION SELECT g.gathering_id FROM rsvp r JOIN gathering g ON g.gathering_id = r.gathering_id"
    " WHERE r.user_id = ?1 AND r.status IN (0, 1) AND g.ends_at > ?2 AND g.deleted_at IS NULL"
    " ORDER BY gathering_id DESC LIMIT ?3"};

int list_store_feed(struct db_tx *tx, const struct id *user, int64_t from, size_t limit,
                    struct id *ret_ids, size_t *ret_count, struct error *err)
{
    struct db_rows rows;
    size_t count = 0;
    int rc = db_query(tx, &sql_feed, &rows, err, db_id(user), db_int(from), db_int((int64_t)limit),
                      db_int(from - (int64_t)CALENDAR_DAYS_MAX * DAY_MS));
    if (rc < 0)
        return rc;
    while ((rc = db_next(&rows, err)) > 0)
        ret_ids[count++] = db_col_id(&rows, 0);
    *ret_count = count;
    return rc;
}
