/* log.c - records become lines, in a buffer on the stack.
 * A field is written whole or not at all: what does not fit is taken back and counted. Room for the end of the line,
 * that count included, is kept free all the time, so that a line always ends as it should. */
#include "base/log.h"
#include "base/kube_time.h"
#include "base/utf8.h"

#define END_SIZE_MAX 40 /* `,"lost":18446744073709551615}` and a newline */

struct line {
    char text[LOG_LINE_MAX];
    size_t n;
    bool json;
    bool full; /* something did not fit since the last mark */
};

static void put(struct line *l, str s)
{
    if (l->full || s.n > LOG_LINE_MAX - END_SIZE_MAX - l->n) {
        l->full = true;
        return;
    }
    if (s.n)
        memcpy(l->text + l->n, s.p, s.n);
    l->n += s.n;
}

static void put_u64(struct line *l, uint64_t v)
{
    char digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + v % 10);
        v /= 10;
    } while (v);
    put(l, str_of(digits + at, sizeof digits - at));
}

/* One code point as it may stand in a line: controls (those above ASCII too, which a terminal obeys) as JSON escapes. */
static size_t escape(uint32_t c, char ret[8])
{
    bool control = c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0x2028 || c == 0x2029;
    if (!control && c != '"' && c != '\\')
        return utf8_encode(c, ret);
    ret[0] = '\\';
    switch (c) {
    case '"':
    case '\\': ret[1] = (char)c; return 2;
    case '\n': ret[1] = 'n'; return 2;
    case '\r': ret[1] = 'r'; return 2;
    case '\t': ret[1] = 't'; return 2;
    }
    ret[1] = 'u';
    for (int i = 0; i < 4; i++)
        ret[2 + i] = "0123456789abcdef"[c >> (12 - 4 * i) & 15];
    return 6;
}

static bool is_safe(char c)
{
    return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

/* Without quotes; at most LOG_VALUE_MAX bytes come out. */
static void put_escaped(struct line *l, str s)
{
    size_t room = LOG_VALUE_MAX;
    while (s.n && !l->full) {
        size_t plain = 0;
        while (plain < s.n && is_safe(s.p[plain]))
            plain++;
        /* "..." must fit behind all but the very last. */
        size_t fits = plain == s.n && plain <= room ? plain : size_min(plain, room - 3);
        put(l, str_slice(s, 0, fits));
        s = str_from(s, fits);
        room -= fits;
        if (!s.n)
            return;
        uint32_t c;
        char text[8];
        str rest = s;
        size_t size = utf8_next(&rest, &c) ? escape(c, text) : 0;
        if (fits < plain || size + (rest.n ? 3 : 0) > room) {
            put(l, S("..."));
            return;
        }
        put(l, str_of(text, size));
        s = rest;
        room -= size;
    }
}

/* Texts that need no quotes in the text format. */
static bool is_plain(str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool word = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
        if (!word && (!c || !strchr("-_./:@%+,#*~", c)))
            return false;
    }
    return s.n > 0 && s.n <= LOG_VALUE_MAX;
}

static void put_text(struct line *l, str s)
{
    if (!l->json && is_plain(s)) {
        put(l, s);
        return;
    }
    put(l, S("\""));
    put_escaped(l, s);
    put(l, S("\""));
}

static void put_name(struct line *l, const char *name)
{
    put(l, l->json ? S(",\"") : S(" "));
    put(l, str_from_c(name));
    put(l, l->json ? S("\":") : S("="));
}

static void put_secret(struct line *l, uint64_t size)
{
    put(l, S("\"(secret, "));
    put_u64(l, size);
    put(l, S(" bytes)\""));
}

static void put_value(struct line *l, const struct log_field *f)
{
    char storage[DURATION_TEXT_MAX];
    switch (f->kind) {
    case LOG_KIND_STR: put_text(l, f->v.text); break;
    case LOG_KIND_I64:
        if (f->v.i64 < 0)
            put(l, S("-"));
        put_u64(l, f->v.i64 < 0 ? -(uint64_t)f->v.i64 : (uint64_t)f->v.i64);
        break;
    case LOG_KIND_U64: put_u64(l, f->v.u64); break;
    case LOG_KIND_BOOL: put(l, f->v.boolean ? S("true") : S("false")); break;
    case LOG_KIND_DURATION: put_text(l, duration_text(f->v.i64, storage)); break;
    case LOG_KIND_ERR:
        put_text(l, str_from_c(f->v.err->msg));
        put_name(l, "code");
        put_text(l, str_from_c(err_name(f->v.err->code)));
        break;
    case LOG_KIND_SECRET: put_secret(l, f->v.u64); break;
    }
}

/* Returns how many did not fit. */
static size_t put_fields(struct line *l, const struct log_field *fields, size_t count)
{
    size_t lost = 0;
    for (size_t i = 0; i < count; i++) {
        size_t mark = l->n;
        put_name(l, fields[i].name);
        put_value(l, &fields[i]);
        if (l->full) {
            l->n = mark;
            l->full = false;
            lost++;
        }
    }
    return lost;
}

static void put_head(struct line *l, int64_t now_ns, enum log_level level, str msg)
{
    char storage[64];
    struct buf time = {.p = storage, .cap = sizeof storage, .max = sizeof storage};
    kube_micro_time_format(&time, kube_time_from_unix_ns(now_ns));
    put(l, l->json ? S("{\"ts\":\"") : S(""));
    put(l, buf_str(&time));
    put(l, l->json ? S("\",\"level\":\"") : S(" "));
    put(l, str_from_c(log_level_name(level)));
    put(l, l->json ? S("\",\"msg\":\"") : S(" "));
    put_escaped(l, msg);
    put(l, l->json ? S("\"") : S(""));
}

static void put_end(struct line *l, size_t lost)
{
    struct buf end = {.p = l->text + l->n, .cap = END_SIZE_MAX, .max = END_SIZE_MAX};
    if (lost) {
        buf_add(&end, l->json ? S(",\"lost\":") : S(" lost="));
        buf_add_u64(&end, lost);
    }
    buf_add(&end, l->json ? S("}\n") : S("\n"));
    ASSERT(!end.failed);
    l->n += end.n;
}

void log_write(const struct logger *lg, enum log_level level, str msg, const struct log_field *fields,
               size_t field_count)
{
    struct log_target *t = lg->target;
    struct line l;
    l.n = 0;
    l.json = t->format == LOG_FORMAT_JSON;
    l.full = false;
    put_head(&l, t->clock(t->clock_ctx), level, msg);
    size_t lost = put_fields(&l, fields, field_count);
    lost += put_fields(&l, lg->fields, lg->field_count);
    put_end(&l, lost);
    t->sink(t->sink_ctx, level, str_of(l.text, l.n));
}

void logger_init_with(struct logger *lg, const struct logger *parent, const struct log_field *fields,
                      size_t field_count)
{
    *lg = *parent;
    size_t n = size_min(field_count, LOG_CONTEXT_MAX - lg->field_count);
    if (UNEXPECTED(n < field_count))
        field_count = n;
    if (n)
        memcpy(lg->fields + lg->field_count, fields, n * sizeof *fields);
    lg->field_count += (uint32_t)n;
}

static const char *const level_names[] = {
    [LOG_LEVEL_DEBUG] = "debug",
    [LOG_LEVEL_INFO] = "info",
    [LOG_LEVEL_WARNING] = "warning",
    [LOG_LEVEL_ERROR] = "error",
};

const char *log_level_name(enum log_level level)
{
    ASSERT((size_t)level < ARRAY_COUNT(level_names));
    return level_names[level];
}

bool log_level_parse(str s, enum log_level *ret_level)
{
    for (size_t i = 0; i < ARRAY_COUNT(level_names); i++) {
        if (str_eq(s, str_from_c(level_names[i]))) {
            *ret_level = (enum log_level)i;
            return true;
        }
    }
    return false;
}
