/* bootstrap_reconcile.c - what is to be done at a start about each thing every cluster has. On trees: what users have added to an
 * object stays as it is written. */
#include "api/tree.h"
#include "base/buf.h"
#include "server/bootstrap.h"
#include "server/rbac_priv.h"
#include "wire/json.h"

struct merge {
    struct arena *arena;
    const struct json *wanted;
    struct json *stored;
    bool changed;
};

static const struct json *annotation(const struct json *doc, str name)
{
    return json_get(doc, S("metadata"), S("annotations"), name);
}

/* Labels or annotations that are not there; what is there stays. */
static void merge_names(struct merge *m, str which)
{
    const struct json *wanted = json_get(m->wanted, S("metadata"), which);
    struct json *metadata = json_find(m->stored, S("metadata"));
    if (!json_count(wanted) || !metadata)
        return;
    struct json *stored = json_find(metadata, which);
    if (!stored)
        stored = json_set(m->arena, metadata, which, json_object());
    for (size_t i = 0; i < json_count(wanted); i++) {
        str name = json_member_name(&wanted->v.members[i]);
        if (json_find(stored, name))
            continue;
        json_set(m->arena, stored, name, wanted->v.members[i].value);
        m->changed = true;
    }
}

/* The list under a name, made when there is none. */
static struct json *list_of(struct merge *m, struct json *object, str name)
{
    struct json *list = json_find(object, name);
    if (list && list->type == JSON_ARRAY)
        return list;
    return json_set(m->arena, object, name, json_array());
}

static struct json json_of_list(struct arena *a, const str *items, size_t count)
{
    struct json list = json_array();
    for (size_t i = 0; i < count; i++)
        json_append(a, &list, json_of_str(items[i]));
    return list;
}

static struct json json_of_rule(struct arena *a, const struct rbac_rule *r)
{
    struct json rule = json_object();
    json_add(a, &rule, S("verbs"), json_of_list(a, r->verbs, r->verb_count));
    if (r->group_count)
        json_add(a, &rule, S("apiGroups"), json_of_list(a, r->groups, r->group_count));
    if (r->resource_count)
        json_add(a, &rule, S("resources"), json_of_list(a, r->resources, r->resource_count));
    if (r->name_count)
        json_add(a, &rule, S("resourceNames"), json_of_list(a, r->names, r->name_count));
    if (r->url_count)
        json_add(a, &rule, S("nonResourceURLs"), json_of_list(a, r->urls, r->url_count));
    return rule;
}

/* Rules that are not covered by those there are, each in its smallest parts. */
static err_code merge_rules(struct merge *m, const struct bootstrap_doc *doc, str stored, struct err *err)
{
    const struct rbac_rule *have, *want, *missing;
    size_t have_count, want_count, missing_count;
    if (rbac_rules_decode(m->arena, stored, &have, &have_count, err) ||
        rbac_rules_decode(m->arena, doc->content, &want, &want_count, err))
        return err->code;
    rbac_missing_parts(m->arena, have, have_count, want, want_count, &missing, &missing_count);
    if (!missing_count)
        return ERR_NONE;
    struct json *rules = list_of(m, m->stored, S("rules"));
    for (size_t i = 0; i < missing_count; i++)
        json_append(m->arena, rules, json_of_rule(m->arena, &missing[i]));
    m->changed = true;
    return ERR_NONE;
}

static bool list_has(const struct json *list, const struct json *item)
{
    for (size_t i = 0; i < json_count(list); i++) {
        if (json_equal(json_at(list, i), item))
            return true;
    }
    return false;
}

/* Items of a list that are not there yet. */
static void merge_list(struct merge *m, const struct json *wanted, struct json *object, str name)
{
    const struct json *there = json_find(object, name);
    for (size_t i = 0; i < json_count(wanted); i++) {
        if (list_has(there, json_at(wanted, i)))
            continue;
        struct json *list = list_of(m, object, name);
        json_append(m->arena, list, *json_at(wanted, i));
        there = list;
        m->changed = true;
    }
}

static bool is_object(const struct json *j)
{
    return j && j->type == JSON_OBJECT;
}

static void merge_aggregation(struct merge *m)
{
    const struct json *wanted = json_find(m->wanted, S("aggregationRule"));
    struct json *stored = json_find(m->stored, S("aggregationRule"));
    if (!wanted) {
        if (is_object(stored))
            m->changed |= json_remove(m->stored, S("aggregationRule"));
        return;
    }
    if (!is_object(stored))
        stored = json_set(m->arena, m->stored, S("aggregationRule"), json_object());
    merge_list(m, json_find(wanted, S("clusterRoleSelectors")), stored, S("clusterRoleSelectors"));
}

/* Protected by a user: whatever there is to do is not done. */
static bool is_protected(const struct json *stored)
{
    return str_is(json_str(annotation(stored, S("rbac.authorization.kubernetes.io/autoupdate"))), "false");
}

static err_code reconcile_grant(struct merge *m, const struct bootstrap_doc *doc, str stored,
                                enum bootstrap_action *ret, struct err *err)
{
    if (is_protected(m->stored))
        return ERR_NONE;
    const struct json *ref = json_find(m->wanted, S("roleRef"));
    if (ref && !json_equal(ref, json_find(m->stored, S("roleRef")))) {
        *ret = BOOTSTRAP_RECREATE;
        return ERR_NONE;
    }
    merge_names(m, S("annotations"));
    merge_names(m, S("labels"));
    if (ref) {
        merge_list(m, json_find(m->wanted, S("subjects")), m->stored, S("subjects"));
    } else {
        if (merge_rules(m, doc, stored, err))
            return err->code;
        merge_aggregation(m);
    }
    *ret = m->changed ? BOOTSTRAP_UPDATE : BOOTSTRAP_KEEP;
    return ERR_NONE;
}

static bool is_untouched(const struct json *stored)
{
    int64_t generation;
    return json_int(json_get(stored, S("metadata"), S("generation")), &generation) && generation == 1;
}

/* What counts as a truth value for the original. False: none. */
static bool read_bool(str s, bool *ret)
{
    static const char *const words[] = {"1", "t", "T", "true",  "TRUE",  "True",
                                        "0", "f", "F", "false", "FALSE", "False"};
    for (size_t i = 0; i < ARRAY_COUNT(words); i++) {
        if (str_eq(s, str_from_c(words[i]))) {
            *ret = i < ARRAY_COUNT(words) / 2;
            return true;
        }
    }
    return false;
}

/* Who has not said anything about a suggestion keeps getting the newest one as long as he has not changed it. */
static void reconcile_flow_control(struct merge *m, enum bootstrap_policy policy, enum bootstrap_action *ret)
{
    const str key = S("apf.kubernetes.io/autoupdate-spec");
    bool said = false;
    bool has_said = read_bool(json_str(annotation(m->stored, key)), &said);
    bool update = policy == BOOTSTRAP_MANDATORY || (has_said ? said : is_untouched(m->stored));
    struct json *metadata = json_find(m->stored, S("metadata"));
    if ((!has_said || said != update) && is_object(metadata)) {
        struct json *annotations = json_find(metadata, S("annotations"));
        if (!is_object(annotations))
            annotations = json_set(m->arena, metadata, S("annotations"), json_object());
        json_set(m->arena, annotations, key, json_of_str(update ? S("true") : S("false")));
        m->changed = true;
    }
    const struct json *spec = json_find(m->wanted, S("spec"));
    if (update && !json_equal(spec, json_find(m->stored, S("spec")))) {
        json_set(m->arena, m->stored, S("spec"), *spec);
        m->changed = true;
    }
    *ret = m->changed ? BOOTSTRAP_UPDATE : BOOTSTRAP_KEEP;
}

/* As it is stored: what was added stands where it belongs. */
static err_code print_normal(struct arena *a, const struct bootstrap_doc *doc, const struct json *tree,
                             str *ret, struct err *err)
{
    const struct schema *schema = &schema_builtin;
    const struct schema_kind_info *kind = schema_kind_find(schema, doc->api_version, doc->kind);
    struct json normal;
    if (tree_normalise(a, schema, &schema->types[kind->type], tree, NULL, &normal, err))
        return err_wrap_as(err, ERR_CORRUPT, "could not add to %" STR_FMT " '%" STR_FMT "'",
                           STR_ARG(doc->kind), STR_ARG(doc->name));
    struct buf out;
    buf_init_arena(&out, a, SIZE_MAX / 2);
    json_print(&out, &normal, 0);
    *ret = buf_str(&out);
    return ERR_NONE;
}

err_code bootstrap_reconcile(struct arena *a, const struct bootstrap_doc *doc, str stored,
                             enum bootstrap_action *ret, str *ret_content, struct err *err)
{
    *ret_content = doc->content;
    *ret = BOOTSTRAP_CREATE;
    if (str_empty(stored))
        return ERR_NONE;
    *ret = BOOTSTRAP_KEEP;
    if (doc->policy == BOOTSTRAP_IF_MISSING)
        return ERR_NONE;
    struct json wanted_tree, stored_tree;
    if (json_parse(a, doc->content, NULL, &wanted_tree, err) ||
        json_parse(a, stored, NULL, &stored_tree, err))
        return err_wrap_as(err, ERR_CORRUPT, "could not read %" STR_FMT " '%" STR_FMT "'", STR_ARG(doc->kind),
                           STR_ARG(doc->name));
    struct merge m = {.arena = a, .wanted = &wanted_tree, .stored = &stored_tree};
    if (doc->policy != BOOTSTRAP_GRANTS)
        reconcile_flow_control(&m, doc->policy, ret);
    else if (reconcile_grant(&m, doc, stored, ret, err))
        return err->code;
    return *ret == BOOTSTRAP_UPDATE ? print_normal(a, doc, &stored_tree, ret_content, err) : ERR_NONE;
}
