/* describe.c - what the server says of itself: /version, discovery, OpenAPI, and the list of paths. */
#include "api/discovery.h"
#include "base/arena.h"
#include "server/params.h"
#include "server/server_priv.h"
#include "server/stages.h"

#define DOCUMENT_MAX ((size_t)64 << 20)

static enum stage_result not_found(struct request *r)
{
    return answer_text(r, 404, S("404 page not found\n"));
}

static enum stage_result answer_version(struct request *r)
{
    return answer_json(
        r, 200,
        S("{\"major\":\"1\",\"minor\":\"36\",\"emulationMajor\":\"1\",\"emulationMinor\":\"36\","
          "\"minCompatibilityMajor\":\"1\",\"minCompatibilityMinor\":\"35\","
          "\"gitVersion\":\"v1.36.0+skiff\",\"gitCommit\":\"\",\"gitTreeState\":\"clean\","
          "\"buildDate\":\"1970-01-01T00:00:00Z\",\"goVersion\":\"none\",\"compiler\":\"c\","
          "\"platform\":\"linux/amd64\"}\n"));
}

/* --- discovery --- */

#define AGGREGATED "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"

/* The client takes the new form. */
static bool wants_aggregated(struct request *r)
{
    for (size_t i = 0; i < r->head.header_count; i++) {
        str rest = r->head.headers[i].value, piece;
        if (!str_is(r->head.headers[i].name, "accept"))
            continue;
        while (str_next(&rest, ',', &piece))
            if (str_contains(piece, S("as=APIGroupDiscoveryList")) &&
                str_contains(piece, S("g=apidiscovery.k8s.io")) &&
                str_contains(str_concat(r->arena, piece, S(";")), S("v=v2;")))
                return true;
    }
    return false;
}

static str own_address(struct request *r)
{
    char text[NET_ADDR_TEXT];
    net_addr_format(&r->server->address, text);
    return str_dup(r->arena, str_from_c(text));
}

static enum stage_result answer_groups(struct request *r, bool core)
{
    struct buf out;
    buf_init_arena(&out, r->arena, DOCUMENT_MAX);
    if (wants_aggregated(r)) {
        discovery_aggregated(&out, r->catalog, core);
        return answer_bytes(r, 200, S(AGGREGATED), buf_str(&out));
    }
    if (core)
        discovery_core(&out, r->catalog, own_address(r));
    else
        discovery_groups(&out, r->catalog);
    return answer_json(r, 200, buf_str(&out));
}

static enum stage_result answer_resources(struct request *r, str group, str version)
{
    struct buf out;
    buf_init_arena(&out, r->arena, DOCUMENT_MAX);
    const struct served_version *v = catalog_version(r->catalog, group, version);
    if (!v)
        return not_found(r);
    discovery_resources(&out, r->catalog, v);
    return answer_json(r, 200, buf_str(&out));
}

static enum stage_result answer_group(struct request *r, str group)
{
    struct buf out;
    buf_init_arena(&out, r->arena, DOCUMENT_MAX);
    const struct served_group *g = group.n ? catalog_group(r->catalog, group) : NULL;
    if (!g)
        return not_found(r);
    discovery_group(&out, r->catalog, g);
    return answer_json(r, 200, buf_str(&out));
}

/* --- OpenAPI --- */

static enum stage_result answer_openapi_v3(struct request *r, str path)
{
    struct buf out;
    str group = STR_NONE, version = STR_NONE;
    buf_init_arena(&out, r->arena, DOCUMENT_MAX);
    if (!path.n) {
        openapi_v3_index(&out, r->catalog);
        return answer_bytes(r, 200, S("application/json"), buf_str(&out));
    }
    if (str_take_prefix(&path, S("/apis/")))
        str_cut(path, '/', &group, &version);
    else if (str_take_prefix(&path, S("/api/")))
        version = path;
    const struct served_version *v = catalog_version(r->catalog, group, version);
    if (!v)
        return not_found(r);
    openapi_v3(&out, r->catalog, v);
    return answer_bytes(r, 200, S("application/json"), buf_str(&out));
}

static enum stage_result answer_openapi_v2(struct request *r)
{
    struct buf out;
    buf_init_arena(&out, r->arena, DOCUMENT_MAX);
    str accept = http_header_find(&r->head, S("accept"));
    if (str_contains(accept, S("com.github.proto-openapi.spec.v2"))) {
        openapi_v2_protobuf(&out, r->catalog);
        return answer_bytes(r, 200, S("application/com.github.proto-openapi.spec.v2.v1.0+protobuf"),
                            buf_str(&out));
    }
    openapi_v2(&out, r->catalog);
    return answer_bytes(r, 200, S("application/json"), buf_str(&out));
}

/* --- / --- */

static enum stage_result answer_paths(struct request *r)
{
    struct buf out;
    buf_init_arena(&out, r->arena, 1 << 20);
    buf_add_lit(&out, "{\n  \"paths\": [\n    \"/api\",\n    \"/api/v1\",\n    \"/apis\",\n");
    for (size_t i = 1; i < r->catalog->group_count; i++) {
        const struct served_group *g = &r->catalog->groups[i];
        buf_add_f(&out, "    \"/apis/%" STR_FMT "\",\n", STR_ARG(g->name));
        for (size_t k = 0; k < g->version_count; k++)
            buf_add_f(&out, "    \"/apis/%" STR_FMT "/%" STR_FMT "\",\n", STR_ARG(g->name),
                      STR_ARG(g->versions[k].version));
    }
    buf_add_lit(&out, "    \"/healthz\",\n    \"/livez\",\n    \"/openapi/v2\",\n    \"/openapi/v3\",\n"
                      "    \"/readyz\",\n    \"/version\"\n  ]\n}");
    return answer_bytes(r, 200, S("application/json"), buf_str(&out));
}

enum stage_result act_discovery(struct request *r)
{
    str path = r->path, group, version;
    if (!str_is(r->head.method, "GET") && !str_is(r->head.method, "HEAD"))
        return answer_failure(r, status_method_not_allowed(r->arena, NULL));
    if (path.n > 1 && path.p[path.n - 1] == '/')
        path.n--;
    if (str_is(path, "/"))
        return answer_paths(r);
    if (str_is(path, "/version"))
        return answer_version(r);
    if (str_is(path, "/api") || str_is(path, "/apis"))
        return answer_groups(r, str_is(path, "/api"));
    if (str_is(path, "/openapi/v2"))
        return answer_openapi_v2(r);
    if (str_take_prefix(&path, S("/openapi/v3")))
        return answer_openapi_v3(r, path);
    if (str_take_prefix(&path, S("/api/")))
        return answer_resources(r, STR_NONE, path);
    if (str_take_prefix(&path, S("/apis/")))
        return str_cut(path, '/', &group, &version) ? answer_resources(r, group, version)
                                                    : answer_group(r, group);
    return not_found(r);
}
