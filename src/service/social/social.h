/* Who follows, asks to follow, blocks and mutes whom, and what people report (S01, F05).
 *
 * The door sign of the room: its rules, callable from routes, jobs and tests alike. The calls for
 * other rooms are in contract/social.h. All may wait. Somebody unknown, or who has blocked the
 * asking person, gives FAIL_NOT_FOUND "user_not_found". Somebody whose account is switched off
 * gives it to whoever looks at or follows them or lets them in; a relation to them can be ended all
 * the same, and they can be blocked and muted. Words, invariants and tables: README.md beside this
 * file.
 */
#ifndef PARLEY_SERVICE_SOCIAL_H
#define PARLEY_SERVICE_SOCIAL_H

#include "contract/social.h"
#include "kit/module.h"

enum { SOCIAL_REPORT_CHARS_MAX = 1000 };

struct social_room;
extern const struct module social_module;

struct social_call {
    struct social_room *room;
    struct id user;              /* who asks */
    bool moderates;              /* sees accounts that are switched off */
    struct slice correlation_id; /* may be absent */
    /* If-Match: negative when the resource in this JSON is not the one that the caller has seen.
     * NULL: not asked for. Called on the writer's thread while the caller waits. */
    int (*unchanged)(struct social_call *call, struct slice current_json);
    void *unchanged_arg;
    struct error *err;
};

/* How the asking person stands to somebody: the resource of the API. */
struct social_relationship {
    struct id user_id;
    struct social_relation relation;
    int64_t follower_count, following_count; /* of that somebody */
};

/* --- follow, block, mute (social.c, social_block.c) ------------------------------------------- */
/* Sets or ends it; done again it changes nothing. All give how the two stand then. */
typedef int social_change_fn(struct social_call *call, const struct id *target,
                             struct social_relationship *ret);
int social_get(struct social_call *call, const struct id *target,
               struct social_relationship *ret) MUSTCHECK;
/* A private account is asked. 422 self_follow, too_many_follows; 409 blocking. */
int social_follow(struct social_call *call, const struct id *target,
                  struct social_relationship *ret) MUSTCHECK;
/* Takes a request back as well. */
int social_unfollow(struct social_call *call, const struct id *target,
                    struct social_relationship *ret) MUSTCHECK;
/* Ends follows and requests both ways. 422 self_block, too_many_blocks. */
int social_block(struct social_call *call, const struct id *target,
                 struct social_relationship *ret) MUSTCHECK;
int social_unblock(struct social_call *call, const struct id *target,
                   struct social_relationship *ret) MUSTCHECK;
/* 422 self_mute, too_many_mutes. */
int social_mute(struct social_call *call, const struct id *target,
                struct social_relationship *ret) MUSTCHECK;
int social_unmute(struct social_call *call, const struct id *target,
                  struct social_relationship *ret) MUSTCHECK;
/* Answers somebody's request; 404 request_not_found when they have not asked. Accepting somebody
 * who follows already, and refusing somebody who has not asked, change nothing. */
int social_accept(struct social_call *call, const struct id *asker) MUSTCHECK;
int social_refuse(struct social_call *call, const struct id *asker) MUSTCHECK;

/* --- reports (social_report.c) ---------------------------------------------------------------- */
enum social_subject {
    SOCIAL_SUBJECT_USER,
    SOCIAL_SUBJECT_POST,
    SOCIAL_SUBJECT_COMMENT,
    SOCIAL_SUBJECT_MESSAGE,
    SOCIAL_SUBJECT_STORY,
    SOCIAL_SUBJECT_EVENT,
    SOCIAL_SUBJECT_TRADE_SIGNAL,
};
enum social_report_status { SOCIAL_REPORT_OPEN, SOCIAL_REPORT_RESOLVED, SOCIAL_REPORT_DISMISSED };
extern const char *const social_subject_names[], *const social_reason_names[],
                                                     *const social_report_status_names[];

struct social_report {
    struct id id, reporter_id; /* reporter nil: has deleted their account */
    int subject_kind;          /* enum social_subject */
    struct id subject_id;
    int reason;
    struct slice text; /* may be absent */
    int status;        /* enum social_report_status */
    struct slice note;
    struct id handled_by;
    int64_t handled_at, created_at;
};
struct social_report_new {
    int subject_kind;
    struct id subject_id;
    int reason;
    struct slice text;
};
/* 404 user_not_found (subject user), 409 already_reported, 422 self_report, too_many_reports. */
int social_report(struct social_call *call, const struct social_report_new *what,
                  struct social_report *ret) MUSTCHECK;
struct social_report_patch {
    uint64_t present;
    int status;
    struct slice note;
};
enum { SOCIAL_REPORT_PATCH_STATUS, SOCIAL_REPORT_PATCH_NOTE }; /* bits of present */
/* The next two for moderators. Text in the arena. 404 report_not_found. */
int social_report_get(struct social_call *call, const struct id *report, struct arena *arena,
                      struct social_report *ret) MUSTCHECK;
/* The act is in the audit log. 412 stale. */
int social_report_handle(struct social_call *call, const struct id *report,
                         const struct social_report_patch *patch, struct arena *arena,
                         struct social_report *ret) MUSTCHECK;
struct social_report_query {
    struct page_query page;
    uint64_t present;
    int status; /* when present; else any */
};
enum { SOCIAL_REPORT_QUERY_STATUS = 2 }; /* bit of present */
struct social_report_page {
    struct social_report *items;
    size_t count;
    bool more;
    struct cursor next;
};
/* Newest first. */
int social_reports(struct social_call *call, const struct social_report_query *query,
                   struct arena *arena, struct social_report_page *ret) MUSTCHECK;

#endif
