/* options.c - a command's options by table. */
#include "base/options.h"
#include "base/kube_time.h"

enum { NAME_MAX = 64, HELP_WIDTH = 100, HELP_INDENT = 6 };

/* --- names --- */

static const struct option *find(const struct options *o, str name)
{
    for (size_t i = 0; i < o->count; i++)
        if (str_eq(o->items[i].name, name))
            return &o->items[i];
    return NULL;
}

/* How many letters have to be changed, put in or left out. */
static size_t distance(str x, str y)
{
    size_t row[NAME_MAX + 1];
    if (x.n > NAME_MAX || y.n > NAME_MAX)
        return NAME_MAX;
    for (size_t k = 0; k <= y.n; k++)
        row[k] = k;
    for (size_t i = 1; i <= x.n; i++) {
        size_t corner = row[0];
        row[0] = i;
        for (size_t k = 1; k <= y.n; k++) {
            size_t above = row[k];
            size_t best = corner + (x.p[i - 1] != y.p[k - 1]);
            best = size_min(best, size_min(above, row[k - 1]) + 1);
            corner = above;
            row[k] = best;
        }
    }
    return row[y.n];
}

static err_code unknown(const struct options *o, str name, const char *source, struct err *err)
{
    const struct option *nearest = NULL;
    size_t least = 4;
    for (size_t i = 0; i < o->count; i++) {
        size_t d = distance(o->items[i].name, name);
        if (d < least) {
            least = d;
            nearest = &o->items[i];
        }
    }
    if (nearest)
        return err_set(err, ERR_INVALID, "%s has no option '%" STR_FMT "' (%s); did you mean '%" STR_FMT "'?",
                       o->command, STR_ARG(name), source, STR_ARG(nearest->name));
    return err_set(err, ERR_INVALID, "%s has no option '%" STR_FMT "' (%s); '%s --help' lists them",
                   o->command, STR_ARG(name), source, o->command);
}

/* --- values --- */

static err_code bad_value(const struct option *op, str value, const char *source, const char *wanted,
                          struct err *err)
{
    return err_set(err, ERR_INVALID, "option '%" STR_FMT "' cannot be '%" STR_FMT "' (%s): it is %s",
                   STR_ARG(op->name), STR_ARG(value), source, wanted);
}

static err_code set_flag(const struct option *op, bool *target, str value, const char *source,
                         struct err *err)
{
    bool on = str_is(value, "true") || str_is(value, "1") || str_is(value, "yes");
    if (!on && !str_is(value, "false") && !str_is(value, "0") && !str_is(value, "no"))
        return bad_value(op, value, source, "true or false", err);
    *target = on;
    return ERR_NONE;
}

static err_code set_number(const struct option *op, int64_t *target, str value, const char *source,
                           struct err *err)
{
    int64_t v;
    char wanted[80];
    struct buf text = {.p = wanted, .cap = sizeof wanted - 1, .max = sizeof wanted - 1};
    if (str_parse_i64(value, &v) && v >= op->min && v <= op->max) {
        *target = v;
        return ERR_NONE;
    }
    buf_add_f(&text, "a number from %lld to %lld", (long long)op->min, (long long)op->max);
    wanted[text.n] = 0;
    return bad_value(op, value, source, wanted, err);
}

static err_code set(const struct option *op, void *target, str value, const char *source, struct err *err)
{
    void *at = (char *)target + op->offset;
    struct err parse = ERR_INIT;
    switch (op->kind) {
    case OPTION_FLAG: return set_flag(op, at, value, source, err);
    case OPTION_TEXT: *(str *)at = value; return ERR_NONE;
    case OPTION_NUMBER: return set_number(op, at, value, source, err);
    case OPTION_DURATION:
        if (duration_parse(value, at, &parse))
            return bad_value(op, value, source, "a time such as 90s or 1h30m", err);
        return ERR_NONE;
    }
    return ERR_NONE;
}

static bool take(const struct options *o, struct options_seen *seen, const struct option *op)
{
    uint64_t bit = UINT64_C(1) << (op - o->items);
    bool first = !(seen->bits & bit);
    seen->bits |= bit;
    return first;
}

err_code options_set(const struct options *o, void *target, struct options_seen *seen, str name, str value,
                     const char *source, struct err *err)
{
    const struct option *op = find(o, name);
    if (!op)
        return unknown(o, name, source, err);
    return take(o, seen, op) ? set(op, target, value, source, err) : ERR_NONE;
}

/* --- arguments --- */

err_code options_args(const struct options *o, void *target, struct options_seen *seen, int argc,
                      char *const *argv, const char **rest, size_t *ret_rest_count, struct err *err)
{
    static const char source[] = "on the command line";
    size_t n = 0;
    ASSERT(o->count <= OPTIONS_MAX);
    for (int i = 0; i < argc; i++) {
        str arg = str_from_c(argv[i]), name, value;
        if (str_is(arg, "--")) {
            while (++i < argc)
                rest[n++] = argv[i];
            break;
        }
        if (str_is(arg, "--help") || str_is(arg, "-h")) {
            seen->help = true;
            continue;
        }
        if (!str_take_prefix(&arg, S("--"))) {
            if (arg.n > 1 && arg.p[0] == '-')
                return unknown(o, arg, source, err);
            rest[n++] = argv[i];
            continue;
        }
        bool with_value = str_cut(arg, '=', &name, &value);
        const struct option *op = find(o, name);
        if (!op)
            return unknown(o, name, source, err);
        if (!with_value && op->kind == OPTION_FLAG)
            value = S("true");
        else if (!with_value && i + 1 == argc)
            return err_set(err, ERR_INVALID, "option '%" STR_FMT "' needs a value: --%" STR_FMT "=%s",
                           STR_ARG(name), STR_ARG(name), op->hint ? op->hint : "VALUE");
        else if (!with_value)
            value = str_from_c(argv[++i]);
        take(o, seen, op); /* the last one counts, as everywhere */
        if (set(op, target, value, source, err))
            return err->code;
    }
    *ret_rest_count = n;
    return ERR_NONE;
}

/* --- environment --- */

static void variable_name(const struct options *o, const struct option *op, struct buf *out)
{
    buf_add(out, str_from_c(o->env));
    for (size_t i = 0; i < op->name.n; i++) {
        char c = op->name.p[i];
        buf_add_c(out, c == '-' ? '_' : c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c);
    }
}

err_code options_env(const struct options *o, void *target, struct options_seen *seen,
                     const char *(*get)(const char *name), struct err *err)
{
    for (size_t i = 0; i < o->count && o->env; i++) {
        char name[NAME_MAX * 2], source[NAME_MAX * 2 + 32];
        struct buf text = {.p = name, .cap = sizeof name - 1, .max = sizeof name - 1};
        variable_name(o, &o->items[i], &text);
        name[text.n] = 0;
        const char *value = get(name);
        if (!value || !take(o, seen, &o->items[i]))
            continue;
        struct buf from = {.p = source, .cap = sizeof source - 1, .max = sizeof source - 1};
        buf_add_f(&from, "in the environment, %s", name);
        source[from.n] = 0;
        if (set(&o->items[i], target, str_from_c(value), source, err))
            return err->code;
    }
    return ERR_NONE;
}

/* --- help --- */

static void wrapped(struct buf *out, str text)
{
    size_t column = 0;
    str word;
    while (str_next(&text, ' ', &word)) {
        if (column && column + 1 + word.n > HELP_WIDTH - HELP_INDENT) {
            buf_add_c(out, '\n');
            column = 0;
        }
        if (column)
            buf_add_c(out, ' ');
        else
            buf_add_n(out, ' ', HELP_INDENT);
        column += (column ? 1 : 0) + word.n;
        buf_add(out, word);
    }
    buf_add_c(out, '\n');
}

void options_help(const struct options *o, struct buf *out)
{
    buf_add_f(out, "%s\n\nUsage: %s [OPTIONS]\n\nOptions:\n", o->summary, o->command);
    for (size_t i = 0; i < o->count; i++) {
        const struct option *op = &o->items[i];
        buf_add_f(out, "  --%" STR_FMT, STR_ARG(op->name));
        if (op->kind != OPTION_FLAG)
            buf_add_f(out, "=%s", op->hint ? op->hint : "VALUE");
        if (op->preset)
            buf_add_f(out, "  (%s)", op->preset);
        buf_add_c(out, '\n');
        wrapped(out, str_from_c(op->help));
    }
    buf_add_lit(out, "  --help, -h\n");
    wrapped(out, S("This text."));
    if (o->env) {
        buf_add_lit(out, "\nEach option can also stand in the environment (");
        variable_name(o, &o->items[0], out);
        buf_add_f(out, " for --%" STR_FMT ").\n", STR_ARG(o->items[0].name));
    }
    if (o->footer)
        buf_add_f(out, "%s", o->footer);
}
