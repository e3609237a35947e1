#include "app/control_records.h"

#include <inttypes.h>

#include "gateway/admin.h"
#include "kit/audit.h"
#include "kit/dead_letter.h"

enum { LETTERS_SHOWN = 100, ARENA_BYTES_MAX = 16 << 20 };

/* --- the audit log -----------------------------------------------------------------------------
 */

/* "12:<64 digits>", as audit verify prints it. */
static bool read_mark(struct slice text, struct audit_mark *ret_mark)
{
    struct slice number;
    uint64_t seq;
    if (!slice_cut(&text, ':', &number) || !slice_to_u64(number, &seq) || seq > INT64_MAX ||
        text.len != AUDIT_HASH_TEXT)
        return false;
    ret_mark->seq = (int64_t)seq;
    return copy_str(ret_mark->hash, sizeof ret_mark->hash, text);
}

int control_audit_verify(struct control_call *call, struct error *err)
{
    struct audit_mark kept, end;
    bool given = call->arg_count == 1;
    if (given && !read_mark(slice_str(call->args[0]), &kept))
        return error_field(err, "mark", "invalid_mark",
                           "A mark is what an earlier audit verify printed: NUMBER:HASH.");
    int rc = audit_verify(call->kit, given ? &kept : NULL, &end, err);
    if (rc == 0)
        buf_printf(call->out, "the audit log is whole: %" PRId64 " entries\n%" PRId64 ":%s\n",
                   end.seq, end.seq, end.hash);
    return rc;
}

/* --- dead letters ------------------------------------------------------------------------------
 */

static void print_letter(const struct dead_letter *letter, struct buf *out)
{
    char id[ID_TEXT_LEN + 1], at[TIME_TEXT_LEN + 1];
    id_format(&letter->id, id);
    time_format(letter->created_at, at);
    buf_printf(out, "%s  %s  %.*s  %.*s at %.*s, %" PRId64 " attempts: %.*s\n", id, at,
               SLICE_FMT(letter->consumer), SLICE_FMT(letter->event_type),
               SLICE_FMT(letter->event_pos), letter->attempts, SLICE_FMT(letter->error));
}

int control_dead_letters_list(struct control_call *call, struct error *err)
{
    struct cursor newest = {0};
    struct dead_letter *letters = NULL;
    struct arena arena;
    size_t count = 0;
    arena_init(&arena, ARENA_BYTES_MAX);
    int rc = dead_letter_list(call->kit, &newest, LETTERS_SHOWN, &arena, &letters, &count, err);
    for (size_t i = 0; rc == 0 && i < count && i < LETTERS_SHOWN; i++)
        print_letter(&letters[i], call->out);
    if (rc == 0 && count == 0)
        buf_lit(call->out, "there are no dead letters\n");
    if (rc == 0 && count > LETTERS_SHOWN)
        buf_printf(call->out, "these are the newest %d; there are more\n", LETTERS_SHOWN);
    arena_done(&arena);
    return rc;
}

typedef int letter_fn(struct kit *kit, const struct id *actor, const struct id *letter,
                      struct slice correlation_id, struct arena *arena, struct error *err);

static int take(struct control_call *call, letter_fn *fn, const char *said, struct error *err)
{
    struct id letter;
    struct arena arena;
    if (!id_parse(slice_str(call->args[0]), &letter))
        return error_field(err, "id", "invalid_id", "%s is no id of a dead letter.", call->args[0]);
    arena_init(&arena, ARENA_BYTES_MAX);
    int rc = fn(call->kit, NULL, &letter, (struct slice){0}, &arena, err);
    if (rc == 0)
        buf_printf(call->out, "%s %s\n", call->args[0], said);
    arena_done(&arena);
    return rc;
}

int control_dead_letters_requeue(struct control_call *call, struct error *err)
{
    return take(call, admin_requeue, "was handled by its consumer and is gone", err);
}

int control_dead_letters_discard(struct control_call *call, struct error *err)
{
    return take(call, admin_discard, "is thrown away", err);
}
