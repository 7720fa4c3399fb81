/* schema.c - looking things up in the tables. */
#include "api/schema.h"
#include "base/arena.h"

const struct schema_field *schema_field_find(const struct schema *s, const struct schema_type *t, str name)
{
    const uint16_t *slots = s->slots + t->slot_first;
    for (size_t at = (size_t)str_hash(name) & t->slot_mask;; at = (at + 1) & t->slot_mask) {
        if (slots[at] == 0)
            return NULL;
        const struct schema_field *f = &s->fields[t->field_first + slots[at] - 1];
        if (f->name_n == name.n && memcmp(s->text + f->name, name.p, name.n) == 0)
            return f;
    }
}

const struct schema_type *schema_type_find(const struct schema *s, str package, str name)
{
    for (size_t i = 0; i < s->type_count; i++) {
        const struct schema_type *t = &s->types[i];
        if (str_eq(schema_text(s, t->name), name) &&
            str_eq(schema_text(s, s->packages[t->package].name), package))
            return t;
    }
    return NULL;
}

/* "v1" or "apps/v1" against group and version. */
static bool api_version_is(const struct schema *s, const struct schema_kind_info *k, str api_version)
{
    if (k->api_version) {
        str said = schema_text(s, k->api_version);
        return str_is(said, "*") || str_eq(said, api_version);
    }
    const struct schema_package *p = &s->packages[k->package];
    str group = schema_text(s, p->group), version = schema_text(s, p->version);
    if (group.n == 0)
        return str_eq(version, api_version);
    return api_version.n == group.n + 1 + version.n && str_starts(api_version, group) &&
           api_version.p[group.n] == '/' && str_ends(api_version, version);
}

const struct schema_kind_info *schema_kind_find(const struct schema *s, str api_version, str kind)
{
    for (size_t i = 0; i < s->kind_count; i++) {
        const struct schema_kind_info *k = &s->kinds[i];
        if (str_eq(schema_text(s, k->name), kind) && api_version_is(s, k, api_version))
            return k;
    }
    return NULL;
}

const struct schema_kind_info *schema_resource_find(const struct schema *s, str group, str version,
                                                    str plural)
{
    for (size_t i = 0; i < s->kind_count; i++) {
        const struct schema_kind_info *k = &s->kinds[i];
        const struct schema_package *p = &s->packages[k->package];
        if (k->plural && str_eq(schema_text(s, k->plural), plural) &&
            str_eq(schema_text(s, p->group), group) && str_eq(schema_text(s, p->version), version))
            return k;
    }
    return NULL;
}

str schema_api_version(struct arena *a, const struct schema *s, const struct schema_kind_info *k)
{
    if (k->api_version)
        return schema_text(s, k->api_version);
    const struct schema_package *p = &s->packages[k->package];
    if (s->text[p->group] == 0)
        return schema_text(s, p->version);
    return str_join(a, (const str[]){schema_text(s, p->group), schema_text(s, p->version)}, 2, S("/"));
}

bool schema_names_next(const struct schema *s, uint32_t *at, str *ret)
{
    if (*at == 0 || s->text[*at] == 0)
        return false;
    *ret = schema_text(s, *at);
    *at += (uint32_t)ret->n + 1;
    return true;
}
