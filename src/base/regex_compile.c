/* regex_compile.c - from the tree to a program: instructions in the order of the expression, repetitions written out. */
#include "base/regex_priv.h"
#include <stdlib.h>

enum { RANGES_MAX = 32768 };

struct compiler {
    struct arena *a;
    struct regex_inst *insts;
    size_t count, cap;
    bool too_large;
    const struct regex_set **sets; /* all different */
    size_t set_count;
};

/* --- sets, each once --- */

static int by_content(const struct regex_set *x, const struct regex_set *y)
{
    if (x->count != y->count)
        return x->count < y->count ? -1 : 1;
    return x->count ? memcmp(x->ranges, y->ranges, x->count * sizeof *x->ranges) : 0;
}

static int by_content_at(const void *x, const void *y)
{
    return by_content(*(const struct regex_set *const *)x, *(const struct regex_set *const *)y);
}

static size_t count_sets(const struct regex_node *n)
{
    size_t count = n->kind == REGEX_NODE_SET;
    for (const struct regex_node *child = n->child; child; child = child->next)
        count += count_sets(child);
    return count;
}

static void gather_sets(struct compiler *c, const struct regex_node *n)
{
    if (n->kind == REGEX_NODE_SET)
        c->sets[c->set_count++] = &n->set;
    for (const struct regex_node *child = n->child; child; child = child->next)
        gather_sets(c, child);
}

static void unite_sets(struct compiler *c)
{
    if (c->set_count == 0)
        return;
    qsort(c->sets, c->set_count, sizeof *c->sets, by_content_at);
    size_t kept = 1;
    for (size_t i = 1; i < c->set_count; i++)
        if (by_content(c->sets[kept - 1], c->sets[i]) != 0)
            c->sets[kept++] = c->sets[i];
    c->set_count = kept;
}

static uint16_t set_index(const struct compiler *c, const struct regex_set *s)
{
    size_t low = 0, high = c->set_count;
    while (high - low > 1) {
        size_t middle = (low + high) / 2;
        if (by_content(c->sets[middle], s) <= 0)
            low = middle;
        else
            high = middle;
    }
    return (uint16_t)low;
}

/* --- instructions --- */

/* Each goes on to the one behind it unless told otherwise. */
static size_t emit(struct compiler *c, enum regex_op op, size_t arg)
{
    if (c->count == REGEX_PARTS_MAX) {
        c->too_large = true;
        return 0; /* it is not going to be run */
    }
    if (c->count == c->cap) {
        size_t cap = c->cap ? c->cap * 2 : 32;
        c->insts = arena_grow(c->a, c->insts, c->cap * sizeof *c->insts, cap * sizeof *c->insts,
                              _Alignof(struct regex_inst));
        c->cap = cap;
    }
    c->insts[c->count] = (struct regex_inst){
        .op = (uint16_t)op, .out = (uint16_t)(c->count + 1), .arg = (uint16_t)arg};
    return c->count++;
}

/* Two ways that are the same one: what points here is made to point there in the end. */
static void emit_jump(struct compiler *c, size_t to)
{
    size_t i = emit(c, REGEX_OP_SPLIT, to);
    c->insts[i].out = (uint16_t)to;
}

static void compile(struct compiler *c, const struct regex_node *n);

static void compile_alt(struct compiler *c, const struct regex_node *n)
{
    size_t ends = REGEX_PARTS_MAX; /* the jumps to the end, each naming the one before */
    for (const struct regex_node *child = n->child; child; child = child->next) {
        size_t split = child->next ? emit(c, REGEX_OP_SPLIT, 0) : 0;
        compile(c, child);
        if (!child->next)
            break;
        size_t jump = emit(c, REGEX_OP_SPLIT, ends);
        ends = jump;
        c->insts[split].arg = (uint16_t)c->count;
    }
    while (ends != REGEX_PARTS_MAX && !c->too_large) {
        struct regex_inst *jump = &c->insts[ends];
        ends = jump->arg;
        jump->out = jump->arg = (uint16_t)c->count;
    }
}

/* n times over; false: nothing comes of it, however often. */
static bool compile_times(struct compiler *c, const struct regex_node *n, int times)
{
    for (int i = 0; i < times && !c->too_large; i++) {
        size_t before = c->count;
        compile(c, n);
        if (c->count == before)
            return false;
    }
    return true;
}

static void compile_repeat(struct compiler *c, const struct regex_node *n)
{
    if (n->max < 0) {
        size_t last = c->count;
        if (n->min > 1 && !compile_times(c, n->child, n->min - 1))
            return;
        last = c->count;
        if (n->min > 0) {
            compile(c, n->child);
            emit(c, REGEX_OP_SPLIT, last);
            return;
        }
        size_t split = emit(c, REGEX_OP_SPLIT, 0);
        compile(c, n->child);
        emit_jump(c, last);
        c->insts[split].arg = (uint16_t)c->count;
        return;
    }
    if (!compile_times(c, n->child, n->min))
        return;
    size_t ends = REGEX_PARTS_MAX;
    for (int i = n->min; i < n->max && !c->too_large; i++) {
        ends = emit(c, REGEX_OP_SPLIT, ends);
        size_t before = c->count;
        compile(c, n->child);
        if (c->count == before)
            break;
    }
    while (ends != REGEX_PARTS_MAX && !c->too_large) {
        struct regex_inst *split = &c->insts[ends];
        ends = split->arg;
        split->arg = (uint16_t)c->count;
    }
}

static void compile(struct compiler *c, const struct regex_node *n)
{
    switch (n->kind) {
    case REGEX_NODE_SET: emit(c, REGEX_OP_SET, set_index(c, &n->set)); break;
    case REGEX_NODE_ASSERT: emit(c, REGEX_OP_ASSERT, n->assertion); break;
    case REGEX_NODE_CAT:
        for (const struct regex_node *child = n->child; child && !c->too_large; child = child->next)
            compile(c, child);
        break;
    case REGEX_NODE_ALT: compile_alt(c, n); break;
    case REGEX_NODE_REPEAT: compile_repeat(c, n); break;
    }
}

static bool is_jump(const struct regex_inst *i)
{
    return i->op == REGEX_OP_SPLIT && i->out == i->arg;
}

/* Where one gets by jumps alone. A ring of them is left as it is: ()* has one. */
static uint16_t jump_end(const struct compiler *c, uint16_t at)
{
    for (size_t left = c->count; left && is_jump(&c->insts[at]); left--)
        at = c->insts[at].out;
    return at;
}

static void shorten_jumps(struct compiler *c)
{
    for (size_t i = 0; i < c->count; i++) {
        struct regex_inst *in = &c->insts[i];
        if (in->op == REGEX_OP_SPLIT)
            in->arg = jump_end(c, in->arg);
        if (in->op != REGEX_OP_MATCH)
            in->out = jump_end(c, in->out);
    }
}

/* --- the block --- */

static void write_sets(const struct compiler *c, const struct regex_program *p)
{
    struct regex_range *range = p->ranges;
    for (size_t i = 0; i < c->set_count; i++) {
        const struct regex_set *s = c->sets[i];
        for (size_t k = 0; k < s->count; k++, range++) {
            *range = s->ranges[k];
            for (uint32_t ch = range->first; ch <= range->last && ch < 128; ch++)
                p->ascii[i][ch / 32] |= 1u << ch % 32;
        }
        p->set_ends[i] = (uint32_t)(range - p->ranges);
    }
}

/* Can anything be reached without standing at the start of the text? */
static bool is_anchored(struct arena *a, const struct regex *re, const struct regex_inst *insts)
{
    uint16_t *list = ARENA_ARRAY(a, uint16_t, re->count);
    bool *seen = ARENA_ARRAY(a, bool, re->count);
    size_t n = 0;
    list[n++] = re->start;
    seen[re->start] = true;
    for (size_t i = 0; i < n; i++) {
        const struct regex_inst *in = &insts[list[i]];
        if (in->op == REGEX_OP_ASSERT && in->arg == REGEX_BEGIN_TEXT)
            continue;
        if (in->op != REGEX_OP_SPLIT)
            return false;
        uint16_t ways[] = {in->out, in->arg};
        for (size_t k = 0; k < ARRAY_COUNT(ways); k++)
            if (!seen[ways[k]]) {
                seen[ways[k]] = true;
                list[n++] = ways[k];
            }
    }
    return true;
}

static struct regex *write_block(struct compiler *c)
{
    size_t ranges = 0;
    for (size_t i = 0; i < c->set_count; i++)
        ranges += c->sets[i]->count;
    if (ranges > RANGES_MAX)
        return NULL;
    size_t size = sizeof(struct regex) + ranges * sizeof(struct regex_range) +
                  c->set_count * 5 * sizeof(uint32_t) + c->count * sizeof *c->insts;
    size = (size + 3) / 4 * 4;
    struct regex *re = arena_alloc_zero(c->a, 1, size, _Alignof(struct regex));
    *re = (struct regex){.size = (uint32_t)size,
                         .range_count = (uint32_t)ranges,
                         .count = (uint16_t)c->count,
                         .start = jump_end(c, 0),
                         .sets = (uint16_t)c->set_count};
    struct regex_program p = regex_program_of(re);
    write_sets(c, &p);
    memcpy(p.insts, c->insts, c->count * sizeof *c->insts);
    re->anchored = is_anchored(c->a, re, c->insts);
    return re;
}

err_code regex_assemble(struct arena *a, const struct regex_node *tree, str pattern, struct regex **ret,
                        struct err *err)
{
    struct compiler c = {.a = a, .sets = ARENA_ARRAY(a, const struct regex_set *, count_sets(tree))};
    gather_sets(&c, tree);
    unite_sets(&c);
    compile(&c, tree);
    emit(&c, REGEX_OP_MATCH, 0);
    shorten_jumps(&c);
    *ret = c.too_large ? NULL : write_block(&c);
    if (!*ret)
        return err_set(err, ERR_TOO_LARGE, "error parsing regexp: expression too large: `%" STR_FMT "`",
                       STR_ARG(pattern));
    return ERR_NONE;
}

err_code regex_compile(struct arena *a, str pattern, uint64_t *steps, const struct regex **ret,
                       struct err *err)
{
    struct regex_node *tree;
    struct regex *program;
    if (regex_parse(a, pattern, steps, &tree, err) || regex_assemble(a, tree, pattern, &program, err))
        return err->code;
    uint64_t half = *steps / 2, left = half;
    const struct regex *table = regex_tabulate(a, program, &left);
    *steps -= half - left;
    *ret = table ? table : program;
    return ERR_NONE;
}

size_t regex_size(const struct regex *re)
{
    return re->size;
}
