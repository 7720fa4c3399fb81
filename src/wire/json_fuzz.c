#include "base/mem.h"
#include "harness/test.h"
#include "wire/json.h"

/* Floats that are whole numbers print without a point, as Go prints them, and come back as integers; -0 as 0. So that
 * the tree can be compared with what comes back, they become integers first. */
static void whole_floats_to_ints(struct json *j)
{
    if (j->type == JSON_FLOAT && j->v.f >= -0x1p63 && j->v.f < 0x1p63 && (double)(int64_t)j->v.f == j->v.f)
        *j = json_of_int((int64_t)j->v.f);
    for (size_t i = 0; i < json_count(j); i++)
        whole_floats_to_ints(j->type == JSON_ARRAY ? &j->v.items[i] : &j->v.members[i].value);
}

/* Reads with the reader, now value by value, now skipping, as the input's own bytes have it. */
static void walk(struct json_reader *r, uint64_t *lot)
{
    *lot = *lot * 6364136223846793005u + 1442695040888963407u;
    if (*lot >> 62 == 0) {
        json_skip(r);
        return;
    }
    str name;
    switch (json_peek(r)) {
    case JSON_OBJECT:
        for (json_enter_object(r); json_next_member(r, &name);)
            walk(r, lot);
        break;
    case JSON_ARRAY:
        for (json_enter_array(r); json_next_item(r);)
            walk(r, lot);
        break;
    case JSON_NULL:
    case JSON_FALSE:
    case JSON_TRUE:
    case JSON_INT:
    case JSON_FLOAT:
    case JSON_STRING: json_read_scalar(r); break;
    }
}

static str print(struct arena *a, const struct json *j, unsigned flags)
{
    struct buf out;
    buf_init_arena(&out, a, (size_t)1 << 30);
    json_print(&out, j, flags);
    CHECK(!out.failed);
    return buf_str(&out);
}

static void check_printed(struct arena *a, const struct json *j, unsigned flags)
{
    str text = print(a, j, flags);
    struct json again;
    CHECK_OK(
        json_parse(a, text, &(struct json_opts){.flags = JSON_COPY | JSON_DUPLICATES_ERROR}, &again, &e));
    if (!json_equal(j, &again) || !json_equal(&again, j))
        FAIL("another tree came back from %" STR_FMT, STR_ARG(text));
    CHECK_STR(print(a, &again, flags), text);
}

FUZZ(json)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    str text = str_of((const char *)data, size);
    struct err by_parser = ERR_INIT, by_reader = ERR_INIT;
    struct json j;
    err_code code = json_parse(&a, text, NULL, &j, &by_parser);

    struct json_reader r;
    json_reader_init(&r, &a, text, &by_reader);
    uint64_t lot = size ? data[size / 2] : 0;
    walk(&r, &lot);
    CHECK_EQ(json_reader_end(&r), code);
    CHECK_STR((const char *)by_reader.msg, (const char *)by_parser.msg);
    if (code)
        return;

    struct json clone = json_clone_deep(&a, &j);
    whole_floats_to_ints(&clone);
    check_printed(&a, &clone, 0);
    check_printed(&a, &clone, JSON_INDENT_2 | JSON_HTML);
    check_printed(&a, &clone, JSON_INDENT_4 | JSON_SORTED);
    json_sort_members(&clone, true);
    check_printed(&a, &clone, JSON_SORTED);
}
