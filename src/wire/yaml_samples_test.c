/* yaml_samples_test.c - the reference documents: each YAML file is what the original prints for the JSON beside it. */
#include "harness/test.h"
#include "wire/yaml.h"
#include <stdio.h>

enum { DOCUMENT_SIZE_MAX = 1 << 22 };

static void check_sample(const char *stem)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    str json = test_read_file(str_format(&a, "%s.json", stem).p);
    str yaml = test_read_file(str_format(&a, "%s.yaml", stem).p);
    struct json from_json, from_yaml;
    CHECK_OK(json_parse(&a, json, NULL, &from_json, &e));
    struct buf printed;
    buf_init_arena(&printed, &a, DOCUMENT_SIZE_MAX);
    yaml_print(&printed, &from_json);
    if (!str_eq(buf_str(&printed), yaml))
        printf("%s prints differently\n", stem);
    CHECK_STR(buf_str(&printed), yaml);
    CHECK_OK(yaml_parse(&a, yaml, NULL, &from_yaml, &e));
    if (!json_equal(&from_yaml, &from_json) || !json_equal(&from_json, &from_yaml))
        FAIL("%s is another tree in YAML", stem);
}

TEST(yaml_of_every_reference_document_prints_byte_for_byte_and_parses_equal)
{
    size_t count;
    char **stems = test_files(test_reference_path("samples"), ".yaml", &count);
    if (!stems)
        test_skip("no reference documents here");
    for (size_t i = 0; i < count; i++)
        check_sample(stems[i]);
    printf("%zu documents\n", count);
    CHECK_GE(count, 100);
}
