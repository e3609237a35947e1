#include "chat_rig.h"

#include <stdio.h>
#include <stdlib.h>

/* --- a house around the room ----------------------------------------------------------------- */
struct id chat_rig_user(unsigned number)
{
    struct id id = {{1, 2, 3}};
    id.bytes[14] = (uint8_t)(number >> 8);
    id.bytes[15] = (uint8_t)number;
    return id;
}

static int check_all(void *room, const struct id *users, size_t count, struct id *ret_missing,
                     struct error *err)
{
    struct id nobody = chat_rig_user(0);
    for (size_t i = 0; i < count; i++)
        if (id_eq(&users[i], &nobody)) {
            *ret_missing = users[i];
            return (int)i;
        }
    return (int)count;
}

static const void *user_calls(void *room)
{
    static const struct user_calls calls = {.check_all = check_all};
    return &calls;
}

/* Blocks are set by the test; `room` is the rig. */
static bool blocked(void *room, const struct id *a, const struct id *b)
{
    const struct chat_rig *rig = room;
    const struct id *by = &rig->blocker, *whom = &rig->blocked;
    return (id_eq(a, by) && id_eq(b, whom)) || (id_eq(b, by) && id_eq(a, whom));
}

static int relations(void *room, const struct id *viewer, const struct id *others, size_t count,
                     struct social_relation *ret_relations, struct error *err)
{
    const struct chat_rig *rig = room;
    for (size_t i = 0; i < count; i++)
        ret_relations[i] = (struct social_relation){
            .blocking = id_eq(viewer, &rig->blocker) && id_eq(&others[i], &rig->blocked),
            .blocked_by = id_eq(viewer, &rig->blocked) && id_eq(&others[i], &rig->blocker)};
    return 0;
}

static const void *social_calls(void *room)
{
    return &((struct chat_rig *)room)->social;
}

static const struct module user_module = {.name = "user", .calls = user_calls};
static const struct module social_module = {.name = "social", .calls = social_calls};
static const struct module *const modules[] = {&social_module, &user_module, NULL};

static int kv_add(struct kv *kv, struct slice key, struct slice value, int64_t ttl_ms,
                  bool *ret_stored, struct error *err)
{
    struct chat_rig *rig = CONTAINER_OF(kv, struct chat_rig, kv);
    *ret_stored = rig->kv_added++ == 0;
    return 0;
}

static int kv_take(struct kv *kv, struct slice key, int64_t capacity, int64_t period_ms,
                   int64_t *ret_left, int64_t *ret_retry_ms, struct error *err)
{
    struct chat_rig *rig = CONTAINER_OF(kv, struct chat_rig, kv);
    *ret_left = rig->tokens_left > 0 ? --rig->tokens_left : -1;
    *ret_retry_ms = 1000;
    return 0;
}

static const struct kv_ops kv_ops = {.add = kv_add, .take_token = kv_take};

static void ephemeral(struct kit *kit, const struct event_type *type, const struct id *stream,
                      struct slice data, const struct audience *audience)
{
    CONTAINER_OF(kit, struct chat_rig, kit)->typed++;
}

extern const struct db_schema chat_db_schema;

void chat_rig_start(struct chat_rig *rig)
{
    struct error err;
    error_init(&err);
    const struct db_config config = {.path = rig->path,
                                     .readers = 2,
                                     .queue_max = 1000,
                                     .batch_max = 100,
                                     .clock = &clock_system};
    const struct db_schema schemas[] = {event_log_schema, message_store_schema, chat_db_schema};
    CHECK_OK(db_open(&config, &rig->db, &err), &err);
    CHECK_OK(db_migrate(rig->db, schemas, ARRAY_LEN(schemas), NULL, &err), &err);
    const struct event_log_config log = {
        .db = rig->db, .types = chat_event_types, .tail_events_max = rig->tail_events_max};
    CHECK_OK(event_log_open(&log, &rig->log, &err), &err);
    rig->social = (struct social_calls){.room = rig, .blocked = blocked, .relations = relations};
    rig->rooms[0] = rig;
    rig->kit = (struct kit){.clock = &rig->clock.clock,
                            .main_db = rig->db,
                            .log = rig->log,
                            .kv = &rig->kv,
                            .modules = modules,
                            .rooms = rig->rooms,
                            .ephemeral = ephemeral};
    const struct chat_room_config room = {.kit = &rig->kit,
                                          .memory_chats = rig->memory_chats,
                                          .recent_messages = 20,
                                          .group_members_max = rig->group_members_max,
                                          .messages_per_minute = rig->tokens_left >= 0 ? 60 : 0};
    CHECK_OK(chat_room_open(&room, &rig->room, &err), &err);
    CHECK_OK(event_log_start(rig->log, &err), &err);
}

void chat_rig_open(struct chat_rig *rig, const char *name)
{
    if (rig->memory_chats == 0)
        rig->memory_chats = 1000;
    if (rig->group_members_max == 0)
        rig->group_members_max = 100;
    if (rig->tail_events_max == 0)
        rig->tail_events_max = 100;
    if (rig->tokens_left == 0)
        rig->tokens_left = -1;
    rig->kv.ops = &kv_ops;
    clock_fake_init(&rig->clock, 1800000000000);
    snprintf(rig->path, sizeof rig->path, "%s/%s.db", test_dir(), name);
    chat_rig_start(rig);
}

void chat_rig_stop(struct chat_rig *rig)
{
    event_log_close(rig->log);
    chat_room_close(rig->room);
    db_close(rig->db);
}

static void copy_file(const char *from, const char *to)
{
    char bytes[65536];
    FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
    size_t len;
    while (in != NULL && out != NULL && (len = fread(bytes, 1, sizeof bytes, in)) > 0)
        CHECK(fwrite(bytes, 1, len, out) == len);
    if (in != NULL)
        fclose(in);
    if (out != NULL)
        fclose(out);
}

/* On the writer thread: nobody writes meanwhile. */
static int copy_tx(struct db_tx *tx, void *arg, struct error *err)
{
    const char *path = arg;
    char to[320], wal[320], to_wal[340];
    snprintf(to, sizeof to, "%s.crash", path);
    snprintf(wal, sizeof wal, "%s-wal", path);
    snprintf(to_wal, sizeof to_wal, "%s-wal", to);
    copy_file(path, to);
    copy_file(wal, to_wal);
    return 0;
}

void chat_rig_crash(struct chat_rig *rig)
{
    struct error err;
    error_init(&err);
    CHECK_OK(db_write(rig->db, copy_tx, rig->path, &err), &err);
    chat_rig_stop(rig);
    size_t len = strlen(rig->path);
    snprintf(rig->path + len, sizeof rig->path - len, ".crash");
    chat_rig_start(rig);
}

/* --- acting ---------------------------------------------------------------------------------- */
struct chat_call *chat_act(struct chat_act *act, struct chat_rig *rig, unsigned user)
{
    arena_init(&act->arena, 16 << 20);
    error_init(&act->err);
    act->call = (struct chat_call){
        .room = rig->room, .user = chat_rig_user(user), .arena = &act->arena, .err = &act->err};
    return &act->call;
}

void chat_act_done(struct chat_act *act)
{
    arena_done(&act->arena);
}

struct id chat_rig_group(struct chat_rig *rig, unsigned owner, unsigned last)
{
    struct chat_act act;
    struct chat_call *call = chat_act(&act, rig, owner);
    struct id ids[100];
    size_t count = 0;
    for (unsigned user = owner + 1; user <= last; user++)
        ids[count++] = chat_rig_user(user);
    const struct chat_create what = {
        .kind = CHAT_GROUP, .member_ids = {ids, count}, .title = SLICE("Group")};
    struct chat chat = {0};
    CHECK_OK(chat_create(call, &what, &chat), &act.err);
    chat_act_done(&act);
    return chat.id;
}

uint64_t chat_rig_send(struct chat_rig *rig, unsigned user, const struct id *chat, const char *text,
                       const char *client_id, const char **ret_code)
{
    struct chat_act act;
    struct chat_call *call = chat_act(&act, rig, user);
    const struct chat_send what = {
        .chat_id = *chat, .text = slice_str(text), .client_id = slice_str(client_id)};
    struct slice json = {0};
    struct message_key key = {0};
    int rc = chat_send(call, &what, &json);
    if (ret_code != NULL)
        *ret_code = rc != 0 ? act.err.code : NULL;
    else
        CHECK_OK(rc, &act.err);
    if (rc == 0)
        CHECK(chat_scan_message(json, &key));
    chat_act_done(&act);
    return key.seq;
}

/* --- events ---------------------------------------------------------------------------------- */
struct reading {
    struct chat_rig *rig;
    uint64_t after;
    struct buf text;
};

static int write_event(const struct event *event, void *arg, struct error *err)
{
    struct reading *reading = arg;
    buf_printf(&reading->text, "%s %u", event->type->name, event->stream.bytes[15]);
    for (unsigned i = 0; i < event->link_count; i++)
        buf_printf(&reading->text, " %s%u", event->links[i].kind == EVENT_FOLLOW ? "+" : "-",
                   event->links[i].user.bytes[15]);
    buf_printf(&reading->text, " %.*s\n", SLICE_FMT(event->data));
    return 0;
}

static int read_events(struct db_tx *tx, void *arg, struct error *err)
{
    struct reading *reading = arg;
    return event_log_read(reading->rig->log, tx, reading->after, 1000, write_event, reading, err);
}

struct slice chat_rig_events(struct chat_rig *rig, uint64_t after, struct arena *arena)
{
    struct reading reading = {.rig = rig, .after = after};
    struct error err;
    error_init(&err);
    buf_init(&reading.text, 4 << 20);
    CHECK_OK(db_read(rig->db, read_events, &reading, &err), &err);
    struct slice text = arena_copy(arena, buf_view(&reading.text));
    buf_done(&reading.text);
    return text;
}
