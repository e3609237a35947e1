/* Reminders: once to each, also across restarts, chunks and a clock that is set back. */
#include "calendar_rig.h"

static void remind(struct rig *rig)
{
    error_init(&rig->err);
    CHECK_OK(calendar_remind(rig->room, &rig->err), &rig->err);
}

static unsigned reminded(struct rig *rig, const struct id *user)
{
    return rig_count_events(rig, &calendar_reminder_event, user);
}

TEST(calendar_reminders_at_both_times)
{
    struct rig rig;
    rig_open(&rig, NULL);
    struct id host = rig_person(&rig), yes = rig_person(&rig), maybe = rig_person(&rig),
              no = rig_person(&rig);
    struct id id = rig_gathering(&rig, &host, 0).id;
    rig_answer(&rig, &yes, &id, CALENDAR_YES);
    rig_answer(&rig, &maybe, &id, CALENDAR_MAYBE);
    rig_answer(&rig, &no, &id, CALENDAR_NO);
    remind(&rig);
    CHECK_INT(reminded(&rig, NULL), 0);
    clock_fake_advance(&rig.clock, 24 * HOUR); /* 24 hours before */
    remind(&rig);
    remind(&rig);
    CHECK_INT(reminded(&rig, &yes), 1);
    CHECK_INT(reminded(&rig, &maybe), 1);
    rig_reopen(&rig);
    remind(&rig);
    CHECK_INT(reminded(&rig, NULL), 2);
    clock_fake_advance(&rig.clock, 23 * HOUR); /* one hour before */
    remind(&rig);
    CHECK_INT(reminded(&rig, NULL), 4);
    CHECK_INT(reminded(&rig, &no) + reminded(&rig, &host), 0);
    clock_fake_advance(&rig.clock, -47 * HOUR); /* the clock is set back */
    remind(&rig);
    clock_fake_advance(&rig.clock, 47 * HOUR);
    remind(&rig);
    CHECK_INT(reminded(&rig, NULL), 4);
    rig_close(&rig);
}

TEST(calendar_reminders_in_chunks)
{
    enum { MANY = CALENDAR_CHUNK * 2 + 100 };
    struct rig rig;
    rig_open(&rig, NULL);
    struct id host = rig_person(&rig), last = {{0}};
    struct id id = rig_gathering(&rig, &host, 0).id;
    for (int i = 0; i < MANY; i++) {
        last = id_new(&rig.clock.clock);
        rig_answer(&rig, &last, &id, CALENDAR_YES);
    }
    clock_fake_advance(&rig.clock, 24 * HOUR);
    remind(&rig);
    CHECK_INT(reminded(&rig, NULL), MANY);
    CHECK_INT(reminded(&rig, &last), 1);
    rig_close(&rig);
}

TEST(calendar_reminders_follow_the_start)
{
    struct rig rig;
    rig_open(&rig, NULL);
    struct id host = rig_person(&rig), guest = rig_person(&rig);
    struct id id = rig_gathering(&rig, &host, 0).id;
    rig_answer(&rig, &guest, &id, CALENDAR_YES);
    rig_start_at(&rig, &host, &id, NOW + 100 * HOUR);
    clock_fake_advance(&rig.clock, 47 * HOUR);
    remind(&rig);
    CHECK_INT(reminded(&rig, NULL), 0);
    clock_fake_advance(&rig.clock, 29 * HOUR);
    remind(&rig);
    CHECK_INT(reminded(&rig, &guest), 1);
    rig_start_at(&rig, &host, &id, NOW + 200 * HOUR); /* put off: reminded anew */
    clock_fake_advance(&rig.clock, 100 * HOUR);
    remind(&rig);
    CHECK_INT(reminded(&rig, &guest), 2);
    rig_capacity(&rig, &host, &id, 5); /* an edit that leaves the start reminds nobody again */
    remind(&rig);
    CHECK_INT(reminded(&rig, &guest), 2);
    rig_close(&rig);
}

static const char sql_planned[] = "SELECT count(*) FROM reminder";

TEST(calendar_no_reminders_of_what_is_off)
{
    struct rig rig;
    struct gathering g;
    rig_open(&rig, NULL);
    struct id host = rig_person(&rig), guest = rig_person(&rig);
    struct id cancelled = rig_gathering(&rig, &host, 0).id;
    struct id begun = rig_gathering(&rig, &host, 0).id;
    rig_answer(&rig, &guest, &cancelled, CALENDAR_YES);
    rig_answer(&rig, &guest, &begun, CALENDAR_YES);
    CHECK_OK(gathering_cancel(rig_as(&rig, &host), &cancelled, &g), &rig.err);
    clock_fake_advance(&rig.clock, 49 * HOUR); /* nothing ran meanwhile, and it has begun */
    remind(&rig);
    CHECK_INT(reminded(&rig, NULL), 0);
    CHECK_INT(rig_number(&rig, sql_planned), 0);
    rig_close(&rig);
}

TEST(calendar_reminders_as_configured)
{
    static const char *const settings[] = {"calendar.first_reminder=2h",
                                           "calendar.last_reminder=0s", NULL};
    struct rig rig;
    rig_open(&rig, settings);
    struct id host = rig_person(&rig);
    struct id id = rig_gathering(&rig, &host, 0).id;
    rig_answer(&rig, &host, &id, CALENDAR_YES); /* hosts may come to their own */
    clock_fake_advance(&rig.clock, 45 * HOUR);
    remind(&rig);
    CHECK_INT(reminded(&rig, &host), 0);
    clock_fake_advance(&rig.clock, HOUR);
    remind(&rig);
    CHECK_INT(reminded(&rig, &host), 1);
    CHECK_INT(rig_number(&rig, sql_planned), 0);
    rig_close(&rig);
}
