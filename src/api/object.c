/* object.c - finds what stands beside the content, once, and composes what is served. */
#include "api/object.h"
#include "base/mem.h"
#include "wire/json.h"

int object_key_cmp(const struct object_key *x, const struct object_key *y)
{
    if (x->resource != y->resource)
        return x->resource < y->resource ? -1 : 1;
    int c = str_cmp(x->ns, y->ns);
    return c ? c : str_cmp(x->name, y->name);
}

/* --- making --- */

struct reading {
    struct json_reader r;
    struct arena arena; /* for text with escapes, of which there is hardly any */
    struct err *err;
    str content;
    struct object o; /* all but the text */
};

static void reading_done(struct reading *rd)
{
    arena_done(&rd->arena);
}

static err_code corrupt(struct reading *rd, const char *what)
{
    return err_set(rd->err, ERR_CORRUPT, "%s", what);
}

/* The text of a value: all of it, or of a string what is between the quotes. */
static struct object_span span_of(const struct reading *rd, str text)
{
    size_t quotes = text.n && text.p[0] == '"';
    return (struct object_span){(uint32_t)((size_t)(text.p - rd->content.p) + quotes),
                                (uint32_t)(text.n - 2 * quotes)};
}

static str read_text(struct reading *rd)
{
    struct json j = json_read_scalar(&rd->r);
    return json_str(&j);
}

static uint32_t read_to(const struct reading *rd)
{
    return (uint32_t)(rd->r.p - rd->content.p);
}

/* One member of metadata. resourceVersion goes behind the last of those that come before it. */
static err_code read_member(struct reading *rd, str name, struct object_key key)
{
    bool before = true;
    if (str_is(name, "name")) {
        if (!str_eq(read_text(rd), key.name))
            return corrupt(rd, "metadata.name is not that of the key");
    } else if (str_is(name, "namespace")) {
        if (key.ns.n == 0 || !str_eq(read_text(rd), key.ns))
            return corrupt(rd, "metadata.namespace is not that of the key");
        rd->o.ns_n = (uint16_t)key.ns.n;
    } else if (str_is(name, "uid")) {
        rd->o.uid = span_of(rd, json_skip(&rd->r));
    } else if (str_is(name, "generateName") || str_is(name, "selfLink")) {
        json_skip(&rd->r);
    } else {
        before = false;
        str text = json_skip(&rd->r);
        if (str_is(name, "deletionTimestamp"))
            rd->o.flags |= OBJECT_DELETING;
        else if (str_is(name, "labels"))
            rd->o.labels = span_of(rd, text);
        else if (str_is(name, "ownerReferences"))
            rd->o.owners = span_of(rd, text);
        else if (str_is(name, "finalizers"))
            rd->o.flags |= text.n > 2 ? OBJECT_FINALIZERS : 0;
        else if (str_is(name, "resourceVersion"))
            return corrupt(rd, "metadata.resourceVersion is part of it");
    }
    if (before && !rd->r.failed)
        rd->o.revision_at = read_to(rd) + (rd->r.p < rd->r.end && *rd->r.p == ',');
    return rd->r.failed ? rd->err->code : ERR_NONE;
}

static err_code read_content(struct reading *rd, struct object_key key)
{
    str name;
    if (!str_starts(rd->content, S("{\"metadata\":{\"name\":")) || !str_ends(rd->content, S("}")))
        return corrupt(rd, "it is not an object that begins with metadata.name");
    json_reader_init(&rd->r, &rd->arena, rd->content, rd->err);
    json_enter_object(&rd->r);
    json_next_member(&rd->r, &name);
    json_enter_object(&rd->r);
    while (json_next_member(&rd->r, &name))
        if (read_member(rd, name, key))
            return rd->err->code;
    rd->o.rest_at = read_to(rd);
    if (!rd->r.failed && rd->o.rest_at < rd->content.n && *rd->r.p != ',' && *rd->r.p != '}')
        return corrupt(rd, "something is wrong behind metadata");
    if (!rd->r.failed && rd->o.rest_at >= rd->content.n)
        return corrupt(rd, "it ends with metadata");
    if (!rd->r.failed && rd->o.ns_n != key.ns.n)
        return corrupt(rd, "metadata.namespace is not there");
    return rd->r.failed ? rd->err->code : ERR_NONE;
}

err_code object_new(struct object_key key, str content, struct object **ret, struct err *err)
{
    CLEANUP(reading_done) struct reading rd = {.err = err, .content = content};
    if (content.n > OBJECT_SIZE_MAX)
        return err_set(err, ERR_TOO_LARGE, "content of %zu bytes is longer than %zu", content.n,
                       OBJECT_SIZE_MAX);
    if (key.name.n == 0 || key.name.n > UINT16_MAX || key.ns.n > UINT16_MAX)
        return err_set(err, ERR_CORRUPT, "a name of %zu bytes in a namespace of %zu is none", key.name.n,
                       key.ns.n);
    arena_init(&rd.arena, 0);
    if (read_content(&rd, key))
        return err_wrap_as(err, ERR_CORRUPT, "content of '%" STR_FMT "' in namespace '%" STR_FMT "'",
                           STR_ARG(key.name), STR_ARG(key.ns));
    struct object *o = mem_alloc(offsetof(struct object, text) + key.ns.n + key.name.n + content.n);
    memcpy(o, &rd.o, offsetof(struct object, text));
    atomic_init(&o->refs, 1);
    o->resource = key.resource;
    o->name_n = (uint16_t)key.name.n;
    o->content_n = (uint32_t)content.n;
    if (key.ns.n)
        memcpy(o->text, key.ns.p, key.ns.n);
    memcpy(o->text + key.ns.n, key.name.p, key.name.n);
    memcpy(o->text + key.ns.n + key.name.n, content.p, content.n);
    *ret = o;
    return ERR_NONE;
}

/* The count is the one part of an object that changes. */
static struct object *counted(const struct object *o)
{
    union {
        const struct object *shared;
        struct object *own;
    } u = {.shared = o};
    return u.own;
}

struct object *object_ref(const struct object *o)
{
    atomic_fetch_add_explicit(&counted(o)->refs, 1, memory_order_relaxed);
    return counted(o);
}

struct object *object_unref(const struct object *o)
{
    /* Release what this thread read, acquire what the others did: the last one frees. */
    if (o && atomic_fetch_sub_explicit(&counted(o)->refs, 1, memory_order_acq_rel) == 1)
        mem_free(counted(o));
    return NULL;
}

/* --- serving --- */

void object_print(struct buf *out, const struct object *o, str head)
{
    object_print_at(out, o, head, o->revision);
}

void object_print_at(struct buf *out, const struct object *o, str head, int64_t revision)
{
    str content = object_content(o);
    buf_add(out, head);
    buf_add(out, str_slice(content, 1, o->revision_at));
    bool last = content.p[o->revision_at] == '}';
    buf_add(out, last ? S(",\"resourceVersion\":\"") : S("\"resourceVersion\":\""));
    buf_add_i64(out, revision);
    buf_add(out, last ? S("\"") : S("\","));
    buf_add(out, str_from(content, o->revision_at));
}

/* --- labels --- */

/* Text up to the next quote, and p behind that; NULL: there is none. */
static inline const char *quoted(const char *p, const char *end, str *ret)
{
    const char *quote = memchr(p, '"', (size_t)(end - p));
    if (!quote)
        return NULL;
    *ret = str_of(p, (size_t)(quote - p));
    return quote + 1;
}

/* The pair behind p, which is at the brace or comma before it: `"key":"value"`. Behind that, or NULL at the end, or where it
 * is something else. */
static inline const char *next_label(const char *p, const char *end, struct label *ret)
{
    if (end - p < 7 || p[1] != '"')
        return NULL;
    p = quoted(p + 2, end, &ret->key);
    if (!p || end - p < 3 || p[0] != ':' || p[1] != '"')
        return NULL;
    return quoted(p + 2, end, &ret->value);
}

bool object_label(const struct object *o, str key, str *ret_value)
{
    str labels = object_slice(o, o->labels);
    const char *p = labels.p, *end = p ? p + labels.n : p;
    struct label l;
    while (p && (p = next_label(p, end, &l))) {
        if (str_eq(l.key, key)) {
            *ret_value = l.value;
            return true;
        }
    }
    return false;
}

#define LABELS_AT_ONCE 48

bool object_matches_labels(const struct object *o, const struct label_selector *sel)
{
    struct label labels[LABELS_AT_ONCE];
    size_t count = 0;
    str value;
    if (sel->count > 1) { /* each is read once, unless there are very many */
        str text = object_slice(o, o->labels);
        const char *p = text.p, *end = p ? p + text.n : p;
        while (p && count < LABELS_AT_ONCE && (p = next_label(p, end, &labels[count])))
            count++;
        if (count < LABELS_AT_ONCE)
            return label_selector_matches(sel, labels, count);
    }
    for (uint32_t i = 0; i < sel->count; i++) {
        const struct label_requirement *r = &sel->requirements[i];
        if (!label_requirement_matches(r, object_label(o, r->key, &value) ? &value : NULL))
            return false;
    }
    return !sel->nothing;
}

/* --- fields --- */

/* The value of a member of the object the reader is in; it is not read yet. */
static bool find_member(struct json_reader *r, str name)
{
    str found;
    while (json_next_member(r, &found)) {
        if (str_eq(found, name))
            return true;
        json_skip(r);
    }
    return false;
}

static str scalar_text(struct json_reader *r)
{
    str text = json_skip(r);
    if (text.n == 0 || text.p[0] == '{' || text.p[0] == '[' || str_is(text, "null"))
        return STR_NONE;
    if (text.p[0] != '"')
        return text;
    text = str_slice(text, 1, text.n - 1);
    return str_index_c(text, '\\') == SIZE_MAX ? text : STR_NONE;
}

static str unescaped(struct arena *a, str text)
{
    struct err ignored; /* it was read once already */
    struct json_reader r;
    json_reader_init(&r, a, text, &ignored);
    struct json j = json_read_scalar(&r);
    return json_str(&j);
}

str object_field(struct arena *a, const struct object *o, str path)
{
    struct json_reader r;
    struct err e;
    str step, content = object_content(o);
    if (str_is(path, "metadata.name"))
        return object_name(o);
    if (str_is(path, "metadata.namespace"))
        return object_ns(o);
    if (path.n == 0)
        return STR_NONE;
    if (str_starts(path, S("metadata."))) {
        json_reader_init(&r, a, content, &e);
        json_enter_object(&r);
    } else { /* as if the brace and metadata had been read */
        json_reader_init(&r, a, str_from(content, o->rest_at), &e);
        r.depth = 1;
    }
    while (str_next(&path, '.', &step)) {
        if (!find_member(&r, step))
            return STR_NONE;
        if (path.p && json_peek(&r) != JSON_OBJECT)
            return STR_NONE;
        if (path.p)
            json_enter_object(&r);
    }
    const char *at = r.p;
    str text = scalar_text(&r);
    if (text.p || r.failed || *at != '"')
        return text;
    return unescaped(a, str_of(at, (size_t)(r.p - at)));
}
