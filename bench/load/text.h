/* Growing text and borrowed pieces of it, for requests that the load generator writes. The tool
 * shares no code with the server, so that it checks the server instead of repeating its mistakes;
 * running out of memory ends it. */
#ifndef BENCH_LOAD_TEXT_H
#define BENCH_LOAD_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct piece { /* borrowed bytes; data NULL: absent */
    const char *data;
    size_t len;
};

struct text {
    char *data;
    size_t len, cap;
};

/* Prints the sentence to standard error and ends the process with status 1. */
void die(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));

void text_reserve(struct text *t, size_t more);
void text_add(struct text *t, const char *data, size_t len);
void text_number(struct text *t, uint64_t number);
void text_printf(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void text_free(struct text *t);

bool piece_is(struct piece p, const char *word);
/* Reads a decimal number that fills the piece; false on anything else. */
bool piece_number(struct piece p, uint64_t *ret_number);
/* A copy ended by NUL; owned by the caller. */
char *piece_copy(struct piece p);

#define PIECE(literal)                                                                             \
    {                                                                                              \
        literal, sizeof(literal) - 1                                                               \
    }

/* The value of `key` among the members of the object that starts at the piece's first '{': text
 * without its quotes (escapes left as they are), or the raw bytes of any other value. Absent when
 * there is no such member. Looks only at the first level. */
struct piece json_member(struct piece object, const char *key);
/* The values of `count` different keys in one walk, which ends with the last one found. */
void json_members(struct piece object, unsigned count, const struct piece keys[],
                  struct piece ret_values[]);
/* All bytes from the value of `key` on, for a value that is an object to be looked into: nobody
 * steps over it to find its end. */
struct piece json_member_on(struct piece object, const char *key);

#endif
