/* json_parse.c - text to tree in one pass, without recursion.
 * Children of the containers that are open lie on one stack of 16-byte slots (a value takes one, a member two), the
 * stack of the innermost on top. When a container closes, its children are copied into the arena in one run of the
 * exact size, and its own slot, below them, gets the address. */
#include "base/mem.h"
#include "wire/json_priv.h"

enum {
    SLOTS_FIRST = 512, /* on the stack: enough for a document of some kilobytes */
    TABLE_FROM = 32,   /* members; fewer are compared one by one */
    PATH_MAX_SIZE = 1024,
};

/* The members of a large object by name: numbers of members + 1, 0 for empty; open addressing. */
struct name_table {
    uint32_t mask;
    uint32_t count;
    uint32_t slots[];
};

/* A container that is open. */
struct frame {
    size_t base;     /* slot of its first child; the slot below is its own */
    uint64_t filter; /* objects: a bit for each name so far; a bit that is not set means a new name */
    struct name_table *table;
    bool is_object;
    bool has_second; /* some member is marked as the second of its name */
};

/* A second member of a name waits on the stack until the object closes, with name NULL and in name_n the number of the
 * first. */
struct parser {
    struct json_reader r;
    const struct json_opts *opts;
    const struct intern *names;
    bool copy;
    struct json *slots, *limit; /* up to the limit there is room for a member */
    struct frame *frame;        /* innermost */
    bool key_made;
    uint64_t key[2]; /* of the tables */
    struct frame frames[JSON_DEPTH_MAX + 1];
    struct json first_slots[SLOTS_FIRST];
};

static struct json_member *as_member(struct json *slot)
{
    return (struct json_member *)(void *)slot;
}

static bool slots_grow(struct parser *ps, struct json **top)
{
    size_t used = (size_t)(*top - ps->slots), cap = (size_t)(ps->limit - ps->slots) + 2;
    struct arena *a = ps->r.arena;
    /* All of it will be asked of the arena in the end: refuse early what will not fit there. */
    if (a->budget && (a->used > a->budget || used * sizeof **top > a->budget - a->used)) {
        a->exceeded = true;
        return false;
    }
    bool first = ps->slots == ps->first_slots;
    struct json *slots = mem_realloc(first ? NULL : ps->slots, cap * 2 * sizeof *slots);
    if (first)
        memcpy(slots, ps->first_slots, sizeof ps->first_slots);
    ps->slots = slots;
    ps->limit = slots + cap * 2 - 2;
    *top = slots + used;
    return true;
}

/* Large objects. */

static void key_make(struct parser *ps)
{
    /* Against names made to collide: addresses, which nobody outside knows, are enough, for the order of a table is
     * never seen and only time is at stake. */
    ps->key[0] = (uint64_t)(uintptr_t)ps ^ (uint64_t)(uintptr_t)ps->r.start << 20;
    ps->key_made = true;
    ps->key[1] = (uint64_t)(uintptr_t)ps->slots ^ (uint64_t)(uintptr_t)&key_make << 24;
}

/* The member of this name that is in the table; if there is none, `number` goes in. */
static uint32_t table_put(struct parser *ps, struct name_table *t, struct json_member *members,
                          uint32_t number)
{
    str name = json_member_name(&members[number]);
    uint32_t at = (uint32_t)str_hash_keyed(name, ps->key) & t->mask;
    for (; t->slots[at]; at = (at + 1) & t->mask)
        if (str_eq(json_member_name(&members[t->slots[at] - 1]), name))
            return t->slots[at] - 1;
    t->slots[at] = number + 1;
    t->count++;
    return number;
}

static struct name_table *table_rebuild(struct parser *ps, struct name_table *old,
                                        struct json_member *members, uint32_t count)
{
    uint32_t size = old ? (old->mask + 1) * 4 : TABLE_FROM * 8;
    struct name_table *t = mem_alloc_zero(1, sizeof *t + size * sizeof t->slots[0]);
    t->mask = size - 1;
    for (uint32_t i = 0; i < count; i++)
        if (members[i].name)
            table_put(ps, t, members, i);
    mem_free(old);
    return t;
}

static uint32_t table_find_or_put(struct parser *ps, struct frame *f, struct json_member *members,
                                  uint32_t number)
{
    if (!ps->key_made)
        key_make(ps);
    if (!f->table || f->table->count > f->table->mask / 2)
        f->table = table_rebuild(ps, f->table, members, number);
    f->filter = ~(uint64_t)0;
    return table_put(ps, f->table, members, number);
}

/* Second members of a name. */

/* Where the member whose name was just read is: `spec.containers[0].name`, cut at the end when very long. */
static void path_of(struct parser *ps, str name, struct buf *out)
{
    for (struct frame *f = ps->frames + 1; f < ps->frame; f++) {
        struct json *child = &ps->slots[f[1].base - 1];
        if (!f->is_object) {
            buf_add_f(out, "[%zu]", f[1].base - 1 - f->base);
            continue;
        }
        struct json_member *m = CONTAINER_OF(child, struct json_member, value);
        if (!m->name)
            m = as_member(ps->slots + f->base) + m->name_n;
        if (out->n)
            buf_add_c(out, '.');
        buf_add(out, str_slice(json_member_name(m), 0, out->max - out->n));
    }
    if (out->n)
        buf_add_c(out, '.');
    buf_add(out, str_slice(name, 0, out->max - out->n));
}

/* Tells who asked; false: it is an error. The name is at `at`, or behind space there. */
static bool tell_second(struct parser *ps, str name, const char *at)
{
    const struct json_opts *opts = ps->opts;
    if (!(opts->flags & JSON_DUPLICATES_ERROR) && !opts->on_duplicate)
        return true;
    CLEANUP(buf_done) struct buf path;
    buf_init(&path, PATH_MAX_SIZE);
    path_of(ps, name, &path);
    if (opts->flags & JSON_DUPLICATES_ERROR) {
        json_fail(&ps->r, json_space(at, ps->r.end), "a second member '%" STR_FMT "'",
                  STR_ARG(buf_str(&path)));
        return false;
    }
    opts->on_duplicate(opts->ctx, buf_str(&path));
    return true;
}

static uint32_t first_of_name(struct parser *ps, struct json_member *members, uint32_t number)
{
    const struct json_member *m = &members[number];
    if (number >= TABLE_FROM)
        return table_find_or_put(ps, ps->frame, members, number);
    for (uint32_t i = 0; i < number; i++)
        if (members[i].id == m->id && members[i].name_n == m->name_n && members[i].name &&
            (m->id || memcmp(members[i].name, m->name, m->name_n) == 0))
            return i;
    return number;
}

/* The filter says that the name of the newest member may have been there before. False: failed. */
static __attribute__((noinline)) bool check_second(struct parser *ps, struct json_member *m, const char *at)
{
    struct json_member *members = as_member(ps->slots + ps->frame->base);
    uint32_t first = first_of_name(ps, members, (uint32_t)(m - members));
    if (&members[first] == m)
        return true;
    if (!tell_second(ps, json_member_name(m), at))
        return false;
    if (ps->opts->flags & JSON_DUPLICATES_KEEP)
        return true;
    ps->frame->has_second = true;
    m->name = NULL;
    m->name_n = first;
    return true;
}

/* The later value takes the place of the first one. Returns how many members are left. */
static uint32_t drop_seconds(struct json_member *members, uint32_t count)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count; i++)
        if (!members[i].name)
            members[members[i].name_n].value = members[i].value;
    for (uint32_t i = 0; i < count; i++)
        if (members[i].name)
            members[kept++] = members[i];
    return kept;
}

/* The containers. */

static inline bool frame_open(struct parser *ps, struct json *top, bool is_object, const char *at)
{
    if (UNLIKELY(++ps->r.depth > ps->r.depth_max)) {
        json_fail_depth(&ps->r, at);
        return false;
    }
    struct frame *f = ++ps->frame;
    f->base = (size_t)(top - ps->slots);
    f->filter = 0;
    f->table = NULL;
    f->is_object = is_object;
    f->has_second = false;
    return true;
}

/* Moves the children into the arena; returns the new top. */
static inline struct json *frame_close(struct parser *ps, struct json *top)
{
    struct frame *f = ps->frame--;
    struct json *base = ps->slots + f->base, *self = base - 1;
    size_t size = (size_t)((char *)top - (char *)base);
    uint32_t n = (uint32_t)(top - base);
    if (f->is_object) {
        n /= 2;
        if (UNLIKELY(f->has_second)) {
            n = drop_seconds(as_member(base), n);
            size = n * sizeof(struct json_member);
        }
        if (UNLIKELY(f->table != NULL))
            mem_free(f->table);
    }
    *self = (struct json){.type = f->is_object ? JSON_OBJECT : JSON_ARRAY, .n = n};
    if (size) {
        self->v.items = arena_alloc(ps->r.arena, size, _Alignof(struct json));
        memcpy(self->v.items, base, size);
    }
    ps->r.depth--;
    return base;
}

/* The text may go away: a string that lies in it is copied. */
static void own_string(struct parser *ps, struct json *s)
{
    bool in_text = s->v.s >= ps->r.start && s->v.s <= ps->r.end;
    if (in_text)
        s->v.s = arena_dup(ps->r.arena, s->v.s, s->n, 1);
}

/* A name and its colon; `top` becomes a member without its value. */
JSON_INLINE const char *parse_name(struct parser *ps, struct json_scan *s, const char *p, struct json *top)
{
    const char *at = p;
    struct json name = {0};
    p = json_lex_name(&ps->r, s, p, &name);
    if (UNLIKELY(!p))
        return NULL;
    struct json_member *m = as_member(top);
    const struct intern *names = ps->names;
    uint64_t hash = intern_hash(str_of(name.v.s, name.n));
    name_id id = names ? intern_find_hashed(names, str_of(name.v.s, name.n), hash) : 0;
    if (id)
        name.v.s = names->names[id].p;
    else if (UNLIKELY(ps->copy))
        own_string(ps, &name);
    *m = (struct json_member){.name = name.v.s, .name_n = name.n, .id = id};
    uint64_t bit = (uint64_t)1 << (hash >> 58);
    if (UNLIKELY(ps->frame->filter & bit) && !check_second(ps, m, at))
        return NULL;
    ps->frame->filter |= bit;
    return p;
}

JSON_INLINE const char *parse_scalar(struct parser *ps, struct json_scan *s, const char *p, struct json *top)
{
    p = json_lex_scalar(&ps->r, s, p, top);
    if (UNLIKELY(ps->copy) && p && top->type == JSON_STRING)
        own_string(ps, top);
    return p;
}

/* One value from p on, which becomes slots[0]. Returns the place behind it, or NULL. Each label knows in what kind of
 * container it is, so that nothing is asked twice. */
static const char *parse_value(struct parser *ps, const char *p)
{
    struct json_reader *r = &ps->r;
    const char *const end = r->end;
    struct json *top = ps->slots;
    struct json_scan scan = r->scan;

    if (UNLIKELY(p >= end))
        return json_fail_expected(r, p, "a value");
    if (*p == '{')
        goto object;
    if (*p == '[')
        goto array;
    return parse_scalar(ps, &scan, p, top);

object:
    if (UNLIKELY(!frame_open(ps, ++top, true, p)))
        return NULL;
    p = json_space(p + 1, end);
    if (p < end && *p == '}')
        goto close;
member:
    if (UNLIKELY(top > ps->limit) && !slots_grow(ps, &top))
        return NULL;
    p = parse_name(ps, &scan, p, top);
    if (UNLIKELY(!p))
        return NULL;
    top++;
    if (UNLIKELY(p >= end))
        return json_fail_expected(r, p, "a value");
    if (*p == '{')
        goto object;
    if (*p == '[')
        goto array;
    p = parse_scalar(ps, &scan, p, top);
    if (UNLIKELY(!p))
        return NULL;
    top++;
member_end:
    p = json_to(p, end, ',');
    if (LIKELY(p < end && *p == ',')) {
        p++;
        goto member;
    }
    if (LIKELY(p < end && *p == '}'))
        goto close;
    return json_fail_expected(r, p, "',' or '}'");

array:
    if (UNLIKELY(!frame_open(ps, ++top, false, p)))
        return NULL;
    p = json_space(p + 1, end);
    if (p < end && *p == ']')
        goto close;
item:
    if (UNLIKELY(top > ps->limit) && !slots_grow(ps, &top))
        return NULL;
    p = json_space(p, end);
    if (UNLIKELY(p >= end))
        return json_fail_expected(r, p, "a value");
    if (*p == '{')
        goto object;
    if (*p == '[')
        goto array;
    p = parse_scalar(ps, &scan, p, top);
    if (UNLIKELY(!p))
        return NULL;
    top++;
item_end:
    p = json_to(p, end, ',');
    if (LIKELY(p < end && *p == ',')) {
        p++;
        goto item;
    }
    if (LIKELY(p < end && *p == ']'))
        goto close;
    return json_fail_expected(r, p, "',' or ']'");

close:
    p++;
    top = frame_close(ps, top);
    if (UNLIKELY(arena_exceeded(r->arena)))
        return NULL;
    if (!r->depth)
        return p;
    if (ps->frame->is_object)
        goto member_end;
    goto item_end;
}

static void parser_init(struct parser *ps, struct arena *a, str text, const struct json_opts *opts,
                        struct err *err)
{
    static const struct json_opts none = {0};
    ps->opts = opts ? opts : &none;
    ps->names = ps->opts->names;
    ps->copy = ps->opts->flags & JSON_COPY;
    json_reader_init(&ps->r, a, text, err);
    ASSERT(ps->opts->depth_max <= JSON_DEPTH_MAX);
    if (ps->opts->depth_max)
        ps->r.depth_max = ps->opts->depth_max;
    ps->slots = ps->first_slots;
    ps->limit = ps->first_slots + SLOTS_FIRST - 2;
    ps->frame = ps->frames; /* [0] is never a container */
    ps->key_made = false;
}

static void parser_done(struct parser *ps)
{
    for (struct frame *f = ps->frame; f > ps->frames; f--)
        mem_free(f->table);
    if (ps->slots != ps->first_slots)
        mem_free(ps->slots);
}

static err_code parse_text(struct parser *ps, bool trailing_ok, struct json *ret, size_t *ret_used)
{
    struct json_reader *r = &ps->r;
    if (r->failed)
        return r->err->code;
    const char *p = parse_value(ps, json_space(r->start, r->end));
    if (arena_exceeded(r->arena))
        return arena_check(r->arena, r->err);
    if (!p)
        return r->err->code;
    p = json_space(p, r->end);
    if (p < r->end && !trailing_ok) {
        json_fail_expected(r, p, "the end of the text");
        return r->err->code;
    }
    *ret = ps->slots[0];
    *ret_used = (size_t)(p - r->start);
    return ERR_NONE;
}

err_code json_parse_prefix(struct arena *a, str text, const struct json_opts *opts, struct json *ret,
                           size_t *ret_used, struct err *err)
{
    struct parser ps;
    parser_init(&ps, a, text, opts, err);
    err_code code = parse_text(&ps, true, ret, ret_used);
    parser_done(&ps);
    return code;
}

err_code json_parse(struct arena *a, str text, const struct json_opts *opts, struct json *ret,
                    struct err *err)
{
    struct parser ps;
    size_t used;
    parser_init(&ps, a, text, opts, err);
    err_code code = parse_text(&ps, ps.opts->flags & JSON_TRAILING_OK, ret, &used);
    parser_done(&ps);
    return code;
}
