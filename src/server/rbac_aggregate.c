/* rbac_aggregate.c - the rules of a ClusterRole that is put together from others. On trees: what is taken over stays as it is
 * written. */
#include "base/selector.h"
#include "server/authz.h"
#include "wire/json.h"

/* A selector of the document, as base/selector.h has them. */
static const struct {
    str name;
    enum selector_op op;
} operators[] = {
    {S_INIT("In"), SELECTOR_IN},
    {S_INIT("NotIn"), SELECTOR_NOT_IN},
    {S_INIT("Exists"), SELECTOR_EXISTS},
    {S_INIT("DoesNotExist"), SELECTOR_NOT_EXISTS},
};

static err_code add_expression(struct arena *a, const struct json *expression, struct label_requirement *ret,
                               struct err *err)
{
    str op = json_str(json_find(expression, S("operator")));
    const struct json *values = json_find(expression, S("values"));
    str *texts = ARENA_ARRAY(a, str, json_count(values));
    for (size_t i = 0; i < json_count(values); i++)
        texts[i] = json_str(json_at(values, i));
    for (size_t i = 0; i < ARRAY_COUNT(operators); i++) {
        if (str_eq(operators[i].name, op))
            return label_requirement_make(a, json_str(json_find(expression, S("key"))), operators[i].op,
                                          texts, json_count(values), ret, err);
    }
    return err_set(err, ERR_INVALID, "\"%" STR_FMT "\" is not a valid label selector operator", STR_ARG(op));
}

static const struct json *object_or_none(const struct json *j)
{
    return j && j->type == JSON_OBJECT ? j : NULL;
}

static err_code selector_of(struct arena *a, const struct json *doc, struct label_selector *ret,
                            struct err *err)
{
    const struct json *labels = object_or_none(json_find(doc, S("matchLabels")));
    const struct json *expressions = json_find(doc, S("matchExpressions"));
    struct label_requirement *all = ARENA_ARRAY(a, struct label_requirement,
                                                json_count(labels) + json_count(expressions));
    size_t count = 0;
    for (size_t i = 0; i < json_count(labels); i++) {
        const struct json_member *m = &labels->v.members[i];
        str value = json_str(&m->value);
        if (label_requirement_make(a, json_member_name(m), SELECTOR_EQUALS, &value, 1, &all[count++], err))
            return err->code;
    }
    for (size_t i = 0; i < json_count(expressions); i++) {
        if (add_expression(a, json_at(expressions, i), &all[count++], err))
            return err->code;
    }
    *ret = label_selector_of(all, count);
    return ERR_NONE;
}

struct other {
    str name;
    struct label *labels;
    size_t label_count;
    const struct json *rules;
};

static err_code read_role(struct arena *a, const struct cluster_role_doc *doc, struct json *ret,
                          struct err *err)
{
    if (json_parse(a, doc->content, NULL, ret, err))
        return err_wrap_as(err, ERR_CORRUPT, "could not read cluster role '%" STR_FMT "'",
                           STR_ARG(doc->name));
    return ERR_NONE;
}

static err_code read_other(struct arena *a, const struct cluster_role_doc *doc, struct other *ret,
                           struct err *err)
{
    struct json *tree = ARENA_NEW(a, struct json);
    if (read_role(a, doc, tree, err))
        return err->code;
    const struct json *labels = object_or_none(json_get(tree, S("metadata"), S("labels")));
    *ret = (struct other){
        .name = doc->name, .rules = json_find(tree, S("rules")), .label_count = json_count(labels)};
    ret->labels = ARENA_ARRAY(a, struct label, ret->label_count);
    for (size_t i = 0; i < ret->label_count; i++) {
        const struct json_member *m = &labels->v.members[i];
        ret->labels[i] = (struct label){json_member_name(m), json_str(&m->value)};
    }
    return ERR_NONE;
}

static bool has_rule(const struct json *rules, const struct json *rule)
{
    for (size_t i = 0; i < json_count(rules); i++) {
        if (json_equal(json_at(rules, i), rule))
            return true;
    }
    return false;
}

static void add_rules(struct arena *a, struct json *rules, const struct json *more)
{
    for (size_t i = 0; i < json_count(more); i++) {
        if (!has_rule(rules, json_at(more, i)))
            json_append(a, rules, *json_at(more, i));
    }
}

err_code rbac_aggregate(struct arena *a, struct cluster_role_doc role, const struct cluster_role_doc *others,
                        size_t other_count, bool *ret_aggregates, struct json *ret_rules, bool *ret_changed,
                        struct err *err)
{
    struct json tree;
    if (read_role(a, &role, &tree, err))
        return err->code;
    const struct json *aggregation = object_or_none(json_find(&tree, S("aggregationRule")));
    *ret_aggregates = aggregation != NULL;
    if (!*ret_aggregates)
        return ERR_NONE;

    struct other *read = ARENA_ARRAY(a, struct other, other_count);
    for (size_t i = 0; i < other_count; i++) {
        if (read_other(a, &others[i], &read[i], err))
            return err->code;
    }
    struct json rules = json_array();
    const struct json *selectors = json_find(aggregation, S("clusterRoleSelectors"));
    for (size_t s = 0; s < json_count(selectors); s++) {
        struct label_selector selector;
        if (selector_of(a, json_at(selectors, s), &selector, err))
            return err_wrap(err, "could not aggregate cluster role '%" STR_FMT "'", STR_ARG(role.name));
        for (size_t i = 0; i < other_count; i++) {
            if (!str_eq(read[i].name, role.name) &&
                label_selector_matches(&selector, read[i].labels, read[i].label_count))
                add_rules(a, &rules, read[i].rules);
        }
    }
    const struct json *had = json_find(&tree, S("rules"));
    *ret_changed = json_count(&rules) || json_count(had) ? !json_equal(&rules, had) : false;
    *ret_rules = rules;
    return ERR_NONE;
}
