/* Any bytes through the JSON reader. What it accepts is written out again from the tree and must
 * read back to the same text: nothing is lost, and the writer never writes what is no JSON.
 * Stepping over the value without a tree must say the same as the reader does. */
#include "base/json_scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_value(const struct json_value *v, struct buf *out)
{
    if (v->key.ptr != NULL) {
        panic_if(!utf8_valid(v->key), "a key is not UTF-8");
        json_write_string(out, v->key);
        buf_char(out, ':');
    }
    if (v->type == JSON_STRING) {
        panic_if(!utf8_valid(v->text), "a string is not UTF-8");
        json_write_string(out, v->text);
    } else if (v->type == JSON_ARRAY || v->type == JSON_OBJECT) {
        size_t count = 0;
        buf_char(out, v->type == JSON_ARRAY ? '[' : '{');
        for (const struct json_value *m = v->first; m != NULL; m = m->next, count++) {
            if (count != 0)
                buf_char(out, ',');
            write_value(m, out);
        }
        panic_if(count != v->count, "count is wrong");
        buf_char(out, v->type == JSON_ARRAY ? ']' : '}');
    } else {
        buf_slice(out, v->raw);
    }
}

static void step_over(struct slice text, struct arena *arena)
{
    struct error tree_err, err;
    struct json_scan tree = {text.ptr, text.ptr, text.ptr + text.len, arena, &tree_err, 0};
    struct json_scan without = {text.ptr, text.ptr, text.ptr + text.len, arena, &err, 0};
    struct json_value *v;
    struct slice raw;
    error_init(&tree_err);
    error_init(&err);
    int rc = json_scan_value(&tree, &v);
    panic_if(json_scan_raw(&without, &raw) != rc, "without a tree: %s", err.detail);
    panic_if(strcmp(err.detail, tree_err.detail) != 0, "%s: %s", tree_err.detail, err.detail);
    panic_if(rc == 0 && (tree.at != without.at || v->raw.ptr != raw.ptr || v->raw.len != raw.len),
             "the value ends elsewhere");
}

/* In a text without a fault every member is found that stands before it. */
static void look_for_members(struct slice text, const struct json_value *object,
                             struct arena *arena)
{
    const struct json_value *member = json_member(object, "id");
    struct slice found = json_member_before_fault(text, "id", arena);
    panic_if(found.ptr != (member != NULL ? member->raw.ptr : NULL) ||
                 (member != NULL && found.len != member->raw.len),
             "the member is another one");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct error err;
    struct json_value *v, *again;
    struct buf first, second;
    arena_init(&arena, 8 << 20);
    buf_init(&first, 1 << 20);
    buf_init(&second, 1 << 20);
    error_init(&err);
    if (json_parse(slice_of((const char *)data, size), &arena, &v, &err) == 0) {
        look_for_members(slice_of((const char *)data, size), v, &arena);
        write_value(v, &first);
        panic_if(json_parse(buf_view(&first), &arena, &again, &err) != 0, "%s", err.detail);
        write_value(again, &second);
        panic_if(!slice_eq(buf_view(&first), buf_view(&second)), "the text changed");
    } else {
        panic_if(err.kind != FAIL_BAD_REQUEST || err.detail[0] == 0, "no reason given");
    }
    step_over(slice_of(size != 0 ? (const char *)data : "", size), &arena);
    buf_done(&first);
    buf_done(&second);
    arena_done(&arena);
    return 0;
}
