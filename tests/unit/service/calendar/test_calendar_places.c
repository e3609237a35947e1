/* Who has a place: the room against a model that is as simple as a list of names. */
#include "base/random.h"
#include "calendar_rig.h"

enum { PEOPLE = 12, STEPS = 1500 };

/* The model: answers in the order of their arrival. */
struct model {
    int status[PEOPLE];
    int line[PEOPLE]; /* those who wait, the first first */
    int waiting;
    int64_t capacity; /* 0: any */
};

static int64_t model_yes(const struct model *m)
{
    int64_t yes = 0;
    for (int i = 0; i < PEOPLE; i++)
        yes += m->status[i] == CALENDAR_YES;
    return yes;
}

static void model_promote(struct model *m)
{
    while (m->waiting > 0 && (m->capacity == 0 || model_yes(m) < m->capacity)) {
        m->status[m->line[0]] = CALENDAR_YES;
        m->waiting--;
        memmove(m->line, m->line + 1, sizeof(int) * (size_t)m->waiting);
    }
}

static void model_leave(struct model *m, int who)
{
    for (int i = 0; i < m->waiting; i++)
        if (m->line[i] == who) {
            m->waiting--;
            memmove(m->line + i, m->line + i + 1, sizeof(int) * (size_t)(m->waiting - i));
            break;
        }
    m->status[who] = CALENDAR_NONE;
}

static void model_answer(struct model *m, int who, int answer)
{
    int now = m->status[who];
    if (now == answer || (now == CALENDAR_WAITING && answer == CALENDAR_YES))
        return;
    model_leave(m, who);
    bool free_place = m->capacity == 0 || model_yes(m) < m->capacity;
    if (answer == CALENDAR_YES && (m->waiting > 0 || !free_place)) {
        m->status[who] = CALENDAR_WAITING;
        m->line[m->waiting++] = who;
    } else {
        m->status[who] = answer;
    }
    model_promote(m);
}

static int64_t model_position(const struct model *m, int who)
{
    for (int i = 0; i < m->waiting; i++)
        if (m->line[i] == who)
            return i + 1;
    return 0;
}

static const char sql_yes[] = "SELECT count(*) FROM rsvp WHERE status = 0";
static const char sql_maybe[] = "SELECT count(*) FROM rsvp WHERE status = 1";
static const char sql_waiting[] = "SELECT count(*) FROM rsvp WHERE status = 3";

/* Everybody's status and position, and the counts, both as kept and counted again. */
static bool agree(struct rig *rig, const struct model *m, const struct id *host,
                  const struct id *people, const struct id *id)
{
    struct rsvp_query query = {.page.limit = PAGE_LIMIT_MAX};
    struct rsvp_list list = {0};
    struct gathering g = rig_get(rig, host, id);
    int64_t yes = model_yes(m), seen = 0, expected = 0;
    bool good = g.yes_count == yes && g.waiting_count == m->waiting &&
                rig_number(rig, sql_yes) == yes && rig_number(rig, sql_waiting) == m->waiting &&
                rig_number(rig, sql_maybe) == g.maybe_count;
    CHECK_OK(calendar_attendees(rig_as(rig, host), id, &query, &list), &rig->err);
    for (int i = 0; i < PEOPLE; i++)
        expected += m->status[i] != CALENDAR_NONE;
    for (size_t k = 0; k < list.count; k++)
        for (int i = 0; i < PEOPLE; i++)
            if (id_eq(&people[i], &list.items[k].user_id)) {
                good = good && list.items[k].status == m->status[i] &&
                       list.items[k].position == model_position(m, i);
                seen++;
            }
    return good && seen == expected;
}

static void step(struct rig *rig, struct model *m, const struct id *host, const struct id *people,
                 const struct id *id)
{
    int who = (int)random_below(PEOPLE);
    uint64_t what = random_below(100);
    if (what < 75) {
        int answer = (int)random_below(10);
        answer = answer < 6 ? CALENDAR_YES : answer < 7 ? CALENDAR_MAYBE : CALENDAR_NO;
        struct calendar_rsvp rsvp = rig_answer(rig, &people[who], id, (enum calendar_answer)answer);
        model_answer(m, who, answer);
        CHECK_INT(rsvp.status, m->status[who]);
        CHECK_INT(rsvp.position, model_position(m, who));
    } else if (what < 90) {
        m->capacity = random_below(4) == 0 ? 0 : (int64_t)random_below(PEOPLE) + 1;
        rig_capacity(rig, host, id, m->capacity);
        model_promote(m);
    } else if (what < 99) {
        CHECK_OK(calendar_uninvite(rig_as(rig, host), id, &people[who]), &rig->err);
        model_leave(m, who);
        model_promote(m);
    } else {
        rig_reopen(rig);
    }
}

TEST(calendar_places_as_the_model_says)
{
    struct rig rig;
    struct model m = {.capacity = 3};
    struct id people[PEOPLE];
    rig_open(&rig, NULL);
    struct id host = rig_person(&rig);
    for (int i = 0; i < PEOPLE; i++) {
        people[i] = rig_person(&rig);
        m.status[i] = CALENDAR_NONE;
    }
    struct id id = rig_gathering(&rig, &host, 3).id;
    for (int i = 0; i < STEPS; i++) {
        step(&rig, &m, &host, people, &id);
        if (!agree(&rig, &m, &host, people, &id)) {
            test_fail(__FILE__, __LINE__, "after step %d the room says otherwise", i);
            break;
        }
    }
    rig_close(&rig);
}

TEST(calendar_promoted_people_hear_of_it)
{
    struct rig rig;
    rig_open(&rig, NULL);
    struct id host = rig_person(&rig), a = rig_person(&rig), b = rig_person(&rig);
    struct id id = rig_gathering(&rig, &host, 1).id;
    CHECK_INT(rig_answer(&rig, &a, &id, CALENDAR_YES).status, CALENDAR_YES);
    CHECK_INT(rig_answer(&rig, &b, &id, CALENDAR_YES).status, CALENDAR_WAITING);
    CHECK_INT(rig_count_events(&rig, &calendar_rsvp_changed_event, &b), 1);
    rig_answer(&rig, &a, &id, CALENDAR_NO);
    CHECK_INT(rig_get(&rig, &b, &id).my_status, CALENDAR_YES);
    CHECK_INT(rig_count_events(&rig, &calendar_rsvp_changed_event, &b), 2);
    rig_answer(&rig, &b, &id, CALENDAR_YES); /* the same again is no event */
    CHECK_INT(rig_count_events(&rig, &calendar_rsvp_changed_event, &b), 2);
    CHECK(rig.told >= 3);
    rig_close(&rig);
}

TEST(calendar_a_raised_capacity_reaches_more_than_one_chunk)
{
    enum { MANY = CALENDAR_CHUNK + 150 };
    struct rig rig;
    rig_open(&rig, NULL);
    struct id host = rig_person(&rig);
    struct id id = rig_gathering(&rig, &host, 1).id;
    for (int i = 0; i < MANY; i++) {
        struct id user = id_new(&rig.clock.clock);
        rig_answer(&rig, &user, &id, CALENDAR_YES);
    }
    CHECK_INT(rig_get(&rig, &host, &id).waiting_count, MANY - 1);
    rig_capacity(&rig, &host, &id, MANY - 5);
    struct gathering g = rig_get(&rig, &host, &id);
    CHECK_INT(g.yes_count, MANY - 5);
    CHECK_INT(g.waiting_count, 5);
    rig_capacity(&rig, &host, &id, 10); /* takes none away */
    CHECK_INT(rig_get(&rig, &host, &id).yes_count, MANY - 5);
    rig_close(&rig);
}

static const struct db_sql sql_break = {"UPDATE gathering SET capacity = 2"};

static int break_tx(struct db_tx *tx, void *arg, struct error *err)
{
    return db_exec_n(tx, &sql_break, NULL, 0, err);
}

/* As a crash between two chunks leaves it. */
TEST(calendar_sweep_hands_out_what_was_left)
{
    struct rig rig;
    rig_open(&rig, NULL);
    struct id host = rig_person(&rig), people[4];
    struct id id = rig_gathering(&rig, &host, 1).id;
    for (int i = 0; i < 3; i++) {
        people[i] = rig_person(&rig);
        rig_answer(&rig, &people[i], &id, CALENDAR_YES);
    }
    error_init(&rig.err);
    CHECK_OK(db_write(rig.kit.main_db, break_tx, NULL, &rig.err), &rig.err);
    people[3] = rig_person(&rig);
    CHECK_OK(calendar_sweep(rig.room, &rig.err), &rig.err);
    CHECK_INT(rig_get(&rig, &people[1], &id).my_status, CALENDAR_YES);
    CHECK_INT(rig_get(&rig, &people[2], &id).my_status, CALENDAR_WAITING);
    rig_close(&rig);
}

/* --- people who go -----------------------------------------------------------------------------
 */

TEST(calendar_somebody_who_is_deleted_leaves_a_place)
{
    struct rig rig;
    rig_open(&rig, NULL);
    struct id host = rig_person(&rig), a = rig_person(&rig), b = rig_person(&rig);
    struct id id = rig_gathering(&rig, &host, 1).id;
    rig_answer(&rig, &a, &id, CALENDAR_YES);
    rig_answer(&rig, &b, &id, CALENDAR_YES);
    rig_delete_person(&rig, &a);
    CHECK_INT(rig_get(&rig, &b, &id).my_status, CALENDAR_YES);
    CHECK_INT(rig_get(&rig, &b, &id).yes_count, 1);
    rig_delete_person(&rig, &a); /* an event may come twice */
    CHECK_INT(rig_get(&rig, &b, &id).yes_count, 1);
    rig_close(&rig);
}

static const char sql_rows[] = "SELECT (SELECT count(*) FROM gathering) * 1000"
                               " + (SELECT count(*) FROM rsvp) * 10"
                               " + (SELECT count(*) FROM invite)";

TEST(calendar_of_a_deleted_host_what_is_to_come_is_cancelled)
{
    struct rig rig;
    struct gathering g;
    rig_open(&rig, NULL);
    struct id host = rig_person(&rig), guest = rig_person(&rig);
    struct id past = rig_gathering(&rig, &host, 0).id;
    rig_answer(&rig, &guest, &past, CALENDAR_YES);
    clock_fake_advance(&rig.clock, 72 * HOUR);
    struct id coming = rig_gathering(&rig, &host, 0).id;
    rig_answer(&rig, &guest, &coming, CALENDAR_YES);
    rig_delete_person(&rig, &host);
    CHECK(rig_get(&rig, &guest, &coming).cancelled_at != 0);
    CHECK_INT(rig_count_events(&rig, &gathering_cancelled_event, NULL), 1);
    CHECK_CODE(&rig, gathering_get(rig_as(&rig, &guest), &past, &g), FAIL_NOT_FOUND,
               "event_not_found");
    CHECK_OK(calendar_sweep(rig.room, &rig.err), &rig.err);
    CHECK_INT(rig_number(&rig, sql_rows), 1010);
    clock_fake_advance(&rig.clock, 72 * HOUR);
    error_init(&rig.err);
    CHECK_OK(calendar_sweep(rig.room, &rig.err), &rig.err);
    CHECK_INT(rig_number(&rig, sql_rows), 0);
    rig_close(&rig);
}

TEST(calendar_a_block_takes_the_answer_away)
{
    struct rig rig;
    struct gathering g;
    rig_open(&rig, NULL);
    struct id host = rig_person(&rig), a = rig_person(&rig), b = rig_person(&rig);
    struct id id = rig_gathering(&rig, &host, 1).id;
    rig_answer(&rig, &a, &id, CALENDAR_YES);
    rig_answer(&rig, &b, &id, CALENDAR_YES);
    rig_block(&rig, &host, &a);
    CHECK_INT(rig_get(&rig, &b, &id).my_status, CALENDAR_YES);
    CHECK_CODE(&rig, gathering_get(rig_as(&rig, &a), &id, &g), FAIL_NOT_FOUND, "event_not_found");
    rig_close(&rig);
}
