/* discovery_test.c - against what the original's server answers. */
#include "api/catalog_testing.h"
#include "api/discovery.h"
#include "harness/test.h"
#include "wire/json.h"

struct page {
    struct arena arena;
    struct buf text;
    struct json tree;
};

static void page_init(struct page *p)
{
    arena_init(&p->arena, 0);
    buf_init(&p->text, 1 << 20);
}

static void page_done(struct page *p)
{
    buf_done(&p->text);
    arena_done(&p->arena);
}
#define PAGE CLEANUP(page_done) struct page

static const struct json *page_parse(struct page *p)
{
    CHECK_OK(json_parse(&p->arena, buf_str(&p->text), &(struct json_opts){.flags = JSON_DUPLICATES_ERROR},
                        &p->tree, &e));
    return &p->tree;
}

/* The item of a list whose `name` member is `value`; printed. */
static str item_text(struct page *p, const struct json *list, str name, str value)
{
    for (size_t i = 0; i < json_count(list); i++) {
        const struct json *item = json_at(list, i);
        if (!str_eq(json_str(json_find(item, name)), value))
            continue;
        struct buf b;
        buf_init_arena(&b, &p->arena, 1 << 20);
        json_print(&b, item, 0);
        return buf_str(&b);
    }
    FAIL("nothing is called %" STR_FMT, STR_ARG(value));
}

TEST(discovery_of_the_core_group_is_the_originals)
{
    CATALOG c = catalog_new(NULL, 0, 1);
    PAGE p;
    page_init(&p);
    discovery_core(&p.text, c, S("10.0.0.1:6443"));
    CHECK_STR(
        buf_str(&p.text),
        "{\"kind\":\"APIVersions\",\"versions\":[\"v1\"],\"serverAddressByClientCIDRs\":[{\"clientCIDR\":"
        "\"0.0.0.0/0\",\"serverAddress\":\"10.0.0.1:6443\"}]}");
}

TEST(discovery_of_groups_lists_them_in_order_with_the_preferred_version)
{
    CATALOG c = catalog_new(NULL, 0, 1);
    PAGE p;
    page_init(&p);
    discovery_groups(&p.text, c);
    CHECK(str_starts(
        buf_str(&p.text),
        S("{\"kind\":\"APIGroupList\",\"apiVersion\":\"v1\",\"groups\":[{\"name\":"
          "\"apiregistration.k8s.io\",\"versions\":[{\"groupVersion\":\"apiregistration.k8s.io/v1\","
          "\"version\":\"v1\"}],\"preferredVersion\":{\"groupVersion\":\"apiregistration.k8s.io/v1\","
          "\"version\":\"v1\"}},{\"name\":\"apps\",")));
    const struct json *groups = json_find(page_parse(&p), S("groups"));
    CHECK_EQ(json_count(groups), 20);
    CHECK_STR(
        item_text(&p, groups, S("name"), S("autoscaling")),
        "{\"name\":\"autoscaling\",\"versions\":[{\"groupVersion\":\"autoscaling/v2\",\"version\":\"v2\"},"
        "{\"groupVersion\":\"autoscaling/v1\",\"version\":\"v1\"}],\"preferredVersion\":{\"groupVersion\":"
        "\"autoscaling/v2\",\"version\":\"v2\"}}");
}

TEST(discovery_of_one_group_says_what_it_is)
{
    CATALOG c = catalog_new(NULL, 0, 1);
    PAGE p;
    page_init(&p);
    discovery_group(&p.text, c, catalog_group(c, S("apps")));
    CHECK_STR(
        buf_str(&p.text),
        "{\"kind\":\"APIGroup\",\"apiVersion\":\"v1\",\"name\":\"apps\",\"versions\":[{\"groupVersion\":"
        "\"apps/v1\",\"version\":\"v1\"}],\"preferredVersion\":{\"groupVersion\":\"apps/v1\",\"version\":"
        "\"v1\"}}");
}

TEST(discovery_of_resources_has_no_api_version_in_the_core_group_only)
{
    CATALOG c = catalog_new(NULL, 0, 1);
    PAGE core, apps;
    page_init(&core);
    page_init(&apps);
    discovery_resources(&core.text, c, catalog_version(c, S(""), S("v1")));
    CHECK(str_starts(
        buf_str(&core.text),
        S("{\"kind\":\"APIResourceList\",\"groupVersion\":\"v1\",\"resources\":[{\"name\":\"bindings\","
          "\"singularName\":\"binding\",\"namespaced\":true,\"kind\":\"Binding\",\"verbs\":[\"create\"]}"
          ",{\"name\":\"componentstatuses\",\"singularName\":\"componentstatus\",\"namespaced\":false,"
          "\"kind\":\"ComponentStatus\",\"verbs\":[\"get\",\"list\"],\"shortNames\":[\"cs\"]},")));
    discovery_resources(&apps.text, c, catalog_version(c, S("apps"), S("v1")));
    CHECK(str_starts(
        buf_str(&apps.text),
        S("{\"kind\":\"APIResourceList\",\"apiVersion\":\"v1\",\"groupVersion\":\"apps/v1\",\"resources\":[")));
}

TEST(discovery_of_resources_describes_each_as_the_original_does)
{
    static const struct {
        const char *group, *version, *name, *want;
    } rows[] = {
        {"", "v1", "pods",
         "{\"name\":\"pods\",\"singularName\":\"pod\",\"namespaced\":true,\"kind\":\"Pod\",\"verbs\":[\"create\","
         "\"delete\",\"deletecollection\",\"get\",\"list\",\"patch\",\"update\",\"watch\"],\"shortNames\":[\"po\"],"
         "\"categories\":[\"all\"],\"storageVersionHash\":\"xPOwRZ+Yhw8=\"}"},
        {"", "v1", "namespaces",
         "{\"name\":\"namespaces\",\"singularName\":\"namespace\",\"namespaced\":false,\"kind\":\"Namespace\","
         "\"verbs\":[\"create\",\"delete\",\"get\",\"list\",\"patch\",\"update\",\"watch\"],\"shortNames\":[\"ns\"],"
         "\"storageVersionHash\":\"Q3oi5N2YM8M=\"}"},
        {"", "v1", "pods/eviction",
         "{\"name\":\"pods/eviction\",\"singularName\":\"\",\"namespaced\":true,\"group\":\"policy\",\"version\":"
         "\"v1\",\"kind\":\"Eviction\",\"verbs\":[\"create\"]}"},
        {"", "v1", "pods/log",
         "{\"name\":\"pods/log\",\"singularName\":\"\",\"namespaced\":true,\"kind\":\"Pod\",\"verbs\":[\"get\"]}"},
        {"", "v1", "nodes/proxy",
         "{\"name\":\"nodes/proxy\",\"singularName\":\"\",\"namespaced\":false,\"kind\":\"NodeProxyOptions\","
         "\"verbs\":[\"create\",\"delete\",\"get\",\"patch\",\"update\"]}"},
        {"", "v1", "serviceaccounts/token",
         "{\"name\":\"serviceaccounts/token\",\"singularName\":\"\",\"namespaced\":true,\"group\":"
         "\"authentication.k8s.io\",\"version\":\"v1\",\"kind\":\"TokenRequest\",\"verbs\":[\"create\"]}"},
        {"apps", "v1", "deployments/scale",
         "{\"name\":\"deployments/scale\",\"singularName\":\"\",\"namespaced\":true,\"group\":\"autoscaling\","
         "\"version\":\"v1\",\"kind\":\"Scale\",\"verbs\":[\"get\",\"patch\",\"update\"]}"},
        {"autoscaling", "v1", "horizontalpodautoscalers",
         "{\"name\":\"horizontalpodautoscalers\",\"singularName\":\"horizontalpodautoscaler\",\"namespaced\":true,"
         "\"kind\":\"HorizontalPodAutoscaler\",\"verbs\":[\"create\",\"delete\",\"deletecollection\",\"get\",\"list\","
         "\"patch\",\"update\",\"watch\"],\"shortNames\":[\"hpa\"],\"categories\":[\"all\"],"
         "\"storageVersionHash\":\"qwQve8ut294=\"}"},
        {"events.k8s.io", "v1", "events",
         "{\"name\":\"events\",\"singularName\":\"event\",\"namespaced\":true,\"kind\":\"Event\",\"verbs\":["
         "\"create\",\"delete\",\"deletecollection\",\"get\",\"list\",\"patch\",\"update\",\"watch\"],\"shortNames\":["
         "\"ev\"],\"storageVersionHash\":\"r2yiGXH7wu8=\"}"},
        {"authorization.k8s.io", "v1", "selfsubjectaccessreviews",
         "{\"name\":\"selfsubjectaccessreviews\",\"singularName\":\"selfsubjectaccessreview\",\"namespaced\":false,"
         "\"kind\":\"SelfSubjectAccessReview\",\"verbs\":[\"create\"]}"},
    };
    CATALOG c = catalog_new(NULL, 0, 1);
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        PAGE p;
        page_init(&p);
        discovery_resources(&p.text, c,
                            catalog_version(c, str_from_c(rows[i].group), str_from_c(rows[i].version)));
        const struct json *resources = json_find(page_parse(&p), S("resources"));
        CHECK_STR(item_text(&p, resources, S("name"), str_from_c(rows[i].name)), rows[i].want);
    }
}

TEST(discovery_of_resources_is_in_the_order_of_their_names)
{
    CATALOG c = catalog_new(NULL, 0, 1);
    for (size_t i = 0; i < c->group_count; i++) {
        PAGE p;
        page_init(&p);
        discovery_resources(&p.text, c, &c->groups[i].versions[0]);
        const struct json *resources = json_find(page_parse(&p), S("resources"));
        for (size_t n = 1; n < json_count(resources); n++)
            CHECK_LT(str_cmp(json_str(json_find(json_at(resources, n - 1), S("name"))),
                             json_str(json_find(json_at(resources, n), S("name")))),
                     0);
    }
}

TEST(discovery_of_everything_has_each_group_with_its_resources)
{
    CATALOG c = catalog_new(NULL, 0, 1);
    PAGE p;
    page_init(&p);
    discovery_aggregated(&p.text, c, false);
    CHECK(str_starts(
        buf_str(&p.text),
        S("{\"kind\":\"APIGroupDiscoveryList\",\"apiVersion\":\"apidiscovery.k8s.io/v2\",\"metadata\":{},"
          "\"items\":[{\"metadata\":{\"name\":\"apiregistration.k8s.io\"},\"versions\":[{\"version\":"
          "\"v1\",\"resources\":[{\"resource\":\"apiservices\",\"responseKind\":{\"group\":\"\","
          "\"version\":\"\",\"kind\":\"APIService\"},\"scope\":\"Cluster\",\"singularResource\":"
          "\"apiservice\",\"verbs\":[\"create\",\"delete\",\"deletecollection\",\"get\",\"list\",\"patch\","
          "\"update\",\"watch\"],\"categories\":[\"api-extensions\"],\"subresources\":[{\"subresource\":"
          "\"status\",\"responseKind\":{\"group\":\"\",\"version\":\"\",\"kind\":\"APIService\"},\"verbs\":"
          "[\"get\",\"patch\",\"update\"]}]}],\"freshness\":\"Current\"}]},")));
    const struct json *items = json_find(page_parse(&p), S("items"));
    CHECK_EQ(json_count(items), c->group_count - 1);
    const struct json *apps = json_find(json_at(json_find(json_at(items, 1), S("versions")), 0),
                                        S("resources"));
    CHECK_STR(
        item_text(&p, apps, S("resource"), S("deployments")),
        "{\"resource\":\"deployments\",\"responseKind\":{\"group\":\"\",\"version\":\"\",\"kind\":"
        "\"Deployment\"},\"scope\":\"Namespaced\",\"singularResource\":\"deployment\",\"verbs\":[\"create\","
        "\"delete\",\"deletecollection\",\"get\",\"list\",\"patch\",\"update\",\"watch\"],\"shortNames\":["
        "\"deploy\"],\"categories\":[\"all\"],\"subresources\":[{\"subresource\":\"scale\",\"responseKind\":{"
        "\"group\":\"autoscaling\",\"version\":\"v1\",\"kind\":\"Scale\"},\"verbs\":[\"get\",\"patch\","
        "\"update\"]},{\"subresource\":\"status\",\"responseKind\":{\"group\":\"\",\"version\":\"\",\"kind\":"
        "\"Deployment\"},\"verbs\":[\"get\",\"patch\",\"update\"]}]}");
}

TEST(discovery_of_everything_in_core_has_one_group_without_a_name)
{
    CATALOG c = catalog_new(NULL, 0, 1);
    PAGE p;
    page_init(&p);
    discovery_aggregated(&p.text, c, true);
    const struct json *items = json_find(page_parse(&p), S("items"));
    CHECK_EQ(json_count(items), 1);
    CHECK_EQ(json_count(json_find(json_at(items, 0), S("metadata"))), 0);
    const struct json *versions = json_find(json_at(items, 0), S("versions"));
    CHECK_EQ(json_count(json_find(json_at(versions, 0), S("resources"))), 17);
}

TEST(discovery_of_custom_resources_has_the_verbs_in_their_own_order)
{
    struct custom_kind custom = custom_widget(S("v1"));
    CATALOG c = catalog_new(&custom, 1, 1);
    PAGE p, all;
    page_init(&p);
    page_init(&all);
    discovery_resources(&p.text, c, catalog_version(c, S("example.com"), S("v1")));
    CHECK_STR(
        buf_str(&p.text),
        "{\"kind\":\"APIResourceList\",\"apiVersion\":\"v1\",\"groupVersion\":\"example.com/v1\",\"resources\":["
        "{\"name\":\"widgets\",\"singularName\":\"widget\",\"namespaced\":true,\"kind\":\"Widget\",\"verbs\":["
        "\"delete\",\"deletecollection\",\"get\",\"list\",\"patch\",\"create\",\"update\",\"watch\"],\"shortNames\":["
        "\"wd\"],\"categories\":[\"all\",\"tools\"],\"storageVersionHash\":\"gIwvi5rymmg=\"},"
        "{\"name\":\"widgets/status\",\"singularName\":\"\",\"namespaced\":true,\"kind\":\"Widget\",\"verbs\":["
        "\"get\",\"patch\",\"update\"]},"
        "{\"name\":\"widgets/scale\",\"singularName\":\"\",\"namespaced\":true,\"group\":\"autoscaling\","
        "\"version\":\"v1\",\"kind\":\"Scale\",\"verbs\":[\"get\",\"patch\",\"update\"]}]}");
    discovery_aggregated(&all.text, c, false);
    CHECK_CONTAINS(buf_str(&all.text),
                   "\"responseKind\":{\"group\":\"example.com\",\"version\":\"v1\",\"kind\":\"Widget\"}");
}

TEST(discovery_of_everything_sorts_custom_groups_by_name)
{
    struct custom_kind custom[2] = {custom_widget(S("v1")), custom_widget(S("v2"))};
    custom[0].kind.group = S("z.example.com");
    custom[1].kind.group = S("a.example.com");
    CATALOG c = catalog_new(custom, 2, 1);
    PAGE groups, all;
    page_init(&groups);
    page_init(&all);
    discovery_groups(&groups.text, c);
    discovery_aggregated(&all.text, c, false);
    str listed = buf_str(&groups.text), aggregated = buf_str(&all.text);
    CHECK_LT(str_index(listed, S("\"z.example.com\"")), str_index(listed, S("\"a.example.com\"")));
    CHECK_LT(str_index(aggregated, S("{\"name\":\"a.example.com\"}")),
             str_index(aggregated, S("{\"name\":\"z.example.com\"}")));
    CHECK_LT(str_index(aggregated, S("{\"name\":\"resource.k8s.io\"}")),
             str_index(aggregated, S("{\"name\":\"a.example.com\"}")));
}
