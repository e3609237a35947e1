#include "kit/idempotency.h"

#include "base/hash.h"
#include "base/log.h"
#include "engine/db_one.h"

/* A claim without an answer is up for taking when no request can still be at it: the server ends
 * one after a minute. */
enum { KEPT_MS = 24 * 3600 * 1000, STUCK_MS = 120 * 1000, CLEAN_ROWS = 5000 };
enum { END_ATTEMPTS = 4, END_PAUSE_MS = 100 };

static const struct db_sql sql_find = {
    "SELECT request_hash, status, answer, at, etag FROM idempotency_key"
    " WHERE owner = ?1 AND key = ?2"};
static const struct db_sql sql_claim = {"INSERT OR REPLACE INTO idempotency_key (owner, key, "
                                        "request_hash, at) VALUES (?1, ?2, ?3, ?4)"};
static const struct db_sql sql_keep = {
    "UPDATE idempotency_key SET status = ?3, answer = ?4, etag = ?5"
    " WHERE owner = ?1 AND key = ?2"};
static const struct db_sql sql_forget = {
    "DELETE FROM idempotency_key WHERE owner = ?1 AND key = ?2"};
static const struct db_sql sql_clean = {
    "DELETE FROM idempotency_key WHERE (owner, key) IN "
    "(SELECT owner, key FROM idempotency_key WHERE at < ?1 LIMIT ?2)"};

struct id idempotency_hash(struct slice a, struct slice b, struct slice c)
{
    static const uint8_t keys[2][16] = {"idempotency-low", "idempotency-top"};
    uint64_t parts[2];
    for (int i = 0; i < 2; i++) {
        uint64_t h[3] = {siphash13(keys[i], a.ptr, a.len), siphash13(keys[i], b.ptr, b.len),
                         siphash13(keys[i], c.ptr, c.len)};
        parts[i] = siphash13(keys[i], h, sizeof h);
    }
    struct id id;
    memcpy(id.bytes, parts, sizeof id.bytes);
    return id;
}

/* The value of the ETag that the handler has set; absent without. Of the other headers of an answer
 * none is the answer's own. */
static struct slice etag_of(const struct request *req, const struct idempotency *call)
{
    struct slice line, lines = buf_view(&req->headers);
    bool more = lines.len > call->headers_at;
    if (more)
        lines = slice_of(lines.ptr + call->headers_at, lines.len - call->headers_at);
    while (more) {
        more = slice_cut(&lines, '\n', &line);
        if (slice_starts(line, SLICE("etag: ")))
            return slice_of(line.ptr + 6, line.len - 6 - 1); /* without \r */
    }
    return (struct slice){0};
}

static void write_etag(struct request *req, struct slice etag)
{
    if (etag.ptr != NULL)
        buf_printf(&req->headers, "etag: %.*s\r\n", (int)etag.len, etag.ptr);
}

struct claim {
    struct request *req;
    const struct idempotency *call;
    bool replayed, running, differs;
};

static void look(struct claim *c, const struct db_rows *rows, int64_t now)
{
    struct slice hash = db_col_blob(rows, 0);
    int64_t age = now - db_col_int(rows, 3);
    if (age > KEPT_MS)
        return;
    if (hash.len != 16 || memcmp(hash.ptr, c->call->request.bytes, 16) != 0) {
        c->differs = true;
    } else if (db_col_null(rows, 1)) {
        c->running = age < STUCK_MS; /* a claim that outlived its process is up for taking */
    } else {
        c->replayed = true;
        c->req->status = (int)db_col_int(rows, 1);
        buf_slice(&c->req->answer, db_col_blob(rows, 2));
        write_etag(c->req, db_col_text(rows, 4));
    }
}

static int claim(struct db_tx *tx, void *arg, struct error *err)
{
    struct claim *c = arg;
    int64_t now = clock_wall_ms(db_clock(tx));
    struct db_rows rows;
    int rc = db_one(tx, &sql_find, &rows, err, db_id(&c->call->owner), db_text(c->call->key));
    if (rc > 0)
        look(c, &rows, now);
    db_rows_close(&rows);
    if (rc < 0 || c->replayed || c->running || c->differs)
        return rc < 0 ? rc : 0;
    return db_exec(tx, &sql_claim, err, db_id(&c->call->owner), db_text(c->call->key),
                   db_blob(slice_of((const char *)c->call->request.bytes, 16)), db_int(now));
}

/* --- in memory, for what must not stand on a disk -----------------------------------------------
 */

/* status 0: still running. Header lines and answer stand behind it. */
struct kept {
    struct id request;
    int32_t status;
    uint32_t header_bytes;
};

static struct slice memory_key(const struct idempotency *call, char ret_key[64])
{
    struct id owner = call->owner, key = idempotency_hash(call->key, SLICE("key"), SLICE(""));
    memcpy(ret_key, "idempotency", 11);
    memcpy(ret_key + 11, owner.bytes, 16);
    memcpy(ret_key + 27, key.bytes, 16);
    return slice_of(ret_key, 43);
}

static int claim_in_memory(struct claim *c)
{
    struct request *req = c->req;
    struct kv *kv = req->kit->kv;
    char key[64];
    struct kept kept = {.request = c->call->request};
    bool mine;
    struct slice name = memory_key(c->call, key), value;
    int rc = kv->ops->add(kv, name, slice_of((const char *)&kept, sizeof kept), STUCK_MS, &mine,
                          &req->error);
    if (rc < 0 || mine)
        return rc;
    rc = kv->ops->get(kv, name, req->arena, &value, &req->error);
    if (rc < 0)
        return rc;
    if (value.len < sizeof kept) { /* it ended a moment ago: the client comes again */
        c->running = true;
        return 0;
    }
    memcpy(&kept, value.ptr, sizeof kept);
    c->differs = !id_eq(&kept.request, &c->call->request);
    c->running = !c->differs && kept.status == 0;
    c->replayed = !c->differs && kept.status != 0;
    if (c->replayed) {
        const char *at = value.ptr + sizeof kept;
        req->status = kept.status;
        buf_append(&req->headers, at, kept.header_bytes);
        buf_append(&req->answer, at + kept.header_bytes,
                   value.len - sizeof kept - kept.header_bytes);
    }
    return 0;
}

static int end_in_memory(struct request *req, const struct idempotency *call, bool success,
                         struct error *err)
{
    struct kv *kv = req->kit->kv;
    char key[64];
    struct slice name = memory_key(call, key);
    if (!success)
        return kv->ops->remove(kv, name, err);
    size_t header_bytes = req->headers.len - call->headers_at;
    struct kept kept = {call->request, req->status, (uint32_t)header_bytes};
    struct buf value;
    buf_init(&value, 64 << 10);
    buf_append(&value, &kept, sizeof kept);
    buf_append(&value, req->headers.ptr + call->headers_at, header_bytes);
    buf_slice(&value, buf_view(&req->answer));
    int rc = buf_ok(&value) ? kv->ops->set(kv, name, buf_view(&value), KEPT_MS, err)
                            : kv->ops->remove(kv, name, err);
    buf_done(&value);
    return rc;
}

int idempotency_begin(struct request *req, struct idempotency *call)
{
    struct claim c = {.req = req, .call = call};
    call->headers_at = req->headers.len;
    int rc =
        call->secret ? claim_in_memory(&c) : db_write(req->kit->main_db, claim, &c, &req->error);
    if (rc < 0)
        return rc;
    if (c.differs)
        return error_set(&req->error, FAIL_INVALID, "idempotency_key_reused",
                         "This Idempotency-Key was used for another request.");
    if (c.running)
        return error_set(&req->error, FAIL_CONFLICT, "idempotency_key_in_use",
                         "The first request with this Idempotency-Key is still running.");
    return c.replayed ? 1 : 0;
}

struct ending {
    struct request *req;
    const struct idempotency *call;
    bool success;
};

static int end(struct db_tx *tx, void *arg, struct error *err)
{
    const struct ending *e = arg;
    if (!e->success)
        return db_exec(tx, &sql_forget, err, db_id(&e->call->owner), db_text(e->call->key));
    return db_exec(tx, &sql_keep, err, db_id(&e->call->owner), db_text(e->call->key),
                   db_int(e->req->status), db_blob(buf_view(&e->req->answer)),
                   db_text(etag_of(e->req, e->call)));
}

void idempotency_end(struct request *req, const struct idempotency *call, bool success)
{
    struct ending e = {req, call, success};
    struct error err;
    int rc = -1;
    /* A success that is not kept would be carried out again: a full queue is worth a moment. */
    for (int i = 0; rc < 0 && i < END_ATTEMPTS; i++) {
        if (i > 0 && coro_current() != NULL)
            (void)!coro_sleep(END_PAUSE_MS << i); /* cancelled: tries again at once */
        error_init(&err);
        rc = call->secret ? end_in_memory(req, call, success, &err)
                          : db_write(req->kit->main_db, end, &e, &err);
    }
    if (rc < 0)
        log_error("answer not kept for its Idempotency-Key", LOG_S("code", err.code),
                  LOG_S("detail", err.detail));
}

static int clean(struct db_tx *tx, void *arg, struct error *err)
{
    (void)arg;
    return db_exec(tx, &sql_clean, err, db_int(clock_wall_ms(db_clock(tx)) - KEPT_MS),
                   db_int(CLEAN_ROWS));
}

int idempotency_clean(struct kit *kit, struct error *err)
{
    return db_write(kit->main_db, clean, NULL, err);
}
