/* jsonpath_priv.h - a compiled template, between its parser and its evaluation. */
#ifndef WIRE_JSONPATH_PRIV_H
#define WIRE_JSONPATH_PRIV_H

#include "wire/jsonpath.h"

enum jsonpath_kind {
    NODE_TEXT,       /* literal */
    NODE_LITERAL,    /* number, true, false */
    NODE_LIST,       /* an action */
    NODE_FIELD,      /* name */
    NODE_WILDCARD,   /* .* */
    NODE_RECURSIVE,  /* .. */
    NODE_SLICE,      /* [from:to:step] */
    NODE_UNION,      /* [a,b]: each a list */
    NODE_FILTER,     /* [?(left op right)] */
    NODE_RANGE,      /* range */
    NODE_END,        /* end */
    NODE_IDENTIFIER, /* any other word: an error when it is evaluated */
};

enum jsonpath_op { OP_EXISTS, OP_EQ, OP_NE, OP_LT, OP_LE, OP_GT, OP_GE, OP_UNKNOWN };

struct jsonpath_list {
    struct jsonpath_node *first, *last;
};

struct jsonpath_param {
    int64_t value;
    bool known;
    bool derived; /* the end that belongs to a single index */
};

struct jsonpath_node {
    enum jsonpath_kind kind;
    struct jsonpath_node *next;
    str name;            /* NODE_FIELD, NODE_IDENTIFIER; of NODE_FILTER the operator */
    struct json literal; /* NODE_TEXT, NODE_LITERAL */
    struct jsonpath_param params[3];
    enum jsonpath_op op;
    struct jsonpath_list list; /* NODE_LIST, NODE_UNION, left side of NODE_FILTER */
    struct jsonpath_list right;
};

struct jsonpath {
    struct jsonpath_list root;
};

#endif
