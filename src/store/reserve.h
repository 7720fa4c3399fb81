/* reserve.h - room kept aside on a disk: a file of rubbish, whose bytes are given up when the disk is full.
 * It is written in the background. Threads: the loop's, and whoever opens before that runs. */
#ifndef STORE_RESERVE_H
#define STORE_RESERVE_H

#include "sys/file.h"
#include "sys/loop.h"

struct reserve {
    void (*on_made)(struct reserve *r, bool whole); /* on the loop, for each reserve_make that had to write */
    size_t size;
    struct loop *loop;
    /* Its own. */
    struct file *file;
    struct loop_work work;
    bool there; /* all of it */
    bool making, unwanted, written;
};

/* The file, as it was left behind; on_made, size and loop are set. */
err_code reserve_open(struct reserve *r, struct dir *d, str name, struct err *err);
void reserve_close(struct reserve *r); /* after the loop; fine when it was not opened */
/* Begins to write what is not there. */
void reserve_make(struct reserve *r);
/* Gives it up. What is just being written is given up when that has ended. */
void reserve_release(struct reserve *r);

#endif
