/* Readers, writers, folds and evictions at the same time: what one sees is always whole. Meant for
 * the thread sanitizer as well. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "chat_rig.h"

enum { CHATS = 6, MEMBERS = 4, ROUNDS = 150 };

struct worker {
    pthread_t thread;
    struct chat_rig *rig;
    const struct id *chats;
    unsigned number;
};

static void *write_on(void *arg)
{
    const struct worker *w = arg;
    for (unsigned i = 0; i < ROUNDS; i++) {
        char client[40], text[40];
        snprintf(client, sizeof client, "%u-%u", w->number, i);
        snprintf(text, sizeof text, "text %u", i);
        chat_rig_send(w->rig, 1 + w->number % MEMBERS, &w->chats[i % CHATS], text, client, NULL);
    }
    return NULL;
}

/* A page has no hole, and its messages are those of this chat. */
static void check_page(const struct chat_history *page, const struct id *chat)
{
    for (unsigned i = 0; i < page->count; i++) {
        struct message_key key;
        CHECK(chat_scan_message(page->items[i].json, &key));
        CHECK(id_eq(&key.chat, chat));
        CHECK_INT(key.seq, page->items[0].seq - i);
    }
}

static void *read_on(void *arg)
{
    const struct worker *w = arg;
    for (unsigned i = 0; i < ROUNDS; i++) {
        struct chat_act act;
        struct chat_call *call = chat_act(&act, w->rig, 1 + w->number % MEMBERS);
        const struct id *id = &w->chats[(i + w->number) % CHATS];
        struct chat_history page = {0};
        struct chat chat = {0};
        struct chat_list list = {0};
        struct chat_history_query query = {.limit = 40};
        CHECK_OK(chat_get(call, id, &chat), &act.err);
        CHECK(chat.last_seq == 0 || chat.last_message->seq == chat.last_seq);
        CHECK(chat.read_seq >= 0 && chat.read_seq <= chat.last_seq);
        CHECK_OK(chat_history(call, id, &query, &page), &act.err);
        CHECK(page.count == 0 || (int64_t)page.items[0].seq >= chat.last_seq);
        check_page(&page, id);
        CHECK_OK(chat_list(call, &(struct page_query){.limit = 10}, &list), &act.err);
        for (size_t j = 0; j < list.count; j++)
            CHECK(list.items[j].last_seq == 0 ||
                  list.items[j].last_message->seq == list.items[j].last_seq);
        chat_act_done(&act);
    }
    return NULL;
}

/* Somebody else comes and goes, titles change, marks move. */
static void *change_on(void *arg)
{
    const struct worker *w = arg;
    struct id guest = chat_rig_user(50 + w->number);
    for (unsigned i = 0; i < ROUNDS / 3; i++) {
        const struct id *id = &w->chats[i % CHATS];
        struct chat_act act;
        struct chat_call *call = chat_act(&act, w->rig, 1);
        struct chat_member_list added;
        struct chat chat = {0};
        struct chat_patch patch = {.present = 1 << CHAT_PATCH_TITLE, .title = SLICE("New")};
        CHECK_OK(chat_add_members(call, id, &(struct chat_add){{&guest, 1}}, &added), &act.err);
        CHECK_OK(chat_patch(call, id, &patch, &chat), &act.err);
        if (chat.last_seq > 0)
            CHECK_OK(chat_read(call, &(struct chat_place){*id, chat.last_seq}), &act.err);
        CHECK_OK(chat_remove_member(call, id, &guest), &act.err);
        chat_act_done(&act);
    }
    return NULL;
}

static void run_all(struct chat_rig *rig)
{
    static void *(*const work[])(void *) = {write_on, write_on, write_on,
                                            read_on,  read_on,  change_on};
    struct worker workers[ARRAY_LEN(work)];
    struct id chats[CHATS];
    for (unsigned i = 0; i < CHATS; i++)
        chats[i] = chat_rig_group(rig, 1, MEMBERS);
    for (unsigned i = 0; i < ARRAY_LEN(work); i++) {
        workers[i] = (struct worker){.rig = rig, .chats = chats, .number = i};
        CHECK_INT(pthread_create(&workers[i].thread, NULL, work[i], &workers[i]), 0);
    }
    for (unsigned i = 0; i < ARRAY_LEN(work); i++)
        pthread_join(workers[i].thread, NULL);
    for (unsigned i = 0; i < CHATS; i++)
        CHECK_INT(chat_rig_send(rig, 1, &chats[i], "last", "last", NULL), 3 * ROUNDS / CHATS + 1);
}

TEST(everything_at_once_in_little_memory)
{
    struct chat_rig rig = {.memory_chats = 2, .tail_events_max = 25};
    chat_rig_open(&rig);
    run_all(&rig);
    rig_close(&rig.base);
}

TEST(everything_at_once_in_enough_memory)
{
    struct chat_rig rig = {.tail_events_max = 60};
    chat_rig_open(&rig);
    run_all(&rig);
    rig_close(&rig.base);
}
