#include "service/post/post.h"

static const char *const post_needs[] = {"social", "user", NULL};

const struct module post_module = {
    .name = "post",
    .needs = post_needs,
};
