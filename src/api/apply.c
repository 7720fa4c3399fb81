/* apply.c - updates tracked, and server-side apply: which entries of managedFields gain and lose what.
 * See apply_job.h for the steps both are made of. */
#include "api/apply_job.h"
#include "api/tree.h"
#include "base/utf8.h"
#include "base/vec.h"

enum { MESSAGE_SIZE_MAX = 256 << 10, ANNOTATIONS_SIZE_MAX = 256 << 10, LAST_APPLIED_SIZE_MAX = 8 << 20 };

#define LAST_APPLIED S("kubectl.kubernetes.io/last-applied-configuration")

/* --- names and forms --- */

/* As Go's unicode.IsPrint, by way of what %q leaves as it is. */
static bool is_printable(str code_point)
{
    char storage[32];
    struct buf b = {.p = storage, .cap = sizeof storage, .max = sizeof storage};
    utf8_add_quoted(&b, code_point);
    bool quote = str_is(code_point, "\"") || str_is(code_point, "\\");
    return quote || b.n == code_point.n + 2;
}

str apply_manager(struct arena *a, str field_manager, str user_agent)
{
    str name = field_manager, rest;
    if (name.n)
        return name;
    str_cut(user_agent, '/', &name, &rest);
    struct buf b;
    buf_init_arena(&b, a, APPLY_MANAGER_MAX);
    uint32_t c;
    for (str left = name, before = name; utf8_next(&left, &c); before = left) {
        str one = str_slice(before, 0, before.n - left.n);
        if (!is_printable(one))
            continue;
        buf_add(&b, one);
        if (b.failed)
            break;
    }
    return buf_str(&b);
}

static bool is_reset_list(const struct json *list)
{
    if (!list || list->type != JSON_ARRAY)
        return false;
    return list->n == 0 || (list->n == 1 && list->v.items[0].type == JSON_OBJECT && list->v.items[0].n == 0);
}

bool apply_is_reset(const struct json *raw)
{
    return is_reset_list(apply_managed(raw));
}

err_code apply_check_managed(const struct json *list, struct err *err)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    struct apply_entries entries;
    if (entries_read(&a, list, &entries, err))
        return err->code;
    for (size_t i = 0; i < entries.count; i++) {
        struct field_set set;
        if (entry_set(&a, &entries.items[i], NULL, &set, err))
            return err_wrap(err, "error decoding versioned set");
    }
    return ERR_NONE;
}

/* --- updates --- */

/* Entries that a client sent: read whole, since it may have written anything. */
static bool read_sent(struct apply_job *j, const struct json *sent)
{
    struct err err = ERR_INIT; /* a list that cannot be read is passed over */
    if (entries_read(j->a, sent, &j->entries, &err))
        return false;
    for (size_t i = 0; i < j->entries.count; i++) {
        struct apply_entry *entry = &j->entries.items[i];
        bool here = str_eq(entry->api_version, j->here->api_version);
        struct field_set set;
        if (entry_set(j->a, entry, here ? j->place : NULL, &set, &err))
            return false;
    }
    return j->entries.count > 0;
}

/* The list that the entries are those of; NULL: there are none. */
static const struct json *choose_entries(struct apply_job *j, const struct json *old, const struct json *sent,
                                         bool reset)
{
    const struct json *before = old ? apply_managed(old) : NULL;
    if (!j->who->subresource.n) {
        if (reset || is_reset_list(sent))
            return NULL;
        bool same = sent && before && (apply_same(sent, before) || json_equal(sent, before));
        if (sent && !same && read_sent(j, sent))
            return sent;
    }
    struct err err = ERR_INIT;
    j->entries = (struct apply_entries){.a = j->a};
    if (entries_read(j->a, before, &j->entries, &err)) {
        j->entries.count = 0;
        return NULL;
    }
    return before;
}

static err_code record(struct apply_job *j, const struct json *old, const struct json *tree)
{
    struct field_set diff;
    if (job_compare(j, old, tree, &diff))
        return j->err->code;
    job_drop_unserved(j);
    if (job_take(j, old, tree, diff, NULL) ||
        job_record_update(j, j->who->manager, field_set_select(j->a, diff, FIELD_ADDED | FIELD_MODIFIED)))
        return j->err->code;
    return entries_cap(&j->entries, j->err);
}

err_code apply_track(struct arena *a, const struct schema *s, const struct schema_type *t,
                     const struct json *old, struct json *tree, bool reset, const struct apply_who *who,
                     struct err *err)
{
    struct apply_job j;
    struct err failed = ERR_INIT;
    job_init(&j, a, s, t, who, &failed);
    const struct json *list = choose_entries(&j, old, apply_managed(tree), reset);
    struct json bare = apply_with_managed(a, tree, NULL), before;
    if (old)
        before = apply_with_managed(a, old, NULL);
    else if (job_empty(&j, &before))
        return err_set(err, failed.code, "%s", failed.msg);
    if (old && j.entries.count == 0) { /* nobody has applied it: not tracked */
        *tree = bare;
        return arena_check(a, err);
    }
    if (record(&j, &before, &bare)) {
        *tree = apply_with_managed(a, &bare, old ? apply_managed(old) : NULL);
        return arena_check(a, err);
    }
    bool changed;
    struct json now = entries_write(&j.entries, list, &changed);
    *tree = apply_with_managed(a, &bare, &now);
    return arena_check(a, err);
}

/* --- times --- */

static bool is_one_of(const str *names, size_t count, str name)
{
    for (size_t i = 0; i < count; i++)
        if (str_eq(names[i], name))
            return true;
    return false;
}

/* Equal but for some members, which one of them may lack. */
static bool equal_but(const struct json *x, const struct json *y, const str *but, size_t but_count)
{
    size_t compared = 0, others = 0;
    for (size_t i = 0; i < json_count(x); i++) {
        str name = json_member_name(&x->v.members[i]);
        if (is_one_of(but, but_count, name))
            continue;
        const struct json *other = json_find(y, name);
        if (!other || !json_equal(&x->v.members[i].value, other))
            return false;
        compared++;
    }
    for (size_t i = 0; i < json_count(y); i++)
        others += !is_one_of(but, but_count, json_member_name(&y->v.members[i]));
    return compared == others;
}
#define EQUAL_BUT(x, y, ...) \
    equal_but((x), (y), (const str[]){__VA_ARGS__}, sizeof((const str[]){__VA_ARGS__}) / sizeof(str))

bool apply_settle(struct arena *a, const struct json *old, struct json *tree)
{
    const struct json *before = apply_managed(old), *now = apply_managed(tree);
    if (json_count(before) != json_count(now))
        return false;
    for (size_t i = 0; i < json_count(now); i++)
        if (!EQUAL_BUT(&before->v.items[i], &now->v.items[i], S("time")))
            return false;
    if (!EQUAL_BUT(old, tree, S("kind"), S("apiVersion"), S("metadata")) ||
        !EQUAL_BUT(json_find(old, S("metadata")), json_find(tree, S("metadata")), S("managedFields"),
                   S("resourceVersion")))
        return false;
    *tree = apply_with_managed(a, tree, before);
    return true;
}

/* --- apply --- */

/* "default/web; apps/v1, Kind=Deployment" */
static str object_name(struct apply_job *j, const struct json *config)
{
    str ns = json_str(json_get(config, S("metadata"), S("namespace")));
    str name = json_str(json_get(config, S("metadata"), S("name")));
    str version = j->who->api_version;
    return str_format(j->a, "%" STR_FMT "/%" STR_FMT "; %s%" STR_FMT ", Kind=%" STR_FMT, STR_ARG(ns),
                      STR_ARG(name), str_index_c(version, '/') == SIZE_MAX ? "/" : "", STR_ARG(version),
                      STR_ARG(j->who->kind));
}

static err_code check_request(struct apply_job *j, const struct json *config)
{
    str version = json_str(json_find(config, S("apiVersion"))), kind = json_str(json_find(config, S("kind")));
    if (!str_eq(version, j->who->api_version) || !str_eq(kind, j->who->kind))
        return err_set(j->err, ERR_BAD_REQUEST, "invalid object type: %s%" STR_FMT ", Kind=%" STR_FMT,
                       str_index_c(version, '/') == SIZE_MAX ? "/" : "", STR_ARG(version), STR_ARG(kind));
    const struct json *managed = apply_managed(config);
    if (managed && managed->type == JSON_ARRAY)
        return err_set(j->err, ERR_BAD_REQUEST, "metadata.managedFields must be nil");
    return ERR_NONE;
}

static err_code check_document(struct apply_job *j, const struct json *config, const struct json *doc,
                               bool live)
{
    str why;
    if (apply_check(j->a, j->place, doc, live, &why))
        return ERR_NONE;
    str name = object_name(j, config);
    return err_set(j->err, ERR_INTERNAL, "failed to create typed %s object (%" STR_FMT "): %" STR_FMT,
                   live ? "live" : "patch", STR_ARG(name), STR_ARG(why));
}

/* Content as it is stored has no kind and apiVersion: then what the configuration says of them is not merged. */
static struct json like_live(struct apply_job *j, const struct json *live, const struct json *config)
{
    if (json_find(live, S("kind")))
        return *config;
    struct json copy = *config;
    copy.v.members = arena_dup(j->a, config->v.members, config->n * sizeof *copy.v.members,
                               _Alignof(struct json_member));
    copy.cap_log2 = 0;
    json_remove(&copy, S("kind"));
    json_remove(&copy, S("apiVersion"));
    return copy;
}

/* Fields that were there before anybody was tracked. */
static err_code record_before_first_apply(struct apply_job *j, const struct json *live)
{
    struct json empty;
    struct field_set diff;
    if (job_empty(j, &empty) || job_compare(j, &empty, live, &diff))
        return j->err->code;
    return job_record_update(j, S("before-first-apply"),
                             field_set_select(j->a, diff, FIELD_ADDED | FIELD_MODIFIED));
}

static struct apply_entry self_of(const struct apply_who *who)
{
    return (struct apply_entry){.manager = who->manager.n ? who->manager : S("unknown"),
                                .api_version = who->api_version,
                                .subresource = who->subresource,
                                .is_apply = true};
}

/* --- conflicts --- */

struct conflict {
    struct apply_lost lost;
    str identifier;
};

static int conflict_cmp(const void *x, const void *y, void *ctx)
{
    return str_cmp(((const struct conflict *)x)->identifier, ((const struct conflict *)y)->identifier);
}

static str conflict_message(struct arena *a, const struct apply_result *r, size_t total)
{
    struct buf b;
    buf_init_arena(&b, a, MESSAGE_SIZE_MAX);
    if (total == 1) {
        buf_add_f(&b, "Apply failed with 1 conflict: conflict with %" STR_FMT ": %" STR_FMT,
                  STR_ARG(r->conflicts[0].manager), STR_ARG(r->conflicts[0].paths[0]));
        return buf_str(&b);
    }
    buf_add_f(&b, "Apply failed with %zu conflicts: ", total);
    for (size_t i = 0; i < r->conflict_count; i++) {
        buf_add_f(&b, "%sconflicts with %" STR_FMT ":", i ? "\n" : "", STR_ARG(r->conflicts[i].manager));
        for (size_t k = 0; k < r->conflicts[i].path_count; k++)
            buf_add_f(&b, "\n- %" STR_FMT, STR_ARG(r->conflicts[i].paths[k]));
    }
    return buf_str(&b);
}

static err_code refuse(struct apply_job *j, const struct apply_losses *losses, struct apply_result *ret)
{
    struct conflict *sorted = ARENA_ARRAY(j->a, struct conflict, losses->count);
    size_t total = 0, left = APPLY_CONFLICTS_MAX;
    for (size_t i = 0; i < losses->count; i++) {
        sorted[i] = (struct conflict){losses->items[i], entry_identifier(j->a, &losses->items[i].entry)};
        total += field_set_size(losses->items[i].fields);
    }
    vec_sort(sorted, losses->count, sizeof *sorted, conflict_cmp, NULL);
    struct apply_conflict *conflicts = ARENA_ARRAY(j->a, struct apply_conflict, losses->count);
    *ret = (struct apply_result){.conflicts = conflicts};
    for (size_t i = 0; i < losses->count && left; i++) {
        struct field_paths paths = field_set_paths(j->a, sorted[i].lost.fields, left);
        conflicts[ret->conflict_count++] = (struct apply_conflict){
            .manager = entry_name(j->a, &sorted[i].lost.entry),
            .paths = paths.items,
            .path_count = paths.count};
        left -= paths.count;
    }
    ret->message = conflict_message(j->a, ret, total);
    return err_set(j->err, ERR_CONFLICT, "%" STR_FMT, STR_ARG(ret->message));
}

/* --- what client-side apply left behind --- */

static const struct json *last_applied(const struct json *tree)
{
    const struct json *text = json_get(tree, S("metadata"), S("annotations"), LAST_APPLIED);
    return json_str(text).n ? text : NULL;
}

/* The fields that client-side apply set and that still are as it set them: kubectl may take them over. */
static struct field_set left_by_client(struct apply_job *j, const struct json *live)
{
    const struct json *text = last_applied(live);
    struct json config;
    struct field_set fields, diff;
    struct err err = ERR_INIT; /* an annotation that cannot be used is as good as none */
    str why;
    if (!text || json_parse(j->a, json_str(text), NULL, &config, &err) ||
        !str_eq(json_str(json_find(&config, S("apiVersion"))), j->who->api_version) ||
        !apply_check(j->a, j->place, &config, false, &why) ||
        !apply_fields_of(j->a, j->place, &config, &fields) ||
        !apply_compare(j->a, j->place, &config, live, &diff))
        return FIELD_SET_EMPTY;
    return field_set_minus(j->a, fields, diff);
}

static void forgive(struct apply_job *j, const struct json *live, struct apply_losses *losses)
{
    struct field_set allowed = left_by_client(j, live);
    size_t kept = 0;
    for (size_t i = 0; i < losses->count; i++) {
        struct apply_lost lost = losses->items[i];
        lost.fields = field_set_minus(j->a, lost.fields, allowed);
        if (lost.fields.count)
            losses->items[kept++] = lost;
    }
    losses->count = kept;
}

/* A copy of `object` whose member `name` (an object that is there) became `value`. */
static struct json replaced(struct arena *a, const struct json *object, str name, struct json value)
{
    struct json copy = *object;
    copy.v.members = arena_dup(a, object->v.members, object->n * sizeof *copy.v.members,
                               _Alignof(struct json_member));
    copy.cap_log2 = 0;
    json_set(a, &copy, name, value);
    return copy;
}

static str config_text(struct arena *a, const struct json *config)
{
    struct json copy = *config;
    const struct json *metadata = json_find(config, S("metadata"));
    const struct json *annotations = json_find(metadata, S("annotations"));
    if (json_find(annotations, LAST_APPLIED)) {
        struct json fewer = replaced(a, annotations, LAST_APPLIED, json_null());
        json_remove(&fewer, LAST_APPLIED);
        copy = replaced(a, config, S("metadata"), replaced(a, metadata, S("annotations"), fewer));
    }
    struct buf b;
    buf_init_arena(&b, a, LAST_APPLIED_SIZE_MAX);
    json_print(&b, &copy, JSON_HTML | JSON_SORTED);
    buf_add_c(&b, '\n');
    return b.failed ? STR_NONE : buf_str(&b);
}

/* Keeps the annotation what the configuration is; without it, when annotations would become too large. */
static bool update_annotation(struct arena *a, const struct json *config, struct json *tree)
{
    const struct json *old = last_applied(tree);
    if (!old)
        return false;
    str text = config_text(a, config);
    if (text.n && str_eq(json_str(old), text))
        return false;
    const struct json *metadata = json_find(tree, S("metadata"));
    struct json annotations = replaced(a, json_find(metadata, S("annotations")), LAST_APPLIED,
                                       json_of_str(text));
    size_t size = text.n ? 0 : ANNOTATIONS_SIZE_MAX + 1;
    for (uint32_t i = 0; i < annotations.n; i++)
        size += annotations.v.members[i].name_n + json_str(&annotations.v.members[i].value).n;
    if (size > ANNOTATIONS_SIZE_MAX)
        json_remove(&annotations, LAST_APPLIED);
    *tree = replaced(a, tree, S("metadata"), replaced(a, metadata, S("annotations"), annotations));
    return true;
}

/* --- the whole of it --- */

/* The applier's entry before and after. */
struct applied {
    struct apply_entry self;
    struct field_set last, fields;
    struct field_set recorded; /* of `fields` */
    bool same;                 /* as the last time */
    str last_version;
};

static err_code own_fields(struct apply_job *j, const struct json *config, struct applied *ret)
{
    struct field_set fields;
    if (!apply_fields_of_config(j->a, j->place, config, &fields) && check_document(j, config, config, false))
        return j->err->code;
    struct applied own = {.self = self_of(j->who)};
    own.fields = job_without_reset(j, j->who->api_version, fields);
    struct apply_entry *before = entries_find(&j->entries, &own.self);
    if (before) {
        own.last_version = before->api_version;
        bool here = str_eq(before->api_version, j->who->api_version);
        if (entry_set(j->a, before, here ? j->place : NULL, &own.last, j->err))
            return j->err->code;
    }
    own.recorded = job_strip(j, own.fields);
    own.same = field_set_equal(own.recorded, own.last);
    *ret = own;
    return ERR_NONE;
}

/* Drops what was in the applier's last configuration and is not in this one. While that is found out, its entry holds also
 * what is never recorded. */
static err_code prune(struct apply_job *j, struct apply_entry *entry, const struct applied *own,
                      struct json *merged)
{
    entry_change(entry, own->fields);
    entry->api_version = j->who->api_version;
    return job_prune(j, own->last_version, own->last, merged);
}

static void put_own(struct apply_job *j, struct apply_entry *entry, const struct applied *own)
{
    bool same = own->same && entry->stored && str_eq(own->last_version, j->who->api_version);
    if (!same)
        entry_change(entry, own->recorded);
    entry->api_version = j->who->api_version;
}

static void finish_own(struct apply_job *j, const struct applied *own, bool changed)
{
    struct apply_entry *entry = entries_find(&j->entries, &own->self);
    if (!entry->set.count) {
        entries_remove(&j->entries, entry);
    } else if (changed) {
        entry->time = apply_time(j->a, j->who->now);
        entry->stored = NULL;
    }
}

static err_code merge_config(struct apply_job *j, const struct json *live, const struct json *config,
                             struct json *ret)
{
    struct json said = like_live(j, live, config);
    if (apply_merge(j->a, j->place, live, &said, ret))
        return ERR_NONE;
    if (check_document(j, config, live, true))
        return j->err->code;
    return err_set(j->err, ERR_INTERNAL, "failed to merge config: a list has an item without its keys");
}

static err_code normalise_result(struct apply_job *j, const struct json *config, const struct json *merged,
                                 struct json *ret)
{
    *ret = *merged;
    if (!j->here->type || !tree_normalise(j->a, j->here->schema, j->here->type, merged, NULL, ret, j->err))
        return ERR_NONE;
    str name = object_name(j, config);
    return err_wrap_as(j->err, j->err->code == ERR_BAD_REQUEST ? ERR_INTERNAL : j->err->code,
                       "failed to convert new object (%" STR_FMT ") to proper version", STR_ARG(name));
}

static err_code apply(struct apply_job *j, const struct json *live, const struct json *config, bool force,
                      struct apply_result *ret, struct json *ret_tree, bool *ret_same)
{
    struct applied own;
    struct json merged;
    struct field_set diff;
    struct apply_losses losses;
    if (own_fields(j, config, &own) || merge_config(j, live, config, &merged))
        return j->err->code;
    struct apply_entry *entry = entries_find(&j->entries, &own.self);
    if (!entry)
        entry = entries_add(&j->entries, &own.self);
    bool same = apply_same(&merged, live);
    if (!own.same && !field_set_within(own.last, own.fields)) {
        if (prune(j, entry, &own, &merged))
            return j->err->code;
        same = json_equal(&merged, live);
    }
    put_own(j, entry, &own);
    diff = FIELD_SET_EMPTY;
    if (!same && job_compare(j, live, &merged, &diff))
        return j->err->code;
    if (!force && diff.count) {
        if (job_conflicts(j, live, &merged, diff, &own.self, &losses))
            return j->err->code;
        if (losses.count && str_is(j->who->manager, "kubectl"))
            forgive(j, live, &losses);
        if (losses.count)
            return refuse(j, &losses, ret);
    }
    if (job_take(j, live, &merged, diff, &own.self))
        return j->err->code;
    finish_own(j, &own, !same);
    *ret_same = same;
    *ret_tree = *live;
    return same ? ERR_NONE : normalise_result(j, config, &merged, ret_tree);
}

err_code apply_config(struct arena *a, const struct schema *s, const struct schema_type *t,
                      const struct json *live, const struct json *config, const struct apply_who *who,
                      bool force, struct apply_result *ret, struct err *err)
{
    struct apply_job j;
    job_init(&j, a, s, t, who, err);
    const struct json *list = live ? apply_managed(live) : NULL;
    struct json bare, tree;
    bool same = false, changed;
    if (check_request(&j, config))
        return err->code;
    if (entries_read(a, list, &j.entries, err))
        return err_wrap_as(err, ERR_INTERNAL, "failed to decode managed fields");
    if (live)
        bare = apply_with_managed(a, live, NULL);
    else if (job_empty(&j, &bare))
        return err->code;
    if (live && j.entries.count == 0 && record_before_first_apply(&j, &bare))
        return err->code;
    job_drop_unserved(&j);
    if (apply(&j, &bare, config, force, ret, &tree, &same))
        return err->code;
    if (str_is(who->manager, "kubectl") && update_annotation(a, config, &tree))
        same = false;
    struct json now = entries_write(&j.entries, list, &changed);
    *ret = (struct apply_result){.unchanged = live && same && !changed};
    ret->tree = ret->unchanged ? *live : apply_with_managed(a, &tree, &now);
    return arena_check(a, err);
}
