/* The door to people's mailboxes and phones: one message to one address, handed over or refused.
 *
 * An engine takes a message over for good: 0 means that the sender may forget it. Whoever must not
 * lose one keeps it in a table until then and tries again (service/auth/auth_letter.c); so an
 * engine keeps no queue of its own. Embedded engine: the spool, files that a developer can read.
 * An SMTP relay and an SMS provider stand behind the same door.
 */
#ifndef PARLEY_ENGINE_MAILER_H
#define PARLEY_ENGINE_MAILER_H

#include "base/buf.h"
#include "base/clock.h"
#include "base/error.h"
#include "io/offload.h"

enum mailer_channel { MAILER_EMAIL, MAILER_SMS };
extern const char *const mailer_channel_names[]; /* "email" "sms" NULL */

#define MAILER_TO_MAX 320      /* bytes */
#define MAILER_SUBJECT_MAX 200 /* bytes; an SMS has none */
#define MAILER_TEXT_MAX 65536  /* bytes */

struct mailer_message {
    enum mailer_channel channel;
    struct slice to;      /* e-mail address, or E.164 number */
    struct slice subject; /* one line */
    struct slice text;    /* UTF-8; lines end in \n */
};

struct mailer;
struct mailer_ops {
    /* From a coroutine it parks, outside it blocks; never the loop. FAIL_INVALID
     * "invalid_message": no use in trying again. FAIL_UNAVAILABLE, FAIL_STORAGE_FULL and others:
     * later perhaps. */
    int (*send)(struct mailer *mailer, const struct mailer_message *message, struct error *err);
    void (*close)(struct mailer *mailer);
};
struct mailer {
    const struct mailer_ops *ops;
};

/* FAIL_INVALID "invalid_message" when a part is missing, too long, no UTF-8, or has control
 * characters that could begin another header. For engines, before they do anything. */
int mailer_check(const struct mailer_message *message, struct error *err) MUSTCHECK;
/* Appends the message as RFC 5322 text: headers, encoded words (RFC 2047) where they are needed,
 * quoted-printable body where 7 bits do not do. `from` is an address; `id` becomes the Message-ID
 * at its domain. The message has been checked. */
void mailer_write_email(const struct mailer_message *message, struct slice from, struct slice id,
                        int64_t wall_ms, struct buf *out);

struct mailer_spool_config {
    const char *folder; /* made when missing; mode 0700 */
    struct slice from;  /* copied */
    const struct clock *clock;
    struct offload *pool; /* for the file work; NULL: the calling thread */
    unsigned files_max;   /* 1..; the oldest go first */
    int64_t age_max_ms;   /* older ones go; 0: no limit */
};
/* One file a message, .eml for e-mail and .txt for SMS, named by time so that the newest sorts
 * last; complete when it has its name. */
int mailer_spool_open(const struct mailer_spool_config *config, struct mailer **ret_mailer,
                      struct error *err) MUSTCHECK;

#endif
