/* gen_main.c - the schema generator: schemagen OUTPUT-FOLDER FILE.api...
 * Writes OUTPUT-FOLDER/schema_builtin.c and OUTPUT-FOLDER/view/PACKAGE.h; a file whose content would not change is left
 * alone, so that what depends on it is not built again. */
#include "emit.h"
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

enum { OUTPUT_SIZE_MAX = 64 << 20 };

static err_code write_if_changed(struct arena *a, const char *path, str content, struct err *err)
{
    str old;
    struct err absent = ERR_INIT;
    if (model_read_file(a, path, &old, &absent) == ERR_NONE && str_eq(old, content))
        return ERR_NONE;
    FILE *f = fopen(path, "we");
    if (!f)
        return err_errno(err, errno, "could not write '%s'", path);
    size_t n = fwrite(content.p, 1, content.n, f);
    if (fclose(f) != 0 || n != content.n)
        return err_errno(err, errno, "could not write '%s'", path);
    return ERR_NONE;
}

static err_code generate(const char *folder, const char *const *paths, size_t path_count, struct err *err)
{
    static struct model m;
    if (model_load(&m, paths, path_count, err) || c_names_assign(&m, err))
        return err->code;
    model_number(&m);
    struct buf out;
    buf_init_arena(&out, &m.arena, OUTPUT_SIZE_MAX);
    mkdir(str_format(&m.arena, "%s/view", folder).p, 0777);
    for (size_t i = 0; i < m.package_count; i++) {
        buf_clear(&out);
        emit_view_header(&m, m.packages[i], &out);
        str name = c_package(&m.arena, m.packages[i]->name);
        str path = str_format(&m.arena, "%s/view/%" STR_FMT ".h", folder, STR_ARG(name));
        if (buf_check(&out, err) || write_if_changed(&m.arena, path.p, buf_str(&out), err))
            return err->code;
    }
    buf_clear(&out);
    if (emit_tables(&m, &out, err))
        return err->code;
    err_code code = write_if_changed(&m.arena, str_format(&m.arena, "%s/schema_builtin.c", folder).p,
                                     buf_str(&out), err);
    arena_done(&m.arena);
    return code;
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fputs("usage: schemagen OUTPUT-FOLDER FILE.api...\n", stderr);
        return 2;
    }
    struct err err = ERR_INIT;
    if (generate(argv[1], (const char *const *)argv + 2, (size_t)argc - 2, &err)) {
        fprintf(stderr, "schemagen: %s\n", err.msg);
        return 1;
    }
    return 0;
}
