/* The tree reader. Recursive, which JSON_DEPTH_MAX bounds; every node in the arena.
 *
 * Duplicate keys: small objects are compared key by key; from KEYS_LINEAR on a table keyed by
 * SipHash, so that an object of ten thousand keys costs ten thousand steps whoever chose them.
 */
#include "base/hash.h"
#include "base/json_scan.h"

enum { KEYS_LINEAR = 16 };

struct members {
    struct json_value *object;
    struct json_value **slots; /* NULL while small */
    size_t slot_count;         /* power of two, at least twice the members */
};

static bool slot_insert(struct members *m, struct json_value *member)
{
    size_t mask = m->slot_count - 1;
    size_t i = hash_bytes(member->key.ptr, member->key.len) & mask;
    for (; m->slots[i] != NULL; i = (i + 1) & mask)
        if (slice_eq(m->slots[i]->key, member->key))
            return false;
    m->slots[i] = member;
    return true;
}

/* Doubles the table with room for one more member; all members so far differ. */
static int grow(struct json_scan *s, struct members *m)
{
    size_t count = m->slot_count != 0 ? m->slot_count * 2 : KEYS_LINEAR * 4;
    m->slots = arena_zalloc(s->arena, count * sizeof(struct json_value *));
    if (m->slots == NULL)
        return json_scan_full(s);
    m->slot_count = count;
    for (struct json_value *v = m->object->first; v != NULL; v = v->next)
        if (!slot_insert(m, v))
            panic(__FILE__, __LINE__, "a duplicate key was let through");
    return 0;
}

static int is_new(struct json_scan *s, struct members *m, struct json_value *member, const char *at)
{
    if (m->object->count < KEYS_LINEAR) {
        for (const struct json_value *v = m->object->first; v != NULL; v = v->next)
            if (slice_eq(v->key, member->key))
                return json_scan_duplicate(s, at, member->key);
        return 0;
    }
    if (m->object->count * 2 >= m->slot_count) {
        int rc = grow(s, m);
        if (rc != 0)
            return rc;
    }
    return slot_insert(m, member) ? 0 : json_scan_duplicate(s, at, member->key);
}

static struct json_value *new_value(struct json_scan *s, enum json_type type)
{
    struct json_value *v = arena_zalloc(s->arena, sizeof *v);
    if (v != NULL)
        v->type = type;
    return v;
}

static int read_array(struct json_scan *s, struct json_value *array)
{
    int rc = json_scan_open(s);
    if (rc != 0)
        return rc;
    struct json_value **tail = &array->first;
    json_skip_space(s);
    for (bool more = !json_take(s, ']'); more;) {
        if ((rc = json_scan_value(s, tail)) != 0)
            return rc;
        tail = &(*tail)->next;
        array->count++;
        json_skip_space(s);
        more = json_take(s, ',');
        if (!more && !json_take(s, ']'))
            return json_scan_expected(s);
    }
    s->depth--;
    return 0;
}

/* A key, the colon, a value. */
static int read_member(struct json_scan *s, struct members *m, struct json_value ***tail)
{
    struct slice key;
    json_skip_space(s);
    const char *at = s->at;
    if (s->at >= s->end || *s->at != '"')
        return json_scan_expected(s);
    int rc = json_scan_string(s, &key);
    if (rc != 0)
        return rc;
    json_skip_space(s);
    if (!json_take(s, ':'))
        return json_scan_expected(s);
    struct json_value *member;
    if ((rc = json_scan_value(s, &member)) != 0)
        return rc;
    member->key = key;
    if ((rc = is_new(s, m, member, at)) != 0)
        return rc;
    **tail = member;
    *tail = &member->next;
    m->object->count++;
    return 0;
}

static int read_object(struct json_scan *s, struct json_value *object)
{
    int rc = json_scan_open(s);
    if (rc != 0)
        return rc;
    struct members members = {.object = object};
    struct json_value **tail = &object->first;
    json_skip_space(s);
    for (bool more = !json_take(s, '}'); more;) {
        if ((rc = read_member(s, &members, &tail)) != 0)
            return rc;
        json_skip_space(s);
        more = json_take(s, ',');
        if (!more && !json_take(s, '}'))
            return json_scan_expected(s);
    }
    s->depth--;
    return 0;
}

static int read_number(struct json_scan *s, struct json_value *v)
{
    bool integral, fits;
    int rc = json_scan_number(s, &v->text, &integral, &fits, &v->integer);
    v->type = rc == 0 && fits ? JSON_INT : JSON_NUMBER;
    return rc;
}

static int read_into(struct json_scan *s, struct json_value *v)
{
    switch (*s->at) {
    case '{': v->type = JSON_OBJECT; return read_object(s, v);
    case '[': v->type = JSON_ARRAY; return read_array(s, v);
    case '"': v->type = JSON_STRING; return json_scan_string(s, &v->text);
    case 't': v->type = JSON_TRUE; return json_scan_literal(s, "true");
    case 'f': v->type = JSON_FALSE; return json_scan_literal(s, "false");
    case 'n': v->type = JSON_NULL; return json_scan_literal(s, "null");
    default: return read_number(s, v);
    }
}

int json_scan_value(struct json_scan *s, struct json_value **ret_value)
{
    json_skip_space(s);
    if (s->at >= s->end)
        return json_scan_expected(s);
    struct json_value *v = new_value(s, JSON_NULL);
    if (v == NULL)
        return json_scan_full(s);
    const char *first = s->at;
    int rc = read_into(s, v);
    if (rc != 0)
        return rc;
    v->raw = slice_of(first, (size_t)(s->at - first));
    *ret_value = v;
    return 0;
}

int json_parse(struct slice text, struct arena *arena, struct json_value **ret_value,
               struct error *err)
{
    struct json_scan s = {.arena = arena, .err = err};
    s.start = s.at = text.ptr != NULL ? text.ptr : "";
    s.end = s.start + text.len;
    struct json_value *value;
    int rc = json_scan_value(&s, &value);
    if (rc == 0)
        rc = json_scan_end(&s);
    if (rc == 0)
        *ret_value = value;
    return rc;
}

const struct json_value *json_member(const struct json_value *v, const char *name)
{
    if (v == NULL || v->type != JSON_OBJECT)
        return NULL;
    for (const struct json_value *m = v->first; m != NULL; m = m->next)
        if (slice_eq(m->key, slice_str(name)))
            return m;
    return NULL;
}

struct slice json_member_text(const struct json_value *v, const char *name)
{
    const struct json_value *m = json_member(v, name);
    return m != NULL && m->type == JSON_STRING ? m->text : (struct slice){0};
}

/* --- what stands before a fault -------------------------------------------------------------- */
static bool read_pair(struct json_scan *s, struct slice *ret_key, struct slice *ret_raw)
{
    json_skip_space(s);
    if (s->at >= s->end || *s->at != '"' || json_scan_string(s, ret_key) != 0)
        return false;
    json_skip_space(s);
    if (!json_take(s, ':') || json_scan_raw(s, ret_raw) != 0)
        return false;
    json_skip_space(s);
    return true;
}

struct slice json_member_before_fault(struct slice text, const char *name, struct arena *arena)
{
    struct error fault;
    error_init(&fault);
    struct json_scan s = {.arena = arena, .err = &fault, .depth = 1};
    s.start = s.at = text.ptr != NULL ? text.ptr : "";
    s.end = s.start + text.len;
    struct slice key, raw, found = {0};
    json_skip_space(&s);
    for (bool more = json_take(&s, '{'); more && read_pair(&s, &key, &raw);) {
        more = json_take(&s, ',');
        if (!more && !json_take(&s, '}'))
            break; /* a number may have been longer */
        if (!slice_eq(key, slice_str(name)))
            continue;
        if (found.ptr != NULL)
            return (struct slice){0};
        found = raw;
    }
    return found;
}
