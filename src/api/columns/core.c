/* core.c - nodes, events, quotas, configuration. */
#include "api/columns/columns.h"
#include <inttypes.h>

/* --- component statuses, configuration --- */

static const struct component_condition *health(const struct component_status *c)
{
    static const struct component_condition none = {.status = S_INIT("Unknown")};
    const struct component_condition *found = CONDITION_FIND(&c->conditions, "Healthy");
    return found ? found : &none;
}

void column_component_status_status(struct row *r, const struct component_status *c)
{
    str status = health(c)->status;
    cell(r, str_is(status, "True") ? S("Healthy") : str_is(status, "False") ? S("Unhealthy") : S("Unknown"));
}

void column_component_status_message(struct row *r, const struct component_status *c)
{
    cell(r, health(c)->message);
}

void column_component_status_error(struct row *r, const struct component_status *c)
{
    cell(r, health(c)->error);
}

void column_config_map_data(struct row *r, const struct config_map *m)
{
    cell_int(r, (int64_t)(m->data.count + m->binary_data.count));
}

/* --- events --- */

static struct kube_time first_seen(const struct event *e)
{
    return kube_time_is_zero(e->first_timestamp) ? e->event_time : e->first_timestamp;
}

void column_event_first_seen(struct row *r, const struct event *e)
{
    cell_since(r, first_seen(e));
}

void column_event_last_seen(struct row *r, const struct event *e)
{
    if (e->series)
        cell_since(r, e->series->last_observed_time);
    else
        cell_since(r, kube_time_is_zero(e->last_timestamp) ? first_seen(e) : e->last_timestamp);
}

void column_event_count(struct row *r, const struct event *e)
{
    int32_t count = e->series ? e->series->count : e->count;
    cell_int(r, !e->series && count == 0 ? 1 : count);
}

void column_event_object(struct row *r, const struct object_reference *about)
{
    struct buf *b = cell_begin(r);
    buf_add(b, str_lower(r->arena, about->kind));
    if (about->name.n) {
        buf_add_c(b, '/');
        buf_add(b, about->name);
    }
    cell_end(r, STR_NONE);
}

void column_event_source(struct row *r, const struct event *e)
{
    str component = e->source.component.n ? e->source.component : e->reporting_component;
    str instance = e->source.host.n ? e->source.host : e->reporting_instance;
    struct buf *b = cell_begin(r);
    buf_add(b, component);
    if (instance.n) {
        buf_add_lit(b, ", ");
        buf_add(b, instance);
    }
    cell_end(r, STR_NONE);
}

void column_event_message(struct row *r, const str *message)
{
    cell(r, str_trim(*message));
}

/* --- nodes --- */

void column_node_status(struct row *r, const struct node *n)
{
    const struct node_condition *ready = CONDITION_FIND(&n->status.conditions, "Ready");
    struct buf *b = cell_begin(r);
    buf_add(b, !ready ? S("Unknown") : str_is(ready->status, "True") ? S("Ready") : S("NotReady"));
    if (n->spec.unschedulable)
        buf_add_lit(b, ",SchedulingDisabled");
    cell_end(r, STR_NONE);
}

/* By labels: node-role.kubernetes.io/ROLE, and of old kubernetes.io/role=ROLE. */
void column_node_roles(struct row *r, const struct object_meta *meta)
{
    struct text_set roles = {.items = ARENA_ARRAY(r->arena, str, meta->labels.count)};
    for (size_t i = 0; i < meta->labels.count; i++) {
        str key = meta->labels.items[i].key, value = meta->labels.items[i].value;
        bool is_role = str_take_prefix(&key, S("node-role.kubernetes.io/"));
        if (is_role && key.n)
            roles.items[roles.count++] = key;
        else if (!is_role && str_is(key, "kubernetes.io/role") && value.n)
            roles.items[roles.count++] = value;
    }
    text_set_sort(&roles);
    struct buf *b = cell_begin(r);
    for (size_t i = 0; i < roles.count; i++)
        cell_item(b, i, S(","), roles.items[i]);
    cell_end(r, S("<none>"));
}

static void address_of(struct row *r, const struct node_status *s, str type)
{
    str found = STR_NONE;
    for (size_t i = 0; i < s->addresses.count && !found.p; i++)
        if (str_eq(s->addresses.items[i].type, type))
            found = s->addresses.items[i].address;
    cell_or(r, found, S("<none>"));
}

void column_node_internal_ip(struct row *r, const struct node_status *s)
{
    address_of(r, s, S("InternalIP"));
}

void column_node_external_ip(struct row *r, const struct node_status *s)
{
    address_of(r, s, S("ExternalIP"));
}

/* --- quotas --- */

/* Maps of views are sorted. */
static const struct quantity *used_of(const struct quantity_map *used, str resource)
{
    size_t from = 0, to = used->count;
    while (from < to) {
        size_t at = from + (to - from) / 2;
        int order = str_cmp(used->items[at].key, resource);
        if (order == 0)
            return &used->items[at].value;
        if (order < 0)
            from = at + 1;
        else
            to = at;
    }
    return NULL;
}

/* "pods: 3/10, services: 0/5"; limits have a column of their own. */
static void used_of_hard(struct row *r, const struct resource_quota_status *s, bool limits)
{
    static const struct quantity zero;
    struct buf *b = cell_begin(r);
    size_t shown = 0;
    for (size_t i = 0; i < s->hard.count; i++) {
        str resource = s->hard.items[i].key;
        if (str_starts(resource, S("limits.")) != limits)
            continue;
        const struct quantity *used = used_of(&s->used, resource);
        cell_item(b, shown++, S(", "), resource);
        buf_add_lit(b, ": ");
        quantity_format(b, used ? used : &zero);
        buf_add_c(b, '/');
        quantity_format(b, &s->hard.items[i].value);
    }
    cell_end(r, STR_NONE);
}

void column_resource_quota_request(struct row *r, const struct resource_quota_status *s)
{
    used_of_hard(r, s, false);
}

void column_resource_quota_limit(struct row *r, const struct resource_quota_status *s)
{
    used_of_hard(r, s, true);
}
