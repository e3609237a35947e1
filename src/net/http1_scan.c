/* The class table; one row for each kind of character. */
#include "net/http1_scan.h"

enum {
    UNRESERVED = CHAR_TOKEN | CHAR_PATH | CHAR_QUERY | CHAR_HOST | CHAR_VALUE,
    SUB_DELIM = CHAR_PATH | CHAR_QUERY | CHAR_HOST | CHAR_VALUE,
    RAW_QUERY = CHAR_QUERY | CHAR_VALUE
};

const uint8_t http1_class[256] = {
    ['\t'] = CHAR_VALUE,
    [' '] = CHAR_VALUE,
    ['A' ... 'Z'] = UNRESERVED,
    ['a' ... 'z'] = UNRESERVED,
    ['0' ... '9'] = UNRESERVED,
    ['-'] = UNRESERVED,
    ['.'] = UNRESERVED,
    ['_'] = UNRESERVED,
    ['~'] = UNRESERVED,
    ['!'] = UNRESERVED,
    ['$'] = UNRESERVED,
    ['&'] = UNRESERVED,
    ['\''] = UNRESERVED,
    ['*'] = UNRESERVED,
    ['+'] = UNRESERVED,
    ['%'] = UNRESERVED, /* the two digits behind it are checked by the caller */
    ['('] = SUB_DELIM,
    [')'] = SUB_DELIM,
    [','] = SUB_DELIM,
    [';'] = SUB_DELIM,
    ['='] = SUB_DELIM,
    ['/'] = CHAR_PATH | CHAR_QUERY | CHAR_VALUE,
    [':'] = CHAR_PATH | CHAR_QUERY | CHAR_VALUE,
    ['@'] = CHAR_PATH | CHAR_QUERY | CHAR_VALUE,
    ['?'] = CHAR_QUERY | CHAR_VALUE,
    ['['] = RAW_QUERY,
    [']'] = RAW_QUERY,
    ['{'] = RAW_QUERY,
    ['}'] = RAW_QUERY,
    ['\\'] = RAW_QUERY,
    ['|'] = RAW_QUERY | CHAR_TOKEN,
    ['^'] = RAW_QUERY | CHAR_TOKEN,
    ['`'] = RAW_QUERY | CHAR_TOKEN,
    ['#'] = CHAR_VALUE | CHAR_TOKEN,
    ['"'] = CHAR_VALUE,
    ['<'] = CHAR_VALUE,
    ['>'] = CHAR_VALUE,
    [0x80 ... 0xff] = CHAR_VALUE, /* obs-text */
};
