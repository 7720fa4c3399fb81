/* workloads.c - what the kinds share that make pods of a template. */
#include "api/rules/workloads.h"
#include "view/meta_v1.h"

void workload_counts_validate(struct field_errors *errors, const struct field_path *path,
                              const struct workload_count *counts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        rules_non_negative(errors, AT_NAME(path, str_from_c(counts[i].name)), counts[i].n);
}

void workload_at_most(struct field_errors *errors, const struct field_path *path, const char *name, int64_t n,
                      int64_t most, const char *than)
{
    if (n > most)
        field_invalid(errors, AT_NAME(path, str_from_c(name)), NUMBER(n),
                      RULES_F(errors, "cannot be greater than %s", than));
}

void workload_collisions_validate(struct field_errors *errors, const struct field_path *path,
                                  struct opt_int32 count, struct opt_int32 old)
{
    if (old.is_set && (!count.is_set || count.value < old.value))
        field_invalid(errors, AT(path, "collisionCount"), NUMBER(count.value), S("cannot be decremented"));
}

bool workload_selector_validate(struct field_errors *errors, const struct field_path *path,
                                const struct workload_selector *s)
{
    size_t before = errors->count + errors->lost;
    if (!s->selector) {
        field_required(errors, path, STR_NONE);
        return true;
    }
    rules_label_selector(errors, path, s->selector);
    bool good = errors->count + errors->lost == before;
    struct json shown = rules_view(errors->arena, VIEW_TYPE(label_selector), s->selector);
    if (rules_label_selector_is_empty(s->selector))
        field_invalid(errors, path, &shown, RULES_F(errors, "empty selector is invalid for %s", s->called));
    if (!good)
        field_invalid(errors, path, &shown, str_from_c(s->wrong));
    return good;
}

void workload_labels_validate(struct field_errors *errors, const struct field_path *template_path,
                              const struct label_selector *selector, const struct str_map *labels)
{
    if (rules_label_selector_matches(selector, labels))
        return;
    struct json shown = rules_text_map(errors->arena, labels);
    field_invalid(errors, AT(AT(template_path, "metadata"), "labels"), &shown,
                  S("`selector` does not match template `labels`"));
}

void workload_pods_go_on_validate(struct field_errors *errors, const struct field_path *template_path,
                                  const struct pod_spec *spec, const char *kind)
{
    const struct field_path *path = AT(template_path, "spec");
    rules_one_of(errors, AT(path, "restartPolicy"), spec->restart_policy, STRS(S("Always")));
    if (spec->active_deadline_seconds.is_set)
        field_forbidden(errors, AT(path, "activeDeadlineSeconds"),
                        RULES_F(errors, "activeDeadlineSeconds in %s is not Supported", kind));
}

void workload_selector_is_same(struct field_errors *errors, const struct label_selector *selector,
                               const struct label_selector *old)
{
    check_same_view(errors, AT(AT(NULL, "spec"), "selector"), VIEW_TYPE(label_selector), selector, old);
}

int64_t count_or_percent_value(const struct int_or_string *v)
{
    int64_t n;
    if (!v)
        return 0;
    if (v->type == INT_OR_STRING_INT || !name_check_percent(v->text, NULL))
        return int_or_string_int(v);
    return str_parse_i64(str_slice(v->text, 0, v->text.n - 1), &n) ? n : INT64_MAX;
}

struct json int_or_string_json(const struct int_or_string *v)
{
    if (!v)
        return json_of_int(0);
    return v->type == INT_OR_STRING_INT ? json_of_int(v->number) : json_of_str(v->text);
}

void at_most_all_validate(struct field_errors *errors, const struct field_path *path,
                          const struct int_or_string *v)
{
    if (v && v->type == INT_OR_STRING_STRING && name_check_percent(v->text, NULL) &&
        count_or_percent_value(v) > 100)
        field_invalid(errors, path, TEXT(v->text), S("must not be greater than 100%"));
}

void host_name_warning(const struct rules_input *in, str name, const char *used_in)
{
    struct name_errors wrong = {.count = 0};
    struct buf b;
    if (name_check_dns1123_label(name, &wrong))
        return;
    buf_init_arena(&b, in->arena, 1 << 12);
    name_errors_add(&b, &wrong, S(" "));
    warn(
        in,
        "metadata.name: this is used in %s, which can result in surprising behavior; a DNS label is recommended: [%" STR_FMT
        "]",
        used_in, STR_ARG(buf_str(&b)));
}

struct json *workload_member(const struct rules_input *in, struct json *object, str name)
{
    struct json *there = json_find(object, name);
    return there ? there : json_set(in->arena, object, name, json_object());
}
