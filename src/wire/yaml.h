/* yaml.h - YAML text to the tree of json.h, and a tree as YAML.
 * Reading gives the values that kubectl and the original's server get (YAML 1.1 as Go's yaml.v2 reads it, then turned
 * into JSON); printing gives the text that `kubectl -o yaml` gives, byte for byte.
 *
 * Values: yes, no, on, off, y, n (also Yes, YES, ...) are booleans as true and false are; 010 and 0o10 are 8; 0x1f, 0b1
 * and 1_000 are integers; dates and times are strings, as is whatever is quoted. A float that is a whole number becomes
 * an integer where JSON's text of it is one (1.0 is 1, 1e3 is 1000). .inf and .nan have no JSON: an error, but as keys.
 * Keys that are not strings become strings (`80: a` is "80"); null, lists and objects as keys are errors.
 * `<<` merges, in the place where it stands: what comes later wins. Tags of the core schema (!!str, !!int, !!binary...)
 * are obeyed, others leave a scalar a string. JSON is YAML: a text that begins with '{' or '[' is tried as JSON first.
 * Objects keep the order of their members; of two with the same name the later value wins, in the place of the first.
 *
 * Memory: the tree lives in the arena and may borrow from the text and the intern table: both must outlive it.
 * Limits: text size, depth, values (copies by alias included), arena budget: ERR_TOO_LARGE. Aliases are counted before
 * anything is copied and bounded as the original bounds them: a "billion laughs" costs nothing.
 * Errors: ERR_SYNTAX, in the original's words ("yaml: line 3: mapping values are not allowed in this context"), its odd
 * line numbers included (none in the first line, often one too few, from the start of the document). Where it really
 * was: yaml_opts.place. Users expect "error converting YAML to JSON: " before them: err_wrap.
 * Threads: pure functions; a stream belongs to one thread. */
#ifndef WIRE_YAML_H
#define WIRE_YAML_H

#include "wire/json.h"

enum yaml_flags {
    YAML_DUPLICATES_ERROR =
        1 << 0, /* a key that an object has already is an error; all of them in one message */
    /* As the original's server reads a body: what follows the first document is not looked at, and JSON is read as the
     * YAML that it is. */
    YAML_BODY = 1 << 1,
};

#define YAML_SIZE_MAX   ((size_t)64 << 20)
#define YAML_VALUES_MAX ((size_t)8 << 20)

/* Both from 1, the column in characters; 0 where no place is at fault. */
struct yaml_place {
    size_t line;
    size_t column;
};

struct yaml_opts {
    unsigned flags;
    unsigned depth_max;         /* 0: JSON_DEPTH_MAX */
    size_t size_max;            /* bytes of text; 0: YAML_SIZE_MAX */
    size_t values_max;          /* scalars, keys, arrays, objects; 0: YAML_VALUES_MAX */
    const struct intern *names; /* NULL: none */
    /* Called for each key that its object has already, in the original's words: `line 7: key "app" already set in map`,
     * or for JSON `duplicate field "spec.replicas"`. As for the original, a key that a merge brought counts. */
    void (*on_duplicate)(void *ctx, str message);
    void *ctx;
    struct yaml_place *place; /* where the error was; may be NULL */
};

/* One document; an empty text (or one of comments) is null. `opts` may be NULL. */
err_code yaml_parse(struct arena *a, str text, const struct yaml_opts *opts, struct json *ret,
                    struct err *err);

/* The documents of a text, as kubectl takes them from a file: apart by lines that begin with `---`; those that are empty
 * or null are passed over; JSON documents may follow each other, or YAML ones, without a line between.
 *
 *     yaml_stream_init(&s, a, text, opts, err);
 *     while (yaml_stream_next(&s, &document, &document_text))
 *         ...
 *     if (yaml_stream_end(&s))
 *         return err_wrap(err, "error parsing %s: error converting YAML to JSON", path);
 *
 * After a document that does not parse there are no more. Text, options and `err` are borrowed until the end. The trees
 * live in the arena; `s.arena` may be set to another one between documents. */
struct yaml_stream {
    struct arena *arena;
    struct err *err;
    const struct yaml_opts *opts;
    str rest;
    size_t line;  /* of the start of the rest, from 0 */
    bool started; /* something was before the rest */
    bool failed;
};

void yaml_stream_init(struct yaml_stream *s, struct arena *a, str text, const struct yaml_opts *opts,
                      struct err *err);
/* False: no more, or failed. `ret_text`, the document as it was written, without the line before it, may be NULL. */
bool yaml_stream_next(struct yaml_stream *s, struct json *ret, str *ret_text);
err_code yaml_stream_end(const struct yaml_stream *s); /* ERR_NONE, or what s->err says */

/* Block style, keys in the original's order (a2 before a10), lists not indented below their key, strings quoted where
 * they would be read as something else, text of several lines as `|` blocks, lines broken at the first space behind
 * column 80. Ends with a newline. Bytes that are not UTF-8 become U+FFFD. What the printer writes, yaml_parse reads as an
 * equal tree (but for floats that are whole numbers). */
void yaml_print(struct buf *out, const struct json *j);

#endif
