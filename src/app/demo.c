/* parley demo: fills an empty data folder with people, chats and posts that have a past, through
 * the same rules that clients use, on a clock that is moved as the conversations go.
 */
#include <stdio.h>
#include <stdlib.h>

#include "app/commands.h"
#include "app/demo_life.h"
#include "app/demo_script.h"
#include "app/house.h"
#include "kit/consumer.h"
#include "kit/outbox.h"
#include "service/auth/auth.h"
#include "service/chat/chat.h"

enum { DAY_MS = 24 * 3600 * 1000 };

struct demo {
    struct house house;
    struct clock_fake clock;
    struct loop *loop;
    struct loop *loops[1];
    struct id people[32];
    struct demo_life *life;
    struct arena arena;
    struct error err;
    int64_t now_ms;
    unsigned messages;
    int rc;
};

/* Until every room knows what has happened so far. */
static int catch_up(struct demo *d)
{
    struct consumer_lag all[64];
    unsigned count = consumers_lag(d->house.kit.consumers, all, ARRAY_LEN(all));
    uint64_t head = event_log_head(d->house.kit.log);
    int rc = 0;
    for (unsigned i = 0; i < count && i < ARRAY_LEN(all) && rc == 0; i++)
        rc = consumer_wait(d->house.kit.consumers, all[i].name, head, 30000, &d->err);
    return rc;
}

static int make_people(struct demo *d)
{
    d->clock.wall_ms = d->now_ms - 7 * (int64_t)DAY_MS + DAY_MS / 4;
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
    return catch_up(d);
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

/* --- the tale, in the order of time ------------------------------------------------------------
 */

/* What happens next: a line of a chat, or its beginning (line -1), or something beside the chats.
 */
struct scene {
    int64_t at_ms;
    const struct demo_deed *deed; /* NULL: the chat's */
    size_t chat;
    int round, line;
};

static int by_time(const void *left, const void *right)
{
    const struct scene *a = left, *b = right;
    if (a->at_ms != b->at_ms)
        return a->at_ms < b->at_ms ? -1 : 1;
    if (a->deed != NULL || b->deed != NULL)
        return a->deed < b->deed ? -1 : a->deed > b->deed; /* in the order of their plan */
    if (a->chat != b->chat)
        return a->chat < b->chat ? -1 : 1;
    return a->round != b->round ? (a->round < b->round ? -1 : 1) : a->line - b->line;
}

/* Rounds of a chat are spread evenly between its beginning and now. */
static size_t plan_chat(const struct demo *d, size_t chat, struct scene *scenes)
{
    const struct demo_chat *script = &demo_chats[chat];
    int64_t begin = d->now_ms - (int64_t)(script->days_ago * DAY_MS);
    int64_t last = d->now_ms - 60000, per_round = (last - begin) / script->repeats;
    size_t count = 0;
    scenes[count++] = (struct scene){begin, NULL, chat, 0, -1};
    for (int round = 0; round < script->repeats; round++) {
        int64_t at = begin + round * per_round;
        for (size_t line = 0; line < script->line_count; line++) {
            at += (int64_t)script->lines[line].pause_s * 1000 / script->repeats;
            scenes[count++] = (struct scene){at < last ? at : last, NULL, chat, round, (int)line};
        }
    }
    return count;
}

static size_t scenes_of(size_t chat)
{
    return 1 + (size_t)demo_chats[chat].repeats * demo_chats[chat].line_count;
}

static int play(struct demo *d, const struct scene *scene, struct id *chats)
{
    d->clock.wall_ms = scene->at_ms;
    if (scene->deed != NULL)
        return demo_life_do(d->life, scene->deed, &d->err);
    const struct demo_chat *script = &demo_chats[scene->chat];
    struct id *chat = &chats[scene->chat];
    if (scene->line < 0)
        return open_chat(d, script, chat);
    int64_t first_seq = 1 + scene->round * (int64_t)script->line_count;
    return say_line(d, script, &script->lines[scene->line], chat, first_seq,
                    first_seq + scene->line);
}

static int tell_all(struct demo *d)
{
    size_t total = 0, count = 0;
    struct id chats[32];
    panic_if(demo_chat_count > ARRAY_LEN(chats), "the demo has too many chats");
    for (size_t i = 0; i < demo_chat_count; i++)
        total += scenes_of(i);
    size_t deed_count;
    struct demo_deed *deeds = demo_life_plan(d->life, &deed_count);
    struct scene *scenes = xcalloc(total + deed_count, sizeof *scenes);
    for (size_t i = 0; i < demo_chat_count; i++)
        count += plan_chat(d, i, scenes + count);
    for (size_t i = 0; i < deed_count; i++)
        scenes[count++] = (struct scene){.at_ms = deeds[i].at_ms, .deed = &deeds[i]};
    qsort(scenes, count, sizeof *scenes, by_time);
    int rc = 0;
    for (size_t i = 0; i < count && rc == 0; i++)
        rc = play(d, &scenes[i], chats);
    for (size_t i = 0; i < demo_chat_count && rc == 0; i++)
        rc = mark_read(d, &demo_chats[i], &chats[i], (int64_t)scenes_of(i) - 1);
    free(scenes);
    free(deeds);
    return rc < 0 ? rc : catch_up(d);
}

static void demo_main(void *arg)
{
    struct demo *d = arg;
    d->life = demo_life_new(&d->house.kit, d->people, d->now_ms);
    d->rc = make_people(d);
    if (d->rc == 0)
        d->rc = tell_all(d);
    demo_life_free(d->life);
    consumers_stop(d->house.kit.consumers);
    outboxes_stop(d->house.kit.outboxes);
    loop_stop(d->loop);
}

static int run(struct demo *d)
{
    int rc = outboxes_open(&d->house.kit, &d->house.kit.outboxes, &d->err);
    if (rc == 0)
        rc = outboxes_start(d->house.kit.outboxes, &d->err);
    if (rc == 0)
        rc = consumers_start(&d->house.kit, &d->house.kit.consumers, &d->err);
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
    clock_fake_init(&d->clock, d->now_ms - 7 * (int64_t)DAY_MS + DAY_MS / 4);
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
            outboxes_free(d->house.kit.outboxes);
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
    printf("%zu people, %zu chats, %u messages, %u posts. Sign in as \"%s\" (or any of the others) "
           "with the password \"%s\".\n",
           demo_people_count, demo_chat_count, messages, demo_life_posts(), demo_people[0].username,
           DEMO_PASSWORD);
    return 0;
}
