/* catalog.c - kinds in sets, and catalogs over sets.
 * A set is what lives and dies together: all built-in kinds, or the versions of one custom resource. It is counted, and
 * shared by the catalogs that have it and by those who hold one of its kinds. A catalog is arrays of pointers into its
 * sets, in the order of discovery, and two hash tables over them: small, and quickly made anew. */
#include "api/catalog.h"
#include "api/convert.h"
#include "api/table.h"
#include "base/mem.h"
#include <stdatomic.h>
#include <stdlib.h>

enum {
    /* What the original's registration gives every custom group. */
    CUSTOM_GROUP_PRIORITY = 1000,
    CUSTOM_VERSION_PRIORITY = 100,
};

struct set_member {
    struct served_kind kind;
    uint16_t group_priority, version_priority;
    /* Of a custom kind: what it was made of. */
    const void *obj;
    bool is_stored, is_hidden;
};

struct served_set {
    _Atomic uint32_t refs;
    struct arena arena; /* holds what the custom kinds brought along; the set itself is in it */
    struct set_member *members;
    size_t member_count;
};

/* Open addressing; a slot is an index + 1, or 0. */
struct index {
    uint32_t *slots;
    size_t mask;
};

struct own_catalog {
    struct catalog seen;
    _Atomic uint32_t refs;
    struct arena arena;       /* the catalog itself is in it */
    struct served_set **sets; /* the built-in one is the first */
    size_t set_count;
    const struct served_kind *const *kinds; /* all of them, as they stand in the versions */
    size_t kind_count;
    struct index by_group, by_plural, by_kind;
};

/* --- sets --- */

static struct served_set *set_new(size_t member_count)
{
    struct arena arena;
    arena_init(&arena, 0);
    struct served_set *set = ARENA_NEW(&arena, struct served_set);
    set->members = ARENA_ARRAY(&arena, struct set_member, member_count);
    set->arena = arena;
    atomic_init(&set->refs, 1);
    return set;
}

static struct served_set *set_ref(struct served_set *set)
{
    atomic_fetch_add_explicit(&set->refs, 1, memory_order_relaxed);
    return set;
}

static void set_unref(struct served_set *set)
{
    /* Pairs with itself: whoever takes the last one sees what the others did. */
    if (atomic_fetch_sub_explicit(&set->refs, 1, memory_order_acq_rel) != 1)
        return;
    struct arena arena = set->arena; /* a copy: the arena's memory is where it stands */
    arena_done(&arena);
}

const struct served_kind *served_kind_ref(const struct served_kind *k)
{
    set_ref(k->resource->set);
    return k;
}

const struct served_kind *served_kind_unref(const struct served_kind *k)
{
    if (k)
        set_unref(k->resource->set);
    return NULL;
}

/* What follows from the names. */
static void kind_complete(struct arena *a, struct served_kind *k)
{
    k->api_version = k->group.n ? str_join(a, (const str[]){k->group, k->version}, 2, S("/"))
                                : str_dup(a, k->version);
    k->head = str_format(a, "{\"kind\":\"%" STR_FMT "\",\"apiVersion\":\"%" STR_FMT "\",", STR_ARG(k->kind),
                         STR_ARG(k->api_version));
    k->list_head = str_format(a, "{\"kind\":\"%" STR_FMT "\",\"apiVersion\":\"%" STR_FMT "\",",
                              STR_ARG(k->list_kind), STR_ARG(k->api_version));
}

static struct served_resource *resource_new(struct served_set *set, const struct served_kind *stored)
{
    struct served_resource *r = ARENA_NEW(&set->arena, struct served_resource);
    r->store_name = stored->group.n
                        ? str_join(&set->arena, (const str[]){stored->plural, stored->group}, 2, S("."))
                        : stored->plural;
    r->stored = stored;
    r->set = set;
    return r;
}

/* --- built-in kinds --- */

static struct str_list list_of_names(struct arena *a, const struct schema *s, uint32_t names)
{
    size_t count = 0;
    str name;
    for (uint32_t at = names; schema_names_next(s, &at, &name);)
        count++;
    str *items = ARENA_ARRAY(a, str, count);
    size_t n = 0;
    for (uint32_t at = names; schema_names_next(s, &at, &name);)
        items[n++] = name;
    return (struct str_list){items, count};
}

/* Declared with the dot in front, as all paths are; asked for without. */
static struct str_list selectors_of(struct arena *a, const struct schema *s, uint32_t names)
{
    struct str_list list = list_of_names(a, s, names);
    str *items = ARENA_ARRAY(a, str, list.count);
    for (size_t i = 0; i < list.count; i++) {
        items[i] = list.items[i];
        str_take_prefix(&items[i], S("."));
    }
    list.items = items;
    return list;
}

static const struct schema_package *package_find(const struct schema *s, str name)
{
    for (size_t i = 0; i < s->package_count; i++)
        if (str_eq(schema_text(s, s->packages[i].name), name))
            return &s->packages[i];
    ASSERT(!"a package that is referred to is declared");
}

static const struct schema_kind_info *kind_find(const struct schema *s, const struct schema_package *p,
                                                str name)
{
    for (size_t i = 0; i < s->kind_count; i++)
        if (&s->packages[s->kinds[i].package] == p && str_eq(schema_text(s, s->kinds[i].name), name))
            return &s->kinds[i];
    ASSERT(!"a kind that is referred to is declared");
}

static void add_options(struct served_subresource *ret, const struct schema *s,
                        const struct schema_package *p, const struct schema_subresource *sub)
{
    const struct schema_kind_info *body = kind_find(s, p, ret->kind);
    ret->is_connect = body->class == SCHEMA_QUERY;
    if (ret->is_connect)
        ret->options = &s->types[body->type];
    else if (sub->options)
        ret->options = &s->types[kind_find(s, p, schema_text(s, sub->options))->type];
}

static void add_subresources(struct arena *a, struct served_kind *k)
{
    const struct schema *s = k->schema;
    struct served_subresource *list = ARENA_ARRAY(a, struct served_subresource, k->info->subresource_count);
    for (size_t i = 0; i < k->info->subresource_count; i++) {
        const struct schema_subresource *sub = &s->subresources[k->info->subresource_first + i];
        const struct schema_package *p = package_find(s, schema_text(s, sub->body_package));
        list[i] = (struct served_subresource){
            .name = schema_text(s, sub->name),
            .group = schema_text(s, p->group),
            .version = schema_text(s, p->version),
            .kind = schema_text(s, sub->body_kind),
            .verbs = sub->verbs,
        };
        add_options(&list[i], s, p, sub);
    }
    k->subresources = list;
    k->subresource_count = k->info->subresource_count;
}

static bool is_served(const struct schema *s, const struct schema_kind_info *info)
{
    return info->plural && !s->packages[info->package].aggregated;
}

static void builtin_kind_init(struct arena *a, const struct schema_kind_info *info, struct set_member *ret)
{
    const struct schema *s = &schema_builtin;
    const struct schema_package *p = &s->packages[info->package];
    struct served_kind *k = &ret->kind;
    *k = (struct served_kind){
        .schema = s,
        .type = &s->types[info->type],
        .info = info,
        .group = schema_text(s, p->group),
        .version = schema_text(s, p->version),
        .kind = schema_text(s, info->name),
        .list_kind = schema_text(s, info->list_name),
        .plural = schema_text(s, info->plural),
        .singular = schema_text(s, info->singular),
        .short_names = list_of_names(a, s, info->short_names),
        .categories = list_of_names(a, s, info->categories),
        .selectable = selectors_of(a, s, info->selectable),
        .verbs = info->verbs,
        .namespaced = info->namespaced,
        .returns_deleted = info->returns_deleted,
        .conversion = info->stored ? &conversion_builtin : NULL,
        .deprecation = schema_text(s, info->deprecation),
    };
    add_subresources(a, k);
    kind_complete(a, k);
    ret->group_priority = p->group_priority;
    ret->version_priority = p->version_priority;
}

/* "core/v1.Event" */
static const struct served_kind *set_find(const struct served_set *set, str package_dot_kind)
{
    const struct schema *s = &schema_builtin;
    size_t dot = str_rindex_c(package_dot_kind, '.');
    for (size_t i = 0; i < set->member_count; i++) {
        const struct served_kind *k = &set->members[i].kind;
        if (str_eq(k->kind, str_from(package_dot_kind, dot + 1)) &&
            str_eq(schema_text(s, s->packages[k->info->package].name), str_slice(package_dot_kind, 0, dot)))
            return k;
    }
    ASSERT(!"the stored version of a kind is declared");
}

static void free_table(void *table)
{
    table_free(table);
}

static const struct kind_table *columns_of(struct arena *a, const struct served_kind *k)
{
    struct kind_table *t = table_new(k->schema, k->info);
    arena_hold(a, free_table, t);
    return t;
}

static struct served_set *builtin_set_new(void)
{
    const struct schema *s = &schema_builtin;
    struct served_set *set = set_new(s->kind_count);
    for (size_t i = 0; i < s->kind_count; i++)
        if (is_served(s, &s->kinds[i]))
            builtin_kind_init(&set->arena, &s->kinds[i], &set->members[set->member_count++]);
    for (size_t i = 0; i < set->member_count; i++) {
        struct served_kind *k = &set->members[i].kind;
        if (k->info->stored)
            continue;
        struct served_resource *r = resource_new(set, k);
        r->short_history = k->info->short_history;
        k->resource = r;
        k->table = columns_of(&set->arena, k);
    }
    for (size_t i = 0; i < set->member_count; i++) {
        struct served_kind *k = &set->members[i].kind;
        if (k->info->stored) {
            k->resource = set_find(set, schema_text(s, k->info->stored))->resource;
            k->table = k->resource->stored->table;
        }
    }
    return set;
}

/* --- custom kinds --- */

static bool same_resource(const struct served_kind *x, const struct served_kind *y)
{
    return str_eq(x->plural, y->plural) && str_eq(x->group, y->group);
}

static struct str_list list_dup(struct arena *a, struct str_list list)
{
    return (struct str_list){arena_dup(a, list.items, list.count * sizeof(str), _Alignof(str)), list.count};
}

static void custom_kind_init(struct served_set *set, const struct custom_kind *custom, struct set_member *ret)
{
    struct arena *a = &set->arena;
    struct served_kind *k = &ret->kind;
    *k = custom->kind;
    k->is_custom = true;
    k->short_names = list_dup(a, k->short_names);
    k->categories = list_dup(a, k->categories);
    k->selectable = list_dup(a, k->selectable);
    k->subresources = arena_dup(a, k->subresources, k->subresource_count * sizeof *k->subresources,
                                _Alignof(struct served_subresource));
    kind_complete(a, k);
    ret->group_priority = CUSTOM_GROUP_PRIORITY;
    ret->version_priority = CUSTOM_VERSION_PRIORITY;
    ret->obj = custom->obj;
    ret->is_stored = custom->is_stored;
    ret->is_hidden = custom->is_hidden;
    if (custom->release)
        arena_hold(a, custom->release, custom->obj);
}

/* The versions of one resource. */
static struct served_set *custom_set_new(const struct custom_kind *custom, size_t count)
{
    struct served_set *set = set_new(count);
    set->member_count = count;
    const struct served_kind *stored = &set->members[0].kind;
    for (size_t i = 0; i < count; i++) {
        custom_kind_init(set, &custom[i], &set->members[i]);
        if (custom[i].is_stored)
            stored = &set->members[i].kind;
    }
    struct served_resource *r = resource_new(set, stored);
    for (size_t i = 0; i < count; i++)
        set->members[i].kind.resource = r;
    return set;
}

static bool set_is_of(const struct served_set *set, const struct custom_kind *custom, size_t count)
{
    if (set->member_count != count)
        return false;
    for (size_t i = 0; i < count; i++)
        if (!custom[i].obj || set->members[i].obj != custom[i].obj ||
            set->members[i].is_stored != custom[i].is_stored ||
            set->members[i].is_hidden != custom[i].is_hidden)
            return false;
    return true;
}

/* That of the older catalog when nothing changed; what was given for it is then not needed. */
static struct served_set *custom_set_take(const struct catalog *before, const struct custom_kind *custom,
                                          size_t count)
{
    const struct served_kind *old = NULL;
    for (size_t i = 0; before && i < count && !old; i++) {
        const struct served_kind *k = &custom[i].kind;
        old = catalog_find(before, k->group, k->version, k->plural);
    }
    if (!old || !set_is_of(old->resource->set, custom, count))
        return custom_set_new(custom, count);
    struct served_set *set = set_ref(old->resource->set);
    for (size_t i = 0; i < count; i++)
        if (custom[i].release)
            custom[i].release(custom[i].obj);
    return set;
}

/* --- order --- */

/* v1, v1beta2: what Kubernetes takes for a version; anything else is less, and in the order of the alphabet. */
struct version_rank {
    unsigned stability; /* 3: v1, 2: v1beta1, 1: v1alpha1, 0: something else */
    uint64_t major, minor;
};

static struct version_rank version_rank(str v)
{
    struct version_rank r = {0};
    if (!str_take_prefix(&v, S("v")))
        return r;
    size_t digits = 0;
    while (digits < v.n && v.p[digits] >= '0' && v.p[digits] <= '9')
        digits++;
    if (!str_parse_u64(str_slice(v, 0, digits), &r.major))
        return (struct version_rank){0};
    v = str_from(v, digits);
    if (v.n == 0)
        r.stability = 3;
    else if (str_take_prefix(&v, S("beta")))
        r.stability = 2;
    else if (str_take_prefix(&v, S("alpha")))
        r.stability = 1;
    if (r.stability != 3 && !str_parse_u64(v, &r.minor))
        return (struct version_rank){0};
    return r;
}

static int cmp_u64(uint64_t x, uint64_t y)
{
    return (x > y) - (x < y);
}

/* Negative: x is listed before y. */
static int version_cmp(str x, str y)
{
    struct version_rank rx = version_rank(x), ry = version_rank(y);
    int c = cmp_u64(ry.stability, rx.stability);
    if (c == 0)
        c = cmp_u64(ry.major, rx.major);
    if (c == 0)
        c = cmp_u64(ry.minor, rx.minor);
    return c ? c : str_cmp(x, y);
}

static int member_cmp(const void *left, const void *right)
{
    const struct set_member *x = *(const struct set_member *const *)left;
    const struct set_member *y = *(const struct set_member *const *)right;
    int c = str_cmp(x->kind.group, y->kind.group);
    if (c == 0)
        c = cmp_u64(y->version_priority, x->version_priority);
    if (c == 0)
        c = version_cmp(x->kind.version, y->kind.version);
    return c ? c : str_cmp(x->kind.plural, y->kind.plural);
}

/* A group with what decides where it is listed. */
struct placed_group {
    struct served_group group;
    unsigned priority;
    str first_name; /* of the APIServices of its versions: "v1.apps" */
};

static int group_cmp(const void *left, const void *right)
{
    const struct placed_group *x = left, *y = right;
    if (x->group.name.n == 0 || y->group.name.n == 0)
        return (x->group.name.n != 0) - (y->group.name.n != 0);
    int c = cmp_u64(y->priority, x->priority);
    if (c == 0)
        c = str_cmp(x->first_name, y->first_name);
    return c ? c : str_cmp(x->group.name, y->group.name);
}

/* --- the catalog --- */

static struct own_catalog *own(const struct catalog *c)
{
    return (struct own_catalog *)(uintptr_t)c; /* `seen` is its first member */
}

static const struct set_member **sorted_members(struct own_catalog *o, struct arena *a)
{
    size_t count = 0;
    for (size_t i = 0; i < o->set_count; i++)
        count += o->sets[i]->member_count;
    const struct set_member **all = ARENA_ARRAY(a, const struct set_member *, count);
    for (size_t i = 0; i < o->set_count; i++)
        for (size_t j = 0; j < o->sets[i]->member_count; j++)
            if (!o->sets[i]->members[j].is_hidden)
                all[o->kind_count++] = &o->sets[i]->members[j];
    qsort(all, o->kind_count, sizeof(struct set_member *), member_cmp);
    return all;
}

static void place_group(struct placed_group *g, const struct set_member *m, struct arena *a)
{
    str name = str_join(a, (const str[]){m->kind.version, m->kind.group}, 2, S("."));
    bool higher = m->group_priority > g->priority;
    if (higher || (m->group_priority == g->priority && str_cmp(name, g->first_name) < 0))
        g->first_name = name;
    if (higher)
        g->priority = m->group_priority;
}

/* Groups and versions are runs of the sorted members. Returns the number of groups. */
static size_t cut_into_groups(struct own_catalog *o, const struct set_member *const *all,
                              struct placed_group *groups, struct arena *scratch)
{
    struct served_version *versions = ARENA_ARRAY(&o->arena, struct served_version, o->kind_count);
    const struct served_kind **kinds = ARENA_ARRAY(&o->arena, const struct served_kind *, o->kind_count);
    size_t group_count = 0, version_count = 0;
    struct served_version *v = NULL;
    for (size_t i = 0; i < o->kind_count; i++) {
        const struct served_kind *k = &all[i]->kind;
        bool new_group = !v || !str_eq(v->group, k->group);
        if (new_group)
            groups[group_count++].group = (struct served_group){.name = k->group,
                                                                .versions = &versions[version_count]};
        struct placed_group *g = &groups[group_count - 1];
        if (new_group || !str_eq(v->version, k->version)) {
            v = &versions[version_count++];
            *v = (struct served_version){k->group, k->version, &kinds[i], 0};
            g->group.version_count++;
            place_group(g, all[i], scratch);
        }
        kinds[i] = k;
        v->kind_count++;
    }
    o->kinds = kinds;
    return group_count;
}

static struct index index_new(struct arena *a, size_t count)
{
    size_t size = 4;
    while (size < count * 2)
        size *= 2;
    return (struct index){ARENA_ARRAY(a, uint32_t, size), size - 1};
}

/* What was added first is found first. */
static void index_add(struct index *x, uint64_t hash, size_t i)
{
    size_t at = (size_t)hash & x->mask;
    while (x->slots[at])
        at = (at + 1) & x->mask;
    x->slots[at] = (uint32_t)i + 1;
}

static uint64_t hash_pair(str first, str second)
{
    return str_hash(first) * 3 ^ str_hash(second);
}

static uint64_t hash_plural(str group, str version, str plural)
{
    return hash_pair(group, version) * 5 ^ str_hash(plural);
}

static void add_indexes(struct own_catalog *o)
{
    o->by_group = index_new(&o->arena, o->seen.group_count);
    o->by_plural = index_new(&o->arena, o->kind_count);
    o->by_kind = index_new(&o->arena, o->kind_count);
    for (size_t i = 0; i < o->seen.group_count; i++)
        index_add(&o->by_group, str_hash(o->seen.groups[i].name), i);
    for (size_t i = 0; i < o->kind_count; i++) {
        const struct served_kind *k = o->kinds[i];
        index_add(&o->by_plural, hash_plural(k->group, k->version, k->plural), i);
        index_add(&o->by_kind, hash_pair(k->api_version, k->kind), i);
    }
}

static void lay_out(struct own_catalog *o)
{
    struct arena scratch;
    arena_init(&scratch, 0);
    const struct set_member **all = sorted_members(o, &scratch);
    struct placed_group *placed = ARENA_ARRAY(&scratch, struct placed_group, o->kind_count);
    size_t count = cut_into_groups(o, all, placed, &scratch);
    qsort(placed, count, sizeof *placed, group_cmp);
    struct served_group *groups = ARENA_ARRAY(&o->arena, struct served_group, count);
    for (size_t i = 0; i < count; i++)
        groups[i] = placed[i].group;
    o->seen.groups = groups;
    o->seen.group_count = count;
    arena_done(&scratch);
    add_indexes(o);
}

const struct catalog *catalog_renew(const struct catalog *before, const struct custom_kind *custom,
                                    size_t custom_count, uint64_t generation)
{
    struct arena arena;
    arena_init(&arena, 0);
    struct own_catalog *o = ARENA_NEW(&arena, struct own_catalog);
    o->sets = ARENA_ARRAY(&arena, struct served_set *, custom_count + 1);
    o->arena = arena;
    o->seen.generation = generation;
    atomic_init(&o->refs, 1);
    o->sets[o->set_count++] = before ? set_ref(own(before)->sets[0]) : builtin_set_new();
    for (size_t from = 0, to; from < custom_count; from = to) {
        for (to = from + 1; to < custom_count && same_resource(&custom[from].kind, &custom[to].kind); to++)
            ;
        o->sets[o->set_count++] = custom_set_take(before, custom + from, to - from);
    }
    lay_out(o);
    return &o->seen;
}

const struct catalog *catalog_new(const struct custom_kind *custom, size_t custom_count, uint64_t generation)
{
    return catalog_renew(NULL, custom, custom_count, generation);
}

const struct catalog *catalog_ref(const struct catalog *c)
{
    atomic_fetch_add_explicit(&own(c)->refs, 1, memory_order_relaxed);
    return c;
}

const struct catalog *catalog_unref(const struct catalog *c)
{
    struct own_catalog *o = own(c);
    /* Pairs with itself, as in set_unref. */
    if (!c || atomic_fetch_sub_explicit(&o->refs, 1, memory_order_acq_rel) != 1)
        return NULL;
    for (size_t i = 0; i < o->set_count; i++)
        set_unref(o->sets[i]);
    struct arena arena = o->arena;
    arena_done(&arena);
    return NULL;
}

/* --- looking things up --- */

const struct served_group *catalog_group(const struct catalog *c, str group)
{
    const struct index *x = &own(c)->by_group;
    for (size_t at = (size_t)str_hash(group) & x->mask; x->slots[at]; at = (at + 1) & x->mask) {
        const struct served_group *g = &c->groups[x->slots[at] - 1];
        if (str_eq(g->name, group))
            return g;
    }
    return NULL;
}

const struct served_version *catalog_version(const struct catalog *c, str group, str version)
{
    const struct served_group *g = catalog_group(c, group);
    for (size_t i = 0; g && i < g->version_count; i++)
        if (str_eq(g->versions[i].version, version))
            return &g->versions[i];
    return NULL;
}

const struct served_kind *catalog_find(const struct catalog *c, str group, str version, str plural)
{
    const struct index *x = &own(c)->by_plural;
    size_t at = (size_t)hash_plural(group, version, plural) & x->mask;
    for (; x->slots[at]; at = (at + 1) & x->mask) {
        const struct served_kind *k = own(c)->kinds[x->slots[at] - 1];
        if (str_eq(k->plural, plural) && str_eq(k->group, group) && str_eq(k->version, version))
            return k;
    }
    return NULL;
}

const struct served_kind *catalog_find_kind(const struct catalog *c, str api_version, str kind)
{
    const struct index *x = &own(c)->by_kind;
    size_t at = (size_t)hash_pair(api_version, kind) & x->mask;
    for (; x->slots[at]; at = (at + 1) & x->mask) {
        const struct served_kind *k = own(c)->kinds[x->slots[at] - 1];
        if (str_eq(k->kind, kind) && str_eq(k->api_version, api_version))
            return k;
    }
    return NULL;
}

const struct served_subresource *served_subresource_find(const struct served_kind *k, str name)
{
    for (size_t i = 0; i < k->subresource_count; i++)
        if (str_eq(k->subresources[i].name, name))
            return &k->subresources[i];
    return NULL;
}
