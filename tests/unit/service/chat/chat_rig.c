#include "chat_rig.h"

#include <stdio.h>
#include <stdlib.h>

#include "database_files.h"

/* --- the rooms that it asks ------------------------------------------------------------------- */
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
            return error_set(err, FAIL_NOT_FOUND, "user_not_found", "There is no such user.");
        }
    return 0;
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

static int start_asked(struct kit *kit, void **ret_room, struct error *err)
{
    struct chat_rig *rig = CONTAINER_OF(kit, struct chat_rig, base.kit);
    rig->social = (struct social_calls){.room = rig, .blocked = blocked, .relations = relations};
    *ret_room = rig;
    return 0;
}

static const struct module asked_user_module = {
    .name = "user", .start = start_asked, .calls = user_calls};
static const struct module asked_social_module = {
    .name = "social", .start = start_asked, .calls = social_calls};

/* --- the room: sizes that the configuration would not take ------------------------------------ */

static int start_room(struct kit *kit, void **ret_room, struct error *err)
{
    const struct chat_rig *rig = CONTAINER_OF(kit, struct chat_rig, base.kit);
    const struct chat_room_config config = {
        .kit = kit,
        .memory_chats = rig->memory_chats != 0 ? rig->memory_chats : 1000,
        .recent_messages = 20,
        .group_members_max = rig->group_members_max != 0 ? rig->group_members_max : 100,
        .messages_per_minute = rig->messages_per_minute};
    struct chat_room *room = NULL;
    int rc = chat_room_open(&config, &room, err);
    *ret_room = room;
    return rc;
}

static void stop_room(void *room)
{
    chat_room_close(room);
}

extern const struct db_schema chat_db_schema;
static const struct module room_module = {.name = "chat",
                                          .events = chat_event_types,
                                          .schema = &chat_db_schema,
                                          .start = start_room,
                                          .stop = stop_room};

void chat_rig_open(struct chat_rig *rig)
{
    static const struct module *const modules[] = {&asked_social_module, &asked_user_module,
                                                   &room_module, NULL};
    rig_open_modules(&rig->base, modules, NULL,
                     rig->tail_events_max != 0 ? rig->tail_events_max : 100);
}

struct chat_room *chat_rig_room(struct chat_rig *rig)
{
    return rig->base.room;
}

/* --- a crash ---------------------------------------------------------------------------------- */

static void copy(const char *from, const char *to)
{
    char from_path[512], to_path[512];
    rig_path(from, from_path);
    rig_path(to, to_path);
    copy_database(from_path, to_path);
}

/* On the writer thread: nobody writes meanwhile. */
static int copy_tx(struct db_tx *tx, void *arg, struct error *err)
{
    copy("main.db", "crash.db");
    return 0;
}

void chat_rig_crash(struct chat_rig *rig)
{
    rig_clear(&rig->base);
    CHECK_OK(db_write(rig->base.kit.main_db, copy_tx, NULL, &rig->base.err), &rig->base.err);
    rig_stop(&rig->base);
    copy("crash.db", "main.db");
    rig_start(&rig->base);
}

/* --- acting ----------------------------------------------------------------------------------- */
struct chat_call *chat_act(struct chat_act *act, struct chat_rig *rig, unsigned user)
{
    arena_init(&act->arena, 16 << 20);
    error_init(&act->err);
    act->call = (struct chat_call){.room = rig->base.room,
                                   .user = chat_rig_user(user),
                                   .arena = &act->arena,
                                   .err = &act->err};
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

/* --- events ----------------------------------------------------------------------------------- */
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
    return event_log_read(reading->rig->base.kit.log, tx, reading->after, 1000, write_event,
                          reading, err);
}

struct slice chat_rig_events(struct chat_rig *rig, uint64_t after, struct arena *arena)
{
    struct reading reading = {.rig = rig, .after = after};
    struct error err;
    error_init(&err);
    buf_init(&reading.text, 4 << 20);
    CHECK_OK(db_read(rig->base.kit.main_db, read_events, &reading, &err), &err);
    struct slice text = arena_copy(arena, buf_view(&reading.text));
    buf_done(&reading.text);
    return text;
}
