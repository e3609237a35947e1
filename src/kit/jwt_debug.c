#include "kit/jwt_debug.h"

#include "kit/jwt.h"

enum { KEYS_MAX = 64, ARENA_BYTES_MAX = 4 << 20 };

/* Keys that cannot be used are left out: a set may hold kinds that the reader does not know
 * (RFC 7517 section 5). */
static size_t read_keys(const struct json_value *first, struct jwk *ret_keys[KEYS_MAX])
{
    size_t count = 0;
    for (const struct json_value *v = first; v != NULL && count < KEYS_MAX; v = v->next) {
        struct error ignored;
        error_init(&ignored);
        if (jwk_parse(v, &ret_keys[count], &ignored) == 0)
            count++;
    }
    return count;
}

static size_t keys_of_line(const struct json_value *line, struct jwk *ret_keys[KEYS_MAX])
{
    const struct json_value *set = json_member(line, "keys");
    if (set != NULL)
        return set->type == JSON_ARRAY ? read_keys(set->first, ret_keys) : 0;
    const struct json_value *one = json_member(line, "jwk");
    if (one == NULL)
        return 0;
    const struct json_value *inner = json_member(one, "keys");
    if (inner != NULL && inner->type == JSON_ARRAY)
        return read_keys(inner->first, ret_keys);
    struct json_value alone = *one;
    alone.next = NULL;
    return read_keys(&alone, ret_keys);
}

static bool line_verifies(struct slice text, struct arena *arena)
{
    struct json_value *line;
    struct jwk *keys[KEYS_MAX];
    struct jwt jwt;
    struct error err;
    error_init(&err);
    if (json_parse(text, arena, &line, &err) < 0 || line->type != JSON_OBJECT)
        return false;
    struct slice jws = json_member_text(line, "jws");
    size_t count = keys_of_line(line, keys);
    bool good =
        jws.ptr != NULL && count > 0 && jwt_verify(jws, keys, count, arena, &jwt, &err) == 0;
    for (size_t i = 0; i < count; i++)
        jwk_unref(keys[i]);
    return good;
}

int jws_debug_line(struct slice line, struct buf *out)
{
    struct arena arena;
    arena_init(&arena, ARENA_BYTES_MAX);
    bool good = line_verifies(line, &arena);
    arena_done(&arena);
    buf_str(out, good ? "ok" : "fail");
    return 0;
}
