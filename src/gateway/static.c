#include "gateway/static.h"

#include "gateway/assets.h"
#include "kit/request.h"
#include "net/compress.h"

static const struct asset *find(struct slice path)
{
    size_t low = 0, high = asset_count;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        struct slice at = slice_str(assets[mid].path);
        int order = memcmp(at.ptr, path.ptr, at.len < path.len ? at.len : path.len);
        if (order == 0)
            order = at.len < path.len ? -1 : at.len > path.len;
        if (order == 0)
            return &assets[mid];
        if (order < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return NULL;
}

/* A page that the client routes by itself: a navigation, not a program that mistyped a path. */
static bool is_page(const struct http_head *head)
{
    struct slice path = head->path, accept = http_value(head, "accept");
    if (memmem(accept.len > 0 ? accept.ptr : "", accept.len, "text/html", 9) == NULL)
        return false;
    if (slice_starts(path, SLICE("/api/")) || slice_eq(path, SLICE("/api")))
        return false;
    if (slice_starts(path, SLICE("/u/"))) /* user names may have dots */
        return true;
    for (size_t i = path.len; i > 0 && path.ptr[i - 1] != '/'; i--)
        if (path.ptr[i - 1] == '.')
            return false;
    return true;
}

static const struct asset *asset_for(const struct http_head *head)
{
    const struct asset *asset = find(head->path);
    if (asset == NULL && slice_eq(head->path, SLICE("/docs/")))
        asset = find(SLICE("/docs"));
    return asset != NULL || !is_page(head) ? asset : find(SLICE("/"));
}

bool static_has(const struct http_head *head)
{
    return asset_for(head) != NULL;
}

static struct slice choose(const struct asset *asset, struct slice accept, const char **ret_coding)
{
    unsigned allowed = 1u << CODING_IDENTITY;
    if (asset->gzip.ptr != NULL)
        allowed |= 1u << CODING_GZIP;
    if (asset->brotli.ptr != NULL)
        allowed |= 1u << CODING_BR;
    enum coding coding = coding_choose(accept, allowed);
    *ret_coding = coding == CODING_IDENTITY ? NULL : coding_name(coding);
    return coding == CODING_GZIP ? asset->gzip : coding == CODING_BR ? asset->brotli : asset->plain;
}

static void write_etag(struct buf *out, const struct asset *asset, const char *coding)
{
    struct slice tag = slice_str(asset->etag);
    buf_append(out, tag.ptr, tag.len - 1);
    if (coding != NULL) {
        buf_char(out, '-');
        buf_str(out, coding);
    }
    buf_char(out, '"');
}

static const char page_headers[] =
    "content-security-policy: default-src 'self'; connect-src 'self' ws: wss:; "
    "img-src 'self' data: blob:; style-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'; object-src 'none'\r\n"
    "referrer-policy: same-origin\r\n"
    "x-frame-options: DENY\r\n";

void static_serve(struct http_exchange *x, struct slice extra_headers)
{
    const struct asset *asset = asset_for(&x->head);
    const char *coding;
    struct slice body = choose(asset, http_value(&x->head, "accept-encoding"), &coding);
    struct buf headers, etag;
    buf_init(&headers, 8192);
    buf_init(&etag, 256);
    write_etag(&etag, asset, coding);
    buf_printf(&headers,
               "content-type: %s\r\ncache-control: %s\r\netag: %.*s\r\nvary: accept-encoding\r\n",
               asset->content_type,
               asset->immutable ? "public, max-age=31536000, immutable" : "no-cache",
               SLICE_FMT(buf_view(&etag)));
    if (coding != NULL)
        buf_printf(&headers, "content-encoding: %s\r\n", coding);
    if (!asset->immutable)
        buf_str(&headers, page_headers);
    buf_slice(&headers, extra_headers);
    if (request_names_etag(&x->head, "if-none-match", buf_view(&etag), true))
        http_reply(x, 304, buf_view(&headers), (struct slice){"", 0});
    else
        http_reply_static(x, 200, buf_view(&headers), body);
    buf_done(&headers);
    buf_done(&etag);
}
