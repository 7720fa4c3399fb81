/* write.h - the part that every write has in common: from a document as the client wants it to a transaction.
 *
 *     document (tree, served version) -> what the server fills in -> defaults -> admission -> normalise -> stored version
 *     -> print -> validate -> object -> guards and changes -> store
 *
 * It is a function of (newest object, request), run again when a guard fails because somebody else was quicker. */
#ifndef SERVER_WRITE_H
#define SERVER_WRITE_H

#include "api/rules.h"
#include "server/read.h"

#define WRITE_TRIES_MAX 64 /* then it is the client's turn: 409 or 504 */
#define WRITE_EXTRA_MAX 8  /* guards and changes besides the object's own */

struct write {
    /* What the act says. */
    struct json body; /* as decoded, served version */
    bool decoded;
    /* The document that is wanted, from `old` (NULL: none). DONE: answered. */
    enum stage_result (*make)(struct request *r, struct write *w, struct json *ret);
    /* How a finished write is answered; NULL: with the object. */
    enum stage_result (*answer)(struct request *r, struct write *w, int code, const struct object *o);
    bool takes_all;  /* what was made is what is meant, the status too: it was not sent by a client */
    bool forgets;    /* the client wants managedFields to be forgotten */
    bool is_tracked; /* managedFields are as they should be: an apply */
    bool may_create, must_create; /* there is no object: make one; there must be none */
    bool generate_name;
    /* Of a try. */
    const struct snapshot *sn;
    const struct object *old; /* borrowed from sn */
    struct json old_tree;     /* served version, with resourceVersion; null when there is none */
    str ns, name;
    struct object *object; /* what is to be stored; ours until commit */
    struct store_guard guards[WRITE_EXTRA_MAX + 1];
    struct store_change changes[WRITE_EXTRA_MAX + 1];
    size_t guard_count, change_count;
    bool committing, deletes; /* the update takes the last finalizer: the object goes */
    unsigned tries;
    int code; /* of the answer */
};

struct write *write_begin(struct request *r);
struct write *write_begin_sized(struct request *r,
                                size_t size); /* of a struct that begins with a struct write */
/* Decodes the request's body once, as the kind: complaints become warnings, or refuse it. */
enum stage_result write_decode(struct request *r, struct write *w, const struct served_kind *k);
/* Runs it to its end: call it from the act each time. */
enum stage_result write_run(struct request *r, struct write *w);

/* The object as a tree of the served version, with kind, apiVersion and resourceVersion. */
err_code write_read_tree(struct arena *a, const struct served_kind *k, const struct object *o,
                         struct json *ret, struct err *err);
/* More for the transaction of this try: what it relies on, and what has to happen together with it. At most WRITE_EXTRA_MAX
 * each. A `put` is taken over. */
void write_guard(struct write *w, struct store_guard g);
void write_change(struct write *w, struct store_change c);

#endif
