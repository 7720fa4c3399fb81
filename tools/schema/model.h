/* model.h - the API as declared in api/, read into memory: what the generator and the checker work on.
 * Memory: everything lives in the model's arena, which ends with the program. Errors name file and line. */
#ifndef TOOLS_SCHEMA_MODEL_H
#define TOOLS_SCHEMA_MODEL_H

#include "api/schema.h"
#include "base/arena.h"

struct m_type;
struct m_enum;

/* A type expression: `*[]map[string]core/v1.Container`. */
struct m_node {
    enum schema_kind kind;
    struct m_node *item;        /* LIST, MAP */
    struct m_type *type;        /* STRUCT, OR_* */
    struct m_enum *enumeration; /* STRING */
    bool message;               /* LIST with a protobuf message of its own */
    str spelled;                /* as written */
    uint16_t index;             /* in the emitted table */
};

struct m_names {
    const str *items;
    size_t count;
};

struct m_field {
    str name, pb_name, help;
    str file;
    int line;
    uint32_t number;
    bool inlined;
    bool pointer;
    struct m_node *node;
    unsigned flags; /* schema_field_flags but for INLINED */
    bool omitempty; /* written: required, and yet left out when empty */
    /* Rules. */
    enum schema_list_type list_type;
    enum schema_granularity map_type, struct_type;
    unsigned patch;
    struct m_names list_keys;
    str merge_key, default_json, preset_json, pattern, one_of, member, gate;
    enum schema_format format;
    unsigned has;
    int64_t min, max;
    uint32_t len_min, len_max, items_min, items_max;
    size_t offset; /* in the view */
};

struct m_package;

struct m_type {
    struct m_package *package;
    str name, help, file;
    int line;
    bool atomic;
    bool coded;
    struct m_node *alias;    /* `type Verbs = []string`: a list that is a message in protobuf */
    enum schema_kind either; /* OR_*: `type JSONSchemaPropsOrBool either JSONSchemaProps bool` */
    struct m_type *either_type;
    str either_name; /* of the struct side, until resolved */
    struct m_field *fields;
    size_t field_count;
    struct m_kind *kind; /* when a kind's own type */
    /* Filled in by the emitters. */
    uint16_t index;
    str c_name;
    size_t view_size, view_align;
    int layout_state;
};

struct m_enum_value {
    str text, help;
    bool deprecated;
};
struct m_enum {
    struct m_package *package;
    str name, help, file;
    int line;
    bool closed;
    struct m_enum_value *values;
    size_t value_count;
    uint16_t index;
};

struct m_subresource {
    str name, body_package, body_kind, options;
    unsigned verbs;
};
struct m_column {
    str name, type, format, help, path, function;
    unsigned priority;
};
struct m_kind {
    struct m_package *package;
    struct m_type *type;
    str name, list_name, plural, singular, stored, convert, deprecation, file;
    str api_version; /* when it is not the package's: "v1", or "*" for every one */
    int line;
    struct m_names short_names, categories, selectable;
    enum schema_class class;
    enum schema_format name_format;
    bool namespaced, scope_said, short_history, returns_deleted;
    unsigned verbs;
    struct m_subresource *subresources;
    size_t subresource_count;
    struct m_column *columns;
    size_t column_count;
};

struct m_package {
    str name, group, version, prefix, help;
    bool served; /* has a group line */
    bool aggregated;
    uint16_t group_priority, version_priority;
    uint16_t index;
};

struct model {
    struct arena arena;
    struct m_package **packages;
    struct m_type **types;
    struct m_enum **enums;
    struct m_kind **kinds;
    size_t package_count, type_count, enum_count, kind_count;
};

/* Reads every file, then resolves names. Stops at the first mistake: "api/apps/v1.api:12: ...". */
err_code model_load(struct model *m, const char *const *paths, size_t path_count, struct err *err);

struct m_type *model_type_find(const struct model *m, str package, str name);
struct m_enum *model_enum_find(const struct model *m, str package, str name);
struct m_package *model_package_find(const struct model *m, str name);

/* "create delete" to bits and back (names in the order of the reference tables). */
bool model_verb_parse(str name, unsigned *ret);

/* Whole file into the arena. */
err_code model_read_file(struct arena *a, const char *path, str *ret, struct err *err);

#endif
