#include "harness.h"

#include "net/route.h"

static struct route_tree *tree;
static struct route_match match;

static int find(enum http_method method, const char *path)
{
    return route_find(tree, method, slice_str(path), &match);
}

static void check_route(enum http_method method, const char *path, const char *route)
{
    int rc = find(method, path);
    if (rc != 0)
        test_fail(__FILE__, __LINE__, "%s gave %d", path, rc);
    else
        CHECK_STR(slice_str(match.route), route);
}

static void build(void)
{
    static const struct {
        enum http_method method;
        const char *pattern, *route;
    } routes[] = {
        {HTTP_GET, "/", "root"},
        {HTTP_GET, "/users", "list"},
        {HTTP_POST, "/users", "make"},
        {HTTP_GET, "/users/me", "me"},
        {HTTP_GET, "/users/{id}", "one"},
        {HTTP_PATCH, "/users/me", "change"},
        {HTTP_DELETE, "/users/{id}", "drop"},
        {HTTP_GET, "/users/{id}/posts", "posts"},
        {HTTP_GET, "/chats/{id}/messages/{seq}", "message"},
        {HTTP_PUT, "/chats/{id}/messages/{seq}/reactions/{emoji}", "react"},
        {HTTP_GET, "/files/{rest...}", "files"},
        {HTTP_GET, "/files/special", "special"},
        {HTTP_HEAD, "/users", "head"},
    };
    tree = route_tree_new();
    for (size_t i = 0; i < ARRAY_LEN(routes); i++)
        route_add(tree, routes[i].method, routes[i].pattern, routes[i].route);
}

TEST(literals_and_parameters)
{
    build();
    check_route(HTTP_GET, "/", "root");
    check_route(HTTP_GET, "/users", "list");
    check_route(HTTP_POST, "/users", "make");
    check_route(HTTP_GET, "/users/me", "me");
    CHECK_INT(match.param_count, 0);
    check_route(HTTP_GET, "/users/42", "one");
    CHECK_INT(match.param_count, 1);
    CHECK_STR(match.params[0], "42");
    check_route(HTTP_GET, "/users/me/posts", "posts");
    CHECK_STR(match.params[0], "me");
    check_route(HTTP_PUT, "/chats/a%20b/messages/7/reactions/%F0%9F%98%80", "react");
    CHECK_INT(match.param_count, 3);
    CHECK_STR(match.params[0], "a%20b");
    CHECK_STR(match.params[2], "%F0%9F%98%80");
    route_tree_free(tree);
}

TEST(method_of_a_less_exact_pattern_counts)
{
    build();
    check_route(HTTP_DELETE, "/users/me", "drop");
    CHECK_STR(match.params[0], "me");
    route_tree_free(tree);
}

TEST(rest_takes_the_remainder)
{
    build();
    check_route(HTTP_GET, "/files/a/b//c", "files");
    CHECK_STR(match.params[0], "a/b//c");
    check_route(HTTP_GET, "/files/", "files");
    CHECK_STR(match.params[0], "");
    check_route(HTTP_GET, "/files/special", "special");
    check_route(HTTP_GET, "/files/special/x", "files");
    CHECK_STR(match.params[0], "special/x");
    CHECK_INT(find(HTTP_GET, "/files"), FAIL_NOT_FOUND);
    route_tree_free(tree);
}

TEST(paths_that_lead_nowhere)
{
    static const char *const paths[] = {"",        "*",        "users",           "/user",
                                        "/users/", "//users",  "/users//posts",   "/users/1/",
                                        "/chats",  "/chats/1", "/users/1/posts/", "/Users"};
    build();
    for (size_t i = 0; i < ARRAY_LEN(paths); i++)
        CHECK_INT(find(HTTP_GET, paths[i]), FAIL_NOT_FOUND);
    route_tree_free(tree);
}

TEST(other_methods_are_listed)
{
    build();
    CHECK_INT(find(HTTP_PUT, "/users"), FAIL_METHOD);
    CHECK_STR(slice_str(match.allow), "GET, HEAD, POST");
    CHECK_INT(find(HTTP_OTHER, "/users/1"), FAIL_METHOD);
    CHECK_STR(slice_str(match.allow), "GET, HEAD, DELETE");
    CHECK_INT(find(HTTP_POST, "/chats/1/messages/2"), FAIL_METHOD);
    CHECK_STR(slice_str(match.allow), "GET, HEAD");
    CHECK_INT(find(HTTP_GET, "/chats/1/messages/2/reactions/x"), FAIL_METHOD);
    CHECK_STR(slice_str(match.allow), "PUT");
    route_tree_free(tree);
}

TEST(head_falls_back_to_get)
{
    build();
    check_route(HTTP_HEAD, "/users", "head");
    check_route(HTTP_HEAD, "/users/me", "me");
    CHECK_INT(find(HTTP_HEAD, "/chats/1/messages/2/reactions/x"), FAIL_METHOD);
    route_tree_free(tree);
}
