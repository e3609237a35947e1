/* The actions on what is on record: the audit log and dead letters. */
#ifndef PARLEY_APP_CONTROL_RECORDS_H
#define PARLEY_APP_CONTROL_RECORDS_H

#include "app/control.h"

int control_audit_verify(struct control_call *call, struct error *err);
int control_dead_letters_list(struct control_call *call, struct error *err);
int control_dead_letters_requeue(struct control_call *call, struct error *err);
int control_dead_letters_discard(struct control_call *call, struct error *err);

#endif
