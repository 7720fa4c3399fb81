/* validate_custom_logic.c - anyOf, oneOf, allOf and not. */
#include "api/validate_custom.h"

/* How a value fares with one of several schemas, looked at quietly. */
struct outcome {
    bool failed;
    uint32_t matches;
};

static struct schema_at branch_at(struct schema_at at, uint16_t node)
{
    return (struct schema_at){at.schema, &at.schema->nodes[node]};
}

static struct outcome try_branch(struct custom *c, struct schema_at at, const struct field_path *path,
                                 const struct json *j)
{
    struct custom quiet = *c;
    quiet.errors = NULL;
    quiet.matches = 0;
    quiet.failed = false;
    custom_check(&quiet, at, path, j);
    c->steps = quiet.steps;
    return (struct outcome){quiet.failed, quiet.matches};
}

/* What is wrong with the value there counts: told now if somebody listens. */
static void take_failures(struct custom *c, struct schema_at at, struct outcome o,
                          const struct field_path *path, const struct json *j)
{
    if (c->errors) {
        custom_check(c, at, path, j);
        return;
    }
    c->failed = true;
    c->matches += o.matches;
}

/* The alternatives. `only` one may fit: then all are looked at, else until one fits. How many do; *ret_best is the one that
 * does first or, when none does, the one that comes closest. */
static size_t alternatives(struct custom *c, struct schema_at at, const uint16_t *nodes, size_t count,
                           bool only, const struct field_path *path, const struct json *j, size_t *ret_best,
                           struct outcome *ret_outcome)
{
    size_t fit = 0;
    for (size_t i = 0; i < count && c->steps; i++) {
        struct outcome o = try_branch(c, branch_at(at, nodes[i]), path, j);
        bool better = i == 0 || (o.failed ? fit == 0 && o.matches > ret_outcome->matches : fit == 0);
        if (better) {
            *ret_best = i;
            *ret_outcome = o;
        }
        fit += !o.failed;
        if (fit && !only)
            break;
    }
    return fit;
}

static void any_of(struct custom *c, struct schema_at at, const uint16_t *nodes, size_t count,
                   const struct field_path *path, const struct json *j)
{
    size_t best = 0;
    struct outcome o = {0};
    if (alternatives(c, at, nodes, count, false, path, j, &best, &o)) {
        c->matches += o.matches;
        return;
    }
    custom_somewhere(c, path, S("\""), "\" must validate at least one schema (anyOf)");
    take_failures(c, branch_at(at, nodes[best]), o, path, j);
}

static void one_of(struct custom *c, struct schema_at at, const uint16_t *nodes, size_t count,
                   const struct field_path *path, const struct json *j)
{
    size_t best = 0;
    struct outcome o = {0};
    size_t fit = alternatives(c, at, nodes, count, true, path, j, &best, &o);
    if (fit == 1) {
        c->matches += o.matches;
    } else if (fit) {
        custom_somewhere(c, path, S("\""),
                         "\" must validate one and only one schema (oneOf). Found %zu valid alternatives",
                         fit);
    } else {
        custom_somewhere(c, path, S("\""),
                         "\" must validate one and only one schema (oneOf). Found none valid");
        take_failures(c, branch_at(at, nodes[best]), o, path, j);
    }
}

static void all_of(struct custom *c, struct schema_at at, const uint16_t *nodes, size_t count,
                   const struct field_path *path, const struct json *j)
{
    bool before = c->failed;
    size_t fit = 0;
    for (size_t i = 0; i < count; i++) {
        c->failed = false;
        custom_check(c, branch_at(at, nodes[i]), path, j);
        fit += !c->failed;
        before |= c->failed;
    }
    c->failed = before;
    if (fit < count)
        custom_somewhere(c, path, S("\""), "\" must validate all the schemas (allOf)%s",
                         fit ? "" : ". None validated");
}

void custom_check_logic(struct custom *c, struct schema_at at, const struct schema_extra *x,
                        const struct field_path *path, const struct json *j)
{
    const uint16_t *counts = &at.schema->logics[x->logic], *nodes = counts + SCHEMA_LOGIC_COUNT;
    if (counts[SCHEMA_ANY_OF])
        any_of(c, at, nodes, counts[SCHEMA_ANY_OF], path, j);
    nodes += counts[SCHEMA_ANY_OF];
    if (counts[SCHEMA_ONE_OF])
        one_of(c, at, nodes, counts[SCHEMA_ONE_OF], path, j);
    nodes += counts[SCHEMA_ONE_OF];
    if (counts[SCHEMA_ALL_OF])
        all_of(c, at, nodes, counts[SCHEMA_ALL_OF], path, j);
    nodes += counts[SCHEMA_ALL_OF];
    if (counts[SCHEMA_NOT] && !try_branch(c, branch_at(at, nodes[0]), path, j).failed)
        custom_somewhere(c, path, S("\""), "\" must not validate the schema (not)");
}
