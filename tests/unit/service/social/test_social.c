/* The rules between two people, one at a time. */
#include "social_rig.h"

#define DO(rig, rule, who, whom)                                                                   \
    do {                                                                                           \
        struct social_relationship how_;                                                           \
        CHECK_OK(rule(rig_as(rig, who), whom, &how_), &(rig)->err);                                \
    } while (0)
#define REFUSED(rig, rule, who, whom, kind, code)                                                  \
    do {                                                                                           \
        struct social_relationship how_;                                                           \
        CHECK_CODE(rig, rule(rig_as(rig, who), whom, &how_), kind, code);                          \
    } while (0)

TEST(a_follow_is_counted_and_told_to_both)
{
    struct rig rig;
    struct social_relationship how;
    rig_open(&rig, NULL);
    struct id ada = rig_person(&rig), bob = rig_person(&rig);
    CHECK_OK(social_follow(rig_as(&rig, &ada), &bob, &how), &rig.err);
    CHECK(how.relation.following && !how.relation.followed_by && !how.relation.requested);
    CHECK_INT(how.follower_count, 1);
    CHECK_INT(how.following_count, 0);
    DO(&rig, social_follow, &ada, &bob); /* again */
    how = rig_relation(&rig, &bob, &ada);
    CHECK(how.relation.followed_by && !how.relation.following);
    CHECK_INT(how.following_count, 1);
    CHECK_INT(rig_count_events(&rig, &social_follow_changed_event, &ada), 1);
    CHECK_INT(rig_count_events(&rig, &social_follow_changed_event, &bob), 1);
    struct id author = topic_stream(SOCIAL_AUTHOR_TOPIC, &bob);
    CHECK_INT(rig_count_events(&rig, &social_follow_linked_event, &author), 1);
    DO(&rig, social_unfollow, &ada, &bob);
    DO(&rig, social_unfollow, &ada, &bob);
    CHECK_INT(rig_relation(&rig, &ada, &bob).follower_count, 0);
    CHECK_INT(rig_count_events(&rig, &social_follow_changed_event, &ada), 2);
    CHECK_INT(rig_count_events(&rig, &social_follow_linked_event, &author), 2);
    rig_close(&rig);
}

TEST(oneself_and_nobody)
{
    struct rig rig;
    rig_open(&rig, NULL);
    struct id ada = rig_person(&rig), nobody = id_new(&rig.clock.clock);
    REFUSED(&rig, social_follow, &ada, &ada, FAIL_INVALID, "self_follow");
    REFUSED(&rig, social_block, &ada, &ada, FAIL_INVALID, "self_block");
    REFUSED(&rig, social_mute, &ada, &ada, FAIL_INVALID, "self_mute");
    REFUSED(&rig, social_follow, &ada, &nobody, FAIL_NOT_FOUND, "user_not_found");
    REFUSED(&rig, social_unfollow, &ada, &nobody, FAIL_NOT_FOUND, "user_not_found");
    REFUSED(&rig, social_block, &ada, &nobody, FAIL_NOT_FOUND, "user_not_found");
    REFUSED(&rig, social_unmute, &ada, &nobody, FAIL_NOT_FOUND, "user_not_found");
    REFUSED(&rig, social_get, &ada, &nobody, FAIL_NOT_FOUND, "user_not_found");
    CHECK_OK(social_get(rig_as(&rig, &ada), &ada, &(struct social_relationship){0}), &rig.err);
    rig_close(&rig);
}

TEST(a_private_account_is_asked)
{
    struct rig rig;
    rig_open(&rig, NULL);
    struct id ada = rig_person(&rig), bob = rig_person(&rig), cleo = rig_person(&rig);
    rig_private(&rig, &bob, true);
    DO(&rig, social_follow, &ada, &bob);
    DO(&rig, social_follow, &ada, &bob);
    DO(&rig, social_follow, &cleo, &bob);
    struct social_relationship how = rig_relation(&rig, &ada, &bob);
    CHECK(how.relation.requested && !how.relation.following && how.relation.is_private);
    CHECK_INT(how.follower_count, 0);
    CHECK_INT(rig_count_events(&rig, &social_follow_changed_event, &bob), 2);
    struct id ids[4];
    CHECK_INT(rig_list(&rig, SOCIAL_LIST_REQUESTS, &bob, &bob, 4, NULL, ids, NULL), 2);
    CHECK_OK(social_accept(rig_as(&rig, &bob), &ada), &rig.err);
    CHECK_OK(social_accept(rig_as(&rig, &bob), &ada), &rig.err);
    CHECK_OK(social_refuse(rig_as(&rig, &bob), &cleo), &rig.err);
    CHECK_OK(social_refuse(rig_as(&rig, &bob), &cleo), &rig.err);
    CHECK_CODE(&rig, social_accept(rig_as(&rig, &bob), &cleo), FAIL_NOT_FOUND, "request_not_found");
    how = rig_relation(&rig, &ada, &bob);
    CHECK(how.relation.following && !how.relation.requested);
    CHECK_INT(how.follower_count, 1);
    how = rig_relation(&rig, &cleo, &bob);
    CHECK(!how.relation.following && !how.relation.requested);
    DO(&rig, social_follow, &cleo, &bob);
    DO(&rig, social_unfollow, &cleo, &bob); /* takes the request back */
    CHECK_INT(rig_list(&rig, SOCIAL_LIST_REQUESTS, &bob, &bob, 4, NULL, ids, NULL), 0);
    rig_close(&rig);
}

TEST(who_becomes_public_lets_in_who_waits)
{
    enum { ASKERS = 450 }; /* more than two pieces */
    struct rig rig;
    rig_open(&rig, NULL);
    struct id star = rig_person(&rig), last = {0};
    rig_private(&rig, &star, true);
    for (int i = 0; i < ASKERS; i++) {
        last = rig_person(&rig);
        DO(&rig, social_follow, &last, &star);
    }
    rig_private(&rig, &star, false);
    DO(&rig, social_follow, &last, &star); /* does not wait for the job */
    CHECK(rig_relation(&rig, &last, &star).relation.following);
    rig_duties(&rig);
    CHECK_INT(rig_relation(&rig, &last, &star).follower_count, ASKERS);
    CHECK_INT(rig_number(&rig, "SELECT count(*) FROM follow_request"), 0);
    CHECK_INT(rig_number(&rig, "SELECT sum(asking_count) FROM social_person"), 0);
    CHECK_INT(rig_number(&rig, "SELECT count(*) FROM social_duty"), 0);
    rig_close(&rig);
}

TEST(a_block_ends_everything_between_two)
{
    struct rig rig;
    rig_open(&rig, NULL);
    struct id ada = rig_person(&rig), bob = rig_person(&rig);
    rig_private(&rig, &ada, true);
    DO(&rig, social_follow, &ada, &bob);
    DO(&rig, social_follow, &bob, &ada); /* a request */
    CHECK(!rig_blocked(&rig, &ada, &bob));
    DO(&rig, social_block, &ada, &bob);
    DO(&rig, social_block, &ada, &bob);
    CHECK(rig_blocked(&rig, &ada, &bob) && rig_blocked(&rig, &bob, &ada));
    struct social_relationship how = rig_relation(&rig, &ada, &bob);
    CHECK(how.relation.blocking && !how.relation.following && !how.relation.followed_by);
    CHECK_INT(how.follower_count, 0);
    CHECK_INT(rig_number(&rig, "SELECT count(*) FROM follow_request"), 0);
    CHECK_INT(rig_number(&rig, "SELECT sum(asking_count) FROM social_person"), 0);
    REFUSED(&rig, social_follow, &ada, &bob, FAIL_CONFLICT, "blocking");
    REFUSED(&rig, social_follow, &bob, &ada, FAIL_NOT_FOUND, "user_not_found");
    REFUSED(&rig, social_get, &bob, &ada, FAIL_NOT_FOUND, "user_not_found");
    REFUSED(&rig, social_block, &bob, &ada, FAIL_NOT_FOUND, "user_not_found");
    CHECK_CODE(&rig, social_accept(rig_as(&rig, &bob), &ada), FAIL_NOT_FOUND, "user_not_found");
    CHECK_INT(rig_count_events(&rig, &social_block_changed_event, &ada), 1);
    CHECK_INT(rig_count_events(&rig, &social_block_changed_event, &bob), 0);
    rig_reopen(&rig);
    CHECK(rig_blocked(&rig, &bob, &ada));
    DO(&rig, social_unblock, &ada, &bob);
    CHECK(!rig_blocked(&rig, &ada, &bob));
    CHECK_INT(rig_number(&rig, "SELECT count(*) FROM block_pack"), 0);
    rig_reopen(&rig);
    CHECK(!rig_blocked(&rig, &ada, &bob));
    DO(&rig, social_follow, &bob, &ada);
    rig_close(&rig);
}

static size_t fan(struct rig *rig, bool followers, const struct id *person, struct id *ids)
{
    const struct social_calls *calls = &rig_room(rig)->calls;
    struct id none = {{0}};
    size_t count = 0;
    error_init(&rig->err);
    CHECK_OK((followers ? calls->followers : calls->following)(rig->room, person, &none, 10, ids,
                                                               &count, &rig->err),
             &rig->err);
    return count;
}

struct streams {
    struct rig *rig;
    const struct id *user, *author;
    unsigned count;
    uint64_t since; /* of the author */
    bool found;
};

static int take_stream(const struct id *stream, uint64_t since, void *arg, struct error *err)
{
    struct streams *s = arg;
    struct id author = topic_stream(SOCIAL_AUTHOR_TOPIC, s->author);
    s->count++;
    if (id_eq(&author, stream)) {
        s->found = true;
        s->since = since;
    }
    return 0;
}

static int streams_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct streams *s = arg;
    return social_module.streams(s->rig->room, tx, s->user, take_stream, s, err);
}

static struct streams streams_of(struct rig *rig, const struct id *user, const struct id *author)
{
    struct streams s = {.rig = rig, .user = user, .author = author};
    error_init(&rig->err);
    CHECK_OK(db_read(rig->kit.main_db, streams_tx, &s, &rig->err), &rig->err);
    return s;
}

TEST(a_mute_ends_the_stream_and_the_fan_out_but_not_the_follow)
{
    struct rig rig;
    struct id ids[10];
    rig_open(&rig, NULL);
    struct id ada = rig_person(&rig), bob = rig_person(&rig), cleo = rig_person(&rig);
    DO(&rig, social_follow, &ada, &bob);
    DO(&rig, social_mute, &ada, &cleo); /* before following */
    DO(&rig, social_follow, &ada, &cleo);
    CHECK(streams_of(&rig, &ada, &bob).found && !streams_of(&rig, &ada, &cleo).found);
    struct id quiet = topic_stream(SOCIAL_AUTHOR_TOPIC, &cleo);
    CHECK_INT(rig_count_events(&rig, &social_follow_linked_event, &quiet), 0);
    CHECK(streams_of(&rig, &ada, &ada).found);
    uint64_t first = streams_of(&rig, &ada, &bob).since;
    CHECK(first > 0);
    DO(&rig, social_mute, &ada, &bob);
    struct social_relationship how = rig_relation(&rig, &ada, &bob);
    CHECK(how.relation.following && how.relation.muting);
    CHECK_INT(how.follower_count, 1);
    CHECK(!streams_of(&rig, &ada, &bob).found);
    CHECK_INT(fan(&rig, true, &bob, ids), 0);
    CHECK_INT(fan(&rig, false, &ada, ids), 0);
    DO(&rig, social_unmute, &ada, &bob);
    CHECK(streams_of(&rig, &ada, &bob).since > first);
    CHECK_INT(fan(&rig, true, &bob, ids), 1);
    CHECK(id_eq(&ids[0], &ada));
    DO(&rig, social_unmute, &ada, &cleo);
    CHECK_INT(fan(&rig, false, &ada, ids), 2);
    CHECK(id_cmp(&ids[0], &ids[1]) < 0);
    rig_close(&rig);
}

TEST(limits_are_said)
{
    static const char *const settings[] = {"social.follows_max=2", "social.blocks_max=1",
                                           "social.mutes_max=1", NULL};
    struct rig rig;
    rig_open(&rig, settings);
    struct id ada = rig_person(&rig), people[3];
    for (int i = 0; i < 3; i++)
        people[i] = rig_person(&rig);
    rig_private(&rig, &people[1], true);
    DO(&rig, social_follow, &ada, &people[0]);
    DO(&rig, social_follow, &ada, &people[1]); /* a request counts */
    REFUSED(&rig, social_follow, &ada, &people[2], FAIL_INVALID, "too_many_follows");
    DO(&rig, social_follow, &ada, &people[0]);
    CHECK_OK(social_accept(rig_as(&rig, &people[1]), &ada), &rig.err);
    REFUSED(&rig, social_follow, &ada, &people[2], FAIL_INVALID, "too_many_follows");
    DO(&rig, social_mute, &ada, &people[0]);
    REFUSED(&rig, social_mute, &ada, &people[2], FAIL_INVALID, "too_many_mutes");
    DO(&rig, social_block, &ada, &people[0]);
    REFUSED(&rig, social_block, &ada, &people[2], FAIL_INVALID, "too_many_blocks");
    CHECK(!rig_blocked(&rig, &ada, &people[2]));
    CHECK_INT(rig_relation(&rig, &ada, &people[2]).follower_count, 0);
    DO(&rig, social_follow, &ada, &people[2]); /* the block made room */
    rig_close(&rig);
}

TEST(lists_are_newest_first_and_stable)
{
    enum { PEOPLE = 25 };
    struct rig rig;
    struct id people[PEOPLE], ids[PEOPLE];
    bool more = true;
    rig_open(&rig, NULL);
    struct id star = rig_person(&rig);
    for (int i = 0; i < PEOPLE; i++) {
        people[i] = rig_person(&rig);
        if (i % 3 == 0) /* several of one millisecond */
            clock_fake_advance(&rig.clock, 1);
        DO(&rig, social_follow, &people[i], &star);
    }
    struct cursor cursor = {0};
    size_t seen = 0;
    while (more) {
        seen += rig_list(&rig, SOCIAL_LIST_FOLLOWERS, &star, &star, 4, &cursor, &ids[seen], &more);
        struct id late = rig_person(&rig); /* does not move what follows */
        clock_fake_advance(&rig.clock, 1);
        DO(&rig, social_follow, &late, &star);
    }
    CHECK_INT(seen, PEOPLE);
    for (int i = 0; i < PEOPLE; i++) {
        unsigned times = 0;
        for (size_t k = 0; k < seen; k++)
            times += id_eq(&ids[k], &people[i]);
        CHECK_INT(times, 1);
    }
    CHECK(id_eq(&ids[0], &people[24]));
    rig_close(&rig);
}

TEST(lists_leave_out_the_blocked)
{
    struct rig rig;
    struct id ids[4];
    rig_open(&rig, NULL);
    struct id star = rig_person(&rig), ada = rig_person(&rig), bob = rig_person(&rig);
    DO(&rig, social_follow, &ada, &star);
    DO(&rig, social_follow, &bob, &star);
    DO(&rig, social_block, &bob, &ada);
    CHECK_INT(rig_list(&rig, SOCIAL_LIST_FOLLOWERS, &ada, &star, 4, NULL, ids, NULL), 1);
    CHECK_INT(rig_list(&rig, SOCIAL_LIST_FOLLOWERS, &bob, &star, 4, NULL, ids, NULL), 1);
    CHECK_INT(rig_list(&rig, SOCIAL_LIST_FOLLOWERS, &star, &star, 4, NULL, ids, NULL), 2);
    CHECK_INT(rig_list(&rig, SOCIAL_LIST_BLOCKED, &bob, &bob, 4, NULL, ids, NULL), 1);
    CHECK(id_eq(&ids[0], &ada));
    rig_close(&rig);
}

static int page(struct rig *rig, enum social_list list, const struct id *viewer,
                const struct id *person)
{
    struct page_query query = {.limit = 4};
    struct id ids[4];
    struct cursor next;
    size_t count;
    bool more;
    error_init(&rig->err);
    return rig_room(rig)->calls.page(rig->room, list, viewer, person, &query, ids, &count, &next,
                                     &more, &rig->err);
}

TEST(who_may_read_a_list)
{
    struct rig rig;
    rig_open(&rig, NULL);
    struct id ada = rig_person(&rig), bob = rig_person(&rig), nobody = id_new(&rig.clock.clock);
    DO(&rig, social_follow, &ada, &bob);
    rig_private(&rig, &bob, true);
    CHECK_INT(page(&rig, SOCIAL_LIST_FOLLOWERS, &ada, &bob), 0);
    DO(&rig, social_unfollow, &ada, &bob);
    CHECK_CODE(&rig, page(&rig, SOCIAL_LIST_FOLLOWERS, &ada, &bob), FAIL_FORBIDDEN,
               "private_account");
    CHECK_CODE(&rig, page(&rig, SOCIAL_LIST_FOLLOWING, &ada, &bob), FAIL_FORBIDDEN,
               "private_account");
    CHECK_CODE(&rig, page(&rig, SOCIAL_LIST_BLOCKED, &ada, &bob), FAIL_FORBIDDEN, "private_list");
    CHECK_CODE(&rig, page(&rig, SOCIAL_LIST_FOLLOWERS, &ada, &nobody), FAIL_NOT_FOUND,
               "user_not_found");
    DO(&rig, social_block, &bob, &ada);
    CHECK_CODE(&rig, page(&rig, SOCIAL_LIST_FOLLOWERS, &ada, &bob), FAIL_NOT_FOUND,
               "user_not_found");
    CHECK_CODE(&rig, page(&rig, SOCIAL_LIST_FOLLOWERS, &bob, &ada), FAIL_FORBIDDEN, "blocking");
    rig_close(&rig);
}

TEST(relations_of_many_at_once)
{
    struct rig rig;
    struct social_relation how[4];
    rig_open(&rig, NULL);
    struct id ada = rig_person(&rig), nobody = {{0}};
    struct id others[4] = {rig_person(&rig), rig_person(&rig), ada, id_new(&rig.clock.clock)};
    rig_private(&rig, &others[1], true);
    DO(&rig, social_follow, &ada, &others[0]);
    DO(&rig, social_follow, &ada, &others[1]);
    error_init(&rig.err);
    CHECK_OK(rig_room(&rig)->calls.relations(rig.room, &ada, others, 4, how, &rig.err), &rig.err);
    CHECK(how[0].following && !how[0].self && how[1].requested && how[1].is_private);
    CHECK(how[2].self && !how[3].following && !how[3].self);
    CHECK_OK(rig_room(&rig)->calls.relations(rig.room, &nobody, others, 4, how, &rig.err),
             &rig.err);
    CHECK(!how[0].following && !how[1].requested && how[1].is_private && !how[2].self);
    rig_close(&rig);
}

TEST(somebody_inactive_is_not_followed)
{
    struct rig rig;
    rig_open(&rig, NULL);
    struct id ada = rig_person(&rig), bob = rig_person(&rig);
    rig_active(&rig, &bob, false);
    REFUSED(&rig, social_follow, &ada, &bob, FAIL_NOT_FOUND, "user_not_found");
    DO(&rig, social_block, &ada, &bob);
    DO(&rig, social_unblock, &ada, &bob);
    rig_active(&rig, &bob, true);
    DO(&rig, social_follow, &ada, &bob);
    rig_close(&rig);
}

struct exported {
    struct rig *rig;
    const struct id *user;
    unsigned count, reports;
};

static int take_export(void *arg, const char *kind, struct slice json, struct error *err)
{
    struct exported *x = arg;
    x->count++;
    x->reports += strcmp(kind, "report") == 0;
    CHECK(json.len > 2 && json.ptr[0] == '{');
    return 0;
}

static int export_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct exported *x = arg;
    return social_module.export_person(x->rig->room, tx, x->user, take_export, x, err);
}

TEST(somebody_deleted_leaves_no_trace_and_right_counts)
{
    enum { FANS = 430 };
    struct rig rig;
    struct social_report report;
    rig_open(&rig, NULL);
    struct id star = rig_person(&rig), fan_id = {0}, enemy = rig_person(&rig);
    for (int i = 0; i < FANS; i++) {
        fan_id = rig_person(&rig);
        DO(&rig, social_follow, &fan_id, &star);
    }
    DO(&rig, social_follow, &star, &fan_id);
    DO(&rig, social_mute, &star, &fan_id);
    DO(&rig, social_block, &star, &enemy);
    const struct social_report_new what = {
        .subject_kind = SOCIAL_SUBJECT_POST, .subject_id = enemy, .text = SLICE("my own words")};
    CHECK_OK(social_report(rig_as(&rig, &star), &what, &report), &rig.err);
    struct exported x = {.rig = &rig, .user = &star};
    CHECK_OK(db_read(rig.kit.main_db, export_tx, &x, &rig.err), &rig.err);
    CHECK_INT(x.count, FANS + 4);
    CHECK_INT(x.reports, 1);
    rig_delete_person(&rig, &star);
    REFUSED(&rig, social_get, &enemy, &star, FAIL_NOT_FOUND, "user_not_found");
    rig_reopen(&rig); /* the work outlives the process */
    rig_duties(&rig);
    CHECK_INT(rig_number(&rig, "SELECT count(*) FROM following"), 0);
    CHECK_INT(rig_number(&rig, "SELECT count(*) FROM follower"), 0);
    CHECK_INT(rig_number(&rig, "SELECT count(*) FROM block"), 0);
    CHECK_INT(rig_number(&rig, "SELECT count(*) FROM block_pack"), 0);
    CHECK_INT(rig_number(&rig, "SELECT count(*) FROM mute"), 0);
    CHECK_INT(rig_number(&rig, "SELECT count(*) FROM report WHERE reporter_id IS NOT NULL"
                               " OR text IS NOT NULL"),
              0);
    CHECK_INT(rig_number(&rig, "SELECT sum(follower_count + following_count + mute_count)"
                               " FROM social_person"),
              0);
    CHECK(!rig_blocked(&rig, &star, &enemy));
    rig_close(&rig);
}
