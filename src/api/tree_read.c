/* tree_read.c - a body from outside: parsed, normalised, and what strict decoding would complain about.
 * The order of complaints is the original's. Built-in kinds are decoded into structs there, which complains as it goes
 * through the document. Custom resources are parsed, which finds duplicates, then pruned: first metadata, then the rest
 * by path. YAML is parsed for duplicates, and read on as JSON that has its members by name. */
#include "api/tree.h"
#include "base/utf8.h"
#include "wire/protobuf.h"
#include "wire/yaml.h"
#include <stdlib.h>

struct reader {
    struct arena *a;
    const struct schema *s;
    const struct schema_type *t;
    struct tree_complaints *complaints;
    struct err *err;
    bool repeats; /* the text has an object with two members of one name */
};

/* --- formats --- */

static const struct {
    str name;
    bool custom; /* for custom resources too */
} media_types[] = {
    [TREE_JSON] = {S_INIT("application/json"), true},
    [TREE_YAML] = {S_INIT("application/yaml"), true},
    [TREE_PROTOBUF] = {S_INIT("application/vnd.kubernetes.protobuf"), false},
};

static bool is_custom(const struct schema *s)
{
    return s->base != NULL;
}

static bool is_accepted(size_t format, const struct schema *s)
{
    return media_types[format].custom || !is_custom(s);
}

static err_code fail_media_type(const struct schema *s, struct err *err)
{
    char storage[sizeof err->msg];
    struct buf accepted = {.p = storage, .cap = sizeof storage, .max = sizeof storage};
    for (size_t i = 0; i < ARRAY_COUNT(media_types); i++) {
        if (!is_accepted(i, s))
            continue;
        if (accepted.n)
            buf_add_lit(&accepted, ", ");
        buf_add(&accepted, media_types[i].name);
    }
    return err_set(
        err, ERR_UNSUPPORTED_MEDIA_TYPE,
        "the body of the request was in an unknown format - accepted media types include: %" STR_FMT,
        STR_ARG(buf_str(&accepted)));
}

err_code tree_format_of(str content_type, const struct schema *s, enum tree_format *ret, struct err *err)
{
    str name, parameters;
    str_cut(content_type, ';', &name, &parameters);
    name = str_trim(name);
    if (!content_type.n)
        name = media_types[TREE_JSON].name;
    for (size_t i = 0; i < ARRAY_COUNT(media_types); i++)
        if (str_eq_nocase(name, media_types[i].name) && is_accepted(i, s)) {
            *ret = (enum tree_format)i;
            return ERR_NONE;
        }
    return fail_media_type(s, err);
}

/* --- complaints --- */

void tree_complaints_add(struct tree_complaints *c, str text)
{
    for (size_t i = 0; i < c->count; i++)
        if (str_eq(c->items[i], text))
            return;
    if (c->count < TREE_COMPLAINTS_MAX)
        c->items[c->count++] = text;
}

static void complain_of(struct reader *r, const char *what, str path)
{
    struct tree_complaints *c = r->complaints;
    if (c->count == TREE_COMPLAINTS_MAX)
        return;
    struct buf text;
    buf_init_arena(&text, c->arena, SIZE_MAX);
    buf_add_f(&text, "%s field ", what);
    utf8_add_quoted(&text, path);
    tree_complaints_add(c, buf_str(&text));
}

static void on_duplicate(void *ctx, str path)
{
    complain_of(ctx, "duplicate", path);
}

static void on_unknown(void *ctx, str path)
{
    complain_of(ctx, "unknown", path);
}

static void on_repeat(void *ctx, str path)
{
    struct reader *r = ctx;
    r->repeats = true;
}

static void on_yaml_duplicate(void *ctx, str message)
{
    struct tree_complaints *c = ((struct reader *)ctx)->complaints;
    if (c->count < TREE_COMPLAINTS_MAX)
        tree_complaints_add(c, str_dup(c->arena, message));
    c->of_yaml = c->count;
}

static int compare_pruned(const void *x, const void *y)
{
    str a = *(const str *)x, b = *(const str *)y, metadata = S("unknown field \"metadata.");
    bool a_first = str_starts(a, metadata), b_first = str_starts(b, metadata);
    return a_first != b_first ? (a_first ? -1 : 1) : str_cmp(a, b);
}

void tree_complaints_print(const struct tree_complaints *c, struct buf *out)
{
    buf_add_lit(out, "strict decoding error: ");
    if (c->of_yaml)
        buf_add_lit(out, "yaml: unmarshal errors:");
    for (size_t i = 0; i < c->count; i++) {
        if (i < c->of_yaml)
            buf_add_lit(out, "\n  ");
        else if (i > 0)
            buf_add_lit(out, ", ");
        buf_add(out, c->items[i]);
    }
}

/* --- reading --- */

static err_code normalise(struct reader *r, const struct json *in, struct json *ret)
{
    struct tree_report report = {.on_unknown = on_unknown, .ctx = r};
    struct tree_complaints *c = r->complaints;
    size_t first = c->count;
    if (tree_normalise(r->a, r->s, r->t, in, &report, ret, r->err))
        return r->err->code;
    if (is_custom(r->s))
        qsort(c->items + first, c->count - first, sizeof c->items[0], compare_pruned);
    return ERR_NONE;
}

static err_code parse_json(struct reader *r, str text, unsigned flags, void (*on_second)(void *ctx, str path),
                           struct json *ret)
{
    struct json_opts opts = {
        .flags = flags, .names = schema_builtin.names, .on_duplicate = on_second, .ctx = r};
    return json_parse(r->a, text, &opts, ret, r->err);
}

/* Goes through a document with everything that it says twice in place. */
static err_code complain_in_order(struct reader *r, str text)
{
    struct json all, ignored;
    struct tree_report report = {.on_unknown = on_unknown, .on_duplicate = on_duplicate, .ctx = r};
    if (parse_json(r, text, JSON_DUPLICATES_KEEP, NULL, &all))
        return r->err->code;
    return tree_normalise(r->a, r->s, r->t, &all, &report, &ignored, r->err);
}

static err_code read_json(struct reader *r, str text, struct json *ret)
{
    struct json in;
    if (parse_json(r, text, 0, is_custom(r->s) ? on_duplicate : on_repeat, &in))
        return r->err->code;
    if (!r->repeats)
        return normalise(r, &in, ret);
    if (complain_in_order(r, text))
        return r->err->code;
    return tree_normalise(r->a, r->s, r->t, &in, NULL, ret, r->err);
}

static err_code read_yaml(struct reader *r, str text, struct json *ret)
{
    struct yaml_opts opts = {
        .flags = YAML_BODY, .names = schema_builtin.names, .on_duplicate = on_yaml_duplicate, .ctx = r};
    struct json in;
    if (yaml_parse(r->a, text, &opts, &in, r->err))
        return r->err->code;
    json_sort_members(&in, true);
    return normalise(r, &in, ret);
}

/* Nothing for an empty text, as where JSON says none. */
static void add_type_meta(struct json *to, str name, str text)
{
    if (text.n)
        to->v.members[to->n++] = (struct json_member){
            .name = name.p, .name_n = (uint32_t)name.n, .value = json_of_str(text)};
}

static err_code read_protobuf(struct reader *r, str bytes, struct json *ret)
{
    struct pb_envelope e;
    struct json inside;
    if (pb_envelope_decode(bytes, &e, r->err))
        return r->err->code;
    if (!utf8_valid(e.kind) || !utf8_valid(e.api_version))
        return err_set(r->err, ERR_SYNTAX, "protobuf: the envelope's kind or apiVersion is not UTF-8");
    if (message_decode(r->a, r->s, r->t, e.raw, &inside, r->err))
        return r->err->code;
    struct json whole = {.type = JSON_OBJECT,
                         .v.members = ARENA_ARRAY(r->a, struct json_member, inside.n + 2u)};
    add_type_meta(&whole, S("kind"), e.kind);
    add_type_meta(&whole, S("apiVersion"), e.api_version);
    if (inside.n)
        memcpy(whole.v.members + whole.n, inside.v.members, inside.n * sizeof *whole.v.members);
    whole.n += inside.n;
    *ret = whole;
    return arena_check(r->a, r->err);
}

err_code tree_read(struct arena *a, const struct schema *s, const struct schema_type *t,
                   enum tree_format format, str body, struct tree_complaints *ret_complaints,
                   struct json *ret, struct err *err)
{
    *ret_complaints = (struct tree_complaints){.arena = a};
    struct reader r = {.a = a, .s = s, .t = t, .complaints = ret_complaints, .err = err};
    switch (format) {
    case TREE_JSON: return read_json(&r, body, ret);
    case TREE_YAML: return read_yaml(&r, body, ret);
    case TREE_PROTOBUF: return read_protobuf(&r, body, ret);
    }
    ASSERT(!"every format is read");
}
