/* apply_entries.c - metadata.managedFields as a list of entries, each read only when something needs its fields.
 * An entry is known by manager, operation, subresource and, for updates, apiVersion: a later one of the same takes the place
 * of an earlier one. Entries nothing happened to keep the JSON they came as. */
#include "api/apply_priv.h"
#include "base/utf8.h"
#include "base/vec.h"

enum { TEXT_SIZE_MAX = 1 << 20 };

/* --- what an entry is known by --- */

static str text_member(const struct json *entry, str name)
{
    return json_str(json_find(entry, name));
}

/* As the original's identifier sorts, but for escapes. */
static int known_by_cmp(const struct apply_entry *x, const struct apply_entry *y)
{
    int c = str_cmp(x->manager, y->manager);
    if (!c)
        c = (x->is_apply ? 0 : 1) - (y->is_apply ? 0 : 1);
    if (!c && !x->is_apply)
        c = str_cmp(x->api_version, y->api_version);
    return c ? c : str_cmp(x->subresource, y->subresource);
}

struct apply_entry *entries_find(const struct apply_entries *e, const struct apply_entry *like)
{
    for (size_t i = 0; i < e->count; i++)
        if (known_by_cmp(&e->items[i], like) == 0)
            return &e->items[i];
    return NULL;
}

struct apply_entry *entries_add(struct apply_entries *e, const struct apply_entry *entry)
{
    if (e->count == e->cap) {
        size_t cap = e->cap ? e->cap * 2 : 8;
        e->items = arena_grow(e->a, e->items, e->cap * sizeof *e->items, cap * sizeof *e->items,
                              _Alignof(struct apply_entry));
        e->cap = cap;
    }
    e->items[e->count] = *entry;
    return &e->items[e->count++];
}

void entries_remove(struct apply_entries *e, struct apply_entry *entry)
{
    *entry = e->items[--e->count];
}

/* --- reading --- */

static err_code entry_read(const struct json *j, size_t index, struct apply_entry *ret, struct err *err)
{
    str operation = text_member(j, S("operation")), type = text_member(j, S("fieldsType"));
    bool is_apply = str_is(operation, "Apply");
    if (!is_apply && !str_is(operation, "Update"))
        return err_set(err, ERR_BAD_REQUEST, "operation must be `Apply` or `Update`");
    struct apply_entry entry = {.manager = text_member(j, S("manager")),
                                .api_version = text_member(j, S("apiVersion")),
                                .subresource = text_member(j, S("subresource")),
                                .is_apply = is_apply,
                                .time = json_find(j, S("time")),
                                .stored = j,
                                .fields = json_find(j, S("fieldsV1"))};
    if (entry.api_version.n == 0)
        return err_set(err, ERR_BAD_REQUEST, "apiVersion must not be empty");
    if (type.n == 0)
        return err_set(err, ERR_BAD_REQUEST, "missing fieldsType in managed fields entry %zu", index);
    if (!str_is(type, "FieldsV1"))
        return err_set(err, ERR_BAD_REQUEST,
                       "invalid fieldsType \"%" STR_FMT "\" in managed fields entry %zu", STR_ARG(type),
                       index);
    if (entry.time && entry.time->type == JSON_NULL)
        entry.time = NULL;
    *ret = entry;
    return ERR_NONE;
}

static int entry_cmp(const void *x, const void *y, void *ctx)
{
    return known_by_cmp(x, y);
}

/* Of several that are known by the same the last one counts. */
static void drop_repeated(struct apply_entries *e)
{
    bool repeated = false;
    enum { PAIRWISE_MAX = 16 };
    if (e->count > PAIRWISE_MAX)
        repeated = true; /* sorting tells */
    for (size_t i = 1; i < e->count && !repeated; i++)
        for (size_t j = 0; j < i && !repeated; j++)
            repeated = known_by_cmp(&e->items[i], &e->items[j]) == 0;
    if (!repeated)
        return;
    vec_sort(e->items, e->count, sizeof *e->items, entry_cmp, NULL);
    size_t kept = 0;
    for (size_t i = 0; i < e->count; i++)
        if (i + 1 == e->count || known_by_cmp(&e->items[i], &e->items[i + 1]))
            e->items[kept++] = e->items[i];
    e->count = kept;
}

err_code entries_read(struct arena *a, const struct json *list, struct apply_entries *ret, struct err *err)
{
    struct apply_entries e = {.a = a};
    for (size_t i = 0; i < json_count(list); i++) {
        struct apply_entry entry;
        if (entry_read(json_at(list, i), i, &entry, err))
            return err->code;
        entries_add(&e, &entry);
    }
    drop_repeated(&e);
    *ret = e;
    return ERR_NONE;
}

err_code entry_set(struct arena *a, struct apply_entry *entry, const struct apply_place *p,
                   struct field_set *ret, struct err *err)
{
    if (!entry->is_read) {
        static const struct json nothing = {.type = JSON_OBJECT};
        bool canonical = true, changed = false;
        struct field_set set;
        if (field_set_read(a, entry->fields ? entry->fields : &nothing, &set, &canonical, err))
            return err->code;
        entry->set = p ? apply_reconcile(a, p, set, &changed) : set;
        entry->is_read = true;
        if (!canonical || changed)
            entry->stored = NULL;
    }
    *ret = entry->set;
    return ERR_NONE;
}

void entry_change(struct apply_entry *entry, struct field_set set)
{
    entry->set = set;
    entry->is_read = true;
    entry->stored = NULL;
}

/* Names and what is written canonically are found, as all is that was stored. */
static const struct json *find_node(struct arena *a, const struct json *fields,
                                    const struct field_element *at)
{
    if (at->kind == FIELD_NAME) {
        for (uint32_t i = 0; i < fields->n; i++) {
            const struct json_member *m = &fields->v.members[i];
            if (m->name_n == at->n + 2 && m->name[0] == 'f' && m->name[1] == ':' &&
                memcmp(m->name + 2, at->p, at->n) == 0)
                return &m->value;
        }
        return NULL;
    }
    struct field_set one = {&(struct field_node){.at = *at, .in = FIELD_IN}, 1};
    struct json written = field_set_write(a, one);
    return json_find(fields, json_member_name(&written.v.members[0]));
}

static bool touches(struct arena *a, const struct json *fields, struct field_set s)
{
    enum { SEARCHES_MAX = 4096 };
    if (!fields || fields->type != JSON_OBJECT || !fields->n)
        return false;
    if ((size_t)s.count * fields->n > SEARCHES_MAX)
        return true; /* then reading it is quicker than looking each up */
    for (uint32_t i = 0; i < s.count; i++) {
        const struct json *node = find_node(a, fields, &s.nodes[i].at);
        if (node && (s.nodes[i].in || touches(a, node, s.nodes[i].below)))
            return true;
    }
    return false;
}

bool entry_touches(struct arena *a, const struct apply_entry *entry, struct field_set fields)
{
    return entry->is_read || touches(a, entry->fields, fields);
}

/* --- writing --- */

const struct json *apply_time(struct arena *a, struct kube_time t)
{
    struct buf b;
    buf_init_arena(&b, a, TEXT_SIZE_MAX);
    kube_time_format(&b, t);
    struct json *j = ARENA_NEW(a, struct json);
    *j = json_of_str(buf_str(&b));
    return j;
}

static int64_t seconds_of(const struct json *time)
{
    struct kube_time t;
    struct err err = ERR_INIT;
    if (!time || kube_time_parse(json_str(time), &t, &err))
        return 0;
    return kube_time_unix(t);
}

/* An entry on its way out. */
struct sorted_entry {
    const struct apply_entry *entry;
    int64_t seconds;
};

static int sorted_cmp(const void *x, const void *y, void *ctx)
{
    const struct sorted_entry *p = x, *q = y;
    if (p->entry->is_apply != q->entry->is_apply)
        return p->entry->is_apply ? -1 : 1;
    if (p->seconds != q->seconds)
        return p->seconds < q->seconds ? -1 : 1;
    int c = str_cmp(p->entry->manager, q->entry->manager);
    if (!c)
        c = str_cmp(p->entry->api_version, q->entry->api_version);
    return c ? c : str_cmp(p->entry->subresource, q->entry->subresource);
}

static void put(struct json *to, str name, struct json value)
{
    to->v.members[to->n++] = (struct json_member){.name = name.p, .name_n = (uint32_t)name.n, .value = value};
}

static struct json entry_write(struct arena *a, const struct apply_entry *entry)
{
    enum { MEMBERS = 7 };
    if (entry->stored)
        return *entry->stored;
    struct json j = {.type = JSON_OBJECT};
    j.v.members = arena_alloc(a, MEMBERS * sizeof *j.v.members, _Alignof(struct json_member));
    if (entry->manager.n)
        put(&j, S("manager"), json_of_str(entry->manager));
    put(&j, S("operation"), json_of_str(entry->is_apply ? S("Apply") : S("Update")));
    put(&j, S("apiVersion"), json_of_str(entry->api_version));
    if (entry->time)
        put(&j, S("time"), *entry->time);
    put(&j, S("fieldsType"), json_of_str(S("FieldsV1")));
    put(&j, S("fieldsV1"),
        entry->is_read  ? field_set_write(a, entry->set)
        : entry->fields ? *entry->fields
                        : json_object());
    if (entry->subresource.n)
        put(&j, S("subresource"), json_of_str(entry->subresource));
    return j;
}

struct json entries_write(struct apply_entries *e, const struct json *list, bool *ret_changed)
{
    struct sorted_entry *sorted = arena_alloc(e->a, e->count * sizeof *sorted, _Alignof(struct sorted_entry));
    for (size_t i = 0; i < e->count; i++)
        sorted[i] = (struct sorted_entry){&e->items[i], seconds_of(e->items[i].time)};
    vec_sort(sorted, e->count, sizeof *sorted, sorted_cmp, NULL);
    struct json j = {.type = JSON_ARRAY, .n = (uint32_t)e->count};
    j.v.items = arena_alloc(e->a, e->count * sizeof *j.v.items, _Alignof(struct json));
    bool changed = json_count(list) != e->count;
    for (size_t i = 0; i < e->count; i++) {
        j.v.items[i] = entry_write(e->a, sorted[i].entry);
        changed = changed || sorted[i].entry->stored != json_at(list, i);
    }
    *ret_changed = changed;
    return changed || !list ? j : *list;
}

str entry_identifier(struct arena *a, const struct apply_entry *entry)
{
    struct buf b;
    buf_init_arena(&b, a, TEXT_SIZE_MAX);
    const struct {
        str name, value;
    } parts[] = {
        {S("manager"), entry->manager},
        {S("operation"), entry->is_apply ? S("Apply") : S("Update")},
        {S("apiVersion"), entry->is_apply ? STR_NONE : entry->api_version},
        {S("subresource"), entry->subresource},
    };
    for (size_t i = 0; i < ARRAY_COUNT(parts); i++) {
        if (!parts[i].value.n)
            continue;
        buf_add_c(&b, b.n ? ',' : '{');
        json_print_str(&b, parts[i].name, 0);
        buf_add_c(&b, ':');
        json_print_str(&b, parts[i].value, JSON_HTML);
    }
    buf_add_c(&b, '}');
    return buf_str(&b);
}

str entry_name(struct arena *a, const struct apply_entry *entry)
{
    struct buf b;
    buf_init_arena(&b, a, TEXT_SIZE_MAX);
    utf8_add_quoted(&b, entry->manager);
    if (entry->subresource.n) {
        buf_add_lit(&b, " with subresource ");
        utf8_add_quoted(&b, entry->subresource);
    }
    if (!entry->is_apply) {
        buf_add_lit(&b, " using ");
        buf_add(&b, entry->api_version);
    }
    return buf_str(&b);
}

/* --- no more than so many --- */

struct updater {
    struct apply_entry entry;
    int64_t seconds;
    str identifier;
    bool merged; /* into another */
};

static int updater_cmp(const void *x, const void *y, void *ctx)
{
    const struct updater *p = x, *q = y;
    if (p->seconds != q->seconds)
        return p->seconds < q->seconds ? -1 : 1;
    return str_cmp(p->identifier, q->identifier);
}

/* The entry that old ones of a version are merged into: the bucket if it is there, else the first one met, which becomes it. */
static struct updater *bucket_of(struct updater *updaters, size_t count, str version)
{
    for (size_t i = 0; i < count; i++) {
        const struct apply_entry *e = &updaters[i].entry;
        if (!updaters[i].merged && str_is(e->manager, "ancient-changes") && e->subresource.n == 0 &&
            str_eq(e->api_version, version))
            return &updaters[i];
    }
    return NULL;
}

static struct updater *first_of(struct updater *updaters, size_t end, str version)
{
    for (size_t i = 0; i < end; i++)
        if (!updaters[i].merged && str_eq(updaters[i].entry.api_version, version))
            return &updaters[i];
    return NULL;
}

static err_code merge_updaters(struct arena *a, struct updater *from, struct updater *to, struct err *err)
{
    struct field_set x, y;
    if (entry_set(a, &to->entry, NULL, &x, err) || entry_set(a, &from->entry, NULL, &y, err))
        return err->code;
    entry_change(&to->entry, field_set_union(a, x, y));
    to->entry.manager = S("ancient-changes");
    to->entry.subresource = STR_NONE;
    to->entry.time = from->entry.time; /* the newer of the two */
    from->merged = true;
    return ERR_NONE;
}

static err_code cap(struct apply_entries *e, struct updater *updaters, size_t count, struct err *err)
{
    size_t left = count;
    vec_sort(updaters, count, sizeof *updaters, updater_cmp, NULL);
    for (size_t i = 0; i < count && left > MANAGED_ENTRIES_MAX; i++) {
        str version = updaters[i].entry.api_version;
        struct updater *first = first_of(updaters, i, version);
        if (!first)
            continue;
        struct updater *bucket = bucket_of(updaters, count, version);
        if (bucket == &updaters[i])
            continue;
        if (merge_updaters(e->a, &updaters[i], bucket ? bucket : first, err))
            return err->code;
        left--;
    }
    for (size_t i = 0; i < count; i++)
        if (!updaters[i].merged)
            entries_add(e, &updaters[i].entry);
    return ERR_NONE;
}

err_code entries_cap(struct apply_entries *e, struct err *err)
{
    size_t count = 0;
    for (size_t i = 0; i < e->count; i++)
        count += !e->items[i].is_apply;
    if (count <= MANAGED_ENTRIES_MAX)
        return ERR_NONE;
    struct updater *updaters = ARENA_ARRAY(e->a, struct updater, count);
    size_t n = 0, kept = 0;
    for (size_t i = 0; i < e->count; i++) {
        if (e->items[i].is_apply)
            e->items[kept++] = e->items[i];
        else
            updaters[n++] = (struct updater){.entry = e->items[i],
                                             .seconds = seconds_of(e->items[i].time),
                                             .identifier = entry_identifier(e->a, &e->items[i])};
    }
    e->count = kept;
    return cap(e, updaters, count, err);
}

/* --- in the tree --- */

const struct json *apply_managed(const struct json *tree)
{
    return json_get(tree, S("metadata"), S("managedFields"));
}

/* A copy with one member replaced, added at the end, or (NULL) left out. */
static struct json with_member(struct arena *a, const struct json *object, str name, const struct json *value)
{
    struct json copy = {.type = JSON_OBJECT};
    bool found = false;
    copy.v.members = arena_alloc(a, (json_count(object) + 1) * sizeof *copy.v.members,
                                 _Alignof(struct json_member));
    for (size_t i = 0; i < json_count(object); i++) {
        const struct json_member *m = &object->v.members[i];
        bool same = str_eq(json_member_name(m), name);
        if (same && !value)
            continue;
        copy.v.members[copy.n] = *m;
        if (same)
            copy.v.members[copy.n].value = *value;
        found = found || same;
        copy.n++;
    }
    if (value && !found)
        put(&copy, name, *value);
    return copy;
}

struct json apply_with_managed(struct arena *a, const struct json *tree, const struct json *list)
{
    const struct json *old = apply_managed(tree);
    bool none = !list || list->n == 0;
    if (none && !old)
        return *tree;
    struct json metadata = with_member(a, json_find(tree, S("metadata")), S("managedFields"),
                                       none ? NULL : list);
    return with_member(a, tree, S("metadata"), &metadata);
}
