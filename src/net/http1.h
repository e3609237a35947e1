/* HTTP/1.1 message syntax by RFC 9112 and RFC 9110: pure functions over bytes, no socket.
 *
 * Strict: whatever the RFC lets a server refuse is refused, so that no proxy in front can read a
 * message differently (request smuggling).
 */
#ifndef PARLEY_NET_HTTP1_H
#define PARLEY_NET_HTTP1_H

#include "base/arena.h"
#include "base/error.h"

#define HTTP_HEADERS_MAX 100

enum http_method {
    HTTP_GET,
    HTTP_HEAD,
    HTTP_POST,
    HTTP_PUT,
    HTTP_PATCH,
    HTTP_DELETE,
    HTTP_OPTIONS,
    HTTP_OTHER
};

struct http_header {
    struct slice name, value; /* value without surrounding blanks */
};

struct http_limits {
    size_t request_line_bytes; /* 8 KiB */
    size_t header_bytes;       /* 32 KiB, all lines */
    size_t trailer_bytes;      /* 8 KiB */
    size_t chunk_ext_bytes;    /* 1 KiB a chunk line */
};
extern const struct http_limits http_limits_default;

struct http_head {
    enum http_method method;
    struct slice method_text;
    struct slice path;  /* raw, starts with '/', without query; "*" for OPTIONS * */
    struct slice query; /* raw, without '?'; absent ptr when there was no '?' */
    struct slice host;
    unsigned minor; /* HTTP/1.x */
    struct http_header headers[HTTP_HEADERS_MAX];
    unsigned header_count;
    bool keep_alive;
    bool chunked;
    bool has_length;
    uint64_t content_length;
    bool expect_continue;
    bool upgrade; /* Connection: upgrade together with an Upgrade field */
};

/* Looks for a whole header block at the start of `in`. Returns the bytes it takes (> 0), 0 when
 * more bytes are needed, or a negative enum fail with err set (status 400, 413, 414, 431, 501, 505
 * through err->code: see http1.c). Slices borrow from `in`. */
ptrdiff_t http1_parse_head(struct slice in, const struct http_limits *limits,
                           struct http_head *ret_head, struct error *err) MUSTCHECK;
const struct http_header *http_find(const struct http_head *head, const char *name); /* first */
/* The value of a header that may stand once; absent slice when missing. */
struct slice http_value(const struct http_head *head, const char *name);

/* Chunked bodies, resumable at any byte. */
struct http1_chunked {
    uint64_t left; /* of the present chunk */
    uint32_t line_bytes, trailer_bytes;
    uint8_t state;
    uint8_t digits;
};
void http1_chunked_init(struct http1_chunked *c);
/* Consumes from *in and says what stands at its front: returns 1 with a piece of body in
 * *ret_piece, 0 when more input is needed, 2 at the end of the body (trailers passed over), or a
 * negative enum fail. */
int http1_chunked_next(struct http1_chunked *c, struct slice *in, const struct http_limits *limits,
                       struct slice *ret_piece, struct error *err) MUSTCHECK;

/* Percent-decoding of one path segment or query value (plus_is_space for queries). Refuses bad
 * escapes, NUL and invalid UTF-8. */
int url_decode(struct slice text, bool plus_is_space, struct arena *arena, struct slice *ret_text,
               struct error *err) MUSTCHECK;

#endif
