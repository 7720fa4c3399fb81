/* encode.c - objects as clients want to see them. */
#include "server/encode.h"
#include "api/convert.h"
#include "api/table.h"
#include "api/tree.h"
#include "server/negotiate.h"
#include "server/params.h"
#include "server/server_priv.h"
#include "wire/protobuf.h"
#include "wire/yaml.h"

#define PARTIAL_HEAD S("{\"kind\":\"PartialObjectMetadata\",\"apiVersion\":\"meta.k8s.io/v1\",")

/* What of the object goes along with a table's row. */
static err_code read_include(struct request *r, enum table_include *ret, struct err *err)
{
    str v;
    *ret = TABLE_METADATA;
    if (!param_find(r, S("includeObject"), &v) || !v.n || str_is(v, "Metadata"))
        return ERR_NONE;
    if (str_is(v, "None"))
        *ret = TABLE_NONE;
    else if (str_is(v, "Object"))
        *ret = TABLE_OBJECT;
    else
        return err_set(err, ERR_BAD_REQUEST, "unrecognized includeObject value: \"%" STR_FMT "\"",
                       STR_ARG(v));
    return ERR_NONE;
}

err_code encoder_init(struct request *r, struct encoder *ret, struct err *err)
{
    *ret = (struct encoder){.kind = r->kind, .media = r->accept, .env = r->server->env};
    if (ret->media.form == FORM_TABLE) {
        if (!r->kind->table)
            ret->media.form = FORM_OBJECT;
        else if (read_include(r, &ret->include, err))
            return err->code;
    }
    if (r->kind->is_custom && ret->media.type == MEDIA_PROTOBUF && ret->media.form == FORM_OBJECT)
        return err_set(err, ERR_NOT_ACCEPTABLE,
                       "only the following media types are accepted: application/json, application/yaml");
    return ERR_NONE;
}

str encoder_content_type(const struct encoder *e)
{
    return media_content_type(&e->media);
}

bool encoder_streams(const struct encoder *e)
{
    return e->media.type == MEDIA_JSON;
}

/* --- JSON of one object --- */

/* As the version that is served, with its resourceVersion. */
static err_code add_json(const struct encoder *e, struct arena *a, struct buf *out, const struct object *o,
                         int64_t revision, str head, struct err *err)
{
    if (e->kind == e->kind->resource->stored) {
        object_print_at(out, o, head, revision);
        return ERR_NONE;
    }
    struct buf text;
    struct json stored, served;
    struct json_opts opts = {.names = schema_builtin.names};
    buf_init_arena(&text, a, SIZE_MAX / 2);
    object_print_at(&text, o, S("{"), revision);
    if (json_parse(a, buf_str(&text), &opts, &stored, err) ||
        convert_from_stored(a, e->kind->info, &stored, &served, err))
        return err_wrap(err, "could not convert %" STR_FMT, STR_ARG(e->kind->plural));
    json_remove(&served, S("kind"));
    json_remove(&served, S("apiVersion"));
    buf_add(out, str_slice(head, 0, head.n - 1));
    size_t at = out->n;
    json_print(out, &served, 0);
    if (!out->failed) /* the brace of the object closes the head's */
        out->p[at] = head.p[head.n - 1] == ',' ? ',' : '{';
    return ERR_NONE;
}

/* The same, metadata only. */
static err_code add_partial(const struct encoder *e, struct arena *a, struct buf *out, const struct object *o,
                            int64_t revision, str head, struct err *err)
{
    struct buf whole;
    struct json_reader rd;
    str name;
    buf_init_arena(&whole, a, SIZE_MAX / 2);
    if (add_json(e, a, &whole, o, revision, S("{"), err))
        return err->code;
    json_reader_init(&rd, a, buf_str(&whole), err);
    json_enter_object(&rd);
    while (json_next_member(&rd, &name)) {
        str value = json_skip(&rd);
        if (str_is(name, "metadata")) {
            buf_add(out, head);
            buf_add_lit(out, "\"metadata\":");
            buf_add(out, value);
            buf_add_c(out, '}');
            return ERR_NONE;
        }
    }
    return err_set(err, ERR_CORRUPT, "an object without metadata");
}

/* --- tables --- */

static void add_table_begin(const struct encoder *e, struct buf *out)
{
    buf_add_f(out, "{\"kind\":\"Table\",\"apiVersion\":\"meta.k8s.io/%" STR_FMT "\",",
              STR_ARG(e->media.form_version));
}

static void add_table_columns(const struct encoder *e, struct buf *out)
{
    buf_add_lit(out, ",\"columnDefinitions\":");
    table_print_columns(out, e->kind->table);
    buf_add_lit(out, ",\"rows\":[");
}

static err_code add_row(const struct encoder *e, struct arena *a, struct buf *out, const struct object *o,
                        int64_t revision, struct err *err)
{
    buf_add_c(out, '{');
    table_print_cells(out, a, e->kind->table, object_content(o), env_now_wall(e->env));
    buf_add_lit(out, ",\"object\":");
    err_code code = ERR_NONE;
    switch (e->include) {
    case TABLE_METADATA: code = add_partial(e, a, out, o, revision, PARTIAL_HEAD, err); break;
    case TABLE_OBJECT: code = add_json(e, a, out, o, revision, e->kind->head, err); break;
    case TABLE_NONE: buf_add_lit(out, "null"); break;
    }
    buf_add_c(out, '}');
    return code;
}

/* One object as a table of its own. */
static err_code add_table(const struct encoder *e, struct arena *a, struct buf *out, const struct object *o,
                          int64_t revision, struct err *err)
{
    add_table_begin(e, out);
    buf_add_f(out, "\"metadata\":{\"resourceVersion\":\"%lld\"}", (long long)revision);
    add_table_columns(e, out);
    err_code code = add_row(e, a, out, o, revision, err);
    buf_add_lit(out, "]}");
    return code;
}

static err_code add_form(const struct encoder *e, struct arena *a, struct buf *out, const struct object *o,
                         int64_t revision, bool in_list, struct err *err)
{
    switch (e->media.form) {
    case FORM_PARTIAL: return add_partial(e, a, out, o, revision, PARTIAL_HEAD, err);
    case FORM_TABLE:
        return in_list ? add_row(e, a, out, o, revision, err) : add_table(e, a, out, o, revision, err);
    case FORM_OBJECT: break;
    }
    return add_json(e, a, out, o, revision, in_list ? S("{") : e->kind->head, err);
}

/* --- protobuf of one object --- */

static const struct schema_type *form_type(const struct encoder *e)
{
    if (e->media.form == FORM_PARTIAL)
        return schema_type_find(&schema_builtin, S("meta/v1"), S("PartialObjectMetadata"));
    return e->kind->type;
}

static str form_api_version(const struct encoder *e)
{
    return e->media.form == FORM_PARTIAL ? S("meta.k8s.io/v1") : e->kind->api_version;
}

static err_code add_message(const struct encoder *e, struct arena *a, struct buf *out, const struct object *o,
                            int64_t revision, struct err *err)
{
    struct buf text;
    struct json tree, content;
    struct json_opts opts = {.names = schema_builtin.names};
    buf_init_arena(&text, a, SIZE_MAX / 2);
    if (add_form(e, a, &text, o, revision, true, err) || json_parse(a, buf_str(&text), &opts, &tree, err) ||
        tree_normalise(a, &schema_builtin, form_type(e), &tree, NULL, &content, err))
        return err->code;
    return message_encode(a, &schema_builtin, form_type(e), &content, out, err);
}

static err_code add_envelope(const struct encoder *e, struct arena *a, struct buf *out,
                             const struct object *o, int64_t revision, struct err *err)
{
    str kind = e->media.form == FORM_PARTIAL ? S("PartialObjectMetadata") : e->kind->kind;
    size_t at = pb_envelope_begin(out, form_api_version(e), kind);
    err_code code = add_message(e, a, out, o, revision, err);
    pb_envelope_end(out, at);
    return code;
}

/* JSON text as YAML. */
static err_code add_yaml(struct arena *a, struct buf *out, str json, struct err *err)
{
    struct json tree;
    if (json_parse(a, json, NULL, &tree, err))
        return err->code;
    yaml_print(out, &tree);
    return ERR_NONE;
}

err_code encode_object(const struct encoder *e, struct arena *scratch, struct buf *out,
                       const struct object *o, struct err *err)
{
    if (e->media.type == MEDIA_PROTOBUF)
        return add_envelope(e, scratch, out, o, o->revision, err);
    if (e->media.type == MEDIA_YAML) {
        struct buf text;
        buf_init_arena(&text, scratch, SIZE_MAX / 2);
        return add_form(e, scratch, &text, o, o->revision, false, err) ||
                       add_yaml(scratch, out, buf_str(&text), err)
                   ? err->code
                   : ERR_NONE;
    }
    if (add_form(e, scratch, out, o, o->revision, false, err))
        return err->code;
    buf_add_c(out, '\n');
    return ERR_NONE;
}

/* --- lists --- */

static void add_list_meta(struct buf *out, const struct list_head *head)
{
    buf_add_f(out, "\"metadata\":{\"resourceVersion\":\"%lld\"", (long long)head->revision);
    if (head->continue_token.n) {
        buf_add_lit(out, ",\"continue\":");
        json_print_str(out, head->continue_token, 0);
    }
    if (head->remaining >= 0)
        buf_add_f(out, ",\"remainingItemCount\":%lld", (long long)head->remaining);
    buf_add_c(out, '}');
}

static str list_head_text(const struct encoder *e)
{
    return e->media.form == FORM_PARTIAL
               ? S("{\"kind\":\"PartialObjectMetadataList\",\"apiVersion\":\"meta.k8s.io/v1\",")
               : e->kind->list_head;
}

void encode_list_begin(const struct encoder *e, struct buf *out, const struct list_head *head)
{
    if (e->media.type != MEDIA_PROTOBUF) {
        if (e->media.form == FORM_TABLE)
            add_table_begin(e, out);
        else
            buf_add(out, list_head_text(e));
        add_list_meta(out, head);
        if (e->media.form == FORM_TABLE)
            add_table_columns(e, out);
        else
            buf_add_lit(out, ",\"items\":[");
        return;
    }
    char revision[24];
    struct buf number = {.p = revision, .cap = sizeof revision, .max = sizeof revision};
    buf_add_i64(&number, head->revision);
    size_t at = pb_begin(out, 1);
    pb_add_bytes(out, 2, buf_str(&number));
    pb_add_bytes(out, 3, head->continue_token);
    if (head->remaining >= 0)
        pb_add_varint(out, 4, (uint64_t)head->remaining);
    pb_end(out, at);
}

err_code encode_list_item(const struct encoder *e, struct arena *scratch, struct buf *out,
                          const struct object *o, bool first, struct err *err)
{
    if (e->media.type == MEDIA_PROTOBUF) {
        size_t at = pb_begin(out, 2);
        err_code code = add_message(e, scratch, out, o, o->revision, err);
        pb_end(out, at);
        return code;
    }
    if (!first)
        buf_add_c(out, ',');
    return add_form(e, scratch, out, o, o->revision, true, err);
}

/* Wraps what was collected: YAML and protobuf are made of the whole. */
err_code encode_list_end(const struct encoder *e, struct arena *scratch, struct buf *out, struct err *err)
{
    if (e->media.type == MEDIA_PROTOBUF) {
        str kind = e->media.form == FORM_PARTIAL ? S("PartialObjectMetadataList") : e->kind->list_kind;
        struct pb_envelope envelope = {.api_version = form_api_version(e), .kind = kind, .raw = buf_str(out)};
        struct buf whole;
        buf_init(&whole, SIZE_MAX / 2);
        pb_envelope_encode(&whole, &envelope);
        buf_done(out);
        *out = whole;
        return ERR_NONE;
    }
    buf_add_lit(out, "]}");
    if (e->media.type == MEDIA_YAML) {
        struct buf whole;
        buf_init(&whole, SIZE_MAX / 2);
        err_code code = add_yaml(scratch, &whole, buf_str(out), err);
        buf_done(out);
        *out = whole;
        return code;
    }
    buf_add_c(out, '\n');
    return ERR_NONE;
}

/* --- watches --- */

static void frame_begin(const struct encoder *e, struct buf *out, size_t *ret_at)
{
    *ret_at = out->n;
    if (e->media.type == MEDIA_PROTOBUF)
        buf_add_n(out, 0, 4);
}

/* Protobuf events have their length in front of them, four bytes, big end first. */
static void frame_end(const struct encoder *e, struct buf *out, size_t at)
{
    if (e->media.type != MEDIA_PROTOBUF) {
        buf_add_c(out, '\n');
        return;
    }
    if (out->failed)
        return;
    uint32_t n = __builtin_bswap32((uint32_t)(out->n - at - 4));
    memcpy(out->p + at, &n, sizeof n);
}

/* WatchEvent {type=1, object=2 {raw=1}}, bare: only the object in it has an envelope. */
static void message_event(struct buf *out, str type, str object)
{
    pb_add_bytes(out, 1, type);
    size_t at = pb_begin(out, 2);
    pb_add_bytes(out, 1, object);
    pb_end(out, at);
}

err_code encode_event(const struct encoder *e, struct arena *scratch, struct buf *out, str type,
                      const struct object *o, int64_t revision, struct err *err)
{
    size_t frame;
    err_code code;
    frame_begin(e, out, &frame);
    if (e->media.type == MEDIA_PROTOBUF) {
        struct buf object;
        buf_init_arena(&object, scratch, SIZE_MAX / 2);
        code = add_envelope(e, scratch, &object, o, revision, err);
        message_event(out, type, buf_str(&object));
    } else {
        buf_add_f(out, "{\"type\":\"%" STR_FMT "\",\"object\":", STR_ARG(type));
        code = add_form(e, scratch, out, o, revision, false, err);
        buf_add_c(out, '}');
    }
    frame_end(e, out, frame);
    return code;
}

void encode_bookmark(const struct encoder *e, struct arena *scratch, struct buf *out, int64_t revision,
                     bool initial_events_end)
{
    size_t frame;
    struct buf object;
    buf_init_arena(&object, scratch, 4096);
    bool partial = e->media.form == FORM_PARTIAL;
    buf_add(&object, partial ? PARTIAL_HEAD : e->kind->head);
    buf_add_f(&object, "\"metadata\":{\"resourceVersion\":\"%lld\"", (long long)revision);
    if (!e->kind->is_custom)
        buf_add_lit(&object, ",\"creationTimestamp\":null");
    if (initial_events_end)
        buf_add_lit(&object, ",\"annotations\":{\"k8s.io/initial-events-end\":\"true\"}");
    buf_add_lit(&object, "}}");
    frame_begin(e, out, &frame);
    if (e->media.type == MEDIA_PROTOBUF) {
        struct json in, tree;
        struct err err = ERR_INIT;
        struct buf message;
        buf_init_arena(&message, scratch, 4096);
        size_t at = pb_envelope_begin(&message, form_api_version(e),
                                      partial ? S("PartialObjectMetadata") : e->kind->kind);
        if (!json_parse(scratch, buf_str(&object), NULL, &in, &err) &&
            !tree_normalise(scratch, &schema_builtin, form_type(e), &in, NULL, &tree, &err))
            err_ignore(message_encode(scratch, &schema_builtin, form_type(e), &tree, &message, &err));
        pb_envelope_end(&message, at);
        message_event(out, S("BOOKMARK"), buf_str(&message));
    } else {
        buf_add_lit(out, "{\"type\":\"BOOKMARK\",\"object\":");
        buf_add(out, buf_str(&object));
        buf_add_c(out, '}');
    }
    frame_end(e, out, frame);
}

void encode_error_event(const struct encoder *e, struct arena *scratch, struct buf *out,
                        const struct status *st)
{
    size_t frame;
    struct buf text;
    buf_init_arena(&text, scratch, 1 << 20);
    status_print(&text, st);
    frame_begin(e, out, &frame);
    if (e->media.type == MEDIA_PROTOBUF) {
        const struct schema_type *t = schema_type_find(&schema_builtin, S("meta/v1"), S("Status"));
        struct json in, tree;
        struct err err = ERR_INIT;
        struct buf message;
        buf_init_arena(&message, scratch, 1 << 20);
        size_t at = pb_envelope_begin(&message, S("v1"), S("Status"));
        if (!json_parse(scratch, buf_str(&text), NULL, &in, &err) &&
            !tree_normalise(scratch, &schema_builtin, t, &in, NULL, &tree, &err))
            err_ignore(message_encode(scratch, &schema_builtin, t, &tree, &message, &err));
        pb_envelope_end(&message, at);
        message_event(out, S("ERROR"), buf_str(&message));
    } else {
        buf_add_lit(out, "{\"type\":\"ERROR\",\"object\":");
        buf_add(out, str_trim(buf_str(&text)));
        buf_add_c(out, '}');
    }
    frame_end(e, out, frame);
}
