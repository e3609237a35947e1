#include "app/roles.h"

#include "gateway/admin.h"
#include "gateway/operations.h"
#include "realtime/realtime.h"
#include "service/auth/auth.h"
#include "service/calendar/calendar.h"
#include "service/chat/chat.h"
#include "service/post/post.h"
#include "service/signal/signal.h"
#include "service/social/social.h"
#include "service/story/story.h"
#include "service/user/user.h"

const struct module *const all_modules[] = {
    &operations_module, &realtime_module, &social_module, &user_module,
    &auth_module,       &chat_module,     &post_module,   &story_module,
    &calendar_module,   &signal_module,   &admin_module,  NULL,
};
const size_t all_module_count = ARRAY_LEN(all_modules) - 1;
