/* What a block does in chats, whoever of the two has set it. */
#include <stdio.h>

#include "chat_rig.h"

static void set_block(struct chat_rig *rig, unsigned blocker, unsigned blocked)
{
    rig->blocker = blocker != 0 ? chat_rig_user(blocker) : (struct id){{0}};
    rig->blocked = blocker != 0 ? chat_rig_user(blocked) : (struct id){{0}};
}

static int direct(struct chat_rig *rig, unsigned one, unsigned other, struct id *ret_chat,
                  const char **ret_code)
{
    struct chat_act act;
    struct chat chat = {0};
    struct id id = chat_rig_user(other);
    const struct chat_create what = {.kind = CHAT_DIRECT, .member_ids = {&id, 1}};
    int rc = chat_create(chat_act(&act, rig, one), &what, &chat);
    *ret_code = rc == FAIL_INVALID ? act.err.fields[0].code : act.err.code;
    *ret_chat = chat.id;
    chat_act_done(&act);
    return rc;
}

static int edit(struct chat_rig *rig, unsigned user, const struct id *chat, const char *text)
{
    struct chat_act act;
    struct slice json;
    const struct chat_edit what = {*chat, 1, slice_str(text)};
    int rc = chat_edit(chat_act(&act, rig, user), &what, &json);
    chat_act_done(&act);
    return rc;
}

static int react(struct chat_rig *rig, unsigned user, const struct id *chat, bool remove)
{
    struct chat_act act;
    struct slice json;
    const struct chat_react what = {*chat, 1, SLICE("\xf0\x9f\x91\x8d"), remove};
    int rc = chat_react(chat_act(&act, rig, user), &what, &json);
    chat_act_done(&act);
    return rc;
}

static int type(struct chat_rig *rig, unsigned user, const struct id *chat)
{
    struct chat_act act;
    int rc = chat_typing(chat_act(&act, rig, user), chat);
    chat_act_done(&act);
    return rc;
}

static size_t history(struct chat_rig *rig, unsigned user, const struct id *chat)
{
    struct chat_act act;
    struct chat_history page = {0};
    const struct chat_history_query query = {.limit = 10};
    CHECK_INT(chat_history(chat_act(&act, rig, user), chat, &query, &page), 0);
    chat_act_done(&act);
    return page.count;
}

static void nothing_passes(struct chat_rig *rig, unsigned user, const struct id *chat)
{
    const char *code = NULL;
    unsigned typed = rig->base.told;
    CHECK_INT(chat_rig_send(rig, user, chat, "more", "later", &code), 0);
    CHECK_STR(slice_str(code), "blocked");
    CHECK_INT(react(rig, user, chat, false), FAIL_FORBIDDEN);
    CHECK_INT(type(rig, user, chat), FAIL_FORBIDDEN);
    CHECK_INT(rig->base.told, typed);
    CHECK_INT(history(rig, user, chat), 1);
}

TEST(nothing_new_passes_in_a_direct_chat)
{
    struct chat_rig rig = {0};
    struct id chat, again;
    const char *code;
    chat_rig_open(&rig);
    CHECK_INT(direct(&rig, 1, 2, &chat, &code), 0);
    CHECK_INT(chat_rig_send(&rig, 1, &chat, "hello", "first", &code), 1);
    for (unsigned blocker = 1; blocker <= 2; blocker++) {
        set_block(&rig, blocker, 3 - blocker);
        nothing_passes(&rig, 1, &chat);
        nothing_passes(&rig, 2, &chat);
        CHECK_INT(edit(&rig, 1, &chat, "something else"), FAIL_FORBIDDEN);
        /* What was sent before it is still what was sent. */
        CHECK_INT(chat_rig_send(&rig, 1, &chat, "hello", "first", &code), 1);
        CHECK_INT(direct(&rig, 1, 2, &again, &code), 0);
        CHECK(id_eq(&chat, &again));
    }
    set_block(&rig, 0, 0);
    CHECK_INT(chat_rig_send(&rig, 1, &chat, "again", "later", &code), 2);
    CHECK_INT(react(&rig, 2, &chat, false), 0);
    set_block(&rig, 1, 2);
    CHECK_INT(react(&rig, 2, &chat, true), FAIL_FORBIDDEN);
    rig_close(&rig.base);
}

static int mark_read(struct chat_rig *rig, unsigned user, const struct id *chat, int64_t seq)
{
    struct chat_act act;
    const struct chat_place what = {*chat, seq};
    int rc = chat_read(chat_act(&act, rig, user), &what);
    chat_act_done(&act);
    return rc;
}

static void check_told(struct chat_rig *rig, uint64_t after, const char *on_whose_stream)
{
    struct arena arena;
    arena_init(&arena, 1 << 20);
    CHECK(slice_starts(chat_rig_events(rig, after, &arena), slice_str(on_whose_stream)));
    arena_done(&arena);
}

TEST(a_read_mark_is_told_to_the_reader_alone)
{
    struct chat_rig rig = {0};
    struct id chat;
    const char *code;
    char on_chat[64];
    chat_rig_open(&rig);
    CHECK_INT(direct(&rig, 1, 2, &chat, &code), 0);
    CHECK_INT(chat_rig_send(&rig, 1, &chat, "one", "1", &code), 1);
    CHECK_INT(chat_rig_send(&rig, 1, &chat, "two", "2", &code), 2);
    CHECK_INT(chat_rig_send(&rig, 1, &chat, "three", "3", &code), 3);
    snprintf(on_chat, sizeof on_chat, "read.changed %u {", chat.bytes[15]);
    for (unsigned blocker = 1; blocker <= 2; blocker++) {
        set_block(&rig, blocker, 3 - blocker);
        uint64_t head = event_log_head(rig.base.kit.log);
        CHECK_INT(mark_read(&rig, 2, &chat, blocker), 0);
        check_told(&rig, head, "read.changed 2 {");
    }
    set_block(&rig, 0, 0);
    uint64_t head = event_log_head(rig.base.kit.log);
    CHECK_INT(mark_read(&rig, 2, &chat, 2), 0); /* it was kept */
    CHECK_INT(event_log_head(rig.base.kit.log), head);
    CHECK_INT(mark_read(&rig, 2, &chat, 3), 0);
    check_told(&rig, head, on_chat);
    rig_close(&rig.base);
}

TEST(no_direct_chat_is_opened)
{
    struct chat_rig rig = {0};
    struct id chat;
    const char *code;
    chat_rig_open(&rig);
    set_block(&rig, 1, 2);
    CHECK_INT(direct(&rig, 1, 2, &chat, &code), FAIL_INVALID);
    CHECK_STR(slice_str(code), "blocked");
    CHECK_INT(direct(&rig, 2, 1, &chat, &code), FAIL_INVALID);
    CHECK_STR(slice_str(code), "user_not_found");
    CHECK_INT(direct(&rig, 2, 3, &chat, &code), 0);
    set_block(&rig, 0, 0);
    CHECK_INT(direct(&rig, 2, 1, &chat, &code), 0);
    rig_close(&rig.base);
}

static int add(struct chat_rig *rig, unsigned user, const struct id *chat, unsigned whom,
               const char **ret_code)
{
    struct chat_act act;
    struct chat_member_list added;
    struct id ids[] = {chat_rig_user(9), chat_rig_user(whom)};
    const struct chat_add what = {{ids, 2}};
    int rc = chat_add_members(chat_act(&act, rig, user), chat, &what, &added);
    *ret_code = rc == FAIL_INVALID ? act.err.fields[0].code : NULL;
    if (rc == FAIL_INVALID)
        CHECK_STR(slice_str(act.err.fields[0].field), "user_ids[1]");
    chat_act_done(&act);
    return rc;
}

TEST(neither_adds_the_other_to_a_group)
{
    struct chat_rig rig = {0};
    const char *code;
    chat_rig_open(&rig);
    struct id group = chat_rig_group(&rig, 1, 3);
    set_block(&rig, 1, 5);
    CHECK_INT(add(&rig, 1, &group, 5, &code), FAIL_INVALID);
    CHECK_STR(slice_str(code), "blocked");
    set_block(&rig, 5, 1);
    CHECK_INT(add(&rig, 1, &group, 5, &code), FAIL_INVALID);
    CHECK_STR(slice_str(code), "user_not_found");
    set_block(&rig, 2, 1); /* both are in it already: a group is everybody's */
    CHECK_INT(chat_rig_send(&rig, 1, &group, "to all", "x", &code), 1);
    CHECK_INT(add(&rig, 1, &group, 5, &code), 0);
    rig_close(&rig.base);
}
