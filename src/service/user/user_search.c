/* Finding people by words of their names (U03); docs/design/search.md.
 *
 * Three steps, each over a bounded number of candidates: usernames that begin with the query, names
 * that have all of its words, names with words that begin so. What was found is kept for a minute
 * in the ephemeral store, under a key that names the version of the index: a change of the index
 * makes every kept search unreachable, so nobody sees an old one.
 */
#include <stdio.h>

#include "base/hash.h"
#include "base/json.h"
#include "service/user/user_contact.h"
#include "service/user/user_store.h"

enum { TERMS_MAX = 8, MATCH_BYTES_MAX = 2048, KEPT_MS = 60000 };

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* What people type is no query language: each word becomes a quoted term of FTS5, with `more` one
 * that matches the beginnings of words. */
static unsigned write_terms(struct slice query, const char *more, struct buf *out)
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
        buf_char(out, '"');
        buf_str(out, more);
    }
    return terms;
}

/* The query as the beginning of a username, lower case; absent when none can begin so. */
static struct slice as_username(struct slice query, struct arena *arena)
{
    struct slice name = arena_copy_lower(arena, query);
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '.' && c != '_')
            return (struct slice){0};
    }
    return name;
}

struct search {
    struct slice username, words, beginnings;
    struct user_search_hits *hits;
};

static int search_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct search *s = arg;
    int rc = user_search_store_names(tx, s->username, s->hits, err);
    if (rc == 0)
        rc = user_search_store_match(tx, s->words, s->hits, err);
    if (rc == 0)
        rc = user_search_store_match(tx, s->beginnings, s->hits, err);
    return rc;
}

struct kept_key {
    char text[128];
};

/* Words decide everything, also the username: it is one of them. */
static struct kept_key key_of(struct user_room *room, const struct search *s)
{
    struct kept_key key;
    snprintf(key.text, sizeof key.text, "user.search:%llu:%016llx%016llx",
             (unsigned long long)atomic_load(&room->index_version),
             (unsigned long long)hash_bytes(s->words.ptr, s->words.len),
             (unsigned long long)hash_bytes(s->beginnings.ptr, s->beginnings.len));
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
        value.len % sizeof s->hits->ids[0] != 0 || value.len > sizeof s->hits->ids)
        return false;
    memcpy(s->hits->ids, value.ptr, value.len);
    s->hits->count = value.len / sizeof s->hits->ids[0];
    return true;
}

static void remember(struct user_room *room, const struct kept_key *key, const struct search *s)
{
    struct kv *kv = room->kit->kv;
    struct error ignored;
    error_init(&ignored);
    struct slice ids =
        slice_of((const char *)s->hits->ids, s->hits->count * sizeof s->hits->ids[0]);
    (void)!kv->ops->set(kv, slice_str(key->text), ids, KEPT_MS, &ignored);
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

static int find_words(struct user_room *room, struct slice query, struct arena *arena,
                      struct user_search_hits *hits, struct error *err)
{
    struct buf words, beginnings;
    buf_init(&words, MATCH_BYTES_MAX);
    buf_init(&beginnings, MATCH_BYTES_MAX);
    unsigned terms = write_terms(query, "", &words);
    write_terms(query, "*", &beginnings);
    struct search s = {.username = as_username(query, arena),
                       .words = buf_view(&words),
                       .beginnings = buf_view(&beginnings),
                       .hits = hits};
    int rc = 0;
    if (!buf_ok(&words) || !buf_ok(&beginnings))
        rc = error_field(err, "q", "too_long", "The search is too long.");
    else if (terms > 0)
        rc = find(room, arena, &s, err);
    buf_done(&words);
    buf_done(&beginnings);
    return rc;
}

int user_search(struct user_room *room, struct slice query, unsigned skip, unsigned limit,
                struct arena *arena, struct id *ret_ids, size_t *ret_count, struct error *err)
{
    struct user_search_hits *hits = arena_alloc(arena, sizeof *hits);
    bool is_address = false;
    *ret_count = 0;
    if (hits == NULL)
        return error_set(err, FAIL_TOO_LARGE, "too_large", "The request is too large.");
    if (utf8_length(query) > USER_SEARCH_CHARS_MAX)
        return error_field(err, "q", "too_long", "At most %d characters.", USER_SEARCH_CHARS_MAX);
    query = slice_trim(query);
    hits->count = 0;
    int rc = user_contact_find(room, query, arena, &is_address, &hits->ids[0], err);
    if (rc == 0 && is_address)
        hits->count = id_is_nil(&hits->ids[0]) ? 0 : 1;
    else if (rc == 0)
        rc = find_words(room, query, arena, hits, err);
    if (rc < 0)
        return rc;
    for (size_t i = skip; i < hits->count && *ret_count <= limit; i++)
        ret_ids[(*ret_count)++] = hits->ids[i];
    return 0;
}
