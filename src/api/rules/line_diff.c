/* line_diff.c - the longest run of lines in both texts, then the same left and right of it. */
#include "api/rules/line_diff.h"
#include "api/rules/name_map.h"

enum { CONTEXT = 3, STEPS_MAX = 20 << 20, MANY_LINES = 200 };

/* A text of a line; `first` and the chain behind it: where it stands in the new text. */
struct line {
    str text;
    size_t first, last, count;
    bool everywhere; /* too common to start a match */
};

struct side {
    const struct line **lines;
    size_t count;
};

/* Lines [old_from, old_to) and [new_from, new_to). */
struct range {
    size_t old_from, old_to, new_from, new_to;
};

struct run {
    size_t old_at, new_at, size;
};

/* How long the run is that ends with a pair of lines. `row`: which old line that is true for. */
struct cell {
    size_t row, length;
};

struct differ {
    struct arena *a;
    struct name_map by_text; /* struct line */
    struct side old_side, new_side;
    size_t *next;          /* the next place of the same line in the new text */
    struct cell *cells[2]; /* of this row and the one before */
    size_t row, steps;
    struct run *runs;
    size_t run_count;
};

static size_t count_lines(str text)
{
    size_t count = 0;
    for (str line; str_next(&text, '\n', &line);)
        count++;
    return count;
}

static void split(struct differ *d, str text, struct side *ret, bool is_new)
{
    ret->lines = ARENA_ARRAY(d->a, const struct line *, count_lines(text));
    ret->count = 0;
    for (str line; str_next(&text, '\n', &line);) {
        struct line *l = (struct line *)(uintptr_t)name_map_find(&d->by_text, line);
        if (!l) {
            l = ARENA_NEW(d->a, struct line);
            *l = (struct line){.text = line, .first = SIZE_MAX};
            name_map_add(&d->by_text, line, l);
        }
        size_t at = ret->count++;
        ret->lines[at] = l;
        if (!is_new)
            continue;
        d->next[at] = SIZE_MAX;
        if (l->count++)
            d->next[l->last] = at;
        else
            l->first = at;
        l->last = at;
    }
}

static void mark_common(struct differ *d)
{
    size_t most = d->new_side.count / 100 + 1;
    for (size_t i = 0; d->new_side.count >= MANY_LINES && i < d->new_side.count; i++) {
        struct line *l = (struct line *)(uintptr_t)d->new_side.lines[i];
        l->everywhere = l->count > most;
    }
}

static void one_row(struct differ *d, struct range r, size_t old_at, struct run *best)
{
    const struct line *l = d->old_side.lines[old_at];
    const struct cell *above = d->cells[d->row % 2];
    struct cell *row = d->cells[++d->row % 2];
    if (l->everywhere)
        return;
    for (size_t at = l->first; at < r.new_to; at = d->next[at]) {
        d->steps++;
        if (at < r.new_from)
            continue;
        bool goes_on = at > 0 && above[at - 1].row == d->row - 1;
        row[at] = (struct cell){.row = d->row, .length = goes_on ? above[at - 1].length + 1 : 1};
        if (row[at].length > best->size)
            *best = (struct run){.old_at = old_at + 1 - row[at].length,
                                 .new_at = at + 1 - row[at].length,
                                 .size = row[at].length};
    }
}

static struct run longest(struct differ *d, struct range r)
{
    struct run best = {.old_at = r.old_from, .new_at = r.new_from};
    d->row++; /* nothing goes on from another range */
    for (size_t i = r.old_from; i < r.old_to && d->steps < STEPS_MAX; i++) {
        d->steps++;
        one_row(d, r, i, &best);
    }
    const struct line **x = d->old_side.lines, **y = d->new_side.lines;
    while (best.old_at > r.old_from && best.new_at > r.new_from && x[best.old_at - 1] == y[best.new_at - 1]) {
        best.old_at--;
        best.new_at--;
        best.size++;
    }
    while (best.old_at + best.size < r.old_to && best.new_at + best.size < r.new_to &&
           x[best.old_at + best.size] == y[best.new_at + best.size])
        best.size++;
    return best;
}

static void add_run(struct differ *d, struct run run)
{
    struct run *last = d->run_count ? &d->runs[d->run_count - 1] : NULL;
    if (last && last->old_at + last->size == run.old_at && last->new_at + last->size == run.new_at)
        last->size += run.size;
    else
        d->runs[d->run_count++] = run;
}

/* In order. What is still to be done stands on a stack: left part, run, right part; a run is a range of two equal halves. */
static void match(struct differ *d)
{
    size_t most = size_min(d->old_side.count, d->new_side.count) + 1;
    struct todo {
        struct range range;
        struct run found; /* size 0: not looked for yet */
    } *stack = ARENA_ARRAY(d->a, struct todo, 2 * most + 2);
    d->runs = ARENA_ARRAY(d->a, struct run, most);
    size_t count = 0;
    stack[count++] = (struct todo){.range = {0, d->old_side.count, 0, d->new_side.count}};
    while (count) {
        struct todo t = stack[--count];
        if (t.found.size) {
            add_run(d, t.found);
            continue;
        }
        struct run run = longest(d, t.range);
        size_t old_end = run.old_at + run.size, new_end = run.new_at + run.size;
        if (run.size == 0)
            continue;
        if (old_end < t.range.old_to && new_end < t.range.new_to)
            stack[count++] = (struct todo){.range = {old_end, t.range.old_to, new_end, t.range.new_to}};
        stack[count++] = (struct todo){.found = run};
        if (t.range.old_from < run.old_at && t.range.new_from < run.new_at)
            stack[count++] = (struct todo){
                .range = {t.range.old_from, run.old_at, t.range.new_from, run.new_at}};
    }
}

/* --- printing --- */

static void add_count(struct buf *out, char sign, size_t from, size_t to)
{
    size_t length = to - from;
    if (length == 1)
        buf_add_f(out, "%c%zu", sign, from + 1);
    else
        buf_add_f(out, "%c%zu,%zu", sign, length ? from + 1 : from, length);
}

static void add_lines(struct buf *out, char sign, const struct side *side, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        buf_add_c(out, sign);
        buf_add(out, side->lines[i]->text);
        buf_add_c(out, '\n');
    }
}

/* The runs [first, last] with what lies between them, and some of both. */
static void add_group(struct differ *d, struct buf *out, size_t first, size_t last)
{
    const struct run *begin = &d->runs[first], *end = &d->runs[last];
    size_t before = size_min(begin->size, CONTEXT), after = size_min(end->size, CONTEXT);
    struct range r = {begin->old_at + begin->size - before, end->old_at + after,
                      begin->new_at + begin->size - before, end->new_at + after};
    buf_add_lit(out, "@@ ");
    add_count(out, '-', r.old_from, r.old_to);
    buf_add_c(out, ' ');
    add_count(out, '+', r.new_from, r.new_to);
    buf_add_lit(out, " @@\n");
    for (size_t i = first; i <= last; i++) {
        const struct run *run = &d->runs[i];
        size_t from = i == first ? r.old_from : run->old_at,
               to = i == last ? r.old_to : run->old_at + run->size;
        add_lines(out, ' ', &d->old_side, from, to);
        if (i == last)
            break;
        add_lines(out, '-', &d->old_side, to, run[1].old_at);
        add_lines(out, '+', &d->new_side, run->new_at + run->size, run[1].new_at);
    }
}

/* An empty run at either end, so that every change lies between two. */
static void close_ends(struct differ *d)
{
    struct run *all = ARENA_ARRAY(d->a, struct run, d->run_count + 2);
    size_t count = 0;
    if (d->run_count == 0 || d->runs[0].old_at || d->runs[0].new_at)
        all[count++] = (struct run){0};
    if (d->run_count)
        memcpy(all + count, d->runs, d->run_count * sizeof *all);
    count += d->run_count;
    const struct run *last = &all[count - 1];
    if (last->old_at + last->size < d->old_side.count || last->new_at + last->size < d->new_side.count)
        all[count++] = (struct run){.old_at = d->old_side.count, .new_at = d->new_side.count};
    d->runs = all;
    d->run_count = count;
}

void line_diff(struct buf *out, struct arena *a, str old_text, str new_text)
{
    struct differ d = {.a = a, .by_text = {.arena = a}, .row = 1};
    size_t new_count = count_lines(new_text);
    d.next = ARENA_ARRAY(a, size_t, new_count + 1);
    for (size_t i = 0; i < 2; i++)
        d.cells[i] = ARENA_ARRAY(a, struct cell, new_count + 1);
    split(&d, old_text, &d.old_side, false);
    split(&d, new_text, &d.new_side, true);
    mark_common(&d);
    match(&d);
    close_ends(&d);
    for (size_t first = 0, i = 1; i < d.run_count; i++) {
        bool far = d.runs[i].size > 2 * (size_t)CONTEXT;
        if (far || i + 1 == d.run_count) {
            add_group(&d, out, first, i);
            first = i;
        }
    }
}
