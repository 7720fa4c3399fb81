/* regex_table.c - a program as a table of states: every set of threads that can be alive at once is a state, and for each
 * class of characters that the expression treats alike the table tells the next one. */
#include "base/regex_priv.h"
#include "base/utf8.h"
#include <stdlib.h>

enum { SETS_MAX = 64, CLASSES_MAX = 64, STATES_MAX = 255, CELLS_MAX = 2048, MARKS_MAX = 512 };

/* The threads alive: instructions that take a character or wait for the end of the text. */
struct state {
    const uint16_t *insts;
    size_t count;
    uint64_t hash;
};

struct tabulator {
    struct arena *a;
    const struct regex *re;
    struct regex_program program;
    uint64_t *steps;
    /* Classes: the sets they are in, as bits. Marks: where a class begins, in the order of characters. */
    uint64_t class_sets[CLASSES_MAX];
    size_t class_count;
    uint32_t *marks;
    size_t mark_count;
    /* States. */
    struct state states[STATES_MAX];
    size_t state_count;
    uint8_t *next; /* [CELLS_MAX] */
    /* Work: a list of instructions, and when each was last put there. */
    uint16_t *list;
    size_t list_count;
    uint32_t *seen, round;
};

static bool spend(struct tabulator *t, size_t n)
{
    if (*t->steps < n)
        return false;
    *t->steps -= n;
    return true;
}

/* --- classes --- */

struct edge {
    uint32_t at;
    uint32_t set; /* begins or ends here */
};

static int by_place(const void *x, const void *y)
{
    const struct edge *a = x, *b = y;
    return a->at < b->at ? -1 : a->at > b->at;
}

static bool add_mark(struct tabulator *t, uint32_t at, uint64_t sets)
{
    size_t class = 0;
    while (class < t->class_count && t->class_sets[class] != sets)
        class ++;
    if (class == CLASSES_MAX || t->mark_count == MARKS_MAX)
        return false;
    if (class == t->class_count)
        t->class_sets[t->class_count++] = sets;
    t->marks[t->mark_count++] = at << 8 | (uint32_t) class;
    return true;
}

static bool find_classes(struct tabulator *t)
{
    size_t count = (size_t)t->re->range_count * 2, n = 0;
    if (t->re->sets > SETS_MAX || count > (size_t)4 * MARKS_MAX || !spend(t, count * 8))
        return false;
    struct edge *edges = ARENA_ARRAY(t->a, struct edge, count);
    for (uint32_t set = 0, i = 0; set < t->re->sets; set++)
        for (; i < t->program.set_ends[set]; i++) {
            edges[n++] = (struct edge){t->program.ranges[i].first, set};
            edges[n++] = (struct edge){t->program.ranges[i].last + 1, set};
        }
    if (n)
        qsort(edges, n, sizeof *edges, by_place);
    t->marks = ARENA_ARRAY(t->a, uint32_t, MARKS_MAX);
    uint64_t sets = 0;
    bool fits = n && edges[0].at == 0 ? true : add_mark(t, 0, 0);
    for (size_t i = 0; i < n && fits;) {
        uint32_t at = edges[i].at;
        for (; i < n && edges[i].at == at; i++)
            sets ^= (uint64_t)1 << edges[i].set;
        fits = at > UTF8_MAX || add_mark(t, at, sets);
    }
    return fits;
}

/* --- states --- */

static void put(struct tabulator *t, uint16_t inst)
{
    if (t->seen[inst] == t->round)
        return;
    t->seen[inst] = t->round;
    t->list[t->list_count++] = inst;
}

static int by_number(const void *x, const void *y)
{
    return *(const uint16_t *)x - *(const uint16_t *)y;
}

/* Follows whatever takes no character, and leaves in the list what does or waits for the end of the text. True: the
 * expression has matched. */
static bool close_list(struct tabulator *t, bool at_start, bool at_end)
{
    size_t kept = 0;
    for (size_t i = 0; i < t->list_count; i++) {
        const struct regex_inst *in = &t->program.insts[t->list[i]];
        if (in->op == REGEX_OP_MATCH)
            return true;
        if (in->op == REGEX_OP_SPLIT) {
            put(t, in->out);
            put(t, in->arg);
        } else if (in->op == REGEX_OP_ASSERT) {
            if (in->arg == REGEX_BEGIN_TEXT ? at_start : at_end)
                put(t, in->out);
        }
        if (in->op == REGEX_OP_SET || (in->op == REGEX_OP_ASSERT && in->arg == REGEX_END_TEXT))
            t->list[kept++] = t->list[i]; /* the list is read further on than it is written */
    }
    t->list_count = kept;
    return false;
}

static void clear_list(struct tabulator *t)
{
    t->list_count = 0;
    t->round++;
}

/* The state of what is in the list, which may be a new one; -1: there are too many. The first state, where nothing has been
 * read, is never come back to: ^ holds there. */
static int state_of_list(struct tabulator *t)
{
    if (t->list_count == 0)
        return REGEX_STATE_NO;
    qsort(t->list, t->list_count, sizeof *t->list, by_number);
    size_t size = t->list_count * sizeof *t->list;
    uint64_t hash = str_hash(str_of((const char *)t->list, size));
    for (size_t i = REGEX_STATE_FIRST + 1; i < t->state_count; i++) {
        const struct state *s = &t->states[i];
        if (s->hash == hash && s->count == t->list_count && memcmp(s->insts, t->list, size) == 0)
            return (int)i;
    }
    if (t->state_count == STATES_MAX || (t->state_count + 1) * t->class_count > CELLS_MAX)
        return -1;
    t->states[t->state_count] = (struct state){arena_dup(t->a, t->list, size, _Alignof(uint16_t)),
                                               t->list_count, hash};
    return (int)t->state_count++;
}

/* From `s` over a character of the class; -1: it cannot be told. */
static int step(struct tabulator *t, size_t s, size_t class)
{
    clear_list(t);
    for (size_t i = 0; i < t->states[s].count; i++) {
        const struct regex_inst *in = &t->program.insts[t->states[s].insts[i]];
        if (in->op == REGEX_OP_SET && t->class_sets[class] >> in->arg & 1)
            put(t, in->out);
    }
    if (!t->re->anchored)
        put(t, t->re->start);
    bool matched = close_list(t, false, false);
    if (!spend(t, t->states[s].count + 2 * t->list_count + t->state_count + 8))
        return -1;
    return matched ? REGEX_STATE_YES : state_of_list(t);
}

static bool matches_at_end(struct tabulator *t, size_t s, size_t start)
{
    clear_list(t);
    for (size_t i = 0; i < t->states[s].count; i++)
        put(t, t->states[s].insts[i]);
    return close_list(t, s == start, true);
}

/* --- the block --- */

static const struct regex *write_table(struct tabulator *t, size_t start)
{
    size_t first = 0; /* the mark that is in force at character 128 */
    while (first + 1 < t->mark_count && t->marks[first + 1] >> 8 <= 128)
        first++;
    size_t marks = t->mark_count - first, cells = t->state_count * t->class_count;
    size_t size = sizeof(struct regex) + marks * sizeof(uint32_t) + 128 + t->state_count + cells;
    size = (size + 3) / 4 * 4;
    struct regex *re = arena_alloc_zero(t->a, 1, size, _Alignof(struct regex));
    *re = (struct regex){.size = (uint32_t)size,
                         .range_count = (uint32_t)marks,
                         .count = (uint16_t)t->state_count,
                         .start = (uint16_t)start,
                         .sets = (uint16_t)t->class_count,
                         .is_table = true};
    struct regex_table out = regex_table_of(re);
    memcpy(out.marks, t->marks + first, marks * sizeof *out.marks);
    for (size_t ch = 0, mark = 0; ch < 128; ch++) {
        if (mark + 1 < t->mark_count && t->marks[mark + 1] >> 8 <= ch)
            mark++;
        out.ascii_class[ch] = (uint8_t)t->marks[mark];
    }
    out.at_end[REGEX_STATE_YES] = true;
    for (size_t s = REGEX_STATE_FIRST; s < t->state_count; s++)
        out.at_end[s] = matches_at_end(t, s, start);
    memcpy(out.next, t->next, cells);
    return re;
}

static bool looks_around(const struct regex *re, const struct regex_inst *insts)
{
    for (size_t i = 0; i < re->count; i++)
        if (insts[i].op == REGEX_OP_ASSERT && insts[i].arg != REGEX_BEGIN_TEXT &&
            insts[i].arg != REGEX_END_TEXT)
            return true;
    return false;
}

/* Every state's row, until no new state comes up. */
static bool fill(struct tabulator *t)
{
    memset(t->next + REGEX_STATE_YES * t->class_count, REGEX_STATE_YES, t->class_count);
    for (size_t s = REGEX_STATE_FIRST; s < t->state_count; s++)
        for (size_t class = 0; class < t->class_count; class ++) {
            int to = step(t, s, class);
            if (to < 0)
                return false;
            t->next[s * t->class_count + class] = (uint8_t)to;
        }
    return true;
}

const struct regex *regex_tabulate(struct arena *a, const struct regex *re, uint64_t *steps)
{
    struct tabulator *t = ARENA_NEW(a, struct tabulator);
    *t = (struct tabulator){.a = a, .re = re, .program = regex_program_of(re), .steps = steps};
    if (looks_around(re, t->program.insts) || !find_classes(t))
        return NULL;
    t->state_count = REGEX_STATE_FIRST;
    t->next = ARENA_ARRAY(a, uint8_t, CELLS_MAX);
    t->list = ARENA_ARRAY(a, uint16_t, re->count);
    t->seen = ARENA_ARRAY(a, uint32_t, re->count);
    clear_list(t);
    put(t, re->start);
    int start = close_list(t, true, false) ? REGEX_STATE_YES : state_of_list(t);
    if (start < 0 || !fill(t))
        return NULL;
    return write_table(t, (size_t)start);
}
