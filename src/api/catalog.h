/* catalog.h - what is served right now: groups, their versions, and in each the kinds, built-in and custom.
 * A resource is what is stored ("deployments.apps"); it is served as one kind in each of one or more versions, of which one
 * is the stored one. Constant once made and counted: when custom resource definitions change, a new catalog is made (sharing
 * what did not change) and takes the place of the old one. Pointers into a catalog are good as long as it is held; a kind
 * can be held alone, which is what somebody with a long life (a watch) should do.
 * Threads: any. */
#ifndef API_CATALOG_H
#define API_CATALOG_H

#include "api/schema.h"
#include "base/arena.h"
#include "base/err.h"

struct conversion;
struct served_kind;
struct served_set;
struct kind_table;

struct served_subresource {
    str name;                          /* "status" */
    str group, version, kind;          /* of its body: "autoscaling", "v1", "Scale" */
    unsigned verbs;                    /* enum schema_verb */
    const struct schema_type *options; /* its query parameters; NULL: none of its own */
    bool is_connect; /* a stream or a proxy: any bytes in and out; `kind` is that of the options */
};

/* What is stored. One struct for the versions together. */
struct served_resource {
    str store_name; /* "pods", "deployments.apps": the key in the store */
    const struct served_kind *stored;
    unsigned short_history : 1; /* STORE_SHORT_HISTORY: leases */
    struct served_set *set;     /* catalog.c's: what is kept alive together */
};

/* One kind of one version, at /api/v1/PLURAL or /apis/GROUP/VERSION/PLURAL. */
struct served_kind {
    const struct served_resource *resource;
    const struct schema *schema;
    const struct schema_type *type;
    const struct schema_kind_info *info; /* of the schema */
    str group, version, kind, list_kind, plural, singular;
    str api_version; /* "apps/v1", "v1" */
    str head;        /* `{"kind":"Deployment","apiVersion":"apps/v1",` */
    str list_head;   /* `{"kind":"DeploymentList","apiVersion":"apps/v1",` */
    struct str_list {
        const str *items;
        size_t count;
    } short_names, categories;
    struct str_list
        selectable; /* field selectors: "metadata.name" is always one and not listed, "status.phase" */
    const struct served_subresource *subresources;
    size_t subresource_count;
    unsigned verbs;
    bool namespaced;
    bool returns_deleted; /* a DELETE is answered with the object, not with a Status */
    /* Stored in another version: both ways, on trees (convert.h); NULL when stored as it is. */
    const struct conversion *conversion;
    const struct kind_table *table; /* of content as it is stored; custom: as it is served (table.h) */
    /* Custom: the definition's schema document of this version, as JSON text, for OpenAPI; STR_NONE for built-in ones. */
    str openapi;
    bool is_custom;
    bool preserves_unknown; /* custom: nothing is pruned */
    str deprecation;        /* the warning for using it; empty: not deprecated */
};

struct served_version {
    str group, version;
    const struct served_kind *const *kinds; /* by plural; bodies of subresources alone are not among them */
    size_t kind_count;
};

struct served_group {
    str name;                              /* "" for core */
    const struct served_version *versions; /* the preferred one first */
    size_t version_count;
};

struct catalog {
    const struct served_group *groups; /* as discovery lists them: by priority; core is the first */
    size_t group_count;
    uint64_t generation; /* another number for another content */
    /* The rest is catalog.c's. */
};

/* A version of a custom resource definition, ready to serve; catalog_new takes over what `release` frees. */
struct custom_kind {
    /* `resource`, `api_version`, `head` and `list_head` are filled in. Arrays are copied, strings are not. */
    struct served_kind kind;
    bool is_stored; /* one of the versions of a resource is */
    bool is_hidden; /* stored, but not served: in no list, and not found */
    void (*release)(void *obj);
    void *obj;
};

/* One reference, the caller's. The built-in kinds and `custom` (those of one resource one after the other; copied, their
 * strings borrowed until released). */
const struct catalog *catalog_new(const struct custom_kind *custom, size_t custom_count, uint64_t generation);
/* The same, sharing with `before` what is built in and each custom resource all of whose versions have the `obj` they had
 * there (the references given for those are released at once). */
const struct catalog *catalog_renew(const struct catalog *before, const struct custom_kind *custom,
                                    size_t custom_count, uint64_t generation);
const struct catalog *catalog_ref(const struct catalog *c);
const struct catalog *catalog_unref(const struct catalog *c); /* NULL, and NULL is fine */

/* Keeps a kind (with its resource and the versions of it) and nothing else of the catalog. */
const struct served_kind *served_kind_ref(const struct served_kind *k);
const struct served_kind *served_kind_unref(const struct served_kind *k); /* NULL, and NULL is fine */

/* By what stands in a URL. NULL: not served. */
const struct served_group *catalog_group(const struct catalog *c, str group);
const struct served_version *catalog_version(const struct catalog *c, str group, str version);
const struct served_kind *catalog_find(const struct catalog *c, str group, str version, str plural);
/* By what stands in a document. */
const struct served_kind *catalog_find_kind(const struct catalog *c, str api_version, str kind);
const struct served_subresource *served_subresource_find(const struct served_kind *k, str name);

#endif
