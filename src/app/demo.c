/* parley demo: fills an empty data folder with people and chats that have a past, through the same
 * rules that clients use, on a clock that is moved as the conversations go.
 *
 * The chats are told one after the other but lie side by side in time: each is told from its own
 * beginning, so the clock goes back between chats; ids and times of messages are those of the tale,
 * positions in the log those of the telling.
 */
#include <stdio.h>
#include <stdlib.h>

#include "app/commands.h"
#include "app/demo_script.h"
#include "app/house.h"
#include "kit/consumer.h"
#include "service/auth/auth.h"
#include "service/chat/chat.h"

enum { DAY_MS = 24 * 3600 * 1000 };

struct demo {
    struct house house;
    struct clock_fake clock;
    struct loop *loop;
    struct loop *loops[1];
    struct id people[32];
    struct arena arena;
    struct error err;
    int64_t now_ms;
    unsigned messages;
    int rc;
};

static int make_people(struct demo *d)
{
    d->clock.wall_ms = d->now_ms - 7 * (int64_t)DAY_MS + 60000;
    for (size_t i = 0; i < demo_people_count; i++) {
        char email[64];
        snprintf(email, sizeof email, "%s@example.org", demo_people[i].username);
        struct auth_signup in = {.username = slice_str(demo_people[i].username),
                                 .email = slice_str(email),
                                 .password = SLICE(DEMO_PASSWORD),
                                 .full_name = slice_str(demo_people[i].full_name)};
        int rc = auth_user_create(&d->house.kit, &in, i == 0 ? ROLE_ADMIN : ROLE_USER,
                                  &d->people[i], &d->err);
        if (rc < 0)
            return rc;
    }
    return consumer_wait(d->house.kit.consumers, "user.profiles", event_log_head(d->house.kit.log),
                         10000, &d->err);
}

static struct chat_call call_as(struct demo *d, int person)
{
    arena_reset(&d->arena);
    return (struct chat_call){.room = kit_room(&d->house.kit, "chat"),
                              .user = d->people[person],
                              .arena = &d->arena,
                              .err = &d->err};
}

static int open_chat(struct demo *d, const struct demo_chat *script, struct id *ret_chat)
{
    struct id members[20];
    size_t count = 0;
    while (script->people[count + 1] >= 0) {
        members[count] = d->people[script->people[count + 1]];
        count++;
    }
    struct chat_create what = {.kind = script->kind, .member_ids = {members, count}};
    if (script->title[0] != 0)
        what.title = slice_str(script->title);
    struct chat_call call = call_as(d, script->people[0]);
    struct chat chat;
    int rc = chat_create(&call, &what, &chat);
    if (rc == 0)
        *ret_chat = chat.id;
    return rc;
}

static int react(struct demo *d, const struct demo_chat *script, const struct demo_line *line,
                 const struct id *chat, int64_t seq)
{
    size_t count = 0;
    while (script->people[count] >= 0)
        count++;
    struct chat_call call = call_as(d, script->people[(size_t)(line->speaker + 1) % count]);
    struct chat_react what = {.chat_id = *chat, .seq = seq, .emoji = slice_str(line->emoji)};
    struct slice json;
    return chat_react(&call, &what, &json);
}

static int say_line(struct demo *d, const struct demo_chat *script, const struct demo_line *line,
                    const struct id *chat, int64_t first_seq, int64_t seq)
{
    char client_id[32];
    snprintf(client_id, sizeof client_id, "demo-%u", d->messages++);
    struct chat_send what = {.chat_id = *chat,
                             .text = slice_str(line->text),
                             .client_id = slice_str(client_id),
                             .reply_to = line->reply_to != 0 ? first_seq + line->reply_to - 1 : 0};
    struct chat_call call = call_as(d, script->people[line->speaker]);
    struct slice json;
    int rc = chat_send(&call, &what, &json);
    if (rc == 0 && line->emoji != NULL)
        rc = react(d, script, line, chat, seq);
    return rc;
}

/* Everybody but the first-named reader has read all; maya finds something new in every chat. */
static int mark_read(struct demo *d, const struct demo_chat *script, const struct id *chat,
                     int64_t last_seq)
{
    for (int i = 0; script->people[i] >= 0; i++) {
        struct chat_place place = {*chat, script->people[i] == 0 && last_seq > 3 ? last_seq - 2
                                                                                 : last_seq};
        struct chat_call call = call_as(d, script->people[i]);
        int rc = chat_read(&call, &place);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int tell(struct demo *d, const struct demo_chat *script)
{
    struct id chat = {0};
    d->clock.wall_ms = d->now_ms - (int64_t)(script->days_ago * DAY_MS);
    int rc = open_chat(d, script, &chat);
    int64_t seq = 0;
    for (int round = 0; round < script->repeats && rc == 0; round++) {
        int64_t first_seq = seq + 1;
        for (size_t i = 0; i < script->line_count && rc == 0; i++) {
            int64_t next =
                d->clock.wall_ms + (int64_t)script->lines[i].pause_s * 1000 / script->repeats;
            d->clock.wall_ms = next < d->now_ms - 60000 ? next : d->now_ms - 60000;
            rc = say_line(d, script, &script->lines[i], &chat, first_seq, ++seq);
        }
        d->clock.wall_ms += (int64_t)(script->days_ago * DAY_MS * 0.9) / script->repeats / 2;
    }
    return rc == 0 ? mark_read(d, script, &chat, seq) : rc;
}

static void demo_main(void *arg)
{
    struct demo *d = arg;
    d->rc = make_people(d);
    for (size_t i = 0; i < demo_chat_count && d->rc == 0; i++)
        d->rc = tell(d, &demo_chats[i]);
    consumers_stop(d->house.kit.consumers);
    loop_stop(d->loop);
}

static int run(struct demo *d)
{
    int rc = consumers_start(&d->house.kit, &d->house.kit.consumers, &d->err);
    if (rc == 0)
        rc = coro_spawn(d->loop, demo_main, d, &d->err);
    if (rc < 0)
        return rc;
    loop_run(d->loop);
    return d->rc;
}

static int fill(const struct config *config, struct error *ret_err, unsigned *ret_messages)
{
    struct demo *d = xcalloc(1, sizeof *d);
    d->now_ms = clock_wall_ms(&clock_system);
    clock_fake_init(&d->clock, d->now_ms - 7 * (int64_t)DAY_MS);
    arena_init(&d->arena, 4 << 20);
    struct loop_config loop_config = {.index = 0};
    int rc = loop_new(&loop_config, &d->loop, &d->err);
    if (rc == 0) {
        d->loops[0] = d->loop;
        d->house.kit.loops = d->loops;
        d->house.kit.loop_count = 1;
        rc = house_open(&d->house, config, &d->clock.clock, &d->err);
        if (rc == 0) {
            if (event_log_head(d->house.kit.log) > 0)
                rc = error_set(&d->err, FAIL_CONFLICT, "not_empty",
                               "The data folder has people in it; the demo wants an empty one.");
            else
                rc = run(d);
            house_close(&d->house);
        }
        loop_free(d->loop);
    }
    *ret_err = d->err;
    *ret_messages = d->messages;
    arena_done(&d->arena);
    free(d);
    return rc;
}

/* The people of the demo talk faster than people may, and their common password is no secret: the
 * hash is made anew, at full cost, when somebody signs in with it. */
static int demo_config(const struct options *options, struct config **ret_config, struct error *err)
{
    static const char *const settings[] = {"limits.per_user=off", "auth.bcrypt_cost=6"};
    struct options mine = *options;
    for (size_t i = 0; i < ARRAY_LEN(settings) && mine.setting_count < OPTION_SETTINGS_MAX; i++)
        mine.settings[mine.setting_count++] = settings[i];
    return options_config(&mine, ret_config, err);
}

int demo_command(const struct options *options)
{
    struct error err;
    error_init(&err);
    struct config *config;
    if (options->arg_count > 0) {
        fprintf(stderr, "usage: parley demo [flags]\n");
        return 2;
    }
    if (demo_config(options, &config, &err) < 0)
        return options_complain("configuration", &err);
    printf("Filling %s with a demo ...\n", config_string(config, "data"));
    fflush(stdout);
    unsigned messages;
    int rc = fill(config, &err, &messages);
    config_free(config);
    if (rc < 0)
        return options_complain("demo", &err);
    printf("%zu people, %zu chats, %u messages. Sign in as \"%s\" (or any of the others) with the "
           "password \"%s\".\n",
           demo_people_count, demo_chat_count, messages, demo_people[0].username, DEMO_PASSWORD);
    return 0;
}
