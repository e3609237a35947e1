/* Queries that give one row or none: by key, "is there any", a count. Inside a transaction, on
 * whatever engine stands behind db.h; further rows are not looked at. Outputs stay untouched on
 * failure. */
#ifndef PARLEY_ENGINE_DB_ONE_H
#define PARLEY_ENGINE_DB_ONE_H

#include "engine/db.h"

#define DB_ARGS(...)                                                                               \
    (const struct db_value[]){__VA_ARGS__},                                                        \
        sizeof((const struct db_value[]){__VA_ARGS__}) / sizeof(struct db_value)

/* 1: ret_rows stands at the row, to be read and then closed; 0: there is none; < 0: failed.
 * db_rows_close is allowed after any of them. */
MUSTCHECK static inline int db_one_n(struct db_tx *tx, const struct db_sql *sql,
                                     const struct db_value *args, size_t count,
                                     struct db_rows *ret_rows, struct error *err)
{
    *ret_rows = (struct db_rows){.tx = tx};
    int rc = db_query_n(tx, sql, args, count, ret_rows, err);
    return rc < 0 ? rc : db_next(ret_rows, err);
}
#define db_one(tx, sql, rows, err, ...) db_one_n(tx, sql, DB_ARGS(__VA_ARGS__), rows, err)

/* Whether there is a row. */
MUSTCHECK static inline int db_one_exists_n(struct db_tx *tx, const struct db_sql *sql,
                                            const struct db_value *args, size_t count,
                                            bool *ret_exists, struct error *err)
{
    struct db_rows rows;
    int rc = db_one_n(tx, sql, args, count, &rows, err);
    if (rc < 0)
        return rc;
    *ret_exists = rc > 0;
    db_rows_close(&rows);
    return 0;
}
#define db_one_exists(tx, sql, ret_exists, err, ...)                                               \
    db_one_exists_n(tx, sql, DB_ARGS(__VA_ARGS__), ret_exists, err)

/* The number in the row's first column; 0 without a row. */
MUSTCHECK static inline int db_one_int_n(struct db_tx *tx, const struct db_sql *sql,
                                         const struct db_value *args, size_t count,
                                         int64_t *ret_value, struct error *err)
{
    struct db_rows rows;
    int rc = db_one_n(tx, sql, args, count, &rows, err);
    if (rc < 0)
        return rc;
    *ret_value = rc > 0 ? db_col_int(&rows, 0) : 0;
    db_rows_close(&rows);
    return 0;
}
#define db_one_int(tx, sql, ret_value, err, ...)                                                   \
    db_one_int_n(tx, sql, DB_ARGS(__VA_ARGS__), ret_value, err)

/* The id in the row's first column; nil without a row. */
MUSTCHECK static inline int db_one_id_n(struct db_tx *tx, const struct db_sql *sql,
                                        const struct db_value *args, size_t count,
                                        struct id *ret_id, struct error *err)
{
    struct db_rows rows;
    int rc = db_one_n(tx, sql, args, count, &rows, err);
    if (rc < 0)
        return rc;
    *ret_id = rc > 0 ? db_col_id(&rows, 0) : (struct id){{0}};
    db_rows_close(&rows);
    return 0;
}
#define db_one_id(tx, sql, ret_id, err, ...) db_one_id_n(tx, sql, DB_ARGS(__VA_ARGS__), ret_id, err)

#endif
