/* libyaml's events, straight into the table: the only file that knows libyaml.
 *
 * A path of open maps gives the key; all scalars are text, the table decides what they mean, so
 * YAML 1.1's `no` and `on` never bite. Only what is plain passes: no aliases, anchors, tags, second
 * documents, no key that is not a scalar, no key twice. Reading stops when the error record is
 * full, which also bounds the work on a file full of nonsense.
 */
#include <stdio.h>
#include <stdlib.h>
#include <yaml.h>

#include "base/config_parts.h"

enum { PATH_BYTES_MAX = 256, DEPTH_MAX = 8 };
enum { FILE_BYTES_SHOWN = 40, SOURCE_BYTES = 72 };

struct reader {
    yaml_parser_t parser;
    yaml_event_t event;
    struct config *config;
    const char *file;
    char path[PATH_BYTES_MAX]; /* the key of the value that comes next */
    char **seen;               /* every key so far: maps and values */
    size_t seen_count;
    bool stop;
};

/* "parley.yaml:12", of a long path its end. */
static void name_place(const struct reader *r, size_t line, char source[SOURCE_BYTES])
{
    size_t len = strlen(r->file);
    bool cut = len > FILE_BYTES_SHOWN;
    snprintf(source, SOURCE_BYTES, "%s%s:%zu", cut ? "..." : "",
             cut ? r->file + len - FILE_BYTES_SHOWN : r->file, line);
}

static void refuse(struct reader *r, const char *code, const char *why)
{
    char source[SOURCE_BYTES];
    name_place(r, r->event.start_mark.line + 1, source);
    const char *key = r->path[0] != 0 ? r->path : "(file)";
    config_refuse(r->config, key, code, source, "%s", why);
}

/* The file cannot be read on from here. */
static void give_up(struct reader *r, const char *why)
{
    refuse(r, "invalid_yaml", why);
    r->stop = true;
}

/* The next event, without anchor, tag and alias; false when reading must end. */
static bool next(struct reader *r)
{
    yaml_event_delete(&r->event);
    if (r->stop || r->config->wrong >= ERROR_FIELDS_MAX)
        return false;
    if (yaml_parser_parse(&r->parser, &r->event) == 0) {
        r->event.start_mark = r->parser.problem_mark;
        give_up(r, r->parser.problem != NULL ? r->parser.problem : "cannot be read");
        return false;
    }
    const yaml_char_t *anchor = NULL, *tag = NULL;
    if (r->event.type == YAML_SCALAR_EVENT) {
        anchor = r->event.data.scalar.anchor;
        tag = r->event.data.scalar.tag;
    } else if (r->event.type == YAML_MAPPING_START_EVENT) {
        anchor = r->event.data.mapping_start.anchor;
        tag = r->event.data.mapping_start.tag;
    } else if (r->event.type == YAML_SEQUENCE_START_EVENT) {
        anchor = r->event.data.sequence_start.anchor;
        tag = r->event.data.sequence_start.tag;
    }
    if (r->event.type == YAML_ALIAS_EVENT || anchor != NULL)
        give_up(r, "anchors and aliases are not allowed");
    else if (tag != NULL)
        give_up(r, "tags are not allowed");
    return !r->stop;
}

static struct slice scalar(const struct reader *r)
{
    return slice_of((const char *)r->event.data.scalar.value, r->event.data.scalar.length);
}

/* Steps over the value that has just begun, whatever it holds. */
static void skip(struct reader *r)
{
    unsigned depth = 0;
    do {
        if (r->event.type == YAML_MAPPING_START_EVENT || r->event.type == YAML_SEQUENCE_START_EVENT)
            depth++;
        else if (r->event.type == YAML_MAPPING_END_EVENT ||
                 r->event.type == YAML_SEQUENCE_END_EVENT)
            depth--;
    } while (depth != 0 && next(r));
}

static bool is_new(struct reader *r)
{
    for (size_t i = 0; i < r->seen_count; i++)
        if (strcmp(r->seen[i], r->path) == 0)
            return false;
    r->seen = xrealloc(r->seen, (r->seen_count + 1) * sizeof *r->seen);
    r->seen[r->seen_count++] = xstrndup(r->path, strlen(r->path));
    return true;
}

/* Whether a known key starts with the path and a dot. */
static bool is_group(const struct reader *r)
{
    size_t len = strlen(r->path);
    for (size_t i = 0; i < r->config->count; i++) {
        const char *name = r->config->values[i].key->name;
        if (strncmp(name, r->path, len) == 0 && name[len] == '.')
            return true;
    }
    return false;
}

static void assign(struct reader *r, const struct config_input *input, size_t line)
{
    char source[SOURCE_BYTES];
    name_place(r, line, source);
    config_assign(r->config, config_find(r->config, slice_str(r->path)), input, source);
}

static void unknown(struct reader *r)
{
    char source[SOURCE_BYTES];
    name_place(r, r->event.start_mark.line + 1, source);
    config_unknown(r->config, slice_str(r->path), source);
}

static void read_sequence(struct reader *r)
{
    struct slice *items = NULL;
    size_t count = 0, line = r->event.start_mark.line + 1;
    bool ended = false;
    while (!ended && next(r)) {
        if (r->event.type == YAML_SEQUENCE_END_EVENT) {
            ended = true;
        } else if (r->event.type != YAML_SCALAR_EVENT) {
            give_up(r, "a list may hold plain values only");
        } else if (count == CONFIG_ITEMS_MAX) {
            give_up(r, "a list has more than 1000 items");
        } else {
            struct slice text = scalar(r);
            items = xrealloc(items, (count + 1) * sizeof *items);
            items[count++] = slice_of(xstrndup(text.ptr, text.len), text.len);
        }
    }
    if (ended)
        assign(r, &(struct config_input){.items = items, .count = count, .sequence = true}, line);
    for (size_t i = 0; i < count; i++)
        free((char *)(uintptr_t)items[i].ptr);
    free(items);
}

static void read_map(struct reader *r, unsigned depth);

/* The value of the key in r->path; the event is its first. */
static void read_value(struct reader *r, unsigned depth)
{
    bool known = config_find(r->config, slice_str(r->path)) != NULL, group = is_group(r);
    bool map = r->event.type == YAML_MAPPING_START_EVENT;
    bool empty = r->event.type == YAML_SCALAR_EVENT && scalar(r).len == 0;
    if (group && empty && !known)
        return; /* a group whose keys are all commented out */
    if (map && group) {
        read_map(r, depth + 1);
    } else if (!known) {
        unknown(r);
        skip(r);
    } else if (map) {
        refuse(r, "invalid_value", "must be one value, not a map");
        skip(r);
    } else if (r->event.type == YAML_SEQUENCE_START_EVENT) {
        read_sequence(r);
    } else {
        assign(r, &(struct config_input){.text = scalar(r)}, r->event.start_mark.line + 1);
    }
}

/* Behind the start of a map, up to its end. */
static void read_map(struct reader *r, unsigned depth)
{
    size_t base = strlen(r->path);
    if (depth > DEPTH_MAX) {
        give_up(r, "maps are nested too deep");
        return;
    }
    while (next(r) && r->event.type != YAML_MAPPING_END_EVENT) {
        if (r->event.type != YAML_SCALAR_EVENT) {
            give_up(r, "a key must be plain text");
            return;
        }
        struct slice key = scalar(r);
        if (key.len == 0 || memchr(key.ptr, 0, key.len) != NULL ||
            base + key.len + 2 > sizeof r->path) {
            give_up(r, "a key is empty or too long");
            return;
        }
        snprintf(r->path + base, sizeof r->path - base, "%s%.*s", base != 0 ? "." : "",
                 SLICE_FMT(key));
        if (!is_new(r)) {
            refuse(r, "duplicate_key", "this key stands twice");
            if (next(r))
                skip(r);
        } else if (next(r)) {
            read_value(r, depth);
        }
        r->path[base] = 0;
    }
}

static void read_document(struct reader *r)
{
    if (!next(r))
        return;
    bool empty = r->event.type == YAML_SCALAR_EVENT && scalar(r).len == 0;
    if (r->event.type == YAML_MAPPING_START_EVENT)
        read_map(r, 1);
    else if (!empty)
        give_up(r, "the file must be a map of keys");
    if (!r->stop && next(r)) /* document end */
        if (next(r) && r->event.type != YAML_STREAM_END_EVENT)
            give_up(r, "the file must be one document");
}

void config_read_yaml(struct config *c, struct slice text, const char *file)
{
    struct reader r = {.config = c, .file = file};
    panic_if(yaml_parser_initialize(&r.parser) == 0, "out of memory (YAML)");
    yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)text.ptr, text.len);
    while (next(&r) && r.event.type != YAML_STREAM_END_EVENT) {
        if (r.event.type == YAML_DOCUMENT_START_EVENT) {
            read_document(&r);
            break;
        }
    }
    yaml_event_delete(&r.event);
    yaml_parser_delete(&r.parser);
    for (size_t i = 0; i < r.seen_count; i++)
        free(r.seen[i]);
    free(r.seen);
}
