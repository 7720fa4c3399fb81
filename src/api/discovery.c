/* discovery.c - the documents that list groups, versions and resources. */
#include "api/discovery.h"
#include "api/json_out.h"
#include "base/base64.h"
#include <openssl/sha.h>
#include <stdlib.h>

/* --- pieces --- */

static void add_group_version(struct json_out *o, const struct served_version *v)
{
    out_key(o, "groupVersion");
    buf_add_c(o->to, '"');
    if (v->group.n) {
        buf_add(o->to, v->group);
        buf_add_c(o->to, '/');
    }
    buf_add(o->to, v->version);
    buf_add_c(o->to, '"');
}

/* In the order of the alphabet, but for custom resources, where the original has a list of its own. */
static void add_verbs(struct json_out *o, unsigned verbs, bool is_custom)
{
    static const struct {
        unsigned verb;
        str name;
    } sorted[] = {
        {SCHEMA_CREATE, S_INIT("create")},
        {SCHEMA_DELETE, S_INIT("delete")},
        {SCHEMA_DELETECOLLECTION, S_INIT("deletecollection")},
        {SCHEMA_GET, S_INIT("get")},
        {SCHEMA_LIST_VERB, S_INIT("list")},
        {SCHEMA_PATCH_VERB, S_INIT("patch")},
        {SCHEMA_UPDATE, S_INIT("update")},
        {SCHEMA_WATCH, S_INIT("watch")},
    };
    static const uint8_t custom_order[] = {1, 2, 3, 4, 5, 0, 6, 7};
    out_key(o, "verbs");
    out_open(o, '[');
    for (size_t i = 0; i < ARRAY_COUNT(sorted); i++) {
        size_t at = is_custom ? custom_order[i] : i;
        if (verbs & sorted[at].verb) {
            out_item(o);
            out_str(o, sorted[at].name);
        }
    }
    out_close(o, ']');
}

static void add_names(struct json_out *o, const struct served_kind *k)
{
    if (k->short_names.count) {
        out_key(o, "shortNames");
        out_strings(o, k->short_names.items, k->short_names.count);
    }
    if (k->categories.count) {
        out_key(o, "categories");
        out_strings(o, k->categories.items, k->categories.count);
    }
}

/* Equal for all that is stored as the same: eight bytes of a hash over "group/version/kind" of what is stored. */
static void add_storage_hash(struct json_out *o, const struct served_kind *k)
{
    const struct served_kind *stored = k->resource->stored;
    char text[512];
    struct buf b = {.p = text, .cap = sizeof text, .max = sizeof text};
    buf_add(&b, stored->group);
    buf_add_c(&b, '/');
    buf_add(&b, stored->version);
    buf_add_c(&b, '/');
    buf_add(&b, stored->kind);
    unsigned char hash[SHA256_DIGEST_LENGTH];
    SHA256((const unsigned char *)text, b.n, hash);
    out_key(o, "storageVersionHash");
    buf_add_c(o->to, '"');
    base64_encode(o->to, str_of((const char *)hash, 8), BASE64_STD);
    buf_add_c(o->to, '"');
}

/* --- groups --- */

void discovery_core(struct buf *out, const struct catalog *c, str address)
{
    struct json_out o = {.to = out};
    const struct served_group *core = catalog_group(c, S(""));
    out_open(&o, '{');
    out_member(&o, "kind", "\"APIVersions\"");
    out_key(&o, "versions");
    out_open(&o, '[');
    for (size_t i = 0; core && i < core->version_count; i++) {
        out_item(&o);
        out_str(&o, core->versions[i].version);
    }
    out_close(&o, ']');
    out_member(&o, "serverAddressByClientCIDRs", "[{\"clientCIDR\":\"0.0.0.0/0\"");
    out_text(&o, "serverAddress", address);
    buf_add_lit(out, "}]}");
}

static void add_version(struct json_out *o, const struct served_version *v)
{
    out_open(o, '{');
    add_group_version(o, v);
    out_text(o, "version", v->version);
    out_close(o, '}');
}

static void add_group_members(struct json_out *o, const struct served_group *g)
{
    out_text(o, "name", g->name);
    out_key(o, "versions");
    out_open(o, '[');
    for (size_t i = 0; i < g->version_count; i++) {
        out_item(o);
        add_version(o, &g->versions[i]);
    }
    out_close(o, ']');
    out_key(o, "preferredVersion");
    add_version(o, &g->versions[0]);
}

void discovery_groups(struct buf *out, const struct catalog *c)
{
    struct json_out o = {.to = out};
    out_open(&o, '{');
    out_member(&o, "kind", "\"APIGroupList\"");
    out_member(&o, "apiVersion", "\"v1\"");
    out_key(&o, "groups");
    out_open(&o, '[');
    for (size_t i = 0; i < c->group_count; i++) {
        if (c->groups[i].name.n == 0)
            continue;
        out_item(&o);
        out_open(&o, '{');
        add_group_members(&o, &c->groups[i]);
        out_close(&o, '}');
    }
    out_close(&o, ']');
    out_close(&o, '}');
}

void discovery_group(struct buf *out, const struct catalog *c, const struct served_group *g)
{
    struct json_out o = {.to = out};
    out_open(&o, '{');
    out_member(&o, "kind", "\"APIGroup\"");
    out_member(&o, "apiVersion", "\"v1\"");
    add_group_members(&o, g);
    out_close(&o, '}');
}

/* --- resources, one document for each version --- */

static void add_resource(struct json_out *o, const struct served_kind *k)
{
    out_open(o, '{');
    out_text(o, "name", k->plural);
    out_text(o, "singularName", k->singular);
    out_key(o, "namespaced");
    buf_add(o->to, k->namespaced ? S("true") : S("false"));
    out_text(o, "kind", k->kind);
    add_verbs(o, k->verbs, k->is_custom);
    add_names(o, k);
    if (k->verbs & SCHEMA_WATCH) /* what is not stored cannot be watched */
        add_storage_hash(o, k);
    out_close(o, '}');
}

static bool body_is_elsewhere(const struct served_kind *k, const struct served_subresource *s)
{
    return !str_eq(s->group, k->group) || !str_eq(s->version, k->version);
}

static void add_subresource(struct json_out *o, const struct served_kind *k,
                            const struct served_subresource *s)
{
    out_open(o, '{');
    out_key(o, "name");
    buf_add_c(o->to, '"');
    buf_add(o->to, k->plural);
    buf_add_c(o->to, '/');
    buf_add(o->to, s->name);
    buf_add_c(o->to, '"');
    out_member(o, "singularName", "\"\"");
    out_key(o, "namespaced");
    buf_add(o->to, k->namespaced ? S("true") : S("false"));
    if (body_is_elsewhere(k, s)) {
        out_text(o, "group", s->group);
        out_text(o, "version", s->version);
    }
    out_text(o, "kind", s->kind);
    add_verbs(o, s->verbs, false);
    out_close(o, '}');
}

void discovery_resources(struct buf *out, const struct catalog *c, const struct served_version *v)
{
    struct json_out o = {.to = out};
    out_open(&o, '{');
    out_member(&o, "kind", "\"APIResourceList\"");
    if (v->group.n) /* the core group's has none, as ever */
        out_member(&o, "apiVersion", "\"v1\"");
    add_group_version(&o, v);
    out_key(&o, "resources");
    out_open(&o, '[');
    for (size_t i = 0; i < v->kind_count; i++) {
        const struct served_kind *k = v->kinds[i];
        out_item(&o);
        add_resource(&o, k);
        for (size_t j = 0; j < k->subresource_count; j++) {
            out_item(&o);
            add_subresource(&o, k, &k->subresources[j]);
        }
    }
    out_close(&o, ']');
    out_close(&o, '}');
}

/* --- everything at once --- */

/* Empty group and version: those of the document; custom resources always say them. */
static void add_response_kind(struct json_out *o, str group, str version, str kind)
{
    out_key(o, "responseKind");
    out_open(o, '{');
    out_text(o, "group", group);
    out_text(o, "version", version);
    out_text(o, "kind", kind);
    out_close(o, '}');
}

static void add_aggregated_subresource(struct json_out *o, const struct served_kind *k,
                                       const struct served_subresource *s)
{
    bool says_where = k->is_custom || body_is_elsewhere(k, s);
    out_open(o, '{');
    out_text(o, "subresource", s->name);
    add_response_kind(o, says_where ? s->group : STR_NONE, says_where ? s->version : STR_NONE, s->kind);
    add_verbs(o, s->verbs, false);
    out_close(o, '}');
}

static void add_aggregated_resource(struct json_out *o, const struct served_kind *k)
{
    out_open(o, '{');
    out_text(o, "resource", k->plural);
    add_response_kind(o, k->is_custom ? k->group : STR_NONE, k->is_custom ? k->version : STR_NONE, k->kind);
    out_text(o, "scope", k->namespaced ? S("Namespaced") : S("Cluster"));
    out_text(o, "singularResource", k->singular);
    add_verbs(o, k->verbs, k->is_custom);
    add_names(o, k);
    if (k->subresource_count) {
        out_key(o, "subresources");
        out_open(o, '[');
        for (size_t i = 0; i < k->subresource_count; i++) {
            out_item(o);
            add_aggregated_subresource(o, k, &k->subresources[i]);
        }
        out_close(o, ']');
    }
    out_close(o, '}');
}

static void add_aggregated_version(struct json_out *o, const struct served_version *v)
{
    out_open(o, '{');
    out_text(o, "version", v->version);
    out_key(o, "resources");
    out_open(o, '[');
    for (size_t i = 0; i < v->kind_count; i++) {
        out_item(o);
        add_aggregated_resource(o, v->kinds[i]);
    }
    out_close(o, ']');
    out_member(o, "freshness", "\"Current\"");
    out_close(o, '}');
}

static void add_aggregated_group(struct json_out *o, const struct served_group *g)
{
    out_open(o, '{');
    out_key(o, "metadata");
    out_open(o, '{');
    if (g->name.n)
        out_text(o, "name", g->name);
    out_close(o, '}');
    out_key(o, "versions");
    out_open(o, '[');
    for (size_t i = 0; i < g->version_count; i++) {
        out_item(o);
        add_aggregated_version(o, &g->versions[i]);
    }
    out_close(o, ']');
    out_close(o, '}');
}

static bool group_is_custom(const struct served_group *g)
{
    return g->versions[0].kinds[0]->is_custom;
}

static int by_name(const void *left, const void *right)
{
    const struct served_group *x = *(const struct served_group *const *)left;
    const struct served_group *y = *(const struct served_group *const *)right;
    return str_cmp(x->name, y->name);
}

/* The groups but for core, as the original's aggregated form sorts them: among equals, which the custom ones at the end are,
 * by the name of the group (in the other form it is by that of the first APIService). */
static const struct served_group **aggregated_order(struct arena *a, const struct catalog *c,
                                                    size_t *ret_count)
{
    const struct served_group **groups = ARENA_ARRAY(a, const struct served_group *, c->group_count);
    size_t count = 0, custom_from = 0;
    for (size_t i = 0; i < c->group_count; i++) {
        if (c->groups[i].name.n == 0)
            continue;
        groups[count++] = &c->groups[i];
        if (!group_is_custom(&c->groups[i]))
            custom_from = count;
    }
    qsort(groups + custom_from, count - custom_from, sizeof *groups, by_name);
    *ret_count = count;
    return groups;
}

void discovery_aggregated(struct buf *out, const struct catalog *c, bool core)
{
    CLEANUP(arena_done) struct arena scratch;
    arena_init(&scratch, 0);
    const struct served_group *core_group = catalog_group(c, S(""));
    const struct served_group **groups = &core_group;
    size_t count = core_group != NULL;
    if (!core)
        groups = aggregated_order(&scratch, c, &count);
    struct json_out o = {.to = out};
    out_open(&o, '{');
    out_member(&o, "kind", "\"APIGroupDiscoveryList\"");
    out_member(&o, "apiVersion", "\"apidiscovery.k8s.io/v2\"");
    out_member(&o, "metadata", "{}");
    out_key(&o, "items");
    out_open(&o, '[');
    for (size_t i = 0; i < count; i++) {
        out_item(&o);
        add_aggregated_group(&o, groups[i]);
    }
    out_close(&o, ']');
    out_close(&o, '}');
}
