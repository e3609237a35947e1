/* A user's chats, newest activity first: one query for all of them, because activity moves with
 * every message and is kept for the newest in memory only; the sort is done here.
 */
#include <stdatomic.h>
#include <stdlib.h>

#include "service/chat/chat_room.h"

enum { ROWS_BYTES_MAX = 16 << 20 }; /* CHAT_PER_USER_MAX with the longest titles fit */

struct listing {
    struct chat_call *call;
    const struct page_query *query;
    struct arena rows; /* the whole list; the call's arena gets the page only */
    struct cursor cursor;
    bool from_cursor;
    struct chat_list result;
};

/* Memory knows the messages that the fold has not reached. */
static void add_recent(struct chat_call *call, struct chat_row *row)
{
    uint64_t seq;
    int64_t at_ms;
    if (!message_store_newest(call->room->messages, &row->chat.id, &seq, &at_ms) ||
        (int64_t)seq < row->chat.last_seq)
        return;
    row->chat.last_seq = (int64_t)seq;
    if (at_ms > row->active_at)
        row->active_at = at_ms;
}

static int newest_first(const void *a, const void *b)
{
    const struct chat_row *x = a, *y = b;
    if (x->active_at != y->active_at)
        return x->active_at > y->active_at ? -1 : 1;
    return id_cmp(&y->chat.id, &x->chat.id);
}

static size_t first_after(const struct listing *list, const struct chat_row *rows, size_t count)
{
    struct chat_row end = {.active_at = list->cursor.number, .chat.id = list->cursor.id};
    size_t first = 0;
    while (list->from_cursor && first < count && newest_first(&rows[first], &end) <= 0)
        first++;
    return first;
}

struct own {
    const struct id *user;
    uint64_t last_seq, seq;
};

static void count_own(void *arg, const struct id *sender, uint64_t seq)
{
    struct own *own = arg;
    if (seq <= own->last_seq && id_eq(sender, own->user))
        own->seq = seq;
}

uint64_t chat_own_seq(struct chat_call *call, const struct id *chat, uint64_t last_seq)
{
    struct own own = {.user = &call->user, .last_seq = last_seq};
    message_store_each_recent(call->room->messages, chat, count_own, &own);
    return own.seq;
}

static int complete(struct listing *list, struct db_tx *tx, const struct chat_row *row,
                    struct chat *chat, struct error *err)
{
    struct chat_call *call = list->call;
    struct chat_message *last = arena_alloc(call->arena, sizeof *last);
    struct message_ref ref;
    if (last == NULL)
        return error_set(err, FAIL_TOO_LARGE, "page_too_large", "Ask for fewer chats.");
    *chat = row->chat;
    chat->title = arena_copy(call->arena, row->chat.title);
    uint64_t read = (uint64_t)chat->read_seq;
    uint64_t own = chat_own_seq(call, &chat->id, (uint64_t)chat->last_seq);
    chat_describe_read(chat, own > read ? own : read);
    if (chat->last_seq == 0)
        return 0;
    int rc = message_store_get(call->room->messages, tx, &chat->id, (uint64_t)chat->last_seq,
                               call->arena, &ref, err);
    if (rc == 0)
        rc = chat_decode_message(ref.json, call->arena, last, err);
    chat->last_message = last;
    return rc;
}

static int list_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct listing *list = arg;
    struct chat_call *call = list->call;
    struct chat_row *rows;
    size_t count, limit = (size_t)list->query->limit;
    arena_reset(&list->rows); /* a second try */
    int rc = chat_store_list(tx, &call->user, &list->rows, &rows, &count, err);
    if (rc != 0)
        return rc;
    for (size_t i = 0; i < count; i++)
        add_recent(call, &rows[i]);
    qsort(rows, count, sizeof *rows, newest_first);
    size_t first = first_after(list, rows, count);
    size_t shown = count - first < limit ? count - first : limit;
    struct chat *items = arena_array(call->arena, shown + 1, sizeof *items);
    if (items == NULL)
        return error_set(err, FAIL_TOO_LARGE, "page_too_large", "Ask for fewer chats.");
    for (size_t i = 0; rc == 0 && i < shown; i++)
        rc = complete(list, tx, &rows[first + i], &items[i], err);
    list->result = (struct chat_list){items, shown, first + shown < count, {0}};
    if (shown > 0)
        list->result.next =
            (struct cursor){rows[first + shown - 1].active_at, rows[first + shown - 1].chat.id};
    return rc;
}

int chat_list(struct chat_call *call, const struct page_query *query, struct chat_list *ret_list)
{
    struct listing list = {.call = call, .query = query};
    arena_init(&list.rows, ROWS_BYTES_MAX);
    int rc = cursor_decode(query->cursor, &list.cursor, &list.from_cursor, call->err);
    if (rc == 0)
        rc = chat_read_db(call->room, list_tx, &list, call->err);
    arena_done(&list.rows);
    if (rc == 0)
        *ret_list = list.result;
    return rc;
}

int chat_streams(void *room, struct db_tx *tx, const struct id *user, stream_fn *fn, void *arg,
                 struct error *err)
{
    return chat_store_streams(tx, user, fn, arg, err);
}
