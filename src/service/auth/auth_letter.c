#include "service/auth/auth_letter.h"

#include "base/log.h"
#include "kit/emit.h"
#include "service/auth/auth_code.h"
#include "service/auth/auth_room.h"
#include "service/auth/auth_store_account.h"

enum {
    ATTEMPTS_MAX = 8,
    RETRY_MS = 5000, /* doubled each time */
    LOOK_MS = 5000,  /* for what a crash has left, or whose time to try again has come */
    TEXT_BYTES_MAX = 4096
};
#define LETTER_AGE_MAX_MS INT64_C(3600000)
#define MINUTE_MS INT64_C(60000)

/* Whoever asks is limited by the login that they type; an account has up to three of them. Only
 * here is it known that they are one's, and nobody who asked learns what becomes of it. */
static const struct limit_rule resets = {"reset-letters", LIMIT_WINDOW, 5, 15 * MINUTE_MS,
                                         "too_many_codes"};
static const struct limit_rule resets_day = {"reset-letters-day", LIMIT_WINDOW, 20,
                                             24 * 60 * MINUTE_MS, "too_many_codes"};

/* One per kind. */
static const struct {
    const char *name, *subject;
    const char *text;               /* %s: the username; with a purpose a second one for the code */
    enum auth_code_purpose purpose; /* 0: without a code */
} letters[] = {
    [AUTH_LETTER_VERIFY_EMAIL] = {"verify_email", "Your code for Parley",
                                  "Hello %s,\n\nthis code shows that you read this mailbox:\n\n"
                                  "    %s\n\nIt serves once, within ten minutes. If you have not "
                                  "asked for it, nothing needs to be done.\n",
                                  AUTH_CODE_VERIFY_EMAIL},
    [AUTH_LETTER_VERIFY_PHONE] = {"verify_phone", "Your code for Parley",
                                  "Parley: the code for %s is %s. It serves once, within ten "
                                  "minutes.",
                                  AUTH_CODE_VERIFY_PHONE},
    [AUTH_LETTER_RESET] = {"reset", "A new password for Parley",
                           "Hello %s,\n\nwith this code you can set a new password:\n\n    %s\n\n"
                           "It serves once, within ten minutes. If you have not asked for it, "
                           "nothing needs to be done: without it the password stays as it is.\n",
                           AUTH_CODE_RESET},
    [AUTH_LETTER_PASSWORD_CHANGED] = {"password_changed", "Your password was changed",
                                      "Hello %s,\n\nthe password of your Parley account was "
                                      "changed just now. If that was not you, ask for a new "
                                      "password at once, and end the sessions that you do not "
                                      "know.\n",
                                      0},
    [AUTH_LETTER_ADDRESS_CHANGED] =
        {"address_changed", "This address is no longer yours at Parley",
         "Hello %s,\n\nyour Parley account has another address from now "
         "on, or none, instead of this one. If that was not you, "
         "somebody knows your password: ask whoever runs the server.\n",
         0},
};

static void wake(void *room, const struct id *letter)
{
    (void)letter;
    atomic_store(&((struct auth *)room)->letters_due, true);
}

int auth_letter_queue(struct auth *auth, struct db_tx *tx, struct auth_letter letter,
                      struct error *err)
{
    letter.id = id_new(auth->kit->clock);
    letter.created_at = auth_now(auth);
    int rc = auth_store_insert_letter(tx, &letter, err);
    return rc < 0 ? rc : kit_after_commit(tx, wake, auth, &letter.id, err);
}

/* --- sending -----------------------------------------------------------------------------------
 */

struct post {
    struct auth *auth;
    struct arena arena;
    int64_t now_ms;
    struct auth_letter letter;
    bool found;   /* a letter is due */
    bool nobody;  /* there is none to whom it could go */
    bool limited; /* the account has had its share of codes */
    struct auth_account account;
    enum auth_channel channel;
    char code[AUTH_CODE_DIGITS + 1];
    int64_t retry_ms;
};

static int find_account(struct post *p, struct db_tx *tx, struct error *err)
{
    const struct auth_letter *l = &p->letter;
    bool found = false;
    int rc = id_is_nil(&l->user)
                 ? auth_store_find_account(tx, l->login_kind, l->login_key, &p->arena, &p->account,
                                           &found, err)
                 : auth_store_get_account(tx, &l->user, &p->arena, &p->account, &found, err);
    bool disabled = found && !p->account.is_active && p->account.deactivated_at == 0;
    p->nobody = !found || disabled || p->now_ms - l->created_at > LETTER_AGE_MAX_MS;
    return rc;
}

/* The channel that was asked for, or that the login names; else whichever there is. */
static void choose_channel(struct post *p)
{
    const struct auth_letter *l = &p->letter;
    if (l->kind == AUTH_LETTER_ADDRESS_CHANGED) {
        p->channel = l->login_kind == AUTH_BY_EMAIL ? AUTH_CHANNEL_EMAIL : AUTH_CHANNEL_PHONE;
        p->account.email = p->account.phone = l->login_key;
        return;
    }
    bool by_login = l->kind == AUTH_LETTER_RESET && l->login_kind == AUTH_BY_PHONE;
    bool phone = l->kind == AUTH_LETTER_VERIFY_PHONE || by_login ||
                 (l->kind != AUTH_LETTER_VERIFY_EMAIL && p->account.email_key.ptr == NULL);
    p->channel = phone ? AUTH_CHANNEL_PHONE : AUTH_CHANNEL_EMAIL;
    p->nobody = p->nobody || auth_address(&p->account, p->channel).ptr == NULL;
}

/* The next letter, and whose it is. */
static int look_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct post *p = arg;
    int rc = auth_store_due_letter(tx, p->now_ms, &p->arena, &p->letter, &p->found, err);
    return rc == 0 && p->found ? find_account(p, tx, err) : rc;
}

/* A letter that the mailer did not take has been counted before. */
static void take_share(struct post *p)
{
    struct slice key = slice_of((const char *)p->account.user.bytes, sizeof p->account.user.bytes);
    struct kv *kv = p->auth->kit->kv;
    struct error ignored;
    error_init(&ignored);
    p->limited = !p->nobody && p->letter.kind == AUTH_LETTER_RESET && p->letter.attempts == 0 &&
                 (limit_take(kv, &resets, key, NULL, &ignored) < 0 ||
                  limit_take(kv, &resets_day, key, NULL, &ignored) < 0);
}

/* Its code counts from here on. */
static int open_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct post *p = arg;
    int rc = find_account(p, tx, err);
    if (rc == 0 && !p->nobody)
        choose_channel(p);
    if (rc < 0 || p->nobody || letters[p->letter.kind].purpose == 0)
        return rc;
    auth_code_make(p->code);
    return auth_code_put(tx, p->auth->code_key, &p->account, letters[p->letter.kind].purpose,
                         p->channel, p->code, p->now_ms, err);
}

static int hand_over(struct post *p, struct error *err)
{
    struct mailer *mailer = p->auth->kit->mailer;
    struct buf text;
    bool email = p->channel == AUTH_CHANNEL_EMAIL;
    buf_init(&text, TEXT_BYTES_MAX);
    struct slice name = p->account.username, rest = slice_str(letters[p->letter.kind].text);
    const struct slice parts[] = {name, slice_str(p->code)};
    for (size_t i = 0; rest.len > 0; i++) {
        struct slice before;
        bool more = slice_cut(&rest, '%', &before);
        buf_slice(&text, before);
        if (!more)
            break;
        buf_slice(&text, parts[i < ARRAY_LEN(parts) ? i : 1]);
        rest = slice_of(rest.ptr + 1, rest.len - 1);
    }
    struct mailer_message message = {.channel = email ? MAILER_EMAIL : MAILER_SMS,
                                     .to = email ? p->account.email : p->account.phone,
                                     .subject = slice_str(letters[p->letter.kind].subject),
                                     .text = buf_view(&text)};
    int rc = mailer->ops->send(mailer, &message, err);
    buf_done(&text);
    return rc;
}

static int close_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct post *p = arg;
    return p->retry_ms > 0
               ? auth_store_delay_letter(tx, &p->letter.id, p->now_ms + p->retry_ms, err)
               : auth_store_delete_letter(tx, &p->letter.id, err);
}

static void account_for(struct post *p, int rc, const struct error *sent)
{
    const char *name = letters[p->letter.kind].name;
    const char *channel = mailer_channel_names[p->channel == AUTH_CHANNEL_EMAIL ? 0 : 1];
    if (p->nobody)
        metric_add(p->auth->letters[AUTH_LETTER_NOBODY], 1);
    else if (p->limited)
        metric_add(p->auth->letters[AUTH_LETTER_LIMITED], 1);
    else if (rc == 0) {
        metric_add(p->auth->letters[AUTH_LETTER_SENT], 1);
        log_info("letter sent", LOG_S("kind", name), LOG_S("channel", channel));
    } else if (p->retry_ms == 0) {
        metric_add(p->auth->letters[AUTH_LETTER_GIVEN_UP], 1);
        log_error("letter given up", LOG_S("kind", name), LOG_S("channel", channel),
                  LOG_S("code", sent->code), LOG_S("detail", sent->detail));
    } else {
        metric_add(p->auth->letters[AUTH_LETTER_DELAYED], 1);
        log_warn("letter delayed", LOG_S("kind", name), LOG_S("channel", channel),
                 LOG_S("code", sent->code), LOG_S("detail", sent->detail));
    }
}

/* *ret_more: there was one. Mostly none is, and then nothing is written. */
static int send_next(struct auth *auth, bool *ret_more, struct error *err)
{
    struct post p = {.auth = auth, .now_ms = auth_now(auth)};
    struct error sent;
    error_init(&sent);
    arena_init(&p.arena, 1 << 16);
    int rc = db_read(auth->db, look_tx, &p, err);
    if (rc == 0 && p.found)
        take_share(&p);
    if (rc == 0 && p.found && !p.nobody && !p.limited)
        rc = db_write(auth->db, open_tx, &p, err);
    *ret_more = rc == 0 && p.found;
    if (*ret_more) {
        int done = p.nobody || p.limited ? 0 : hand_over(&p, &sent);
        if (done < 0 && done != FAIL_INVALID && p.letter.attempts + 1 < ATTEMPTS_MAX)
            p.retry_ms = (int64_t)RETRY_MS << p.letter.attempts;
        rc = db_write(auth->db, close_tx, &p, err);
        account_for(&p, done, &sent);
    }
    explicit_bzero(p.code, sizeof p.code);
    arena_done(&p.arena);
    return rc;
}

int auth_send_letters(void *room, struct error *err)
{
    struct auth *auth = room;
    int64_t now_ms = clock_mono_ms(auth->kit->clock);
    if (!atomic_exchange(&auth->letters_due, false) && now_ms < auth->letters_look_ms)
        return 0;
    auth->letters_look_ms = now_ms + LOOK_MS;
    bool more = true;
    int rc = 0;
    while (rc == 0 && more)
        rc = send_next(auth, &more, err);
    return rc;
}
