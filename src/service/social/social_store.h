/* The room's tables, as functions; the only SQL of the room is in social_store*.c. All run inside
 * db_read or db_write. Counts move only through social_store_count, called beside the change of the
 * row that is counted. */
#ifndef PARLEY_SERVICE_SOCIAL_STORE_H
#define PARLEY_SERVICE_SOCIAL_STORE_H

#include "engine/db.h"
#include "service/social/social.h"

struct social_blocks;

/* --- people (social_store.c) ------------------------------------------------------------------ */
struct social_person {
    struct id id;
    bool found, is_private, is_active;
    int64_t followers, following, asking, blocks, mutes;
};
int social_store_person(struct db_tx *tx, const struct id *user, struct social_person *ret,
                        struct error *err) MUSTCHECK;
int social_store_add_person(struct db_tx *tx, const struct id *user, struct error *err) MUSTCHECK;
/* Somebody who is known stays as they are. */
int social_store_introduce(struct db_tx *tx, const struct social_acquaintance *person,
                           struct error *err) MUSTCHECK;
int social_store_set_private(struct db_tx *tx, const struct id *user, bool is_private,
                             struct error *err) MUSTCHECK;
int social_store_set_active(struct db_tx *tx, const struct id *user, bool is_active,
                            struct error *err) MUSTCHECK;
int social_store_drop_person(struct db_tx *tx, const struct id *user, struct error *err) MUSTCHECK;
enum social_count {
    SOCIAL_COUNT_FOLLOWERS,
    SOCIAL_COUNT_FOLLOWING,
    SOCIAL_COUNT_ASKING,
    SOCIAL_COUNT_BLOCKS,
    SOCIAL_COUNT_MUTES,
};
/* Somebody who is gone has no counts. */
int social_store_count(struct db_tx *tx, const struct id *user, enum social_count count, int step,
                       struct error *err) MUSTCHECK;

/* --- pairs (social_store.c) ------------------------------------------------------------------- */
struct social_follow_row {
    bool found, muted;
    int64_t made_at;
    uint64_t since_pos;
};
int social_store_follow(struct db_tx *tx, const struct id *follower, const struct id *target,
                        struct social_follow_row *ret, struct error *err) MUSTCHECK;
/* Both rows of it. */
int social_store_put_follow(struct db_tx *tx, const struct id *follower, const struct id *target,
                            const struct social_follow_row *row, struct error *err) MUSTCHECK;
int social_store_drop_follow(struct db_tx *tx, const struct id *follower, const struct id *target,
                             struct error *err) MUSTCHECK;
int social_store_set_muted(struct db_tx *tx, const struct id *follower, const struct id *target,
                           bool muted, uint64_t since_pos, struct error *err) MUSTCHECK;
/* Tables of pairs that somebody (the first id) has made about another. */
enum social_pairs { SOCIAL_PAIRS_REQUEST, SOCIAL_PAIRS_BLOCK, SOCIAL_PAIRS_MUTE };
int social_store_has(struct db_tx *tx, enum social_pairs pairs, const struct id *by,
                     const struct id *about, bool *ret_has, struct error *err) MUSTCHECK;
/* *ret_changed: it was otherwise before. Blocks: the packed table as well. */
int social_store_put(struct db_tx *tx, enum social_pairs pairs, const struct id *by,
                     const struct id *about, int64_t made_at, bool *ret_changed,
                     struct error *err) MUSTCHECK;
int social_store_drop(struct db_tx *tx, enum social_pairs pairs, const struct id *by,
                      const struct id *about, bool *ret_changed, struct error *err) MUSTCHECK;
/* Everything about two people in one statement; *ret_found false: the other is unknown. */
int social_store_relation(struct db_tx *tx, const struct id *viewer, const struct id *other,
                          struct social_relationship *ret, bool *ret_found,
                          struct error *err) MUSTCHECK;

/* --- many (social_store_list.c) --------------------------------------------------------------- */
struct social_list_row {
    struct id other;
    int64_t made_at;
};
/* 0 to go on, 1 to stop, negative to fail. */
typedef int social_row_fn(const struct social_list_row *row, void *arg, struct error *err);
/* A person's list, newest first, from behind the cursor (NULL: from the first). */
int social_store_list(struct db_tx *tx, enum social_list list, const struct id *person,
                      const struct cursor *after, social_row_fn *fn, void *arg,
                      struct error *err) MUSTCHECK;
/* For the export, oldest first: as the lists, but with SOCIAL_LIST_REQUESTS whom the person has
 * asked. */
int social_store_made(struct db_tx *tx, enum social_list list, const struct id *person,
                      social_row_fn *fn, void *arg, struct error *err) MUSTCHECK;
/* By id, without those between whom there is a mute. */
int social_store_fan(struct db_tx *tx, bool followers, const struct id *person,
                     const struct id *after, size_t limit, struct id *ret_ids, size_t *ret_count,
                     struct error *err) MUSTCHECK;
/* Authors whom the person follows and has not muted. */
int social_store_streams(struct db_tx *tx, const struct id *user, stream_fn *fn, void *arg,
                         struct error *err) MUSTCHECK;
/* For erasure: at most `limit` pairs in which the person stands, on either side. */
enum social_table {
    SOCIAL_TABLE_FOLLOWS,
    SOCIAL_TABLE_REQUESTS,
    SOCIAL_TABLE_BLOCKS,
    SOCIAL_TABLE_MUTES,
};
struct social_pair {
    struct id by, about;
};
int social_store_pairs(struct db_tx *tx, enum social_table table, const struct id *person,
                       size_t limit, struct social_pair *ret_pairs, size_t *ret_count,
                       struct error *err) MUSTCHECK;
/* For a new public account: at most `limit` who wait. */
int social_store_askers(struct db_tx *tx, const struct id *target, size_t limit, struct id *ret_ids,
                        size_t *ret_count, struct error *err) MUSTCHECK;
int social_store_put_duty(struct db_tx *tx, const struct id *user, int kind,
                          struct error *err) MUSTCHECK;
int social_store_drop_duty(struct db_tx *tx, const struct id *user, int kind,
                           struct error *err) MUSTCHECK;
int social_store_next_duty(struct db_tx *tx, struct id *ret_user, int *ret_kind, bool *ret_found,
                           struct error *err) MUSTCHECK;

/* --- packed blocks (social_store_pack.c) ------------------------------------------------------ */
int social_store_packs(struct db_tx *tx, struct social_blocks *blocks,
                       struct error *err) MUSTCHECK; /* at start */
/* One pair of block_pack; done by social_store_put and _drop. */
int social_store_pack(struct db_tx *tx, const struct id *blocker, const struct id *blocked, bool on,
                      struct error *err) MUSTCHECK;

/* --- reports (social_store_report.c) ---------------------------------------------------------- */
int social_store_add_report(struct db_tx *tx, const struct social_report *report,
                            struct error *err) MUSTCHECK;
int social_store_get_report(struct db_tx *tx, const struct id *id, struct arena *arena,
                            struct social_report *ret, bool *ret_found,
                            struct error *err) MUSTCHECK;
int social_store_set_report(struct db_tx *tx, const struct social_report *report,
                            struct error *err) MUSTCHECK;
int social_store_open_reports(struct db_tx *tx, const struct id *reporter, int64_t most,
                              int64_t *ret_count, struct error *err) MUSTCHECK;
/* status -1: any. before nil: from the newest. */
int social_store_list_reports(struct db_tx *tx, int status, const struct id *before, size_t limit,
                              struct arena *arena, struct social_report *ret_items,
                              size_t *ret_count, struct error *err) MUSTCHECK;
/* At most `limit` reports of a person lose who made them and what they wrote; *ret_count of them.
 */
int social_store_forget_reporter(struct db_tx *tx, const struct id *reporter, size_t limit,
                                 size_t *ret_count, struct error *err) MUSTCHECK;
typedef int social_report_fn(const struct social_report *report, void *arg, struct error *err);
int social_store_reports_of(struct db_tx *tx, const struct id *reporter, struct arena *arena,
                            social_report_fn *fn, void *arg, struct error *err) MUSTCHECK;

#endif
