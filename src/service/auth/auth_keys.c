#include "service/auth/auth_keys.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "kit/audit.h"
#include "service/auth/auth_store.h"

enum { FILE_BYTES_MAX = 65536, ARENA_BYTES_MAX = 1 << 20, CLOCK_SKEW_MS = 60000 };

enum { ALGORITHM_ES256, ALGORITHM_ED25519, ALGORITHM_HS256 }; /* auth.algorithm's names, in order */

static int read_file(const char *path, struct buf *out, struct error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return error_errno(err, errno, "key_file", "%s cannot be opened", path);
    ssize_t got = 1;
    while (got > 0 && buf_reserve(out, 4096)) {
        got = read(fd, out->ptr + out->len, 4096);
        if (got > 0)
            out->len += (size_t)got;
    }
    int failed = errno;
    close(fd);
    if (got < 0)
        return error_errno(err, failed, "key_file", "%s cannot be read", path);
    if (!buf_ok(out))
        return error_set(err, FAIL_INVALID, "key_file", "%s is longer than a key.", path);
    return 0;
}

static int key_from_file(const char *path, struct jwk **ret_key, struct error *err)
{
    struct buf bytes;
    buf_init(&bytes, FILE_BYTES_MAX);
    int rc = read_file(path, &bytes, err);
    if (rc == 0)
        rc = jwk_from_pkcs8(buf_view(&bytes), ret_key, err);
    if (bytes.ptr != NULL)
        explicit_bzero(bytes.ptr, bytes.cap);
    buf_done(&bytes);
    return rc;
}

/* auth.secret, or the content of auth.secret_file without the line end that editors add. */
static int key_from_secret(const struct config *config, struct jwk **ret_key, struct error *err)
{
    struct buf bytes;
    const char *path = config_string(config, "auth.secret_file");
    buf_init(&bytes, FILE_BYTES_MAX);
    int rc = 0;
    if (path[0] != 0)
        rc = read_file(path, &bytes, err);
    else
        buf_str(&bytes, config_string(config, "auth.secret"));
    struct slice secret = buf_view(&bytes);
    while (secret.len > 0 &&
           (secret.ptr[secret.len - 1] == '\n' || secret.ptr[secret.len - 1] == '\r'))
        secret.len--;
    if (rc == 0)
        rc = jwk_from_secret(secret, ret_key, err);
    if (bytes.ptr != NULL)
        explicit_bzero(bytes.ptr, bytes.cap);
    buf_done(&bytes);
    return rc;
}

/* The setting that gives the key, or NULL when keys come from the database. */
static const char *key_setting(const struct config *config)
{
    if (config_string(config, "auth.signing_key")[0] != 0)
        return "auth.signing_key";
    if (config_enum(config, "auth.algorithm") != ALGORITHM_HS256)
        return NULL;
    return config_string(config, "auth.secret_file")[0] != 0 ? "auth.secret_file" : "auth.secret";
}

/* NULL when keys come from the database; a field error under the setting otherwise. */
static int configured_key(const struct config *config, struct jwk **ret_key, struct error *err)
{
    const char *setting = key_setting(config);
    struct error why;
    *ret_key = NULL;
    if (setting == NULL)
        return 0;
    error_init(&why);
    int rc = strcmp(setting, "auth.signing_key") == 0
                 ? key_from_file(config_string(config, setting), ret_key, &why)
                 : key_from_secret(config, ret_key, &why);
    return rc < 0 ? error_field(err, setting, why.code, "%s", why.detail) : 0;
}

int auth_check_key(const struct config *config, struct error *err)
{
    struct jwk *key;
    int rc = configured_key(config, &key, err);
    if (rc == 0 && key != NULL)
        jwk_unref(key);
    return rc;
}

static enum jwt_alg configured_alg(const struct config *config)
{
    return config_enum(config, "auth.algorithm") == ALGORITHM_ED25519 ? JWT_EDDSA : JWT_ES256;
}

/* --- rows ------------------------------------------------------------------------------------- */

struct adding {
    struct kit *kit;
    struct auth_key_row row;
    bool asked; /* by an operator, who may have to wait */
};

static int refuse_too_soon(struct adding *a, struct db_tx *tx, struct error *err)
{
    int64_t count = 0, newest = 0;
    char when[TIME_TEXT_LEN + 1];
    int rc = auth_store_count_keys(tx, &count, &newest, err);
    if (rc < 0)
        return rc;
    time_format(newest, when);
    if (newest > a->row.created_at)
        return error_set(err, FAIL_CONFLICT, "key_pending",
                         "A new signing key is published already; it signs from %s on. Wait for "
                         "that before the next.",
                         when);
    if (count >= AUTH_KEYS_ASKED_MAX)
        return error_set(err, FAIL_CONFLICT, "too_many_keys",
                         "There are %lld signing keys whose tokens may still be good. Wait until "
                         "the first of them are over, auth.access_ttl after their successors began "
                         "to sign.",
                         (long long)count);
    return 0;
}

static int insert_key(struct db_tx *tx, void *arg, struct error *err)
{
    struct adding *a = arg;
    struct buf detail;
    buf_init(&detail, 256);
    buf_printf(&detail, "{\"kid\":\"%.*s\"}", SLICE_FMT(a->row.kid));
    struct audit_entry entry = {.action = "signing_key.published",
                                .subject_kind = "signing_key",
                                .detail = buf_view(&detail)};
    int rc = a->asked ? refuse_too_soon(a, tx, err) : 0;
    if (rc == 0)
        rc = auth_store_insert_key(tx, &a->row, err);
    if (rc == 0)
        rc = audit_write(a->kit, tx, &entry, err);
    buf_done(&detail);
    return rc;
}

/* A key that signs from `lead_ms` on. */
static int add_key(struct kit *kit, struct db *db, int64_t lead_ms, bool asked, struct error *err)
{
    struct jwk *key;
    struct buf pem;
    int64_t now_ms = clock_wall_ms(kit->clock);
    int rc = jwk_generate(configured_alg(kit->config), &key, err);
    if (rc < 0)
        return rc;
    buf_init(&pem, FILE_BYTES_MAX);
    rc = jwk_to_pkcs8(key, &pem, err);
    struct adding adding = {.kit = kit,
                            .asked = asked,
                            .row = {.kid = slice_str(jwk_kid(key)),
                                    .alg = slice_str(jwt_alg_name(jwk_alg(key))),
                                    .pkcs8 = buf_view(&pem),
                                    .created_at = now_ms,
                                    .signs_from = now_ms + lead_ms}};
    if (rc == 0)
        rc = db_write(db, insert_key, &adding, err);
    if (pem.ptr != NULL)
        explicit_bzero(pem.ptr, pem.cap);
    buf_done(&pem);
    jwk_unref(key);
    return rc;
}

int auth_keys_add(struct kit *kit, struct db *db, struct error *err)
{
    return add_key(kit, db, config_int(kit->config, "auth.key_publish_ahead"), true, err);
}

struct rows {
    struct arena *arena;
    struct auth_key_row rows[AUTH_KEYS_MAX]; /* latest signs_from first */
    size_t count;
};

static int read_rows(struct db_tx *tx, void *arg, struct error *err)
{
    struct rows *r = arg;
    return auth_store_keys(tx, r->arena, AUTH_KEYS_MAX, r->rows, &r->count, err);
}

/* Index of the one that signs now: the first whose time has come. count when there is none. */
static size_t current_row(const struct rows *r, int64_t now_ms)
{
    size_t i = 0;
    while (i < r->count && r->rows[i].signs_from > now_ms)
        i++;
    return i;
}

static bool needs_first_key(struct kit *kit, const struct rows *r)
{
    size_t current = current_row(r, clock_wall_ms(kit->clock));
    return current == r->count ||
           !slice_eq(r->rows[current].alg, slice_str(jwt_alg_name(configured_alg(kit->config))));
}

static bool is_old(struct kit *kit, const struct rows *r)
{
    int64_t now_ms = clock_wall_ms(kit->clock);
    int64_t lifetime_ms = config_int(kit->config, "auth.key_lifetime");
    return lifetime_ms > 0 && r->count > 0 && r->rows[0].signs_from <= now_ms - lifetime_ms;
}

struct forget {
    struct slice kids[AUTH_KEYS_MAX];
    size_t count;
};

static int forget_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct forget *f = arg;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < f->count; i++)
        rc = auth_store_delete_key(tx, f->kids[i], err);
    return rc;
}

/* A key has done its time when its successor has signed for as long as a token lives. */
static int forget_done(struct kit *kit, struct db *db, struct rows *r, struct error *err)
{
    struct forget f = {.count = 0};
    int64_t keep_ms = config_int(kit->config, "auth.access_ttl") + CLOCK_SKEW_MS;
    int64_t now_ms = clock_wall_ms(kit->clock);
    size_t kept = r->count > 0 ? 1 : 0;
    while (kept < r->count && r->rows[kept - 1].signs_from > now_ms - keep_ms)
        kept++;
    for (size_t i = kept; i < r->count; i++)
        f.kids[f.count++] = r->rows[i].kid;
    r->count = kept;
    return f.count > 0 ? db_write(db, forget_tx, &f, err) : 0;
}

/* --- handing them over ------------------------------------------------------------------------ */

struct ring {
    struct jwk *keys[AUTH_RING_MAX];
    size_t count;
};

static int ring_of_rows(const struct rows *r, int64_t now_ms, struct ring *ring, struct error *err)
{
    size_t current = current_row(r, now_ms);
    int rc = 0;
    for (size_t step = 0; rc == 0 && step < r->count; step++) {
        /* The signing one first, then the others in their order. */
        size_t i = step == 0 ? current % r->count : step <= current ? step - 1 : step;
        rc = jwk_from_pkcs8(r->rows[i].pkcs8, &ring->keys[ring->count], err);
        if (rc == 0)
            ring->count++;
    }
    return rc;
}

static bool already_loaded(const struct auth_keys *keys, const struct ring *ring)
{
    if (keys->count != ring->count)
        return false;
    for (size_t i = 0; i < ring->count; i++)
        if (strcmp(keys->loaded[i], jwk_kid(ring->keys[i])) != 0)
            return false;
    return true;
}

static void hand_over(struct kit *kit, struct auth_keys *keys, const struct ring *ring)
{
    if (already_loaded(keys, ring))
        return; /* a new set would empty every token cache */
    token_set_keys(kit->tokens, ring->keys, ring->count);
    keys->count = 0;
    for (size_t i = 0; i < ring->count; i++) {
        memcpy(keys->loaded[i], jwk_kid(ring->keys[i]), strlen(jwk_kid(ring->keys[i])) + 1);
        keys->count++;
    }
}

static int load_rows(struct kit *kit, struct db *db, bool need_one, struct rows *r,
                     struct error *err)
{
    int rc = db_read(db, read_rows, r, err);
    if (rc == 0 && need_one && needs_first_key(kit, r)) {
        rc = add_key(kit, db, 0, false, err);
        if (rc == 0)
            rc = db_read(db, read_rows, r, err);
    } else if (rc == 0 && need_one && is_old(kit, r)) {
        rc = add_key(kit, db, config_int(kit->config, "auth.key_publish_ahead"), false, err);
        if (rc == 0)
            rc = db_read(db, read_rows, r, err);
    }
    return rc;
}

int auth_keys_load(struct kit *kit, struct db *db, struct auth_keys *keys, struct error *err)
{
    struct arena arena;
    struct ring ring = {.count = 0};
    arena_init(&arena, ARENA_BYTES_MAX);
    struct rows rows = {.arena = &arena};
    int rc = configured_key(kit->config, &ring.keys[0], err);
    bool configured = rc == 0 && ring.keys[0] != NULL;
    ring.count = configured ? 1 : 0;
    if (rc == 0)
        rc = load_rows(kit, db, !configured, &rows, err);
    if (rc == 0 && !configured)
        rc = forget_done(kit, db, &rows, err);
    if (rc == 0)
        rc = ring_of_rows(&rows, clock_wall_ms(kit->clock), &ring, err);
    if (rc == 0)
        hand_over(kit, keys, &ring);
    for (size_t i = 0; i < ring.count; i++)
        jwk_unref(ring.keys[i]);
    arena_done(&arena);
    return rc;
}
