#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "harness/test.h"

struct capture {
    struct buf text;
    enum log_level level;
    int records;
};

static void sink(void *ctx, enum log_level level, str line)
{
    struct capture *c = ctx;
    buf_clear(&c->text);
    buf_add(&c->text, line);
    c->level = level;
    c->records++;
}

static int64_t clock_fixed(void *ctx)
{
    (void)ctx;
    return 1772600767000120500; /* 2026-03-04T05:06:07.0001205Z */
}

static void setup(struct logger *lg, struct log_target *t, struct capture *c, enum log_format format)
{
    *c = (struct capture){0};
    buf_init(&c->text, LOG_LINE_MAX);
    buf_room(&c->text, LOG_LINE_MAX); /* so that the sink allocates nothing */
    *t = (struct log_target){.sink = sink, .sink_ctx = c, .clock = clock_fixed, .format = format};
    logger_init(lg, t);
}

TEST(log_writes_every_kind_of_field_in_both_formats)
{
    struct capture c;
    struct log_target t;
    struct logger lg, child;
    struct err e = ERR_INIT;
    struct secret token;
    secret_init(&token, S("hunter2"));
    err_set(&e, ERR_NOT_FOUND, "pod \"web-0\" not found");
    for (int i = 0; i < 2; i++) {
        setup(&lg, &t, &c, i ? LOG_FORMAT_JSON : LOG_FORMAT_TEXT);
        logger_init_child(&child, &lg, KV_STR("node", S("n1")), KV_U64("request", 7));
        log_warning(&child, "pod not started, trying again", KV_STR("pod", S("default/web-0")),
                    KV_STR("image", S("say \"hi\"\n")), KV_STR("empty", S("")), KV_I64("low", INT64_MIN),
                    KV_U64("high", UINT64_MAX), KV_BOOL("ready", false), KV_NS("after", 90000000000),
                    KV_SECRET("token", &token), KV_ERR(&e));
        CHECK_EQ(c.level, LOG_LEVEL_WARNING);
        CHECK_STR(
            buf_str(&c.text),
            i ? "{\"ts\":\"2026-03-04T05:06:07.000120Z\",\"level\":\"warning\",\"msg\":\"pod not started, trying "
                "again\",\"pod\":\"default/web-0\",\"image\":\"say \\\"hi\\\"\\n\",\"empty\":\"\",\"low\":"
                "-9223372036854775808,\"high\":18446744073709551615,\"ready\":false,\"after\":\"1m30s\","
                "\"token\":\"(secret, 7 bytes)\",\"error\":\"pod \\\"web-0\\\" not found\",\"code\":"
                "\"NOT_FOUND\",\"node\":\"n1\",\"request\":7}\n"
              : "2026-03-04T05:06:07.000120Z warning pod not started, trying again pod=default/web-0 "
                "image=\"say \\\"hi\\\"\\n\" empty=\"\" low=-9223372036854775808 high=18446744073709551615 "
                "ready=false after=1m30s token=\"(secret, 7 bytes)\" error=\"pod \\\"web-0\\\" not found\" "
                "code=NOT_FOUND node=n1 request=7\n");
        log_info(&lg, "started");
        CHECK_STR(buf_str(&c.text),
                  i ? "{\"ts\":\"2026-03-04T05:06:07.000120Z\",\"level\":\"info\",\"msg\":\"started\"}\n"
                    : "2026-03-04T05:06:07.000120Z info started\n");
        buf_done(&c.text);
    }
    secret_done(&token);
}

static int evaluated;

static uint64_t count_evaluation(void)
{
    return (uint64_t)++evaluated;
}

TEST(log_below_the_level_evaluates_nothing)
{
    struct capture c;
    struct log_target t;
    struct logger lg;
    setup(&lg, &t, &c, LOG_FORMAT_TEXT);
    atomic_store(&t.level, LOG_LEVEL_WARNING);
    log_info(&lg, "not wanted", KV_U64("n", count_evaluation()));
    log_debug(&lg, "not wanted");
    CHECK_EQ(c.records, 0);
    CHECK_EQ(evaluated, 0);
    log_error(&lg, "wanted", KV_U64("n", count_evaluation()));
    CHECK_EQ(c.records, 1);
    CHECK_EQ(evaluated, 1);
    struct logger none = {0};
    log_error(&none, "to nobody", KV_U64("n", count_evaluation()));
    CHECK_EQ(evaluated, 1);
    buf_done(&c.text);
}

/* One line, valid text, no controls; for JSON: strings end where they should and braces match. */
static void check_line(str line, bool json)
{
    CHECK_GT(line.n, 1);
    CHECK_LE(line.n, LOG_LINE_MAX);
    CHECK(utf8_valid(line));
    CHECK_EQ(str_index_c(line, '\n'), line.n - 1);
    bool quoted = false;
    uint32_t ch;
    for (str rest = str_slice(line, 0, line.n - 1); utf8_next(&rest, &ch);) {
        CHECK(ch >= 0x20 && (ch < 0x7f || ch > 0x9f));
        if (ch == '\\' && quoted) {
            CHECK(rest.n && strchr("\"\\nrtu", rest.p[0]));
            rest = str_from(rest, 1);
        } else if (ch == '"') {
            quoted = !quoted;
        }
    }
    CHECK(!quoted);
    if (json)
        CHECK(line.p[0] == '{' && line.p[line.n - 2] == '}');
}

TEST(log_lines_stay_valid_whatever_the_values)
{
    uint64_t random = test_seed();
    struct capture c;
    struct log_target t;
    struct logger lg;
    static char bytes[5000];
    for (int round = 0; round < 2000; round++) {
        setup(&lg, &t, &c, round % 2 ? LOG_FORMAT_JSON : LOG_FORMAT_TEXT);
        for (size_t i = 0; i < sizeof bytes; i++) {
            random = random * 6364136223846793005u + 1442695040888963407u;
            /* Mostly plain, so that lines fill up in different ways. */
            bytes[i] = random >> 60 < 12 ? 'a' : (char)(random >> 33);
        }
        size_t n[4];
        for (size_t i = 0; i < 4; i++)
            n[i] = (random >> i * 8) % (round % 10 ? 100 : 5000);
        log_info(&lg, "values", KV_STR("a", str_of(bytes, n[0])), KV_STR("b", str_of(bytes + 1, n[1] / 2)),
                 KV_STR("c", str_of(bytes + 2, n[2] / 2)), KV_STR("d", str_of(bytes + 3, n[3] / 2)),
                 KV_STR("e", str_of(bytes + 4, n[3] / 2)), KV_I64("n", -1));
        check_line(buf_str(&c.text), round % 2);
        buf_done(&c.text);
    }
}

TEST(log_cuts_long_values_and_counts_lost_fields)
{
    struct capture c;
    struct log_target t;
    struct logger lg;
    setup(&lg, &t, &c, LOG_FORMAT_TEXT);
    static char bytes[3000];
    memset(bytes, 'x', sizeof bytes);
    str exact = str_of(bytes, LOG_VALUE_MAX), longer = str_of(bytes, LOG_VALUE_MAX + 1);
    log_info(&lg, "m", KV_STR("v", exact));
    CHECK(!str_contains(buf_str(&c.text), S("...")));
    log_info(&lg, "m", KV_STR("v", longer));
    CHECK_CONTAINS(buf_str(&c.text), "xxx...\"\n");
    CHECK_EQ(c.text.n, strlen("2026-03-04T05:06:07.000120Z info m v=\"\"\n") + LOG_VALUE_MAX);
    t.format = LOG_FORMAT_JSON;
    log_info(&lg, "m", KV_STR("a", longer), KV_STR("b", longer), KV_STR("c", longer), KV_STR("d", longer),
             KV_STR("e", longer), KV_STR("f", S("fits")));
    CHECK_CONTAINS(buf_str(&c.text), "xxx...\",\"f\":\"fits\",\"lost\":2}\n");
    check_line(buf_str(&c.text), true);
    buf_done(&c.text);
}

TEST(logger_children_carry_fields_of_their_own)
{
    struct capture c;
    struct log_target t;
    struct logger lg, child, grandchild;
    setup(&lg, &t, &c, LOG_FORMAT_TEXT);
    logger_init_child(&child, &lg, KV_STR("node", S("n1")));
    logger_init_child(&grandchild, &child, KV_U64("a", 1), KV_U64("b", 2));
    log_info(&grandchild, "m", KV_U64("x", 0));
    CHECK_CONTAINS(buf_str(&c.text), " m x=0 node=n1 a=1 b=2\n");
    log_info(&child, "m");
    CHECK_CONTAINS(buf_str(&c.text), " m node=n1\n");
    uint64_t allocs = mem_thread_allocs();
    for (int i = 0; i < 5; i++) {
        logger_init_child(&child, &grandchild, KV_U64("c", 3));
        grandchild = child;
    }
    log_info(&child, "m");
    CHECK_EQ(mem_thread_allocs(), allocs);
    uint64_t unexpected = unexpected_count();
    logger_init_child(&child, &grandchild, KV_U64("one_too_many", 3));
    CHECK_EQ(unexpected_count(), unexpected + 1);
    log_info(&child, "m");
    CHECK(!str_contains(buf_str(&c.text), S("one_too_many")));
    buf_done(&c.text);
}

TEST(log_levels_have_names)
{
    enum log_level level;
    for (int i = LOG_LEVEL_DEBUG; i <= LOG_LEVEL_ERROR; i++) {
        CHECK(log_level_parse(str_from_c(log_level_name((enum log_level)i)), &level));
        CHECK_EQ(level, i);
    }
    CHECK(!log_level_parse(S("loud"), &level));
}
