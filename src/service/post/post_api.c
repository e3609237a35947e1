/* The post routes: decode, call the rule, encode. At the bottom the room's descriptor. */
#include <stdio.h>

#include "kit/told.h"
#include "service/post/post_feed.h"
#include "service/post/post_schema.h"

extern const struct db_schema post_db_schema, post_feed_db_schema; /* embedded by the build */

static struct post_call call_of(struct request *req)
{
    return (struct post_call){.room = req->room,
                              .who = *req->principal,
                              .arena = req->arena,
                              .correlation_id = req->correlation_id,
                              .headers = &req->headers,
                              .err = &req->error};
}

static const struct id *id_of(const struct request *req)
{
    return &((const struct post_params *)req->params)->id;
}

static const struct id *comment_of(const struct request *req)
{
    return &((const struct post_params *)req->params)->comment_id;
}

/* --- entity tags -------------------------------------------------------------------------------
 * "<version>-<hash of the answer>": a read is answered 304 only when nothing has changed, counts
 * and own marks among it; an edit insists on the version alone, so that a like does not refuse it.
 */

static int reply_versioned(struct request *req, int status, const struct schema *schema,
                           const void *resource, int64_t version)
{
    char hash[REQUEST_ETAG_MAX], etag[REQUEST_ETAG_MAX + 24];
    int rc = request_reply(req, status, schema, resource);
    if (rc < 0)
        return rc;
    request_etag_make(buf_view(&req->answer), hash);
    snprintf(etag, sizeof etag, "\"%lld-%s", (long long)version, hash + 1);
    request_etag_known(req, etag);
    return 0;
}

static int reply_post(struct request *req, int rc, int status, const struct post *post,
                      int64_t version)
{
    return rc < 0 ? rc : reply_versioned(req, status, &post_schema, post, version);
}

static int reply_comment(struct request *req, int rc, int status,
                         const struct post_comment *comment)
{
    return rc < 0 ? rc
                  : reply_versioned(req, status, &post_comment_schema, comment, comment->edited_at);
}

static bool names_version(struct slice list, int64_t version)
{
    char begin[32];
    bool more = true;
    snprintf(begin, sizeof begin, "\"%lld-", (long long)version);
    while (more) {
        struct slice item;
        more = slice_cut(&list, ',', &item);
        item = slice_trim(item);
        if (slice_eq(item, SLICE("*")) || slice_starts(item, slice_str(begin)))
            return true;
    }
    return false;
}

static int match(void *arg, int64_t version, struct error *err)
{
    const struct request *req = arg;
    struct slice wanted = request_header_value(req, "if-match");
    if (wanted.ptr == NULL || names_version(wanted, version))
        return 0;
    return error_set(err, FAIL_STALE, "stale", "It has changed since it was read; read it again.");
}

/* --- posts -------------------------------------------------------------------------------------
 */

static int create(struct request *req)
{
    struct post_call call = call_of(req);
    struct post post;
    int rc = post_create(&call, req->body, &post);
    return reply_post(req, rc, 201, &post, 0);
}

static int get(struct request *req)
{
    struct post_call call = call_of(req);
    struct post post;
    int64_t version = 0;
    int rc = post_get(&call, id_of(req), &post, &version);
    return reply_post(req, rc, 200, &post, version);
}

static int update(struct request *req)
{
    struct post_call call = call_of(req);
    struct post post;
    int64_t version = 0;
    int rc = post_update(&call, id_of(req), req->body, match, req, &post, &version);
    return reply_post(req, rc, 200, &post, version);
}

static int remove_post(struct request *req)
{
    struct post_call call = call_of(req);
    int rc = post_delete(&call, id_of(req), match, req);
    return rc < 0 ? rc : request_reply_empty(req);
}

static int history(struct request *req)
{
    struct post_call call = call_of(req);
    struct post_versions page;
    int rc = post_history(&call, id_of(req), req->query, &page);
    return rc < 0 ? rc
                  : request_reply_page(req, &post_version_schema, page.items, page.count,
                                       page.more ? &page.next : NULL);
}

/* --- marks -------------------------------------------------------------------------------------
 */

static int reply_marked(struct request *req, int rc, const struct post *post)
{
    return rc < 0 ? rc : request_reply(req, 200, &post_schema, post);
}

static int set_like(struct request *req, bool on)
{
    struct post_call call = call_of(req);
    struct post post;
    bool changed;
    return reply_marked(req, post_like(&call, id_of(req), on, &post, &changed), &post);
}

static int like(struct request *req)
{
    return set_like(req, true);
}

static int unlike(struct request *req)
{
    return set_like(req, false);
}

static int set_bookmark(struct request *req, bool on)
{
    struct post_call call = call_of(req);
    struct post post;
    return reply_marked(req, post_bookmark(&call, id_of(req), on, &post), &post);
}

static int bookmark(struct request *req)
{
    return set_bookmark(req, true);
}

static int unbookmark(struct request *req)
{
    return set_bookmark(req, false);
}

static int likes(struct request *req)
{
    struct post_call call = call_of(req);
    struct post_likers page;
    int rc = post_likes(&call, id_of(req), req->query, &page);
    return rc < 0 ? rc
                  : request_reply_page(req, &post_liker_schema, page.items, page.count,
                                       page.more ? &page.next : NULL);
}

/* --- lists -------------------------------------------------------------------------------------
 */

static int reply_posts(struct request *req, int rc, const struct post_page *page)
{
    return rc < 0 ? rc
                  : request_reply_page(req, &post_schema, page->items, page->count,
                                       page->more ? &page->next : NULL);
}

static int feed(struct request *req)
{
    struct post_call call = call_of(req);
    struct post_page page;
    return reply_posts(req, post_feed(&call, req->query, &page), &page);
}

static int popular(struct request *req)
{
    struct post_call call = call_of(req);
    struct post_page page;
    return reply_posts(req, post_list_popular(&call, req->query, &page), &page);
}

static int of_user(struct request *req)
{
    struct post_call call = call_of(req);
    struct post_page page;
    return reply_posts(req, post_list_user(&call, id_of(req), req->query, &page), &page);
}

static int of_tag(struct request *req)
{
    struct post_call call = call_of(req);
    const struct post_params *params = req->params;
    struct post_page page;
    return reply_posts(req, post_list_tag(&call, params->tag, req->query, &page), &page);
}

static int bookmarks(struct request *req)
{
    struct post_call call = call_of(req);
    struct post_page page;
    return reply_posts(req, post_list_bookmarks(&call, req->query, &page), &page);
}

/* --- comments ----------------------------------------------------------------------------------
 */

static int comment_create(struct request *req)
{
    struct post_call call = call_of(req);
    struct post_comment comment;
    struct post post;
    int rc = post_comment_create(&call, id_of(req), req->body, &comment, &post);
    return reply_comment(req, rc, 201, &comment);
}

static int comment_list(struct request *req)
{
    struct post_call call = call_of(req);
    const struct post_comments_query *query = req->query;
    struct post_comments page;
    int rc = post_comment_list(&call, id_of(req), &query->reply_to, &query->page, &page);
    return rc < 0 ? rc
                  : request_reply_page(req, &post_comment_schema, page.items, page.count,
                                       page.more ? &page.next : NULL);
}

static int comment_update(struct request *req)
{
    struct post_call call = call_of(req);
    const struct post_comment_patch *patch = req->body;
    struct post_comment comment;
    int rc =
        post_comment_update(&call, id_of(req), comment_of(req), patch->text, match, req, &comment);
    return reply_comment(req, rc, 200, &comment);
}

static int comment_delete(struct request *req)
{
    struct post_call call = call_of(req);
    struct post_comment comment;
    struct post post;
    int rc = post_comment_delete(&call, id_of(req), comment_of(req), match, req, &comment, &post);
    return rc < 0 ? rc : request_reply_empty(req);
}

/* --- the topic ---------------------------------------------------------------------------------
 */

static int check_topic(void *room, const struct principal *principal, const struct id *of,
                       struct error *err)
{
    struct post_call call = {.room = room, .who = *principal, .err = err};
    struct post_seen seen;
    return post_look(&call, of, &seen);
}

static int is_there(struct db_tx *tx, const struct id *user, struct slice data, struct arena *arena,
                    bool *ret_there, struct error *err)
{
    struct post told, now;
    int rc = schema_decode(&post_schema, data, arena, &told, err);
    if (rc == 0)
        rc = post_store_get(tx, &told.id, user, arena, &now, ret_there, err);
    if (rc == 0 && *ret_there)
        *ret_there = now.visibility != SOCIAL_PRIVATE || id_eq(&now.user_id, user);
    return rc;
}

static int review(void *room, const struct principal *principal, struct told_event *events,
                  unsigned count, struct arena *arena, struct error *err)
{
    static const struct event_type *const shown[] = {&post_created_event, &post_updated_event,
                                                     NULL};
    const struct post_room *r = room;
    return told_review(r->db, shown, is_there, &principal->user, events, count, arena, err);
}

static const struct topic post_topics[] = {
    {.kind = POST_TOPIC,
     .doc = "Comments and counts of a post, as they come, for whoever may see it.",
     .check = check_topic},
};

/* --- tables ------------------------------------------------------------------------------------
 */

#define POST "/api/v1/posts/{id}"
#define POSTS_LIST                                                                                 \
    .limit = LIMIT_DATA, .query = &page_query_schema, .answer = &post_schema, .answer_list = true, \
    .status = 200
#define MARK                                                                                       \
    .limit = LIMIT_DATA, .params = &post_params_schema, .answer = &post_schema, .status = 200,     \
    .errors = ROUTE_ERRORS({404, "post_not_found"})

static const struct route post_routes[] = {
    {HTTP_POST, "/api/v1/posts", "posts", "Publish a post",
     "#tags (at most 30, of at most 64 letters and digits) and @usernames are found in the text; a "
     "name that is nobody's stays text.",
     create, .limit = LIMIT_DATA, .body = &post_create_schema, .body_max = 128 << 10,
     .answer = &post_schema, .etag = true, .status = 201,
     .errors = ROUTE_ERRORS({429, "too_many_posts"})},
    {HTTP_GET, "/api/v1/posts/popular", "posts", "Popular posts",
     "Public posts of the last three days by likes and comments for their age, at most 1,000; made "
     "anew every half hour.",
     popular, POSTS_LIST, .errors = ROUTE_ERRORS({400, "invalid_cursor"})},
    {HTTP_GET, POST, "posts", "Read a post", NULL, get, .limit = LIMIT_DATA,
     .params = &post_params_schema, .answer = &post_schema, .etag = true, .status = 200,
     .errors = ROUTE_ERRORS({404, "post_not_found"})},
    {HTTP_PATCH, POST, "posts", "Edit a post",
     "One's own; what it said before stays in its history. With If-Match the edit is refused (412) "
     "when the post was edited meanwhile; likes and comments do not count as that.",
     update, .limit = LIMIT_DATA, .params = &post_params_schema, .body = &post_patch_schema,
     .body_max = 128 << 10, .answer = &post_schema, .etag = true, .status = 200,
     .errors = ROUTE_ERRORS({404, "post_not_found"}, {403, "not_your_post"},
                            {409, "too_many_edits"}, {412, "stale"})},
    {HTTP_DELETE, POST, "posts", "Delete a post",
     "One's own, or any as a moderator. It is gone for readers at once.", remove_post,
     .limit = LIMIT_DATA, .params = &post_params_schema, .status = 204,
     .errors = ROUTE_ERRORS({404, "post_not_found"}, {403, "not_your_post"}, {412, "stale"})},
    {HTTP_GET, POST "/history", "posts", "What a post said before",
     "Newest first; for the author, and for moderators also of a deleted post.", history,
     .limit = LIMIT_DATA, .params = &post_params_schema, .query = &page_query_schema,
     .answer = &post_version_schema, .answer_list = true, .status = 200,
     .errors =
         ROUTE_ERRORS({404, "post_not_found"}, {403, "not_your_post"}, {400, "invalid_cursor"})},
    {HTTP_PUT, POST "/like", "posts", "Like a post", "Twice is once.", like, .flags = ROUTE_NO_BODY,
     MARK},
    {HTTP_DELETE, POST "/like", "posts", "Take a like back", NULL, unlike, MARK},
    {HTTP_PUT, POST "/bookmark", "posts", "Bookmark a post", "Nobody else sees it.", bookmark,
     .flags = ROUTE_NO_BODY, MARK},
    {HTTP_DELETE, POST "/bookmark", "posts", "Remove a bookmark", NULL, unbookmark, MARK},
    {HTTP_GET, POST "/likes", "posts", "Who likes a post",
     "Newest first, without accounts that are switched off; like_count counts them. A page may be "
     "shorter than asked for and yet have a next one.",
     likes, .limit = LIMIT_DATA, .params = &post_params_schema, .query = &page_query_schema,
     .answer = &post_liker_schema, .answer_list = true, .status = 200,
     .errors = ROUTE_ERRORS({404, "post_not_found"}, {400, "invalid_cursor"})},
    {HTTP_GET, "/api/v1/users/{id}/posts", "posts", "Somebody's posts",
     "Newest first, those that one may see.", of_user, .params = &post_user_params_schema,
     POSTS_LIST,
     .errors =
         ROUTE_ERRORS({404, "user_not_found"}, {403, "private_account"}, {400, "invalid_cursor"})},
    {HTTP_GET, "/api/v1/tags/{tag}/posts", "posts", "Posts with a tag",
     "Newest first. A page may be shorter than asked for, also empty, and yet have a next one.",
     of_tag, .params = &post_tag_params_schema, POSTS_LIST,
     .errors = ROUTE_ERRORS({400, "invalid_cursor"})},
    {HTTP_GET, "/api/v1/bookmarks", "posts", "My bookmarks",
     "Last set first; what one may not see any more is left out.", bookmarks, POSTS_LIST,
     .errors = ROUTE_ERRORS({400, "invalid_cursor"})},
    {HTTP_GET, "/api/v1/feed", "posts", "The home feed",
     "My own posts and those of the people I follow and have not muted, newest first, all the way "
     "down. A new post reaches the feeds of its author's followers within a moment.",
     feed, POSTS_LIST, .errors = ROUTE_ERRORS({400, "invalid_cursor"})},
    {HTTP_GET, POST "/comments", "comments", "Comments on a post",
     "Oldest first, one level of a thread at a time. Deleted comments stay as tombstones. Comments "
     "of accounts that are switched off are left out, or look like tombstones without a name where "
     "they were answered; counts count them. A page may be shorter than asked for and yet have a "
     "next one.",
     comment_list, .limit = LIMIT_DATA, .params = &post_params_schema,
     .query = &post_comments_query_schema, .answer = &post_comment_schema, .answer_list = true,
     .status = 200,
     .errors = ROUTE_ERRORS({404, "post_not_found"}, {404, "comment_not_found"},
                            {400, "invalid_cursor"})},
    {HTTP_POST, POST "/comments", "comments", "Comment on a post", NULL, comment_create,
     .limit = LIMIT_DATA, .params = &post_params_schema, .body = &post_comment_create_schema,
     .answer = &post_comment_schema, .etag = true, .status = 201,
     .errors =
         ROUTE_ERRORS({404, "post_not_found"}, {404, "comment_not_found"}, {409, "comment_deleted"},
                      {409, "thread_too_deep"}, {429, "too_many_comments"})},
    {HTTP_PATCH, POST "/comments/{comment_id}", "comments", "Edit a comment",
     "One's own. The answers to writing and editing it carry its ETag; with If-Match the edit is "
     "refused (412) when it was edited meanwhile.",
     comment_update, .limit = LIMIT_DATA, .params = &post_comment_params_schema,
     .body = &post_comment_patch_schema, .answer = &post_comment_schema, .etag = true,
     .status = 200,
     .errors = ROUTE_ERRORS({404, "post_not_found"}, {404, "comment_not_found"},
                            {403, "not_your_comment"}, {409, "comment_deleted"}, {412, "stale"})},
    {HTTP_DELETE, POST "/comments/{comment_id}", "comments", "Delete a comment",
     "One's own, any on one's own post, or any as a moderator. A tombstone keeps its place.",
     comment_delete, .limit = LIMIT_DATA, .params = &post_comment_params_schema, .status = 204,
     .errors = ROUTE_ERRORS({404, "post_not_found"}, {404, "comment_not_found"},
                            {403, "not_your_comment"}, {409, "comment_deleted"}, {412, "stale"})},
};

/* --- the room ----------------------------------------------------------------------------------
 */

static const char *const post_needs[] = {"social", "user", NULL};
static const char *const erase_types[] = {"user.deleted", NULL};

/* follow.linked: whose posts reach the follower has changed, by a follow, a mute or a block. */
static const char *const feed_types[] = {"post.created", "follow.linked", "user.deleted", NULL};

static const struct consumer post_consumers[] = {
    {.name = "post.feed", .types = feed_types, .db = "post.feed", .handle = post_follow_feed},
    {.name = "post.erase", .types = erase_types, .handle = post_follow_deleted},
};
static const struct job post_jobs[] = {
    {"post.erase", 1000, post_erase_job},
    {"post.feed", 1000, post_feed_job},
    {"post.feed_idle", 60 * 60 * 1000, post_feed_idle_job},
    {"post.popular", 25 * 60 * 1000, post_popular_job},
};

const struct module post_module = {
    .name = "post",
    .needs = post_needs,
    .routes = post_routes,
    .route_count = ARRAY_LEN(post_routes),
    .events = post_event_types,
    .consumers = post_consumers,
    .consumer_count = ARRAY_LEN(post_consumers),
    .jobs = post_jobs,
    .job_count = ARRAY_LEN(post_jobs),
    .config = post_config,
    .schema = &post_db_schema,
    .feed_schema = &post_feed_db_schema,
    .start = post_start,
    .stop = post_stop,
    .review = review,
    .topics = post_topics,
    .topic_count = ARRAY_LEN(post_topics),
    .export_person = post_export_person,
};
