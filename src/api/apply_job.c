/* apply_job.c - what updates and applies have in common: versions, comparisons, whose fields were taken. */
#include "api/apply_job.h"
#include "api/tree.h"

static const struct apply_place *place_of(struct arena *a, const struct apply_version *v)
{
    struct apply_place *p = ARENA_NEW(a, struct apply_place);
    apply_place_root(v->schema, v->type, ARENA_NEW(a, struct schema_node), p);
    return p;
}

void job_init(struct apply_job *j, struct arena *a, const struct schema *s, const struct schema_type *t,
              const struct apply_who *who, struct err *err)
{
    struct apply_version *here = ARENA_NEW(a, struct apply_version);
    *here = (struct apply_version){
        .schema = s, .type = t, .api_version = who->api_version, .kind = who->kind};
    *j = (struct apply_job){
        .a = a, .err = err, .who = who, .here = here, .place = place_of(a, here), .entries = {.a = a}};
}

struct apply_doc job_doc(const struct apply_job *j, const struct json *tree, bool is_normal)
{
    return (struct apply_doc){.version = j->here, .place = j->place, .tree = tree, .is_normal = is_normal};
}

err_code job_empty(struct apply_job *j, struct json *ret)
{
    struct json bare = json_object();
    json_add(j->a, &bare, S("kind"), json_of_str(j->who->kind));
    json_add(j->a, &bare, S("apiVersion"), json_of_str(j->who->api_version));
    *ret = bare;
    if (!j->here->type)
        return ERR_NONE;
    return tree_normalise(j->a, j->here->schema, j->here->type, &bare, NULL, ret, j->err);
}

static err_code normalised(struct apply_job *j, const struct apply_doc *doc, struct json *ret)
{
    *ret = *doc->tree;
    if (doc->is_normal || !doc->version->type)
        return ERR_NONE;
    return tree_normalise(j->a, doc->version->schema, doc->version->type, doc->tree, NULL, ret, j->err);
}

err_code job_convert(struct apply_job *j, const struct apply_doc *doc, str api_version, struct apply_doc *ret,
                     bool *ret_missing)
{
    const struct apply_versions *versions = j->who->versions;
    *ret_missing = false;
    if (str_eq(doc->version->api_version, api_version)) {
        *ret = *doc;
        return ERR_NONE;
    }
    struct apply_version *to = ARENA_NEW(j->a, struct apply_version);
    if (str_eq(j->here->api_version, api_version)) {
        *to = *j->here;
    } else if (!versions || !versions->find(versions->ctx, api_version, to)) {
        *ret_missing = true;
        return ERR_NONE;
    }
    struct json from, *tree = ARENA_NEW(j->a, struct json);
    if (normalised(j, doc, &from) ||
        versions->convert(versions->ctx, j->a, doc->version, to, &from, tree, j->err))
        return j->err->code;
    *ret = (struct apply_doc){.version = to, .place = place_of(j->a, to), .tree = tree, .is_normal = true};
    return ERR_NONE;
}

struct field_set job_without_reset(struct apply_job *j, str api_version, struct field_set s)
{
    for (size_t i = 0; i < j->who->reset_count && s.count; i++) {
        const struct apply_reset *r = &j->who->resets[i];
        if (!str_eq(r->api_version, api_version))
            continue;
        s = r->all_but ? field_set_keep(j->a, s, r->patterns, r->pattern_count)
                       : field_set_drop(j->a, s, r->patterns, r->pattern_count);
    }
    return s;
}

static err_code broken_list(struct apply_job *j)
{
    return err_set(j->err, ERR_INTERNAL, "failed to compare objects: a list has an item without its keys");
}

err_code job_compare(struct apply_job *j, const struct json *old, const struct json *updated,
                     struct field_set *ret)
{
    struct field_set diff;
    if (!apply_compare(j->a, j->place, old, updated, &diff))
        return broken_list(j);
    *ret = job_without_reset(j, j->here->api_version, diff);
    return ERR_NONE;
}

/* The comparison in the version of an entry, made when the first one asks. */
static err_code diff_in(struct apply_job *j, str api_version, const struct json *old,
                        const struct json *updated, struct apply_diff **ret)
{
    for (struct apply_diff *d = j->diffs; d; d = d->next) {
        if (str_eq(d->api_version, api_version)) {
            *ret = d;
            return ERR_NONE;
        }
    }
    struct apply_doc x = job_doc(j, old, true), y = job_doc(j, updated, false);
    bool missing;
    if (job_convert(j, &x, api_version, &x, &missing) || job_convert(j, &y, api_version, &y, &missing))
        return j->err->code;
    struct apply_diff *d = ARENA_NEW(j->a, struct apply_diff);
    *d = (struct apply_diff){.api_version = api_version, .next = j->diffs};
    if (!apply_compare(j->a, x.place, x.tree, y.tree, &d->fields))
        return broken_list(j);
    d->fields = job_without_reset(j, api_version, d->fields);
    j->diffs = d;
    *ret = d;
    return ERR_NONE;
}

/* The place that an entry's fields are of. NULL: its version is not served. */
static const struct apply_place *entry_place(struct apply_job *j, const struct apply_entry *entry)
{
    const struct apply_versions *versions = j->who->versions;
    if (str_eq(entry->api_version, j->here->api_version))
        return j->place;
    struct apply_version *v = ARENA_NEW(j->a, struct apply_version);
    return versions && versions->find(versions->ctx, entry->api_version, v) ? place_of(j->a, v) : NULL;
}

void job_drop_unserved(struct apply_job *j)
{
    size_t kept = 0;
    for (size_t i = 0; i < j->entries.count; i++)
        if (entry_place(j, &j->entries.items[i]))
            j->entries.items[kept++] = j->entries.items[i];
    j->entries.count = kept;
}

/* What an entry's set and the comparison in its version are. *ret_touched false: they have nothing in common. */
static err_code meet(struct apply_job *j, struct apply_entry *entry, const struct json *old,
                     const struct json *updated, struct field_set *diff, struct field_set *ret_set,
                     bool *ret_touched)
{
    *ret_touched = false;
    if (!diff->count)
        return ERR_NONE;
    const struct apply_place *p = entry_place(j, entry);
    if (p != j->place) {
        struct apply_diff *d = NULL;
        if (diff_in(j, entry->api_version, old, updated, &d))
            return j->err->code;
        *diff = d->fields;
    }
    *ret_touched = diff->count && entry_touches(j->a, entry, *diff);
    return *ret_touched ? entry_set(j->a, entry, p, ret_set, j->err) : ERR_NONE;
}

err_code job_conflicts(struct apply_job *j, const struct json *old, const struct json *updated,
                       struct field_set diff, const struct apply_entry *self, struct apply_losses *ret)
{
    struct apply_losses losses = {.items = ARENA_ARRAY(j->a, struct apply_lost, j->entries.count)};
    const struct apply_entry *own = entries_find(&j->entries, self);
    for (size_t i = 0; i < j->entries.count; i++) {
        struct apply_entry *entry = &j->entries.items[i];
        struct field_set here = diff, set;
        bool touched;
        if (entry == own)
            continue;
        if (meet(j, entry, old, updated, &here, &set, &touched))
            return j->err->code;
        if (!touched)
            continue;
        set = field_set_intersect(j->a, set, field_set_select(j->a, here, FIELD_ADDED | FIELD_MODIFIED));
        if (set.count)
            losses.items[losses.count++] = (struct apply_lost){*entry, set};
    }
    *ret = losses;
    return ERR_NONE;
}

err_code job_take(struct apply_job *j, const struct json *old, const struct json *updated,
                  struct field_set diff, const struct apply_entry *self)
{
    const struct apply_entry *own = self ? entries_find(&j->entries, self) : NULL;
    size_t kept = 0;
    for (size_t i = 0; i < j->entries.count; i++) {
        struct apply_entry *entry = &j->entries.items[i];
        struct field_set here = diff, set;
        bool touched = false;
        if (entry != own && meet(j, entry, old, updated, &here, &set, &touched))
            return j->err->code;
        if (touched) {
            struct field_set left = field_set_minus(j->a, set, here);
            if (!field_set_equal(left, set))
                entry_change(entry, left);
            if (!left.count)
                continue;
        }
        j->entries.items[kept++] = *entry;
    }
    j->entries.count = kept;
    return ERR_NONE;
}

/* --- what is recorded --- */

#define NAME(text)                                           \
    {                                                        \
        .kind = FIELD_NAME, .n = sizeof(text) - 1, .p = text \
    }

struct field_set job_strip(struct apply_job *j, struct field_set s)
{
    /* In order of name. */
    static const struct field_node of_metadata[] = {
        {.at = NAME("clusterName"), .in = FIELD_IN},
        {.at = NAME("creationTimestamp"), .in = FIELD_IN},
        {.at = NAME("generation"), .in = FIELD_IN},
        {.at = NAME("managedFields"), .in = FIELD_IN},
        {.at = NAME("name"), .in = FIELD_IN},
        {.at = NAME("namespace"), .in = FIELD_IN},
        {.at = NAME("resourceVersion"), .in = FIELD_IN},
        {.at = NAME("selfLink"), .in = FIELD_IN},
        {.at = NAME("uid"), .in = FIELD_IN},
    };
    static const struct field_node stripped[] = {
        {.at = NAME("apiVersion"), .in = FIELD_IN},
        {.at = NAME("kind"), .in = FIELD_IN},
        {.at = NAME("metadata"), .below = {of_metadata, ARRAY_COUNT(of_metadata)}, .in = FIELD_IN},
    };
    return field_set_minus(j->a, s, (struct field_set){stripped, ARRAY_COUNT(stripped)});
}

err_code job_record_update(struct apply_job *j, str manager, struct field_set changed)
{
    struct field_set set = job_strip(j, changed);
    if (!set.count)
        return ERR_NONE;
    struct apply_entry like = {.manager = manager.n ? manager : S("unknown"),
                               .api_version = j->who->api_version,
                               .subresource = j->who->subresource};
    struct apply_entry *entry = entries_find(&j->entries, &like);
    if (!entry)
        entry = entries_add(&j->entries, &like);
    struct field_set before = FIELD_SET_EMPTY;
    if (entry->stored && entry_set(j->a, entry, j->place, &before, j->err))
        return j->err->code;
    entry_change(entry, field_set_union(j->a, entry->set, set));
    entry->time = apply_time(j->a, j->who->now);
    return ERR_NONE;
}

/* --- pruning --- */

static err_code fields_with_named(struct apply_job *j, const struct apply_doc *doc, struct field_set *ret)
{
    struct field_set set;
    if (!apply_fields_of(j->a, doc->place, doc->tree, &set))
        return broken_list(j);
    *ret = apply_with_named(j->a, doc->place, set);
    return ERR_NONE;
}

static struct apply_doc without(struct apply_job *j, const struct apply_doc *doc, struct field_set fields)
{
    struct json *left = ARENA_NEW(j->a, struct json);
    *left = apply_remove(j->a, doc->place, doc->tree, fields);
    if (left->type == JSON_NULL)
        *left = json_object();
    struct apply_doc pruned = *doc;
    pruned.tree = left;
    pruned.is_normal = false;
    return pruned;
}

/* All that is managed in one version. */
static err_code managed_in(struct apply_job *j, str api_version, const struct apply_place *p,
                           struct field_set *ret)
{
    struct field_set all = FIELD_SET_EMPTY, set;
    for (size_t i = 0; i < j->entries.count; i++) {
        struct apply_entry *entry = &j->entries.items[i];
        if (!str_eq(entry->api_version, api_version))
            continue;
        if (entry_set(j->a, entry, p, &set, j->err))
            return j->err->code;
        all = field_set_union(j->a, all, set);
    }
    *ret = apply_with_named(j->a, p, all);
    return ERR_NONE;
}

/* Puts back what somebody manages in this version. Both documents become of this version, unless it is not served. */
static err_code put_back_managed(struct apply_job *j, str api_version, struct apply_doc *merged,
                                 struct apply_doc *pruned)
{
    struct apply_doc m, p;
    bool missing;
    struct field_set all, left, managed;
    if (job_convert(j, merged, api_version, &m, &missing))
        return j->err->code;
    if (missing)
        return ERR_NONE;
    if (job_convert(j, pruned, api_version, &p, &missing) || fields_with_named(j, &m, &all) ||
        fields_with_named(j, &p, &left) || managed_in(j, api_version, m.place, &managed))
        return j->err->code;
    struct field_set stays = field_set_union(j->a, left, managed);
    *merged = m;
    *pruned = without(j, &m, field_set_minus(j->a, all, stays));
    return ERR_NONE;
}

/* Puts back what is managed in versions other than `first`, which was done. All are served, so there are few. */
static err_code put_back_rest(struct apply_job *j, str first, struct apply_doc *merged,
                              struct apply_doc *pruned)
{
    enum { VERSIONS_MAX = 32 };
    str done[VERSIONS_MAX] = {first};
    size_t count = 1;
    for (size_t i = 0; i < j->entries.count; i++) {
        str version = j->entries.items[i].api_version;
        size_t at = 0;
        while (at < count && !str_eq(done[at], version))
            at++;
        if (at < count || count == VERSIONS_MAX)
            continue;
        done[count++] = version;
        if (put_back_managed(j, version, merged, pruned))
            return j->err->code;
    }
    return ERR_NONE;
}

/* As the original does it, step by step, since each step can differ between versions: without all that was applied last;
 * with what is managed put back; and of what is then missing only what was applied last is really dropped. */
err_code job_prune(struct apply_job *j, str api_version, struct field_set last, struct json *merged)
{
    struct apply_doc whole = job_doc(j, merged, false), then, other, pruned;
    bool missing;
    if (job_convert(j, &whole, api_version, &then, &missing))
        return j->err->code;
    if (missing)
        return ERR_NONE;
    struct field_set named = apply_with_named(j->a, then.place, last), all, left;
    other = then;
    pruned = without(j, &then, named);
    if (put_back_managed(j, api_version, &other, &pruned) || put_back_rest(j, api_version, &other, &pruned))
        return j->err->code;
    if (job_convert(j, &pruned, api_version, &pruned, &missing) || fields_with_named(j, &pruned, &left) ||
        fields_with_named(j, &then, &all))
        return j->err->code;
    struct field_set dropped = field_set_intersect(j->a, field_set_minus(j->a, all, left), named);
    if (!dropped.count)
        return ERR_NONE;
    pruned = without(j, &then, dropped);
    if (job_convert(j, &pruned, j->here->api_version, &pruned, &missing))
        return j->err->code;
    *merged = *pruned.tree;
    return ERR_NONE;
}
