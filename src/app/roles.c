#include "app/roles.h"

#include "gateway/operations.h"
#include "realtime/realtime.h"
#include "service/auth/auth.h"
#include "service/chat/chat.h"
#include "service/user/user.h"

const struct module *const all_modules[] = {
    &operations_module, &realtime_module, &user_module, &auth_module, &chat_module, NULL,
};
const size_t all_module_count = ARRAY_LEN(all_modules) - 1;
