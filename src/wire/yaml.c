/* yaml.c - one document, or a stream of them: where a document ends, and whether it is JSON.
 * kubectl cuts a file at lines that begin with `---` before anything is parsed. YAML itself ends a document there,
 * whatever it is in the middle of, so this cannot be wrong; lines of `...` end one too. */
#include "wire/yaml.h"
#include "wire/yaml_priv.h"

static const struct yaml_opts no_opts;

static str skip_space(str text)
{
    size_t n = 0;
    while (n < text.n && (text.p[n] == ' ' || text.p[n] == '\t' || text.p[n] == '\r' || text.p[n] == '\n'))
        n++;
    return str_from(text, n);
}

static void forget_place(const struct yaml_opts *opts)
{
    if (opts->place)
        *opts->place = (struct yaml_place){0};
}

static bool begins(str text, char c)
{
    return text.n && text.p[0] == c;
}

/* Lines. */

/* `---` or `...`, and nothing else or a space behind it. */
static bool is_marker(str line, const char *marker)
{
    return line.n >= 3 && memcmp(line.p, marker, 3) == 0 &&
           (line.n == 3 || line.p[3] == ' ' || line.p[3] == '\t' || line.p[3] == '\r' || line.p[3] == '\n');
}

/* Nothing that would be part of a document. */
static bool is_blank(str line)
{
    line = skip_space(line);
    return !line.n || line.p[0] == '#';
}

static bool is_bare_separator(str line)
{
    return is_marker(line, "---") && is_blank(str_from(line, 3));
}

/* With its end. */
static str first_line(str text)
{
    size_t end = str_index_c(text, '\n');
    return end == SIZE_MAX ? text : str_slice(text, 0, end + 1);
}

static str skip_blank_lines(str text)
{
    for (str line; line = first_line(text), line.n && !skip_space(line).n;)
        text = str_from(text, line.n);
    return text;
}

/* JSON. */

enum json_end { JSON_AT_END, JSON_IN_STREAM };

/* What may stand behind a value: in a stream another one, or a line that ends a document. */
static bool ends_well(str rest, enum json_end end)
{
    if (!rest.n || end == JSON_AT_END)
        return !rest.n;
    str line = rest.p[-1] == '\n' ? first_line(rest) : STR_NONE;
    return begins(rest, '{') || is_marker(line, "---") || is_marker(line, "...");
}

enum { PATH_SHOWN_MAX = 1100, DUPLICATES_SHOWN_MAX = 4096 };

struct duplicates {
    const struct yaml_opts *opts;
    struct buf all;
};

static void on_duplicate_field(void *ctx, str path)
{
    struct duplicates *d = ctx;
    CLEANUP(buf_done) struct buf message;
    buf_init(&message, PATH_SHOWN_MAX);
    buf_add_f(&message, "duplicate field \"%" STR_FMT "\"", STR_ARG(path));
    if (d->opts->on_duplicate)
        d->opts->on_duplicate(d->opts->ctx, buf_str(&message));
    if (d->all.n)
        buf_add_lit(&d->all, ", ");
    buf_add(&d->all, buf_str(&message));
}

/* It has parsed, and has names twice: again, telling them. */
static void report_duplicates(struct arena *a, str text, struct json_opts json, const struct yaml_opts *opts,
                              struct json *ret, size_t *ret_used, struct err *err)
{
    struct duplicates d = {.opts = opts};
    buf_init(&d.all, DUPLICATES_SHOWN_MAX);
    json.on_duplicate = on_duplicate_field;
    json.ctx = &d;
    json_parse_prefix(a, text, &json, ret, ret_used, err);
    if (opts->flags & YAML_DUPLICATES_ERROR)
        err_set(err, ERR_SYNTAX, "%" STR_FMT, STR_ARG(buf_str(&d.all)));
    buf_done(&d.all);
}

/* The value at the front of the text, and how much was used, the space behind it too. False: it is not JSON, `err` says
 * why. True: it is, and err->code is set if it has a name twice and the options forbid that. */
static bool parse_json(struct arena *a, str text, enum json_end end, const struct yaml_opts *opts,
                       struct json *ret, size_t *ret_used, struct err *err)
{
    bool watch = (opts->flags & YAML_DUPLICATES_ERROR) || opts->on_duplicate;
    struct json_opts json = {
        .flags = watch ? JSON_DUPLICATES_ERROR : 0, .depth_max = opts->depth_max, .names = opts->names};
    err->code = ERR_NONE;
    bool once = json_parse_prefix(a, text, &json, ret, ret_used, err) == ERR_NONE;
    json.flags = 0;
    if (!once && (!watch || json_parse_prefix(a, text, &json, ret, ret_used, err)))
        return false;
    if (!ends_well(str_from(text, *ret_used), end))
        return false;
    err->code = ERR_NONE;
    if (!once)
        report_duplicates(a, text, json, opts, ret, ret_used, err);
    return true;
}

/* One document. */

err_code yaml_parse(struct arena *a, str text, const struct yaml_opts *opts, struct json *ret,
                    struct err *err)
{
    if (!opts)
        opts = &no_opts;
    size_t used, max = opts->size_max ? opts->size_max : YAML_SIZE_MAX;
    str json = skip_space(text);
    struct err json_err;
    forget_place(opts);
    bool maybe = text.n <= max && !(opts->flags & YAML_BODY) && (begins(json, '{') || begins(json, '['));
    if (!maybe || !parse_json(a, json, JSON_AT_END, opts, ret, &used, &json_err))
        return yaml_parse_events(a, text, opts, ret, err);
    if (json_err.code)
        *err = json_err;
    return json_err.code;
}

/* Streams. */

void yaml_stream_init(struct yaml_stream *s, struct arena *a, str text, const struct yaml_opts *opts,
                      struct err *err)
{
    str_take_prefix(&text, S("\xef\xbb\xbf"));
    *s = (struct yaml_stream){.arena = a, .err = err, .opts = opts ? opts : &no_opts, .rest = text};
    size_t max = s->opts->size_max ? s->opts->size_max : YAML_SIZE_MAX;
    if (text.n > max) {
        err_set(err, ERR_TOO_LARGE, "yaml: the text has more than %zu bytes", max);
        s->failed = true;
    }
}

static void advance(struct yaml_stream *s, size_t size)
{
    str gone = str_slice(s->rest, 0, size);
    for (size_t at; (at = str_index_c(gone, '\n')) != SIZE_MAX; gone = str_from(gone, at + 1))
        s->line++;
    s->rest = str_from(s->rest, size);
    s->started = s->started || size;
}

/* The next document: from where its lines are counted, up to the line that ends it. For the original, lines count from
 * behind the separator, but if the text begins with one. */
static str next_document(struct yaml_stream *s)
{
    size_t start = 0, at = 0;
    bool begun = false, directives = false;
    while (at < s->rest.n) {
        str line = first_line(str_from(s->rest, at));
        bool end = is_marker(line, "...");
        if (begun && is_marker(line, "---"))
            break;
        if (end && !begun)
            start = at + line.n;
        else if (is_bare_separator(line) && !directives && (s->started || at))
            start = at + line.n;
        else if (!begun && begins(line, '%'))
            directives = true;
        begun = begun || is_marker(line, "---") || !(end || is_blank(line) || begins(line, '%'));
        at += line.n;
        if (end && begun)
            break;
    }
    str document = str_slice(s->rest, start, at);
    advance(s, start);
    return document;
}

/* Passes over separators that have nothing behind them but blank lines. */
static void skip_separators(struct yaml_stream *s)
{
    for (;;) {
        str rest = skip_blank_lines(s->rest);
        if (!is_bare_separator(first_line(rest)))
            return;
        str behind = str_from(rest, first_line(rest).n), next = skip_blank_lines(behind);
        bool first = !s->started && rest.p == s->rest.p;
        if (first && next.n && !begins(skip_space(next), '{') && !is_bare_separator(first_line(next)))
            return; /* lines count from it */
        advance(s, s->rest.n - behind.n);
    }
}

/* The next document if it is JSON: kubectl tries that first too. */
static bool next_json(struct yaml_stream *s, struct json *ret, str *ret_text, struct err *json_err)
{
    str rest = skip_space(s->rest);
    size_t used = 0;
    json_err->code = ERR_NONE;
    if (!begins(rest, '{') || !parse_json(s->arena, rest, JSON_IN_STREAM, s->opts, ret, &used, json_err))
        return false;
    *ret_text = str_trim(str_slice(rest, 0, used));
    advance(s, s->rest.n - rest.n + (json_err->code ? 0 : used));
    return true;
}

/* JSON that has an error in it is not made better by what YAML says of it. */
static bool looks_like_json(str document)
{
    document = skip_space(document);
    return begins(document, '{') && begins(skip_space(str_from(document, 1)), '"');
}

/* The next one, null perhaps. */
static bool next(struct yaml_stream *s, struct json *ret, str *ret_text)
{
    struct err json_err;
    forget_place(s->opts);
    skip_separators(s);
    if (next_json(s, ret, ret_text, &json_err)) {
        if (json_err.code)
            *s->err = json_err;
        return json_err.code == ERR_NONE;
    }
    *ret_text = next_document(s);
    if (!yaml_parse_events(s->arena, *ret_text, s->opts, ret, s->err)) {
        advance(s, ret_text->n);
        return true;
    }
    if (json_err.code && looks_like_json(*ret_text)) {
        *s->err = json_err;
        err_wrap(s->err, "json");
    }
    return false;
}

bool yaml_stream_next(struct yaml_stream *s, struct json *ret, str *ret_text)
{
    struct json tree = json_null();
    str text = STR_NONE;
    while (!s->failed && s->rest.n && tree.type == JSON_NULL) {
        if (next(s, &tree, &text))
            continue;
        s->failed = true;
        if (s->opts->place && s->opts->place->line)
            s->opts->place->line += s->line;
    }
    if (s->failed || tree.type == JSON_NULL)
        return false;
    *ret = tree;
    if (ret_text)
        *ret_text = text;
    return true;
}

err_code yaml_stream_end(const struct yaml_stream *s)
{
    return s->failed ? s->err->code : ERR_NONE;
}
