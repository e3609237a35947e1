#include "service/user/user_admin_store.h"

#include "service/user/user_room.h"

#define LIST "SELECT user_id, username FROM profile "
#define BY_ID                                                                                      \
    " AND user_id < coalesce(?3, x'ffffffffffffffffffffffffffffffff')"                             \
    " ORDER BY user_id DESC LIMIT ?4"
static const struct db_sql sql_all = {
    LIST "WHERE (?1 < 0 OR role = ?1) AND (?2 < 0 OR is_active = ?2)" BY_ID};
static const struct db_sql sql_staff = {LIST
                                        "INDEXED BY profile_staff WHERE role = ?1 AND role > 0 "
                                        "AND (?2 < 0 OR is_active = ?2)" BY_ID};
static const struct db_sql sql_inactive = {
    LIST "INDEXED BY profile_inactive WHERE is_active = 0 AND ?2 = 0 "
         "AND (?1 < 0 OR role = ?1)" BY_ID};
/* '~' stands behind everything that a username can have. */
static const struct db_sql sql_prefix = {
    LIST "WHERE username >= ?3 AND username < ?3 || '~' AND (?5 IS NULL OR username > ?5) "
         "AND (?1 < 0 OR role = ?1) AND (?2 < 0 OR is_active = ?2) ORDER BY username LIMIT ?4"};

static const struct db_sql *choose(const struct user_admin_filter *f)
{
    if (f->prefix.ptr != NULL)
        return &sql_prefix;
    if (f->role > ROLE_USER)
        return &sql_staff;
    return f->is_active == 0 ? &sql_inactive : &sql_all;
}

struct listing {
    const struct user_admin_filter *filter;
    struct id *ids;
    char (*names)[USER_ADMIN_NAME_BYTES];
    size_t count;
};

static int start(struct db_tx *tx, const struct user_admin_filter *f, struct db_rows *ret_rows,
                 struct error *err)
{
    bool named = f->prefix.ptr != NULL;
    const struct db_value args[] = {db_int(f->role), db_int(f->is_active),
                                    named ? db_text(f->prefix) : db_id(&f->before),
                                    db_int(f->limit + 1), db_text(f->after)};
    return db_query_n(tx, choose(f), args, named ? 5 : 4, ret_rows, err);
}

static int list_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct listing *l = arg;
    struct db_rows rows;
    int rc = start(tx, l->filter, &rows, err);
    if (rc < 0)
        return rc;
    while ((rc = db_next(&rows, err)) > 0) {
        struct slice name = db_col_text(&rows, 1);
        size_t len = name.len < USER_ADMIN_NAME_BYTES ? name.len : USER_ADMIN_NAME_BYTES;
        l->ids[l->count] = db_col_id(&rows, 0);
        memset(l->names[l->count], 0, USER_ADMIN_NAME_BYTES);
        memcpy(l->names[l->count++], name.ptr, len);
    }
    return rc;
}

int user_admin_list(struct user_room *room, const struct user_admin_filter *filter,
                    struct id *ret_ids, char (*ret_names)[USER_ADMIN_NAME_BYTES], size_t *ret_count,
                    struct error *err)
{
    struct listing l = {.filter = filter, .ids = ret_ids, .names = ret_names};
    int rc = db_read(room->db, list_tx, &l, err);
    if (rc == 0)
        *ret_count = l.count;
    return rc;
}
