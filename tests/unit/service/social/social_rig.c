#include "social_rig.h"

#include "contract/auth.h"
#include "contract/user.h"

void rig_open(struct rig *rig, const char *const *settings)
{
    static const struct module *const modules[] = {&social_module, NULL};
    rig_open_modules(rig, modules, settings, 0);
}

struct social_room *rig_room(struct rig *rig)
{
    return rig->room;
}

void rig_private(struct rig *rig, const struct id *user, bool is_private)
{
    const struct user_profile profile = {.id = *user,
                                         .username = SLICE("somebody"),
                                         .is_active = true,
                                         .is_private = is_private,
                                         .created_at = NOW,
                                         .updated_at = NOW};
    rig_emit(rig, &user_updated_event, user, &profile);
}

void rig_active(struct rig *rig, const struct id *user, bool is_active)
{
    const struct auth_user_changed changed = {.user_id = *user, .is_active = is_active};
    rig_emit(rig, &auth_user_changed_event, user, &changed);
}

void rig_duties(struct rig *rig)
{
    error_init(&rig->err);
    CHECK_OK(social_duties(rig->room, &rig->err), &rig->err);
}

struct social_call *rig_as(struct rig *rig, const struct id *user)
{
    rig_clear(rig);
    struct social_call *call = arena_alloc(&rig->arena, sizeof *call);
    *call = (struct social_call){.room = rig->room, .user = *user, .err = &rig->err};
    return call;
}

struct social_relationship rig_relation(struct rig *rig, const struct id *viewer,
                                        const struct id *other)
{
    struct social_relationship how = {0};
    CHECK_OK(social_get(rig_as(rig, viewer), other, &how), &rig->err);
    return how;
}

bool rig_blocked(struct rig *rig, const struct id *a, const struct id *b)
{
    return rig_room(rig)->calls.blocked(rig->room, a, b);
}

size_t rig_list(struct rig *rig, enum social_list list, const struct id *viewer,
                const struct id *person, int64_t limit, struct cursor *cursor, struct id *ret_ids,
                bool *ret_more)
{
    struct buf text;
    size_t count = 0;
    bool more = false;
    struct page_query query = {.limit = limit};
    buf_init(&text, 200);
    if (cursor != NULL && !id_is_nil(&cursor->id)) {
        cursor_encode(cursor, &text);
        query.cursor = buf_view(&text);
    }
    struct cursor next = {0};
    error_init(&rig->err);
    CHECK_OK(rig_room(rig)->calls.page(rig->room, list, viewer, person, &query, ret_ids, &count,
                                       &next, &more, &rig->err),
             &rig->err);
    buf_done(&text);
    if (cursor != NULL)
        *cursor = next;
    if (ret_more != NULL)
        *ret_more = more;
    return count;
}
