/* request.h - one request on its way: a list of stages, each of which goes on, answers, or waits.
 *
 *     authenticate -> route -> authorize -> queue -> body -> act -> (commit) -> answer
 *
 * A request belongs to the loop of its connection. A stage that has to wait (for the store, for more of the body, for a
 * webhook) returns STAGE_WAIT and sees to it that request_resume is called on that loop later; the request may have been
 * abandoned by its client meanwhile (`gone`): it then ends at the next step, after everything it waits for came back.
 * Memory: the request's arena; everything that it points to lives as long as it does.
 * Threads: its loop. */
#ifndef SERVER_REQUEST_H
#define SERVER_REQUEST_H

#include "api/catalog.h"
#include "server/identity.h"
#include "server/status.h"
#include "store/store.h"
#include "wire/http.h"
#include "wire/json.h"

struct server;
struct server_loop;
struct connection;
struct request;

enum stage_result {
    STAGE_NEXT,
    STAGE_WAIT, /* request_resume will be called; this stage is run again then */
    STAGE_DONE, /* answered, or an answer is on its way (a list or watch goes on by itself) */
};
typedef enum stage_result stage_fn(struct request *r);

/* What the Accept header asks for, as far as we can give it. */
enum media_type {
    MEDIA_JSON,
    MEDIA_YAML,
    MEDIA_PROTOBUF,
    MEDIA_OTHER,
};
enum media_form {
    FORM_OBJECT,
    FORM_TABLE,   /* as=Table */
    FORM_PARTIAL, /* as=PartialObjectMetadata, ...List */
};
struct media {
    enum media_type type;
    enum media_form form;
    bool stream;      /* of watches: application/json;stream=watch, vnd.kubernetes.protobuf;stream=watch */
    str form_version; /* of as=: "v1" */
};

/* How the object in the store is to be reached. Of query parameters those that any verb takes. */
struct request_params {
    str query;
    bool pretty;
    bool dry_run;
    enum field_validation { VALIDATION_WARN, VALIDATION_IGNORE, VALIDATION_STRICT } field_validation;
    str field_manager;
    bool has_field_manager;
    bool force, has_force;
};

#define REQUEST_WARNINGS_MAX 64

/* Who has the request while no stage runs. */
enum request_wait {
    WAIT_NOT,    /* a stage runs */
    WAIT_BODY,   /* the client: more of the body will come */
    WAIT_ROOM,   /* the client: a long answer goes on when it has read some of it, or when there is news */
    WAIT_RESUME, /* somebody who will call request_resume, whatever happens */
};

struct request {
    struct server *server;
    struct server_loop *home;
    struct connection *conn;
    struct http_exchange *x;
    struct arena *arena; /* the exchange's */
    size_t stage;        /* the one that runs, or is run next */
    enum request_wait wait;
    bool gone;     /* the client does not want it any more */
    bool answered; /* the head of the answer is out */
    bool in_loop;  /* request_run is on the stack */
    struct loop_msg resume;

    /* What came. */
    struct http_head head;
    struct buf body;
    size_t body_max;
    bool body_is_whole, body_is_too_large;
    int64_t began_mono, now_wall;
    str path, query;

    /* What the stages made. */
    struct user user;
    struct attributes at;
    const struct catalog *catalog;  /* held by the arena */
    const struct served_kind *kind; /* NULL: no resource */
    const struct served_subresource *subresource;
    uint32_t resource; /* the kind's, in the store */
    str ns;            /* where its objects are: empty for kinds without namespaces */
    struct media accept;
    struct request_params params;
    str warnings[REQUEST_WARNINGS_MAX];
    size_t warning_count;
    stage_fn *act; /* what route found: it answers */
    bool needs_body;

    /* Waiting for the store. */
    struct store_read read;
    struct store_txn txn;
    /* The act's own; long answers set the two functions. */
    void *state;
    void (*on_room)(struct request *r);
    void (*on_gone)(
        struct request *r); /* let go of what is outside of the arena; the request is freed after it */
};

/* --- for stages --- */
/* Waits for somebody who has the request now and will call request_resume exactly once: `return request_wait(r);`. */
enum stage_result request_wait(struct request *r);
/* On its loop; the stage that waited is run again, at once or, within that stage, as soon as it returns. */
void request_resume(struct request *r);
/* Puts a warning into the answer's head: each once; cut at what clients take. */
void request_warn(struct request *r, str text);

/* The answers: one of them once; each gives STAGE_DONE. */
enum stage_result answer_status(struct request *r, const struct status *st);
enum stage_result answer_failure(struct request *r, struct status st);
enum stage_result answer_err(struct request *r, const struct err *err);
enum stage_result answer_bytes(struct request *r, int code, str content_type, str body);
enum stage_result answer_text(struct request *r, int code, str text);
/* A document of JSON text, in the encoding that was asked for. */
enum stage_result answer_json(struct request *r, int code, str json);
/* Long answers: a head, pieces, the end. Pieces are copied. answer_piece is false when the client should read some of it
 * first: `return answer_later(r)`, and r->on_room is called. Whoever ends it outside of a stage calls answer_end and
 * forgets the request. */
void answer_begin(struct request *r, int code, str content_type);
bool answer_piece(struct request *r, str bytes);
enum stage_result answer_later(struct request *r);
enum stage_result answer_end(struct request *r);

/* --- for the server --- */
/* The handler of every exchange of a connection: makes a request of each. */
struct http_handler request_handler(struct connection *conn);

#endif
