/* yaml_samples_test.c - the reference documents: each YAML file is what the original prints for the JSON beside it. */
#include "harness/test.h"
#include "wire/yaml.h"
#include <dirent.h>
#include <stdio.h>

enum { DOCUMENT_SIZE_MAX = 1 << 22 };

static str read_sample(struct arena *a, const char *folder, str stem, const char *ending)
{
    return test_read_file(str_format(a, "%s/%" STR_FMT ".%s", folder, STR_ARG(stem), ending).p);
}

static void check_sample(const char *folder, str stem)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    str json = read_sample(&a, folder, stem, "json"), yaml = read_sample(&a, folder, stem, "yaml");
    struct json from_json, from_yaml;
    CHECK_OK(json_parse(&a, json, NULL, &from_json, &e));
    struct buf printed;
    buf_init_arena(&printed, &a, DOCUMENT_SIZE_MAX);
    yaml_print(&printed, &from_json);
    if (!str_eq(buf_str(&printed), yaml))
        printf("%" STR_FMT " prints differently\n", STR_ARG(stem));
    CHECK_STR(buf_str(&printed), yaml);
    CHECK_OK(yaml_parse(&a, yaml, NULL, &from_yaml, &e));
    if (!json_equal(&from_yaml, &from_json) || !json_equal(&from_json, &from_yaml))
        FAIL("%" STR_FMT " is another tree in YAML", STR_ARG(stem));
}

TEST(yaml_of_every_reference_document_prints_byte_for_byte_and_parses_equal)
{
    const char *folder = test_reference_path("samples");
    DIR *d = opendir(folder);
    if (!d)
        test_skip("no reference documents here");
    size_t count = 0;
    for (struct dirent *e; (e = readdir(d));) {
        str name = str_from_c(e->d_name);
        if (!str_ends(name, S(".yaml")))
            continue;
        check_sample(folder, str_slice(name, 0, name.n - strlen(".yaml")));
        count++;
    }
    closedir(d);
    printf("%zu documents\n", count);
    CHECK_GE(count, 100);
}
