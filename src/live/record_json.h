/* SPDX-License-Identifier: GPL-3.0-or-later */
/* live/record_json.h: writes a record as a line of JSON, for other tools. */
#ifndef BARLOW_LIVE_RECORD_JSON_H
#define BARLOW_LIVE_RECORD_JSON_H

#include <barlow/live.h>
#include <stdio.h>

/*
 * Writes {"step": 1, "time": 0.25, ..., "knn": null}; null: nothing was measured.  The text does not depend on the
 * locale.  Negative: writing to f failed.
 */
int bl_record_json(const bl_record *r, const bl_columns *c, FILE *f);

#endif
