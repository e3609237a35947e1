/* Tickets for event streams: good for their user and session, until that ends; the table does not
 * give them away. */
#include "realtime/ticket.h"
#include "realtime_world.h"

static struct arena arena;

static void open_tickets(void)
{
    struct error err;
    error_init(&err);
    open_world();
    arena_init(&arena, 1 << 20);
    CHECK_OK(db_migrate(kit.main_db, realtime_module.schema, 1, NULL, &err), &err);
}

static void close_tickets(void)
{
    arena_done(&arena);
    close_world();
}

/* Copied into the arena. */
static struct slice new_ticket(uint8_t session)
{
    struct principal principal = {
        .user = user, .session = {.bytes = {session}}, .expires_ms = INT64_MAX};
    struct request req = {.kit = &kit, .room = &realtime, .arena = &arena, .principal = &principal};
    struct json_value *value = NULL;
    error_init(&req.error);
    buf_init(&req.answer, 1000);
    CHECK_OK(ticket_create(&req), &req.error);
    CHECK_INT(req.status, 201);
    CHECK_OK(json_parse(buf_view(&req.answer), &arena, &value, &req.error), &req.error);
    struct slice ticket = arena_copy(&arena, json_member_text(value, "ticket"));
    buf_done(&req.answer);
    CHECK_INT(ticket.len, 32);
    return ticket;
}

static int check(struct slice ticket, struct principal *ret_principal)
{
    struct error err;
    error_init(&err);
    return ticket_check(&realtime, ticket, ret_principal, &err);
}

static int revoke(struct db_tx *tx, void *arg, struct error *err)
{
    struct event event = {.pos = 1, .stream = user, .data = slice_str(arg)};
    return ticket_on_revoked(&realtime, tx, &event, err);
}

static void revoked(const char *data)
{
    struct error err;
    error_init(&err);
    CHECK_OK(db_write(kit.main_db, revoke, (void *)data, &err), &err);
}

static void show_tickets(void)
{
    struct principal principal = {0};
    struct slice one = new_ticket(1), two = new_ticket(2);
    CHECK(!slice_eq(one, two));
    CHECK_INT(check(one, &principal), 0);
    CHECK(id_eq(&principal.user, &user));
    CHECK_INT(principal.session.bytes[0], 1);
    CHECK_INT(check(one, &principal), 0); /* a stream comes back with the same one */
    CHECK_INT(check(SLICE("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), &principal), FAIL_UNAUTHENTICATED);
    CHECK_INT(check(SLICE(""), &principal), FAIL_UNAUTHENTICATED);
    struct id session = {.bytes = {1}};
    char text[ID_TEXT_LEN + 1], data[100];
    id_format(&session, text);
    snprintf(data, sizeof data, "{\"session_id\":\"%s\"}", text);
    revoked(data);
    CHECK_INT(check(one, &principal), FAIL_UNAUTHENTICATED);
    CHECK_INT(check(two, &principal), 0);
    revoked("{}"); /* all of the user's sessions */
    CHECK_INT(check(two, &principal), FAIL_UNAUTHENTICATED);
}

TEST(a_ticket_is_good_until_its_session_ends)
{
    open_tickets();
    run(show_tickets);
    close_tickets();
}

/* The consumer that deletes the rows may be behind. */
static void show_an_old_ticket(void)
{
    struct principal principal = {0};
    int64_t before = clock_wall_ms(kit.clock);
    struct slice ticket = new_ticket(1);
    token_revoke_user(kit.tokens, &user, before);
    CHECK_INT(check(ticket, &principal), 0);
    token_revoke_user(kit.tokens, &user, clock_wall_ms(kit.clock) + 1);
    CHECK_INT(check(ticket, &principal), FAIL_UNAUTHENTICATED);
}

TEST(a_ticket_is_as_old_as_it_is)
{
    open_tickets();
    run(show_an_old_ticket);
    close_tickets();
}

static int look(struct db_tx *tx, void *arg, struct error *err)
{
    static const struct db_sql sql = {"SELECT ticket FROM stream_ticket"};
    struct slice ticket = *(struct slice *)arg;
    struct db_rows rows;
    int rc = db_query_n(tx, &sql, NULL, 0, &rows, err);
    while (rc == 0 && (rc = db_next(&rows, err)) == 1) {
        CHECK_INT(db_col_blob(&rows, 0).len, 32);
        CHECK(!slice_eq(db_col_blob(&rows, 0), ticket));
        rc = 0;
    }
    return rc < 0 ? rc : 0;
}

static void look_into_the_table(void)
{
    struct slice ticket = new_ticket(1);
    struct error err;
    error_init(&err);
    CHECK_OK(db_read(kit.main_db, look, &ticket, &err), &err);
}

TEST(the_table_does_not_hold_the_ticket)
{
    open_tickets();
    run(look_into_the_table);
    close_tickets();
}
