/* Finding people by words of their names (U03).
 *
 * What was found is kept for a minute in the ephemeral store, under a key that names the version of
 * the index: a change of the index makes every kept search unreachable, so nobody sees an old one.
 */
#include <stdio.h>

#include "base/hash.h"
#include "base/json.h"
#include "service/user/user_room.h"
#include "service/user/user_store.h"

enum { TERMS_MAX = 8, MATCH_BYTES_MAX = 2048, KEPT_MS = 60000 };

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* What people type is no query language: each word becomes a quoted term of FTS5 that matches the
 * beginnings of words. */
static unsigned write_terms(struct slice query, struct buf *out)
{
    unsigned terms = 0;
    size_t i = 0;
    while (i < query.len && terms < TERMS_MAX) {
        while (i < query.len && is_blank(query.ptr[i]))
            i++;
        if (i == query.len)
            break;
        buf_str(out, terms++ > 0 ? " \"" : "\"");
        for (; i < query.len && !is_blank(query.ptr[i]); i++) {
            if (query.ptr[i] == '"')
                buf_char(out, '"');
            buf_char(out, query.ptr[i]);
        }
        buf_lit(out, "\"*");
    }
    return terms;
}

/* The query as a username, lower case; it stays what it is when it cannot be one. */
static struct slice as_username(struct slice query, struct arena *arena)
{
    struct slice name = arena_copy(arena, slice_trim(query));
    char *text = (char *)name.ptr; /* our own copy */
    for (size_t i = 0; text != NULL && i < name.len; i++)
        if (text[i] >= 'A' && text[i] <= 'Z')
            text[i] = (char)(text[i] | 0x20);
    return name;
}

struct search {
    struct slice match, username;
    unsigned skip, max;
    struct id *ids;
    size_t count;
};

static int search_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct search *s = arg;
    return user_search_store_find(tx, s->match, s->username, s->skip, s->max, s->ids, &s->count,
                                  err);
}

struct kept_key {
    char text[128];
};

static struct kept_key key_of(struct user_room *room, const struct search *s)
{
    struct kept_key key;
    snprintf(key.text, sizeof key.text, "user.search:%llu:%u:%u:%016llx%016llx",
             (unsigned long long)atomic_load(&room->index_version), s->skip, s->max,
             (unsigned long long)hash_bytes(s->match.ptr, s->match.len),
             (unsigned long long)hash_bytes(s->username.ptr, s->username.len));
    return key;
}

/* The store may be away or forget at any time: then the index is asked. */
static bool recall(struct user_room *room, const struct kept_key *key, struct arena *arena,
                   struct search *s)
{
    struct kv *kv = room->kit->kv;
    struct slice value;
    struct error ignored;
    error_init(&ignored);
    if (kv->ops->get(kv, slice_str(key->text), arena, &value, &ignored) < 0 || value.ptr == NULL ||
        value.len % sizeof s->ids[0] != 0 || value.len > s->max * sizeof s->ids[0])
        return false;
    memcpy(s->ids, value.ptr, value.len);
    s->count = value.len / sizeof s->ids[0];
    return true;
}

static void remember(struct user_room *room, const struct kept_key *key, const struct search *s)
{
    struct kv *kv = room->kit->kv;
    struct error ignored;
    error_init(&ignored);
    (void)!kv->ops->set(kv, slice_str(key->text),
                        slice_of((const char *)s->ids, s->count * sizeof s->ids[0]), KEPT_MS,
                        &ignored);
}

static int find(struct user_room *room, struct arena *arena, struct search *s, struct error *err)
{
    struct kept_key key = key_of(room, s);
    if (recall(room, &key, arena, s))
        return 0;
    int rc = db_read(room->search_db, search_tx, s, err);
    if (rc == 0)
        remember(room, &key, s);
    return rc;
}

int user_search(struct user_room *room, struct slice query, unsigned skip, unsigned limit,
                struct arena *arena, struct id *ret_ids, size_t *ret_count, struct error *err)
{
    struct buf match;
    struct search s = {.skip = skip, .max = limit + 1, .ids = ret_ids};
    *ret_count = 0;
    if (utf8_length(query) > USER_SEARCH_CHARS_MAX)
        return error_field(err, "q", "too_long", "At most %d characters.", USER_SEARCH_CHARS_MAX);
    buf_init(&match, MATCH_BYTES_MAX);
    unsigned terms = write_terms(query, &match);
    s.username = as_username(query, arena);
    s.match = buf_view(&match);
    int rc = 0;
    if (!buf_ok(&match) || s.username.ptr == NULL)
        rc = error_field(err, "q", "too_long", "The search is too long.");
    else if (terms > 0)
        rc = find(room, arena, &s, err);
    buf_done(&match);
    if (rc == 0)
        *ret_count = s.count;
    return rc;
}
