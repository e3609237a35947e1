/* Reading messages: one, a page of the history, what one said before its edits. What memory holds
 * is answered from memory, without a database snapshot.
 */
#include "service/chat/chat_room.h"

int chat_get_message(struct chat_call *call, const struct chat_place *what, struct slice *ret_json)
{
    struct chat_look look;
    struct chat_member *member;
    int rc = chat_look_in(call, &what->chat_id, &look, &member);
    if (rc != 0)
        return rc;
    chat_view_unref(look.view);
    return chat_find_message(call, what, look.last_seq, ret_json);
}

struct page {
    struct chat_call *call;
    const struct id *chat;
    uint64_t before, after;
    unsigned limit;
    bool reverse; /* asked for by `before` to get what follows the beginning */
    struct message_ref *refs;
    unsigned count;
};

static int page_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct page *page = arg;
    return message_store_page(page->call->room->messages, tx, page->chat, page->before, page->after,
                              page->limit, page->call->arena, page->refs, &page->count, err);
}

static int invalid_range(struct error *err)
{
    return error_field(err, "after", "not_allowed",
                       "must not be given together with before or cursor");
}

/* A cursor is the last seq, with the direction where an id would be. */
static int set_range(struct page *page, const struct chat_history_query *query, struct error *err)
{
    struct cursor cursor;
    bool given;
    int rc = cursor_decode(query->cursor, &cursor, &given, err);
    bool before = schema_has(query->present, CHAT_HISTORY_BEFORE);
    bool after = schema_has(query->present, CHAT_HISTORY_AFTER);
    if (rc != 0)
        return rc;
    if (before + after + given > 1)
        return invalid_range(err);
    if (given && (cursor.number < 1 || cursor.number > UINT32_MAX || cursor.id.bytes[0] > 1))
        return error_set(err, FAIL_BAD_REQUEST, "invalid_cursor",
                         "The cursor is not one that this server gave.");
    bool ascending = given ? cursor.id.bytes[0] == 1 : after;
    uint64_t from = (uint64_t)(given ? cursor.number : after ? query->after : query->before);
    page->reverse = ascending && from == 0;
    if (page->reverse)
        page->before = page->limit + 1;
    else if (ascending)
        page->after = from;
    else
        page->before = from;
    return 0;
}

static void finish_page(struct page *page, uint64_t last_seq, struct chat_history *ret_page)
{
    struct message_ref *refs = page->refs;
    for (unsigned i = 0; page->reverse && i < page->count / 2; i++) {
        struct message_ref swap = refs[i];
        refs[i] = refs[page->count - 1 - i];
        refs[page->count - 1 - i] = swap;
    }
    bool ascending = page->reverse || page->after > 0;
    *ret_page = (struct chat_history){.items = refs, .count = page->count};
    if (page->count == 0)
        return;
    uint64_t end = refs[page->count - 1].seq;
    ret_page->more = ascending ? end < last_seq : end > 1;
    ret_page->next = (struct cursor){.number = (int64_t)end, .id.bytes[0] = ascending};
}

int chat_history(struct chat_call *call, const struct id *chat,
                 const struct chat_history_query *query, struct chat_history *ret_page)
{
    struct chat_look look;
    struct chat_member *member;
    struct page page = {.call = call, .chat = chat, .limit = (unsigned)query->limit};
    int rc = set_range(&page, query, call->err);
    if (rc == 0)
        rc = chat_look_in(call, chat, &look, &member);
    if (rc != 0)
        return rc;
    chat_view_unref(look.view);
    page.refs = arena_array(call->arena, page.limit, sizeof *page.refs);
    if (page.refs == NULL)
        return error_set(call->err, FAIL_TOO_LARGE, "page_too_large", "The page is too large.");
    if (!message_store_recent(call->room->messages, chat, look.last_seq, page.before, page.after,
                              page.limit, call->arena, page.refs, &page.count))
        rc = chat_read_db(call->room, page_tx, &page, call->err);
    if (rc == 0)
        finish_page(&page, look.last_seq, ret_page);
    return rc;
}

struct edits {
    struct chat_call *call;
    const struct chat_place *place;
    struct chat_edit_version *versions;
    size_t count;
};

static int edits_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct edits *edits = arg;
    return chat_store_edits(tx, edits->place, CHAT_EDITS_MAX, edits->call->arena, &edits->versions,
                            &edits->count, err);
}

int chat_message_edits(struct chat_call *call, const struct chat_place *what,
                       struct chat_edit_version **ret_versions, size_t *ret_count)
{
    struct slice json;
    struct edits edits = {.call = call, .place = what};
    int rc = chat_get_message(call, what, &json);
    if (rc == 0)
        rc = db_read(call->room->db, edits_tx, &edits, call->err);
    if (rc != 0)
        return rc;
    *ret_versions = edits.versions;
    *ret_count = edits.count;
    return 0;
}
