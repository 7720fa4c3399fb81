/* pod_handlers.c - what is run or asked of a container: probes, and what happens at its start and end. */
#include "api/rules/pod_priv.h"

/* Of a probe or of a lifecycle. */
struct handler {
    const struct exec_action *exec;
    const struct http_get_action *http_get;
    const struct tcp_socket_action *tcp_socket;
    const struct grpc_action *grpc;
    const struct sleep_action *sleep;
};

static void http_get(struct field_errors *errors, const struct field_path *path,
                     const struct http_get_action *http)
{
    rules_required(errors, AT(path, "path"), http->path);
    rules_port(errors, AT(path, "port"), &http->port);
    rules_one_of(errors, AT(path, "scheme"), http->scheme, STRS(S("HTTP"), S("HTTPS")));
    for (size_t i = 0; i < http->http_headers.count; i++)
        rules_name(errors, AT(path, "httpHeaders"), http->http_headers.items[i].name, name_check_http_header);
}

static void sleeping(struct pod_check *c, const struct field_path *path, int64_t seconds)
{
    int64_t grace = c->spec->termination_grace_period_seconds.value;
    if (seconds < 0 || seconds > grace)
        field_invalid(c->errors, path, NUMBER(seconds),
                      RULES_F(c->errors,
                              "must be non-negative and less than terminationGracePeriodSeconds (%lld)",
                              (long long)grace));
}

static void handler(struct pod_check *c, const struct field_path *path, const struct handler *h)
{
    str only_one = S("may not specify more than 1 handler type");
    if (h->exec && h->exec->command.count == 0)
        field_required(c->errors, AT(AT(path, "exec"), "command"), STR_NONE);
    bool more = h->exec;
    if (h->http_get && more)
        field_forbidden(c->errors, AT(path, "httpGet"), only_one);
    else if (h->http_get)
        http_get(c->errors, AT(path, "httpGet"), h->http_get);
    more |= h->http_get != NULL;
    if (h->tcp_socket && more)
        field_forbidden(c->errors, AT(path, "tcpSocket"), only_one);
    else if (h->tcp_socket)
        rules_port(c->errors, AT(AT(path, "tcpSocket"), "port"), &h->tcp_socket->port);
    more |= h->tcp_socket != NULL;
    if (h->grpc && more) {
        field_forbidden(c->errors, AT(path, "grpc"), only_one);
    } else if (h->grpc) {
        struct int_or_string port = int_or_string_of_int(h->grpc->port);
        rules_port(c->errors, AT(AT(path, "grpc"), "port"), &port);
    }
    more |= h->grpc != NULL;
    if (h->sleep && more)
        field_forbidden(c->errors, AT(path, "sleep"), only_one);
    else if (h->sleep)
        sleeping(c, AT(path, "sleep"), h->sleep->seconds);
    else if (!more)
        field_required(c->errors, path, S("must specify a handler type"));
}

static void lifecycle_handler(struct pod_check *c, const struct field_path *path,
                              const struct lifecycle_handler *l)
{
    if (l)
        handler(
            c, path,
            &(struct handler){
                .exec = l->exec, .http_get = l->http_get, .tcp_socket = l->tcp_socket, .sleep = l->sleep});
}

void pod_lifecycle_validate(struct pod_check *c, const struct field_path *path, const struct lifecycle *l)
{
    if (!l)
        return;
    lifecycle_handler(c, AT(path, "postStart"), l->post_start);
    lifecycle_handler(c, AT(path, "preStop"), l->pre_stop);
}

void pod_probe_validate(struct pod_check *c, const struct field_path *path, const struct probe *p,
                        enum probe_role role)
{
    if (!p)
        return;
    handler(c, path,
            &(struct handler){.exec = p->handler.exec,
                              .http_get = p->handler.http_get,
                              .tcp_socket = p->handler.tcp_socket,
                              .grpc = p->handler.grpc});
    rules_non_negative(c->errors, AT(path, "initialDelaySeconds"), p->initial_delay_seconds);
    rules_non_negative(c->errors, AT(path, "timeoutSeconds"), p->timeout_seconds);
    rules_non_negative(c->errors, AT(path, "periodSeconds"), p->period_seconds);
    rules_non_negative(c->errors, AT(path, "successThreshold"), p->success_threshold);
    rules_non_negative(c->errors, AT(path, "failureThreshold"), p->failure_threshold);
    const struct field_path *grace_at = AT(path, "terminationGracePeriodSeconds");
    struct opt_int64 grace = p->termination_grace_period_seconds;
    if (grace.is_set && grace.value <= 0)
        field_invalid(c->errors, grace_at, NUMBER(grace.value), S("must be greater than 0"));
    if (role == PROBE_READINESS && grace.is_set)
        field_invalid(c->errors, grace_at, NUMBER(grace.value), S("must not be set for readinessProbes"));
    if (role != PROBE_READINESS && p->success_threshold != 1)
        field_invalid(c->errors, AT(path, "successThreshold"), NUMBER(p->success_threshold), S("must be 1"));
}
