/* Sending messages. chat_send is the hot path: for a member of a chat that is in memory
 * its transaction touches no table at all, see docs/design/chat.md.
 */
#include "base/json.h"
#include "service/chat/chat_room.h"

enum { MESSAGE_BYTES_MAX = 1 << 20, SEQ_DIGITS = 10, SEQ_ROOM = SEQ_DIGITS - 1 };

int chat_decode_message(struct slice json, struct arena *arena, struct chat_message *ret_message,
                        struct error *err)
{
    int rc = schema_decode(&chat_message_schema, json, arena, ret_message, err);
    if (should_not(rc != 0)) { /* we wrote it: not the client's fault */
        error_init(err);
        return error_set(err, FAIL_INTERNAL, "damaged_message", "The message cannot be read.");
    }
    return 0;
}

/* --- sending --------------------------------------------------------------------------------- */
struct send {
    struct chat_call *call;
    const struct chat_send *what;
    struct slice draft;     /* the message with seq 0, and SEQ_ROOM bytes free before it */
    struct message_key key; /* of the draft */
    struct slice result;    /* the message as it is in the log */
    bool repeated;
    struct slice sent_text; /* repeated: what was sent then; absent: result's text */
    struct chat_hook hook;
    chat_sent_fn *done; /* of chat_send_later */
    void *done_arg;
};

/* Puts the number where the draft has its 0; what stands before it moves up to make room. */
static struct slice number_message(struct send *send, uint64_t seq)
{
    char digits[SEQ_DIGITS];
    size_t first = SEQ_DIGITS;
    do {
        digits[--first] = (char)('0' + seq % 10);
        seq /= 10;
    } while (seq != 0 && first > 0);
    size_t len = SEQ_DIGITS - first;
    char *json = (char *)(uintptr_t)send->draft.ptr - (len - 1);
    memmove(json, send->draft.ptr, CHAT_SEQ_AT);
    memcpy(json + CHAT_SEQ_AT, digits + first, len);
    return slice_of(json, send->draft.len + len - 1);
}

/* The client id is known: gives the message that is there, and what its text was when sent. */
static int send_again(struct send *send, struct db_tx *tx, uint64_t seq, struct error *err)
{
    struct chat_call *call = send->call;
    struct message_ref ref;
    struct chat_edit_version *versions;
    size_t count;
    const struct chat_place place = {send->what->chat_id, (int64_t)seq};
    int rc =
        message_store_get(call->room->messages, tx, &place.chat_id, seq, call->arena, &ref, err);
    if (rc == 0)
        rc = chat_store_edits(tx, &place, 1, call->arena, &versions, &count, err);
    if (rc != 0)
        return rc;
    send->repeated = true;
    send->result = ref.json;
    if (count > 0)
        send->sent_text = versions[0].text;
    return 0;
}

int chat_may_write_in(const struct chat_place_in *in, struct error *err)
{
    if (in->entry->view->kind == CHAT_CHANNEL && in->member->role == CHAT_MEMBER)
        return error_set(err, FAIL_FORBIDDEN, "channel_read_only",
                         "Only the owner and admins write in a channel.");
    return 0;
}

static int may_send(const struct chat_place_in *in, const struct chat_send *what, struct error *err)
{
    int rc = chat_may_write_in(in, err);
    if (rc == 0 && what->reply_to > (int64_t)in->entry->last_seq)
        return error_field(err, "reply_to", "message_not_found", "There is no such message.");
    return rc;
}

static int send_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct send *send = arg;
    struct chat_call *call = send->call;
    struct chat_room *room = call->room;
    struct chat_place_in in;
    int rc = chat_enter(call, tx, &send->what->chat_id, &in, err);
    if (rc != 0)
        return rc;
    struct message_key *key = &send->key;
    uint64_t known, pos;
    rc = message_store_find_client_id(room->messages, tx, key, &known, err);
    if (rc != 0 || known != 0) /* a repeat answers, whatever has become of the sender since */
        return rc != 0 ? rc : send_again(send, tx, known, err);
    rc = may_send(&in, send->what, err);
    if (rc == 0)
        rc = chat_may_talk_in(room, in.entry->view, &call->user, err);
    if (rc != 0)
        return rc;
    key->seq = in.entry->last_seq + 1;
    key->json = number_message(send, key->seq);
    const struct event_draft event = {.type = &chat_message_sent_event,
                                      .stream = key->chat,
                                      .data = key->json,
                                      .correlation_id = call->correlation_id};
    rc = event_emit(room->log, tx, &event, &pos, err);
    if (rc == 0)
        rc = message_store_put(room->messages, tx, key, pos, err);
    if (rc != 0)
        return rc;
    chat_memory_sent(in.entry, tx, &send->hook, in.member, key->seq);
    send->result = key->json;
    return 0;
}

static void send_ahead(const void *arg)
{
    const struct send *send = arg;
    message_store_ahead(send->call->room->messages, &send->key);
    prefetch(send->draft.ptr, send->draft.len, false);
}

/* The thread that the answered message belongs to; it never changes. */
static int find_thread(struct chat_call *call, const struct chat_send *what, int64_t *ret_thread)
{
    struct chat_look look;
    struct chat_member *member;
    struct slice json;
    struct chat_message root;
    int rc = chat_look_in(call, &what->chat_id, &look, &member);
    if (rc != 0)
        return rc;
    chat_view_unref(look.view);
    if ((uint64_t)what->reply_to > look.last_seq)
        return error_field(call->err, "reply_to", "message_not_found", "There is no such message.");
    const struct chat_place place = {what->chat_id, what->reply_to};
    rc = chat_find_message(call, &place, look.last_seq, &json);
    if (rc == 0)
        rc = chat_decode_message(json, call->arena, &root, call->err);
    if (rc == 0)
        *ret_thread = root.thread_id != 0 ? root.thread_id : root.seq;
    return rc;
}

static int take_allowance(struct chat_call *call)
{
    struct chat_room *room = call->room;
    if (room->send_limit.count == 0)
        return 0;
    return limit_take(room->kit->kv, &room->send_limit,
                      slice_of((const char *)call->user.bytes, sizeof call->user.bytes),
                      call->headers, call->err);
}

/* Encodes all but the number on the caller's thread: the writer only puts the digits in. */
static int draft_message(struct send *send)
{
    struct chat_call *call = send->call;
    const struct chat_send *what = send->what;
    static struct slice nothing[1]; /* an empty list, not an absent one */
    struct chat_message message = {.id = id_new(call->room->clock),
                                   .chat_id = what->chat_id,
                                   .sender_id = call->user,
                                   .client_id = what->client_id,
                                   .text = what->text,
                                   .reply_to = what->reply_to,
                                   .attachments = {nothing, 0},
                                   .reactions = {nothing, 0}};
    message.created_at = id_time_ms(&message.id);
    int rc = what->reply_to != 0 ? find_thread(call, what, &message.thread_id) : 0;
    if (rc != 0)
        return rc;
    struct buf buf;
    buf_init(&buf, MESSAGE_BYTES_MAX);
    if (buf_reserve(&buf, what->text.len + 512))
        schema_encode(&chat_message_schema, &message, &buf);
    char *room = buf_ok(&buf) ? arena_alloc(call->arena, SEQ_ROOM + buf.len) : NULL;
    if (room != NULL) {
        memcpy(room + SEQ_ROOM, buf.ptr, buf.len);
        send->draft = slice_of(room + SEQ_ROOM, buf.len);
        send->key = (struct message_key){
            .chat = what->chat_id, .sender = call->user, .at_ms = message.created_at};
        panic_if(!chat_scan_client_id(send->draft, &send->key.client_id),
                 "chat_scan_client_id does not know chat_message_schema");
        message_store_hash(call->room->messages, &send->key);
    }
    buf_done(&buf);
    if (room == NULL)
        return error_set(call->err, FAIL_TOO_LARGE, "message_too_large",
                         "The message is too large.");
    return 0;
}

static int check_repeat(struct send *send)
{
    struct chat_message message;
    int rc = chat_decode_message(send->result, send->call->arena, &message, send->call->err);
    if (rc != 0)
        return rc;
    struct slice text = send->sent_text.ptr != NULL ? send->sent_text : message.text;
    if (message.deleted_at != 0 || slice_eq(text, send->what->text))
        return 0;
    return error_set(send->call->err, FAIL_CONFLICT, "client_id_reused",
                     "You have sent another text with this client_id to this chat.");
}

static int before(struct send *send)
{
    int rc = take_allowance(send->call);
    return rc == 0 ? draft_message(send) : rc;
}

static int after(struct send *send, int rc)
{
    if (rc == 0 && send->repeated)
        return check_repeat(send);
    if (rc == 0)
        metric_add(send->call->room->sent, 1);
    return rc;
}

int chat_send(struct chat_call *call, const struct chat_send *what, struct slice *ret_json)
{
    struct send send = {.call = call, .what = what};
    int rc = before(&send);
    if (rc == 0)
        rc = after(&send, db_write(call->room->db, send_tx, &send, call->err));
    if (rc == 0)
        *ret_json = send.result;
    return rc;
}

static void sent(void *arg, int rc)
{
    struct send *send = arg;
    rc = after(send, rc);
    send->done(send->done_arg, rc, rc == 0 ? send->result : (struct slice){0});
}

int chat_send_later(struct chat_call *call, const struct chat_send *what, chat_sent_fn *done,
                    void *arg)
{
    struct send *send = arena_alloc(call->arena, sizeof *send);
    if (send == NULL)
        return error_set(call->err, FAIL_TOO_LARGE, "too_large", "The request is too large.");
    *send = (struct send){.call = call, .what = what, .done = done, .done_arg = arg};
    static const struct db_work work = {send_tx, send_ahead, sent};
    int rc = before(send);
    return rc == 0 ? db_write_later(call->room->db, call->arena, &work, send, call->err) : rc;
}
