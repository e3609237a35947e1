/* See world.h. */
#include "world.h"

#include "http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PASSWORD "Quiet-River-Bench-17"
#define SETUP_CONNECTIONS 16
#define MEMBERS_PER_CALL 50
#define GROUP_MEMBERS 100

struct sign_in {
    struct world *world;
    const size_t *which; /* NULL: account i is request i */
    size_t *missing, missing_count;
};

static void make_signup(void *arg, size_t i, struct text *out)
{
    char body[160];
    (void)arg;
    snprintf(body, sizeof body, "{\"username\":\"bench%06zu\",\"password\":\"" PASSWORD "\"}", i);
    http_request(out, "POST", "/api/v1/auth/signup", NULL, body);
}

static void make_login(void *arg, size_t i, struct text *out)
{
    struct sign_in *s = arg;
    char body[160];
    snprintf(body, sizeof body, "{\"login\":\"bench%06zu\",\"password\":\"" PASSWORD "\"}",
             s->which ? s->which[i] : i);
    http_request(out, "POST", "/api/v1/auth/login", NULL, body);
}

static void take_account(struct sign_in *s, size_t i, const struct http_answer *answer)
{
    struct account *account = &s->world->accounts[i];
    account->token = piece_copy(json_member(answer->body, "access_token"));
    account->id = piece_copy(json_member(json_member(answer->body, "user"), "id"));
    if (strlen(account->id) != 36)
        die("no user id in %.*s", (int)answer->body.len, answer->body.data);
}

static void signed_up(void *arg, size_t i, const struct http_answer *answer)
{
    struct sign_in *s = arg;
    if (answer->status == 201)
        take_account(s, i, answer);
    else if (answer->status == 409 || answer->status == 202)
        s->missing[s->missing_count++] = i;
    else
        die("sign-up: %u %.*s", answer->status, (int)answer->body.len, answer->body.data);
}

static void signed_in(void *arg, size_t i, const struct http_answer *answer)
{
    struct sign_in *s = arg;
    size_t account = s->which ? s->which[i] : i;
    if (answer->status == 200)
        take_account(s, account, answer);
    else if (answer->status == 401 || answer->status == 403) /* not there, or still pending */
        s->missing[s->missing_count++] = account;
    else
        die("sign-in: %u %.*s", answer->status, (int)answer->body.len, answer->body.data);
}

void world_init(struct world *w, const char *server, size_t accounts)
{
    *w = (struct world){.server = server, .account_count = accounts};
    w->accounts = calloc(accounts, sizeof *w->accounts);
    size_t *missing = calloc(accounts, sizeof *missing);
    size_t *which = calloc(accounts, sizeof *which);
    if (!w->accounts || !missing || !which)
        die("out of memory");
    struct sign_in s = {.world = w, .missing = missing};
    struct http_batch batch = {accounts, SETUP_CONNECTIONS, make_signup, signed_up, &s};
    http_batch_run(&batch, server);
    for (unsigned tries = 0; s.missing_count; tries++) {
        if (tries == 20)
            die("%zu accounts cannot sign in", s.missing_count);
        if (tries)
            usleep(500000);
        memcpy(which, missing, s.missing_count * sizeof *which);
        batch = (struct http_batch){s.missing_count, SETUP_CONNECTIONS, make_login, signed_in, &s};
        s.which = which;
        s.missing_count = 0;
        http_batch_run(&batch, server);
    }
    free(missing);
    free(which);
}

void world_free(struct world *w)
{
    for (size_t i = 0; i < w->account_count; i++) {
        free(w->accounts[i].id);
        free(w->accounts[i].token);
    }
    free(w->accounts);
}

struct direct_chats {
    struct world *world;
    const size_t (*pairs)[2];
    char **ids;
};

static void make_direct(void *arg, size_t i, struct text *out)
{
    struct direct_chats *d = arg;
    char body[160];
    snprintf(body, sizeof body, "{\"kind\":\"direct\",\"member_ids\":[\"%s\"]}",
             d->world->accounts[d->pairs[i][1]].id);
    http_request(out, "POST", "/api/v1/chats", d->world->accounts[d->pairs[i][0]].token, body);
}

static void made_direct(void *arg, size_t i, const struct http_answer *answer)
{
    struct direct_chats *d = arg;
    if (answer->status != 201 && answer->status != 200)
        die("direct chat: %u %.*s", answer->status, (int)answer->body.len, answer->body.data);
    d->ids[i] = piece_copy(json_member(answer->body, "id"));
}

void world_direct_chats(struct world *w, const size_t (*pairs)[2], size_t count, char **ret_ids)
{
    struct direct_chats d = {w, pairs, ret_ids};
    http_batch_run(&(struct http_batch){count, SETUP_CONNECTIONS, make_direct, made_direct, &d},
                   w->server);
}

/* "id","id",... of accounts from..to (exclusive). */
static void add_ids(struct text *body, const struct world *w, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++)
        text_printf(body, "%s\"%s\"", i == from ? "" : ",", w->accounts[i].id);
}

static char *make_chat(struct world *w, const char *kind, size_t owner, size_t from, size_t to)
{
    struct text body = {0};
    char *answer;
    text_printf(&body, "{\"kind\":\"%s\",\"title\":\"bench\",\"member_ids\":[", kind);
    add_ids(&body, w, from, to);
    text_printf(&body, "]}");
    unsigned status =
        http_call(w->server, "POST", "/api/v1/chats", w->accounts[owner].token, body.data, &answer);
    if (status != 201)
        die("chat: %u %s", status, answer);
    char *id = piece_copy(json_member((struct piece){answer, strlen(answer)}, "id"));
    free(answer);
    text_free(&body);
    return id;
}

static void add_members(struct world *w, const char *chat, size_t owner, size_t from, size_t to)
{
    struct text body = {0}, path = {0};
    char *answer;
    text_printf(&path, "/api/v1/chats/%s/members", chat);
    text_printf(&body, "{\"user_ids\":[");
    add_ids(&body, w, from, to);
    text_printf(&body, "]}");
    unsigned status =
        http_call(w->server, "POST", path.data, w->accounts[owner].token, body.data, &answer);
    if (status < 200 || status > 204)
        die("members: %u %s", status, answer);
    free(answer);
    text_free(&body);
    text_free(&path);
}

static char *chat_with(struct world *w, const char *kind, size_t owner, size_t from, size_t to)
{
    size_t first = to - from < MEMBERS_PER_CALL ? to : from + MEMBERS_PER_CALL;
    char *id = make_chat(w, kind, owner, from, first);
    for (size_t at = first; at < to; at += MEMBERS_PER_CALL)
        add_members(w, id, owner, at, to - at < MEMBERS_PER_CALL ? to : at + MEMBERS_PER_CALL);
    return id;
}

char *world_channel(struct world *w, const char *kind, size_t members)
{
    return chat_with(w, kind, 0, 1, members + 1);
}

void world_groups(struct world *w, unsigned each)
{
    char *answer;
    if (w->account_count % GROUP_MEMBERS)
        die("idle wants a multiple of %d sockets", GROUP_MEMBERS);
    unsigned status =
        http_call(w->server, "GET", "/api/v1/chats?limit=1", w->accounts[0].token, NULL, &answer);
    if (status != 200)
        die("chats: %u %s", status, answer);
    struct piece items = json_member((struct piece){answer, strlen(answer)}, "items");
    bool filled = items.len > 2;
    free(answer);
    for (size_t at = 0; !filled && at < w->account_count; at += GROUP_MEMBERS) {
        for (unsigned i = 0; i < each; i++)
            free(chat_with(w, "group", at, at + 1, at + GROUP_MEMBERS));
    }
}
