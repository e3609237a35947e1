/* The actions of the control socket and of the commands user, keys, audit, dead-letters and backup.
 */
#include "app/backup.h"
#include "app/control.h"
#include "app/control_records.h"
#include "service/auth/auth.h"

static int user_create(struct control_call *call, struct error *err)
{
    struct auth_signup in = {.username = slice_str(call->args[0]), .password = call->input};
    while (in.password.len > 0 && (in.password.ptr[in.password.len - 1] == '\n' ||
                                   in.password.ptr[in.password.len - 1] == '\r'))
        in.password.len--;
    struct id user;
    int rc = auth_user_create(call->kit, &in, ROLE_USER, &user, err);
    if (rc < 0)
        return rc;
    char text[ID_TEXT_LEN + 1];
    id_format(&user, text);
    buf_printf(call->out, "created %s %s\n", call->args[0], text);
    return 0;
}

static int user_promote(struct control_call *call, struct error *err)
{
    for (int role = 0; role_names[role] != NULL; role++) {
        if (strcmp(role_names[role], call->args[1]) != 0)
            continue;
        int rc = auth_user_set_role(call->kit, slice_str(call->args[0]), (enum role)role, err);
        if (rc == 0)
            buf_printf(call->out, "%s is %s now\n", call->args[0], role_names[role]);
        return rc;
    }
    return error_field(err, "role", "not_allowed", "The role is user, moderator or admin, not %s.",
                       call->args[1]);
}

static int user_disable(struct control_call *call, struct error *err)
{
    int rc = auth_user_set_active(call->kit, slice_str(call->args[0]), false, err);
    if (rc == 0)
        buf_printf(call->out, "%s is disabled and signed out everywhere\n", call->args[0]);
    return rc;
}

static int keys_rotate(struct control_call *call, struct error *err)
{
    int rc = auth_keys_rotate(call->kit, err);
    if (rc == 0)
        buf_lit(call->out,
                "a new signing key is published; the present one verifies until its last "
                "token has expired\n");
    return rc;
}

static const struct control_action actions[] = {
    {"user-create", 1, 1, .reads_input = true, .makes_folder = true, .run = user_create},
    {"user-promote", 2, 2, .run = user_promote},
    {"user-disable", 1, 1, .run = user_disable},
    {"keys-rotate", 0, 0, .run = keys_rotate},
    {"backup", 1, 1, .run = control_backup},
    {"audit-verify", 0, 1, .run = control_audit_verify},
    {"dead-letters-list", 0, 0, .run = control_dead_letters_list},
    {"dead-letters-requeue", 1, 1, .run = control_dead_letters_requeue},
    {"dead-letters-discard", 1, 1, .run = control_dead_letters_discard},
};

const struct control_action *control_find(struct slice name)
{
    for (size_t i = 0; i < ARRAY_LEN(actions); i++)
        if (slice_eq(slice_str(actions[i].name), name))
            return &actions[i];
    return NULL;
}
