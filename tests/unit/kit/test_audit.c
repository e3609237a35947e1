/* The audit log: rows stay as they were written, and whatever is done to them behind the triggers'
 * back shows. */
#include <stdio.h>

#include "harness.h"
#include "kit/audit.h"
#include "kit/consumer.h" /* kit_schema */

static struct clock_fake fake;
static struct kit kit;
static struct arena arena;
static struct error err;
static const struct id ann = {{1}}, bob = {{2}}, cleo = {{3}};

static void open_world(void)
{
    static int worlds;
    char path[512];
    error_init(&err);
    clock_fake_init(&fake, INT64_C(1795000000000));
    snprintf(path, sizeof path, "%s/%d.db", test_dir(), worlds++);
    struct db_config config = {
        .path = path, .readers = 1, .queue_max = 16, .batch_max = 16, .clock = &fake.clock};
    kit = (struct kit){.clock = &fake.clock};
    CHECK_OK(db_open(&config, &kit.main_db, &err), &err);
    CHECK_OK(db_migrate(kit.main_db, &kit_schema, 1, NULL, &err), &err);
    arena_init(&arena, 4 << 20);
}

static void close_world(void)
{
    arena_done(&arena);
    db_close(kit.main_db);
}

static int write_entry(struct db_tx *tx, void *arg, struct error *e)
{
    return audit_write(&kit, tx, arg, e);
}

static int act(const char *action, const struct id *actor, const struct id *subject)
{
    struct audit_entry entry = {.action = action,
                                .actor = actor,
                                .subject_kind = "user",
                                .subject = subject,
                                .detail = SLICE("{\"role\":\"admin\"}")};
    clock_fake_advance(&fake, 1);
    error_init(&err);
    return db_write(kit.main_db, write_entry, &entry, &err);
}

static int exec_one(struct db_tx *tx, void *arg, struct error *e)
{
    return db_exec_n(tx, arg, NULL, 0, e);
}

static int run_sql(const struct db_sql *sql)
{
    error_init(&err);
    return db_write(kit.main_db, exec_one, (void *)sql, &err);
}

static int verify(const struct audit_mark *kept, struct audit_mark *ret_end)
{
    error_init(&err);
    return audit_verify(&kit, kept, ret_end, &err);
}

struct listing {
    struct audit_filter filter;
    struct audit_row *rows;
    size_t count;
};

static int list_fn(struct db_tx *tx, void *arg, struct error *e)
{
    struct listing *l = arg;
    return audit_list(tx, &l->filter, &arena, &l->rows, &l->count, e);
}

static struct listing list(struct audit_filter filter)
{
    struct listing l = {.filter = filter};
    l.filter.limit = filter.limit != 0 ? filter.limit : 100;
    CHECK_OK(db_read(kit.main_db, list_fn, &l, &err), &err);
    return l;
}

TEST(an_empty_log_is_whole)
{
    struct audit_mark end;
    open_world();
    CHECK_OK(verify(NULL, &end), &err);
    CHECK_INT(end.seq, 0);
    close_world();
}

TEST(rows_cannot_be_changed_removed_or_slipped_in)
{
    static const struct db_sql attempts[] = {
        {"UPDATE audit SET action = 'nothing' WHERE seq = 2"},
        {"UPDATE OR REPLACE audit SET seq = 1 WHERE seq = 2"},
        {"DELETE FROM audit WHERE seq = 2"},
        {"DELETE FROM audit"},
        {"INSERT OR REPLACE INTO audit SELECT seq, id, 'nothing', actor_id, subject_kind, "
         "subject_id, detail, correlation_id, at, hash FROM audit WHERE seq = 2"},
        {"INSERT INTO audit SELECT seq + 7, id, action, actor_id, subject_kind, subject_id, "
         "detail, correlation_id, at, hash FROM audit WHERE seq = 3"},
    };
    open_world();
    for (int i = 0; i < 3; i++)
        CHECK_OK(act("user.role_changed", &ann, &bob), &err);
    for (size_t i = 0; i < ARRAY_LEN(attempts); i++)
        if (run_sql(&attempts[i]) == 0)
            test_fail(__FILE__, __LINE__, "allowed: %s", attempts[i].text);
    struct audit_mark end;
    CHECK_OK(verify(NULL, &end), &err);
    CHECK_INT(end.seq, 3);
    close_world();
}

/* What somebody can do who opens the file with other tools. */
static const struct {
    struct db_sql sql;
    const char *want;
} tamperings[] = {
    {{"UPDATE audit SET action = 'user.enabled' WHERE seq = 3"}, "row 3 "},
    {{"UPDATE audit SET actor_id = NULL WHERE seq = 1"}, "row 1 "},
    {{"UPDATE audit SET actor_id = subject_id WHERE seq = 4"}, "row 4 "},
    {{"UPDATE audit SET detail = NULL WHERE seq = 5"}, "row 5 "},
    {{"UPDATE audit SET correlation_id = '' WHERE seq = 2"}, "row 2 "},
    {{"UPDATE audit SET at = at + 1 WHERE seq = 2"}, "row 2 "},
    {{"UPDATE audit SET hash = zeroblob(32) WHERE seq = 3"}, "row 3 "},
    {{"UPDATE audit SET hash = x'00' WHERE seq = 3"}, "row 3 "},
    {{"DELETE FROM audit WHERE seq = 4"}, "row 4 "},
    {{"DELETE FROM audit WHERE seq = 1"}, "row 1 "},
    {{"INSERT INTO audit SELECT 6, id, action, actor_id, subject_kind, subject_id, detail, "
      "correlation_id, at, hash FROM audit WHERE seq = 5"},
     "row 6 "},
};

static void check_shows(const struct db_sql *tampering, const char *want)
{
    static const struct db_sql triggers[] = {{"DROP TRIGGER audit_is_not_changed"},
                                             {"DROP TRIGGER audit_is_not_removed"},
                                             {"DROP TRIGGER audit_is_appended"}};
    struct audit_mark end;
    open_world();
    for (int i = 0; i < 5; i++)
        CHECK_OK(act("user.role_changed", i == 3 ? NULL : &ann, &bob), &err);
    for (size_t i = 0; i < ARRAY_LEN(triggers); i++)
        CHECK_OK(run_sql(&triggers[i]), &err);
    CHECK_OK(run_sql(tampering), &err);
    CHECK_INT(verify(NULL, &end), FAIL_CONFLICT);
    CHECK_STR(slice_str(err.code), "audit_broken");
    if (strstr(err.detail, want) == NULL)
        test_fail(__FILE__, __LINE__, "%s: \"%s\" does not name %s", tampering->text, err.detail,
                  want);
    close_world();
}

TEST(what_is_changed_behind_the_triggers_shows)
{
    for (size_t i = 0; i < ARRAY_LEN(tamperings); i++)
        check_shows(&tamperings[i].sql, tamperings[i].want);
}

TEST(what_is_cut_off_shows_against_a_mark_that_was_kept)
{
    static const struct db_sql drop = {"DROP TRIGGER audit_is_not_removed"};
    static const struct db_sql cut = {"DELETE FROM audit WHERE seq > 3"};
    struct audit_mark kept, end;
    open_world();
    for (int i = 0; i < 5; i++)
        CHECK_OK(act("user.role_changed", &ann, &bob), &err);
    CHECK_OK(verify(NULL, &kept), &err);
    CHECK_INT(kept.seq, 5);
    CHECK_OK(run_sql(&drop), &err);
    CHECK_OK(run_sql(&cut), &err);
    CHECK_OK(verify(NULL, &end), &err);
    CHECK_INT(verify(&kept, &end), FAIL_CONFLICT);
    CHECK_OK(act("user.disabled", &ann, &bob), &err);
    CHECK_OK(act("user.disabled", &ann, &bob), &err);
    CHECK_INT(verify(&kept, &end), FAIL_CONFLICT); /* as long again, but not the same */
    CHECK_OK(verify(NULL, &kept), &err);
    CHECK_OK(act("user.enabled", &ann, &bob), &err);
    CHECK_OK(verify(&kept, &end), &err);
    CHECK_INT(end.seq, 6);
    close_world();
}

TEST(a_long_log_is_walked_in_pieces)
{
    struct audit_mark end;
    open_world();
    for (int i = 0; i < 1203; i++)
        CHECK_OK(act("user.role_changed", &ann, &bob), &err);
    CHECK_OK(verify(NULL, &end), &err);
    CHECK_INT(end.seq, 1203);
    close_world();
}

TEST(an_act_that_is_undone_leaves_no_row_and_no_gap)
{
    static const struct audit_entry large = {.action = "user.disabled",
                                             .subject_kind = "user",
                                             .detail = {"", AUDIT_DETAIL_BYTES_MAX + 1}};
    struct audit_mark end;
    open_world();
    CHECK_OK(act("user.role_changed", &ann, &bob), &err);
    error_init(&err);
    CHECK_INT(db_write(kit.main_db, write_entry, (void *)&large, &err), FAIL_TOO_LARGE);
    CHECK_OK(act("user.disabled", &ann, &bob), &err);
    CHECK_OK(verify(NULL, &end), &err);
    CHECK_INT(end.seq, 2);
    close_world();
}

TEST(lists_by_actor_subject_and_action)
{
    open_world();
    CHECK_OK(act("user.role_changed", &ann, &bob), &err);
    CHECK_OK(act("user.disabled", &ann, &cleo), &err);
    CHECK_OK(act("user.disabled", &bob, &cleo), &err);
    CHECK_OK(act("user.disabled", NULL, NULL), &err);
    struct listing all = list((struct audit_filter){0});
    CHECK_INT(all.count, 4);
    CHECK_INT(all.rows[0].seq, 4);
    CHECK(id_is_nil(&all.rows[0].actor) && id_is_nil(&all.rows[0].subject));
    CHECK_STR(all.rows[3].action, "user.role_changed");
    CHECK_STR(all.rows[3].detail, "{\"role\":\"admin\"}");
    CHECK_INT(all.rows[3].at, INT64_C(1795000000001));
    CHECK_INT(list((struct audit_filter){.actor = ann}).count, 2);
    CHECK_INT(list((struct audit_filter){.subject = cleo}).count, 2);
    CHECK_INT(list((struct audit_filter){.subject = cleo, .actor = bob}).count, 1);
    CHECK_INT(list((struct audit_filter){.action = SLICE("user.disabled")}).count, 3);
    CHECK_INT(list((struct audit_filter){.action = SLICE("user.disabled"), .actor = ann}).count, 1);
    CHECK_INT(list((struct audit_filter){.action = SLICE("user.disabled"), .subject = bob}).count,
              0);
    close_world();
}

TEST(a_page_goes_on_where_the_last_one_ended)
{
    open_world();
    for (int i = 0; i < 5; i++)
        CHECK_OK(act("user.role_changed", &ann, &bob), &err);
    struct listing page = list((struct audit_filter){.limit = 2});
    CHECK_INT(page.count, 2);
    CHECK_OK(act("user.role_changed", &ann, &bob), &err);
    page = list((struct audit_filter){.limit = 2, .before = page.rows[1].seq, .actor = ann});
    CHECK_INT(page.rows[0].seq, 3);
    page = list((struct audit_filter){.limit = 2, .before = page.rows[1].seq, .subject = bob});
    CHECK_INT(page.count, 1);
    CHECK_INT(page.rows[0].seq, 1);
    close_world();
}
