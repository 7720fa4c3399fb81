/* object_test.c - what is found in a content, what is refused, what is served. */
#include "api/object.h"
#include "base/arena.h"
#include "base/mem.h"
#include "harness/test.h"

static const struct object_key web = {7, S_INIT("default"), S_INIT("web-0")};

#define POD                                                                                     \
    "{\"metadata\":{\"name\":\"web-0\",\"generateName\":\"web-\",\"namespace\":\"default\","    \
    "\"uid\":\"4f3c\",\"generation\":2,\"creationTimestamp\":\"2026-01-01T00:00:00Z\","         \
    "\"deletionTimestamp\":\"2026-01-02T00:00:00Z\",\"deletionGracePeriodSeconds\":30,"         \
    "\"labels\":{\"app\":\"web\",\"tier\":\"front\",\"track\":\"\"},"                           \
    "\"annotations\":{\"note\":\"a \\\"quoted\\\" {word\"},"                                    \
    "\"ownerReferences\":[{\"kind\":\"ReplicaSet\",\"name\":\"web\",\"uid\":\"77\"}],"          \
    "\"finalizers\":[\"example.com/hold\"],\"managedFields\":[{\"manager\":\"kubectl\"}]},"     \
    "\"spec\":{\"containers\":[{\"name\":\"c\"}],\"nodeName\":\"node-a\",\"hostNetwork\":true," \
    "\"priority\":12,\"schedulerName\":null,\"odd\":\"a\\u0041\\n\"},"                          \
    "\"status\":{\"phase\":\"Running\",\"podIP\":\"10.1.2.3\"}}"

static struct object *object_of(struct object_key key, const char *content)
{
    struct object *o;
    CHECK_OK(object_new(key, str_from_c(content), &o, &e));
    return o;
}

static void check_print(const struct object *o, const char *want)
{
    CLEANUP(buf_done) struct buf b;
    buf_init(&b, 10000);
    object_print(&b, o, S("{\"kind\":\"Pod\",\"apiVersion\":\"v1\","));
    CHECK_STR(buf_str(&b), want);
}

TEST(object_knows_what_stands_in_its_metadata)
{
    struct object *o = object_of(web, POD);
    CHECK_EQ(o->resource, 7);
    CHECK_EQ(o->revision, 0);
    CHECK_STR(object_ns(o), "default");
    CHECK_STR(object_name(o), "web-0");
    CHECK_STR(object_content(o), POD);
    CHECK_STR(object_uid(o), "4f3c");
    CHECK_STR(object_slice(o, o->labels), "{\"app\":\"web\",\"tier\":\"front\",\"track\":\"\"}");
    CHECK_STR(object_slice(o, o->owners), "[{\"kind\":\"ReplicaSet\",\"name\":\"web\",\"uid\":\"77\"}]");
    CHECK_EQ(o->flags, OBJECT_DELETING | OBJECT_FINALIZERS);
    CHECK_EQ(object_key_cmp(&web, &(struct object_key){7, object_ns(o), object_name(o)}), 0);
    object_unref(o);
}

TEST(object_without_anything_beside_its_name_has_nothing_beside)
{
    struct object *o = object_of((struct object_key){1, STR_NONE, S("a")}, "{\"metadata\":{\"name\":\"a\"}}");
    CHECK_EQ(object_uid(o).n, 0);
    CHECK_EQ(o->labels.n, 0);
    CHECK_EQ(o->owners.n, 0);
    CHECK_EQ(o->flags, 0);
    o->revision = 5;
    check_print(
        o,
        "{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"a\",\"resourceVersion\":\"5\"}}");
    CHECK(!object_unref(o));
    CHECK(!object_unref(NULL));
}

TEST(object_is_served_with_its_revision_where_the_original_has_it)
{
    struct object *o = object_of((struct object_key){1, S("n"), S("a")},
                                 "{\"metadata\":{\"name\":\"a\",\"namespace\":\"n\",\"uid\":\"u\","
                                 "\"creationTimestamp\":null},\"spec\":{}}");
    o->revision = 123456789012;
    check_print(
        o, "{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"a\",\"namespace\":\"n\","
           "\"uid\":\"u\",\"resourceVersion\":\"123456789012\",\"creationTimestamp\":null},\"spec\":{}}");
    object_unref(o);
    /* No uid yet: behind what there is. */
    o = object_of((struct object_key){1, STR_NONE, S("a")},
                  "{\"metadata\":{\"name\":\"a\",\"labels\":{\"uid\":\"x\"}}}");
    check_print(
        o, "{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"a\",\"resourceVersion\":\"0\","
           "\"labels\":{\"uid\":\"x\"}}}");
    object_unref(o);
}

TEST(object_lives_as_long_as_its_last_reference)
{
    uint64_t frees = mem_thread_frees();
    struct object *o = object_of(web, POD);
    CHECK(object_ref(o) == o);
    object_unref(o);
    CHECK_EQ(mem_thread_frees(), frees);
    CHECK_STR(object_name(o), "web-0");
    object_unref(o);
    CHECK_EQ(mem_thread_frees(), frees + 1);
}

TEST(object_of_bad_content_is_refused)
{
    static const struct {
        const char *content, *why;
    } cases[] = {
        {"", "begins with metadata.name"},
        {"{}", "begins with metadata.name"},
        {"{\"spec\":{},\"metadata\":{\"name\":\"web-0\",\"namespace\":\"default\"}}",
         "begins with metadata.name"},
        {"{\"metadata\":{\"namespace\":\"default\",\"name\":\"web-0\"}}", "begins with metadata.name"},
        {"{\"metadata\":{\"name\":\"web-1\",\"namespace\":\"default\"}}",
         "metadata.name is not that of the key"},
        {"{\"metadata\":{\"name\":5,\"namespace\":\"default\"}}", "metadata.name is not that of the key"},
        {"{\"metadata\":{\"name\":\"web-0\",\"namespace\":\"other\"}}",
         "metadata.namespace is not that of the key"},
        {"{\"metadata\":{\"name\":\"web-0\"}}", "metadata.namespace is not there"},
        {"{\"metadata\":{\"name\":\"web-0\",\"namespace\":\"default\",\"resourceVersion\":\"1\"}}",
         "resourceVersion"},
        {"{\"metadata\":{\"name\":\"web-0\",\"namespace\":\"default\"}", "ends with metadata"},
        {"{\"metadata\":{\"name\":\"web-0\",\"namespace\":\"default\"]}", "expected ',' or '}'"},
        {"{\"metadata\":{\"name\":\"web-0\",\"namespace\":\"default\"}x}", "wrong behind metadata"},
        {"{\"metadata\":{\"name\":\"web-0\",\"namespace\":\"default\",\"labels\":{\"a\":}}}", "line 1, byte"},
        {"{\"metadata\":{\"name\":\"web-0", "begins with metadata.name"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct object *o;
        struct err why = ERR_INIT;
        CHECK_EQ(object_new(web, str_from_c(cases[i].content), &o, &why), ERR_CORRUPT);
        CHECK_CONTAINS(why.msg, cases[i].why);
        CHECK_CONTAINS(why.msg, "content of 'web-0' in namespace 'default': ");
    }
    struct object *o;
    CHECK_ERR(CORRUPT, "a name of 0 bytes", object_new((struct object_key){1}, S(POD), &o, &e));
    CHECK_ERR(CORRUPT, "metadata.namespace is not that of the key",
              object_new((struct object_key){1, STR_NONE, S("web-0")}, S(POD), &o, &e));
    char *big = mem_alloc_zero(1, OBJECT_SIZE_MAX + 1);
    CHECK_ERR(TOO_LARGE, "is longer than", object_new(web, str_of(big, OBJECT_SIZE_MAX + 1), &o, &e));
    mem_free(big);
}

TEST(object_keys_are_in_the_order_of_lists)
{
    static const struct object_key keys[] = {
        {1, S_INIT(""), S_INIT("b")},  {1, S_INIT("a"), S_INIT("a")},  {1, S_INIT("a"), S_INIT("aa")},
        {1, S_INIT("a"), S_INIT("b")}, {1, S_INIT("aa"), S_INIT("a")}, {2, S_INIT(""), S_INIT("a")},
    };
    for (size_t i = 0; i < ARRAY_COUNT(keys); i++)
        for (size_t j = 0; j < ARRAY_COUNT(keys); j++) {
            int c = object_key_cmp(&keys[i], &keys[j]);
            CHECK_EQ(c < 0 ? -1 : c > 0, i < j ? -1 : i > j);
        }
}

TEST(object_labels_are_matched_on_the_content)
{
    static const struct {
        const char *selector;
        bool matches;
    } cases[] = {
        {"", true},
        {"app=web", true},
        {"app=we", false},
        {"app=web,tier in (back,front)", true},
        {"app=web,tier notin (back,front)", false},
        {"track", true},
        {"track=", true},
        {"!track", false},
        {"!other", true},
        {"other!=x", true},
        {"other", false},
        {"app,tier,track,app!=db", true},
        {"app,tier,track,app!=web", false},
        {"web", false}, /* a value is no key */
    };
    struct arena a;
    arena_init(&a, 0);
    struct object *o = object_of(web, POD);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct label_selector sel;
        CHECK_OK(label_selector_parse(&a, str_from_c(cases[i].selector), &sel, &e));
        uint64_t allocs = mem_thread_allocs();
        if (object_matches_labels(o, &sel) != cases[i].matches)
            FAIL("'%s' does not say %d", cases[i].selector, cases[i].matches);
        CHECK_EQ(mem_thread_allocs(), allocs);
    }
    CHECK(!object_matches_labels(o, &(struct label_selector){.nothing = true}));
    str value;
    CHECK(object_label(o, S("tier"), &value));
    CHECK_STR(value, "front");
    CHECK(!object_label(o, S("front"), &value));
    object_unref(o);
    arena_done(&a);
}

TEST(object_with_very_many_labels_is_matched_too)
{
    CLEANUP(buf_done) struct buf b;
    buf_init(&b, 100000);
    buf_add_lit(&b, "{\"metadata\":{\"name\":\"a\",\"labels\":{");
    for (int i = 0; i < 300; i++)
        buf_add_f(&b, "%s\"key-%d\":\"%d\"", i ? "," : "", i, i);
    buf_add_lit(&b, "}}}");
    struct object *o;
    struct arena a;
    struct label_selector sel;
    arena_init(&a, 0);
    CHECK_OK(object_new((struct object_key){1, STR_NONE, S("a")}, buf_str(&b), &o, &e));
    CHECK_OK(label_selector_parse(&a, S("key-1,key-2,key-299=299"), &sel, &e));
    CHECK(object_matches_labels(o, &sel));
    CHECK_OK(label_selector_parse(&a, S("key-1,key-2,key-300=300"), &sel, &e));
    CHECK(!object_matches_labels(o, &sel));
    object_unref(o);
    arena_done(&a);
}

TEST(object_fields_are_found_by_path)
{
    static const struct {
        const char *path, *text;
    } cases[] = {
        {"metadata.name", "web-0"},
        {"metadata.namespace", "default"},
        {"metadata.uid", "4f3c"},
        {"metadata.generation", "2"},
        {"metadata.labels.app", "web"},
        {"metadata.labels", ""},
        {"metadata", ""},
        {"metadata.annotations.note", "a \"quoted\" {word"},
        {"spec.nodeName", "node-a"},
        {"spec.hostNetwork", "true"},
        {"spec.priority", "12"},
        {"spec.schedulerName", ""},
        {"spec.containers", ""},
        {"spec.containers.name", ""},
        {"spec.odd", "aA\n"},
        {"spec.nodeName.x", ""},
        {"status.phase", "Running"},
        {"status.podIP", "10.1.2.3"},
        {"status.", ""},
        {"status.nothing", ""},
        {"nothing", ""},
        {"nothing.at.all", ""},
        {".", ""},
        {"", ""},
    };
    struct arena a;
    arena_init(&a, 0);
    struct object *o = object_of(web, POD);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
        CHECK_STR(object_field(&a, o, str_from_c(cases[i].path)), cases[i].text);
    object_unref(o);
    o = object_of((struct object_key){1, STR_NONE, S("a")},
                  "{\"metadata\":{\"name\":\"a\"},\"type\":\"Normal\"}");
    CHECK_STR(object_field(&a, o, S("type")), "Normal");
    CHECK_STR(object_field(&a, o, S("spec.x")), "");
    object_unref(o);
    arena_done(&a);
}
