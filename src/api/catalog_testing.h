/* catalog_testing.h - catalogs with custom kinds in them, for tests of src/api. */
#ifndef API_CATALOG_TESTING_H
#define API_CATALOG_TESTING_H

#include "api/catalog.h"

static inline void catalog_unrefp(const struct catalog **c)
{
    *c = catalog_unref(*c);
}
#define CATALOG CLEANUP(catalog_unrefp) const struct catalog *

/* Widget of widgets.example.com, stored as this version, with a status and a scale. */
static inline struct custom_kind custom_widget(str version)
{
    static const str shorts[] = {S_INIT("wd")}, categories[] = {S_INIT("all"), S_INIT("tools")};
    static const unsigned sub_verbs = SCHEMA_GET | SCHEMA_PATCH_VERB | SCHEMA_UPDATE;
    static const struct served_subresource subresources[] = {
        {.name = S_INIT("status"),
         .group = S_INIT("example.com"),
         .version = S_INIT("v1"),
         .kind = S_INIT("Widget"),
         .verbs = sub_verbs},
        {.name = S_INIT("scale"),
         .group = S_INIT("autoscaling"),
         .version = S_INIT("v1"),
         .kind = S_INIT("Scale"),
         .verbs = sub_verbs},
    };
    return (struct custom_kind){
        .kind = {.schema = &schema_builtin,
                 .type = &schema_builtin.types[0],
                 .info = &schema_builtin.kinds[0],
                 .group = S("example.com"),
                 .version = version,
                 .kind = S("Widget"),
                 .list_kind = S("WidgetList"),
                 .plural = S("widgets"),
                 .singular = S("widget"),
                 .short_names = {shorts, 1},
                 .categories = {categories, 2},
                 .subresources = subresources,
                 .subresource_count = 2,
                 .verbs = 0xff,
                 .namespaced = true},
        .is_stored = true,
    };
}

#endif
