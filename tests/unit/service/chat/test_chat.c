/* Chats and members: making, listing, roles, coming and going, and what the others are told. */
#include <stdio.h>
#include <stdlib.h>

#include "base/fault.h"
#include "chat_rig.h"

static bool contains(struct slice text, const char *part)
{
    return memmem(text.ptr, text.len, part, strlen(part)) != NULL;
}

static int direct(struct chat_rig *rig, unsigned one, unsigned other, struct chat *ret_chat)
{
    struct chat_act act;
    struct id id = chat_rig_user(other);
    const struct chat_create what = {.kind = CHAT_DIRECT, .member_ids = {&id, 1}};
    int rc = chat_create(chat_act(&act, rig, one), &what, ret_chat);
    chat_act_done(&act);
    return rc;
}

TEST(direct_is_the_same_chat_from_both_sides)
{
    struct chat_rig rig = {0};
    chat_rig_open(&rig);
    struct chat first = {0}, again = {0}, third = {0};
    CHECK_INT(direct(&rig, 1, 2, &first), 0);
    CHECK_INT(first.member_count, 2);
    struct id two = chat_rig_user(2);
    CHECK(id_eq(&first.peer_id, &two));
    CHECK_INT(direct(&rig, 2, 1, &again), 0);
    CHECK(id_eq(&first.id, &again.id));
    CHECK_INT(direct(&rig, 3, 1, &third), 0);
    CHECK(!id_eq(&first.id, &third.id));
    CHECK_INT(direct(&rig, 1, 1, &again), FAIL_INVALID);
    CHECK_INT(direct(&rig, 1, 0, &again), FAIL_INVALID);
    CHECK(fault_set("db.commit=error@1"));
    CHECK_INT(direct(&rig, 4, 5, &again), FAIL_STORAGE_FULL);
    CHECK(fault_set(""));
    CHECK_INT(direct(&rig, 4, 5, &again), 0);
    chat_rig_crash(&rig);
    CHECK_INT(direct(&rig, 2, 1, &again), 0);
    CHECK(id_eq(&first.id, &again.id));
    rig_close(&rig.base);
}

TEST(bad_chats_are_refused)
{
    struct chat_rig rig = {.group_members_max = 3};
    chat_rig_open(&rig);
    struct id ids[] = {chat_rig_user(2), chat_rig_user(3), chat_rig_user(4), chat_rig_user(0)};
    const struct {
        struct chat_create what;
        const char *field;
    } cases[] = {
        {{CHAT_DIRECT, {ids, 0}, {0}}, "member_ids"},
        {{CHAT_DIRECT, {ids, 2}, {0}}, "member_ids"},
        {{CHAT_DIRECT, {ids, 1}, SLICE("title")}, "title"},
        {{CHAT_CHANNEL, {ids, 1}, {0}}, "title"},
        {{CHAT_GROUP, {ids, 3}, {0}}, "member_ids"},
        {{CHAT_GROUP, {ids + 2, 2}, {0}}, "member_ids[1]"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct chat_act act;
        struct chat chat;
        CHECK_INT(chat_create(chat_act(&act, &rig, 1), &cases[i].what, &chat), FAIL_INVALID);
        CHECK_STR(slice_str(act.err.fields[0].field), cases[i].field);
        chat_act_done(&act);
    }
    rig_close(&rig.base);
}

TEST(a_person_named_twice_is_one_member)
{
    struct chat_rig rig = {.group_members_max = 3};
    chat_rig_open(&rig);
    struct chat_act act;
    struct chat chat = {0};
    struct id ids[] = {chat_rig_user(2), chat_rig_user(1), chat_rig_user(3), chat_rig_user(2)};
    const struct chat_create what = {CHAT_GROUP, {ids, ARRAY_LEN(ids)}, {0}};
    CHECK_OK(chat_create(chat_act(&act, &rig, 1), &what, &chat), &act.err);
    CHECK_INT(chat.member_count, 3);
    chat_act_done(&act);
    rig_close(&rig.base);
}

TEST(everybody_in_a_new_chat_follows_it)
{
    struct chat_rig rig = {0};
    chat_rig_open(&rig);
    struct chat_act act;
    chat_act(&act, &rig, 1);
    uint64_t head = event_log_head(rig.base.kit.log);
    chat_rig_group(&rig, 1, 3);
    struct slice events = chat_rig_events(&rig, head, &act.arena);
    CHECK(slice_starts(events, SLICE("chat.created ")));
    CHECK(contains(events, " +1 +2 +3 {"));
    CHECK(contains(events, "\"title\":\"Group\"") && !contains(events, "unread"));
    chat_act_done(&act);
    rig_close(&rig.base);
}

/* --- members --------------------------------------------------------------------------------- */
static int role_of(struct chat_rig *rig, const struct id *chat, unsigned viewer, unsigned user)
{
    struct chat_act act;
    struct chat_member_list list = {0};
    struct id id = chat_rig_user(user);
    int role = CHAT_NOBODY;
    int rc =
        chat_members(chat_act(&act, rig, viewer), chat, &(struct page_query){.limit = 100}, &list);
    const struct chat_member_item *items = list.items.items;
    for (size_t i = 0; rc == 0 && i < list.items.count; i++)
        if (id_eq(&items[i].user_id, &id))
            role = items[i].role;
    chat_act_done(&act);
    return rc == 0 ? role : rc;
}

static int add(struct chat_rig *rig, const struct id *chat, unsigned by, unsigned user)
{
    struct chat_act act;
    struct id id = chat_rig_user(user);
    struct chat_member_list added;
    int rc = chat_add_members(chat_act(&act, rig, by), chat, &(struct chat_add){{&id, 1}}, &added);
    chat_act_done(&act);
    return rc;
}

static int remove_member(struct chat_rig *rig, const struct id *chat, unsigned by, unsigned user)
{
    struct chat_act act;
    struct id id = chat_rig_user(user);
    int rc = chat_remove_member(chat_act(&act, rig, by), chat, &id);
    chat_act_done(&act);
    return rc;
}

static int give(struct chat_rig *rig, const struct id *chat, unsigned by, unsigned user, int role)
{
    struct chat_act act;
    struct id id = chat_rig_user(user);
    struct chat_member_item item;
    int rc = chat_set_role(chat_act(&act, rig, by), chat, &id, role, &item);
    chat_act_done(&act);
    return rc;
}

TEST(who_may_add_and_remove)
{
    struct chat_rig rig = {.group_members_max = 4};
    chat_rig_open(&rig);
    struct id chat = chat_rig_group(&rig, 1, 2);
    CHECK_INT(add(&rig, &chat, 2, 3), FAIL_FORBIDDEN);
    CHECK_INT(add(&rig, &chat, 9, 3), FAIL_NOT_FOUND);
    CHECK_INT(add(&rig, &chat, 1, 0), FAIL_INVALID);
    CHECK_INT(add(&rig, &chat, 1, 3), 0);
    CHECK_INT(add(&rig, &chat, 1, 3), 0); /* there already */
    CHECK_INT(role_of(&rig, &chat, 3, 3), CHAT_MEMBER);
    CHECK_INT(give(&rig, &chat, 3, 3, CHAT_ADMIN), FAIL_FORBIDDEN);
    CHECK_INT(give(&rig, &chat, 1, 2, CHAT_ADMIN), 0);
    CHECK_INT(give(&rig, &chat, 1, 8, CHAT_ADMIN), FAIL_NOT_FOUND);
    CHECK_INT(give(&rig, &chat, 1, 1, CHAT_MEMBER), FAIL_FORBIDDEN);
    CHECK_INT(add(&rig, &chat, 2, 4), 0);
    CHECK_INT(add(&rig, &chat, 2, 5), FAIL_INVALID); /* full */
    CHECK_INT(remove_member(&rig, &chat, 3, 4), FAIL_FORBIDDEN);
    CHECK_INT(remove_member(&rig, &chat, 2, 1), FAIL_FORBIDDEN);
    CHECK_INT(remove_member(&rig, &chat, 2, 4), 0);
    CHECK_INT(role_of(&rig, &chat, 4, 4), FAIL_NOT_FOUND);
    CHECK_INT(remove_member(&rig, &chat, 2, 4), FAIL_NOT_FOUND);
    chat_rig_crash(&rig);
    CHECK_INT(role_of(&rig, &chat, 1, 2), CHAT_ADMIN);
    CHECK_INT(role_of(&rig, &chat, 4, 4), FAIL_NOT_FOUND);
    rig_close(&rig.base);
}

TEST(a_removed_person_hears_it_once_and_nothing_later)
{
    struct chat_rig rig = {0};
    chat_rig_open(&rig);
    struct id chat = chat_rig_group(&rig, 1, 3);
    struct chat_act act;
    chat_act(&act, &rig, 1);
    uint64_t head = event_log_head(rig.base.kit.log);
    CHECK_INT(remove_member(&rig, &chat, 1, 3), 0);
    struct slice events = chat_rig_events(&rig, head, &act.arena), first;
    CHECK(slice_cut(&events, '\n', &first));
    CHECK(contains(first, " -3 {") && contains(first, "\"role\":null"));
    CHECK(slice_starts(events, SLICE("member.changed 3 {"))); /* on their own stream */
    chat_act_done(&act);
    rig_close(&rig.base);
}

TEST(there_is_always_one_owner)
{
    struct chat_rig rig = {0};
    chat_rig_open(&rig);
    struct id chat = chat_rig_group(&rig, 1, 4);
    CHECK_INT(give(&rig, &chat, 1, 2, CHAT_OWNER), 0);
    CHECK_INT(role_of(&rig, &chat, 1, 1), CHAT_ADMIN);
    CHECK_INT(role_of(&rig, &chat, 1, 2), CHAT_OWNER);
    CHECK_INT(remove_member(&rig, &chat, 2, 2), 0); /* leaves: the admin follows */
    CHECK_INT(role_of(&rig, &chat, 1, 1), CHAT_OWNER);
    CHECK_INT(remove_member(&rig, &chat, 1, 1), 0);
    CHECK_INT(role_of(&rig, &chat, 3, 3) == CHAT_OWNER || role_of(&rig, &chat, 4, 4) == CHAT_OWNER,
              1);
    CHECK_INT(remove_member(&rig, &chat, 3, 3), 0);
    CHECK_INT(role_of(&rig, &chat, 4, 4), CHAT_OWNER);
    CHECK_INT(remove_member(&rig, &chat, 4, 4), 0); /* the last one */
    CHECK_INT(role_of(&rig, &chat, 4, 4), FAIL_NOT_FOUND);
    rig_close(&rig.base);
}

TEST(direct_chats_keep_their_two_members)
{
    struct chat_rig rig = {0};
    chat_rig_open(&rig);
    struct chat chat = {0};
    CHECK_INT(direct(&rig, 1, 2, &chat), 0);
    CHECK_INT(add(&rig, &chat.id, 1, 3), FAIL_FORBIDDEN);
    CHECK_INT(remove_member(&rig, &chat.id, 1, 1), FAIL_FORBIDDEN);
    CHECK_INT(remove_member(&rig, &chat.id, 1, 2), FAIL_FORBIDDEN);
    CHECK_INT(give(&rig, &chat.id, 1, 2, CHAT_ADMIN), FAIL_FORBIDDEN);
    struct chat_act act;
    CHECK_INT(chat_delete(chat_act(&act, &rig, 1), &chat.id), FAIL_FORBIDDEN);
    chat_act_done(&act);
    rig_close(&rig.base);
}

TEST(channel_members_only_read)
{
    struct chat_rig rig = {0};
    chat_rig_open(&rig);
    struct chat_act act;
    struct id two = chat_rig_user(2);
    struct chat chat = {0};
    const struct chat_create what = {CHAT_CHANNEL, {&two, 1}, SLICE("News")};
    CHECK_OK(chat_create(chat_act(&act, &rig, 1), &what, &chat), &act.err);
    const char *code;
    CHECK_INT(chat_rig_send(&rig, 1, &chat.id, "first", "1", NULL), 1);
    CHECK_INT(chat_rig_send(&rig, 2, &chat.id, "me too", "1", &code), 0);
    CHECK_STR(slice_str(code), "channel_read_only");
    CHECK_INT(give(&rig, &chat.id, 1, 2, CHAT_ADMIN), 0);
    CHECK_INT(chat_rig_send(&rig, 2, &chat.id, "me too", "1", NULL), 2);

    /* An admin no longer: no word more, also not inside what was said; a repeat still answers. */
    CHECK_INT(give(&rig, &chat.id, 1, 2, CHAT_MEMBER), 0);
    struct chat_act other;
    struct slice json;
    const struct chat_edit edit = {chat.id, 2, SLICE("edited")};
    CHECK_INT(chat_edit(chat_act(&other, &rig, 2), &edit, &json), FAIL_FORBIDDEN);
    CHECK_STR(slice_str(other.err.code), "channel_read_only");
    chat_act_done(&other);
    CHECK_INT(chat_rig_send(&rig, 2, &chat.id, "me too", "1", NULL), 2);
    chat_act_done(&act);
    rig_close(&rig.base);
}

/* --- changing and ending --------------------------------------------------------------------- */
static int patch_as(struct chat_rig *rig, unsigned user, const struct id *chat,
                    struct chat_patch what, struct chat *ret_chat)
{
    struct chat_act act;
    int rc = chat_patch(chat_act(&act, rig, user), chat, &what, ret_chat);
    chat_act_done(&act);
    return rc;
}

TEST(title_and_settings_are_everybodys_archive_and_mute_ones_own)
{
    struct chat_rig rig = {0};
    chat_rig_open(&rig);
    struct id id = chat_rig_group(&rig, 1, 2);
    struct chat chat;
    struct chat_list list = {0};
    struct chat_patch title = {.present = 1 << CHAT_PATCH_TITLE, .title = SLICE("New")};
    struct chat_patch open = {.present = 1 << CHAT_PATCH_SETTINGS,
                              .settings = {CHAT_INVITE_MEMBERS}};
    struct chat_patch own = {.present = 1 << CHAT_PATCH_ARCHIVED | 1 << CHAT_PATCH_MUTED,
                             .archived = true,
                             .muted_until = 1900000000000};
    CHECK_INT(patch_as(&rig, 2, &id, title, &chat), FAIL_FORBIDDEN);
    CHECK_INT(patch_as(&rig, 3, &id, title, &chat), FAIL_NOT_FOUND);
    CHECK_INT(patch_as(&rig, 1, &id, title, &chat), 0);
    CHECK_INT(patch_as(&rig, 1, &id, open, &chat), 0);
    CHECK_INT(add(&rig, &id, 2, 3), 0); /* every member may now */
    CHECK_INT(patch_as(&rig, 2, &id, own, &chat), 0);
    CHECK_INT(chat.archived, 1);
    for (int round = 0; round < 2; round++) {
        struct chat_act act;
        CHECK_OK(chat_get(chat_act(&act, &rig, 2), &id, &chat), &act.err);
        CHECK_STR(chat.title, "New");
        CHECK(chat.archived && chat.muted_until == 1900000000000);
        CHECK_INT(chat.settings.invite, CHAT_INVITE_MEMBERS);
        CHECK_OK(chat_list(&act.call, &(struct page_query){.limit = 5}, &list), &act.err);
        CHECK_INT(list.count, 1);
        CHECK_INT(list.items[0].member_count, 3);
        CHECK_STR(list.items[0].title, "New");
        act.call.user = chat_rig_user(1);
        CHECK_OK(chat_get(&act.call, &id, &chat), &act.err);
        CHECK(!chat.archived && chat.muted_until == 0);
        chat_act_done(&act);
        chat_rig_crash(&rig);
    }
    rig_close(&rig.base);
}

static int refuse_always(struct chat_call *call, struct slice current_json)
{
    *(bool *)call->unchanged_arg = contains(current_json, "\"title\":\"Group\"");
    return error_set(call->err, FAIL_STALE, "stale", "has changed");
}

TEST(a_stale_change_changes_nothing)
{
    struct chat_rig rig = {0};
    chat_rig_open(&rig);
    struct id id = chat_rig_group(&rig, 1, 2);
    struct chat_act act;
    struct chat_call *call = chat_act(&act, &rig, 1);
    bool seen = false;
    call->unchanged = refuse_always;
    call->unchanged_arg = &seen;
    struct chat chat;
    struct chat_patch what = {.present = 1 << CHAT_PATCH_TITLE, .title = SLICE("New")};
    CHECK_INT(chat_patch(call, &id, &what, &chat), FAIL_STALE);
    CHECK(seen);
    error_init(&act.err);
    CHECK_OK(chat_get(call, &id, &chat), &act.err);
    CHECK_STR(chat.title, "Group");
    chat_act_done(&act);
    rig_close(&rig.base);
}

TEST(a_deleted_chat_is_gone_for_everybody)
{
    struct chat_rig rig = {0};
    chat_rig_open(&rig);
    struct id id = chat_rig_group(&rig, 1, 3);
    chat_rig_send(&rig, 1, &id, "x", "1", NULL);
    struct chat_act act;
    struct chat_call *call = chat_act(&act, &rig, 2);
    CHECK_INT(chat_delete(call, &id), FAIL_FORBIDDEN);
    error_init(&act.err);
    uint64_t head = event_log_head(rig.base.kit.log);
    call->user = chat_rig_user(1);
    CHECK_OK(chat_delete(call, &id), &act.err);
    struct slice events = chat_rig_events(&rig, head, &act.arena);
    CHECK(contains(events, "member.changed 1 {") && contains(events, "member.changed 3 {"));
    CHECK(contains(events, " -1 -2 -3 {"));
    CHECK(contains(events, "chat.updated 1 {") && contains(events, "chat.updated 3 {"));
    CHECK(contains(events, "\"member_count\":0,\"members\":[],"));
    for (int round = 0; round < 2; round++) {
        const char *code;
        CHECK_INT(chat_rig_send(&rig, 1, &id, "x", "2", &code), 0);
        CHECK_STR(slice_str(code), "chat_not_found");
        struct chat_act again;
        struct chat_list list = {0};
        CHECK_OK(chat_list(chat_act(&again, &rig, 3), &(struct page_query){.limit = 50}, &list),
                 &again.err);
        CHECK_INT(list.count, 0);
        chat_act_done(&again);
        chat_rig_crash(&rig);
    }
    chat_act_done(&act);
    rig_close(&rig.base);
}

/* --- lists ----------------------------------------------------------------------------------- */
TEST(the_list_is_newest_first_and_pages)
{
    enum { CHATS = 7 };
    struct chat_rig rig = {0};
    chat_rig_open(&rig);
    struct id chats[CHATS];
    for (unsigned i = 0; i < CHATS; i++) {
        struct chat chat = {0};
        CHECK_INT(direct(&rig, 1, 2 + i, &chat), 0);
        chats[i] = chat.id;
        clock_fake_advance(&rig.base.clock, 10);
    }
    const unsigned order[CHATS] = {1, 6, 5, 4, 3, 2, 0}; /* 1 gets the last message */
    chat_rig_send(&rig, 1, &chats[1], "again", "1", NULL);
    for (int round = 0; round < 2; round++) {
        unsigned seen = 0;
        char cursor_text[100];
        struct page_query query = {.limit = 2};
        bool more = true;
        while (more && seen < CHATS) {
            struct chat_act act;
            struct chat_list list = {0};
            CHECK_OK(chat_list(chat_act(&act, &rig, 1), &query, &list), &act.err);
            for (size_t i = 0; i < list.count; i++)
                CHECK(id_eq(&list.items[i].id, &chats[order[seen++]]));
            if (seen == 2)
                CHECK_STR(list.items[0].last_message->text, "again");
            struct buf cursor;
            buf_init(&cursor, sizeof cursor_text);
            cursor_encode(&list.next, &cursor);
            memcpy(cursor_text, cursor.ptr, cursor.len);
            query.cursor = slice_of(cursor_text, cursor.len);
            buf_done(&cursor);
            more = list.more;
            chat_act_done(&act);
        }
        CHECK_INT(seen, CHATS);
        CHECK(!more);
        rig_reopen(&rig.base); /* folds: now from the rows */
    }
    rig_close(&rig.base);
}

static int count_stream(const struct id *stream, uint64_t since_pos, void *arg, struct error *err)
{
    CHECK(since_pos > 0);
    ++*(unsigned *)arg;
    return 0;
}

static int streams_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct id user = chat_rig_user(2);
    return chat_streams(NULL, tx, &user, count_stream, arg, err);
}

TEST(streams_are_the_chats_one_is_in)
{
    struct chat_rig rig = {0};
    chat_rig_open(&rig);
    struct id first = chat_rig_group(&rig, 1, 3);
    chat_rig_group(&rig, 2, 3);
    chat_rig_group(&rig, 3, 4);
    unsigned count = 0;
    struct error err;
    error_init(&err);
    CHECK_OK(db_read(rig.base.kit.main_db, streams_tx, &count, &err), &err);
    CHECK_INT(count, 2);
    CHECK_INT(remove_member(&rig, &first, 1, 2), 0);
    count = 0;
    CHECK_OK(db_read(rig.base.kit.main_db, streams_tx, &count, &err), &err);
    CHECK_INT(count, 1);
    rig_close(&rig.base);
}

TEST(a_group_of_ten_thousand)
{
    struct chat_rig rig = {.group_members_max = 10000, .tail_events_max = 30000};
    chat_rig_open(&rig);
    struct id chat = chat_rig_group(&rig, 1, 2);
    struct id ids[CHAT_ADD_MAX];
    struct chat_act act;
    for (unsigned first = 3; first <= 10000; first += CHAT_ADD_MAX) {
        unsigned count = 10000 - first + 1 < CHAT_ADD_MAX ? 10000 - first + 1 : CHAT_ADD_MAX;
        struct chat_member_list added = {0};
        for (unsigned i = 0; i < count; i++)
            ids[i] = chat_rig_user(first + i);
        struct chat_call *call = chat_act(&act, &rig, 1);
        CHECK_OK(chat_add_members(call, &chat, &(struct chat_add){{ids, count}}, &added), &act.err);
        CHECK_INT(added.items.count, count);
        chat_act_done(&act);
    }
    CHECK_INT(add(&rig, &chat, 1, 20000), FAIL_INVALID);
    CHECK_INT(chat_rig_send(&rig, 9999, &chat, "hello", "1", NULL), 1);
    chat_rig_crash(&rig);
    CHECK_INT(chat_rig_send(&rig, 10000, &chat, "hello", "1", NULL), 2);
    CHECK_OK(chat_delete(chat_act(&act, &rig, 1), &chat), &act.err);
    chat_act_done(&act);
    rig_close(&rig.base);
}
