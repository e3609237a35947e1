/* Dead letters: a letter handed to its consumer again is handled and gone, or neither; lists go
 * through every database. */
#include "consumer_world.h"
#include "kit/dead_letter.h"

static struct arena arena;
static struct error err;

static unsigned came;

static void count_letter(struct kit *of)
{
    (void)of;
    came++;
}

static void put_aside_two(void)
{
    atomic_store(&seen.poison, emit(&sent, 1) + 1);
    CHECK_INT(wait_for(emit(&sent, 1), CORO_FOREVER), 0);
    atomic_store(&seen.poison, emit(&sent, 1) + 1);
    CHECK_INT(wait_for(emit(&sent, 1), CORO_FOREVER), 0);
}

/* Two of four events are dead letters of the consumer in the search database. */
static void open_letters(void)
{
    (void)check_seen; /* not all of the world is needed here */
    consumers[0].attempts = 1;
    open_world((struct event_log_config){0}, &clock_system);
    kit.dead_letter_came = count_letter;
    came = 0;
    start_consumers();
    run(put_aside_two);
    CHECK_INT(came, 2);
    error_init(&err);
    arena_init(&arena, 1 << 20);
}

static void close_letters(void)
{
    arena_done(&arena);
    close_world();
    consumers[0].attempts = 0;
}

static size_t list(struct cursor after, unsigned limit, struct dead_letter **ret_letters)
{
    size_t count = 0;
    error_init(&err);
    CHECK_OK(dead_letter_list(&kit, &after, limit, &arena, ret_letters, &count, &err), &err);
    return count;
}

TEST(a_list_is_newest_first_and_goes_on_after_a_cursor)
{
    struct dead_letter *letters;
    open_letters();
    CHECK_INT(list((struct cursor){0}, 10, &letters), 2);
    CHECK_STR(letters[0].consumer, "search");
    CHECK_STR(letters[0].event_type, "message.sent");
    CHECK_STR(letters[0].error, "The test says no.");
    CHECK_INT(letters[0].attempts, 1);
    struct id older = letters[1].id;
    CHECK_INT(list((struct cursor){0}, 1, &letters), 2); /* one more than asked for */
    struct cursor next = {.number = letters[0].created_at, .id = letters[0].id};
    CHECK_INT(list(next, 1, &letters), 1);
    CHECK(id_eq(&letters[0].id, &older));
    close_letters();
}

static int count_done(void *arg, struct db_tx *tx, const struct dead_letter_taken *letter,
                      struct error *e)
{
    (void)tx, (void)e;
    CHECK_STR(letter->consumer, "search");
    ++*(int *)arg;
    return 0;
}

TEST(a_letter_handed_over_again_is_handled_once_and_gone)
{
    struct dead_letter *letters;
    int told = 0;
    open_letters();
    CHECK_INT(list((struct cursor){0}, 10, &letters), 2);
    unsigned before = atomic_load(&seen.count);
    atomic_store(&seen.poison, 0);
    CHECK_OK(dead_letter_requeue(&kit, &letters[0].id, count_done, &told, &arena, &err), &err);
    CHECK_INT(atomic_load(&seen.count), before + 1);
    CHECK_INT(told, 1);
    CHECK_INT(dead_letter_requeue(&kit, &letters[0].id, count_done, &told, &arena, &err),
              FAIL_NOT_FOUND);
    CHECK_INT(atomic_load(&seen.count), before + 1);
    CHECK_INT(told, 1);
    CHECK_INT(list((struct cursor){0}, 10, &letters), 1);
    close_letters();
}

TEST(a_letter_that_fails_again_stays)
{
    struct dead_letter *letters;
    int told = 0;
    open_letters();
    CHECK_INT(list((struct cursor){0}, 10, &letters), 2);
    CHECK_INT(dead_letter_requeue(&kit, &letters[0].id, count_done, &told, &arena, &err),
              FAIL_CONFLICT);
    CHECK_STR(slice_str(err.code), "requeue_failed");
    CHECK(strstr(err.detail, "The test says no.") != NULL);
    CHECK_INT(told, 0);
    CHECK_INT(list((struct cursor){0}, 10, &letters), 2);
    CHECK_INT(letters[0].attempts, 2);
    close_letters();
}

TEST(a_letter_of_a_consumer_that_is_no_more_can_be_thrown_away)
{
    struct dead_letter *letters;
    int told = 0;
    open_letters();
    CHECK_INT(list((struct cursor){0}, 10, &letters), 2);
    consumers[0].name = "found";
    CHECK_INT(dead_letter_requeue(&kit, &letters[0].id, NULL, NULL, &arena, &err), FAIL_CONFLICT);
    CHECK_STR(slice_str(err.code), "consumer_gone");
    error_init(&err);
    CHECK_OK(dead_letter_discard(&kit, &letters[0].id, count_done, &told, &arena, &err), &err);
    CHECK_INT(told, 1);
    CHECK_INT(dead_letter_discard(&kit, &letters[0].id, NULL, NULL, &arena, &err), FAIL_NOT_FOUND);
    CHECK_INT(list((struct cursor){0}, 10, &letters), 1);
    consumers[0].name = "search";
    close_letters();
}

static int put_old(struct db_tx *tx, void *arg, struct error *e)
{
    static const struct db_sql sql = {
        "INSERT INTO dead_letter (consumer, pos, type, stream, data, reason, attempts, at) "
        "VALUES ('search', 9, 'message.sent', x'01', '{}', 'Long ago.', 10, 1795000000000)"};
    (void)arg;
    return db_exec_n(tx, &sql, NULL, 0, e);
}

TEST(letters_of_before_they_had_ids_are_still_there)
{
    const struct db_schema before = {kit_schema.room, kit_schema.migrations, 2};
    struct dead_letter *letters;
    struct db *db = open_db("old.db", &before, 1, &clock_system);
    error_init(&err);
    CHECK_OK(db_write(db, put_old, NULL, &err), &err);
    CHECK_OK(db_migrate(db, &kit_schema, 1, NULL, &err), &err);
    memset(&kit, 0, sizeof kit);
    kit.main_db = db;
    kit.modules = (const struct module *const[]){NULL};
    arena_init(&arena, 1 << 20);
    CHECK_INT(list((struct cursor){0}, 10, &letters), 1);
    CHECK(!id_is_nil(&letters[0].id));
    CHECK_STR(letters[0].event_pos, "9");
    CHECK_STR(letters[0].error, "Long ago.");
    arena_done(&arena);
    db_close(db);
}
