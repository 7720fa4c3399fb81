/* What both versions of HTTP share and that needs no connection. */
#include "harness/test.h"
#include "wire/http_priv.h"

TEST(http_header_find_takes_the_first_line_and_tokens_are_looked_for_on_all)
{
    const struct http_header headers[] = {
        {S_INIT("accept"), S_INIT("text/html , Application/JSON")},
        {S_INIT("accept"), S_INIT("text/plain")},
        {S_INIT("empty"), S_INIT("")},
    };
    const struct http_head h = {.headers = headers, .header_count = ARRAY_COUNT(headers)};
    CHECK_STR(http_header_find(&h, S("accept")), "text/html , Application/JSON");
    CHECK(http_header_find(&h, S("none")).p == NULL);
    CHECK(http_header_find(&h, S("empty")).p != NULL);
    CHECK(http_header_has_token(&h, S("accept"), S("application/json")));
    CHECK(http_header_has_token(&h, S("accept"), S("text/plain")));
    CHECK(!http_header_has_token(&h, S("accept"), S("text")));
    CHECK(!http_header_has_token(&h, S("none"), S("text/plain")));
}

TEST(http_target_splits_and_decodes_its_path_or_is_refused)
{
    static const struct {
        const char *target, *path, *query, *error;
    } cases[] = {
        {"/api/v1/pods", "/api/v1/pods", "", NULL},
        {"/api?watch=1&x=a?b", "/api", "watch=1&x=a?b", NULL},
        {"/a%2Fb%20c%c3%a9+d", "/a/b c\xc3\xa9+d", "", NULL},
        {"/a/../b/./c", "/a/../b/./c", "", NULL},
        {"/?", "/", "", NULL},
        {"*", "*", "", NULL},
        {"/a%00b", NULL, NULL, "it contains a NUL"},
        {"/a%", NULL, NULL, "bad escape at byte 2"},
        {"/a%4", NULL, NULL, "bad escape at byte 2"},
        {"/a%4g", NULL, NULL, "bad escape at byte 2"},
        {"/a%g4", NULL, NULL, "bad escape at byte 2"},
        {"/%ff", NULL, NULL, "it is not UTF-8"},
        {"/\xff", NULL, NULL, "it is not UTF-8"},
        {"/%c0%af", NULL, NULL, "it is not UTF-8"},
    };
    struct arena a;
    arena_init(&a, 0);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        str path, query;
        struct err err = ERR_INIT;
        if (cases[i].error) {
            CHECK_EQ(http_target_split(&a, str_from_c(cases[i].target), &path, &query, &err),
                     ERR_BAD_REQUEST);
            CHECK_CONTAINS(err.msg, cases[i].error);
            continue;
        }
        CHECK_OK(http_target_split(&a, str_from_c(cases[i].target), &path, &query, &e));
        CHECK_STR(path, cases[i].path);
        CHECK_STR(query, cases[i].query);
    }
    arena_done(&a);
}

TEST(http_target_without_escapes_is_not_copied)
{
    struct arena a;
    arena_init(&a, 0);
    str target = S("/api/v1/pods?limit=1"), path, query;
    CHECK_OK(http_target_split(&a, target, &path, &query, &e));
    CHECK(path.p == target.p);
    CHECK_EQ(a.used, 0);
    arena_done(&a);
}

TEST(http_query_gives_pairs_in_order_decoded)
{
    struct arena a;
    arena_init(&a, 0);
    struct err err = ERR_INIT;
    str rest = S("&a=1&&b=x+y%3D%26&c&=d&a=2&"), name, value;
    static const char *const want[][2] = {{"a", "1"}, {"b", "x y=&"}, {"c", ""}, {"", "d"}, {"a", "2"}};
    for (size_t i = 0; i < ARRAY_COUNT(want); i++) {
        CHECK(http_query_next(&a, &rest, &name, &value, &err));
        CHECK_STR(name, want[i][0]);
        CHECK_STR(value, want[i][1]);
    }
    CHECK(!http_query_next(&a, &rest, &name, &value, &err));
    CHECK_EQ(err.code, ERR_NONE);
    rest = S("a=%zz");
    CHECK(!http_query_next(&a, &rest, &name, &value, &err));
    CHECK_EQ(err.code, ERR_BAD_REQUEST);
    CHECK_STR(err.msg, "invalid query parameter: bad escape at byte 0");
    rest = S("%ff=1");
    err = ERR_INIT;
    CHECK(!http_query_next(&a, &rest, &name, &value, &err));
    CHECK_EQ(err.code, ERR_BAD_REQUEST);
    arena_done(&a);
}

TEST(http_value_prefix_finds_each_control_at_each_place)
{
    char text[40];
    for (unsigned c = 0; c < 256; c++) {
        bool allowed = c == '\t' || (c >= 0x20 && c != 0x7f);
        for (size_t at = 0; at < sizeof text; at++) {
            memset(text, 'x', sizeof text);
            text[at] = (char)c;
            CHECK_EQ(http_value_prefix(text, sizeof text), allowed ? sizeof text : at);
        }
    }
}

TEST(http_heads_that_cannot_be_sent_are_refused_with_the_reason)
{
    const struct http_head get = {
        .method = S("GET"), .target = S("/"), .authority = S("h:1"), .content_length = -1};
    CHECK_OK(http_head_check(&get, HTTP_1_1, true, true, &e));
#define REFUSED(text, version, end, ...)                                            \
    do {                                                                            \
        struct http_head h = get;                                                   \
        __VA_ARGS__;                                                                \
        CHECK_ERR(INVALID, text, http_head_check(&h, version, !h.status, end, &e)); \
    } while (0)
#define FIELD(name, value) h.headers = &(struct http_header){S(name), S(value)}, h.header_count = 1
    REFUSED("bad method", HTTP_1_1, true, h.method = S("GET "));
    REFUSED("bad method", HTTP_1_1, true, h.method = STR_NONE);
    REFUSED("bad method", HTTP_1_1, true, h.method = S("CONNECT"));
    REFUSED("bad target", HTTP_1_1, true, h.target = STR_NONE);
    REFUSED("bad target", HTTP_1_1, true, h.target = S("/ HTTP/1.1\r\nx: y"));
    REFUSED("bad target", HTTP_1_1, true, h.target = S("pods"));
    REFUSED("bad target", HTTP_1_1, true, h.target = S("*"));
    REFUSED("bad target", HTTP_2, true, h.target = S("/#a"));
    REFUSED("bad authority", HTTP_1_1, true, h.authority = S("a\r\nb"));
    REFUSED("bad authority", HTTP_2, true, h.authority = S("user@host"));
    REFUSED("bad scheme", HTTP_2, true, h.scheme = S("ftp"));
    REFUSED("bad content length", HTTP_1_1, true, h.content_length = 3);
    REFUSED("bad content length", HTTP_1_1, false, h.content_length = -2);
    REFUSED("bad upgrade", HTTP_1_1, true, h.upgrade = S("a\nb"));
    REFUSED("bad upgrade", HTTP_2, true, h.upgrade = S("websocket"));
    REFUSED("bad status 99", HTTP_1_1, false, h.status = 99);
    REFUSED("bad status 1000", HTTP_1_1, false, h.status = 1000);
    REFUSED("bad status 100", HTTP_1_1, true, h.status = 100);
    REFUSED("101 without", HTTP_1_1, false, h.status = 101);
    REFUSED("101 without", HTTP_2, false, (h.status = 101, h.upgrade = S("websocket")));
    REFUSED("bad name", HTTP_1_1, true, FIELD("", "x"));
    REFUSED("bad name", HTTP_1_1, true, FIELD("a b", "x"));
    REFUSED("bad name", HTTP_1_1, true, FIELD("a:", "x"));
    REFUSED("bad name", HTTP_1_1, true, FIELD("a\r\nb", "x"));
    REFUSED("bad name", HTTP_2, true, FIELD("Accept", "x"));
    REFUSED("bad value", HTTP_1_1, true, FIELD("a", "x\r\nset-cookie: y"));
    REFUSED("bad value", HTTP_1_1, true, FIELD("a", "x\ny"));
    REFUSED("bad value", HTTP_1_1, true, FIELD("a", "x\0y"));
    REFUSED("bad value", HTTP_2, true, FIELD("a", " x"));
    REFUSED("bad value", HTTP_2, true, FIELD("a", "x\t"));
    REFUSED("belongs to the connection", HTTP_1_1, true, FIELD("Transfer-Encoding", "chunked"));
    REFUSED("belongs to the connection", HTTP_1_1, true, FIELD("content-length", "5"));
    REFUSED("belongs to the connection", HTTP_1_1, true, FIELD("host", "x"));
    REFUSED("belongs to the connection", HTTP_2, true, FIELD("connection", "close"));
    REFUSED("belongs to the connection", HTTP_2, true, FIELD("upgrade", "x"));
#undef FIELD
#undef REFUSED
}
