/* What a person may take along of their chats (Z07): their memberships, and the messages that they
 * themselves wrote in the chats that they are in. What others wrote is the others'. */
#include <stdio.h>

#include "service/chat/chat_room.h"
#include "service/chat/chat_store.h"

enum { PAGE = 100, PAGE_BYTES_MAX = 8 << 20, ITEM_BYTES_MAX = 4096 };

static const struct schema_field membership_fields[] = {
    {"chat_id", NULL, SCHEMA_ID, SCHEMA_REQUIRED, SCHEMA_AT(struct chat_membership, chat_id)},
    {"kind", NULL, SCHEMA_ENUM, SCHEMA_REQUIRED, SCHEMA_AT(struct chat_membership, kind),
     .names = chat_kind_names},
    {"title", NULL, SCHEMA_STRING, SCHEMA_NULLABLE, SCHEMA_AT(struct chat_membership, title)},
    {"role", NULL, SCHEMA_ENUM, SCHEMA_REQUIRED, SCHEMA_AT(struct chat_membership, role),
     .names = chat_role_names},
    {"joined_at", NULL, SCHEMA_TIME, SCHEMA_REQUIRED, SCHEMA_AT(struct chat_membership, joined_at)},
    {"archived", NULL, SCHEMA_BOOL, SCHEMA_REQUIRED, SCHEMA_AT(struct chat_membership, archived)},
    {"muted_until", NULL, SCHEMA_TIME, SCHEMA_NULLABLE,
     SCHEMA_AT(struct chat_membership, muted_until)},
};
static SCHEMA_DEF(membership_schema, struct chat_membership, "ExportedMembership", NULL,
                  membership_fields);

struct giving {
    struct chat_room *room;
    export_fn *fn;
    void *arg;
    char sender[sizeof "\"sender_id\":\"\"" + ID_TEXT_LEN]; /* as it stands in their messages */
};

/* A quote inside of a text is escaped, so this stands only where it means what it says. */
static bool is_own(const struct giving *g, struct slice json)
{
    return memmem(json.ptr, json.len, g->sender, sizeof g->sender - 1) != NULL;
}

static int give_messages(const struct giving *g, struct db_tx *tx, const struct id *chat,
                         struct error *err)
{
    struct message_ref refs[PAGE];
    struct arena arena;
    uint64_t after = 0;
    unsigned count = 0;
    int rc;
    arena_init(&arena, PAGE_BYTES_MAX);
    do {
        arena_reset(&arena);
        /* The oldest are above seq 0: "after 0" would ask for the newest. */
        rc = after == 0 ? message_store_page(g->room->messages, tx, chat, 2, 0, 1, &arena, refs,
                                             &count, err)
                        : message_store_page(g->room->messages, tx, chat, 0, after, PAGE, &arena,
                                             refs, &count, err);
        for (unsigned i = 0; rc == 0 && i < count; i++)
            if (is_own(g, refs[i].json))
                rc = g->fn(g->arg, "message", refs[i].json, err);
        if (count > 0)
            after = refs[count - 1].seq;
    } while (rc == 0 && count > 0);
    arena_done(&arena);
    return rc;
}

static int give_membership(const struct giving *g, const struct chat_membership *m,
                           struct error *err)
{
    struct buf json;
    buf_init(&json, ITEM_BYTES_MAX);
    schema_encode(&membership_schema, m, &json);
    int rc = buf_ok(&json) ? g->fn(g->arg, "chat", buf_view(&json), err)
                           : error_set(err, FAIL_TOO_LARGE, "too_large", "A chat is too large.");
    buf_done(&json);
    return rc;
}

int chat_export_person(void *room, struct db_tx *tx, const struct id *user, export_fn *fn,
                       void *arg, struct error *err)
{
    struct giving g = {.room = room, .fn = fn, .arg = arg};
    char id_text[ID_TEXT_LEN + 1];
    struct chat_membership m = {.kind = 0};
    struct arena arena;
    bool found = true;
    int rc = 0;
    id_format(user, id_text);
    snprintf(g.sender, sizeof g.sender, "\"sender_id\":\"%s\"", id_text);
    arena_init(&arena, ITEM_BYTES_MAX * 4);
    struct slice after = SLICE("");
    struct id last;
    /* One at a time: the messages of a chat are read before the next one is looked for. */
    while (rc == 0 && found) {
        arena_reset(&arena);
        rc = chat_store_next_membership(tx, user, after, &arena, &m, &found, err);
        if (rc == 0 && found)
            rc = give_membership(&g, &m, err);
        if (rc == 0 && found)
            rc = give_messages(&g, tx, &m.chat_id, err);
        last = m.chat_id;
        after = slice_of((const char *)last.bytes, sizeof last.bytes);
    }
    arena_done(&arena);
    return rc;
}
