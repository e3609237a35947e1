/* A tree with one node for each distinct prefix of segments. Built at start, read-only after, so
 * any thread may look things up.
 *
 * Finding walks down: the literal child first, then the parameter, then the rest; a branch that
 * does not lead to a route is left again, so /users/me/posts reaches /users/{id}/posts although
 * /users/me exists. The depth is that of the longest pattern, whatever the path.
 */
#include "net/route.h"

#include <stdlib.h>

#define METHODS ((unsigned)HTTP_OTHER) /* those that a route can have */

struct node {
    struct slice text; /* of a literal; points into the pattern's copy */
    struct node *literals, *next;
    struct node *parameter, *rest;
    const void *routes[METHODS];
    bool has_route;
};

struct route_tree {
    struct node root;
};

static const struct slice method_names[METHODS] = {
    [HTTP_GET] = {"GET", 3},         [HTTP_HEAD] = {"HEAD", 4},   [HTTP_POST] = {"POST", 4},
    [HTTP_PUT] = {"PUT", 3},         [HTTP_PATCH] = {"PATCH", 5}, [HTTP_DELETE] = {"DELETE", 6},
    [HTTP_OPTIONS] = {"OPTIONS", 7},
};

struct route_tree *route_tree_new(void)
{
    return xcalloc(1, sizeof(struct route_tree));
}

static void free_children(struct node *node)
{
    struct node *next;
    for (struct node *child = node->literals; child != NULL; child = next) {
        next = child->next;
        free_children(child);
        free((char *)(uintptr_t)child->text.ptr);
        free(child);
    }
    struct node *others[] = {node->parameter, node->rest};
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        if (others[i] != NULL)
            free_children(others[i]);
        free(others[i]);
    }
}

void route_tree_free(struct route_tree *tree)
{
    if (tree != NULL)
        free_children(&tree->root);
    free(tree);
}

static struct node *find_literal(const struct node *node, struct slice text)
{
    struct node *child = node->literals;
    while (child != NULL && !slice_eq(child->text, text))
        child = child->next;
    return child;
}

static struct node *make(struct node **slot)
{
    if (*slot == NULL)
        *slot = xcalloc(1, sizeof **slot);
    return *slot;
}

static struct node *make_literal(struct node *node, struct slice text)
{
    struct node *child = find_literal(node, text);
    if (child == NULL) {
        child = xcalloc(1, sizeof *child);
        child->text = slice_of(xstrndup(text.ptr, text.len), text.len);
        child->next = node->literals;
        node->literals = child;
    }
    return child;
}

void route_add(struct route_tree *tree, enum http_method method, const char *pattern,
               const void *route)
{
    struct slice left = slice_str(pattern), segment;
    struct node *node = &tree->root;
    unsigned params = 0;
    panic_if(pattern[0] != '/' || method >= METHODS, "route %s", pattern);
    left = slice_of(left.ptr + 1, left.len - 1);
    for (bool more = true; more;) {
        more = slice_cut(&left, '/', &segment);
        bool braces =
            segment.len > 2 && segment.ptr[0] == '{' && segment.ptr[segment.len - 1] == '}';
        bool rest =
            braces && segment.len > 5 && memcmp(segment.ptr + segment.len - 4, "...}", 4) == 0;
        panic_if(rest && more, "route %s: {rest...} is not last", pattern);
        panic_if(braces && ++params > ROUTE_PARAMS_MAX, "route %s: too many parameters", pattern);
        if (braces)
            node = make(rest ? &node->rest : &node->parameter);
        else
            node = make_literal(node, segment);
    }
    panic_if(node->routes[method] != NULL, "route %s is added twice", pattern);
    node->routes[method] = route;
    node->has_route = true;
}

static const void *route_of(const struct node *node, enum http_method method)
{
    if (method >= METHODS)
        return NULL;
    const void *route = node->routes[method];
    return route == NULL && method == HTTP_HEAD ? node->routes[HTTP_GET] : route;
}

struct search {
    enum http_method method;
    struct route_match *match;
    const struct node *other_method; /* the best node that has the path but not the method */
};

/* The path leads to this node. True when it answers the method. */
static bool arrive(struct search *s, const struct node *node, unsigned params)
{
    s->match->route = route_of(node, s->method);
    s->match->param_count = params;
    if (s->match->route == NULL && node->has_route && s->other_method == NULL)
        s->other_method = node;
    return s->match->route != NULL;
}

/* left is what follows the '/' behind node; params have been taken so far. */
static bool walk(struct search *s, const struct node *node, struct slice left, unsigned params)
{
    struct slice whole = left, segment;
    bool more = slice_cut(&left, '/', &segment);
    const struct node *literal = find_literal(node, segment);
    if (literal != NULL && (more ? walk(s, literal, left, params) : arrive(s, literal, params)))
        return true;
    if (node->parameter != NULL && segment.len != 0) {
        s->match->params[params] = segment;
        if (more ? walk(s, node->parameter, left, params + 1)
                 : arrive(s, node->parameter, params + 1))
            return true;
    }
    if (node->rest == NULL)
        return false;
    s->match->params[params] = whole;
    return arrive(s, node->rest, params + 1);
}

static void append(char *text, size_t size, size_t *len, struct slice name)
{
    struct slice parts[] = {*len != 0 ? SLICE(", ") : SLICE(""), name};
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        panic_if(*len + parts[i].len >= size, "Allow does not fit");
        memcpy(text + *len, parts[i].ptr, parts[i].len);
        *len += parts[i].len;
    }
    text[*len] = 0;
}

int route_find(const struct route_tree *tree, enum http_method method, struct slice path,
               struct route_match *ret_match)
{
    struct search s = {.method = method, .match = ret_match};
    if (path.len == 0 || path.ptr[0] != '/')
        return FAIL_NOT_FOUND;
    if (walk(&s, &tree->root, slice_of(path.ptr + 1, path.len - 1), 0))
        return 0;
    if (s.other_method == NULL)
        return FAIL_NOT_FOUND;
    size_t len = 0;
    for (unsigned m = 0; m < METHODS; m++)
        if (route_of(s.other_method, (enum http_method)m) != NULL)
            append(ret_match->allow, sizeof ret_match->allow, &len, method_names[m]);
    return FAIL_METHOD;
}
