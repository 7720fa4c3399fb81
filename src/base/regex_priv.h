/* regex_priv.h - between the files of regex: what was parsed, and what is run. */
#ifndef BASE_REGEX_PRIV_H
#define BASE_REGEX_PRIV_H

#include "base/arena.h"
#include "base/regex.h"
#include "base/regex_set.h"

enum { REGEX_DEPTH_MAX = 250, REGEX_PARTS_MAX = 8192, REGEX_REPEAT_MAX = 1000 };

/* --- parsed --- */

enum regex_assert {
    REGEX_BEGIN_TEXT,
    REGEX_END_TEXT,
    REGEX_BEGIN_LINE,
    REGEX_END_LINE,
    REGEX_WORD_BOUNDARY,
    REGEX_NO_WORD_BOUNDARY,
};

struct regex_node {
    enum regex_node_kind {
        REGEX_NODE_SET, /* one character of `set` */
        REGEX_NODE_ASSERT,
        REGEX_NODE_CAT, /* children one after the other; none: the empty text */
        REGEX_NODE_ALT, /* any of the children */
        REGEX_NODE_REPEAT,
    } kind;
    enum regex_assert assertion;
    unsigned height; /* of the tree below */
    int min, max;    /* REPEAT: of the one child; max -1: no end */
    struct regex_set set;
    struct regex_node *child, *last_child, *next;
};

/* What its sets cost is taken off `steps`. */
err_code regex_parse(struct arena *a, str pattern, uint64_t *steps, struct regex_node **ret, struct err *err);

/* --- run --- */

enum regex_op {
    REGEX_OP_SET,    /* a character of set `arg`, then out */
    REGEX_OP_SPLIT,  /* out, and `arg` as well */
    REGEX_OP_ASSERT, /* `arg` holds here, then out */
    REGEX_OP_MATCH,
};
struct regex_inst {
    uint16_t op, out, arg;
};

/* One block: this head, then
 *   program: ranges[range_count], ascii[sets][4] (bits), set_ends[sets] (of their ranges), insts[count]
 *   table:   marks[range_count] (characters from 128 on: first << 8 | class), ascii_class[128], at_end[count],
 *            next[count][classes] */
struct regex {
    uint32_t size;
    uint32_t range_count;
    uint16_t count; /* instructions; states */
    uint16_t start;
    uint16_t sets; /* table: classes, the columns */
    bool is_table;
    bool anchored; /* program: matches from the start of the text only */
};
/* States of a table: these two are known, then the others. */
enum { REGEX_STATE_NO, REGEX_STATE_YES, REGEX_STATE_FIRST };

/* The pieces of a block: written while it is made, never after. */
struct regex_program {
    struct regex_range *ranges;
    uint32_t (*ascii)[4];
    uint32_t *set_ends;
    struct regex_inst *insts;
};
static inline struct regex_program regex_program_of(const struct regex *re)
{
    struct regex_program p;
    p.ranges = (struct regex_range *)(uintptr_t)(re + 1);
    p.ascii = (uint32_t(*)[4])(void *)(p.ranges + re->range_count);
    p.set_ends = (uint32_t *)(p.ascii + re->sets);
    p.insts = (struct regex_inst *)(p.set_ends + re->sets);
    return p;
}

struct regex_table {
    uint32_t *marks;
    uint8_t *ascii_class, *at_end, *next;
};
static inline struct regex_table regex_table_of(const struct regex *re)
{
    struct regex_table t;
    t.marks = (uint32_t *)(uintptr_t)(re + 1);
    t.ascii_class = (uint8_t *)(t.marks + re->range_count);
    t.at_end = t.ascii_class + 128;
    t.next = t.at_end + re->count;
    return t;
}

/* A program without a table. */
err_code regex_assemble(struct arena *a, const struct regex_node *tree, str pattern, struct regex **ret,
                        struct err *err);
/* A program as a table, in the arena; NULL: it would be too large, looks around itself, or `steps` are used up. */
const struct regex *regex_tabulate(struct arena *a, const struct regex *program, uint64_t *steps);

#endif
