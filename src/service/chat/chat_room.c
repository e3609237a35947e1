/* Opening the room: configuration, engines, metrics. */
#include <stdlib.h>

#include "service/chat/chat_room.h"

const struct config_key chat_config[] = {
    {"chat.memory_chats", CONFIG_INT, "100000", 100, 10000000,
     .doc = "Chats whose members are kept in memory; sending to one of these reads no table."},
    {"chat.recent_messages", CONFIG_INT, "50", 1, 1000,
     .doc = "Newest messages of a chat that are kept in memory (C08)."},
    {"chat.message_memory", CONFIG_SIZE, "256m", 1 << 20, INT64_C(1) << 40,
     .doc = "Memory for messages that are in the tables already."},
    {"chat.group_members_max", CONFIG_INT, "10000", 2, 10000,
     .doc = "Members of a group or channel."},
    {"chat.messages_per_minute", CONFIG_INT, "60", 1, 1000000,
     .doc = "Messages per user and minute (C06); off with limits.per_user=off."},
    {0},
};

static int64_t memory_hits(void *arg)
{
    struct chat_memory_stats stats;
    chat_memory_stats(((struct chat_room *)arg)->memory, &stats);
    return (int64_t)stats.hits;
}

static int64_t memory_misses(void *arg)
{
    struct chat_memory_stats stats;
    chat_memory_stats(((struct chat_room *)arg)->memory, &stats);
    return (int64_t)stats.misses;
}

static int64_t page_hits(void *arg)
{
    struct message_store_stats stats;
    message_store_stats(((struct chat_room *)arg)->messages, &stats);
    return (int64_t)stats.hits;
}

static int64_t page_misses(void *arg)
{
    struct message_store_stats stats;
    message_store_stats(((struct chat_room *)arg)->messages, &stats);
    return (int64_t)stats.misses;
}

static void register_metrics(struct chat_room *room)
{
    static const char name[] = "parley_chat_cache_total";
    static const char help[] = "Looks into the chat caches (C11).";
    metric_register_counter_fn(name, help, "cache=\"chats\",result=\"hit\"", memory_hits, room);
    metric_register_counter_fn(name, help, "cache=\"chats\",result=\"miss\"", memory_misses, room);
    metric_register_counter_fn(name, help, "cache=\"messages\",result=\"hit\"", page_hits, room);
    metric_register_counter_fn(name, help, "cache=\"messages\",result=\"miss\"", page_misses, room);
}

int chat_room_open(const struct chat_room_config *config, struct chat_room **ret_room,
                   struct error *err)
{
    struct kit *kit = config->kit;
    struct chat_room *room = xcalloc(1, sizeof *room);
    room->kit = kit;
    room->clock = kit->clock;
    room->log = kit->log;
    room->db = event_log_db(kit->log);
    room->social = kit_calls(kit, "social");
    room->group_members_max = config->group_members_max;
    room->send_limit = (struct limit_rule){"messages", LIMIT_BUCKET, config->messages_per_minute,
                                           60000, "too_many_messages"};
    room->sent =
        metric_register(METRIC_COUNTER, "parley_messages_sent_total", "Messages sent (C11).", NULL);
    const struct message_store_config store = {.log = kit->log,
                                               .key_of = chat_key_of,
                                               .is_from = chat_is_from,
                                               .keep = config->recent_messages,
                                               .bytes_max = config->message_memory_bytes};
    int rc = message_store_open(&store, &room->messages, err);
    if (rc != 0) {
        free(room);
        return rc;
    }
    room->memory = chat_memory_open(room->messages, config->memory_chats);
    chat_fold_init(room);
    *ret_room = room;
    return 0;
}

void chat_room_close(struct chat_room *room)
{
    chat_fold_done(room);
    chat_memory_close(room->memory);
    message_store_close(room->messages);
    free(room);
}

int chat_start(struct kit *kit, void **ret_room, struct error *err)
{
    const struct config *config = kit->config;
    bool limited = config_bool(config, "limits.per_user");
    const struct chat_room_config room_config = {
        .kit = kit,
        .memory_chats = (unsigned)config_int(config, "chat.memory_chats"),
        .recent_messages = (unsigned)config_int(config, "chat.recent_messages"),
        .message_memory_bytes = (size_t)config_int(config, "chat.message_memory"),
        .group_members_max = config_int(config, "chat.group_members_max"),
        .messages_per_minute = limited ? config_int(config, "chat.messages_per_minute") : 0};
    struct chat_room *room;
    int rc = chat_room_open(&room_config, &room, err);
    if (rc != 0)
        return rc;
    register_metrics(room);
    rc = chat_profile_everybody(room, kit_calls(kit, "user"), err);
    if (rc < 0) {
        chat_room_close(room);
        return rc;
    }
    *ret_room = room;
    return 0;
}
