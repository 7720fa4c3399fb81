#include "api/apply.h"
#include "api/apply_testing.h"
#include "api/convert.h"
#include "api/schema_load.h"

#define DEPLOYMENT_HEAD "{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\",\"metadata\":{\"name\":\"web\","
#define TEMPLATE(image)                                                                                 \
    "\"selector\":{\"matchLabels\":{\"app\":\"web\"}},\"template\":{\"metadata\":{\"labels\":{\"app\":" \
    "\"web\"}},\"spec\":{\"containers\":[{\"name\":\"nginx\",\"image\":\"" image "\"}]}}"

static void open_deployment(struct apply_fixture *f)
{
    apply_fixture_open(f, "apps/v1", "Deployment");
}

static void applied(struct apply_fixture *f, const char *manager, const char *text)
{
    CHECK_OK(apply_fixture_apply(f, manager, false, text, &e));
}
static void forced(struct apply_fixture *f, const char *manager, const char *text)
{
    CHECK_OK(apply_fixture_apply(f, manager, true, text, &e));
}

/* --- tracking --- */

TEST(create_credits_every_field_that_an_empty_object_does_not_have)
{
    CLEANUP(apply_fixture_close) struct apply_fixture f;
    open_deployment(&f);
    apply_fixture_put(&f, "kubectl-create",
                      DEPLOYMENT_HEAD "\"labels\":{\"app\":\"web\"}},\"spec\":{" TEMPLATE("nginx") "}}");
    CHECK_STR(
        apply_fixture_fields(&f, "kubectl-create"),
        "{\"f:metadata\":{\"f:labels\":{\".\":{},\"f:app\":{}}},\"f:spec\":{\"f:progressDeadlineSeconds\":"
        "{},\"f:replicas\":{},\"f:revisionHistoryLimit\":{},\"f:selector\":{},\"f:strategy\":{\"f:"
        "type\":{}},\"f:template\":{\"f:metadata\":{\"f:labels\":{\".\":{},\"f:app\":{}}},\"f:spec\":{"
        "\"f:containers\":{\"k:{\\\"name\\\":\\\"nginx\\\"}\":{\".\":{},\"f:image\":{},\"f:name\":{},\"f:"
        "resources\":{},\"f:terminationMessagePath\":{},\"f:terminationMessagePolicy\":{}}},\"f:"
        "dnsPolicy\":{},\"f:restartPolicy\":{},\"f:schedulerName\":{},\"f:securityContext\":{},\"f:"
        "terminationGracePeriodSeconds\":{}}}}}");
    CHECK_STR(apply_fixture_entries(&f), "kubectl-create Update apps/v1 13:20");
}

TEST(update_takes_fields_over_from_whoever_had_them)
{
    CLEANUP(apply_fixture_close) struct apply_fixture f;
    open_deployment(&f);
    apply_fixture_put(&f, "a", DEPLOYMENT_HEAD "\"labels\":{\"x\":\"1\",\"y\":\"1\"}},\"spec\":{}}");
    apply_fixture_patch(&f, "b", "{\"metadata\":{\"labels\":{\"x\":\"2\"}},\"spec\":{\"replicas\":3}}");
    CHECK_STR(apply_fixture_fields(&f, "b"),
              "{\"f:metadata\":{\"f:labels\":{\"f:x\":{}}},\"f:spec\":{\"f:replicas\":{}}}");
    CHECK_CONTAINS(apply_fixture_fields(&f, "a"), "\"f:labels\":{\".\":{},\"f:y\":{}}");
    CHECK_STR(apply_fixture_entries(&f), "a Update apps/v1 13:20; b Update apps/v1 13:21");
}

TEST(update_that_only_removes_takes_from_others_and_records_nothing)
{
    CLEANUP(apply_fixture_close) struct apply_fixture f;
    apply_fixture_open(&f, "v1", "ConfigMap");
    apply_fixture_put(&f, "a", "{\"metadata\":{\"name\":\"x\"},\"data\":{\"k\":\"1\",\"l\":\"1\"}}");
    apply_fixture_patch(&f, "b", "{\"data\":{\"k\":null}}");
    CHECK_STR(apply_fixture_fields(&f, "a"), "{\"f:data\":{\".\":{},\"f:l\":{}}}");
    CHECK_STR(apply_fixture_entries(&f), "a Update v1 13:20");
}

TEST(update_that_changes_nothing_leaves_entries_and_times_alone)
{
    CLEANUP(apply_fixture_close) struct apply_fixture f;
    apply_fixture_open(&f, "v1", "ConfigMap");
    apply_fixture_put(&f, "a", "{\"metadata\":{\"name\":\"x\"},\"data\":{\"k\":\"1\"}}");
    apply_fixture_put(&f, "b", "{\"metadata\":{\"name\":\"x\"},\"data\":{\"k\":\"1\"}}");
    CHECK_STR(apply_fixture_entries(&f), "a Update v1 13:20");
}

TEST(update_of_what_is_never_recorded_makes_no_entry)
{
    CLEANUP(apply_fixture_close) struct apply_fixture f;
    apply_fixture_open(&f, "v1", "ConfigMap");
    apply_fixture_put(&f, "a", "{\"metadata\":{\"name\":\"x\"},\"data\":{\"k\":\"1\"}}");
    apply_fixture_patch(&f, "b", "{\"metadata\":{\"generation\":7,\"uid\":\"u\",\"resourceVersion\":\"5\"}}");
    CHECK_STR(apply_fixture_entries(&f), "a Update v1 13:20");
}

TEST(the_same_manager_through_a_subresource_has_an_entry_of_its_own)
{
    CLEANUP(apply_fixture_close) struct apply_fixture f;
    apply_fixture_open(&f, "v1", "Pod");
    apply_fixture_put(&f, "kubelet",
                      "{\"metadata\":{\"name\":\"x\"},\"spec\":{\"containers\":[{\"name\":\"a\"}]}}");
    f.who.subresource = S("status");
    apply_fixture_patch(
        &f, "kubelet",
        "{\"status\":{\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\"}],\"podIPs\":[{\"ip\":"
        "\"10.0.0.1\"}],\"containerStatuses\":[{\"name\":\"a\"}]}}");
    CHECK_STR(apply_fixture_entries(&f), "kubelet Update v1 13:20; kubelet Update v1 status 13:21");
    struct json *entry = json_at(json_get(&f.live, S("metadata"), S("managedFields")), 1);
    struct buf b;
    buf_init_arena(&b, &f.a, 10000);
    json_print(&b, json_find(entry, S("fieldsV1")), 0);
    CHECK_STR(buf_str(&b),
              "{\"f:status\":{\"f:conditions\":{\".\":{},\"k:{\\\"type\\\":\\\"Ready\\\"}\":{\".\":{},"
              "\"f:lastProbeTime\":{},\"f:lastTransitionTime\":{},\"f:status\":{},\"f:type\":{}}},\"f:"
              "containerStatuses\":{},\"f:podIPs\":{\".\":{},\"k:{\\\"ip\\\":\\\"10.0.0.1\\\"}\":{\".\":{},"
              "\"f:ip\":{}}}}}");
}

TEST(fields_that_a_strategy_resets_are_not_recorded_and_not_taken)
{
    static const str status[] = {S_INIT("status")},
                     not_status[] = {S_INIT("spec"), S_INIT("metadata.labels")};
    static const struct apply_reset main_resource = {
        .api_version = S_INIT("v1"), .patterns = status, .pattern_count = 1};
    static const struct apply_reset subresource = {
        .api_version = S_INIT("v1"), .patterns = not_status, .pattern_count = 2};
    CLEANUP(apply_fixture_close) struct apply_fixture f;
    apply_fixture_open(&f, "v1", "Service");
    f.who.resets = &main_resource;
    f.who.reset_count = 1;
    apply_fixture_put(
        &f, "a",
        "{\"metadata\":{\"name\":\"x\"},\"spec\":{\"clusterIP\":\"None\"},\"status\":{\"conditions\":"
        "[{\"type\":\"A\"}]}}");
    CHECK_CONTAINS(apply_fixture_fields(&f, "a"), "f:clusterIP");
    CHECK(str_index(apply_fixture_fields(&f, "a"), S("f:status")) == SIZE_MAX);
    f.who.resets = &subresource;
    apply_fixture_patch(&f, "b",
                        "{\"metadata\":{\"labels\":{\"l\":\"1\"}},\"spec\":{\"clusterIP\":\"1.2.3.4\"},"
                        "\"status\":{\"conditions\":[{\"type\":\"B\"}]}}");
    CHECK_CONTAINS(apply_fixture_fields(&f, "a"), "f:clusterIP");
    CHECK_STR(
        apply_fixture_fields(&f, "b"),
        "{\"f:status\":{\"f:conditions\":{\"k:{\\\"type\\\":\\\"B\\\"}\":{\".\":{},\"f:lastTransitionTime\":{},"
        "\"f:message\":{},\"f:reason\":{},\"f:status\":{},\"f:type\":{}}}}}");
}

TEST(a_strategy_can_reset_all_but_some_fields)
{
    static const str resources[] = {S_INIT("spec.containers.*.resources")};
    static const struct apply_reset resize = {
        .api_version = S_INIT("v1"), .patterns = resources, .pattern_count = 1, .all_but = true};
    CLEANUP(apply_fixture_close) struct apply_fixture f;
    apply_fixture_open(&f, "v1", "Pod");
    apply_fixture_put(
        &f, "a",
        "{\"metadata\":{\"name\":\"x\"},\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"i\"}]}}");
    f.who.resets = &resize;
    f.who.reset_count = 1;
    f.who.subresource = S("resize");
    apply_fixture_patch(
        &f, "b",
        "{\"spec\":{\"nodeName\":\"n\",\"containers\":[{\"name\":\"c\",\"image\":\"j\",\"resources\":{"
        "\"limits\":{\"cpu\":\"1\"}}}]}}");
    CHECK_STR(
        apply_fixture_fields(&f, "b"),
        "{\"f:spec\":{\"f:containers\":{\"k:{\\\"name\\\":\\\"c\\\"}\":{\"f:resources\":{\"f:limits\":{\".\":{},\"f:cpu\":"
        "{}}}}}}}");
}

TEST(an_empty_list_of_managed_fields_forgets_them_until_the_next_apply)
{
    const char *resets[] = {"[]", "[{}]"};
    for (size_t i = 0; i < ARRAY_COUNT(resets); i++) {
        CLEANUP(apply_fixture_close) struct apply_fixture f;
        apply_fixture_open(&f, "v1", "ConfigMap");
        apply_fixture_put(&f, "a", "{\"metadata\":{\"name\":\"x\"},\"data\":{\"k\":\"1\"}}");
        str text = str_format(&f.a, "{\"metadata\":{\"managedFields\":%s}}", resets[i]);
        apply_fixture_patch(&f, "b", str_cstr(&f.a, text));
        CHECK_STR(apply_fixture_entries(&f), "");
        apply_fixture_patch(&f, "b", "{\"data\":{\"k\":\"2\"}}");
        CHECK_STR(apply_fixture_entries(&f), "");
        applied(
            &f, "c",
            "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"x\"},\"data\":{\"l\":\"1\"}}");
        CHECK_STR(apply_fixture_entries(&f), "c Apply v1 13:23; before-first-apply Update v1 13:23");
        CHECK_STR(apply_fixture_fields(&f, "before-first-apply"), "{\"f:data\":{\".\":{},\"f:k\":{}}}");
    }
}

TEST(entries_that_a_client_sends_count_unless_they_cannot_be_read_or_come_through_a_subresource)
{
    CLEANUP(apply_fixture_close) struct apply_fixture f;
    apply_fixture_open(&f, "v1", "ConfigMap");
    apply_fixture_put(&f, "a", "{\"metadata\":{\"name\":\"x\"},\"data\":{\"k\":\"1\",\"l\":\"1\"}}");
    apply_fixture_patch(
        &f, "b",
        "{\"metadata\":{\"managedFields\":[{\"manager\":\"z\",\"operation\":\"Eat\",\"apiVersion\":"
        "\"v1\",\"fieldsType\":\"FieldsV1\",\"fieldsV1\":{}}]}}");
    CHECK_STR(apply_fixture_entries(&f), "a Update v1 13:20");
    const char *sent =
        "{\"metadata\":{\"managedFields\":[{\"manager\":\"z\",\"operation\":\"Apply\",\"apiVersion\":\"v1\","
        "\"fieldsType\":\"FieldsV1\",\"fieldsV1\":{\"f:data\":{\"f:l\":{\".\":{}},\"f:k\":{}}}}]}}";
    f.who.subresource = S("status");
    apply_fixture_patch(&f, "b", sent);
    CHECK_STR(apply_fixture_entries(&f), "a Update v1 13:20");
    f.who.subresource = STR_NONE;
    apply_fixture_patch(&f, "b", sent);
    CHECK_STR(apply_fixture_entries(&f), "z Apply v1");
    CHECK_STR(apply_fixture_fields(&f, "z"), "{\"f:data\":{\"f:k\":{},\"f:l\":{}}}");
}

TEST(of_more_than_ten_updaters_the_oldest_become_one)
{
    CLEANUP(apply_fixture_close) struct apply_fixture f;
    apply_fixture_open(&f, "v1", "ConfigMap");
    apply_fixture_put(&f, "m00", "{\"metadata\":{\"name\":\"x\"},\"data\":{\"k00\":\"1\"}}");
    for (int i = 1; i < 13; i++) {
        str name = str_format(&f.a, "m%02d", i);
        str text = str_format(&f.a, "{\"data\":{\"k%02d\":\"1\"}}", i);
        apply_fixture_patch(&f, str_cstr(&f.a, name), str_cstr(&f.a, text));
    }
    CHECK_EQ(json_count(json_get(&f.live, S("metadata"), S("managedFields"))), MANAGED_ENTRIES_MAX);
    CHECK_STR(apply_fixture_fields(&f, "ancient-changes"),
              "{\"f:data\":{\".\":{},\"f:k00\":{},\"f:k01\":{},\"f:k02\":{},\"f:k03\":{}}}");
    CHECK_CONTAINS(apply_fixture_entries(&f), "ancient-changes Update v1 13:23; m04 Update v1 13:24; ");
}

TEST(old_updates_through_a_subresource_join_the_others)
{
    CLEANUP(apply_fixture_close) struct apply_fixture f;
    apply_fixture_open(&f, "v1", "ConfigMap");
    apply_fixture_put(&f, "m", "{\"metadata\":{\"name\":\"x\"},\"data\":{\"k\":\"1\"}}");
    for (int i = 1; i < 11; i++) {
        f.who.subresource = str_format(&f.a, "s%d", i);
        str text = str_format(&f.a, "{\"data\":{\"k%02d\":\"1\"}}", i);
        apply_fixture_patch(&f, "m", str_cstr(&f.a, text));
    }
    CHECK_STR(str_slice(apply_fixture_entries(&f), 0, 54),
              "ancient-changes Update v1 13:21; m Update v1 s2 13:22;");
}

TEST(names_of_managers_come_from_the_user_agent_when_nothing_else_is_said)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    CHECK_STR(apply_manager(&a, S("me"), S("kubectl/v1.36")), "me");
    CHECK_STR(apply_manager(&a, S(""), S("kubectl/v1.36 (linux/amd64)")), "kubectl");
    CHECK_STR(apply_manager(&a, S(""), S("curl \"x\\\" \xc3\xa4\x01\t\xe2\x80\x8b b/1")),
              "curl \"x\\\" \xc3\xa4 b");
    CHECK_EQ(apply_manager(&a, S(""), str_format(&a, "%0300d/1", 0)).n, APPLY_MANAGER_MAX);
    CHECK_STR(apply_manager(&a, S(""),
                            str_format(&a,
                                       "%0127d\xc3\xa4"
                                       "b/1",
                                       0)),
              str_format(&a, "%0127d", 0));
}

TEST(a_list_of_managed_fields_can_be_checked)
{
    static const struct {
        const char *list, *message;
    } cases[] = {
        {"[{\"operation\":\"x\"}]", "operation must be `Apply` or `Update`"},
        {"[{\"operation\":\"Apply\"}]", "apiVersion must not be empty"},
        {"[{\"operation\":\"Apply\",\"apiVersion\":\"v1\"}]", "missing fieldsType in managed fields entry 0"},
        {"[{\"operation\":\"Apply\",\"apiVersion\":\"v1\",\"fieldsType\":\"x\"}]",
         "invalid fieldsType \"x\" in managed fields entry 0"},
        {"[{\"operation\":\"Apply\",\"apiVersion\":\"v1\",\"fieldsType\":\"FieldsV1\",\"fieldsV1\":{\"f\":{}}}]",
         "error decoding versioned set: key must be 2 characters long:f"},
    };
    CLEANUP(apply_fixture_close) struct apply_fixture f;
    apply_fixture_open(&f, "v1", "ConfigMap");
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct json list = apply_fixture_json(&f, cases[i].list);
        struct err err = ERR_INIT;
        CHECK_EQ(apply_check_managed(&list, &err), ERR_BAD_REQUEST);
        CHECK_STR(err.msg, cases[i].message);
    }
    CHECK_OK(apply_check_managed(NULL, &e));
}

/* --- apply --- */

TEST(apply_owns_what_it_says_and_nothing_else)
{
    CLEANUP(apply_fixture_close) struct apply_fixture f;
    open_deployment(&f);
    applied(&f, "m",
            DEPLOYMENT_HEAD "\"labels\":{\"app\":\"web\"}},\"spec\":{\"replicas\":2," TEMPLATE("nginx") "}}");
    CHECK_STR(
        apply_fixture_fields(&f, "m"),
        "{\"f:metadata\":{\"f:labels\":{\"f:app\":{}}},\"f:spec\":{\"f:replicas\":{},\"f:selector\":{},\"f:template\":{"
        "\"f:metadata\":{\"f:labels\":{\"f:app\":{}}},\"f:spec\":{\"f:containers\":{\"k:{\\\"name\\\":\\\"nginx\\\"}\":{\"."
        "\":{},\"f:image\":{},\"f:name\":{}}}}}}}");
    CHECK_STR(apply_fixture_entries(&f), "m Apply apps/v1 13:20");
    CHECK_STR(apply_fixture_value(&f, "spec.progressDeadlineSeconds"), "600");
}

TEST(applying_the_same_again_changes_nothing_not_even_the_time)
{
    CLEANUP(apply_fixture_close) struct apply_fixture f;
    open_deployment(&f);
    const char *text = DEPLOYMENT_HEAD
        "\"labels\":{\"app\":\"web\"}},\"spec\":{\"replicas\":2," TEMPLATE("nginx") "}}";
    applied(&f, "m", text);
    CHECK(!f.result.unchanged);
    applied(&f, "m", text);
    CHECK(f.result.unchanged);
    CHECK_STR(apply_fixture_entries(&f), "m Apply apps/v1 13:20");
}

TEST(another_applier_of_the_same_values_shares_them_and_gets_no_time)
{
    CLEANUP(apply_fixture_close) struct apply_fixture f;
    open_deployment(&f);
    const char *text = DEPLOYMENT_HEAD
        "\"labels\":{\"app\":\"web\"}},\"spec\":{\"replicas\":2," TEMPLATE("nginx") "}}";
    applied(&f, "m", text);
    applied(&f, "n", text);
    CHECK(!f.result.unchanged);
    CHECK_STR(apply_fixture_entries(&f), "n Apply apps/v1; m Apply apps/v1 13:20");
}

TEST(a_value_owned_by_others_conflicts_unless_it_is_the_same_or_forced)
{
    CLEANUP(apply_fixture_close) struct apply_fixture f;
    open_deployment(&f);
    apply_fixture_put(&f, "kubectl-client-side-apply",
                      DEPLOYMENT_HEAD "\"labels\":{\"a\":\"1\"}},\"spec\":{\"replicas\":2}}");
    const char *text = DEPLOYMENT_HEAD "\"labels\":{\"a\":\"1\"}},\"spec\":{\"replicas\":5}}";
    CHECK_ERR(
        CONFLICT,
        "Apply failed with 1 conflict: conflict with \"kubectl-client-side-apply\" using apps/v1: .spec.replicas",
        apply_fixture_apply(&f, "m", false, text, &e));
    CHECK_EQ(f.result.conflict_count, 1);
    CHECK_STR(f.result.conflicts[0].manager, "\"kubectl-client-side-apply\" using apps/v1");
    CHECK_EQ(f.result.conflicts[0].path_count, 1);
    CHECK_STR(f.result.conflicts[0].paths[0], ".spec.replicas");
    CHECK_STR(apply_fixture_value(&f, "spec.replicas"), "2");
    forced(&f, "m", text);
    CHECK_STR(apply_fixture_value(&f, "spec.replicas"), "5");
    CHECK(str_index(apply_fixture_fields(&f, "kubectl-client-side-apply"), S("f:replicas")) == SIZE_MAX);
    CHECK_CONTAINS(apply_fixture_fields(&f, "kubectl-client-side-apply"),
                   "\"f:labels\":{\".\":{},\"f:a\":{}}");
}

TEST(several_conflicts_are_listed_by_manager)
{
    CLEANUP(apply_fixture_close) struct apply_fixture f;
    open_deployment(&f);
    applied(&f, "a", DEPLOYMENT_HEAD "\"labels\":{\"x\":\"1\",\"y\":\"1\"}},\"spec\":{\"replicas\":2}}");
    f.who.subresource = S("status");
    apply_fixture_patch(&f, "b", "{\"spec\":{\"paused\":true}}");
    f.who.subresource = STR_NONE;
    struct err err = ERR_INIT;
    CHECK_EQ(apply_fixture_apply(
                 &f, "c", false,
                 DEPLOYMENT_HEAD
                 "\"labels\":{\"x\":\"2\",\"y\":\"2\"}},\"spec\":{\"paused\":false,\"replicas\":1}}",
                 &err),
             ERR_CONFLICT);
    const char *want =
        "Apply failed with 4 conflicts: conflicts with \"a\":\n- .metadata.labels.x\n- .metadata.labels.y\n- "
        ".spec.replicas\nconflicts with \"b\" with subresource \"status\" using apps/v1:\n- .spec.paused";
    CHECK_STR(f.result.message, want);
    CHECK_STR(err.msg, want);
    CHECK_EQ(f.result.conflict_count, 2);
}

TEST(a_field_dropped_from_the_configuration_goes_unless_somebody_else_owns_it)
{
    CLEANUP(apply_fixture_close) struct apply_fixture f;
    apply_fixture_open(&f, "v1", "ConfigMap");
#define MAP(data) \
    "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"x\"},\"data\":{" data "}}"
    applied(&f, "m", MAP("\"a\":\"1\",\"b\":\"1\",\"c\":\"1\""));
    applied(&f, "n", MAP("\"b\":\"1\""));
    apply_fixture_patch(&f, "u", "{\"data\":{\"d\":\"1\"}}");
    applied(&f, "m", MAP("\"a\":\"1\""));
    CHECK_STR(apply_fixture_value(&f, "data"), "{\"a\":\"1\",\"b\":\"1\",\"d\":\"1\"}");
    applied(&f, "n", "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"x\"}}");
    CHECK_STR(apply_fixture_value(&f, "data"), "{\"a\":\"1\",\"d\":\"1\"}");
    CHECK_STR(apply_fixture_entries(&f), "m Apply v1 13:23; u Update v1 13:22");
}

TEST(a_dropped_struct_takes_along_what_nobody_owns_in_it)
{
    CLEANUP(apply_fixture_close) struct apply_fixture f;
    open_deployment(&f);
#define STRATEGY(more) DEPLOYMENT_HEAD "\"labels\":{\"a\":\"1\"}},\"spec\":{" more TEMPLATE("nginx") "}}"
    applied(&f, "m", STRATEGY("\"strategy\":{\"rollingUpdate\":{\"maxSurge\":1}},"));
    apply_fixture_patch(&f, "u", "{\"spec\":{\"strategy\":{\"rollingUpdate\":{\"maxUnavailable\":2}}}}");
    applied(&f, "m", STRATEGY(""));
    CHECK_STR(apply_fixture_value(&f, "spec.strategy.rollingUpdate"),
              "{\"maxUnavailable\":2,\"maxSurge\":\"25%\"}"); /* a default again */
    CHECK_STR(apply_fixture_value(&f, "metadata.name"), "\"web\"");
}

TEST(labels_can_all_be_dropped_and_the_rest_of_metadata_stays)
{
    CLEANUP(apply_fixture_close) struct apply_fixture f;
    apply_fixture_open(&f, "v1", "ConfigMap");
    applied(
        &f, "m",
        "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"x\",\"labels\":{\"a\":\"1\"}}}");
    apply_fixture_patch(&f, "server", "{\"metadata\":{\"uid\":\"u\",\"annotations\":{\"k\":\"v\"}}}");
    applied(
        &f, "m",
        "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"x\"},\"immutable\":false}");
    CHECK_STR(apply_fixture_value(&f, "metadata.labels"), "");
    CHECK_STR(apply_fixture_value(&f, "metadata.annotations"), "{\"k\":\"v\"}");
    CHECK_STR(apply_fixture_value(&f, "metadata.uid"), "\"u\"");
    CHECK_STR(apply_fixture_value(&f, "metadata.name"), "\"x\"");
}

TEST(an_item_dropped_from_a_list_map_goes_with_its_defaults)
{
    CLEANUP(apply_fixture_close) struct apply_fixture f;
    apply_fixture_open(&f, "v1", "Pod");
#define POD(containers)                                                                                           \
    "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"x\"},\"spec\":{\"containers\":[" containers \
    "]}}"
    applied(&f, "m", POD("{\"name\":\"a\",\"image\":\"i\"},{\"name\":\"b\",\"image\":\"i\"}"));
    applied(&f, "m", POD("{\"name\":\"b\",\"image\":\"i\"}"));
    CHECK_EQ(json_count(json_get(&f.live, S("spec"), S("containers"))), 1);
    CHECK_STR(json_str(json_find(json_at(json_get(&f.live, S("spec"), S("containers")), 0), S("name"))), "b");
}

TEST(an_item_that_an_updater_wrote_into_stays_as_far_as_that_goes)
{
    CLEANUP(apply_fixture_close) struct apply_fixture f;
    apply_fixture_open(&f, "v1", "Pod");
    applied(&f, "m", POD("{\"name\":\"a\",\"image\":\"i\"},{\"name\":\"b\",\"image\":\"i\"}"));
    forced(&f, "n", POD("{\"name\":\"a\",\"image\":\"j\",\"tty\":true}"));
    applied(&f, "m", POD("{\"name\":\"b\",\"image\":\"i\"}"));
    const struct json *containers = json_get(&f.live, S("spec"), S("containers"));
    CHECK_EQ(json_count(containers), 2);
    CHECK_STR(json_str(json_find(json_at(containers, 0), S("image"))), "j");
}

TEST(items_of_a_list_map_are_found_by_the_default_of_a_key)
{
    CLEANUP(apply_fixture_close) struct apply_fixture f;
    apply_fixture_open(&f, "v1", "Service");
#define SERVICE(ports)                                                                                      \
    "{\"apiVersion\":\"v1\",\"kind\":\"Service\",\"metadata\":{\"name\":\"x\"},\"spec\":{\"ports\":[" ports \
    "]}}"
    applied(&f, "m",
            SERVICE("{\"port\":80,\"name\":\"a\"},{\"port\":80,\"protocol\":\"UDP\",\"name\":\"b\"}"));
    CHECK_STR(
        apply_fixture_fields(&f, "m"),
        "{\"f:spec\":{\"f:ports\":{\"k:{\\\"port\\\":80,\\\"protocol\\\":\\\"TCP\\\"}\":{\".\":{},\"f:name\":{},\"f:port\":{}},"
        "\"k:{\\\"port\\\":80,\\\"protocol\\\":\\\"UDP\\\"}\":{\".\":{},\"f:name\":{},\"f:port\":{},\"f:protocol\":{}}}}}");
    applied(&f, "m", SERVICE("{\"port\":80,\"protocol\":\"TCP\",\"name\":\"c\"}"));
    const struct json *ports = json_get(&f.live, S("spec"), S("ports"));
    CHECK_EQ(json_count(ports), 1);
    CHECK_STR(json_str(json_find(json_at(ports, 0), S("name"))), "c");
}

TEST(merged_lists_take_the_configurations_order_between_what_only_the_object_has)
{
    static const struct {
        const char *live, *config, *want;
    } cases[] = {
        {"abc", "cba", "cba"},    {"abc", "b", "abc"},    {"abc", "d", "abcd"},     {"abc", "da", "dabc"},
        {"abc", "adc", "abdc"},   {"abcd", "db", "acdb"}, {"xaybz", "ba", "xybza"}, {"", "ab", "ab"},
        {"abc", "xcya", "bxcya"}, {"ab", "bxa", "bxa"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        CLEANUP(apply_fixture_close) struct apply_fixture f;
        apply_fixture_open(&f, "v1", "ConfigMap");
        struct json finalizers[2];
        const char *texts[] = {cases[i].live, cases[i].config};
        for (int k = 0; k < 2; k++) {
            struct buf b;
            buf_init_arena(&b, &f.a, 1000);
            buf_add_lit(
                &b,
                "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"x\",\"finalizers\":[");
            for (const char *c = texts[k]; *c; c++)
                buf_add_f(&b, "%s\"%c\"", c == texts[k] ? "" : ",", *c);
            buf_add_lit(&b, "]}}");
            str text = buf_str(&b);
            if (k == 0)
                apply_fixture_put(&f, "u", str_cstr(&f.a, text));
            else
                forced(&f, "m", str_cstr(&f.a, text));
        }
        (void)finalizers;
        struct buf got;
        buf_init_arena(&got, &f.a, 1000);
        const struct json *list = json_get(&f.live, S("metadata"), S("finalizers"));
        for (size_t k = 0; k < json_count(list); k++)
            buf_add(&got, json_str(json_at(list, k)));
        CHECK_STR(buf_str(&got), cases[i].want);
    }
}

TEST(atomic_values_conflict_and_are_replaced_whole)
{
    CLEANUP(apply_fixture_close) struct apply_fixture f;
    apply_fixture_open(&f, "v1", "Service");
#define SELECTOR(labels)                                                                                        \
    "{\"apiVersion\":\"v1\",\"kind\":\"Service\",\"metadata\":{\"name\":\"x\"},\"spec\":{\"selector\":{" labels \
    "}}}"
    applied(&f, "m", SELECTOR("\"a\":\"1\""));
    CHECK_STR(apply_fixture_fields(&f, "m"), "{\"f:spec\":{\"f:selector\":{}}}");
    CHECK_ERR(CONFLICT, "conflict with \"m\": .spec.selector",
              apply_fixture_apply(&f, "n", false, SELECTOR("\"b\":\"1\""), &e));
    forced(&f, "n", SELECTOR("\"b\":\"1\""));
    CHECK_STR(apply_fixture_value(&f, "spec.selector"), "{\"b\":\"1\"}");
    CHECK_STR(apply_fixture_entries(&f), "n Apply v1 13:22");
}

TEST(a_granular_use_of_an_atomic_type_merges_field_by_field)
{
    CLEANUP(apply_fixture_close) struct apply_fixture f;
    apply_fixture_open(&f, "v1", "PersistentVolume");
#define VOLUME(ref)                                                                                                   \
    "{\"apiVersion\":\"v1\",\"kind\":\"PersistentVolume\",\"metadata\":{\"name\":\"x\"},\"spec\":{\"claimRef\":{" ref \
    "}}}"
    applied(&f, "m", VOLUME("\"name\":\"a\""));
    applied(&f, "n", VOLUME("\"namespace\":\"b\""));
    CHECK_STR(apply_fixture_value(&f, "spec.claimRef"), "{\"namespace\":\"b\",\"name\":\"a\"}");
    CHECK_STR(apply_fixture_fields(&f, "m"), "{\"f:spec\":{\"f:claimRef\":{\"f:name\":{}}}}");
}

TEST(null_takes_a_scalar_away_and_is_owned)
{
    CLEANUP(apply_fixture_close) struct apply_fixture f;
    open_deployment(&f);
    applied(&f, "m", DEPLOYMENT_HEAD "\"labels\":{\"a\":\"1\"}},\"spec\":{\"paused\":true}}");
    applied(&f, "m", DEPLOYMENT_HEAD "\"labels\":{\"a\":\"1\"}},\"spec\":{\"paused\":null}}");
    CHECK_STR(apply_fixture_value(&f, "spec.paused"), "");
    CHECK_CONTAINS(apply_fixture_fields(&f, "m"), "\"f:paused\":{}");
}

TEST(a_value_written_in_another_way_conflicts_but_alone_writes_nothing)
{
    CLEANUP(apply_fixture_close) struct apply_fixture f;
    apply_fixture_open(&f, "v1", "ResourceQuota");
#define QUOTA(cpu)                                                                                                       \
    "{\"apiVersion\":\"v1\",\"kind\":\"ResourceQuota\",\"metadata\":{\"name\":\"x\"},\"spec\":{\"hard\":{\"cpu\":\"" cpu \
    "\"}}}"
    applied(&f, "m", QUOTA("0.5"));
    CHECK_STR(apply_fixture_value(&f, "spec.hard.cpu"), "\"500m\"");
    applied(&f, "m", QUOTA("0.5"));
    CHECK(
        !f.result.unchanged); /* it is merged as it was written; apply_settle sees that nothing came of it */
    CHECK_STR(apply_fixture_entries(&f), "m Apply v1 13:20");
    CHECK_ERR(CONFLICT, ".spec.hard.cpu", apply_fixture_apply(&f, "n", false, QUOTA("0.5"), &e));
    applied(&f, "n", QUOTA("500m"));
}

TEST(configurations_that_are_none_are_refused_in_the_originals_words)
{
#define IN_DEPLOYMENT(spec)                                                                                                   \
    "{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\",\"metadata\":{\"name\":\"web\",\"namespace\":\"d\"},\"spec\":{" spec \
    "}}"
#define REFUSED "failed to create typed patch object (d/web; apps/v1, Kind=Deployment): "
    static const struct {
        const char *config;
        err_code code;
        const char *message;
    } cases[] = {
        {"{\"apiVersion\":\"apps/v1\",\"kind\":\"Foo\"}", ERR_BAD_REQUEST,
         "invalid object type: apps/v1, Kind=Foo"},
        {"{\"apiVersion\":\"v1\",\"kind\":\"Pod\"}", ERR_BAD_REQUEST, "invalid object type: /v1, Kind=Pod"},
        {"{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\",\"metadata\":{\"managedFields\":[]}}",
         ERR_BAD_REQUEST, "metadata.managedFields must be nil"},
        {IN_DEPLOYMENT("\"foo\":1"), ERR_INTERNAL, REFUSED ".spec.foo: field not declared in schema"},
        {IN_DEPLOYMENT("\"replicas\":\"3\""), ERR_INTERNAL,
         REFUSED ".spec.replicas: expected numeric (int or float), got string"},
        {IN_DEPLOYMENT("\"paused\":\"yes\""), ERR_INTERNAL,
         REFUSED ".spec.paused: expected boolean, got &{yes}"},
        {IN_DEPLOYMENT("\"template\":[1,\"a\"]"), ERR_INTERNAL,
         REFUSED ".spec.template: expected map, got &{[1 a]}"},
        {IN_DEPLOYMENT("\"template\":{\"spec\":{\"containers\":{\"b\":null,\"a\":[true]}}}"), ERR_INTERNAL,
         REFUSED ".spec.template.spec.containers: expected list, got &{map[a:[true] b:<nil>]}"},
        {IN_DEPLOYMENT("\"template\":{\"spec\":{\"nodeName\":{\"b\":1.5,\"a\":[\"x\",null]}}}"), ERR_INTERNAL,
         REFUSED
         ".spec.template.spec.nodeName: expected string, got &value.valueUnstructured{Value:map[string]interface "
         "{}{\"a\":[]interface {}{\"x\", interface {}(nil)}, \"b\":1.5}}"},
        {IN_DEPLOYMENT("\"template\":{\"spec\":{\"containers\":[{\"image\":\"i\"}]}}"), ERR_INTERNAL,
         REFUSED
         ".spec.template.spec.containers: element 0: associative list with keys has an element that omits key field "
         "\"name\" (and doesn't have default value)"},
        {IN_DEPLOYMENT(
             "\"template\":{\"spec\":{\"containers\":[{\"name\":\"c\",\"ports\":[{\"containerPort\":1},{\"containerPort\":1,"
             "\"protocol\":\"TCP\"}],\"env\":[{\"name\":\"A\"},{\"name\":\"A\"}]}]}}"),
         ERR_INTERNAL,
         REFUSED
         "errors:\n  .spec.template.spec.containers[name=\"c\"].ports: duplicate entries for key "
         "[containerPort=1,protocol=\"TCP\"]\n  .spec.template.spec.containers[name=\"c\"].env: duplicate entries for key "
         "[name=\"A\"]"},
        {IN_DEPLOYMENT("\"template\":{\"spec\":{\"tolerations\":[{\"key\":1}]}}"), ERR_INTERNAL,
         REFUSED
         ".spec.template.spec.tolerations[0].key: expected string, got &value.valueUnstructured{Value:1}"},
        {IN_DEPLOYMENT("\"replicas\":1.5"), ERR_INTERNAL,
         "failed to convert new object (d/web; apps/v1, Kind=Deployment) to proper version: json: cannot unmarshal number 1.5"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        CLEANUP(apply_fixture_close) struct apply_fixture f;
        open_deployment(&f);
        struct err err = ERR_INIT;
        CHECK_EQ(apply_fixture_apply(&f, "m", false, cases[i].config, &err), cases[i].code);
        CHECK_CONTAINS(err.msg, cases[i].message);
    }
}

TEST(duplicates_that_updates_made_can_be_lived_with_and_applied_away)
{
    CLEANUP(apply_fixture_close) struct apply_fixture f;
    apply_fixture_open(&f, "v1", "Pod");
    apply_fixture_put(
        &f, "u",
        POD("{\"name\":\"a\",\"env\":[{\"name\":\"X\",\"value\":\"1\"},{\"name\":\"Y\"},{\"name\":\"X\",\"value\":\"2\"}]}"));
    CHECK_CONTAINS(
        apply_fixture_fields(&f, "u"),
        "\"f:env\":{\".\":{},\"k:{\\\"name\\\":\\\"X\\\"}\":{},\"k:{\\\"name\\\":\\\"Y\\\"}\":{\".\":{},\"f:name\":{}}}");
    applied(&f, "m", POD("{\"name\":\"a\",\"image\":\"i\"}"));
    const struct json *env = json_get(json_at(json_get(&f.live, S("spec"), S("containers")), 0), S("env"));
    CHECK_EQ(json_count(env), 3);
    forced(&f, "m", POD("{\"name\":\"a\",\"env\":[{\"name\":\"X\",\"value\":\"3\"}]}"));
    env = json_get(json_at(json_get(&f.live, S("spec"), S("containers")), 0), S("env"));
    CHECK_EQ(json_count(env), 2);
    CHECK_STR(json_str(json_find(json_at(env, 0), S("value"))), "3");
}

/* --- from client-side apply --- */

#define ANNOTATED(last, replicas)                                                                   \
    DEPLOYMENT_HEAD "\"annotations\":{\"kubectl.kubernetes.io/last-applied-configuration\":\"" last \
                    "\"}},\"spec\":{\"replicas\":" replicas "}}"
#define LAST(replicas)                                                                                                                                         \
    "{\\\"apiVersion\\\":\\\"apps/v1\\\",\\\"kind\\\":\\\"Deployment\\\",\\\"metadata\\\":{\\\"name\\\":\\\"web\\\"},\\\"spec\\\":{\\\"replicas\\\":" replicas \
    "}}\\n"

TEST(kubectl_takes_over_what_it_applied_from_the_client_side)
{
    CLEANUP(apply_fixture_close) struct apply_fixture f;
    open_deployment(&f);
    apply_fixture_put(&f, "kubectl-client-side-apply", ANNOTATED(LAST("2"), "2"));
    CHECK_ERR(CONFLICT, ".spec.replicas",
              apply_fixture_apply(&f, "other", false, IN_DEPLOYMENT("\"replicas\":5"), &e));
    applied(
        &f, "kubectl",
        "{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\",\"metadata\":{\"name\":\"web\"},\"spec\":{\"replicas\":5}}");
    CHECK_STR(apply_fixture_value(&f, "spec.replicas"), "5");
    const struct json *annotations = json_get(&f.live, S("metadata"), S("annotations"));
    CHECK_STR(
        json_str(json_find(annotations, S("kubectl.kubernetes.io/last-applied-configuration"))),
        "{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\",\"metadata\":{\"name\":\"web\"},\"spec\":{\"replicas\":5}}\n");
}

TEST(kubectl_does_not_take_over_what_others_changed_since)
{
    CLEANUP(apply_fixture_close) struct apply_fixture f;
    open_deployment(&f);
    apply_fixture_put(&f, "kubectl-client-side-apply", ANNOTATED(LAST("2"), "2"));
    apply_fixture_patch(&f, "hpa", "{\"spec\":{\"replicas\":9}}");
    CHECK_ERR(
        CONFLICT, "conflict with \"hpa\" using apps/v1: .spec.replicas",
        apply_fixture_apply(
            &f, "kubectl", false,
            "{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\",\"metadata\":{\"name\":\"web\"},\"spec\":{\"replicas\":5}}",
            &e));
}

/* --- versions --- */

static bool find_hpa(void *ctx, str api_version, struct apply_version *ret)
{
    const struct schema_kind_info *k = schema_kind_find(&schema_builtin, api_version,
                                                        S("HorizontalPodAutoscaler"));
    if (!k)
        return false;
    *ret = (struct apply_version){&schema_builtin, &schema_builtin.types[k->type], api_version,
                                  S("HorizontalPodAutoscaler")};
    return true;
}

static err_code convert_hpa(void *ctx, struct arena *a, const struct apply_version *from,
                            const struct apply_version *to, const struct json *tree, struct json *ret,
                            struct err *err)
{
    const struct schema_kind_info *v1 = schema_kind_find(&schema_builtin, S("autoscaling/v1"),
                                                         S("HorizontalPodAutoscaler"));
    const struct schema_kind_info *v2 = schema_kind_find(&schema_builtin, S("autoscaling/v2"),
                                                         S("HorizontalPodAutoscaler"));
    const struct schema_kind_info *served = v1->stored ? v1 : v2;
    bool to_stored = str_eq(to->api_version, S("autoscaling/v2")) == (served == v1);
    return to_stored ? convert_to_stored(a, served, tree, ret, err)
                     : convert_from_stored(a, served, tree, ret, err);
}

static const struct apply_versions hpa_versions = {.find = find_hpa, .convert = convert_hpa};

static void as_hpa(struct apply_fixture *f, const char *version)
{
    const struct schema_kind_info *k = schema_kind_find(&schema_builtin, str_from_c(version),
                                                        S("HorizontalPodAutoscaler"));
    struct apply_version from = {&schema_builtin, f->type, f->who.api_version, f->who.kind}, to;
    CHECK(find_hpa(NULL, str_from_c(version), &to));
    if (f->exists && !str_eq(f->who.api_version, str_from_c(version)))
        CHECK_OK(convert_hpa(NULL, &f->a, &from, &to, &f->live, &f->live, &e));
    f->type = &schema_builtin.types[k->type];
    f->who.api_version = str_from_c(version);
    f->who.versions = &hpa_versions;
}

#define HPA(version, max, more)                                                                            \
    "{\"apiVersion\":\"autoscaling/" version                                                               \
    "\",\"kind\":\"HorizontalPodAutoscaler\",\"metadata\":{\"name\":\"x\"},\"spec\":{\"maxReplicas\":" max \
    "," more "\"scaleTargetRef\":{\"kind\":\"Deployment\",\"name\":\"web\"}}}"

TEST(fields_recorded_in_another_version_are_compared_there)
{
    CLEANUP(apply_fixture_close) struct apply_fixture f;
    apply_fixture_open(&f, "autoscaling/v1", "HorizontalPodAutoscaler");
    as_hpa(&f, "autoscaling/v1");
    applied(&f, "m", HPA("v1", "5", "\"targetCPUUtilizationPercentage\":50,"));
    as_hpa(&f, "autoscaling/v2");
    const char *changed = HPA(
        "v2", "5",
        "\"metrics\":[{\"type\":\"Resource\",\"resource\":{\"name\":\"cpu\",\"target\":{\"type\":"
        "\"Utilization\",\"averageUtilization\":70}}}],");
    CHECK_ERR(CONFLICT, "conflict with \"m\": .spec.targetCPUUtilizationPercentage",
              apply_fixture_apply(&f, "n", false, changed, &e));
    forced(&f, "n", changed);
    CHECK_STR(apply_fixture_fields(&f, "m"), "{\"f:spec\":{\"f:maxReplicas\":{},\"f:scaleTargetRef\":{}}}");
    CHECK_STR(apply_fixture_entries(&f), "m Apply autoscaling/v1 13:20; n Apply autoscaling/v2 13:22");
}

TEST(what_was_applied_in_another_version_is_dropped_when_it_is_no_longer_said)
{
    CLEANUP(apply_fixture_close) struct apply_fixture f;
    apply_fixture_open(&f, "autoscaling/v1", "HorizontalPodAutoscaler");
    as_hpa(&f, "autoscaling/v1");
    applied(&f, "m", HPA("v1", "5", "\"minReplicas\":2,"));
    as_hpa(&f, "autoscaling/v2");
    applied(&f, "m", HPA("v2", "5", ""));
    CHECK_STR(apply_fixture_value(&f, "spec.minReplicas"), "1"); /* the default */
    CHECK_STR(apply_fixture_entries(&f), "m Apply autoscaling/v2 13:21");
}

TEST(entries_of_versions_that_are_not_served_any_more_are_dropped)
{
    CLEANUP(apply_fixture_close) struct apply_fixture f;
    apply_fixture_open(&f, "v1", "ConfigMap");
    apply_fixture_put(
        &f, "a",
        "{\"metadata\":{\"name\":\"x\",\"managedFields\":[{\"manager\":\"old\",\"operation\":\"Update\",\"apiVersion\":"
        "\"v0\",\"fieldsType\":\"FieldsV1\",\"fieldsV1\":{\"f:data\":{}}}]},\"data\":{\"k\":\"1\"}}");
    CHECK_STR(apply_fixture_entries(&f), "a Update v1 13:20");
}

/* --- custom resources --- */

static void open_custom(struct apply_fixture *f, struct schema **ret, const char *openapi)
{
    *f = (struct apply_fixture){0};
    arena_init(&f->a, 0);
    struct schema_load_opts opts = {.group = S("example.org"), .version = S("v1"), .kind = S("Thing")};
    struct json schema = apply_fixture_json(f, openapi);
    CHECK_OK(schema_load(&schema, &opts, ret, &e));
    f->schema = *ret;
    f->type = &(*ret)->types[(*ret)->kinds[0].type];
    f->who = (struct apply_who){.api_version = S("example.org/v1"), .kind = S("Thing")};
}

static void unload(struct schema **s)
{
    schema_unload(*s);
}

#define THING(spec) \
    "{\"apiVersion\":\"example.org/v1\",\"kind\":\"Thing\",\"metadata\":{\"name\":\"x\"},\"spec\":{" spec "}}"

TEST(custom_resources_merge_by_what_their_schema_says)
{
    CLEANUP(unload) struct schema *s = NULL;
    CLEANUP(apply_fixture_close) struct apply_fixture f;
    open_custom(
        &f, &s,
        "{\"type\":\"object\",\"properties\":{\"spec\":{\"type\":\"object\",\"properties\":{"
        "\"set\":{\"type\":\"array\",\"x-kubernetes-list-type\":\"set\",\"items\":{\"type\":\"string\"}},"
        "\"plain\":{\"type\":\"array\",\"items\":{\"type\":\"string\"}},"
        "\"whole\":{\"type\":\"object\",\"x-kubernetes-map-type\":\"atomic\",\"properties\":{\"a\":{\"type\":\"string\"}}},"
        "\"keyed\":{\"type\":\"array\",\"x-kubernetes-list-type\":\"map\",\"x-kubernetes-list-map-keys\":[\"id\",\"kind\"],\"items\":{"
        "\"type\":\"object\",\"properties\":{\"id\":{\"type\":\"integer\"},\"kind\":{\"type\":\"string\",\"default\":\"k\"},\"v\":{\"type\":"
        "\"string\"}}}},"
        "\"open\":{\"type\":\"object\",\"x-kubernetes-preserve-unknown-fields\":true}}}}}");
    applied(
        &f, "m",
        THING(
            "\"set\":[\"a\"],\"plain\":[\"a\"],\"whole\":{\"a\":\"1\"},\"keyed\":[{\"id\":1,\"v\":\"x\"}],\"open\":{\"a\":{\"b\":[1]}}"));
    CHECK_STR(
        apply_fixture_fields(&f, "m"),
        "{\"f:spec\":{\"f:keyed\":{\"k:{\\\"id\\\":1,\\\"kind\\\":\\\"k\\\"}\":{\".\":{},\"f:id\":{},\"f:v\":{}}},\"f:open\":{\"f:a\":{\".\":{},"
        "\"f:b\":{}}},\"f:plain\":{},\"f:set\":{\"v:\\\"a\\\"\":{}},\"f:whole\":{}}}");
    applied(&f, "n",
            THING("\"set\":[\"b\"],\"keyed\":[{\"id\":2,\"kind\":\"k\",\"v\":\"y\"}],\"open\":{\"c\":1}"));
    CHECK_STR(apply_fixture_value(&f, "spec.set"), "[\"a\",\"b\"]");
    CHECK_STR(apply_fixture_value(&f, "spec.open"), "{\"a\":{\"b\":[1]},\"c\":1}");
    CHECK_STR(apply_fixture_value(&f, "spec.keyed"),
              "[{\"id\":1,\"kind\":\"k\",\"v\":\"x\"},{\"id\":2,\"kind\":\"k\",\"v\":\"y\"}]");
    CHECK_ERR(CONFLICT, ".spec.plain", apply_fixture_apply(&f, "n", false, THING("\"plain\":[\"b\"]"), &e));
    CHECK_ERR(INTERNAL, ".spec.other: field not declared in schema",
              apply_fixture_apply(&f, "n", false, THING("\"other\":1"), &e));
}

TEST(a_schema_that_became_atomic_collapses_what_was_recorded_below)
{
    CLEANUP(unload) struct schema *s = NULL, *later = NULL;
    CLEANUP(apply_fixture_close) struct apply_fixture f;
#define SCHEMA(type)                                                                                                        \
    "{\"type\":\"object\",\"properties\":{\"spec\":{\"type\":\"object\",\"properties\":{\"sub\":{\"type\":\"object\"," type \
    "\"properties\":{\"a\":{\"type\":\"string\"},\"b\":{\"type\":\"string\"}}}}}}}"
    open_custom(&f, &s, SCHEMA(""));
    applied(&f, "m", THING("\"sub\":{\"a\":\"1\"}"));
    applied(&f, "n", THING("\"sub\":{\"b\":\"1\"}"));
    struct schema_load_opts opts = {.group = S("example.org"), .version = S("v1"), .kind = S("Thing")};
    struct json schema = apply_fixture_json(&f, SCHEMA("\"x-kubernetes-map-type\":\"atomic\","));
    CHECK_OK(schema_load(&schema, &opts, &later, &e));
    f.schema = later;
    f.type = &later->types[later->kinds[0].type];
    CHECK_ERR(CONFLICT, "conflict with \"n\": .spec.sub",
              apply_fixture_apply(&f, "m", false, THING("\"sub\":{\"a\":\"2\"}"), &e));
    schema_unload(later);
    later = NULL;
}

TEST(without_a_schema_maps_merge_by_key_and_lists_are_atomic)
{
    CLEANUP(apply_fixture_close) struct apply_fixture f;
    apply_fixture_open(&f, "v1", "ConfigMap");
    f.schema = NULL;
    f.type = NULL;
    f.who = (struct apply_who){.api_version = S("example.org/v1"), .kind = S("Thing")};
    applied(&f, "m", THING("\"a\":{\"x\":1},\"l\":[{\"name\":\"a\"}]"));
    applied(&f, "n", THING("\"a\":{\"y\":2}"));
    CHECK_STR(apply_fixture_value(&f, "spec.a"), "{\"x\":1,\"y\":2}");
    CHECK_ERR(CONFLICT, ".spec.l",
              apply_fixture_apply(&f, "n", false, THING("\"l\":[{\"name\":\"b\"}]"), &e));
    CHECK_ERR(CONFLICT, ".spec.a", apply_fixture_apply(&f, "n", false, THING("\"a\":5"), &e));
    forced(&f, "n", THING("\"a\":5"));
    CHECK_STR(apply_fixture_value(&f, "spec.a"), "5");
}

TEST(documents_nested_deep_are_tracked_without_nesting_deeper)
{
    CLEANUP(apply_fixture_close) struct apply_fixture f;
    apply_fixture_open(&f, "v1", "ConfigMap");
    f.schema = NULL;
    f.type = NULL;
    f.who = (struct apply_who){.api_version = S("example.org/v1"), .kind = S("Thing")};
    struct buf b;
    buf_init_arena(&b, &f.a, 10000);
    buf_add_lit(&b, "{\"apiVersion\":\"example.org/v1\",\"kind\":\"Thing\",\"metadata\":{\"name\":\"x\"}");
    for (int i = 0; i < 120; i++)
        buf_add_lit(&b, ",\"a\":{\"b\":1");
    buf_add_n(&b, '}', 121);
    buf_add_c(&b, 0);
    applied(&f, "m", b.p);
    str text = apply_fixture_value(&f, "metadata.managedFields");
    struct json again;
    CHECK_OK(json_parse(&f.a, text, NULL, &again, &e));
    applied(&f, "m", b.p);
    CHECK(f.result.unchanged);
}

/* --- scale --- */

static void check_scale(const char *parent, const char *scale, const char *want)
{
    static const struct apply_scale_path paths[] = {{S_INIT("apps/v1"), S_INIT("spec.replicas")}};
    CLEANUP(apply_fixture_close) struct apply_fixture f;
    apply_fixture_open(&f, "v1", "ConfigMap");
    struct json entries = apply_fixture_json(&f, parent), sent, out;
    if (scale) {
        sent = apply_fixture_json(&f, scale);
        CHECK_OK(apply_scale_to(&f.a, &entries, &sent, paths, 1, S("apps/v1"), &out, &e));
    } else {
        CHECK_OK(apply_scale_from(&f.a, &entries, paths, 1, &out, &e));
    }
    struct buf b;
    buf_init_arena(&b, &f.a, 10000);
    json_print(&b, &out, 0);
    CHECK_STR(buf_str(&b), want);
}

#define ENTRY(manager, operation, version, fields, rest)                                     \
    "{\"manager\":\"" manager "\",\"operation\":\"" operation "\",\"apiVersion\":\"" version \
    "\",\"fieldsType\":\"FieldsV1\",\"fieldsV1\":{\"f:spec\":{" fields "}}" rest "}"
#define SUB ",\"subresource\":\"scale\""

TEST(a_scale_has_the_entries_that_own_replicas)
{
    check_scale("[" ENTRY("a", "Apply", "apps/v1", "\"f:other\":{}",
                          "") "," ENTRY("b", "Apply", "apps/v1", "\"f:paused\":{},\"f:replicas\":{}",
                                        "") "," ENTRY("c", "Update", "apps/v9", "\"f:replicas\":{}", "") "]",
                NULL, "[" ENTRY("b", "Apply", "autoscaling/v1", "\"f:replicas\":{}", "") "]");
}

TEST(replicas_set_through_the_scale_are_taken_from_who_had_them)
{
    check_scale("[" ENTRY("a", "Update", "apps/v1", "\"f:replicas\":{},\"f:selector\":{}",
                          "") "," ENTRY("z", "Update", "apps/v1", "\"f:replicas\":{}", "") "]",
                "[" ENTRY("s", "Update", "autoscaling/v1", "\"f:replicas\":{}", SUB) "]",
                "[" ENTRY("a", "Update", "apps/v1", "\"f:selector\":{}",
                          "") "," ENTRY("s", "Update", "apps/v1", "\"f:replicas\":{}", SUB) "]");
}

TEST(replicas_that_nobody_took_through_the_scale_stay_with_their_applier)
{
    check_scale("[" ENTRY("a", "Apply", "apps/v1", "\"f:replicas\":{},\"f:selector\":{}", "") "]",
                "[" ENTRY("a", "Apply", "autoscaling/v1", "\"f:replicas\":{}", "") "]",
                "[" ENTRY("a", "Apply", "apps/v1", "\"f:replicas\":{},\"f:selector\":{}", "") "]");
}

/* --- settling --- */

TEST(times_that_are_all_that_changed_are_taken_back)
{
    CLEANUP(apply_fixture_close) struct apply_fixture f;
    apply_fixture_open(&f, "v1", "ConfigMap");
#define TIMED(time, value)                                                                 \
    "{\"metadata\":{\"name\":\"x\",\"managedFields\":[{\"manager\":\"a\",\"time\":\"" time \
    "\"}]},\"data\":{\"k\":\"" value "\"}}"
    struct json old = apply_fixture_json(&f, TIMED("1", "v")), same = apply_fixture_json(&f, TIMED("2", "v"));
    struct json other = apply_fixture_json(&f, TIMED("2", "w"));
    json_set(&f.a, json_find(&same, S("metadata")), S("resourceVersion"), json_of_str(S("7")));
    json_set(&f.a, &same, S("kind"), json_of_str(S("ConfigMap")));
    CHECK(apply_settle(&f.a, &old, &same));
    CHECK_STR(json_str(json_get(json_at(json_get(&same, S("metadata"), S("managedFields")), 0), S("time"))),
              "1");
    CHECK(!apply_settle(&f.a, &old, &other));
    CHECK_STR(json_str(json_get(json_at(json_get(&other, S("metadata"), S("managedFields")), 0), S("time"))),
              "2");
}
