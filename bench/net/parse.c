/* What the parsers cost: nanoseconds for a GET of six header lines as wrk, curl and browsers send
 * it, for the same with twelve, and for a WebSocket frame of 200 bytes. */
#include <stdio.h>
#include <time.h>

#include "net/http1.h"
#include "net/websocket.h"

enum { ROUNDS = 2000000 };

static double now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void heads(const char *name, struct slice text)
{
    static struct http_head head;
    static struct error err;
    ptrdiff_t taken = 0;
    double start = now_ns();
    for (int i = 0; i < ROUNDS; i++) {
        __asm__ volatile("" : : "r"(text.ptr) : "memory");
        taken += http1_parse_head(text, &http_limits_default, &head, &err);
    }
    double ns = (now_ns() - start) / ROUNDS;
    panic_if(taken != (ptrdiff_t)text.len * ROUNDS, "the head was not parsed");
    printf("{\"bench\":\"parse\",\"what\":\"%s\",\"bytes\":%zu,\"ns\":%.1f}\n", name, text.len, ns);
}

static void frames(size_t len)
{
    static char wire[4096], text[4096];
    static struct error err;
    struct ws_reader r;
    struct ws_message m;
    uint16_t code;
    size_t taken = 0;
    ws_reader_init(&r, true, false, 1 << 20);
    memset(text, 'x', sizeof text);
    double start = now_ns();
    for (int i = 0; i < ROUNDS; i++) {
        size_t at = 4;
        memcpy(wire, len < 126 ? "\x81\x80" : "\x81\xfe", 2);
        if (len < 126) {
            wire[1] = (char)(wire[1] | (char)len);
            at = 2;
        } else {
            wire[2] = (char)(len >> 8);
            wire[3] = (char)len;
        }
        memcpy(wire + at, "\1\2\3\4", 4);
        memcpy(wire + at + 4, text, len);
        struct slice in = slice_of(wire, at + 4 + len);
        taken += (size_t)ws_read(&r, &in, &m, &code, &err);
    }
    double ns = (now_ns() - start) / ROUNDS;
    panic_if(taken != ROUNDS, "the frame was not read");
    printf("{\"bench\":\"parse\",\"what\":\"frame\",\"bytes\":%zu,\"ns\":%.1f}\n", len, ns);
    ws_reader_done(&r);
}

int main(void)
{
    heads("wrk", SLICE("GET / HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n"));
    heads("six fields", SLICE("GET /api/v1/chats/0192/messages?limit=50 HTTP/1.1\r\n"
                              "Host: chat.example.org\r\n"
                              "User-Agent: curl/7.88.1\r\n"
                              "Accept: application/json\r\n"
                              "Accept-Encoding: gzip, br, zstd\r\n"
                              "Authorization: Bearer eyJhbGciOiJFUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIi"
                              "OiIwMTkyIiwiZXhwIjoxNzMyMTAwMDAwfQ.c2lnbmF0dXJlLXNpZ25hdHVyZQ\r\n"
                              "Connection: keep-alive\r\n\r\n"));
    heads("browser", SLICE("GET /api/v1/feed HTTP/1.1\r\n"
                           "Host: chat.example.org\r\n"
                           "Connection: keep-alive\r\n"
                           "sec-ch-ua: \"Chromium\";v=\"130\", \"Not?A_Brand\";v=\"99\"\r\n"
                           "sec-ch-ua-mobile: ?0\r\n"
                           "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, "
                           "like Gecko) Chrome/130.0.0.0 Safari/537.36\r\n"
                           "Accept: */*\r\n"
                           "Sec-Fetch-Site: same-origin\r\n"
                           "Sec-Fetch-Mode: cors\r\n"
                           "Sec-Fetch-Dest: empty\r\n"
                           "Referer: https://chat.example.org/\r\n"
                           "Accept-Encoding: gzip, deflate, br, zstd\r\n"
                           "Accept-Language: en-GB,en;q=0.9,de;q=0.8\r\n\r\n"));
    frames(20);
    frames(200);
    frames(2000);
    return 0;
}
