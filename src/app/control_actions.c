/* The actions of the control socket and of the commands user, keys and backup. */
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/archive.h"
#include "app/backup.h"
#include "app/control.h"
#include "app/control_records.h"
#include "app/placement.h"
#include "kit/outbox.h"
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

/* --- backup ------------------------------------------------------------------------------------
 */

enum { COPIES_MAX = BACKUP_NAMES + PLACEMENT_ROOMS_MAX };

struct copies {
    char dir[4096];
    char names[COPIES_MAX][PLACEMENT_NAME_MAX + 4]; /* "graph.db" */
    struct db *dbs[COPIES_MAX];
    unsigned count;
};

static void add_copy(struct copies *c, const char *name, struct db *db)
{
    snprintf(c->names[c->count], sizeof c->names[0], "%s", name);
    c->dbs[c->count++] = db;
}

static void list_copies(struct copies *c, struct kit *kit)
{
    char name[PLACEMENT_NAME_MAX + 4];
    add_copy(c, backup_names[0], kit->main_db);
    add_copy(c, backup_names[1], kit_db(kit, "user.search"));
    for (unsigned i = 0; i < kit->database_count; i++) {
        const struct kit_database *d = &kit->databases[i];
        if (d->name == NULL || kit_database_again(kit, i))
            continue;
        snprintf(name, sizeof name, "%s.db", d->name);
        add_copy(c, name, d->db);
    }
}

static void copy_path(const struct copies *c, unsigned i, char *ret_path, size_t size)
{
    snprintf(ret_path, size, "%s/%s", c->dir, c->names[i]);
}

/* The last of the list first, main.db at the end, and meanwhile no outbox is relayed. So the copies
 * are what a crash could have left: what main.db's log tells of rooms elsewhere was in their files
 * when the outboxes were held, before any copy; and what they have handled of the log is in
 * main.db's copy, which is newer than theirs. What they say in between waits in their outboxes, in
 * the copies as well. The search file may lack something, which is in the log, and finds again what
 * it has too much. */
static int make_copies(const struct copies *c, struct kit *kit, struct error *err)
{
    char path[4200];
    int rc = 0;
    outboxes_hold(kit->outboxes);
    for (unsigned i = c->count; i-- > 0 && rc == 0;) {
        copy_path(c, i, path, sizeof path);
        rc = db_backup(c->dbs[i], path, err);
    }
    outboxes_release(kit->outboxes);
    return rc;
}

/* The copy of a folder does not belong into it, and a name there may be the engines'. */
static int check_outside(const char *path, const char *data_dir, struct error *err)
{
    char folder[PATH_MAX], real[PATH_MAX];
    size_t len = strlen(data_dir);
    if (!copy_str(folder, sizeof folder, slice_str(path)))
        return error_set(err, FAIL_INVALID, "archive", "The path is too long.");
    if (realpath(dirname(folder), real) == NULL)
        return error_errno(err, errno, "archive", "The folder of %s cannot be found", path);
    if (strncmp(real, data_dir, len) == 0 && (real[len] == 0 || real[len] == '/'))
        return error_set(err, FAIL_INVALID, "backup_inside",
                         "%s is inside the data folder: name a file outside of it.", path);
    return 0;
}

/* Before the copies are made, which takes long; archive_write makes sure of the file. */
static int check_target(const char *path, const char *data_dir, struct error *err)
{
    struct stat st;
    int rc = check_outside(path, data_dir, err);
    if (rc == 0 && lstat(path, &st) == 0)
        rc = error_set(err, FAIL_CONFLICT, "backup_exists",
                       "%s exists already: " ARCHIVE_NAME_ANOTHER ".", path);
    return rc;
}

/* The copies are made beside each other in the data folder, then packed. */
static int backup(struct control_call *call, struct error *err)
{
    struct copies c = {.count = 0};
    const char *names[COPIES_MAX];
    char path[4200];
    int rc = check_target(call->args[0], call->kit->data_dir, err);
    if (rc < 0)
        return rc;
    int len = snprintf(c.dir, sizeof c.dir, "%s/backup.XXXXXX", call->kit->data_dir);
    if (len < 0 || (size_t)len >= sizeof c.dir || mkdtemp(c.dir) == NULL)
        return error_errno(err, errno, "backup_failed", "No folder for the copies can be made");
    list_copies(&c, call->kit);
    for (unsigned i = 0; i < c.count; i++)
        names[i] = c.names[i];
    rc = make_copies(&c, call->kit, err);
    if (rc == 0)
        rc = archive_write(call->args[0], c.dir, names, c.count, err);
    for (unsigned i = 0; i < c.count; i++) {
        copy_path(&c, i, path, sizeof path);
        unlink(path);
    }
    rmdir(c.dir);
    if (rc == 0)
        buf_printf(call->out, "backed up to %s\n", call->args[0]);
    return rc;
}

static const struct control_action actions[] = {
    {"user-create", 1, 1, .reads_input = true, .makes_folder = true, .run = user_create},
    {"user-promote", 2, 2, .run = user_promote},
    {"user-disable", 1, 1, .run = user_disable},
    {"keys-rotate", 0, 0, .run = keys_rotate},
    {"backup", 1, 1, .run = backup},
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
