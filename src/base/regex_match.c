/* regex_match.c - running a table or a program over a text. No memory is asked for. */
#include "base/regex_priv.h"
#include "base/utf8.h"

static enum regex_result match_table(const struct regex *re, str text)
{
    struct regex_table t = regex_table_of(re);
    size_t state = re->start, i = 0;
    while (i < text.n && state >= REGEX_STATE_FIRST) {
        unsigned char byte = (unsigned char)text.p[i];
        size_t class;
        if (LIKELY(byte < 128)) {
            class = t.ascii_class[byte];
            i++;
        } else {
            str rest = str_from(text, i);
            uint32_t c;
            utf8_next(&rest, &c);
            i = text.n - rest.n;
            size_t low = 0, high = re->range_count;
            while (high - low > 1) {
                size_t middle = (low + high) / 2;
                *(t.marks[middle] >> 8 <= c ? &low : &high) = middle;
            }
            class = t.marks[low] & 0xff;
        }
        state = t.next[state * re->sets + class];
    }
    return t.at_end[state] ? REGEX_YES : REGEX_NO;
}

/* --- programs --- */

/* Instructions, each once. */
struct threads {
    uint16_t list[REGEX_PARTS_MAX];
    size_t count;
    uint64_t has[REGEX_PARTS_MAX / 64];
};

static void threads_clear(struct threads *t, const struct regex *re)
{
    t->count = 0;
    memset(t->has, 0, (re->count / 64 + 1u) * sizeof *t->has);
}

static void threads_add(struct threads *t, uint16_t inst)
{
    uint64_t bit = (uint64_t)1 << inst % 64;
    if (t->has[inst / 64] & bit)
        return;
    t->has[inst / 64] |= bit;
    t->list[t->count++] = inst;
}

static bool in_set(const struct regex_program *p, size_t set, uint32_t c)
{
    if (c < 128)
        return p->ascii[set][c / 32] >> c % 32 & 1;
    size_t low = set ? p->set_ends[set - 1] : 0, high = p->set_ends[set];
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (c < p->ranges[middle].first)
            high = middle;
        else if (c > p->ranges[middle].last)
            low = middle + 1;
        else
            return true;
    }
    return false;
}

#define NO_CHAR UINT32_MAX /* before the first and behind the last */

static bool is_word(uint32_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool holds(uint16_t assertion, uint32_t before, uint32_t after)
{
    switch ((enum regex_assert)assertion) {
    case REGEX_BEGIN_TEXT: return before == NO_CHAR;
    case REGEX_END_TEXT: return after == NO_CHAR;
    case REGEX_BEGIN_LINE: return before == NO_CHAR || before == '\n';
    case REGEX_END_LINE: return after == NO_CHAR || after == '\n';
    case REGEX_WORD_BOUNDARY: return is_word(before) != is_word(after);
    case REGEX_NO_WORD_BOUNDARY: return is_word(before) == is_word(after);
    }
    return false;
}

/* Moves every thread of `now` over the character `after`, into `then`. True: one has matched before it. */
static bool run_threads(const struct regex_program *p, struct threads *now, struct threads *then,
                        uint32_t before, uint32_t after)
{
    for (size_t i = 0; i < now->count; i++) { /* it grows meanwhile */
        const struct regex_inst *in = &p->insts[now->list[i]];
        switch ((enum regex_op)in->op) {
        case REGEX_OP_MATCH: return true;
        case REGEX_OP_SPLIT:
            threads_add(now, in->out);
            threads_add(now, in->arg);
            break;
        case REGEX_OP_ASSERT:
            if (holds(in->arg, before, after))
                threads_add(now, in->out);
            break;
        case REGEX_OP_SET:
            if (after != NO_CHAR && in_set(p, in->arg, after))
                threads_add(then, in->out);
            break;
        }
    }
    return false;
}

enum { STEPS_PER_THREAD = 4 }; /* measured: eight times a look-up, most of it when there is one thread only */

static enum regex_result match_program(const struct regex *re, str text, uint64_t *steps)
{
    struct regex_program p = regex_program_of(re);
    struct threads lists[2], *now = &lists[0], *then = &lists[1];
    uint32_t before = NO_CHAR, after;
    threads_clear(now, re);
    threads_clear(then, re);
    for (;;) {
        if (!re->anchored || before == NO_CHAR)
            threads_add(now, re->start);
        if (!utf8_next(&text, &after))
            after = NO_CHAR;
        if (run_threads(&p, now, then, before, after))
            return REGEX_YES;
        if (after == NO_CHAR || (re->anchored && then->count == 0))
            return REGEX_NO;
        uint64_t spent = (now->count + 1) * STEPS_PER_THREAD + re->count / 256; /* lists are emptied, too */
        if (*steps < spent)
            return REGEX_GAVE_UP;
        *steps -= spent;
        threads_clear(now, re);
        struct threads *spare = now;
        now = then;
        then = spare;
        before = after;
    }
}

enum regex_result regex_match(const struct regex *re, str text, uint64_t *steps)
{
    if (!re->is_table)
        return match_program(re, text, steps);
    if (*steps < text.n)
        return REGEX_GAVE_UP;
    *steps -= text.n;
    return match_table(re, text);
}
