#include "api/field_error.h"
#include "harness/test.h"

struct fixture {
    struct arena a;
    struct field_errors errors;
};

static void setup(struct fixture *f)
{
    arena_init(&f->a, 0);
    field_errors_init(&f->errors, &f->a);
}

static void teardown(struct fixture *f)
{
    arena_done(&f->a);
}

static str all(struct fixture *f)
{
    struct buf b;
    buf_init_arena(&b, &f->a, 1 << 20);
    field_errors_print(&f->errors, &b);
    return buf_str(&b);
}

TEST(field_errors_print_in_the_originals_words)
{
    CLEANUP(teardown) struct fixture f;
    setup(&f);
    struct field_path root = FIELD_PATH_OF_ROOT, spec = field_path_name(&root, S("spec")),
                      list = field_path_name(&spec, S("containers")), item = field_path_index(&list, 2),
                      data = field_path_name(&root, S("data")), key = field_path_key(&data, S("a.b"));
    struct json number = json_of_int(-1), text = json_of_str(S("a\"b")), object = json_object();
    json_set(&f.a, &object, S("k"), json_of_bool(true));
    static const str modes[] = {S_INIT("b"), S_INIT("a")};
    struct {
        const char *want;
    } want[] = {
        {"spec.containers[2]: Required value"},
        {"spec.containers[2]: Required value: say which"},
        {"data[a.b]: Invalid value: -1: must be more"},
        {"data[a.b]: Invalid value: \"a\\\"b\""},
        {"spec: Invalid value: {\"k\":true}: no"},
        {"spec: Unsupported value: -1: supported values: \"a\", \"b\""},
        {"spec: Unsupported value: -1: supported values: \"b\", \"a\""},
        {"spec: Duplicate value: -1"},
        {"spec: Not found: -1: must be there"},
        {"spec: Forbidden: not now"},
        {"spec: Too long: may not be more than 63 bytes"},
        {"spec: Too many: 5: must have at most 4 items"},
        {"spec: Internal error: oops"},
    };
    field_required(&f.errors, &item, STR_NONE);
    field_required(&f.errors, &item, S("say which"));
    field_invalid(&f.errors, &key, &number, S("must be more"));
    field_invalid(&f.errors, &key, &text, STR_NONE);
    field_invalid(&f.errors, &spec, &object, S("no"));
    field_not_supported(&f.errors, &spec, &number, modes, 2);
    field_not_supported_in_order(&f.errors, &spec, &number, modes, 2);
    field_duplicate(&f.errors, &spec, &number);
    field_not_found(&f.errors, &spec, &number);
    field_error_add_detail(&f.errors, S("must be there"));
    field_forbidden(&f.errors, &spec, S("not now"));
    field_too_long(&f.errors, &spec, 63);
    field_too_many(&f.errors, &spec, 5, 4);
    field_internal(&f.errors, &spec, S("oops"));
    CHECK_EQ(f.errors.count, ARRAY_COUNT(want));
    for (size_t i = 0; i < ARRAY_COUNT(want); i++) {
        const struct field_error *e = &f.errors.items[i];
        CHECK_STR(str_join(&f.a, (const str[]){e->path, e->message}, 2, S(": ")), want[i].want);
    }
    CHECK_STR(field_error_reason(f.errors.items[5].kind), "FieldValueNotSupported");
}

TEST(field_errors_come_in_brackets_when_several_and_each_once)
{
    CLEANUP(teardown) struct fixture f;
    setup(&f);
    struct field_path root = FIELD_PATH_OF_ROOT, x = field_path_name(&root, S("x")),
                      y = field_path_name(&root, S("y"));
    field_required(&f.errors, &x, STR_NONE);
    CHECK_STR(all(&f), "x: Required value");
    field_required(&f.errors, &x, STR_NONE);
    CHECK_STR(all(&f), "x: Required value");
    field_required(&f.errors, &y, STR_NONE);
    CHECK_STR(all(&f), "[x: Required value, y: Required value]");
}

TEST(field_errors_are_bounded)
{
    CLEANUP(teardown) struct fixture f;
    setup(&f);
    struct field_path root = FIELD_PATH_OF_ROOT;
    for (size_t i = 0; i < FIELD_ERRORS_MAX + 5; i++) {
        struct field_path p = field_path_index(&root, i);
        field_required(&f.errors, &p, STR_NONE);
    }
    CHECK_EQ(f.errors.count, FIELD_ERRORS_MAX);
    CHECK_EQ(f.errors.lost, 5);
}
