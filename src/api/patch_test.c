#include "api/patch.h"
#include "base/random.h"
#include "harness/test.h"

struct fixture {
    struct arena a;
    struct tree_complaints complaints;
};

static void setup(struct fixture *f)
{
    arena_init(&f->a, 0);
    f->complaints = (struct tree_complaints){.arena = &f->a};
}

static void teardown(struct fixture *f)
{
    arena_done(&f->a);
}

static struct json parsed(struct fixture *f, const char *text)
{
    struct json j;
    CHECK_OK(json_parse(&f->a, str_from_c(text), NULL, &j, &e));
    return j;
}

static str printed(struct fixture *f, const struct json *j)
{
    struct buf b;
    buf_init_arena(&b, &f->a, 1 << 26);
    json_print(&b, j, JSON_SORTED);
    return buf_str(&b);
}

/* --- JSON patch --- */

struct json_case {
    const char *doc, *patch, *want; /* want NULL: `message` */
    const char *message;
};

static void check_json(const struct json_case *c)
{
    CLEANUP(teardown) struct fixture f;
    setup(&f);
    struct json doc = parsed(&f, c->doc), patch = parsed(&f, c->patch), out;
    str before = printed(&f, &doc), patch_before = printed(&f, &patch);
    struct err err = ERR_INIT;
    err_code code = patch_json(&f.a, &doc, &patch, NULL, &out, &err);
    if (c->want) {
        if (code)
            FAIL("%s: %s", c->patch, err.msg);
        CHECK_STR(printed(&f, &out), c->want);
    } else {
        CHECK_EQ(code, ERR_INVALID);
        CHECK_CONTAINS(err.msg, c->message);
    }
    CHECK_STR(printed(&f, &doc), before);
    CHECK_STR(printed(&f, &patch), patch_before);
}

TEST(operations_of_json_patches_do_what_they_say)
{
    static const struct json_case cases[] = {
        {"{\"a\":1}", "[{\"op\":\"add\",\"path\":\"/b\",\"value\":{\"c\":[]}}]", "{\"a\":1,\"b\":{\"c\":[]}}",
         NULL},
        {"{\"a\":1}", "[{\"op\":\"add\",\"path\":\"/a\",\"value\":2}]", "{\"a\":2}", NULL},
        {"{\"a\":1}", "[{\"op\":\"add\",\"path\":\"/b\"}]", "{\"a\":1,\"b\":null}", NULL},
        {"{\"l\":[1,3]}", "[{\"op\":\"add\",\"path\":\"/l/1\",\"value\":2}]", "{\"l\":[1,2,3]}", NULL},
        {"{\"l\":[1]}", "[{\"op\":\"add\",\"path\":\"/l/-\",\"value\":2}]", "{\"l\":[1,2]}", NULL},
        {"{\"l\":[1]}", "[{\"op\":\"add\",\"path\":\"/l/1\",\"value\":2}]", "{\"l\":[1,2]}", NULL},
        {"{\"l\":[1]}", "[{\"op\":\"add\",\"path\":\"/l/-1\",\"value\":2}]", "{\"l\":[1,2]}", NULL},
        {"{\"l\":[1]}", "[{\"op\":\"add\",\"path\":\"/l/-2\",\"value\":2}]", "{\"l\":[2,1]}", NULL},
        {"{\"l\":[1]}", "[{\"op\":\"add\",\"path\":\"/l/2\",\"value\":2}]", NULL,
         "error in add for path: '/l/2': Unable to access invalid index: 2: invalid index referenced"},
        {"{\"l\":[1]}", "[{\"op\":\"add\",\"path\":\"/l/-3\",\"value\":2}]", NULL, "invalid index: -3"},
        {"{\"l\":[1]}", "[{\"op\":\"add\",\"path\":\"/l/x\",\"value\":2}]", NULL,
         "strconv.Atoi: parsing \"x\": invalid syntax"},
        {"{\"a\":1}", "[{\"op\":\"add\",\"path\":\"/b/c\",\"value\":2}]", NULL,
         "add operation does not apply: doc is missing path: /b/c: missing value"},
        {"{\"a\":null}", "[{\"op\":\"add\",\"path\":\"/a/b\",\"value\":2}]", NULL,
         "doc is missing path: /a/b"},
        {"{\"a\":1}", "[{\"op\":\"add\",\"path\":\"\",\"value\":{}}]", NULL, "doc is missing path"},
        {"{\"a/b\":{\"~\":1}}", "[{\"op\":\"replace\",\"path\":\"/a~1b/~0\",\"value\":2}]",
         "{\"a/b\":{\"~\":2}}", NULL},
        {"{\"~1\":1}", "[{\"op\":\"remove\",\"path\":\"/~01\"}]", "{}", NULL},
        {"{\"a\":1}", "[{\"op\":\"add\",\"path\":\"odd/b\",\"value\":2}]", "{\"a\":1,\"b\":2}", NULL},
        {"{\"a\":1,\"b\":2}", "[{\"op\":\"remove\",\"path\":\"/a\"}]", "{\"b\":2}", NULL},
        {"{\"a\":1}", "[{\"op\":\"remove\",\"path\":\"/b\"}]", NULL,
         "error in remove for path: '/b': Unable to remove nonexistent key: b: missing value"},
        {"{\"l\":[1,2,3]}", "[{\"op\":\"remove\",\"path\":\"/l/-1\"},{\"op\":\"remove\",\"path\":\"/l/0\"}]",
         "{\"l\":[2]}", NULL},
        {"{\"l\":[1]}", "[{\"op\":\"remove\",\"path\":\"/l/-\"}]", NULL, "strconv.Atoi"},
        {"{\"a\":1}", "[{\"op\":\"replace\",\"path\":\"/a\",\"value\":[1]}]", "{\"a\":[1]}", NULL},
        {"{\"a\":1}", "[{\"op\":\"replace\",\"path\":\"/b\",\"value\":1}]", "{\"a\":1,\"b\":1}", NULL},
        {"{\"l\":[1]}", "[{\"op\":\"replace\",\"path\":\"/l/1\",\"value\":1}]", NULL,
         "doc is missing key: /l/1: missing value"},
        {"{\"a\":1}", "[{\"op\":\"replace\",\"path\":\"\",\"value\":{\"b\":1}}]", "{\"b\":1}", NULL},
        {"{\"a\":1}", "[{\"op\":\"replace\",\"path\":\"\",\"value\":1}]", NULL,
         "value must be object or array"},
        {"{\"a\":1,\"b\":{}}", "[{\"op\":\"move\",\"from\":\"/a\",\"path\":\"/b/c\"}]", "{\"b\":{\"c\":1}}",
         NULL},
        {"{\"l\":[1,2,3]}", "[{\"op\":\"move\",\"from\":\"/l/0\",\"path\":\"/l/2\"}]", "{\"l\":[2,3,1]}",
         NULL},
        {"{\"a\":{\"b\":1}}", "[{\"op\":\"move\",\"from\":\"/a\",\"path\":\"/a/b\"}]", NULL,
         "missing destination path: /a/b"},
        {"{\"a\":1}", "[{\"op\":\"move\",\"from\":\"/b\",\"path\":\"/c\"}]", NULL,
         "Unable to remove nonexistent key: b"},
        {"{\"a\":{\"x\":1}}",
         "[{\"op\":\"copy\",\"from\":\"/a\",\"path\":\"/b\"},{\"op\":\"replace\",\"path\":\"/b/x\",\"value\":2}]",
         "{\"a\":{\"x\":1},\"b\":{\"x\":2}}", NULL},
        {"{\"a\":1}", "[{\"op\":\"copy\",\"from\":\"/x\",\"path\":\"/b\"}]", "{\"a\":1,\"b\":null}", NULL},
        {"{\"a\":{\"x\":[1,{\"y\":null}]}}",
         "[{\"op\":\"test\",\"path\":\"/a\",\"value\":{\"x\":[1,{\"y\":null}]}}]",
         "{\"a\":{\"x\":[1,{\"y\":null}]}}", NULL},
        {"{\"a\":1}", "[{\"op\":\"test\",\"path\":\"/b\",\"value\":null},{\"op\":\"test\",\"path\":\"/b\"}]",
         "{\"a\":1}", NULL},
        {"{\"a\":1}", "[{\"op\":\"test\",\"path\":\"/b\",\"value\":1}]", NULL,
         "testing value /b failed: test failed"},
        {"{\"a\":1}", "[{\"op\":\"test\",\"path\":\"/a\"}]", NULL, "testing value /a failed"},
        {"{\"a\":1}", "[{\"op\":\"test\",\"path\":\"/b/c\",\"value\":null}]", NULL,
         "test operation does not apply: is missing path: /b/c: missing value"},
        {"{\"l\":[]}", "[{\"op\":\"test\",\"path\":\"/l/0\",\"value\":null}]", NULL,
         "error in test for path: '/l/0'"},
        {"{\"a\":1}", "[{\"op\":\"test\",\"path\":\"\",\"value\":{\"a\":1}}]", "{\"a\":1}", NULL},
        {"{\"a\":1}", "[{\"op\":\"test\",\"path\":\"\",\"value\":{\"a\":2}}]", NULL, "testing value  failed"},
        {"{\"a\":1}", "[{\"op\":\"eat\",\"path\":\"/a\"}]", NULL, "Unexpected kind: eat"},
        {"{\"a\":1}", "[{\"op\":5,\"path\":\"/a\"},{}]", NULL, "Unexpected kind: unknown"},
        {"{\"a\":1}", "[null]", NULL, "Unexpected kind: unknown"},
        {"{\"a\":1}", "[{\"op\":\"add\",\"value\":1}]", NULL, "add operation failed to decode path"},
        {"{\"a\":1}", "[{\"op\":\"move\",\"path\":\"/a\"}]", NULL, "move operation failed to decode from"},
        {"{\"a\":1}", "[]", "{\"a\":1}", NULL},
        {"{\"a\":1}", "null", "{\"a\":1}", NULL},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
        check_json(&cases[i]);
}

static void check_refused(const char *patch, bool strict, const char *message)
{
    CLEANUP(teardown) struct fixture f;
    setup(&f);
    struct json doc = parsed(&f, "{}"), p = parsed(&f, patch), out;
    struct err err = ERR_INIT;
    CHECK_EQ(patch_json(&f.a, &doc, &p, strict ? &f.complaints : NULL, &out, &err), ERR_BAD_REQUEST);
    CHECK_STR(err.msg, message);
}

TEST(json_patches_that_are_none_are_bad_requests)
{
    check_refused("{}", false, "json: cannot unmarshal object into Go value of type jsonpatch.Patch");
    check_refused("[1]", false, "json: cannot unmarshal number into Go value of type jsonpatch.Operation");
    check_refused(
        "{}", true,
        "error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp");
    check_refused(
        "[\"x\"]", true,
        "error decoding patch: json: cannot unmarshal string into Go value of type handlers.jsonPatchOp");
    check_refused(
        "[{\"op\":\"add\",\"path\":7}]", true,
        "error decoding patch: json: cannot unmarshal number into Go struct field jsonPatchOp.path of type string");
}

TEST(strict_reading_complains_about_unknown_members_of_operations)
{
    CLEANUP(teardown) struct fixture f;
    setup(&f);
    struct json doc = parsed(&f, "{}"), out;
    struct json patch = parsed(
        &f,
        "[{\"op\":\"add\",\"path\":\"/a\",\"value\":1},{\"op\":\"test\",\"path\":\"/a\",\"value\":1,\"foo\":2}]");
    CHECK_OK(patch_json(&f.a, &doc, &patch, &f.complaints, &out, &e));
    CHECK_EQ(f.complaints.count, 1);
    CHECK_STR(f.complaints.items[0], "json patch unknown field \"[1].foo\"");
}

TEST(a_json_patch_has_at_most_ten_thousand_operations)
{
    CLEANUP(teardown) struct fixture f;
    setup(&f);
    struct json doc = parsed(&f, "{\"a\":1}"), patch = json_array(), out;
    struct json op = parsed(&f, "{\"op\":\"test\",\"path\":\"/a\",\"value\":1}");
    for (int i = 0; i < PATCH_OPERATIONS_MAX; i++)
        json_append(&f.a, &patch, op);
    CHECK_OK(patch_json(&f.a, &doc, &patch, NULL, &out, &e));
    json_append(&f.a, &patch, op);
    CHECK_ERR(
        TOO_LARGE,
        "Request entity is too large: The allowed maximum operations in a JSON patch is 10000, got 10001",
        patch_json(&f.a, &doc, &patch, NULL, &out, &e));
}

TEST(copies_that_grow_a_document_too_much_or_too_deep_are_refused)
{
    CLEANUP(teardown) struct fixture f;
    setup(&f);
    struct json doc = parsed(&f, "{\"a\":[\"0123456789012345678901234567890123456789\"]}"),
                patch = json_array(), out;
    struct json grow = parsed(&f, "{\"op\":\"copy\",\"from\":\"/a\",\"path\":\"/a/-\"}");
    for (int i = 0; i < 30; i++)
        json_append(&f.a, &patch, grow);
    CHECK_ERR(INVALID, "Unable to complete the copy, the accumulated size increase of copy is ",
              patch_json(&f.a, &doc, &patch, NULL, &out, &e));
    struct json deep = json_array(), nested = parsed(&f, "{\"a\":{}}");
    struct json nest = parsed(&f, "{\"op\":\"copy\",\"from\":\"/a\",\"path\":\"/a/a\"}");
    for (int i = 0; i < JSON_DEPTH_MAX; i++)
        json_append(&f.a, &deep, nest);
    CHECK_ERR(TOO_LARGE, "nested deeper than 128 levels", patch_json(&f.a, &nested, &deep, NULL, &out, &e));
}

TEST(a_json_patch_that_moves_a_large_list_about_is_stopped)
{
    CLEANUP(teardown) struct fixture f;
    setup(&f);
    struct json doc = json_object(), list = json_array(), patch = json_array(), out;
    for (int i = 0; i < 100000; i++)
        json_append(&f.a, &list, json_of_int(i));
    json_add(&f.a, &doc, S("l"), list);
    struct json op = parsed(&f, "{\"op\":\"move\",\"from\":\"/l/0\",\"path\":\"/l/0\"}");
    for (int i = 0; i < PATCH_OPERATIONS_MAX; i++)
        json_append(&f.a, &patch, op);
    CHECK_ERR(INVALID, "too much work", patch_json(&f.a, &doc, &patch, NULL, &out, &e));
}

/* --- merge patch --- */

TEST(merge_patches_do_what_they_say)
{
    static const struct {
        const char *doc, *patch, *want;
    } cases[] = {
        {"{\"a\":1}", "{\"b\":2}", "{\"a\":1,\"b\":2}"},
        {"{\"a\":1,\"b\":2}", "{\"a\":null}", "{\"b\":2}"},
        {"{\"a\":{\"b\":1}}", "{\"a\":{\"c\":2,\"b\":null,\"d\":null}}", "{\"a\":{\"c\":2}}"},
        {"{\"a\":[1,2]}", "{\"a\":[3]}", "{\"a\":[3]}"},
        {"{\"a\":1}", "{\"a\":{\"b\":{\"c\":null,\"d\":1}}}", "{\"a\":{\"b\":{\"d\":1}}}"},
        {"{}", "{\"a\":[null,{\"b\":null,\"c\":1}]}", "{\"a\":[null,{\"c\":1}]}"},
        {"{\"a\":{\"x\":1}}", "{\"a\":[{\"b\":null}]}", "{\"a\":[{\"b\":null}]}"},
        {"{\"a\":null}", "{\"a\":{\"b\":null}}", "{\"a\":{}}"},
        {"{\"a\":{\"b\":1}}", "{\"a\":5}", "{\"a\":5}"},
        {"{\"a\":1}", "{}", "{\"a\":1}"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        CLEANUP(teardown) struct fixture f;
        setup(&f);
        struct json doc = parsed(&f, cases[i].doc), patch = parsed(&f, cases[i].patch), out;
        CHECK_OK(patch_merge(&f.a, &doc, &patch, &out, &e));
        CHECK_STR(printed(&f, &out), cases[i].want);
        CHECK_STR(printed(&f, &doc), cases[i].doc);
    }
}

TEST(merge_patches_that_are_no_objects_are_bad_requests)
{
    CLEANUP(teardown) struct fixture f;
    setup(&f);
    struct json doc = parsed(&f, "{}"), null = json_null(), list = json_array(), out;
    CHECK_ERR(BAD_REQUEST, "Invalid JSON Patch", patch_merge(&f.a, &doc, &null, &out, &e));
    CHECK_ERR(
        BAD_REQUEST,
        "error decoding patch: json: cannot unmarshal array into Go value of type map[string]interface {}",
        patch_merge(&f.a, &doc, &list, &out, &e));
}

TEST(large_objects_merge_in_a_moment)
{
    CLEANUP(teardown) struct fixture f;
    setup(&f);
    struct json doc = json_object(), patch = json_object(), out;
    enum { MANY = 100000 };
    for (int i = 0; i < MANY; i++) {
        json_add(&f.a, &doc, str_format(&f.a, "k%d", i), json_of_int(i));
        json_add(&f.a, &patch, str_format(&f.a, "k%d", MANY - i), i % 2 ? json_null() : json_of_int(0));
    }
    CHECK_OK(patch_merge(&f.a, &doc, &patch, &out, &e));
    CHECK_EQ(json_count(&out), MANY / 2 + 1);
}

/* A document with no null in it, which a merge patch could not make. */
static struct json random_doc(struct fixture *f, struct random *r, unsigned depth)
{
    uint64_t kind = random_below(r, depth ? 5 : 3), n = random_below(r, 4);
    struct json j = kind == 3 ? json_array() : json_object();
    if (kind < 3)
        return kind == 0 ? json_of_int((int64_t)n) : kind == 1 ? json_of_bool(n & 1) : json_of_str(S("x"));
    for (uint64_t i = 0; i < n; i++) {
        struct json child = random_doc(f, r, depth - 1);
        if (kind == 3)
            json_append(&f->a, &j, child);
        else
            json_set(&f->a, &j, str_format(&f->a, "%c", (char)('a' + (int)random_below(r, 4))), child);
    }
    return j;
}

static struct json difference(struct fixture *f, const struct json *x, const struct json *y)
{
    struct json patch = json_object();
    for (uint32_t i = 0; i < x->n; i++)
        if (!json_find(y, json_member_name(&x->v.members[i])))
            json_set(&f->a, &patch, json_member_name(&x->v.members[i]), json_null());
    for (uint32_t i = 0; i < y->n; i++) {
        str name = json_member_name(&y->v.members[i]);
        const struct json *old = json_find(x, name), *now = &y->v.members[i].value;
        if (old && json_equal(old, now))
            continue;
        bool both = old && old->type == JSON_OBJECT && now->type == JSON_OBJECT;
        json_set(&f->a, &patch, name, both ? difference(f, old, now) : *now);
    }
    return patch;
}

TEST(a_merge_patch_made_of_a_difference_gives_the_target)
{
    struct random r;
    random_init(&r, test_seed());
    for (int round = 0; round < 2000; round++) {
        CLEANUP(teardown) struct fixture f;
        setup(&f);
        struct json x = json_object(), y = json_object(), out;
        json_add(&f.a, &x, S("r"), random_doc(&f, &r, 4));
        json_add(&f.a, &y, S("r"), random_doc(&f, &r, 4));
        struct json patch = difference(&f, &x, &y);
        CHECK_OK(patch_merge(&f.a, &x, &patch, &out, &e));
        CHECK_STR(printed(&f, &out), printed(&f, &y));
    }
}
