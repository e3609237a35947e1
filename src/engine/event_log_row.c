/* The shape of a log row, and of what is derived from it. */
#include "base/hash.h"
#include "engine/event_log_private.h"

#include <stdlib.h>

/* `log` is append only: no index but the position, so a commit dirties only its last pages. */
static const struct db_migration migrations[] = {
    {.number = 1,
     .name = "log",
     .sqlite =
         "CREATE TABLE event_type (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;"
         "CREATE TABLE log (pos INTEGER PRIMARY KEY, at INTEGER NOT NULL, type INTEGER NOT NULL,"
         " stream BLOB NOT NULL, data TEXT NOT NULL, meta BLOB);"
         "CREATE TABLE log_stream (stream BLOB NOT NULL, first_pos INTEGER NOT NULL,"
         " last_pos INTEGER NOT NULL, count INTEGER NOT NULL, positions BLOB NOT NULL,"
         " PRIMARY KEY (stream, first_pos)) STRICT, WITHOUT ROWID;"
         "CREATE TABLE log_state (id INTEGER PRIMARY KEY CHECK (id = 1), folded INTEGER NOT NULL,"
         " first INTEGER NOT NULL, head INTEGER NOT NULL, last_at INTEGER NOT NULL,"
         " salt BLOB NOT NULL) STRICT;"
         "INSERT INTO log_state (id, folded, first, head, last_at, salt)"
         " VALUES (1, 0, 1, 0, 0, randomblob(16))"},
    /* From here on events that belong to no change of a table are in segments beside the file: a
     * program that does not know them must not open it. segments: the last position of those that
     * has been folded. */
    {.number = 2,
     .name = "segments",
     .sqlite = "ALTER TABLE log_state ADD COLUMN segments INTEGER NOT NULL DEFAULT 0"},
};
const struct db_schema event_log_schema = {"log", migrations, ARRAY_LEN(migrations)};

static const struct db_sql insert_row = {
    "INSERT INTO log (pos, at, type, stream, data, meta) VALUES (?1, ?2, ?3, ?4, ?5, ?6)"};

enum { META_CORRELATED = 1, LINK_BYTES = 17 };

/* RFC 9562 section 5.7: time, then the position's low bits for order, then what only this log can
 * say of the position. The same at every reading without being stored. */
struct id log_event_id(const uint8_t salt[16], uint64_t pos, int64_t at_ms)
{
    struct id id;
    uint64_t ms = (uint64_t)at_ms, rest = siphash13(salt, &pos, sizeof pos);
    for (int i = 0; i < 6; i++)
        id.bytes[i] = (uint8_t)(ms >> (40 - 8 * i));
    id.bytes[6] = (uint8_t)(0x70 | (pos >> 8 & 0x0f));
    id.bytes[7] = (uint8_t)pos;
    memcpy(id.bytes + 8, &rest, 8);
    id.bytes[8] = (uint8_t)(0x80 | (id.bytes[8] & 0x3f));
    return id;
}

void log_meta_encode(struct buf *out, const struct event_link *links, unsigned link_count,
                     struct slice correlation_id)
{
    if (link_count == 0 && correlation_id.ptr == NULL)
        return;
    uint32_t count = link_count;
    buf_char(out, correlation_id.ptr != NULL ? META_CORRELATED : 0);
    buf_append(out, &count, sizeof count);
    for (unsigned i = 0; i < link_count; i++) {
        buf_char(out, (char)links[i].kind);
        buf_append(out, links[i].user.bytes, sizeof links[i].user.bytes);
    }
    buf_slice(out, correlation_id);
}

static int bad_row(uint64_t pos, const char *what, struct error *err)
{
    return error_set(err, FAIL_INTERNAL, "log_damaged", "log row %llu: %s", (unsigned long long)pos,
                     what);
}

static int decode_meta(struct log_row_reader *reader, struct slice meta, struct event *event,
                       struct error *err)
{
    uint32_t count;
    if (meta.ptr == NULL)
        return 0;
    if (meta.len < 1 + sizeof count)
        return bad_row(event->pos, "its links are cut off", err);
    memcpy(&count, meta.ptr + 1, sizeof count);
    struct slice rest = slice_of(meta.ptr + 1 + sizeof count, meta.len - 1 - sizeof count);
    if (rest.len / LINK_BYTES < count)
        return bad_row(event->pos, "its links are cut off", err);
    if (reader->links_cap < count) {
        reader->links = xrealloc(reader->links, count * sizeof *reader->links);
        reader->links_cap = count;
    }
    for (uint32_t i = 0; i < count; i++) {
        const char *link = rest.ptr + i * LINK_BYTES;
        reader->links[i].kind = (enum event_link_kind)link[0];
        memcpy(reader->links[i].user.bytes, link + 1, 16);
    }
    event->links = reader->links;
    event->link_count = count;
    if (meta.ptr[0] & META_CORRELATED)
        event->correlation_id =
            slice_of(rest.ptr + count * LINK_BYTES, rest.len - count * LINK_BYTES);
    return 0;
}

struct log_row log_row_of(const struct db_rows *rows)
{
    int64_t number = db_col_int(rows, 2);
    return (struct log_row){.pos = (uint64_t)db_col_int(rows, 0),
                            .at_ms = db_col_int(rows, 1),
                            .type_number =
                                number > 0 && number <= UINT32_MAX ? (uint32_t)number : 0,
                            .stream = db_col_id(rows, 3),
                            .data = db_col_text(rows, 4),
                            .meta = db_col_blob(rows, 5)};
}

int log_row_insert(struct db_tx *tx, const struct log_row *row, struct error *err)
{
    return db_exec(tx, &insert_row, err, db_int((int64_t)row->pos), db_int(row->at_ms),
                   db_int(row->type_number), db_id(&row->stream), db_text(row->data),
                   db_blob(row->meta));
}

int log_row_event(struct log_row_reader *reader, const struct log_row *row, struct event *ret_event,
                  struct error *err)
{
    const struct log_types *types = &reader->log->types;
    uint32_t number = row->type_number;
    if (number == 0 || number >= types->numbers || types->by_number[number] == NULL)
        return bad_row(row->pos, "its type is unknown", err);
    struct event event = {.pos = row->pos,
                          .at_ms = row->at_ms,
                          .type = types->by_number[number],
                          .stream = row->stream,
                          .data = row->data,
                          .id = log_event_id(reader->log->salt, row->pos, row->at_ms)};
    int rc = decode_meta(reader, row->meta, &event, err);
    if (rc == 0)
        *ret_event = event;
    return rc;
}

void log_row_reader_done(struct log_row_reader *reader)
{
    free(reader->links);
    reader->links = NULL;
}
