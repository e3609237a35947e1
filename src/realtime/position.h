/* The opaque resume position that clients keep: which log (its epoch) and how far.
 * Text: 8 hexadecimal digits of the epoch, '-', the log position in hexadecimal. */
#ifndef PARLEY_REALTIME_POSITION_H
#define PARLEY_REALTIME_POSITION_H

#include "base/buf.h"
#include "base/error.h"

#define POSITION_TEXT_MAX 26

struct position {
    uint32_t epoch;
    uint64_t pos;
};

size_t position_format(struct position position,
                       char ret_text[POSITION_TEXT_MAX]); /* not NUL-terminated */
/* FAIL_BAD_REQUEST "invalid_pos" for anything that position_format never writes. */
int position_parse(struct slice text, struct position *ret_position, struct error *err) MUSTCHECK;

#endif
