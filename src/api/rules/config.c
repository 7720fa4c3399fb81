/* config.c - ConfigMap, Secret and ServiceAccount: keys that can be file names, the keys that a secret's type asks for, and
 * data that its owner has frozen. */
#include "api/rules/checks.h"
#include "base/base64.h"

enum { DATA_SIZE_MAX = 1 << 20 };

#define ACCOUNT_NAME "kubernetes.io/service-account.name"
#define FROZEN       "field is immutable when `immutable` is set"

static void check_key(struct field_errors *errors, const struct field_path *data, str key)
{
    rules_name(errors, AT_KEY(data, key), key, name_check_config_map_key);
}

static void check_still_frozen(struct field_errors *errors, struct opt_bool now, bool same_data)
{
    if (!now.value)
        field_forbidden(errors, AT(NULL, "immutable"), S(FROZEN));
    if (!same_data)
        field_forbidden(errors, AT(NULL, "data"), S(FROZEN));
}

/* --- ConfigMap --- */

static void validate_config_map(const struct rules_input *in, const void *view, struct field_errors *errors)
{
    const struct config_map *c = view;
    const struct field_path *data = AT(NULL, "data"), *binary = AT(NULL, "binaryData");
    size_t size = 0;
    for (size_t i = 0; i < c->data.count; i++) {
        str key = c->data.items[i].key;
        check_key(errors, data, key);
        if (rules_map_find(&c->binary_data, key))
            field_invalid(errors, AT_KEY(data, key), TEXT(key), S("duplicate of key present in binaryData"));
        size += c->data.items[i].value.n;
    }
    for (size_t i = 0; i < c->binary_data.count; i++) {
        check_key(errors, binary, c->binary_data.items[i].key);
        size += c->binary_data.items[i].value.n;
    }
    if (size > DATA_SIZE_MAX) /* of the whole object, which has no path */
        field_too_long(errors, AT(NULL, ""), DATA_SIZE_MAX);
}

static void validate_config_map_update(const struct rules_input *in, const void *view, const void *old_view,
                                       struct field_errors *errors)
{
    const struct config_map *c = view, *old = old_view;
    if (!old->immutable.value)
        return;
    check_still_frozen(errors, c->immutable, str_maps_equal(&c->data, &old->data));
    if (!str_maps_equal(&c->binary_data, &old->binary_data))
        field_forbidden(errors, AT(NULL, "binaryData"), S(FROZEN));
}

const struct kind_rules config_map_rules = {.package = "core/v1",
                                            .kind = "ConfigMap",
                                            .validate = validate_config_map,
                                            .validate_update = validate_config_map_update};

/* --- Secret --- */

/* Text becomes data of the same keys, and is forgotten. */
static void take_string_data(const struct rules_input *in, struct json *tree)
{
    struct json *text = json_find(tree, S("stringData"));
    if (!text)
        return;
    struct json *data = json_find(tree, S("data"));
    if (!data || data->type != JSON_OBJECT)
        data = json_set(in->arena, tree, S("data"), json_object());
    text = json_find(tree, S("stringData"));
    for (size_t i = 0; i < json_count(text); i++) {
        const struct json_member *m = &text->v.members[i];
        str value = json_str(&m->value);
        struct buf b;
        buf_init_arena(&b, in->arena, base64_encoded_size(value.n, BASE64_STD) + 1);
        base64_encode(&b, value, BASE64_STD);
        json_set(in->arena, data, json_member_name(m), json_of_str(buf_str(&b)));
    }
    json_remove(tree, S("stringData"));
}

/* What Go's decoder into a map says; empty: nothing. */
static str go_object_error(struct arena *a, str text)
{
    struct json parsed = json_null();
    struct err err = ERR_INIT;
    str rest = str_trim(text);
    if (json_parse(a, text, NULL, &parsed, &err) == ERR_NONE) {
        if (parsed.type == JSON_OBJECT || parsed.type == JSON_NULL)
            return STR_NONE;
        const char *what = parsed.type == JSON_ARRAY    ? "array"
                           : parsed.type == JSON_STRING ? "string"
                           : parsed.type <= JSON_TRUE   ? "bool"
                                                        : "number";
        return str_format(a, "json: cannot unmarshal %s into Go value of type map[string]interface {}", what);
    }
    if (rest.n == 0)
        return S("unexpected end of JSON input");
    if (!memchr("{[\"-0123456789tfn", rest.p[0], 17))
        return str_format(a, "invalid character '%c' looking for beginning of value", rest.p[0]);
    return str_dup(a, str_from_c(err.msg));
}

static void check_json_key(struct field_errors *errors, const struct secret *s, str key)
{
    const struct field_path *at = AT_KEY(AT(NULL, "data"), key);
    const str *text = rules_map_find(&s->data, key);
    str wrong = text ? go_object_error(errors->arena, *text) : STR_NONE;
    if (!text)
        field_required(errors, at, STR_NONE);
    else if (wrong.n)
        field_invalid(errors, at, TEXT(S("<secret contents redacted>")), wrong);
}

static void check_has_key(struct field_errors *errors, const struct secret *s, str key)
{
    if (!rules_map_find(&s->data, key))
        field_required(errors, AT_KEY(AT(NULL, "data"), key), STR_NONE);
}

static void check_keys_of_type(struct field_errors *errors, const struct secret *s)
{
    if (str_is(s->type, "kubernetes.io/service-account-token")) {
        const str *name = rules_map_find(&s->metadata.annotations, S(ACCOUNT_NAME));
        if (!name || name->n == 0)
            field_required(errors, AT_KEY(AT(AT(NULL, "metadata"), "annotations"), S(ACCOUNT_NAME)),
                           STR_NONE);
    } else if (str_is(s->type, "kubernetes.io/dockercfg")) {
        check_json_key(errors, s, S(".dockercfg"));
    } else if (str_is(s->type, "kubernetes.io/dockerconfigjson")) {
        check_json_key(errors, s, S(".dockerconfigjson"));
    } else if (str_is(s->type, "kubernetes.io/basic-auth")) {
        if (rules_map_find(&s->data, S("username")) || rules_map_find(&s->data, S("password")))
            return;
        check_has_key(errors, s, S("username"));
        check_has_key(errors, s, S("password"));
    } else if (str_is(s->type, "kubernetes.io/ssh-auth")) {
        const str *key = rules_map_find(&s->data, S("ssh-privatekey"));
        if (!key || key->n == 0)
            field_required(errors, AT_KEY(AT(NULL, "data"), S("ssh-privatekey")), STR_NONE);
    } else if (str_is(s->type, "kubernetes.io/tls")) {
        check_has_key(errors, s, S("tls.crt"));
        check_has_key(errors, s, S("tls.key"));
    }
}

static void validate_secret(const struct rules_input *in, const void *view, struct field_errors *errors)
{
    const struct secret *s = view;
    const struct field_path *data = AT(NULL, "data");
    size_t size = 0;
    for (size_t i = 0; i < s->data.count; i++) {
        check_key(errors, data, s->data.items[i].key);
        size += s->data.items[i].value.n;
    }
    if (size > DATA_SIZE_MAX)
        field_too_long(errors, data, DATA_SIZE_MAX);
    check_keys_of_type(errors, s);
}

static void validate_secret_update(const struct rules_input *in, const void *view, const void *old_view,
                                   struct field_errors *errors)
{
    const struct secret *s = view, *old = old_view;
    if (old->immutable.value)
        check_still_frozen(errors, s->immutable, str_maps_equal(&s->data, &old->data));
}

const struct kind_rules secret_rules = {.package = "core/v1",
                                        .kind = "Secret",
                                        .defaults = take_string_data,
                                        .validate = validate_secret,
                                        .validate_update = validate_secret_update};

/* --- ServiceAccount --- */

/* Of its secrets only the names count. */
static void keep_secret_names(const struct rules_input *in, struct json *tree)
{
    struct json *secrets = json_find(tree, S("secrets"));
    for (size_t i = 0; i < json_count(secrets); i++) {
        struct json *secret = json_at(secrets, i), named = json_object();
        const struct json *name = json_find(secret, S("name"));
        if (name)
            json_set(in->arena, &named, S("name"), *name);
        *secret = named;
    }
}

static void keep_secret_names_on_update(const struct rules_input *in, struct json *tree,
                                        const struct json *old)
{
    keep_secret_names(in, tree);
}

const struct kind_rules service_account_rules = {.package = "core/v1",
                                                 .kind = "ServiceAccount",
                                                 .on_create = keep_secret_names,
                                                 .on_update = keep_secret_names_on_update};
