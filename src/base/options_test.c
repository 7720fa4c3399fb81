#include "base/options.h"
#include "harness/test.h"

struct opts {
    str dir;
    bool quiet;
    int64_t port, wait;
};

static const struct option items[] = {
    {.name = S_INIT("data-dir"),
     .kind = OPTION_TEXT,
     .offset = offsetof(struct opts, dir),
     .hint = "DIR",
     .help = "Where it is.",
     .preset = "/var"},
    {.name = S_INIT("quiet"),
     .kind = OPTION_FLAG,
     .offset = offsetof(struct opts, quiet),
     .help = "Says nothing."},
    {.name = S_INIT("port"),
     .kind = OPTION_NUMBER,
     .offset = offsetof(struct opts, port),
     .min = 0,
     .max = 65535,
     .hint = "N",
     .help = "Where it listens."},
    {.name = S_INIT("wait"),
     .kind = OPTION_DURATION,
     .offset = offsetof(struct opts, wait),
     .help = "How long."},
};
static const struct options table = {.command = "skiff test",
                                     .summary = "Tests.",
                                     .env = "SKIFF_",
                                     .items = items,
                                     .count = ARRAY_COUNT(items)};

static err_code parse(struct opts *o, struct options_seen *seen, struct err *err, const char **rest,
                      size_t *rest_count, int argc, const char *const *argv)
{
    return options_args(&table, o, seen, argc, (char *const *)(uintptr_t)argv, rest, rest_count, err);
}

#define PARSE(...)                                                                                    \
    parse(&o, &seen, &err, rest, &rest_count, (int)ARRAY_COUNT(((const char *const[]){__VA_ARGS__})), \
          (const char *const[]){__VA_ARGS__})

TEST(options_are_read_from_arguments)
{
    struct opts o = {0};
    struct options_seen seen = {0};
    struct err err = ERR_INIT;
    const char *rest[8];
    size_t rest_count;
    CHECK(!PARSE("--data-dir=/tmp", "a", "--quiet", "--port", "80", "--wait=1m30s", "--", "--b"));
    CHECK_STR(o.dir, S("/tmp"));
    CHECK(o.quiet);
    CHECK_EQ(o.port, 80);
    CHECK_EQ(o.wait, INT64_C(90000000000));
    CHECK_EQ(rest_count, 2);
    CHECK_STR(str_from_c(rest[0]), S("a"));
    CHECK_STR(str_from_c(rest[1]), S("--b"));
    CHECK(!seen.help);
    CHECK(!PARSE("-h", "--quiet=false"));
    CHECK(seen.help && !o.quiet);
}

TEST(options_that_are_wrong_are_one_sentence)
{
    struct opts o = {0};
    struct options_seen seen = {0};
    const char *rest[8];
    size_t rest_count;
    static const struct {
        const char *arg, *message;
    } cases[] = {
        {"--data-dri=x",
         "skiff test has no option 'data-dri' (on the command line); did you mean 'data-dir'?"},
        {"--nothing-like-it",
         "skiff test has no option 'nothing-like-it' (on the command line); 'skiff test --help' "
         "lists them"},
        {"-x", "skiff test has no option '-x' (on the command line); 'skiff test --help' lists them"},
        {"--port=70000",
         "option 'port' cannot be '70000' (on the command line): it is a number from 0 to 65535"},
        {"--wait=x", "option 'wait' cannot be 'x' (on the command line): it is a time such as 90s or 1h30m"},
        {"--quiet=perhaps", "option 'quiet' cannot be 'perhaps' (on the command line): it is true or false"},
        {"--data-dir", "option 'data-dir' needs a value: --data-dir=DIR"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct err err = ERR_INIT;
        CHECK_EQ(PARSE(cases[i].arg), ERR_INVALID);
        CHECK_STR(str_from_c(err.msg), str_from_c(cases[i].message));
    }
}

static const char *get(const char *name)
{
    return strcmp(name, "SKIFF_DATA_DIR") == 0 ? "/env" : strcmp(name, "SKIFF_PORT") == 0 ? "1" : NULL;
}

TEST(options_keep_what_the_first_source_said)
{
    struct opts o = {0};
    struct options_seen seen = {0};
    struct err err = ERR_INIT;
    const char *rest[8];
    size_t rest_count;
    CHECK(!PARSE("--port=80"));
    CHECK_OK(options_env(&table, &o, &seen, get, &e));
    CHECK_OK(options_set(&table, &o, &seen, S("data-dir"), S("/file"), "the file", &e));
    CHECK_OK(options_set(&table, &o, &seen, S("quiet"), S("true"), "the file", &e));
    CHECK_STR(o.dir, S("/env"));
    CHECK_EQ(o.port, 80);
    CHECK(o.quiet);
    CHECK_EQ(options_set(&table, &o, &seen, S("x"), S("1"), "in the file", &err), ERR_INVALID);
}

TEST(options_help_names_each_of_them)
{
    struct buf out;
    buf_init(&out, 4096);
    options_help(&table, &out);
    CHECK_STR(buf_str(&out),
              S("Tests.\n\nUsage: skiff test [OPTIONS]\n\nOptions:\n"
                "  --data-dir=DIR  (/var)\n      Where it is.\n"
                "  --quiet\n      Says nothing.\n"
                "  --port=N\n      Where it listens.\n"
                "  --wait=VALUE\n      How long.\n"
                "  --help, -h\n      This text.\n"
                "\nEach option can also stand in the environment (SKIFF_DATA_DIR for --data-dir).\n"));
    buf_done(&out);
}
