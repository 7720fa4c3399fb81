/* schema_load.c - OpenAPI v3 to schema tables: they grow in an arena and are copied into one block at the end. */
#include "api/schema_load.h"
#include "api/schema_load_priv.h"
#include "base/mem.h"

enum {
    SIZE_MAX_DEFAULT = 4 << 20,
    ARENA_FACTOR = 16, /* what building may take, of what the result may */
    SCRATCH_MAX = 64 << 20,
    REGEX_STEPS = 16 << 20, /* for all expressions of a schema: about 50 ms at worst */
};

/* --- the finished module --- */

/* Everything in one block, the struct first; counts are below 2^16 and sizes bounded, so nothing overflows. */
struct block {
    char *p;
    size_t used;
};

static const void *block_put(struct block *b, const void *p, size_t n)
{
    b->used = (b->used + 7) & ~(size_t)7;
    char *to = b->p ? b->p + b->used : NULL;
    if (to && n)
        memcpy(to, p, n);
    b->used += n;
    return to;
}

static void lay_out(struct loader *l, struct block *b, const struct schema_package *package,
                    const struct schema_kind_info *kind, struct schema *ret)
{
    static const struct intern *const no_names = NULL;
    *ret = (struct schema){
        .base = &schema_builtin, .names = no_names, .package_count = 1, .kind_count = 1, .root = l->root};
    ret->type_count = (uint16_t)l->type_count;
    b->used = sizeof(struct schema) + sizeof(size_t);
    ret->rules = block_put(b, l->rules.bytes.p, l->rules.bytes.n);
    ret->fields = block_put(b, l->fields.p, l->fields.n);
    ret->types = block_put(b, l->types.p, l->types.n);
    ret->packages = block_put(b, package, sizeof *package);
    ret->kinds = block_put(b, kind, sizeof *kind);
    ret->extras = block_put(b, l->extras.bytes.p, l->extras.bytes.n);
    ret->nodes = block_put(b, l->nodes.bytes.p, l->nodes.bytes.n);
    ret->slots = block_put(b, l->slots.p, l->slots.n);
    ret->logics = block_put(b, l->logics.p, l->logics.n);
    ret->programs = block_put(b, l->programs.p, l->programs.n);
    ret->text = block_put(b, l->text.p, l->text.n);
}

static size_t size_max_of(const struct schema_load_opts *opts)
{
    return opts->size_max ? opts->size_max : SIZE_MAX_DEFAULT;
}

static err_code finish(struct loader *l, const struct schema_load_opts *opts, struct schema **ret)
{
    struct schema_package package = {
        .name = load_text(l, str_join(&l->a, (const str[]){opts->group, opts->version}, 2, S("/")))};
    package.group = load_text(l, opts->group);
    package.version = load_text(l, opts->version);
    struct schema_kind_info kind = {.name = load_text(l, opts->kind),
                                    .type = load_view(l).nodes[l->root].ref};
    if (load_out_of_room(l))
        return l->err->code;
    struct schema laid_out;
    struct block b = {0};
    lay_out(l, &b, &package, &kind, &laid_out);
    size_t size = b.used, max = size_max_of(opts);
    if (size > max)
        return err_set(l->err, ERR_TOO_LARGE, "the schema is too large: %zu bytes, may be %zu", size, max);
    b.p = mem_alloc(size);
    lay_out(l, &b, &package, &kind, &laid_out);
    memcpy(b.p, &laid_out, sizeof laid_out);
    memcpy(b.p + sizeof laid_out, &size, sizeof size);
    *ret = (struct schema *)(void *)b.p;
    return ERR_NONE;
}

/* The first row of the tables that are referred to by number, where 0 is nothing. */
static bool put_nothing(struct loader *l)
{
    struct schema_rules rules;
    struct schema_extra extra;
    uint16_t zero;
    memset(&rules, 0, sizeof rules);
    memset(&extra, 0, sizeof extra);
    buf_add_c(&l->text, 0);
    buf_add_n(&l->logics, 0, sizeof(uint16_t));
    buf_add_n(&l->programs, 0, sizeof(uint32_t));
    return load_row(l, &l->rules, &rules, &zero) && load_row(l, &l->extras, &extra, &zero);
}

static bool loader_init(struct loader *l, const struct schema_load_opts *opts, struct err *err)
{
    size_t max = size_max_of(opts);
    *l = (struct loader){.err = err, .regex_steps = REGEX_STEPS};
    arena_init(&l->a, max * ARENA_FACTOR);
    arena_init(&l->scratch, SCRATCH_MAX);
    load_rows_init(l, &l->nodes, sizeof(struct schema_node), max, opts->hash_key);
    load_rows_init(l, &l->rules, sizeof(struct schema_rules), max, opts->hash_key);
    load_rows_init(l, &l->extras, sizeof(struct schema_extra), max, opts->hash_key);
    struct map *maps[] = {&l->texts, &l->program_index, &l->type_index, &l->logic_index};
    for (size_t i = 0; i < ARRAY_COUNT(maps); i++)
        map_init(maps[i], opts->hash_key, MAP_BORROW_KEYS);
    struct buf *buffers[] = {&l->fields, &l->types, &l->slots, &l->text, &l->logics, &l->programs};
    for (size_t i = 0; i < ARRAY_COUNT(buffers); i++)
        buf_init_arena(buffers[i], &l->a, max);
    return put_nothing(l);
}

static void loader_done(struct loader *l)
{
    struct map *maps[] = {&l->nodes.index,   &l->rules.index, &l->extras.index, &l->texts,
                          &l->program_index, &l->type_index,  &l->logic_index};
    for (size_t i = 0; i < ARRAY_COUNT(maps); i++)
        map_done(maps[i]);
    arena_done(&l->scratch);
    arena_done(&l->a);
}

err_code schema_load(const struct json *openapi, const struct schema_load_opts *opts, struct schema **ret,
                     struct err *err)
{
    struct loader l;
    err_code code = ERR_NONE;
    if (!loader_init(&l, opts, err) || !load_root(&l, openapi, &l.root))
        code = err->code;
    else
        code = finish(&l, opts, ret);
    loader_done(&l);
    return code;
}

void schema_unload(struct schema *s)
{
    mem_free(s);
}

size_t schema_load_size(const struct schema *s)
{
    size_t size;
    memcpy(&size, (const char *)s + sizeof *s, sizeof size);
    return size;
}
