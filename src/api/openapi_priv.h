/* openapi_priv.h - one OpenAPI document being made: which definitions and paths it has, and how each is written.
 *   openapi.c           the documents
 *   openapi_types.c     definitions of built-in types, from the schema
 *   openapi_custom.c    definitions of custom kinds, from their own schema
 *   openapi_paths.c     paths and their operations
 *   openapi_protobuf.c  v2 in protobuf, piece by piece from the JSON
 * Members are written in the order of their names, as the original's are: its documents are maps. */
#ifndef API_OPENAPI_PRIV_H
#define API_OPENAPI_PRIV_H

#include "api/catalog.h"
#include "api/json_out.h"

/* --- definitions --- */

/* Types that are no struct of the schema and yet have a name. */
enum openapi_extra {
    OPENAPI_QUANTITY,
    OPENAPI_TIME,
    OPENAPI_MICRO_TIME,
    OPENAPI_DURATION,
    OPENAPI_INT_OR_STRING,
    OPENAPI_OBJECT,
    OPENAPI_ANY,
    OPENAPI_FIELDS,
    OPENAPI_OR_BOOL,
    OPENAPI_OR_LIST,
    OPENAPI_OR_STRINGS,
    OPENAPI_PATCH,
    OPENAPI_VERSION_INFO,
    OPENAPI_EXTRA_COUNT,
};

struct openapi_definition {
    str name; /* "io.k8s.api.core.v1.Pod" */
    enum openapi_definition_kind { OPENAPI_TYPE, OPENAPI_EXTRA, OPENAPI_LIST, OPENAPI_CUSTOM } kind;
    uint16_t index;              /* TYPE: of the schema; EXTRA: which */
    const struct served_kind *k; /* LIST, CUSTOM */
};

/* --- paths --- */

struct openapi_param {
    str name, help;
    str shared; /* v2: what it is called in the document's list of parameters; empty: written where it is used */
    enum openapi_param_type { OPENAPI_STRING, OPENAPI_INTEGER, OPENAPI_BOOLEAN } type;
    bool in_path; /* else in the query */
};
/* The query parameters that a type of options stands for, by name. */
struct openapi_params {
    const struct schema_type *of; /* NULL: made of two */
    struct openapi_param *items;
    size_t count;
};
#define OPENAPI_PARAMS_MAX 32 /* types of options that there are; a test holds it */
enum openapi_fixed_param { OPENAPI_NAMESPACE, OPENAPI_PRETTY, OPENAPI_PROXY_PATH, OPENAPI_FIXED_COUNT };
enum openapi_options {
    OPENAPI_LIST_OPTIONS,
    OPENAPI_GET_OPTIONS,
    OPENAPI_CREATE_OPTIONS,
    OPENAPI_UPDATE_OPTIONS,
    OPENAPI_PATCH_OPTIONS,
    OPENAPI_DELETE_OPTIONS,
    OPENAPI_COLLECTION_OPTIONS, /* of deleting one */
    OPENAPI_OPTIONS_COUNT,
};

enum openapi_path_kind {
    OPENAPI_PATH_COLLECTION, /* .../pods: of a namespace, or of a cluster-wide resource */
    OPENAPI_PATH_OBJECT,     /* .../pods/{name} */
    OPENAPI_PATH_SUBRESOURCE,
    OPENAPI_PATH_PROXY, /* .../pods/{name}/proxy/{path} */
    OPENAPI_PATH_ALL,   /* /api/v1/pods: of all namespaces */
    OPENAPI_PATH_WATCH, /* .../watch/...: deprecated, and still there */
    OPENAPI_PATH_WATCH_OBJECT,
    OPENAPI_PATH_WATCH_ALL,
    /* Not of a resource: */
    OPENAPI_PATH_CORE,
    OPENAPI_PATH_GROUPS,
    OPENAPI_PATH_GROUP,
    OPENAPI_PATH_VERSION,
    OPENAPI_PATH_CODE_VERSION,
    OPENAPI_PATH_ISSUER,
    OPENAPI_PATH_KEYS,
};
struct openapi_path {
    str text;
    enum openapi_path_kind kind;
    const struct served_kind *k;
    const struct served_subresource *sub;
    str group, version; /* GROUP, VERSION */
};

/* --- the document --- */
struct openapi {
    struct arena *arena;
    const struct schema *schema; /* the built-in one */
    bool v3;
    /* By type of the schema. */
    str *type_names;
    const struct schema_kind_info **kinds; /* the kind whose document the type is, or NULL */
    bool *needed;
    bool needed_extra[OPENAPI_EXTRA_COUNT];
    /* Groups and versions that are built in, in the order of the alphabet: where DeleteOptions and WatchEvents are known. */
    const struct served_version **versions;
    size_t version_count;
    struct openapi_definition *definitions; /* sorted once complete */
    size_t definition_count, definition_cap;
    struct openapi_path *paths;
    size_t path_count, path_cap;
    struct openapi_params params[OPENAPI_PARAMS_MAX]; /* the first of them by enum openapi_options */
    size_t params_count;
    struct openapi_param fixed_params[OPENAPI_FIXED_COUNT];
    str status_name, delete_options_name, watch_event_name, object_meta_name, list_meta_name;
    str patch_body, delete_body; /* v2: names of the bodies that paths share */
    struct buf text;             /* scratch */
};

void openapi_init(struct openapi *m, struct arena *a, const struct catalog *c, bool v3);
void openapi_done(struct openapi *m);

/* A type, with all that it refers to. */
void openapi_need_type(struct openapi *m, const struct schema_type *t);
void openapi_need_named(struct openapi *m, const char *package, const char *name);
void openapi_need_extra(struct openapi *m, enum openapi_extra which);
void openapi_need_kind(struct openapi *m,
                       const struct served_kind *k); /* and its list, and its subresources */
/* After everything needed is known: the definitions, sorted. */
void openapi_collect(struct openapi *m);
void openapi_add_definition(struct openapi *m, struct json_out *o, const struct openapi_definition *d);

str openapi_type_name(struct openapi *m, const char *package, const char *name);
str openapi_extra_name(enum openapi_extra which);
/* "io.k8s.api.apps.v1.Deployment", "com.example.v1.Widget"; the list's is this and "List"... or what list_kind says. */
str openapi_kind_name(struct openapi *m, const struct served_kind *k);
str openapi_list_name(struct openapi *m, const struct served_kind *k);
void openapi_add_ref(struct openapi *m, struct json_out *o, str name); /* "$ref":"#/..." */
void openapi_add_gvk(struct json_out *o, str group, str version, str kind);
/* The members that every document's kind has, as properties. */
#define OPENAPI_API_VERSION                                                                          \
    "{\"description\":\"Schema that this document is written in: GROUP/VERSION, or v1 for the core " \
    "group. The server converts between the versions it knows and refuses others.\",\"type\":\"string\"}"
#define OPENAPI_KIND                                                                                     \
    "{\"description\":\"What this document is, in CamelCase, such as Pod. It cannot change.\",\"type\":" \
    "\"string\"}"

/* From served_kind.openapi. What cannot be read is any object. */
void openapi_add_custom(struct openapi *m, struct json_out *o, const struct served_kind *k);

/* Paths with everything their operations refer to; sorted by openapi_sort_paths. */
void openapi_need_kind_paths(struct openapi *m, const struct served_kind *k);
void openapi_need_path(struct openapi *m, enum openapi_path_kind kind, str text, str group, str version);
void openapi_sort_paths(struct openapi *m);
void openapi_init_params(struct openapi *m);
void openapi_add_path(struct openapi *m, struct json_out *o, const struct openapi_path *p);
/* v2: the members of the document's "parameters". */
void openapi_add_shared_params(struct openapi *m, struct json_out *o);

/* Which message of gnostic's a JSON object is. */
enum openapi_message {
    OPENAPI_MESSAGE_DOCUMENT,
    OPENAPI_MESSAGE_SCHEMA,
    OPENAPI_MESSAGE_PATH,
};
/* Adds the fields of the message. `json` is text that this folder made. */
void openapi_to_protobuf(struct buf *out, enum openapi_message which, str json);

#endif
