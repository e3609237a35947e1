#include "kit/password.h"

#include <crypt.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/random.h"

enum { SALT_BYTES = 16, WAIT_MS = 20000 };

/* Work for the pool; lives on the caller's stack. */
struct work {
    char phrase[PASSWORD_BYTES_MAX + 1];
    char setting[PASSWORD_HASH_MAX]; /* method, cost and salt, or a whole hash to compare with */
    char hash[PASSWORD_HASH_MAX];
    bool done;
};

static bool has_control(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.ptr[i] < 0x20 || text.ptr[i] == 0x7f)
            return true;
    return false;
}

int password_check_new(struct slice password, const char *field, struct error *err)
{
    if (password.len > PASSWORD_BYTES_MAX)
        return error_field(err, field, "too_long",
                           "A password has at most %d bytes; this one has %zu.", PASSWORD_BYTES_MAX,
                           password.len);
    if (utf8_length(password) < PASSWORD_CHARS_MIN)
        return error_field(err, field, "too_short", "A password has at least %d characters.",
                           PASSWORD_CHARS_MIN);
    if (has_control(password))
        return error_field(err, field, "control_character",
                           "A password has no control characters.");
    return 0;
}

/* On a pool thread. crypt's working memory is 32 KiB: not for a small stack. */
static void compute(void *arg)
{
    struct work *work = arg;
    struct crypt_data *data = xcalloc(1, sizeof *data);
    const char *hash = crypt_rn(work->phrase, work->setting, data, (int)sizeof *data);
    work->done = hash != NULL && copy_str(work->hash, sizeof work->hash, slice_str(hash));
    explicit_bzero(data, sizeof *data);
    free(data);
}

static int run(struct offload *pool, struct work *work, struct error *err)
{
    if (pool == NULL || coro_current() == NULL) {
        compute(work);
    } else {
        int rc = offload_run(pool, compute, work, WAIT_MS, err);
        if (rc < 0)
            return rc;
    }
    if (!work->done)
        return error_set(err, FAIL_INTERNAL, "hashing_failed", "The password cannot be hashed.");
    return 0;
}

static int make_setting(unsigned cost, char ret_setting[PASSWORD_HASH_MAX], struct error *err)
{
    char salt[SALT_BYTES];
    random_bytes(salt, sizeof salt);
    if (cost < PASSWORD_COST_MIN || cost > PASSWORD_COST_MAX ||
        crypt_gensalt_rn("$2b$", cost, salt, sizeof salt, ret_setting, PASSWORD_HASH_MAX) == NULL)
        return error_errno(err, errno, "hashing_failed", "bcrypt of cost %u cannot be had", cost);
    return 0;
}

int password_hash(struct offload *pool, struct slice password, unsigned cost,
                  char ret_hash[PASSWORD_HASH_MAX], struct error *err)
{
    struct work work = {0};
    int rc = password_check_new(password, "password", err);
    if (rc == 0)
        rc = make_setting(cost, work.setting, err);
    if (rc < 0)
        return rc;
    memcpy(work.phrase, password.ptr, password.len);
    rc = run(pool, &work, err);
    if (rc == 0)
        memcpy(ret_hash, work.hash, sizeof work.hash);
    explicit_bzero(&work, sizeof work);
    return rc;
}

static bool same_text(const char *a, const char *b)
{
    size_t len = strlen(a);
    unsigned char differs = (unsigned char)(len != strlen(b));
    for (size_t i = 0; i < len && b[i] != 0; i++)
        differs |= (unsigned char)(a[i] ^ b[i]);
    return differs == 0;
}

/* log2 of the rounds that are in a bcrypt hash; 0: it is made otherwise. */
static unsigned cost_of(const char *hash)
{
    if (hash[0] != '$' || hash[1] != '2' || strlen(hash) < 7 || hash[3] != '$' || hash[6] != '$')
        return 0;
    return (unsigned)(hash[4] - '0') * 10 + (unsigned)(hash[5] - '0');
}

/* After a wrong password for a hash of less than `cost`: what nobody's would take more. A hash of
 * each cost from that of `stored` on makes up for it, for 2^n + 2^n + 2^(n+1) + ... is 2^cost. */
static int spend_the_rest(struct offload *pool, const struct work *stored, unsigned cost,
                          struct error *err)
{
    struct work work = *stored;
    unsigned spent = cost_of(stored->setting);
    int rc = 0;
    if (spent == 0) /* nothing is known of what it took */
        spent = cost > PASSWORD_COST_MIN ? cost - 1 : cost;
    for (; rc == 0 && spent < cost; spent++) {
        rc = make_setting(spent, work.setting, err);
        if (rc == 0)
            rc = run(pool, &work, err);
    }
    explicit_bzero(&work, sizeof work);
    return rc;
}

int password_verify(struct offload *pool, struct slice password, struct slice hash, unsigned cost,
                    bool *ret_match, struct error *err)
{
    struct work work = {0};
    bool possible = password.len <= PASSWORD_BYTES_MAX &&
                    (password.len == 0 || memchr(password.ptr, 0, password.len) == NULL);
    bool known = hash.ptr != NULL;
    if (known && !copy_str(work.setting, sizeof work.setting, hash))
        return error_set(err, FAIL_INTERNAL, "hashing_failed", "The stored hash is too long.");
    int rc = known ? 0 : make_setting(cost, work.setting, err);
    if (rc < 0)
        return rc;
    if (possible && password.len > 0)
        memcpy(work.phrase, password.ptr, password.len);
    rc = run(pool, &work, err);
    if (rc == 0)
        *ret_match = known && possible && same_text(work.hash, work.setting);
    if (rc == 0 && known && !*ret_match)
        rc = spend_the_rest(pool, &work, cost, err);
    explicit_bzero(&work, sizeof work);
    return rc;
}

bool password_hash_is_weak(struct slice hash, unsigned cost)
{
    char wanted[8];
    snprintf(wanted, sizeof wanted, "$2b$%02u", cost % 100);
    return hash.len < 6 || memcmp(hash.ptr, wanted, 4) != 0 || memcmp(hash.ptr, wanted, 6) < 0;
}
