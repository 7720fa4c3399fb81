/* log.h - structured logging: one constant message, typed fields, one line.
 *
 *     log_info(lg, "pod started", KV_STR("pod", key), KV_U64("attempt", n));
 *
 * A target says where lines go and which levels are wanted; a logger is a target with the fields that every record of it
 * carries (node, controller, request). Base does no I/O and has no clock: both are given to the target.
 * Always true:
 *  - a record is one line, ending in a newline, of at most LOG_LINE_MAX bytes, valid UTF-8, no control characters; in
 *    the JSON format it is a valid object. Long values are cut and end in "...", fields that do not fit are counted in
 *    `lost`;
 *  - a record below the target's level costs one comparison: its arguments are not evaluated;
 *  - no heap.
 * Levels: error: someone must act. warning: degraded but going on, and the text says so. info: state changes. debug: the
 * rest.
 * Threads: loggers and targets may be used by all threads at once, if sink and clock may. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/err.h"
#include "base/secret.h"
#include "base/str.h"
#include <stdatomic.h>

#define LOG_LINE_MAX    4096
#define LOG_VALUE_MAX   1024 /* bytes of one value, as written */
#define LOG_CONTEXT_MAX 8    /* fields that a logger carries */

enum log_level {
    LOG_LEVEL_DEBUG,
    LOG_LEVEL_INFO,
    LOG_LEVEL_WARNING,
    LOG_LEVEL_ERROR,
};

enum log_format {
    LOG_FORMAT_TEXT, /* 2026-03-04T05:06:07.000120Z info pod started pod=default/web-0 attempt=3 */
    LOG_FORMAT_JSON, /* {"ts":"2026-03-04T05:06:07.000120Z","level":"info","msg":"pod started","pod":...} */
};

enum log_kind {
    LOG_KIND_STR,
    LOG_KIND_I64,
    LOG_KIND_U64,
    LOG_KIND_BOOL,
    LOG_KIND_DURATION, /* written as 1m30s */
    LOG_KIND_ERR,      /* its message, and its code as the field "code" */
    LOG_KIND_SECRET,   /* its length only */
};

struct log_field {
    const char *name;
    enum log_kind kind;
    union {
        str text;
        int64_t i64;
        uint64_t u64;
        bool boolean;
        const struct err *err;
    } v;
};

/* Names are literals: lower case words, no spaces. Texts and errors are borrowed: by a record for the call, by a logger
 * for its life. */
#define KV_STR(field, value)    ((struct log_field){"" field, LOG_KIND_STR, {.text = (value)}})
#define KV_I64(field, value)    ((struct log_field){"" field, LOG_KIND_I64, {.i64 = (value)}})
#define KV_U64(field, value)    ((struct log_field){"" field, LOG_KIND_U64, {.u64 = (value)}})
#define KV_BOOL(field, value)   ((struct log_field){"" field, LOG_KIND_BOOL, {.boolean = (value)}})
#define KV_NS(field, value)     ((struct log_field){"" field, LOG_KIND_DURATION, {.i64 = (value)}})
#define KV_ERR(value)           ((struct log_field){"error", LOG_KIND_ERR, {.err = (value)}})
#define KV_SECRET(field, value) ((struct log_field){"" field, LOG_KIND_SECRET, {.u64 = (value)->n}})

/* A whole line with its newline, borrowed for the call. */
typedef void log_sink_fn(void *ctx, enum log_level level, str line);
/* Nanoseconds since 1970. */
typedef int64_t log_clock_fn(void *ctx);

struct log_target {
    log_sink_fn *sink;
    void *sink_ctx;
    log_clock_fn *clock;
    void *clock_ctx;
    enum log_format format;
    _Atomic int level; /* the lowest that is wanted; may be changed at any time */
};

struct logger {
    struct log_target *target; /* NULL: nothing is logged */
    struct log_field fields[LOG_CONTEXT_MAX];
    uint32_t field_count;
};

static inline void logger_init(struct logger *lg, struct log_target *target)
{
    *lg = (struct logger){.target = target};
}
/* The parent's fields and these: `logger_init_child(&lg, parent, KV_STR("node", name));`. Needs the parent for the call
 * only. Fields past LOG_CONTEXT_MAX are left out. */
#define logger_init_child(lg, parent, ...)                                                            \
    do {                                                                                              \
        const struct log_field log_fields_[] = {__VA_ARGS__};                                         \
        logger_init_with((lg), (parent), log_fields_, sizeof log_fields_ / sizeof(struct log_field)); \
    } while (0)

static inline bool log_enabled(const struct logger *lg, enum log_level level)
{
    return lg->target && (int)level >= atomic_load_explicit(&lg->target->level, memory_order_relaxed);
}

#define log_debug(lg, msg, ...)   LOG_RECORD_(lg, LOG_LEVEL_DEBUG, msg, __VA_ARGS__)
#define log_info(lg, msg, ...)    LOG_RECORD_(lg, LOG_LEVEL_INFO, msg, __VA_ARGS__)
#define log_warning(lg, msg, ...) LOG_RECORD_(lg, LOG_LEVEL_WARNING, msg, __VA_ARGS__)
#define log_error(lg, msg, ...)   LOG_RECORD_(lg, LOG_LEVEL_ERROR, msg, __VA_ARGS__)
#define LOG_RECORD_(lg, level, msg, ...)                                                                     \
    do {                                                                                                     \
        const struct logger *log_lg_ = (lg);                                                                 \
        if (log_enabled(log_lg_, (level))) {                                                                 \
            const struct log_field log_fields_[] = {__VA_ARGS__};                                            \
            log_write(log_lg_, (level), S(msg), log_fields_, sizeof log_fields_ / sizeof(struct log_field)); \
        }                                                                                                    \
    } while (0)

/* What the macros call. */
void logger_init_with(struct logger *lg, const struct logger *parent, const struct log_field *fields,
                      size_t field_count);
void log_write(const struct logger *lg, enum log_level level, str msg, const struct log_field *fields,
               size_t field_count);

const char *log_level_name(enum log_level level);       /* "debug", "info", "warning", "error" */
bool log_level_parse(str s, enum log_level *ret_level); /* those names */

#endif
