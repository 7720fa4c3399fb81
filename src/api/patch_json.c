/* patch_json.c - RFC 6902 as the original's library (json-patch v4) understands it:
 *  - `replace` of a member that is not there adds it; of an item that is not there fails;
 *  - negative indexes count from the end, -1 being the last item, or for `add` the place behind it;
 *  - `copy` of a member that is not there copies null, and a missing `value` is null;
 *  - `test` of a member that is not there succeeds when the value is null or missing;
 *  - what stands before the first '/' of a path is passed over.
 * The document is copied once and then edited in place. */
#include "api/patch.h"
#include "api/scalar.h"

enum {
    WORK_MAX = 1 << 28, /* items and members looked at or moved */
    COPY_SIZE_MAX = 64 << 20,
};

struct patcher {
    struct arena *a;
    struct json root;
    size_t copied; /* bytes, by all copies so far */
    size_t work;
    struct err *err;
};

/* One operation. */
struct operation {
    str op, path, from;
    bool has_path, has_from;
    const struct json *value; /* NULL: not given */
};

/* --- paths --- */

/* ~1 is '/', ~0 is '~'. */
static str unescape(struct arena *a, str s)
{
    if (str_index_c(s, '~') == SIZE_MAX)
        return s;
    char *p = arena_alloc(a, s.n, 1);
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        bool escape = s.p[i] == '~' && i + 1 < s.n && (s.p[i + 1] == '0' || s.p[i + 1] == '1');
        p[n++] = !escape ? s.p[i] : s.p[i + 1] == '0' ? '~' : '/';
        i += escape;
    }
    return str_of(p, n);
}

/* As strconv.Atoi. */
static bool parse_index(str key, int64_t *ret)
{
    if (key.n && key.p[0] == '+')
        key = str_from(key, 1);
    return str_parse_i64(key, ret);
}

enum place_result { PLACE_OK, PLACE_NO_NUMBER, PLACE_OUTSIDE };

/* Where in an array of `n` items (for `add`: one more) a key points. */
static enum place_result item_place(str key, size_t n, size_t *ret)
{
    int64_t i;
    if (!parse_index(key, &i))
        return PLACE_NO_NUMBER;
    if (i < 0)
        i += (int64_t)n;
    if (i < 0 || i >= (int64_t)n)
        return PLACE_OUTSIDE;
    *ret = (size_t)i;
    return PLACE_OK;
}

static bool bad_place(struct patcher *p, enum place_result why, str key)
{
    if (why == PLACE_NO_NUMBER)
        err_set(p->err, ERR_INVALID, "strconv.Atoi: parsing \"%" STR_FMT "\": invalid syntax", STR_ARG(key));
    else
        err_set(p->err, ERR_INVALID, "Unable to access invalid index: %" STR_FMT ": invalid index referenced",
                STR_ARG(key));
    return false;
}

static bool spend(struct patcher *p, size_t work)
{
    p->work += work;
    if (p->work <= WORK_MAX)
        return true;
    err_set(p->err, ERR_INVALID, "the patch needs too much work: it moves too many items");
    return false;
}

/* What stands at a key; *ret NULL: a member that is not there. */
static bool get(struct patcher *p, const struct json *container, str key, struct json **ret)
{
    if (!spend(p, container->type == JSON_OBJECT ? container->n : 1))
        return false;
    if (container->type == JSON_OBJECT) {
        *ret = json_find(container, key);
        return true;
    }
    size_t at = 0;
    enum place_result result = item_place(key, container->n, &at);
    if (result != PLACE_OK)
        return bad_place(p, result, key);
    *ret = &container->v.items[at];
    return true;
}

/* The container that the last part of a path is in. NULL: not there. */
static struct json *find_container(struct patcher *p, str path, str *ret_key)
{
    str rest, part;
    if (!str_cut(path, '/', &part, &rest))
        return NULL;
    struct json *at = &p->root;
    while (str_index_c(rest, '/') != SIZE_MAX) {
        str_cut(rest, '/', &part, &rest);
        if (!get(p, at, unescape(p->a, part), &at) || !at || !json_is_container(at))
            return NULL;
    }
    *ret_key = unescape(p->a, rest);
    return json_is_container(at) ? at : NULL;
}

/* --- changes --- */

static bool add(struct patcher *p, struct json *container, str key, struct json value)
{
    if (!spend(p, container->n))
        return false;
    if (container->type == JSON_OBJECT) {
        json_set(p->a, container, key, value);
        return true;
    }
    size_t at = container->n;
    enum place_result result = str_is(key, "-") ? PLACE_OK : item_place(key, container->n + (size_t)1, &at);
    if (result != PLACE_OK)
        return bad_place(p, result, key);
    json_insert(p->a, container, at, value);
    return true;
}

static bool take_out(struct patcher *p, struct json *container, str key)
{
    if (!spend(p, container->n))
        return false;
    if (container->type == JSON_OBJECT) {
        if (json_remove(container, key))
            return true;
        err_set(p->err, ERR_INVALID, "Unable to remove nonexistent key: %" STR_FMT ": missing value",
                STR_ARG(key));
        return false;
    }
    size_t at = 0;
    enum place_result result = item_place(key, container->n, &at);
    if (result != PLACE_OK)
        return bad_place(p, result, key);
    json_remove_at(container, at);
    return true;
}

/* --- operations --- */

static bool missing(struct patcher *p, const char *what, str path)
{
    err_set(p->err, ERR_INVALID, "%s: %" STR_FMT ": missing value", what, STR_ARG(path));
    return false;
}

static bool wrapped(struct patcher *p, bool ok, const char *what, str path)
{
    if (!ok)
        err_wrap(p->err, "error in %s for path: '%" STR_FMT "'", what, STR_ARG(path));
    return ok;
}

static struct json value_of(struct patcher *p, const struct operation *o)
{
    return o->value ? json_clone(p->a, o->value) : json_null();
}

static bool do_add(struct patcher *p, const struct operation *o)
{
    str key;
    struct json *container = find_container(p, o->path, &key);
    if (!container)
        return missing(p, "add operation does not apply: doc is missing path", o->path);
    return wrapped(p, add(p, container, key, value_of(p, o)), "add", o->path);
}

static bool do_remove(struct patcher *p, const struct operation *o)
{
    str key;
    struct json *container = find_container(p, o->path, &key);
    if (!container)
        return missing(p, "remove operation does not apply: doc is missing path", o->path);
    return wrapped(p, take_out(p, container, key), "remove", o->path);
}

static bool do_replace(struct patcher *p, const struct operation *o)
{
    str key;
    struct json *there;
    if (o->path.n == 0) {
        if (!o->value || !json_is_container(o->value)) {
            err_set(p->err, ERR_INVALID, "replace operation value must be object or array");
            return false;
        }
        p->root = value_of(p, o);
        return true;
    }
    struct json *container = find_container(p, o->path, &key);
    if (!container)
        return missing(p, "replace operation does not apply: doc is missing path", o->path);
    if (!get(p, container, key, &there))
        return missing(p, "replace operation does not apply: doc is missing key", o->path);
    if (there)
        *there = value_of(p, o);
    else
        json_add(p->a, container, key, value_of(p, o));
    return true;
}

static bool do_move(struct patcher *p, const struct operation *o)
{
    str key;
    struct json *value;
    struct json *container = find_container(p, o->from, &key);
    if (!container)
        return missing(p, "move operation does not apply: doc is missing from path", o->from);
    if (!get(p, container, key, &value))
        return wrapped(p, false, "move", key);
    struct json moved = value ? *value : json_null();
    if (!take_out(p, container, key))
        return wrapped(p, false, "move", key);
    container = find_container(p, o->path, &key);
    if (!container)
        return missing(p, "move operation does not apply: doc is missing destination path", o->path);
    return wrapped(p, add(p, container, key, moved), "move", o->path);
}

static bool do_test(struct patcher *p, const struct operation *o)
{
    static const struct json null = {.type = JSON_NULL};
    struct json *there = &p->root;
    if (o->path.n) {
        str key;
        struct json *container = find_container(p, o->path, &key);
        if (!container)
            return missing(p, "test operation does not apply: is missing path", o->path);
        if (!get(p, container, key, &there))
            return wrapped(p, false, "test", o->path);
    }
    if (json_equal(there ? there : &null, o->value ? o->value : &null))
        return true;
    err_set(p->err, ERR_INVALID, "testing value %" STR_FMT " failed: test failed", STR_ARG(o->path));
    return false;
}

/* Bytes of JSON are what the original counts. */
static bool count_copy(struct patcher *p, const struct json *value)
{
    CLEANUP(buf_done) struct buf b;
    buf_init(&b, COPY_SIZE_MAX);
    json_print(&b, value, JSON_HTML);
    p->copied += b.n;
    if (!b.failed && p->copied <= PATCH_SIZE_MAX)
        return true;
    err_set(
        p->err, ERR_INVALID,
        "Unable to complete the copy, the accumulated size increase of copy is %zu, exceeding the limit %zu",
        p->copied, PATCH_SIZE_MAX);
    return false;
}

static bool do_copy(struct patcher *p, const struct operation *o)
{
    str key, to_key;
    struct json *value;
    struct json *from = find_container(p, o->from, &key);
    if (!from)
        return missing(p, "copy operation does not apply: doc is missing from path", o->from);
    if (!get(p, from, key, &value))
        return wrapped(p, false, "copy", o->from);
    struct json *to = find_container(p, o->path, &to_key);
    if (!to)
        return missing(p, "copy operation does not apply: doc is missing destination path", o->path);
    if (value && !count_copy(p, value))
        return false;
    struct json copy = value ? json_clone(p->a, value) : json_null();
    return wrapped(p, add(p, to, to_key, copy), "copy", o->path);
}

static const struct {
    str name;
    bool (*run)(struct patcher *p, const struct operation *o);
    bool needs_from;
} operations[] = {
    {S_INIT("add"), do_add, false},         {S_INIT("remove"), do_remove, false},
    {S_INIT("replace"), do_replace, false}, {S_INIT("move"), do_move, true},
    {S_INIT("test"), do_test, false},       {S_INIT("copy"), do_copy, true},
};

static bool run(struct patcher *p, const struct operation *o)
{
    for (size_t i = 0; i < ARRAY_COUNT(operations); i++) {
        if (!str_eq(operations[i].name, o->op))
            continue;
        if (operations[i].needs_from && !o->has_from) {
            err_set(p->err, ERR_INVALID,
                    "%s operation failed to decode from: operation, missing from field: missing value",
                    operations[i].name.p);
            return false;
        }
        if (!o->has_path) {
            err_set(p->err, ERR_INVALID, "%s operation failed to decode path: missing value",
                    operations[i].name.p);
            return false;
        }
        return operations[i].run(p, o);
    }
    err_set(p->err, ERR_INVALID, "Unexpected kind: %" STR_FMT, STR_ARG(o->op));
    return false;
}

/* --- the patch --- */

/* Copies into copies nest quickly. No deeper than it may, this looks no deeper either. */
static bool deeper_than(const struct json *j, unsigned levels)
{
    if (!json_is_container(j))
        return false;
    if (levels == 0)
        return true;
    for (uint32_t i = 0; i < j->n; i++)
        if (deeper_than(j->type == JSON_ARRAY ? &j->v.items[i] : &j->v.members[i].value, levels - 1))
            return true;
    return false;
}

static bool text_of(const struct json *op, str name, str *ret)
{
    const struct json *j = json_find(op, name);
    if (!j || j->type != JSON_STRING)
        return false;
    *ret = json_str(j);
    return true;
}

static struct operation operation_of(const struct json *op)
{
    struct operation o = {.op = S("unknown"), .value = json_find(op, S("value"))};
    text_of(op, S("op"), &o.op);
    o.has_path = text_of(op, S("path"), &o.path);
    o.has_from = text_of(op, S("from"), &o.from);
    return o;
}

static err_code not_decoded(struct err *err, const struct json *j, const char *into, bool strict)
{
    str name = scalar_json_name(j);
    return err_set(err, ERR_BAD_REQUEST, "%sjson: cannot unmarshal %" STR_FMT " into Go %s",
                   strict ? "error decoding patch: " : "", STR_ARG(name), into);
}

/* Member by member, as the original's strict decoder of operations. */
static err_code check_strictly(struct arena *a, const struct json *op, size_t index,
                               struct tree_complaints *complaints, struct err *err)
{
    static const struct {
        str name;
        const char *into;
    } texts[] = {{S_INIT("op"), "struct field jsonPatchOp.op of type string"},
                 {S_INIT("path"), "struct field jsonPatchOp.path of type string"},
                 {S_INIT("from"), "struct field jsonPatchOp.from of type string"}};
    for (size_t i = 0; i < json_count(op); i++) {
        const struct json_member *m = &op->v.members[i];
        bool known = str_is(json_member_name(m), "value");
        for (size_t k = 0; k < ARRAY_COUNT(texts) && !known; k++) {
            known = str_eq(json_member_name(m), texts[k].name);
            if (known && m->value.type != JSON_STRING && m->value.type != JSON_NULL)
                return not_decoded(err, &m->value, texts[k].into, true);
        }
        if (!known)
            tree_complaints_add(complaints, str_format(a, "json patch unknown field \"[%zu].%" STR_FMT "\"",
                                                       index, STR_ARG(json_member_name(m))));
    }
    return ERR_NONE;
}

static err_code check_patch(struct arena *a, const struct json *patch, struct tree_complaints *complaints,
                            struct err *err)
{
    bool strict = complaints != NULL;
    if (patch->type != JSON_ARRAY && patch->type != JSON_NULL)
        return not_decoded(err, patch,
                           strict ? "value of type []handlers.jsonPatchOp" : "value of type jsonpatch.Patch",
                           strict);
    for (size_t i = 0; i < json_count(patch); i++) {
        const struct json *op = json_at(patch, i);
        if (op->type != JSON_OBJECT && op->type != JSON_NULL)
            return not_decoded(
                err, op, strict ? "value of type handlers.jsonPatchOp" : "value of type jsonpatch.Operation",
                strict);
        if (strict && check_strictly(a, op, i, complaints, err))
            return err->code;
    }
    if (json_count(patch) > PATCH_OPERATIONS_MAX)
        return err_set(
            err, ERR_TOO_LARGE,
            "Request entity is too large: The allowed maximum operations in a JSON patch is %d, got %zu",
            PATCH_OPERATIONS_MAX, json_count(patch));
    return ERR_NONE;
}

err_code patch_json(struct arena *a, const struct json *doc, const struct json *patch,
                    struct tree_complaints *complaints, struct json *ret, struct err *err)
{
    if (check_patch(a, patch, complaints, err))
        return err->code;
    struct patcher p = {.a = a, .root = json_clone(a, doc), .err = err};
    for (size_t i = 0; i < json_count(patch); i++) {
        struct operation o = operation_of(json_at(patch, i));
        if (!run(&p, &o))
            return err->code == ERR_TOO_LARGE ? ERR_TOO_LARGE : ERR_INVALID;
        if (arena_check(a, err))
            return err->code;
    }
    if (deeper_than(&p.root, JSON_DEPTH_MAX))
        return err_set(err, ERR_TOO_LARGE, "the document is nested deeper than %d levels", JSON_DEPTH_MAX);
    *ret = p.root;
    return ERR_NONE;
}
