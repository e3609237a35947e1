/* Chunked bodies (RFC 9112 section 7.1) as a state machine of one byte a step, but for the data
 * itself, which passes in whole pieces.
 *
 * The grammar is taken at its word: one to sixteen digits, extensions with names and values as
 * written there, CR LF and nothing else at the end of a line, trailer fields with a name. Blanks
 * stand only where the grammar has BWS, which is to be parsed, not refused.
 */
#include "net/http1.h"
#include "net/http1_scan.h"

enum state {
    SIZE,          /* hexadecimal digits */
    EXT_BEFORE,    /* BWS before ';' */
    EXT_NAME,      /* BWS after ';', the name not yet begun */
    EXT_IN_NAME,   /* inside the name */
    EXT_PAST_NAME, /* BWS after the name */
    EXT_VALUE,     /* BWS after '=', the value not yet begun */
    EXT_IN_VALUE,  /* inside a token */
    EXT_QUOTED,    /* inside a quoted string */
    EXT_ESCAPED,   /* after a backslash in it */
    EXT_CLOSED,    /* just after the closing quote */
    SIZE_LF,       /* LF of the size line */
    DATA,
    DATA_CR,
    DATA_LF,
    TRAILER, /* begin of a trailer line, or of the empty one that ends the body */
    TRAILER_NAME,
    TRAILER_VALUE,
    TRAILER_LF,
    LAST_LF,
    ENDED
};

void http1_chunked_init(struct http1_chunked *c)
{
    *c = (struct http1_chunked){.state = SIZE};
}

static int refuse(struct error *err, const char *why)
{
    return error_set(err, FAIL_BAD_REQUEST, "bad_chunk", "The chunked body %s.", why);
}

static bool blank(char byte)
{
    return byte == ' ' || byte == '\t';
}

/* After a complete extension: blanks, the next one, or the end of the line. -1: none of them. */
static int after_extension(char byte, bool blank_before)
{
    if (blank(byte))
        return EXT_BEFORE;
    if (byte == ';')
        return EXT_NAME;
    return byte == '\r' && !blank_before ? SIZE_LF : -1;
}

static int extension_name(enum state state, char byte)
{
    if (http1_is(byte, CHAR_TOKEN))
        return state == EXT_PAST_NAME ? -1 : EXT_IN_NAME;
    if (state == EXT_NAME)
        return blank(byte) ? EXT_NAME : -1;
    if (byte == '=')
        return EXT_VALUE;
    if (blank(byte))
        return EXT_PAST_NAME;
    return after_extension(byte, state == EXT_PAST_NAME);
}

static int extension_value(enum state state, char byte)
{
    switch (state) {
    case EXT_VALUE:
        if (blank(byte))
            return EXT_VALUE;
        if (byte == '"')
            return EXT_QUOTED;
        return http1_is(byte, CHAR_TOKEN) ? EXT_IN_VALUE : -1;
    case EXT_QUOTED:
        if (byte == '"')
            return EXT_CLOSED;
        if (byte == '\\')
            return EXT_ESCAPED;
        return http1_is(byte, CHAR_VALUE) ? EXT_QUOTED : -1;
    case EXT_ESCAPED: return http1_is(byte, CHAR_VALUE) ? EXT_QUOTED : -1;
    case EXT_IN_VALUE:
        if (http1_is(byte, CHAR_TOKEN))
            return EXT_IN_VALUE;
        return after_extension(byte, false);
    default: return after_extension(byte, false);
    }
}

static int size_digit(struct http1_chunked *c, char byte, struct error *err)
{
    int digit = http1_hex(byte);
    if (digit >= 0) {
        if (++c->digits > 16)
            return refuse(err, "has a chunk size of more than 16 digits");
        c->left = c->left << 4 | (unsigned)digit;
        return 0;
    }
    int next = c->digits > 0 ? after_extension(byte, false) : -1;
    if (next < 0)
        return refuse(err, "has a chunk size that is not a number");
    c->state = (uint8_t)next;
    return 0;
}

/* One byte of the line that says how large the chunk is. */
static int size_line(struct http1_chunked *c, char byte, const struct http_limits *limits,
                     struct error *err)
{
    int next;
    if (c->state == SIZE)
        return size_digit(c, byte, err);
    if (c->state == SIZE_LF) {
        if (byte != '\n')
            return refuse(err, "has a CR without LF in a size line");
        c->state = c->left != 0 ? DATA : TRAILER;
        c->digits = 0;
        c->line_bytes = 0;
        return 0;
    }
    if (++c->line_bytes > limits->chunk_ext_bytes)
        return refuse(err, "has chunk extensions over their limit");
    if (c->state == EXT_BEFORE)
        next = after_extension(byte, true);
    else if (c->state <= EXT_PAST_NAME)
        next = extension_name(c->state, byte);
    else
        next = extension_value(c->state, byte);
    if (next < 0)
        return refuse(err, "has a malformed chunk extension");
    c->state = (uint8_t)next;
    return 0;
}

static int data_end(struct http1_chunked *c, char byte, struct error *err)
{
    if (byte != (c->state == DATA_CR ? '\r' : '\n'))
        return refuse(err, "has a chunk that is longer than its size");
    c->state = c->state == DATA_CR ? DATA_LF : SIZE;
    return 0;
}

/* Trailer fields are checked like header fields and passed over: nothing here needs them. */
static int trailer(struct http1_chunked *c, char byte, const struct http_limits *limits,
                   struct error *err)
{
    if (++c->trailer_bytes > limits->trailer_bytes)
        return error_set(err, FAIL_HEADERS_TOO_LARGE, "trailers_too_large",
                         "The trailer fields take more than %zu bytes.", limits->trailer_bytes);
    switch (c->state) {
    case TRAILER:
        c->state = byte == '\r' ? LAST_LF : TRAILER_NAME;
        return byte == '\r' || http1_is(byte, CHAR_TOKEN) ? 0 : refuse(err, "has a bad trailer");
    case TRAILER_NAME:
        if (byte == ':')
            c->state = TRAILER_VALUE;
        return byte == ':' || http1_is(byte, CHAR_TOKEN) ? 0 : refuse(err, "has a bad trailer");
    case TRAILER_VALUE:
        if (byte == '\r')
            c->state = TRAILER_LF;
        return byte == '\r' || http1_is(byte, CHAR_VALUE) ? 0 : refuse(err, "has a bad trailer");
    default:
        if (byte != '\n')
            return refuse(err, "has a CR without LF in its trailers");
        c->state = c->state == LAST_LF ? ENDED : TRAILER;
        return 0;
    }
}

int http1_chunked_next(struct http1_chunked *c, struct slice *in, const struct http_limits *limits,
                       struct slice *ret_piece, struct error *err)
{
    while (c->state != ENDED && in->len > 0) {
        if (c->state == DATA) {
            size_t len = in->len < c->left ? in->len : (size_t)c->left;
            *ret_piece = slice_of(in->ptr, len);
            *in = slice_of(in->ptr + len, in->len - len);
            c->left -= len;
            c->state = c->left == 0 ? DATA_CR : DATA;
            return 1;
        }
        char byte = *in->ptr;
        *in = slice_of(in->ptr + 1, in->len - 1);
        int rc;
        if (c->state < DATA)
            rc = size_line(c, byte, limits, err);
        else if (c->state < TRAILER)
            rc = data_end(c, byte, err);
        else
            rc = trailer(c, byte, limits, err);
        if (rc < 0)
            return rc;
    }
    return c->state == ENDED ? 2 : 0;
}
