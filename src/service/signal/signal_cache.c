/* Signals in the cache, under the keys that X02 names: one signal; the first page of one's own, of
 * all (admins), and of the public board. A list is lines: the row's key in the list, its author,
 * its JSON. Whatever is on other pages is read from the database.
 */
#include <stdio.h>

#include "kit/emit.h"
#include "service/signal/signal_store.h"

enum { SIGNAL_BYTES_MAX = 64 << 10, LIST_BYTES_MAX = 4 << 20, KEPT_ROWS = PAGE_LIMIT_DEFAULT + 1 };

#define KEY_ONE "trade-signal:"
#define KEY_USER "trade-signals:user:"
#define KEY_ALL "trade-signals:admin:all"
#define KEY_APPROVED "trade-signals:public:approved"
#define KEY_MAX 64

static struct slice key_with(const char *prefix, const struct id *id, char key[KEY_MAX])
{
    size_t len = strlen(prefix);
    memcpy(key, prefix, len);
    id_format(id, key + len);
    return slice_of(key, len + ID_TEXT_LEN);
}

/* The cache's answer in the arena: what is decoded from it is borrowed. */
static int ask_cache(struct signal_call *call, struct slice key, cache_make_fn *make, void *arg,
                     size_t max, struct slice *ret_value)
{
    struct buf value;
    buf_init(&value, max);
    int rc = cache_get(call->room->cache, key, make, arg, call->arena, &value, call->err);
    if (rc == 0) {
        *ret_value = arena_copy(call->arena, buf_view(&value));
        if (ret_value->ptr == NULL)
            rc = error_set(call->err, FAIL_TOO_LARGE, "too_large", "The request is too large.");
    }
    buf_done(&value);
    return rc;
}

/* --- one ---------------------------------------------------------------------------------------
 */

struct reading {
    struct signal_call *call;
    const struct id *id;
    struct trade_signal signal;
    bool found;
};

static int read_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct reading *r = arg;
    return signal_store_get(tx, r->id, r->call->arena, &r->signal, &r->found, err);
}

static int make_one(void *arg, struct arena *arena, struct buf *out, struct error *err)
{
    struct reading *r = arg;
    (void)arena; /* the same as the call's */
    int rc = db_read(r->call->room->db, read_tx, r, err);
    if (rc == 0 && !r->found)
        rc = signal_not_found(err);
    if (rc == 0)
        schema_encode(&trade_signal_schema, &r->signal, out);
    return rc;
}

int signal_cached(struct signal_call *call, const struct id *signal,
                  struct trade_signal *ret_signal)
{
    struct reading r = {.call = call, .id = signal};
    char key[KEY_MAX];
    struct slice json;
    int rc = ask_cache(call, key_with(KEY_ONE, signal, key), make_one, &r, SIGNAL_BYTES_MAX, &json);
    return rc == 0 ? schema_decode(&trade_signal_schema, json, call->arena, ret_signal, call->err)
                   : rc;
}

/* --- lists -------------------------------------------------------------------------------------
 */

struct listing {
    struct signal_call *call;
    struct signal_span span;
    struct trade_signal *signals;
    size_t count;
};

static int list_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct listing *l = arg;
    return signal_store_list(tx, &l->span, l->call->arena, l->signals, &l->count, err);
}

static void write_line(const struct cursor *key, const struct trade_signal *signal, struct buf *out)
{
    char id[ID_TEXT_LEN + 1], author[ID_TEXT_LEN + 1];
    id_format(&key->id, id);
    id_format(&signal->user_id, author);
    buf_printf(out, "%lld %s %s ", (long long)key->number, id, author);
    schema_encode(&trade_signal_schema, signal, out);
    buf_char(out, '\n');
}

static int make_lines(void *arg, struct arena *arena, struct buf *out, struct error *err)
{
    struct listing *l = arg;
    (void)arena;
    l->signals = arena_array(l->call->arena, l->span.max, sizeof *l->signals);
    if (l->signals == NULL)
        return error_set(err, FAIL_TOO_LARGE, "too_large", "The request is too large.");
    int rc = db_read(l->call->room->db, list_tx, l, err);
    for (size_t i = 0; rc == 0 && i < l->count; i++) {
        struct cursor key = signal_key(l->span.list, &l->signals[i]);
        write_line(&key, &l->signals[i], out);
    }
    return rc;
}

struct line {
    struct cursor key;
    struct id author;
    struct slice json;
};

/* JSON has no line ends of its own: the encoder escapes them. */
static bool next_line(struct slice *lines, struct line *ret_line)
{
    struct slice rest, number, id, author;
    if (!slice_cut(lines, '\n', &rest))
        return false;
    bool good = slice_cut(&rest, ' ', &number) && slice_to_i64(number, &ret_line->key.number) &&
                slice_cut(&rest, ' ', &id) && id_parse(id, &ret_line->key.id) &&
                slice_cut(&rest, ' ', &author) && id_parse(author, &ret_line->author);
    ret_line->json = rest;
    return !should_not(!good);
}

/* The first page of a list that is kept, and of a size that is kept. */
static bool is_kept(const struct signal_query *query)
{
    return query->list != SIGNAL_LIST_STATUS && query->page->cursor.ptr == NULL &&
           query->page->limit < KEPT_ROWS;
}

static struct slice list_key(const struct signal_call *call, enum signal_list list,
                             char key[KEY_MAX])
{
    if (list == SIGNAL_LIST_OWN)
        return key_with(KEY_USER, &call->principal->user, key);
    return list == SIGNAL_LIST_ALL ? SLICE(KEY_ALL) : SLICE(KEY_APPROVED);
}

static int read_lines(struct signal_call *call, const struct signal_query *query, struct listing *l,
                      struct slice *ret_lines)
{
    char key[KEY_MAX];
    struct buf out;
    if (is_kept(query)) {
        l->span.max = KEPT_ROWS;
        return ask_cache(call, list_key(call, query->list, key), make_lines, l, LIST_BYTES_MAX,
                         ret_lines);
    }
    buf_init(&out, LIST_BYTES_MAX);
    int rc = make_lines(l, call->arena, &out, call->err);
    *ret_lines = rc == 0 ? arena_copy(call->arena, buf_view(&out)) : (struct slice){0};
    if (rc == 0 && (!buf_ok(&out) || ret_lines->ptr == NULL))
        rc = error_set(call->err, FAIL_TOO_LARGE, "too_large", "Ask for fewer signals at once.");
    buf_done(&out);
    return rc;
}

static void fill_page(const struct signal_query *query, struct slice lines,
                      struct id authors[PAGE_LIMIT_MAX], struct signal_page *page)
{
    struct line line;
    int64_t left = query->page->limit;
    while (next_line(&lines, &line)) {
        page->more = left == 0;
        if (left-- == 0)
            return;
        page->next = line.key;
        authors[page->count] = line.author;
        page->items[page->count++] = line.json;
    }
}

/* The board is without those who are switched off, and for somebody who is signed in without those
 * whom a block stands between. */
static int leave_out_hidden(struct signal_call *call, const struct id *authors,
                            struct signal_page *page)
{
    const struct social_calls *social = call->room->social;
    bool absent[PAGE_LIMIT_MAX];
    size_t kept = 0;
    if (page->count == 0)
        return 0;
    int rc = signal_absent(call->room, authors, page->count, absent, call->err);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < page->count; i++) {
        bool blocked = call->principal != NULL &&
                       social->blocked(social->room, &call->principal->user, &authors[i]);
        if (!absent[i] && !blocked)
            page->items[kept++] = page->items[i];
    }
    page->count = kept;
    return 0;
}

int signal_page(struct signal_call *call, const struct signal_query *query,
                struct signal_page *ret_page)
{
    struct listing l = {.call = call,
                        .span = {.list = query->list,
                                 .status = query->status,
                                 .max = (size_t)query->page->limit + 1}};
    struct signal_page page = {0};
    struct slice lines;
    bool given;
    int rc = cursor_decode(query->page->cursor, &l.span.before, &given, call->err);
    if (rc < 0)
        return rc;
    if (!given)
        l.span.before.number = INT64_MAX;
    if (query->list == SIGNAL_LIST_OWN)
        l.span.user = call->principal->user;
    page.items = arena_array(call->arena, (size_t)query->page->limit, sizeof *page.items);
    if (page.items == NULL)
        return error_set(call->err, FAIL_TOO_LARGE, "too_large", "The request is too large.");
    struct id authors[PAGE_LIMIT_MAX];
    rc = read_lines(call, query, &l, &lines);
    if (rc < 0)
        return rc;
    fill_page(query, lines, authors, &page);
    if (query->list == SIGNAL_LIST_APPROVED)
        rc = leave_out_hidden(call, authors, &page);
    if (rc == 0)
        *ret_page = page;
    return rc;
}

/* --- invalidation ------------------------------------------------------------------------------
 */

static void forget_signal(void *arg, const struct id *signal)
{
    struct signal_room *room = arg;
    char key[KEY_MAX];
    cache_forget(room->cache, key_with(KEY_ONE, signal, key));
    cache_forget(room->cache, SLICE(KEY_ALL));
    cache_forget(room->cache, SLICE(KEY_APPROVED));
}

static void forget_own_list(void *arg, const struct id *author)
{
    struct signal_room *room = arg;
    char key[KEY_MAX];
    cache_forget(room->cache, key_with(KEY_USER, author, key));
}

int signal_forget(struct signal_room *room, struct db_tx *tx, const struct id *signal,
                  const struct id *author, struct error *err)
{
    int rc = kit_after_commit(tx, forget_signal, room, signal, err);
    return rc == 0 ? kit_after_commit(tx, forget_own_list, room, author, err) : rc;
}
