/* Routes, socket ops and the room's descriptor: decode, call the rule, encode. */
#include "service/chat/chat_room.h"

extern const struct db_schema chat_db_schema; /* made from schema/ by the build */

/* Whoever signs up waits for the chat profile: after 0.7 s the registration is given up. */
enum { CHAT_PROFILE_ATTEMPTS = 4 };

/* --- between requests and rules -------------------------------------------------------------- */
static int check_match(struct chat_call *call, struct slice current_json)
{
    return request_check_match(call->unchanged_arg, current_json);
}

static struct chat_call call_of(struct request *req)
{
    struct chat_call call = {.room = req->room,
                             .user = req->principal->user,
                             .arena = req->arena,
                             .correlation_id = req->correlation_id,
                             .headers = &req->headers,
                             .err = &req->error};
    if (request_header_value(req, "if-match").ptr != NULL) {
        call.unchanged = check_match;
        call.unchanged_arg = req;
    }
    return call;
}

/* A page of the largest messages (150 KB each: 16 KiB of control characters, escaped, and all the
 * reactions there can be) does not fit a request's arena. */
static struct arena *page_arena(struct arena *arena)
{
    arena_init(arena, 32 << 20);
    return arena;
}

static int reply_chat(struct request *req, int rc, int status, const struct chat *chat)
{
    if (rc == 0)
        rc = request_reply(req, status, &chat_schema, chat);
    if (rc == 0)
        request_etag(req);
    return rc;
}

static int reply_message(struct request *req, int rc, int status, struct slice json)
{
    if (rc == 0)
        rc = request_reply_json(req, status, json);
    if (rc == 0)
        request_etag(req);
    return rc;
}

static int reply_empty(struct request *req, int rc)
{
    return rc == 0 ? request_reply_empty(req) : rc;
}

/* --- chats ----------------------------------------------------------------------------------- */
static int create(struct request *req)
{
    struct chat_call call = call_of(req);
    struct chat chat;
    return reply_chat(req, chat_create(&call, req->body, &chat), 201, &chat);
}

static int list(struct request *req)
{
    struct chat_call call = call_of(req);
    struct chat_list page;
    struct arena arena;
    call.arena = page_arena(&arena);
    int rc = chat_list(&call, req->query, &page);
    if (rc == 0)
        rc = request_reply_page(req, &chat_schema, page.items, page.count,
                                page.more ? &page.next : NULL);
    arena_done(&arena);
    return rc;
}

static int get(struct request *req)
{
    struct chat_call call = call_of(req);
    const struct chat_params *params = req->params;
    struct chat chat;
    return reply_chat(req, chat_get(&call, &params->chat_id, &chat), 200, &chat);
}

static int patch(struct request *req)
{
    struct chat_call call = call_of(req);
    const struct chat_params *params = req->params;
    struct chat chat;
    return reply_chat(req, chat_patch(&call, &params->chat_id, req->body, &chat), 200, &chat);
}

static int end(struct request *req)
{
    struct chat_call call = call_of(req);
    const struct chat_params *params = req->params;
    return reply_empty(req, chat_delete(&call, &params->chat_id));
}

/* --- members --------------------------------------------------------------------------------- */
static int members(struct request *req)
{
    struct chat_call call = call_of(req);
    const struct chat_params *params = req->params;
    struct chat_member_list page;
    int rc = chat_members(&call, &params->chat_id, req->query, &page);
    if (rc != 0)
        return rc;
    return request_reply_page(req, &chat_member_schema, page.items.items, page.items.count,
                              page.more ? &page.next : NULL);
}

static int add_members(struct request *req)
{
    struct chat_call call = call_of(req);
    const struct chat_params *params = req->params;
    struct chat_member_list added;
    int rc = chat_add_members(&call, &params->chat_id, req->body, &added);
    return rc == 0 ? request_reply(req, 201, &chat_member_list_schema, &added) : rc;
}

static int set_role(struct request *req)
{
    struct chat_call call = call_of(req);
    const struct chat_params *params = req->params;
    const struct chat_role_change *change = req->body;
    struct chat_member_item member;
    int rc = chat_set_role(&call, &params->chat_id, &params->user_id, change->role, &member);
    return rc == 0 ? request_reply(req, 200, &chat_member_schema, &member) : rc;
}

static int remove_member(struct request *req)
{
    struct chat_call call = call_of(req);
    const struct chat_params *params = req->params;
    return reply_empty(req, chat_remove_member(&call, &params->chat_id, &params->user_id));
}

/* --- messages -------------------------------------------------------------------------------- */
static int send_message(struct request *req)
{
    struct chat_call call = call_of(req);
    const struct chat_params *params = req->params;
    struct chat_send what = *(const struct chat_send *)req->body;
    struct slice json;
    what.chat_id = params->chat_id;
    return reply_message(req, chat_send(&call, &what, &json), 201, json);
}

static int history(struct request *req)
{
    struct chat_call call = call_of(req);
    const struct chat_params *params = req->params;
    struct chat_history page;
    struct slice items[PAGE_LIMIT_MAX];
    struct arena arena;
    call.arena = page_arena(&arena);
    int rc = chat_history(&call, &params->chat_id, req->query, &page);
    for (unsigned i = 0; rc == 0 && i < page.count; i++)
        items[i] = page.items[i].json;
    if (rc == 0)
        rc = request_reply_page_json(req, items, page.count, page.more ? &page.next : NULL);
    arena_done(&arena);
    return rc;
}

static struct chat_place place_of(const struct request *req)
{
    const struct chat_params *params = req->params;
    return (struct chat_place){params->chat_id, params->seq};
}

static int get_message(struct request *req)
{
    struct chat_call call = call_of(req);
    struct chat_place place = place_of(req);
    struct slice json;
    return reply_message(req, chat_get_message(&call, &place, &json), 200, json);
}

static int edit_message(struct request *req)
{
    struct chat_call call = call_of(req);
    const struct chat_params *params = req->params;
    struct chat_edit what = *(const struct chat_edit *)req->body;
    struct slice json;
    what.chat_id = params->chat_id;
    what.seq = params->seq;
    return reply_message(req, chat_edit(&call, &what, &json), 200, json);
}

static int delete_message(struct request *req)
{
    struct chat_call call = call_of(req);
    struct chat_place place = place_of(req);
    struct slice json;
    return reply_empty(req, chat_delete_message(&call, &place, &json));
}

static int message_edits(struct request *req)
{
    struct chat_call call = call_of(req);
    struct chat_place place = place_of(req);
    struct chat_edit_version *versions;
    size_t count;
    int rc = chat_message_edits(&call, &place, &versions, &count);
    if (rc != 0)
        return rc;
    return request_reply_page(req, &chat_edit_version_schema, versions, count, NULL);
}

static int react(struct request *req, bool remove)
{
    struct chat_call call = call_of(req);
    const struct chat_params *params = req->params;
    const struct chat_react what = {params->chat_id, params->seq, params->emoji, remove};
    struct slice json;
    return reply_message(req, chat_react(&call, &what, &json), 200, json);
}

static int add_reaction(struct request *req)
{
    return react(req, false);
}

static int remove_reaction(struct request *req)
{
    return react(req, true);
}

static int mark_read(struct request *req)
{
    struct chat_call call = call_of(req);
    const struct chat_params *params = req->params;
    const struct chat_place *body = req->body;
    struct chat_place what = {params->chat_id, body->seq};
    return reply_empty(req, chat_read(&call, &what));
}

/* --- socket ops ------------------------------------------------------------------------------ */
static void op_sent(void *arg, int rc, struct slice json)
{
    struct request *req = arg;
    request_end(req, rc == 0 ? request_reply_json(req, 200, json) : rc);
}

static int op_send(struct request *req)
{
    struct chat_call *call = arena_alloc(req->arena, sizeof *call);
    if (call == NULL)
        return error_set(&req->error, FAIL_TOO_LARGE, "too_large", "The frame is too large.");
    *call = call_of(req);
    int rc = chat_send_later(call, req->body, op_sent, req);
    return rc == 0 ? REQUEST_LATER : rc;
}

static int op_edit(struct request *req)
{
    struct chat_call call = call_of(req);
    struct slice json;
    int rc = chat_edit(&call, req->body, &json);
    return rc == 0 ? request_reply_json(req, 200, json) : rc;
}

static int op_delete(struct request *req)
{
    struct chat_call call = call_of(req);
    struct slice json;
    int rc = chat_delete_message(&call, req->body, &json);
    return rc == 0 ? request_reply_json(req, 200, json) : rc;
}

static int op_react(struct request *req)
{
    struct chat_call call = call_of(req);
    struct slice json;
    int rc = chat_react(&call, req->body, &json);
    return rc == 0 ? request_reply_json(req, 200, json) : rc;
}

static int op_read(struct request *req)
{
    struct chat_call call = call_of(req);
    return reply_empty(req, chat_read(&call, req->body));
}

static int op_typing(struct request *req)
{
    struct chat_call call = call_of(req);
    const struct chat_typing *what = req->body;
    return reply_empty(req, chat_typing(&call, &what->chat_id));
}

/* --- tables ---------------------------------------------------------------------------------- */
#define CHAT "/api/v1/chats/{id}"
#define MESSAGE CHAT "/messages/{seq}"

static const struct route chat_routes[] = {
    {HTTP_POST, "/api/v1/chats", "chats", "Make a chat",
     "A direct chat with somebody you have one with already is that chat.", create,
     .body = &chat_create_schema, .answer = &chat_schema, .etag = true, .status = 201,
     .errors = ROUTE_ERRORS({403, "blocked"})},
    {HTTP_GET, "/api/v1/chats", "chats", "My chats",
     "Newest activity first, the newest 10,000 of them.", list, .query = &page_query_schema,
     .answer = &chat_schema, .answer_list = true, .status = 200},
    {HTTP_GET, CHAT, "chats", "One chat", NULL, get, .params = &chat_params_schema,
     .answer = &chat_schema, .etag = true, .status = 200,
     .errors = ROUTE_ERRORS({404, "chat_not_found"})},
    {HTTP_PATCH, CHAT, "chats", "Change a chat",
     "Title and settings are everybody's, archived and muted_until are mine.", patch,
     .params = &chat_params_schema, .body = &chat_patch_schema, .answer = &chat_schema,
     .etag = true, .status = 200,
     .errors = ROUTE_ERRORS({404, "chat_not_found"}, {403, "admins_only"}, {403, "direct_chat"},
                            {412, "stale"})},
    {HTTP_DELETE, CHAT, "chats", "End a chat", "For everybody; only its owner can.", end,
     .params = &chat_params_schema, .status = 204,
     .errors = ROUTE_ERRORS({404, "chat_not_found"}, {403, "owner_only"}, {403, "direct_chat"},
                            {412, "stale"})},
    {HTTP_GET, CHAT "/members", "chats", "Members of a chat", NULL, members,
     .params = &chat_params_schema, .query = &page_query_schema, .answer = &chat_member_schema,
     .answer_list = true, .status = 200, .errors = ROUTE_ERRORS({404, "chat_not_found"})},
    {HTTP_POST, CHAT "/members", "chats", "Add members", NULL, add_members,
     .params = &chat_params_schema, .body = &chat_add_schema, .answer = &chat_member_list_schema,
     .status = 201,
     .errors = ROUTE_ERRORS({404, "chat_not_found"}, {403, "admins_only"}, {403, "direct_chat"})},
    {HTTP_PATCH, CHAT "/members/{user_id}", "chats", "Give a member a role",
     "Giving owner hands the chat over.", set_role, .params = &chat_member_params_schema,
     .body = &chat_role_schema, .answer = &chat_member_schema, .status = 200,
     .errors = ROUTE_ERRORS({404, "chat_not_found"}, {404, "member_not_found"}, {403, "owner_only"},
                            {403, "owner_hands_over"}, {403, "direct_chat"})},
    {HTTP_DELETE, CHAT "/members/{user_id}", "chats", "Remove a member, or leave",
     "When the owner leaves, the longest-standing admin (or member) becomes the owner.",
     remove_member, .params = &chat_member_params_schema, .status = 204,
     .errors = ROUTE_ERRORS({404, "chat_not_found"}, {404, "member_not_found"},
                            {403, "admins_only"}, {403, "owner_only"}, {403, "direct_chat"})},
    {HTTP_POST, CHAT "/messages", "messages", "Send a message",
     "A repeat with the same client_id gives the message that is there.", send_message,
     .params = &chat_params_schema, .body = &chat_send_schema, .body_max = 128 << 10,
     .answer = &chat_message_schema, .etag = true, .status = 201,
     .errors = ROUTE_ERRORS({404, "chat_not_found"}, {403, "channel_read_only"}, {403, "blocked"},
                            {409, "client_id_reused"}, {413, "message_too_large"},
                            {429, "too_many_messages"})},
    {HTTP_GET, CHAT "/messages", "messages", "History",
     "Newest first; with `after` oldest first. Deleted messages stay as tombstones.", history,
     .params = &chat_params_schema, .query = &chat_history_schema, .answer = &chat_message_schema,
     .answer_list = true, .status = 200,
     .errors = ROUTE_ERRORS({404, "chat_not_found"}, {400, "invalid_cursor"})},
    {HTTP_GET, MESSAGE, "messages", "One message", NULL, get_message,
     .params = &chat_message_params_schema, .answer = &chat_message_schema, .etag = true,
     .status = 200, .errors = ROUTE_ERRORS({404, "chat_not_found"}, {404, "message_not_found"})},
    {HTTP_PATCH, MESSAGE, "messages", "Edit a message", "One's own; the old text stays on record.",
     edit_message, .params = &chat_message_params_schema, .body = &chat_edit_schema,
     .body_max = 128 << 10, .answer = &chat_message_schema, .etag = true, .status = 200,
     .errors = ROUTE_ERRORS({404, "chat_not_found"}, {404, "message_not_found"},
                            {403, "not_your_message"}, {403, "channel_read_only"},
                            {410, "message_deleted"}, {403, "blocked"}, {409, "too_many_edits"},
                            {412, "stale"})},
    {HTTP_DELETE, MESSAGE, "messages", "Delete a message",
     "One's own, or any as the owner or an admin. A tombstone keeps its place.", delete_message,
     .params = &chat_message_params_schema, .status = 204,
     .errors = ROUTE_ERRORS({404, "chat_not_found"}, {404, "message_not_found"},
                            {403, "not_your_message"}, {410, "message_deleted"}, {412, "stale"})},
    {HTTP_GET, MESSAGE "/edits", "messages", "What a message said before", "Oldest first.",
     message_edits, .params = &chat_message_params_schema, .answer = &chat_edit_version_schema,
     .answer_list = true, .status = 200,
     .errors = ROUTE_ERRORS({404, "chat_not_found"}, {404, "message_not_found"})},
    {HTTP_PUT, MESSAGE "/reactions/{emoji}", "messages", "React to a message", NULL, add_reaction,
     .flags = ROUTE_NO_BODY, .params = &chat_reaction_params_schema, .answer = &chat_message_schema,
     .etag = true, .status = 200,
     .errors =
         ROUTE_ERRORS({404, "chat_not_found"}, {404, "message_not_found"}, {410, "message_deleted"},
                      {403, "blocked"}, {422, "too_many_reactions"})},
    {HTTP_DELETE, MESSAGE "/reactions/{emoji}", "messages", "Take a reaction back", NULL,
     remove_reaction, .params = &chat_reaction_params_schema, .answer = &chat_message_schema,
     .etag = true, .status = 200,
     .errors = ROUTE_ERRORS({404, "chat_not_found"}, {404, "message_not_found"},
                            {410, "message_deleted"}, {403, "blocked"})},
    {HTTP_PUT, CHAT "/read", "messages", "Mark as read", "Up to seq; never goes back.", mark_read,
     .params = &chat_params_schema, .body = &chat_read_schema, .status = 204,
     .errors = ROUTE_ERRORS({404, "chat_not_found"})},
};

static const struct op chat_ops[] = {
    {"chat.send", "Sends a message; the answer is the message.", op_send, &chat_send_op_schema,
     &chat_message_schema},
    {"chat.edit", "Edits one's own message.", op_edit, &chat_edit_op_schema, &chat_message_schema},
    {"chat.delete", "Deletes a message; the answer is its tombstone.", op_delete,
     &chat_place_op_schema, &chat_message_schema},
    {"chat.react", "Reacts with an emoji, or takes it back.", op_react, &chat_react_op_schema,
     &chat_message_schema},
    {"chat.read", "Marks everything up to seq as read.", op_read, &chat_place_op_schema, NULL},
    {"chat.typing", "Tells the others that one is writing; at most once in 3 s gets through.",
     op_typing, &chat_typing_op_schema, NULL},
};

/* --- the room -------------------------------------------------------------------------------- */
static void stop(void *room)
{
    chat_room_close(room);
}

static const char *const chat_needs[] = {"social", "user", NULL};

static const char *const profile_types[] = {"user.created", "user.creation_failed", "user.deleted",
                                            NULL};
static const char *const deleted_types[] = {"user.deleted", NULL};
static const struct consumer chat_consumers[] = {
    {.name = "chat.profiles",
     .types = profile_types,
     .handle = chat_follow_people,
     .attempts = CHAT_PROFILE_ATTEMPTS,
     .give_up = chat_give_up_profile},
    {.name = "chat.leavers", .types = deleted_types, .handle = chat_note_leaver},
};

static const struct job chat_jobs[] = {
    {"chat.leavers", 2000, chat_take_out_leavers},
};

const struct module chat_module = {
    .name = "chat",
    .needs = chat_needs,
    .routes = chat_routes,
    .route_count = ARRAY_LEN(chat_routes),
    .ops = chat_ops,
    .op_count = ARRAY_LEN(chat_ops),
    .events = chat_event_types,
    .config = chat_config,
    .consumers = chat_consumers,
    .consumer_count = ARRAY_LEN(chat_consumers),
    .jobs = chat_jobs,
    .job_count = ARRAY_LEN(chat_jobs),
    .schema = &chat_db_schema,
    .stays = "its messages are the log",
    .start = chat_start,
    .stop = stop,
    .streams = chat_streams,
    .export_person = chat_export_person,
};
