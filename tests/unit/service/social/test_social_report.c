/* Reports: made once, handled by moderators, on record. */
#include "kit/audit.h"
#include "social_rig.h"

static int report(struct rig *rig, const struct id *who, enum social_subject kind,
                  const struct id *subject, struct social_report *ret)
{
    const struct social_report_new what = {
        .subject_kind = (int)kind, .subject_id = *subject, .reason = 1, .text = SLICE("look")};
    return social_report(rig_as(rig, who), &what, ret);
}

TEST(a_thing_is_reported_once_while_open)
{
    struct rig rig;
    struct social_report first, second;
    rig_open(&rig, NULL);
    struct id ada = rig_person(&rig), bob = rig_person(&rig), post = id_new(&rig.clock.clock);
    CHECK_OK(report(&rig, &ada, SOCIAL_SUBJECT_POST, &post, &first), &rig.err);
    CHECK_INT(first.status, SOCIAL_REPORT_OPEN);
    CHECK_CODE(&rig, report(&rig, &ada, SOCIAL_SUBJECT_POST, &post, &second), FAIL_CONFLICT,
               "already_reported");
    CHECK_OK(report(&rig, &bob, SOCIAL_SUBJECT_POST, &post, &second), &rig.err);
    CHECK_OK(report(&rig, &ada, SOCIAL_SUBJECT_USER, &bob, &second), &rig.err);
    CHECK_CODE(&rig, report(&rig, &ada, SOCIAL_SUBJECT_USER, &ada, &second), FAIL_INVALID,
               "self_report");
    struct id nobody = id_new(&rig.clock.clock);
    CHECK_CODE(&rig, report(&rig, &ada, SOCIAL_SUBJECT_USER, &nobody, &second), FAIL_NOT_FOUND,
               "user_not_found");
    rig_close(&rig);
}

static int handle(struct rig *rig, const struct id *who, const struct id *which, int status,
                  struct arena *arena, struct social_report *ret)
{
    const struct social_report_patch patch = {.present = 1 << SOCIAL_REPORT_PATCH_STATUS |
                                                         1 << SOCIAL_REPORT_PATCH_NOTE,
                                              .status = status,
                                              .note = SLICE("seen")};
    return social_report_handle(rig_as(rig, who), which, &patch, arena, ret);
}

TEST(a_moderator_handles_it_and_may_open_it_again)
{
    struct rig rig;
    struct social_report made, now;
    struct arena arena;
    rig_open(&rig, NULL);
    arena_init(&arena, 1 << 20);
    struct id ada = rig_person(&rig), judge = rig_person(&rig), post = id_new(&rig.clock.clock);
    CHECK_OK(report(&rig, &ada, SOCIAL_SUBJECT_POST, &post, &made), &rig.err);
    clock_fake_advance(&rig.clock, 1000);
    CHECK_OK(handle(&rig, &judge, &made.id, SOCIAL_REPORT_RESOLVED, &arena, &now), &rig.err);
    CHECK(id_eq(&now.handled_by, &judge));
    CHECK_INT(now.handled_at, NOW + 1000);
    CHECK_STR(now.note, "seen");
    CHECK_STR(now.text, "look");
    CHECK_INT(rig_number(&rig, "SELECT count(*) FROM audit"), 1);
    struct social_report again;
    CHECK_OK(report(&rig, &ada, SOCIAL_SUBJECT_POST, &post, &again), &rig.err);
    CHECK_CODE(&rig, handle(&rig, &judge, &made.id, SOCIAL_REPORT_OPEN, &arena, &now),
               FAIL_CONFLICT, "already_reported");
    CHECK_OK(handle(&rig, &judge, &again.id, SOCIAL_REPORT_DISMISSED, &arena, &now), &rig.err);
    CHECK_OK(handle(&rig, &judge, &made.id, SOCIAL_REPORT_OPEN, &arena, &now), &rig.err);
    CHECK(id_is_nil(&now.handled_by));
    CHECK_INT(now.handled_at, 0);
    CHECK_INT(rig_number(&rig, "SELECT count(*) FROM audit"), 3);
    struct id nothing = id_new(&rig.clock.clock);
    CHECK_CODE(&rig, handle(&rig, &judge, &nothing, SOCIAL_REPORT_OPEN, &arena, &now),
               FAIL_NOT_FOUND, "report_not_found");
    arena_done(&arena);
    rig_close(&rig);
}

TEST(the_queue_is_newest_first_by_status)
{
    enum { REPORTS = 7 };
    struct rig rig;
    struct arena arena;
    struct social_report made[REPORTS], now;
    rig_open(&rig, NULL);
    arena_init(&arena, 1 << 20);
    struct id ada = rig_person(&rig);
    for (int i = 0; i < REPORTS; i++) {
        struct id post = id_new(&rig.clock.clock);
        CHECK_OK(report(&rig, &ada, SOCIAL_SUBJECT_POST, &post, &made[i]), &rig.err);
    }
    CHECK_OK(handle(&rig, &ada, &made[3].id, SOCIAL_REPORT_RESOLVED, &arena, &now), &rig.err);
    struct social_report_query query = {
        .page.limit = 4, .present = 1 << SOCIAL_REPORT_QUERY_STATUS, .status = SOCIAL_REPORT_OPEN};
    struct social_report_page page;
    CHECK_OK(social_reports(rig_as(&rig, &ada), &query, &arena, &page), &rig.err);
    CHECK_INT(page.count, 4);
    CHECK(page.more && id_eq(&page.items[0].id, &made[6].id));
    struct buf text;
    buf_init(&text, 200);
    cursor_encode(&page.next, &text);
    query.page.cursor = buf_view(&text);
    CHECK_OK(social_reports(rig_as(&rig, &ada), &query, &arena, &page), &rig.err);
    CHECK_INT(page.count, 2);
    CHECK(!page.more && id_eq(&page.items[1].id, &made[0].id));
    buf_done(&text);
    query = (struct social_report_query){.page.limit = 100};
    CHECK_OK(social_reports(rig_as(&rig, &ada), &query, &arena, &page), &rig.err);
    CHECK_INT(page.count, REPORTS);
    arena_done(&arena);
    rig_close(&rig);
}

TEST(a_person_has_so_many_open_reports)
{
    static const char *const settings[] = {"social.reports_max=2", NULL};
    struct rig rig;
    struct social_report made;
    rig_open(&rig, settings);
    struct id ada = rig_person(&rig);
    for (int i = 0; i < 2; i++) {
        struct id post = id_new(&rig.clock.clock);
        CHECK_OK(report(&rig, &ada, SOCIAL_SUBJECT_POST, &post, &made), &rig.err);
    }
    struct id post = id_new(&rig.clock.clock);
    CHECK_CODE(&rig, report(&rig, &ada, SOCIAL_SUBJECT_POST, &post, &made), FAIL_INVALID,
               "too_many_reports");
    rig_close(&rig);
}
