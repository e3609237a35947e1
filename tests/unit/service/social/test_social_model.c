/* The graph against a model that fits on a page: thousands of random operations, and after them
 * every relation, count, list, stream and block must be what the model says. */
#include <stdio.h>
#include <stdlib.h>

#include "social_rig.h"

enum { PEOPLE = 9, STEPS = 4000, LOOK_EVERY = 50, FOLLOWS_MAX = 6, BLOCKS_MAX = 4 };

struct model {
    struct rig rig;
    struct id ids[PEOPLE];
    bool gone[PEOPLE], is_private[PEOPLE];
    bool follows[PEOPLE][PEOPLE], asks[PEOPLE][PEOPLE];
    bool blocks[PEOPLE][PEOPLE], mutes[PEOPLE][PEOPLE];
};

static unsigned count_row(const bool row[PEOPLE])
{
    unsigned count = 0;
    for (int i = 0; i < PEOPLE; i++)
        count += row[i];
    return count;
}

static unsigned count_column(const bool table[PEOPLE][PEOPLE], int column)
{
    unsigned count = 0;
    for (int i = 0; i < PEOPLE; i++)
        count += table[i][column];
    return count;
}

/* --- what should happen: 0 or the kind of refusal --------------------------------------------- */

static int refuses(const struct model *m, int a, int b)
{
    if (a == b)
        return FAIL_INVALID;
    return m->gone[a] || m->gone[b] || m->blocks[b][a] ? FAIL_NOT_FOUND : 0;
}

static int model_follow(struct model *m, int a, int b)
{
    int rc = refuses(m, a, b);
    if (rc != 0 || m->follows[a][b] || (m->asks[a][b] && m->is_private[b]))
        return rc;
    unsigned held = count_row(m->follows[a]) + count_row(m->asks[a]) - m->asks[a][b];
    if (m->blocks[a][b])
        return FAIL_CONFLICT;
    if (held >= FOLLOWS_MAX)
        return FAIL_INVALID;
    m->asks[a][b] = m->is_private[b];
    m->follows[a][b] = !m->is_private[b];
    return 0;
}

static int model_unfollow(struct model *m, int a, int b)
{
    int rc = refuses(m, a, b);
    if (rc == 0)
        m->follows[a][b] = m->asks[a][b] = false;
    return rc;
}

static int model_block(struct model *m, int a, int b)
{
    int rc = refuses(m, a, b);
    if (rc != 0 || m->blocks[a][b])
        return rc;
    if (count_row(m->blocks[a]) >= BLOCKS_MAX)
        return FAIL_INVALID;
    m->blocks[a][b] = true;
    m->follows[a][b] = m->follows[b][a] = m->asks[a][b] = m->asks[b][a] = false;
    return 0;
}

static int model_unblock(struct model *m, int a, int b)
{
    int rc = refuses(m, a, b);
    if (rc == 0)
        m->blocks[a][b] = false;
    return rc;
}

static int model_mute(struct model *m, int a, int b)
{
    int rc = refuses(m, a, b);
    if (rc == 0)
        m->mutes[a][b] = true;
    return rc;
}

static int model_unmute(struct model *m, int a, int b)
{
    int rc = refuses(m, a, b);
    if (rc == 0)
        m->mutes[a][b] = false;
    return rc;
}

static const struct {
    int (*model)(struct model *m, int a, int b);
    social_change_fn *rule;
} changes[] = {
    {model_follow, social_follow},   {model_follow, social_follow},
    {model_follow, social_follow},   {model_unfollow, social_unfollow},
    {model_block, social_block},     {model_unblock, social_unblock},
    {model_mute, social_mute},       {model_unmute, social_unmute},
    {model_unblock, social_unblock},
};

/* b answers a's request. */
static void answer(struct model *m, int a, int b, bool accept)
{
    int want = refuses(m, b, a);
    if (want == 0 && accept && !m->asks[a][b] && !m->follows[a][b])
        want = FAIL_NOT_FOUND;
    struct social_call *call = rig_as(&m->rig, &m->ids[b]);
    CHECK_INT(accept ? social_accept(call, &m->ids[a]) : social_refuse(call, &m->ids[a]), want);
    if (want != 0)
        return;
    m->follows[a][b] |= accept && m->asks[a][b];
    m->asks[a][b] = false;
}

static void turn_private(struct model *m, int a)
{
    if (m->gone[a])
        return;
    m->is_private[a] = !m->is_private[a];
    rig_private(&m->rig, &m->ids[a], m->is_private[a]);
    rig_duties(&m->rig);
    for (int i = 0; i < PEOPLE && !m->is_private[a]; i++) {
        m->follows[i][a] |= m->asks[i][a];
        m->asks[i][a] = false;
    }
}

/* Somebody else comes in their place. */
static void replace(struct model *m, int a)
{
    rig_delete_person(&m->rig, &m->ids[a]);
    m->gone[a] = true;
    rig_duties(&m->rig);
    for (int i = 0; i < PEOPLE; i++) {
        m->follows[a][i] = m->follows[i][a] = m->asks[a][i] = m->asks[i][a] = false;
        m->blocks[a][i] = m->blocks[i][a] = m->mutes[a][i] = m->mutes[i][a] = false;
    }
    m->ids[a] = rig_person(&m->rig);
    m->gone[a] = m->is_private[a] = false;
}

static void step(struct model *m)
{
    int a = rand() % PEOPLE, b = rand() % PEOPLE, what = rand() % 200;
    struct social_relationship how;
    clock_fake_advance(&m->rig.clock, rand() % 2);
    if (what == 0)
        replace(m, a);
    else if (what < 6)
        turn_private(m, a);
    else if (what < 30)
        answer(m, a, b, what % 2 == 0);
    else {
        unsigned i = (unsigned)rand() % ARRAY_LEN(changes);
        CHECK_INT(changes[i].rule(rig_as(&m->rig, &m->ids[a]), &m->ids[b], &how),
                  changes[i].model(m, a, b));
    }
}

/* --- what should stand ------------------------------------------------------------------------ */

static void look_at_pair(struct model *m, int a, int b)
{
    struct social_relation how;
    error_init(&m->rig.err);
    CHECK_OK(rig_room(&m->rig)->calls.relations(m->rig.room, &m->ids[a], &m->ids[b], 1, &how,
                                                &m->rig.err),
             &m->rig.err);
    CHECK_INT(how.following, m->follows[a][b]);
    CHECK_INT(how.requested, m->asks[a][b]);
    CHECK_INT(how.followed_by, m->follows[b][a]);
    CHECK_INT(how.blocking, m->blocks[a][b]);
    CHECK_INT(how.blocked_by, m->blocks[b][a]);
    CHECK_INT(how.muting, m->mutes[a][b]);
    CHECK_INT(how.is_private, m->is_private[b]);
    CHECK_INT(rig_blocked(&m->rig, &m->ids[a], &m->ids[b]), m->blocks[a][b] || m->blocks[b][a]);
}

static int count_stream(const struct id *stream, uint64_t since, void *arg, struct error *err)
{
    ++*(unsigned *)arg;
    return 0;
}

struct streams {
    struct model *m;
    const struct id *user;
    unsigned count;
};

static int streams_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct streams *s = arg;
    return social_module.streams(s->m->rig.room, tx, s->user, count_stream, &s->count, err);
}

static void look_at_person(struct model *m, int a)
{
    const struct social_calls *calls = &rig_room(&m->rig)->calls;
    struct id ids[PEOPLE + 1], none = {{0}};
    size_t count, unmuted_followers = 0, unmuted_following = 0;
    for (int i = 0; i < PEOPLE; i++) {
        unmuted_followers += m->follows[i][a] && !m->mutes[i][a];
        unmuted_following += m->follows[a][i] && !m->mutes[a][i];
    }
    struct social_relationship own = rig_relation(&m->rig, &m->ids[a], &m->ids[a]);
    CHECK_INT(own.follower_count, count_column(m->follows, a));
    CHECK_INT(own.following_count, count_row(m->follows[a]));
    CHECK_OK(calls->followers(calls->room, &m->ids[a], &none, 100, ids, &count, &m->rig.err),
             &m->rig.err);
    CHECK_INT(count, unmuted_followers);
    CHECK_OK(calls->following(calls->room, &m->ids[a], &none, 100, ids, &count, &m->rig.err),
             &m->rig.err);
    CHECK_INT(count, unmuted_following);
    struct streams s = {.m = m, .user = &m->ids[a]};
    CHECK_OK(db_read(m->rig.kit.main_db, streams_tx, &s, &m->rig.err), &m->rig.err);
    CHECK_INT(s.count, unmuted_following + 1);
    CHECK_INT(
        rig_list(&m->rig, SOCIAL_LIST_REQUESTS, &m->ids[a], &m->ids[a], PEOPLE, NULL, ids, NULL),
        count_column(m->asks, a));
    CHECK_INT(
        rig_list(&m->rig, SOCIAL_LIST_BLOCKED, &m->ids[a], &m->ids[a], PEOPLE, NULL, ids, NULL),
        count_row(m->blocks[a]));
}

/* Counts kept beside the rows that they count. */
static void recount(struct model *m)
{
    CHECK_INT(rig_number(&m->rig,
                         "SELECT count(*) FROM social_person p WHERE"
                         " follower_count <> (SELECT count(*) FROM follower WHERE target_id = "
                         "user_id) OR following_count <> (SELECT count(*) FROM following WHERE"
                         " follower_id = user_id) OR asking_count <> (SELECT count(*) FROM"
                         " follow_request WHERE asker_id = user_id) OR block_count <> (SELECT"
                         " count(*) FROM block WHERE blocker_id = user_id) OR mute_count <> (SELECT"
                         " count(*) FROM mute WHERE muter_id = user_id)"),
              0);
    CHECK_INT(rig_number(&m->rig, "SELECT count(*) FROM following f LEFT JOIN follower b ON"
                                  " b.target_id = f.target_id AND b.follower_id = f.follower_id"
                                  " AND b.made_at = f.made_at AND b.muted = f.muted WHERE b.made_at"
                                  " IS NULL"),
              0);
    CHECK_INT(rig_number(&m->rig, "SELECT coalesce(sum(length(pairs)), 0) / 32 FROM block_pack"),
              rig_number(&m->rig, "SELECT count(*) FROM block"));
    CHECK_INT(social_blocks_count(rig_room(&m->rig)->blocks),
              rig_number(&m->rig, "SELECT count(*) FROM block"));
}

static void look(struct model *m)
{
    for (int a = 0; a < PEOPLE; a++) {
        for (int b = 0; b < PEOPLE; b++)
            if (a != b)
                look_at_pair(m, a, b);
        look_at_person(m, a);
    }
    recount(m);
}

TEST(the_graph_is_what_the_model_says)
{
    static const char *const settings[] = {"social.follows_max=6", "social.blocks_max=4", NULL};
    static struct model model;
    struct model *m = &model;
    uint64_t seed = 20261121;
    const char *given = getenv("PARLEY_TEST_SEED"); /* to look for more */
    CHECK(given == NULL || slice_to_u64(slice_str(given), &seed));
    srand((unsigned)seed);
    *m = (struct model){0};
    rig_open(&m->rig, settings);
    for (int i = 0; i < PEOPLE; i++)
        m->ids[i] = rig_person(&m->rig);
    for (int i = 1; i <= STEPS; i++) {
        step(m);
        if (i % LOOK_EVERY == 0)
            look(m);
        if (i == STEPS / 2) {
            rig_reopen(&m->rig);
            look(m);
        }
    }
    rig_close(&m->rig);
}
