/* What a durable message costs the server without any socket: chat_send called from coroutines,
 * one per chat, each with one message in flight.
 *
 *     bench-chat-send FOLDER [chats 1000] [present 1000000] [measured 500000]
 *
 * In a folder that has been used before, "start" shows how long opening takes.
 * First `present` messages are sent so that the tables have a past, then `measured` more are timed.
 * CPU is split between the loop's thread (rule, draft, waiting) and the rest, which is the
 * database's writer: rule on the writer, log row, commit, fold, checkpoint.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "io/coro.h"
#include "service/chat/chat_room.h"
#include "service/social/social_blocks.h"

extern const struct db_schema chat_db_schema;

struct bench {
    struct kit kit;
    struct loop *loop;
    struct chat_room *room;
    struct id *chats;
    unsigned chat_count, running;
    uint64_t left;
    uint64_t sent;
};

static void must(int rc, const struct error *err)
{
    panic_if(rc != 0, "%s: %s", err->code != NULL ? err->code : "failed", err->detail);
}

static struct id user_id(unsigned number)
{
    struct id id = {{1, 2, 3}};
    memcpy(id.bytes + 12, &number, sizeof number);
    return id;
}

static int check_all(void *room, const struct id *users, size_t count, struct id *ret_missing,
                     struct error *err)
{
    return 0;
}

static const void *user_calls(void *room)
{
    static const struct user_calls calls = {.check_all = check_all};
    return &calls;
}

/* As in the house while nobody has blocked anybody. */
static bool blocked(void *room, const struct id *a, const struct id *b)
{
    return social_blocks_between(room, a, b);
}

static const void *social_calls(void *room)
{
    static struct social_calls calls = {.blocked = blocked};
    if (calls.room == NULL)
        calls.room = social_blocks_new();
    return &calls;
}

/* --- the work -------------------------------------------------------------------------------- */
struct writer {
    struct bench *bench;
    unsigned chat;
};

static void send_on(void *arg)
{
    struct writer *writer = arg;
    struct bench *b = writer->bench;
    struct arena arena;
    struct error err;
    arena_init(&arena, 1 << 20);
    while (b->left > 0) {
        char text[200], client[40];
        uint64_t n = b->left--;
        int len = snprintf(text, sizeof text,
                           "Message %llu of the measurement, about as long as what people write to "
                           "each other when they have something to say.",
                           (unsigned long long)n);
        int client_len = snprintf(client, sizeof client, "%u-%llu", writer->chat,
                                  (unsigned long long)(b->sent + n * 2654435761U));
        struct chat_call call = {
            .room = b->room, .user = user_id(2 * writer->chat), .arena = &arena, .err = &err};
        const struct chat_send what = {.chat_id = b->chats[writer->chat],
                                       .text = slice_of(text, (size_t)len),
                                       .client_id = slice_of(client, (size_t)client_len)};
        struct slice json;
        error_init(&err);
        must(chat_send(&call, &what, &json), &err);
        arena_reset(&arena);
        b->sent++;
    }
    arena_done(&arena);
    if (--b->running == 0)
        loop_stop(b->loop);
}

static void make_chats(void *arg)
{
    struct bench *b = arg;
    struct arena arena;
    struct error err;
    arena_init(&arena, 1 << 20);
    for (unsigned i = 0; i < b->chat_count; i++) {
        struct id other = user_id(2 * i + 1);
        struct chat_call call = {
            .room = b->room, .user = user_id(2 * i), .arena = &arena, .err = &err};
        const struct chat_create what = {.kind = CHAT_DIRECT, .member_ids = {&other, 1}};
        struct chat chat;
        error_init(&err);
        must(chat_create(&call, &what, &chat), &err);
        b->chats[i] = chat.id;
        arena_reset(&arena);
    }
    arena_done(&arena);
    loop_stop(b->loop);
}

static void send_all(struct bench *b, uint64_t count)
{
    struct error err;
    struct writer *writers = xcalloc(b->chat_count, sizeof *writers);
    error_init(&err);
    b->left = count;
    b->running = b->chat_count;
    for (unsigned i = 0; i < b->chat_count; i++) {
        writers[i] = (struct writer){b, i};
        must(coro_spawn(b->loop, send_on, &writers[i], &err), &err);
    }
    loop_run(b->loop);
    free(writers);
}

/* --- measuring ------------------------------------------------------------------------------- */
static double seconds(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

struct usage {
    double wall, loop_cpu, all_cpu;
};

static struct usage usage(void)
{
    return (struct usage){seconds(CLOCK_MONOTONIC), seconds(CLOCK_THREAD_CPUTIME_ID),
                          seconds(CLOCK_PROCESS_CPUTIME_ID)};
}

static void report(const struct bench *b, const char *phase, uint64_t count, struct usage from)
{
    struct usage to = usage();
    struct rusage memory;
    struct db_stats stats;
    struct message_store_stats store;
    getrusage(RUSAGE_SELF, &memory);
    db_stats(b->kit.main_db, &stats);
    message_store_stats(b->room->messages, &store);
    double n = count > 0 ? (double)count : 1, loop = to.loop_cpu - from.loop_cpu,
           all = to.all_cpu - from.all_cpu;
    printf("{\"phase\": \"%s\", \"ms\": %.1f, \"messages\": %llu, \"per_second\": %.0f, "
           "\"loop_cpu_us\": %.2f, "
           "\"writer_cpu_us\": %.2f, \"commits\": %llu, \"max_rss_mb\": %ld, "
           "\"store_mb\": %zu, \"filter_false\": %llu}\n",
           phase, (to.wall - from.wall) * 1e3, (unsigned long long)count, n / (to.wall - from.wall),
           loop / n * 1e6, (all - loop) / n * 1e6, (unsigned long long)stats.commits,
           memory.ru_maxrss / 1024, store.bytes >> 20, (unsigned long long)store.filter_passes);
    fflush(stdout);
}

/* --- the house ------------------------------------------------------------------------------- */
static void open_house(struct bench *b, const char *folder)
{
    static char path[400];
    static const struct module user_module = {.name = "user", .calls = user_calls};
    static const struct module blocks_module = {.name = "social", .calls = social_calls};
    static const struct module *const modules[] = {&blocks_module, &user_module, NULL};
    static void *rooms[2];
    static struct db *db;
    static struct event_log *log;
    struct error err;
    error_init(&err);
    snprintf(path, sizeof path, "%s/bench.db", folder);
    const struct db_config config = {
        .path = path, .readers = 1, .queue_max = 100000, .batch_max = 2000, .clock = &clock_system};
    const struct db_schema schemas[] = {event_log_schema, message_store_schema, chat_db_schema};
    must(db_open(&config, &db, &err), &err);
    must(db_migrate(db, schemas, ARRAY_LEN(schemas), NULL, &err), &err);
    const struct event_log_config log_config = {.db = db, .types = chat_event_types};
    must(event_log_open(&log_config, &log, &err), &err);
    b->kit = (struct kit){
        .clock = &clock_system, .main_db = db, .log = log, .modules = modules, .rooms = rooms};
    const struct chat_room_config room = {
        .kit = &b->kit, .memory_chats = 1000000, .group_members_max = 100};
    must(chat_room_open(&room, &b->room, &err), &err);
    must(event_log_start(log, &err), &err);
    const struct loop_config loop = {.stacks_max = b->chat_count + 16, .stack_bytes = 64 << 10};
    must(loop_new(&loop, &b->loop, &err), &err);
}

static uint64_t number(const char *text)
{
    uint64_t value;
    panic_if(!slice_to_u64(slice_str(text), &value), "%s is no number", text);
    return value;
}

int main(int argc, char **argv)
{
    panic_if(argc < 2, "usage: bench-chat-send FOLDER [chats] [present] [measured]");
    struct bench b = {.chat_count = argc > 2 ? (unsigned)number(argv[2]) : 1000};
    uint64_t present = argc > 3 ? number(argv[3]) : 1000000;
    uint64_t measured = argc > 4 ? number(argv[4]) : 500000;
    struct error err;
    error_init(&err);
    b.chats = xcalloc(b.chat_count, sizeof *b.chats);
    struct usage from = usage();
    open_house(&b, argv[1]);
    report(&b, "start", 0, from);
    must(coro_spawn(b.loop, make_chats, &b, &err), &err);
    loop_run(b.loop);
    from = usage();
    send_all(&b, present);
    report(&b, "present", present, from);
    from = usage();
    send_all(&b, measured);
    report(&b, "measured", measured, from);
    from = usage();
    event_log_close(b.kit.log);
    report(&b, "last fold", 1, from);
    chat_room_close(b.room);
    db_close(b.kit.main_db);
    loop_free(b.loop);
    free(b.chats);
    return 0;
}
