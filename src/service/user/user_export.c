/* One JSON document from all rooms, however large (Z07).
 *
 * Each room writes what it keeps from a snapshot of its database, on a reader's thread, into a file
 * that has no name; then the file goes out piece by piece, as fast as the client reads. Memory
 * holds a page of a room and a piece of the file. One export at a time is made in a process,
 * because it has a reader of the database for itself meanwhile.
 */
#include "service/user/user_export.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "kit/limit.h"
#include "net/http_server.h"
#include "service/user/user_store.h"

enum { PIECE_BYTES = 64 << 10, ATTEMPTS = 3, WAIT_MS = 20000, HEAD_BYTES_MAX = 4096 };
#define EXPORT_BYTES_MAX (INT64_C(16) << 30)

static const struct limit_rule exports = {"export", LIMIT_WINDOW, 5, INT64_C(3600000),
                                          "too_many_exports"};

struct export
{
    struct user_room *room;
    const struct id *user;
    FILE *file;
    int64_t bytes;
    bool first; /* nothing has been written before */
    const struct module *module;
    void *module_room;
};

/* --- writing the file --------------------------------------------------------------------------
 */

static int put(struct export *e, const char *text, size_t len, struct error *err)
{
    e->bytes += (int64_t)len;
    if (e->bytes > EXPORT_BYTES_MAX)
        return error_set(err, FAIL_TOO_LARGE, "export_too_large",
                         "There is more than an export holds; ask whoever runs this server.");
    if (fwrite(text, 1, len, e->file) == len)
        return 0;
    return error_errno(err, errno, "export", "The export cannot be written");
}

static int put_item(void *arg, const char *kind, struct slice json, struct error *err)
{
    struct export *e = arg;
    char head[128];
    int len =
        snprintf(head, sizeof head, "%s{\"kind\":\"%s\",\"data\":", e->first ? "" : ",\n", kind);
    if (should_not(len < 0 || (size_t)len >= sizeof head))
        return error_set(err, FAIL_INTERNAL, "export", "The name of a kind is too long.");
    e->first = false;
    int rc = put(e, head, (size_t)len, err);
    if (rc == 0)
        rc = put(e, json.ptr, json.len, err);
    return rc < 0 ? rc : put(e, "}", 1, err);
}

static int module_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct export *e = arg;
    int rc = e->module->export_person(e->module_room, tx, e->user, put_item, e, err);
    if (rc == 0 && fflush(e->file) != 0)
        rc = error_errno(err, errno, "export", "The export cannot be written");
    return rc;
}

/* Back to where the module's part began: it is made anew. */
static int rewind_to(struct export *e, int64_t bytes, bool first, struct error *err)
{
    e->bytes = bytes;
    e->first = first;
    if (fflush(e->file) != 0 || ftruncate(fileno(e->file), bytes) < 0 ||
        fseeko(e->file, bytes, SEEK_SET) < 0)
        return error_errno(err, errno, "export", "The export cannot be written");
    return 0;
}

/* A snapshot that took too long for what stands in memory only is begun again. */
static int put_module(struct export *e, struct error *err)
{
    struct db *db = kit_db(e->room->kit, e->module->name);
    const int64_t bytes = e->bytes;
    const bool first = e->first;
    for (int attempt = 1;; attempt++) {
        struct error why;
        error_init(&why);
        int rc = db_read(db, module_tx, e, &why);
        if (rc == 0)
            return 0;
        if (rc != FAIL_UNAVAILABLE || attempt == ATTEMPTS)
            return error_set(err, (enum fail)rc, why.code, "%s", why.detail);
        rc = rewind_to(e, bytes, first, err);
        if (rc < 0)
            return rc;
    }
}

static int put_all(struct export *e, struct error *err)
{
    struct kit *kit = e->room->kit;
    char time[TIME_TEXT_LEN + 1], head[128];
    time_format(clock_wall_ms(kit->clock), time);
    int len = snprintf(head, sizeof head, "{\"exported_at\":\"%s\",\"items\":[\n", time);
    int rc = put(e, head, (size_t)len, err);
    e->first = true;
    for (int i = 0; rc == 0 && kit->modules[i] != NULL; i++) {
        e->module = kit->modules[i];
        e->module_room = kit->rooms[i];
        if (e->module->export_person != NULL)
            rc = put_module(e, err);
    }
    if (rc == 0)
        rc = put(e, "\n]}\n", 4, err);
    if (rc == 0 && fflush(e->file) != 0)
        rc = error_errno(err, errno, "export", "The export cannot be written");
    return rc;
}

/* --- sending it --------------------------------------------------------------------------------
 */

struct piece {
    int fd;
    int64_t at;
    char *bytes;
    ssize_t len;
    int errno_value;
};

static void read_piece(void *arg)
{
    struct piece *p = arg;
    p->len = pread(p->fd, p->bytes, PIECE_BYTES, p->at);
    p->errno_value = errno;
}

static int next_piece(struct user_room *room, struct piece *p, struct error *err)
{
    int rc = offload_run(room->kit->blocking, read_piece, p, WAIT_MS, err);
    if (rc == 0 && p->len < 0)
        rc = error_errno(err, p->errno_value, "export", "The export cannot be read");
    return rc;
}

static void start_answer(struct request *req)
{
    struct buf head;
    buf_init(&head, HEAD_BYTES_MAX);
    buf_lit(&head, "content-type: application/json\r\ncache-control: no-store\r\n"
                   "content-disposition: attachment; filename=\"parley-export.json\"\r\n");
    buf_slice(&head, buf_view(&req->headers));
    http_stream_start(req->exchange, 200, buf_view(&head));
    buf_done(&head);
}

/* Whatever goes wrong from the first byte on cuts the answer off: its end is missing, and shows. */
static int send_file(struct request *req, struct export *e)
{
    struct piece p = {.fd = fileno(e->file), .bytes = xmalloc(PIECE_BYTES)};
    struct error late;
    error_init(&late);
    int rc = next_piece(e->room, &p, &req->error);
    if (rc < 0) {
        free(p.bytes);
        return rc;
    }
    start_answer(req);
    while (rc == 0 && p.len > 0) {
        rc = http_stream_write(req->exchange, slice_of(p.bytes, (size_t)p.len));
        p.at += p.len;
        if (rc == 0)
            rc = next_piece(e->room, &p, &late);
    }
    if (rc == 0)
        http_stream_end(req->exchange);
    free(p.bytes);
    return 0;
}

/* --- the route ---------------------------------------------------------------------------------
 */

/* In the data folder, where there is room for it; gone when it is closed, also by a crash. */
static FILE *open_nameless(const char *folder)
{
    char path[4096];
    int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0 && snprintf(path, sizeof path, "%s/export-XXXXXX", folder) < (int)sizeof path) {
        fd = mkostemp(path, O_CLOEXEC);
        if (fd >= 0)
            (void)unlink(path);
    }
    FILE *file = fd >= 0 ? fdopen(fd, "w+") : NULL;
    if (file == NULL && fd >= 0)
        close(fd);
    return file;
}

/* Alone in the process from here to the end of this function; sending takes as long as it takes. */
static int gather(struct request *req, struct export *e)
{
    if (atomic_exchange(&e->room->exporting, true)) {
        error_set(&req->error, FAIL_UNAVAILABLE, "busy", "Another export is being made.");
        req->error.retry_after_ms = 5000;
        return FAIL_UNAVAILABLE;
    }
    e->file = open_nameless(req->kit->data_dir);
    int rc = e->file != NULL
                 ? put_all(e, &req->error)
                 : error_errno(&req->error, errno, "export", "No file can be made for the export");
    atomic_store(&e->room->exporting, false);
    return rc;
}

int user_export_route(struct request *req)
{
    const struct id *user = &req->principal->user;
    struct export e = {.room = req->room, .user = user};
    struct slice key = slice_of((const char *)user->bytes, sizeof user->bytes);
    int rc = limit_take(req->kit->kv, &exports, key, &req->headers, &req->error);
    if (rc == 0)
        rc = gather(req, &e);
    if (rc == 0)
        rc = send_file(req, &e);
    if (e.file != NULL)
        fclose(e.file);
    return rc;
}

/* --- the user room's own part ------------------------------------------------------------------
 */

int user_export_person(void *room, struct db_tx *tx, const struct id *user, export_fn *fn,
                       void *arg, struct error *err)
{
    struct user_profile profile;
    struct arena arena;
    struct buf json;
    bool found = false;
    (void)room;
    arena_init(&arena, PIECE_BYTES);
    buf_init(&json, PIECE_BYTES);
    int rc = user_store_get(tx, user, &arena, &profile, &found, err);
    if (rc == 0 && found) {
        schema_encode(&user_profile_schema, &profile, &json);
        rc = buf_ok(&json)
                 ? fn(arg, "profile", buf_view(&json), err)
                 : error_set(err, FAIL_TOO_LARGE, "too_large", "The profile is too large.");
    }
    buf_done(&json);
    arena_done(&arena);
    return rc;
}
