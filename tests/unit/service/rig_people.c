#include "contract/auth.h"
#include "rig.h"

static struct id create(struct rig *rig, const struct id *id, const char *username)
{
    struct auth_user_created created = {
        .id = *id, .username = slice_str(username), .created_at = clock_wall_ms(&rig->clock.clock)};
    rig_emit(rig, &auth_user_created_event, id, &created);
    return *id;
}

struct id rig_person(struct rig *rig)
{
    char name[ID_TEXT_LEN + 1];
    struct id id = id_new(&rig->clock.clock);
    id_format(&id, name);
    return create(rig, &id, name);
}

struct id rig_person_named(struct rig *rig, const char *username)
{
    struct id id = id_new(&rig->clock.clock);
    return create(rig, &id, username);
}

void rig_delete_person(struct rig *rig, const struct id *user)
{
    struct auth_user_deleted deleted = {.user_id = *user,
                                        .deleted_at = clock_wall_ms(&rig->clock.clock)};
    rig_emit(rig, &auth_user_deleted_event, user, &deleted);
}

int rig_relate(struct rig *rig, social_change_fn *change, const struct id *who,
               const struct id *whom)
{
    struct social_relationship how;
    error_init(&rig->err);
    struct social_call call = {
        .room = kit_room(&rig->kit, "social"), .user = *who, .err = &rig->err};
    return change(&call, whom, &how);
}
