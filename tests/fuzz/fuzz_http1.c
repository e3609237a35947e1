/* The request parser and url_decode. Whatever comes: no byte past the end is read, every slice lies
 * inside the input, a prefix never gets another verdict than the whole, and a head that is accepted
 * is read the same when written out again in the plainest form. */
#include <stdlib.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/json.h"
#include "net/http1.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static ptrdiff_t parse(const char *bytes, size_t len, struct http_head *head, struct error *err)
{
    error_init(err);
    return http1_parse_head(slice_of(bytes, len), &http_limits_default, head, err);
}

static void inside(struct slice s, const char *bytes, size_t len)
{
    if (s.len != 0 && !(s.ptr >= bytes && s.ptr + s.len <= bytes + len))
        panic_if(s.len != 1 || (*s.ptr != '/' && *s.ptr != '*'), "a slice outside of the input");
}

static void check_slices(const struct http_head *head, const char *bytes, size_t len)
{
    panic_if(head->path.len == 0, "no path");
    panic_if(head->has_length && head->chunked, "two framings");
    inside(head->method_text, bytes, len);
    inside(head->path, bytes, len);
    inside(head->query, bytes, len);
    inside(head->host, bytes, len);
    for (unsigned i = 0; i < head->header_count; i++) {
        inside(head->headers[i].name, bytes, len);
        inside(head->headers[i].value, bytes, len);
    }
}

static void check_decoding(struct slice text)
{
    struct arena arena;
    struct slice out;
    arena_init(&arena, 1 << 20);
    if (url_decode(text, true, &arena, &out, NULL) == 0)
        panic_if(!utf8_valid(out) || out.len > text.len, "url_decode gave rubbish");
    arena_done(&arena);
}

static void check_again(const struct http_head *head)
{
    static struct http_head again;
    struct error err;
    struct buf text;
    buf_init(&text, 1 << 20);
    buf_printf(&text, "%.*s %.*s", SLICE_FMT(head->method_text), SLICE_FMT(head->path));
    if (head->query.ptr != NULL)
        buf_printf(&text, "?%.*s", SLICE_FMT(head->query));
    buf_printf(&text, " HTTP/1.%u\r\n", head->minor);
    for (unsigned i = 0; i < head->header_count; i++) {
        buf_slice(&text, head->headers[i].name);
        buf_lit(&text, ":");
        buf_slice(&text, head->headers[i].value);
        buf_lit(&text, "\r\n");
    }
    buf_lit(&text, "\r\n");
    panic_if(parse(text.ptr, text.len, &again, &err) != (ptrdiff_t)text.len, "not read again: %s",
             err.detail);
    panic_if(again.chunked != head->chunked || again.content_length != head->content_length ||
                 again.keep_alive != head->keep_alive || !slice_eq(again.path, head->path),
             "read in another way");
    buf_done(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct http_head head;
    static struct error err;
    const char *bytes = (const char *)data;
    ptrdiff_t whole = parse(bytes, size, &head, &err);
    if (whole > 0) {
        check_slices(&head, bytes, (size_t)whole);
        check_decoding(head.path);
        check_decoding(head.query);
        check_again(&head);
    }
    int kind = err.kind;
    for (size_t cut = 0; cut < size && cut < 300; cut++) {
        char *copy = malloc(cut + 1);
        memcpy(copy, bytes, cut);
        ptrdiff_t part = parse(copy, cut, &head, &err);
        panic_if(part != 0 && part != whole, "cut at %zu: %td, whole: %td", cut, part, whole);
        panic_if(part < 0 && err.kind != kind, "cut at %zu: another kind", cut);
        free(copy);
    }
    return 0;
}
