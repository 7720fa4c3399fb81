/* catalog_test.c */
#include "api/catalog_testing.h"
#include "api/convert.h"
#include "harness/test.h"

static void count_release(void *obj)
{
    ++*(int *)obj;
}

/* A version of widgets.example.com that counts how often it is let go. */
static struct custom_kind widget(str version, bool is_stored, int *released)
{
    struct custom_kind k = custom_widget(version);
    k.is_stored = is_stored;
    k.release = count_release;
    k.obj = released;
    return k;
}

/* "apps/v1 deployments", one per line, as discovery goes through them. */
static str list_versions(struct buf *b, const struct catalog *c)
{
    for (size_t i = 0; i < c->group_count; i++)
        for (size_t j = 0; j < c->groups[i].version_count; j++)
            buf_add_f(b, "%" STR_FMT "/%" STR_FMT " ", STR_ARG(c->groups[i].name),
                      STR_ARG(c->groups[i].versions[j].version));
    return buf_str(b);
}

TEST(catalog_lists_the_built_in_groups_as_the_original_does)
{
    CATALOG c = catalog_new(NULL, 0, 7);
    CLEANUP(buf_done) struct buf b;
    buf_init(&b, 4096);
    CHECK_STR(list_versions(&b, c),
              "/v1 apiregistration.k8s.io/v1 apps/v1 events.k8s.io/v1 authentication.k8s.io/v1 "
              "authorization.k8s.io/v1 autoscaling/v2 autoscaling/v1 batch/v1 certificates.k8s.io/v1 "
              "networking.k8s.io/v1 policy/v1 rbac.authorization.k8s.io/v1 storage.k8s.io/v1 "
              "admissionregistration.k8s.io/v1 apiextensions.k8s.io/v1 scheduling.k8s.io/v1 "
              "coordination.k8s.io/v1 node.k8s.io/v1 discovery.k8s.io/v1 flowcontrol.apiserver.k8s.io/v1 "
              "resource.k8s.io/v1 ");
    CHECK_EQ(c->generation, 7);
}

TEST(catalog_finds_a_kind_by_url_and_by_document)
{
    CATALOG c = catalog_new(NULL, 0, 1);
    static const struct {
        str group, version, plural, api_version, kind, store_name, head;
    } rows[] = {
        {S_INIT(""), S_INIT("v1"), S_INIT("pods"), S_INIT("v1"), S_INIT("Pod"), S_INIT("pods"),
         S_INIT("{\"kind\":\"Pod\",\"apiVersion\":\"v1\",")},
        {S_INIT("apps"), S_INIT("v1"), S_INIT("deployments"), S_INIT("apps/v1"), S_INIT("Deployment"),
         S_INIT("deployments.apps"), S_INIT("{\"kind\":\"Deployment\",\"apiVersion\":\"apps/v1\",")},
        {S_INIT("autoscaling"), S_INIT("v1"), S_INIT("horizontalpodautoscalers"), S_INIT("autoscaling/v1"),
         S_INIT("HorizontalPodAutoscaler"), S_INIT("horizontalpodautoscalers.autoscaling"),
         S_INIT("{\"kind\":\"HorizontalPodAutoscaler\",\"apiVersion\":\"autoscaling/v1\",")},
        {S_INIT("events.k8s.io"), S_INIT("v1"), S_INIT("events"), S_INIT("events.k8s.io/v1"), S_INIT("Event"),
         S_INIT("events"), S_INIT("{\"kind\":\"Event\",\"apiVersion\":\"events.k8s.io/v1\",")},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        const struct served_kind *k = catalog_find(c, rows[i].group, rows[i].version, rows[i].plural);
        CHECK(k);
        CHECK(k == catalog_find_kind(c, rows[i].api_version, rows[i].kind));
        CHECK_STR(k->api_version, rows[i].api_version);
        CHECK_STR(k->resource->store_name, rows[i].store_name);
        CHECK_STR(k->head, rows[i].head);
    }
    CHECK(!catalog_find(c, S("apps"), S("v1"), S("pods")));
    CHECK(!catalog_find(c, S(""), S("v1"), S("pod")));
    CHECK(!catalog_find_kind(c, S("v1"), S("Deployment")));
    CHECK(!catalog_find_kind(c, S("v1"), S("Status")));
    CHECK(!catalog_version(c, S("apps"), S("v1beta1")));
    CHECK(!catalog_group(c, S("extensions")));
    CHECK_STR(catalog_group(c, S(""))->versions[0].version, "v1");
}

TEST(catalog_finds_every_kind_it_lists_in_the_order_of_plurals)
{
    CATALOG c = catalog_new(NULL, 0, 1);
    size_t count = 0;
    for (size_t i = 0; i < c->group_count; i++) {
        CHECK(catalog_group(c, c->groups[i].name) == &c->groups[i]);
        for (size_t j = 0; j < c->groups[i].version_count; j++) {
            const struct served_version *v = &c->groups[i].versions[j];
            CHECK(catalog_version(c, v->group, v->version) == v);
            for (size_t n = 0; n < v->kind_count; n++, count++) {
                const struct served_kind *k = v->kinds[n];
                CHECK(catalog_find(c, k->group, k->version, k->plural) == k);
                CHECK(catalog_find_kind(c, k->api_version, k->kind) == k);
                CHECK(n == 0 || str_cmp(v->kinds[n - 1]->plural, k->plural) < 0);
                CHECK(!k->resource->stored->conversion);
            }
        }
    }
    CHECK_EQ(count, 68); /* GA resources of 1.36 */
}

TEST(catalog_serves_one_resource_as_several_kinds)
{
    CATALOG c = catalog_new(NULL, 0, 1);
    const struct served_kind *core = catalog_find_kind(c, S("v1"), S("Event"));
    const struct served_kind *events = catalog_find_kind(c, S("events.k8s.io/v1"), S("Event"));
    CHECK(core->resource == events->resource);
    CHECK(core->resource->stored == core);
    CHECK(!core->conversion);
    CHECK(events->conversion == &conversion_builtin);
}

TEST(catalog_converts_through_the_kind)
{
    CATALOG c = catalog_new(NULL, 0, 1);
    const struct served_kind *k = catalog_find_kind(c, S("events.k8s.io/v1"), S("Event"));
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    struct json stored, served, back;
    CHECK_OK(json_parse(&a, S("{\"metadata\":{\"name\":\"x\"},\"message\":\"hello\"}"), NULL, &stored, &e));
    CHECK_OK(k->conversion->from_stored(&a, k, &stored, &served, &e));
    CHECK_STR(json_str(json_find(&served, S("note"))), "hello");
    CHECK_OK(k->conversion->to_stored(&a, k, &served, &back, &e));
    CHECK_STR(json_str(json_find(&back, S("message"))), "hello");
}

TEST(catalog_knows_subresources_selectors_and_names)
{
    CATALOG c = catalog_new(NULL, 0, 1);
    const struct served_kind *pods = catalog_find(c, S(""), S("v1"), S("pods"));
    const struct served_subresource *eviction = served_subresource_find(pods, S("eviction"));
    CHECK_STR(eviction->group, "policy");
    CHECK_STR(eviction->version, "v1");
    CHECK_STR(eviction->kind, "Eviction");
    CHECK_EQ(eviction->verbs, SCHEMA_CREATE);
    CHECK(!served_subresource_find(pods, S("scale")));
    CHECK(!eviction->is_connect);
    CHECK(!eviction->options);
    const struct served_subresource *log = served_subresource_find(pods, S("log"));
    CHECK(!log->is_connect);
    CHECK(schema_field_find(&schema_builtin, log->options, S("tailLines")));
    const struct served_subresource *exec = served_subresource_find(pods, S("exec"));
    CHECK(exec->is_connect);
    CHECK(schema_field_find(&schema_builtin, exec->options, S("command")));
    CHECK(pods->returns_deleted);
    CHECK(!catalog_find(c, S(""), S("v1"), S("secrets"))->returns_deleted);
    CHECK_STR(pods->selectable.items[0], "spec.nodeName");
    CHECK_STR(pods->short_names.items[0], "po");
    CHECK_STR(pods->categories.items[0], "all");
    CHECK_STR(pods->singular, "pod");
    CHECK(pods->namespaced);
    CHECK_STR(pods->deprecation, "");
    CHECK_STR(catalog_find(c, S(""), S("v1"), S("endpoints"))->deprecation,
              "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice");
    CHECK(catalog_find(c, S("coordination.k8s.io"), S("v1"), S("leases"))->resource->short_history);
    CHECK(!pods->resource->short_history);
}

TEST(catalog_leaves_out_what_add_ons_serve)
{
    CATALOG c = catalog_new(NULL, 0, 1);
    CHECK(!catalog_group(c, S("metrics.k8s.io")));
}

TEST(catalog_puts_versions_of_custom_groups_in_the_order_of_kubernetes)
{
    int released = 0;
    const str versions[] = {S("foo10"),     S("v1alpha2"), S("v11"), S("v2"),       S("v10beta3"),
                            S("v3beta1"),   S("foo1"),     S("v1"),  S("v11beta2"), S("v1alpha1"),
                            S("v12alpha1"), S("v1beta"),   S("v")};
    struct custom_kind custom[ARRAY_COUNT(versions)];
    for (size_t i = 0; i < ARRAY_COUNT(versions); i++)
        custom[i] = widget(versions[i], i == 0, &released);
    CATALOG c = catalog_new(custom, ARRAY_COUNT(custom), 1);
    const struct served_group *g = catalog_group(c, S("example.com"));
    static const char *const want[] = {"v11",     "v2",        "v1",       "v11beta2", "v10beta3",
                                       "v3beta1", "v12alpha1", "v1alpha2", "v1alpha1", "foo1",
                                       "foo10",   "v",         "v1beta"};
    CHECK_EQ(g->version_count, ARRAY_COUNT(want));
    for (size_t i = 0; i < g->version_count; i++)
        CHECK_STR(g->versions[i].version, want[i]);
    CHECK(g == &c->groups[c->group_count - 1]);
}

TEST(catalog_orders_custom_groups_by_their_first_version_and_name)
{
    int released = 0;
    struct custom_kind custom[3];
    static const char *const groups[] = {"b.example.com", "a.example.com", "c.example.com"};
    static const char *const versions[] = {"v1", "v2", "v1alpha1"};
    for (size_t i = 0; i < 3; i++) {
        custom[i] = widget(str_from_c(versions[i]), true, &released);
        custom[i].kind.group = str_from_c(groups[i]);
    }
    CATALOG c = catalog_new(custom, 3, 1);
    /* v1.b, v1alpha1.c, v2.a */
    CHECK_STR(c->groups[c->group_count - 3].name, "b.example.com");
    CHECK_STR(c->groups[c->group_count - 2].name, "c.example.com");
    CHECK_STR(c->groups[c->group_count - 1].name, "a.example.com");
    c = catalog_unref(c);
    CHECK_EQ(released, 3);
}

TEST(catalog_shares_unchanged_custom_resources_with_the_one_before)
{
    int old = 0, kept = 0;
    struct custom_kind first[] = {widget(S("v1"), true, &old), widget(S("v1"), true, &kept)};
    first[1].kind.plural = S("gadgets");
    first[1].kind.kind = S("Gadget");
    CATALOG c1 = catalog_new(first, 2, 1);
    int new_v1 = 0, new_v2 = 0;
    struct custom_kind second[] = {widget(S("v1"), false, &new_v1), widget(S("v2"), true, &new_v2), first[1]};
    CATALOG c2 = catalog_renew(c1, second, 3, 2);
    CHECK_EQ(kept, 1); /* the second reference was not needed */
    CHECK(catalog_find(c1, S("example.com"), S("v1"), S("gadgets")) ==
          catalog_find(c2, S("example.com"), S("v1"), S("gadgets")));
    CHECK(catalog_find_kind(c1, S("v1"), S("Pod")) == catalog_find_kind(c2, S("v1"), S("Pod")));
    const struct served_kind *v1 = catalog_find(c2, S("example.com"), S("v1"), S("widgets"));
    const struct served_kind *v2 = catalog_find(c2, S("example.com"), S("v2"), S("widgets"));
    CHECK(v1->resource == v2->resource);
    CHECK(v1->resource->stored == v2);
    CHECK_STR(v1->resource->store_name, "widgets.example.com");
    CHECK(!catalog_find(c1, S("example.com"), S("v2"), S("widgets")));

    c1 = catalog_unref(c1);
    CHECK_EQ(old, 1);
    CHECK_EQ(kept, 1);
    const struct served_kind *held = served_kind_ref(v1);
    c2 = catalog_unref(c2);
    CHECK_EQ(kept, 2);
    CHECK_EQ(new_v1 + new_v2, 0);
    CHECK_STR(held->head, "{\"kind\":\"Widget\",\"apiVersion\":\"example.com/v1\",");
    held = served_kind_unref(held);
    CHECK_EQ(new_v1, 1);
    CHECK_EQ(new_v2, 1);
    CHECK(!served_kind_unref(NULL));
}

TEST(catalog_stores_as_a_version_that_is_not_served)
{
    int released = 0;
    struct custom_kind custom[] = {widget(S("v1"), true, &released), widget(S("v2"), false, &released)};
    custom[0].is_hidden = true;
    CATALOG c = catalog_new(custom, 2, 1);
    CHECK(!catalog_find(c, S("example.com"), S("v1"), S("widgets")));
    CHECK_EQ(catalog_group(c, S("example.com"))->version_count, 1);
    CHECK_STR(catalog_find(c, S("example.com"), S("v2"), S("widgets"))->resource->stored->version, "v1");
    CATALOG again = catalog_renew(c, custom, 2, 2);
    CHECK_EQ(released, 2);
    CHECK(catalog_find(c, S("example.com"), S("v2"), S("widgets")) ==
          catalog_find(again, S("example.com"), S("v2"), S("widgets")));
}
