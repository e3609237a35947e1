/* Asking the snapshot: getters that abort on a name or type no table has, and the print-out. */
#include "base/config_parts.h"
#include "base/json.h"

static const struct config_value *get(const struct config *c, const char *name, unsigned types)
{
    const struct config_value *v = config_find(c, slice_str(name));
    panic_if(v == NULL, "configuration key \"%s\" is not declared", name);
    panic_if((types >> v->key->type & 1) == 0, "configuration key \"%s\" has another type", name);
    return v;
}

const char *config_string(const struct config *c, const char *name)
{
    return get(c, name, 1u << CONFIG_STRING)->text;
}

int64_t config_int(const struct config *c, const char *name)
{
    return get(c, name, 1u << CONFIG_INT | 1u << CONFIG_DURATION | 1u << CONFIG_SIZE)->number;
}

bool config_bool(const struct config *c, const char *name)
{
    return get(c, name, 1u << CONFIG_BOOL)->number != 0;
}

int config_enum(const struct config *c, const char *name)
{
    return (int)get(c, name, 1u << CONFIG_ENUM)->number;
}

size_t config_list_count(const struct config *c, const char *name)
{
    return get(c, name, 1u << CONFIG_LIST)->count;
}

const char *config_list_item(const struct config *c, const char *name, size_t index)
{
    const struct config_value *v = get(c, name, 1u << CONFIG_LIST);
    panic_if(index >= v->count, "configuration key \"%s\" has no item %zu", name, index);
    return v->items[index];
}

static void indent(struct buf *out, size_t depth)
{
    while (depth-- != 0)
        buf_lit(out, "  ");
}

/* Opens the maps that this key has and the one before it had not; returns the depth and leaves the
 * last segment in *name. Keys are sorted, so those of one map stand together. */
static size_t open_maps(struct slice *name, struct slice before, struct buf *out)
{
    size_t depth = 0;
    bool same = true;
    struct slice segment, other;
    for (struct slice rest = *name; slice_cut(&rest, '.', &segment); *name = rest, depth++) {
        same = same && slice_cut(&before, '.', &other) && slice_eq(segment, other);
        if (same)
            continue;
        indent(out, depth);
        buf_slice(out, segment);
        buf_lit(out, ":\n");
    }
    return depth;
}

static void print_value(const struct config_value *v, struct buf *out)
{
    if (v->key->type != CONFIG_LIST) {
        json_write_string(out, slice_str(v->text));
        return;
    }
    buf_char(out, '[');
    for (size_t i = 0; i < v->count; i++) {
        buf_str(out, i != 0 ? ", " : "");
        json_write_string(out, slice_str(v->items[i]));
    }
    buf_char(out, ']');
}

void config_print(const struct config *c, struct buf *out)
{
    struct slice before = SLICE("");
    for (size_t i = 0; i < c->count; i++) {
        const struct config_value *v = &c->values[i];
        struct slice name = slice_str(v->key->name);
        size_t depth = open_maps(&name, before, out);
        before = slice_str(v->key->name);
        if (v->key->doc != NULL) {
            indent(out, depth);
            buf_printf(out, "# %s\n", v->key->doc);
        }
        indent(out, depth);
        if (v->key->secret) /* a comment, so that reading it back does not set the mask */
            buf_lit(out, "# ");
        buf_slice(out, name);
        buf_lit(out, ": ");
        if (v->key->secret)
            buf_lit(out, "\"********\"");
        else
            print_value(v, out);
        buf_char(out, '\n');
    }
}
