#include "api/view.h"
#include "base/mem.h"
#include "harness/test.h"
#include "view/apps_v1.h"
#include "view/core_v1.h"

static const char pod_content[] =
    "{\"metadata\":{\"name\":\"web-0\",\"generation\":3,\"creationTimestamp\":\"2024-02-29T10:00:00Z\","
    "\"labels\":{\"app\":\"web\",\"tier\":\"front\"}},"
    "\"spec\":{\"volumes\":[{\"name\":\"tmp\",\"emptyDir\":{\"sizeLimit\":\"64Mi\"}}],"
    "\"containers\":[{\"name\":\"a\",\"image\":\"x\\u0041\",\"ports\":[{\"containerPort\":80}],"
    "\"resources\":{\"requests\":{\"cpu\":\"250m\",\"memory\":\"1Gi\"}},"
    "\"livenessProbe\":{\"httpGet\":{\"path\":\"/\",\"port\":\"http\"},\"periodSeconds\":5}},"
    "{\"name\":\"b\",\"resources\":{},\"securityContext\":{\"runAsNonRoot\":false}}],"
    "\"terminationGracePeriodSeconds\":0,\"nodeName\":\"n1\"},\"status\":{}}";

TEST(view_reads_fields_of_every_sort)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    struct pod pod;
    CHECK_OK(VIEW_DECODE(&a, pod, str_from_c(pod_content), &pod, &e));
    CHECK_STR(pod.metadata.name, "web-0");
    CHECK_EQ(pod.metadata.generation, 3);
    CHECK_EQ(kube_time_unix(pod.metadata.creation_timestamp), 1709200800);
    CHECK(kube_time_is_zero(pod.metadata.deletion_timestamp));
    CHECK_EQ(pod.metadata.labels.count, 2);
    CHECK_STR(pod.metadata.labels.items[1].key, "tier");
    CHECK_STR(pod.metadata.labels.items[1].value, "front");
    CHECK_STR(pod.spec.node_name, "n1");
    /* Zero that was said, and not said at all. */
    CHECK(pod.spec.termination_grace_period_seconds.is_set);
    CHECK_EQ(pod.spec.termination_grace_period_seconds.value, 0);
    CHECK(!pod.spec.active_deadline_seconds.is_set);
    CHECK(pod.spec.runtime_class_name.p == NULL);
    CHECK(pod.spec.affinity == NULL);

    CHECK_EQ(pod.spec.containers.count, 2);
    const struct container *c = &pod.spec.containers.items[0];
    CHECK_STR(c->image, "xA");
    CHECK_EQ(c->ports.items[0].container_port, 80);
    CHECK_EQ(quantity_milli_value(&c->resources.requests.items[0].value), 250);
    CHECK_EQ(c->liveness_probe->period_seconds, 5);
    CHECK_STR(c->liveness_probe->handler.http_get->port.text, "http");
    CHECK(c->readiness_probe == NULL);
    const struct security_context *sc = pod.spec.containers.items[1].security_context;
    CHECK(sc->run_as_non_root.is_set && !sc->run_as_non_root.value);
    CHECK(!sc->privileged.is_set);
    /* What stands inline has a name of its own in C. */
    CHECK_EQ(quantity_value(pod.spec.volumes.items[0].volume_source.empty_dir->size_limit), 64 << 20);
}

TEST(view_borrows_and_needs_no_heap_beyond_its_arena)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    struct pod pod;
    CHECK_OK(VIEW_DECODE(&a, pod, str_from_c(pod_content), &pod, &e));
    CHECK(pod.metadata.name.p > pod_content && pod.metadata.name.p < pod_content + sizeof pod_content);
    if (test_is_sanitized())
        return; /* there every allocation of an arena is one of the heap */
    arena_reset(&a);
    uint64_t before = mem_thread_allocs();
    CHECK_OK(VIEW_DECODE(&a, pod, str_from_c(pod_content), &pod, &e));
    CHECK_LE(mem_thread_allocs() - before, 1);
}

TEST(view_gives_its_content_back)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    struct pod pod;
    struct buf b;
    buf_init_arena(&b, &a, 10000);
    /* As it would be stored: the one escape that is none is written out. */
    str content = str_format(&a, "%s", pod_content);
    size_t at = str_index(content, S("\\u0041"));
    content = str_join(&a, (const str[]){str_slice(content, 0, at), str_from(content, at + 6)}, 2, S("A"));
    CHECK_OK(VIEW_DECODE(&a, pod, content, &pod, &e));
    VIEW_ENCODE(&b, pod, &pod);
    CHECK_STR(buf_str(&b), content);
}

TEST(view_made_by_hand_prints_what_the_original_would)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    struct buf b;
    buf_init_arena(&b, &a, 10000);
    struct container c = {.name = S("a")};
    struct deployment d = {
        .metadata = {.name = S("web")},
        .spec = {.replicas = {2, true}, .template = {.spec = {.containers = {.items = &c, .count = 1}}}},
    };
    VIEW_ENCODE(&b, deployment, &d);
    CHECK_STR(buf_str(&b),
              "{\"metadata\":{\"name\":\"web\"},\"spec\":{\"replicas\":2,\"selector\":null,\"template\":{"
              "\"metadata\":{},\"spec\":{\"containers\":[{\"name\":\"a\",\"resources\":{}}]}},\"strategy\":"
              "{}},\"status\":{}}");
}

TEST(view_refuses_content_that_is_not_of_its_schema)
{
    static const char *const broken[] = {
        "{\"metadata\":[]}",
        "{\"metadata\":{\"name\":7}}",
        "{\"metadata\":{\"generation\":\"3\"}}",
        "{\"metadata\":{\"creationTimestamp\":\"yesterday\"}}",
        "{\"spec\":{\"containers\":{}}}",
        "{\"spec\":{\"hostNetwork\":1}}",
        "{\"spec\":{\"containers\":[{\"resources\":{\"limits\":{\"cpu\":\"lots\"}}}]}}",
        "{\"metadata\":{}",
        "",
        "[]",
    };
    for (size_t i = 0; i < ARRAY_COUNT(broken); i++) {
        CLEANUP(arena_done) struct arena a;
        arena_init(&a, 0);
        struct pod pod;
        struct err err = ERR_INIT;
        err_code code = VIEW_DECODE(&a, pod, str_from_c(broken[i]), &pod, &err);
        if (code == ERR_NONE)
            FAIL("accepted: %s", broken[i]);
        CHECK_EQ(code, err.code);
        CHECK(err.msg[0] != 0);
    }
}

TEST(view_skips_members_it_does_not_know)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    struct config_map c;
    CHECK_OK(
        VIEW_DECODE(&a, config_map, S("{\"x\":{\"y\":[1,{\"z\":null}]},\"data\":{\"k\":\"v\"}}"), &c, &e));
    CHECK_EQ(c.data.count, 1);
}
