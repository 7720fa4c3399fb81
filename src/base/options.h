/* options.h - the options of a command, by table: from its arguments, from the environment, from a configuration file, and
 * their help text.
 *
 *     static const struct option items[] = {
 *         {.name = S_INIT("data-dir"), .kind = OPTION_TEXT, .offset = offsetof(struct opts, data_dir), .hint = "DIR",
 *          .help = "Where everything is kept."}, ...
 *     struct options table = {.command = "skiff server", .items = items, .count = ARRAY_COUNT(items)};
 *     options_args(&table, &opts, argc, argv, &rest, err) ...
 *
 * Who sets an option first keeps it: ask the arguments, then the environment, then the file. Texts are borrowed.
 * A flag is given as --name or --name=true|false; any other as --name=VALUE or --name VALUE. "--" ends options.
 * Errors are INVALID and one sentence, with the nearest name for one that is misspelled. */
#ifndef BASE_OPTIONS_H
#define BASE_OPTIONS_H

#include "base/buf.h"
#include "base/err.h"

enum option_kind {
    OPTION_FLAG,     /* bool */
    OPTION_TEXT,     /* str */
    OPTION_NUMBER,   /* int64_t, from `min` to `max` */
    OPTION_DURATION, /* int64_t in ns, as in 1m30s */
};

struct option {
    str name; /* without the dashes */
    enum option_kind kind;
    size_t offset;      /* in the target */
    int64_t min, max;   /* of a number */
    const char *hint;   /* "DIR" */
    const char *help;   /* a sentence or two */
    const char *preset; /* what it is when nobody says, for the help text; NULL: nothing to say */
};

#define OPTIONS_MAX 64

struct options {
    const char *command; /* "skiff server" */
    const char *summary; /* what it does, some lines */
    const char *env;     /* "SKIFF_": data-dir is SKIFF_DATA_DIR; NULL: no environment */
    const char *footer;  /* behind the options; may be NULL */
    const struct option *items;
    size_t count; /* OPTIONS_MAX at most */
};

/* What was set: keep one along with the target. */
struct options_seen {
    uint64_t bits;
    bool help; /* --help or -h was among the arguments */
};

/* `rest` gets the arguments that are no options (room for argc). */
err_code options_args(const struct options *o, void *target, struct options_seen *seen, int argc,
                      char *const *argv, const char **rest, size_t *ret_rest_count, struct err *err);
/* One by its name, unless it was set before. `source`: "the configuration file", for messages. */
err_code options_set(const struct options *o, void *target, struct options_seen *seen, str name, str value,
                     const char *source, struct err *err);
/* From the environment: `get` gives NULL for what is not set. */
err_code options_env(const struct options *o, void *target, struct options_seen *seen,
                     const char *(*get)(const char *name), struct err *err);
void options_help(const struct options *o, struct buf *out);

#endif
