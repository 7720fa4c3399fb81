/* openapi.c - the OpenAPI documents: v3 for each group version, v2 in one, and the index of those of v3.
 * A document is written piece by piece, a definition or a path at a time; what is kept meanwhile is lists of which pieces
 * there are. The index needs the hash of every document: each is written into a small buffer that is emptied, piece by piece. */
#include "api/discovery.h"
#include "api/openapi_priv.h"
#include "wire/protobuf.h"
#include <stdlib.h>

#define API_LEVEL "v1.36.0"

/* --- where pieces go --- */

struct sink {
    struct json_out out;
    bool hashes; /* `out.to` is scratch */
    uint64_t hash[2];
};

static void sink_piece_done(struct sink *s)
{
    if (!s->hashes)
        return;
    str text = buf_str(s->out.to);
    for (size_t i = 0; i < 2; i++)
        s->hash[i] = str_hash_keyed(text, (const uint64_t[]){s->hash[i], i});
    buf_clear(s->out.to);
}

/* --- v3 --- */

static void need_version(struct openapi *m, const struct served_version *v)
{
    bool any_built_in = false;
    for (size_t i = 0; i < v->kind_count; i++) {
        openapi_need_kind(m, v->kinds[i]);
        openapi_need_kind_paths(m, v->kinds[i]);
        any_built_in |= !v->kinds[i]->is_custom;
    }
    if (!any_built_in)
        return;
    str path = v->group.n ? str_format(m->arena, "/apis/%" STR_FMT "/%" STR_FMT "/", STR_ARG(v->group),
                                       STR_ARG(v->version))
                          : str_format(m->arena, "/api/%" STR_FMT "/", STR_ARG(v->version));
    openapi_need_path(m, OPENAPI_PATH_VERSION, path, v->group, v->version);
}

static void write_paths(struct openapi *m, struct sink *s)
{
    out_key(&s->out, "paths");
    out_open(&s->out, '{');
    for (size_t i = 0; i < m->path_count; i++) {
        out_name(&s->out, m->paths[i].text);
        openapi_add_path(m, &s->out, &m->paths[i]);
        sink_piece_done(s);
    }
    out_close(&s->out, '}');
}

static void write_definitions(struct openapi *m, struct sink *s)
{
    out_open(&s->out, '{');
    for (size_t i = 0; i < m->definition_count; i++) {
        out_name(&s->out, m->definitions[i].name);
        openapi_add_definition(m, &s->out, &m->definitions[i]);
        sink_piece_done(s);
    }
    out_close(&s->out, '}');
}

#define INFO "{\"title\":\"Kubernetes\",\"version\":\"" API_LEVEL "\"}"
#define SECURITY                                                                                    \
    "{\"BearerToken\":{\"description\":\"Bearer Token authentication\",\"in\":\"header\",\"name\":" \
    "\"authorization\",\"type\":\"apiKey\"}}"

static void write_v3(struct openapi *m, struct sink *s)
{
    openapi_collect(m);
    openapi_sort_paths(m);
    out_open(&s->out, '{');
    out_member(&s->out, "openapi", "\"3.0.0\"");
    out_member(&s->out, "info", INFO);
    write_paths(m, s);
    out_key(&s->out, "components");
    out_open(&s->out, '{');
    if (m->definition_count) {
        out_key(&s->out, "schemas");
        write_definitions(m, s);
    }
    out_member(&s->out, "securitySchemes", SECURITY);
    out_close(&s->out, '}');
    out_close(&s->out, '}');
    sink_piece_done(s);
}

/* Documents that are no version's, by their paths in the index. */
static const struct {
    str name, path;
    enum openapi_path_kind kind;
} infos[] = {
    {S_INIT(".well-known/openid-configuration"), S_INIT("/.well-known/openid-configuration/"),
     OPENAPI_PATH_ISSUER},
    {S_INIT("api"), S_INIT("/api/"), OPENAPI_PATH_CORE},
    {S_INIT("apis"), S_INIT("/apis/"), OPENAPI_PATH_GROUPS},
    {S_INIT("openid/v1/jwks"), S_INIT("/openid/v1/jwks/"), OPENAPI_PATH_KEYS},
    {S_INIT("version"), S_INIT("/version/"), OPENAPI_PATH_CODE_VERSION},
};

static bool group_is_built_in(const struct served_group *g)
{
    return !g->versions[0].kinds[0]->is_custom;
}

static void need_group(struct openapi *m, str group)
{
    openapi_need_path(m, OPENAPI_PATH_GROUP, str_format(m->arena, "/apis/%" STR_FMT "/", STR_ARG(group)),
                      group, STR_NONE);
}

/* What the index calls `path`. False: there is no such thing. */
static bool need_document(struct openapi *m, const struct catalog *c, str path)
{
    for (size_t i = 0; i < ARRAY_COUNT(infos); i++) {
        if (str_eq(infos[i].name, path)) {
            openapi_need_path(m, infos[i].kind, infos[i].path, STR_NONE, STR_NONE);
            return true;
        }
    }
    str group = STR_NONE, version = path;
    const struct served_version *v = NULL;
    if (str_take_prefix(&version, S("api/"))) {
        v = catalog_version(c, S(""), version);
    } else if (str_take_prefix(&version, S("apis/"))) {
        if (!str_cut(version, '/', &group, &version)) {
            const struct served_group *g = group.n ? catalog_group(c, group) : NULL;
            if (g && group_is_built_in(g))
                need_group(m, group);
            return g && group_is_built_in(g);
        }
        v = group.n ? catalog_version(c, group, version) : NULL;
    }
    if (v)
        need_version(m, v);
    return v;
}

static bool write_document(struct sink *s, const struct catalog *c, str path)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    struct openapi m;
    openapi_init(&m, &a, c, true);
    bool known = need_document(&m, c, path);
    if (known)
        write_v3(&m, s);
    openapi_done(&m);
    return known;
}

bool openapi_v3_find(struct buf *out, const struct catalog *c, str path)
{
    struct sink s = {.out.to = out};
    return write_document(&s, c, path);
}

void openapi_v3(struct buf *out, const struct catalog *c, const struct served_version *v)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    struct openapi m;
    openapi_init(&m, &a, c, true);
    need_version(&m, v);
    write_v3(&m, &(struct sink){.out.to = out});
    openapi_done(&m);
}

static int by_text(const void *left, const void *right)
{
    return str_cmp(*(const str *)left, *(const str *)right);
}

static str *index_paths(struct arena *a, const struct catalog *c, size_t *ret_count)
{
    size_t max = ARRAY_COUNT(infos), count = 0;
    for (size_t i = 0; i < c->group_count; i++)
        max += c->groups[i].version_count + 1;
    str *paths = ARENA_ARRAY(a, str, max);
    for (size_t i = 0; i < ARRAY_COUNT(infos); i++)
        paths[count++] = infos[i].name;
    for (size_t i = 0; i < c->group_count; i++) {
        const struct served_group *g = &c->groups[i];
        str base = g->name.n ? str_concat(a, S("apis/"), g->name) : S("api");
        if (g->name.n && group_is_built_in(g))
            paths[count++] = base;
        for (size_t j = 0; j < g->version_count; j++)
            paths[count++] = str_join(a, (const str[]){base, g->versions[j].version}, 2, S("/"));
    }
    qsort(paths, count, sizeof *paths, by_text);
    *ret_count = count;
    return paths;
}

enum { PIECE_MAX = 64 << 20 }; /* of one definition or path */

void openapi_v3_index(struct buf *out, const struct catalog *c)
{
    CLEANUP(arena_done) struct arena a;
    CLEANUP(buf_done) struct buf scratch;
    arena_init(&a, 0);
    buf_init(&scratch, PIECE_MAX);
    size_t count;
    const str *paths = index_paths(&a, c, &count);
    struct json_out o = {.to = out};
    buf_add_lit(out, "{\"paths\":{");
    for (size_t i = 0; i < count; i++) {
        struct sink s = {.out.to = &scratch, .hashes = true};
        write_document(&s, c, paths[i]);
        out_name(&o, paths[i]);
        buf_add_f(out, "{\"serverRelativeURL\":\"/openapi/v3/%" STR_FMT "?hash=%016llX%016llX\"}",
                  STR_ARG(paths[i]), (unsigned long long)s.hash[0], (unsigned long long)s.hash[1]);
    }
    buf_add_lit(out, "}}");
}

/* --- v2 --- */

static void need_everything(struct openapi *m, const struct catalog *c)
{
    for (size_t i = 0; i < ARRAY_COUNT(infos); i++)
        openapi_need_path(m, infos[i].kind, infos[i].path, STR_NONE, STR_NONE);
    for (size_t i = 0; i < c->group_count; i++) {
        const struct served_group *g = &c->groups[i];
        if (g->name.n && group_is_built_in(g))
            need_group(m, g->name);
        for (size_t j = 0; j < g->version_count; j++)
            need_version(m, &g->versions[j]);
    }
    openapi_collect(m);
    openapi_sort_paths(m);
}

/* All but paths and definitions. */
static void write_v2_rest(struct openapi *m, struct json_out *o)
{
    out_member(o, "swagger", "\"2.0\"");
    out_member(o, "info", INFO);
    out_key(o, "parameters");
    out_open(o, '{');
    openapi_add_shared_params(m, o);
    out_close(o, '}');
    out_member(o, "securityDefinitions", SECURITY);
    out_member(o, "security", "[{\"BearerToken\":[]}]");
}

void openapi_v2(struct buf *out, const struct catalog *c)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    struct openapi m;
    openapi_init(&m, &a, c, false);
    need_everything(&m, c);
    struct sink s = {.out.to = out};
    out_open(&s.out, '{');
    write_v2_rest(&m, &s.out);
    write_paths(&m, &s);
    out_key(&s.out, "definitions");
    write_definitions(&m, &s);
    out_close(&s.out, '}');
    openapi_done(&m);
}

/* --- v2 in protobuf: the same pieces, each turned over as soon as it is there --- */

enum { DOCUMENT_PATHS = 8, DOCUMENT_DEFINITIONS = 9, PATHS_PATH = 2, DEFINITIONS_ENTRY = 1 };
enum { NAMED_NAME = 1, NAMED_VALUE = 2 };

static void add_named(struct buf *out, uint32_t field, str name, enum openapi_message which, str json)
{
    size_t entry = pb_begin(out, field);
    pb_add_bytes(out, NAMED_NAME, name);
    size_t value = pb_begin(out, NAMED_VALUE);
    openapi_to_protobuf(out, which, json);
    pb_end(out, value);
    pb_end(out, entry);
}

void openapi_v2_protobuf(struct buf *out, const struct catalog *c)
{
    CLEANUP(arena_done) struct arena a;
    CLEANUP(buf_done) struct buf scratch;
    arena_init(&a, 0);
    buf_init(&scratch, PIECE_MAX);
    struct openapi m;
    openapi_init(&m, &a, c, false);
    need_everything(&m, c);
    struct json_out o = {.to = &scratch};
    out_open(&o, '{');
    write_v2_rest(&m, &o);
    out_close(&o, '}');
    openapi_to_protobuf(out, OPENAPI_MESSAGE_DOCUMENT, buf_str(&scratch));
    size_t paths = pb_begin(out, DOCUMENT_PATHS);
    for (size_t i = 0; i < m.path_count; i++) {
        buf_clear(&scratch);
        openapi_add_path(&m, &o, &m.paths[i]);
        add_named(out, PATHS_PATH, m.paths[i].text, OPENAPI_MESSAGE_PATH, buf_str(&scratch));
    }
    pb_end(out, paths);
    size_t definitions = pb_begin(out, DOCUMENT_DEFINITIONS);
    for (size_t i = 0; i < m.definition_count; i++) {
        buf_clear(&scratch);
        openapi_add_definition(&m, &o, &m.definitions[i]);
        add_named(out, DEFINITIONS_ENTRY, m.definitions[i].name, OPENAPI_MESSAGE_SCHEMA, buf_str(&scratch));
    }
    pb_end(out, definitions);
    openapi_done(&m);
}
