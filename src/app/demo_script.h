/* What the demo's people say: data only. */
#ifndef PARLEY_APP_DEMO_SCRIPT_H
#define PARLEY_APP_DEMO_SCRIPT_H

#include <stddef.h>

struct demo_person {
    const char *username, *full_name;
};
extern const struct demo_person demo_people[];
extern const size_t demo_people_count;

struct demo_line {
    int speaker; /* index into the chat's people */
    int pause_s; /* since the line before */
    const char *text;
    int reply_to;      /* line number from 1; 0: none */
    const char *emoji; /* a reaction of the next speaker in the list; NULL: none */
};
struct demo_chat {
    int kind; /* enum chat_kind */
    const char *title;
    int people[20];  /* indexes into demo_people, the first is the owner; ended by -1 */
    double days_ago; /* when it begins */
    int repeats;     /* how often the lines are said, to make a long history; at least 1 */
    const struct demo_line *lines;
    size_t line_count;
};
extern const struct demo_chat demo_chats[];
extern const size_t demo_chat_count;

#define DEMO_PASSWORD "parley-demo"

#endif
