#include "harness/test.h"
#include "wire/yaml.h"

enum { VALUES_MAX = 20000, TEXT_MAX = 1 << 24 };

static void count_duplicate(void *ctx, str message)
{
    CHECK(message.n > 0);
    ++*(size_t *)ctx;
}

/* As JSON makes it: whole floats are integers there. */
static struct json canonical(struct arena *a, const struct json *j)
{
    struct buf text;
    struct json ret;
    buf_init_arena(&text, a, (size_t)TEXT_MAX * 8);
    json_print(&text, j, 0);
    CHECK(!text.failed);
    CHECK_OK(json_parse(a, buf_str(&text), NULL, &ret, &e));
    return ret;
}

static void check_printed(struct arena *a, const struct json *j)
{
    struct json tree = canonical(a, j), again;
    struct buf first, second;
    buf_init_arena(&first, a, TEXT_MAX);
    buf_init_arena(&second, a, TEXT_MAX);
    yaml_print(&first, &tree);
    if (first.failed)
        return;
    CHECK_OK(yaml_parse(a, buf_str(&first), NULL, &again, &e));
    if (!json_equal(&tree, &again) || !json_equal(&again, &tree))
        FAIL("another tree came back from %" STR_FMT, STR_ARG(buf_str(&first)));
    yaml_print(&second, &again);
    CHECK_STR(buf_str(&second), buf_str(&first));
}

/* Texts of documents lie in order inside the whole, and parse alone to the same tree. (But for arrays: alone they are read as
 * JSON, in a stream as YAML, where 5e7 is an integer.) */
static void check_stream(struct arena *a, str text, const struct yaml_opts *opts)
{
    struct yaml_stream s;
    struct err err = ERR_INIT;
    struct json j, alone;
    str raw;
    const char *at = text.p;
    yaml_stream_init(&s, a, text, opts, &err);
    while (yaml_stream_next(&s, &j, &raw)) {
        CHECK(raw.p >= at && raw.n > 0 && raw.p + raw.n <= text.p + text.n);
        at = raw.p + raw.n;
        CHECK_OK(yaml_parse(a, raw, opts, &alone, &e));
        CHECK(str_starts(str_trim(raw), S("[")) || json_equal(&j, &alone));
        check_printed(a, &j);
    }
    CHECK_EQ(yaml_stream_end(&s), err.code);
}

FUZZ(yaml)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    str text = str_of((const char *)data, size);
    size_t duplicates = 0;
    struct yaml_place place;
    struct yaml_opts opts = {.values_max = VALUES_MAX, .place = &place};
    struct yaml_opts telling = {
        .values_max = VALUES_MAX, .on_duplicate = count_duplicate, .ctx = &duplicates};
    struct yaml_opts strict = {.values_max = VALUES_MAX, .flags = YAML_DUPLICATES_ERROR};
    struct err err = ERR_INIT, other = ERR_INIT;
    struct json j, same;

    err_code code = yaml_parse(&a, text, &opts, &j, &err);
    CHECK_EQ(yaml_parse(&a, text, &telling, &same, &other), code);
    check_stream(&a, text, &opts);
    struct json_opts json = {.depth_max = JSON_DEPTH_MAX};
    bool is_json = size && (data[0] == '{' || data[0] == '[') &&
                   json_parse(&a, text, &json, &same, &other) == ERR_NONE;
    if (code) {
        CHECK(!is_json);
        return;
    }
    CHECK(!is_json || json_equal(&same, &j));
    CHECK_EQ(yaml_parse(&a, text, &strict, &same, &other), duplicates ? ERR_SYNTAX : ERR_NONE);
    check_printed(&a, &j);
}
