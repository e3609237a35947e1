/* Lists: ?limit= (default 50, 1..100) and an opaque ?cursor=; answer {"items": [...],
 * "next_cursor": text or null}. A cursor is base64url of a check and the last row's key columns.
 * The check binds it to its list, because the same columns mean something else in another one; it
 * is no secret. Whatever is not a cursor of this list is FAIL_BAD_REQUEST "invalid_cursor" with the
 * field `cursor`. */
#ifndef PARLEY_KIT_PAGING_H
#define PARLEY_KIT_PAGING_H

#include "kit/request.h"

#define PAGE_LIMIT_DEFAULT 50
#define PAGE_LIMIT_MAX 100

struct page_query { /* the usual query; rooms with more parameters embed the same two fields */
    int64_t limit;
    struct slice cursor;
};
extern const struct schema page_query_schema;
extern const struct schema_field page_query_fields[2]; /* for embedding at offset 0 */

struct route;
/* Says which list the request is for, by the route and what params and query (decoded by it; NULL
 * without) choose: ids, words and choices, not how many items, where, and from or to when. Takes
 * the check off the query's cursor, so that the rest of the house sees only columns. The edge calls
 * it; what has not been through it, like a rule that a test calls, has no checks. */
int page_open(struct request *req, const struct route *route, const void *params,
              void *query) MUSTCHECK;

struct cursor {
    int64_t number; /* e.g. created_at or seq */
    struct id id;
};
/* Absent text gives a zeroed cursor and *ret_given false. */
int cursor_decode(struct slice text, struct cursor *ret_cursor, bool *ret_given,
                  struct error *err) MUSTCHECK;
void cursor_encode(const struct cursor *cursor, struct buf *out);
/* The same for a list whose order needs more than a number and an id: exactly `size` bytes, at most
 * PAGE_CURSOR_BYTES_MAX, as request_reply_page_bytes gave them out. ret_bytes is untouched when no
 * cursor was given. */
#define PAGE_CURSOR_BYTES_MAX 128
int cursor_decode_bytes(struct slice text, size_t size, uint8_t *ret_bytes, bool *ret_given,
                        struct error *err) MUSTCHECK;
/* Replies {"items": [...], "next_cursor": ...}; next NULL for the last page. items: array of
 * structs. */
int request_reply_page(struct request *req, const struct schema *schema, const void *items,
                       size_t count, const struct cursor *next);
/* next: an absent slice for the last page. */
int request_reply_page_bytes(struct request *req, const struct schema *schema, const void *items,
                             size_t count, struct slice next);
/* The same with items that are encoded already. */
int request_reply_page_json(struct request *req, const struct slice *items, size_t count,
                            const struct cursor *next);

#endif
