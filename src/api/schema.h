/* schema.h - everything known about a kind, as data: what api/ declares, at run time.
 * The built-in schema is generated as constant tables; a custom resource's is built from its OpenAPI v3 schema into the
 * same form, as a module of its own that may refer to the built-in one. Decoding, defaults, validation, patches, apply,
 * discovery, OpenAPI and `explain` all read these tables; nothing about a kind is known anywhere else.
 *
 * Compact on purpose: indexes into arrays of the module instead of pointers (no relocations, half the size), text in
 * one block. Read it through the functions below.
 * Threads: constant once made. */
#ifndef API_SCHEMA_H
#define API_SCHEMA_H

#include "base/intern.h"
#include "base/str.h"

/* What a value is. The scalars of Kubernetes have a JSON form and a protobuf message of their own. */
enum schema_kind {
    SCHEMA_NONE = 0,
    SCHEMA_BOOL,
    SCHEMA_INT32,
    SCHEMA_INT64,
    SCHEMA_UINT32,
    SCHEMA_UINT64,
    SCHEMA_DOUBLE,
    SCHEMA_STRING,
    SCHEMA_BYTES,         /* base64 in JSON */
    SCHEMA_QUANTITY,      /* string or number in JSON; message {string=1} */
    SCHEMA_TIME,          /* RFC 3339 or null; message {seconds=1, nanos=2} */
    SCHEMA_MICRO_TIME,    /* the same with six digits of a second */
    SCHEMA_DURATION,      /* "1h30m"; message {duration=1} */
    SCHEMA_INT_OR_STRING, /* message {type=1, intVal=2, strVal=3} */
    SCHEMA_OBJECT,        /* any object, kept as it is; message {raw=1} */
    SCHEMA_ANY,           /* any value; message {raw=1} */
    SCHEMA_FIELDS,        /* managedFields' set; message {Raw=1} */
    SCHEMA_STRUCT,
    SCHEMA_LIST,
    SCHEMA_MAP, /* string keys */
    /* The three of JSON schema documents that are one thing or another: */
    SCHEMA_OR_BOOL,    /* bool or struct; message {allows=1, schema=2} */
    SCHEMA_OR_LIST,    /* struct or list of it; message {schema=1, jSONSchemas=2} */
    SCHEMA_OR_STRINGS, /* struct or list of strings; message {schema=1, property=2} */
    SCHEMA_KIND_COUNT
};

/* The type of a value. `ref`: STRUCT and OR_*: type; LIST, MAP: node of the items; STRING: enum + 1, or 0. */
struct schema_node {
    uint8_t kind;
    uint8_t flags;
    uint16_t ref;
    uint16_t
        rules; /* of the value itself, wherever it stands: custom resources state them for items too; 0: none */
};
enum schema_node_flags {
    SCHEMA_NODE_MESSAGE = 1 << 0,  /* LIST: in protobuf a message {items=1} of its own */
    SCHEMA_NODE_BASE = 1 << 1,     /* `ref` is of the built-in module, not of this one */
    SCHEMA_NODE_NULLABLE = 1 << 2, /* null is a value, not "unset" */
    SCHEMA_NODE_UNTYPED =
        1 << 3, /* a custom resource's that holds for values of this kind and accepts others */
};

enum schema_field_flags {
    SCHEMA_POINTER = 1 << 0, /* unset and zero are different */
    SCHEMA_REQUIRED = 1 << 1,
    SCHEMA_ALWAYS = 1 << 2,   /* printed even when empty */
    SCHEMA_OMITZERO = 1 << 3, /* a time that is not set is left out rather than null */
    SCHEMA_IMMUTABLE = 1 << 4,
    SCHEMA_DEPRECATED = 1 << 5,
    SCHEMA_DISCRIMINATOR = 1 << 6,
    SCHEMA_INLINED = 1 << 7, /* stands in another type; listed here because JSON shows it here */
};

struct schema_field {
    uint32_t name; /* text */
    uint32_t help; /* text, NUL ended; 0: none */
    uint16_t name_n;
    uint16_t id;     /* in the intern table */
    uint16_t number; /* protobuf; 0: none, or that of an inlined message */
    uint16_t node;
    uint16_t offset; /* in the view */
    uint16_t rules;  /* 0: none */
    uint16_t flags;
};

enum schema_list_type { SCHEMA_LIST_DEFAULT, SCHEMA_LIST_ATOMIC, SCHEMA_LIST_SET, SCHEMA_LIST_MAP };
enum schema_granularity { SCHEMA_MERGE_DEFAULT, SCHEMA_MERGE_ATOMIC, SCHEMA_MERGE_GRANULAR };
enum schema_patch {
    SCHEMA_PATCH_MERGE = 1 << 0,
    SCHEMA_PATCH_RETAIN_KEYS = 1 << 1,
    SCHEMA_PATCH_REPLACE = 1 << 2,
};

enum schema_format {
    SCHEMA_FORMAT_NONE,
#define SCHEMA_FORMAT(name, text, check) SCHEMA_FORMAT_##name,
#include "api/formats.def"
#undef SCHEMA_FORMAT
};

/* What only some fields have. Limits: `has` says which of them are stated. */
struct schema_rules {
    union schema_bound {
        int64_t i;
        double f; /* DOUBLE; all numbers of custom resources */
    } min, max;
    double multiple_of; /* 0: none */
    uint32_t
        values_json; /* text: a JSON array of what is accepted; 0: anything. Custom resources; else see enums */
    uint32_t
        default_json; /* text, NUL ended: what the field is when nobody said; 0: none. Published in OpenAPI... */
    uint32_t preset_json; /* ... and the same, filled in by the server without being published */
    uint32_t list_keys;   /* text: names, NUL ended, an empty one at the end */
    uint32_t merge_key;
    uint32_t pattern;
    uint32_t one_of;               /* name of the union this field is a member of */
    uint32_t member;               /* value of the discriminator that selects it */
    uint32_t gate;                 /* feature gates, comma separated */
    uint32_t len_min, len_max;     /* of strings, in bytes; custom resources: in code points */
    uint32_t items_min, items_max; /* of lists and maps; custom resources: of all objects, but see extras */
    uint16_t has;                  /* enum schema_has */
    uint8_t list_type, map_type, struct_type, patch, format;
    uint16_t extra; /* what only custom resources state; 0: nothing */
};
enum schema_has {
    SCHEMA_HAS_MIN = 1 << 0,
    SCHEMA_HAS_MAX = 1 << 1,
    SCHEMA_HAS_LEN_MAX = 1 << 2,
    SCHEMA_HAS_ITEMS_MAX = 1 << 3,
    SCHEMA_HAS_MIN_EXCLUSIVE = 1 << 4, /* the bound itself is out */
    SCHEMA_HAS_MAX_EXCLUSIVE = 1 << 5,
    SCHEMA_HAS_UNIQUE_ITEMS = 1 << 6,
};

/* What only custom resources state. */
struct schema_extra {
    uint32_t
        required; /* text: names, NUL ended, an empty one at the end; 0: REQUIRED fields in their order are all */
    uint32_t validations;    /* text: a JSON array, x-kubernetes-validations as it was given: CEL; 0: none */
    uint32_t format;         /* text: as the schema spells it; 0: none, or none that is known */
    uint32_t pattern;        /* programs + this: the compiled `pattern`; 0: none */
    uint32_t format_pattern; /* and that of the format */
    uint32_t props_min,
        props_max;       /* of objects, where `items_` are of lists because the node is of any kind */
    uint16_t logic;      /* allOf and the like: an index into logics; 0: none */
    uint16_t also;       /* node + 1: holds for the same value, too; 0: none */
    uint8_t open_format; /* enum open_format */
    uint8_t has;         /* enum schema_extra_has */
};
enum schema_extra_has {
    SCHEMA_EXTRA_PROPS_MAX = 1 << 0,
    SCHEMA_EXTRA_FOREIGN = 1 << 1, /* `required` has names of no field */
};
/* logics: how many schemas stand under anyOf, oneOf, allOf and not, then their nodes in that order. */
enum schema_logic { SCHEMA_ANY_OF, SCHEMA_ONE_OF, SCHEMA_ALL_OF, SCHEMA_NOT, SCHEMA_LOGIC_COUNT };

/* A protobuf field of a message, in order of number. */
struct schema_message_field {
    uint16_t number;
    uint16_t field;   /* of the type, counted from its first; UINT16_MAX: an inlined message */
    uint16_t inlined; /* then: its type */
    uint16_t offset;  /* then: where it stands in the view */
};

struct schema_type {
    uint32_t name; /* text, NUL ended: "Container" */
    uint32_t help;
    uint16_t package;
    uint16_t field_first, field_count; /* as JSON shows them: inlined ones in place */
    uint16_t message_first, message_count;
    uint16_t slot_mask;
    uint32_t slot_first; /* name lookup: slots[slot_first + (hash & slot_mask)...] is a field + 1, or 0 */
    uint32_t view_size;
    uint16_t flags;
    uint16_t required_count; /* custom resources: fields that are REQUIRED */
};
enum schema_type_flags {
    SCHEMA_TYPE_ATOMIC = 1 << 0,
    SCHEMA_TYPE_KIND = 1 << 1,     /* has kind and apiVersion */
    SCHEMA_TYPE_PRESERVE = 1 << 2, /* members that it does not know are kept */
    SCHEMA_TYPE_CODED =
        1 << 3, /* what is wrong with it, and with all below it, is for code to say: src/api/rules */
};

struct schema_enum {
    uint32_t name, help;
    uint16_t package;
    uint16_t value_first, value_count;
    bool closed; /* nothing else is accepted */
};
struct schema_enum_value {
    uint32_t text, help;
};

struct schema_package {
    uint32_t name;           /* "core/v1" */
    uint32_t group, version; /* "" and "v1" */
    uint16_t group_priority, version_priority;
    bool aggregated; /* served by an add-on behind an APIService, not by the API server itself */
};

enum schema_verb {
    SCHEMA_CREATE = 1 << 0,
    SCHEMA_DELETE = 1 << 1,
    SCHEMA_DELETECOLLECTION = 1 << 2,
    SCHEMA_GET = 1 << 3,
    SCHEMA_LIST_VERB = 1 << 4,
    SCHEMA_PATCH_VERB = 1 << 5,
    SCHEMA_UPDATE = 1 << 6,
    SCHEMA_WATCH = 1 << 7,
};

enum schema_class {
    SCHEMA_RESOURCE,
    SCHEMA_SUBRESOURCE, /* body of a subresource: Scale, Eviction, TokenRequest */
    SCHEMA_QUERY,       /* query parameters */
    SCHEMA_WEBHOOK,
    SCHEMA_DISCOVERY,
    SCHEMA_META, /* Status, Table, WatchEvent, ... */
    SCHEMA_CLIENT_FILE,
    SCHEMA_INTERNAL,
};

struct schema_subresource {
    uint32_t name;
    uint32_t body_package; /* text: "autoscaling/v1" */
    uint32_t body_kind;
    uint32_t options; /* kind of its query parameters, of the body's package; 0: none of its own */
    uint16_t verbs;
};

struct schema_column {
    uint32_t name, type, format, help;
    uint32_t path;     /* ".status.phase"; 0: computed */
    uint32_t function; /* name of the C function that computes it; 0: by path */
    uint8_t priority;  /* 1: with -o wide only */
};

/* A served kind: one version of one resource, or a document. */
struct schema_kind_info {
    uint32_t name, list_name;                     /* "Pod", "PodList" */
    uint32_t plural, singular;                    /* 0 for documents */
    uint32_t short_names, categories, selectable; /* names, NUL ended, an empty one at the end; 0: none */
    uint32_t api_version; /* when it is not that of the package: "v1", or "*" for every one; else 0 */
    uint32_t stored;      /* "core/v1.Event" when the stored version is another; 0: this one is */
    uint32_t convert;     /* prefix of the pair of conversion functions */
    uint32_t deprecation; /* the warning for using it; 0: none */
    uint16_t package, type;
    uint16_t verbs;
    uint16_t subresource_first, subresource_count;
    uint16_t column_first, column_count;
    uint8_t class;
    bool namespaced;
    bool short_history;   /* the store keeps its changes for seconds only */
    bool returns_deleted; /* a DELETE is answered with the object, not with a Status */
    uint8_t name_format;  /* of metadata.name (enum schema_format); 0: DNS1123_SUBDOMAIN */
};

struct schema {
    const char *text;
    const struct schema_package *packages;
    const struct schema_type *types;
    const struct schema_field *fields;
    const struct schema_node *nodes;
    const struct schema_rules *rules;
    const struct schema_message_field *messages;
    const struct schema_enum *enums;
    const struct schema_enum_value *values;
    const struct schema_kind_info *kinds;
    const struct schema_subresource *subresources;
    const struct schema_column *columns;
    const uint16_t *slots;
    const struct schema_extra *extras;
    const uint16_t *logics;
    const char *programs; /* regular expressions, each at a multiple of 4 */
    uint16_t package_count, type_count, enum_count, kind_count;
    uint16_t root; /* custom resources: node of the whole document; its rules are there */
    const struct intern *names;
    const struct schema *base; /* the built-in one, seen from a custom resource's; NULL there */
};

/* The built-in one. */
extern const struct schema schema_builtin;

/* A place in a schema: module and node. What walks a value carries one of these along. */
struct schema_at {
    const struct schema *schema;
    const struct schema_node *node;
};

static inline str schema_text(const struct schema *s, uint32_t at)
{
    return str_from_c(s->text + at);
}
static inline str schema_field_name(const struct schema *s, const struct schema_field *f)
{
    return (str){s->text + f->name, f->name_n};
}
static inline const struct schema *schema_of_ref(const struct schema *s, const struct schema_node *n)
{
    return n->flags & SCHEMA_NODE_BASE ? s->base : s;
}
static inline struct schema_at schema_field_at(const struct schema *s, const struct schema_field *f)
{
    return (struct schema_at){s, &s->nodes[f->node]};
}
/* Items of a LIST, values of a MAP. */
static inline struct schema_at schema_items(struct schema_at at)
{
    const struct schema *s = schema_of_ref(at.schema, at.node);
    return (struct schema_at){s, &s->nodes[at.node->ref]};
}
/* The type of a STRUCT (or of the struct side of an OR_*), and its module. */
static inline const struct schema_type *schema_struct(struct schema_at at, const struct schema **ret)
{
    const struct schema *s = schema_of_ref(at.schema, at.node);
    *ret = s;
    return &s->types[at.node->ref];
}
static inline const struct schema_rules *schema_rules(const struct schema *s, const struct schema_field *f)
{
    return f->rules ? &s->rules[f->rules] : NULL;
}

/* NULL: nothing of the kind is stated. */
static inline const struct schema_extra *schema_extra(const struct schema *s, const struct schema_rules *r)
{
    return r->extra ? &s->extras[r->extra] : NULL;
}

/* NULL: no such field. */
const struct schema_field *schema_field_find(const struct schema *s, const struct schema_type *t, str name);
/* package "core/v1", name "Container". NULL: no such type. */
const struct schema_type *schema_type_find(const struct schema *s, str package, str name);
/* By what stands in a document: apiVersion "apps/v1" (or "v1"), kind "Deployment". NULL: not known. */
const struct schema_kind_info *schema_kind_find(const struct schema *s, str api_version, str kind);
/* By what stands in a URL. */
const struct schema_kind_info *schema_resource_find(const struct schema *s, str group, str version,
                                                    str plural);
/* "apps/v1", "v1": in the arena. */
str schema_api_version(struct arena *a, const struct schema *s, const struct schema_kind_info *k);
/* Walks a list of names (short names, categories, list keys): `uint32_t at = k->short_names; while
 * (schema_names_next(s, &at, &name))`. */
bool schema_names_next(const struct schema *s, uint32_t *at, str *ret);

#endif
