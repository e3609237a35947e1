/* The chain of the audit log: its hash, and appending to it; for kit/audit*.c and the relay. */
#ifndef PARLEY_KIT_AUDIT_CHAIN_H
#define PARLEY_KIT_AUDIT_CHAIN_H

#include "kit/audit.h"

/* Of the row and the hash before it (32 zero bytes for the first). Every field goes in with its
 * length, absent ones apart from empty ones: no two rows give the same bytes. */
void audit_hash(const uint8_t before[AUDIT_HASH_BYTES], const struct audit_row *row,
                uint8_t ret_hash[AUDIT_HASH_BYTES]);
/* Inside db_write on the main database: sets row->seq and appends. */
int audit_append(struct db_tx *tx, struct audit_row *row, struct error *err) MUSTCHECK;

#endif
