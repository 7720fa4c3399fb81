/* yaml.c - our YAML against what libyaml's own event loop and emitter take: nothing on libyaml can be faster. */
#include "wire/yaml.h"
#include "bench.h"
#include "docs.h"
#include <stdio.h>
#include <yaml.h>

/* So many documents in turn, so that the branch predictor cannot learn one by heart. */
enum { DOCS = 16, SIZE_MAX_PRINTED = 1 << 26 };

struct race {
    str docs[DOCS]; /* YAML */
    str json[DOCS]; /* the same */
    struct json trees[DOCS];
    size_t count;
    size_t next;
    size_t size; /* mean, of YAML */
    struct yaml_opts opts;
    struct arena arena;
    struct buf out;
};

static size_t next_doc(struct race *r)
{
    return r->next = r->next + 1 == r->count ? 0 : r->next + 1;
}

static void race_init(struct race *r, struct intern *names)
{
    *r = (struct race){.opts = {.names = names}};
    arena_init(&r->arena, 0);
    buf_init(&r->out, SIZE_MAX_PRINTED);
}

static void race_add(struct race *r, struct arena *a, str json)
{
    struct err err;
    struct buf yaml;
    size_t i = r->count++;
    buf_init_arena(&yaml, a, SIZE_MAX_PRINTED);
    BENCH_MUST(json_parse(a, json, NULL, &r->trees[i], &err) == ERR_NONE);
    yaml_print(&yaml, &r->trees[i]);
    r->json[i] = json;
    r->docs[i] = buf_str(&yaml);
    r->size = (r->size * i + yaml.n) / r->count;
}

static void race_done(struct race *r)
{
    arena_done(&r->arena);
    buf_done(&r->out);
}

static void parse_skiff(void *ctx)
{
    struct race *r = ctx;
    struct err err;
    struct json j;
    arena_reset(&r->arena);
    BENCH_MUST(yaml_parse(&r->arena, r->docs[next_doc(r)], &r->opts, &j, &err) == ERR_NONE);
    bench_keep(&j);
}

static void parse_json_of_it(void *ctx)
{
    struct race *r = ctx;
    struct err err;
    struct json j;
    arena_reset(&r->arena);
    BENCH_MUST(yaml_parse(&r->arena, r->json[next_doc(r)], &r->opts, &j, &err) == ERR_NONE);
    bench_keep(&j);
}

static void parse_events(void *ctx)
{
    struct race *r = ctx;
    str doc = r->docs[next_doc(r)];
    yaml_parser_t parser;
    yaml_event_type_t type;
    BENCH_MUST(yaml_parser_initialize(&parser));
    yaml_parser_set_input_string(&parser, (const unsigned char *)doc.p, doc.n);
    do {
        yaml_event_t event;
        BENCH_MUST(yaml_parser_parse(&parser, &event));
        type = event.type;
        yaml_event_delete(&event);
    } while (type != YAML_STREAM_END_EVENT);
    yaml_parser_delete(&parser);
}

static void print_skiff(void *ctx)
{
    struct race *r = ctx;
    buf_clear(&r->out);
    yaml_print(&r->out, &r->trees[next_doc(r)]);
    BENCH_MUST(!r->out.failed);
}

static void print_json(void *ctx)
{
    struct race *r = ctx;
    buf_clear(&r->out);
    json_print(&r->out, &r->trees[next_doc(r)], JSON_INDENT_4 | JSON_SORTED);
    BENCH_MUST(!r->out.failed);
}

static int add_to_buf(void *out, unsigned char *p, size_t n)
{
    buf_add(out, str_of((const char *)p, n));
    return 1;
}

static void emit_scalar(yaml_emitter_t *emitter, str s)
{
    yaml_event_t event;
    BENCH_MUST(yaml_scalar_event_initialize(&event, NULL, NULL, (const unsigned char *)(s.n ? s.p : ""),
                                            (int)s.n, 1, 1, YAML_ANY_SCALAR_STYLE) &&
               yaml_emitter_emit(emitter, &event));
}

static void emit_tree(yaml_emitter_t *emitter, const struct json *j)
{
    yaml_event_t event;
    if (!json_is_container(j)) {
        emit_scalar(emitter, j->type == JSON_STRING ? json_str(j) : S("12345"));
        return;
    }
    BENCH_MUST(j->type == JSON_ARRAY
                   ? yaml_sequence_start_event_initialize(&event, NULL, NULL, 1, YAML_ANY_SEQUENCE_STYLE)
                   : yaml_mapping_start_event_initialize(&event, NULL, NULL, 1, YAML_ANY_MAPPING_STYLE));
    BENCH_MUST(yaml_emitter_emit(emitter, &event));
    for (uint32_t i = 0; i < j->n; i++) {
        if (j->type == JSON_OBJECT)
            emit_scalar(emitter, json_member_name(&j->v.members[i]));
        emit_tree(emitter, j->type == JSON_OBJECT ? &j->v.members[i].value : &j->v.items[i]);
    }
    BENCH_MUST(j->type == JSON_ARRAY ? yaml_sequence_end_event_initialize(&event)
                                     : yaml_mapping_end_event_initialize(&event));
    BENCH_MUST(yaml_emitter_emit(emitter, &event));
}

static void print_emitter(void *ctx)
{
    struct race *r = ctx;
    yaml_emitter_t emitter;
    yaml_event_t event;
    buf_clear(&r->out);
    BENCH_MUST(yaml_emitter_initialize(&emitter));
    yaml_emitter_set_output(&emitter, add_to_buf, &r->out);
    yaml_emitter_set_unicode(&emitter, 1);
    BENCH_MUST(yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING) &&
               yaml_emitter_emit(&emitter, &event));
    BENCH_MUST(yaml_document_start_event_initialize(&event, NULL, NULL, NULL, 1) &&
               yaml_emitter_emit(&emitter, &event));
    emit_tree(&emitter, &r->trees[next_doc(r)]);
    BENCH_MUST(yaml_document_end_event_initialize(&event, 1) && yaml_emitter_emit(&emitter, &event));
    BENCH_MUST(yaml_stream_end_event_initialize(&event) && yaml_emitter_emit(&emitter, &event));
    yaml_emitter_delete(&emitter);
}

static void race_both(struct bench *b, const char *name, struct race *r)
{
    char title[64];
    snprintf(title, sizeof title, "read %s", name);
    BENCH_CASE(b, title, BENCH_BYTES(r->size), {"skiff", parse_skiff, r}, {"libyaml events", parse_events, r},
               {"skiff, as JSON", parse_json_of_it, r});
    snprintf(title, sizeof title, "print %s", name);
    BENCH_CASE(b, title, BENCH_BYTES(r->size), {"skiff", print_skiff, r},
               {"libyaml emitter", print_emitter, r}, {"skiff, as JSON", print_json, r});
    race_done(r);
}

BENCH(yaml, "text to tree and back; rates are bytes of YAML")
{
    struct arena *a = bench_arena(b);
    struct intern *names = bench_names();
    struct race r;
    race_init(&r, names);
    for (unsigned i = 0; i < DOCS; i++)
        race_add(&r, a, bench_pod(a, i, 2000));
    race_both(b, "pod, 2 KB", &r);
    race_init(&r, names);
    race_add(&r, a, bench_pod_list(a, 2000000));
    race_both(b, "pod list", &r);
    race_init(&r, names);
    for (unsigned i = 0; i < DOCS; i++)
        race_add(&r, a, bench_config_map(a, i, 4000));
    race_both(b, "config map", &r);
    intern_free(names);
    bench_note(
        b,
        "libyaml's loop only takes the events and lets them go; its emitter gets the same scalars and chooses "
        "their style alone, without asking whether they read back as strings.");
}
