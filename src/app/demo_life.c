/* The demo's people beside their chats. Each deed is one call of a room's rule on behalf of one
 * person; what came of it (the id of a post, of a comment) is kept for the deeds that stand on it.
 */
#include "app/demo_life.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "app/demo_life_script.h"
#include "app/demo_script.h"
#include "service/calendar/calendar.h"
#include "service/post/post.h"
#include "service/signal/signal.h"
#include "service/social/social.h"
#include "service/story/story.h"
#include "service/user/user.h"

enum {
    MINUTE_MS = 60 * 1000,
    HOUR_MS = 60 * MINUTE_MS,
    DAY_MS = 24 * HOUR_MS,
    POSTS_MAX = 40,
    ITEMS_MAX = 16,
    DEEDS_MAX = 4000,
};

enum deed {
    DEED_PROFILE,
    DEED_FOLLOW,
    DEED_ACCEPT,
    DEED_POST,
    DEED_LIKE,
    DEED_COMMENT,
    DEED_STORY,
    DEED_LOOK,
    DEED_EVENT,
    DEED_ANSWER,
    DEED_SIGNAL,
    DEED_DECISION,
};

struct demo_life {
    struct kit *kit;
    const struct id *people;
    int64_t now_ms;
    struct arena arena;
    struct id posts[POSTS_MAX], comments[POSTS_MAX][DEMO_COMMENTS_MAX];
    struct id stories[ITEMS_MAX], events[ITEMS_MAX], signals[ITEMS_MAX];
};

struct demo_life *demo_life_new(struct kit *kit, const struct id *people, int64_t now_ms)
{
    panic_if(demo_post_count > POSTS_MAX || demo_story_count > ITEMS_MAX ||
                 demo_event_count > ITEMS_MAX || demo_signal_count > ITEMS_MAX,
             "the demo's life is too rich");
    struct demo_life *life = xcalloc(1, sizeof *life);
    life->kit = kit;
    life->people = people;
    life->now_ms = now_ms;
    arena_init(&life->arena, 4 << 20);
    return life;
}

void demo_life_free(struct demo_life *life)
{
    arena_done(&life->arena);
    free(life);
}

unsigned demo_life_posts(void)
{
    return (unsigned)demo_post_count;
}

static struct slice words(const char *text)
{
    return text != NULL ? slice_str(text) : (struct slice){0};
}

/* The same every time, and without a pattern that one would see. */
static bool chance(size_t one, size_t other, size_t tenths)
{
    uint64_t mixed = (one * 1000003 + other * 7919 + 12345) * UINT64_C(0x9e3779b97f4a7c15);
    mixed = (mixed ^ mixed >> 29) * UINT64_C(0xbf58476d1ce4e5b9);
    return (mixed >> 33) % 10 < tenths;
}

/* Maya, whom newcomers look through, knows nearly everybody. */
static bool follows(size_t one, size_t other)
{
    if (one == other)
        return false;
    if (one == 0)
        return other % 6 != 3; /* some are left to be found */
    return chance(one, other, other == 0 ? 9 : 4);
}

/* --- when --------------------------------------------------------------------------------------
 */

struct plan {
    struct demo_deed *deeds;
    size_t count;
};

static void add(struct plan *plan, int64_t at_ms, enum deed kind, size_t item, size_t detail)
{
    panic_if(plan->count == DEEDS_MAX, "the demo's people do too much");
    plan->deeds[plan->count++] = (struct demo_deed){at_ms, (int)kind, item, detail};
}

static int64_t ago(const struct demo_life *life, double hours)
{
    return life->now_ms - (int64_t)(hours * HOUR_MS);
}

/* Nothing is done later than a moment ago. */
static int64_t after(const struct demo_life *life, int64_t at_ms, int64_t more_ms)
{
    int64_t latest = life->now_ms - 2000;
    return at_ms + more_ms < latest ? at_ms + more_ms : latest;
}

static void plan_posts(const struct demo_life *life, struct plan *plan)
{
    for (size_t p = 0; p < demo_post_count; p++) {
        const struct demo_post *post = &demo_posts[p];
        int64_t at = ago(life, post->hours_ago);
        add(plan, at, DEED_POST, p, 0);
        for (size_t c = 0; c < DEMO_COMMENTS_MAX && post->comments[c].minutes > 0; c++)
            add(plan, after(life, at, post->comments[c].minutes * (int64_t)MINUTE_MS), DEED_COMMENT,
                p, c);
        for (size_t who = 0; who < demo_people_count; who++)
            if (follows(who, (size_t)post->author) && chance(who + 31, p + 7, (size_t)post->warmth))
                add(plan, after(life, at, (int64_t)(who + 1) * 4 * MINUTE_MS), DEED_LIKE, p, who);
    }
}

static void plan_stories(const struct demo_life *life, struct plan *plan)
{
    for (size_t s = 0; s < demo_story_count; s++) {
        int64_t at = ago(life, demo_stories[s].hours_ago);
        add(plan, at, DEED_STORY, s, 0);
        /* Not by maya: she finds them new. */
        for (size_t who = 1; who < demo_people_count; who++)
            if (follows(who, (size_t)demo_stories[s].author) && chance(who, s + 3, 6))
                add(plan, after(life, at, (int64_t)who * MINUTE_MS), DEED_LOOK, s, who);
    }
}

struct demo_deed *demo_life_plan(const struct demo_life *life, size_t *ret_count)
{
    struct plan plan = {xcalloc(DEEDS_MAX, sizeof *plan.deeds), 0};
    int64_t begin = ago(life, 160);
    for (size_t i = 0; i < demo_profile_count; i++)
        add(&plan, begin, DEED_PROFILE, i, 0);
    for (size_t one = 0; one < demo_people_count; one++)
        for (size_t other = 0; other < demo_people_count; other++)
            if (follows(one, other))
                add(&plan, begin + (int64_t)(one + 1) * MINUTE_MS, DEED_FOLLOW, other, one);
    for (size_t i = 0; i < demo_profile_count; i++)
        for (size_t one = 1; one < demo_people_count && demo_profiles[i].is_private; one++)
            if (follows(one, (size_t)demo_profiles[i].who) && one % 3 != 0)
                add(&plan, begin + HOUR_MS, DEED_ACCEPT, i, one);
    plan_posts(life, &plan);
    plan_stories(life, &plan);
    for (size_t e = 0; e < demo_event_count; e++) {
        int64_t at = ago(life, 72 - 10 * (double)e);
        add(&plan, at, DEED_EVENT, e, 0);
        for (size_t a = 0; a < demo_events[e].answer_count; a++)
            add(&plan, after(life, at, (int64_t)(a + 1) * 20 * MINUTE_MS), DEED_ANSWER, e, a);
    }
    for (size_t s = 0; s < demo_signal_count; s++) {
        int64_t at = ago(life, demo_signals[s].hours_ago);
        add(&plan, at, DEED_SIGNAL, s, 0);
        if (demo_signals[s].status != SIGNAL_PENDING)
            add(&plan, after(life, at, HOUR_MS), DEED_DECISION, s, 0);
    }
    *ret_count = plan.count;
    return plan.deeds;
}

/* --- people ------------------------------------------------------------------------------------
 */

static int do_profile(struct demo_life *life, const struct demo_profile *profile, struct error *err)
{
    struct user_patch patch = {.present = UINT64_C(1) << USER_PATCH_BIO,
                               .bio = slice_str(profile->bio)};
    if (profile->is_private) {
        patch.present |= UINT64_C(1) << USER_PATCH_IS_PRIVATE;
        patch.is_private = true;
    }
    struct user_profile changed;
    return user_update(kit_room(life->kit, "user"), &life->people[profile->who], &patch, 0,
                       (struct slice){0}, &life->arena, &changed, err);
}

static int do_follow(struct demo_life *life, size_t one, size_t other, struct error *err)
{
    struct social_call call = {
        .room = kit_room(life->kit, "social"), .user = life->people[one], .err = err};
    struct social_relationship relationship;
    return social_follow(&call, &life->people[other], &relationship);
}

static int do_accept(struct demo_life *life, int host, size_t guest, struct error *err)
{
    struct social_call call = {
        .room = kit_room(life->kit, "social"), .user = life->people[host], .err = err};
    return social_accept(&call, &life->people[guest]);
}

/* --- posts and stories -------------------------------------------------------------------------
 */

static struct post_call post_call_as(struct demo_life *life, size_t who, struct error *err)
{
    return (struct post_call){.room = kit_room(life->kit, "post"),
                              .who = {.user = life->people[who]},
                              .arena = &life->arena,
                              .err = err};
}

static int do_post(struct demo_life *life, size_t which, struct error *err)
{
    const struct demo_post *script = &demo_posts[which];
    struct post_call call = post_call_as(life, (size_t)script->author, err);
    struct post_create what = {.text = slice_str(script->text), .visibility = script->visibility};
    struct post post;
    int rc = post_create(&call, &what, &post);
    if (rc == 0)
        life->posts[which] = post.id;
    return rc;
}

static int do_like(struct demo_life *life, size_t which, size_t who, struct error *err)
{
    struct post_call call = post_call_as(life, who, err);
    struct post post;
    bool changed;
    /* A post of a private account is not there for who has not been let in. */
    int rc = post_like(&call, &life->posts[which], true, &post, &changed);
    if (rc != FAIL_NOT_FOUND)
        return rc;
    error_init(err);
    return 0;
}

static int do_comment(struct demo_life *life, size_t which, size_t number, struct error *err)
{
    const struct demo_comment *script = &demo_posts[which].comments[number];
    struct post_call call = post_call_as(life, (size_t)script->who, err);
    struct post_comment_create what = {.text = slice_str(script->text)};
    if (script->answers > 0)
        what.reply_to = life->comments[which][script->answers - 1];
    struct post_comment comment;
    struct post post;
    int rc = post_comment_create(&call, &life->posts[which], &what, &comment, &post);
    if (rc == 0)
        life->comments[which][number] = comment.id;
    return rc;
}

static struct story_call story_call_as(struct demo_life *life, size_t who, struct error *err)
{
    return (struct story_call){.room = kit_room(life->kit, "story"),
                               .user = life->people[who],
                               .arena = &life->arena,
                               .err = err};
}

static int do_story(struct demo_life *life, size_t which, struct error *err)
{
    const struct demo_story *script = &demo_stories[which];
    struct story_call call = story_call_as(life, (size_t)script->author, err);
    struct story_new what = {.text = slice_str(script->text), .visibility = SOCIAL_PUBLIC};
    struct story story;
    int rc = story_post(&call, &what, &story);
    if (rc == 0)
        life->stories[which] = story.id;
    return rc;
}

static int do_look(struct demo_life *life, size_t which, size_t who, struct error *err)
{
    struct story_call call = story_call_as(life, who, err);
    return story_view(&call, &life->stories[which]);
}

/* --- events and trade signals ------------------------------------------------------------------
 */

/* "2026-03-29T18:30:00": that time on the next such day of the week, on the clocks over there. */
static struct slice local_time(struct demo_life *life, int weekday, const char *clock)
{
    time_t day = (time_t)((life->now_ms + DAY_MS) / 1000);
    struct tm date;
    gmtime_r(&day, &date);
    day += (weekday - date.tm_wday + 7) % 7 * (DAY_MS / 1000);
    gmtime_r(&day, &date);
    size_t size = 24;
    char *text = arena_alloc(&life->arena, size);
    panic_if(text == NULL, "out of memory");
    int len = snprintf(text, size, "%04d-%02d-%02dT%.5s:00", (date.tm_year + 1900) % 10000,
                       (date.tm_mon + 1) % 100, date.tm_mday % 100, clock);
    return slice_of(text, (size_t)len);
}

static struct calendar_call calendar_call_as(struct demo_life *life, size_t who, struct error *err)
{
    return (struct calendar_call){.room = kit_room(life->kit, "calendar"),
                                  .user = life->people[who],
                                  .arena = &life->arena,
                                  .err = err};
}

static int do_event(struct demo_life *life, size_t which, struct error *err)
{
    const struct demo_event *script = &demo_events[which];
    struct calendar_call call = calendar_call_as(life, (size_t)script->host, err);
    struct gathering_input in = {
        .present = 1u << GATHERING_TITLE | 1u << GATHERING_STARTS_AT | 1u << GATHERING_ENDS_AT |
                   1u << GATHERING_TIME_ZONE | 1u << GATHERING_DESCRIPTION |
                   1u << GATHERING_VISIBILITY | (script->place ? 1u << GATHERING_PLACE : 0u) |
                   (script->link ? 1u << GATHERING_LINK : 0u) |
                   (script->capacity ? 1u << GATHERING_CAPACITY : 0u),
        .title = slice_str(script->title),
        .description = slice_str(script->description),
        .starts_at = local_time(life, script->weekday, script->begin),
        .ends_at = local_time(life, script->weekday, script->end),
        .time_zone = slice_str(script->time_zone),
        .place = words(script->place),
        .link = words(script->link),
        .capacity = script->capacity,
        .visibility = SOCIAL_PUBLIC,
    };
    struct gathering gathering;
    int rc = gathering_create(&call, &in, &gathering);
    if (rc == 0)
        life->events[which] = gathering.id;
    return rc;
}

static int do_answer(struct demo_life *life, size_t which, size_t number, struct error *err)
{
    const struct demo_answer *script = &demo_events[which].answers[number];
    struct calendar_call call = calendar_call_as(life, (size_t)script->who, err);
    struct calendar_rsvp rsvp;
    return calendar_answer(&call, &life->events[which], (enum calendar_answer)script->answer,
                           &rsvp);
}

static int do_signal(struct demo_life *life, size_t which, struct error *err)
{
    const struct demo_signal *script = &demo_signals[which];
    struct principal author = {.user = life->people[script->author]};
    struct signal_call call = {.room = kit_room(life->kit, "signal"),
                               .principal = &author,
                               .arena = &life->arena,
                               .err = err};
    struct signal_terms given = {.symbol = slice_str(script->symbol),
                                 .side = script->side,
                                 .entry_price = slice_str(script->entry),
                                 .stop_loss = words(script->stop),
                                 .take_profit = words(script->target),
                                 .note = words(script->note)},
                        terms;
    struct trade_signal made;
    int rc = signal_check(&given, &life->arena, &terms, err);
    if (rc == 0)
        rc = signal_create(&call, &terms, &made);
    if (rc == 0)
        life->signals[which] = made.id;
    return rc;
}

/* By maya, who is an admin; what is closed was approved before. */
static int do_decision(struct demo_life *life, size_t which, struct error *err)
{
    const struct demo_signal *script = &demo_signals[which];
    struct principal admin = {
        .user = life->people[0], .role = ROLE_ADMIN, .scopes = role_scopes(ROLE_ADMIN)};
    struct signal_call call = {.room = kit_room(life->kit, "signal"),
                               .principal = &admin,
                               .arena = &life->arena,
                               .err = err};
    struct trade_signal decided;
    int rc = 0;
    if (script->status == SIGNAL_CLOSED) {
        struct signal_decision approval = {.status = SIGNAL_APPROVED};
        rc = signal_decide(&call, &life->signals[which], &approval, 0, &decided);
    }
    struct signal_decision decision = {.status = script->status, .reason = words(script->reason)};
    return rc < 0 ? rc : signal_decide(&call, &life->signals[which], &decision, 0, &decided);
}

int demo_life_do(struct demo_life *life, const struct demo_deed *deed, struct error *err)
{
    arena_reset(&life->arena);
    size_t item = deed->item, detail = deed->detail;
    switch ((enum deed)deed->kind) {
    case DEED_PROFILE: return do_profile(life, &demo_profiles[item], err);
    case DEED_FOLLOW: return do_follow(life, detail, item, err);
    case DEED_ACCEPT: return do_accept(life, demo_profiles[item].who, detail, err);
    case DEED_POST: return do_post(life, item, err);
    case DEED_LIKE: return do_like(life, item, detail, err);
    case DEED_COMMENT: return do_comment(life, item, detail, err);
    case DEED_STORY: return do_story(life, item, err);
    case DEED_LOOK: return do_look(life, item, detail, err);
    case DEED_EVENT: return do_event(life, item, err);
    case DEED_ANSWER: return do_answer(life, item, detail, err);
    case DEED_SIGNAL: return do_signal(life, item, err);
    case DEED_DECISION: return do_decision(life, item, err);
    }
    return error_set(err, FAIL_INTERNAL, "unknown_deed", "The demo does not know this deed.");
}
