/* line_diff.h - by which lines two texts differ, in unified form without a header and with three lines around each change,
 * as the original shows it: lines are matched as Python's difflib does, which is not always the shortest way.
 * Bound: past some millions of steps the rest counts as replaced. Memory: the arena. For files of this folder. */
#ifndef API_RULES_LINE_DIFF_H
#define API_RULES_LINE_DIFF_H

#include "base/arena.h"
#include "base/buf.h"

void line_diff(struct buf *out, struct arena *a, str old_text, str new_text);

#endif
