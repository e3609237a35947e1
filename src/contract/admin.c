#include "contract/admin.h"

const char *const admin_area_names[] = {"sagas", "dead_letters", "reports",
                                        "users", "signals",      NULL};

static const struct schema_field changed_fields[] = {
    {"what", "The list that is to be read again.", SCHEMA_ENUM, SCHEMA_REQUIRED,
     SCHEMA_AT(struct admin_changed, what), .names = admin_area_names},
};
SCHEMA_DEF(admin_changed_schema, struct admin_changed, "AdminChanged",
           "A list of the admin page has changed.", changed_fields);
const struct event_type admin_changed_event = {
    .name = "admin.changed",
    .client = true,
    .data = &admin_changed_schema,
    .doc = "For those who watch the topic admin: a list has changed.",
};
