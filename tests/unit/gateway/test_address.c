/* Networks, and whose address a request counts for. */
#include <arpa/inet.h>

#include "gateway/address.h"
#include "harness.h"

static struct in6_addr addr(const char *text)
{
    struct network n = {0};
    CHECK(network_parse(text, &n));
    return n.base;
}

static bool has(const char *network, const char *address)
{
    struct network n = {0};
    struct in6_addr a = addr(address);
    CHECK(network_parse(network, &n));
    return network_has(&n, &a);
}

TEST(networks_hold_their_addresses)
{
    CHECK(has("10.0.0.0/8", "10.255.0.1"));
    CHECK(!has("10.0.0.0/8", "11.0.0.1"));
    CHECK(has("192.168.16.0/20", "192.168.31.255"));
    CHECK(!has("192.168.16.0/20", "192.168.32.0"));
    CHECK(has("127.0.0.1", "127.0.0.1"));
    CHECK(!has("127.0.0.1", "127.0.0.2"));
    CHECK(has("0.0.0.0/0", "8.8.8.8"));
    CHECK(!has("0.0.0.0/0", "2001:db8::1"));
    CHECK(has("2001:db8::/33", "2001:db8:7fff::1"));
    CHECK(!has("2001:db8::/33", "2001:db8:8000::1"));
    CHECK(has("::/0", "1.2.3.4"));
    CHECK(has("10.0.0.0/8", "::ffff:10.1.2.3")); /* the same address */
}

TEST(what_is_no_network_is_refused)
{
    static const char *const bad[] = {"",           "10.0.0.0/33", "10.0.0/8",    "::1/129",
                                      "10.0.0.0/",  "10.0.0.0/-1", "10.0.0.0/8 ", "localhost",
                                      "1.2.3.4/8/8"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct network n;
        if (network_parse(bad[i], &n))
            test_fail(__FILE__, __LINE__, "\"%s\" was taken", bad[i]);
    }
}

static struct http_head head;

/* Lines of X-Forwarded-For, NULL-terminated, with another header between them. */
static void check_client(const char *peer, const char *const *lines, const char *want)
{
    struct network trusted[2] = {0};
    CHECK(network_parse("10.0.0.0/8", &trusted[0]) && network_parse("fd00::/8", &trusted[1]));
    head.header_count = 0;
    for (int i = 0; lines[i] != NULL; i++) {
        head.headers[head.header_count++] =
            (struct http_header){.name = SLICE("X-Forwarded-For"), .value = slice_str(lines[i])};
        head.headers[head.header_count++] =
            (struct http_header){.name = SLICE("accept"), .value = SLICE("6.6.6.6")};
    }
    struct in6_addr from = addr(peer), expected = addr(want);
    struct in6_addr got = address_client(trusted, 2, &from, &head);
    char text[INET6_ADDRSTRLEN];
    if (memcmp(&got, &expected, sizeof got) != 0)
        test_fail(__FILE__, __LINE__, "%s instead of %s",
                  inet_ntop(AF_INET6, &got, text, sizeof text), want);
}

#define LINES(...) ((const char *const[]){__VA_ARGS__, NULL})

TEST(only_trusted_proxies_are_believed)
{
    check_client("1.1.1.1", LINES("2.2.2.2"), "1.1.1.1");
    check_client("10.0.0.1", LINES("2.2.2.2"), "2.2.2.2");
    check_client("10.0.0.1", LINES("3.3.3.3, 2.2.2.2"), "2.2.2.2"); /* 3.3.3.3 is hearsay */
    check_client("10.0.0.1", LINES("3.3.3.3, 2.2.2.2 ,10.0.0.2"), "2.2.2.2");
    check_client("10.0.0.1", LINES("10.0.0.3,10.0.0.2"), "10.0.0.3");
    check_client("fd00::1", LINES("2001:db8::7, fd00::2"), "2001:db8::7");
}

TEST(a_line_of_the_clients_own_does_not_hide_the_proxys)
{
    check_client("10.0.0.1", LINES("9.9.9.9", "2.2.2.2"), "2.2.2.2");
    check_client("10.0.0.1", LINES("9.9.9.9", "2.2.2.2", "10.0.0.2"), "2.2.2.2");
    check_client("10.0.0.1", LINES("8.8.8.8, 2.2.2.2", "10.0.0.3, 10.0.0.2"), "2.2.2.2");
}

TEST(what_is_no_address_ends_the_walk)
{
    check_client("10.0.0.1", LINES("unknown"), "10.0.0.1");
    check_client("10.0.0.1", LINES(""), "10.0.0.1");
    check_client("10.0.0.1", LINES(","), "10.0.0.1");
    check_client("10.0.0.1", LINES("9.9.9.9, unknown, 10.0.0.2"), "10.0.0.2");
    check_client("10.0.0.1", LINES("9.9.9.9", "garbage"), "10.0.0.1");
    check_client("10.0.0.1", LINES("9.9.9.9, 10.0.0.2:80"), "10.0.0.1");
}
