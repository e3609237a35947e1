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
        replay_init(&r, &realtime, &user, after, limit);
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
        emit(&sent, 10, 60000); /* 12 MB; a reading holds 8 */
    CHECK_INT(read_all_pieces(500, &pieces), 200);
    CHECK(pieces >= 2);
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
