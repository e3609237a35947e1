/* Letters: what the room has to tell somebody by e-mail or SMS.
 *
 * A letter is a row, written in the transaction of what it is about, and it says what shall be
 * told, not in which words: a code is made when its letter is written, so that no table ever holds
 * one. A job sends them right after the commit, and those that a crash or a refusing provider left
 * behind later; a letter may come twice, never not at all within its time. */
#ifndef PARLEY_SERVICE_AUTH_LETTER_H
#define PARLEY_SERVICE_AUTH_LETTER_H

#include "service/auth/auth_store.h"

enum auth_letter_kind {
    AUTH_LETTER_VERIFY_EMAIL = 1,
    AUTH_LETTER_VERIFY_PHONE,
    AUTH_LETTER_RESET, /* to whoever has that login, if anybody */
    AUTH_LETTER_PASSWORD_CHANGED,
    AUTH_LETTER_ADDRESS_CHANGED, /* to the old one, which is login_key */
};

struct auth_letter {
    struct auth *auth; /* not stored */
    struct id id;
    enum auth_letter_kind kind;
    struct id user; /* nil: by login */
    enum auth_login_kind login_kind;
    struct slice login_key;
    int64_t attempts, created_at;
};

/* Inside db_write: queues the letter (id and created_at are set here); the job is woken when the
 * transaction has been committed. */
int auth_letter_queue(struct auth *auth, struct db_tx *tx, struct auth_letter letter,
                      struct error *err) MUSTCHECK;
/* Job: sends what is due. */
int auth_send_letters(void *room, struct error *err);

#endif
