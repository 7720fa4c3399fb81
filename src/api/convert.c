/* convert.c - which pair converts a kind, and what all of them share; the two Events. */
#include "api/convert.h"
#include "api/catalog.h"
#include "api/convert_priv.h"
#include "api/tree.h"

static const struct convert_pair pairs[] = {
    {S_INIT("event"), event_from_stored, event_to_stored},
    {S_INIT("hpa"), hpa_from_stored, hpa_to_stored},
};

const struct convert_pair *convert_pair_find(str prefix)
{
    for (size_t i = 0; i < ARRAY_COUNT(pairs); i++)
        if (str_eq(pairs[i].prefix, prefix))
            return &pairs[i];
    return NULL;
}

static const struct convert_pair *pair_of(const struct schema_kind_info *kind)
{
    const struct convert_pair *pair = convert_pair_find(schema_text(&schema_builtin, kind->convert));
    ASSERT(pair); /* a test holds the table against the schema */
    return pair;
}

static const struct schema_kind_info *stored_kind(const struct schema_kind_info *kind)
{
    const struct schema *s = &schema_builtin;
    str stored = schema_text(s, kind->stored);
    size_t dot = str_rindex_c(stored, '.');
    str package = str_slice(stored, 0, dot), name = str_from(stored, dot + 1);
    for (size_t i = 0; i < s->kind_count; i++)
        if (str_eq(schema_text(s, s->kinds[i].name), name) &&
            str_eq(schema_text(s, s->packages[s->kinds[i].package].name), package))
            return &s->kinds[i];
    ASSERT(!"the stored version of a kind is declared");
}

void convert_copy(struct arena *a, const struct json *in, str from, struct json *ret, str to)
{
    const struct json *value = json_find(in, from);
    if (value)
        json_set(a, ret, to, *value);
}

/* Content without kind and apiVersion stays without. */
static void set_type(struct arena *a, const struct schema_kind_info *to, const struct json *in,
                     struct json *ret)
{
    if (json_find(in, S("kind")))
        json_set(a, ret, S("kind"), json_of_str(schema_text(&schema_builtin, to->name)));
    if (json_find(in, S("apiVersion")))
        json_set(a, ret, S("apiVersion"), json_of_str(schema_api_version(a, &schema_builtin, to)));
}

static err_code convert(struct arena *a, convert_fn *fn, const struct schema_kind_info *to,
                        const struct json *in, struct json *ret, struct err *err)
{
    struct json moved;
    if (fn(a, in, &moved, err))
        return err->code;
    set_type(a, to, in, &moved);
    return tree_normalise(a, &schema_builtin, &schema_builtin.types[to->type], &moved, NULL, ret, err);
}

err_code convert_from_stored(struct arena *a, const struct schema_kind_info *kind, const struct json *stored,
                             struct json *ret, struct err *err)
{
    if (!kind->stored) {
        *ret = *stored;
        return ERR_NONE;
    }
    return convert(a, pair_of(kind)->from_stored, kind, stored, ret, err);
}

err_code convert_to_stored(struct arena *a, const struct schema_kind_info *kind, const struct json *served,
                           struct json *ret, struct err *err)
{
    if (!kind->stored) {
        *ret = *served;
        return ERR_NONE;
    }
    return convert(a, pair_of(kind)->to_stored, stored_kind(kind), served, ret, err);
}

static err_code builtin_from_stored(struct arena *a, const struct served_kind *kind,
                                    const struct json *stored, struct json *ret, struct err *err)
{
    return convert_from_stored(a, kind->info, stored, ret, err);
}

static err_code builtin_to_stored(struct arena *a, const struct served_kind *kind, const struct json *served,
                                  struct json *ret, struct err *err)
{
    return convert_to_stored(a, kind->info, served, ret, err);
}

const struct conversion conversion_builtin = {builtin_from_stored, builtin_to_stored};

/* --- events.k8s.io/v1 and v1: the same fields, some under other names --- */

static const struct {
    str served, stored;
} event_fields[] = {
    {S_INIT("metadata"), S_INIT("metadata")},
    {S_INIT("regarding"), S_INIT("involvedObject")},
    {S_INIT("reason"), S_INIT("reason")},
    {S_INIT("note"), S_INIT("message")},
    {S_INIT("deprecatedSource"), S_INIT("source")},
    {S_INIT("deprecatedFirstTimestamp"), S_INIT("firstTimestamp")},
    {S_INIT("deprecatedLastTimestamp"), S_INIT("lastTimestamp")},
    {S_INIT("deprecatedCount"), S_INIT("count")},
    {S_INIT("type"), S_INIT("type")},
    {S_INIT("eventTime"), S_INIT("eventTime")},
    {S_INIT("series"), S_INIT("series")},
    {S_INIT("action"), S_INIT("action")},
    {S_INIT("related"), S_INIT("related")},
    {S_INIT("reportingController"), S_INIT("reportingComponent")},
    {S_INIT("reportingInstance"), S_INIT("reportingInstance")},
};

err_code event_from_stored(struct arena *a, const struct json *in, struct json *ret, struct err *err)
{
    *ret = json_object();
    for (size_t i = 0; i < ARRAY_COUNT(event_fields); i++)
        convert_copy(a, in, event_fields[i].stored, ret, event_fields[i].served);
    return ERR_NONE;
}

err_code event_to_stored(struct arena *a, const struct json *in, struct json *ret, struct err *err)
{
    *ret = json_object();
    for (size_t i = 0; i < ARRAY_COUNT(event_fields); i++)
        convert_copy(a, in, event_fields[i].served, ret, event_fields[i].stored);
    return ERR_NONE;
}
