/* Sending, reading, changing messages; read marks; restarts and crashes. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/fault.h"
#include "chat_rig.h"

static struct chat_message decode(struct slice json, struct arena *arena)
{
    struct chat_message message = {0};
    struct error err;
    error_init(&err);
    CHECK_OK(schema_decode(&chat_message_schema, json, arena, &message, &err), &err);
    return message;
}

static bool contains(struct slice text, const char *part)
{
    return memmem(text.ptr, text.len, part, strlen(part)) != NULL;
}

/* --- sending --------------------------------------------------------------------------------- */
TEST(sequence_is_gapless_and_the_answer_is_the_event)
{
    struct chat_rig rig = {0};
    chat_rig_open(&rig);
    struct id chat = chat_rig_group(&rig, 1, 3);
    uint64_t head = event_log_head(rig.base.kit.log);
    struct chat_act act;
    struct chat_call *call = chat_act(&act, &rig, 1);
    const struct chat_send what = {.chat_id = chat,
                                   .text = SLICE("Gr\xc3\xbc\xc3\x9f\x65 \"x\" \\ \n\t"),
                                   .client_id = SLICE("quote\" back\\")};
    struct slice json;
    CHECK_OK(chat_send(call, &what, &json), &act.err);
    struct chat_message message = decode(json, &act.arena);
    CHECK_INT(message.seq, 1);
    CHECK(slice_eq(message.text, what.text) && slice_eq(message.client_id, what.client_id));
    CHECK(message.created_at > 0 && message.edited_at == 0 && message.deleted_at == 0);
    CHECK(message.reply_to == 0 && contains(json, "\"reply_to\":null"));
    struct slice events = chat_rig_events(&rig, head, &act.arena);
    CHECK(memmem(events.ptr, events.len, json.ptr, json.len) != NULL);
    for (unsigned i = 2; i <= 12; i++) {
        char client[20];
        snprintf(client, sizeof client, "c%u", i);
        CHECK_INT(chat_rig_send(&rig, 1 + i % 3, &chat, "hello", client, NULL), i);
    }
    chat_act_done(&act);
    rig_close(&rig.base);
}

struct sender {
    pthread_t thread;
    struct chat_rig *rig;
    const struct id *chat;
    unsigned user;
};

static void *send_many(void *arg)
{
    struct sender *sender = arg;
    for (unsigned i = 0; i < 60; i++) {
        char client[20]; /* everything is sent twice */
        snprintf(client, sizeof client, "c%u", i / 2);
        chat_rig_send(sender->rig, sender->user, sender->chat, "hello", client, NULL);
    }
    return NULL;
}

TEST(sequence_is_gapless_under_concurrency)
{
    struct chat_rig rig = {0};
    chat_rig_open(&rig);
    struct id chat = chat_rig_group(&rig, 1, 4);
    struct sender senders[8];
    for (unsigned i = 0; i < 8; i++) { /* two threads a user: every client id races with itself */
        senders[i] = (struct sender){.rig = &rig, .chat = &chat, .user = 1 + i / 2};
        CHECK_INT(pthread_create(&senders[i].thread, NULL, send_many, &senders[i]), 0);
    }
    for (unsigned i = 0; i < 8; i++)
        pthread_join(senders[i].thread, NULL);
    CHECK_INT(chat_rig_send(&rig, 1, &chat, "last", "last", NULL), 4 * 30 + 1);
    rig_close(&rig.base);
}

TEST(repeats_give_the_message_that_is_there)
{
    struct chat_rig rig = {0};
    chat_rig_open(&rig);
    struct id chat = chat_rig_group(&rig, 1, 2), other = chat_rig_group(&rig, 1, 2);
    const char *code;
    CHECK_INT(chat_rig_send(&rig, 1, &chat, "once", "k", NULL), 1);
    CHECK_INT(chat_rig_send(&rig, 1, &chat, "once", "k", NULL), 1);
    CHECK_INT(chat_rig_send(&rig, 1, &chat, "else", "k", &code), 0);
    CHECK_STR(slice_str(code), "client_id_reused");
    CHECK_INT(chat_rig_send(&rig, 2, &chat, "once", "k", NULL), 2);
    CHECK_INT(chat_rig_send(&rig, 1, &other, "once", "k", NULL), 1);
    struct chat_act act;
    struct chat_call *call = chat_act(&act, &rig, 1);
    struct slice json;
    const struct chat_edit edit = {chat, 1, SLICE("edited")};
    CHECK_OK(chat_edit(call, &edit, &json), &act.err);
    CHECK_INT(chat_rig_send(&rig, 1, &chat, "once", "k", NULL), 1); /* what was sent then */
    CHECK_INT(chat_rig_send(&rig, 1, &chat, "edited", "k", &code), 0);
    for (unsigned i = 0; i < 300; i++) { /* push it out of memory */
        char client[20];
        snprintf(client, sizeof client, "n%u", i);
        chat_rig_send(&rig, 1, &chat, "x", client, NULL);
    }
    CHECK_INT(chat_rig_send(&rig, 1, &chat, "once", "k", NULL), 1);
    chat_rig_crash(&rig);
    CHECK_INT(chat_rig_send(&rig, 1, &chat, "once", "k", NULL), 1);
    CHECK_INT(chat_rig_send(&rig, 1, &chat, "x", "n299", NULL), 302);
    CHECK_INT(chat_rig_send(&rig, 1, &chat, "new", "new", NULL), 303);
    chat_act_done(&act);
    rig_close(&rig.base);
}

static int decode_client_id(const char *client_id)
{
    struct arena arena;
    struct chat_send send;
    struct error err;
    arena_init(&arena, 65536);
    error_init(&err);
    struct slice json = arena_printf(&arena, "{\"text\":\"a\",\"client_id\":\"%s\"}", client_id);
    int rc = schema_decode(&chat_send_schema, json, &arena, &send, &err);
    arena_done(&arena);
    return rc;
}

TEST(bad_sends_are_refused_and_leave_no_gap)
{
    struct chat_rig rig = {0};
    chat_rig_open(&rig);
    struct id chat = chat_rig_group(&rig, 1, 2), nowhere = chat_rig_user(99);
    const char *code;
    char longest[80];
    memset(longest, 'x', 65);
    longest[65] = 0;
    CHECK_INT(chat_rig_send(&rig, 3, &chat, "a", "c", &code), 0);
    CHECK_STR(slice_str(code), "chat_not_found");
    CHECK_INT(chat_rig_send(&rig, 1, &nowhere, "a", "c", &code), 0);
    CHECK_STR(slice_str(code), "chat_not_found");
    struct chat_act act;
    struct chat_call *call = chat_act(&act, &rig, 1);
    const struct chat_send reply = {
        .chat_id = chat, .text = SLICE("a"), .client_id = SLICE("r"), .reply_to = 7};
    struct slice json;
    CHECK_INT(chat_send(call, &reply, &json), FAIL_INVALID);
    CHECK_INT(decode_client_id(longest), FAIL_INVALID);
    CHECK(fault_set("db.commit=error@1"));
    CHECK_INT(chat_rig_send(&rig, 1, &chat, "lost", "lost", &code), 0);
    CHECK_STR(slice_str(code), "storage_full");
    CHECK(fault_set(""));
    longest[64] = 0;
    CHECK_INT(decode_client_id(longest), 0);
    CHECK_INT(chat_rig_send(&rig, 1, &chat, "a", longest, NULL), 1);
    CHECK_INT(chat_rig_send(&rig, 1, &chat, "lost", "lost", NULL), 2);
    chat_act_done(&act);
    rig_close(&rig.base);
}

TEST(the_rate_limit_refuses_with_retry_after)
{
    struct chat_rig rig = {.messages_per_minute = 2};
    chat_rig_open(&rig);
    struct id chat = chat_rig_group(&rig, 1, 2);
    const char *code;
    CHECK_INT(chat_rig_send(&rig, 1, &chat, "a", "1", NULL), 1);
    CHECK_INT(chat_rig_send(&rig, 1, &chat, "a", "2", NULL), 2);
    CHECK_INT(chat_rig_send(&rig, 1, &chat, "a", "3", &code), 0);
    CHECK_STR(slice_str(code), "too_many_messages");
    rig_close(&rig.base);
}

TEST(replies_make_threads)
{
    struct chat_rig rig = {0};
    chat_rig_open(&rig);
    struct id chat = chat_rig_group(&rig, 1, 2);
    struct chat_act act;
    struct chat_call *call = chat_act(&act, &rig, 2);
    struct chat_send what = {.chat_id = chat, .text = SLICE("a"), .client_id = SLICE("r")};
    struct slice json;
    chat_rig_send(&rig, 1, &chat, "root", "1", NULL);
    what.reply_to = 1;
    CHECK_OK(chat_send(call, &what, &json), &act.err);
    struct chat_message message = decode(json, &act.arena);
    CHECK_INT(message.thread_id, 1);
    what.reply_to = 2;
    what.client_id = SLICE("r2");
    CHECK_OK(chat_send(call, &what, &json), &act.err);
    message = decode(json, &act.arena);
    CHECK_INT(message.reply_to, 2);
    CHECK_INT(message.thread_id, 1);
    chat_act_done(&act);
    rig_close(&rig.base);
}

/* --- history --------------------------------------------------------------------------------- */
static void check_page(struct chat_rig *rig, const struct id *chat,
                       const struct chat_history_query *query, uint64_t first, uint64_t last,
                       bool more)
{
    struct chat_act act;
    struct chat_call *call = chat_act(&act, rig, 2);
    struct chat_history page = {0};
    CHECK_OK(chat_history(call, chat, query, &page), &act.err);
    uint64_t expected = first == 0 ? 0 : (first > last ? first - last : last - first) + 1;
    CHECK_INT(page.count, expected);
    for (unsigned i = 0; i < page.count && i < expected; i++) {
        struct chat_message message = decode(page.items[i].json, &act.arena);
        CHECK_INT(message.seq, first > last ? first - i : first + i);
    }
    CHECK_INT(page.more, more);
    chat_act_done(&act);
}

TEST(history_pages)
{
    struct chat_rig rig = {0};
    chat_rig_open(&rig);
    struct id chat = chat_rig_group(&rig, 1, 2);
    for (unsigned i = 0; i < 130; i++) {
        char client[20];
        snprintf(client, sizeof client, "n%u", i);
        chat_rig_send(&rig, 1, &chat, "x", client, NULL);
    }
    enum { BEFORE = 1 << CHAT_HISTORY_BEFORE, AFTER = 1 << CHAT_HISTORY_AFTER };
    for (int round = 0; round < 2; round++) {
        check_page(&rig, &chat, &(struct chat_history_query){.limit = 50}, 130, 81, true);
        check_page(&rig, &chat, &(struct chat_history_query){BEFORE, 81, 0, 100, {0}}, 80, 1,
                   false);
        check_page(&rig, &chat, &(struct chat_history_query){BEFORE, 1, 0, 100, {0}}, 0, 0, false);
        check_page(&rig, &chat, &(struct chat_history_query){AFTER, 0, 0, 100, {0}}, 1, 100, true);
        check_page(&rig, &chat, &(struct chat_history_query){AFTER, 0, 128, 50, {0}}, 129, 130,
                   false);
        check_page(&rig, &chat, &(struct chat_history_query){AFTER, 0, 130, 50, {0}}, 0, 0, false);
        check_page(&rig, &chat, &(struct chat_history_query){BEFORE, 1000000, 0, 1, {0}}, 130, 130,
                   true);
        chat_rig_crash(&rig);
    }
    struct chat_act act;
    struct chat_call *call = chat_act(&act, &rig, 1);
    struct chat_history page;
    CHECK_INT(chat_history(call, &chat, &(struct chat_history_query){BEFORE | AFTER, 5, 2, 50, {0}},
                           &page),
              FAIL_INVALID);
    error_init(&act.err);
    call->user = chat_rig_user(9);
    CHECK_INT(chat_history(call, &chat, &(struct chat_history_query){.limit = 50}, &page),
              FAIL_NOT_FOUND);
    chat_act_done(&act);
    rig_close(&rig.base);
}

/* --- changing -------------------------------------------------------------------------------- */
TEST(edits_keep_history_and_only_the_sender_edits)
{
    struct chat_rig rig = {0};
    chat_rig_open(&rig);
    struct id chat = chat_rig_group(&rig, 1, 2);
    chat_rig_send(&rig, 1, &chat, "first", "1", NULL);
    struct chat_act act;
    struct chat_call *call = chat_act(&act, &rig, 1);
    struct slice json;
    const char *texts[] = {"second", "third"};
    for (int i = 0; i < 2; i++) {
        const struct chat_edit edit = {chat, 1, slice_str(texts[i])};
        CHECK_OK(chat_edit(call, &edit, &json), &act.err);
    }
    struct chat_message message = decode(json, &act.arena);
    CHECK_STR(message.text, "third");
    CHECK(message.edited_at != 0);
    struct chat_edit_version *versions;
    size_t count;
    const struct chat_place place = {chat, 1};
    CHECK_OK(chat_message_edits(call, &place, &versions, &count), &act.err);
    CHECK_INT(count, 2);
    CHECK_STR(versions[0].text, "first");
    CHECK_STR(versions[1].text, "second");
    call->user = chat_rig_user(2);
    const struct chat_edit foreign = {chat, 1, SLICE("mine")};
    CHECK_INT(chat_edit(call, &foreign, &json), FAIL_FORBIDDEN);
    chat_rig_crash(&rig);
    struct chat_act again;
    CHECK_OK(chat_get_message(chat_act(&again, &rig, 2), &place, &json), &again.err);
    message = decode(json, &again.arena);
    CHECK_STR(message.text, "third");
    chat_act_done(&again);
    chat_act_done(&act);
    rig_close(&rig.base);
}

TEST(deleting_leaves_a_tombstone)
{
    struct chat_rig rig = {0};
    chat_rig_open(&rig);
    struct id chat = chat_rig_group(&rig, 1, 3);
    chat_rig_send(&rig, 2, &chat, "secret", "1", NULL);
    struct chat_act act;
    struct chat_call *call = chat_act(&act, &rig, 3);
    const struct chat_place place = {chat, 1};
    struct slice json;
    CHECK_INT(chat_delete_message(call, &place, &json), FAIL_FORBIDDEN);
    error_init(&act.err);
    call->user = chat_rig_user(1); /* the owner */
    CHECK_OK(chat_delete_message(call, &place, &json), &act.err);
    CHECK(!contains(json, "secret"));
    struct chat_message message = decode(json, &act.arena);
    CHECK(message.deleted_at != 0 && message.seq == 1);
    const struct chat_edit edit = {chat, 1, SLICE("back")};
    call->user = chat_rig_user(2);
    CHECK_INT(chat_edit(call, &edit, &json), FAIL_GONE);
    CHECK_INT(chat_rig_send(&rig, 2, &chat, "secret", "1", NULL), 1); /* the tombstone */
    CHECK_INT(chat_rig_send(&rig, 2, &chat, "next", "2", NULL), 2);
    chat_act_done(&act);
    rig_close(&rig.base);
}

static int react_as(struct chat_rig *rig, unsigned user, const struct id *chat, const char *emoji,
                    bool remove, struct chat_act *act, struct chat_message *ret_message)
{
    struct slice json;
    const struct chat_react what = {*chat, 1, slice_str(emoji), remove};
    int rc = chat_react(chat_act(act, rig, user), &what, &json);
    if (rc == 0)
        *ret_message = decode(json, &act->arena);
    return rc;
}

TEST(reactions_count_people_once)
{
    struct chat_rig rig = {0};
    chat_rig_open(&rig);
    struct id chat = chat_rig_group(&rig, 1, 3);
    chat_rig_send(&rig, 1, &chat, "nice?", "1", NULL);
    struct chat_act acts[8];
    struct chat_message m = {0};
    CHECK_INT(react_as(&rig, 1, &chat, "\xf0\x9f\x91\x8d", false, &acts[0], &m), 0);
    CHECK_INT(react_as(&rig, 2, &chat, "\xf0\x9f\x91\x8d", false, &acts[1], &m), 0);
    CHECK_INT(react_as(&rig, 2, &chat, "\xf0\x9f\x91\x8d", false, &acts[2], &m), 0);
    CHECK_INT(react_as(&rig, 3, &chat, "\xe2\x9d\xa4", false, &acts[3], &m), 0);
    CHECK_INT(m.reactions.count, 2);
    const struct chat_reaction *r = m.reactions.items;
    CHECK_INT(r[0].count, 2);
    CHECK_INT(r[0].user_ids.count, 2);
    CHECK_INT(r[1].count, 1);
    CHECK_INT(react_as(&rig, 3, &chat, "\xe2\x9d\xa4", true, &acts[4], &m), 0);
    CHECK_INT(m.reactions.count, 1);
    CHECK_INT(react_as(&rig, 3, &chat, "x", false, &acts[5], &m), FAIL_INVALID);
    CHECK_INT(react_as(&rig, 4, &chat, "\xe2\x9d\xa4", false, &acts[6], &m), FAIL_NOT_FOUND);
    chat_rig_crash(&rig);
    CHECK_INT(react_as(&rig, 1, &chat, "\xf0\x9f\x91\x8d", true, &acts[7], &m), 0);
    CHECK_INT(((const struct chat_reaction *)m.reactions.items)[0].count, 1);
    for (unsigned i = 0; i < ARRAY_LEN(acts); i++)
        chat_act_done(&acts[i]);
    rig_close(&rig.base);
}

/* What was once taken as an emoji, and is none. */
static int old_reaction_tx(struct db_tx *tx, void *arg, struct error *err)
{
    bool changed;
    struct id user = chat_rig_user(1);
    return chat_store_react(tx, arg, &user, &changed, err);
}

TEST(a_reaction_that_no_longer_counts_as_an_emoji_can_be_taken_back)
{
    struct chat_rig rig = {0};
    chat_rig_open(&rig);
    struct id chat = chat_rig_group(&rig, 1, 2);
    chat_rig_send(&rig, 1, &chat, "nice?", "1", NULL);
    struct chat_react old = {chat, 1, SLICE("\xf0\x9f\x87\xa9"), false};
    struct error err;
    error_init(&err);
    CHECK_OK(db_write(rig.base.kit.main_db, old_reaction_tx, &old, &err), &err);
    uint64_t head = event_log_head(rig.base.kit.log);
    struct chat_act act;
    struct chat_message m = {0};
    CHECK_INT(react_as(&rig, 1, &chat, "\xf0\x9f\x87\xa9", true, &act, &m), 0);
    CHECK(event_log_head(rig.base.kit.log) > head);
    chat_act_done(&act);
    rig_close(&rig.base);
}

TEST(what_counts_as_one_emoji)
{
    static const char *const good[] = {
        "\xf0\x9f\x91\x8d",                 /* thumbs up */
        "\xf0\x9f\x91\x8d\xf0\x9f\x8f\xbd", /* with a skin tone */
        "\xe2\x9d\xa4\xef\xb8\x8f",         /* heart, emoji style */
        "\xf0\x9f\x87\xa9\xf0\x9f\x87\xaa", /* a flag */
        "1\xef\xb8\x8f\xe2\x83\xa3",        /* a keycap */
        "#\xe2\x83\xa3",                    /* without the style */
        "\xc2\xa9", "\xf0\x9f\x8f\xbd",     /* a skin tone alone */
        "\xf0\x9f\x91\xa8\xe2\x80\x8d\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x91\xa7", /* a family */
        /* A rainbow flag, the flag of Wales, and a kiss of two people with skin tones. */
        "\xf0\x9f\x8f\xb3\xef\xb8\x8f\xe2\x80\x8d\xf0\x9f\x8c\x88",
        "\xf0\x9f\x8f\xb4\xf3\xa0\x81\xa7\xf3\xa0\x81\xa2\xf3\xa0\x81\xb7\xf3\xa0\x81\xac"
        "\xf3\xa0\x81\xb3\xf3\xa0\x81\xbf",
        "\xf0\x9f\xa7\x91\xf0\x9f\x8f\xbb\xe2\x80\x8d\xe2\x9d\xa4\xef\xb8\x8f\xe2\x80\x8d"
        "\xf0\x9f\x92\x8b\xe2\x80\x8d\xf0\x9f\xa7\x91\xf0\x9f\x8f\xbc"};
    static const char *const bad[] = {"",
                                      "x",
                                      "1",
                                      "\xf0\x9f\x91\x8d\xf0\x9f\x91\x8d",
                                      "\xf0\x9f\x91\x8dx",
                                      "\xf0\x9f\x91",
                                      "\xc3\xbc",
                                      "\xf0\x9f\x87\xa9", /* half a flag */
                                      "\xf0\x9f\x87\xa9\xf0\x9f\x87\xaa\xf0\x9f\x87\xa9",
                                      "\xe2\x83\xa3", /* a keycap without a key */
                                      "x\xe2\x83\xa3",
                                      "\xf0\x9f\x91\x8d\xcc\x81", /* a thumb with an accent */
                                      "\xf0\x9f\x91\x8d\xe2\x80\x8d",
                                      "\xf0\x9f\x8f\xb4\xf3\xa0\x81\xa7"}; /* tags without an end */
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        CHECK(chat_emoji_valid(slice_str(good[i])));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        CHECK(!chat_emoji_valid(slice_str(bad[i])));
}

/* --- read marks ------------------------------------------------------------------------------ */
static void check_marks(struct chat_rig *rig, unsigned user, const struct id *chat, int64_t read,
                        int64_t unread)
{
    struct chat_act act;
    struct chat state = {0};
    CHECK_OK(chat_get(chat_act(&act, rig, user), chat, &state), &act.err);
    CHECK_INT(state.read_seq, read);
    CHECK_INT(state.unread_count, unread);
    struct chat_list list;
    CHECK_OK(chat_list(&act.call, &(struct page_query){.limit = 50}, &list), &act.err);
    for (size_t i = 0; i < list.count; i++)
        if (id_eq(&list.items[i].id, chat)) {
            CHECK_INT(list.items[i].read_seq, read);
            CHECK_INT(list.items[i].unread_count, unread);
        }
    chat_act_done(&act);
}

static int mark(struct chat_rig *rig, unsigned user, const struct id *chat, int64_t seq)
{
    struct chat_act act;
    const struct chat_place what = {*chat, seq};
    int rc = chat_read(chat_act(&act, rig, user), &what);
    chat_act_done(&act);
    return rc;
}

TEST(read_marks_never_go_back)
{
    struct chat_rig rig = {0};
    chat_rig_open(&rig);
    struct id chat = chat_rig_group(&rig, 1, 2);
    for (unsigned i = 1; i <= 5; i++) {
        char client[20];
        snprintf(client, sizeof client, "n%u", i);
        chat_rig_send(&rig, 1, &chat, "x", client, NULL);
    }
    check_marks(&rig, 1, &chat, 5, 0); /* one's own count as read */
    check_marks(&rig, 2, &chat, 0, 5);
    CHECK_INT(mark(&rig, 2, &chat, 3), 0);
    check_marks(&rig, 2, &chat, 3, 2);
    uint64_t head = event_log_head(rig.base.kit.log);
    CHECK_INT(mark(&rig, 2, &chat, 1), 0);
    CHECK_INT(event_log_head(rig.base.kit.log), head); /* nothing new, nobody told */
    CHECK_INT(mark(&rig, 2, &chat, 6), FAIL_INVALID);
    CHECK_INT(mark(&rig, 3, &chat, 1), FAIL_NOT_FOUND);
    chat_rig_send(&rig, 2, &chat, "x", "mine", NULL);
    check_marks(&rig, 2, &chat, 6, 0);
    chat_rig_crash(&rig); /* before the fold: own marks come from the log's tail */
    check_marks(&rig, 1, &chat, 5, 1);
    check_marks(&rig, 2, &chat, 6, 0);
    rig_reopen(&rig.base); /* after it: from the rows */
    check_marks(&rig, 1, &chat, 5, 1);
    check_marks(&rig, 2, &chat, 6, 0);
    rig_close(&rig.base);
}

struct ahead {
    struct chat_call *call;
    const struct id *chat;
};

static int mark_row_tx(struct db_tx *tx, void *arg, struct error *err)
{
    const struct ahead *ahead = arg;
    return chat_store_set_read(tx, ahead->chat, &ahead->call->user, 5, err);
}

/* A reader looks between a commit and what it publishes, or before and after a message of their
 * own: the row, or memory, is ahead of the last message that this answer knows. */
TEST(a_read_mark_is_never_above_the_last_message_shown)
{
    struct chat_rig rig = {0};
    chat_rig_open(&rig);
    struct id chat = chat_rig_group(&rig, 1, 2);
    chat_rig_send(&rig, 1, &chat, "x", "1", NULL);
    chat_rig_send(&rig, 2, &chat, "x", "2", NULL);
    chat_rig_send(&rig, 1, &chat, "x", "3", NULL);
    struct chat_act act;
    struct ahead ahead = {chat_act(&act, &rig, 1), &chat};
    CHECK_INT(chat_own_seq(ahead.call, &chat, 3), 3);
    CHECK_INT(chat_own_seq(ahead.call, &chat, 2), 1);
    CHECK_INT(chat_own_seq(ahead.call, &chat, 0), 0);
    CHECK_OK(db_write(rig.base.kit.main_db, mark_row_tx, &ahead, &act.err), &act.err);
    check_marks(&rig, 1, &chat, 3, 0);
    chat_act_done(&act);
    rig_close(&rig.base);
}

TEST(typing_is_sent_once_in_three_seconds)
{
    struct chat_rig rig = {0};
    chat_rig_open(&rig);
    struct id chat = chat_rig_group(&rig, 1, 2);
    struct chat_act act;
    struct chat_call *call = chat_act(&act, &rig, 1);
    CHECK_OK(chat_typing(call, &chat), &act.err);
    CHECK_OK(chat_typing(call, &chat), &act.err);
    CHECK_INT(rig.base.told, 1);
    call->user = chat_rig_user(3);
    CHECK_INT(chat_typing(call, &chat), FAIL_NOT_FOUND);
    chat_act_done(&act);
    rig_close(&rig.base);
}

/* --- little memory --------------------------------------------------------------------------- */
TEST(chats_that_leave_memory_come_back_as_they_were)
{
    enum { CHATS = 40 };
    struct chat_rig rig = {.memory_chats = 3, .tail_events_max = 30};
    chat_rig_open(&rig);
    struct id chats[CHATS];
    unsigned counts[CHATS] = {0};
    for (unsigned i = 0; i < CHATS; i++)
        chats[i] = chat_rig_group(&rig, 1, 3);
    unsigned seed = 7;
    for (unsigned i = 0; i < 600; i++) {
        seed = seed * 1103515245 + 12345;
        unsigned at = (seed >> 16) % CHATS;
        char client[20];
        snprintf(client, sizeof client, "n%u", i);
        CHECK_INT(chat_rig_send(&rig, 1 + i % 2, &chats[at], "x", client, NULL), ++counts[at]);
    }
    struct chat_memory_stats stats;
    chat_memory_stats(chat_rig_room(&rig)->memory, &stats);
    CHECK(stats.chats <= 4);
    for (unsigned i = 0; i < CHATS; i++)
        check_marks(&rig, 3, &chats[i], 0, counts[i]);
    rig_close(&rig.base);
}
