/* What a returning client missed, read back in pieces that fit into memory. */
#include "realtime_world.h"

/* Reads on until nothing is left; every event once, in order. */
static unsigned read_all_pieces(unsigned limit, unsigned *ret_pieces)
{
    uint64_t after = 0, last = 0;
    unsigned count = 0;
    *ret_pieces = 0;
    for (uint64_t head = event_log_head(kit.log); after < head; ++*ret_pieces) {
        struct replay r;
        struct error err;
        error_init(&err);
        replay_init(&r, &realtime, &(struct principal){.user = user}, after, limit);
        CHECK_OK(replay_read(&r, &err), &err);
        for (unsigned i = 0; i < r.event_count; i++) {
            CHECK(r.events[i].pos > last);
            last = r.events[i].pos;
        }
        count += r.event_count;
        CHECK(r.through > after && r.through >= last);
        if (r.through <= after)
            break;
        after = r.through;
        replay_done(&r);
    }
    return count;
}

TEST(events_that_do_not_fit_into_one_reading_come_with_the_next)
{
    unsigned pieces;
    open_world();
    for (int i = 0; i < 20; i++)
        emit(&sent, 10, 60000); /* 12 MB; a reading takes half of one */
    CHECK_INT(read_all_pieces(500, &pieces), 200);
    CHECK(pieces >= 20);
    close_world();
}

static void read_by_tens(void)
{
    unsigned pieces;
    emit(&sent, 25, 10);
    CHECK_INT(read_all_pieces(10, &pieces), 25);
    CHECK_INT(pieces, 3);
}

TEST(a_reading_ends_at_its_limit)
{
    open_world();
    run(read_by_tens);
    close_world();
}

TEST(events_for_consumers_inside_are_passed_over)
{
    unsigned pieces;
    open_world();
    emit(&inner, 30, 10);
    emit(&sent, 5, 10);
    emit(&inner, 30, 10);
    CHECK_INT(read_all_pieces(10, &pieces), 5);
    close_world();
}

TEST(positions_of_another_log_or_from_too_long_ago_mean_a_resync)
{
    uint64_t after = 0;
    open_world();
    uint64_t head = emit(&sent, 5, 10);
    CHECK_INT(session_position(&realtime, &(struct position){7, 3}, &after), 0);
    CHECK_INT(after, 3);
    CHECK_INT(session_position(&realtime, &(struct position){7, head}, &after), 0);
    CHECK_INT(session_position(&realtime, &(struct position){7, head + 1}, &after), 1);
    CHECK_INT(after, head);
    CHECK_INT(session_position(&realtime, &(struct position){8, 3}, &after), 1);
    CHECK_INT(after, head);
    close_world();
}

/* --- a room in a database of its own ------------------------------------------------------------
 */

static unsigned come_meanwhile; /* events that are committed while its streams are read */

static int apart_streams(void *room, struct db_tx *tx, const struct id *who, stream_fn *fn,
                         void *arg, struct error *err)
{
    static const struct id author = {.bytes = {1, 2, 3}};
    (void)room, (void)who;
    CHECK(db_tx_db(tx) == kit_db(&kit, "apart"));
    if (come_meanwhile > 0)
        emit(&sent, come_meanwhile, 10);
    come_meanwhile = 0;
    return fn(&author, 0, arg, err);
}

static void read_after(uint64_t after, unsigned want, uint64_t want_through)
{
    struct replay r;
    struct error err;
    error_init(&err);
    replay_init(&r, &realtime, &(struct principal){.user = user}, after, 100);
    CHECK_OK(replay_read(&r, &err), &err);
    CHECK_INT(r.event_count, want);
    CHECK_INT(r.through, want_through);
    CHECK_INT(r.stream_count, 2);
    replay_done(&r);
}

/* The streams were read before the events that came meanwhile: one of these may have changed them.
 * They are left to the next reading, which has the streams anew. */
TEST(nothing_is_read_above_the_head_that_the_streams_are_as_of)
{
    static const struct module apart = {.name = "apart", .streams = apart_streams};
    static const struct module *const with_apart[] = {&apart, NULL};
    static void *states[1];
    char path[512];
    struct db *own;
    struct error err;
    error_init(&err);
    open_world();
    snprintf(path, sizeof path, "%s/own.db", test_dir());
    struct db_config db = {.path = path, .readers = 1, .queue_max = 16, .batch_max = 16};
    CHECK_OK(db_open(&db, &own, &err), &err);
    const struct kit_database databases[] = {{"apart", own, "own"}};
    kit.modules = with_apart;
    kit.rooms = states;
    kit.databases = databases;
    kit.database_count = 1;
    emit(&sent, 5, 10);
    come_meanwhile = 3;
    read_after(0, 5, 5);
    read_after(5, 3, 8);
    emit(&inner, 2, 10);
    come_meanwhile = 1;
    read_after(8, 0, 10);
    read_after(10, 1, 11);
    come_meanwhile = 4;
    read_after(11, 0, 11); /* nothing new as of that head: not back, and not ahead */
    read_after(11, 4, 15);
    kit.database_count = 0;
    kit.modules = modules;
    close_world();
    db_close(own);
}
