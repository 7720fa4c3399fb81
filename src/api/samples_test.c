/* samples_test.c - every reference document of a served version: its JSON, YAML and protobuf forms are one document, and
 * encoding gives each back. */
#include "api/tree.h"
#include "api/view.h"
#include "harness/test.h"
#include "wire/protobuf.h"
#include <stdio.h>

enum { DOCUMENT_SIZE_MAX = 1 << 22 };

struct sample {
    struct arena a;
    char *stem; /* path without ".json" */
    const struct schema_kind_info *kind;
    const struct schema_type *type;
    struct json tree; /* from JSON */
};

static str read_form(struct sample *s, const char *ending)
{
    return test_read_file(str_format(&s->a, "%s.%s", s->stem, ending).p);
}

static void unknown_is_a_failure(void *ctx, str path)
{
    FAIL("%s: the schema does not know '%" STR_FMT "'", (const char *)ctx, STR_ARG(path));
}

/* False: not of a version that is served. */
static bool sample_open(struct sample *s, char *stem)
{
    *s = (struct sample){.stem = stem};
    arena_init(&s->a, 0);
    CHECK_OK(json_parse(&s->a, read_form(s, "json"), NULL, &s->tree, &e));
    s->kind = schema_kind_find(&schema_builtin, json_str(json_find(&s->tree, S("apiVersion"))),
                               json_str(json_find(&s->tree, S("kind"))));
    if (!s->kind)
        return false;
    s->type = &schema_builtin.types[s->kind->type];
    return true;
}

static struct json normalised(struct sample *s, const struct json *in)
{
    struct json out;
    struct tree_report report = {.on_unknown = unknown_is_a_failure, .ctx = s->stem};
    struct err err = ERR_INIT;
    if (tree_normalise(&s->a, &schema_builtin, s->type, in, &report, &out, &err))
        FAIL("%s: %s", s->stem, err.msg);
    return out;
}

static str printed(struct sample *s, const struct json *j, unsigned flags)
{
    struct buf b;
    buf_init_arena(&b, &s->a, DOCUMENT_SIZE_MAX);
    json_print(&b, j, flags);
    CHECK_OK(buf_check(&b, &e));
    return buf_str(&b);
}

static void same(struct sample *s, const char *what, const struct json *got, const struct json *want)
{
    if (json_equal(got, want))
        return;
    printf("%s: %s differs\n", s->stem, what);
    CHECK_STR(printed(s, got, JSON_INDENT_2 | JSON_SORTED), printed(s, want, JSON_INDENT_2 | JSON_SORTED));
    FAIL("%s: %s prints the same and is not equal", s->stem, what);
}

/* The document without kind and apiVersion: what protobuf and views hold. */
static struct json bare(struct sample *s)
{
    struct json j = json_clone(&s->a, &s->tree);
    json_remove(&j, S("kind"));
    json_remove(&j, S("apiVersion"));
    return j;
}

static void check_normalise(struct sample *s)
{
    struct json once = normalised(s, &s->tree);
    same(s, "the normalised document", &once, &s->tree);
    struct json again = normalised(s, &once);
    CHECK_STR(printed(s, &again, 0), printed(s, &once, 0));
}

static void check_protobuf(struct sample *s)
{
    str bytes = read_form(s, "pb");
    struct pb_envelope envelope;
    CHECK_OK(pb_envelope_decode(bytes, &envelope, &e));
    CHECK_STR(envelope.kind, json_str(json_find(&s->tree, S("kind"))));
    CHECK_STR(envelope.api_version, json_str(json_find(&s->tree, S("apiVersion"))));
    struct json got, want = bare(s);
    CHECK_OK(message_decode(&s->a, &schema_builtin, s->type, envelope.raw, &got, &e));
    same(s, "the protobuf form", &got, &want);
    struct json tree = normalised(s, &want);
    struct buf message, document;
    buf_init_arena(&message, &s->a, DOCUMENT_SIZE_MAX);
    buf_init_arena(&document, &s->a, DOCUMENT_SIZE_MAX);
    CHECK_OK(message_encode(&s->a, &schema_builtin, s->type, &tree, &message, &e));
    if (!str_eq(buf_str(&message), envelope.raw))
        printf("%s: protobuf differs\n", s->stem);
    CHECK_STR(buf_str(&message), envelope.raw);
    envelope.raw = buf_str(&message);
    pb_envelope_encode(&document, &envelope);
    CHECK_STR(buf_str(&document), bytes);
}

static void check_reading(struct sample *s)
{
    static const char *const endings[] = {[TREE_JSON] = "json", [TREE_YAML] = "yaml", [TREE_PROTOBUF] = "pb"};
    struct json normal = normalised(s, &s->tree);
    for (size_t i = 0; i < ARRAY_COUNT(endings); i++) {
        struct tree_complaints complaints;
        struct json got;
        CHECK_OK(tree_read(&s->a, &schema_builtin, s->type, (enum tree_format)i, read_form(s, endings[i]),
                           &complaints, &got, &e));
        CHECK_EQ(complaints.count, 0);
        same(s, endings[i], &got, &s->tree);
        CHECK_STR(printed(s, &got, 0), printed(s, &normal, 0));
    }
}

static void check_view(struct sample *s)
{
    struct json without = bare(s), tree = normalised(s, &without);
    str content = printed(s, &tree, 0);
    void *view = arena_alloc_zero(&s->a, 1, s->type->view_size, _Alignof(str));
    struct err err = ERR_INIT;
    if (view_decode(&s->a, &schema_builtin, s->type, content, view, &err))
        FAIL("%s: %s", s->stem, err.msg);
    struct buf b;
    buf_init_arena(&b, &s->a, DOCUMENT_SIZE_MAX);
    view_encode(&b, &schema_builtin, s->type, view);
    CHECK_STR(buf_str(&b), content);
}

static void each_sample(void (*check)(struct sample *s))
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    size_t count, checked = 0;
    char **stems = test_files(test_reference_path("samples"), ".json", &count);
    if (!stems)
        test_skip("no reference documents here");
    for (size_t i = 0; i < count; i++) {
        struct sample s;
        if (sample_open(&s, stems[i])) {
            check(&s);
            checked++;
        }
        arena_done(&s.a);
    }
    printf("%zu documents of served versions, of %zu\n", checked, count);
    CHECK_GT(checked, 80);
}

TEST(samples_are_normal_as_they_stand)
{
    each_sample(check_normalise);
}

TEST(samples_in_protobuf_are_the_same_documents_and_encode_to_the_same_bytes)
{
    each_sample(check_protobuf);
}

TEST(samples_are_read_as_one_document_from_any_form)
{
    each_sample(check_reading);
}

TEST(samples_lose_nothing_through_a_view)
{
    each_sample(check_view);
}
