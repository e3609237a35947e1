#include "calendar_rig.h"

#include "service/user/user.h"

void rig_open(struct rig *rig, const char *const *settings)
{
    static const struct module *const modules[] = {&social_module, &user_module, &calendar_module,
                                                   NULL};
    rig_open_modules(rig, modules, settings, 0);
}

void rig_block(struct rig *rig, const struct id *who, const struct id *whom)
{
    CHECK_OK(rig_relate(rig, social_block, who, whom), &rig->err);
    rig_pump(rig);
}

struct calendar_call *rig_as(struct rig *rig, const struct id *user)
{
    rig_clear(rig);
    struct calendar_call *call = arena_alloc(&rig->arena, sizeof *call);
    *call = (struct calendar_call){
        .room = rig->room, .user = *user, .arena = &rig->arena, .err = &rig->err};
    return call;
}

struct gathering rig_gathering(struct rig *rig, const struct id *host, int64_t capacity)
{
    char starts[TIME_TEXT_LEN + 1], ends[TIME_TEXT_LEN + 1];
    struct gathering g = {0};
    int64_t now = clock_wall_ms(&rig->clock.clock);
    time_format(now + 48 * HOUR, starts);
    time_format(now + 50 * HOUR, ends);
    struct gathering_input in = {.present = 1 << GATHERING_TITLE | 1 << GATHERING_STARTS_AT |
                                            1 << GATHERING_ENDS_AT | 1 << GATHERING_TIME_ZONE |
                                            1 << GATHERING_CAPACITY,
                                 .title = SLICE("A walk"),
                                 .starts_at = slice_str(starts),
                                 .ends_at = slice_str(ends),
                                 .time_zone = SLICE("Europe/Berlin"),
                                 .capacity = capacity};
    CHECK_OK(gathering_create(rig_as(rig, host), &in, &g), &rig->err);
    return g;
}

struct gathering rig_get(struct rig *rig, const struct id *user, const struct id *id)
{
    struct gathering g = {0};
    CHECK_OK(gathering_get(rig_as(rig, user), id, &g), &rig->err);
    return g;
}

struct calendar_rsvp rig_answer(struct rig *rig, const struct id *user, const struct id *id,
                                enum calendar_answer answer)
{
    struct calendar_rsvp rsvp = {0};
    CHECK_OK(calendar_answer(rig_as(rig, user), id, answer, &rsvp), &rig->err);
    return rsvp;
}

void rig_capacity(struct rig *rig, const struct id *host, const struct id *id, int64_t capacity)
{
    struct gathering g;
    struct gathering_input in = {.present = 1 << GATHERING_CAPACITY, .capacity = capacity};
    CHECK_OK(gathering_edit(rig_as(rig, host), id, &in, &g), &rig->err);
}

void rig_start_at(struct rig *rig, const struct id *host, const struct id *id, int64_t starts_at)
{
    char starts[TIME_TEXT_LEN + 1], ends[TIME_TEXT_LEN + 1];
    struct gathering g;
    time_format(starts_at, starts);
    time_format(starts_at + HOUR, ends);
    struct gathering_input in = {.present = 1 << GATHERING_STARTS_AT | 1 << GATHERING_ENDS_AT,
                                 .starts_at = slice_str(starts),
                                 .ends_at = slice_str(ends)};
    CHECK_OK(gathering_edit(rig_as(rig, host), id, &in, &g), &rig->err);
}
