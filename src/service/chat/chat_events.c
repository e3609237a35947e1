/* What the room tells the world, and how the message store reads it back. */
#include <string.h>

#include "service/chat/chat_room.h"

const struct event_type *const chat_event_types[] = {
    &chat_message_sent_event,    &chat_message_updated_event,
    &chat_message_deleted_event, &chat_reaction_changed_event,
    &chat_created_event,         &chat_updated_event,
    &chat_member_changed_event,  &chat_read_changed_event,
    &chat_typing_event,          NULL};

/* --- out ------------------------------------------------------------------------------------- */
enum { EVENT_BYTES_MAX = 1 << 20 };

static int encode(struct chat_call *call, const struct schema *schema, const void *value,
                  struct slice *ret_json, struct error *err)
{
    struct buf buf;
    buf_init(&buf, EVENT_BYTES_MAX);
    schema_encode(schema, value, &buf);
    *ret_json = buf_ok(&buf) ? arena_copy(call->arena, buf_view(&buf)) : (struct slice){0};
    buf_done(&buf);
    if (ret_json->ptr == NULL)
        return error_set(err, FAIL_TOO_LARGE, "event_too_large", "The event is too large.");
    return 0;
}

int chat_emit(struct chat_call *call, struct db_tx *tx, const struct chat_emit *what,
              struct slice *ret_json, uint64_t *ret_pos, struct error *err)
{
    struct slice json;
    int rc = encode(call, what->type->data, what->data, &json, err);
    if (rc != 0)
        return rc;
    const struct event_draft draft = {.type = what->type,
                                      .stream = *what->stream,
                                      .data = json,
                                      .links = what->links,
                                      .link_count = what->link_count,
                                      .correlation_id = call->correlation_id};
    if (ret_json != NULL)
        *ret_json = json;
    return event_emit(call->room->log, tx, &draft, ret_pos, err);
}

static struct chat_event describe(const struct chat_view *view)
{
    return (struct chat_event){.id = view->id,
                               .chat_id = view->id,
                               .kind = view->kind,
                               .title = chat_view_title(view),
                               .member_count = (int64_t)view->member_count,
                               .settings = {.invite = view->invite},
                               .created_at = view->created_at};
}

int chat_emit_chat(struct chat_call *call, struct db_tx *tx, const struct event_type *type,
                   const struct chat_view *view, const struct event_link *links,
                   unsigned link_count, uint64_t *ret_pos, struct error *err)
{
    struct chat_event_member members[CHAT_EVENT_MEMBERS_SHOWN];
    size_t count = 0;
    for (; count < view->member_count && count < CHAT_EVENT_MEMBERS_SHOWN; count++)
        members[count] =
            (struct chat_event_member){view->members[count].user, view->members[count].role};
    struct chat_event data = describe(view);
    data.members = (struct schema_list){members, count};
    const struct chat_emit what = {type, &view->id, &data, links, link_count};
    return chat_emit(call, tx, &what, NULL, ret_pos, err);
}

/* The same words to each: a chat may have had ten thousand members. */
static int emit_gone_to(struct chat_call *call, struct db_tx *tx, const struct chat_view *ended,
                        const struct id *user, struct slice ended_json, struct error *err)
{
    const struct chat_member_changed gone = {
        .chat_id = ended->id, .user_id = *user, .role = CHAT_NOBODY, .by_user_id = call->user};
    const struct chat_emit left = {
        .type = &chat_member_changed_event, .stream = user, .data = &gone};
    const struct event_draft over = {.type = &chat_updated_event,
                                     .stream = *user,
                                     .data = ended_json,
                                     .correlation_id = call->correlation_id};
    int rc = chat_emit(call, tx, &left, NULL, NULL, err);
    return rc == 0 ? event_emit(call->room->log, tx, &over, NULL, err) : rc;
}

int chat_emit_ended(struct chat_call *call, struct db_tx *tx, const struct chat_view *before,
                    const struct chat_view *ended, int64_t deleted_at, struct error *err)
{
    struct chat_event_member nobody[1];
    struct chat_event data = describe(ended);
    data.members.items = nobody;
    data.deleted_at = deleted_at;
    struct event_link *links = arena_array(call->arena, before->member_count, sizeof *links);
    if (links == NULL)
        return error_set(err, FAIL_TOO_LARGE, "too_many_members", "The members do not fit.");
    for (size_t i = 0; i < before->member_count; i++)
        links[i] = (struct event_link){EVENT_UNFOLLOW, before->members[i].user};
    const struct chat_emit what = {&chat_updated_event, &before->id, &data, links,
                                   (unsigned)before->member_count};
    struct slice json;
    int rc = chat_emit(call, tx, &what, &json, NULL, err);
    for (size_t i = 0; rc == 0 && i < before->member_count; i++)
        rc = emit_gone_to(call, tx, ended, &before->members[i].user, json, err);
    return rc;
}

/* --- back: a message's JSON as we have written it -------------------------------------------- */
static bool skip(struct slice *json, const char *literal)
{
    size_t len = strlen(literal);
    if (json->len < len || memcmp(json->ptr, literal, len) != 0)
        return false;
    *json = slice_of(json->ptr + len, json->len - len);
    return true;
}

static bool skip_id(struct slice *json, struct id *ret_id)
{
    if (json->len < ID_TEXT_LEN || !id_parse(slice_of(json->ptr, ID_TEXT_LEN), ret_id))
        return false;
    *json = slice_of(json->ptr + ID_TEXT_LEN, json->len - ID_TEXT_LEN);
    return true;
}

static bool skip_number(struct slice *json, uint64_t *ret_number)
{
    uint64_t number = 0;
    size_t digits = 0;
    for (;
         digits < json->len && digits < 10 && json->ptr[digits] >= '0' && json->ptr[digits] <= '9';
         digits++)
        number = number * 10 + (uint64_t)(json->ptr[digits] - '0');
    *json = slice_of(json->ptr + digits, json->len - digits);
    *ret_number = number;
    return digits > 0;
}

/* Up to the closing quote; escapes stay. */
static bool skip_string(struct slice *json, struct slice *ret_raw)
{
    size_t at = 0;
    while (at < json->len && json->ptr[at] != '"')
        at += json->ptr[at] == '\\' ? 2 : 1;
    if (at >= json->len)
        return false;
    *ret_raw = slice_of(json->ptr, at);
    return true;
}

bool chat_scan_message(struct slice json, struct message_key *ret_key)
{
    struct message_key key = {.json = json};
    struct slice rest = json;
    struct id message;
    bool good = skip(&rest, "{\"id\":\"") && skip_id(&rest, &message) &&
                skip(&rest, "\",\"chat_id\":\"") && skip_id(&rest, &key.chat) &&
                skip(&rest, "\",\"seq\":") && skip_number(&rest, &key.seq) &&
                skip(&rest, ",\"sender_id\":\"") && skip_id(&rest, &key.sender) &&
                skip(&rest, "\",\"client_id\":\"") && skip_string(&rest, &key.client_id);
    if (!good)
        return false;
    key.at_ms = id_time_ms(&message);
    *ret_key = key;
    return true;
}

bool chat_scan_client_id(struct slice draft, struct slice *ret_raw)
{
    enum { AT = CHAT_SEQ_AT + 1 + sizeof ",\"sender_id\":\"" - 1 + ID_TEXT_LEN };
    if (draft.len < AT)
        return false;
    struct slice rest = slice_of(draft.ptr + AT, draft.len - AT);
    return skip(&rest, "\",\"client_id\":\"") && skip_string(&rest, ret_raw);
}

/* The message is the last member of the data. A quote inside a string is escaped, so this text
 * cannot be part of one. */
static struct slice message_of_reaction(struct slice data)
{
    static const char mark[] = ",\"message\":{";
    const char *at = memmem(data.ptr, data.len, mark, sizeof mark - 1);
    if (at == NULL)
        return (struct slice){0};
    const char *from = at + sizeof mark - 2;
    return slice_of(from, (size_t)(data.ptr + data.len - from) - 1);
}

bool chat_key_of(const struct event *event, struct message_key *ret_key)
{
    bool sent = event->type == &chat_message_sent_event;
    struct slice json = event->data;
    if (event->type == &chat_reaction_changed_event)
        json = message_of_reaction(json);
    else if (!sent && event->type != &chat_message_updated_event &&
             event->type != &chat_message_deleted_event)
        return false;
    if (should_not(!chat_scan_message(json, ret_key)))
        return false;
    if (!sent) {
        ret_key->client_id = (struct slice){0};
        ret_key->at_ms = 0;
    }
    return true;
}

bool chat_is_from(struct slice json, const struct id *sender, struct slice client_id)
{
    struct message_key key;
    return chat_scan_message(json, &key) && id_eq(&key.sender, sender) &&
           slice_eq(key.client_id, client_id);
}
