/* Addresses by which people can be reached: e-mail and telephone. Pure functions. */
#ifndef PARLEY_KIT_CONTACT_H
#define PARLEY_KIT_CONTACT_H

#include "base/arena.h"

#define CONTACT_EMAIL_MAX 254 /* RFC 5321 section 4.5.3.1.3, without the brackets */

/* What two ways of writing an e-mail address have in common: NFKC, case-folded, without invisible
 * characters. Absent slice when the text is no address, or the arena is full. */
struct slice contact_email_key(struct slice text, struct arena *arena) MUSTCHECK;
/* E.164: '+' and 7 to 15 digits. */
bool contact_is_phone(struct slice text) MUSTCHECK;

#endif
