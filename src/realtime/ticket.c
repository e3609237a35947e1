#include "realtime/ticket.h"

#include "base/random.h"
#include "engine/db_one.h"
#include "kit/jwt.h"
#include "kit/seal.h"

enum { TICKET_BYTES = 24, TICKET_DAYS = 7 };
static const int64_t ticket_life_ms = (int64_t)TICKET_DAYS * 86400000;

struct ticket {
    struct slice ticket;
    int64_t expires_in;
};

static const struct schema_field ticket_fields[] = {
    {"ticket", "Give it as ?ticket= to /api/v1/stream.", SCHEMA_STRING, SCHEMA_REQUIRED,
     SCHEMA_AT(struct ticket, ticket), .min = 1, .max = 64},
    {"expires_in", "Seconds; it ends earlier with the session.", SCHEMA_INT, SCHEMA_REQUIRED,
     SCHEMA_AT(struct ticket, expires_in), .min = 0, .max = TICKET_DAYS * 86400},
};
SCHEMA_DEF(ticket_schema, struct ticket, "StreamTicket", "A ticket for an event stream.",
           ticket_fields);

static const struct db_sql sql_insert = {
    "INSERT INTO stream_ticket (ticket, user_id, session_id, role, expires_at) "
    "VALUES (?1, ?2, ?3, ?4, ?5)"};
static const struct db_sql sql_find = {
    "SELECT user_id, session_id, role, expires_at FROM stream_ticket WHERE ticket = ?1"};
static const struct db_sql sql_end_session = {"DELETE FROM stream_ticket WHERE session_id = ?1"};
static const struct db_sql sql_end_user = {"DELETE FROM stream_ticket WHERE user_id = ?1"};
static const struct db_sql sql_clean = {"DELETE FROM stream_ticket WHERE expires_at < ?1"};

/* 24 random bytes cannot be guessed, and what is stored of them is their SHA-256: a stolen table
 * gives no tickets away. */
struct digest {
    uint8_t bytes[32];
};

static struct digest digest_of(struct slice text)
{
    struct digest d;
    seal_sha256(text, d.bytes);
    return d;
}

static struct db_value digest_value(const struct digest *digest)
{
    return db_blob(slice_of((const char *)digest->bytes, sizeof digest->bytes));
}

struct ticket_row {
    struct digest digest;
    struct principal principal;
    int64_t expires_ms;
    bool found;
};

static int insert(struct db_tx *tx, void *arg, struct error *err)
{
    const struct ticket_row *row = arg;
    return db_exec(tx, &sql_insert, err, digest_value(&row->digest), db_id(&row->principal.user),
                   db_id(&row->principal.session), db_int(row->principal.role),
                   db_int(row->expires_ms));
}

int ticket_create(struct request *req)
{
    char raw[TICKET_BYTES];
    random_bytes(raw, sizeof raw);
    struct buf text;
    buf_init(&text, 64);
    base64url_encode(slice_of(raw, sizeof raw), &text);
    struct ticket_row row = {.digest = digest_of(buf_view(&text)),
                             .principal = *req->principal,
                             .expires_ms = clock_wall_ms(req->kit->clock) + ticket_life_ms};
    int rc = db_write(req->kit->main_db, insert, &row, &req->error);
    if (rc == 0) {
        struct ticket ticket = {buf_view(&text), (int64_t)TICKET_DAYS * 86400};
        rc = request_reply(req, 201, &ticket_schema, &ticket);
    }
    buf_done(&text);
    return rc;
}

static int find(struct db_tx *tx, void *arg, struct error *err)
{
    struct ticket_row *row = arg;
    struct db_rows rows;
    int rc = db_one(tx, &sql_find, &rows, err, digest_value(&row->digest));
    if (rc > 0) {
        row->found = true;
        row->principal.user = db_col_id(&rows, 0);
        row->principal.session = db_col_id(&rows, 1);
        row->principal.role = (enum role)db_col_int(&rows, 2);
        row->expires_ms = db_col_int(&rows, 3);
    }
    db_rows_close(&rows);
    return rc < 0 ? rc : 0;
}

int ticket_check(struct realtime *realtime, struct slice ticket, struct principal *ret_principal,
                 struct error *err)
{
    struct ticket_row row = {.digest = digest_of(ticket)};
    int rc = db_read(realtime->kit->main_db, find, &row, err);
    if (rc < 0)
        return rc;
    int64_t now = clock_wall_ms(realtime->kit->clock);
    row.principal.scopes = role_scopes(row.principal.role);
    row.principal.issued_ms = row.expires_ms - ticket_life_ms;
    row.principal.expires_ms = row.expires_ms;
    if (!row.found || row.expires_ms <= now ||
        !token_still_valid(realtime->kit->tokens, &row.principal))
        return error_set(err, FAIL_UNAUTHENTICATED, "invalid_ticket",
                         "The ticket is unknown, expired, or its session has ended.");
    *ret_principal = row.principal;
    return 0;
}

int ticket_on_revoked(void *room, struct db_tx *tx, const struct event *event, struct error *err)
{
    (void)room;
    struct arena arena;
    arena_init(&arena, 64 << 10);
    struct json_value *value;
    int rc = json_parse(event->data, &arena, &value, err);
    struct id session;
    if (rc == 0 && id_parse(json_member_text(value, "session_id"), &session))
        rc = db_exec(tx, &sql_end_session, err, db_id(&session));
    else if (rc == 0)
        rc = db_exec(tx, &sql_end_user, err, db_id(&event->stream));
    arena_done(&arena);
    return rc;
}

static int clean(struct db_tx *tx, void *arg, struct error *err)
{
    return db_exec(tx, &sql_clean, err, db_int(*(int64_t *)arg));
}

int ticket_clean(void *room, struct error *err)
{
    struct realtime *realtime = room;
    int64_t now = clock_wall_ms(realtime->kit->clock);
    return db_write(realtime->kit->main_db, clean, &now, err);
}
