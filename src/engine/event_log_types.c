/* Event types by number: a row of the log carries a small integer instead of a name. Numbers are
 * given in the table event_type and never change. */
#include <stdlib.h>

#include "base/hash.h"
#include "engine/event_log_private.h"

static const struct db_sql insert_type = {
    "INSERT INTO event_type (name) VALUES (?1) ON CONFLICT (name) DO NOTHING"};
static const struct db_sql count_types = {
    "SELECT coalesce(max(number), 0), count(*) FROM event_type"};
static const struct db_sql select_types = {"SELECT number, name FROM event_type"};

static struct log_type_slot *slot_of(const struct log_types *types, const struct event_type *type)
{
    size_t at = hash_mix((uintptr_t)type) & types->mask;
    while (types->slots[at].type != NULL && types->slots[at].type != type)
        at = (at + 1) & types->mask;
    return &types->slots[at];
}

uint32_t log_type_number(const struct log_types *types, const struct event_type *type)
{
    return slot_of(types, type)->number;
}

static const struct event_type *find_known(const struct event_type *const *known, struct slice name)
{
    for (; *known != NULL; known++)
        if (slice_eq(slice_str((*known)->name), name))
            return *known;
    return NULL;
}

static int register_known(const struct event_type *const *known, struct db_tx *tx,
                          struct error *err)
{
    int rc = 0;
    for (; rc == 0 && *known != NULL; known++)
        rc = db_exec(tx, &insert_type, err, db_text(slice_str((*known)->name)));
    return rc;
}

static int allocate(struct log_types *types, struct db_tx *tx, struct error *err)
{
    struct db_rows rows;
    int rc = db_query_n(tx, &count_types, NULL, 0, &rows, err);
    if (rc == 0)
        rc = db_next(&rows, err);
    if (rc != 1)
        return rc;
    types->numbers = (size_t)db_col_int(&rows, 0) + 1;
    size_t count = (size_t)db_col_int(&rows, 1), slots = 8;
    db_rows_close(&rows);
    while (slots < count * 2)
        slots *= 2;
    types->by_number = xcalloc(types->numbers, sizeof *types->by_number);
    types->slots = xcalloc(slots, sizeof *types->slots);
    types->mask = slots - 1;
    types->strangers = xcalloc(count + 1, sizeof *types->strangers);
    return 0;
}

/* An event of a type that this program no longer has is still read; no client sees it. */
static const struct event_type *add_stranger(struct log_types *types, struct slice name)
{
    struct event_type *type = &types->strangers[types->stranger_count++];
    type->name = xstrndup(name.ptr, name.len);
    return type;
}

int log_types_load(struct log_types *types, const struct event_type *const *known, struct db_tx *tx,
                   struct error *err)
{
    *types = (struct log_types){0};
    struct db_rows rows;
    int rc = register_known(known, tx, err);
    if (rc == 0)
        rc = allocate(types, tx, err);
    if (rc == 0)
        rc = db_query_n(tx, &select_types, NULL, 0, &rows, err);
    if (rc != 0)
        return rc;
    while ((rc = db_next(&rows, err)) == 1) {
        const struct event_type *type = find_known(known, db_col_text(&rows, 1));
        if (type == NULL)
            type = add_stranger(types, db_col_text(&rows, 1));
        types->by_number[db_col_int(&rows, 0)] = type;
        *slot_of(types, type) = (struct log_type_slot){type, (uint32_t)db_col_int(&rows, 0)};
    }
    return rc;
}

void log_types_done(struct log_types *types)
{
    for (size_t i = 0; i < types->stranger_count; i++)
        free((char *)types->strangers[i].name);
    free(types->strangers);
    free(types->by_number);
    free(types->slots);
    *types = (struct log_types){0};
}
