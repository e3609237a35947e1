#include "service/story/story.h"

static const char *const story_needs[] = {"social", "user", NULL};

const struct module story_module = {
    .name = "story",
    .needs = story_needs,
};
