/* The embedded engines of one data folder, opened in order and closed in reverse. */
#ifndef PARLEY_APP_ENGINES_H
#define PARLEY_APP_ENGINES_H

#include "app/placement.h"
#include "kit/kit.h"

/* The file that a restore makes first and removes last. While it is there nobody else opens what
 * the folder holds: after a crash that may be half of it. */
#define ENGINES_RESTORE_MARK "restore.unfinished"

struct engines {
    const struct clock *clock; /* set by the caller before opening */
    /* Set by the caller before opening: rooms are where main.db has them on record, whatever the
     * configuration says. For commands that begin from what is there (restore, migrate --move). */
    bool as_recorded;
    bool restoring; /* set by the caller before opening: the mark of a restore is its own */
    struct placement placement;
    struct db *main_db, *search_db, *feed_db;
    struct {
        char name[PLACEMENT_NAME_MAX + 1];
        struct db *db;
    } own[PLACEMENT_ROOMS_MAX]; /* the databases that database.rooms names */
    unsigned own_count;
    struct kit_database databases[2 + PLACEMENT_ROOMS_MAX];
    struct event_log *log;
    struct kv *kv;
    struct mailer *mailer;
    struct offload *crypto, *blocking, *packing;
    struct token_authority *tokens;
    char data_dir[4096];
};

enum engines_migrate { ENGINES_CHECK, ENGINES_APPLY };
/* Opens databases and brings (or checks) their schemas; *ret_applied counts migrations. Blocks. */
int engines_open_databases(struct engines *e, const struct config *config,
                           enum engines_migrate migrate, unsigned *ret_applied,
                           struct error *err) MUSTCHECK;
/* The rest: log, ephemeral store, pools, tokens. */
int engines_open_rest(struct engines *e, const struct config *config, struct error *err) MUSTCHECK;
void engines_close(struct engines *e);
/* What the kit needs of them. */
void engines_fill(struct engines *e, const struct config *config, struct kit *kit);
/* FAIL_CONFLICT "restore_unfinished" while the mark is there. */
int engines_check_finished(const struct config *config, struct error *err) MUSTCHECK;
/* For commands that are about what is there: FAIL_NOT_FOUND "no_data_folder" when the folder has no
 * main.db, before anything is made. */
int engines_require(const struct config *config, struct error *err) MUSTCHECK;
/* "<data>/main.db" and the like; false when it does not fit. */
bool engines_path(const struct config *config, const char *name, char *ret_path,
                  size_t size) MUSTCHECK;

#endif
