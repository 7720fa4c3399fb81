#include "harness/test.h"
#include "wire/jsonpath.h"

static const char document[] =
    "{\"kind\":\"Foo\",\"n\":null,\"i\":1,\"f\":1.5,\"t\":true,\"e\":{},\"ea\":[],\"metadata\":{\"name\":\"foo\","
    "\"labels\":{\"a.b/c\":\"x\"}},\"items\":[{\"name\":\"a\",\"v\":1,\"tags\":[\"x\",\"y\"]},{\"name\":\"b\",\"v\":2},"
    "{\"v\":2.5,\"name\":null}],\"nested\":[[1,2],[],[3,[4]]]}";

static void check_pieces(struct arena *a, const struct jsonpath_found *found)
{
    struct buf out;
    buf_init_arena(&out, a, (size_t)1 << 30);
    jsonpath_print_found(&out, a, found, JSONPATH_AS_JSON);
    str rest = buf_str(&out);
    for (size_t i = 0; i < found->count; i++) {
        struct json array;
        size_t used;
        CHECK_OK(json_parse_prefix(a, rest, NULL, &array, &used, &e));
        CHECK_EQ(array.type, JSON_ARRAY);
        CHECK_EQ(array.n, found->pieces[i].count);
        rest = str_from(rest, used);
    }
    CHECK_EQ(rest.n, 0);
}

/* A template's answer does not change from one use to the next; where a strict one answers, a lenient one answers the
 * same; and as JSON it is one array for each piece, of as many values. */
FUZZ(jsonpath)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, (size_t)1 << 28);
    struct json root;
    CHECK_OK(json_parse(&a, str_from_c(document), NULL, &root, &e));
    struct err err = ERR_INIT, again = ERR_INIT;
    const struct jsonpath *jp;
    if (jsonpath_compile(&a, str_of((const char *)data, size), &jp, &err)) {
        CHECK_EQ(jsonpath_compile(&a, str_of((const char *)data, size), &jp, &again), err.code);
        return;
    }
    struct buf strict, lenient;
    buf_init_arena(&strict, &a, (size_t)1 << 26);
    buf_init_arena(&lenient, &a, (size_t)1 << 26);
    err_code strict_code = jsonpath_print(jp, &a, &root, 0, &strict, &err);
    struct jsonpath_found found;
    err_code code = jsonpath_find(jp, &a, &root, JSONPATH_ALLOW_MISSING, &found, &again);
    if (strict_code == ERR_NONE && code != ERR_TOO_LARGE) {
        CHECK_EQ(code, ERR_NONE);
        jsonpath_print_found(&lenient, &a, &found, JSONPATH_ALLOW_MISSING);
        CHECK_STR(buf_str(&lenient), buf_str(&strict));
    }
    if (code == ERR_NONE && !arena_exceeded(&a))
        check_pieces(&a, &found);
}
