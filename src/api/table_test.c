/* table_test.c - tables by themselves: definitions of columns, columns of custom resources, content that is not what it
 * should be. What each kind shows is in columns/columns_test.c. */
#include "api/table_priv.h"
#include "harness/test.h"
#include "wire/json.h"

#define NOW INT64_C(1767225600000000000) /* 2026-01-01T00:00:00Z */

static const struct schema *const all = &schema_builtin;

static void table_freep(struct kind_table **t)
{
    table_free(*t);
}
#define TABLE CLEANUP(table_freep) struct kind_table *

static str row(struct arena *a, const struct kind_table *t, str content)
{
    struct buf out;
    buf_init_arena(&out, a, 1 << 20);
    table_print_cells(&out, a, t, content, NOW);
    return buf_str(&out);
}

static str definitions(struct arena *a, const struct kind_table *t)
{
    struct buf out;
    buf_init_arena(&out, a, 1 << 20);
    table_print_columns(&out, t);
    return buf_str(&out);
}

static err_code custom(struct arena *a, const char *columns, struct kind_table **ret, struct err *err)
{
    struct json j;
    err_code code = json_parse(a, str_from_c(columns), NULL, &j, err);
    return code ? code : table_new_custom(&j, ret, err);
}

/* --- built-in --- */

TEST(table_columns_are_functions_that_are_there_and_all_of_them_are_used)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    const char *seen[256];
    size_t seen_count = 0;
    for (size_t i = 0; i < all->kind_count; i++)
        for (size_t k = 0; k < all->kinds[i].column_count; k++) {
            const struct schema_column *c = &all->columns[all->kinds[i].column_first + k];
            if (!c->function)
                continue;
            const char *name = all->text + c->function;
            CHECK(table_function_is_known(str_from_c(name)));
            bool is_new = true;
            for (size_t n = 0; n < seen_count && is_new; n++)
                is_new = strcmp(seen[n], name) != 0;
            if (is_new) {
                CHECK(seen_count < ARRAY_COUNT(seen));
                seen[seen_count++] = name;
            }
        }
    CHECK_EQ(seen_count, table_function_count());
    CHECK(!table_function_is_known(S("pod_mood")));
}

TEST(table_definitions_say_everything_of_each_column)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    TABLE t = table_new(all, schema_kind_find(all, S("v1"), S("Pod")));
    struct json j;
    CHECK_OK(json_parse(&a, definitions(&a, t), NULL, &j, &e));
    static const struct {
        const char *name, *format;
        int64_t priority;
    } want[] = {{"Name", "name", 0},
                {"Ready", "", 0},
                {"Status", "", 0},
                {"Restarts", "", 0},
                {"Age", "", 0},
                {"IP", "", 1},
                {"Node", "", 1},
                {"Nominated Node", "", 1},
                {"Readiness Gates", "", 1}};
    CHECK_EQ(json_count(&j), ARRAY_COUNT(want));
    for (size_t i = 0; i < ARRAY_COUNT(want); i++) {
        const struct json *c = json_at(&j, i);
        int64_t priority = -1;
        CHECK_EQ(json_count(c), 5);
        CHECK_STR(json_str(json_find(c, S("name"))), want[i].name);
        CHECK_STR(json_str(json_find(c, S("type"))), "string");
        CHECK_STR(json_str(json_find(c, S("format"))), want[i].format);
        CHECK(json_str(json_find(c, S("description"))).n > 0);
        CHECK(json_int(json_find(c, S("priority")), &priority));
        CHECK_EQ(priority, want[i].priority);
    }
}

TEST(table_has_help_for_every_column)
{
    for (size_t i = 0; i < all->kind_count; i++) {
        if (all->kinds[i].class != SCHEMA_RESOURCE || all->kinds[i].stored ||
            all->packages[all->kinds[i].package].aggregated)
            continue;
        TABLE t = table_new(all, &all->kinds[i]);
        for (size_t k = 0; k < t->column_count; k++)
            if (t->columns[k].help.n == 0)
                FAIL("%s: column %" STR_FMT " has no help", all->text + all->kinds[i].name,
                     STR_ARG(t->columns[k].name));
    }
}

TEST(table_of_a_kind_without_columns_has_name_and_created_at)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    struct schema_kind_info k = *schema_kind_find(all, S("v1"), S("ConfigMap"));
    k.column_count = 0;
    TABLE t = table_new(all, &k);
    CHECK_CONTAINS(definitions(&a, t), "[{\"name\":\"Name\",\"type\":\"string\",\"format\":\"name\",");
    CHECK_CONTAINS(definitions(&a, t), "{\"name\":\"Created At\",\"type\":\"date\",\"format\":\"\",");
    CHECK_STR(row(&a, t, S("{\"metadata\":{\"name\":\"x\",\"creationTimestamp\":\"2025-12-31T23:50:00Z\"}}")),
              "\"cells\":[\"x\",\"2025-12-31T23:50:00Z\"]");
}

TEST(table_prints_content_that_does_not_decode_as_if_nothing_were_there)
{
    static const char *const broken[] = {
        "", "{", "[]", "{\"metadata\":{\"name\":\"x\"},\"spec\":[]}",
        "{\"metadata\":{\"name\":\"x\"},\"spec\":{\"containers\":[{\"name\":1}]}}"};
    for (size_t i = 0; i < ARRAY_COUNT(broken); i++) {
        CLEANUP(arena_done) struct arena a;
        arena_init(&a, 0);
        TABLE t = table_new(all, schema_kind_find(all, S("v1"), S("Pod")));
        CHECK_STR(
            row(&a, t, str_from_c(broken[i])),
            "\"cells\":[\"\",\"0/0\",\"\",\"0\",\"<unknown>\",\"<none>\",\"<none>\",\"<none>\",\"<none>\"]");
    }
}

TEST(table_prints_text_that_needs_escapes)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    TABLE t = table_new(all, schema_kind_find(all, S("apps/v1"), S("StatefulSet")));
    CHECK_CONTAINS(row(&a, t,
                       S("{\"metadata\":{},\"spec\":{\"template\":{\"spec\":{\"containers\":"
                         "[{\"name\":\"a\\\"b\\n\",\"image\":\"\\u0001\"}]}}}}")),
                   ",\"a\\\"b\\n\",\"\\u0001\"]");
}

/* --- custom --- */

TEST(table_of_a_custom_kind_has_name_and_age_by_itself)
{
    static const char *const none[] = {"[]", "null", "{}"};
    for (size_t i = 0; i < ARRAY_COUNT(none); i++) {
        CLEANUP(arena_done) struct arena a;
        arena_init(&a, 0);
        TABLE t = NULL;
        CHECK_OK(custom(&a, none[i], &t, &e));
        CHECK_CONTAINS(definitions(&a, t),
                       "[{\"name\":\"Name\",\"type\":\"string\",\"format\":\"name\",\"description\":\"");
        CHECK_CONTAINS(definitions(&a, t),
                       "{\"name\":\"Age\",\"type\":\"date\",\"format\":\"\",\"description\":\"");
        CHECK_STR(
            row(&a, t, S("{\"metadata\":{\"name\":\"x\",\"creationTimestamp\":\"2025-12-31T23:50:00Z\"}}")),
            "\"cells\":[\"x\",\"10m\"]");
    }
    TABLE t = NULL;
    struct err e = ERR_INIT;
    CHECK_EQ(table_new_custom(NULL, &t, &e), ERR_NONE);
    CHECK_EQ(t->column_count, 2);
}

TEST(table_of_a_custom_kind_has_the_columns_of_its_definition)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    TABLE t = NULL;
    CHECK_OK(custom(
        &a,
        "[{\"name\":\"Size\",\"type\":\"integer\",\"jsonPath\":\".spec.size\",\"format\":\"int32\",\"priority\":2,"
        "\"description\":\"How big\"},{\"name\":\"Mood\",\"type\":\"string\",\"jsonPath\":\".status.mood\"}]",
        &t, &e));
    str got = definitions(&a, t);
    CHECK_STR(
        str_from(got, str_index(got, S(",{\"name\":\"Size\""))),
        ",{\"name\":\"Size\",\"type\":\"integer\",\"format\":\"int32\",\"description\":\"How big\",\"priority\":2},"
        "{\"name\":\"Mood\",\"type\":\"string\",\"format\":\"\",\"description\":\"Custom resource definition column "
        "(in JSONPath format): .status.mood\",\"priority\":0}]");
    CHECK_STR(
        row(&a, t, S("{\"metadata\":{\"name\":\"x\"},\"spec\":{\"size\":3},\"status\":{\"mood\":\"good\"}}")),
        "\"cells\":[\"x\",3,\"good\"]");
    CHECK_STR(row(&a, t, S("{\"metadata\":{\"name\":\"x\"}}")), "\"cells\":[\"x\",null,null]");
    CHECK_STR(row(&a, t, S("{")), "\"cells\":[null,null,null]");
}

TEST(table_prints_values_of_custom_columns_by_their_type)
{
    static const struct {
        const char *type, *value, *want;
    } cases[] = {
        {"string", "\"a \\\"b\\\"\"", "\"a \\\"b\\\"\""},
        {"string", "\"\"", "\"\""},
        {"string", "7", "\"7\""},
        {"string", "1.5", "\"1.5\""},
        {"string", "true", "\"true\""},
        {"string", "{\"b\":[1,\"x\"]}", "\"{\\\"b\\\":[1,\\\"x\\\"]}\""},
        {"string", "null", "\"<no value>\""},
        {"integer", "7", "7"},
        {"integer", "-7.9", "-7"},
        {"integer", "1e300", "-9223372036854775808"},
        {"integer", "\"7\"", "null"},
        {"integer", "true", "null"},
        {"number", "7", "7"},
        {"number", "1.25", "1.25"},
        {"number", "\"7\"", "null"},
        {"boolean", "true", "true"},
        {"boolean", "false", "false"},
        {"boolean", "\"true\"", "null"},
        {"boolean", "1", "null"},
        {"date", "\"2025-12-31T23:50:00Z\"", "\"10m\""},
        {"date", "\"2026-01-01T00:00:05Z\"", "\"<invalid>\""},
        {"date", "\"\"", "\"<unknown>\""},
        {"date", "\"yesterday\"", "\"<invalid>\""},
        {"date", "12", "null"},
        {"odd", "\"x\"", "null"},
        {"integer", "null", "null"},
        {"date", "null", "null"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        CLEANUP(arena_done) struct arena a;
        arena_init(&a, 0);
        TABLE t = NULL;
        str columns = str_format(&a, "[{\"name\":\"V\",\"type\":\"%s\",\"jsonPath\":\".spec.v\"}]",
                                 cases[i].type);
        CHECK_OK(custom(&a, str_cstr(&a, columns), &t, &e));
        str content = str_format(&a, "{\"metadata\":{\"name\":\"x\"},\"spec\":{\"v\":%s}}", cases[i].value);
        str want = str_format(&a, "\"cells\":[\"x\",%s]", cases[i].want);
        CHECK_STR(row(&a, t, content), want);
    }
}

TEST(table_prints_the_first_value_that_a_path_finds)
{
    static const struct {
        const char *path, *want;
    } cases[] = {
        {".spec.list[*]", "\"a\""},
        {".spec.list[1]", "\"b\""},
        {".spec.list[7]", "null"},
        {".spec.none[*].deep", "null"},
        {".spec.items[?(@.name==\\\"q\\\")].v", "\"2\""},
        {".spec.items[?(@.name==\\\"r\\\")].v", "null"},
        {"..v", "\"1\""},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        CLEANUP(arena_done) struct arena a;
        arena_init(&a, 0);
        TABLE t = NULL;
        str columns = str_format(&a, "[{\"name\":\"V\",\"type\":\"string\",\"jsonPath\":\"%s\"}]",
                                 cases[i].path);
        CHECK_OK(custom(&a, str_cstr(&a, columns), &t, &e));
        str want = str_format(&a, "\"cells\":[\"x\",%s]", cases[i].want);
        CHECK_STR(row(&a, t,
                      S("{\"metadata\":{\"name\":\"x\"},\"spec\":{\"list\":[\"a\",\"b\"],"
                        "\"items\":[{\"name\":\"p\",\"v\":1},{\"name\":\"q\",\"v\":2}]}}")),
                  want);
    }
}

TEST(table_refuses_columns_it_cannot_print)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    TABLE t = NULL;
    struct err e = ERR_INIT;
    CHECK_EQ(custom(&a, "[{\"name\":\"V\",\"type\":\"string\",\"jsonPath\":\".spec[\"}]", &t, &e),
             ERR_INVALID);
    CHECK_STR(e.msg, "unrecognized column definition \".spec[\"");
    struct json many = json_array();
    for (size_t i = 0; i <= TABLE_CUSTOM_COLUMNS_MAX; i++)
        json_append(&a, &many, json_object());
    CHECK_EQ(table_new_custom(&many, &t, &e), ERR_TOO_LARGE);
    CHECK(!t);
}
