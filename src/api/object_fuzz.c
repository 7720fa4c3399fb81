/* object_fuzz.c - any bytes as content: refused, or everything found in it is within it and printing keeps it. */
#include "api/object.h"
#include "base/arena.h"
#include "harness/test.h"

static void check_span(const struct object *o, struct object_span s)
{
    CHECK(s.at <= o->content_n && s.n <= o->content_n - s.at);
}

FUZZ(object)
{
    struct object *o;
    struct err why = ERR_INIT;
    str content = str_of((const char *)data, size), value;
    if (object_new((struct object_key){1, S("default"), S("web-0")}, content, &o, &why)) {
        CHECK(why.code == ERR_CORRUPT || why.code == ERR_TOO_LARGE);
        return;
    }
    CHECK_STR(object_content(o), content);
    check_span(o, o->uid);
    check_span(o, o->labels);
    check_span(o, o->owners);

    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    static const char *const paths[] = {"spec.nodeName", "status.phase", "metadata.uid",
                                        "metadata.labels.app", "a.b.c"};
    for (size_t i = 0; i < ARRAY_COUNT(paths); i++)
        object_field(&a, o, str_from_c(paths[i]));
    object_label(o, S("app"), &value);

    CLEANUP(buf_done) struct buf b;
    buf_init(&b, size + 100);
    object_print(&b, o, S("{"));
    CHECK_OK(buf_check(&b, &e));
    /* What was put in and nothing else. */
    str added = S("\"resourceVersion\":\"0\"");
    str printed = buf_str(&b);
    size_t at = o->revision_at;
    CHECK_EQ(printed.n, size + added.n + 1);
    CHECK_STR(str_slice(printed, 0, at), str_slice(content, 0, at));
    CHECK_STR(str_from(printed, at + added.n + 1), str_from(content, at));
    CHECK_CONTAINS(str_slice(printed, at, at + added.n + 1), added);
    object_unref(o);
}
