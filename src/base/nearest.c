#include "base/nearest.h"

/* Longer words are not compared: nothing that we name is longer. */
enum { WORD_MAX = 64, DISTANCE_MAX = 2 };

void nearest_init(struct nearest *n, struct slice text)
{
    *n = (struct nearest){.text = text, .distance = DISTANCE_MAX + 1};
    if (text.len < n->distance)
        n->distance = text.len;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Optimal string alignment: rows of the table are kept for the last three letters of a. */
static size_t distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
    size_t rows[3][WORD_MAX + 1];
    for (size_t j = 0; j <= b_len; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a_len; i++) {
        size_t *now = rows[i % 3], *before = rows[(i + 2) % 3], *earlier = rows[(i + 1) % 3];
        now[0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            size_t other = before[j - 1] + (a[i - 1] != b[j - 1]);
            now[j] = least(other, least(before[j], now[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                now[j] = least(now[j], earlier[j - 2] + 1);
        }
    }
    return rows[a_len % 3][b_len];
}

void nearest_offer(struct nearest *n, const char *name)
{
    size_t len = strlen(name), apart = len > n->text.len ? len - n->text.len : n->text.len - len;
    if (len > WORD_MAX || n->text.len > WORD_MAX || apart >= n->distance)
        return;
    size_t d = distance(n->text.ptr, n->text.len, name, len);
    if (d < n->distance) {
        n->distance = d;
        n->name = name;
    }
}
