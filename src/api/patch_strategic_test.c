#include "api/patch.h"
#include "harness/test.h"

struct fixture {
    struct arena a;
    const struct schema_type *type;
};

static void setup(struct fixture *f, const char *package, const char *type)
{
    arena_init(&f->a, 0);
    f->type = schema_type_find(&schema_builtin, str_from_c(package), str_from_c(type));
    CHECK(f->type != NULL);
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
    buf_init_arena(&b, &f->a, 1 << 24);
    json_print(&b, j, JSON_SORTED);
    return buf_str(&b);
}

static void check(const char *package, const char *type, const char *doc, const char *patch, const char *want)
{
    CLEANUP(teardown) struct fixture f;
    setup(&f, package, type);
    struct json d = parsed(&f, doc), p = parsed(&f, patch), out;
    str before = printed(&f, &d), patch_before = printed(&f, &p);
    CHECK_OK(patch_strategic(&f.a, &schema_builtin, f.type, &d, &p, &out, &e));
    CHECK_STR(printed(&f, &out), want);
    CHECK_STR(printed(&f, &d), before);
    CHECK_STR(printed(&f, &p), patch_before);
}

static void check_refused(const char *package, const char *type, const char *doc, const char *patch,
                          err_code want, const char *message)
{
    CLEANUP(teardown) struct fixture f;
    setup(&f, package, type);
    struct json d = parsed(&f, doc), p = parsed(&f, patch), out;
    struct err err = ERR_INIT;
    CHECK_EQ(patch_strategic(&f.a, &schema_builtin, f.type, &d, &p, &out, &err), want);
    CHECK_STR(err.msg, message);
}

/* Names stand for items: "a b" is [{"name":"a"},{"name":"b"}]; "a!" is deleted, "*" replaces the list. */
static str items(struct fixture *f, const char *names)
{
    struct buf b;
    buf_init_arena(&b, &f->a, 10000);
    buf_add_c(&b, '[');
    for (str rest = str_from_c(names), name; rest.n && str_next(&rest, ' ', &name);) {
        bool deletes = str_ends(name, S("!"));
        if (b.n > 1)
            buf_add_c(&b, ',');
        if (str_is(name, "*"))
            buf_add_lit(&b, "{\"$patch\":\"replace\"}");
        else
            buf_add_f(&b, "{\"name\":\"%" STR_FMT "\"%s}", STR_ARG(str_slice(name, 0, name.n - deletes)),
                      deletes ? ",\"$patch\":\"delete\"" : "");
    }
    buf_add_c(&b, ']');
    return buf_str(&b);
}

static void check_order(const char *doc, const char *patch, const char *order, const char *want)
{
    CLEANUP(teardown) struct fixture f;
    setup(&f, "core/v1", "PodSpec");
    struct buf d, p, got;
    buf_init_arena(&d, &f.a, 10000);
    buf_init_arena(&p, &f.a, 10000);
    buf_init_arena(&got, &f.a, 10000);
    buf_add_f(&d, "{\"containers\":%" STR_FMT "}", STR_ARG(items(&f, doc)));
    buf_add_c(&p, '{');
    if (patch)
        buf_add_f(&p, "\"containers\":%" STR_FMT, STR_ARG(items(&f, patch)));
    if (order)
        buf_add_f(&p, "%s\"$setElementOrder/containers\":%" STR_FMT, patch ? "," : "",
                  STR_ARG(items(&f, order)));
    buf_add_c(&p, '}');
    struct json doc_tree, patch_tree, out;
    CHECK_OK(json_parse(&f.a, buf_str(&d), NULL, &doc_tree, &e));
    CHECK_OK(json_parse(&f.a, buf_str(&p), NULL, &patch_tree, &e));
    CHECK_OK(patch_strategic(&f.a, &schema_builtin, f.type, &doc_tree, &patch_tree, &out, &e));
    const struct json *list = json_find(&out, S("containers"));
    for (size_t i = 0; i < json_count(list); i++)
        buf_add_f(&got, "%s%" STR_FMT, i ? " " : "",
                  STR_ARG(json_str(json_find(json_at(list, i), S("name")))));
    CHECK_STR(buf_str(&got), want);
}

TEST(items_of_merged_lists_stand_in_the_patchs_order_between_those_of_the_object)
{
    check_order("a b", "c", NULL, "c a b");
    check_order("a b c", "b", NULL, "a b c");
    check_order("a b c", "c a", NULL, "b c a");
    check_order("a b", "b! c", NULL, "c a");
    check_order("a b", "* c d", NULL, "c d");
    check_order("a b", "*", NULL, "");
    check_order("", "a b", NULL, "a b");
}

TEST(set_element_order_puts_what_it_names_in_its_order)
{
    check_order("a b c", NULL, "c b a", "c b a");
    check_order("a b c d", NULL, "d b", "a c d b");
    check_order("a b c", "d", "d a", "d a b c");
    check_order("a b c", "d", "a d b c", "a d b c");
    check_order("a b c", "b! d", "c d a", "c d a");
    check_order("a x b y", "c", "c b a", "c x b a y");
    check_order("a", NULL, "b", "a");
}

TEST(maps_merge_and_null_takes_members_away)
{
    check(
        "core/v1", "Pod", "{\"metadata\":{\"labels\":{\"a\":\"1\",\"b\":\"2\"},\"name\":\"x\"}}",
        "{\"metadata\":{\"labels\":{\"b\":null,\"c\":\"3\",\"d\":null},\"annotations\":{\"k\":null,\"l\":\"v\"}}}",
        "{\"metadata\":{\"annotations\":{\"l\":\"v\"},\"labels\":{\"a\":\"1\",\"c\":\"3\"},\"name\":\"x\"}}");
    check("core/v1", "Container", "{\"resources\":{\"limits\":{\"cpu\":\"1\"}}}",
          "{\"resources\":{\"limits\":{\"cpu\":\"500m\",\"memory\":\"1Gi\"}}}",
          "{\"resources\":{\"limits\":{\"cpu\":\"500m\",\"memory\":\"1Gi\"}}}");
    check("core/v1", "Service", "{\"spec\":{\"ports\":[{\"port\":80,\"targetPort\":8080}]}}",
          "{\"spec\":{\"ports\":[{\"port\":80,\"targetPort\":\"http\"}]}}",
          "{\"spec\":{\"ports\":[{\"port\":80,\"targetPort\":\"http\"}]}}");
}

TEST(items_of_keyed_lists_merge_with_the_item_of_their_key)
{
    check(
        "core/v1", "PodSpec",
        "{\"containers\":[{\"name\":\"a\",\"image\":\"x\",\"env\":[{\"name\":\"A\",\"value\":\"1\"},{\"name\":\"B\",\"value\":\"2\"}]}]}",
        "{\"containers\":[{\"name\":\"a\",\"image\":\"y\",\"env\":[{\"name\":\"B\",\"value\":null},{\"name\":\"A\",\"$patch\":\"delete\"}]}]}",
        "{\"containers\":[{\"env\":[{\"name\":\"B\"}],\"image\":\"y\",\"name\":\"a\"}]}");
    check("core/v1", "Service", "{\"spec\":{\"ports\":[{\"port\":80,\"name\":\"a\"}]}}",
          "{\"spec\":{\"ports\":[{\"port\":80,\"name\":\"b\"},{\"port\":81},{\"port\":81,\"name\":\"c\"}]}}",
          "{\"spec\":{\"ports\":[{\"name\":\"b\",\"port\":80},{\"name\":\"c\",\"port\":81}]}}");
    check("meta/v1", "ObjectMeta", "{\"ownerReferences\":[{\"uid\":\"1\",\"name\":\"a\"}]}",
          "{\"ownerReferences\":[{\"uid\":\"1\",\"$patch\":\"delete\"},{\"uid\":\"2\",\"name\":\"b\"}]}",
          "{\"ownerReferences\":[{\"name\":\"b\",\"uid\":\"2\"}]}");
}

TEST(lists_of_scalars_merge_as_sets_or_are_replaced)
{
    check("meta/v1", "ObjectMeta", "{\"finalizers\":[\"a\",\"b\"]}", "{\"finalizers\":[\"c\",\"a\"]}",
          "{\"finalizers\":[\"c\",\"a\",\"b\"]}");
    check("meta/v1", "ObjectMeta", "{\"finalizers\":[\"a\",\"b\",\"c\"]}",
          "{\"$deleteFromPrimitiveList/finalizers\":[\"b\",\"x\"]}", "{\"finalizers\":[\"a\",\"c\"]}");
    check(
        "meta/v1", "ObjectMeta", "{\"finalizers\":[\"a\",\"b\",\"c\"]}",
        "{\"$deleteFromPrimitiveList/finalizers\":[\"b\"],\"$setElementOrder/finalizers\":[\"c\",\"d\",\"a\"],\"finalizers\":[\"d\"]}",
        "{\"finalizers\":[\"c\",\"d\",\"a\"]}");
    check("meta/v1", "ObjectMeta", "{}", "{\"$deleteFromPrimitiveList/finalizers\":[\"b\"]}", "{}");
    check("core/v1", "Container", "{\"args\":[\"a\",\"b\"]}", "{\"args\":[\"b\"]}", "{\"args\":[\"b\"]}");
    check("core/v1", "Container", "{\"args\":[\"a\",\"b\"]}", "{\"$deleteFromPrimitiveList/args\":[\"b\"]}",
          "{\"args\":[\"a\"]}");
    check("core/v1", "PodSpec", "{\"tolerations\":[{\"key\":\"a\"}]}", "{\"tolerations\":[{\"key\":\"b\"}]}",
          "{\"tolerations\":[{\"key\":\"b\"}]}");
}

TEST(directives_of_maps_replace_or_delete_them)
{
    check("core/v1", "PodSpec", "{\"securityContext\":{\"runAsUser\":1,\"runAsGroup\":2}}",
          "{\"securityContext\":{\"$patch\":\"replace\",\"runAsUser\":5}}",
          "{\"securityContext\":{\"runAsUser\":5}}");
    check("core/v1", "PodSpec", "{\"securityContext\":{\"runAsUser\":1}}",
          "{\"securityContext\":{\"$patch\":\"delete\"}}", "{\"securityContext\":{}}");
    check("core/v1", "PodSpec", "{\"nodeName\":\"n\"}", "{\"$patch\":\"replace\",\"nodeName\":\"m\"}",
          "{\"nodeName\":\"m\"}");
    check(
        "core/v1", "PodSpec", "{}",
        "{\"securityContext\":{\"$patch\":\"delete\"},\"containers\":[{\"name\":\"a\",\"$patch\":\"delete\"},{\"name\":\"b\"}]}",
        "{\"containers\":[{\"name\":\"b\"}]}");
}

TEST(retain_keys_drops_what_it_does_not_name)
{
    check("apps/v1", "DeploymentSpec",
          "{\"strategy\":{\"type\":\"RollingUpdate\",\"rollingUpdate\":{\"maxSurge\":1}}}",
          "{\"strategy\":{\"$retainKeys\":[\"type\"],\"type\":\"Recreate\"}}",
          "{\"strategy\":{\"type\":\"Recreate\"}}");
    check(
        "core/v1", "PodSpec", "{\"volumes\":[{\"name\":\"v\",\"emptyDir\":{}}]}",
        "{\"volumes\":[{\"name\":\"v\",\"$retainKeys\":[\"name\",\"hostPath\"],\"hostPath\":{\"path\":\"/x\"},\"emptyDir\":null}]}",
        "{\"volumes\":[{\"hostPath\":{\"path\":\"/x\"},\"name\":\"v\"}]}");
}

TEST(what_the_schema_leaves_open_and_maps_of_structs_merge)
{
    check("apps/v1", "ControllerRevision", "{\"data\":{\"a\":{\"b\":1,\"l\":[1]}}}",
          "{\"data\":{\"a\":{\"c\":2,\"l\":[2]}}}", "{\"data\":{\"a\":{\"b\":1,\"c\":2,\"l\":[2]}}}");
    check("certificates/v1", "CertificateSigningRequestSpec", "{\"extra\":{\"a\":[\"1\"],\"b\":[\"2\"]}}",
          "{\"extra\":{\"a\":[\"3\"],\"b\":null}}", "{\"extra\":{\"a\":[\"3\"]}}");
    check("apiextensions/v1", "JSONSchemaProps",
          "{\"properties\":{\"a\":{\"type\":\"string\",\"description\":\"x\"}}}",
          "{\"properties\":{\"a\":{\"type\":\"integer\",\"description\":null},\"b\":{\"type\":\"object\"}}}",
          "{\"properties\":{\"a\":{\"type\":\"integer\"},\"b\":{\"type\":\"object\"}}}");
    check("core/v1", "Volume", "{\"name\":\"v\",\"emptyDir\":{\"medium\":\"Memory\"}}",
          "{\"emptyDir\":{\"sizeLimit\":\"1Gi\"}}",
          "{\"emptyDir\":{\"medium\":\"Memory\",\"sizeLimit\":\"1Gi\"},\"name\":\"v\"}");
    check("core/v1", "PodSpec", "{\"nodeName\":\"n\"}", "{\"unknown\":{\"a\":1}}",
          "{\"nodeName\":\"n\",\"unknown\":{\"a\":1}}");
    check("core/v1", "PodSpec", "{\"nodeName\":\"n\"}", "null", "{\"nodeName\":\"n\"}");
}

TEST(patches_that_contradict_themselves_or_the_schema_are_refused)
{
    check_refused("core/v1", "PodSpec", "{\"containers\":[{\"name\":\"a\"}]}",
                  "{\"containers\":[{\"image\":\"x\"}]}", ERR_INTERNAL,
                  "map: map[image:x] does not contain declared merge key: name");
    check_refused("core/v1", "PodSpec", "{\"containers\":[{\"name\":\"a\"}]}",
                  "{\"containers\":[{\"$patch\":\"delete\"}]}", ERR_INTERNAL,
                  "map: map[$patch:delete] does not contain declared merge key: name");
    check_refused("core/v1", "PodSpec", "{\"containers\":[{\"name\":\"a\"}]}",
                  "{\"containers\":[{\"$patch\":\"merge\",\"name\":\"a\"}]}", ERR_INTERNAL,
                  "merging lists cannot yet be specified in the patch");
    check_refused("core/v1", "PodSpec", "{\"containers\":[{\"name\":\"a\"}]}",
                  "{\"containers\":[{\"$patch\":\"eat\",\"name\":\"a\"}]}", ERR_INTERNAL,
                  "unknown patch type: eat in map: map[$patch:eat name:a]");
    check_refused("core/v1", "PodSpec", "{\"securityContext\":{}}",
                  "{\"securityContext\":{\"$patch\":\"merge\"}}", ERR_INTERNAL,
                  "unknown patch type: merge in map: map[$patch:merge]");
    check_refused("core/v1", "PodSpec", "{\"containers\":[{\"name\":\"a\"}]}", "{\"containers\":[1]}",
                  ERR_INTERNAL, "list element types are not identical: [[map[name:a]] [1]]");
    check_refused("core/v1", "PodSpec", "{\"containers\":[{\"name\":\"a\"}]}", "{\"containers\":[[1]]}",
                  ERR_INTERNAL, "list element types are not identical: [[map[name:a]] [[1]]]");
    check_refused("meta/v1", "ObjectMeta", "{\"finalizers\":[\"a\"]}",
                  "{\"$deleteFromPrimitiveList\":[\"a\"]}", ERR_BAD_REQUEST,
                  "invalid patch format of primitive list");
    check_refused("core/v1", "PodSpec", "{}", "{\"$setElementOrder\":[]}", ERR_BAD_REQUEST,
                  "invalid patch format of setElementOrder list");
    check_refused("core/v1", "PodSpec", "{}", "{\"$setElementOrder/containers\":\"x\"}", ERR_INTERNAL,
                  "expected a []interface {}, but received a string");
    check_refused("core/v1", "PodSpec", "{}", "{\"$setElementOrder/foo\":[]}", ERR_INTERNAL,
                  "unable to find api field in struct PodSpec for the json field \"foo\"");
    check_refused(
        "core/v1", "PodSpec", "{\"containers\":[{\"name\":\"a\"}]}",
        "{\"containers\":[{\"name\":\"b\"}],\"$setElementOrder/containers\":[{\"name\":\"a\"}]}",
        ERR_INTERNAL,
        "the order in patch list:\n[map[name:b]]\n doesn't match $setElementOrder list:\n[map[name:a]]");
    check_refused(
        "core/v1", "PodSpec", "{\"containers\":[{\"name\":\"a\"}]}",
        "{\"containers\":[{\"name\":\"a\"},{\"name\":\"b\"}],\"$setElementOrder/containers\":[{\"name\":\"b\"},{\"name\":\"a\"}]}",
        ERR_INTERNAL,
        "the order in patch list:\n[map[name:a] map[name:b]]\n doesn't match $setElementOrder list:\n[map[name:b] map[name:a]]");
    check_refused("apps/v1", "DeploymentSpec", "{\"strategy\":{}}",
                  "{\"strategy\":{\"$retainKeys\":[],\"type\":\"Recreate\"}}", ERR_BAD_REQUEST,
                  "invalid patch format of retainKeys");
    check_refused("apps/v1", "DeploymentSpec", "{\"strategy\":{}}", "{\"strategy\":{\"$retainKeys\":\"x\"}}",
                  ERR_BAD_REQUEST, "invalid patch format of retainKeys");
    check_refused("core/v1", "Pod", "{}", "[]", ERR_BAD_REQUEST,
                  "json: cannot unmarshal array into Go value of type map[string]interface {}");
}

TEST(large_lists_merge_in_a_moment)
{
    CLEANUP(teardown) struct fixture f;
    setup(&f, "core/v1", "Container");
    struct json doc = json_object(), patch = json_object(), out, env = json_array(), more = json_array();
    enum { MANY = 20000 };
    for (int i = 0; i < MANY; i++) {
        struct json item = json_object(), other = json_object();
        json_add(&f.a, &item, S("name"), json_of_str(str_format(&f.a, "n%d", i)));
        json_add(&f.a, &other, S("name"), json_of_str(str_format(&f.a, "n%d", MANY + MANY / 2 - i)));
        json_add(&f.a, &other, S("value"), json_of_str(S("v")));
        json_append(&f.a, &env, item);
        json_append(&f.a, &more, other);
    }
    json_add(&f.a, &doc, S("env"), env);
    json_add(&f.a, &patch, S("env"), more);
    CHECK_OK(patch_strategic(&f.a, &schema_builtin, f.type, &doc, &patch, &out, &e));
    CHECK_EQ(json_count(json_find(&out, S("env"))), MANY + MANY / 2 + 1);
}
