/* command.c - `skiff server`: options, signals, the process around a server. */
#include "server/command.h"
#include "base/options.h"
#include "server/server.h"
#include "sys/env.h"
#include "sys/file.h"
#include "sys/host.h"
#include "wire/yaml.h"
#include <signal.h>
#include <stdio.h>

struct command {
    str data_dir, bind_address, advertise_address, service_range, cluster_domain, config, log_format,
        log_level;
    int64_t port;
    bool no_agent;
};

static const struct option items[] = {
    {.name = S_INIT("data-dir"),
     .kind = OPTION_TEXT,
     .offset = offsetof(struct command, data_dir),
     .hint = "DIR",
     .preset = "/var/lib/skiff",
     .help =
         "Where keys, certificates and all objects are kept. It is made when it is not there; what is there is "
         "used. DIR/admin.conf is a kubeconfig for whoever may read it."},
    {.name = S_INIT("bind-address"),
     .kind = OPTION_TEXT,
     .offset = offsetof(struct command, bind_address),
     .hint = "ADDRESS",
     .preset = "0.0.0.0",
     .help = "The IP address to listen on."},
    {.name = S_INIT("secure-port"),
     .kind = OPTION_NUMBER,
     .offset = offsetof(struct command, port),
     .max = 65535,
     .hint = "PORT",
     .preset = "6443",
     .help = "The port to listen on; 0 picks a free one, which admin.conf then names."},
    {.name = S_INIT("advertise-address"),
     .kind = OPTION_TEXT,
     .offset = offsetof(struct command, advertise_address),
     .hint = "HOST",
     .help =
         "The name or address by which clients reach this server, when it is not the one it listens on: for "
         "admin.conf and the serving certificate."},
    {.name = S_INIT("service-cluster-ip-range"),
     .kind = OPTION_TEXT,
     .offset = offsetof(struct command, service_range),
     .hint = "CIDR",
     .preset = "10.96.0.0/12",
     .help = "The range that Services get their addresses from."},
    {.name = S_INIT("cluster-domain"),
     .kind = OPTION_TEXT,
     .offset = offsetof(struct command, cluster_domain),
     .hint = "DOMAIN",
     .preset = "cluster.local",
     .help = "The DNS domain of the cluster."},
    {.name = S_INIT("no-agent"),
     .kind = OPTION_FLAG,
     .offset = offsetof(struct command, no_agent),
     .help =
         "Only the control plane: this machine runs no pods. (There is no agent yet, so this is always so.)"},
    {.name = S_INIT("config"),
     .kind = OPTION_TEXT,
     .offset = offsetof(struct command, config),
     .hint = "FILE",
     .help =
         "A YAML file with the options above by name, for those that were not given otherwise: `data-dir: /srv`."},
    {.name = S_INIT("log-format"),
     .kind = OPTION_TEXT,
     .offset = offsetof(struct command, log_format),
     .hint = "text|json",
     .preset = "text",
     .help = "How log lines look on standard error."},
    {.name = S_INIT("log-level"),
     .kind = OPTION_TEXT,
     .offset = offsetof(struct command, log_level),
     .hint = "LEVEL",
     .preset = "info",
     .help = "The least important lines that are shown: debug, info, warning or error."},
};

static const struct options table = {
    .command = "skiff server",
    .summary = "Runs the API server with its store: everything that clients talk to.",
    .env = "SKIFF_",
    .items = items,
    .count = ARRAY_COUNT(items),
    .footer =
        "\nIt ends in order on SIGTERM and SIGINT. Nothing that it has answered is lost, however it ends.\n",
};

/* --- log --- */

static void write_line(void *ctx, enum log_level level, str line)
{
    (void)ctx, (void)level;
    fwrite(line.p, 1, line.n, stderr);
}

static int64_t wall_clock(void *ctx)
{
    return env_now_wall(ctx);
}

/* --- options --- */

static err_code read_config(struct env *env, struct command *c, struct options_seen *seen, struct arena *a,
                            struct err *err)
{
    str dir = S("."), name = c->config, text;
    struct dir *d;
    struct json tree;
    size_t slash = str_rindex_c(name, '/');
    if (slash != SIZE_MAX) {
        dir = slash ? str_slice(name, 0, slash) : S("/");
        name = str_from(name, slash + 1);
    }
    if (dir_open(env, dir, 0, &d, err))
        return err_wrap(err, "could not read the configuration file '%" STR_FMT "'", STR_ARG(c->config));
    err_code code = file_read_all(d, name, a, 1 << 20, &text, err);
    dir_close(d);
    if (code || yaml_parse(a, text, NULL, &tree, err))
        return err_wrap(err, "could not read the configuration file '%" STR_FMT "'", STR_ARG(c->config));
    for (uint32_t i = 0; i < json_count(&tree) && tree.type == JSON_OBJECT; i++) {
        const struct json_member *m = &tree.v.members[i];
        struct buf value;
        buf_init_arena(&value, a, 64 * 1024);
        if (m->value.type == JSON_STRING)
            buf_add(&value, json_str(&m->value));
        else
            json_print(&value, &m->value, 0);
        if (options_set(&table, c, seen, json_member_name(m), buf_str(&value), "in the configuration file",
                        err))
            return err->code;
    }
    return ERR_NONE;
}

static err_code read_options(struct env *env, struct command *c, struct options_seen *seen, struct arena *a,
                             int argc, char **argv, struct err *err)
{
    const char **rest = ARENA_ARRAY(a, const char *, (size_t)argc + 1);
    size_t rest_count;
    if (options_args(&table, c, seen, argc, argv, rest, &rest_count, err) || seen->help)
        return err->code;
    if (rest_count)
        return err_set(err, ERR_INVALID,
                       "skiff server takes no argument '%s'; 'skiff server --help' lists its options",
                       rest[0]);
    if (options_env(&table, c, seen, host_variable, err))
        return err->code;
    return c->config.n ? read_config(env, c, seen, a, err) : ERR_NONE;
}

static err_code bind_of(const struct command *c, struct net_addr *ret, struct err *err)
{
    if (net_ip_parse(c->bind_address, ret, err))
        return err_wrap(err, "option 'bind-address' cannot be '%" STR_FMT "'", STR_ARG(c->bind_address));
    ret->port = (uint16_t)c->port;
    return ERR_NONE;
}

/* --- running --- */

struct ending {
    struct loop_signals signals;
    bool asked;
};

static void on_signal(struct loop_signals *s, int signo)
{
    (void)signo;
    CONTAINER_OF(s, struct ending, signals)->asked = true;
}

static bool is_asked(void *ctx)
{
    return ((struct ending *)ctx)->asked;
}

static err_code run(struct env *env, const struct command *c, struct logger *log, struct err *err)
{
    struct server_opts opts = {.data_dir = c->data_dir,
                               .advertise_host = c->advertise_address,
                               .service_cidr = c->service_range,
                               .cluster_domain = c->cluster_domain,
                               .log = log};
    struct ending ending = {.signals.on_signal = on_signal};
    struct loop *main_loop;
    struct server *s;
    static const int signals[] = {SIGTERM, SIGINT};
    if (bind_of(c, &opts.bind, err) || loop_new(env, S("signals"), &main_loop, err))
        return err->code;
    if (!loop_signals_start(main_loop, &ending.signals, signals, ARRAY_COUNT(signals), err) &&
        !server_new(env, &opts, &s, err)) {
        if (!server_start(s, err)) {
            char address[NET_ADDR_TEXT];
            net_addr_format(server_address(s), address);
            log_info(log, "the API server is ready", KV_STR("address", str_from_c(address)),
                     KV_STR("data", c->data_dir));
            loop_run_until(main_loop, is_asked, &ending, LOOP_FOREVER);
            log_info(log, "asked to end");
        }
        server_free(s);
    }
    loop_signals_stop(&ending.signals);
    loop_free(main_loop);
    return err->code;
}

static int fail(const struct err *err, int status)
{
    fprintf(stderr, "skiff server: %s\n", err->msg);
    return status;
}

static int show_help(void)
{
    struct buf text;
    buf_init(&text, 64 * 1024);
    options_help(&table, &text);
    fwrite(text.p, 1, text.n, stdout);
    buf_done(&text);
    return 0;
}

int server_command(int argc, char **argv)
{
    CLEANUP(arena_done) struct arena a;
    struct command c = {.data_dir = S("/var/lib/skiff"), .bind_address = S("0.0.0.0"), .port = 6443};
    struct options_seen seen = {0};
    struct err err = ERR_INIT;
    struct env *env;
    arena_init(&a, 0);
    if (env_new_real(NULL, &env, &err))
        return fail(&err, 1);
    if (read_options(env, &c, &seen, &a, argc, argv, &err))
        return fail(&err, 2);
    if (seen.help)
        return show_help();
    enum log_level level = LOG_LEVEL_INFO;
    if (c.log_level.n && !log_level_parse(c.log_level, &level)) {
        err_set(&err, ERR_INVALID,
                "option 'log-level' cannot be '%" STR_FMT "': it is debug, info, warning or error",
                STR_ARG(c.log_level));
        return fail(&err, 2);
    }
    struct log_target target = {.sink = write_line,
                                .clock = wall_clock,
                                .clock_ctx = env,
                                .format = str_is(c.log_format, "json") ? LOG_FORMAT_JSON : LOG_FORMAT_TEXT,
                                .level = level};
    struct logger log;
    logger_init(&log, &target);
    run(env, &c, &log, &err);
    env_free(env);
    return err.code ? fail(&err, 1) : 0;
}
