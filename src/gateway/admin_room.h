/* What the files of the administration share; inside gateway/admin*.c only. */
#ifndef PARLEY_GATEWAY_ADMIN_ROOM_H
#define PARLEY_GATEWAY_ADMIN_ROOM_H

#include "gateway/admin.h"
#include "kit/paging.h"

struct admin {
    struct kit *kit;
    struct id node; /* this process, anew at each start */
    int64_t started_ms, started_mono_ms;
    int64_t sagas_keep_ms;
    const char *version;
    const char *address; /* "" until it listens */
    struct event_subscription subscription;
    struct timer telling;
    unsigned changed; /* bits of enum admin_area that wait to be told; first loop only */
};

/* To whoever watches; any loop thread, never inside db_write. */
void admin_tell(struct kit *kit, enum admin_area what);

struct admin_id_params {
    struct id id;
};
extern const struct schema admin_id_params_schema;

/* --- routes ------------------------------------------------------------------------------------
 */
extern const struct schema admin_users_query_schema, admin_user_patch_schema;
int admin_users_route(struct request *req);
int admin_user_patch_route(struct request *req);
int admin_sessions_route(struct request *req);
int admin_end_sessions_route(struct request *req);
int admin_dead_letters_route(struct request *req);
int admin_requeue_route(struct request *req);
int admin_discard_route(struct request *req);
extern const struct schema admin_sagas_query_schema, admin_audit_query_schema;
int admin_sagas_route(struct request *req);
int admin_audit_route(struct request *req);
extern const struct schema admin_node_schema, admin_connection_schema;
extern const struct schema admin_connections_query_schema, admin_connection_params_schema;
int admin_nodes_route(struct request *req);
int admin_connections_route(struct request *req);
int admin_close_connection_route(struct request *req);

#endif
